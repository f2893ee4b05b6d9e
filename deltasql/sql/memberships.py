"""``a IN (query)`` in a condition told so that DataFusion 55 finds three truth values for it.

Its semi joins and marks know true and false alone, and its anti join for NOT IN takes a NULL anywhere in the query's
tables for one of its rows (tests/engine/test_facts.py). That is right where NULL and false come to the same, and for a
NOT IN that stands alone and whose query needs no column from around it. Elsewhere what is asked is told apart: is the
value among the rows, is NULL among them, and is there any row? A query that aggregates without groups has one row and
is compared with. ``IS TRUE`` and ``IS NOT TRUE`` keep the optimizer from making a NOT IN of it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.sql.operands import operand_start
from deltasql.sql.places import Place, Tokens, closed, place_of, queries_of, stretches_of
from deltasql.sql.splice import Edit, splice

AGGREGATE = re.compile(
    r"COUNT|SUM|MIN|MAX|AVG|MEAN|MEDIAN|(STDDEV|VAR|COVAR|APPROX|BIT|BOOL|REGR|PERCENTILE|QUANTILE)_?\w*|CORR|"
    r"(FIRST|LAST|NTH)_VALUE|(ARRAY|STRING)_AGG|GROUPING"
)
_CONDITIONS = {"WHERE", "ON", "HAVING", "QUALIFY"}
_NO_CONDITIONS = {"SELECT", "BY", "FROM", "JOIN", "VALUES", "USING", "LIMIT", "OFFSET"}
_ROUND_LISTS = {"UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH", "QUALIFY", "WINDOW"}
_INNER, _VALUE = "__deltasql_in", "__deltasql_value"


@dataclass(frozen=True, slots=True)
class _Membership:
    """``value [NOT] IN (query)`` or ``EXISTS (query)``, by indexes of tokens.

    ``start`` is the first token, ``word`` that of IN or EXISTS, ``opens`` the bracket and ``end`` what is behind it.
    """

    start: int
    word: int
    opens: int
    end: int
    negated: bool
    place: Place

    @property
    def stands_alone(self) -> bool:
        """True if nothing but AND and brackets is between it and its WHERE."""
        return self.place.filters and not self.place.negated and not self.place.alternative


def three_valued(
    tokens: Tokens, sql: str, *, names: Collection[int], is_correlated: Callable[[int, int], bool]
) -> list[Edit]:
    """The edits that make the conditions of ``sql`` right.

    ``names`` are the indexes of tokens that name a column (aliases); ``is_correlated`` tells whether the tokens from
    the first to the one behind the last name columns of tables that aren't among them.
    """
    edits: list[Edit] = []
    for found in reversed(list(_memberships(tokens))):  # What stands inside comes first.
        edits += _edits(found, tokens, sql, names, is_correlated, edits)
    return edits


def _memberships(tokens: Tokens) -> Iterator[_Membership]:
    """All of them that stand in a condition, in the order of their words."""
    queries = queries_of(tokens)
    if not any(tokens[index - 1].upper in ("IN", "EXISTS") for index in queries if index):
        return
    stretches = stretches_of(tokens)
    for index in sorted(queries):
        word = index - 1
        if word < 0 or tokens[word].upper not in ("IN", "EXISTS") or not _in_condition(tokens, word, queries):
            continue
        end = closed(tokens, index)
        negated = tokens[word - 1].upper == "NOT"
        start = word if tokens[word].upper == "EXISTS" else operand_start(tokens, word - negated)
        if start and tokens[start - 1].upper == "NOT" and tokens[word].upper == "IN":
            negated = not negated
        yield _Membership(start, word, index, end, negated, place_of(tokens, stretches[word], start, end))


def _in_condition(tokens: Tokens, index: int, queries: Collection[int]) -> bool:
    """True if the innermost clause around the token is one that decides on rows."""
    depth = 0
    for place in range(index - 1, -1, -1):
        word = tokens[place].upper
        if word in (")", "]", "}"):
            depth += 1
        elif word in ("(", "[", "{"):
            if depth == 0 and place in queries:
                return False
            depth = max(depth - 1, 0)
        elif depth == 0 and word in _CONDITIONS:
            return True
        elif depth == 0 and word in _NO_CONDITIONS and tokens[place - 1].upper != "DISTINCT":
            return False
    return False


def _edits(
    found: _Membership,
    tokens: Tokens,
    sql: str,
    names: Collection[int],
    is_correlated: Callable[[int, int], bool],
    inside: Sequence[Edit],
) -> list[Edit]:
    """The edits for one, whose parts may have been edited (``inside``)."""

    def told(first: int, end: int) -> str:
        """The text of tokens as it is after the edits inside."""
        span = Span(tokens[first].span.start, tokens[end - 1].span.end)
        own = [edit for edit in inside if span.start <= edit.span.start and edit.span.end <= span.end]
        moved = [Edit(Span(e.span.start - span.start, e.span.end - span.start), e.text) for e in own]
        return splice(sql[span.start : span.end], moved).text

    list_end, aggregates = _list_end(tokens, found), _aggregates(tokens, found)
    first, last = tokens[found.start].span.start, tokens[found.end - 1].span.end
    if tokens[found.word].upper == "EXISTS":
        if not aggregates:
            return []
        return [Edit(Span(first, first), "("), Edit(Span(last, last), " OR true)")]  # It has a row whatever there is.
    is_not = tokens[found.word - 1].upper == "NOT"
    words = Span(tokens[found.word - is_not].span.start, tokens[found.word].span.end)
    if aggregates:
        return [Edit(Span(first, first), "("), Edit(words, "<>" if is_not else "="), Edit(Span(last, last), ")")]
    monotone = found.place.filters and not found.place.negated
    correlated = is_correlated(found.opens + 1, found.end - 1)
    if monotone and not found.negated:
        return _named(tokens, found, list_end, names) if correlated or not found.stands_alone else []  # NULL is false.
    if found.stands_alone and found.negated and not correlated and is_correlated(found.start, found.word):
        return []
    value, query = told(found.start, found.word - is_not), told(found.opens, found.end)
    nulls = f"true IN (SELECT {_INNER}.{_VALUE} IS NULL FROM {query} AS {_INNER}({_VALUE}))"
    if list_end is not None:
        item = list_end
        if list_end - 1 in names:
            item -= 2 if tokens[list_end - 2].upper == "AS" else 1
        start = found.opens + 2 + (tokens[found.opens + 2].upper == "DISTINCT")
        nulls = f"true IN (SELECT ({told(start, item)}\n) IS NULL AS {_VALUE} {told(list_end, found.end)}"
    some = f"(({value}\n) IS NULL AND EXISTS {query})"
    true, false = ("false", "true") if is_not else ("true", "false")
    behind = f") IS TRUE THEN {true} WHEN ({nulls}) IS TRUE OR {some} THEN NULL ELSE {false} END)"
    return [
        Edit(Span(first, first), "(CASE WHEN ("),
        Edit(words, "IN"),
        *_named(tokens, found, list_end, names),
        Edit(Span(last, last), behind),
    ]


def _named(tokens: Tokens, found: _Membership, list_end: int | None, names: Collection[int]) -> list[Edit]:
    """A name for the column of the query, and no DISTINCT, or DataFusion may find two columns of a name."""
    if list_end is None:
        opens, closes = tokens[found.opens].span.end, tokens[found.end - 1].span.start
        wrapped = f"SELECT {_INNER}.{_VALUE} AS {_VALUE}s FROM (", f"\n) AS {_INNER}({_VALUE})"
        return [Edit(Span(opens, opens), wrapped[0]), Edit(Span(closes, closes), wrapped[1])]
    distinct = tokens[found.opens + 2]
    edits = [Edit(distinct.span, "")] if distinct.upper == "DISTINCT" else []
    end = tokens[list_end - 1].span.end
    return edits if list_end - 1 in names else [*edits, Edit(Span(end, end), f" AS {_VALUE}")]


def _list_end(tokens: Tokens, found: _Membership) -> int | None:
    """The index behind the SELECT list; None where the query isn't the same with another list."""
    if tokens[found.opens + 1].upper != "SELECT":
        return None
    end, grouped = None, False
    for place, word in _own_words(tokens, found):
        if word in _ROUND_LISTS or (end is None and word == ","):
            return None
        if word in ("FROM", "WHERE", "GROUP", "HAVING") and end is None and tokens[place - 1].upper != "DISTINCT":
            end = place
        grouped = grouped or word == "GROUP"
        if grouped and (tokens[place].kind == "number" or word == "ALL"):
            return None
    plain = end is not None and tokens[end - 1].text != "*" and tokens[found.opens + 3].upper != "ON"
    return end if plain else None


