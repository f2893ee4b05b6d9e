"""All that an operation may touch: the catalog, the engine, the settings; and what one statement sees of them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from deltasql import functions
from deltasql.catalog import catalog as catalogs
from deltasql.catalog.catalog import Catalog, TableEntry
from deltasql.catalog.snapshot import Snapshot, fields, version_at
from deltasql.engine.engine import BoundQuery, DataFusionEngine, Engine
from deltasql.engine.external import External
from deltasql.engine.provider import TableName
from deltasql.engine.sources import Source
from deltasql.errors import Error, NotSupportedError, ParseError, PlanError, Span, StorageError
from deltasql.names import AsOf, TableReference, Version, fold
from deltasql.settings import Settings
from deltasql.sql.dialect import tokenize
from deltasql.sql.functions import FunctionCall
from deltasql.sql.parameters import placeholders
from deltasql.sql.rewrite import Binding, Rewritten, rewrite
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import Woven


@dataclass(frozen=True, slots=True)
class Session:
    """A connection's catalog, engine and settings."""

    catalog: Catalog
    engine: Engine
    settings: Settings

    @classmethod
    def over(cls, catalog: Catalog) -> Session:
        """A session with its own engine."""
        engine = DataFusionEngine(catalog, catalog=catalogs.MAIN, schema=catalogs.DEFAULT)
        return cls(catalog, engine, Settings())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a write is: the rows that it has written, and the seconds since it began."""

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Given:
    """A table that a statement brings to its own queries; its columns may be qualified by ``parts``."""

    parts: tuple[str, str, str]
    source: Snapshot | Source


def _unheard(rows: int) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class StatementContext:
    """What one statement sees: its parameters, and one snapshot of each table however often it is named.

    ``text`` is the statement as the user wrote it. ``progress`` is told how many rows more were written.
    """

    session: Session
    parameters: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    progress: Callable[[int], None] = _unheard
    _latest: dict[TableEntry, Snapshot] = field(default_factory=dict)

    # -- tables

    def entry(self, reference: TableReference) -> TableEntry:
        """The table that a statement names. Raises as `Catalog.resolve` does, with the name's place."""
        with _spanned(reference.span):
            return self.session.catalog.resolve(reference)

    def latest(self, entry: TableEntry) -> Snapshot:
        """The table as this statement sees it first."""
        if entry not in self._latest:
            self._latest[entry] = self.session.catalog.latest(entry)
        return self._latest[entry]

    def snapshot(self, reference: TableReference) -> tuple[TableEntry, Snapshot]:
        """The table that a statement names, at the version that it asks for."""
        reference = self.session.catalog.travel(reference)
        entry = self.entry(reference)
        with _spanned(reference.span):
            if reference.as_of is None:
                return entry, self.latest(entry)
            with suppress(StorageError, NotSupportedError):  # An older version may be read where the latest can't be.
                self.latest(entry)
            return entry, self.session.catalog.snapshot(entry, self.version(reference.as_of, entry))

    def open(self, reference: TableReference) -> Snapshot:
        """The table that a statement names, at the version that it asks for."""
        return self.snapshot(reference)[1]

    def at(self, reference: TableReference, version: int | None, time: dt.datetime | None) -> Snapshot:
        """The table at ``version`` or ``time``, or as `open` gives it."""
        entry = self.entry(self.session.catalog.travel(reference))
        if time is not None:
            version = version_at(self.session.catalog.newest(entry), time)
        return self.open(reference) if version is None else self.session.catalog.snapshot(entry, version)

    def external(self, format: str, paths: Sequence[str], options: Mapping[str, Any]) -> External:
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
            rewritten, sources = self._resolved(source if isinstance(source, str) else source.sql, given or {})
            return self.session.engine.query(rewritten, sources, self.used(rewritten.text))

    def rewritten(self, source: Fragment | Woven, given: Mapping[str, Given] | None = None) -> Rewritten:
        """A query with its names resolved."""
        with _shifted(source):
            return self._resolved(source.sql, given or {})[0]

    def _resolved(self, sql: str, given: Mapping[str, Given]) -> tuple[Rewritten, dict[TableName, Snapshot | Source]]:
        sources: dict[TableName, Snapshot | Source] = {}

        def bind(wanted: TableReference | FunctionCall) -> Binding | None:
            if isinstance(wanted, FunctionCall):
                source = self.function(wanted)
                parts = catalogs.MAIN, functions.SCHEMA, wanted.name
                pinned: str | None = f"{wanted.name}#{len(sources)}"
                columns = source.fields if isinstance(source, Snapshot) else fields(source.schema)
            elif wanted.parts and wanted.parts[-1] in given:
                pinned = wanted.parts[-1]
                parts, source = given[pinned].parts, given[pinned].source
                columns = source.fields if isinstance(source, Snapshot) else fields(source.schema)
            elif any(fold(part) == "information_schema" for part in wanted.parts[:-1]):
                return None
            else:
                entry, source = self.snapshot(wanted)
                travels = self.session.catalog.travel(wanted).as_of is not None
                parts, columns = entry.parts, source.fields
                pinned = f"{entry.name}@v{source.version}" if travels else None
            sources[parts[0], parts[1], pinned or parts[2]] = source
            return Binding(parts, columns, pinned)

        return rewrite(sql, bind), sources

    def function(self, call: FunctionCall) -> Snapshot | Source:
        """What a table function gives; its arguments are constants. Errors have the place of the call."""
        with _spanned(call.span):
            values = {name: self._argument(argument.sql) for name, argument in call.arguments.items()}
            try:
                return functions.source(call.name, self, values)
            except ParseError as error:
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


_CONSTANTS = {"TRUE", "FALSE", "NULL", "CURRENT_TIMESTAMP", "CURRENT_DATE"}


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
