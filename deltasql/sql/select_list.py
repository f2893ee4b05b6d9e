"""Equal columns of a SELECT list told apart, which DataFusion can't: each after the first gets an alias.

Only for a query whose columns go by position. What DataFusion takes as it is stays untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.operands import CLOSES, OPENS
from deltasql.sql.splice import Edit

_ENDS = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "MINUS"}
    | {"QUALIFY", "WINDOW", ";"}
)


_BEHIND_FROM = _ENDS - {"FROM", ";"}

TOLD_APART = "__deltasql_column_"
"""How the aliases of such columns begin."""


def told_apart(sql: str) -> list[Edit]:
    """Aliases for the columns of ``sql``'s outermost SELECTs that are written like one before them."""
    return [Edit(Span(each.end, each.end), f" AS {each.alias}") for each in twins(sql)]


@dataclass(frozen=True, slots=True)
class Twin:
    """A column like one before it: what it is to be called, where its item ends, and the place of the one before.

    The place counts from the end (-1: the last) where a ``*`` stands before it; None where one stands behind, too.
    """

    alias: str
    end: int
    place: int | None


def twins(sql: str) -> list[Twin]:
    """The columns of ``sql``'s outermost SELECTs that DataFusion would call like one before them."""
    found: list[Twin] = []
    for items in lists(tokenize(sql)):
        seen: dict[tuple[str, ...], int] = {}
        stars = [place for place, item in enumerate(items) if item[-1].text == "*" and _is_named(item)]
        for place, item in enumerate(items):
            key = _key(item)
            first = seen.setdefault(key, place)
            if first == place or _is_named(item):
                continue
            known = first if not stars or first < stars[0] else first - len(items) if first > stars[-1] else None
            found.append(Twin(f"{TOLD_APART}{len(found)}", item[-1].span.end, known))
    return found


def _key(item: list[Token]) -> tuple[str, ...]:
    """What a column's name is made of: of a query in it the SELECT list and FROM, and of EXISTS and IN nothing."""
    key: list[str] = []
    depth = 0
    cut: int | None = None
    for place, token in enumerate(item):
        word = token.upper
        depth -= word in CLOSES
        if cut is not None and depth < cut:
            cut = None
        if cut is None and depth and word in _BEHIND_FROM:
            cut = depth
        query = word == "SELECT" and place > 1 and item[place - 1].text == "("
        if cut is None and query and item[place - 2].upper in ("EXISTS", "IN"):
            cut = depth
        if cut is None:
            key.append(word or token.text)
        depth += word in OPENS
    return tuple(key)


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
