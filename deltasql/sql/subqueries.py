"""Subqueries of an expression, told in terms that DataFusion can run (facts.md, 47).

To DataFusion a correlated scalar subquery must be aggregated, and EXISTS and IN can't stand in a SELECT list. Counting
says the same: EXISTS is a count above 0; IN is a count of equal values, and NULL where only a NULL may be equal; a
scalar subquery is its first value, if the count isn't above 1. That is an error only for a row that it is asked for,
so it is looked at outside of the subquery. What can't be told so is left as it is, and DataFusion refuses it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.sql.correlation import MANY_ROWS
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.memberships import AGGREGATE
from deltasql.sql.operands import CLOSES, OPENS, operand_start
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import Woven, woven

_WHOLE = frozenset(
    {"GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "MINUS", "QUALIFY"}
    | {"WINDOW", "DISTINCT", "ALL"}
)
"""Words of a query that isn't the same when its SELECT list is another."""

_INNER, _VALUE = "__deltasql_in", "__deltasql_value"


@dataclass(frozen=True, slots=True)
class _Subquery:
    """A subquery by the indexes of its brackets; ``start`` is that of the first token of the expression it belongs to.

    ``word`` is what stands before it: EXISTS, IN or NOT IN; it is empty for a scalar subquery.
    """

    start: int
    opens: int
    closes: int
    word: str


def runnable(expression: Fragment, *, selected: bool, is_correlated: Callable[[Fragment], bool]) -> Woven:
    """``expression`` as DataFusion can run it in a SELECT list (``selected``) or in a filter, where it runs more.

    ``is_correlated`` tells whether a query needs columns from around it.
    """
    tokens, sql = tokenize(expression.sql), expression.sql
    made: list[Woven | Fragment | str] = []
    at = 0

    def part(first: int, last: int) -> Fragment:
        """The text from the token ``first`` up to, not with, the token ``last``."""
        start = tokens[first].span.start
        return _cut(expression, start, tokens[last - 1].span.end if last > first else start)

    for found in _subqueries(tokens):
        query = part(found.opens + 1, found.closes)
        if found.word == "" and is_correlated(query):
            said = _scalar(tokens, found, part)
        elif found.word == "EXISTS" and selected:
            said = _exists(tokens, found, part)
        elif found.word.endswith("IN") and selected and not is_correlated(query):
            said = _in(found, part(found.start, found.opens - len(found.word.split())), query)
        else:
            said = None
        start = tokens[found.start].span.start
        if said is not None and start >= at:
            made += [_cut(expression, at, start), said]
            at = tokens[found.closes].span.end
    return woven(*made, _cut(expression, at, len(sql)))


def _cut(whole: Fragment, start: int, end: int) -> Fragment:
    return Fragment(whole.sql[start:end], Span(whole.span.start + start, whole.span.start + end))


def _subqueries(tokens: tuple[Token, ...]) -> Iterator[_Subquery]:
    """The subqueries of an expression, not those within them."""
    index = 0
    while index + 1 < len(tokens):
        if tokens[index].upper != "(" or tokens[index + 1].upper not in ("SELECT", "WITH"):
            index += 1
            continue
        closes = _close(tokens, index)
        before = tokens[index - 1] if index else None
        if before is not None and before.upper == "EXISTS":
            yield _Subquery(index - 1, index, closes, "EXISTS")
        elif before is not None and before.upper == "IN":
            negated = index > 1 and tokens[index - 2].upper == "NOT"
            word = "NOT IN" if negated else "IN"
            yield _Subquery(operand_start(tokens, index - len(word.split())), index, closes, word)
        elif before is None or before.upper in _BEFORE_SCALAR or (before.kind == "symbol" and before.upper != ")"):
            yield _Subquery(index, index, closes, "")
        index = closes + 1


_BEFORE_SCALAR = frozenset({"AND", "OR", "NOT", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "LIKE", "FROM", "IS"})


def _close(tokens: tuple[Token, ...], index: int) -> int:
    """The index of the bracket that closes the one at ``index``."""
    depth = 0
    for place in range(index, len(tokens)):
        depth += (tokens[place].upper == "(") - (tokens[place].upper == ")")
        if depth == 0:
            return place
    return len(tokens) - 1


def _list_end(tokens: tuple[Token, ...], found: _Subquery) -> int | None:
    """The index behind the SELECT list; None where a query isn't the same with another list."""
    end, depth = found.closes, 0
    for place in range(found.opens + 2, found.closes):
        word = tokens[place].upper
        if depth == 0 and word in _WHOLE:
            return None
        if depth == 0 and word in ("FROM", "WHERE") and end == found.closes:
            end = place
        depth += (word in OPENS) - (word in CLOSES)
    words = [token.upper for token in tokens[found.opens + 1 : end]]
    aggregates = any(AGGREGATE.fullmatch(word) and behind == "(" for word, behind in itertools.pairwise(words))
    return None if aggregates or words[0] != "SELECT" else end


def _exists(tokens: tuple[Token, ...], found: _Subquery, part: Callable[[int, int], Fragment]) -> Woven:
    end = _list_end(tokens, found)
    # An aggregate, whatever it is called, gives a row even where there is none.
    if end is None or any(token.upper == "(" for token in tokens[found.opens + 1 : end]):
        return woven("((SELECT count(*) FROM (", part(found.opens + 1, found.closes), "\n)) > 0)")
    return woven("((SELECT count(*) ", part(end, found.closes), "\n) > 0)")


def _in(found: _Subquery, value: Fragment, query: Fragment) -> Woven:
    inner = woven("FROM (", query, f"\n) AS {_INNER}({_VALUE})")
    said = woven(
        *("(CASE WHEN (SELECT count(*) ", inner, f" WHERE {_INNER}.{_VALUE} = (", value, "\n)) > 0 THEN true"),
        *(" WHEN ((", value, "\n) IS NULL AND (SELECT count(*) ", inner, ") > 0)"),
        *(f" OR (SELECT count(*) - count({_INNER}.{_VALUE}) ", inner, ") > 0 THEN NULL ELSE false END)"),
    )
    return woven("(NOT ", said, ")") if found.word == "NOT IN" else said


def _scalar(tokens: tuple[Token, ...], found: _Subquery, part: Callable[[int, int], Fragment]) -> Woven | None:
    end = _list_end(tokens, found)
    if end is None:
        return None
    first, last = found.opens + 2, end
    if last - 2 > first and tokens[last - 2].upper == "AS":
        last -= 2
    value, rest = part(first, last), part(end, found.closes)
    checked = f" > 1 THEN '{MANY_ROWS}' ELSE '0' END AS INT) = 0"
    return woven(
        *("(CASE WHEN CAST(CASE WHEN (SELECT count(*) ", rest, "\n)", checked),
        *(" THEN (SELECT first_value(", value, "\n) ", rest, "\n) END)"),
    )
