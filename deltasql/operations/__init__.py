"""Statements to effects: one file per statement, named as delta-rs names the operation.

``PLANNERS`` says which function binds which statement.
"""

from __future__ import annotations

from deltasql.operations import (
    create,
    delete,
    describe,
    drop,
    explain,
    insert,
    merge,
    query,
    set,
    show,
    update,
    vacuum,
)
from deltasql.operations.operation import Operation, Planner
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.statements import Statement


def plan(statement: Statement, context: StatementContext) -> Operation:
    """Bind ``statement``: all its names are resolved, and nothing has happened yet."""
    return PLANNERS[type(statement)](statement, context)


PLANNERS: dict[type[Statement], Planner] = {
    statements.Query: query.plan,
    statements.Explain: explain.planner(plan),
    statements.Insert: insert.plan,
    statements.Update: update.plan,
    statements.Delete: delete.plan,
    statements.Truncate: delete.plan_truncate,
    statements.Merge: merge.plan,
    statements.CreateTable: create.plan,
    statements.DropTable: drop.plan,
    statements.Vacuum: vacuum.plan,
    statements.DescribeHistory: describe.plan_history,
    statements.DescribeTable: describe.plan_table,
    statements.ShowTables: show.plan_tables,
    statements.ShowSchemas: show.plan_schemas,
    statements.SetOption: set.plan_set,
    statements.ShowOption: set.plan_show,
    statements.ResetOption: set.plan_reset,
}
