"""The catalog as DataFusion sees it: what the statement that is being planned brings, and nothing else.

Names are resolved before DataFusion plans, so it is asked for what stands in ``serving`` only. It knows one catalog,
whatever catalogs a connection has: a table of another is served in a schema that no user's is called like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from datafusion.catalog import CatalogProvider, SchemaProvider, Table

TableName = tuple[str, str, str]


class StatementCatalog(CatalogProvider):
    """The one catalog that DataFusion knows."""

    def __init__(self) -> None:
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
        """The schemas of what is served."""
        return {schema for schema, _ in self._served}

    def schema(self, name: str) -> SchemaProvider | None:  # type: ignore[override]
        """The schema of that name; any is given."""
        return _Schema(lambda table: self._served.get((name, table)))


class _Schema(SchemaProvider):
    def __init__(self, find: Callable[[str], Table | None]) -> None:
        self._find = find

    @property
    def table_names(self) -> list[str]:  # type: ignore[override]
        """None: nobody lists them. DataFusion reads this as a property."""
        return []

    def table(self, name: str) -> Table | None:
        """The table of that name."""
        return self._find(name)

    def table_exist(self, name: str) -> bool:
        """Tell whether there is a table of that name."""
        return self._find(name) is not None
