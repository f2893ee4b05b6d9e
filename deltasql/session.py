"""All that an operation may touch: the catalog, the engine, the settings; and what one statement sees of them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

import pyarrow as pa

from deltasql import functions, information
from deltasql.catalog import catalog as catalogs
from deltasql.catalog.catalog import Catalog, TableEntry
from deltasql.catalog.snapshot import Snapshot, fields, version_at
from deltasql.catalog.views import Home, View
from deltasql.engine.engine import BoundQuery, DataFusionEngine, Engine
from deltasql.engine.external import External
from deltasql.engine.frames import frame, is_frame, place_of
from deltasql.engine.provider import TableName
from deltasql.engine.scanning import Told
from deltasql.engine.sources import Rows, Source
from deltasql.engine.stopping import Running, Statements
from deltasql.errors import Error, NotSupportedError, PlanError, ProgrammingError, Span, StorageError, TableNotFound
from deltasql.names import AsOf, TableReference, Version, fold, match, quote
from deltasql.progress import Telling
from deltasql.scope import Scope, Variable, find, nothing
from deltasql.settings import Settings
from deltasql.sql.dialect import tokenize
from deltasql.sql.functions import FunctionCall
from deltasql.sql.parameters import placeholders
from deltasql.sql.rewrite import Binding, Columns, Inlined, Rewritten, rewrite
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import Woven
from deltasql.storage.objects import Location
from deltasql.types import sql_name


@dataclass(frozen=True, slots=True)
class Session:
    """A connection's catalog, engine and settings."""

    catalog: Catalog
    engine: Engine
    settings: Settings
    frames: dict[str, Any] = field(default_factory=dict)
    """What `Connection.register` was given, by name."""

    @classmethod
    def over(cls, catalog: Catalog) -> Session:
        """A session with its own engine."""
        engine = DataFusionEngine(catalog=catalogs.MAIN, schema=catalogs.DEFAULT, storage=catalog.storage)
        return cls(catalog, engine, Settings())


@dataclass(frozen=True, slots=True)
class Given:
    """A table that a statement brings to its own queries; its columns may be qualified by ``parts``."""

    parts: tuple[str, str, str]
    source: Snapshot | Source


