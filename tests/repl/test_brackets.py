"""Which brackets belong together; ``|`` is the cursor, ``^`` marks the pair."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.document import Document
from prompt_toolkit.layout.processors import TransformationInput

from deltasql.repl.brackets import BracketProcessor, brackets


@pytest.mark.parametrize(
    ("marked", "pair"),
    [
        ("|(a)", "^ ^"),
        ("(a|)", "^ ^"),
        ("(a)|", "^ ^"),
        ("f(|a, (b))", " ^      ^"),
        ("((a)|)", "^   ^"),
        ("(')'|)", "^   ^"),
        ("(/* ) */|)", "^       ^"),
        ("(')|'", None),
        ("(]|", None),
        ("(|", None),
        ("(a) 'open |", None),
        ("(a)| 'open", "^ ^"),
        ("a|b", None),
        ("|", None),
        (".read (a)|", None),
        ("('" + "x" * 50_000 + "')|", None),
    ],
)
def test_pairs(marked, pair):
    found = brackets(marked.replace("|", "", 1), marked.index("|"))
    expected = None if pair is None else {i for i, mark in enumerate(pair) if mark == "^"}
    assert (None if found is None else set(found)) == expected


@given(st.text(st.sampled_from("()[]{}'\"`-/*$ \n\x00"), max_size=30), st.integers(0, 30))
def test_no_text_is_too_odd(text, cursor):
    found = brackets(text, min(cursor, len(text)))
    assert found is None or {text[found[0]], text[found[1]]} in ({"(", ")"}, {"[", "]"}, {"{", "}"})


def test_both_lines_are_marked():
    document = Document("SELECT (1,\n 2)", cursor_position=14)
    styles = []
    for number, line in enumerate(document.lines):
        given = TransformationInput(None, document, number, lambda column: column, [("class:x", line)], 80, 24)
        for style, text, *_ in BracketProcessor().apply_transformation(given).fragments:
            if "bracket" in style:
                styles.append((number, text, style))
    assert styles == [
        (0, "(", "class:x class:matching-bracket.other"),
        (1, ")", "class:x class:matching-bracket.cursor"),
    ]
