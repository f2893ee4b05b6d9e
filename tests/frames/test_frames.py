"""Frames that a caller has at hand as tables: registered, as variables, as parameters; read and written from."""

# ruff: noqa: F841 (variables are read by statements)

from __future__ import annotations

import gc
import weakref

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

import deltasql

ROWS = {"id": [1, 2, 3], "Name": ["a", None, "c"]}
TABLE = pa.table(ROWS)
EXPECTED = [(1, "a"), (2, None), (3, "c")]


class Exporter:
    """Something that has Arrow's stream and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def of_kind(kind, tmp_path, con):
    if kind == "dataset":
        pq.write_table(TABLE, tmp_path / "f.parquet")
        return pads.dataset(tmp_path / "f.parquet")
    if kind == "DeltaTable":
        con.sql("CREATE TABLE stored AS SELECT * FROM $f", {"f": TABLE})
        return con.table("stored")
    return {
        "pandas": lambda: pd.DataFrame(ROWS),
        "pandas with an index": lambda: pd.DataFrame(ROWS, index=pd.Index([7, 8, 9], name="i")),
        "polars": lambda: pl.DataFrame(ROWS),
        "polars lazy": lambda: pl.LazyFrame(ROWS),
        "table": lambda: TABLE,
        "chunked": lambda: pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
        "batch": lambda: TABLE.to_batches()[0],
        "reader": TABLE.to_reader,
        "exporter": lambda: Exporter(TABLE),
        "result": lambda: con.sql("SELECT * FROM (VALUES (1, 'a'), (2, NULL), (3, 'c')) AS v (id, \"Name\")"),
    }[kind]()


KINDS = ["pandas", "pandas with an index", "polars", "polars lazy", "table", "chunked", "batch", "reader", "exporter"]
KINDS += ["result", "dataset", "DeltaTable"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_table(con, tmp_path, kind):
    frame = of_kind(kind, tmp_path, con)
    con.register("f", frame)
    assert con.sql("SELECT id, Name FROM f ORDER BY id").fetchall() == EXPECTED
    assert con.sql("SELECT a.NAME FROM F AS a JOIN f AS b ON a.id = b.id WHERE b.id = 3").fetchall() == [("c",)]
    assert con.sql("SELECT f.*, frame.id FROM f JOIN frame USING (id) WHERE frame.id < 2").fetchall() == [(1, "a", 1)]
    assert con.sql("SELECT * FROM ? AS p WHERE p.id = ?", [frame, 2]).fetchall() == [(2, None)]
    assert con.sql("SELECT count(*) FROM $f WHERE name = $n", {"f": frame, "n": "a"}).fetchall() == [(1,)]
    con.sql("CREATE TABLE t AS SELECT * FROM f WHERE id < 3")
    counted = con.sql(
        "MERGE INTO t USING frame AS s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET name = 'm' WHEN NOT MATCHED THEN INSERT *"
    )
    assert counted.fetchall() == [(3, 2, 0, 1)]
    con.sql("INSERT INTO t SELECT * FROM :f", {"f": frame})
    con.sql("DELETE FROM t WHERE id IN (SELECT id FROM frame WHERE name = 'a')")
    assert con.sql("SELECT * FROM t ORDER BY id, name NULLS LAST").fetchall() == [
        (2, "m"),
        (2, None),
        (3, "c"),
        (3, "c"),
    ]


def test_registering_again_replaces(con):
    con.register("f", TABLE)
    con.register("F", pl.DataFrame({"x": [1]}))
    assert con.sql("SELECT * FROM f").columns == ["x"]
    con.unregister("f")
    with pytest.raises(deltasql.TableNotFound):
        con.sql("SELECT * FROM f")
    with pytest.raises(deltasql.TableNotFound, match="no frame is registered as `f`"):
        con.unregister("f")


def test_a_registered_frame_hides_a_table(con):
    con.sql("CREATE TABLE f AS SELECT 'table' AS a")
    con.register("f", pl.DataFrame({"a": ["frame"]}))
    assert con.sql("SELECT f.a, t.a FROM f, default.f AS t").fetchall() == [("frame", "table")]
    con.unregister("f")
    assert con.sql("SELECT a FROM f").fetchall() == [("table",)]


def test_a_frame_is_read_as_it_is_when_a_statement_runs(con):
    frame = pd.DataFrame({"a": [1]})
    con.register("f", frame)
    frame["b"] = ["new"]
    assert con.sql("SELECT * FROM f").fetchall() == [(1, "new")]


def test_temporary_views_and_frames(con):
    con.register("f", TABLE)
    con.sql("CREATE TEMPORARY VIEW v AS SELECT id FROM f")
    assert con.sql("SELECT sum(id) FROM v").fetchall() == [(6,)]
    with pytest.raises(deltasql.AlreadyExists, match="temporary view `v`"):
        con.register("V", TABLE)
    with pytest.raises(deltasql.TableNotFound) as caught:
        con.sql("CREATE VIEW kept AS SELECT id FROM f")
    assert caught.value.hint == "a view that is kept can't read a frame"
    with pytest.raises(deltasql.NotSupportedError, match="can't have parameters"):
        con.sql("CREATE VIEW kept AS SELECT id FROM ?", [TABLE])


# -- variables


def test_tables_win_over_variables(con):
    con.sql("CREATE TABLE t AS SELECT 'table' AS a")
    t = pl.DataFrame({"a": ["variable"]})
    assert con.sql("SELECT a FROM t").fetchall() == [("table",)]
    assert con.sql("SELECT a FROM ?", [t]).fetchall() == [("variable",)]


GLOBAL = pl.DataFrame({"a": ["global"]})
shadowed = pl.DataFrame({"a": ["global"]})


def test_locals_come_before_globals(con):
    shadowed = pl.DataFrame({"a": ["local"]})
    assert con.sql("SELECT a FROM shadowed").fetchall() == [("local",)]
    assert con.sql("SELECT a FROM global").fetchall() == [("global",)]
    assert con.sql('SELECT a FROM "GLOBAL"').fetchall() == [("global",)]
    del shadowed


def test_only_the_callers_frame_is_looked_at(con):
    hidden = pl.DataFrame({"a": [1]})

    def other():
        return con.sql("SELECT * FROM hidden").fetchall()

    with pytest.raises(deltasql.TableNotFound):
        other()
    assert len(hidden) == 1
    # Nor are deltasql's own variables, whatever they are called.
    for name in ("result", "rows", "self", "frame", "text"):
        with pytest.raises(deltasql.TableNotFound):
            con.sql(f"SELECT * FROM {name}")


def test_variables_of_a_script_and_a_cursor(con):
    f = TABLE
    assert [result.fetchall() for result in con.script("SELECT count(*) FROM f; SELECT sum(id) FROM f")] == [
        [(3,)],
        [(6,)],
    ]
    cur = con.cursor()
    assert cur.execute("SELECT count(*) FROM f").fetchone() == (3,)
    con.sql("CREATE TABLE t (a INT)")
    cur.executemany("INSERT INTO t SELECT id FROM f WHERE id = ?", [(1,), (2,)])
    assert cur.rowcount == 2
    assert len(f) == 3


def test_variables_can_be_left_alone(con):
    f = TABLE
    con.sql("SET deltasql.replacement_scan = off")
    with pytest.raises(deltasql.TableNotFound):
        con.sql("SELECT * FROM f")
    assert con.sql("SELECT count(*) FROM ?", [f]).fetchall() == [(3,)]


def test_variables_that_differ_by_case(con):
    F1, f1 = TABLE, TABLE
    assert con.sql("SELECT count(*) FROM f1").fetchall() == [(3,)]
    del f1
    assert con.sql("SELECT count(*) FROM f1").fetchall() == [(3,)]
    aB, Ab = F1, F1
    with pytest.raises(deltasql.PlanError, match="`Ab`, `aB` differ only by case"):
        con.sql("SELECT * FROM ab")
    assert aB is Ab


def test_a_variable_that_holds_no_frame(con):
    f = [1]
    with pytest.raises(deltasql.TableNotFound) as caught:
        con.sql("SELECT * FROM f")
    assert caught.value.hint == "the variable `f` is of type `list`, which is no frame"
    assert f == [1]


def test_a_statement_keeps_no_variables(con):
    class Big:
        pass

    def run():
        big = Big()
        con.sql("SELECT 1").fetchall()
        return weakref.ref(big)

    found = run()
    gc.collect()
    assert found() is None


# -- DeltaTables


def test_versions_of_a_delta_table(con):
    con.sql("CREATE TABLE t AS SELECT 1 AS a")
    old = con.table("t")
    con.sql("INSERT INTO t VALUES (2)")
    assert con.sql("SELECT count(*) FROM old").fetchall() == [(1,)]
    assert con.sql("SELECT count(*) FROM old VERSION AS OF 1").fetchall() == [(2,)]
    assert con.sql("SELECT count(*) FROM old JOIN old VERSION AS OF 1 AS n ON old.a = n.a").fetchall() == [(1,)]
    with pytest.raises(deltasql.NotSupportedError, match="no versions"):
        con.sql("SELECT * FROM TABLE_ VERSION AS OF 1".replace("TABLE_", "$f"), {"f": TABLE})


# -- streams


def many(batches):
    """A reader of more than is kept, whose batches are made as they are read."""
    schema = pa.schema([("a", pa.int64())])
    values = pa.array(range(1 << 20), pa.int64())
    made = (pa.record_batch([values], schema=schema) for _ in range(batches))
    return pa.RecordBatchReader.from_batches(schema, made)


def test_a_small_reader_can_be_read_again(con):
    reader = TABLE.to_reader()
    for _ in range(2):
        assert con.sql("SELECT count(*) FROM reader").fetchall() == [(3,)]


def test_a_long_reader_is_streamed_once(con):
    reader = many(12)
    con.register("r", reader)
    assert con.sql("SELECT count(*), max(a) FROM r").fetchall() == [(12 << 20, (1 << 20) - 1)]
    with pytest.raises(deltasql.InterfaceError, match="`r` is a stream that has been read already") as caught:
        con.sql("SELECT count(*) FROM r").fetchall()
    assert "read_all" in caught.value.hint


def test_a_long_reader_cannot_be_read_twice_at_once(con):
    reader = many(10)
    with pytest.raises(deltasql.InterfaceError, match="has been read already"):
        con.sql("SELECT count(*) FROM reader AS x JOIN reader AS y ON x.a = y.a").fetchall()


def test_a_stream_that_fails_on_the_way(con):
    def batches():
        yield from many(9)
        raise ZeroDivisionError("no more")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches())
    con.sql("CREATE TABLE t (a BIGINT)")
    with pytest.raises(deltasql.OperationalError, match=r"the frame `reader` can't be read: .*no more") as caught:
        con.sql("INSERT INTO t SELECT * FROM reader")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_a_result_of_ours_streamed_is_a_frame(con):
    result = con.sql("SELECT value AS a FROM generate_series(1, 100000)")
    reader = result.to_reader()
    assert con.sql("SELECT sum(x.a + y.a) FROM result AS x JOIN reader AS y ON x.a = y.a").fetchall() == [
        (10000100000,)
    ]


# -- what can't be a table


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pa.table([[1], [2]], names=["a", "a"]), "has the column `a` twice"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "has the column `a` twice"),
        (pd.DataFrame([[1, 2]]), "a column whose name is of type `int`"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            "a column whose name is of type `tuple`",
        ),
        (pa.table({}), "has no columns"),
        (pd.DataFrame(), "has no columns"),
        (pd.DataFrame({"a": [1, "x"]}), "can't be read: .*column a"),
        (pd.DataFrame({"a": pd.period_range("2026-01", periods=2, freq="M")}), "`a` .* can't be read, pandas.period"),
        (
            pa.table({"a": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])}),
            "can't be read, a union",
        ),
    ],
)
def test_frames_that_are_no_tables(con, frame, message):
    with pytest.raises(deltasql.Error, match=message) as caught:
        con.sql("SELECT * FROM frame")
    assert type(caught.value) in (deltasql.InterfaceError, deltasql.NotSupportedError, deltasql.OperationalError)
    assert caught.value.span.of(caught.value.statement) == "frame"


@pytest.mark.parametrize("value", [1, "x", [1], {"a": [1]}, None, pl.Series("a", [1]), pd.Series([1]), pd.DataFrame])
def test_objects_that_are_no_frames(con, value):
    with pytest.raises(deltasql.InterfaceError, match=r"`f` is .*, which is no frame"):
        con.register("f", value)
    with pytest.raises(deltasql.TableNotFound):
        con.sql("SELECT * FROM f")


def test_columns_are_checked_when_a_frame_is_registered(con):
    with pytest.raises(deltasql.InterfaceError, match="twice"):
        con.register("f", pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(deltasql.InterfaceError, match="name"):
        con.register("", TABLE)


@pytest.mark.parametrize(
    "statement", ["INSERT INTO f VALUES (1, 'x')", "DELETE FROM f", "DESCRIBE HISTORY f", "UPDATE f SET id = 1"]
)
def test_frames_are_only_read(con, statement):
    con.register("f", TABLE)
    with pytest.raises(deltasql.TableNotFound) as caught:
        con.sql(statement)
    assert caught.value.hint == "`f` is a frame, which queries can read"


@pytest.mark.parametrize("params", [[TABLE, 1], {"1": TABLE}])
def test_the_number_of_parameters_counts_frames(con, params):
    with pytest.raises(deltasql.ProgrammingError):
        con.sql("SELECT * FROM ? AS a, ? AS b", params)
    with pytest.raises(deltasql.ProgrammingError, match="1 parameter, 2 given"):
        con.sql("SELECT ?", [1, TABLE])


# -- looked at


def test_explain_and_describe(con):
    con.register("f", TABLE)
    plan = dict(con.sql("EXPLAIN SELECT * FROM f").fetchall())
    assert plan["table f"] == "f: 3 rows, read in memory (it is a frame)"
    assert con.sql("DESCRIBE f").fetchall() == [("id", "bigint", None), ("Name", "string", None)]
    reader = many(9)
    assert "a stream" in dict(con.sql("EXPLAIN SELECT * FROM reader").fetchall())["table reader"]


# -- parameters that are none


@pytest.mark.parametrize("params", [1, "x", b"x", {1}, pd.DataFrame({"a": [1]}), pd.Series([1]), TABLE])
def test_wrong_shapes_of_parameters(con, params):
    with pytest.raises(deltasql.ProgrammingError, match="parameters are a sequence or a mapping"):
        con.sql("SELECT ?", params)


@pytest.mark.parametrize("value", [object(), [1, "x"], range(3), pa.array([1])])
def test_what_is_no_value(con, value):
    with pytest.raises(deltasql.ProgrammingError, match=r"the parameter `1` of type `.*` can't be a value"):
        con.sql("SELECT ?", [value])


def test_pandas_missing_values_are_null(con):
    assert con.sql("SELECT ?, ?, ?", [pd.NA, pd.NaT, None]).fetchall() == [(None, None, None)]
    assert con.sql("SELECT ?", iter([1])).fetchall() == [(1,)]


def test_frames_are_shown(con):
    con.register("f", TABLE)
    assert con.sql("SHOW TABLES").fetchall() == [("", "f", True)]
