"""Subqueries told in terms that DataFusion can run (facts.md, 47), wherever they stand.

To DataFusion a correlated scalar subquery must be aggregated, a correlated query may look at columns from around it by
equations of its WHERE alone, and EXISTS and IN can't stand but in conditions. Counting says the same: EXISTS is a count
above 0; IN is a count of equal values, and NULL where only a NULL may be equal; a scalar subquery is its first value,
if the count isn't above 1. That is an error only for a row that it is asked for, so it is looked at outside of the
subquery. Queries that are correlated otherwise are computed for each value that they depend on (`domains`). What is
told so DataFusion takes; what can't be, it refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deltasql.errors import NotSupportedError, Span
from deltasql.names import fold
from deltasql.sql.beside import Expression, beside, filtered, paired, taken
from deltasql.sql.domains import KEY, VALUE, Around, Domain, aggregates, domain, joined, keyed
from deltasql.sql.memberships import AGGREGATE
from deltasql.sql.names_seen import Reference, Seen
from deltasql.sql.operands import CLOSES, OPENS, operand_start
from deltasql.sql.places import Tokens, closed, queries_of
from deltasql.sql.scan import CLAUSES, RESERVED
from deltasql.sql.shape import Block, Range, Shape, conjuncts, own, shape_of, split
from deltasql.sql.splice import Edit

MANY_ROWS = "a scalar subquery gives more than one row"
"""Stands in the error of a row whose subquery does."""

_PLAIN = frozenset(("SELECT", "FROM", "WHERE"))
_FILTERS = frozenset({"WHERE", "HAVING", "QUALIFY"})
_GOVERN = (
    frozenset({"SELECT", "FROM", "JOIN", "ON", "GROUP", "ORDER", "LIMIT", "OFFSET", "FETCH", "VALUES", "WINDOW"})
    | _FILTERS
)
_WORDS = RESERVED | CLAUSES | {"THEN", "ELSE", "WHEN", "SET"}
_CALLED = frozenset({"ANY", "SOME", "ALL", "ARRAY", "STRUCT", "EXISTS", "IN", "AS", "LATERAL", "FROM", "JOIN"})


@dataclass(frozen=True, slots=True)
class Subquery:
    """A query in an expression: its brackets, and the indexes of the expression that it makes with the word before it.

    ``word`` is EXISTS, IN or empty for a scalar subquery; ``negated`` tells of NOT IN. ``around`` are the queries
    around it, the innermost first, and ``within`` tells that it stands in the call of an aggregate or in a window.
    """

    first: int
    opens: int
    closes: int
    word: str
    negated: bool
    around: tuple[Around, ...]
    within: bool

    @property
    def clause(self) -> str:
        """The clause of the query around that it stands in."""
        return self.around[0].clause

    @property
    def end(self) -> int:
        """The index behind it."""
        return self.closes + 1


def subqueries(seen: Seen) -> Iterator[Subquery]:
    """The queries of ``seen`` that stand in expressions, those around others first."""
    tokens = seen.tokens
    queries = queries_of(tokens)
    tables = {relation.span.start for relation in seen.scan.relations}
    for opens in sorted(queries):
        if tokens[opens + 1].upper == "(" or tokens[opens].span.start in tables:
            continue
        closes = closed(tokens, opens) - 1
        before = tokens[opens - 1] if opens else None
        if before is None or before.upper in ("UNION", "INTERSECT", "EXCEPT", "MINUS"):
            continue
        first, word, negated = opens, "", False
        if before.upper == "EXISTS":
            first, word = opens - 1, "EXISTS"
        elif before.upper == "IN":
            negated = tokens[opens - 2].upper == "NOT"
            first, word = operand_start(tokens, opens - 1 - negated), "IN"
        elif before.upper in _CALLED or (before.is_name and before.upper not in _WORDS):
            continue
        around, within = _around(tokens, first, queries)
        if around:
            yield Subquery(first, opens, closes, word, negated, around, within)


def _around(tokens: Tokens, index: int, queries: set[int]) -> tuple[tuple[Around, ...], bool]:
    """The queries around the token, by SELECT; none where that isn't a clause with expressions."""
    found: list[Around] = []
    within, clause, depth = False, "", 0
    place = index - 1
    while place >= -1:
        word = tokens[place].upper if place >= 0 else "("
        if place >= 0 and word in CLOSES:
            depth += 1
        elif place == -1 or word in OPENS:
            if depth:
                depth -= 1
                place -= 1
                continue
            if place == -1 or (place in queries and tokens[place + 1].upper != "("):
                end = closed(tokens, place) - 1 if place >= 0 else len(tokens)
                while place == -1 and end and tokens[end - 1].upper == ";":
                    end -= 1
                shape = shape_of(tokens, place + 1, end)
                block = None if shape is None else next((b for b in shape.blocks if b.start <= index < b.end), None)
                if block is None and shape is not None and shape.only is not None and clause == "ORDER":
                    block = shape.only
                if block is None or clause == "":
                    return tuple(found), within
                found.append(Around(place, end, block, clause))
                index, clause = place, ""
            else:
                before = tokens[place - 1] if place else None
                if (
                    not found
                    and before is not None
                    and (_aggregates(before.upper) or before.upper in ("OVER", "FILTER"))
                ):
                    within = True
                clause = ""
        elif (
            depth == 0
            and clause == ""
            and word in _GOVERN
            and not (word == "FROM" and tokens[place - 1].upper == "DISTINCT")
        ):
            clause = word
        place -= 1
    return tuple(found), within