def _aggregates(tokens: Tokens, found: _Membership) -> bool:
    """True if the query aggregates without groups, so that it has just one row."""
    if tokens[found.opens + 1].upper != "SELECT":
        return False
    words = dict(_own_words(tokens, found))
    if any(word in _ROUND_LISTS | {"GROUP", "HAVING"} for word in words.values()):
        return False
    end = next((place for place, word in words.items() if word in ("FROM", "WHERE")), found.end - 1)
    queries = [(place, closed(tokens, place)) for place in queries_of(tokens) if found.opens < place < end]
    for place in range(found.opens + 2, end - 1):
        called = AGGREGATE.fullmatch(tokens[place].upper) and tokens[place + 1].text == "("
        if called and not any(opens < place < closes for opens, closes in queries):
            behind = closed(tokens, place + 1)
            if tokens[behind].upper == "FILTER":
                behind = closed(tokens, behind + 1)
            if tokens[behind].upper != "OVER":
                return True
    return False


def _own_words(tokens: Tokens, found: _Membership) -> Iterator[tuple[int, str]]:
    """The words of the query behind SELECT that stand in none of its brackets."""
    depth = 0
    for place in range(found.opens + 2, found.end - 1):
        word = tokens[place].upper
        if word in (")", "]", "}", "END"):
            depth -= 1
        if depth == 0:
            yield place, word
        if word in ("(", "[", "{", "CASE"):
            depth += 1
