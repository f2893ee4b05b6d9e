"""DESCRIBE DETAIL: a table as a whole."""

from __future__ import annotations

from deltasql.catalog.detail import detail
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements


def plan(statement: statements.DescribeDetail, context: StatementContext) -> Rows:
    """``DESCRIBE DETAIL table``: one row."""
    _, snapshot = context.snapshot(statement.table)
    return Rows("DESCRIBE DETAIL", lambda: detail(snapshot))
