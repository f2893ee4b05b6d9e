"""Correlated queries made such that DataFusion can run them: by the values that they depend on.

To DataFusion a correlated query may look at columns from around it by equations of its WHERE alone (facts.md, 47). Any
query does that once it is computed for each value that those columns have: ``(SELECT max(s.x) FROM s WHERE s.k < t.k)``
reads ``s CROSS JOIN d WHERE s.k < d.k AND d.key = struct(t.k)``, where ``d`` has the distinct ``t.k`` of the query
around it. The values must be the same at both places, so what they come from must give the same rows twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deltasql.sql.memberships import AGGREGATE
from deltasql.sql.names_seen import Reference, Seen
from deltasql.sql.places import closed, queries_of
from deltasql.sql.scan import Relation, Scope
from deltasql.sql.shape import Block, Range, Shape, conjuncts, own, split

KEY, VALUE = '"__deltasql_key"', '"__deltasql_value"'
BESIDE = "__deltasql_beside"
"""How the columns begin that `beside` gives to tables."""

FLEETING = {"LIMIT", "OFFSET", "FETCH", "OVER", "RANDOM", "RAND", "UUID", "TABLESAMPLE", "LATERAL", "UNNEST"}
"""Words of what may not give the same rows twice."""

_STABLE = re.compile(r"COUNT|MIN|MAX|BOOL_(AND|OR)|BIT_\w+|GROUPING")


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that a query depends on.

    ``table`` stands in a FROM clause, ``key`` is its column with all of them, ``sought`` what that is for a row
    outside, and ``names`` what stands for each reference, by its first token. ``values`` are the columns.
    """

    table: str
    key: str
    sought: str
    names: Mapping[int, str]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """A query around another, by the brackets that it is in, and the clause that the other stands in."""

    opens: int
    end: int
    block: Block
    clause: str


def domain(seen: Seen, references: Sequence[Reference], around: Sequence[Around]) -> Domain | None:
    """The domain of ``references`` to the queries ``around``, the innermost first; None where there can't be one."""
    by_text: dict[str, list[Reference]] = {}
    for each in references:
        by_text.setdefault(seen.text(each.first, each.end), []).append(each)
    number = seen.sql.count("__deltasql_d")
    alias = f'"__deltasql_d{number}"'
    columns = {written: f'"__deltasql_o{place}"' for place, written in enumerate(by_text)}
    rows = _rows(seen, {written: each[0] for written, each in by_text.items()}, around)
    if rows is None:
        return None
    source, values = rows
    key = struct_of(values[written] for written in columns)
    listed = ", ".join(f"get_field({KEY}, 'c{place}') AS {name}" for place, name in enumerate(columns.values()))
    table = (
        f"(SELECT {KEY}, {listed} FROM (SELECT DISTINCT {key} AS {KEY} FROM {source})) AS {alias}"
        f"({', '.join((KEY, *columns.values()))})"
    )
    names = {each.first: f"{alias}.{columns[written]}" for written, some in by_text.items() for each in some}
    return Domain(
        table, f"{alias}.{KEY}", struct_of(columns), names, tuple(f"{alias}.{name}" for name in columns.values())
    )


def struct_of(values: Iterable[str]) -> str:
    """A struct of the values: unlike them it is equal to another where both have NULL, or NaN."""
    fields = ", ".join(f"'c{place}', {value}" for place, value in enumerate(values))
    return f"named_struct({fields})"


# -- where the values come from


def _rows(
    seen: Seen, references: Mapping[str, Reference], around: Sequence[Around]
) -> tuple[str, dict[str, str]] | None:
    """What stands in a FROM clause to have the values of ``references``, and what they are there."""
    parts: list[tuple[str, list[str]]] = []
    for each in around:
        here = {name: one for name, one in references.items() if one.scope is _scope(seen, each.block)}
        relations = {id(one.relation): one.relation for one in here.values()}
        if not here:
            continue
        if len(relations) > 1 and (whole := _whole(seen, here.values(), each)) is not None:
            parts.append((whole, list(here)))
            continue
        for relation in relations.values():
            alone = rows_of(seen, relation, here.values(), each)
            if alone is None:
                return None
            parts.append((alone, [name for name, one in here.items() if one.relation is relation]))
    if sum(len(names) for _, names in parts) < len(references):
        return None
    if len(parts) == 1:
        return parts[0][0], {name: name for name in references}
    found: list[str] = []
    values: dict[str, str] = {}
    for number, (rows, names) in enumerate(parts):
        part = f'"__deltasql_p{number}"'
        found.append(f"(SELECT DISTINCT {struct_of(names)} AS {part} FROM {rows})")
        values |= {name: f"get_field({part}, 'c{place}')" for place, name in enumerate(names)}
    return " CROSS JOIN ".join(found), values


