"""Functions in Python: by row, by column, of groups; in queries and writes; and what goes wrong in them."""

from __future__ import annotations

import datetime as dt
import decimal
import statistics
import threading
import traceback

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import deltasql

D = decimal.Decimal


@pytest.fixture
def con(tmp_path):
    with deltasql.connect(tmp_path / "lake") as made:
        made.sql("CREATE TABLE t AS SELECT value AS id, value % 3 AS g, 'n' || value AS s FROM generate_series(1, 10)")
        made.sql("INSERT INTO t VALUES (NULL, NULL, NULL)")
        yield made


def test_by_row(con):
    con.create_function("Twice", lambda x: None if x is None else 2 * x, ["BIGINT"], "BIGINT")
    rows = con.sql("SELECT id, twice(id), TWICE(id + 1) FROM t ORDER BY id").fetchall()
    assert rows == [(n, 2 * n, 2 * n + 2) for n in range(1, 11)] + [(None, None, None)]
    assert con.sql("SELECT twice(21)").fetchall() == [(42,)]
    assert con.sql("SHOW FUNCTIONS LIKE 'twice'").fetchall() == [("twice",)]


def test_by_column(con):
    def longer(text, by):
        assert isinstance(text, pa.Array)
        return pc.binary_join_element_wise(text, by.cast(pa.string()), "+")

    con.create_function("longer", longer, [pa.string(), pa.int64()], pa.string(), vectorized=True)
    assert con.sql("SELECT longer(s, 7) FROM t WHERE longer(s, id) = 'n3+3'").fetchall() == [("n3+7",)]
    con.create_function("longer", lambda *_: pa.nulls(len(_[0])), ["STRING", "BIGINT"], "STRING", vectorized=True)
    assert con.sql("SELECT longer(s, 7) FROM t WHERE id = 1").fetchall() == [(None,)]


def test_functions_in_writes(con):
    con.create_function("twice", lambda x: x and 2 * x, ["BIGINT"], "BIGINT")
    con.create_function("shout", lambda s: s and s.upper() + "!", ["STRING"], "STRING")
    assert con.sql("UPDATE t SET id = twice(id), s = shout(s) WHERE twice(g) = 4").fetchall() == [(3,)]
    assert con.sql("DELETE FROM t WHERE shout(s) = 'N1!'").fetchall() == [(1,)]
    assert con.sql("INSERT INTO t SELECT twice(id), g, shout(s) FROM t WHERE id = 3").fetchall() == [(1, 1)]
    assert con.sql(
        "MERGE INTO t USING (SELECT 100 AS id) AS s ON twice(t.id) = s.id - 94"
        " WHEN MATCHED THEN UPDATE SET s = shout('m') WHEN NOT MATCHED THEN INSERT (id) VALUES (twice(s.id))"
    ).fetchall() == [(1, 1, 0, 0)]
    rows = con.sql("SELECT id, s FROM t WHERE g IN (0, 2) ORDER BY id, s").fetchall()
    assert rows == [(3, "M!"), (4, "N2!"), (6, "N3!"), (6, "n6"), (9, "n9"), (10, "N5!"), (16, "N8!")]


@pytest.mark.parametrize(
    ("type", "sql", "value"),
    [
        ("INT", "1", 1),
        ("TINYINT", "127", 127),
        ("DOUBLE", "1", 1.0),
        ("FLOAT", "0.5", 0.5),
        ("DECIMAL(10,2)", "CAST(1.5 AS DECIMAL(10,2))", D("1.50")),
        ("STRING", "'x'", "x"),
        ("BINARY", "X'00ff'", b"\x00\xff"),
        ("BOOLEAN", "true", True),
        ("DATE", "DATE '2026-01-02'", dt.date(2026, 1, 2)),
        ("TIMESTAMP", "TIMESTAMP '2026-01-02T03:04:05.000006Z'", dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)),
        ("ARRAY<BIGINT>", "[1, NULL]", [1, None]),
        ("STRUCT<a: BIGINT>", "named_struct('a', 1)", {"a": 1}),
    ],
)
def test_every_type(con, type, sql, value):
    seen = []
    con.create_function("f", lambda x: seen.append(x) or x, [type], type)
    con.create_function("v", lambda x: x, [type], type, vectorized=True)
    con.create_aggregate("a", lambda x: x[0], [type], type)
    assert con.sql(f"SELECT f({sql}), v({sql}), a({sql})").fetchall() == [(value, value, value)]
    assert set(map(str, seen)) == {str(value)}


