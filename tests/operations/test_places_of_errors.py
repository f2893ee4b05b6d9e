"""Errors that point at what caused them: the value or column that a table refused, a setting, a name in a clause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import CastError, ConstraintViolation, Error, OperationalError, PlanError
from deltasql.sql.mention import culprit

_MADE = (
    "CREATE TABLE t (id INT NOT NULL, n TINYINT, s VARCHAR(3), tags ARRAY<INT>, st STRUCT<a: INT>,"
    " CONSTRAINT pos CHECK (n > 0))",
    "INSERT INTO t (id, n) VALUES (1, 2)",
    "CREATE TABLE u AS SELECT 'abc' AS a, 1000 AS b",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    with deltasql.connect(root) as con:
        for statement in _MADE:
            con.sql(statement)
    return root


@pytest.fixture
def con(lake: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(lake) as connection:
        yield connection


def place(error: Error) -> str | None:
    assert error.statement is not None
    return None if error.span is None else error.span.of(error.statement)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO t (id, n) VALUES (2, 3), (3, 300)", "300"),
        ("INSERT INTO t (id, n) VALUES ('abc', 1)", "'abc'"),
        ("INSERT INTO t (id, n) VALUES (7, -5)", "-5"),
        ("INSERT INTO t (id, n) VALUES (7, 1), (NULL, 5)", "NULL"),
        ("INSERT INTO t (id, s) VALUES (5, 'abcd''')", "'abcd'''"),
        ("INSERT INTO t (id, n) VALUES (1, 299 + 1)", "299 + 1"),
        ("INSERT INTO t (id, n) SELECT -b, b FROM u", "b"),
        ("INSERT INTO t (id, n) SELECT 1, b + 0 FROM u WHERE b = 1000", "b + 0"),
        ("INSERT INTO t SELECT 1, b, NULL, NULL, NULL FROM u", "b"),
        ("INSERT INTO t (id, st) VALUES (1, named_struct('a', 'x'))", "'x'"),
        ("INSERT INTO t VALUES (NULL, 1, NULL, NULL, NULL), (NULL, 1, NULL, NULL, NULL)", "t"),
        ("INSERT INTO t VALUES (NULL, 1, NULL, NULL, NULL)", "NULL"),
        ("WITH w AS (SELECT 7 AS b) INSERT INTO t BY NAME SELECT -w.b AS n, w.b AS id FROM w", "-w.b AS n"),
        # Whose value it is can't be told: the column is.
        ("INSERT INTO t (id, n) VALUES (1, 299 + 1), (2, 299 + 2)", "n"),
        ("INSERT INTO t (id, n) SELECT 1, b FROM u UNION ALL SELECT 5, b FROM u", "n"),
        ("INSERT INTO t (id, n) SELECT u.*  FROM (SELECT 1, b FROM u) AS u", "n"),
        ("UPDATE t SET n = 300", "n"),
        ("UPDATE t SET s = NULL, n = id - 10 WHERE id > 0 AND n = n", "n"),
        ("UPDATE t SET st.a = 'x'", "st"),
        ("MERGE INTO t USING u ON t.id = 1 WHEN MATCHED THEN UPDATE SET n = u.b", "n"),
        ("UPDATE t SET st = 5", "st"),
        ("MERGE INTO t USING u ON t.id = u.b WHEN NOT MATCHED THEN INSERT (id, n) VALUES (u.b, -5)", "-5"),
        ("MERGE INTO t USING u ON t.id = u.b WHEN NOT MATCHED THEN INSERT (id, n) VALUES (u.b, u.b)", "u.b"),
        # Neither is written: the table is.
        ("INSERT INTO t (n) VALUES (5)", "t"),
        ("INSERT INTO t SELECT u.*, NULL, NULL, NULL FROM (SELECT 1, b FROM u) AS u", "t"),
        ("MERGE INTO t USING u ON t.id = u.b WHEN NOT MATCHED THEN INSERT (n) VALUES (5)", "t"),
    ],
)
def test_what_a_table_refuses_is_underlined(con: deltasql.Connection, statement: str, expected: str | None) -> None:
    version = con.sql("SELECT max(version) FROM table_history('t')").fetchall()
    rows = con.sql("SELECT id, n FROM t").fetchall()
    with pytest.raises((CastError, ConstraintViolation)) as raised:
        con.sql(statement)
    assert place(raised.value) == expected
    assert con.sql("SELECT max(version) FROM table_history('t')").fetchall() == version
    assert con.sql("SELECT id, n FROM t").fetchall() == rows


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE TABLE v (a INT) CLUSTER BY (nope)", "nope"),
        ("CREATE TABLE v (a INT, b STRUCT<c: INT>) CLUSTER BY (b.nope)", "b.nope"),
        ("CREATE TABLE v (a INT) PARTITIONED BY (nope)", "nope"),
        ("CREATE TABLE v (a INT, A STRING)", "A"),
        ("ALTER TABLE t CLUSTER BY (st.nope)", "st.nope"),
        ("OPTIMIZE t ZORDER BY (nope)", "nope"),
        ("OPTIMIZE t ZORDER BY (tags)", "tags"),
        ("INSERT INTO t (id, ID) VALUES (1, 2)", "ID"),
        ("SET deltasql.nope = 1", "deltasql.nope"),
        ("SET datafusion.nope.x = 1", "datafusion.nope.x"),
        ("SET deltasql.reader = 'nope'", "'nope'"),
        ("RESET deltasql.nope", "deltasql.nope"),
        ("SHOW deltasql.nope", "deltasql.nope"),
        ("ALTER TABLE t SET TBLPROPERTIES ('delta.nope' = '1')", "'delta.nope'"),
        ("EXPLAIN OPTIMIZE t ZORDER BY (tags)", "tags"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 100)", "n > 100"),
        ("ALTER TABLE t ALTER COLUMN s SET NOT NULL", "s"),
        ("VACUUM t RETAIN 1 HOURS", "1"),
        ("COPY INTO t FROM '/nowhere/at all' FILEFORMAT = CSV", "'/nowhere/at all'"),
        ("COPY INTO t FROM '/' FILEFORMAT = CSV FILES = ('nowhere.csv')", "'nowhere.csv'"),
        ("INSERT INTO t VALUES (1, 2), (3)", "3"),
        ("INSERT INTO t REPLACE WHERE id = 9 SELECT 1, 2, NULL, NULL, NULL", "id = 9"),
        (
            "MERGE INTO t USING (SELECT 1 AS a UNION ALL SELECT 1) AS x ON t.id = a WHEN MATCHED THEN UPDATE SET n = a",
            "t.id = a",
        ),
        (
            "UPDATE t SET n = x.a FROM (SELECT 5 AS a UNION ALL SELECT 6) AS x",
            "(SELECT 5 AS a UNION ALL SELECT 6) AS x",
        ),
        ("INSERT INTO delta.`/nowhere/t` VALUES (1)", "delta.`/nowhere/t`"),
        ("ATTACH '/tmp' AS information_schema", "information_schema"),
    ],
)
def test_names_in_clauses_are_underlined(con: deltasql.Connection, statement: str, expected: str) -> None:
    with pytest.raises(Error) as raised:
        con.sql(statement)
    assert place(raised.value) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO t (id) VALUES (1)", "t"),
        ("CREATE TABLE main.default.v (a INT)", "main.default.v"),
        ("EXPLAIN DELETE FROM t", "t"),
        ("VACUUM t", "t"),
        ("CREATE SCHEMA v", "v"),
        ("DROP SCHEMA v", "v"),
    ],
)
def test_the_table_of_a_read_only_connection_is_underlined(lake: Path, statement: str, expected: str | None) -> None:
    with deltasql.connect(lake, read_only=True) as con, pytest.raises(OperationalError, match="read-only") as raised:
        con.sql(statement)
    assert place(raised.value) == expected


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PlanError("`a` is twice there"), "SELECT a, a"),
        (PlanError("nothing is quoted"), "SELECT a"),
        (PlanError("`'it` was cut off"), "SELECT 'it'"),
        (PlanError("`a` is in no text that can be read"), "SELECT a, 'b"),
        (CastError("`1` doesn't fit column `b` of type DATE"), "INSERT INTO t VALUES (1, 1)"),
        (CastError("`1` doesn't fit column `b` of type DATE"), "INSERT INTO t (a) VALUES (1 + 1)"),
        (CastError("a value doesn't fit"), "INSERT INTO t VALUES (1)"),
        (OperationalError("`a` is elsewhere"), "SELECT a"),
    ],
)
def test_no_place_is_guessed(error: Error, text: str) -> None:
    assert culprit(error, text) is None
