"""DROP TABLE: a managed table goes with its files, an external one is only forgotten."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass

from deltasql.catalog.catalog import Catalog, TableEntry
from deltasql.catalog.snapshot import is_table
from deltasql.errors import NotSupportedError, SchemaNotFound, StorageError, TableNotFound
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
            _remove(self.entry)
            self.catalog.forget(self.entry)
        elif self.entry is not None:
            self.catalog.unregister(self.entry)
        return nothing("DROP TABLE")


def _remove(entry: TableEntry) -> None:
    """Move the folder out of sight in one step, then remove it: nobody sees half a table."""
    hidden = entry.location.with_name(f"_dropped-{uuid.uuid4().hex}")
    try:
        entry.location.rename(hidden)
        if hidden.is_symlink():
            hidden.unlink()
        else:
            shutil.rmtree(hidden)
    except OSError as error:
        raise StorageError(f"`{entry}` can't be dropped: {error.strerror}") from error


def plan(statement: statements.DropTable, context: StatementContext) -> Drop:
    """Find the table."""
    catalog = context.session.catalog
    catalog.require_writable()
    if statement.table.path is not None:
        message = "a table named by its path is in no catalog, so it can't be dropped"
        raise NotSupportedError(message, hint="remove its folder", span=statement.table.span)
    try:
        entry = context.entry(statement.table)
    except (TableNotFound, SchemaNotFound):
        if statement.if_exists:
            return Drop(catalog, None)
        raise
    if entry.managed and entry.location == catalog.root:
        raise NotSupportedError("the root itself can't be dropped", span=statement.table.span)
    if entry.managed and not is_table(entry.location):
        raise TableNotFound(f"there is no table `{entry}`", span=statement.table.span)
    return Drop(catalog, entry)
