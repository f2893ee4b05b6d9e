"""The public face: a connection executes statements and gives results."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from deltasql import dbapi
from deltasql.catalog.catalog import Catalog
from deltasql.catalog.snapshot import delta_table
from deltasql.config import SETTING
from deltasql.engine.bound import columns
from deltasql.engine.defined import Defined
from deltasql.engine.frames import frames_among, require_frame
from deltasql.engine.sources import Rows
from deltasql.engine.stopping import Running, Statements
from deltasql.errors import (
    AlreadyExists,
    ClosedError,
    ColumnNotFound,
    ConfigError,
    Error,
    InterfaceError,
    NotSupportedError,
    ParseError,
    PlanError,
    ProgrammingError,
    Span,
    StorageError,
    TableNotFound,
)
from deltasql.names import AsOf, did_you_mean, literal, match, quote
from deltasql.operations import plan
from deltasql.progress import Progress, Telling
from deltasql.reading import explained, read, split
from deltasql.redaction import redacted, told, without
from deltasql.result import Result
from deltasql.scope import Scope, nothing, variables
from deltasql.session import Session, StatementContext
from deltasql.settings import OWN_DIALECT, show
from deltasql.sql import parser
from deltasql.sql.dialect import keeping
from deltasql.sql.many import PARAMETERS, as_one, column_of
from deltasql.sql.mention import culprit, mentioned
from deltasql.sql.parameters import Parameters, bind, placeholders, shaped, table_of
from deltasql.sql.statements import Query, Statement
from deltasql.sql.transpile import Reading
from deltasql.storage.objects import Location
from deltasql.storage.storage import Storage, given
from deltasql.types import parse_type
from deltasql.write.retry import retrying

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from deltasql.engine.scanning import Scanning


_LOG = logging.getLogger("deltasql")


class Connection(dbapi.ErrorAttributes):
    """Executes SQL over the Delta tables below a root. Made by `deltasql.connect`; safe for several threads.

    ``progress``, if set, is called with a `Progress` each time that a write has written some rows (about as many as
    a batch has) or come further in a step of its own, in whichever thread that happens; what it raises ends the write.
    ``scanning``, if set, is called with a `Scanning` each time that a query over tables begins to run, a write's too:
    it can be asked how far that is.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        *,
        storage_options: Mapping[str, Any] | None = None,
        configured: Mapping[str, Any] | None = None,
        read_only: bool = False,
    ) -> None:
        self.progress: Callable[[Progress], None] | None = None
        self.scanning: Callable[[Scanning], None] | None = None
        layers = configured, storage_options
        storage = Storage([each for options in layers for each in given(options, told="`storage_options`")])
        self._catalog = Catalog(root, storage, read_only=read_only)
        self._session: Session | None = Session.over(self._catalog)
        self._committed = False
        self._statements = Statements()

    @property
    def root(self) -> Location:
        """The warehouse root."""
        return self._catalog.root

    @property
    def session(self) -> Session:
        """The catalog, the engine and the settings. Raises `ClosedError` after `close`."""
        if self._session is None:
            raise ClosedError("the connection is closed")
        return self._session

    def require_open(self) -> None:
        """Raise `ClosedError` after `close`."""
        _ = self.session

    def sql(self, text: str, params: Parameters = None) -> Result:
        """Run one statement and give its `Result`; a query's rows are read when they are asked for.

        ``params`` are bound to ``?``/``$1`` (a sequence) or ``:name``/``$name`` (a mapping); a data frame among them
        stands for a table. A name that is no table may be a variable of the caller's that holds a frame. Raises
        `deltasql.Error`, with the culprit's place in ``text`` where it is known.
        """
        return self.run(text, params, variables(sys._getframe(1)))  # noqa: SLF001  # There is no other way.

    @keeping()
    def run(self, text: str, params: Parameters = None, scope: Scope = nothing, *, as_of: AsOf | None = None) -> Result:
        """`sql` for what stands between a caller and the connection: ``scope`` gives the caller's variables.

        With ``as_of`` the statement is a query, and the tables that it reads are those of then, views' too, where it
        doesn't say otherwise itself. Raises `NotSupportedError` for another statement, and a frame.
        """
        self.require_open()
        _require_text(text)
        params = shaped(params)
        frames = frames_among(params)
        brought = {table_of(name): value for name, value in frames.items()}
        reading = self._read(text, params, scope, frames, as_of)

        def make() -> Bound:
            statement = parser.parse(reading.text)
            if as_of is not None and not isinstance(statement, Query):
                raise NotSupportedError("only a query can be run as of another version")
            return statement, bind(reading.text, params, tables=frames), brought

        return self._run(reading, make, scope, as_of)

    def _read(
        self,
        text: str,
        params: Parameters,
        scope: Scope = nothing,
        frames: Mapping[str, Any] | None = None,
        as_of: AsOf | None = None,
    ) -> Reading:
        brought = {table_of(name): value for name, value in (frames or {}).items()}
        context = StatementContext(self.session, text=text, brought=brought, variables=scope, as_of=as_of)
        try:
            return read(text, context, params, tables=frames or {})
        except Error as error:
            if error.statement is not None and self.session.settings["deltasql.dialect"] != OWN_DIALECT:
                _name_position(error, text)
            redact(error, self._catalog.storage.hidden(), told(text))
            raise

    @keeping()
    def run_many(self, text: str, sets: Sequence[dbapi.Parameters]) -> Result | None:
        """Run an INSERT of one row of VALUES for all ``sets`` of parameters as one write.

        None, and nothing has happened, for another statement, and for values of several types in one place.
        """
        self.require_open()
        _require_text(text)
        reading = self._read(text, sets[0] if sets else None)
        try:
            statement = as_one(parser.parse(reading.text))
            if statement is None:
                return None
            names = {name: column_of(name) for name in placeholders(reading.text)}
            rows = columns(names, [bind(reading.text, params) for params in sets])
        except Error as error:
            self._placed(error, reading)
            raise
        if rows is None:
            return None
        brought = {PARAMETERS: Rows("the parameters", rows)}
        return self._run(reading, lambda: (statement, {}, brought), nothing)

    def _run(self, reading: Reading, make: Callable[[], Bound], scope: Scope, as_of: AsOf | None = None) -> Result:
        session, text = self.session, reading.original
        limit = session.settings["deltasql.statement_timeout"]
        running = Running(self._statements, limit.seconds if limit is not None else None)
        try:
            with self._logged(text) as log:
                statement, values, brought = make()

                def attempt() -> Result:
                    context = StatementContext(
                        session,
                        values,
                        text,
                        Telling(self.progress, running.check),
                        self.scanning,
                        brought=brought,
                        variables=scope,
                        running=running,
                        transpiled=reading.transpiled,
                        as_of=as_of,
                    )
                    return plan(statement, context).execute()

                retries = session.settings["deltasql.commit.retries"]
                result = running.run(lambda: retrying(attempt, retries=retries))
                log(result)
        except Error as error:
            self._placed(error, reading)
            raise
        except RecursionError as error:
            raise ParseError("the statement is nested too deeply", statement=text) from error
        except OSError as error:
            # Any look at a path may fail, for its length or its rights; one without a path isn't about our files.
            if error.filename is None:
                raise
            found = StorageError(f"`{error.filename}` can't be reached: {error.strerror}")
            self._placed(found, reading)
            raise found from error
        self._committed |= result.statement_type.partition(" ")[0] not in _LOOKS
        result.place = lambda error: self._placed(error, reading)
        return result

    def _placed(self, error: Error, reading: Reading) -> None:
        """Let the error be about the text as given, and hold no secret."""
        _place(error, reading)
        redact(error, self._catalog.storage.hidden(), told(reading.original))

    @contextmanager
    def _logged(self, text: str) -> Iterator[Callable[[Result], None]]:
        """Log a statement and how it ended; its parameters, which may be anything, are never logged."""
        if not _LOG.isEnabledFor(logging.DEBUG):
            yield lambda _: None
            return
        hidden = self._catalog.storage.hidden() | told(text)
        _LOG.debug("%s", redacted(text, hidden))
        begun = time.monotonic()

        def log(result: Result) -> None:
            version = "" if result.version is None else f", version {result.version}"
            _LOG.debug("%s took %.3f s%s", result.statement_type, time.monotonic() - begun, version)

        try:
            yield log
        except Error as error:
            took = time.monotonic() - begun
            _LOG.debug("%s after %.3f s: %s", type(error).__name__, took, without(error.message, hidden))
            raise

    def interrupt(self) -> None:
        """Stop the statements that run on this connection, and the reading of results; for another thread to call.

        They raise `Interrupted`, a write before its commit or not at all. DataFusion looks up once a second.
        """
        self._statements.interrupt()

    def script(self, text: str) -> Iterator[Result]:
        """Run the statements of a script one by one as the results are asked for; the first error ends it."""
        return self.run_script(text, variables(sys._getframe(1)))  # noqa: SLF001

    def run_script(
        self, text: str, scope: Scope = nothing, params: Callable[[str], Parameters] = lambda _: None
    ) -> Iterator[Result]:
        """`script` for what stands between a caller and the connection; ``params`` gives those of each statement."""
        _require_text(text)
        for span in self._spans(text):
            try:
                statement = span.of(text)
                yield self.run(statement, params(statement), scope)
            except Error as error:
                if error.span is not None:
                    error.span = Span(error.span.start + span.start, error.span.end + span.start)
                error.statement = redacted(text, self._catalog.storage.hidden())
                _name_position(error, text)
                raise

    def _spans(self, text: str) -> Iterator[Span]:
        try:
            yield from split(text, self.session)
        except Error as error:
            redact(error, self._catalog.storage.hidden(), told(text))
            raise

    def register(self, name: str, object: Any) -> None:
        """Let statements read ``object`` as the table ``name``, in place of what was registered so before.

        It is a pandas or polars data frame (pandas' index is no column), anything of Arrow's with
        ``__arrow_c_stream__`` (tables, readers), a pyarrow dataset, or a DeltaTable, and is read as it is when a
        statement runs. The name hides a table of that name. Raises `InterfaceError` for what is no frame or has
        columns without names of their own, `AlreadyExists` where there is a temporary view of that name.
        """
        session = self.session
        if not name or not isinstance(name, str):
            raise InterfaceError(f"a frame has a name that isn't empty, not {name!r}")
        taken = match(name, session.catalog.temporaries, what="view")
        if taken is not None:
            raise AlreadyExists(f"temporary view `{taken}` exists already", hint=f"DROP VIEW {quote(taken)}")
        require_frame(name, object)
        old = match(name, list(session.frames), what="frame")
        session.frames[old or name] = object

    def create_function(
        self,
        name: str,
        function: Callable[..., Any],
        arguments: Sequence[str | pa.DataType],
        returns: str | pa.DataType,
        *,
        vectorized: bool = False,
    ) -> None:
        """Let statements call ``function`` as ``name``, in place of what was called so before.

        ``arguments`` and ``returns`` are types, by SQL's names or Arrow's types. It is called for each row with
        Python values (None for NULL) and gives one; a ``vectorized`` function is called with Arrow arrays and gives
        one of the same length. It is taken to give the same for the same values.

        Raises `PlanError` for a wrong type or name, `InterfaceError` for no arguments or what can't be called, and
        `AlreadyExists` where the engine has a function of that name. What it raises ends the statement as an
        `OperationalError` whose cause it is; what it gives of another type or length is a `DataError`.
        """
        self._define(name, function, arguments, returns, vectorized=vectorized, aggregates=False)

    def create_aggregate(
        self,
        name: str,
        function: Callable[..., Any],
        arguments: Sequence[str | pa.DataType],
        returns: str | pa.DataType,
        *,
        vectorized: bool = False,
    ) -> None:
        """Let statements call ``function`` as the aggregate ``name``; see `create_function`.

        It is called once for each group with a list of Python values for each argument (``vectorized``: an Arrow
        array) and gives one value. A group without rows is NULL.
        """
        self._define(name, function, arguments, returns, vectorized=vectorized, aggregates=True)

    def _define(
        self,
        name: str,
        function: Callable[..., Any],
        arguments: Sequence[str | pa.DataType],
        returns: str | pa.DataType,
        *,
        vectorized: bool,
        aggregates: bool,
    ) -> None:
        engine = self.session.engine
        if re.fullmatch(r"[^\W\d]\w*", name) is None:
            raise PlanError(f"`{name}` is no name of a function", hint="letters, digits and underscores")
        if not callable(function):
            raise InterfaceError(f"function `{name}` is of type `{type(function).__name__}`, which can't be called")
        if isinstance(arguments, str) or not arguments:
            raise InterfaceError(f"function `{name}` takes a list of types, with one at least, as arguments")
        given = tuple(_type(argument) for argument in arguments)
        engine.define(Defined(name.lower(), function, given, _type(returns), vectorized, aggregates))

    def drop_function(self, name: str) -> None:
        """Forget the function or aggregate ``name``. Raises `PlanError` where none was made."""
        if not self.session.engine.forget(name.lower()):
            raise PlanError(f"no function was created as `{name}`")

    def unregister(self, name: str) -> None:
        """Forget the frame ``name``. Raises `TableNotFound` where none is registered so."""
        frames = self.session.frames
        found = match(name, list(frames), what="frame")
        if found is None:
            raise TableNotFound(f"no frame is registered as `{name}`", hint=did_you_mean(name, frames))
        del frames[found]

    def table(self, name: str) -> DeltaTable:
        """A handle of delta-rs's on the table called ``name`` (as a statement would name it): the way out.

        Whoever has it can write, also by a connection that is read-only: that gate is for statements.
        """
        reference = parser.parse_table(name)
        entry, snapshot = StatementContext(self.session).snapshot(reference)
        return delta_table(entry.location, snapshot.version)

    # -- PEP 249

    def cursor(self) -> dbapi.Cursor:
        """A new cursor, independent of all others. Raises `ClosedError` after `close`."""
        self.require_open()
        return dbapi.Cursor(self)

    def commit(self) -> None:
        """Nothing: each statement has committed when it returns. Raises `ClosedError` after `close`."""
        self.require_open()
        self._committed = False

    def rollback(self) -> None:
        """Nothing, where nothing was done since the last `commit` or `rollback`.

        Raises `NotSupportedError` where a statement did something, as that can't be taken back, and `ClosedError`
        after `close`.
        """
        self.require_open()
        if self._committed:
            self._committed = False
            hint = "RESTORE TABLE … TO VERSION AS OF … brings a table back"
            raise NotSupportedError("statements have committed, and can't be rolled back", hint=hint)

    def close(self) -> None:
        """Close the connection; results that were not read yet stay readable."""
        if self._session is not None:
            self._session = None
            self._catalog.close()

    def __enter__(self) -> Self:
        self.require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self._session is None else ""
        return f"<deltasql.Connection {str(self.root)!r}{state}>"


