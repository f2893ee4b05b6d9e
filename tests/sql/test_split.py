"""A script comes apart at its semicolons and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltasql.errors import ParseError
from deltasql.sql.parser import split

_ANYTHING = st.text(alphabet="ab;'\"`$\\-*/ \n\té表?:1", max_size=8)
_INSIDE_COMMENT = st.text(alphabet="ab;'\"`$\\ \n表", max_size=8)


def _quoted(sign: str) -> st.SearchStrategy[str]:
    return _ANYTHING.map(lambda text: sign + text.replace(sign, sign * 2) + sign)


def _dollar_quoted(tag: str) -> st.SearchStrategy[str]:
    return _ANYTHING.map(lambda text: f"${tag}$ {text.replace('$', '')} ${tag}$")


_COMMENT = st.recursive(
    _INSIDE_COMMENT.map(lambda text: f"/* {text} */"),
    lambda inner: st.tuples(_INSIDE_COMMENT, inner, _INSIDE_COMMENT).map(lambda parts: f"/* {' '.join(parts)} */"),
    max_leaves=3,
)
_LINE_COMMENT = st.text(alphabet="ab;'\"`$*/ 表", max_size=8).map(lambda text: f"-- {text}\n")
_LEXEME = st.one_of(
    st.sampled_from(["SELECT", "a", "1", "(", ")", "::", "$1", "$a,$b", "=>", "x@v1", "1.5e3", "é表"]),
    _quoted("'"),
    _quoted('"'),
    _quoted("`"),
    _dollar_quoted(""),
    _dollar_quoted("tag"),
    _COMMENT,
    _LINE_COMMENT,
)
# A word first and last, so that the span of the statement is all of it.
_STATEMENT = st.lists(_LEXEME, max_size=8).map(lambda lexemes: " ".join(["x", *lexemes, "y"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(_STATEMENT, max_size=4))
def test_split_undoes_join(statements: list[str]) -> None:
    script = ";".join(statements)
    assert [span.of(script) for span in split(script)] == statements


@settings(max_examples=100, deadline=None)
@given(st.lists(_STATEMENT, min_size=1, max_size=3), st.lists(st.sampled_from([";", " ", "\n", "/* ; */", "-- ;\n"])))
def test_empty_statements_are_left_out(statements: list[str], nothing: list[str]) -> None:
    script = f"; {' '.join(nothing)} ;".join(statements) + ";"
    assert [span.of(script) for span in split(script)] == statements


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        (" ; ;; -- ;", []),
        ("a;b", ["a", "b"]),
        ("a ; b ;", ["a", "b"]),
        ("SELECT ';'; SELECT \";\"; SELECT `;`", ["SELECT ';'", 'SELECT ";"', "SELECT `;`"]),
        ("SELECT 'it''s; ok'; b", ["SELECT 'it''s; ok'", "b"]),
        ("SELECT 'a\\'; b", ["SELECT 'a\\'", "b"]),
        ("SELECT E'a\\'; b'; c", ["SELECT E'a\\'; b'", "c"]),
        ("SELECT $$a;'b$$; c", ["SELECT $$a;'b$$", "c"]),
        ("SELECT $t$a;$$;$t$; c", ["SELECT $t$a;$$;$t$", "c"]),
        ("SELECT $a,$b; c", ["SELECT $a,$b", "c"]),
        ("a /* ; /* ; */ ; */ b; c", ["a /* ; /* ; */ ; */ b", "c"]),
        ("a -- it's; \n b; c", ["a -- it's; \n b", "c"]),
        ("-- ;\na", ["a"]),
    ],
)
def test_split(script: str, statements: list[str]) -> None:
    assert [span.of(script) for span in split(script)] == statements


def test_what_is_not_closed_is_an_error() -> None:
    with pytest.raises(ParseError, match=r"line 2, column 8: string is not closed"):
        list(split("SELECT 1;\nSELECT 'a; b"))


@pytest.mark.parametrize("name", ['"\\`"', '"""`"'])
def test_one_quoting_sign_inside_the_other(name: str) -> None:
    script = f"SELECT {name}; b"
    assert [span.of(script) for span in split(script)] == [f"SELECT {name}", "b"]
