"""Statements to effects: one file per statement, named as delta-rs names the operation.

``PLANNERS`` says which function binds which statement, ``READING`` which of them a read-only connection takes.
"""

from __future__ import annotations

from deltasql.errors import OperationalError
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
    secret,
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
    """Bind ``statement``: all its names are resolved, and nothing has happened yet.

    Raises `OperationalError` for a write on a read-only connection: this is the gate for every statement.
    """
    try:
        if not _reads(statement, context):
            context.session.catalog.require_writable()
        return PLANNERS[type(statement)](statement, context)
    except OperationalError as error:
        if type(error) is OperationalError and error.span is None:  # What is read-only, and no fault of a file.
            error.span = getattr(getattr(statement, "table", statement), "span", None)
        raise


def _reads(statement: Statement, context: StatementContext) -> bool:
    """True for what changes no table and no catalog; temporary views are the connection's own."""
    if isinstance(statement, statements.CreateView):
        return statement.temporary
    if isinstance(statement, statements.Vacuum | statements.Fsck):
        return statement.dry_run
    if isinstance(statement, statements.DropView):
        return context.session.catalog.is_temporary(statement.view)
    return type(statement) in READING


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
    statements.CreateSecret: secret.plan_create,
    statements.DropSecret: secret.plan_drop,
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
    statements.ShowSecrets: show.plan_secrets,
    statements.ShowFunctions: show.plan_functions,
    statements.ShowColumns: show_table.plan_columns,
    statements.ShowPartitions: partitions.plan,
    statements.ShowProperties: show_table.plan_properties,
    statements.ShowCreateTable: show_table.plan_create,
    statements.SetOption: set.plan_set,
    statements.ShowOption: set.plan_show,
    statements.ResetOption: set.plan_reset,
}

READING: frozenset[type[Statement]] = frozenset({
    statements.Query,
    statements.Explain,  # Of another statement, which is asked in its turn.
    statements.CopyTo,  # Its file is in no table and in no catalog (`write.exporting`).
    statements.UseSchema,
    statements.Attach,
    statements.Detach,
    statements.CreateSecret,
    statements.DropSecret,
    statements.DescribeHistory,
    statements.DescribeDetail,
    statements.DescribeTable,
    statements.DescribeSchema,
    statements.ShowTables,
    statements.ShowViews,
    statements.ShowSchemas,
    statements.ShowCatalogs,
    statements.ShowSecrets,
    statements.ShowFunctions,
    statements.ShowColumns,
    statements.ShowPartitions,
    statements.ShowProperties,
    statements.ShowCreateTable,
    statements.SetOption,
    statements.ShowOption,
    statements.ResetOption,
})  # fmt: skip
"""The statements that write nothing. One that isn't among them is a write, so that a new one is refused at first."""
