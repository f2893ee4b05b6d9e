"""Stopping a statement from another thread, or when its time is over.

What runs in Python looks now and then whether it is told to stop. What waits in DataFusion doesn't: an exception is
sent to the thread that waits, which DataFusion looks for once a second (but not while all its own threads are in a
nested-loop join, which never pauses). It is sent only while a thread waits there, so that it never reaches the user's
own code, nor one of ours that commits.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from deltasql.errors import Interrupted

T = TypeVar("T")
_STEP = 0.05
_STOPPED = "the statement was interrupted"
_IDLE_STEPS = 20


class Stop(BaseException):
    """What is sent to a thread that waits in DataFusion."""


class Running:
    """A statement: how long it has worked, and whether it is to stop.

    It works in one thread or several, and again each time that its rows are read, for which its time begins anew.
    """

    def __init__(self, statements: Statements, limit: float | None) -> None:
        self.limit = limit
        self._statements = statements
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._work = 0
        self._since = self._spent = 0.0
        self._why: str | None = None

    # -- in the statement's own threads

    def check(self) -> None:
        """Raise `Interrupted` if the statement is to stop."""
        if self._why is not None:
            raise self._interrupted()

    def run(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; the statement counts as running meanwhile."""
        self._begin()
        try:
            return work()
        finally:
            self._end()

    def wait(self, work: Callable[[], T]) -> T:
        """What ``work`` gives, which waits in DataFusion. Raises `Interrupted` where it is stopped."""
        self._begin()
        try:
            try:
                self._enter()
                return work()
            finally:
                self._leave()
        except Stop:
            self._leave()
            raise self._interrupted() from None
        except Exception as error:
            # It came while DataFusion had called something of ours.
            if self._why is not None and f"{Stop.__module__}.{Stop.__qualname__}" in str(error):
                raise self._interrupted() from None
            raise
        finally:
            self._end()

    def batches(self, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The items of ``read``, for each of which DataFusion is waited for."""
        with self._lock:
            if self._work == 0:
                self._spent = 0.0
        stream = iter(read())
        try:
            while (item := self.wait(lambda: next(stream, None))) is not None:
                yield item
        finally:
            if isinstance(stream, Generator):
                stream.close()

    def _interrupted(self) -> Interrupted:
        hint = "`SET deltasql.statement_timeout` gives it more time" if self._why not in (None, _STOPPED) else None
        return Interrupted(self._why or _STOPPED, hint=hint)

    def _begin(self) -> None:
        with self._lock:
            if self._work == 0:
                self._since = time.monotonic()
                self._statements.begin(self)
            self._work += 1

    def _end(self) -> None:
        with self._lock:
            self._work -= 1
            if self._work == 0:
                self._spent += time.monotonic() - self._since
                self._why = None
                self._statements.end(self)

    def _enter(self) -> None:
        with self._lock:
            if self._why is None:
                self._waiting.add(threading.get_ident())
        self.check()

    def _leave(self) -> None:
        with self._lock:
            if threading.get_ident() in self._waiting:
                self._waiting.discard(threading.get_ident())
                _send(threading.get_ident(), None)

    # -- in others

    def stop(self, why: str = _STOPPED) -> None:
        """Let it end as soon as it can."""
        with self._lock:
            if self._why is None and self._work:
                self._why = why
                for thread in self._waiting:
                    _send(thread, Stop)

    def stop_overdue(self) -> None:
        """`stop` it if its time is over."""
        if self.limit is not None and self._spent + time.monotonic() - self._since > self.limit:
            self.stop(f"the statement took longer than {self.limit:g} seconds")


def _send(thread: int, what: type[Stop] | None) -> None:
    """Raise ``what`` in ``thread``, or, for None, take back what has not been raised yet."""
    sent = ctypes.py_object(what) if what is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), sent)


class Statements:
    """The statements of a connection that are at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Running] = set()
        self._watched = False

    def begin(self, running: Running) -> None:
        """It works from now on."""
        with self._lock:
            self._running.add(running)
            if running.limit is None or self._watched:
                return
            self._watched = True
        threading.Thread(target=self._watch, name="deltasql-timeouts", daemon=True).start()

    def end(self, running: Running) -> None:
        """It works no more."""
        with self._lock:
            self._running.discard(running)

    def interrupt(self) -> None:
        """Stop all."""
        for running in self._all():
            running.stop()

    def _all(self) -> list[Running]:
        with self._lock:
            return list(self._running)

    def _watch(self) -> None:
        """Stop what is overdue, until nothing with a limit has been at work for a while."""
        idle = 0
        while idle < _IDLE_STEPS:
            time.sleep(_STEP)
            limited = [running for running in self._all() if running.limit is not None]
            idle = 0 if limited else idle + 1
            for running in limited:
                running.stop_overdue()
            if idle == _IDLE_STEPS:
                with self._lock:
                    if any(running.limit is not None for running in self._running):
                        idle = 0
                    else:
                        self._watched = False