Bound = tuple[Statement, Mapping[str, Any], Mapping[str, Any]]
"""A statement, the values of its parameters, and tables that it brings."""

_LOOKS = frozenset({"SELECT", "DESCRIBE", "SHOW", "EXPLAIN", "SET", "RESET", "USE", "ATTACH", "DETACH"})


def _require_text(text: str) -> None:
    if not isinstance(text, str):
        raise ProgrammingError(f"a statement is text, not a `{type(text).__name__}`")


def _type(type: str | pa.DataType) -> pa.DataType:
    if isinstance(type, pa.DataType):
        return type
    if not isinstance(type, str):
        raise InterfaceError(f"`{type}` is no type", hint="a type is SQL's name for it, or Arrow's type")
    return parse_type(type)


def configure(connection: Connection, settings: Mapping[str, Any], *, where: str = "") -> None:
    """Give settings their values (None: the default), as SET does. Raises `ConfigError` naming the setting."""
    for name, value in settings.items():
        if SETTING.fullmatch(name) is None:
            raise ConfigError(f"`{name}`{where} isn't the name of a setting")
        try:
            set_to = f"SET {name} = {literal(show(value))}" if value is not None else f"RESET {name}"
            connection.sql(set_to)
        except Error as error:
            raise ConfigError(f"setting `{name}`{where}: {error.message}", hint=error.hint) from error


