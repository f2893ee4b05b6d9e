"""DROP TABLE: a managed table goes with its files, an external one is only forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.catalog import Catalog, TableEntry
from deltasql.catalog.snapshot import is_table
from deltasql.catalog.views import View
from deltasql.errors import NotSupportedError, PlanError, SchemaNotFound, TableNotFound
from deltasql.operations.operation import Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements


@dataclass(frozen=True, slots=True)
class Drop:
    """A table to drop, or None where IF EXISTS found none."""

    catalog: Catalog
    entry: TableEntry | None

    def explain(self) -> Plan:
        """Say what goes."""
        if self.entry is None:
            return [("operation", "nothing: there is no such table")]
        goes = "remove the files" if self.entry.managed else "forget the name, keep the files"
        return [("target", f"{self.entry} at {self.entry.location}"), ("operation", goes)]

    def execute(self) -> Result:
        """Drop the table."""
        if self.entry is not None and self.entry.managed:
            self.catalog.remove(self.entry)
        elif self.entry is not None:
            self.catalog.unregister(self.entry)
        return nothing("DROP TABLE")


def plan(statement: statements.DropTable, context: StatementContext) -> Drop:
    """Find the table."""
    catalog = context.session.catalog
    if statement.table.path is not None:
        message = "a table named by its path is in no catalog, so it can't be dropped"
        raise NotSupportedError(message, hint="remove its folder", span=statement.table.span)
    try:
        entry = context.named(statement.table)
    except (TableNotFound, SchemaNotFound):
        if statement.if_exists:
            return Drop(catalog, None)
        raise
    if isinstance(entry, View):
        raise PlanError(f"`{entry}` is a view", hint=f"DROP VIEW {entry}", span=statement.table.span)
    catalog.require_writable(entry)
    if entry.managed and entry.location == catalog.of(entry.catalog).folder:
        raise NotSupportedError("the root itself can't be dropped", span=statement.table.span)
    if entry.managed and not is_table(entry.location):
        raise TableNotFound(f"there is no table `{entry}`", span=statement.table.span)
    return Drop(catalog, entry)
