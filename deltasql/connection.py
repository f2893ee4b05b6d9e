"""The public face: a connection executes statements and gives results."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from deltalake import DeltaTable

from deltasql.catalog.catalog import Catalog
from deltasql.errors import ClosedError, Error, ParseError, Span, StorageError
from deltasql.operations import plan
from deltasql.result import Result
from deltasql.session import Progress, Session, StatementContext
from deltasql.sql import parser
from deltasql.sql.parameters import Parameters, bind, normalise
from deltasql.sql.splice import Spliced
from deltasql.write.retry import retrying


class Connection:
    """Executes SQL over the Delta tables below a root. Made by `deltasql.connect`; safe for several threads.

    ``progress``, if set, is called with a `Progress` each time that a write has written some rows (about as many as
    a batch has), in whichever thread that happens; what it raises ends the write.
    """

    def __init__(self, root: str | Path | None = None, *, read_only: bool = False) -> None:
        self.progress: Callable[[Progress], None] | None = None
        self._catalog = Catalog(root, read_only=read_only)
        self._session: Session | None = Session.over(self._catalog)

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

    def sql(self, text: str, params: Parameters = None) -> Result:
        """Run one statement and give its `Result`; a query's rows are read when they are asked for.

        ``params`` are bound to ``?``/``$1`` (a sequence) or ``:name``/``$name`` (a mapping). Raises
        `deltasql.Error`, with the culprit's place in ``text`` where it is known.
        """
        session = self.session
        spliced = normalise(text)
        try:
            statement = parser.parse(spliced.text)
            values = bind(spliced.text, params)
            result = retrying(
                lambda: plan(statement, StatementContext(session, values, text, self._told())).execute(),
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
