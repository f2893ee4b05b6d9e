"""What a plan asks of each table: the columns, the predicates on its rows, and whether a row's repetition matters.

Read off DataFusion's optimised plan, in which predicates have been pushed to the scans and inferred across
joins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datafusion.expr import (
    Aggregate,
    Alias,
    Between,
    BinaryExpr,
    Cast,
    Column,
    Expr,
    Filter,
    InList,
    IsNotNull,
    IsNull,
    Literal,
    Not,
    Projection,
    Sort,
    SubqueryAlias,
    TableScan,
)

from deltasql.catalog.catalog import DEFAULT, MAIN

if TYPE_CHECKING:
    from datafusion.plan import LogicalPlan

TableName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Top:
    """The first ``rows`` in the order of ``columns``; ``descending`` and ``nulls_first`` are of the first."""

    columns: tuple[str, ...]
    rows: int
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class ScanAsk:
    """What one scan is asked for: conjuncts that its rows must satisfy, and the columns that are looked at.

    ``columns`` is None where they aren't known. ``each_once`` tells that the result is the same however often a
    row is repeated. ``fetch`` is the number of rows that are enough, whichever they are, and ``top`` which are.
    """

    conjuncts: tuple[Expr, ...] = ()
    columns: frozenset[str] | None = None
    each_once: bool = False
    fetch: int | None = None
    top: Top | None = None


@dataclass(slots=True)
class Ask:
    """What a statement asks of one table, by each of its scans."""

    scans: list[ScanAsk] = field(default_factory=list)

    def looks_at(self, columns: Iterable[str]) -> bool:
        """True if any scan looks at one of ``columns``."""
        wanted = set(columns)
        return any(scan.columns is None or wanted & scan.columns for scan in self.scans)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan asks of the tables, by full name; whether it puts rows in order, unites, joins from the right.

    ``adds_nulls``: an outer join adds NULLs; ``to_constants``: it or a ROLLUP does, to what may be constant before.
    ``filters_joins``: a filter is, or can be, left above a join.
    """

    tables: Mapping[TableName, Ask] = field(default_factory=dict)
    orders: bool = False
    unites: bool = False
    joins_right: bool = False
    adds_nulls: bool = False
    to_constants: bool = False
    filters_joins: bool = False


def asked(plan: LogicalPlan, names: Iterable[TableName]) -> Asked:
    """What ``plan`` (optimised) asks of the tables ``names``."""
    found: dict[TableName, Ask] = {}
    _walk(plan, _Above(), found)
    text = plan.display_indent()
    for name in _hidden(text, names, found):
        found.setdefault(name, Ask()).scans.append(ScanAsk())

    def has(nodes: str) -> bool:
        return re.search(rf"^ *({nodes})", text, re.MULTILINE) is not None

    return Asked(
        found,
        has("Sort:|WindowAggr:|DistinctOn:"),
        has("Union"),
        has("Right Join:"),
        has("(Left|Right|Full) Join:"),
        _adds_nulls_to_constants(text),
        has("(Left|Right|Full) Join:") or _is_below(text, _FILTER, _JOIN),
    )


def meets_constants(plan: LogicalPlan) -> bool:
    """True if two conditions without columns have come down to a scan in ``plan`` (optimised).

    As in ``SELECT * FROM (SELECT 2 AS x FROM t) WHERE x NOT IN (0, 5)``. A dataset can't take more than one.
    """
    return _CONSTANTS.search(plan.display_indent()) is not None


def joins_by_more(plan: LogicalPlan) -> bool:
    """True if a join of ``plan`` (optimised) has a condition beside equations, which joins that sort get wrong."""
    return re.search(r"^ *\w+ Join: .*Filter: ", plan.display_indent(), re.MULTILINE) is not None


_CONSTANTS = re.compile(r"^ *TableScan: .*full_filters=\[Boolean\(\w+\), ", re.MULTILINE)


