"""The types that users see: mypy, at its strictest, on a program that uses all of the API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import deltasql

ROOT = Path(__file__).parents[1]
USES = ROOT / "tests" / "typing" / "uses.py"


def test_a_program_that_uses_all_is_well_typed():
    pytest.importorskip("mypy")
    # With the cache that `make lint` fills.
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--config-file",
        "pyproject.toml",
        str(USES),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_uses_all():
    text = USES.read_text(encoding="utf-8")
    errors = {
        name
        for name in deltasql.__all__
        if isinstance(value := getattr(deltasql, name), type) and issubclass(value, Exception)
    }
    unused = [name for name in set(deltasql.__all__) - errors if f"deltasql.{name}" not in text and name != "Progress"]
    assert unused == []
    for kind in (deltasql.Connection, deltasql.Result, deltasql.Cursor):
        public = {
            name
            for name, value in vars(kind).items()
            if not name.startswith("_") and (callable(value) or isinstance(value, property))
        }
        internal = {"run", "run_many", "run_script", "require_open", "session", "batches", "of"}
        assert [name for name in sorted(public - internal) if f".{name}" not in text] == [], kind
