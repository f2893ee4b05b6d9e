"""SHOW of one table: its columns, its properties, and the statement that makes it."""

from __future__ import annotations

import pyarrow as pa

from deltasql.catalog.definition import create_table, create_view
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.properties import spelled
from deltasql.catalog.views import View
from deltasql.errors import PlanError
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements

_COLUMNS = pa.schema([("col_name", pa.string())])
_PROPERTIES = pa.schema([("key", pa.string()), ("value", pa.string())])
_STATEMENT = pa.schema([("createtab_stmt", pa.string())])


def plan_columns(statement: statements.ShowColumns, context: StatementContext) -> Rows:
    """``SHOW COLUMNS {IN | FROM} table``: col_name, in the table's order."""
    found = context.named(statement.table)
    if isinstance(found, View):
        names = [column.name for column in found.columns]
    else:
        names = context.snapshot(statement.table)[1].schema.names
    return Rows("SHOW COLUMNS", lambda: pa.table([names], schema=_COLUMNS))


def plan_properties(statement: statements.ShowProperties, context: StatementContext) -> Rows:
    """``SHOW TBLPROPERTIES table [(key)]``: key and value, the protocol's versions and features too, as in Delta Lake.

    Of a key that the table doesn't have, the value says so, as in Spark.
    """
    entry, snapshot = context.snapshot(statement.table)
    protocol = Protocol.of(snapshot)
    named = (protocol.reader_features or frozenset()) | (protocol.writer_features or frozenset())
    found = Metadata.of(snapshot).configuration | {
        "delta.minReaderVersion": str(protocol.reader),
        "delta.minWriterVersion": str(protocol.writer),
        **{f"delta.feature.{name}": "supported" for name in named},
    }
    if statement.key is not None:
        key = statement.key if statement.key in found else _spelled(statement.key)
        found = {key: found.get(key, f"Table {entry} does not have property: {key}")}
    keys = sorted(found)
    return Rows("SHOW TBLPROPERTIES", lambda: pa.table([keys, [found[key] for key in keys]], schema=_PROPERTIES))


def _spelled(key: str) -> str:
    try:
        return spelled(key)
    except PlanError:
        return key


def plan_create(statement: statements.ShowCreateTable, context: StatementContext) -> Rows:
    """``SHOW CREATE TABLE table``: one row, the statement that makes such a table (or view) without rows."""
    found = context.named(statement.table)
    if isinstance(found, View):
        view = found
        return Rows("SHOW CREATE TABLE", lambda: pa.table([[create_view(view)]], schema=_STATEMENT))
    entry, snapshot = context.snapshot(statement.table)
    return Rows("SHOW CREATE TABLE", lambda: pa.table([[create_table(entry, snapshot)]], schema=_STATEMENT))
