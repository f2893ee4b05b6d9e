"""Equal columns of a SELECT list told apart, which DataFusion can't: each after the first gets an alias.

Only for a query whose columns go by position. What DataFusion takes as it is stays untouched.
"""

from __future__ import annotations

from collections.abc import Iterator

from deltasql.errors import Span
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.operands import CLOSES, OPENS
from deltasql.sql.splice import Edit

_ENDS = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "MINUS"}
    | {"QUALIFY", "WINDOW", ";"}
)


TOLD_APART = "__deltasql_column_"
"""How the aliases of such columns begin."""


def told_apart(sql: str) -> list[Edit]:
    """Aliases for the columns of ``sql``'s outermost SELECTs that are written like one before them."""
    tokens = tokenize(sql)
    edits: list[Edit] = []
    for items in lists(tokens):
        seen: set[tuple[str, ...]] = set()
        for item in items:
            key = tuple(token.upper or token.text for token in item)
            if key in seen and not _is_named(item):
                end = item[-1].span.end
                edits.append(Edit(Span(end, end), f" AS {TOLD_APART}{len(edits)}"))
            seen.add(key)
    return edits


def lists(tokens: tuple[Token, ...]) -> Iterator[list[list[Token]]]:
    """The items of each SELECT list that is in no brackets."""
    depth, before = 0, ""
    items: list[list[Token]] | None = None
    for token in (*tokens, Token("symbol", ";", ";", Span(0, 0))):
        word = token.upper
        within = word == "GROUP" and before == "WITHIN"
        before = word
        if items is not None and depth == 0 and not within and (word in _ENDS or word == ","):
            if word == ",":
                items.append([])
            else:
                yield [item for item in items if item]
                items = None
        elif items is not None and not (items == [[]] and word in ("DISTINCT", "ALL")):
            items[-1].append(token)
        if depth == 0 and word == "SELECT":
            items = [[]]
        depth += (word in OPENS) - (word in CLOSES)


def cells(sql: str) -> list[list[Span]]:
    """What the outermost SELECT lists and VALUES of ``sql`` give, a list for each SELECT and each row.

    A list ends before a ``*``, behind which nobody knows which column it is.
    """
    tokens = tokenize(sql)
    found = []
    for items in lists(tokens):
        stars = (place for place, item in enumerate(items) if item[-1].text == "*" and _is_named(item))
        found.append([_whole(item) for item in items[: next(stars, len(items))]])
    return [*found, *([_whole(item) for item in row] for row in rows_of_values(tokens))]


def rows_of_values(tokens: tuple[Token, ...]) -> Iterator[list[list[Token]]]:
    """The values of each row of VALUES that is in no brackets."""
    depth, is_values = 0, False
    row: list[list[Token]] = []
    for token in tokens:
        closes = token.upper in CLOSES
        if depth == 0:
            is_values = token.upper == "VALUES" or (is_values and token.text in ("(", ","))
            row = [[]]
        elif depth == 1 and (closes or token.text == ","):
            if not closes:
                row.append([])
            elif is_values:
                yield [item for item in row if item]
        else:
            row[-1].append(token)
        depth += (token.upper in OPENS) - closes


def _whole(item: list[Token]) -> Span:
    return Span(item[0].span.start, item[-1].span.end)


def _is_named(item: list[Token]) -> bool:
    """True if the item may have a name of its own, or is ``*``."""
    last = item[-1]
    if last.upper == "*":
        return True
    if not last.is_name or last.upper in ("END", "NULL", "TRUE", "FALSE"):
        return False
    return len(item) > 1 and item[-2].upper != "."