def _scope(seen: Seen, block: Block) -> Scope:
    return seen.scan.scopes[block.start]


def _whole(seen: Seen, references: Iterable[Reference], around: Around) -> str | None:
    """The whole FROM clause, with what of WHERE holds no query."""
    if "FROM" not in around.block.clauses or around.clause == "ON":
        return None
    first, end = around.block.clauses["FROM"]
    names = [seen.text(one.first, one.end) for one in references]
    if _has_queries(seen, first, end, conditions=True) or not _is_stable(seen, first, end, names):
        return None
    return seen.text(first, end) + _filtered(seen, around, None)


def rows_of(seen: Seen, relation: Relation | None, references: Iterable[Reference], around: Around) -> str | None:
    """The one table that has the columns, with what of WHERE is about it alone."""
    if relation is None:
        return _whole(seen, references, around)
    names = [seen.text(one.first, one.end) for one in references if one.relation is relation]
    table = relation if any(BESIDE in name for name in names) else _under(seen, relation)
    start, end = seen.extent(table)
    is_query = seen.tokens[start].text == "("
    known = table.reference is not None or table.cte is not None or table.call is not None or is_query
    lateral = start > 0 and seen.tokens[start - 1].upper == "LATERAL"
    if not known or lateral or not _is_stable(seen, start, end, names):
        return None
    if table.cte is not None:
        bodies = [seen.sql[body.query.start : body.query.end] for body in seen.scan.bodies.values()]
        spans = [body.query for body in seen.scan.bodies.values()]
        inside = [
            (p, p + 1)
            for p, token in enumerate(seen.tokens)
            if any(span.start <= token.span.start < span.end for span in spans)
        ]
        if bodies and inside and not _is_stable(seen, inside[0][0], inside[-1][1], names):
            return None
    return seen.text(start, end) + ("" if around.clause == "ON" else _filtered(seen, around, relation))


def _under(seen: Seen, relation: Relation) -> Relation:
    """The table that a query stands for which gives it columns of `BESIDE`."""
    start, _ = seen.extent(relation)
    while [token.text for token in seen.tokens[start + 2 : start + 5]] == ["*", ",", "("]:
        behind = closed(seen.tokens, start + 4)
        if not seen.tokens[behind + 1].text.startswith(BESIDE):
            break
        place = seen.tokens[behind + 3].span.start
        relation = next(each for each in seen.scan.relations if each.span.start == place)
        start, _ = seen.extent(relation)
    return relation


def _is_stable(seen: Seen, first: int, end: int, names: Sequence[str]) -> bool:
    """True if these tables give the same values of ``names`` whenever they are read."""
    words = [token.upper for token in seen.tokens[first:end]]
    if not FLEETING.isdisjoint(words):
        return False
    calls = [word for word, behind in zip(words, [*words[1:], ""], strict=True) if behind == "("]
    if all(_STABLE.fullmatch(word) or not AGGREGATE.fullmatch(word) for word in calls):
        return True
    # Sums of floating-point numbers depend on the order of rows.
    last = {name.rsplit(".", maxsplit=1)[-1].strip('"`').lower() for name in names}
    for place in range(first, end):
        if seen.scan.roles.get(place) == "alias" and seen.tokens[place].text.lower() in last:
            before = place - 1 - (seen.tokens[place - 1].upper == "AS")
            if not seen.tokens[before].is_name or seen.tokens[before].upper == "END":
                return False
    return True


def _filtered(seen: Seen, around: Around, relation: Relation | None) -> str:
    """The conditions of the query around that hold no query, and are about ``relation`` alone, if one is given."""
    where = around.block.clauses.get("WHERE")
    if where is None:
        return ""
    kept = []
    for first, end in conjuncts(seen.tokens, where):
        inside = [seen.references[place] for place in range(first, end) if place in seen.references]
        here = all(one.scope is _scope(seen, around.block) for one in inside)
        about = relation is None or all(one.relation is relation for one in inside)
        words = {token.upper for token in seen.tokens[first:end]}
        if inside and here and about and not _has_queries(seen, first, end) and FLEETING.isdisjoint(words):
            kept.append(f"({seen.text(first, end)})")
    return f" WHERE {' AND '.join(kept)}" if kept else ""


