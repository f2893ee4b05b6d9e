"""What a cursor does beyond the PEP's letter: one write for many rows, descriptions of all types, wrong use."""

from __future__ import annotations

import datetime as dt
import decimal
import threading

import pandas as pd
import pytest

import deltasql
from deltasql.sql.many import as_one
from deltasql.sql.parser import parse

D = decimal.Decimal


def versions(con, table="t"):
    return con.table(table).version()


# -- many rows at once


@pytest.fixture
def cur(con):
    con.sql("CREATE TABLE t (a INT, b STRING, c DECIMAL(10, 2), d TIMESTAMP, e DATE, f DOUBLE, g BINARY, h BOOLEAN)")
    return con.cursor()


ROW = (1, "x", D("1.50"), dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC), dt.date(2026, 1, 2), 0.5, b"\0", True)


def test_an_insert_of_many_rows_is_one_commit(con, cur):
    rows = [ROW, (2, None, D("-12345678.99"), None, None, float("inf"), b"", False), (None,) * 8]
    cur.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    assert (cur.rowcount, cur.description, versions(con)) == (3, None, 1)
    assert cur.result.version == 1
    assert sorted(cur.execute("SELECT * FROM t").fetchall(), key=str) == sorted(rows, key=str)
    statement = con.sql("DESCRIBE HISTORY t LIMIT 1").to_arrow().to_pylist()[0]
    assert statement["operation"] == "WRITE"


def test_expressions_around_the_values(con, cur):
    text = "INSERT INTO t (b, A, c) VALUES (upper(?) || '?', ? + 1, 7)"
    cur.executemany(text, [("a", 1), ("b", 2), ("c", 3)])
    assert versions(con) == 1
    assert sorted(cur.execute("SELECT a, b, c FROM t")) == [(2, "A?", D(7)), (3, "B?", D(7)), (4, "C?", D(7))]


def test_one_parameter_twice(con, cur):
    cur.executemany(
        "INSERT INTO t (b, g, a) VALUES ($x, $x, $1x)".replace("$1x", "length($x)"), [{"x": "a"}, {"x": "bc"}]
    )
    assert versions(con) == 1
    assert sorted(cur.execute("SELECT a, b, g FROM t")) == [(1, "a", b"a"), (2, "bc", b"bc")]


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("INSERT INTO t (b) VALUES (?)", [(1,), ("x",)]),
        ("INSERT INTO t (f) VALUES (?)", [(1,), (0.5,)]),
        ("INSERT INTO t (d) VALUES (?)", [(dt.datetime(2026, 1, 1),), (dt.datetime(2026, 1, 1, tzinfo=dt.UTC),)]),
        ("INSERT INTO t (a, b) VALUES (?, DEFAULT)", [(1,), (2,)]),
        ("INSERT INTO t (a) VALUES (?), (?)", [(1, 2), (3, 4)]),
        ("INSERT INTO t (a) SELECT ?", [(1,), (2,)]),
        ("INSERT INTO t (a, b) VALUES ($x, $X)", [{"x": 1, "X": "b"}, {"x": 2, "X": "d"}]),
        ("UPDATE t SET a = ?", [(1,), (2,)]),
        ("INSERT INTO t (a) VALUES (1)", [(), ()]),
    ],
)
def test_what_is_not_one_write_goes_set_by_set(tmp_path, text, sets):
    """It must come to what the statements come to one by one."""
    tables = []
    for name in ("one", "many"):
        with deltasql.connect(tmp_path / name) as con:
            con.sql("CREATE TABLE t (a INT, b STRING, d TIMESTAMP, f DOUBLE)")
            con.sql("INSERT INTO t (a) VALUES (0)")
            cur = con.cursor()
            if name == "many":
                cur.executemany(text, sets)
            else:
                counts = [cur.execute(text, one).rowcount for one in sets]
            tables.append(sorted(con.sql("SELECT * FROM t").fetchall(), key=str))
            assert versions(con) == 3
    assert tables[0] == tables[1]
    assert cur.rowcount == sum(counts)


def test_no_sets(con, cur):
    cur.executemany("INSERT INTO t (a) VALUES (?)", [])
    assert (cur.rowcount, versions(con)) == (0, 0)


def test_sets_may_come_from_a_generator(con, cur):
    cur.executemany("INSERT INTO t (a) VALUES (?)", ((number,) for number in range(1000)))
    assert (cur.rowcount, versions(con)) == (1000, 1)
    assert cur.execute("SELECT sum(a) FROM t").fetchone() == (499500,)


def test_a_value_that_fails_leaves_the_table(con, cur):
    with pytest.raises(deltasql.CastError, match="column `a`") as caught:
        cur.executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2**40,)])
    assert caught.value.statement == "INSERT INTO t (a) VALUES (?)"
    assert versions(con) == 0


def test_a_wrong_set_fails_before_anything_is_written(con, cur):
    with pytest.raises(deltasql.ProgrammingError, match="takes 1 parameter, 2 given"):
        cur.executemany("INSERT INTO t (a) VALUES (?)", [(1,), (1, 2)])
    assert versions(con) == 0


def test_an_error_has_its_place(con, cur):
    text = "INSERT INTO t (a) VALUES (? + nosuch)"
    with pytest.raises(deltasql.ColumnNotFound) as caught:
        cur.executemany(text, [(1,), (2,)])
    assert caught.value.span.of(text) == "nosuch"


