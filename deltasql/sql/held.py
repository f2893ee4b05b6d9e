"""Conditions that are held above a join, where DataFusion pushes them below it and to the wrong side.

What its logical plan leaves in a filter above a join its physical plan pushes to whichever side has columns that are
*called* like those of the condition, if something there takes filters: the union of a table's partitions, or a filter
of a subquery. Of ``u x LEFT JOIN s … RIGHT JOIN u y … WHERE x.k IS NULL OR y.k = 3`` rows are lost (DataFusion 55,
tests/engine/test_held.py). A condition that calls a volatile function stays where it is.
"""

from __future__ import annotations

from deltasql.errors import Span
from deltasql.sql.opaque import conditions
from deltasql.sql.places import Tokens, queries_of
from deltasql.sql.scan import scan
from deltasql.sql.shape import conjuncts
from deltasql.sql.splice import Edit, splice

_CLAUSES = frozenset({"WHERE", "HAVING"})
_DOUBTFUL = frozenset({"OR", "IS", "NOT", "CASE"})
_OPERATORS = frozenset({"IN", "AND", "OR", "NOT", "LIKE", "ILIKE", "BETWEEN"})
_TELL = frozenset({"IN", "EXISTS", "ANY", "ALL", "SOME"})


def held(sql: str) -> str:
    """``sql`` with each condition held that can be left above a join.

    Those that compare columns and values, and no more, aren't: they hold for no NULL, so that they become the join's.
    Nor are those that look into a query by IN or EXISTS, which can stand in no CASE.
    """
    tokens = scan(sql).cursor.tokens
    queries = queries_of(tokens)
    edits: list[Edit] = []
    for start, end in conditions(tokens, _CLAUSES):
        for first, last in conjuncts(tokens, (start, end)):
            words = {tokens[place].upper for place in range(first, last) if not _is_plain_not(tokens, place)}
            looks = any(first < place < last and tokens[place - 1].upper in _TELL for place in queries)
            calls = any(
                tokens[place].text == "(" and tokens[place - 1].is_name and tokens[place - 1].upper not in _OPERATORS
                for place in range(first + 1, last)
            )
            if (words & _DOUBTFUL or calls or "SELECT" in words) and not looks:
                begin, stop = tokens[first].span.start, tokens[last - 1].span.end
                edits.append(Edit(Span(begin, begin), "CASE WHEN random() >= 0 THEN ("))
                edits.append(Edit(Span(stop, stop), "\n) END"))
    return splice(sql, edits).text


def _is_plain_not(tokens: Tokens, place: int) -> bool:
    """True for the words of IS NOT NULL, and for the NOT of NOT LIKE and its like: they hold for no NULL."""
    word, behind = tokens[place].upper, [token.upper for token in tokens[place + 1 : place + 3]]
    if word == "IS":
        return behind == ["NOT", "NULL"]
    return word == "NOT" and behind[:1] in (["LIKE"], ["ILIKE"], ["IN"], ["BETWEEN"], ["NULL"])
