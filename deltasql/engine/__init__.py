"""A statement's query to Arrow. The only home of datafusion."""

from __future__ import annotations

import ctypes
import os
import sys

# DataFusion's allocator (mimalloc 2) reads these when it is loaded; what the user has set is heeded. It would give
# memory back after 10 ms, and each batch of a stream would have its pages zeroed anew: an eighth of the processor time
# of a big INSERT. A second is what mimalloc 3 waits. And it would ask for huge pages, of which a virtual machine may
# have none at hand: a fifth of the same INSERT, and 100 MiB more in use; queries are as quick without.
_ALLOCATOR = {"MIMALLOC_PURGE_DELAY": "1000", "MIMALLOC_ALLOW_THP": "0"}
_SET_THP_DISABLE, _GET_THP_DISABLE = 41, 42


def _load() -> None:
    """Load DataFusion with these, and leave the environment and the process's own huge pages as they were."""
    given = {name: value for name, value in _ALLOCATOR.items() if name not in os.environ}
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    disabled = prctl(_GET_THP_DISABLE, 0, 0, 0, 0) if prctl is not None else -1
    os.environ.update(given)
    try:
        import datafusion  # noqa: F401 (loaded here, so that it is loaded now)
    finally:
        for name in given:
            del os.environ[name]
        if prctl is not None and disabled == 0:
            prctl(_SET_THP_DISABLE, 0, 0, 0, 0)


_load()
