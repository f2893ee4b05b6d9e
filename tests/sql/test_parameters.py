"""Placeholders are brought to one form and bound as values; what only looks like one is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from deltasql.errors import ParseError, ProgrammingError
from deltasql.sql.parameters import bind, normalise, placeholders

NORMALISED = {
    "SELECT ?": "SELECT $1",
    "SELECT ?, f(?) WHERE a=?": "SELECT $1, f($2) WHERE a=$3",
    "SELECT $1, $2, $1": "SELECT $1, $2, $1",
    "SELECT :a, :b_2": "SELECT $a, $b_2",
    "SELECT $a,$b": "SELECT $a,$b",
    "SELECT :a, $b": "SELECT $a, $b",
    "SELECT x WHERE y = :y AND z=:z": "SELECT x WHERE y = $y AND z=$z",
    "SELECT (:a)": "SELECT ($a)",
    "VALUES (:é)": "VALUES ($é)",
    "SELECT 1 LIMIT?": "SELECT 1 LIMIT $1",
    "SELECT:x": "SELECT $x",
    "SELECT ?1, ?a": "SELECT $1 1, $2 a",
    "SELECT ? IS NULL": "SELECT $1 IS NULL",
    "SELECT $1::int": "SELECT $1::int",
    "SELECT :x::int": "SELECT $x::int",
    "SELECT CASE WHEN :a THEN :b END": "SELECT CASE WHEN $a THEN $b END",
}


@pytest.mark.parametrize("text", NORMALISED)
def test_normalise(text: str) -> None:
    assert normalise(text).text == NORMALISED[text]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT a[1:x]",
        "SELECT a[b:c]",
        "SELECT a[(1):x]",
        "SELECT x::int",
        "SELECT x::int::text, 'a'::date",
        "SELECT c:a.b[0]::INT",
        'SELECT "c":a, `c`:a, f(x):a, a[0]:b',
        "SELECT '?', ':a', '$1', \"?\", `:a`",
        "SELECT 'it''s ?' -- ? :a $1",
        "SELECT 1 /* ? /* :a */ $1 */",
        "SELECT $$ ? :a $1 $$, $t$ ? $t$",
        "SELECT {'a': 1}",
        "SELECT STRUCT<a: INT>",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert normalise(text).text == text
    assert placeholders(text) == ()


def test_a_question_mark_may_be_cast() -> None:
    assert normalise("SELECT ?::int").text == "SELECT $1::int"


@pytest.mark.parametrize("text", ["SELECT ?, $1", "SELECT ?, :a", "SELECT $1, :a", "SELECT $1, $a"])
def test_styles_do_not_mix(text: str) -> None:
    with pytest.raises(ParseError, match="can't mix") as caught:
        normalise(text)
    assert caught.value.span is not None
    assert caught.value.span.of(text) in text.split(", ")[1]


def test_places_map_back() -> None:
    text = "SELECT :name, b"
    spliced = normalise(text)
    place = spliced.text.index("$name")
    assert spliced.original_span(type(spliced.edits[0].span)(place, place + 5)).of(text) == ":name"


@pytest.mark.parametrize(
    ("text", "values", "bound"),
    [
        ("SELECT 1", None, {}),
        ("SELECT 1", (), {}),
        ("SELECT $1, $2", [1, "a"], {"1": 1, "2": "a"}),
        ("SELECT $2, $1, $2", (1, 2), {"1": 1, "2": 2}),
        ("SELECT $1", [None], {"1": None}),
        ("SELECT $a, $b, $a", {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ("SELECT $a", {":a": 1}, {"a": 1}),
        ("SELECT $a", {"$a": 1}, {"a": 1}),
        ("SELECT '$1'", [], {}),
    ],
)
def test_bind(text: str, values: Any, bound: dict[str, Any]) -> None:
    assert bind(text, values) == bound


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("SELECT $1", [], "the statement takes 1 parameter, 0 given"),
        ("SELECT $1", None, "the statement takes 1 parameter, 0 given"),
        ("SELECT $1, $2", [1], "the statement takes 2 parameters, 1 given"),
        ("SELECT 1", [1], "the statement takes no parameters, 1 given"),
        ("SELECT $a", [1], "the statement has named parameters `a`"),
        ("SELECT $a", {}, "no value for the parameter `a`"),
        ("SELECT $a", {"a": 1, "b": 2}, "the statement has no parameter `b`"),
        ("SELECT $1", "x", "parameters are a sequence or a mapping, not one string"),
    ],
)
def test_wrong_counts_and_names(text: str, values: Any, message: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        bind(text, values)
    assert caught.value.message == message


def test_a_value_is_never_text() -> None:
    text = normalise("SELECT ?").text
    assert bind(text, ["1; DROP TABLE t"]) == {"1": "1; DROP TABLE t"}
    assert text == "SELECT $1"
