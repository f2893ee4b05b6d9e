"""Files damaged by chance: an error of ours or rows, never the end of the process; see `damaging`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .amounts import SEED, times

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("part", range(2))
def test_damaged_tables(part: int, tmp_path: Path) -> None:
    count = times(60, 10_000)
    first, last = str(part * count), str((part + 1) * count)
    command = [sys.executable, "-m", "tests.reliability.damaging", str(tmp_path), str(SEED), first, last]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    tried = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"seed {SEED}, {tried}: exit code {done.returncode}\n{done.stderr[-4000:]}"
    assert tried[0].startswith("done")
