"""The memory that writes take, in processes of their own: what docs/writing.md says of it. At length: ``make soak``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.amounts import only_in_soak

_BEGUN = """
import pathlib, re, sys, deltasql
con = deltasql.connect(sys.argv[1], settings={"deltasql.memory_limit": "256MB", "deltasql.threads": 2})
def text(value): return f"md5(CAST({value} AS VARCHAR))"
"""
_TABLES = """
con.sql("CREATE TABLE t (id BIGINT, a STRING, b STRING)")
con.sql(f"INSERT INTO t SELECT value, {text('value')}, {text('value + 1')} FROM range(0, 6000000)")
con.sql(f"CREATE TABLE s AS SELECT value * 10 AS id, {text('value')} AS a, 'x' AS b FROM range(0, 660000)")
"""
_MEASURED = """
pathlib.Path("/proc/self/clear_refs").write_text("5")
affected = con.sql({statement!r}).fetchone()[0]
peak = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024
print(affected, peak)
"""
_INSERT = (
    "INSERT INTO u SELECT value, md5(CAST(value AS VARCHAR)), md5(CAST(value + 1 AS VARCHAR)) FROM range(0, 12000000)"
)
_MERGE = "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"


@only_in_soak
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is Linux's VmHWM")
@pytest.mark.parametrize(
    ("made", "statement", "affected", "most"),
    [
        ('con.sql("CREATE TABLE u (id BIGINT, a STRING, b STRING)")', _INSERT, 12_000_000, 1200),
        (_TABLES, _MERGE, 660_000, 256 + 800),
        (_TABLES, "UPDATE t SET a = upper(a) WHERE id % 10 = 3", 600_000, 256 + 800),
        (_TABLES, "DELETE FROM t WHERE id % 10 = 3", 600_000, 256 + 800),
    ],
)
def test_the_peak_of_a_write(tmp_path: Path, made: str, statement: str, affected: int, most: int) -> None:
    script = _BEGUN + made + _MEASURED.format(statement=statement)
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True, timeout=600
    )
    rows, peak = map(int, ran.stdout.split())
    assert rows == affected
    assert peak < most
