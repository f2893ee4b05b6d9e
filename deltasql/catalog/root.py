"""One warehouse root as a catalog: its schemas, tables and views by name. No table is opened.

A folder below the root is a schema, unless it holds a Delta table; what is registered stands beside what lies there.
A name is looked up by itself, without a listing of all tables, so that a lake of thousands is no slower than one
of three.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from deltasql.catalog import discovery
from deltasql.catalog.places import DEFAULT, TableEntry, is_safe
from deltasql.catalog.snapshot import is_table, is_unfinished
from deltasql.catalog.store import FRESH, Registrations, Store
from deltasql.catalog.views import View, kept, view_of, with_comment
from deltasql.errors import (
    AlreadyExists,
    ConfigError,
    NotSupportedError,
    PlanError,
    StorageError,
    TableNotFound,
)
from deltasql.names import fold
from deltasql.storage.files import is_below, remove_below
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.storage import Storage

_DROPPED = "_dropped-"
_SETTLED_NS = 1_000_000_000
_MOST_SEEN = 10_000
_T = TypeVar("_T")


class Root:
    """A root under the name that a connection has for it."""

    def __init__(self, name: str, folder: Location, storage: Storage, *, read_only: bool = False) -> None:
        try:
            # Of a store nothing is asked before a statement does.
            if not isinstance(folder, ObjectPath) and folder.exists() and not folder.is_dir():
                raise ConfigError(f"the root `{folder}` is not a folder")
        except (OSError, ValueError) as error:
            raise StorageError(f"the root {str(folder)!r} can't be looked at: {error}") from error
        self.name = name
        self.folder = folder
        self.read_only = read_only
        self.store = Store(folder)
        self._storage = storage
        self._listed: dict[Location, tuple[int, Mapping[str, tuple[str, ...]]]] = {}
        self._seen = Seen()

    # -- what there is

    def schemas(self) -> list[str]:
        """The names of all schemas: ``default``, the folders below the root, and those of registrations."""
        found = {DEFAULT, *self.store.read().all_schemas()}
        if self.folder.exists() and not self._is_table(self.folder):
            found.update(discovery.listing(self.folder).folders)
        return sorted(found)

    def has_schema(self, name: str) -> bool:
        """Tell whether there is a schema of just that name."""
        if name == DEFAULT or name in self.store.read().all_schemas():
            return True
        if not is_safe(name) or self._is_table(self.folder):
            return False
        return self._seen.kept(("schema", name), lambda: _is_schema(self.folder / name), of=self.folder)

    def schemas_like(self, name: str) -> list[str]:
        """The schemas of that name but for case; where one has just that name, it comes first."""
        if self.has_schema(name):
            return [name]
        found = {schema for schema in (DEFAULT, *self.store.read().all_schemas()) if fold(schema) == fold(name)}
        found.update(folder for folder in self._folders_like(self.folder, name) if self.has_schema(folder))
        return sorted(found)

    def tables(self, schema: str) -> list[TableEntry]:
        """The tables of a schema (in its stored spelling), by name."""
        found = {}
        if schema == DEFAULT and self._is_table(self.folder):
            found[self.folder.name] = self._managed(schema, self.folder.name, self.folder)
        elif (folder := self.place(schema)).exists():
            found = {name: self._managed(schema, name, folder / name) for name in discovery.listing(folder).tables}
        for name, location in self.store.read().tables.get(schema, {}).items():
            found[name] = self._registered(schema, name, location)
        return [found[name] for name in sorted(found)]

    def views(self, schema: str) -> list[View]:
        """The views of a schema (in its stored spelling), by name."""
        views = self.store.read().views.get(schema, {})
        return [view_of(views[name], self.name, schema, name) for name in sorted(views)]

    def comment(self, schema: str) -> str | None:
        """What COMMENT ON SCHEMA or CREATE SCHEMA said of a schema."""
        return self.store.read().schemas.get(schema)

    def like(self, schema: str, name: str) -> dict[str, TableEntry | View]:
        """The tables and views of a schema whose names are ``name`` but for case, by name."""
        registered = self.store.read()
        found: dict[str, TableEntry | View] = {}
        if schema == DEFAULT and self._is_table(self.folder):
            if fold(self.folder.name) == fold(name):
                found[self.folder.name] = self._managed(schema, self.folder.name, self.folder)
        else:
            parent = self.place(schema)
            folders = self._folders_like(parent, name)
            found = {f: self._managed(schema, f, parent / f) for f in folders if self._is_table(parent / f)}
        for other, location in registered.tables.get(schema, {}).items():
            if fold(other) == fold(name):
                found[other] = self._registered(schema, other, location)
        for other, view in registered.views.get(schema, {}).items():
            if fold(other) == fold(name):
                found[other] = view_of(view, self.name, schema, other)
        return found

    def place(self, schema: str) -> Location:
        """The folder of a schema."""
        return self.folder if schema == DEFAULT else self.folder / schema

    def _managed(self, schema: str, name: str, location: Location) -> TableEntry:
        return TableEntry(schema, name, location, managed=True, catalog=self.name)

    def _registered(self, schema: str, name: str, location: str) -> TableEntry:
        return TableEntry(schema, name, self._storage.kept(location), managed=False, catalog=self.name)

    def forget(self) -> None:
        """Let names that were found in a store be looked for anew."""
        self._seen.forget()
        self.store.forget()

    def _is_table(self, folder: Location) -> bool:
        if not isinstance(folder, ObjectPath):
            return is_table(folder)
        # That the root isn't one is asked with each statement.
        return self._seen.kept(("table", folder), lambda: is_table(folder), of=folder, no=folder == self.folder)

    def _objects_like(self, parent: ObjectPath, name: str) -> tuple[str, ...]:
        """As `_folders_like`; listed anew after a while, and for a name that wasn't there."""

        def look() -> dict[str, tuple[str, ...]]:
            found: dict[str, tuple[str, ...]] = {}
            for other in discovery.names(parent):
                found[fold(other)] = (*found.get(fold(other), ()), other)
            return found

        known = self._seen.kept(("names", parent), look, of=parent)
        if fold(name) not in known:
            self._seen.drop(("names", parent))
            known = self._seen.kept(("names", parent), look, of=parent)
        return known.get(fold(name), ())

    def _folders_like(self, parent: Location, name: str) -> tuple[str, ...]:
        """The entries of ``parent`` of that name but for case; listed anew when the folder changes."""
        if not is_safe(name):
            return ()
        if isinstance(parent, ObjectPath):
            return self._objects_like(parent, name)
        try:
            changed = parent.stat().st_mtime_ns
            held = self._listed.get(parent)
            if held is None or held[0] != changed:
                by_fold: dict[str, tuple[str, ...]] = {}
                for other in discovery.names(parent):
                    by_fold[fold(other)] = (*by_fold.get(fold(other), ()), other)
                held = changed, by_fold
                # Stamps are coarse: what happens just after a listing may not show in one.
                if time.time_ns() - changed > _SETTLED_NS:
                    self._listed[parent] = held
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise StorageError(f"the folder `{parent}` can't be listed: {error.strerror}") from error
        return held[1].get(fold(name), ())

    # -- changes

    def new_folder(self, schema: str, name: str | None = None) -> Location:
        """The folder of a managed table (or schema) that is to be made.

        Raises `PlanError` for a name that can't be a folder's, or leads out of the root by a link.
        """
        what = "schema" if name is None else "managed table"
        for part in (schema, name):
            if part is not None and not is_safe(part):
                hint = None if name is None else "give it a LOCATION"
                raise PlanError(f"a {what} can't be called `{part}`", hint=hint)
        folder = self.place(schema) if name is None else self.place(schema) / name
        if not is_below(folder.resolve(), self.folder.resolve()):
            raise PlanError(f"`{folder}` leads out of the root by a link", hint="give the table a LOCATION")
        return folder

    def register(self, entry: TableEntry) -> None:
        """Keep the name of an external table. Raises `AlreadyExists` where another took it meanwhile."""

        def add(found: Registrations) -> None:
            tables = found.tables.setdefault(entry.schema, {})
            location = str(entry.location)
            if tables.get(entry.name, location) != location or entry.name in found.views.get(entry.schema, {}):
                raise AlreadyExists(f"`{entry}` exists already")
            tables[entry.name] = location

        self.store.change(add)

    def unregister(self, entry: TableEntry) -> None:
        """Forget the name of an external table; its files stay."""

        def remove(found: Registrations) -> None:
            found.tables.get(entry.schema, {}).pop(entry.name, None)

        self.store.change(remove)

    def remove(self, entry: TableEntry) -> None:
        """Remove a managed table: out of sight in one step, then its files. Links are removed, never followed.

        Raises `TableNotFound` where another removed it first.
        """
        if isinstance(entry.location, ObjectPath):
            _remove_objects(entry.location, str(entry))
        else:
            _remove(entry.location, str(entry))

    def create_view(self, view: View, *, replace: bool) -> None:
        """Keep a view. Raises `AlreadyExists` where another took the name meanwhile."""

        def add(found: Registrations) -> None:
            views = found.views.setdefault(view.schema, {})
            taken = view.name in views and not replace
            if taken or view.name in found.tables.get(view.schema, {}) or self._is_managed(view.schema, view.name):
                raise AlreadyExists(f"`{view}` exists already")
            views[view.name] = kept(view)

        self.store.change(add)

    def _is_managed(self, schema: str, name: str) -> bool:
        return is_safe(name) and is_table(self.place(schema) / name)

    def drop_view(self, view: View) -> None:
        """Forget a view. Raises `TableNotFound` where another dropped it first."""

        def remove(found: Registrations) -> None:
            if found.views.get(view.schema, {}).pop(view.name, None) is None:
                raise TableNotFound(f"there is no view `{view}`")

        self.store.change(remove)

    def comment_on_view(self, view: View, column: str | None, comment: str | None) -> None:
        """Say what a view or a column of it is for. Raises `TableNotFound` and `ColumnNotFound` if gone."""

        def change(found: Registrations) -> None:
            value = found.views.get(view.schema, {}).get(view.name)
            if value is None:
                raise TableNotFound(f"there is no view `{view}`")
            now = kept(with_comment(view_of(value, *view.parts), column, comment))
            value.pop("comment", None)
            value.update((key, now[key]) for key in ("columns", "comment") if key in now)

        self.store.change(change)

    def create_schema(self, name: str, comment: str | None) -> None:
        """Make a schema: its folder, and the registration that keeps an empty one and its comment.

        Raises `PlanError` for a name that can't be a folder's.
        """
        folder = self.new_folder(name)
        existed = folder.exists()
        if is_table(self.folder):
            raise NotSupportedError(f"the root `{self.folder}` is itself a table, so it can't hold a schema")

        def add(found: Registrations) -> None:
            if not existed and name in found.schemas:
                raise AlreadyExists(f"schema `{name}` exists already")
            found.schemas[name] = comment

        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"schema `{name}` can't be made: {error.strerror}") from error
        try:
            self.store.change(add)
        except BaseException:
            if not existed:
                with suppress(OSError):
                    folder.rmdir()
            raise

    def set_comment(self, schema: str, comment: str | None) -> None:
        """Say what a schema is for; None takes it back."""

        def change(found: Registrations) -> None:
            found.schemas[schema] = comment

        self.store.change(change)

    def contents(self, schema: str) -> list[str]:
        """The names of the tables and views of a schema.

        Raises `StorageError` where its folder holds what is none: dropping the schema would lose it.
        """
        self.forget()
        folder = self.place(schema)
        if folder.is_dir() and not folder.is_symlink():
            tables = {entry.name for entry in self.tables(schema)}
            with suppress(FileNotFoundError):
                for path in sorted(_below(folder), key=str):
                    if path.name not in tables and not path.name.startswith(_DROPPED) and not is_unfinished(path):
                        message = f"the folder of schema `{schema}` holds `{path.name}`, which is no table"
                        raise StorageError(message, hint=f"look at `{folder}` and remove what is there by hand")
        return sorted({*(entry.name for entry in self.tables(schema)), *self.store.read().names(schema)})

    def drop_schema(self, schema: str) -> None:
        """Drop a schema with its managed tables' files and all its registrations."""
        self.forget()
        folder = self.place(schema)

        def remove(found: Registrations) -> None:
            for registered in (found.tables, found.views, found.schemas):
                registered.pop(schema, None)

        def forget() -> None:
            if schema in self.store.read().all_schemas():
                self.store.change(remove)

        if isinstance(folder, ObjectPath):
            forget()
            remove_below(folder)
            self.forget()
        elif folder.exists() or folder.is_symlink():
            _remove(folder, f"schema {schema}", forget)
        else:
            forget()


