"""Names to tables and views: the roots of a connection, what is current, and the snapshots of tables.

Every Delta table below a root is there by name: ``root/orders`` is ``default.orders``, ``root/sales/orders`` is
``sales.orders``, each of the catalog that the root is attached as. Tables elsewhere are there if they were
registered, or by path. A name of one part is of the schema that is current, unless a temporary view has it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from deltasql.catalog.places import DEFAULT, MAIN, PATH_SCHEMA, TableEntry, is_safe
from deltasql.catalog.root import Root
from deltasql.catalog.snapshot import Snapshot, SnapshotCache, newest_snapshot, open_snapshot
from deltasql.catalog.views import TEMPORARY, Home, View, with_comment
from deltasql.errors import (
    AlreadyExists,
    NotSupportedError,
    OperationalError,
    PlanError,
    SchemaNotFound,
    Span,
    StorageError,
    TableNotFound,
)
from deltasql.names import TableReference, did_you_mean, fold, match, suffix_as_of
from deltasql.storage.files import is_below
from deltasql.storage.objects import Location
from deltasql.storage.storage import Storage


class Catalog:
    """What a connection can name: ``main`` and the roots attached beside it; without a root, a temporary folder's.

    ``home`` is where its names resolve (USE), ``temporaries`` its temporary views; both are the connection's own.
    """

    def __init__(self, root: str | Path | None, storage: Storage | None = None, *, read_only: bool = False) -> None:
        self.storage = Storage() if storage is None else storage
        self._temporary = None if root is not None else tempfile.TemporaryDirectory(prefix="deltasql-")
        folder = self.storage.place(root) if root is not None else Path(self._temporary.name)  # type: ignore[union-attr]
        self.read_only = read_only
        self.home = Home(MAIN, DEFAULT)
        self.temporaries: dict[str, View] = {}
        self._roots = {MAIN: Root(MAIN, folder, self.storage, read_only=read_only)}
        self._cache = SnapshotCache()

    def close(self) -> None:
        """Remove the temporary root, if it is one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def root(self) -> Location:
        """The root of ``main``."""
        return self._roots[MAIN].folder

    # -- what there is; names are in stored spelling

    def catalogs(self) -> list[str]:
        """The names of all catalogs: ``main``, then the attached ones."""
        return [MAIN, *sorted(self._roots.keys() - {MAIN})]

    def of(self, catalog: str) -> Root:
        """The root behind a catalog, by any spelling. Raises `SchemaNotFound`."""
        found = match(catalog, self._roots, what="catalog")
        if found is None:
            hint = did_you_mean(catalog, self._roots) or f"there are {_listed(self.catalogs())}"
            raise SchemaNotFound(f"there is no catalog `{catalog}`", hint=hint)
        return self._roots[found]

    def schemas(self, catalog: str = MAIN) -> list[str]:
        """The names of a catalog's schemas."""
        return self._roots[catalog].schemas()

    def schema(self, name: str, catalog: str = MAIN) -> str:
        """The stored spelling of a schema's name. Raises `SchemaNotFound`."""
        return self._schema(self._roots[catalog], name)

    def schema_of(self, parts: tuple[str, ...]) -> tuple[str, str]:
        """Catalog and schema of ``[catalog.]schema``; the current ones of no name. Raises `SchemaNotFound`."""
        if not parts:
            return self.home.catalog, self.home.schema
        root = self.of(parts[0]) if len(parts) > 1 else self._roots[self.home.catalog]
        return root.name, self._schema(root, parts[-1])

    def tables(self, schema: str = DEFAULT, catalog: str = MAIN) -> list[TableEntry]:
        """The tables of a schema, by name. Nothing is opened."""
        return self._roots[catalog].tables(schema)

    def views(self, schema: str = DEFAULT, catalog: str = MAIN) -> list[View]:
        """The views of a schema, by name; temporary ones are in `temporaries`."""
        return self._roots[catalog].views(schema)

    def table_names(self, schema: str, catalog: str = MAIN) -> list[str]:
        """The names of a schema's tables; empty for a schema that isn't there."""
        return [entry.name for entry in self.tables(schema, catalog)]

    def find(self, schema: str, name: str) -> Snapshot | None:
        """The latest snapshot of the table of ``main`` with just that name, or None."""
        found = self._roots[MAIN].like(schema, name).get(name)
        return self.latest(found) if isinstance(found, TableEntry) else None

    # -- names

    def resolve(self, reference: TableReference, home: Home | None = None) -> TableEntry:
        """The table that ``reference`` means, in stored spelling; its time travel is left aside.

        Raises `TableNotFound` (with the nearest name), `SchemaNotFound`, `PlanError` for a name that fits several
        tables but for case, and `NotSupportedError` for a view.
        """
        found = self.named(reference, home)
        if isinstance(found, View):
            hint = "a view can only be read; name the table under it"
            raise NotSupportedError(f"`{found}` is a view, not a table", hint=hint, span=reference.span)
        return found

    def named(self, reference: TableReference, home: Home | None = None) -> TableEntry | View:
        """The table or view that ``reference`` means, where ``home`` or the connection's is current; see `resolve`."""
        home = home or self.home
        if reference.path is not None:
            return self.at_path(reference.path)
        temporary = self._temporary_view(reference) if home.temporaries else None
        if temporary is not None:
            return temporary
        root, schema, name = self._place(reference, home)
        found = root.like(schema, name)
        if not found:
            raise self._not_found(reference, root, schema, home)
        if reference.exact[-1:] == (True,) and name in found:
            return found[name]
        if len(found) > 1:
            names = " and ".join(f"`{other}`" for other in sorted(found))
            message = f"table `{name}` is ambiguous: {names} differ only by case"
            raise PlanError(message, hint="quote the exact name", span=reference.span)
        return next(iter(found.values()))

    def _temporary_view(self, reference: TableReference) -> View | None:
        if len(reference.parts) != 1:
            return None
        found = match(reference.name, self.temporaries, what="view", span=reference.span)
        return None if found is None else self.temporaries[found]

    def is_temporary(self, reference: TableReference) -> bool:
        """Tell whether ``reference`` means a temporary view of the connection's."""
        return reference.path is None and self._temporary_view(reference) is not None

    def _place(self, reference: TableReference, home: Home) -> tuple[Root, str, str]:
        """Root, schema (in stored spelling) and table of a name of one to three parts."""
        parts = reference.parts
        if len(parts) == 3:
            own = home.own is not None and fold(home.own[0]) == fold(parts[0])
            root = self.of(home.own[1] if own and home.own is not None else parts[0])
        else:
            root = self.of(home.catalog)
        schema = parts[-2] if len(parts) > 1 else home.schema
        return root, self._schema(root, schema, reference.span), parts[-1]

    def _schema(self, root: Root, name: str, span: Span | None = None) -> str:
        found = match(name, root.schemas_like(name), what="schema", span=span)
        if found is not None:
            return found
        where = "" if root.name == MAIN else f" in catalog `{root.name}`"
        hint = did_you_mean(name, root.schemas())
        if hint is None and (catalog := match(name, self._roots, what="catalog")) is not None:
            hint = f"`{catalog}` is a catalog: write `{catalog}.{DEFAULT}`, with the schema"
        raise SchemaNotFound(f"there is no schema `{name}`{where}", hint=hint, span=span)

    def _not_found(self, reference: TableReference, root: Root, schema: str, home: Home) -> TableNotFound:
        if not root.folder.exists():
            return TableNotFound(
                f"there is no table `{reference}`: the root `{root.folder}` does not exist", span=reference.span
            )
        name = reference.name
        hint = did_you_mean(name, [*(entry.name for entry in root.tables(schema)), *root.store.read().names(schema)])
        if is_safe(name) and (folder := root.place(schema) / name).is_dir():
            hint = f"the folder `{folder}` is no Delta table: it has no `_delta_log`"
        if not home.temporaries and len(reference.parts) == 1 and match(name, self.temporaries, what="view"):
            hint = "a view that is kept can't read a temporary one"
        where = "" if schema == DEFAULT else f" in schema `{schema}`"
        where += "" if root.name == MAIN else f" of catalog `{root.name}`"
        return TableNotFound(f"there is no table `{name}`{where}", hint=hint, span=reference.span)

    def travel(self, reference: TableReference) -> TableReference:
        """``reference`` with the time travel that ends its path (``path@v3``), unless a folder has just that name."""
        if reference.path is None or reference.as_of is not None:
            return reference
        as_of = suffix_as_of(reference.path)
        if as_of is None or self.storage.place(reference.path).exists():
            return reference
        return replace(reference, path=reference.path[: reference.path.rindex("@")], as_of=as_of)

    def at_path(self, path: str) -> TableEntry:
        """The table at ``path`` (a name under the schema ``delta``), whether or not there is one yet."""
        return TableEntry(PATH_SCHEMA, path, self.storage.place(path), managed=False)

    # -- snapshots

    def latest(self, entry: TableEntry) -> Snapshot:
        """The table as it is now. Raises as `open_snapshot` does."""
        return self._cache.latest(str(entry), entry.location)

    def snapshot(self, entry: TableEntry, version: int) -> Snapshot:
        """The table at ``version``, which may be read where the latest can't be."""
        with suppress(StorageError, NotSupportedError):
            latest = self.latest(entry)
            if latest.version == version:
                return latest
        return open_snapshot(str(entry), entry.location, version)

    def newest(self, entry: TableEntry) -> Snapshot:
        """The latest version that can be read. Raises as `latest` where none can."""
        try:
            return self.latest(entry)
        except (StorageError, NotSupportedError):
            return newest_snapshot(str(entry), entry.location)

    def forget(self, entry: TableEntry) -> None:
        """Drop what is cached of a table that was dropped or made anew."""
        self._cache.forget(entry.location)
        if entry.catalog in self._roots:
            self._roots[entry.catalog].forget()

    # -- changes

    def require_writable(self, entry: TableEntry | None = None, *, catalog: str | None = None) -> None:
        """Raise `OperationalError` on a read-only connection, and for a table (or anything) of a read-only root."""
        if self.read_only:
            raise OperationalError("the connection is read-only", hint="connect with `read_only=False`")
        for root in self._roots.values():
            named = root.name in (catalog, None if entry is None else entry.catalog)
            if entry is not None and entry.schema == PATH_SCHEMA:
                named = is_below(entry.location, root.folder)
            if named and root.read_only:
                message = f"catalog `{root.name}` is attached read-only"
                raise OperationalError(message, hint=f"DETACH {root.name}, then ATTACH it without READ_ONLY")

    def new_place(self, reference: TableReference) -> tuple[Root, str, str]:
        """Root, schema (in stored spelling) and name of a table or view that is to be made.

        Raises `OperationalError` where nothing can be made, `SchemaNotFound`, and `AlreadyExists`.
        """
        root, schema, name = self._place(reference, self.home)
        self.require_writable(catalog=root.name)
        root.forget()
        for taken, found in root.like(schema, name).items():
            what = "view" if isinstance(found, View) else "table"
            raise AlreadyExists(f"{what} `{taken}` exists already", span=reference.span)
        return root, schema, name

    def new_entry(self, reference: TableReference, location: str | None) -> TableEntry:
        """The entry of a table that is to be made: managed below the root, or at ``location``.

        Raises `AlreadyExists`, `SchemaNotFound`, and `PlanError` for a name that can't be a folder's.
        """
        if reference.path is not None:
            entry = self.at_path(reference.path)
            self.require_writable(entry)
            return entry
        root, schema, name = self.new_place(reference)
        if location is not None:
            return TableEntry(schema, name, self.storage.place(location), managed=False, catalog=root.name)
        try:
            folder = root.new_folder(schema, name)
        except PlanError as error:
            error.span = reference.span
            raise
        return TableEntry(schema, name, folder, managed=True, catalog=root.name)

    def register(self, entry: TableEntry) -> None:
        """Keep the name of an external table."""
        self._roots[entry.catalog].register(entry)

    def unregister(self, entry: TableEntry) -> None:
        """Forget the name of an external table; its files stay."""
        self._roots[entry.catalog].unregister(entry)
        self.forget(entry)

    def remove(self, entry: TableEntry) -> None:
        """Remove a managed table with its files. Raises `TableNotFound` where another did first."""
        self._roots[entry.catalog].remove(entry)
        self.forget(entry)

    def create_view(self, view: View, *, replace: bool) -> None:
        """Keep a view, a temporary one as long as the connection. Raises `AlreadyExists`."""
        if not view.temporary:
            self._roots[view.catalog].create_view(view, replace=replace)
        else:
            self.temporaries[view.name] = view

    def drop_view(self, view: View) -> None:
        """Forget a view. Raises `TableNotFound` where another dropped it first."""
        if view.temporary:
            del self.temporaries[view.name]
        else:
            self._roots[view.catalog].drop_view(view)

    def comment_on_view(self, view: View, column: str | None, comment: str | None) -> None:
        """Say what a view, or a column of it, is for; None takes it back. Raises `ColumnNotFound`."""
        if view.temporary:
            self.temporaries[view.name] = with_comment(view, column, comment)
        else:
            self._roots[view.catalog].comment_on_view(view, column, comment)

    def use(self, catalog: str, schema: str) -> None:
        """Make a schema (in stored spelling) current."""
        self.home = Home(catalog, schema)

    def attach(self, name: str, root: str, options: Mapping[str, str], *, read_only: bool) -> None:
        """Give a further root a name, and ``options`` of its store; on a read-only connection it is read-only."""
        folder = self.storage.place(root)
        given = self.storage.attach(name, options, folder)
        if given is not None:
            self.storage.add(given)
        self._roots[name] = Root(name, folder, self.storage, read_only=read_only or self.read_only)

    def require_detachable(self, name: str) -> None:
        """Raise `PlanError` for a catalog, in stored spelling, that is needed."""
        if name == MAIN:
            raise PlanError(f"`{MAIN}` can't be detached: it is the connection's own root")
        if name == self.home.catalog:
            raise PlanError(f"catalog `{name}` can't be detached: it is current", hint=f"USE {MAIN}.{DEFAULT} first")

    def detach(self, name: str) -> None:
        """Forget an attached root, in stored spelling; its files stay."""
        self.require_detachable(name)
        del self._roots[name]
        self.storage.remove(f"catalog {name}")


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(f"`{name}`" for name in names[:-1]), f"`{names[-1]}`"]))


__all__ = ["DEFAULT", "MAIN", "PATH_SCHEMA", "TEMPORARY", "Catalog", "TableEntry"]
