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
from dataclasses import dataclass, field

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.dialect import Token
from deltasql.sql.operands import CLOSES, OPENS, operand_end, operand_start
from deltasql.sql.scan import CLAUSES, RESERVED
from deltasql.sql.splice import Edit

Tokens = tuple[Token, ...]


@dataclass(eq=False, slots=True)
class _Stretch:
    """The tokens of one bracket between two words or commas that part expressions.

    ``before`` is the index of the one in front (-1: none), ``opener`` that of the bracket and ``closer`` the one behind
    it, where that is what ends the stretch; ``joints`` are the ANDs and ORs of it, ``inner`` tells that it is part of a
    query in brackets.
    """

    before: int
    opener: int
    around: _Stretch | None
    inner: bool
    joints: set[str] = field(default_factory=set)
    closer: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an expression stands: what the AND, OR and NOT around it make of it.

    ``filters`` tells that it decides on rows, ``joined`` that the simplifier may bring another to it, and ``whole`` is
    the outermost stretch of it.
    """

    filters: bool
    joined: bool
    alternative: bool
    negated: bool
    whole: _Stretch


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
    place: _Place


def kept_apart(tokens: Tokens) -> Iterator[Edit]:
    """The edits that keep the lists of a query from being merged wrongly."""
    if sum(token.upper in _MARKS for token in tokens) < 2:
        return
    stretches = _stretches(tokens)
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


def _lists(tokens: Tokens, stretches: Sequence[_Stretch]) -> Iterator[_List]:
    queries = _queries(tokens)
    for index, token in enumerate(tokens):
        if token.upper != "IN" or index + 2 >= len(tokens) or tokens[index + 1].upper != "(":
            continue
        negated = tokens[index - 1].upper == "NOT"
        behind = index - negated
        start, end = operand_start(tokens, behind), _closed(tokens, index + 1)
        if start == behind or index + 1 in queries or (start > 1 and tokens[start - 2].upper == "POSITION"):
            continue
        if start and tokens[start - 1].upper == "NOT":
            negated = not negated
        open_items = [item for item in tokens[index + 2 : end - 1] if not _is_literal(item)]
        bound = all(item.kind == "parameter" for item in open_items)
        place = _place(tokens, stretches[index], start, end)
        yield _List(start, end, _key(tokens[start:behind]), negated, not open_items, bound, place)


def _chained(tokens: Tokens, stretches: Sequence[_Stretch]) -> Iterator[_List]:
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
        place = _place(tokens, stretches[index], start, end)
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


def _closed(tokens: Tokens, index: int) -> int:
    """The index behind the bracket that closes the one at ``index``."""
    depth = 0
    while index < len(tokens):
        depth += (tokens[index].upper in OPENS) - (tokens[index].upper in CLOSES)
        index += 1
        if depth == 0:
            break
    return index


def _queries(tokens: Tokens) -> set[int]:
    """The brackets that hold a query, straight or in more brackets."""
    found: set[int] = set()
    for index in range(len(tokens) - 2, -1, -1):
        if tokens[index].upper == "(" and (tokens[index + 1].upper in _STARTS or index + 1 in found):
            found.add(index)
    return found


_STARTS = {"SELECT", "WITH", "VALUES", "FROM", "TABLE"}


# -- where an expression stands


def _stretches(tokens: Tokens) -> list[_Stretch]:
    """The stretch of each token."""
    here = _Stretch(-1, -1, None, inner=False)
    found, between = [], False
    queries = _queries(tokens)
    for index, token in enumerate(tokens):
        word = token.upper
        found.append(here)
        if word in OPENS:
            here = _Stretch(index, index, here, here.inner or index in queries)
        elif word in CLOSES:
            here.closer = index + 1
            here = here.around or here
        elif word in _PARTS:
            here = _Stretch(index, here.opener, here.around, here.inner)
        elif word in ("AND", "OR") and not between:
            here.joints.add(word)
        between = word == "BETWEEN" or (between and word != "AND")
    return found


def _place(tokens: Tokens, stretch: _Stretch, start: int, end: int) -> _Place:
    """Where the tokens ``start`` to ``end`` of ``stretch`` stand."""
    joined = alternative = negated = False
    while True:
        joined, alternative = joined or bool(stretch.joints), alternative or "OR" in stretch.joints
        if not _is_bare(tokens, start, end):
            return _Place(filters=False, joined=True, alternative=alternative, negated=negated, whole=stretch)
        start, around = stretch.opener, stretch.around
        if around is None or stretch.before != start or stretch.closer is None or not _groups(tokens, start):
            break
        end = stretch.closer
        if start and tokens[start - 1].upper == "NOT":
            joined = negated = True
        stretch = around
    before = tokens[stretch.before].upper if stretch.before >= 0 else ""
    return _Place(before in _FILTERS, joined or before in _RESULTS, alternative, negated, stretch)


_FILTERS = {"WHERE", "ON", "HAVING", "QUALIFY"}
_RESULTS = {"THEN", "ELSE"}
_PARTS = (
    {"SELECT", "DISTINCT", "ALL", "BY", "FROM", "JOIN", "ON", "WHEN", "THEN", "ELSE", "AS", "ASC", "DESC", ",", ";"}
    | {"UNION", "INTERSECT", "EXCEPT", "MINUS"}
    | CLAUSES
)
_BEHIND = {"IS", "IN", "NOT", "LIKE", "ILIKE", "RLIKE", "SIMILAR", "BETWEEN", "COLLATE", "AT"}


def _is_bare(tokens: Tokens, start: int, end: int) -> bool:
    """True if nothing but AND, OR and NOT takes the tokens ``start`` to ``end`` for an operand."""
    before = tokens[start - 1].upper if start else ","
    behind = tokens[end].upper if end < len(tokens) else ","
    ends = behind in CLOSES or behind in _PARTS or (end < len(tokens) and tokens[end].is_name and behind not in _BEHIND)
    return ends and (before in ("AND", "OR", "NOT") or before in OPENS or before in _PARTS)


def _groups(tokens: Tokens, bracket: int) -> bool:
    """True if the bracket is of an expression, and not of a call or CASE."""
    if tokens[bracket].upper != "(":
        return False
    before = tokens[bracket - 1] if bracket else None
    return before is None or before.upper in RESERVED or not (before.is_name or before.upper in CLOSES)
