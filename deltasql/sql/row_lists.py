"""VALUES with queries in it made SELECTs, as DataFusion 55 computes none in VALUES."""

from __future__ import annotations

from collections.abc import Iterator

from deltasql.errors import NotSupportedError, Span
from deltasql.sql.dialect import tokenize
from deltasql.sql.places import Tokens, closed, queries_of
from deltasql.sql.shape import SET_WORDS, split
from deltasql.sql.splice import Edit

_MOST = 100
"""How many rows such a VALUES may have: a SELECT stands in the plan for each."""


def computed(sql: str) -> list[Edit]:
    """The edits that make SELECTs of each VALUES that holds a query.

    Raises `NotSupportedError` for one of more than a hundred rows.
    """
    if "VALUES" not in sql.upper() or "SELECT" not in sql.upper():
        return []
    tokens = tokenize(sql)
    queries = queries_of(tokens)
    return [edit for place in range(len(tokens) - 1) for edit in _selects(tokens, place, queries)]


def _selects(tokens: Tokens, place: int, queries: set[int]) -> Iterator[Edit]:
    """The edits for the VALUES at ``place``, if one with queries is there."""
    before = tokens[place - 1].upper if place else "("
    leads = before in ("(", ")", "ALL", "DISTINCT") or before in SET_WORDS
    if tokens[place].upper != "VALUES" or tokens[place + 1].text != "(" or not leads:
        return
    rows = [(place + 1, closed(tokens, place + 1) - 1)]
    while [token.text for token in tokens[rows[-1][1] + 1 : rows[-1][1] + 3]] == [",", "("]:
        opens = rows[-1][1] + 2
        rows.append((opens, closed(tokens, opens) - 1))
    end = rows[-1][1] + 1
    cells = [split(tokens, (opens + 1, closes)) for opens, closes in rows]
    # DataFusion tells what is wrong with these.
    broken = len({len(each) for each in cells}) > 1 or (end < len(tokens) and tokens[end].text in (",", "("))
    if broken or not any(opens < query < closes for opens, closes in rows for query in queries):
        return
    if len(rows) > _MOST:
        message = f"VALUES with a query in it has at most {_MOST} rows"
        raise NotSupportedError(message, hint="write them as INSERT … SELECT, or in parts", span=tokens[place].span)
    # Between other SELECTs the brackets keep together what belongs together.
    behind = tokens[end].upper if end < len(tokens) else ""
    wrapped = len(rows) > 1 and (before in SET_WORDS or before in ("ALL", "DISTINCT") or behind in SET_WORDS)
    yield Edit(tokens[place].span, "(" if wrapped else "")
    for number, (opens, closes) in enumerate(rows):
        yield Edit(tokens[opens].span, "SELECT ")
        for column, (_, last) in enumerate(cells[number], start=1):
            at = tokens[last - 1].span.end
            yield Edit(Span(at, at), f" AS column{column}")
        last_row = number == len(rows) - 1
        yield Edit(tokens[closes].span, ")" if wrapped and last_row else " ")
        if not last_row:
            yield Edit(tokens[closes + 1].span, " UNION ALL ")
