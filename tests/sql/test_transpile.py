"""What becomes of queries of other dialects, as text: the same in both builds of sqlglot."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlglot.dialects.dialect import Dialects

from deltasql.errors import NotSupportedError, ParseError
from deltasql.settings import DIALECTS, OWN_DIALECT
from deltasql.sql.foreign.calls import RULES, entries
from deltasql.sql.foreign.formats import java, mysql, postgres, snowflake, strftime
from deltasql.sql.foreign.lexis import lexed
from deltasql.sql.foreign.manners import FAMILIES, MANNERS
from deltasql.sql.foreign.spark import spelled
from deltasql.sql.transpile import Known, lexical, transpile

COLUMNS = {"a": "INT", "b": "INT", "s": "STRING", "p": "DECIMAL(10,2)", "f": "DOUBLE", "d": "DATE", "l": "ARRAY<INT>"}
_NO_SQL = {"", "dax", "prql", "solr", "tableau"}


def columns(written: str) -> Mapping[str, str] | None:
    return COLUMNS if written.replace('"', "").lower().startswith("t") else None


def run(text: str, dialect: str) -> str:
    return transpile(lexical(text, dialect), dialect, Known(columns, {"1": "INT"}, frozenset({"mine"}))).text


def test_all_of_sqlglots_dialects_that_are_sql_are_there() -> None:
    assert set(DIALECTS) - {OWN_DIALECT} == {each.value for each in Dialects} - _NO_SQL
    assert set(MANNERS) == set(DIALECTS) - {OWN_DIALECT}
    assert {family for family, _ in RULES} <= set(FAMILIES.values())


@pytest.mark.parametrize("family", sorted(set(FAMILIES.values())))
def test_the_tables_read(family: str) -> None:
    for name, lines in entries(family).items():
        assert lines
        assert name == name.lower()


@pytest.mark.parametrize(
    ("dialect", "text", "wanted"),
    [
        ("duckdb", "SELECT a / b FROM t", 'SELECT CAST(a AS DOUBLE) / b AS "a / b" FROM t'),
        ("postgres", "SELECT a / b FROM t", "SELECT a / b FROM t"),
        ("spark", "SELECT l[0] FROM t", 'SELECT array_element(l, 1) AS "l[0]" FROM t'),
        ("trino", "SELECT l[1] AS x FROM t", "SELECT array_element(l, 1) AS x FROM t"),
        ("spark", "SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS FIRST"),
        ("duckdb", "SELECT a FROM t ORDER BY a DESC", "SELECT a FROM t ORDER BY a DESC NULLS LAST"),
        ("duckdb", "SELECT s NOT LIKE 'a\\b' AS x FROM t", "SELECT s NOT LIKE 'a\\\\b' AS x FROM t"),
        ("tsql", "SELECT TOP 2 [a] FROM [t]", 'SELECT "a" FROM "t" LIMIT 2'),
        ("duckdb", "SELECT mine(a) FROM t@v3 WHERE a > $1", "SELECT mine(a) FROM t@v3 WHERE a > $1"),
        ("duckdb", "VACUUM t RETAIN 0 HOURS", "VACUUM t RETAIN 0 HOURS"),
        ("bigquery", 'DELETE FROM t WHERE s = "x"', "DELETE FROM t WHERE s = 'x'"),
        ("spark", "CREATE TABLE x (a INT CHECK (a / 2 > 1))", None),
        ("duckdb", "SELECT a FROM t AS OF 3", None),
        ("spark", "SELECT a FROM t DISTRIBUTE BY a", None),
        ("duckdb", "SELECT nope(a) FROM t", None),
    ],
)
def test_a_text(dialect: str, text: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises((NotSupportedError, ParseError)):
            run(text, dialect)
    else:
        assert run(text, dialect) == wanted


@pytest.mark.parametrize(
    ("dialect", "text", "wanted"),
    [
        ("databricks", "SELECT \"it's\", 'a\\'b' -- c", "SELECT 'it''s', 'a''b'     "),
        ("bigquery", "SELECT '''a'b''' # c", "SELECT 'a''b'    "),
        ("tsql", "SELECT [a b], N'x'", "SELECT \"a b\", 'x'"),
        ("snowflake", "SELECT $$a'b$$ // c", "SELECT 'a''b'     "),
        ("postgres", "SELECT /* a /* b */ c */ 1", "SELECT                   1"),
    ],
)
def test_the_lexical_rules(dialect: str, text: str, wanted: str) -> None:
    assert lexed(text, dialect).text == wanted


@pytest.mark.parametrize(
    ("reader", "format", "wanted"),
    [
        (strftime, "%Y-%m", "%Y-%m"),
        (strftime, "%f", None),
        (mysql, "%i:%s %W", "%M:%S %A"),
        (mysql, "%D", None),
        (postgres, "YYYYMMDD HH24:MI", "%Y%m%d %H:%M"),
        (postgres, '"at" HH12', "at %I"),
        (postgres, "Month", None),
        (postgres, "Day", None),
        (snowflake, "yyyy-mm-dd", "%Y-%m-%d"),
        (snowflake, "FF3", None),
        (java, "yyyy-MM-dd'T'HH", "%Y-%m-%dT%H"),
        (java, "SSS", None),
        (java, "w", None),
    ],
)
def test_the_formats(reader, format: str, wanted: str | None) -> None:
    assert reader(format) == wanted


def test_sparks_functions_are_spelled_as_they_have_to_be() -> None:
    assert spelled("SELECT substr(a, 1), concat(a, b), CHAR(5)").text == (
        'SELECT "substr"(a, 1), CASE WHEN (a) IS NULL OR (b) IS NULL THEN NULL ELSE (a) || (b) END, CHAR(5)'
    )
    assert spelled("SELECT substring(a FROM 2), x.concat(a, b)").edits == ()