def test_zones_do_not_shift(con):
    con.sql("SET time_zone = 'Asia/Tokyo'")
    con.create_function("f", lambda x: x, ["TIMESTAMP"], "TIMESTAMP")
    con.sql("CREATE TABLE at AS SELECT TIMESTAMP '2026-01-02T03:04:05Z' AS at")
    assert con.sql("SELECT f(at), f(at) = at FROM at").fetchall() == [
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), True)
    ]


# -- aggregates


def test_aggregates(con):
    con.create_aggregate("med", lambda x: statistics.median(v for v in x if v is not None), ["DOUBLE"], "DOUBLE")
    con.create_aggregate("span", lambda x: pc.subtract(pc.max(x), pc.min(x)), ["BIGINT"], "BIGINT", vectorized=True)
    con.create_aggregate("weighted", lambda v, w: sum(map(float.__mul__, v, w)) / sum(w), ["DOUBLE"] * 2, "DOUBLE")
    rows = con.sql(
        "SELECT g, med(id), span(id), weighted(id, 2) FROM t WHERE g IS NOT NULL GROUP BY g ORDER BY g"
    ).fetchall()
    assert rows == [(0, 6.0, 6, 6.0), (1, 5.5, 9, 5.5), (2, 5.0, 6, 5.0)]
    assert con.sql("SELECT med(id), med(id) FILTER (WHERE id < 3) FROM t").fetchall() == [(5.5, 1.5)]
    assert con.sql("SELECT med(id), span(id) FROM t WHERE id > 100").fetchall() == [(None, None)]
    assert con.sql("SELECT id, med(id) OVER (PARTITION BY g) FROM t WHERE g >= 0 ORDER BY id LIMIT 2").fetchall() == [
        (1, 5.5),
        (2, 5.0),
    ]
    con.sql("UPDATE t SET id = (SELECT CAST(med(id) AS BIGINT) FROM t) WHERE id = 1")
    assert con.sql("SELECT count(*) FROM t WHERE id = 5").fetchall() == [(2,)]


def test_an_aggregate_over_many_batches(con):
    con.create_aggregate("total", sum, ["BIGINT"], "BIGINT")
    rows = con.sql(
        "SELECT value % 7 AS k, total(value), sum(value) FROM generate_series(1, 50000) GROUP BY k"
    ).fetchall()
    assert [total for _, total, _ in rows] == [right for _, _, right in rows]


# -- what goes wrong


def test_an_error_comes_with_its_traceback(con):
    def broken(text):
        return [][len(text)]

    con.create_function("broken", broken, ["STRING"], "STRING")
    con.create_aggregate("breaks", lambda x: 1 / 0, ["BIGINT"], "BIGINT")
    for statement in (
        "SELECT broken(s) FROM t WHERE id = 1",
        "UPDATE t SET s = broken(s) WHERE id = 1",
        "SELECT broken('x')",
    ):
        with pytest.raises(
            deltasql.OperationalError, match="function `broken` failed: IndexError: list index"
        ) as caught:
            con.sql(statement).fetchall()
        assert isinstance(caught.value.__cause__, IndexError)
        assert "in broken" in "".join(traceback.format_exception(caught.value))
        assert caught.value.statement == statement
    with pytest.raises(deltasql.OperationalError, match="function `breaks` failed: ZeroDivisionError") as caught:
        con.sql("SELECT breaks(id) FROM t").fetchall()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert con.table("t").version() == 1


def test_each_thread_gets_its_own_error(con):
    def fails(number):
        raise ValueError(number)

    con.create_function("fails", fails, ["BIGINT"], "BIGINT")
    found = {}

    def run(number):
        try:
            con.sql("SELECT fails(?)", [number]).fetchall()
        except deltasql.OperationalError as error:
            found[number] = error.__cause__.args

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: (number,) for number in range(8)}


@pytest.mark.parametrize(
    ("function", "vectorized", "message"),
    [
        (lambda x: "x", False, "gave `'x'`, which is no BIGINT"),
        (lambda x: 1.5, False, "gave `1.5`, which is no BIGINT"),
        (lambda x: 2**64, False, "gave `18446744073709551616`, which is no BIGINT"),
        (lambda x: [x], False, r"gave `\[\d+\]`, which is no BIGINT"),
        (lambda x: D("1.5"), False, r"gave `Decimal\('1.5'\)`, which is no BIGINT"),
        (lambda x: x.slice(1), True, "gave 9 values for 10 rows"),
        (lambda x: x.cast(pa.string()), True, "gave STRING, not BIGINT"),
        (lambda x: x.cast(pa.float64()), True, "gave DOUBLE, not BIGINT"),
        (lambda x: x.to_pylist(), True, "gave a `list`, not an Arrow array"),
        (lambda x: None, True, "gave a `NoneType`, not an Arrow array"),
    ],
)
def test_what_a_function_must_not_give(con, function, vectorized, message):
    con.create_function("f", function, ["BIGINT"], "BIGINT", vectorized=vectorized)
    with pytest.raises(deltasql.DataError, match=f"function `f` {message}"):
        con.sql("SELECT f(id) FROM t WHERE id IS NOT NULL").fetchall()


