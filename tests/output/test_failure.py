from __future__ import annotations

import pytest

from deltasql.errors import Error, Span
from deltasql.output.failure import pieces


def words(error: Error) -> str:
    return "".join(text for _, text in pieces(error))


def test_a_message_alone():
    assert words(Error("no")) == "error: no\n"


@pytest.mark.parametrize(
    ("statement", "span", "line", "carets"),
    [
        ("SELECT x FROM t", Span(7, 8), "  1 | SELECT x FROM t", "    |        ^"),
        ("SELECT\n  日本, xy\nFROM t", Span(13, 15), "  2 |   日本, xy", "    |         ^^"),
        ("SELECT (a\nb)", Span(7, 12), "  1 | SELECT (a", "    |        ^^"),
        ("SELECT", Span(6, 6), "  1 | SELECT", "    |       ^"),
        ("a\r\nb\r\n", Span(0, 1), "  1 | a", "    | ^"),
        ("\n" * 9 + "\tx", Span(10, 11), "  10 |     x", "     |     ^"),
    ],
)
def test_the_culprit_is_underlined(statement, span, line, carets):
    got = words(Error("no", hint="do", statement=statement, span=span))
    assert got == f"error: no\n{line}\n{carets}\nhint: do\n"


def test_a_long_line_is_shown_round_the_culprit():
    statement = "a, " * 500 + "culprit" + ", b" * 500
    _, line, carets, *_ = words(Error("no", statement=statement, span=Span(1500, 1507))).splitlines()
    assert len(line) < 130
    assert line[carets.index("^") : carets.rindex("^") + 1] == "culprit"


def test_nothing_in_it_drives_the_terminal():
    error = Error("no \x1b[2J", hint="\x07", statement="SELECT '\x1b[2J'", span=Span(7, 13))
    assert "\x1b" not in words(error)
    assert "\x07" not in words(error)