def _aggregates(word: str) -> bool:
    return AGGREGATE.fullmatch(word) is not None


# -- what becomes of them


def told(seen: Seen) -> list[Edit]:
    """The edits for the first subquery that DataFusion can't run as it stands; none where there isn't any."""
    _require_laterals(seen)
    some = list(subqueries(seen))
    for found in some:
        if edits := _moved(seen, found, some):
            return edits
    for found in some:
        if found.clause in ("FROM", "JOIN", "LIMIT", "OFFSET", "FETCH", "VALUES", "WINDOW"):
            continue
        said = _told(seen, found)
        if said is not None:
            return [Edit(Span(seen.tokens[found.first].span.start, seen.tokens[found.closes].span.end), said)]
    return []


def _require_laterals(seen: Seen) -> None:
    """Raise `NotSupportedError` for a LATERAL query of which DataFusion 55 would give wrong rows, or none."""
    for opens in sorted(queries_of(seen.tokens)):
        if opens == 0 or seen.tokens[opens - 1].upper != "LATERAL":
            continue
        closes = closed(seen.tokens, opens) - 1
        outer = seen.outer(opens + 1, closes)
        shape = shape_of(seen.tokens, opens + 1, closes)
        if outer and not (shape is not None and _is_joined(seen, shape, outer)):
            message = (
                "a LATERAL query takes columns from around it by its WHERE alone, without ORDER BY and LIMIT, HAVING, "
            )
            message += "windows and set operations, and by equations of columns where it has groups"
            span = Span(seen.tokens[opens - 1].span.start, seen.tokens[closes].span.end)
            hint = "select the values by scalar subqueries, or join with a query that has them for all rows"
            raise NotSupportedError(message, hint=hint, span=span)


def _is_joined(seen: Seen, shape: Shape, outer: Sequence[Reference]) -> bool:
    """True if DataFusion makes a join of the LATERAL query that is right."""
    only = shape.only
    if only is None or shape.tail or not only.clauses.keys() <= _PLAIN | {"GROUP"} or not _in_where(seen, only, outer):
        return False
    if any(seen.tokens[place].upper == "OVER" for place in range(only.start, only.end)):
        return False
    return not (only.distinct or aggregates(seen, only)) or _by_columns(seen, only, outer)


_ROOMS = {"GROUP": "GROUP BY", "ORDER": "ORDER BY", "WINDOW": "a window"}


