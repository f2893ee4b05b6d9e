"""Running a statement again when another writer's commit came first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from deltasql.errors import CommitConflict

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0

T = TypeVar("T")


def retrying(run: Callable[[], T], *, retries: int) -> T:
    """What ``run`` gives; after a `CommitConflict` it runs again, up to ``retries`` times, after growing pauses."""
    for attempt in range(retries):
        try:
            return run()
        except CommitConflict:
            longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
            time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 (spreads writers, hides nothing)
    return run()
