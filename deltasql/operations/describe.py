"""DESCRIBE: a table's columns, and its history."""

from __future__ import annotations

import pyarrow as pa

from deltasql.catalog.inspection import history
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import PlanError
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.types import spark_name
from deltasql.write.source import CHAR_TYPE


def plan_history(statement: statements.DescribeHistory, context: StatementContext) -> Rows:
    """``DESCRIBE HISTORY table [LIMIT number]``: a row per commit in the log, the newest first."""
    _, snapshot = context.snapshot(statement.table)
    limit = None
    if statement.limit is not None:
        limit = context.evaluate(statement.limit.sql)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise PlanError(f"LIMIT takes a whole number, not `{limit}`", span=statement.limit.span)
    return Rows("DESCRIBE HISTORY", lambda: history(snapshot, limit))


_COLUMNS = pa.schema([("col_name", pa.string()), ("data_type", pa.string()), ("comment", pa.string())])


def plan_table(statement: statements.DescribeTable, context: StatementContext) -> Rows:
    """``DESCRIBE [TABLE] table``: a row per column, then the partition columns."""
    _, snapshot = context.snapshot(statement.table)
    return Rows("DESCRIBE", lambda: _columns(snapshot))


def _columns(snapshot: Snapshot) -> pa.Table:
    rows = {field.name: _described(field) for field in snapshot.schema}
    listed = list(rows.values())
    if snapshot.partition_columns:
        listed.append({"col_name": "# Partition Information", "data_type": "", "comment": ""})
        listed.append({"col_name": "# col_name", "data_type": "data_type", "comment": "comment"})
        listed += [rows[name] for name in snapshot.partition_columns]
    return pa.Table.from_pylist(listed, schema=_COLUMNS)


def _described(field: pa.Field) -> dict[str, str | None]:
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    type = metadata.get(CHAR_TYPE.decode(), spark_name(field.type))
    return {"col_name": field.name, "data_type": type, "comment": metadata.get("comment")}
