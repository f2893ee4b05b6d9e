"""Names to tables: a warehouse root, its schemas, and the snapshots of its tables.

Every Delta table below the root is there by name: ``root/orders`` is ``default.orders``, ``root/sales/orders``
is ``sales.orders``. Tables elsewhere are there if they were registered, or by path.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from deltasql.catalog import discovery
from deltasql.catalog.snapshot import Snapshot, SnapshotCache, is_table, newest_snapshot, open_snapshot
from deltasql.catalog.store import FOLDER, Store, Tables
from deltasql.errors import (
    AlreadyExists,
    ConfigError,
    NotSupportedError,
    OperationalError,
    PlanError,
    SchemaNotFound,
    StorageError,
    TableNotFound,
)
from deltasql.names import TableReference, did_you_mean, fold, match, suffix_as_of

MAIN = "main"
DEFAULT = "default"
PATH_SCHEMA = "delta"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table's full name in stored spelling, and where it is; ``managed`` tables belong to the root."""

    schema: str
    name: str
    location: Path
    managed: bool

    @property
    def parts(self) -> tuple[str, str, str]:
        """Catalog, schema and table."""
        return MAIN, self.schema, self.name

    def __str__(self) -> str:
        if self.schema == PATH_SCHEMA:
            return f"delta.`{self.name}`"
        return self.name if self.schema == DEFAULT else f"{self.schema}.{self.name}"


