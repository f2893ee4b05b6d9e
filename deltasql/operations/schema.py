"""CREATE SCHEMA, DROP SCHEMA: a schema is a folder below its root, and what is registered of it."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.catalog import DEFAULT, PATH_SCHEMA
from deltasql.catalog.root import Root
from deltasql.errors import AlreadyExists, NotSupportedError, PlanError, SchemaNotFound
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements

_RESERVED = {PATH_SCHEMA: "it stands before paths", "information_schema": "it describes the catalog"}


@dataclass(frozen=True, slots=True)
class CreateSchema:
    """A schema that is ready to be made."""

    root: Root
    name: str
    comment: str | None

    def explain(self) -> Plan:
        """Name and place."""
        return [("target", f"schema {self.name} at {self.root.place(self.name)}"), ("operation", "make the folder")]

    def execute(self) -> Result:
        """Make it."""
        self.root.create_schema(self.name, self.comment)
        return nothing("CREATE SCHEMA")


@dataclass(frozen=True, slots=True)
class DropSchema:
    """A schema that is ready to be dropped, with the tables and views ``contents``."""

    context: StatementContext
    root: Root
    name: str
    contents: tuple[str, ...]

    def explain(self) -> Plan:
        """Say what goes."""
        with_it = f", with {_some(self.contents)}" if self.contents else ""
        return [
            ("target", f"schema {self.name} at {self.root.place(self.name)}"),
            ("operation", f"remove the folder{with_it}"),
        ]

    def execute(self) -> Result:
        """Drop it."""
        catalog = self.context.session.catalog
        managed = [entry for entry in self.root.tables(self.name) if entry.managed]
        self.root.drop_schema(self.name)
        for entry in managed:
            catalog.forget(entry)
        return nothing("DROP SCHEMA")


def plan_create(statement: statements.CreateSchema, context: StatementContext) -> CreateSchema | Nothing:
    """``CREATE SCHEMA [IF NOT EXISTS] [catalog.]schema [COMMENT 'text']``."""
    catalog = context.session.catalog
    root = catalog.of(statement.name[0] if len(statement.name) > 1 else catalog.home.catalog)
    catalog.require_writable(catalog=root.name)
    name = statement.name[-1]
    if (why := _RESERVED.get(name.lower())) is not None:
        raise PlanError(f"a schema can't be called `{name}`: {why}", span=statement.span)
    if taken := root.schemas_like(name):
        if statement.if_not_exists:
            return Nothing("CREATE SCHEMA", f"schema `{taken[0]}` exists already")
        raise AlreadyExists(f"schema `{taken[0]}` exists already", span=statement.span)
    try:
        root.new_folder(name)
    except PlanError as error:
        error.span = statement.span
        raise
    return CreateSchema(root, name, statement.comment)


def plan_drop(statement: statements.DropSchema, context: StatementContext) -> DropSchema | Nothing:
    """``DROP SCHEMA [IF EXISTS] [catalog.]schema [RESTRICT | CASCADE]``: with CASCADE, its tables and views go too."""
    catalog = context.session.catalog
    try:
        in_catalog, name = catalog.schema_of(statement.name)
    except SchemaNotFound as error:
        if statement.if_exists:
            return Nothing("DROP SCHEMA", error.message)
        error.span = statement.span
        raise
    catalog.require_writable(catalog=in_catalog)
    if name == DEFAULT:
        raise NotSupportedError(f"the schema `{DEFAULT}` can't be dropped: it is the root", span=statement.span)
    root = catalog.of(in_catalog)
    contents = tuple(root.contents(name))
    if contents and not statement.cascade:
        message = f"schema `{name}` isn't empty: it holds {_some(contents)}"
        raise PlanError(message, hint="CASCADE drops them too", span=statement.span)
    return DropSchema(context, root, name, contents)


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
