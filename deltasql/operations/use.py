"""USE: the schema in which names of one part are looked for, per connection."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.catalog import DEFAULT, Catalog
from deltasql.errors import SchemaNotFound
from deltasql.names import match
from deltasql.operations.operation import Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements


@dataclass(frozen=True, slots=True)
class Use:
    """A schema to make current, in stored spelling."""

    catalog: Catalog
    name: str
    schema: str

    def explain(self) -> Plan:
        """Name it."""
        return [("operation", f"make `{self.name}.{self.schema}` current")]

    def execute(self) -> Result:
        """Make it current."""
        self.catalog.use(self.name, self.schema)
        return nothing("USE")


def plan(statement: statements.UseSchema, context: StatementContext) -> Use:
    """``USE [SCHEMA] [catalog.]schema``, ``USE CATALOG catalog``; a catalog's own schema is ``default``."""
    catalog = context.session.catalog
    try:
        if statement.catalog:
            return Use(catalog, catalog.of(statement.name[0]).name, DEFAULT)
        return Use(catalog, *catalog.schema_of(statement.name))
    except SchemaNotFound as error:
        # As other engines do: a catalog's name alone is enough where no schema has it.
        found = match(statement.name[0], catalog.catalogs(), what="catalog") if len(statement.name) == 1 else None
        if found is not None:
            return Use(catalog, found, DEFAULT)
        error.span = statement.span
        raise