class Catalog:
    """The catalog ``main`` over one root; without a root, over a temporary folder that goes at `close`."""

    def __init__(self, root: str | Path | None, *, read_only: bool = False) -> None:
        self._temporary = None if root is not None else tempfile.TemporaryDirectory(prefix="deltasql-")
        self.root = local_path(root) if root is not None else Path(self._temporary.name)  # type: ignore[union-attr]
        try:
            if self.root.exists() and not self.root.is_dir():
                raise ConfigError(f"the root `{self.root}` is not a folder")
        except (OSError, ValueError) as error:
            raise StorageError(f"the root {str(self.root)!r} can't be looked at: {error}") from error
        self.read_only = read_only
        self.store = Store(self.root)
        self._cache = SnapshotCache()
        self._siblings: dict[Path, tuple[int, frozenset[str]]] = {}

    def close(self) -> None:
        """Remove the temporary root, if it is one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    # -- what there is

    def schemas(self) -> list[str]:
        """The names of all schemas: ``default``, the folders below the root, and those of registrations."""
        found = {DEFAULT, *self.store.tables()}
        if self.root.exists() and not is_table(self.root):
            found.update(discovery.listing(self.root).folders)
        return sorted(found)

    def schema(self, name: str) -> str:
        """The stored spelling of a schema's name. Raises `SchemaNotFound`."""
        schemas = self.schemas()
        found = match(name, schemas, what="schema")
        if found is None:
            raise SchemaNotFound(f"there is no schema `{name}`", hint=did_you_mean(name, schemas))
        return found

    def tables(self, schema: str = DEFAULT) -> list[TableEntry]:
        """The tables of a schema (in its stored spelling), by name. Nothing is opened."""
        found = {name: TableEntry(schema, name, path, managed=True) for name, path in self._managed(schema)}
        for name, location in self.store.tables().get(schema, {}).items():
            found[name] = TableEntry(schema, name, Path(location), managed=False)
        return [found[name] for name in sorted(found)]

    def _managed(self, schema: str) -> Iterable[tuple[str, Path]]:
        if schema == DEFAULT:
            if is_table(self.root):
                return [(self.root.name, self.root)]
            folder = self.root
        else:
            folder = self.root / schema
        if not folder.exists():
            return []
        return [(name, folder / name) for name in discovery.listing(folder).tables]

    def table_names(self, schema: str) -> list[str]:
        """The names of a schema's tables; empty for a schema that isn't there."""
        return [entry.name for entry in self.tables(schema)]

    def find(self, schema: str, name: str) -> Snapshot | None:
        """The latest snapshot of the table with just that name, or None."""
        entries = {entry.name: entry for entry in self.tables(schema)}
        return self.latest(entries[name]) if name in entries else None

    # -- names

    def resolve(self, reference: TableReference) -> TableEntry:
        """The table that ``reference`` means, in stored spelling; its time travel is left aside.

        Raises `TableNotFound` (with the nearest name), `SchemaNotFound`, and `PlanError` for a name that
        fits several tables but for case.
        """
        if reference.path is not None:
            return self.at_path(reference.path)
        schema, name = self.place(reference)
        if schema != DEFAULT and schema not in self.schemas():
            hint = did_you_mean(schema, self.schemas())
            raise SchemaNotFound(f"there is no schema `{schema}`", hint=hint, span=reference.span)
        direct = self._direct(schema, name)
        if direct is not None:
            return direct
        entries = {entry.name: entry for entry in self.tables(schema)}
        exact = reference.exact[-1:] == (True,) and name in entries
        found = name if exact else self._match(name, entries, reference)
        if found is None:
            raise self._not_found(reference, schema, list(entries))
        return entries[found]

    def _direct(self, schema: str, name: str) -> TableEntry | None:
        """The table in the folder of just that name, without a listing, where no other can be meant."""
        if not _is_safe(name) or not self.root.exists() or is_table(self.root):
            return None
        folder = self.root / name if schema == DEFAULT else self.root / schema / name
        if not is_table(folder) or not self._is_only(folder) or schema in self.store.tables():
            return None
        return TableEntry(schema, name, folder, managed=True)

    def _is_only(self, folder: Path) -> bool:
        """True if no sibling of ``folder`` has its name but for case; listed anew when the parent changes."""
        parent = folder.parent
        changed = parent.stat().st_mtime_ns
        held = self._siblings.get(parent)
        if held is None or held[0] != changed:
            counts = Counter(fold(path.name) for path in parent.iterdir())
            held = changed, frozenset(name for name, count in counts.items() if count > 1)
            self._siblings[parent] = held
        return fold(folder.name) not in held[1]

    def _match(self, name: str, entries: dict[str, TableEntry], reference: TableReference) -> str | None:
        same = [entry for entry in entries if fold(entry) == fold(name)]
        if len(same) > 1:
            names = " and ".join(f"`{entry}`" for entry in sorted(same))
            message = f"table `{name}` is ambiguous: {names} differ only by case"
            raise PlanError(message, hint="quote the exact name", span=reference.span)
        return same[0] if same else None

    def _not_found(self, reference: TableReference, schema: str, names: list[str]) -> TableNotFound:
        if not self.root.exists():
            return TableNotFound(
                f"there is no table `{reference}`: the root `{self.root}` does not exist", span=reference.span
            )
        hint = did_you_mean(reference.name, names)
        folder = self.root / reference.name if schema == DEFAULT else self.root / schema / reference.name
        if _is_safe(reference.name) and folder.is_dir():
            hint = f"the folder `{folder}` is no Delta table: it has no `_delta_log`"
        where = "" if schema == DEFAULT else f" in schema `{schema}`"
        return TableNotFound(f"there is no table `{reference.name}`{where}", hint=hint, span=reference.span)

    def travel(self, reference: TableReference) -> TableReference:
        """``reference`` with the time travel that ends its path (``path@v3``), unless a folder has just that name."""
        if reference.path is None or reference.as_of is not None or local_path(reference.path).exists():
            return reference
        as_of = suffix_as_of(reference.path)
        if as_of is None:
            return reference
        return replace(reference, path=reference.path[: reference.path.rindex("@")], as_of=as_of)

    def place(self, reference: TableReference) -> tuple[str, str]:
        """Schema (in stored spelling if it exists) and table of a name of one to three parts."""
        parts = reference.parts
        if len(parts) == 3 and fold(parts[0]) != MAIN:
            raise SchemaNotFound(f"there is no catalog `{parts[0]}`", hint=f"the catalog is `{MAIN}`")
        if len(parts) == 1:
            return DEFAULT, parts[0]
        schema = match(parts[-2], self.schemas(), what="schema")
        return schema or parts[-2], parts[-1]

    def at_path(self, path: str) -> TableEntry:
        """The table at ``path`` (a name under the schema ``delta``), whether or not there is one yet."""
        return TableEntry(PATH_SCHEMA, path, local_path(path), managed=False)

    # -- snapshots

    def latest(self, entry: TableEntry) -> Snapshot:
        """The table as it is now. Raises as `open_snapshot` does."""
        return self._cache.latest(str(entry), entry.location)

    def snapshot(self, entry: TableEntry, version: int) -> Snapshot:
        """The table at ``version``, which may be read where the latest can't be."""
        with suppress(StorageError, NotSupportedError):
            latest = self.latest(entry)
            if latest.version == version:
                return latest
        return open_snapshot(str(entry), entry.location, version)

    def newest(self, entry: TableEntry) -> Snapshot:
        """The latest version that can be read. Raises as `latest` where none can."""
        try:
            return self.latest(entry)
        except (StorageError, NotSupportedError):
            return newest_snapshot(str(entry), entry.location)

    def forget(self, entry: TableEntry) -> None:
        """Drop what is cached of a table that was dropped or made anew."""
        self._cache.forget(entry.location)

    # -- changes

    def require_writable(self) -> None:
        """Raise `OperationalError` on a read-only connection."""
        if self.read_only:
            raise OperationalError("the connection is read-only", hint="connect with `read_only=False`")

    def new_entry(self, reference: TableReference, location: str | None) -> TableEntry:
        """The entry of a table that is to be made: managed below the root, or at ``location``.

        Raises `AlreadyExists`, `SchemaNotFound`, and `PlanError` for a name that can't be a folder's.
        """
        self.require_writable()
        if reference.path is not None:
            return self.at_path(reference.path)
        schema, name = self.place(reference)
        if schema not in self.schemas():
            raise SchemaNotFound(f"there is no schema `{schema}`", hint=did_you_mean(schema, self.schemas()))
        taken = match(name, [entry.name for entry in self.tables(schema)], what="table")
        if taken is not None:
            raise AlreadyExists(f"table `{taken}` exists already", span=reference.span)
        if location is not None:
            return TableEntry(schema, name, local_path(location), managed=False)
        if not _is_safe(name):
            raise PlanError(f"a managed table can't be called `{name}`", hint="give it a LOCATION", span=reference.span)
        folder = self.root / name if schema == DEFAULT else self.root / schema / name
        return TableEntry(schema, name, folder, managed=True)

    def register(self, entry: TableEntry) -> None:
        """Keep the name of an external table."""

        def add(tables: Tables) -> None:
            tables.setdefault(entry.schema, {})[entry.name] = str(entry.location)

        self.store.change(add)

    def unregister(self, entry: TableEntry) -> None:
        """Forget the name of an external table; its files stay."""

        def remove(tables: Tables) -> None:
            tables.get(entry.schema, {}).pop(entry.name, None)

        self.store.change(remove)
        self.forget(entry)


def _is_safe(name: str) -> bool:
    """True if a folder of that name stays below its parent and is seen by discovery."""
    return not set(name) & {"/", "\\", "\0"} and name[:1] not in ("", ".", "_") and name != FOLDER


def local_path(path: str | Path) -> Path:
    """``path`` as an absolute path of this machine; ``file://`` URLs are taken too.

    Raises `NotSupportedError` for another scheme.
    """
    text = str(path)
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() != "file":
            raise NotSupportedError(f"a location on `{scheme}://` is not supported", hint="use a local folder")
        from urllib.parse import unquote

        text = unquote(rest)
    elif text.startswith("file:/"):
        text = text[5:]
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, ValueError) as error:
        raise StorageError(f"`{text}` is no path: {error}") from error


__all__ = ["DEFAULT", "MAIN", "PATH_SCHEMA", "Catalog", "TableEntry", "local_path"]
