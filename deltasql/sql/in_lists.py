"""Lists of values (``a IN (1, 2)``) kept apart, where DataFusion 55 would merge two of them wrongly.

Its simplifier makes one list of two on the same operand that AND or OR joins, as if NULL were false and different
expressions different values; ``a = 1 OR a = 2`` is such a list too (tests/engine/test_facts.py). So the
merged list is right in a predicate on rows alone, for which NULL and false come to the same, and for literals
alone. Any other list goes into ``nullif(…, NULL)``, which gives what it is given and isn't looked through; what
it costs is that such a list leaves out no files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.dialect import Token
from deltasql.sql.operands import operand_end, operand_start
from deltasql.sql.places import Place, Stretch, Tokens, closed, place_of, queries_of, stretches_of
from deltasql.sql.splice import Edit


@dataclass(frozen=True, slots=True)
class _List:
    """Tokens ``start`` to ``end`` (exclusive); ``literal`` tells that literals alone are in it, and no NULL.

    ``bound``: literals and parameters alone.
    """

    start: int
    end: int
    operand: str
    negated: bool
    literal: bool
    bound: bool
    place: Place


def kept_apart(tokens: Tokens) -> Iterator[Edit]:
    """The edits that keep the lists of a query from being merged wrongly."""
    if sum(token.upper in _MARKS for token in tokens) < 2:
        return
    stretches = stretches_of(tokens)
    lists = list(_lists(tokens, stretches))
    chained = list(_chained(tokens, stretches))
    if 2 * len(lists) + len(chained) < 4:
        return
    operands = Counter(found.operand for found in (*lists, *chained))
    for found in lists:
        if not _is_right(found, alone=operands[found.operand] == 1):
            yield from _hidden(tokens, found)
    longest = Counter((found.place.whole, found.operand) for found in chained)
    for found in chained:
        filters = found.place.filters and not found.place.negated
        if not filters and longest[found.place.whole, found.operand] >= _TWO_LISTS:
            yield from _hidden(tokens, found)


_TWO_LISTS = 4
_MARKS = {"IN", "OR"}


def _is_right(found: _List, *, alone: bool) -> bool:
    """True if what DataFusion makes of a list is right, or it can't meet another."""
    place = found.place
    if place.filters and not place.negated:
        if found.literal:
            return alone or not (found.negated and place.alternative)
        return found.bound and alone
    return found.literal and not place.joined and not place.whole.inner


def _hidden(tokens: Tokens, found: _List) -> Iterator[Edit]:
    start, end = tokens[found.start].span.start, tokens[found.end - 1].span.end
    yield Edit(Span(start, start), "nullif(")
    yield Edit(Span(end, end), ", NULL)")


# -- lists, and comparisons that become lists


def _lists(tokens: Tokens, stretches: Sequence[Stretch]) -> Iterator[_List]:
    queries = queries_of(tokens)
    for index, token in enumerate(tokens):
        if token.upper != "IN" or index + 2 >= len(tokens) or tokens[index + 1].upper != "(":
            continue
        negated = tokens[index - 1].upper == "NOT"
        behind = index - negated
        start, end = operand_start(tokens, behind), closed(tokens, index + 1)
        if start == behind or index + 1 in queries or (start > 1 and tokens[start - 2].upper == "POSITION"):
            continue
        if start and tokens[start - 1].upper == "NOT":
            negated = not negated
        open_items = [item for item in tokens[index + 2 : end - 1] if not _is_literal(item)]
        bound = all(item.kind == "parameter" for item in open_items)
        place = place_of(tokens, stretches[index], start, end)
        yield _List(start, end, _key(tokens[start:behind]), negated, not open_items, bound, place)


def _chained(tokens: Tokens, stretches: Sequence[Stretch]) -> Iterator[_List]:
    """The comparisons of ``a = 1 OR a = 2`` and ``a <> 1 AND a <> 2``, of which lists are made."""
    for index, token in enumerate(tokens):
        joint = _JOINTS.get(token.upper)
        if joint is None:
            continue
        start, end = operand_start(tokens, index), operand_end(tokens, index + 1)
        around = {tokens[at].upper for at in (start - 1, end) if 0 <= at < len(tokens)}
        if start == index or joint not in around:
            continue
        sides = tokens[start:index], tokens[index + 1 : end]
        key = _key(next((side for side in sides if not all(map(_is_literal, side))), sides[0]))
        place = place_of(tokens, stretches[index], start, end)
        yield _List(start, end, key, token.upper != "=", literal=True, bound=True, place=place)


_JOINTS = {"=": "OR", "<>": "AND", "!=": "AND"}


def _is_literal(token: Token) -> bool:
    literal = token.kind in ("number", "string") or token.upper in ("TRUE", "FALSE")
    return literal or token.upper in (",", "-", "DATE", "TIMESTAMP")


def _key(tokens: Tokens) -> str:
    """The text of an operand without qualifiers, brackets and case."""
    names = []
    for token, behind in zip(tokens, (*tokens[1:], None), strict=True):
        if token.upper not in ("(", ")", ".") and not (behind is not None and behind.upper == "."):
            names.append(fold(token.text))
    return " ".join(names)
