"""Correlated queries where DataFusion takes none: their values stand beside the rows of the table that they look at.

In ON, GROUP BY, ORDER BY, the call of an aggregate and a window DataFusion knows no query that looks out of it. In a
SELECT list any is told (`correlation`), so the table that it takes columns of gets it there:
``t LEFT JOIN s ON (query of s.k) > 1`` reads ``t LEFT JOIN (SELECT *, (query of s.k) AS v FROM s) AS s ON s.v > 1``.
The condition of an inner join goes to WHERE. A table whose rows an outer join may have made of NULLs by then can't be
told so: nothing is beside those. Where a query looks at several tables, nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.names import fold, quote
from deltasql.sql.domains import BESIDE, FLEETING, Around, rows_of, struct_of
from deltasql.sql.names_seen import Reference, Seen
from deltasql.sql.places import closed, queries_of
from deltasql.sql.scan import Relation, Scope
from deltasql.sql.scan import seen as name_seen
from deltasql.sql.shape import Block, Range, conjuncts, own, split
from deltasql.sql.splice import Edit

_KINDS = ("LEFT", "RIGHT", "FULL")
_JOINING = frozenset({"JOIN", "INNER", "CROSS", "NATURAL", "OUTER", "SEMI", "ANTI", ","} | set(_KINDS))


@dataclass(frozen=True, slots=True)
class Expression:
    """A query with the word and the value before it, by indexes of tokens, in a ``clause`` of the SELECT ``block``."""

    first: int
    end: int
    block: Block
    clause: str


def taken(seen: Seen, found: Expression) -> list[Reference]:
    """The columns that it takes from around it."""
    around = {id(scope) for scope in _scope(seen, found.block).chain()}
    some = (seen.references[place] for place in range(found.first, found.end) if place in seen.references)
    return [each for each in some if id(each.scope) in around]


def beside(seen: Seen, found: Expression, alike: Iterable[Range]) -> list[Edit]:
    """The edits that put the value beside the rows of a table, and its name here and at ``alike``; none: not known how.

    ``alike`` are places that say the same.
    """
    references = taken(seen, found)
    relation = references[0].relation if references else None
    scope = _scope(seen, found.block)
    if relation is None or any(each.relation is not relation or each.scope is not scope for each in references):
        return []
    text = seen.text(found.first, found.end)
    return _with_column(seen, found, relation, text, dict.fromkeys(((found.first, found.end), *alike), ""))


def paired(seen: Seen, found: Expression) -> list[Edit]:
    """The edits for a condition in ON that looks at two tables; none where it isn't known how.

    One of them gets a list beside each row: the values of the other with which the condition holds.
    """
    joins = _joins(seen, found.block)
    number = _join_of(joins, found)
    on = _on(seen, joins, number)
    if on is None or on[0] > found.first:
        return []
    conditions = list(_conditions(seen, on, found))
    this = next(each for each in conditions if each[0] <= found.first < each[1])
    references = taken(seen, Expression(*this, found.block, "ON"))
    tables = {id(each.relation): each.relation for each in references if each.relation is not None}
    scope = _scope(seen, found.block)
    if len(tables) != 2 or any(each.scope is not scope or each.relation is None for each in references):
        return []
    one, other = sorted(tables.values(), key=lambda each: each.span.start)
    first, _ = seen.extent(one)
    around = Around(-1, 0, found.block, "ON")
    sources = [rows_of(seen, each, [r for r in references if r.relation is each], around) for each in (one, other)]
    if None in sources or first not in _places(seen, found.block) or _is_made(joins, first, number):
        return []
    here, there = (struct_of(_names(seen, references, each)) for each in (one, other))
    also = [each for each in conditions if each != this and _is_about(seen, each, found.block, tables)]
    holds = " AND ".join(f"({seen.text(*each)}\n)" for each in (*also, this))
    listed = f'{here} AS "__deltasql_one", {there} AS "__deltasql_other"'
    pairs = f"SELECT DISTINCT {listed} FROM {sources[0]} CROSS JOIN {sources[1]} WHERE {holds}"
    value = f'SELECT array_agg("__deltasql_one") FROM ({pairs}) WHERE "__deltasql_other" = {there}'
    return _with_column(seen, found, other, f"({value})", {this: f"array_has({{}}, {here})"})


def _with_column(
    seen: Seen, found: Expression, relation: Relation, value: str, places: Mapping[Range, str]
) -> list[Edit]:
    """The edits that give a table ``value`` as another column, which then stands at ``places``; none where it can't.

    What is to stand at a place has the column at ``{}``; "" is the column alone.
    """
    start, end = seen.extent(relation)
    joins = _joins(seen, found.block)
    if start not in _places(seen, found.block) or _is_made(joins, start, _join_of(joins, found)):
        return []
    alias = _alias(seen, relation, _scope(seen, found.block))
    if alias is None or (start and seen.tokens[start - 1].upper == "LATERAL"):
        return []
    column = f'"{BESIDE}{seen.sql.count(BESIDE)}"'
    stars = _without(seen, found.block, alias, column)
    if stars is None:
        return []
    rows = f"(SELECT *, ({value}\n) AS {column} FROM {seen.text(start, end)}\n) AS {alias}"
    made = {_span(seen, place): (text or "{}").replace("{}", f"{alias}.{column}") for place, text in places.items()}
    others = [
        each
        for each in _shortened(seen, relation)
        if not any(span.start <= each.span.start < span.end for span in made)
    ]
    return [Edit(_span(seen, (start, end)), rows), *stars, *others, *(Edit(*each) for each in made.items())]


def _places(seen: Seen, block: Block) -> set[int]:
    return set(own(seen.tokens, *block.clauses.get("FROM", (0, 0))))


def _scope(seen: Seen, block: Block) -> Scope:
    return seen.scan.scopes[block.start]


def _span(seen: Seen, place: Range) -> Span:
    return Span(seen.tokens[place[0]].span.start, seen.tokens[place[1] - 1].span.end)


def _alias(seen: Seen, relation: Relation, scope: Scope) -> str | None:
    """By what columns of the table are qualified; None if that isn't it alone."""
    if relation.alias is not None:
        return quote(name_seen(relation.alias))
    called = [fold(parts[-1]) for each in scope.relations if (parts := seen.called(each))]
    own_ = seen.called(relation)
    return quote(own_[-1]) if own_ and called.count(fold(own_[-1])) == 1 else None


