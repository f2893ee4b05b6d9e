"""Which columns of a SELECT list and which names get more."""

from __future__ import annotations

import pytest

from deltasql.errors import Span
from deltasql.sql.select_list import told_apart
from deltasql.sql.sides import qualified
from deltasql.sql.splice import splice
from deltasql.sql.statements import Fragment


def _fragment(sql: str) -> Fragment:
    return Fragment(sql, Span(100, 100 + len(sql)))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1, 1", "SELECT 1, 1 AS {0}"),
        ("SELECT a, b, A", "SELECT a, b, A AS {0}"),
        ("SELECT s.a, s.a, s.a FROM s", "SELECT s.a, s.a AS {0}, s.a AS {1} FROM s"),
        ("SELECT DISTINCT f(a, b), f(a, b) FROM s", "SELECT DISTINCT f(a, b), f(a, b) AS {0} FROM s"),
        ("SELECT 1, 1 UNION SELECT 2, 2", "SELECT 1, 1 AS {0} UNION SELECT 2, 2 AS {1}"),
        (
            "SELECT (SELECT max(x) FROM s), (SELECT max(x) FROM s WHERE x < 2)",
            "SELECT (SELECT max(x) FROM s), (SELECT max(x) FROM s WHERE x < 2) AS {0}",
        ),
        (
            "SELECT EXISTS (SELECT 1 FROM s), EXISTS (SELECT 2 FROM r)",
            "SELECT EXISTS (SELECT 1 FROM s), EXISTS (SELECT 2 FROM r) AS {0}",
        ),
        ("WITH q AS (SELECT 1, 1) SELECT NULL, NULL", "WITH q AS (SELECT 1, 1) SELECT NULL, NULL AS {0}"),
    ],
)
def test_equal_columns_are_told_apart(sql: str, expected: str) -> None:
    names = [f"__deltasql_column_{number}" for number in range(2)]
    assert splice(sql, told_apart(sql)).text == expected.format(*names)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b",
        "SELECT a x, a x",
        "SELECT a AS x, a AS x",
        "SELECT *, *",
        "SELECT s.*, s.*",
        "SELECT (SELECT max(x) FROM s), (SELECT max(x) FROM r)",
        "VALUES (1, 1)",
    ],
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
