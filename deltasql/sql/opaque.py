"""Conditions and constants that DataFusion can't see through, so that it takes no column for constant.

What is constant before an outer join isn't behind it, where NULL may stand in its place. DataFusion 55 takes it for
constant still: of ``b LEFT JOIN a ON b.k = a.k AND a.n = 2`` it neither sorts nor partitions nor groups by ``a.n``
(tests/engine/test_opaque.py). It finds constants in conditions and in SELECT lists, and in neither looks into a
scalar subquery: ``(a.n = 2) = (SELECT yes FROM …)`` holds where ``a.n = 2`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from deltasql.errors import Span
from deltasql.sql.dialect import Token
from deltasql.sql.memberships import AGGREGATE
from deltasql.sql.operands import CLOSES, OPENS
from deltasql.sql.places import Tokens, closed, queries_of
from deltasql.sql.scan import CLAUSES, RESERVED, Scan, scan
from deltasql.sql.splice import Edit, splice

_CONDITIONS = frozenset({"WHERE", "ON", "HAVING", "QUALIFY"})
_JOINS = frozenset({"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "LATERAL"})
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_ENDS = CLAUSES | _SETS | _JOINS | {"FROM", ",", ";"}
_BEFORE_TABLES = frozenset({"FROM", "JOIN", ",", "AS", "(", "ALL", "DISTINCT", "LATERAL", *_SETS})
_CHOICES = frozenset({"CASE", "COALESCE", "NVL", "IFNULL", "IF", "NULLIF", "AND", "OR", "IS", "GREATEST", "LEAST"})
_COMPARISONS = frozenset({"<", ">", "<=", ">=", "<>", "!=", "!", "||", "~"})
_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE"})


def opaque(sql: str, yes: str, *, everywhere: bool) -> str:
    """``sql`` with ``yes``, a scalar subquery that is true, put before what may be found constant.

    Queries that stand in an expression stay as they are unless ``everywhere`` is set: not all may hold a query.
    """
    found = scan(sql)
    tokens = found.cursor.tokens
    queries = queries_of(tokens)
    left = set() if everywhere else _in_expressions(tokens, queries)
    edits: list[Edit] = []
    for start, end in conditions(tokens, _CONDITIONS):
        if start not in left:
            for first, last in _atoms(tokens, start, end, queries):
                if _may_fix(tokens, first, last, found, queries):
                    edits += _around(tokens, first, last, "(", f") = {yes}")
    for start, end in _items(tokens, queries, found):
        if start not in left and (
            _may_be_constant(tokens, start, end, found, queries) or _is_of_all_rows(tokens, start, end, found, queries)
        ):
            edits += _around(tokens, start, end, f"CASE WHEN {yes} THEN (", ") END")
    return splice(sql, edits).text


def _around(tokens: Tokens, first: int, end: int, before: str, behind: str) -> list[Edit]:
    start, stop = tokens[first].span.start, tokens[end - 1].span.end
    return [Edit(Span(start, start), before), Edit(Span(stop, stop), behind)]


def _in_expressions(tokens: Tokens, queries: Collection[int]) -> set[int]:
    """The tokens of queries that stand in an expression, and not where a table can."""
    found: set[int] = set()
    for index in queries:
        if index and tokens[index - 1].upper not in _BEFORE_TABLES:
            found |= set(range(index, closed(tokens, index)))
    return found


# -- conditions


def conditions(tokens: Tokens, clauses: Collection[str]) -> Iterator[tuple[int, int]]:
    """The conditions of queries behind the words ``clauses``: the first token and the index behind the last."""
    for index, token in enumerate(tokens):
        before = tokens[index - 1].upper if index else ""
        if token.upper not in clauses or before == "DISTINCT" or _filters_aggregate(tokens, index):
            continue
        end = _end(tokens, index + 1, lambda place: _is_clause(tokens, place))
        if end > index + 1:
            yield index + 1, end


def _filters_aggregate(tokens: Tokens, index: int) -> bool:
    return index > 1 and tokens[index - 1].upper == "(" and tokens[index - 2].upper == "FILTER"


def _is_clause(tokens: Tokens, index: int) -> bool:
    """True if the token begins what comes behind a condition or a SELECT list."""
    word = tokens[index].upper
    if word in ("LEFT", "RIGHT"):  # They are functions too.
        return index + 1 == len(tokens) or tokens[index + 1].text != "("
    return word in _ENDS and not (word == "FROM" and tokens[index - 1].upper == "DISTINCT")


def _end(tokens: Tokens, index: int, ends: Callable[[int], bool]) -> int:
    """The first index from ``index`` on at which ``ends`` is true or the bracket closes."""
    while index < len(tokens) and tokens[index].upper not in CLOSES and not ends(index):
        index = closed(tokens, index) if tokens[index].upper in OPENS else index + 1
    return index


def _atoms(tokens: Tokens, start: int, end: int, queries: Collection[int]) -> Iterator[tuple[int, int]]:
    """The parts of a condition between AND, OR, NOT and brackets."""
    parts, place, between = [start], start, False
    while place < end:
        word = tokens[place].upper
        if word == "OR" or (word == "AND" and not between):
            parts.append(place + 1)
        between = word == "BETWEEN" or (between and word != "AND")
        place = closed(tokens, place) if word in OPENS else place + 1
    if len(parts) > 1:
        for first, last in zip(parts, [*(part - 1 for part in parts[1:]), end], strict=True):
            yield from _atoms(tokens, first, last, queries)
        return
    while start < end and tokens[start].upper == "NOT":
        start += 1
    if start >= end:
        return
    if tokens[start].upper == "(" and start not in queries and closed(tokens, start) == end:
        yield from _atoms(tokens, start + 1, end - 1, queries)
    else:
        yield start, end


def _may_fix(tokens: Tokens, start: int, end: int, found: Scan, queries: Collection[int]) -> bool:
    """True if the atom may fix the value of a column, and isn't what a join goes by."""
    if any(place in queries for place in range(start, end)):
        return False
    equals = [place for place in range(start, end) if tokens[place].upper in ("=", "==")]
    if len(equals) == 1:
        sides = (start, equals[0]), (equals[0] + 1, end)
        return not all(_columns(tokens, *side, found) for side in sides)
    return bool(_columns(tokens, start, end, found)) and (
        _has_constant(tokens, start, end) or not any(t.upper in _COMPARISONS for t in tokens[start:end])
    )


