"""What a plan asks of each table: predicates, and which floating-point columns need care.

Read off DataFusion's optimised plan, in which predicates have been pushed to the scans and inferred across
joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datafusion.expr import Aggregate, BinaryExpr, Column, Expr, Filter, Literal, Projection, TableScan

if TYPE_CHECKING:
    from datafusion.plan import LogicalPlan

TableName = tuple[str, str, str]


@dataclass(slots=True)
class Ask:
    """What a statement asks of one table: for each of its scans the conjuncts that its rows must satisfy."""

    scans: list[tuple[Expr, ...]] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)


def asks(plan: LogicalPlan) -> dict[TableName, Ask]:
    """What ``plan`` (optimised) asks of each table, by full name.

    ``compared`` are the columns in predicates and in the arguments of aggregates: those that an answer from
    statistics would look at.
    """
    found: dict[TableName, Ask] = {}
    _walk(plan, (), frozenset(), found)
    return found


def _walk(plan: LogicalPlan, above: tuple[Expr, ...], aggregated: frozenset[str], found: dict[TableName, Ask]) -> None:
    node: Any = plan.to_variant()
    if isinstance(node, TableScan):
        _scan(node, above, aggregated, found)
        return
    if isinstance(node, Filter):
        above = (*above, *conjuncts(node.predicate()))
    elif isinstance(node, Aggregate):
        arguments = {name for expr in node.aggregate_exprs() for name in columns(expr)}
        above, aggregated = (), frozenset(arguments)
    elif not isinstance(node, Projection):
        above, aggregated = (), frozenset()
    for below in plan.inputs():
        _walk(below, above, aggregated, found)


def _scan(node: TableScan, above: tuple[Expr, ...], aggregated: frozenset[str], found: dict[TableName, Ask]) -> None:
    catalog, schema, table = node.fqn()
    relation = ".".join(part for part in (catalog, schema, table) if part is not None)
    own = tuple(expr for expr in above if all(column.relation() == relation for column in _columns(expr)))
    predicates = tuple(part for expr in node.filters() for part in conjuncts(expr)) + own
    ask = found.setdefault((str(catalog), str(schema), table), Ask())
    ask.scans.append(predicates)
    ask.compared |= aggregated
    ask.compared |= {name for expr in predicates for name in columns(expr)}


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


def columns(expr: Expr) -> set[str]:
    """The names of the columns in ``expr``."""
    return {column.name() for column in _columns(expr)}


def _columns(expr: Expr) -> Iterator[Column]:
    node = variant(expr)
    if isinstance(node, Column):
        yield node
    elif not isinstance(node, Literal):
        for operand in expr.rex_call_operands():
            yield from _columns(operand)


def variant(expr: Expr) -> Any:
    """The kind of ``expr``, or None for one that datafusion-python has no class for (function calls)."""
    try:
        return expr.to_variant()
    except ValueError:
        return None
