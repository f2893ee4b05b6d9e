"""SHOW of what the catalog knows by name: tables, views, schemas, catalogs, functions. Nothing is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.functions import TABLE_FUNCTIONS

_TABLES = pa.schema([("namespace", pa.string()), ("tableName", pa.string()), ("isTemporary", pa.bool_())])
_VIEWS = pa.schema([("namespace", pa.string()), ("viewName", pa.string()), ("isTemporary", pa.bool_())])
_SCHEMAS = pa.schema([("databaseName", pa.string())])
_CATALOGS = pa.schema([("catalog", pa.string())])
_SECRETS = pa.schema([("name", pa.string()), ("type", pa.string()), ("scope", pa.string()), ("options", pa.string())])
_FUNCTIONS = pa.schema([("function", pa.string())])


def plan_tables(statement: statements.ShowTables, context: StatementContext) -> Rows:
    """``SHOW TABLES [{IN | FROM} [catalog.]schema] [[LIKE] 'pattern']``: tables and views."""
    catalog = context.session.catalog
    name, schema = catalog.schema_of(statement.schema or ())

    def rows() -> pa.Table:
        kept = {*catalog.table_names(schema, name), *(view.name for view in catalog.views(schema, name))}
        found = [(schema, one, False) for one in sorted(kept)] + [
            ("", one, True) for one in sorted({*catalog.temporaries, *context.session.frames})
        ]
        return _rows(_TABLES, [row for row in found if like(row[1], statement.pattern)])

    return Rows("SHOW TABLES", rows)


def plan_views(statement: statements.ShowViews, context: StatementContext) -> Rows:
    """``SHOW VIEWS [{IN | FROM} [catalog.]schema] [[LIKE] 'pattern']``: namespace, viewName, isTemporary."""
    catalog = context.session.catalog
    name, schema = catalog.schema_of(statement.schema or ())

    def rows() -> pa.Table:
        found = [(schema, view.name, False) for view in catalog.views(schema, name)]
        found += [("", one, True) for one in sorted(catalog.temporaries)]
        return _rows(_VIEWS, [row for row in found if like(row[1], statement.pattern)])

    return Rows("SHOW VIEWS", rows)


def plan_schemas(statement: statements.ShowSchemas, context: StatementContext) -> Rows:
    """``SHOW {SCHEMAS | DATABASES} [{IN | FROM} catalog] [[LIKE] 'pattern']``: databaseName."""
    catalog = context.session.catalog
    name = catalog.of(statement.catalog or catalog.home.catalog).name
    return Rows("SHOW SCHEMAS", lambda: _named(_SCHEMAS, catalog.schemas(name), statement.pattern))


def plan_catalogs(statement: statements.ShowCatalogs, context: StatementContext) -> Rows:
    """``SHOW CATALOGS [[LIKE] 'pattern']``: catalog."""
    catalog = context.session.catalog
    return Rows("SHOW CATALOGS", lambda: _named(_CATALOGS, catalog.catalogs(), statement.pattern))


def plan_functions(statement: statements.ShowFunctions, context: StatementContext) -> Rows:
    """``SHOW FUNCTIONS [[LIKE] {'pattern' | name}]``: function, the engine's and the table functions."""
    engine = context.session.engine

    def rows() -> pa.Table:
        return _named(_FUNCTIONS, sorted({*engine.functions(), *TABLE_FUNCTIONS}), statement.pattern)

    return Rows("SHOW FUNCTIONS", rows)


def _named(schema: pa.Schema, names: Sequence[str], pattern: str | None) -> pa.Table:
    return _rows(schema, [(name,) for name in names if like(name, pattern)])


def _rows(schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def plan_secrets(statement: statements.ShowSecrets, context: StatementContext) -> Rows:
    """``SHOW SECRETS [[LIKE] 'pattern']``: name, type, scope, options; what is secret of these is not shown."""
    storage = context.session.catalog.storage

    def rows() -> pa.Table:
        found = [each for each in storage.secrets() if like(each.name, statement.pattern)]
        columns = zip(*((each.name, each.kind, each.scope or None, each.shown()) for each in found), strict=True)
        values = list(columns) or [()] * len(_SECRETS)
        return pa.table([pa.array(column, pa.string()) for column in values], schema=_SECRETS)

    return Rows("SHOW SECRETS", rows)


def like(name: str, pattern: str | None) -> bool:
    """Match Spark's LIKE pattern of SHOW: ``*`` is any text, ``|`` separates alternatives, case doesn't count."""
    if pattern is None:
        return True
    choices = [".*".join(map(re.escape, choice.strip().split("*"))) for choice in pattern.split("|")]
    return any(re.fullmatch(choice, name, re.IGNORECASE | re.DOTALL) for choice in choices)
