"""The ways out of a result: nothing is lost, and nothing copied that needn't be."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import deltasql

BIG = 2**53 + 1  # the least whole number that a float can't hold


def addresses(table):
    return [
        buffer.address for column in table.columns for chunk in column.chunks for buffer in chunk.buffers() if buffer
    ]


def test_whole_numbers_stay_whole_beside_nulls(con):
    f = pa.table(
        {
            "s": ["a", "b"],
            "n": [BIG, None],
            "u": pa.array([2**64 - 1, None], pa.uint64()),
            "t": pa.array([1, None], pa.int8()),
            "l": [[BIG, None], None],
            "r": [{"x": BIG}, {"x": None}],
            "w": [BIG, 1],
        }
    )
    found = con.sql("SELECT * FROM ?", [f]).to_pandas()
    assert list(found.columns) == f.column_names
    assert [str(found[name].dtype) for name in "nutw"] == ["Int64", "UInt64", "Int8", "int64"]
    assert (found["n"][0], found["u"][0], found["l"][0][0], found["r"][0]["x"]) == (BIG, 2**64 - 1, BIG, BIG)
    assert [found[name][1] is pd.NA for name in "nut"] == [True] * 3
    alone = con.sql("SELECT n, u FROM ?", [f]).to_pandas()
    assert alone["n"][0] == BIG
    # What comes out goes in again.
    assert (
        con.sql("SELECT n, u, l, w FROM ?", [found]).to_arrow().to_pylist()
        == f.select(["n", "u", "l", "w"]).to_pylist()
    )


def test_a_name_that_stands_twice(con):
    result = con.sql("SELECT * FROM (SELECT 1 AS a) AS x, (SELECT CAST(NULL AS INT) AS a) AS y")
    assert result.columns == ["a", "a"]
    assert result.to_pandas().columns.to_list() == ["a", "a"]
    assert result.fetchall() == [(1, None)]
    with pytest.raises(deltasql.NotSupportedError, match="polars can't hold the result") as caught:
        result.to_polars()
    assert caught.value.hint == "use `to_arrow()`"


def test_a_type_that_polars_lacks(con):
    with pytest.raises(deltasql.NotSupportedError, match="polars can't hold the result"):
        con.sql("SELECT INTERVAL '1 month' AS i").to_polars()


def test_a_statement_without_columns(con):
    result = con.sql("CREATE TABLE t (a INT)")
    assert (result.to_arrow().num_columns, result.to_pandas().shape, result.to_polars().shape) == (0, (0, 0), (0, 0))
    assert result.fetchall() == []
    assert repr(result) == "<CREATE TABLE>"
    assert result._repr_html_() is None


def test_html_is_escaped(con):
    assert "<b>" not in con.sql("SELECT '<b>' AS \"<i>\"")._repr_html_()


def test_no_copies(con):
    f = pa.table({"a": list(range(1000)), "s": [str(n) for n in range(1000)]})
    result = con.sql("SELECT * FROM f")
    table = result.to_arrow()
    assert addresses(table) == addresses(f)
    assert addresses(pa.table(result)) == addresses(table)
    assert addresses(result.to_reader().read_all()) == addresses(table)
    assert result.to_arrow() is table


def test_arrow_libraries_take_a_result_as_it_is(con):
    result = con.sql("SELECT value AS a FROM range(0, 3)")
    assert pl.DataFrame(result).to_dict(as_series=False) == {"a": [0, 1, 2]}
    assert pa.RecordBatchReader.from_stream(result).read_all().to_pydict() == {"a": [0, 1, 2]}


def test_a_reader_streams(con):
    with con.sql("SELECT value FROM range(0, 100000000000)").to_reader() as reader:
        assert reader.read_next_batch().column(0)[0].as_py() is not None


def test_positions(con):
    result = con.sql("SELECT value FROM range(0, 5) ORDER BY value")
    assert (result.fetchone(), result.fetchmany(2), result.fetchmany(), result.fetchall()) == (
        (0,),
        [(1,), (2,)],
        [(3,)],
        [(4,)],
    )
    assert (result.fetchone(), result.fetchmany(2), result.fetchall()) == (None, [], [])
    assert [value for (value,) in result] == [0, 1, 2, 3, 4]
    assert result.fetchmany(0) == []
    with pytest.raises(deltasql.InterfaceError, match="-1 rows"):
        result.fetchmany(-1)


def test_results_outlive_their_connection(con):
    con.sql("CREATE TABLE t AS SELECT 1 AS a")
    result = con.sql("SELECT * FROM t")
    con.close()
    assert result.fetchall() == [(1,)]
    result.close()
    for read in (result.fetchall, result.to_arrow, result.to_pandas, lambda: list(result)):
        with pytest.raises(deltasql.ClosedError, match="the result is closed"):
            read()
