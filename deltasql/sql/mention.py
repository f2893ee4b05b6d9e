"""The place in a text of what an error's message quotes: a name, a value, a setting.

For errors that know no place of their own. A place is given only where it can't be another's: what is quoted stands
there once, and of a row that is refused only the column or the value that was written for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deltasql.errors import (
    CastError,
    ConstraintViolation,
    Error,
    NotSupportedError,
    ParseError,
    ProgrammingError,
    Span,
    StorageError,
)
from deltasql.names import fold
from deltasql.sql.dialect import Token, tokenize

_QUOTED = re.compile(r"`([^`]+)`")
_ROW = re.compile(r" is violated by a row with (.+)")
_PAIR = re.compile(r"(\w[\w.]*) = ('(?:[^']|'')*'|[^,]+)")
_COLUMN = re.compile(r" column `([^`]+)`")
_NULL = "column `"
_FROM_ELSEWHERE = frozenset({"SELECT", "FROM", "USING"})
_BEFORE_TABLES = frozenset({"TABLE", "INTO", "UPDATE", "FROM", "OPTIMIZE", "EXISTS"})
_LONG = 100_000


def mentioned(message: str, text: str) -> Span | None:
    """The first token of ``text`` that is the first name which ``message`` has in backticks."""
    found = re.search(r"`([^`]+)`", message)
    if found is None:
        return None
    wanted = fold(found[1])
    return next((token.span for token in tokenize(text) if token.is_name and fold(token.text) == wanted), None)


def column_place(name: str, table: str | None, text: str) -> Span | None:
    """The first token of ``text`` that is the column ``name``, written behind ``table`` (None: behind no table).

    What SET gives a value to isn't meant.
    """
    tokens = tokenize(text)
    for place, token in enumerate(tokens):
        if not token.is_name or fold(token.text) != fold(name):
            continue
        behind = tokens[place - 1].text == "." if place else False
        if table is not None and behind and fold(tokens[place - 2].text) == fold(table):
            return token.span
        after = tokens[place + 1].upper if place + 1 < len(tokens) else ""
        is_set = place > 0 and tokens[place - 1].upper in ("SET", ",") and after == "="
        if table is None and not behind and after not in (".", "(") and not is_set:
            return token.span
    return None


def culprit(error: Error, text: str) -> Span | None:
    """Where in ``text`` that is which ``error`` is about, or None where that can't be told."""
    tokens = _tokens(text) if len(text) <= _LONG else ()
    quoted = _QUOTED.findall(error.message)
    if isinstance(error, CastError) and len(quoted) == 1 and quoted[0].startswith("'"):
        found = list(_found(quoted[0], tokens))
        return _span(found[0], tokens) if len(found) == 1 else None
    if isinstance(error, CastError | ConstraintViolation):
        return _refused(error, tokens)
    if isinstance(error, StorageError):
        for each in quoted:
            strings = [token.span for token in tokens if token.kind in ("string", "quoted") and token.text == each]
            if len(strings) == 1:
                return strings[0]
        return None
    if not isinstance(error, ProgrammingError | NotSupportedError):
        return None
    once = []
    for quoted in _QUOTED.findall(error.message):
        found = list(_found(quoted, tokens))
        if len(found) == 1 or (found and error.message.endswith(" twice")):
            once.append(found[-1])
    # A message that names the table names what is wrong with it, too.
    once.sort(key=lambda each: each.start > 0 and tokens[each.start - 1].upper in _BEFORE_TABLES)
    return _span(once[0], tokens) if once else None


def _tokens(text: str) -> tuple[Token, ...]:
    """None for what can't be read: a quoted value that was cut off, a text in another dialect."""
    try:
        return tokenize(text)
    except ParseError:
        return ()


def _found(quoted: str, tokens: tuple[Token, ...]) -> Iterator[range]:
    """Where in ``tokens`` what is quoted stands: as tokens, or as the value of a string."""
    keys = [_key(token) for token in _tokens(quoted)]
    for start, token in enumerate(tokens):
        if token.kind == "string" and token.text == quoted:
            yield range(start, start + 1)
        elif keys and [_key(each) for each in tokens[start : start + len(keys)]] == keys:
            yield range(start, start + len(keys))


def _span(found: range, tokens: tuple[Token, ...]) -> Span:
    return Span(tokens[found.start].span.start, tokens[found.stop - 1].span.end)


def _key(token: Token) -> tuple[bool, str]:
    return token.kind == "string", token.text if token.kind == "string" else fold(token.text)


# -- rows that a table refuses


def _refused(error: Error, tokens: tuple[Token, ...]) -> Span | None:
    """The value in VALUES, if it is written there; else the column in the list or in SET that it was for."""
    pairs = refused(error)
    if not any(token.upper in _FROM_ELSEWHERE for token in tokens):
        first = next((place for place, token in enumerate(tokens) if token.upper == "VALUES"), len(tokens))
        for _, value in pairs:
            cells = [cell for cell in _found(value, tokens) if cell.start > first and _is_cell(cell, tokens)]
            if len(cells) == 1:
                return _span(cells[0], tokens)
    for column, _ in pairs:
        places = list(_columns(fold(column.split(".")[0]), tokens))
        if len(places) == 1:
            return places[0]
    return None


def _is_cell(found: range, tokens: tuple[Token, ...]) -> bool:
    """True for a whole value of a row in VALUES."""
    behind = tokens[found.stop].upper if found.stop < len(tokens) else ""
    return tokens[found.start - 1].upper in ("(", ",") and behind in (",", ")")


def refused(error: Error) -> list[tuple[str, str]]:
    """The columns that the message names, with their values as SQL, "" for one that it doesn't tell."""
    quoted = _QUOTED.findall(error.message)
    if isinstance(error, CastError):
        column = _COLUMN.search(error.message)
        value = quoted[0] if error.message.startswith("`") else ""
        return [(column[1], value)] if column is not None else []
    if (row := _ROW.search(error.message)) is not None:
        return [(column, value) for column, value in _PAIR.findall(row[1])]
    return [(quoted[0], "NULL")] if error.message.startswith(_NULL) and quoted else []


def _columns(name: str, tokens: tuple[Token, ...]) -> Iterator[Span]:
    """Where the column is named as one to write: in an INSERT's list, and before ``=`` in SET."""
    listed = bool(tokens) and tokens[0].upper == "INSERT"
    for place in range(1, len(tokens) - 1):
        before, token, behind = tokens[place - 1 : place + 2]
        listed = listed and token.upper not in ("SELECT", "VALUES")
        if not token.is_name or fold(token.text) != name:
            continue
        in_list = listed and before.upper in ("(", ",") and behind.upper in (",", ")")
        if in_list or (before.upper in ("SET", ",") and behind.upper in ("=", ".")):
            yield token.span
