"""Where an expression stands in a query: what the AND, OR, NOT and brackets around it make of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from deltasql.sql.dialect import Token
from deltasql.sql.operands import CLOSES, OPENS
from deltasql.sql.scan import CLAUSES, RESERVED

Tokens = tuple[Token, ...]


@dataclass(eq=False, slots=True)
class Stretch:
    """The tokens of one bracket between two words or commas that part expressions.

    ``before`` is the index of the one in front (-1: none), ``opener`` that of the bracket and ``closer`` the one behind
    it, where that is what ends the stretch; ``joints`` are the ANDs and ORs of it, ``inner`` tells that it is part of a
    query in brackets.
    """

    before: int
    opener: int
    around: Stretch | None
    inner: bool
    joints: set[str] = field(default_factory=set)
    closer: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: what the AND, OR and NOT around it make of it.

    ``filters`` tells that it decides on rows, ``joined`` that the simplifier may bring another to it, and ``whole`` is
    the outermost stretch of it.
    """

    filters: bool
    joined: bool
    alternative: bool
    negated: bool
    whole: Stretch


def closed(tokens: Tokens, index: int) -> int:
    """The index behind the bracket that closes the one at ``index``."""
    depth = 0
    while index < len(tokens):
        depth += (tokens[index].upper in OPENS) - (tokens[index].upper in CLOSES)
        index += 1
        if depth == 0:
            break
    return index


def queries_of(tokens: Tokens) -> set[int]:
    """The brackets that hold a query, straight or in more brackets."""
    found: set[int] = set()
    for index in range(len(tokens) - 2, -1, -1):
        if tokens[index].upper == "(" and (tokens[index + 1].upper in _STARTS or index + 1 in found):
            found.add(index)
    return found


_STARTS = {"SELECT", "WITH", "VALUES", "FROM", "TABLE"}


def stretches_of(tokens: Tokens) -> list[Stretch]:
    """The stretch of each token."""
    here = Stretch(-1, -1, None, inner=False)
    found, between = [], False
    queries = queries_of(tokens)
    for index, token in enumerate(tokens):
        word = token.upper
        found.append(here)
        if word in OPENS:
            here = Stretch(index, index, here, here.inner or index in queries)
        elif word in CLOSES:
            here.closer = index + 1
            here = here.around or here
        elif word in _PARTS:
            here = Stretch(index, here.opener, here.around, here.inner)
        elif word in ("AND", "OR") and not between:
            here.joints.add(word)
        between = word == "BETWEEN" or (between and word != "AND")
    return found


def place_of(tokens: Tokens, stretch: Stretch, start: int, end: int) -> Place:
    """Where the tokens ``start`` to ``end`` of ``stretch`` stand."""
    joined = alternative = negated = False
    while True:
        joined, alternative = joined or bool(stretch.joints), alternative or "OR" in stretch.joints
        if not _is_bare(tokens, start, end):
            return Place(filters=False, joined=True, alternative=alternative, negated=negated, whole=stretch)
        start, around = stretch.opener, stretch.around
        if around is None or stretch.before != start or stretch.closer is None or not _groups(tokens, start):
            break
        end = stretch.closer
        if start and tokens[start - 1].upper == "NOT":
            joined = negated = True
        stretch = around
    before = tokens[stretch.before].upper if stretch.before >= 0 else ""
    return Place(before in _FILTERS, joined or before in _RESULTS, alternative, negated, stretch)


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
