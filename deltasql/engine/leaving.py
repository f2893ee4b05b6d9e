"""Leaving Python in good order while DataFusion's threads may be at work on streams of ours.

A thread that comes back to Python when the interpreter is gone brings the process down. So at exit open streams
are closed, and those that are in the middle of a step are waited for.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import threading
import time
import weakref
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_PATIENCE = 5.0
_STEP = 0.02


class Streams:
    """The streams that are open, and the steps that are being taken in Python."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._steps = 0
        self._used = self._leaving = False
        atexit.register(self._leave)

    def opened(self, stream: Generator[T, None, None]) -> Generator[T, None, None]:
        """``stream``, which is closed at exit."""
        self._open.add(stream)
        return stream

    def stepped(self, items: Iterable[T]) -> Iterator[T]:
        """``items``, each a step that is waited for at exit; none come after."""
        self._used = True
        source = iter(items)
        while not self._leaving:
            self._count(1)
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self._count(-1)
            yield item

    def _count(self, steps: int) -> None:
        with self._lock:
            self._steps += steps

    def _leave(self) -> None:
        self._leaving = True
        for stream in list(self._open):
            with contextlib.suppress(ValueError):  # It is being read in another thread.
                stream.close()
        end = time.monotonic() + _PATIENCE
        quiet = 0
        while self._used and quiet < 2 and time.monotonic() < end:
            time.sleep(_STEP)
            quiet = 0 if self._steps else quiet + 1


@functools.cache
def streams() -> Streams:
    """Those of this process."""
    return Streams()
