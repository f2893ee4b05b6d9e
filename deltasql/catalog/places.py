"""Where tables are: full names, the folders behind them, and which names may be a folder's.

A managed table's folder is made of names alone, so a name must never lead out of its parent: what could is refused
here, once.
"""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.storage.objects import Location

MAIN = "main"
DEFAULT = "default"
PATH_SCHEMA = "delta"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table's full name in stored spelling, and where it is; ``managed`` tables belong to the root."""

    schema: str
    name: str
    location: Location
    managed: bool
    catalog: str = MAIN

    @property
    def parts(self) -> tuple[str, str, str]:
        """Catalog, schema and table."""
        return self.catalog, self.schema, self.name

    def __str__(self) -> str:
        return f"delta.`{self.name}`" if self.schema == PATH_SCHEMA else shown(self.parts)


def shown(parts: tuple[str, str, str]) -> str:
    """A full name as short as it stays clear whatever schema is current to whoever reads it."""
    catalog, schema, name = parts
    if catalog != MAIN:
        return f"{catalog}.{schema}.{name}"
    return name if schema == DEFAULT else f"{schema}.{name}"


def is_safe(name: str) -> bool:
    """True if a folder of that name stays below its parent and is seen by discovery."""
    return not set(name) & {"/", "\\", "\0"} and name[:1] not in ("", ".", "_")
