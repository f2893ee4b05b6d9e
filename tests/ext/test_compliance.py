"""SQLAlchemy's own suite for dialects, in a process of its own: its plugin of pytest changes how all tests are found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import deltasql

SUITE = Path(__file__).parent / "compliance"
PART = (
    "InsertBehavior or LastrowID or HasTable or QuotedName or TableDDL or CTE or Exists or ExpandingBoundIn or LikeFunctions"
    " or CompoundSelect or FetchLimitOffset or UpdateDelete or RowCount or EscapingTest or Exception or WindowFunction"
    " or IntegerTest or BooleanTest or ArrayTest or StringTest or IdentityAutoincrement or ComputedReflection"
    " or ReturningGuards or IsolationLevel or RowFetch or ValuesExpression or DistinctOn or RegexpLike or IsOrIsNot"
)
"""The classes that are run with our own tests; `make compliance` runs all."""


def test_the_suite(tmp_path: Path) -> None:
    whole = os.environ.get("DELTASQL_COMPLIANCE") == "all"
    with deltasql.connect(tmp_path / "lake") as con:
        con.sql("CREATE SCHEMA test_schema")
    options = ["-q", "-p", "plugin", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
    options += ["-W", "ignore::sqlalchemy.exc.SAWarning"]
    options += ["--rootdir", ".", "--confcutdir", ".", "--dburi", f"deltasql:///{tmp_path / 'lake'}", "suite.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *([] if whole else ["-k", PART])],
        cwd=SUITE,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)}
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert counts["passed"] >= (980 if whole else 200), done.stdout[-300:]
    if whole:
        sys.stdout.write(done.stdout[-200:])