def test_what_an_aggregate_must_not_give(con):
    con.create_aggregate("a", lambda x: "x", ["BIGINT"], "BIGINT")
    with pytest.raises(deltasql.DataError, match="function `a` gave `'x'`, which is no BIGINT"):
        con.sql("SELECT a(id) FROM t").fetchall()
    con.create_aggregate("a", lambda x: pa.scalar("x"), ["BIGINT"], "BIGINT", vectorized=True)
    with pytest.raises(deltasql.DataError, match="function `a` gave STRING, not BIGINT"):
        con.sql("SELECT a(id) FROM t").fetchall()


def test_wrong_arguments(con):
    con.create_function("f", lambda x: x, ["TINYINT"], "TINYINT")
    with pytest.raises(deltasql.DataError, match=r"function `f` takes TINYINT: .*300"):
        con.sql("SELECT f(300)").fetchall()
    for call in ("f()", "f(1, 2)", "f('x')"):
        with pytest.raises(deltasql.PlanError, match="'f'"):
            con.sql(f"SELECT {call}")


@pytest.mark.parametrize(
    ("name", "function", "arguments", "returns", "error"),
    [
        ("upper", len, ["STRING"], "INT", deltasql.AlreadyExists),
        ("SUM", len, ["STRING"], "INT", deltasql.AlreadyExists),
        ("a b", len, ["STRING"], "INT", deltasql.PlanError),
        ("", len, ["STRING"], "INT", deltasql.PlanError),
        ("f", 1, ["STRING"], "INT", deltasql.InterfaceError),
        ("f", len, [], "INT", deltasql.InterfaceError),
        ("f", len, "STRING", "INT", deltasql.InterfaceError),
        ("f", len, ["FOO"], "INT", deltasql.PlanError),
        ("f", len, ["STRING"], 3, deltasql.InterfaceError),
    ],
)
def test_what_is_no_function(con, name, function, arguments, returns, error):
    with pytest.raises(error):
        con.create_function(name, function, arguments, returns)
    with pytest.raises(error):
        con.create_aggregate(name, function, arguments, returns)


def test_replacing_and_dropping(con):
    con.create_function("f", lambda x: 1, ["BIGINT"], "BIGINT")
    assert con.sql("SELECT f(id) FROM t WHERE id = 1").fetchall() == [(1,)]
    con.create_function("F", lambda x: 2, ["BIGINT"], "BIGINT")
    assert con.sql("SELECT f(id) FROM t WHERE id = 1").fetchall() == [(2,)]
    con.sql("SET deltasql.threads = 1")
    assert con.sql("SELECT f(id) FROM t WHERE id = 1").fetchall() == [(2,)]
    con.create_aggregate("f", lambda x: 3, ["BIGINT"], "BIGINT")
    assert con.sql("SELECT f(id) FROM t").fetchall() == [(3,)]
    con.drop_function("f")
    with pytest.raises(deltasql.PlanError, match="there is no function `f`"):
        con.sql("SELECT f(id) FROM t WHERE id = 1")
    with pytest.raises(deltasql.PlanError, match="no function was created as `f`"):
        con.drop_function("f")


def test_a_function_that_runs_a_statement(con):
    con.create_function("f", lambda x: con.sql("SELECT 1").fetchone(), ["BIGINT"], "BIGINT")
    with pytest.raises(deltasql.OperationalError, match="function `f`"):
        con.sql("SELECT f(id) FROM t").fetchall()


def test_a_day_is_no_time(con):
    con.create_function("f", lambda x: dt.datetime(2026, 1, 1, 12), ["BIGINT"], "DATE")
    con.create_function("g", lambda x: 1, ["BIGINT"], "BOOLEAN")
    con.create_function("h", lambda x: 1, ["BIGINT"], "TIMESTAMP")
    for name in "fgh":
        with pytest.raises(deltasql.DataError, match=f"function `{name}` gave"):
            con.sql(f"SELECT {name}(1)").fetchall()
