"""``deltasql.memory_limit`` and ``deltasql.threads``: queries spill, fail cleanly, and change nothing in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql

ROWS = 2_000_000
TEXTS = f"(SELECT value AS v, md5(CAST(value AS VARCHAR)) AS m FROM range(0, {ROWS}))"


_SORTED = f"""
import deltasql
con = deltasql.connect()
con.sql("SET deltasql.memory_limit = '60MB'")
last, rows = "", 0
for batch in con.sql("SELECT m FROM {TEXTS} ORDER BY m").to_reader():
    values = batch.column(0)
    assert last <= values[0].as_py()
    last, rows = values[-1].as_py(), rows + batch.num_rows
assert rows == {ROWS}
"""


def test_a_sort_spills_past_the_limit() -> None:
    # In a process of its own: what a stream leaves behind would count against the next test's limit.
    subprocess.run([sys.executable, "-c", _SORTED], check=True, timeout=300)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT v % 10 AS g, count(*) FROM t GROUP BY g",
        "SELECT count(*) FROM t a JOIN t b ON a.v = b.v",
        "SELECT v, sum(v) OVER (PARTITION BY v % 7 ORDER BY v) AS s FROM t",
    ],
)
def test_no_exchange_that_may_wait_for_ever(tmp_path: Path, query: str) -> None:
    """apache/datafusion#24883: an exchange of which two sources spill waits for ever; mended in DataFusion 56."""
    write_deltalake(tmp_path / "t", pa.table({"v": range(10_000)}))
    with deltasql.connect(tmp_path) as con:

        def exchanges() -> int:
            return str(con.sql(f"EXPLAIN VERBOSE {query}").fetchall()).count("RepartitionExec: partitioning=Hash")

        con.sql("SET deltasql.threads = 2")
        for least in ("threshold", "threshold_rows"):
            con.sql(f"SET datafusion.optimizer.hash_join_single_partition_{least} = 0")
        assert exchanges()
        con.sql("SET deltasql.memory_limit = '100MB'")
        assert not exchanges()


@pytest.mark.parametrize("setting", ["threads = 1", "memory_limit = '60MB'"])
def test_right_joins_are_right(tmp_path: Path, setting: str) -> None:
    write_deltalake(tmp_path / "t", pa.table({"v": [1, 2] * 3, "s": list("aabbzz")}))
    write_deltalake(tmp_path / "e", pa.table({"v": [5, 6, 7], "name": list("abq")}))
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.{setting}")
        rows = con.sql("SELECT t.v FROM e RIGHT JOIN t ON e.name = t.s WHERE e.v IS NULL").fetchall()
        assert sorted(rows) == [(1,), (2,)]


def test_a_grouping_spills_past_the_limit() -> None:
    with deltasql.connect() as con:
        con.sql("SET deltasql.memory_limit = '60MB'")
        assert con.sql(f"SELECT count(*) FROM (SELECT m, count(*) FROM {TEXTS} GROUP BY m)").fetchall() == [(ROWS,)]


def test_a_join_past_the_limit_spills() -> None:
    query = f"SELECT count(*), max(a.m) > '' FROM {TEXTS} a JOIN {TEXTS} b ON a.m = b.m"
    with deltasql.connect() as con:
        con.sql("SET deltasql.memory_limit = '150MB'")
        assert con.sql(query).fetchall() == [(ROWS, True)]


def test_what_cannot_be_done_within_it_is_an_error_with_advice() -> None:
    with deltasql.connect() as con:
        con.sql("SET deltasql.memory_limit = '16MB'")
        with pytest.raises(deltasql.OperationalError) as caught:
            con.sql(f"SELECT array_agg(m) FROM {TEXTS}").to_arrow()
        assert caught.value.hint == "raise `deltasql.memory_limit`, or select less"
        assert con.sql("SELECT 1").fetchall() == [(1,)]


def test_a_result_from_before_is_still_read(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", pa.table({"v": range(10)}))
    with deltasql.connect(tmp_path) as con:
        con.sql("SET datafusion.execution.batch_size = 3")
        before = con.sql("SELECT v FROM t")
        con.sql("SET deltasql.memory_limit = '100MB'")
        con.sql("SET deltasql.threads = 1")
        assert before.to_arrow().num_rows == 10
        assert con.sql("SELECT v FROM t").to_arrow() == before.to_arrow()
        assert con.sql("SHOW datafusion.execution.target_partitions").fetchall()[0][1] == "1"
        assert con.sql("SHOW datafusion.execution.batch_size").fetchall()[0][1] == "3"
        con.sql("RESET ALL")
        assert con.sql("SHOW datafusion.execution.batch_size").fetchall()[0][1] == "8192"
