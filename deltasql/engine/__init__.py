"""A statement's query to Arrow. The only home of datafusion."""

from __future__ import annotations

import os

_PURGE_DELAY = "MIMALLOC_PURGE_DELAY"

# DataFusion's allocator (mimalloc 2) reads this when it is loaded. It would give memory back after 10 ms, and each
# batch of a stream would have its pages zeroed anew: an eighth of the processor time of a big INSERT. A second is what
# mimalloc 3 waits. What the user has set is heeded, and afterwards the environment is as it was.
if _PURGE_DELAY not in os.environ:
    os.environ[_PURGE_DELAY] = "1000"
    try:
        import datafusion  # noqa: F401 (loaded here, so that it is loaded now)
    finally:
        del os.environ[_PURGE_DELAY]
