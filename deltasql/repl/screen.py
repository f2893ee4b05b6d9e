"""Where a result goes at the prompt: to stdout, and on a terminal through a pager what is longer than the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from deltasql.output.pager import Paged
from deltasql.repl.quiet import Lend

_PROMPT_LINES = 2  # the prompt and the toolbar, which come back below


@contextmanager
def screen(pager: tuple[str, ...] | None, clear: Callable[[], None], lend: Lend = nullcontext) -> Iterator[BinaryIO]:
    """Stdout for the result of one statement; ``clear`` is called before a byte of it reaches a terminal.

    What doesn't fit the terminal goes to ``pager`` (None: to the terminal all the same), which is waited for: leaving
    it early is no error. Raises `BrokenPipeError` where nobody reads stdout.
    """
    if not sys.stdout.isatty():
        try:
            yield sys.stdout.buffer
        finally:
            sys.stdout.flush()
        return
    terminal = cast("BinaryIO", _Terminal(sys.stdout.buffer, clear))
    if pager is None or not sys.stdin.isatty() or os.environ.get("TERM") == "dumb":
        try:
            yield terminal
        finally:
            sys.stdout.flush()
        return
    pages = _Pages(pager, terminal, clear, lend)
    size = shutil.get_terminal_size()
    paged = Paged(terminal, size.lines - _PROMPT_LINES, size.columns, pages.open)
    try:
        try:
            yield cast("BinaryIO", paged)
        finally:
            paged.close()
            sys.stdout.flush()
    except BrokenPipeError:
        if pages.process is None:
            raise
    finally:
        pages.close()


def cleared(out: BinaryIO, clear: Callable[[], None]) -> BinaryIO:
    """``out``, with ``clear`` called before it is written to if it is a terminal."""
    return cast("BinaryIO", _Terminal(out, clear)) if out.isatty() else out


@dataclass(slots=True)
class _Terminal:
    """The terminal, cleared before it is written to."""

    stdout: BinaryIO
    clear: Callable[[], None]

    def write(self, data: bytes) -> int:
        self.clear()
        return self.stdout.write(data)

    def writelines(self, lines: list[bytes]) -> None:
        self.clear()
        self.stdout.writelines(lines)

    def isatty(self) -> bool:
        return True


@dataclass(slots=True)
class _Pages:
    """The pager, once it is needed; where it can't be run, the terminal takes its place."""

    command: tuple[str, ...]
    terminal: BinaryIO
    clear: Callable[[], None]
    lend: Lend
    process: subprocess.Popen[bytes] | None = None
    _lent: ExitStack = field(default_factory=ExitStack)

    def open(self) -> BinaryIO:
        self.clear()
        sys.stdout.flush()
        environment = {"LESSCHARSET": "utf-8", **os.environ}
        self._lent.enter_context(self.lend())
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, env=environment)  # noqa: S603  their own
        except OSError:
            self._lent.close()
            return self.terminal
        return cast("BinaryIO", self.process.stdin)

    def close(self) -> None:
        """Let the person read on; Ctrl-C is the pager's as long as it is there."""
        if self.process is None:
            return
        with suppress(BrokenPipeError):
            cast("Any", self.process.stdin).close()
        with self._lent:
            self._waited(self.process)

    def _waited(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                process.wait()
            except KeyboardInterrupt:
                continue
            return