def _moved(seen: Seen, found: Subquery, some: Sequence[Subquery]) -> list[Edit]:
    """The edits for a query that looks out of it where DataFusion takes none that does.

    Raises `NotSupportedError` where it isn't known how.
    """
    block = found.around[0].block
    here = Expression(found.first, found.end, block, found.clause)
    looks = bool(seen.outer(found.opens + 1, found.closes))
    if not looks and (found.first == found.opens or (found.clause == "ON" and _is_plain(seen, found))):
        return []
    if not taken(seen, here):
        return []
    if found.clause == "ON" and not found.within:
        return filtered(seen, here) or beside(seen, here, ()) or paired(seen, here)
    grouped = found.clause == "SELECT" and any(first <= found.first < end for first, end in _grouped(seen, block))
    if not (found.within or found.clause in _ROOMS or grouped):
        return []
    if (found.within or not _is_of_groups(seen, found)) and not _is_renamed(seen, here):
        text = seen.text(found.first, found.end)
        alike = [
            (each.first, each.end)
            for each in some
            if each.around[0].block.start == block.start
            and each.clause in ("SELECT", "GROUP", "HAVING", "ORDER")
            and seen.text(each.first, each.end) == text
        ]
        if edits := beside(seen, here, alike):
            return edits
    where = "the call of an aggregate or a window" if found.within else _ROOMS.get(found.clause, "GROUP BY")
    message = f"a subquery that takes columns from around it can't stand in {where} here"
    span = Span(seen.tokens[found.first].span.start, seen.tokens[found.closes].span.end)
    raise NotSupportedError(message, hint="make it a column of a subquery in FROM", span=span)


def _is_plain(seen: Seen, found: Subquery) -> bool:
    """True if it is one SELECT without ORDER BY and LIMIT."""
    shape = shape_of(seen.tokens, found.opens + 1, found.closes)
    return shape is not None and shape.only is not None and not shape.tail


def _grouped(seen: Seen, block: Block) -> Iterator[Range]:
    """The items of the SELECT list that GROUP BY names by number or alias."""
    items = split(seen.tokens, block.clauses["SELECT"])
    for first, end in split(seen.tokens, block.clauses.get("GROUP", (0, 0))):
        token = seen.tokens[first]
        if end - first > 1:
            continue
        if token.kind == "number" and token.text.isdigit() and 0 < int(token.text) <= len(items):
            yield items[int(token.text) - 1]
        for item in items:
            if seen.scan.roles.get(item[1] - 1) == "alias" and fold(seen.tokens[item[1] - 1].text) == fold(token.text):
                yield item


def _is_of_groups(seen: Seen, found: Subquery) -> bool:
    """True if it is asked for each group, and not for each row."""
    return found.clause in ("ORDER", "WINDOW") and aggregates(seen, found.around[0].block)


def _is_renamed(seen: Seen, found: Expression) -> bool:
    """True if a name in ORDER BY or GROUP BY may be that of an item of the SELECT list."""
    first, end = found.block.clauses["SELECT"]
    aliases = {fold(seen.tokens[p].text) for p in range(first, end) if seen.scan.roles.get(p) == "alias"}
    alone = (fold(seen.tokens[each.first].text) for each in taken(seen, found) if each.end - each.first == 1)
    return found.clause in ("ORDER", "GROUP") and not aliases.isdisjoint(alone)


def _told(seen: Seen, found: Subquery) -> str | None:
    shape = shape_of(seen.tokens, found.opens + 1, found.closes)
    if shape is None:
        return _uncorrelated(seen, found) if found.word and not _decides(found) else None
    only = shape.only
    outer = seen.outer(found.opens + 1, found.closes)
    if only is not None and aggregates(seen, only) and "GROUP" not in only.clauses:
        return _of_all_rows(seen, found, shape, only, outer)
    if found.word == "" and not outer:
        return None
    if found.word == "EXISTS" and found.clause == "ON" and not outer:
        return _uncorrelated(seen, found)
    if found.word and _decides(found) and (not outer or _is_simple(seen, shape, outer)):
        return None
    if not outer:
        return _uncorrelated(seen, found)
    lookup = _by_equations(seen, found, shape, outer) or _by_domain(seen, found, shape, outer)
    return None if lookup is None else _looked_up(seen, found, lookup)