def _shortened(seen: Seen, relation: Relation) -> list[Edit]:
    """Names of the table's columns without the schema before the table's name, which the query in its place hasn't."""
    if relation.alias is not None:
        return []
    parts = [fold(part) for part in seen.called(relation)]
    edits = []
    for each in seen.references.values():
        if each.relation is not relation:
            continue
        names = [fold(token.text) for token in seen.tokens[each.first : each.end : 2]]
        for length in (3, 2):
            if len(names) > length and names[:length] == parts[-length:]:
                behind = seen.tokens[each.first + 2 * (length - 1)].span.start
                edits.append(Edit(Span(seen.tokens[each.first].span.start, behind), ""))
                break
    return edits


# -- the joins of a FROM clause


@dataclass(frozen=True, slots=True)
class _Join:
    """A join by the index of its word JOIN (or the comma), where what it begins with starts, and where it ends."""

    kind: str
    start: int
    word: int
    end: int


def _joins(seen: Seen, block: Block) -> list[_Join]:
    tokens, (first, end) = seen.tokens, block.clauses["FROM"]
    places = list(own(tokens, first, end))
    found: list[_Join] = []
    start, kind = None, ""
    for number, place in enumerate(places):
        word = tokens[place].upper
        calls = number + 1 < len(places) and tokens[places[number + 1]].upper == "(" and word in ("LEFT", "RIGHT")
        if word not in _JOINING or calls or place in seen.references:
            start, kind = None, ""
            continue
        start = place if start is None else start
        kind = word if word in _KINDS else kind
        if word in ("JOIN", ","):
            if found:
                found[-1] = _Join(found[-1].kind, found[-1].start, found[-1].word, start)
            found.append(_Join(kind or ("INNER" if word == "JOIN" else ","), start, place, end))
            start, kind = None, ""
    return found


def _join_of(joins: list[_Join], found: Expression) -> int:
    """The number of the join whose ON it stands in; that of all joins, where it stands in another clause."""
    if found.clause != "ON":
        return len(joins)
    return next((number for number, each in enumerate(joins) if each.word < found.first < each.end), len(joins))


def _is_made(joins: list[_Join], start: int, before: int) -> bool:
    """True if the rows of the table at ``start`` may be NULLs of an outer join, one of those ``before``."""
    for each in joins[:before]:
        if each.kind in ("RIGHT", "FULL") and start < each.word:
            return True
        if each.kind in ("LEFT", "FULL") and each.word < start < each.end:
            return True
    return False


