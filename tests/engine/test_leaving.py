"""Python ends in good order although results were read in part and nothing was closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

_SCRIPT = """
import sys, deltasql
con = deltasql.connect(sys.argv[1])
con.sql(f"SET deltasql.reader = '{sys.argv[2]}'")
held = [con.sql("SELECT x.v FROM t x JOIN t y ON x.v = y.v LIMIT 1000") for _ in range(5)]
for result in held:
    print(len(result.fetchmany(1)))
"""


@pytest.mark.parametrize("reader", ["listing", "scan", "dataset"])
def test_results_are_left_open(tmp_path: Path, reader: str) -> None:
    for _ in range(4):
        write_deltalake(tmp_path / "t", pa.table({"v": range(20_000)}), mode="append")
    for _ in range(2):
        command = [sys.executable, "-c", _SCRIPT, str(tmp_path), reader]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stdout.split()) == (0, [b"1"] * 5), done.stderr