def test_a_query_cannot_run_for_many_sets(cur):
    with pytest.raises(deltasql.ProgrammingError, match="returns rows"):
        cur.executemany("SELECT ?", [(1,), (2,)])


# -- what is known of columns


def test_descriptions(cur):
    cur.execute("SELECT *, [1] AS i FROM t")
    codes = [(code, precision, scale) for _, code, _, _, precision, scale, _ in cur.description]
    assert codes == [
        ("INT", None, None),
        ("STRING", None, None),
        ("DECIMAL(10,2)", 10, 2),
        ("TIMESTAMP", None, None),
        ("DATE", None, None),
        ("DOUBLE", None, None),
        ("BINARY", None, None),
        ("BOOLEAN", None, None),
        ("ARRAY<BIGINT>", None, None),
    ]
    kinds = [deltasql.NUMBER, deltasql.STRING, deltasql.NUMBER, deltasql.DATETIME, deltasql.DATETIME]
    assert [code for code, _, _ in codes[:5]] == kinds


def test_a_look_at_a_table_has_rows(con, cur):
    assert [column[0] for column in cur.execute("SHOW TABLES").description] == ["namespace", "tableName", "isTemporary"]
    assert cur.fetchall() == [("default", "t", False)]
    assert cur.execute("OPTIMIZE t").description[0][0] == "path"


def test_a_column_called_as_a_count_is(cur):
    cur.execute("SELECT 1 AS num_affected_rows")
    assert (cur.fetchall(), cur.rowcount) == ([(1,)], -1)


def test_merge_counts(con, cur):
    cur.execute("INSERT INTO t (a) VALUES (1), (2)")
    cur.execute(
        "MERGE INTO t USING (SELECT 2 AS a UNION ALL SELECT 3) AS s ON t.a = s.a"
        " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
    )
    assert (cur.rowcount, cur.description) == (2, None)
    assert cur.result.to_arrow().to_pylist()[0]["num_deleted_rows"] == 1


# -- wrong use, others' use


def test_before_a_statement(con):
    with pytest.raises(deltasql.InterfaceError, match="no statement was executed"):
        con.cursor().fetchall()


def test_a_failed_statement_leaves_no_rows_of_the_one_before(cur):
    cur.execute("SELECT 1")
    with pytest.raises(deltasql.TableNotFound):
        cur.execute("SELECT * FROM nosuch")
    assert cur.description is None
    with pytest.raises(deltasql.InterfaceError):
        cur.fetchone()


def test_a_cursor_of_a_closed_connection(con, cur):
    cur.execute("SELECT 1")
    con.close()
    with pytest.raises(deltasql.ClosedError, match="connection is closed"):
        cur.fetchall()


def test_one_string_is_no_parameters(cur):
    with pytest.raises(deltasql.ProgrammingError, match="not one string"):
        cur.execute("SELECT ?", "x")


@pytest.mark.filterwarnings("ignore:pandas only supports SQLAlchemy")
def test_pandas_reads(con, cur):
    cur.executemany("INSERT INTO t (a, b) VALUES (?, ?)", [(1, "x"), (2, None)])
    frame = pd.read_sql("SELECT a, b FROM t WHERE a > ? ORDER BY a", con, params=[0])
    assert frame["a"].to_list() == [1, 2]
    assert frame["b"][0] == "x"
    assert pd.isna(frame["b"][1])
    parts = list(pd.read_sql("SELECT a FROM t ORDER BY a", con, chunksize=1))
    assert [list(part["a"]) for part in parts] == [[1], [2]]
    # Of which class depends on pandas, which catches all errors in one version and SQLite's in another.
    with pytest.raises((pd.errors.DatabaseError, deltasql.TableNotFound), match="there is no table `nosuch`") as caught:
        pd.read_sql("SELECT * FROM nosuch", con)
    assert "unable to rollback" not in str(caught.value)


def test_threads_share_a_connection(con, cur):
    failures = []

    def work(number):
        try:
            own = con.cursor()
            for step in range(5):
                own.execute("INSERT INTO t (a) VALUES (?)", [number])
                count = own.execute("SELECT count(*) FROM t WHERE a = ?", [number]).fetchone()
                assert count == (step + 1,)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cur.execute("SELECT a, count(*) FROM t GROUP BY a ORDER BY a").fetchall() == [(n, 5) for n in range(4)]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("INSERT INTO t VALUES ($1)", "SELECT  _1 FROM __deltasql_parameters"),
        ("INSERT INTO t VALUES (f($1), ($a))", "SELECT  f(_1), (_a) FROM __deltasql_parameters"),
        ("INSERT INTO t VALUES ((SELECT count(*) FROM t) + $1)", None),
        ("INSERT INTO t VALUES ($1), (2)", None),
        ("INSERT INTO t VALUES (1)", None),
        ("INSERT OVERWRITE t VALUES ($1)", None),
        ("INSERT INTO t REPLACE WHERE a = 1 VALUES ($1)", None),
        ("INSERT INTO t VALUES ($1) LIMIT 1", None),
        ("WITH c AS (SELECT 1) INSERT INTO t VALUES ($1)", None),
        ("INSERT WITH SCHEMA EVOLUTION INTO t VALUES ($1)", None),
        ("DELETE FROM t WHERE a = $1", None),
    ],
)
def test_which_inserts_are_one(text, query):
    found = as_one(parse(text))
    assert (None if found is None else found.source.sql) == query
