"""DESCRIBE: a table's columns, and its history."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from deltasql.catalog.snapshot import Commit, Snapshot, commit_info, commits
from deltasql.errors import PlanError
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.types import spark_name
from deltasql.write.source import CHAR_TYPE

_STRINGS = pa.map_(pa.string(), pa.string())
_JOB = pa.struct([(name, pa.string()) for name in ("jobId", "jobName", "runId", "jobOwnerId", "triggerType")])
HISTORY = pa.schema(
    [
        ("version", pa.int64()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("userId", pa.string()),
        ("userName", pa.string()),
        ("operation", pa.string()),
        ("operationParameters", _STRINGS),
        ("job", _JOB),
        ("notebook", pa.struct([("notebookId", pa.string())])),
        ("clusterId", pa.string()),
        ("readVersion", pa.int64()),
        ("isolationLevel", pa.string()),
        ("isBlindAppend", pa.bool_()),
        ("operationMetrics", _STRINGS),
        ("userMetadata", pa.string()),
        ("engineInfo", pa.string()),
    ]
)
"""The columns of DESCRIBE HISTORY (Delta Lake documentation, "Retrieve Delta table history")."""


def plan_history(statement: statements.DescribeHistory, context: StatementContext) -> Rows:
    """``DESCRIBE HISTORY table [LIMIT number]``: a row per commit in the log, the newest first."""
    _, snapshot = context.snapshot(statement.table)
    limit = None
    if statement.limit is not None:
        limit = context.evaluate(statement.limit.sql)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise PlanError(f"LIMIT takes a whole number, not `{limit}`", span=statement.limit.span)
    return Rows("DESCRIBE HISTORY", lambda: _history(snapshot, limit))


def _history(snapshot: Snapshot, limit: int | None) -> pa.Table:
    known = [commit for commit in commits(snapshot.location, snapshot.properties) if commit.version <= snapshot.version]
    newest = known[::-1][:limit]
    return pa.Table.from_pylist([_row(snapshot, commit) for commit in newest], schema=HISTORY)


def _row(snapshot: Snapshot, commit: Commit) -> dict[str, Any]:
    info = commit_info(snapshot.location, commit.version)
    row = {name: info.get(name) for name in HISTORY.names}
    row |= {"version": commit.version, "timestamp": commit.time}
    row |= {name: _strings(info.get(name)) for name in ("operationParameters", "operationMetrics")}
    return row


def _strings(values: dict[str, Any] | None) -> list[tuple[str, str | None]] | None:
    if values is None:
        return None
    return [(key, _string(value)) for key, value in values.items()]


def _string(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


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
