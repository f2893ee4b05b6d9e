"""Running a statement again when another writer's commit came first."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from types import TracebackType

from deltasql.errors import CommitConflict

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class Attempt:
    """One try: a `CommitConflict` inside is swallowed, after a pause, unless it is the last try."""

    def __init__(self, number: int, *, last: bool) -> None:
        self._number = number
        self._last = last

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, CommitConflict) or self._last:
            return False
        longest = min(_FIRST_PAUSE * 2**self._number, _LONGEST_PAUSE)
        time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 (spreads writers, hides nothing)
        return True


def attempts(retries: int) -> Iterator[Attempt]:
    """The first try and ``retries`` more, with growing random pauses in between."""
    for number in range(retries + 1):
        yield Attempt(number, last=number == retries)
