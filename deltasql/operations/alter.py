"""ALTER TABLE: a commit of metadata and protocol alone; and RENAME TO, which moves a table instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from deltasql.catalog import fields
from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.metadata import Metadata
from deltasql.errors import AlreadyExists, ConstraintViolation, Error, NotSupportedError, Span, StorageError
from deltasql.names import TableReference
from deltasql.operations.operation import Plan, nothing, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import ObjectPath
from deltasql.write.altering import Change, committed
from deltasql.write.clustering import clustered
from deltasql.write.configuring import properties_set, properties_unset
from deltasql.write.constraining import (
    constraint_added,
    constraint_dropped,
    require_default,
    require_held,
    require_no_null,
)
from deltasql.write.reshaping import column_altered, column_renamed, columns_added, columns_dropped
from deltasql.write.target import Target, target


@dataclass(frozen=True, slots=True)
class Alter:
    """A change that is ready to be committed, or None if nothing is to be done.

    ``rows`` looks at the table's; ``place`` is that of what they must fulfil.
    """

    target: Target
    change: Change | None
    rows: Callable[[], None] | None = None
    place: Span | None = None

    def explain(self) -> Plan:
        """Target, and the commit's operation."""
        if self.change is None:
            return writing(self.target, "nothing: there is no such constraint")
        looked = "" if self.rows is None else ", once every row was looked at"
        return writing(self.target, f"commit: {self.change.operation}{looked}")

    def execute(self) -> Result:
        """Look at the rows, and commit."""
        try:
            if self.rows is not None:
                self.rows()
        except ConstraintViolation as error:
            error.span = error.span or self.place
            raise
        version = None if self.change is None else committed(self.change, self.target)
        return nothing("ALTER TABLE", version=version)


def plan(statement: statements.AlterTable, context: StatementContext) -> Alter | Rename:
    """Bind the names, and work out what the table becomes."""
    if isinstance(statement.action, statements.RenameTo):
        return _rename(statement.table, statement.action, context)
    into = target(statement.table, context, removes_data=False)
    try:
        return _planned(statement.action, into)
    except Error as error:
        if error.span is None:
            error.span = getattr(statement.action, "span", None)
        raise


def _planned(action: statements.Alteration, into: Target) -> Alter:
    match action:
        case statements.AddColumns():
            return Alter(into, columns_added(action, into))
        case statements.RenameColumn():
            return Alter(into, column_renamed(action, into))
        case statements.DropColumns():
            return Alter(into, columns_dropped(action, into))
        case statements.AlterColumn():
            return _column(action, into)
        case statements.AddConstraint():
            change, demand = constraint_added(action, into)
            return Alter(into, change, lambda: require_held(demand, into), action.check.span)
        case statements.DropConstraint():
            return Alter(into, constraint_dropped(action, into))
        case statements.SetProperties():
            return Alter(into, properties_set(action.properties, into))
        case statements.UnsetProperties():
            return Alter(into, properties_unset(action.keys, into, if_exists=action.if_exists))
        case statements.ClusterBy():
            return Alter(into, clustered(action.columns, into))
        case statements.RenameTo():
            raise AssertionError(action)


def _column(action: statements.AlterColumn, into: Target) -> Alter:
    change = column_altered(action, into)
    path = fields.stored_path(Metadata.of(into.snapshot).schema, action.path)
    if isinstance(action.change, statements.SetDefault):
        require_default(action.change.value, path[0], into)
    if isinstance(action.change, statements.SetNotNull):
        return Alter(into, change, lambda: require_no_null(into, path), action.span)
    return Alter(into, change)


# -- RENAME TO


@dataclass(frozen=True, slots=True)
class Rename:
    """A table that is to have another name: its folder moves if it is managed, else its registration does."""

    context: StatementContext
    entry: TableEntry
    new: TableEntry

    def explain(self) -> Plan:
        """Old and new name, and what moves."""
        does = f"move its folder to {self.new.location}" if self.entry.managed else "register the new name"
        return [("target", f"{self.entry} at {self.entry.location}"), ("operation", f"rename to {self.new}: {does}")]

    def execute(self) -> Result:
        """Rename the table, in one step."""
        catalog = self.context.session.catalog
        if self.entry.managed:
            self._move()
            catalog.forget(self.entry)
        else:
            catalog.register(self.new)
            catalog.unregister(self.entry)
        return nothing("ALTER TABLE")

    def _move(self) -> None:
        old, new = self.entry.location, self.new.location
        if isinstance(old, ObjectPath) or isinstance(new, ObjectPath):
            raise NotSupportedError("a folder of an object store can't be moved")
        if new.exists() and not new.samefile(old):
            raise AlreadyExists(f"there is something at `{new}` already")
        try:
            new.parent.mkdir(exist_ok=True)
            old.rename(new)
        except OSError as error:
            raise StorageError(f"`{self.entry}` can't be renamed: {error.strerror}") from error


def _rename(table: TableReference, action: statements.RenameTo, context: StatementContext) -> Rename:
    """A new name without a schema stays in the table's own, as in Spark."""
    catalog, wanted = context.session.catalog, action.table
    for reference in (table, wanted):
        if reference.path is not None:
            raise NotSupportedError("a table named by its path has no name to change", span=reference.span)
    entry = context.entry(table)
    catalog.require_writable(entry)
    if entry.location == catalog.of(entry.catalog).folder:
        raise NotSupportedError(f"`{entry}` can't be renamed: its folder is the root", span=table.span)
    if len(wanted.parts) == 1:
        parts = (entry.catalog, entry.schema, wanted.name)
        wanted = dataclasses.replace(wanted, parts=parts, exact=(True, True, *wanted.exact))
    if entry.managed and isinstance(entry.location, ObjectPath):
        message = f"`{entry}` can't be renamed: a folder of an object store can't be moved in one step"
        raise NotSupportedError(message, hint="use CREATE TABLE … DEEP CLONE, then DROP TABLE", span=table.span)
    new = catalog.new_entry(wanted, None if entry.managed else str(entry.location))
    if new.catalog != entry.catalog:
        raise NotSupportedError(f"`{entry}` can't be renamed into another catalog, `{new.catalog}`", span=wanted.span)
    if not entry.managed:
        new = dataclasses.replace(new, location=entry.location)
    return Rename(context, entry, new)
