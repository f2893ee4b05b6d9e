"""What one sees of a statement that takes a while: a line on stderr that says what runs, how far it is, since when.

What a query's scans have read of what the log says there is makes a bar, with the time that is left at that pace, and
so does what a write has done of a step that it knows the extent of. It is drawn on a terminal only, after half a
second, and is gone before anything else is written there: a pipe never has a byte of it.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deltasql.errors import Interrupted

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.live import Live
    from rich.spinner import Spinner

    from deltasql.connection import Connection
    from deltasql.engine.scanning import Scanned, Scanning
    from deltasql.progress import Progress, Step, Unit

_DELAY = 0.5  # seconds
_PER_SECOND = 8
_UNITS = ("", " k", " M", " G", " T")
_BAR, _LEAST_BAR = 24, 8  # cells
_LEAST_SHARE = 0.01  # from which on it tells how long the rest takes
_SPINNER_WIDTH = 3
_LONG_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+")


@dataclass(slots=True)
class Work:
    """A statement that runs: ``what`` it is, the rows that it has given or written so far, and since when.

    ``interrupt`` stops what it has running in the connection.
    """

    what: str
    rows: int = 0
    begun: float = field(default_factory=time.monotonic)
    interrupt: Callable[[], None] = lambda: None
    _scanning: Scanning | None = field(default=None, init=False)
    _scanned_since: float = field(default=0.0, init=False)
    _step: Step | None = field(default=None, init=False)
    _step_since: float = field(default=0.0, init=False)
    stopped: bool = field(default=False, init=False)
    _over: bool = field(default=False, init=False)
    _live: Live | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wrote(self, progress: Progress) -> None:
        """Take note of what a write has written; for `Connection.progress`. Raises `Interrupted` after `stop`."""
        if self.stopped:
            raise Interrupted("the statement was stopped")
        self.rows = progress.rows
        if progress.step is not None:
            self._step, self._step_since = progress.step, time.monotonic() - progress.step.seconds

    def scans(self, scanning: Scanning) -> None:
        """Follow the scans of a query that has begun to run; for `Connection.scanning`."""
        self._scanning, self._scanned_since = scanning, time.monotonic()

    def stop(self) -> None:
        """Let it end: what runs, or, if just now its rows are being shown, at its next rows."""
        self.stopped = True
        self.interrupt()

    def counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """``batches``, whose rows count as they pass. Raises `Interrupted` after `stop`."""
        self.rows = 0
        for batch in batches:
            if self.stopped:
                raise Interrupted("the statement was stopped")
            self.rows += batch.num_rows
            yield batch

    def clear(self) -> None:
        """Draw no more, and take away what was drawn: somebody else is about to write."""
        with self._lock:
            self._over = True
            if self._live is not None:
                self._live.stop()
                self._live = None

    def line(self, width: int = 80) -> str:
        """``SELECT  ━━━━╺────  1,200,000 of 2,400,000 rows read  100.0 k rows/s  0:12, 0:12 left``, ``width`` wide."""
        now = time.monotonic()
        words, share, since = self._done(now)
        if self.rows and share in (None, 1.0):
            words = [f"{self.rows:,} rows", _rate(self.rows, now - self.begun, "rows")]
        clock = _clock(now - self.begun)
        if share is not None and _LEAST_SHARE < share < 1.0:
            clock += f", {_clock((now - since) * (1 - share) / share)} left"
        drawn = _LEAST_BAR + 2 if share is not None else 0
        short = [*map(_shortened, words)]
        for shown in ([*words, clock], [*short, clock], [*short[:1], clock]):
            text = "  ".join(shown)
            if len(self.what) + 2 + drawn + len(text) <= width:
                break
        if len(self.what) + 2 + len(text) > width:
            text = clock
        room = width - len(self.what) - len(text) - 4
        if share is None or room < _LEAST_BAR:
            return f"{self.what}  {text}"
        return f"{self.what}  {bar(share, min(room, _BAR))}  {text}"

    def _done(self, now: float) -> tuple[list[str], float | None, float]:
        """What is done of what there is to do and at which pace, as words and a share, and since when."""
        if (step := self._step) is not None:
            return _of_step(step, now - self._step_since), step.share(), self._step_since
        if (scanned := self._scanned()) is not None:
            return _read(scanned, now - self._scanned_since), scanned.share(), self._scanned_since
        return [], None, self.begun

    def _scanned(self) -> Scanned | None:
        """How far the scans are, once they have read something."""
        if self._scanning is None:
            return None
        try:
            scanned = self._scanning.scanned()
        except Exception:  # noqa: BLE001  the plan is DataFusion's, and a line about it must not end the statement
            self._scanning = None
            return None
        return scanned if scanned.rows or scanned.files else None

    def draw(self) -> None:
        """Begin to draw, unless it is over."""
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("line")
        console = Console(file=sys.stderr)

        def current() -> Spinner:
            spinner.update(text=self.line(console.width - _SPINNER_WIDTH))
            return spinner

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
    work = Work(what, interrupt=connection.interrupt)
    timer = threading.Timer(_DELAY, work.draw)
    timer.daemon = True
    before = connection.progress, connection.scanning
    connection.progress, connection.scanning = work.wrote, work.scans
    try:
        if _is_terminal():
            timer.start()
        yield work
    finally:
        connection.progress, connection.scanning = before
        timer.cancel()
        work.clear()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def bar(share: float, width: int) -> str:
    """``━━━━╺─────``: ``share`` of ``width`` cells are full."""
    full = min(int(share * width), width)
    return "━" * full + ("╺" + "─" * (width - full - 1) if full < width else "")


def _of_step(step: Step, seconds: float) -> list[str]:
    """What is done of a step, and at which pace."""
    if step.unit != "bytes":
        done, whole, unit = f"{step.done:,}", step.whole and f"{step.whole:,}", f" {step.unit}"
    else:
        done, whole, unit = _bytes(step.done), step.whole and _bytes(step.whole), ""
    of = f" of {whole}" if whole else ""
    return [f"{done}{of}{unit} {step.verb}", _rate(step.done, seconds, step.unit)]


def _read(scanned: Scanned, seconds: float) -> list[str]:
    """What the scans have read, of how much where that is known, and at which pace."""
    rate = _rate(scanned.rows, seconds, "rows")
    if scanned.of_rows is not None:
        return [f"{scanned.rows:,} of {scanned.of_rows:,} rows read", rate]
    if scanned.of_files is not None:
        return [f"{scanned.files:,} of {scanned.of_files:,} files read", rate]
    return [f"{scanned.rows:,} rows read", rate]


def _rate(count: int, seconds: float, unit: Unit) -> str:
    pace = count / max(seconds, 0.001)
    return f"{_bytes(pace)}/s" if unit == "bytes" else f"{_short(pace)} {unit}/s"


def _bytes(count: float) -> str:
    return f"{_short(count)}B" if count >= 1000 else f"{count:.0f} B"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _shortened(words: str) -> str:
    """``words`` with `1.2 M` for `1,234,567`."""
    return _LONG_NUMBER.sub(lambda found: _short(int(found[0].replace(",", ""))), words)


def _short(number: float) -> str:
    """A number in the unit that leaves up to three digits before the point."""
    unit = 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.1f}{_UNITS[unit]}" if unit else f"{number:.0f}"