# -- SELECT lists


def _items(tokens: Tokens, queries: Collection[int], found: Scan) -> Iterator[tuple[int, int]]:
    """The items, without their aliases, of the SELECT lists of queries that stand for a table."""
    for opens in sorted(queries):
        if not opens or tokens[opens - 1].upper not in _BEFORE_TABLES or tokens[opens + 1].upper == "(":
            continue
        place, last = opens + 1, closed(tokens, opens) - 1
        while place < last:
            if tokens[place].upper != "SELECT":
                place = closed(tokens, place) if tokens[place].upper in OPENS else place + 1
                continue
            place += 1 + (tokens[place + 1].upper in ("DISTINCT", "ALL"))
            if tokens[place].upper == "ON":
                place = closed(tokens, place + 1)
            while place < last:
                end = _end(tokens, place, lambda index: _is_clause(tokens, index))
                if end > place:
                    yield place, _alias_start(tokens, end, found)
                place = end
                if end >= last or tokens[end].upper != ",":
                    break
                place += 1


def _alias_start(tokens: Tokens, end: int, found: Scan) -> int:
    """The index behind the item that ends before ``end``, with its alias or without."""
    if found.roles.get(end - 1) != "alias":
        return end
    return end - 2 if tokens[end - 2].upper == "AS" else end - 1


def _may_be_constant(tokens: Tokens, start: int, end: int, found: Scan, queries: Collection[int]) -> bool:
    """True if the item may be found to have one value, whatever the rows."""
    words = {token.upper for token in tokens[start:end]}
    if "*" in (tokens[end - 1].upper, tokens[start].upper) or "OVER" in words:
        return False
    if any(place in queries or _aggregates(tokens, place) for place in range(start, end)):
        return False
    if not _columns(tokens, start, end, found):
        return True
    return _has_constant(tokens, start, end) and not words.isdisjoint(_CHOICES)


def _is_of_all_rows(tokens: Tokens, start: int, end: int, found: Scan, queries: Collection[int]) -> bool:
    """True if the item has an alias and is of an aggregate without groups: of one row, which has one value."""
    if found.roles.get(end + (end < len(tokens) and tokens[end].upper == "AS")) != "alias":
        return False  # It may be called by the name that DataFusion gives it.
    if "OVER" in {token.upper for token in tokens[start:end]} or any(place in queries for place in range(start, end)):
        return False
    behind = _end(tokens, end, lambda place: tokens[place].upper == "GROUP" or tokens[place].upper in _SETS)
    grouped = behind < len(tokens) and tokens[behind].upper == "GROUP"
    return not grouped and any(_aggregates(tokens, place) for place in range(start, end))


def _aggregates(tokens: Tokens, index: int) -> bool:
    behind = tokens[index + 1].text if index + 1 < len(tokens) else ""
    return behind == "(" and AGGREGATE.fullmatch(tokens[index].upper) is not None


# -- both


def _has_constant(tokens: Tokens, start: int, end: int) -> bool:
    return any(t.kind in ("string", "number", "parameter") or t.upper in _CONSTANTS for t in tokens[start:end])


def _columns(tokens: Tokens, start: int, end: int, found: Scan) -> list[Token]:
    """The tokens that may name columns."""
    return [
        tokens[place]
        for place in range(start, end)
        if tokens[place].is_name
        and tokens[place].upper not in RESERVED | _CONSTANTS
        and place not in found.roles
        and not (place + 1 < len(tokens) and tokens[place + 1].text == "(")
    ]
