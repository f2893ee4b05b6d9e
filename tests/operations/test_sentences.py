"""What errors of queries and writes say and point at, where a library's own words were of no help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import deltasql
from deltasql import Connection


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with deltasql.connect(tmp_path_factory.mktemp("lake")) as connection:
        connection.sql("CREATE TABLE t (id INT, d DATE, s STRING)")
        connection.sql("CREATE TABLE u (id INT, s STRING)")
        connection.sql("INSERT INTO t (id) VALUES (1)")
        connection.sql("INSERT INTO u (id) VALUES (1)")
        yield connection


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t (id, nope) VALUES (1, 2)",
        "INSERT INTO t BY NAME SELECT 1 AS id, 2 AS nope",
        "INSERT INTO t PARTITION (nope = 1) VALUES (1, 2)",
        "CREATE TABLE c (a INT) CLUSTER BY (nope)",
        "CREATE TABLE c (a INT) PARTITIONED BY (nope)",
        "ALTER TABLE t CLUSTER BY (nope)",
    ],
)
def test_an_unknown_column_is_underlined(lake: Connection, text: str) -> None:
    with pytest.raises(deltasql.ColumnNotFound, match="there is no column `nope`") as caught:
        lake.sql(text).fetchall()
    assert caught.value.span is not None
    assert caught.value.span.of(text) == "nope"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CREATE TABLE c (a INT, CONSTRAINT k CHECK (a IN (SELECT 1)))", r"a query can't stand in it"),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (EXISTS (SELECT 1))", r"a query can't stand in it"),
        ("CREATE TABLE c (a INT, b INT GENERATED ALWAYS AS ((SELECT 1)))", r"a query can't stand in it"),
        ("INSERT INTO t REPLACE WHERE id = 1 VALUES (2, '2024-01-01', NULL)", "id = 2, d = 2024-01-01, s = NULL"),
        ("DELETE FROM t WHERE id", "a condition is a BOOLEAN, and this one is INT"),
        (
            "SELECT sum((SELECT max(x.id) FROM u x WHERE x.id < t.id + u.id)) FROM t, u",
            "can't stand in the call of an aggregate or a window here",
        ),
        (
            "SELECT t.id FROM t LEFT JOIN u ON true ORDER BY u.id IN (SELECT x.id FROM u x)",
            "can't stand in ORDER BY here",
        ),
        (
            "SELECT 1 FROM t FULL JOIN u ON true GROUP BY EXISTS (SELECT 1 FROM u x WHERE x.id = t.id)",
            "in GROUP BY here",
        ),
        ("SELECT * FROM (SELECT id, id FROM t)", "two columns of the result are called `id`"),
        ("SELECT id, 1 AS id FROM t", "two columns of the result are called `id`"),
        ("SELECT s::INT, s::DATE FROM t", "two columns of the result are called `s`"),
        ("WITH q AS (SELECT count(*), count(*) FROM t) TABLE q", "two columns of the result are called `count(*)`"),
        ("CREATE TABLE c AS SELECT id, id FROM t", "the query names column `id` twice"),
        ("INSERT INTO u BY NAME SELECT id, id FROM t", "the query names column `id` twice"),
        ("UPDATE t SET id = max(id)", "an aggregate function can't stand here"),
        ("INSERT INTO t VALUES (1, NULL, ''), (2, NULL)", "row 2 of VALUES has 2 values, and the first has 3"),
        ("SELECT CAST(300 AS TINYINT)", "`300` doesn't fit the type TINYINT"),
        (
            "SELECT * FROM (SELECT (SELECT count(*) FROM u), (SELECT count(*) FROM u) FROM t)",
            "two columns of the result are subqueries",
        ),
        (
            "SELECT 1 FROM t LEFT JOIN u ON true LEFT JOIN u v ON v.id = (SELECT max(x.id) FROM u x WHERE x.s = u.s)",
            "can't stand in the condition of a join",
        ),
        (
            "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED AND t.d IS NULL THEN INSERT (id) VALUES (1)",
            "WHEN NOT MATCHED sees the columns of the source alone",
        ),
    ],
)
def test_a_sentence(lake: Connection, text: str, said: str) -> None:
    with pytest.raises(deltasql.Error) as caught:
        lake.sql(text).fetchall()
    assert said in str(caught.value)
    assert "__deltasql" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("DELETE FROM t x WHERE x.id = 2 AND t.id = 3", "there is no column `id` in `t` (did you mean `x.id`?)", 37),
        ("UPDATE t SET id = id FROM u WHERE t.id = u.id", "`id` is ambiguous: more than one table", 18),
        ("SELECT t.id FROM t JOIN u ON t.id = u.id WHERE id > 1", "`id` is ambiguous: more than one table", 47),
        ("MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET id = id", "`id` is ambiguous", 70),
        ("DELETE FROM t WHERE id = 'abc'", "`'abc'` is no INT", 25),
        ("SELECT id FROM t WHERE d = DATE '2024-02-30'", "`'2024-02-30'` is no DATE", 32),
        ("SELECT TIMESTAMP 'soon'", "`'soon'` is no TIMESTAMP", 17),
    ],
)
def test_a_sentence_and_its_place(lake: Connection, text: str, said: str, place: int) -> None:
    with pytest.raises(deltasql.Error) as caught:
        lake.sql(text).fetchall()
    assert said in str(caught.value)
    assert caught.value.span is not None
    assert caught.value.span.start == place