def _decides(found: Subquery) -> bool:
    """True if it stands in a condition of rows, where DataFusion knows EXISTS and IN."""
    if found.within:
        return False
    return found.clause in _FILTERS or found.clause == "ON"


def _is_simple(seen: Seen, shape: Shape, outer: Sequence[Reference]) -> bool:
    """True if only the WHERE of a query that is one SELECT looks out of it."""
    only = shape.only
    if only is None or shape.tail or not only.clauses.keys() <= _PLAIN:
        return False
    return _in_where(seen, only, outer)


def _in_where(seen: Seen, block: Block, outer: Sequence[Reference]) -> bool:
    first, end = block.clauses.get("WHERE", (0, 0))
    here = {id(scope) for scope in seen.scan.scopes[block.start : block.start + 1]}
    return all(first <= one.first < end and id(seen.scan.scopes[one.first]) in here for one in outer)


@dataclass(frozen=True, slots=True)
class _Equation:
    """``inner = outer``: the tokens of its sides."""

    inner: Range
    outer: Range


def _equations(seen: Seen, block: Block, outer: Sequence[Reference]) -> tuple[list[_Equation], list[Range]] | None:
    """The conditions of WHERE that look out of the query and the others; None where not all of them are equations."""
    if not _in_where(seen, block, outer):
        return None
    found: list[_Equation] = []
    others: list[Range] = []
    starts = {one.first for one in outer}
    for first, end in conjuncts(seen.tokens, block.clauses["WHERE"]):
        if not any(first <= start < end for start in starts):
            others.append((first, end))
            continue
        sides = split(seen.tokens, (first, end), ("=",))
        plain = not any(seen.tokens[place].upper in _NO_EQUATION for place in own(seen.tokens, first, end))
        if len(sides) != 2 or not plain:
            return None
        looks = [{place in starts for place in range(*side) if place in seen.references} for side in sides]
        if looks[0] == {True} and True not in looks[1]:
            found.append(_Equation(sides[1], sides[0]))
        elif looks[1] == {True} and True not in looks[0]:
            found.append(_Equation(sides[0], sides[1]))
        else:
            return None
    return found, others


_NO_EQUATION = {"IS", "NOT", "IN", "LIKE", "BETWEEN", "<", ">", "<=", ">=", "<>", "!=", "!", "CASE"}


# -- aggregates without groups: they have one row


def _of_all_rows(seen: Seen, found: Subquery, shape: Shape, block: Block, outer: Sequence[Reference]) -> str | None:
    empty = _limited_to_none(seen, shape)
    if empty is None:
        return None
    if empty:
        return {"EXISTS": "false", "IN": "true" if found.negated else "false", "": "(NULL)"}[found.word]
    holds = "HAVING" in block.clauses
    if found.word == "EXISTS":
        return f"coalesce({_one_row(seen, block, outer, 'HAVING', found)}, false)" if holds else "true"
    if found.word == "IN":
        value = seen.text(found.first, found.opens - 1 - found.negated)
        alone = f"({value}\n) = {_bare(seen, shape, block)}"
        if holds:
            said = _one_row(seen, block, outer, "HAVING", found)
            alone = f"coalesce({said}, false) AND {alone}"
        return f"(NOT ({alone}))" if found.negated else f"({alone})"
    if not outer:
        return None
    if not holds and not shape.tail and (_by_columns(seen, block, outer) or domain(seen, outer, found.around) is None):
        return None
    return _one_row(seen, block, outer, "SELECT", found)


def _bare(seen: Seen, shape: Shape, block: Block) -> str:
    """The query without HAVING and what can't change its one row."""
    end = min((first for word, (first, _) in block.clauses.items() if word == "HAVING"), default=block.end + 1) - 1
    return f"({seen.text(shape.first, end)}\n)"


