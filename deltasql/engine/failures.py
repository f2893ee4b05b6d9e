"""What goes wrong in Python that DataFusion runs: it keeps an error's text alone, so the error waits here for it."""

from __future__ import annotations

import itertools
import re
import threading

from deltasql.errors import Error

_MOST = 64
_numbers = itertools.count(1)
_waiting: dict[int, Error] = {}
_lock = threading.Lock()
_MARK = "deltasql failure"


class CarriedError(Exception):
    """Stands for an error that waits."""


def carried(error: Error) -> CarriedError:
    """What to raise in the place of ``error``, so that `arrived` finds it again by the text."""
    with _lock:
        number = next(_numbers)
        _waiting[number] = error
        while len(_waiting) > _MOST:  # Several streams may fail, and one of them is told of.
            del _waiting[next(iter(_waiting))]
    return CarriedError(f"{_MARK} {number}: {error.message}")


def arrived(message: str) -> Error | None:
    """The error that ``message`` stands for, or None."""
    found = re.search(rf"{_MARK} (\d+)", message)
    if found is None:
        return None
    with _lock:
        return _waiting.pop(int(found[1]), None)
