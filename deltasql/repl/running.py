"""Work that Ctrl-C stops, however deep in a library it is.

Ctrl-C reaches the main thread only, and that hears nothing while it is inside a library. So the work is done in
another thread while the main one waits, and a Ctrl-C is passed on: at first as a request to stop, which a statement
meets where that does no harm (`Connection.interrupt`), as an exception in that thread if it doesn't. Work that may be
left alone is left alone if it goes on all the same.
"""

from __future__ import annotations

import _thread
import ctypes
import threading
import time
from collections.abc import Callable

_PATIENCE = 2.0  # seconds; twice as long as DataFusion takes to look up
_STEP = 0.05


class AbandonedError(Exception):
    """The work was left to itself: it didn't stop in time."""


def interruptible(work: Callable[[], None], *, may_abandon: bool, stop: Callable[[], None] = lambda: None) -> None:
    """Do ``work`` and raise what it raises; `KeyboardInterrupt` or `Interrupted` if Ctrl-C stopped it.

    ``stop`` is called at a Ctrl-C. What goes on for two seconds, or until a second Ctrl-C, is sent an exception. Work
    that doesn't stop even so is waited for, or, if it ``may_abandon`` (it only reads), left after two more seconds or a
    third Ctrl-C: `AbandonedError`. Ctrl-C that came too late to stop anything isn't raised.
    """
    failures: list[BaseException] = []
    finished = threading.Event()
    deadline, sent = None, False
    # Not a threading.Thread: Ctrl-C in its start() or join() leaves a thread that runs and is said not to.
    identity = _thread.start_new_thread(_caught, (work, failures, finished))
    while not finished.is_set():
        try:
            if deadline is not None and time.monotonic() > deadline:
                if not sent:
                    deadline, sent = time.monotonic() + _PATIENCE, True
                    _interrupt(identity)
                elif may_abandon:
                    raise AbandonedError
            finished.wait(_STEP)
        except KeyboardInterrupt:
            if deadline is None:
                stop()
                deadline = time.monotonic() + _PATIENCE
            else:
                deadline = 0.0
    if failures:
        raise failures[0]


def _caught(work: Callable[[], None], failures: list[BaseException], finished: threading.Event) -> None:
    try:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001  the main thread raises it
            failures.append(failure)
        finally:
            finished.set()
    except KeyboardInterrupt as late:  # passed on just as the work ended
        failures.append(late)
        finished.set()


def _interrupt(identity: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(identity), ctypes.py_object(KeyboardInterrupt))
