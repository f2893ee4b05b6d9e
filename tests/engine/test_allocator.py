"""DataFusion's allocator keeps memory for a second, unless the user says otherwise; the environment is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LOAD = "import os, deltasql.engine.context; print(os.environ.get('MIMALLOC_PURGE_DELAY'))"


@pytest.mark.parametrize(("given", "delay"), [(None, "1000"), ("20", "20")])
def test_the_allocator_waits(given: str | None, delay: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MIMALLOC_")}
    environment |= {"MIMALLOC_VERBOSE": "1"} | ({} if given is None else {"MIMALLOC_PURGE_DELAY": given})
    done = subprocess.run([sys.executable, "-c", _LOAD], env=environment, capture_output=True, text=True, check=True)
    assert f"mimalloc: option 'purge_delay': {delay}" in done.stderr
    assert done.stdout.split() == [str(given)]
