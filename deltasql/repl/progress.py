"""What one sees of a statement that takes a while: a line on stderr that says what runs, how far it is, since when.

It is drawn on a terminal only, after half a second, and is gone before anything else is written there: a pipe never
has a byte of it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deltasql.errors import Interrupted

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.live import Live
    from rich.spinner import Spinner

    from deltasql.connection import Connection
    from deltasql.session import Progress

_DELAY = 0.5  # seconds
_PER_SECOND = 8
_UNITS = ("", " k", " M", " G")


@dataclass(slots=True)
class Work:
    """A statement that runs: ``what`` it is, the rows that it has read or written so far, and since when."""

    what: str
    rows: int = 0
    begun: float = field(default_factory=time.monotonic)
    _stopped: bool = field(default=False, init=False)
    _over: bool = field(default=False, init=False)
    _live: Live | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wrote(self, progress: Progress) -> None:
        """Take note of what a write has written; for `Connection.progress`. Raises `Interrupted` after `stop`."""
        if self._stopped:
            raise Interrupted("the statement was stopped")
        self.rows = progress.rows

    def stop(self) -> None:
        """Let a write end at its next rows."""
        self._stopped = True

    def counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """``batches``, whose rows count as they pass."""
        self.rows = 0
        for batch in batches:
            self.rows += batch.num_rows
            yield batch

    def clear(self) -> None:
        """Draw no more, and take away what was drawn: somebody else is about to write."""
        with self._lock:
            self._over = True
            if self._live is not None:
                self._live.stop()
                self._live = None

    def line(self) -> str:
        """``INSERT  1,200,000 rows  2.4 M rows/s  0:12``."""
        seconds = time.monotonic() - self.begun
        minutes, rest = divmod(int(seconds), 60)
        counts = [f"{self.rows:,} rows", f"{_short(self.rows / max(seconds, 0.001))} rows/s"] if self.rows else []
        return "  ".join([self.what, *counts, f"{minutes}:{rest:02}"])

    def draw(self) -> None:
        """Begin to draw, unless it is over."""
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("line")

        def current() -> Spinner:
            spinner.update(text=self.line())
            return spinner

        console = Console(file=sys.stderr)
        with self._lock:
            if not self._over:
                self._live = Live(
                    console=console,
                    get_renderable=current,
                    refresh_per_second=_PER_SECOND,
                    transient=True,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start(refresh=True)


@contextmanager
def working(connection: Connection, what: str) -> Iterator[Work]:
    """A `Work` that hears of the writes of ``connection`` and is drawn, if there is a terminal and it takes a while."""
    work = Work(what)
    timer = threading.Timer(_DELAY, work.draw)
    timer.daemon = True
    before, connection.progress = connection.progress, work.wrote
    try:
        if _is_terminal():
            timer.start()
        yield work
    finally:
        connection.progress = before
        timer.cancel()
        work.clear()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _short(number: float) -> str:
    """A number in the unit that leaves up to three digits before the point."""
    unit = 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.1f}{_UNITS[unit]}" if unit else f"{number:.0f}"