def _limited_to_none(seen: Seen, shape: Shape) -> bool | None:
    """True if LIMIT or OFFSET leaves nothing of one row; None where that isn't known."""
    for word, (first, end) in shape.tail.items():
        token = seen.tokens[first]
        if word in ("OFFSET", "LIMIT"):
            if token.upper in ("ALL", "NULL"):
                continue
            if token.kind != "number" or end > first + 2:
                return None
            if (int(token.text) > 0) == (word == "OFFSET"):
                return True
    return False


def _one_row(seen: Seen, block: Block, outer: Sequence[Reference], what: str, found: Subquery) -> str:
    """A scalar subquery of the item of an aggregate without groups, or of its HAVING."""
    over = domain(seen, outer, found.around) if outer and not _by_columns(seen, block, outer) else None
    names = over.names if over is not None else {}
    clauses = block.clauses
    first, end = clauses["SELECT"]
    if seen.scan.roles.get(end - 1) == "alias":
        end -= 1 + (seen.tokens[end - 2].upper == "AS")
    item = f"({seen.told(first, end, names)}\n)"
    having = f"({seen.told(*clauses['HAVING'], names)}\n)" if "HAVING" in clauses else ""
    if what == "HAVING":
        item = having
    elif having:
        item = f"CASE WHEN {having} THEN {item} END"
    source = joined(seen, block, over) if over is not None else seen.text(*clauses["FROM"]) if "FROM" in clauses else ""
    where = [f"({seen.told(*clauses['WHERE'], names)}\n)"] if "WHERE" in clauses else []
    where += [f"{over.key} = {over.sought}"] if over is not None else []
    made = f"SELECT {item}" + (f" FROM {source}" if source else "")
    return f"({made}{' WHERE ' + ' AND '.join(where) if where else ''}\n)"


def _by_columns(seen: Seen, block: Block, outer: Sequence[Reference]) -> bool:
    """True if all that the query takes from around it are columns that its WHERE says to be equal to its own."""
    found = _equations(seen, block, outer)
    return found is not None and all(
        _is_column(seen, each.inner) and (_is_column(seen, each.outer) or seen.text(*each.inner).endswith(KEY))
        for each in found[0]
    )


def _is_column(seen: Seen, side: Range) -> bool:
    while seen.tokens[side[0]].text == "(" and closed(seen.tokens, side[0]) == side[1]:
        side = side[0] + 1, side[1] - 1
    return side[0] in seen.references and seen.references[side[0]].end == side[1]


# -- others


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The rows of a query for one outside of it: those of ``table`` with ``condition``, their column ``value``.

    ``one`` tells that there is never more than one.
    """

    table: str
    value: str
    condition: str
    one: bool = False


def _number(seen: Seen) -> str:
    return f'"__deltasql_q{seen.sql.count("__deltasql_q")}"'


def _by_equations(seen: Seen, found: Subquery, shape: Shape, outer: Sequence[Reference]) -> _Lookup | None:
    """By the columns that the query's WHERE compares with those around it."""
    block = shape.only
    if block is None or shape.tail or not block.clauses.keys() <= _PLAIN:
        return None
    split_ = _equations(seen, block, outer)
    items = split(seen.tokens, block.clauses["SELECT"])
    if (
        split_ is None
        or "FROM" not in block.clauses
        or "OVER" in {t.upper for t in seen.tokens[block.start : block.end]}
    ):
        return None
    equations, others = split_
    if block.distinct and seen.tokens[block.clauses["SELECT"][0]].upper == "ON":
        return None
    first, end = items[0]
    if found.word == "EXISTS":
        item = "1"
    elif len(items) != 1 or seen.tokens[end - 1].upper == "*":
        return None
    else:
        if seen.scan.roles.get(end - 1) == "alias":
            end -= 1 + (seen.tokens[end - 2].upper == "AS")
        item = f"({seen.text(first, end)}\n)"
    columns = [f'"__deltasql_o{place}"' for place in range(len(equations))]
    listed = [f"{item} AS {VALUE}"]
    listed += [f"({seen.text(*each.inner)}\n) AS {name}" for each, name in zip(equations, columns, strict=True)]
    where = " AND ".join(f"({seen.text(*each)}\n)" for each in others)
    alias = _number(seen)
    table = (
        f"(SELECT {'DISTINCT ' * block.distinct}{', '.join(listed)} FROM {seen.text(*block.clauses['FROM'])}"
        f"{' WHERE ' + where if where else ''}) AS {alias}({', '.join((VALUE, *columns))})"
    )
    holds = [f"{alias}.{name} = ({seen.text(*each.outer)}\n)" for each, name in zip(equations, columns, strict=True)]
    return _Lookup(table, f"{alias}.{VALUE}", " AND ".join(holds))