def _has_queries(seen: Seen, first: int, end: int, *, conditions: bool = False) -> bool:
    """True if a query stands among the tokens; with ``conditions``, those that stand for a table don't count."""
    tables = {relation.span.start for relation in seen.scan.relations} if conditions else set()
    return any(
        first <= place < end and seen.tokens[place].span.start not in tables for place in queries_of(seen.tokens)
    )


# -- the rows of a query for each value


def keyed(seen: Seen, shape: Shape, over: Domain, *, counted: bool) -> str | None:
    """The query of ``shape`` for each key, as one of the columns key and value; None where that isn't known how.

    ``counted`` tells that only the number of rows is of interest.
    """
    bare = counted and shape.only is not None and not shape.only.distinct
    limits = _limits(seen, shape)
    order = None if bare and limits is None else _order(seen, shape, over, counted=counted)
    if order is None and limits is not None and "ORDER" in shape.tail and not counted:
        return None
    parts, place = [], shape.first
    for number, block in enumerate(shape.blocks):
        extra = order.columns if order is not None and shape.only is not None else ()
        made = _keyed_block(seen, block, over, bare=bare, extra=extra)
        if made is None:
            return None
        between = seen.text(place, block.start)
        parts.append(f"{between} {made}" if number or between else made)
        place = block.end
    rows = "\n".join(parts)
    if limits is None:
        return rows
    if any(one.distinct for one in shape.blocks) and order is not None and order.columns:
        return None
    sorts = f" ORDER BY {order.by}" if order is not None and order.by else ""
    skip, most = limits
    number_ = '"__deltasql_n"'
    holds = [f"{number_} > ({skip})"] if skip else []
    holds += [f"{number_} <= ({most}){f' + ({skip})' if skip else ''}"] if most else []
    return (
        f"SELECT {KEY}, {VALUE} FROM (SELECT {KEY}, {VALUE}, "
        f"row_number() OVER (PARTITION BY {KEY}{sorts}) AS {number_} FROM ({rows}\n)) WHERE {' AND '.join(holds)}"
    )


@dataclass(frozen=True, slots=True)
class _Order:
    columns: tuple[str, ...]
    by: str


def _limits(seen: Seen, shape: Shape) -> tuple[str, str] | None:
    """How many rows are skipped and how many are given at most (empty: all); None where there is no limit."""
    skip, most = "", ""
    for word, (first, end) in shape.tail.items():
        words = [token.upper for token in seen.tokens[first:end]]
        if word == "OFFSET":
            skip = seen.text(first, end - (words[-1] in ("ROW", "ROWS")))
        elif word == "LIMIT" and words not in (["ALL"], ["NULL"]):
            most = seen.text(first, end)
        elif word == "FETCH":
            numbers = [place for place in range(first, end) if seen.tokens[place].kind in ("number", "parameter")]
            most = seen.text(numbers[0], numbers[0] + 1) if numbers else "1"
    return (skip, most) if skip or most else None


def _order(seen: Seen, shape: Shape, over: Domain, *, counted: bool) -> _Order | None:
    if counted or "ORDER" not in shape.tail:
        return _Order((), "")
    columns: list[str] = []
    by = []
    item = _item(seen, shape.blocks[0])
    for first, end in split(seen.tokens, shape.tail["ORDER"]):
        last = end
        while seen.tokens[last - 1].upper in ("ASC", "DESC", "NULLS", "FIRST", "LAST"):
            last -= 1
        written = seen.text(first, last)
        if written == "1" or (item is not None and written in (item.alias, seen.text(*item.place))):
            column = VALUE
        elif shape.only is None or seen.tokens[first].kind == "number":
            return None
        else:
            column = f'"__deltasql_s{len(columns)}"'
            columns.append(f"({seen.told(first, last, over.names)}) AS {column}")
        by.append(f"{column} {seen.text(last, end)}".rstrip())
    return _Order(tuple(columns), ", ".join(by))


@dataclass(frozen=True, slots=True)
class Item:
    """The only column of a SELECT list: where it is, without its alias."""

    place: Range
    alias: str


def _item(seen: Seen, block: Block) -> Item | None:
    parts = split(seen.tokens, block.clauses["SELECT"])
    if len(parts) != 1:
        return None
    first, end = parts[0]
    if seen.scan.roles.get(end - 1) == "alias":
        named = end - 1 - (seen.tokens[end - 2].upper == "AS")
        return Item((first, named), seen.text(end - 1, end))
    return Item((first, end), "")


