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
        ("SELECT sum((SELECT max(u.id) FROM u WHERE u.id < t.id)) FROM t", "can't stand in the call of an aggregate"),
        ("SELECT id FROM t ORDER BY id IN (SELECT id FROM u)", "can't stand in ORDER BY"),
        ("SELECT 1 FROM t GROUP BY EXISTS (SELECT id FROM u WHERE u.id = t.id)", "can't stand in GROUP BY"),
        ("SELECT id, id FROM t", "two columns of the result are called `id`"),
        (
            "SELECT (SELECT count(*) FROM u), (SELECT count(*) FROM u) FROM t",
            "two columns of the result are subqueries",
        ),
        (
            "MERGE INTO t USING u ON t.id < (SELECT max(x.id) FROM u x WHERE x.s = t.s) "
            "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (1)",
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
