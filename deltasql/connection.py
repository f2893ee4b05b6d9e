"""The public face: a connection executes statements and gives results."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deltalake import DeltaTable

from deltasql import dbapi
from deltasql.catalog.catalog import Catalog
from deltasql.config import SETTING
from deltasql.engine.bound import columns
from deltasql.engine.sources import Rows, Source
from deltasql.errors import ClosedError, ConfigError, Error, NotSupportedError, ParseError, Span, StorageError
from deltasql.names import literal
from deltasql.operations import plan
from deltasql.result import Result
from deltasql.session import Progress, Session, StatementContext
from deltasql.settings import show
from deltasql.sql import parser
from deltasql.sql.many import PARAMETERS, as_one, column_of
from deltasql.sql.parameters import Parameters, bind, normalise, placeholders
from deltasql.sql.splice import Spliced
from deltasql.sql.statements import Statement
from deltasql.write.retry import retrying


class Connection(dbapi.ErrorAttributes):
    """Executes SQL over the Delta tables below a root. Made by `deltasql.connect`; safe for several threads.

    ``progress``, if set, is called with a `Progress` each time that a write has written some rows (about as many as
    a batch has), in whichever thread that happens; what it raises ends the write.
    """

    def __init__(self, root: str | Path | None = None, *, read_only: bool = False) -> None:
        self.progress: Callable[[Progress], None] | None = None
        self._catalog = Catalog(root, read_only=read_only)
        self._session: Session | None = Session.over(self._catalog)
        self._committed = False

    @property
    def root(self) -> Path:
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

        ``params`` are bound to ``?``/``$1`` (a sequence) or ``:name``/``$name`` (a mapping). Raises
        `deltasql.Error`, with the culprit's place in ``text`` where it is known.
        """
        self.require_open()
        spliced = normalise(text)
        return self._run(spliced, lambda: self._statement(spliced, params))

    def _statement(self, spliced: Spliced, params: Parameters) -> Bound:
        return parser.parse(spliced.text), bind(spliced.text, params), {}

    def _many(self, text: str, sets: Sequence[dbapi.Parameters]) -> Result | None:
        """Run an INSERT of one row of VALUES for all ``sets`` of parameters as one write.

        None, and nothing has happened, for another statement, and for values of several types in one place.
        """
        self.require_open()
        spliced = normalise(text)
        try:
            statement = as_one(parser.parse(spliced.text))
            if statement is None:
                return None
            names = {name: column_of(name) for name in placeholders(spliced.text)}
            rows = columns(names, [bind(spliced.text, params) for params in sets])
        except Error as error:
            _place(error, spliced)
            raise
        if rows is None:
            return None
        brought = {PARAMETERS: Rows("the parameters", rows)}
        return self._run(spliced, lambda: (statement, {}, brought))

    def _run(self, spliced: Spliced, make: Callable[[], Bound]) -> Result:
        session, text = self.session, spliced.original
        try:
            statement, values, brought = make()
            result = retrying(
                lambda: plan(
                    statement, StatementContext(session, values, text, self._told(), brought=brought)
                ).execute(),
                retries=session.settings["deltasql.commit.retries"],
            )
        except Error as error:
            _place(error, spliced)
            raise
        except OSError as error:
            # Any look at a path may fail, for its length or its rights; one without a path isn't about our files.
            if error.filename is None:
                raise
            raise StorageError(f"`{error.filename}` can't be reached: {error.strerror}", statement=text) from error
        self._committed |= result.statement_type.partition(" ")[0] not in _LOOKS
        result.place = lambda error: _place(error, spliced)
        return result

    def _told(self) -> Callable[[int], None]:
        """What tells ``progress`` how many rows one run of a statement has written."""
        tell, begun = self.progress, time.monotonic()
        if tell is None:
            return lambda _: None
        lock, written = threading.Lock(), 0

        def told(rows: int) -> None:
            nonlocal written
            with lock:
                written += rows
                tell(Progress(written, time.monotonic() - begun))

        return told

    def script(self, text: str) -> Iterator[Result]:
        """Run the statements of a script one by one as the results are asked for; the first error ends it."""
        for span in parser.split(text):
            try:
                yield self.sql(span.of(text))
            except Error as error:
                if error.span is not None:
                    error.span = Span(error.span.start + span.start, error.span.end + span.start)
                error.statement = text
                _name_position(error, text)
                raise

    def table(self, name: str) -> DeltaTable:
        """A handle of delta-rs's on the table called ``name`` (as a statement would name it): the way out."""
        reference = parser.parse_table(name)
        entry, snapshot = StatementContext(self.session).snapshot(reference)
        return DeltaTable(str(entry.location), version=snapshot.version)

    # -- PEP 249

    def cursor(self) -> dbapi.Cursor:
        """A new cursor, independent of all others. Raises `ClosedError` after `close`."""
        self.require_open()
        return dbapi.Cursor(self, self._many)

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
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self._session is None else ""
        return f"<deltasql.Connection {str(self.root)!r}{state}>"


Bound = tuple[Statement, Mapping[str, Any], Mapping[str, Source]]
"""A statement, the values of its parameters, and tables that it brings."""

_LOOKS = frozenset({"SELECT", "DESCRIBE", "SHOW", "EXPLAIN", "SET", "RESET", "USE", "ATTACH", "DETACH"})


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


def _place(error: Error, spliced: Spliced) -> None:
    """Move the error's place from the text with its placeholders in one form to the text as given."""
    if error.span is not None and error.statement != spliced.original:
        error.span = spliced.original_span(error.span)
    error.statement = spliced.original
    _name_position(error, spliced.original)


_POSITION = re.compile(r"^line \d+, column \d+: ")


def _name_position(error: Error, text: str) -> None:
    """Let a `ParseError` begin with line and column in ``text``."""
    if isinstance(error, ParseError) and error.span is not None:
        line, column = error.span.position(text)
        error.message = f"line {line}, column {column}: {_POSITION.sub('', error.message)}"
