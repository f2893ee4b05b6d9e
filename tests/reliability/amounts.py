"""How much is tried: little and always the same in ``make test``, much and each time something else in ``make soak``.

``DELTASQL_SOAK=1`` is what tells them apart, ``DELTASQL_SEED`` what a failure is found again by.
"""

from __future__ import annotations

import os

import pytest

SOAK = os.environ.get("DELTASQL_SOAK") == "1"
SEED = int(os.environ.get("DELTASQL_SEED") or 1)

only_in_soak = pytest.mark.skipif(not SOAK, reason="too long for `make test`: see `make soak`")


def times(quick: int, soak: int) -> int:
    """How often something is done."""
    return soak if SOAK else quick
