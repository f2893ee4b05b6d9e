"""COMMENT ON: what people are to know of a table or a column, kept in its metadata; of a schema, in the catalog."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import Error
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


def plan(statement: statements.CommentOn, context: StatementContext) -> Comment | CommentOnSchema:
    """Find what is commented on."""
    try:
        if statement.table is None:
            catalog, schema = context.session.catalog.schema_of(statement.schema)
            context.session.catalog.require_writable(catalog=catalog)
            return CommentOnSchema(context, catalog, schema, statement.comment)
        into = target(statement.table, context, removes_data=False)
        if statement.column is None:
            return Comment(into, described(into, statement.comment))
        return Comment(into, commented(into, (statement.column,), statement.comment))
    except Error as error:
        error.span = error.span or statement.span
        raise