@dataclass(slots=True)
class StatementContext:
    """What one statement sees: its parameters, and one snapshot of each table however often it is named.

    ``text`` is the statement as the user wrote it. ``progress`` is told how far it is, ``scanning``
    of each query that begins to run. ``home`` is where names resolve, if not where the connection's do, ``inside`` the
    views whose text is being resolved. ``brought`` are tables (or frames) by names that no user's have, ``variables``
    those of the caller. ``running`` is told where the statement is to stop.
    ``transpiled``: the text was carried over from another dialect. ``as_of``: queries read what has versions, and says
    none of its own, as of then.
    """

    session: Session
    parameters: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    progress: Telling = field(default_factory=Telling)
    scanning: Told = None
    home: Home | None = None
    inside: tuple[tuple[str, str, str], ...] = ()
    brought: Mapping[str, Any] = field(default_factory=dict)
    variables: Scope = nothing
    running: Running = field(default_factory=lambda: Running(Statements(), None))
    transpiled: bool = False
    as_of: AsOf | None = None
    _read: dict[str, Source] = field(default_factory=dict)
    _latest: dict[TableEntry, Snapshot] = field(default_factory=dict)

    # -- tables

    def named(self, reference: TableReference) -> TableEntry | View:
        """The table or view that a statement names. Raises as `Catalog.resolve` does, with the name's place."""
        with _spanned(reference.span):
            return self.session.catalog.named(reference, self.home)

    def entry(self, reference: TableReference) -> TableEntry:
        """The table that a statement names. Raises as `Catalog.resolve` does, with the name's place."""
        try:
            with _spanned(reference.span):
                return self.session.catalog.resolve(reference, self.home)
        except TableNotFound as error:
            self._hint_at_frame(reference, error, f"`{reference.name}` is a frame, which queries can read")
            raise

    def latest(self, entry: TableEntry) -> Snapshot:
        """The table as this statement sees it first."""
        if entry not in self._latest:
            self._latest[entry] = self.session.catalog.latest(entry)
        return self._latest[entry]

    def snapshot(self, reference: TableReference) -> tuple[TableEntry, Snapshot]:
        """The table that a statement names, at the version that it asks for."""
        reference = self.session.catalog.travel(reference)
        entry = self.entry(reference)
        return entry, self._at(entry, reference)

    def _at(self, entry: TableEntry, reference: TableReference) -> Snapshot:
        with _spanned(reference.span):
            if reference.as_of is None:
                return self.latest(entry)
            with suppress(StorageError, NotSupportedError):  # An older version may be read where the latest can't be.
                self.latest(entry)
            return self.session.catalog.snapshot(entry, self.version(reference.as_of, entry))

    def open(self, reference: TableReference) -> Snapshot:
        """The table that a statement names, at the version that it asks for."""
        return self.snapshot(reference)[1]

    def at(self, reference: TableReference, version: int | None, time: dt.datetime | None) -> Snapshot:
        """The table at ``version`` or ``time``, or as `open` gives it."""
        entry = self.entry(self.session.catalog.travel(reference))
        if time is not None:
            version = version_at(self.session.catalog.newest(entry), time)
        return self.open(reference) if version is None else self.session.catalog.snapshot(entry, version)

    def external(self, format: str, paths: Sequence[str | Location], options: Mapping[str, Any]) -> External:
        """Files that are no Delta table."""
        return self.session.engine.external(format, paths, options)

    def version(self, as_of: AsOf, entry: TableEntry) -> int:
        """The version that a time-travel clause means. Raises `VersionNotFound`, or `PlanError` for a wrong value."""
        value = self.evaluate(as_of.expression)
        if isinstance(as_of, Version):
            return _version_number(value)
        return version_at(self.session.catalog.newest(entry), self.instant(value))

    def instant(self, value: Any) -> dt.datetime:
        """The instant that a time (or its text) means; in the session's zone if it has none. Raises `PlanError`."""
        if isinstance(value, str):
            try:
                value = dt.datetime.fromisoformat(value.strip())
            except ValueError:
                hint = "write it as 'yyyy-MM-dd HH:mm:ss', with or without a zone"
                raise PlanError(f"`{value}` is no time", hint=hint) from None
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time())
        if not isinstance(value, dt.datetime):
            raise PlanError(f"`{value}` is no time")
        zone = zoneinfo.ZoneInfo(self.session.settings["time_zone"])
        return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(dt.UTC)

    # -- queries

    def query(self, source: Fragment | Woven | str, given: Mapping[str, Given] | None = None) -> BoundQuery:
        """Plan a query over the snapshots of this statement, and the tables ``given`` by the names it has for them.

        Errors carry their place in the whole statement.
        """
        with _shifted(source):
            self.running.check()
            rewritten, sources = self._resolved(source if isinstance(source, str) else source.sql, given or {})
            bound = self.session.engine.query(rewritten, sources, self.used(rewritten.text))
            return replace(
                bound,
                read=lambda: self.running.batches(lambda: bound.read(self.scanning)),
                analyze=lambda: self.running.wait(bound.analyze),
            )

    def rewritten(self, source: Fragment | Woven, given: Mapping[str, Given] | None = None) -> Rewritten:
        """A query with its names resolved."""
        with _shifted(source):
            return self._resolved(source.sql, given or {})[0]

    def columns(self, source: Fragment) -> pa.Schema:
        """The columns that a query gives, in the engine's own names."""
        with _shifted(source):
            return self.session.engine.schema(*self._resolved(source.sql, {}))

    def _resolved(
        self, sql: str, given: Mapping[str, Given], sources: Sources | None = None
    ) -> tuple[Rewritten, Sources]:
        """``sql`` with its names resolved, and what they mean, which is added to ``sources``."""
        found: Sources = {} if sources is None else sources

        def bind(wanted: TableReference | FunctionCall) -> Binding | None:
            if isinstance(wanted, FunctionCall):
                parts = catalogs.MAIN, functions.SCHEMA, wanted.name
                return self._served(parts, self.function(wanted), found, pinned=f"{wanted.name}#{len(found)}")
            if wanted.parts and (name := wanted.parts[-1]) in given:
                table = given[name]
                return self._served(table.parts, table.source, found, pinned=name, written=len(wanted.parts))
            if (given_frame := self._given_frame(wanted)) is not None:
                return self._frame(given_frame, wanted, found)
            if any(fold(part) == information.NAME for part in wanted.parts[-2:-1]):
                return self._information(wanted, found)
            wanted = self.session.catalog.travel(wanted)
            try:
                entry = self.named(wanted)
            except TableNotFound as error:
                if (variable := self._variable(wanted, error)) is None:
                    self._hint_at_frame(wanted, error, "a view that is kept can't read a frame")
                    raise
                return self._frame(variable, wanted, found)
            if isinstance(entry, View):
                with _spanned(wanted.span):
                    return self._view(entry, wanted, found)
            wanted = wanted.at(wanted.as_of or self.as_of)
            snapshot = self._at(entry, wanted)
            pinned = f"{entry.name}@v{snapshot.version}" if wanted.as_of is not None else None
            return self._served(entry.parts, snapshot, found, pinned=pinned, written=len(wanted.parts) or 2)

        home = self.home or self.session.catalog.home
        current = {"CURRENT_CATALOG": home.catalog, "CURRENT_SCHEMA": home.schema, "CURRENT_DATABASE": home.schema}
        tag = f"@{'.'.join(self.inside[-1])}" if self.inside else ""
        days = frozenset(name for name, value in self.parameters.items() if _is_day(value))
        return rewrite(sql, bind, constants=current, tag=tag, days=days), found

    # -- frames

    def frame(self, reference: TableReference) -> pa.Schema | None:
        """The columns of the frame that a statement names, if it is one."""
        variable = self._given_frame(reference)
        if variable is None:
            try:
                self.named(reference)
            except TableNotFound as error:
                variable = self._variable(reference, error)
        if variable is None:
            return None
        sources: Sources = {}
        self._frame(variable, reference, sources)
        return next(iter(sources.values())).schema

    def _given_frame(self, wanted: TableReference) -> Variable | None:
        """The frame that the statement brings or that is registered, if the name is one's."""
        if len(wanted.parts) != 1:
            return None
        if wanted.name in self.brought:
            if self.inside:
                message = "a view keeps its text, so its query can't have parameters"
                raise NotSupportedError(message, hint="register the frame under a name", span=wanted.span)
            return Variable(wanted.name, self.brought[wanted.name])
        catalog, frames = self.session.catalog, self.session.frames
        if not frames or not (self.home or catalog.home).temporaries:
            return None
        if match(wanted.name, catalog.temporaries, what="view") is not None:
            return None
        name = match(wanted.name, list(frames), what="frame", span=wanted.span)
        return None if name is None else Variable(name, frames[name])

    def _variable(self, wanted: TableReference, error: TableNotFound) -> Variable | None:
        """The caller's variable of that name, if it holds a frame; if not, ``error`` says so."""
        if len(wanted.parts) != 1 or self.inside or not self.session.settings["deltasql.replacement_scan"]:
            return None
        variable = find(wanted.name, self.variables, is_frame)
        if variable is None or is_frame(variable.value):
            return variable
        if error.hint is None and not isinstance(variable.value, ModuleType | FunctionType | type):
            kind = type(variable.value).__name__
            error.hint = f"the variable `{variable.name}` is of type `{kind}`, which is no frame"
        return None

    def _hint_at_frame(self, reference: TableReference, error: TableNotFound, hint: str) -> None:
        """Give ``error`` a hint where the name that wasn't found is a frame's."""
        frames = [*self.session.frames, *self.brought]
        if len(reference.parts) == 1 and fold(reference.name) in map(fold, frames):
            error.hint = hint

    def _frame(self, variable: Variable, wanted: TableReference, sources: Sources) -> Binding:
        """A frame, which is read once however often the statement names it."""
        name, value = variable.name, variable.value
        wanted = wanted.at(wanted.as_of or self.as_of)
        with _spanned(wanted.span):
            place = place_of(value)
            if place is not None:
                return self._delta_table(name, *place, wanted, sources)
            if wanted.as_of is not None:
                raise NotSupportedError(f"`{name}` is a frame, which has no versions")
            if name not in self._read:
                self._read[name] = value if isinstance(value, Rows) else frame(name, value)
            return self._served((catalogs.MAIN, _FRAMES, name), self._read[name], sources, written=1)

    def _delta_table(self, name: str, location: str, version: int, wanted: TableReference, sources: Sources) -> Binding:
        """A ``DeltaTable`` at its own version, or another."""
        entry = self.session.catalog.at_path(location)
        if wanted.as_of is not None:
            version = self.version(wanted.as_of, entry)
        snapshot = self.session.catalog.snapshot(entry, version)
        pinned = f"{name}@v{version}" if wanted.as_of is not None else None
        return self._served((catalogs.MAIN, _FRAMES, name), snapshot, sources, pinned=pinned, written=1)

    def _information(self, wanted: TableReference, sources: Sources) -> Binding | None:
        """A table of an ``information_schema``, which is the current catalog's unless a name says which."""
        catalog, home = self.session.catalog, self.home or self.session.catalog.home
        with _spanned(wanted.span):
            root = catalog.of(wanted.parts[0] if len(wanted.parts) == 3 else home.catalog)
        found = information.information(catalog, root.name, fold(wanted.name))
        if found is None:
            return None
        schema = f"/{root.name}"  # Under its own name, DataFusion would give its own.
        sources[catalogs.MAIN, schema, found.table_name] = found
        return Binding((root.name, information.NAME, found.table_name), fields(found.schema), schema=schema)

    def _view(self, view: View, wanted: TableReference, sources: Sources) -> Binding:
        """A view: its query stands in its place, over tables added to ``sources``, its columns as they were made."""
        if wanted.as_of is not None:
            hint = "it has no versions; its query may say of which versions of its tables it is"
            raise NotSupportedError(f"`{view}` is a view, which can't be read as of another version", hint=hint)
        if view.parts in self.inside:
            raise PlanError(f"the view `{view}` reads itself")
        inside = replace(self, parameters={}, brought={}, _read={}, home=view.home, inside=(*self.inside, view.parts))
        try:
            query, _ = inside._resolved(view.query, {}, sources)  # noqa: SLF001  # It is of this class.
            given = self.session.engine.schema(query, sources)
            columns, inlined = _as_made(view, query, given)
        except ProgrammingError as error:
            hint = f"CREATE OR REPLACE VIEW {view} makes it anew"
            raise type(error)(f"view `{view}` can't be read: {error.message}", hint=hint) from error
        except Error as error:
            raise type(error)(f"view `{view}` can't be read: {error.message}", hint=error.hint) from error
        return Binding(view.parts, columns, inlined=inlined, times=self._times(given, columns))

    def _served(
        self,
        parts: tuple[str, str, str],
        source: Snapshot | Source,
        sources: Sources,
        *,
        pinned: str | None = None,
        written: int = 3,
    ) -> Binding:
        """Add ``source`` to ``sources`` under a name of the engine's, which knows `MAIN` and its schema `DEFAULT`.

        ``written`` is the number of parts that the statement gave; those of a view stand where a CTE could have them.
        """
        catalog, schema, name = parts
        home = schema if catalog == catalogs.MAIN else f"{catalog}/{schema}"  # No folder is called so.
        sources[catalogs.MAIN, home, pinned or name] = source
        columns = source.fields if isinstance(source, Snapshot) else fields(source.schema)
        seen = (catalogs.MAIN, catalogs.DEFAULT, "")[: 3 - written] + parts[3 - written :]
        leads = seen == parts and catalog == catalogs.MAIN and not (self.inside and written == 1)
        decimals = any("decimal" in str(field.type) for field in source.schema)
        return Binding(
            parts, columns, pinned, None if leads else home, decimals=decimals, times=self._times(source.schema)
        )

    def _times(self, schema: pa.Schema, names: Iterable[str] | None = None) -> tuple[frozenset[str], frozenset[str]]:
        """The columns that are TIMESTAMPs, of which DataFusion takes the clock in UTC where they meet the DATEs."""
        if self.session.settings["time_zone"] == "UTC":
            return frozenset(), frozenset()
        named = [(fold(name), type) for name, type in zip(names or schema.names, schema.types, strict=True)]
        instants = {name for name, type in named if pa.types.is_timestamp(type) and type.tz is not None}
        dates = {name for name, type in named if pa.types.is_date(type)}
        return frozenset(instants), frozenset(dates)

    def function(self, call: FunctionCall) -> Snapshot | Source:
        """What a table function gives; its arguments are constants. Errors have the place of the call."""
        with _spanned(call.span):
            values = {name: self._argument(argument.sql) for name, argument in call.arguments.items()}
            try:
                return functions.source(call.name, self, values)
            except Error as error:
                error.span = error.statement = None  # Its place is in the value of an argument.
                raise

    def _argument(self, expression: str) -> Any:
        """The value of an argument; a name stands for its own text (``table_history(orders)``, ``header => off``)."""
        tokens = tokenize(expression)
        if (
            tokens[0].kind == "word"
            and tokens[0].upper not in _CONSTANTS
            and all(t.is_name or t.text == "." for t in tokens)
        ):
            return expression
        return self.evaluate(expression)

    def used(self, sql: str) -> dict[str, Any]:
        """The parameters that stand in ``sql``."""
        return {name: self.parameters[name] for name in placeholders(sql)}

    def evaluate(self, expression: str) -> Any:
        """The Python value of a constant expression. Raises `PlanError` where it is none."""
        if expression.isdigit():
            return int(expression)
        try:
            return self.session.engine.evaluate(expression, self.used(expression))
        except Error as error:
            raise PlanError(f"`{expression}` is no constant: {error.message}", hint=error.hint) from error


