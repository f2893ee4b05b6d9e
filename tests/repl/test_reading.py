"""When Enter sends."""

from __future__ import annotations

import pytest

from deltasql.repl.reading import is_command, needs_more

READY = [
    "",
    "   ",
    "SELECT 1;",
    "SELECT 1;  \n",
    "SELECT 1; -- done",
    "SELECT 1 /* ; */ ;",
    "SELECT 1; SELECT 2;",
    ";",
    "-- only a comment",
    "SELECT 'a\n;b';",
    ".tables",
    ".read 'it''s",
    "  .help",
    r"\d orders",
    "exit",
    "QUIT;",
]
UNFINISHED = [
    "SELECT 1",
    "SELECT 1; SELECT",
    "SELECT ';'",
    "SELECT 'a;",
    'SELECT "a;',
    "SELECT `a;",
    "SELECT 1 -- ;",
    "SELECT 1 /* ;",
    "SELECT $$ ; $$",
    "exit now",
]


@pytest.mark.parametrize("text", READY)
def test_ready(text):
    assert not needs_more(text)


@pytest.mark.parametrize("text", UNFINISHED)
def test_unfinished(text):
    assert needs_more(text)


@pytest.mark.parametrize(
    ("text", "command"),
    [(".x", True), (r"\x", True), ("help", True), ("Exit;", True), ("help me", False), ("SELECT .5;", False)],
)
def test_commands(text, command):
    assert is_command(text) is command
