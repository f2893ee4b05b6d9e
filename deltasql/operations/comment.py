"""COMMENT ON: what to know of a table or column, kept in its metadata, of a schema or view in the catalog."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.catalog import Catalog
from deltasql.catalog.views import View, with_comment
from deltasql.errors import Error, PlanError
from deltasql.operations.operation import Plan, nothing, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.altering import Change, committed
from deltasql.write.configuring import described
from deltasql.write.reshaping import commented
from deltasql.write.target import Target, target


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a table or column that is ready to be committed."""

    target: Target
    change: Change

    def explain(self) -> Plan:
        """Target, and the commit's operation."""
        return writing(self.target, f"commit: {self.change.operation}")

    def execute(self) -> Result:
        """Commit it."""
        return nothing("COMMENT ON", version=committed(self.change, self.target))


@dataclass(frozen=True, slots=True)
class CommentOnSchema:
    """A comment of a schema, by catalog and name in stored spelling."""

    context: StatementContext
    catalog: str
    schema: str
    comment: str | None

    def explain(self) -> Plan:
        """Name the schema."""
        return [("target", f"{self.catalog}.{self.schema}"), ("operation", "comment on schema")]

    def execute(self) -> Result:
        """Register the comment."""
        self.context.session.catalog.of(self.catalog).set_comment(self.schema, self.comment)
        return nothing("COMMENT ON")


@dataclass(frozen=True, slots=True)
class CommentOnView:
    """A comment of a view, or of a column of it."""

    catalog: Catalog
    view: View
    column: str | None
    comment: str | None

    def explain(self) -> Plan:
        """Name the view."""
        what = "view" if self.column is None else f"column {self.column}"
        return [("target", f"view {self.view}"), ("operation", f"comment on {what}")]

    def execute(self) -> Result:
        """Keep the comment with the view's text."""
        self.catalog.comment_on_view(self.view, self.column, self.comment)
        return nothing("COMMENT ON")


def plan(statement: statements.CommentOn, context: StatementContext) -> Comment | CommentOnSchema | CommentOnView:
    """Find what is commented on."""
    try:
        if statement.table is None:
            catalog, schema = context.session.catalog.schema_of(statement.schema)
            context.session.catalog.require_writable(catalog=catalog)
            return CommentOnSchema(context, catalog, schema, statement.comment)
        found = context.named(statement.table)
        if isinstance(found, View):
            return _on_view(statement, found, context.session.catalog)
        if statement.kind == "view":
            raise PlanError(f"`{found}` is a table", hint=f"use COMMENT ON TABLE {found}")
        into = target(statement.table, context, removes_data=False)
        if statement.column is None:
            return Comment(into, described(into, statement.comment))
        return Comment(into, commented(into, (statement.column,), statement.comment))
    except Error as error:
        error.span = error.span or statement.span
        raise


def _on_view(statement: statements.CommentOn, view: View, catalog: Catalog) -> CommentOnView:
    if not view.temporary:
        catalog.require_writable(catalog=view.catalog)
    with_comment(view, statement.column, statement.comment)  # Raises if there is no such column.
    return CommentOnView(catalog, view, statement.column, statement.comment)
