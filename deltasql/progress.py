"""How far a write is: what it tells of its steps, and what those hear who follow it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Unit = Literal["rows", "files", "bytes"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a write does just now with so many rows, files or bytes, for so many seconds.

    ``verb`` is what becomes of them, such as ``written`` or ``removed``; ``whole`` is how many there are, None where
    nobody knows that yet.
    """

    verb: str
    unit: Unit
    done: int
    whole: int | None
    seconds: float

    def share(self) -> float | None:
        """How much of the step is done, from 0 to 1; None where nobody knows."""
        return min(self.done / self.whole, 1.0) if self.whole else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a write is: the rows that it has written, and the seconds since it began.

    ``step`` is what it does just now, of statements that can say how much of that there is to do.
    """

    rows: int
    seconds: float
    step: Step | None = None


def _nothing() -> None:
    """It needn't stop."""


class Telling:
    """What one run of a statement tells of itself, in whichever thread.

    ``tell`` hears it; ``check`` is called first and raises where the statement is to stop.
    """

    def __init__(self, tell: Callable[[Progress], None] | None = None, check: Callable[[], None] = _nothing) -> None:
        self._tell, self._check = tell, check
        self._lock = threading.Lock()
        self._begun = self._step_begun = time.monotonic()
        self._rows = 0
        self._step: Step | None = None

    def __call__(self, rows: int) -> None:
        """So many more rows were written."""
        self._check()
        if self._tell is not None:
            with self._lock:
                self._rows += rows
                self._told()

    def begin(self, verb: str, unit: Unit, whole: int | None = None) -> None:
        """A step begins, with ``whole`` rows, files or bytes to do."""
        self._check()
        with self._lock:
            self._step_begun = time.monotonic()
            self._step = Step(verb, unit, 0, whole, 0.0)
            self._told()

    def done(self, count: int = 1) -> None:
        """So many more are done in the present step."""
        self._check()
        if self._tell is not None:
            with self._lock:
                if self._step is not None:
                    self._step = replace(self._step, done=self._step.done + count)
                    self._told()

    def _told(self) -> None:
        now = time.monotonic()
        step = None if self._step is None else replace(self._step, seconds=now - self._step_begun)
        if self._tell is not None:
            self._tell(Progress(self._rows, now - self._begun, step))
