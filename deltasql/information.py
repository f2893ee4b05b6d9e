"""``information_schema``: what a catalog holds, as tables of the SQL standard.

``tables``, ``views`` and ``schemata`` come from names and registrations alone; ``columns`` opens the tables that a
query asks for by ``table_schema`` and ``table_name`` (``= …``, ``IN (…)``), or all. The engine's other ones stay its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from deltasql.catalog.catalog import MAIN, Catalog, TableEntry
from deltasql.catalog.views import TEMPORARY, View
from deltasql.engine.ask import Ask
from deltasql.engine.pruning import asked_values
from deltasql.engine.scan import Access, Shown, Tables
from deltasql.errors import Error
from deltasql.types import sql_name

if TYPE_CHECKING:
    from datafusion.catalog import Table

NAME = "information_schema"
_Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Information:
    """One of its tables, of the catalog ``of``; it is read when a query is."""

    catalog: Catalog
    of: str
    table_name: str

    @property
    def name(self) -> str:
        """The name as a query has it."""
        return f"{NAME}.{self.table_name}"

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return _TABLES[self.table_name][0]

    @property
    def extent(self) -> str:
        """What is read."""
        return f"catalog {self.of}"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """The catalog knows."""
        return Access("log", "what the catalog knows", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:
        """The rows that a query may ask for."""
        rows = list(_TABLES[self.table_name][1](self, _wanted(ask)))
        return tables.rows(pa.Table.from_pylist(rows, schema=self.schema), shown.zone)


def information(catalog: Catalog, of: str, table_name: str) -> Information | None:
    """The table of that name in the ``information_schema`` of the catalog ``of``; None where there is none of ours."""
    return Information(catalog, of, table_name) if table_name in _TABLES else None


_Wanted = Callable[[str, str], bool]


def _wanted(ask: Ask | None) -> _Wanted:
    """Tells of a schema and table whether a query may look at them, by comparisons with constants."""
    scans = [] if ask is None else [list(filter(None, map(asked_values, scan.conjuncts))) for scan in ask.scans]
    if not scans:
        return lambda *_: True

    def wanted(schema: str, table: str) -> bool:
        given = {"table_schema": schema, "table_name": table}
        return any(all(name not in given or given[name] in values for name, values in scan) for scan in scans)

    return wanted


def _schemas(of: Information) -> list[str]:
    return of.catalog.schemas(of.of)


def _schemata(of: Information, wanted: _Wanted) -> Iterator[_Row]:  # noqa: ARG001
    return ({"catalog_name": of.of, "schema_name": schema} for schema in _schemas(of))


def _tables(of: Information, wanted: _Wanted) -> Iterator[_Row]:  # noqa: ARG001
    for schema in _schemas(of):
        names = {entry.name: "BASE TABLE" for entry in of.catalog.tables(schema, of.of)}
        names |= {view.name: "VIEW" for view in of.catalog.views(schema, of.of)}
        for name, kind in names.items():
            yield _named((of.of, schema, name)) | {"table_type": kind}

    for view in _temporaries(of):
        yield _named(view.parts) | {"table_type": "VIEW"}


def _views(of: Information, wanted: _Wanted) -> Iterator[_Row]:  # noqa: ARG001
    for view in [*(view for schema in _schemas(of) for view in of.catalog.views(schema, of.of)), *_temporaries(of)]:
        yield _named(view.parts) | {"definition": view.query}


def _temporaries(of: Information) -> Collection[View]:
    """The temporary views, which `main` shows with a schema that has no name: they are in none."""
    return of.catalog.temporaries.values() if of.of == MAIN else ()


def _columns(of: Information, wanted: _Wanted) -> Iterator[_Row]:
    named: list[TableEntry | View] = []
    for schema in _schemas(of):
        named += [*of.catalog.tables(schema, of.of), *of.catalog.views(schema, of.of)]
    for entry in [*named, *_temporaries(of)]:
        row = _named(entry.parts)
        if wanted(row["table_schema"], entry.name):
            for position, column in enumerate(_columns_of(of.catalog, entry), start=1):
                yield row | {"ordinal_position": position} | column


def _columns_of(catalog: Catalog, entry: TableEntry | View) -> list[dict[str, Any]]:
    """The columns of a table or view; none of a table that can't be opened."""
    if isinstance(entry, View):
        return [
            {"column_name": column.name, "is_nullable": "YES", "data_type": column.type, "comment": column.comment}
            for column in entry.columns
        ]
    try:
        return list(map(_column, catalog.latest(entry).schema))
    except Error:
        return []


def _column(field: pa.Field) -> dict[str, Any]:
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    number = {}
    if pa.types.is_decimal(field.type):
        number = {
            "numeric_precision": field.type.precision,
            "numeric_precision_radix": 10,
            "numeric_scale": field.type.scale,
        }
    return number | {
        "column_name": field.name,
        "column_default": metadata.get("CURRENT_DEFAULT"),
        "is_nullable": "YES" if field.nullable else "NO",
        "data_type": sql_name(field.type),
        "comment": metadata.get("comment"),
    }


def _named(parts: tuple[str, str, str]) -> dict[str, Any]:
    catalog, schema, name = parts
    return {"table_catalog": catalog, "table_schema": "" if schema == TEMPORARY else schema, "table_name": name}


def _texts(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.string()) for name in names]


_NAMED = _texts("table_catalog", "table_schema", "table_name")
_TABLES: Mapping[str, tuple[pa.Schema, Callable[[Information, _Wanted], Iterator[_Row]]]] = {
    "schemata": (pa.schema(_texts("catalog_name", "schema_name", "schema_owner")), _schemata),
    "tables": (pa.schema([*_NAMED, *_texts("table_type")]), _tables),
    "views": (pa.schema([*_NAMED, *_texts("definition")]), _views),
    "columns": (
        pa.schema(
            [
                *_NAMED,
                *_texts("column_name"),
                ("ordinal_position", pa.int32()),
                *_texts("column_default", "is_nullable", "data_type"),
                *((f"numeric_{what}", pa.int32()) for what in ("precision", "precision_radix", "scale")),
                *_texts("comment"),
            ]
        ),
        _columns,
    ),
}
