"""Which subqueries of an expression are told otherwise, which columns of a SELECT list and which names get more."""

from __future__ import annotations

import pytest

from deltasql.errors import Span
from deltasql.sql.select_list import told_apart
from deltasql.sql.sides import qualified
from deltasql.sql.splice import splice
from deltasql.sql.statements import Fragment
from deltasql.sql.subqueries import runnable
from deltasql.sql.woven import Woven


def _fragment(sql: str) -> Fragment:
    return Fragment(sql, Span(100, 100 + len(sql)))


def _told(sql: str, *, selected: bool = True, correlated: bool = True) -> Woven:
    return runnable(_fragment(sql), selected=selected, is_correlated=lambda _: correlated)


@pytest.mark.parametrize(
    "sql",
    [
        "a + 1",
        "(a, b)",
        "x IN (1, 2)",
        "(SELECT max(x) FROM s WHERE s.a = t.a)",
        "(SELECT Count ( * ) FROM s WHERE s.a = t.a)",
        "(SELECT x FROM s WHERE s.a = t.a LIMIT 1)",
        "(SELECT DISTINCT x FROM s WHERE s.a = t.a)",
        "(SELECT x FROM s UNION SELECT y FROM s)",
        "a > ANY (SELECT x FROM s)",
        "array(SELECT x FROM s)",
        "'(SELECT x FROM s)'",
        "a -- (SELECT x FROM s)",
    ],
)
def test_what_stays(sql: str) -> None:
    assert _told(sql).sql == sql


def test_what_needs_nothing_around_it_stays() -> None:
    assert _told("(SELECT x FROM s)", correlated=False).sql == "(SELECT x FROM s)"


@pytest.mark.parametrize(
    "sql", ["a IN (SELECT x FROM s)", "NOT EXISTS (SELECT 1 FROM s)", "a NOT IN (SELECT x FROM s)"]
)
def test_filters_hold_what_select_lists_do_not(sql: str) -> None:
    assert _told(sql, selected=False).sql == sql
    assert _told(sql, correlated=False).sql != sql


def test_in_that_needs_columns_from_around_it_is_left_to_the_query() -> None:
    assert _told("a IN (SELECT x FROM s WHERE s.b < t.b)").sql == "a IN (SELECT x FROM s WHERE s.b < t.b)"


def test_an_aggregate_gives_a_row_even_of_none() -> None:
    assert "(SELECT count(*) FROM (SELECT any_agg(x) FROM s\n)) > 0" in _told("EXISTS (SELECT any_agg(x) FROM s)").sql
    assert "(SELECT count(*) FROM s\n) > 0" in _told("EXISTS (SELECT x FROM s)").sql


def test_errors_keep_their_place() -> None:
    sql = "1 + (SELECT bad FROM s WHERE s.a = t.a)"
    told = _told(sql)
    at = told.sql.index("bad")
    assert told.place(Span(at, at + 3)) == Span(100 + sql.index("bad"), 103 + sql.index("bad"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1, 1", "SELECT 1, 1 AS {0}"),
        ("SELECT a, b, A", "SELECT a, b, A AS {0}"),
        ("SELECT s.a, s.a, s.a FROM s", "SELECT s.a, s.a AS {0}, s.a AS {1} FROM s"),
        ("SELECT DISTINCT f(a, b), f(a, b) FROM s", "SELECT DISTINCT f(a, b), f(a, b) AS {0} FROM s"),
        ("SELECT 1, 1 UNION SELECT 2, 2", "SELECT 1, 1 AS {0} UNION SELECT 2, 2 AS {1}"),
        ("WITH q AS (SELECT 1, 1) SELECT NULL, NULL", "WITH q AS (SELECT 1, 1) SELECT NULL, NULL AS {0}"),
    ],
)
def test_equal_columns_are_told_apart(sql: str, expected: str) -> None:
    names = [f"__deltasql_column_{number}" for number in range(2)]
    assert splice(sql, told_apart(sql)).text == expected.format(*names)


@pytest.mark.parametrize(
    "sql",
    ["SELECT a, b", "SELECT a x, a x", "SELECT a AS x, a AS x", "SELECT *, *", "SELECT s.*, s.*", "VALUES (1, 1)"],
)
def test_what_is_named_or_differs_stays(sql: str) -> None:
    assert told_apart(sql) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a + B", '"s".a + "s".B'),
        ("other + s.a + a.b", "other + s.a + a.b"),
        ("a(b)", 'a("s".b)'),
        ('"a" IN (SELECT a FROM z WHERE b = 1)', '"s"."a" IN (SELECT a FROM z WHERE b = 1)'),
        ("CAST(x AS a)", "CAST(x AS a)"),
        ("a '2020-01-01'", "a '2020-01-01'"),
        ("'a' || a -- b", "'a' || \"s\".a -- b"),
    ],
)
def test_columns_get_their_table(sql: str, expected: str) -> None:
    assert qualified(_fragment(sql), {"a", "b"}, "s").sql == expected
