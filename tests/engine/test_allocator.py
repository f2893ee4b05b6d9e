"""DataFusion's allocator is told what suits its batches, unless the user says otherwise; nothing else is changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LOAD = """
import os
import deltasql.engine.context
print(os.environ.get('MIMALLOC_PURGE_DELAY'), os.environ.get('MIMALLOC_ALLOW_THP'))
"""


@pytest.mark.parametrize(
    ("given", "delay", "huge"),
    [({}, 1000, 0), ({"MIMALLOC_PURGE_DELAY": "20"}, 20, 0), ({"MIMALLOC_ALLOW_THP": "1"}, 1000, 1)],
)
def test_the_allocator_is_told_what_nobody_else_tells(given: dict[str, str], delay: int, huge: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MIMALLOC_")}
    environment |= {"MIMALLOC_VERBOSE": "1"} | given
    done = subprocess.run([sys.executable, "-c", _LOAD], env=environment, capture_output=True, text=True, check=True)
    assert f"mimalloc: option 'purge_delay': {delay}" in done.stderr
    assert f"mimalloc: option 'allow_thp': {huge}" in done.stderr
    assert done.stdout.split() == [str(given.get(name)) for name in ("MIMALLOC_PURGE_DELAY", "MIMALLOC_ALLOW_THP")]


_HUGE = "print([line for line in open('/proc/self/status') if line.startswith('THP_enabled')])"


@pytest.mark.skipif(sys.platform != "linux", reason="huge pages are Linux's")
def test_the_process_may_have_huge_pages_as_before() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", f"{_HUGE}\nimport deltasql.engine.context\n{_HUGE}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shown[0] == shown[1]
