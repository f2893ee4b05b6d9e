"""CREATE VIEW, DROP VIEW: a view is a query's text under a name, and the columns that it had when it was made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deltasql.catalog.catalog import MAIN, TEMPORARY, Catalog
from deltasql.catalog.views import View, ViewColumn
from deltasql.errors import AlreadyExists, NotSupportedError, PlanError, SchemaNotFound, TableNotFound
from deltasql.names import TableReference, match
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.parameters import placeholders
from deltasql.types import sql_name
from deltasql.write.source import require_distinct


@dataclass(frozen=True, slots=True)
class CreateView:
    """A view that is ready to be kept."""

    catalog: Catalog
    view: View
    replace: bool

    def explain(self) -> Plan:
        """Name, columns and text."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.view.columns)
        kept = "keep the text as long as the connection" if self.view.temporary else "keep the text"
        return [("target", f"view {self.view} ({columns})"), ("operation", kept), ("query", self.view.query)]

    def execute(self) -> Result:
        """Keep it."""
        self.catalog.create_view(self.view, replace=self.replace)
        return nothing("CREATE VIEW")


@dataclass(frozen=True, slots=True)
class DropView:
    """A view to drop."""

    catalog: Catalog
    view: View

    def explain(self) -> Plan:
        """Name it."""
        return [("target", f"view {self.view}"), ("operation", "forget its text; the tables under it stay")]

    def execute(self) -> Result:
        """Forget it."""
        self.catalog.drop_view(self.view)
        return nothing("DROP VIEW")


def plan_create(statement: statements.CreateView, context: StatementContext) -> CreateView | Nothing:
    """``CREATE [OR REPLACE] [TEMPORARY] VIEW [IF NOT EXISTS] view [(columns)] [COMMENT 'text'] AS query``."""
    catalog = context.session.catalog
    try:
        parts = _place(statement, catalog)
    except AlreadyExists:
        if statement.if_not_exists:
            return Nothing("CREATE VIEW", f"`{statement.view}` exists already")
        raise
    if placeholders(statement.query.sql):
        message = "a view keeps its text, so its query can't have parameters"
        raise NotSupportedError(message, hint="write the values", span=statement.query.span)
    home = replace(catalog.home, temporaries=parts[1] == TEMPORARY)
    inside = replace(context, home=home, inside=(parts,))
    schema = inside.query(statement.query).schema
    given = inside.columns(statement.query)
    names = [name for name, _ in statement.columns] or schema.names
    if len(names) != len(given):
        message = f"the view names {len(names)} columns, its query gives {len(given)}"
        raise PlanError(message, span=statement.view.span)
    require_distinct(schema.names, "the query")
    require_distinct(names, "CREATE VIEW")
    comments = [comment for _, comment in statement.columns] or [None] * len(names)
    columns = tuple(
        ViewColumn(name, field.name, sql_name(field.type), comment)
        for name, field, comment in zip(names, given, comments, strict=True)
    )
    view = View(*parts, statement.query.sql, home, columns, statement.comment)
    return CreateView(catalog, view, statement.replace)


def _place(statement: statements.CreateView, catalog: Catalog) -> tuple[str, str, str]:
    """Catalog, schema and name of the view to be made. Raises `AlreadyExists`, and what `Catalog.new_place` does."""
    reference = statement.view
    if reference.path is not None:
        raise PlanError("a view has a name, not a path", span=reference.span)
    if statement.temporary:
        if len(reference.parts) > 1:
            raise PlanError(
                f"a temporary view is in no schema, so it can't be called `{reference}`", span=reference.span
            )
        taken = match(reference.name, catalog.temporaries, what="view")
        if taken is not None and not statement.replace:
            raise AlreadyExists(f"temporary view `{taken}` exists already", span=reference.span)
        return MAIN, TEMPORARY, taken or reference.name
    if statement.replace and (old := _kept(reference, catalog)) is not None:
        catalog.require_writable(catalog=old.catalog)
        return old.parts
    root, schema, name = catalog.new_place(reference)
    return root.name, schema, name


def _kept(reference: TableReference, catalog: Catalog) -> View | None:
    """The view that CREATE OR REPLACE replaces, which is no temporary one."""
    try:
        found = catalog.named(reference, replace(catalog.home, temporaries=False))
    except (TableNotFound, SchemaNotFound):
        return None
    if not isinstance(found, View):
        raise AlreadyExists(f"`{found}` is a table", hint=f"DROP TABLE {found}", span=reference.span)
    return found


def plan_drop(statement: statements.DropView, context: StatementContext) -> DropView | Nothing:
    """``DROP VIEW [IF EXISTS] view``; a temporary view is found first."""
    catalog = context.session.catalog
    try:
        found = context.named(statement.view)
    except (TableNotFound, SchemaNotFound) as error:
        if statement.if_exists:
            return Nothing("DROP VIEW", error.message)
        error.message = error.message.replace("there is no table", "there is no view", 1)
        raise
    if not isinstance(found, View):
        raise PlanError(f"`{found}` is a table", hint=f"DROP TABLE {found}", span=statement.view.span)
    if not found.temporary:
        catalog.require_writable(catalog=found.catalog)
    return DropView(catalog, found)