def _below(folder: Location) -> list[Location]:
    return list(folder.iterdir())


def _is_schema(folder: Location) -> bool:
    return folder.is_dir() and not is_table(folder) and not is_unfinished(folder)


class Seen:
    """What was found in a store a short while ago, which other writers may have changed by now; bounded."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[float, Any]] = {}

    def kept(self, key: object, look: Callable[[], _T], *, of: Location, no: bool = False) -> _T:
        """What ``look`` finds, or found less than `FRESH` seconds ago; that there is nothing with ``no`` alone."""
        if not isinstance(of, ObjectPath):
            return look()
        held = self._known.get(key)
        if held is not None and time.monotonic() - held[0] < FRESH:
            found: _T = held[1]
            return found
        found = look()
        if found or no:
            if len(self._known) > _MOST_SEEN:
                self._known.clear()
            self._known[key] = time.monotonic(), found
        return found

    def drop(self, key: object) -> None:
        """Let one thing be looked for anew."""
        self._known.pop(key, None)

    def forget(self) -> None:
        """Let all be looked for anew."""
        self._known.clear()


def _remove_objects(folder: ObjectPath, what: str) -> None:
    if not is_table(folder):
        raise TableNotFound(f"there is no `{what}`: it has just been dropped")
    remove_below(folder)


def _remove(folder: Path, what: str, then: Callable[[], None] | None = None) -> None:
    """Move ``folder`` out of sight in one step, do ``then`` (or put it back), and remove what was moved.

    What processes that died in the middle left behind goes too.
    """
    hidden = folder.with_name(f"{_DROPPED}{uuid.uuid4().hex}")
    try:
        folder.rename(hidden)
    except FileNotFoundError as error:
        raise TableNotFound(f"there is no `{what}`: it has just been dropped") from error
    except OSError as error:
        raise StorageError(f"`{what}` can't be dropped: {error.strerror}") from error
    try:
        if then is not None:
            then()
    except BaseException:
        hidden.rename(folder)
        raise
    for left in folder.parent.glob(f"{_DROPPED}*"):
        if left.is_symlink():
            left.unlink(missing_ok=True)
        else:
            shutil.rmtree(left, ignore_errors=True)