_OUTER = re.compile(r" *(?:(Left|Right|Full) Join:|Aggregate: groupBy=\[\[(?:ROLLUP|CUBE|GROUPING SETS))")
_BY_CONSTANTS = re.compile(
    r" *Aggregate: groupBy=\[\[(?:ROLLUP|CUBE|GROUPING SETS) \(.*?\b(?:[A-Z]\w+\(|NULL).*\], aggr="
)
_MAY_BE_CONSTANT = re.compile(
    r" *(Filter:|TableScan:.*_filters=\[|Values:|EmptyRelation: rows=1|Aggregate: groupBy=\[\[\]\]"
    r"|Projection:.*(\b[A-Z]\w+\(|NULL))"
)


def _adds_nulls_to_constants(text: str) -> bool:
    """True if the plan ``text`` has what adds NULLs to a column that may be constant before: an outer join, ROLLUP."""
    adding: list[tuple[int, str, int]] = []  # What adds, around a line: indent, kind, which child it is in.
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        adding = [(at, kind, side + (indent == at + _INDENT)) for at, kind, side in adding if at < indent]
        adds = any(kind == "Full" or (kind == "Right") == (side == 1) for _, kind, side in adding)
        if (adds and _MAY_BE_CONSTANT.match(line)) or _BY_CONSTANTS.match(line):
            return True
        if (join := _OUTER.match(line)) is not None:
            adding.append((indent, join[1] or "Full", 0))
    return False


def _is_below(text: str, above: re.Pattern[str], below: re.Pattern[str]) -> bool:
    """True if the plan ``text`` has a line of ``below`` (anywhere in it) under one of ``above`` (at its start)."""
    indents: list[int] = []  # Of those of ``above`` around a line.
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        indents = [at for at in indents if at < indent]
        if indents and below.search(line) is not None:
            return True
        if above.match(line):
            indents.append(indent)
    return False


_FILTER, _JOIN = re.compile(r" *Filter:"), re.compile(r"^ *\w+ Join:")
_INDENT = 2


_NO_ROWS = re.compile(r"EmptyRelation: rows=0|Boolean\((?:false|NULL)\)|\(<subquery>\)")


def counts_nothing(plan: LogicalPlan) -> bool:
    """True if ``plan`` (optimised) has an aggregate that gives a row of no rows, over what is or may be empty.

    Where nobody looks at the row's values, nothing is left of the aggregate but that there is a row.
    """
    text = plan.display_indent()
    return "EmptyRelation: rows=1" in text or _is_below(text, _OF_ALL_ROWS, _NO_ROWS)


_OF_ALL_ROWS = re.compile(r" *Aggregate: groupBy=\[\[(\]|GROUPING SETS|ROLLUP|CUBE)")


def _hidden(text: str, names: Iterable[TableName], found: Mapping[TableName, Ask]) -> list[TableName]:
    """The tables with scans that the plan doesn't show but in its text: those of scalar subqueries.

    Where the text leaves a doubt, a table is one of them.
    """
    lines = re.findall(r"^ *TableScan: (.*)$", text, re.MULTILINE)
    if len(lines) == sum(len(ask.scans) for ask in found.values()):
        return []
    hidden = []
    for name in names:
        shown = tuple(".".join(name[start:]) for start in range(3))
        count = sum(line == text or line.startswith(f"{text} ") for line in lines for text in shown)
        if count > (len(found[name].scans) if name in found else 0):
            hidden.append(name)
    return hidden or list(names)


@dataclass(frozen=True, slots=True)
class _Above:
    """What stands above a node: conjuncts, and what is done with its rows."""

    conjuncts: tuple[Expr, ...] = ()
    each_once: bool = False
    top: Top | None = None


def _walk(plan: LogicalPlan, above: _Above, found: dict[TableName, Ask]) -> None:
    node: Any = plan.to_variant()
    if isinstance(node, TableScan):
        _scan(node, above, found)
        return
    if isinstance(node, Filter):
        predicate = node.predicate()
        once = above.each_once and _is_plain(predicate)
        above = _Above((*above.conjuncts, *conjuncts(predicate)), once)
    elif isinstance(node, Projection):
        above = _Above(above.conjuncts, above.each_once and all(map(_is_plain, node.projections())))
    elif isinstance(node, Aggregate):
        above = _Above(each_once=_is_idempotent(node))
    elif isinstance(node, Sort):
        above = _Above(top=_top(node))
    elif not isinstance(node, SubqueryAlias):
        above = _Above()
    for below in plan.inputs():
        _walk(below, above, found)