def _keyed_block(seen: Seen, block: Block, over: Domain, *, bare: bool, extra: Sequence[str]) -> str | None:
    """One SELECT for each key."""
    tokens, clauses = seen.tokens, block.clauses
    if block.distinct and tokens[clauses["SELECT"][0]].upper == "ON":
        return None
    if "WINDOW" in clauses or (aggregates(seen, block) and "GROUP" not in clauses):
        return None
    value = f"1 AS {VALUE}" if bare else _value(seen, block, over)
    if value is None:
        return None
    source = joined(seen, block, over)
    if source is None:
        return None
    made = f"SELECT {'DISTINCT ' * block.distinct}{', '.join((f'{over.key} AS {KEY}', value, *extra))} FROM {source}"
    if "WHERE" in clauses:
        made += f" WHERE ({seen.told(*clauses['WHERE'], over.names)}\n)"
    if "GROUP" in clauses:
        grouped = seen.told(*clauses["GROUP"], over.names)
        words = {token.upper for token in tokens[slice(*clauses["GROUP"])]}
        numbers = any(tokens[first].kind == "number" for first, _ in split(tokens, clauses["GROUP"]))
        if numbers or not words.isdisjoint({"ALL", "ROLLUP", "CUBE", "SETS"}):
            return None
        made += f" GROUP BY {', '.join((over.key, *over.values, grouped))}"
    for word in ("HAVING", "QUALIFY"):
        if word in clauses:
            written = _windows(seen, clauses[word], over)
            if written is None:
                return None
            made += f" {word} ({written}\n)"
    return made


def _value(seen: Seen, block: Block, over: Domain) -> str | None:
    """The only column of a SELECT list, for each key."""
    item = _item(seen, block)
    if item is None:
        return None
    first, end = item.place
    if seen.tokens[end - 1].upper == "*":
        return seen.text(first, end) if end - first > 1 else None
    written = _windows(seen, item.place, over)
    return None if written is None else f"({written}) AS {VALUE}"


def joined(seen: Seen, block: Block, over: Domain) -> str | None:
    """What stands behind FROM, joined with the values."""
    if "FROM" not in block.clauses:
        return over.table
    first, end = block.clauses["FROM"]
    if not any(first <= place < end for place in over.names):
        return f"{seen.text(first, end)} CROSS JOIN {over.table}"
    words = {seen.tokens[place].upper for place in own(seen.tokens, first, end)}
    inner = any(first <= place < end for place in queries_of(seen.tokens))
    if inner or not words.isdisjoint({"RIGHT", "FULL", ","}):
        return None
    return f"{over.table} CROSS JOIN {seen.told(first, end, over.names)}"


def _windows(seen: Seen, within: Range, over: Domain) -> str | None:
    """The text of ``within`` for each key: windows are those of one key."""
    names = dict(over.names)
    text = seen.told(*within, names)
    if not any(seen.tokens[place].upper == "OVER" for place in range(*within)):
        return text
    strings = any(seen.tokens[place].kind in ("string", "quoted") for place in range(*within))
    if strings or re.search(r"\bOVER\s+\w", text, re.IGNORECASE):
        return None
    text = re.sub(r"\bOVER\s*\(\s*PARTITION\s+BY\b", f"OVER (PARTITION BY {over.key}, ", text, flags=re.IGNORECASE)
    return re.sub(r"\bOVER\s*\(\s*(?!PARTITION BY )", f"OVER (PARTITION BY {over.key} ", text, flags=re.IGNORECASE)


def aggregates(seen: Seen, block: Block) -> bool:
    """True if the SELECT aggregates, with groups or without."""
    if "HAVING" in block.clauses or "GROUP" in block.clauses:
        return True
    tokens, (place, end) = seen.tokens, block.clauses["SELECT"]
    queries = queries_of(tokens)
    while place < end:
        if place in queries:
            place = closed(tokens, place)
            continue
        if place + 1 < end and AGGREGATE.fullmatch(tokens[place].upper) and tokens[place + 1].text == "(":
            behind = closed(tokens, place + 1)
            if behind < end and tokens[behind].upper == "FILTER":
                behind = closed(tokens, behind + 1)
            if behind >= end or tokens[behind].upper != "OVER":
                return True
        place += 1
    return False
