"""Statements to effects: one file per statement, named as delta-rs names the operation.

``PLANNERS`` says which function binds which statement.
"""

from __future__ import annotations

from deltasql.operations import (
    alter,
    analyze,
    attach,
    checkpoint,
    clone,
    comment,
    convert,
    copy,
    create,
    delete,
    describe,
    detail,
    drop,
    explain,
    fsck,
    generate,
    history,
    insert,
    merge,
    optimize,
    partitions,
    query,
    reorg,
    restore,
    schema,
    set,
    show,
    show_table,
    update,
    use,
    vacuum,
    view,
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
    statements.CopyInto: copy.plan_into,
    statements.CopyTo: copy.plan_to,
    statements.CreateTable: create.plan,
    statements.CloneTable: clone.plan,
    statements.ConvertToDelta: convert.plan,
    statements.DropTable: drop.plan,
    statements.CreateSchema: schema.plan_create,
    statements.DropSchema: schema.plan_drop,
    statements.UseSchema: use.plan,
    statements.CreateView: view.plan_create,
    statements.DropView: view.plan_drop,
    statements.Attach: attach.plan_attach,
    statements.Detach: attach.plan_detach,
    statements.AlterTable: alter.plan,
    statements.CommentOn: comment.plan,
    statements.Vacuum: vacuum.plan,
    statements.Optimize: optimize.plan,
    statements.Reorg: reorg.plan,
    statements.Analyze: analyze.plan,
    statements.Restore: restore.plan,
    statements.Fsck: fsck.plan,
    statements.Generate: generate.plan,
    statements.Checkpoint: checkpoint.plan,
    statements.DescribeHistory: history.plan,
    statements.DescribeDetail: detail.plan,
    statements.DescribeTable: describe.plan_table,
    statements.DescribeSchema: describe.plan_schema,
    statements.ShowTables: show.plan_tables,
    statements.ShowViews: show.plan_views,
    statements.ShowSchemas: show.plan_schemas,
    statements.ShowCatalogs: show.plan_catalogs,
    statements.ShowFunctions: show.plan_functions,
    statements.ShowColumns: show_table.plan_columns,
    statements.ShowPartitions: partitions.plan,
    statements.ShowProperties: show_table.plan_properties,
    statements.ShowCreateTable: show_table.plan_create,
    statements.SetOption: set.plan_set,
    statements.ShowOption: set.plan_show,
    statements.ResetOption: set.plan_reset,
}