def full_name(node: TableScan) -> TableName:
    """The table that a scan reads."""
    catalog, schema, table = node.fqn()
    return catalog or MAIN, schema or DEFAULT, table


def _scan(node: TableScan, above: _Above, found: dict[TableName, Ask]) -> None:
    relation = ".".join(part for part in node.fqn() if part is not None)
    own = tuple(expr for expr in above.conjuncts if _is_about(relation, expr))
    pushed = [part for expr in node.filters() for part in conjuncts(expr)]
    named = [columns(expr) for expr in pushed]
    looked_at = {name for _, name in node.projection()} | {column.name() for some in named for column in some or ()}
    known = None if None in named else frozenset(looked_at)
    once = above.each_once and all(map(_is_plain, pushed))
    ask = ScanAsk((*pushed, *own), known, once, node.fetch(), above.top)
    found.setdefault(full_name(node), Ask()).scans.append(ask)


def _top(node: Sort) -> Top | None:
    """The first rows that are asked of a sort by columns."""
    rows, order = node.get_fetch_val(), node.sort_exprs()
    keys = [variant(sort.expr()) for sort in order]
    if rows is None or not all(isinstance(key, Column) for key in keys):
        return None
    names = tuple(key.name() for key in keys)
    return Top(names, rows, not order[0].ascending(), order[0].nulls_first())


def _is_about(relation: str, expr: Expr) -> bool:
    found = columns(expr)
    return found is not None and all(column.relation() == relation for column in found)


def projected(plan: LogicalPlan) -> set[str]:
    """The names of the columns that the scans of ``plan`` read."""
    node: Any = plan.to_variant()
    own = {name for _, name in node.projection()} if isinstance(node, TableScan) else set()
    return own.union(*(projected(below) for below in plan.inputs()))


# -- expressions


def conjuncts(expr: Expr) -> Iterator[Expr]:
    """The parts of a chain of ANDs."""
    stack = [expr]
    while stack:
        node = stack.pop()
        kind = variant(node)
        if isinstance(kind, BinaryExpr) and kind.op() == "AND":
            stack += [kind.right(), kind.left()]
        else:
            yield node


def columns(expr: Expr) -> list[Column] | None:
    """The columns in ``expr``; None where it holds what datafusion-python can't show (a subquery)."""
    node = variant(expr)
    if isinstance(node, Column):
        return [node]
    if isinstance(node, Literal):
        return []
    operands = _operands(expr)
    if operands is None:
        return None
    below = [columns(operand) for operand in operands]
    return None if None in below else [column for some in below for column in some or ()]


def _operands(expr: Expr) -> list[Expr] | None:
    try:
        return list(expr.rex_call_operands())
    except RuntimeError:
        return None


_PLAIN = (Alias, Between, BinaryExpr, Cast, InList, IsNotNull, IsNull, Not)
_IDEMPOTENT = {"min", "max", "bool_and", "bool_or", "bit_and", "bit_or"}


def _is_plain(expr: Expr) -> bool:
    """True if ``expr`` calls no function, which could give something else each time."""
    node = variant(expr)
    if isinstance(node, Column | Literal):
        return True
    operands = _operands(expr) if isinstance(node, _PLAIN) else None
    return operands is not None and all(map(_is_plain, operands))


def _is_idempotent(node: Aggregate) -> bool:
    """True if the aggregates give the same however often a row is repeated."""
    if not all(map(_is_plain, node.group_by_exprs())):
        return False
    for expr in node.aggregate_exprs():
        try:
            name, arguments = node.agg_func_name(expr), node.aggregation_arguments(expr)
            once = name in _IDEMPOTENT or (name == "count" and variant(expr).is_distinct())
        except (RuntimeError, AttributeError):
            return False
        if not once or not all(map(_is_plain, arguments)):
            return False
    return True


def variant(expr: Expr) -> Any:
    """The kind of ``expr``, or None for one that datafusion-python has no class for (function calls)."""
    try:
        return expr.to_variant()
    except ValueError:
        return None
