"""The small grammars that statements share: names, time travel, constants, types, properties."""

from __future__ import annotations

import pytest

from deltasql.errors import ParseError, UnsupportedStatement
from deltasql.names import AsOf, TableReference, Timestamp, Version
from deltasql.sql.cursor import Cursor

TABLES = {
    "t": (("t",), None),
    "s.t": (("s", "t"), None),
    "c . s . t": (("c", "s", "t"), None),
    '"a.b".`c``d`': (("a.b", "c`d"), None),
    "delta.`/p`": ((), "/p"),
    "DELTA.`s3://b/t`": ((), "s3://b/t"),
    "'/p/q'": ((), "/p/q"),
    "delta.p": (("delta", "p"), None),
    "`delta`.`p`": (("delta", "p"), None),
    "parquet.`/p`": (("parquet", "/p"), None),
    "délta_表": (("délta_表",), None),
}


@pytest.mark.parametrize("sql", TABLES)
def test_table(sql: str) -> None:
    cursor = Cursor(f"x {sql} y")
    cursor.expect("X")
    found = cursor.table()
    assert (found.parts, found.path) == TABLES[sql]
    assert found.span is not None
    assert found.span.of(cursor.sql) == sql
    assert cursor.at("Y")


TRAVEL: dict[str, AsOf | None] = {
    "t": None,
    "t VERSION AS OF 3": Version("3"),
    "t version as of '3'": Version("'3'"),
    "t VERSION AS OF $1": Version("$1"),
    "t FOR VERSION AS OF 3": Version("3"),
    "t SYSTEM_VERSION AS OF 3": Version("3"),
    "t FOR SYSTEM_VERSION AS OF 3": Version("3"),
    "t AT (VERSION => 3)": Version("3"),
    "t@v3": Version("3"),
    "t@V012": Version("12"),
    "`a b`@v3": Version("3"),
    "s.t@v3": Version("3"),
    "t TIMESTAMP AS OF '2024-01-31'": Timestamp("'2024-01-31'"),
    "t TIMESTAMP AS OF TIMESTAMP '2024-01-31 00:00:00'": Timestamp("TIMESTAMP '2024-01-31 00:00:00'"),
    "t FOR TIMESTAMP AS OF $name": Timestamp("$name"),
    "t SYSTEM_TIME AS OF current_date": Timestamp("current_date"),
    "t FOR SYSTEM_TIME AS OF '2024-01-31'": Timestamp("'2024-01-31'"),
    "t AT (TIMESTAMP => now() - INTERVAL '1' DAY)": Timestamp("now() - INTERVAL '1' DAY"),
    "t TIMESTAMP AS OF current_timestamp() - INTERVAL '1' DAY": Timestamp("current_timestamp() - INTERVAL '1' DAY"),
    "t TIMESTAMP AS OF now() - INTERVAL 1 DAY 2 HOURS": Timestamp("now() - INTERVAL 1 DAY 2 HOURS"),
    "t TIMESTAMP AS OF now() - INTERVAL '1 02' DAY TO HOUR": Timestamp("now() - INTERVAL '1 02' DAY TO HOUR"),
    "t TIMESTAMP AS OF now() - 2 * INTERVAL '1 day'": Timestamp("now() - 2 * INTERVAL '1 day'"),
    "t TIMESTAMP AS OF date_sub(current_date(), 1)": Timestamp("date_sub(current_date(), 1)"),
    "t TIMESTAMP AS OF '2024'::timestamp": Timestamp("'2024'::timestamp"),
    "t TIMESTAMP AS OF ('2024' || '-01-31')": Timestamp("('2024' || '-01-31')"),
    "t TIMESTAMP AS OF '2024' || '-01-31'": Timestamp("'2024' || '-01-31'"),
}


@pytest.mark.parametrize("tail", ["", " AS x", " x", " JOIN s", ", s", ")"])
@pytest.mark.parametrize("sql", TRAVEL)
def test_time_travel(sql: str, tail: str) -> None:
    cursor = Cursor(sql + tail)
    found = cursor.table(as_of=True)
    assert found.as_of == TRAVEL[sql]
    assert found.span is not None
    assert found.span.of(cursor.sql) == sql
    assert cursor.sql[cursor.here().start :] == tail.strip()


def test_a_path_suffix_is_left_to_the_catalog() -> None:
    assert Cursor("delta.`/p@v1`").table(as_of=True) == TableReference(
        path="/p@v1", span=Cursor("delta.`/p@v1`").table().span
    )


