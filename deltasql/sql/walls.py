"""Walls between an aggregate without groups and the conditions outside of it.

Such an aggregate gives a row of no rows. DataFusion 55 moves a condition without columns (``y.s = 'b'`` where ``s`` is
``'a'``) below it, where it takes the rows that are counted and leaves the count: of
``SELECT * FROM (SELECT 'a' AS s, count(*) FROM t) y WHERE s = 'b'`` a row of 0 is left. It moves none below a LIMIT.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise

from deltasql.errors import Span
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.splice import Edit, splice

_ALL = "LIMIT 9223372036854775807"
_NESTED = re.compile(r"\(\s*(?:SELECT|WITH|\()|[/\-]", re.IGNORECASE)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_LIMITS = frozenset({"LIMIT", "OFFSET", "FETCH"})
_UNITE = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_CLAUSES = _UNITE | {
    "WITH",
    "SELECT",
    "FROM",
    "JOIN",
    "ON",
    "WHERE",
    "GROUP",
    "HAVING",
    "QUALIFY",
    "ORDER",
    "VALUES",
    "LIMIT",
}
_SETS = frozenset({"GROUPING", "ROLLUP", "CUBE"})


def walled(sql: str, aggregates: Callable[[], Collection[str]]) -> str:
    """``sql`` with a LIMIT that leaves all rows at each query in FROM or WITH that may have an aggregate of all rows.

    ``aggregates`` gives the names of the functions that make one, in lower case.
    """
    if _NESTED.search(sql) is None:
        return sql
    tokens = tokenize(sql)
    queries = list(_queries(tokens))
    known = aggregates() if queries else ()
    edits = [edit for first, last in queries for edit in _walls(tokens, first, last, known)]
    return splice(sql, edits).text if edits else sql


def _queries(tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    """The first and last token of what is in brackets where a table can stand, or a query of WITH."""
    opened: list[tuple[int, bool]] = []
    clauses = [""]  # Of each bracket that is open, the clause that is being read.
    for index, token in enumerate(tokens):
        if token.upper in _OPEN:
            within = opened[-1][1] if opened else True
            opened.append((index, bool(index) and _is_for_a_table(tokens, index, clauses[-1], within=within)))
            clauses.append("")
        elif token.upper in _CLOSE and opened:
            start, for_a_table = opened.pop()
            clauses.pop()
            if token.upper == ")" and for_a_table and tokens[start + 1].upper in ("SELECT", "WITH", "("):
                yield start + 1, index
        elif token.upper in _CLAUSES and token.kind == "word" and not _compares(tokens, index):
            clauses[-1] = token.upper


def _is_for_a_table(tokens: tuple[Token, ...], index: int, clause: str, *, within: bool) -> bool:
    """True if a table can stand at the bracket in ``clause``; ``within`` tells the same of the bracket around it."""
    before = tokens[index - 1].upper
    if before in ("FROM", "JOIN"):
        return not _compares(tokens, index - 1)
    if before == ",":
        return clause in ("FROM", "JOIN", "ON")
    if before in ("AS", "MATERIALIZED"):
        return clause in ("WITH", "")
    if before in ("ALL", "DISTINCT"):
        return within and tokens[index - 2].upper in _UNITE
    return within and (before == "(" or before in _UNITE)


def _compares(tokens: tuple[Token, ...], index: int) -> bool:
    """True for the FROM of IS DISTINCT FROM."""
    return tokens[index].upper == "FROM" and index > 0 and tokens[index - 1].upper == "DISTINCT"


def _walls(tokens: tuple[Token, ...], first: int, last: int, aggregates: Collection[str]) -> Iterator[Edit]:
    """A wall at the end of the query, unless it has a LIMIT of its own."""
    own = list(_own(tokens, first, last))
    if any(tokens[index].upper in _LIMITS for index in own):
        return
    starts = [index for index in own if tokens[index].upper == "SELECT"]
    parts = pairwise([*starts, last])
    if any(_gives_a_row_of_none(tokens, start, end, aggregates) for start, end in parts):
        end = tokens[last - 1].span.end
        yield Edit(Span(end, end), f" {_ALL}")


def _own(tokens: tuple[Token, ...], first: int, last: int) -> Iterator[int]:
    """The tokens from ``first`` up to ``last`` that are in no further brackets."""
    depth = 0
    for index in range(first, last):
        depth -= tokens[index].upper in _CLOSE
        if depth == 0 and tokens[index].upper not in _CLOSE:
            yield index
        depth += tokens[index].upper in _OPEN


def _gives_a_row_of_none(tokens: tuple[Token, ...], start: int, end: int, aggregates: Collection[str]) -> bool:
    """True if the SELECT from ``start`` up to ``end`` may give a row where it reads none."""
    words = [tokens[index].upper for index in _own(tokens, start, end)]
    grouped = any(pair == ("GROUP", "BY") for pair in pairwise(words))
    if grouped:
        return not _SETS.isdisjoint(token.upper for token in tokens[start:end])
    calls = pairwise(_without_queries(tokens, start, end))
    return any(name.is_name and name.text.lower() in aggregates and behind.upper == "(" for name, behind in calls)


def _without_queries(tokens: tuple[Token, ...], start: int, end: int) -> Iterator[Token]:
    """The tokens from ``start`` up to ``end``, but for those of queries in brackets."""
    inside = 0
    for index in range(start, end):
        opens, closes = tokens[index].upper in _OPEN, tokens[index].upper in _CLOSE
        if inside or (opens and index + 1 < end and tokens[index + 1].upper in ("SELECT", "WITH")):
            inside += opens - closes
        else:
            yield tokens[index]
