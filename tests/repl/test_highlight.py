"""Colours: of finished and of unfinished text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.document import Document

from deltasql.repl.highlight import SqlLexer, styled
from deltasql.repl.style import COLOURS


def shown(text: str) -> str:
    """Styled pieces as ``<style:text>``, plain ones as they are."""
    return "".join(f"<{style}:{part}>" if style else part for style, part in styled(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM t;", "<keyword:SELECT> a <keyword:FROM> t;"),
        ("select 1.5, 'x''y'", "<keyword:select> <number:1.5>, <string:'x''y'>"),
        ('x."Y" `z`', 'x.<quoted:"Y"> <quoted:`z`>'),
        ("t.table", "t.table"),
        ("a -- b\nc", "a<comment: -- b\n>c"),
        ("a /* b */ c", "a<comment: /* b */ >c"),
        ("$1 $x ?", "<parameter:$1> <parameter:$x> <parameter:?>"),
        ("SELECT 'abc", "<keyword:SELECT> <string:'abc>"),
        ('SELECT "abc', '<keyword:SELECT> <quoted:"abc>'),
        ("SELECT 'a' /* b", "<keyword:SELECT> <string:'a'> <comment:/* b>"),
        ("VACUUM t RETAIN 1 HOURS", "<keyword:VACUUM> t <keyword:RETAIN> <number:1> <keyword:HOURS>"),
        ("t VERSION AS OF 3", "t <keyword:VERSION> <keyword:AS> <keyword:OF> <number:3>"),
        (".mode csv", "<command:.mode> csv"),
        ("", ""),
        ("\x00\x01 €", "\x00\x01 €"),
    ],
)
def test_styles(text, expected):
    assert shown(text) == expected


@given(st.text(st.sampled_from("a'\"`$-/*\\\n ;.1eE_é\x00"), max_size=40) | st.text(max_size=20))
def test_no_text_is_lost_whatever_is_typed(text):
    assert "".join(part for _, part in styled(text)) == text


def test_long_text_stays_plain():
    text = "SELECT 1; " * 10_000
    assert styled(text) == [("", text)]


def test_the_lexer_gives_lines():
    line = SqlLexer().lex_document(Document("SELECT 'a\nb',\n\n2"))
    assert line(0) == [("class:keyword", "SELECT"), ("", " "), ("class:string", "'a")]
    assert line(1) == [("class:string", "b'"), ("", ","), ("", "")]
    assert line(3)[-1] == ("class:number", "2")
    assert line(9) == []


@pytest.mark.parametrize(
    "colour", sorted({word for style in COLOURS.values() for word in style.split() if "#" in word})
)
def test_colours_stand_out_from_black_and_from_white(colour):
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert 1.05 / (luminance + 0.05) > 4
    assert (luminance + 0.05) / 0.05 > 4


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
