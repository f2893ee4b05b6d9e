"""SHOW TABLES, SHOW SCHEMAS: the catalog's names. Nothing is opened."""

from __future__ import annotations

import re

import pyarrow as pa

from deltasql.catalog.catalog import DEFAULT, MAIN
from deltasql.errors import SchemaNotFound
from deltasql.names import fold
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements


def plan_tables(statement: statements.ShowTables, context: StatementContext) -> Rows:
    """``SHOW TABLES [{IN | FROM} schema] [[LIKE] 'pattern']``: namespace, tableName, isTemporary."""
    catalog = context.session.catalog
    parts = statement.schema or (DEFAULT,)
    if len(parts) > 1 and fold(parts[0]) != MAIN:
        raise SchemaNotFound(f"there is no catalog `{parts[0]}`", hint=f"the catalog is `{MAIN}`")
    schema = catalog.schema(parts[-1])

    def rows() -> pa.Table:
        names = [name for name in catalog.table_names(schema) if like(name, statement.pattern)]
        return pa.table(
            {
                "namespace": pa.array([schema] * len(names), pa.string()),
                "tableName": pa.array(names, pa.string()),
                "isTemporary": pa.array([False] * len(names), pa.bool_()),
            }
        )

    return Rows("SHOW TABLES", rows)


def plan_schemas(statement: statements.ShowSchemas, context: StatementContext) -> Rows:
    """``SHOW {SCHEMAS | DATABASES} [[LIKE] 'pattern']``: databaseName."""
    catalog = context.session.catalog

    def rows() -> pa.Table:
        names = [name for name in catalog.schemas() if like(name, statement.pattern)]
        return pa.table({"databaseName": pa.array(names, pa.string())})

    return Rows("SHOW SCHEMAS", rows)


def like(name: str, pattern: str | None) -> bool:
    """Match Spark's LIKE pattern of SHOW: ``*`` is any text, ``|`` separates alternatives, case doesn't count."""
    if pattern is None:
        return True
    choices = [".*".join(map(re.escape, choice.strip().split("*"))) for choice in pattern.split("|")]
    return any(re.fullmatch(choice, name, re.IGNORECASE | re.DOTALL) for choice in choices)
