"""What happens to what was typed: commands and statements run, results and errors are shown.

It knows no terminal: `app` gives it text and a way to ask. Nothing that goes wrong here ends the prompt.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from deltasql.connection import Connection
from deltasql.errors import Error, InternalError, Interrupted
from deltasql.output import FORMATS, Options
from deltasql.output.failure import pieces
from deltasql.repl.commands.registry import run_command
from deltasql.repl.confirm import question, target
from deltasql.repl.reading import is_command
from deltasql.repl.running import AbandonedError, interruptible
from deltasql.repl.words import say
from deltasql.result import Result
from deltasql.sql import parser
from deltasql.sql.parameters import normalise
from deltasql.sql.statements import Explain, Query, Statement


@dataclass(slots=True)
class Shell:
    """A connection and how its results are shown. ``ask`` puts a question and gives the answer, yes or no.

    ``state`` says how the last statement went: ``running``, ``done in 0.12 s``, ``failed in …``, ``interrupted in …``.
    """

    connection: Connection
    ask: Callable[[str], bool]
    format: str = "table"
    timing: bool = False
    left: bool = False
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
            else:
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
            start = time.perf_counter()
            reads = isinstance(statement, (Query, Explain))
            try:
                interruptible(lambda: self.show(next(results)), may_abandon=reads)
            except KeyboardInterrupt:
                self.state = "interrupted"
                self.tell(
                    "interrupted" if reads else "interrupted; if it had begun to commit, that was done: see `.history`"
                )
                return
            if self.timing:
                self.tell(f"Time: {time.perf_counter() - start:.3f} s")

    def statement(self, sql: str) -> None:
        """Run one statement that a command stands for."""
        self.statements(sql, script=True)

    def _agreed(self, statement: Statement | None) -> bool:
        reference = target(statement)
        session = self.connection.session
        if statement is None or reference is None or session.catalog.read_only:
            return True
        try:
            asked = question(statement, session.catalog.resolve(reference), session)
        except Error:  # running it says what is wrong
            return True
        return asked is None or self.ask(asked)

    # -- showing

    def show(self, result: Result) -> None:
        """Write a result to stdout; of a statement without one, say that it ran."""
        if result.columns:
            try:
                FORMATS[self.format](result.schema, result.batches(), sys.stdout.buffer, Options(width=_width()))
            finally:
                sys.stdout.flush()
        else:
            version = "" if result.version is None else f" (version {result.version})"
            self.tell(f"{result.statement_type}{version}")

    def draw(self, lines: Callable[[int | None], Iterable[str]]) -> None:
        """Write lines, which are made for the terminal's width, to stdout; there is no end of room on a pipe."""
        try:
            sys.stdout.write("".join(line + "\n" for line in lines(_width())))
        finally:
            sys.stdout.flush()

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
