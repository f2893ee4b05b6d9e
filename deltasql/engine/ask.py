"""What a plan asks of each table: the predicates on its rows.

Read off DataFusion's optimised plan, in which predicates have been pushed to the scans and inferred across
joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datafusion.expr import BinaryExpr, Column, Expr, Filter, Literal, Projection, TableScan

from deltasql.catalog.catalog import DEFAULT, MAIN

if TYPE_CHECKING:
    from datafusion.plan import LogicalPlan

TableName = tuple[str, str, str]


@dataclass(slots=True)
class Ask:
    """What a statement asks of one table: for each of its scans the conjuncts that its rows must satisfy."""

    scans: list[tuple[Expr, ...]] = field(default_factory=list)


def asks(plan: LogicalPlan) -> dict[TableName, Ask]:
    """What ``plan`` (optimised) asks of each table, by full name."""
    found: dict[TableName, Ask] = {}
    _walk(plan, (), found)
    return found


def _walk(plan: LogicalPlan, above: tuple[Expr, ...], found: dict[TableName, Ask]) -> None:
    node: Any = plan.to_variant()
    if isinstance(node, TableScan):
        _scan(node, above, found)
        return
    if isinstance(node, Filter):
        above = (*above, *conjuncts(node.predicate()))
    elif not isinstance(node, Projection):
        above = ()
    for below in plan.inputs():
        _walk(below, above, found)


def _scan(node: TableScan, above: tuple[Expr, ...], found: dict[TableName, Ask]) -> None:
    catalog, schema, table = node.fqn()
    relation = ".".join(part for part in (catalog, schema, table) if part is not None)
    own = tuple(expr for expr in above if all(column.relation() == relation for column in _columns(expr)))
    predicates = tuple(part for expr in node.filters() for part in conjuncts(expr)) + own
    found.setdefault((catalog or MAIN, schema or DEFAULT, table), Ask()).scans.append(predicates)


def projected(plan: LogicalPlan) -> set[str]:
    """The names of the columns that the scans of ``plan`` read."""
    node: Any = plan.to_variant()
    own = {name for _, name in node.projection()} if isinstance(node, TableScan) else set()
    return own.union(*(projected(below) for below in plan.inputs()))


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
