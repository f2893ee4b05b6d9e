"""DESCRIBE HISTORY: the commits of a table."""

from __future__ import annotations

from deltasql.catalog.inspection import history
from deltasql.errors import PlanError
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements


def plan(statement: statements.DescribeHistory, context: StatementContext) -> Rows:
    """``DESCRIBE HISTORY table [LIMIT number]``: a row per commit in the log, the newest first."""
    _, snapshot = context.snapshot(statement.table)
    limit = None
    if statement.limit is not None:
        limit = context.evaluate(statement.limit.sql)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise PlanError(f"LIMIT takes a whole number, not `{limit}`", span=statement.limit.span)
    return Rows("DESCRIBE HISTORY", lambda: history(snapshot, limit))