def test_a_time_suffix_is_an_instant() -> None:
    found = Cursor("t@20240131093000123").table(as_of=True).as_of
    assert isinstance(found, Timestamp)
    assert "2024-01-31 09:30:00.123" in found.expression


@pytest.mark.parametrize("sql", ["t@x", "t@v", "t@2024", "t @v1", "t@20241331093000123"])
def test_a_wrong_suffix(sql: str) -> None:
    with pytest.raises(ParseError, match="expected `@v` and a version"):
        Cursor(sql).table(as_of=True)


@pytest.mark.parametrize(
    "sql", ["t VERSION AS OF", "t VERSION AS OF )", "t TIMESTAMP AS OF now() -", "t AT (VERSION =>)"]
)
def test_time_travel_to_nowhere(sql: str) -> None:
    with pytest.raises(ParseError, match="expected a"):
        Cursor(sql).table(as_of=True)


@pytest.mark.parametrize("sql", ["t FOR UPDATE", "t AT x", "t VERSION", "t TIMESTAMP AS x", "t AT (x)"])
def test_what_is_no_time_travel(sql: str) -> None:
    cursor = Cursor(sql)
    assert cursor.table(as_of=True).as_of is None
    assert cursor.index == 1


UNCLOSED = {
    "SELECT 'a": "line 1, column 8: string is not closed",
    'SELECT\n  "a': "line 2, column 3: quoted name is not closed",
    "SELECT `a": "line 1, column 8: quoted name is not closed",
    "SELECT /* a /* b */": "line 1, column 8: comment is not closed",
}


@pytest.mark.parametrize("sql", UNCLOSED)
def test_unclosed(sql: str) -> None:
    with pytest.raises(ParseError) as caught:
        Cursor(sql)
    assert caught.value.message == UNCLOSED[sql]


@pytest.mark.parametrize("sql", ["SELECT 'it''s", "SELECT E'a\\'"])
def test_unclosed_behind_an_escaped_quote(sql: str) -> None:
    with pytest.raises(ParseError, match=r"line 1, column [89]: string is not closed"):
        Cursor(sql)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("'it''s'", "it's"),
        ("''", ""),
        ("'a\\'", "a\\"),
        ("$$a'b\"c$$", "a'b\"c"),
        ("$t$a$$b;$t$", "a$$b;"),
        ("$$$$", ""),
        ("'-- no comment'", "-- no comment"),
    ],
)
def test_string(sql: str, value: str) -> None:
    cursor = Cursor(f"{sql} , {sql}")
    assert cursor.string() == value
    cursor.expect(",")
    assert cursor.string() == value
    assert cursor.done


@pytest.mark.parametrize(
    "sql",
    ["INT", "DECIMAL(10, 2)", "ARRAY<ARRAY<INT>>", "STRUCT<a: INT, b STRING COMMENT 'x>'>", "STRUCT<>", "INTERVAL DAY"],
)
def test_type(sql: str) -> None:
    cursor = Cursor(f"{sql} NOT NULL")
    assert cursor.type().sql == sql
    assert cursor.at("NOT", "NULL")


def test_until_closed_stops_at_stop_words_brackets_and_the_end() -> None:
    assert Cursor("a + f(b, c), d").until_closed(",").sql == "a + f(b, c)"
    assert Cursor("a[1, 2] ) b").until_closed(",").sql == "a[1, 2]"
    assert Cursor('"from" FROM b').until_closed("FROM").sql == '"from"'
    assert Cursor("a ;").until_closed().sql == "a"


def test_rest_leaves_the_semicolon() -> None:
    cursor = Cursor("SELECT ';' ;")
    assert cursor.rest("a query").sql == "SELECT ';'"
    assert cursor.at_end()
    assert cursor.at(";")


@pytest.mark.parametrize(
    ("sql", "expected"), [("(select)", False), ("(select 1)", True), ("((with q", True), ("a", False)]
)
def test_at_query(sql: str, expected: bool) -> None:
    assert Cursor(sql).at_query() is expected


def test_refuse_names_what_and_where() -> None:
    cursor = Cursor("OPTIMIZE t")
    with pytest.raises(UnsupportedStatement, match="OPTIMIZE is not supported") as caught:
        cursor.refuse("OPTIMIZE", hint="do without")
    assert caught.value.hint == "do without"
    assert caught.value.span is not None
    assert caught.value.span.of(cursor.sql) == "OPTIMIZE"
