"""What Tab offers: a pure function of the text, the cursor and the names that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deltasql.errors import ParseError
from deltasql.names import fold, is_plain, quote
from deltasql.repl.commands.registry import COMMANDS
from deltasql.repl.highlight import KEYWORDS
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.parser import PARSERS

_BEFORE_TABLE = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "VACUUM", "DESCRIBE", "DESC", "HISTORY"})
_NAMING_COMMANDS = frozenset({".describe", ".history", r"\d"})
_STATEMENTS = sorted({keywords[0] for keywords in PARSERS if keywords[0].isalpha()})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``text`` takes the place of the ``length`` characters before the cursor; ``what`` says what it is."""

    text: str
    length: int
    what: str


def suggest(text: str, cursor: int, names: Sequence[str]) -> list[Suggestion]:
    """What may stand at ``cursor`` in ``text``; ``names`` are the tables, as one writes them without a schema or with.

    Inside a string, a quoted name or a comment: nothing.
    """
    before = text[:cursor]
    if before.lstrip()[:1] in {".", "\\"}:
        return _in_command(before.lstrip(), names)
    try:
        tokens = [token for token in tokenize(before) if token.upper != ";" or token.span.end < len(before)]
    except ParseError:
        return []
    word, previous = _word(before, tokens)
    if previous == "":
        return _fitting(word, _STATEMENTS, "statement")
    tables = _fitting(word, [_written(name) for name in names], "table")
    if previous in _BEFORE_TABLE:
        return tables
    return tables + _fitting(word, sorted(KEYWORDS), "keyword") if word else tables


def _in_command(before: str, names: Sequence[str]) -> list[Suggestion]:
    command, blank, argument = before.partition(" ")
    if not blank:
        return _fitting(command, [name for entry in COMMANDS for name in entry.names], "command")
    if command in _NAMING_COMMANDS:
        return _fitting(argument.lstrip(), [_written(name) for name in names], "table")
    return []


def _word(before: str, tokens: list[Token]) -> tuple[str, str]:
    """What is being written at the end of ``before``, and the token that stands before it (empty: none)."""
    word: list[Token] = []
    end = len(before)
    while tokens and tokens[-1].span.end == end and (tokens[-1].is_name or tokens[-1].upper == "."):
        word.append(tokens.pop())
        end = word[-1].span.start
    if not tokens or tokens[-1].upper == ";":
        return before[end:], ""
    return before[end:], tokens[-1].upper or tokens[-1].kind


def _fitting(word: str, candidates: Sequence[str], what: str) -> list[Suggestion]:
    lower = word.islower()
    return [
        Suggestion(name.lower() if lower and what in {"keyword", "statement"} else name, len(word), what)
        for name in candidates
        if fold(name).startswith(fold(word))
    ]


def _written(name: str) -> str:
    """A name of one or two parts as it is written in a statement."""
    return ".".join(part if is_plain(fold(part)) else quote(part) for part in name.split("."))
