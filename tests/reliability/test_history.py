"""The checker of histories finds what is wrong with them, and nothing in those that are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .history import Change, Rows, Statement, faults

_START = {1: 10, 2: 10}


def _add(key: int, by: int) -> Change:
    return lambda rows: {**rows, key: rows.get(key, 0) + by}


def _move(rows: Rows) -> Rows:
    return {**rows, 1: rows[1] - 3, 2: rows[2] + 3}


def _right() -> tuple[list[tuple[int, str]], list[Statement]]:
    """Two writers and a reader: versions 1 to 3 on top of 0, times in tens."""
    return [(1, "a"), (2, "b"), (3, "c")], [
        Statement("a", 0, 10, _add(1, 1), version=1, count=1),
        Statement("b", 5, 25, _move, version=2, count=2),
        Statement("c", 30, 40, _add(3, 1), version=3, count=1),
        Statement("none", 12, 14, lambda rows: {key: value for key, value in rows.items() if key != 9}),
        Statement("lost", 12, 14, _add(1, 100), failed=True),
        Statement("r0", 1, 4, rows={1: 10, 2: 10}),
        Statement("r1", 15, 20, rows={1: 11, 2: 10}),
        Statement("r2", 21, 29, rows={1: 8, 2: 13}),
        Statement("r3", 31, 50, rows={1: 8, 2: 13, 3: 1}),
    ]


def test_a_right_one() -> None:
    assert faults(_START, *_right()) == []
    assert faults(_START, [], [Statement("r", 0, 1, rows=_START)]) == []


_WRONG: dict[str, tuple[str, Callable[[Statement], Statement], str]] = {
    "stale read": ("r2", lambda r: replace(r, begun=26, rows={1: 11, 2: 10}), "none of the versions 2 to 2"),
    "read of what hasn't begun": ("r2", lambda r: replace(r, rows={1: 8, 2: 13, 3: 1}), "none of the versions 1 to 2"),
    "half of a write": ("r2", lambda r: replace(r, rows={1: 8, 2: 10}), "none of the versions"),
    "read of what failed": ("r1", lambda r: replace(r, rows={1: 111, 2: 10}), "none of the versions"),
    "rows of two versions": ("r3", lambda r: replace(r, rows={1: 11, 2: 13, 3: 1}), "none of the versions"),
    "a row is missing": ("r3", lambda r: replace(r, rows={1: 8, 3: 1}), "none of the versions"),
    "time goes back": ("r1", lambda r: replace(r, rows={1: 8, 2: 13}, ended=20), "gives older rows"),
    "a commit of what failed": ("b", lambda b: replace(b, failed=True), "failed, but made version 2"),
    "a lost write": ("c", lambda c: replace(c, name="d"), "which nobody ran"),
    "another version": ("b", lambda b: replace(b, version=3), "was told that it made version 3, it made [2]"),
    "a commit that nobody told": ("b", lambda b: replace(b, version=None), "was told that it made no version"),
    "against time": ("c", lambda c: replace(c, begun=1, ended=4), "had ended when `b` began"),
    "another count": ("b", lambda b: replace(b, count=1), "says that it changed 1 rows, it changed 2"),
    "had something to do": ("none", lambda n: replace(n, change=_add(1, 1)), "had something to do"),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_wrong_one(wrong: str) -> None:
    name, change, what = _WRONG[wrong]
    log, statements = _right()
    changed = [change(each) if each.name == name else each for each in statements]
    if wrong == "time goes back":  # r2 began when r1, which saw version 2, had ended.
        changed = [replace(each, rows={1: 11, 2: 10}) if each.name == "r2" else each for each in changed]
    assert any(what in fault for fault in faults(_START, log, changed)), faults(_START, log, changed)


def test_a_write_that_was_acknowledged_and_is_not_there() -> None:
    log, statements = _right()
    assert any("it made none" in fault for fault in faults(_START, log[:2], statements))


def test_a_write_that_was_made_twice() -> None:
    log, statements = _right()
    assert any("made the versions [1, 4]" in fault for fault in faults(_START, [*log, (4, "a")], statements))


def test_a_write_of_a_process_that_died_may_be_there_or_not() -> None:
    log, statements = _right()
    unsure = [replace(each, unsure=True, version=None, count=None) if each.name == "c" else each for each in statements]
    assert faults(_START, log, unsure) == []
    without = [replace(each, rows={1: 8, 2: 13}) if each.name == "r3" else each for each in unsure]
    assert faults(_START, log[:2], without) == []
    assert faults(_START, log[:2], unsure) != []


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[tuple[int, str]], list[Statement]]:
    """Statements that take effect one after the other, at a moment between their begin and their end."""
    log, statements, rows, version = [], [], dict(_START), 0
    for number in range(draw(st.integers(1, 12))):
        moment = 100 * (number + 1)
        begun, ended = moment - draw(st.integers(1, 300)), moment + draw(st.integers(1, 300))
        name = f"s{number}"
        if draw(st.booleans()):
            statements.append(Statement(name, begun, ended, rows=dict(rows)))
            continue
        change = _add(draw(st.integers(1, 4)), 1 << number)
        rows, version = dict(change(rows)), version + 1
        log.append((version, name))
        statements.append(Statement(name, begun, ended, change, version=version, count=1))
    return log, statements


@given(_histories())
def test_what_was_serial_is_right(history: tuple[list[tuple[int, str]], list[Statement]]) -> None:
    assert faults(_START, *history) == []


@given(_histories(), st.data())
def test_a_lost_update_is_found(history: tuple[list[tuple[int, str]], list[Statement]], data: st.DataObject) -> None:
    """Each write adds a number of its own, so that a read without it, behind it, is wrong."""
    log, statements = history
    if not log:
        return
    lost = data.draw(st.sampled_from([name for _, name in log]))
    end = max(each.ended for each in statements)
    rows: Rows = _START
    for _, name in log:
        change = next(each.change for each in statements if each.name == name)
        rows = rows if name == lost or change is None else change(rows)
    assert faults(_START, log, [*statements, Statement("last", end + 1, end + 2, rows=rows)])
