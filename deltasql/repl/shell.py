"""What happens to what was typed: commands and statements run, results and errors are shown.

It knows no terminal: `app` gives it text and a way to ask. Nothing that goes wrong here ends the prompt.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from deltasql.connection import Connection
from deltasql.errors import Error, InternalError, Interrupted
from deltasql.output import FORMATS, Options
from deltasql.output.failure import pieces
from deltasql.repl.commands.registry import run_command
from deltasql.repl.confirm import question, target
from deltasql.repl.reading import is_command
from deltasql.repl.words import say
from deltasql.result import Result
from deltasql.sql import parser
from deltasql.sql.parameters import normalise


@dataclass(slots=True)
class Shell:
    """A connection and how its results are shown. ``ask`` puts a question and gives the answer, yes or no."""

    connection: Connection
    ask: Callable[[str], bool]
    format: str = "table"
    timing: bool = False
    left: bool = False

    # -- running

    def run(self, text: str) -> None:
        """Run a command, or the statements in ``text`` up to the first that fails; errors are said, not raised."""
        try:
            if is_command(text):
                run_command(self, text)
            else:
                self.statements(text)
        except Interrupted:
            self.tell("interrupted")
        except Error as error:
            say(pieces(error))
        except BrokenPipeError:  # nobody reads the results any more: there is nothing left to do here
            raise
        except Exception as error:  # noqa: BLE001  a fault of ours must not end the session
            fault = InternalError(f"{type(error).__name__}: {error}", hint="this is a fault of deltasql's own")
            say(pieces(fault))

    def statements(self, text: str, *, script: bool = False) -> None:
        """Run the statements of ``text`` in order; those that take something for good ask first, unless a script's."""
        results = self.connection.script(text)
        for span in parser.split(text):
            if not (script or self._agreed(span.of(text))):
                self.tell("nothing was done")
                return
            start = time.perf_counter()
            self.show(next(results))
            if self.timing:
                self.tell(f"Time: {time.perf_counter() - start:.3f} s")

    def statement(self, sql: str) -> None:
        """Run one statement that a command stands for."""
        self.statements(sql, script=True)

    def _agreed(self, sql: str) -> bool:
        asked = None
        with suppress(Error):  # running it says what is wrong
            statement = parser.parse(normalise(sql).text)
            reference = target(statement)
            catalog = self.connection.session.catalog
            if reference is not None and not catalog.read_only:
                asked = question(statement, catalog.resolve(reference))
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

    def tell(self, words: str) -> None:
        """Say a line to the person, beside the data."""
        say([("", words + "\n")])


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