def redact(error: Error, secrets: AbstractSet[str], told: AbstractSet[str] = frozenset()) -> None:
    """Take what must not be shown out of an error, and out of what it came from.

    ``told`` are the secrets that its statement tells: then it comes from nothing, as that may quote any part of them.
    """
    secrets = secrets | told
    error.message = without(error.message, secrets)
    error.args = (error.message,)
    error.hint = None if error.hint is None else without(error.hint, secrets)
    error.statement = None if error.statement is None else redacted(error.statement, secrets)
    cause = error.__cause__ or error.__context__
    seen = {id(error)}
    while cause is not None and id(cause) not in seen:  # One that is raised again may be its own cause's.
        seen.add(id(cause))
        if told or without(str(cause), secrets) != str(cause):
            error.__cause__, error.__suppress_context__ = None, True
            return
        cause = cause.__cause__ or cause.__context__


def _place(error: Error, reading: Reading) -> None:
    """Move the error's place from the text that is run to the text as given."""
    explained(error, reading)
    if error.span is not None and error.statement != reading.original:
        error.span = reading.original_span(error.span)
    elif error.span is None and isinstance(error, ColumnNotFound):
        error.span = mentioned(error.message, reading.original)
    if error.span is None:
        error.span = culprit(error, reading.original)
    error.statement = reading.original
    _name_position(error, reading.original)


_POSITION = re.compile(r"^line \d+, column \d+: ")


def _name_position(error: Error, text: str) -> None:
    """Let a `ParseError` begin with line and column in ``text``."""
    if isinstance(error, ParseError) and error.span is not None:
        line, column = error.span.position(text)
        error.message = f"line {line}, column {column}: {_POSITION.sub('', error.message)}"