def _by_domain(seen: Seen, found: Subquery, shape: Shape, outer: Sequence[Reference]) -> _Lookup | None:
    """By all columns from around it."""
    over: Domain | None = domain(seen, outer, found.around)
    if over is None:
        return None
    rows = keyed(seen, shape, over, counted=found.word == "EXISTS")
    if rows is None:
        return None
    alias = _number(seen)
    most = shape.tail.get("LIMIT")
    one = most is not None and seen.text(*most) == "1"
    only = shape.only
    one = one or (only is not None and "FROM" not in only.clauses)
    table = f"({rows}\n) AS {alias}({KEY}, {VALUE})"
    return _Lookup(table, f"{alias}.{VALUE}", f"{alias}.{KEY} = {over.sought}", one)


def _looked_up(seen: Seen, found: Subquery, by: _Lookup) -> str:
    rows = f"FROM {by.table} WHERE {by.condition}"
    if found.word == "":
        value = f"(SELECT first_value({by.value}) {rows})"
        if by.one:
            return value
        checked = f" > 1 THEN '{MANY_ROWS}' ELSE '0' END AS INT) = 0"
        return f"(CASE WHEN CAST(CASE WHEN (SELECT count(*) {rows}){checked} THEN {value} END)"
    if found.word == "EXISTS":
        return f"EXISTS (SELECT 1 {rows})" if _decides(found) else f"((SELECT count(*) {rows}) > 0)"
    value = seen.text(found.first, found.opens - 1 - found.negated)
    if _decides(found):
        return f"{value}\n {'NOT ' * found.negated}IN (SELECT {by.value} {rows})"
    return _counted(value, by.value, f"FROM {by.table} WHERE {by.condition}", negated=found.negated)


def _uncorrelated(seen: Seen, found: Subquery) -> str:
    """EXISTS or IN with a query that needs nothing from around it, by counts."""
    query = seen.text(found.opens + 1, found.closes)
    if found.word == "EXISTS":
        shape = shape_of(seen.tokens, found.opens + 1, found.closes)
        only = None if shape is None or shape.tail else shape.only
        if only is not None and not only.distinct and {"SELECT", "FROM"} <= only.clauses.keys() <= _PLAIN:
            return f"((SELECT count(*) {seen.text(only.clauses['FROM'][0] - 1, only.end)}\n) > 0)"
        return f"((SELECT count(*) FROM ({query}\n)) > 0)"
    alias = _number(seen)
    value = seen.text(found.first, found.opens - 1 - found.negated)
    rows = f"FROM ({query}\n) AS {alias}({VALUE}) WHERE true"
    return _counted(value, f"{alias}.{VALUE}", rows, negated=found.negated)


def _counted(value: str, column: str, rows: str, *, negated: bool) -> str:
    """``value IN`` the ``column`` of ``rows``, by counts."""
    said = (
        f"(CASE WHEN (SELECT count(*) {rows} AND {column} = ({value}\n)) > 0 THEN true"
        f" WHEN (({value}\n) IS NULL AND (SELECT count(*) {rows}) > 0)"
        f" OR (SELECT count(*) - count({column}) {rows}) > 0 THEN NULL ELSE false END)"
    )
    return f"(NOT {said})" if negated else said
