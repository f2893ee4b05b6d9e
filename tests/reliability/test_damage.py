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
    count = times(60, 3_000)
    _try(tmp_path, SEED, part * count, (part + 1) * count)


@pytest.mark.parametrize(
    ("seed", "number"), [(20261128, 155), (20261128, 10714), (77, 78), (77, 92), (4242, 619), (4242, 654), (4242, 1136)]
)
def test_what_was_found(tmp_path: Path, seed: int, number: int) -> None:
    _try(tmp_path, seed, number, number + 1)


def _try(folder: Path, seed: int, first: int, last: int) -> None:
    command = [sys.executable, "-m", "tests.reliability.damaging", str(folder), *map(str, (seed, first, last))]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    tried = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"seed {seed}, {tried}: exit code {done.returncode}\n{done.stderr[-4000:]}"
    assert tried[0].startswith("done")
