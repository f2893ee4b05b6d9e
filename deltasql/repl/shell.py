"""What happens to what was typed: commands and statements run, results and errors are shown.

It knows no terminal: `app` gives it text and a way to ask. Nothing that goes wrong here ends the prompt.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from deltasql.connection import Connection
from deltasql.errors import Error, InternalError, Interrupted, NotSupportedError
from deltasql.names import literal
from deltasql.output import FORMATS, Options, on_terminal
from deltasql.output.failure import pieces
from deltasql.redaction import redacted
from deltasql.repl.commands.registry import run_command
from deltasql.repl.confirm import question
from deltasql.repl.formats import BINARY
from deltasql.repl.outcome import before, stopped
from deltasql.repl.progress import Work, working
from deltasql.repl.quiet import Lend
from deltasql.repl.reading import is_command
from deltasql.repl.running import AbandonedError, interruptible
from deltasql.repl.saving import Output
from deltasql.repl.screen import screen
from deltasql.repl.words import say
from deltasql.result import Result
from deltasql.sql import parser
from deltasql.sql.dialect import tokenize
from deltasql.sql.parameters import normalise
from deltasql.sql.statements import Explain, Query, Statement


@dataclass(slots=True)
class Shell:
    """A connection and how its results are shown. ``ask`` puts a question and gives the answer, yes or no.

    ``lend`` gives the terminal to another program. ``state`` says how the last statement went: ``running``,
    ``done in 0.12 s``, ``failed in …``, ``interrupted in …``.
    ``typed`` are the last statements that were typed, ``result`` is the last result that has columns. ``rows`` are
    those that a terminal shows of a large result (None: all), ``width`` the columns of a line (None: the terminal's),
    ``types`` whether a table there has them below the names of its columns.
    """

    connection: Connection
    ask: Callable[[str], bool]
    lend: Lend = nullcontext
    format: str = "table"
    timing: bool = False
    echo: bool = False
    null: str = Options().null
    width: int | None = None
    rows: int | None = on_terminal(0).limit
    types: bool = True
    pager: tuple[str, ...] | None = None
    output: Output | None = None
    typed: str = ""
    result: Result | None = field(default=None, repr=False)  # its repr would read it
    left: bool = False
    opened: bool = False
    state: str = ""

    # -- running

    def run(self, text: str) -> None:
        """Run a command, or the statements in ``text`` up to the first that fails; errors are said, not raised."""
        start = time.perf_counter()
        self.state = "running"
        try:
            self._attempt(text)
        finally:
            ended = "done" if self.state == "running" else self.state
            self.state = f"{ended} in {time.perf_counter() - start:.2f} s"

    def _attempt(self, text: str) -> None:
        try:
            if is_command(text):
                run_command(self, text)
            elif text.strip():
                self.typed = text
                self.statements(text)
        except (KeyboardInterrupt, Interrupted):
            self.state = "interrupted"
            self.tell("interrupted")
        except AbandonedError:
            self.state = "interrupted"
            self.tell("interrupted; the engine hasn't stopped yet")
        except Error as error:
            self.state = "failed"
            say(pieces(error))
        except BrokenPipeError:  # nobody reads the results any more: there is nothing left to do here
            raise
        except OSError as error:  # stdout's disk is full, say
            self.state = "failed"
            say([("error", "error: "), ("", f"{error}\n")])
        except Exception as error:  # noqa: BLE001  a fault of ours must not end the session
            self.state = "failed"
            fault = InternalError(f"{type(error).__name__}: {error}", hint="this is a fault of deltasql's own")
            say(pieces(fault))

    def statements(self, text: str, *, script: bool = False) -> None:
        """Run the statements of ``text`` in order; those that take something for good ask first, unless a script's."""
        results = self.connection.script(text)
        for span in parser.split(text):
            statement = _parsed(span.of(text))
            if not (script or self._agreed(statement)):
                self.tell("nothing was done")
                return
            if self.echo:
                self.tell(redacted(span.of(text).strip()) + ";")
            start = time.perf_counter()
            if not self._ran(results, statement):
                self.state = "interrupted"
                return
            if self.timing:
                self.tell(f"Time: {time.perf_counter() - start:.3f} s")

    def statement(self, sql: str) -> None:
        """Run one statement that a command stands for."""
        self.statements(sql, script=True)

    def _ran(self, results: Iterator[Result], statement: Statement | None) -> bool:
        """Run the next statement and show its result; False if Ctrl-C stopped it, and that was said."""
        session = self.connection.session
        reads = isinstance(statement, (Query, Explain))
        then = None if reads else before(statement, session)
        started = time.perf_counter()
        what = "running" if statement is None else tokenize(statement.text)[0].upper
        try:
            with working(self.connection, what) as work, screen(self.pager, work.clear, self.lend) as stdout:
                interruptible(
                    lambda: self._show(next(results), stdout, work, started), may_abandon=reads, stop=work.stop
                )
        except (KeyboardInterrupt, Interrupted) as error:
            if isinstance(error, Interrupted) and not work.stopped:  # its time was over
                say(pieces(error))
            self.tell("interrupted" if reads else stopped(then, session))
            return False
        return True

    def _agreed(self, statement: Statement | None) -> bool:
        session = self.connection.session
        if statement is None or session.catalog.read_only:
            return True
        try:
            asked = question(statement, session)
        except Error:  # running it says what is wrong
            return True
        return asked is None or self.ask(asked)

    def open(self, root: str) -> None:
        """Go on over another root: as read-only as this one is, and with its settings."""
        old = self.connection.session
        old.catalog.storage.place(root)  # Raises where local files are off.
        new = Connection(root, read_only=old.catalog.read_only)
        for (name, value, _), (_, default, _) in zip(old.settings.rows(), new.session.settings.rows(), strict=True):
            if value != default:
                new.sql(f"SET {name} = {literal(value)}")
        self.connection.close()
        self.connection, self.opened = new, True

    # -- showing

    def close(self) -> None:
        """Close what commands opened: the file for results, and a root of `open`'s."""
        if self.output is not None:
            self.output.close()
        if self.opened:
            self.connection.close()

    def show(self, result: Result) -> None:
        """Write a result to where results go; of a statement without one, say that it ran."""
        with (
            working(self.connection, result.statement_type) as work,
            screen(self.pager, work.clear, self.lend) as stdout,
        ):
            self._show(result, stdout, work, time.perf_counter())

    def _show(self, result: Result, stdout: BinaryIO, work: Work, started: float) -> None:
        if not result.columns:
            work.clear()
            version = "" if result.version is None else f" (version {result.version})"
            self.tell(f"{result.statement_type}{version}")
            return
        self.result = result
        rows = work.counted(result.batches())
        if self.output is not None:
            self.output.write(result.schema, rows, replace(Options(), null=self.null, width=self.width))
            return
        if self.format in BINARY and sys.stdout.isatty():
            hint = "send results to a file by `.output`, or save this one by `.save`"
            raise NotSupportedError(f"`{self.format}` is no text, so a terminal can't show it", hint=hint)
        FORMATS[self.format](result.schema, rows, stdout, self._options(started))

    def _options(self, started: float) -> Options:
        width = self.width or _width()
        if not sys.stdout.isatty():
            return Options(null=self.null, width=width)
        options = on_terminal(width or 0, started=started)
        tail = min(options.tail, (self.rows or 0) // 2)
        return replace(options, null=self.null, types=self.types, limit=self.rows, tail=tail)

    def draw(self, lines: Callable[[int | None], Iterable[str]]) -> None:
        """Write lines, which are made for the terminal's width, to stdout; there is no end of room on a pipe."""
        with screen(self.pager, lambda: None, self.lend) as stdout:
            for line in lines(_width()):
                stdout.write(f"{line}\n".encode())

    def tell(self, words: str) -> None:
        """Say a line to the person, beside the data."""
        say([("", words + "\n")])


def _parsed(sql: str) -> Statement | None:
    """The statement in ``sql``; None where there is something wrong with it, which running it says."""
    with suppress(Error):
        return parser.parse(normalise(sql).text)
    return None


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
