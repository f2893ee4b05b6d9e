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


def dates_beside(
    tokens: tuple[Token, ...], instants: frozenset[str], dates: frozenset[str], days: frozenset[str]
) -> Iterator[Edit]:
    """TIMESTAMP for a DATE in a comparison with one of the columns ``instants``: midnight where the session is.

    It may be a literal, the cast of one, one of the columns ``dates`` or of the parameters ``days``, or such a one in
    the list of an IN. DataFusion compares a TIMESTAMP with a DATE by its clock in UTC.
    """
    for place, token in enumerate(tokens if instants else ()):
        is_day = token.kind == "parameter" and token.text[1:] in days
        found = (place, place + 1) if is_day else _literal_date(tokens, place) or _date_column(tokens, place, dates)
        if found is None:
            continue
        first, end = found
        if _is_compared(tokens, *found):
            around = tokens[operand_start(tokens, first) : operand_end(tokens, first)]
        else:
            around = _sought_in(tokens, *found)
        if not any(each.is_name and fold(each.text) in instants for each in around):
            continue
        if token.upper == "DATE":
            yield Edit(token.span, "TIMESTAMP")
        else:
            start, stop = tokens[first].span.start, tokens[end - 1].span.end
            yield Edit(Span(start, start), "CAST(")
            yield Edit(Span(stop, stop), " AS TIMESTAMP)")


def _literal_date(tokens: tuple[Token, ...], place: int) -> tuple[int, int] | None:
    """Where the literal, or the cast of one, starts and ends whose type is the word DATE at ``place``."""
    if tokens[place].upper != "DATE":
        return None
    if place + 1 < len(tokens) and _is_text(tokens[place + 1]):
        return place, place + 2
    before = [token.upper for token in tokens[max(place - 4, 0) : place]]
    if before[-1:] == ["::"] and place > 1 and _is_text(tokens[place - 2]):
        return place - 2, place + 1
    is_cast = before[:2] == ["CAST", "("] and before[3:] == ["AS"] and _is_text(tokens[place - 2])
    return (place - 4, place + 2) if is_cast else None


def _date_column(tokens: tuple[Token, ...], place: int, dates: frozenset[str]) -> tuple[int, int] | None:
    """Where the column at ``place`` starts, its table included, and ends, if it is one of ``dates``."""
    token, behind = tokens[place], tokens[place + 1].text if place + 1 < len(tokens) else ""
    if not token.is_name or fold(token.text) not in dates or behind in (".", "(", "["):
        return None
    first = place
    while first > 1 and tokens[first - 1].text == "." and tokens[first - 2].is_name:
        first -= 2
    return first, place + 1


def _is_compared(tokens: tuple[Token, ...], first: int, end: int) -> bool:
    before = tokens[first - 1].upper if first else ""
    behind = tokens[end].upper if end < len(tokens) else ""
    is_high = before == "AND" and any(
        token.upper == "BETWEEN" for token in tokens[operand_start(tokens, first) : first]
    )
    return before in (*_SIGNS, "BETWEEN") or is_high or behind in (*_SIGNS, "BETWEEN")


def _sought_in(tokens: tuple[Token, ...], first: int, end: int) -> tuple[Token, ...]:
    """The operand in front of the IN whose list has these tokens for one of its values; none, if they aren't that."""
    if not 0 < first <= end < len(tokens) or tokens[first - 1].text not in "(," or tokens[end].text not in "),":
        return ()
    depth, at = 0, first - 1
    while at > 0 and (depth or tokens[at].text != "("):
        depth += (tokens[at].text == ")") - (tokens[at].text == "(")
        at -= 1
    if at < 1 or tokens[at - 1].upper != "IN":
        return ()
    before = at - 2 if tokens[at - 2].upper == "NOT" else at - 1
    return tokens[operand_start(tokens, before) : before]


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