Sources: TypeAlias = dict[TableName, Snapshot | Source]


def _as_made(view: View, query: Rewritten, given: pa.Schema) -> tuple[Columns, Inlined]:
    """The columns of a view and the view over its query, which now gives ``given``.

    Raises `PlanError` where a column is gone or another than it was.
    """
    chosen, changes = [], []
    for column in view.columns:
        found = match(column.source, given.names, what="column")
        if found is None:
            changes.append(f"column `{column.source}` is gone")
            continue
        type = given.field(found).type
        if sql_name(type) != column.type:
            changes.append(f"column `{found}` was {column.type} and is {sql_name(type)}")
        chosen.append((found, pa.field(column.name, type)))
    if changes:
        raise PlanError(f"what it reads has changed: {', '.join(changes)}")
    listed = ", ".join(f"{quote(found)} AS {quote(field.name)}" for found, field in chosen)
    # The line's end closes a comment that the text may end with.
    text = f"SELECT {listed} FROM ({query.text}\n) AS {quote(view.name)}"
    return fields(pa.schema([field for _, field in chosen])), Inlined(text, query)


_FRAMES = "/frames"
"""The schema in which the engine finds frames; no user's is called so, as no folder is."""

_CONSTANTS = {"TRUE", "FALSE", "NULL", "CURRENT_TIMESTAMP", "CURRENT_DATE"}


def _is_day(value: Any) -> bool:
    """True for a parameter that is a DATE."""
    if isinstance(value, pa.Scalar):
        return bool(pa.types.is_date(value.type))
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _version_number(value: Any) -> int:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PlanError(f"VERSION AS OF takes a version number, not `{value}`")
    return value


@contextmanager
def _spanned(span: Span | None) -> Iterator[None]:
    """Give errors that have no place the place of the name that they are about."""
    try:
        yield
    except Error as error:
        if error.span is None:
            error.span = span
        raise


@contextmanager
def _shifted(source: Fragment | Woven | str) -> Iterator[None]:
    """Move the places of errors from a fragment to the statement that it stands in."""
    try:
        yield
    except Error as error:
        if isinstance(source, Fragment) and error.span is not None:
            start = source.span.start
            error.span = Span(error.span.start + start, error.span.end + start)
        elif isinstance(source, Woven) and error.span is not None:
            error.span = source.place(error.span)
        error.statement = None
        raise