def filtered(seen: Seen, found: Expression) -> list[Edit]:
    """The edits that put the condition of an inner join that it stands in into WHERE; none where it must stay."""
    joins = _joins(seen, found.block)
    number = _join_of(joins, found)
    on = _on(seen, joins, number)
    if on is None or on[0] > found.first or joins[number].kind != "INNER":
        return []
    words = {seen.tokens[place].upper for place in own(seen.tokens, joins[number].start, joins[number].word)}
    if any(each.kind in ("RIGHT", "FULL") for each in joins[number + 1 :]) or not words <= {"INNER"}:
        return []
    condition = next(each for each in conjuncts(seen.tokens, on) if each[0] <= found.first < each[1])
    said = f"({seen.text(*condition)}\n)"
    moved = Edit(_span(seen, condition), "true")
    where = found.block.clauses.get("WHERE")
    if where is None:
        last = seen.tokens[found.block.clauses["FROM"][1] - 1].span.end
        return [moved, Edit(Span(last, last), f" WHERE {said}")]
    opens, closes = _span(seen, where).start, _span(seen, where).end
    return [moved, Edit(Span(opens, opens), "("), Edit(Span(closes, closes), f"\n) AND {said}")]


def _on(seen: Seen, joins: list[_Join], number: int) -> Range | None:
    """The condition of a join; None where it has none or more than one."""
    if number == len(joins):
        return None
    join = joins[number]
    ons = [place for place in own(seen.tokens, join.word, join.end) if seen.tokens[place].upper == "ON"]
    return (ons[0] + 1, join.end) if len(ons) == 1 else None


def _conditions(seen: Seen, within: Range, found: Expression) -> Iterator[Range]:
    """The conditions that all must hold for ``within`` to; brackets around the one with ``found`` are looked into."""
    for each in conjuncts(seen.tokens, within):
        bracket = seen.tokens[each[0]].text == "(" and closed(seen.tokens, each[0]) == each[1]
        if bracket and each[0] < found.first < each[1]:
            yield from _conditions(seen, (each[0] + 1, each[1] - 1), found)
        else:
            yield each


def _names(seen: Seen, references: Iterable[Reference], relation: Relation) -> list[str]:
    return list(dict.fromkeys(seen.text(each.first, each.end) for each in references if each.relation is relation))


def _is_about(seen: Seen, condition: Range, block: Block, tables: Mapping[int, Relation]) -> bool:
    """True if the condition holds no query and is about these tables alone."""
    first, end = condition
    references = taken(seen, Expression(first, end, block, "ON"))
    words = {token.upper for token in seen.tokens[first:end]}
    plain = FLEETING.isdisjoint(words) and not any(first <= place < end for place in queries_of(seen.tokens))
    return plain and bool(references) and all(id(each.relation) in tables for each in references)


# -- the SELECT list


def _without(seen: Seen, block: Block, alias: str, column: str) -> list[Edit] | None:
    """The edits that keep ``column`` out of each ``*``; None where that can't be."""
    edits, handled = [], set()
    here = _scope(seen, block)
    words = {seen.tokens[place].upper for place in own(seen.tokens, *block.clauses["FROM"])}
    for first, end in split(seen.tokens, block.clauses["SELECT"]):
        stars = [place for place in own(seen.tokens, first, end) if seen.tokens[place].upper == "*"]
        whole = [place for place in stars if place == first or seen.tokens[place - 1].upper == "."]
        if not whole:
            continue
        star = whole[0]
        handled.add(star)
        if star != first and fold(seen.tokens[star - 2].text) != fold(alias.strip('"`')):
            continue
        if star == first and not words.isdisjoint({"NATURAL", "USING"}):
            return None
        last = seen.tokens[star].span.end
        said = f" EXCEPT ({column})"
        if star + 1 < end:
            excepts = seen.tokens[star + 1].upper in ("EXCEPT", "EXCLUDE") and seen.tokens[star + 2].text == "("
            if not excepts or closed(seen.tokens, star + 2) != end:
                return None
            last, said = seen.tokens[end - 1].span.start, f", {column}"
        edits.append(Edit(Span(last, last), said))
    for place in range(block.start, block.end):
        starred = seen.tokens[place].upper == "*" and seen.tokens[place - 1].upper == "."
        if starred and place not in handled and seen.scan.scopes[place] is here:
            return None
    return edits
