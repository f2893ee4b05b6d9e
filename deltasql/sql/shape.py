"""The clauses of one query, read off its tokens: what stands in brackets within them is left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from deltasql.sql.operands import OPENS
from deltasql.sql.places import Tokens, closed

Range = tuple[int, int]
"""The first token and the index behind the last."""

SET_WORDS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_OWN = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW"})
_TAIL = frozenset({"ORDER", "LIMIT", "OFFSET", "FETCH"})


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT: what stands behind each of its words (``SELECT``, ``FROM``, ``GROUP`` for GROUP BY, …)."""

    start: int
    end: int
    clauses: dict[str, Range]
    distinct: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A query: its SELECTs, what stands behind ORDER BY, LIMIT, OFFSET and FETCH, and where its WITH ends."""

    first: int
    end: int
    blocks: tuple[Block, ...]
    tail: dict[str, Range]

    @property
    def only(self) -> Block | None:
        """The one SELECT of a query without set operations and WITH."""
        return self.blocks[0] if len(self.blocks) == 1 and self.blocks[0].start == self.first else None


def own(tokens: Tokens, first: int, end: int) -> Iterator[int]:
    """The tokens from ``first`` up to ``end`` that stand in no brackets, and the brackets that open."""
    place = first
    while place < end:
        yield place
        place = closed(tokens, place) if tokens[place].upper in OPENS else place + 1


def shape_of(tokens: Tokens, first: int, end: int) -> Shape | None:
    """The shape of the query of these tokens; None where it isn't made of SELECTs that stand in no brackets."""
    if first >= end or tokens[first].upper not in ("SELECT", "WITH"):
        return None
    marks = [(place, word) for place in own(tokens, first, end) if (word := _mark(tokens, place, end))]
    blocks: list[Block] = []
    tail: dict[str, Range] = {}
    for number, (place, word) in enumerate(marks):
        behind = marks[number + 1][0] if number + 1 < len(marks) else end
        content = place + 1 + (word in ("GROUP", "ORDER")), behind
        if word == "SELECT":
            distinct = tokens[place + 1].upper == "DISTINCT"
            content = content[0] + (tokens[place + 1].upper in ("DISTINCT", "ALL")), behind
            blocks.append(Block(place, behind, {"SELECT": content}, distinct))
        elif word in _TAIL:
            tail[word] = content
        elif word in _OWN and blocks:
            last = blocks.pop()
            blocks.append(Block(last.start, behind, {**last.clauses, word: content}, last.distinct))
        elif word in SET_WORDS:
            at = place + 1 + (tokens[place + 1].upper in ("ALL", "DISTINCT"))
            if at >= end or tokens[at].upper != "SELECT":
                return None
    return Shape(first, end, tuple(blocks), tail) if blocks else None


def _mark(tokens: Tokens, place: int, end: int) -> str:
    """The word that begins a clause at ``place``, or nothing."""
    word, before = tokens[place].upper, tokens[place - 1].upper if place else ""
    behind = tokens[place + 1].upper if place + 1 < end else ""
    if word == "SELECT" or word in ("WHERE", "HAVING", "LIMIT", "OFFSET", "FETCH", "QUALIFY", "WINDOW"):
        return word
    if word == "FROM":
        return "" if before == "DISTINCT" else word
    if word in ("GROUP", "ORDER"):
        return word if behind == "BY" and before != "WITHIN" else ""
    return word if word in SET_WORDS and not (word == "EXCEPT" and before == "*" and behind == "(") else ""


def split(tokens: Tokens, within: Range, words: Collection[str] = (",",)) -> list[Range]:
    """The parts of ``within`` between ``words`` that stand in no brackets; the AND of BETWEEN parts nothing."""
    parts, start, between = [], within[0], False
    for place in own(tokens, *within):
        word = tokens[place].upper
        if word in words and not (word == "AND" and between):
            parts.append((start, place))
            start = place + 1
        between = word == "BETWEEN" or (between and word != "AND")
    return [part for part in (*parts, (start, within[1])) if part[0] < part[1]]


def conjuncts(tokens: Tokens, condition: Range) -> list[Range]:
    """The conditions that all must hold for ``condition`` to."""
    if any(tokens[place].upper == "OR" for place in own(tokens, *condition)):
        return [condition]
    return split(tokens, condition, ("AND",))
