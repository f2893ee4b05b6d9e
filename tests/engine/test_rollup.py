"""What is constant before a ROLLUP isn't behind it, where NULL stands for all: an order by it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql


@pytest.fixture(scope="module")
def con() -> Iterator[deltasql.Connection]:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (k INT, v INT)")
        con.sql("INSERT INTO t VALUES (3, 1), (3, 2), (4, 5)")
        yield con


_ROLLED = "SELECT x, sum(v) FROM (SELECT {} AS x, v FROM t) AS o GROUP BY {} ORDER BY x NULLS {}"


@pytest.mark.parametrize("group", ["ROLLUP (x)", "CUBE (x)", "GROUPING SETS ((x), ())"])
@pytest.mark.parametrize("constant", ["7", "(SELECT max(7) FROM t)"])
def test_constants(con: deltasql.Connection, constant: str, group: str) -> None:
    rows = [(7, 8), (None, 8)]
    assert con.sql(_ROLLED.format(constant, group, "LAST")).fetchall() == rows
    assert con.sql(_ROLLED.format(constant, group, "FIRST")).fetchall() == rows[::-1]
    assert con.sql(_ROLLED.format(constant, group, "LAST") + " LIMIT 1").fetchall() == rows[:1]


def test_a_column_of_one_value(con: deltasql.Connection) -> None:
    rows = [(3, 3), (None, 3)]
    query = "SELECT k, sum(v) FROM t WHERE k = 3 GROUP BY ROLLUP (k) ORDER BY k NULLS"
    assert con.sql(f"{query} LAST").fetchall() == rows
    assert con.sql(f"{query} FIRST").fetchall() == rows[::-1]


@pytest.mark.upstream("DataFusion 55 takes a column of one value for constant behind ROLLUP")
@pytest.mark.xfail(strict=True)
def test_bare_datafusion_is_right(tmp_path: Path) -> None:
    pq.write_table(pa.table({"k": [3, 3, 4], "v": [1, 2, 5]}), tmp_path / "t.parquet")
    context = datafusion.SessionContext()
    context.register_parquet("t", str(tmp_path / "t.parquet"))
    query = "SELECT x, count(*) FROM (SELECT 7 AS x FROM t) AS o GROUP BY ROLLUP (x) ORDER BY x NULLS LAST"
    assert "SortExec" in context.sql(query).execution_plan().display_indent()
