"""An edit changes its own span; every other character stays, and every place can be found again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltasql.errors import Span
from deltasql.sql.splice import Edit, splice


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text and edits of it that don't overlap."""
    text = draw(st.text(max_size=30))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    spans = [Span(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    return text, [Edit(span, draw(st.text(max_size=5))) for span in spans]


def _kept(text: str, edits: list[Edit]) -> list[Span]:
    """What lies between the edits."""
    starts = [0, *(edit.span.end for edit in edits)]
    ends = [*(edit.span.start for edit in edits), len(text)]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


@settings(max_examples=100, deadline=None)
@given(edited())
def test_all_else_is_left_alone(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    result = splice(text, reversed(edits)).text
    position = 0
    for kept, edit in zip(_kept(text, edits), [*edits, Edit(Span(0, 0), "")], strict=True):
        expected = kept.of(text) + edit.text
        assert result[position : position + len(expected)] == expected
        position += len(expected)
    assert position == len(result)


@settings(max_examples=100, deadline=None)
@given(edited())
def test_places_map_back(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    spliced = splice(text, edits)
    position = 0
    for kept, edit in zip(_kept(text, edits), [*edits, None], strict=True):
        for offset in range(kept.end - kept.start):
            place = Span(position + offset, position + offset + 1)
            assert spliced.original_span(place) == Span(kept.start + offset, kept.start + offset + 1)
        position += kept.end - kept.start
        if edit is not None:
            if edit.text:
                assert spliced.original_span(Span(position, position + len(edit.text))) == edit.span
            position += len(edit.text)


def test_no_edits_is_no_change() -> None:
    assert splice("SELECT 1", ()).text == "SELECT 1"


def test_overlapping_edits_are_a_fault() -> None:
    with pytest.raises(ValueError, match="overlapping edits at 1"):
        splice("abc", [Edit(Span(0, 2), "x"), Edit(Span(1, 3), "y")])


def test_a_culprit_in_the_new_text_is_found_in_the_old() -> None:
    old = "SELECT a FROM t VERSION AS OF 3 WHERE x = 1"
    spliced = splice(old, [Edit(Span(14, 31), '"t@3"')])
    place = spliced.text.index("x =")
    assert spliced.original_span(Span(place, place + 1)).of(old) == "x"
    assert spliced.original_span(Span(14, 19)).of(old) == "t VERSION AS OF 3"
    assert spliced.original_span(Span(15, 17)).of(old) == "t VERSION AS OF 3"
