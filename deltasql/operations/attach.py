"""ATTACH, DETACH: further roots as catalogs beside ``main``, as long as the connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deltasql.catalog.catalog import Catalog
from deltasql.errors import AlreadyExists, PlanError, SchemaNotFound, StorageError
from deltasql.names import fold, match
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import ObjectPath


@dataclass(frozen=True, slots=True)
class Attach:
    """A root to attach."""

    catalog: Catalog
    root: str
    name: str
    read_only: bool
    options: Mapping[str, str]

    def explain(self) -> Plan:
        """Name and place."""
        how = "read-only" if self.read_only else "for reading and writing"
        return [("target", f"{self.root} as {self.name}"), ("operation", f"attach {how}")]

    def execute(self) -> Result:
        """Attach it."""
        self.catalog.attach(self.name, self.root, self.options, read_only=self.read_only)
        return nothing("ATTACH")


@dataclass(frozen=True, slots=True)
class Detach:
    """A catalog to detach, in stored spelling."""

    catalog: Catalog
    name: str

    def explain(self) -> Plan:
        """Name it."""
        return [("operation", f"detach {self.name}, its files stay")]

    def execute(self) -> Result:
        """Detach it."""
        self.catalog.detach(self.name)
        return nothing("DETACH")


def plan_attach(statement: statements.Attach, context: StatementContext) -> Attach:
    """``ATTACH 'root' AS name [(READ_ONLY, option = value, …)]``; what isn't there is made by the first write."""
    catalog = context.session.catalog
    taken = match(statement.name, catalog.catalogs(), what="catalog")
    if taken is not None:
        hint = f"DETACH {taken} first, or take another name"
        raise AlreadyExists(f"catalog `{taken}` exists already", hint=hint, span=statement.span)
    folder = catalog.storage.place(statement.root)
    if fold(statement.name) == "information_schema":
        message = "a catalog can't be called `information_schema`: it describes the catalog that it is asked of"
        raise PlanError(message, hint="take another name", span=statement.span)
    if not statement.name:
        raise PlanError("a catalog needs a name", span=statement.span)
    if isinstance(folder, ObjectPath) or statement.options:
        options = dict(statement.options)
        catalog.storage.attach(statement.name, options, folder)
        return Attach(catalog, statement.root, statement.name, statement.read_only, options)
    if (statement.read_only or catalog.read_only) and not folder.is_dir():
        raise StorageError(f"the root `{folder}` does not exist", span=statement.span)
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"the root `{folder}` is not a folder", span=statement.span)
    return Attach(catalog, statement.root, statement.name, statement.read_only, {})


def plan_detach(statement: statements.Detach, context: StatementContext) -> Detach | Nothing:
    """``DETACH [IF EXISTS] name``."""
    catalog = context.session.catalog
    try:
        found = catalog.of(statement.name).name
        catalog.require_detachable(found)
    except SchemaNotFound as error:
        if statement.if_exists:
            return Nothing("DETACH", error.message)
        error.span = statement.span
        raise
    except PlanError as error:
        error.span = statement.span
        raise
    return Detach(catalog, found)
