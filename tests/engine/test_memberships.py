"""IN and NOT IN with a query: three truth values wherever they stand, as in SQLite (sql/memberships.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import datafusion
import pytest

import deltasql
from deltasql import Connection

_TABLES = (
    "CREATE TABLE a (k INT, s VARCHAR(9))",
    "INSERT INTO a VALUES (1, 'x'), (2, 'y'), (NULL, 'z'), (1, 'e')",
    "CREATE TABLE b (k INT, s VARCHAR(9))",
    "INSERT INTO b VALUES (1, 'x'), (NULL, 'q'), (2, 'e'), (3, 'y'), (NULL, 'y')",
)
_QUERIES = (
    "SELECT k FROM b",
    "SELECT k AS kk FROM b WHERE s = 'nothing'",
    "SELECT k FROM b WHERE k IS NOT NULL",
    "SELECT b.k FROM b WHERE b.k < a.k",
    "SELECT b.k FROM b WHERE b.k = a.k",
    "SELECT 1 FROM b WHERE b.k = a.k",
    "SELECT DISTINCT k FROM b WHERE b.s = a.s",
    "SELECT k + 1 FROM b WHERE s <> a.s",
    "SELECT max(b.k) FROM b",
    "SELECT count(*) FROM b WHERE b.s = a.s",
    "SELECT max(b.k) FROM b GROUP BY b.s",
    "SELECT max(b.k) AS m FROM b WHERE b.s = a.s GROUP BY b.s",
    "SELECT k FROM b UNION SELECT k FROM a",
    "SELECT k FROM b WHERE k NOT IN (SELECT k FROM a WHERE a.s = b.s)",
    "SELECT k FROM b WHERE k IN (SELECT k FROM a) OR s NOT IN (SELECT s FROM a WHERE a.k = b.k)",
)
_CONDITIONS = (
    "{}",
    "NOT {}",
    "a.s = 'q' OR {}",
    "NOT (a.s = 'q' AND {})",
    "({}) IS NULL",
    "CASE WHEN {} THEN true ELSE a.s = 'y' END",
    "a.s <> 'q' AND ({})",
)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, sqlite3.Connection]]:
    here, reference = deltasql.connect(tmp_path_factory.mktemp("lake")), sqlite3.connect(":memory:")
    for statement in _TABLES:
        here.sql(statement)
        reference.execute(statement)
    yield here, reference
    reference.close()
    here.close()


@pytest.mark.parametrize("query", _QUERIES)
def test_they_are_three_valued(engines: tuple[Connection, sqlite3.Connection], query: str) -> None:
    here, reference = engines
    for condition in _CONDITIONS:
        for value in ("k", "0"):
            for word in ("IN", "NOT IN"):
                text = f"SELECT s FROM a WHERE {condition.format(f'{value} {word} ({query})')} ORDER BY s"
                assert (text, here.sql(text).fetchall()) == (text, reference.execute(text).fetchall())


def test_a_not_in_alone_stays_one_join(engines: tuple[Connection, sqlite3.Connection]) -> None:
    plan = [text for _, text in engines[0].sql("EXPLAIN SELECT s FROM a WHERE k NOT IN (SELECT k FROM b) AND s > 'a'")]
    assert sum("null_aware" in line for line in plan) == 2
    assert sum("Join" in line for line in plan) == 2


@pytest.mark.parametrize("parameter", [1, None])
def test_they_take_parameters(engines: tuple[Connection, sqlite3.Connection], parameter: int | None) -> None:
    here, reference = engines
    text = "SELECT s FROM a WHERE s = ? OR k NOT IN (SELECT b.k FROM b WHERE b.k >= ?) ORDER BY s"
    values = ["x", parameter]
    assert here.sql(text, values).fetchall() == reference.execute(text, values).fetchall()


def test_an_exists_of_an_aggregate_holds(engines: tuple[Connection, sqlite3.Connection]) -> None:
    here, reference = engines
    text = "SELECT s FROM a WHERE EXISTS (SELECT count(*) FROM b WHERE b.s = a.s) ORDER BY s"
    assert here.sql(text).fetchall() == reference.execute(text).fetchall()


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("SELECT s FROM a WHERE s = 'x' OR k NOT IN (SELECT b.k FROM b WHERE b.k = nope)", "nope"),
        ("SELECT s FROM a WHERE s = 'x' OR nope NOT IN (SELECT b.k FROM b)", "nope"),
        ("SELECT s FROM a WHERE s = 'x' OR k NOT IN (SELECT b.k FROM b) AND wrong = 1", "wrong"),
        ("SELECT s FROM a WHERE s = 'x' OR k NOT IN (SELECT k FROM nowhere)", "nowhere"),
    ],
)
def test_errors_have_their_place(engines: tuple[Connection, sqlite3.Connection], text: str, culprit: str) -> None:
    with pytest.raises(deltasql.ProgrammingError, match=culprit) as caught:
        engines[0].sql(text)
    assert caught.value.span is not None
    assert caught.value.span.of(text) == culprit


def test_writes_see_them_too(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as here:
        for statement in _TABLES:
            here.sql(statement)
        assert here.sql("DELETE FROM a WHERE s = 'q' OR k NOT IN (SELECT k FROM b)").fetchall() == [(0,)]
        changed = "UPDATE a SET s = 'u' WHERE k NOT IN (SELECT b.k FROM b WHERE b.k = a.k)"
        assert here.sql(changed).fetchall() == [(1,)]
        assert here.sql("SELECT k FROM a WHERE s = 'u'").fetchall() == [(None,)]
        here.sql("INSERT INTO a REPLACE WHERE k IN (SELECT max(k) FROM a) SELECT 2, 'new'")
        assert here.sql("SELECT s FROM a WHERE k = 2").fetchall() == [("new",)]


@pytest.mark.upstream("a join that marks rows knows no NULL, and an anti join takes any NULL for one of its query's")
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="DataFusion 55; sql/memberships.py tells them otherwise")
@pytest.mark.parametrize(
    ("predicate", "right"),
    [
        ("s = 'q' OR k NOT IN (SELECT k FROM b)", []),
        ("(k IN (SELECT k FROM b)) IS NULL", ["y", "z"]),
        ("k NOT IN (SELECT b.k FROM b WHERE b.k < a.k)", ["e", "x", "y", "z"]),
        ("0 NOT IN (SELECT k FROM b)", []),
        ("0 IN (SELECT count(*) FROM b WHERE b.s = a.s)", ["z"]),
        ("EXISTS (SELECT count(*) FROM b WHERE b.s = a.s)", ["e", "x", "y", "z"]),
    ],
)
def test_what_datafusion_makes_of_them(predicate: str, right: list[str]) -> None:
    context = datafusion.SessionContext()
    for statement in _TABLES:
        context.sql(statement).collect()
    assert [row["s"] for row in context.sql(f"SELECT s FROM a WHERE {predicate} ORDER BY s").to_pylist()] == right


@pytest.mark.parametrize("word", ["EXCEPT", "INTERSECT"])
def test_set_operations_that_count_rows_are_refused(engines: tuple[Connection, sqlite3.Connection], word: str) -> None:
    with pytest.raises(deltasql.UnsupportedStatement, match=f"{word} ALL is not supported"):
        engines[0].sql(f"SELECT k FROM a {word} ALL SELECT k FROM b")
