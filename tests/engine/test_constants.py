"""Conditions that are constant by the time they reach a table: DataFusion's datasets take one of them, not two."""

from __future__ import annotations

from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from datafusion.catalog import Table

import deltasql

_CONDITIONS = (
    "x NOT IN (0, 5)",
    "x <> 0 AND x <> 5 AND p > 1",
    "x <> 0 AND y <> 'b'",
    "coalesce(x, p) NOT IN (2, 5)",
    "x = NULL AND x = 3",
    "x > 1 AND NULL AND x < 1",
    "(x NOT IN (0, 5) OR p = 1) AND y <> 'b'",
)
_SOURCES = (
    "(SELECT p, 2 AS x, 'a' AS y FROM t)",
    "(SELECT p, 2 AS x, 'a' AS y FROM t UNION ALL SELECT p, 5, 'b' FROM t)",
    "(SELECT p, x, y FROM t CROSS JOIN (VALUES (2, 'a')) AS v(x, y))",
    "two",
)


@pytest.mark.parametrize("source", _SOURCES)
@pytest.mark.parametrize("reader", ["scan", "dataset"])
def test_constant_conditions(reader: str, source: str, tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (p INT, q STRING)")
        con.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')")
        con.sql("CREATE VIEW two AS SELECT p, 2 AS x, 'a' AS y FROM t UNION ALL SELECT p, 5, 'b' FROM t")
        for condition in _CONDITIONS:
            query = f"SELECT p, x, y FROM {source} AS s WHERE {condition} ORDER BY p, x, y"
            con.sql("SET deltasql.reader = 'listing'")
            expected = con.sql(query).fetchall()
            con.sql(f"SET deltasql.reader = '{reader}'")
            assert con.sql(query).fetchall() == expected, condition


def test_constant_conditions_on_a_stream_and_in_a_write() -> None:
    frame = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), iter([pa.record_batch({"n": [1, 2, 3]})]))
    with deltasql.connect() as con:
        con.register("frame", frame)
        assert con.sql("SELECT n, x FROM (SELECT n, 2 AS x FROM frame) AS s WHERE x NOT IN (0, 5)").fetchall() == [
            (1, 2),
            (2, 2),
            (3, 2),
        ]
        con.sql("CREATE TABLE t (a INT)")
        con.sql("INSERT INTO t VALUES (1), (2)")
        con.sql(
            "DELETE FROM t WHERE a IN (SELECT a FROM (SELECT a, 2 AS x FROM t) AS s WHERE x NOT IN (0, 5) AND a = 1)"
        )
        assert con.sql("SELECT * FROM t").fetchall() == [(2,)]
        feed = "(SELECT a, 2 AS x FROM table_changes('t', 0)) AS s WHERE x NOT IN (0, 5)"
        con.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
        assert con.sql(f"SELECT count(*) FROM {feed.replace(', 0)', ', 3)')}").fetchall() == [(0,)]


@pytest.mark.upstream(
    "two constant conditions over a dataset are put together by Arrow's `&`, which has none for BOOLEAN"
)
@pytest.mark.xfail(strict=True, reason="DataFusion 55; Tables.streams fences off what is scanned then")
def test_two_constant_conditions() -> None:
    context = datafusion.SessionContext()
    context.register_table("t", Table(pads.dataset(pa.table({"p": [1, 2]}))))
    found = context.sql("SELECT * FROM (SELECT p, 2 AS x FROM t) WHERE x NOT IN (0, 5)").collect()
    assert sum(batch.num_rows for batch in found) == 2
