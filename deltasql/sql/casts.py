"""Casts that DataFusion 55 would take off a comparison although that changes what it says.

Of ``CAST(m AS INT) = 2`` with a DECIMAL it makes ``m = 2.00``, which 2.50 doesn't fulfil, and of a TRY_CAST that may
give NULL a comparison that can't. ``nullif(…, NULL)`` is a wall to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from deltasql.errors import Span
from deltasql.sql.dialect import Token
from deltasql.sql.scan import CLAUSES, RESERVED
from deltasql.sql.splice import Edit

_INTEGERS = {"TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "BYTE", "SHORT", "LONG"}
_INTEGERS |= {"INT2", "INT4", "INT8", "INT16", "INT32", "INT64", "UNSIGNED", "UINT"}
_COMPARES = {"=", "==", "<>", "!=", "<", "<=", ">", ">=", "IN", "NOT", "BETWEEN", "IS"}
_NO_FUNCTIONS = ((CLAUSES | RESERVED) - {"CAST", "TRY_CAST", "EXTRACT"}) | {
    "IN",
    "AND",
    "OR",
    "NOT",
    "BETWEEN",
    "LIKE",
    "THEN",
    "ELSE",
    "WHEN",
    "CASE",
    "BY",
}
_BEFORE = {"=", "==", "<>", "!=", "<", "<=", ">", ">=", "BETWEEN", "FROM"}


def kept_casts(tokens: tuple[Token, ...], *, decimals: bool) -> Iterator[Edit]:
    """A wall round the casts that are compared: TRY_CAST, and those to integers where there may be ``decimals``."""
    decimals = decimals or any(token.upper in ("DECIMAL", "NUMERIC", "DEC") for token in tokens)
    for index, token in enumerate(tokens):
        if token.upper in ("CAST", "TRY_CAST") and _word(tokens, index + 1) == "(":
            start, end = index, _closed(tokens, index + 1)
            to = _type(tokens, index + 2, end - 1)
        elif token.text == "::":
            start, end = _primary(tokens, index), index + 2
            to = _word(tokens, index + 1)
        else:
            continue
        if (token.upper == "TRY_CAST" or (decimals and to in _INTEGERS)) and _is_compared(tokens, start, end):
            first, last = tokens[start].span.start, tokens[end - 1].span.end
            yield Edit(Span(first, first), "nullif(")
            yield Edit(Span(last, last), ", NULL)")


def _word(tokens: tuple[Token, ...], index: int) -> str:
    return tokens[index].upper if 0 <= index < len(tokens) else ""


def _closed(tokens: tuple[Token, ...], index: int) -> int:
    """The index behind the bracket that closes the one at ``index``."""
    depth = 0
    while index < len(tokens):
        depth += (tokens[index].text == "(") - (tokens[index].text == ")")
        index += 1
        if depth == 0:
            break
    return index


def _type(tokens: tuple[Token, ...], start: int, end: int) -> str:
    """The first word of the type in ``CAST(… AS type)``."""
    depth, found = 0, ""
    for index in range(start, end):
        depth += (tokens[index].text == "(") - (tokens[index].text == ")")
        if depth == 0 and tokens[index].upper == "AS":
            found = _word(tokens, index + 1)
    return found


def _primary(tokens: tuple[Token, ...], index: int) -> int:
    """The first token of what ``::`` at ``index`` casts: a name, a literal, a call, brackets, another cast."""
    start = _operand(tokens, index)
    while start > 1 and tokens[start - 1].text == "::":
        start = _operand(tokens, start - 1)
    return max(start, 0)


def _operand(tokens: tuple[Token, ...], index: int) -> int:
    """The first token of what ends before ``index``; a cast's is its type."""
    start = index - 1
    if start >= 0 and tokens[start].text in (")", "]"):
        depth = 0
        while start >= 0:
            depth += (tokens[start].text in (")", "]")) - (tokens[start].text in ("(", "["))
            if depth == 0:
                break
            start -= 1
        if start > 0 and tokens[start - 1].is_name and _word(tokens, start - 1) not in _NO_FUNCTIONS:
            start -= 1
    while start > 1 and tokens[start - 1].text == "." and tokens[start - 2].is_name:
        start -= 2
    return start


def _is_compared(tokens: tuple[Token, ...], start: int, end: int) -> bool:
    """True if the operand from ``start`` to ``end``, in brackets or not, stands at a comparison."""
    while _word(tokens, start - 1) == "(" and _word(tokens, end) == ")":
        start, end = start - 1, end + 1
    return _word(tokens, end) in _COMPARES or _word(tokens, start - 1) in _BEFORE
