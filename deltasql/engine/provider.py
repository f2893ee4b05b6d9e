"""The catalog as DataFusion sees it: lazy, and bound to the statement that is being planned.

DataFusion asks for tables by name while it plans. What the statement names was resolved beforehand and is
served from ``serving``; ``information_schema`` asks for the rest, which is opened then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from datafusion.catalog import CatalogProvider, SchemaProvider, Table

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.dataset import UTC, outline, readable
from deltasql.errors import Error

TableName = tuple[str, str, str]


class Lookup(Protocol):
    """What the provider asks of the session's catalog."""

    def schemas(self) -> list[str]:
        """The names of all schemas."""

    def table_names(self, schema: str) -> list[str]:
        """The names of a schema's tables."""

    def find(self, schema: str, name: str) -> Snapshot | None:
        """The latest snapshot of a table, or None."""


class StatementCatalog(CatalogProvider):
    """The one catalog of a connection."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._served: dict[tuple[str, str], Table] = {}

    @contextmanager
    def serving(self, tables: Mapping[TableName, Table]) -> Iterator[None]:
        """Serve ``tables`` under their names while a statement is planned."""
        self._served = {(schema, name): table for (_, schema, name), table in tables.items()}
        try:
            yield
        finally:
            self._served = {}

    def schema_names(self) -> set[str]:
        """All schemas."""
        return set(self._lookup.schemas())

    def schema(self, name: str) -> SchemaProvider | None:  # type: ignore[override]
        """The schema of that name; any is given, as tables at paths live in one that isn't listed."""
        return _Schema(name, self._lookup, self._table)

    def _table(self, schema: str, name: str) -> Table | None:
        served = self._served.get((schema, name))
        if served is not None:
            return served
        # DataFusion is in the middle of planning here, and a table is made with calls that block on it.
        with ThreadPoolExecutor(max_workers=1) as elsewhere:
            return elsewhere.submit(self._open, schema, name).result()

    def _open(self, schema: str, name: str) -> Table | None:
        try:
            snapshot = self._lookup.find(schema, name)
            return None if snapshot is None else outline(readable(snapshot), UTC)
        except Error:
            return None


class _Schema(SchemaProvider):
    def __init__(self, name: str, lookup: Lookup, table: Callable[[str, str], Table | None]) -> None:
        self._name = name
        self._lookup = lookup
        self._table = table

    @property
    def table_names(self) -> list[str]:  # type: ignore[override]
        """All tables; DataFusion reads this as a property."""
        return self._lookup.table_names(self._name)

    def table(self, name: str) -> Table | None:
        """The table of that name."""
        return self._table(self._name, name)

    def table_exist(self, name: str) -> bool:
        """Tell whether there is a table of that name."""
        return self._table(self._name, name) is not None
