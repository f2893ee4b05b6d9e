"""Literals of times of which DataFusion makes another time, or none.

It takes the text of ``TIMESTAMP '…'`` with a zone for the clock's time in UTC, and counts in nanoseconds, which reach
from 1677 to 2262: not to ``9999-12-31``, which stands for "valid until further notice".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.dialect import Token
from deltasql.sql.operands import operand_end, operand_start
from deltasql.sql.splice import Edit

_ZONED = re.compile(r"\d[ T]\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE | re.DOTALL)
_YEAR = re.compile(r"\s*(\d{4})-\d")
_FINER = re.compile(r"\.\d{7}")
_NEAR = range(1678, 2262)
_SIGNS = ("=", "==", "<>", "!=", "<", "<=", ">", ">=")
_TYPES = ("TIMESTAMP", "TIMESTAMPTZ")
_MICROSECONDS = "(6)"


def timed_literals(tokens: tuple[Token, ...]) -> Iterator[Edit]:
    """TIMESTAMPTZ for ``TIMESTAMP '…'`` of a text with a zone, which is an instant (SQL:2016, 5.3).

    Microseconds, the unit of Delta's TIMESTAMP, where there is one that nanoseconds don't reach, or a cast of one: for
    it, and for all others, which may meet it in VALUES or CASE and then would be the measure.
    """
    written = [(word, value) for word, value in itertools.pairwise(tokens) if word.upper in _TYPES and _is_text(value)]
    casts = [(type, token) for place, token in enumerate(tokens) if (type := _cast_to(tokens, place)) is not None]
    far = any(_is_far(value) for _, value in (*written, *casts))
    for word, value in written:
        counted = far and not _FINER.search(value.text)
        if word.upper == "TIMESTAMP" and _ZONED.search(value.text.strip()):
            yield Edit(word.span, "TIMESTAMPTZ" + (_MICROSECONDS if counted else ""))
        elif counted:
            yield _counted(word)
    for type, value in casts:
        if far and not _FINER.search(value.text):
            yield _counted(type)


def dates_beside(tokens: tuple[Token, ...], instants: frozenset[str]) -> Iterator[Edit]:
    """TIMESTAMP for ``DATE '…'`` in a comparison with one of the columns ``instants``: midnight where the session is.

    DataFusion compares a TIMESTAMP with a DATE by its clock in UTC.
    """
    if not instants:
        return
    for place, (word, value) in enumerate(itertools.pairwise(tokens)):
        if word.upper != "DATE" or not _is_text(value) or not _is_compared(tokens, place):
            continue
        around = tokens[operand_start(tokens, place) : operand_end(tokens, place)]
        if any(token.is_name and fold(token.text) in instants for token in around):
            yield Edit(word.span, "TIMESTAMP")


def _is_compared(tokens: tuple[Token, ...], place: int) -> bool:
    before = tokens[place - 1].upper if place else ""
    behind = tokens[place + 2].upper if place + 2 < len(tokens) else ""
    is_high = before == "AND" and any(
        token.upper == "BETWEEN" for token in tokens[operand_start(tokens, place) : place]
    )
    return before in (*_SIGNS, "BETWEEN") or is_high or behind in (*_SIGNS, "BETWEEN")


def _counted(type: Token) -> Edit:
    return Edit(Span(type.span.end, type.span.end), _MICROSECONDS)


def _is_text(token: Token) -> bool:
    return token.kind == "string"


def _is_far(value: Token) -> bool:
    found = _YEAR.match(value.text)
    return found is not None and int(found[1]) not in _NEAR


def _cast_to(tokens: tuple[Token, ...], index: int) -> Token | None:
    """The type that the literal at ``index`` is cast to, if it is a TIMESTAMP whose digits aren't told."""
    behind = tokens[index + 1 : index + 4]
    if (
        not _is_text(tokens[index])
        or len(behind) < 2
        or behind[0].upper not in ("::", "AS")
        or behind[1].upper not in _TYPES
    ):
        return None
    if behind[0].upper == "AS" and (index < 2 or tokens[index - 2].upper not in ("CAST", "TRY_CAST")):
        return None
    return behind[1] if len(behind) < 3 or behind[2].text != "(" else None
