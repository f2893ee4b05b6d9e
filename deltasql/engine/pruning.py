"""Which files of a snapshot can hold a row that a predicate is true for, by the log alone.

A file stays unless its partition values or statistics prove that no row of it can match (Delta protocol,
"Per-file Statistics"). What isn't understood proves nothing. NaN is greater than any number, as in Spark and
DataFusion, and is in no statistics, so an upper bound on a floating-point column proves nothing either.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from datafusion.expr import Between, BinaryExpr, Column, Expr, InList, IsNotNull, IsNull, Literal, Not

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.ask import Ask, Top, conjuncts, variant
from deltasql.names import literal, quote
from deltasql.storage.objects import Location

Mask = Any
"""A boolean array over the files (true: may match), or None where nothing is proved."""

_LOOKED_AT = 64
_EXACT_DIGITS = 15
"""Those of a decimal that a double keeps."""
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INVERSE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_COMPARE = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}


def kept(snapshot: Snapshot, ask: Ask) -> Sequence[int]:
    """The indexes, into ``snapshot.files``, of the files that some scan of ``ask`` must read."""
    every = range(len(snapshot.files))
    if "columnMapping" in snapshot.reader_features:
        return every
    bounds = Bounds(snapshot, snapshot.adds)
    total: Mask = None
    for scan in ask.scans:
        if scan.top is not None and not scan.conjuncts:
            mask = bounds.first_rows(scan.top)
        else:
            mask = _all([bounds.may_match(expr) for expr in scan.conjuncts])
        if mask is None:
            return every
        total = mask if total is None else pc.or_(total, mask)
    return every if total is None else [index for index, may in enumerate(total.to_pylist()) if may]


def enough(files: Sequence[Location], ask: Ask, rows: Callable[[Location], int]) -> Sequence[Location]:
    """So many of ``files`` as hold the rows that are asked for, where any will do; ``rows`` counts those of a file."""
    if not all(scan.fetch is not None and not scan.conjuncts for scan in ask.scans):
        return files
    wanted = max(scan.fetch or 0 for scan in ask.scans)
    for count, file in enumerate(files, 1):
        wanted -= rows(file)
        if wanted <= 0:
            return files[:count]
        if count == _LOOKED_AT:
            break
    return files


@dataclass(frozen=True, slots=True)
class Comparison:
    """``column operator value``, the value a literal of the column's type."""

    column: str
    operator: str
    value: pa.Scalar


def comparison(expr: Expr) -> Comparison | None:
    """``expr`` as a comparison of a column with a literal, or None."""
    node = variant(expr)
    if not isinstance(node, BinaryExpr) or node.op() not in _FLIPPED:
        return None
    left, right = variant(node.left()), variant(node.right())
    if isinstance(left, Column) and isinstance(right, Literal):
        return Comparison(left.name(), node.op(), _scalar(node.right()))
    if isinstance(left, Literal) and isinstance(right, Column):
        return Comparison(right.name(), _FLIPPED[node.op()], _scalar(node.left()))
    return None


def asked_values(expr: Expr) -> tuple[str, frozenset[Any]] | None:
    """A column and the values of which ``expr`` asks it to have one, or None where it asks for something else."""
    node = variant(expr)
    if isinstance(node, BinaryExpr) and node.op() == "OR":
        sides = asked_values(node.left()), asked_values(node.right())
        if sides[0] is None or sides[1] is None or sides[0][0] != sides[1][0]:
            return None
        return sides[0][0], sides[0][1] | sides[1][1]
    if isinstance(node, InList) and not node.negated():
        column, literals = variant(node.expr()), node.list()
        if isinstance(column, Column) and all(isinstance(variant(each), Literal) for each in literals):
            return column.name(), frozenset(_scalar(each).as_py() for each in literals)
        return None
    found = comparison(expr)
    return (found.column, frozenset([found.value.as_py()])) if found is not None and found.operator == "=" else None


def _scalar(expr: Expr) -> pa.Scalar:
    return expr.python_value()


class Bounds:
    """The least and greatest values of the columns of each file, as the log has them."""

    def __init__(self, snapshot: Snapshot, adds: pa.Table) -> None:
        self._snapshot = snapshot
        self._adds = adds
        self._names = set(adds.column_names)

    def may_match(self, expr: Expr, *, negated: bool = False) -> Mask:
        """The files that may hold a row for which ``expr`` is true (``negated``: false)."""
        node = variant(expr)
        if isinstance(node, Column):
            return self._compared(node.name(), "=", pa.scalar(not negated))
        if isinstance(node, Not):
            return self.may_match(node.expr(), negated=not negated)
        if isinstance(node, BinaryExpr) and node.op() in ("AND", "OR"):
            masks = [self.may_match(side, negated=negated) for side in (node.left(), node.right())]
            return _all(masks) if (node.op() == "AND") != negated else _any(masks)
        if isinstance(node, IsNull | IsNotNull):
            return self._nulls(node.expr(), isinstance(node, IsNull) != negated)
        if isinstance(node, InList):
            return self._in_list(node, negated=negated)
        if isinstance(node, Between):
            return None if negated or node.negated() else self._between(node)
        found = comparison(expr)
        if found is None:
            return None
        return self._compared(found.column, _INVERSE[found.operator] if negated else found.operator, found.value)

    def first_rows(self, top: Top) -> Mask:
        """The files that may hold one of the first rows in an order, without any condition."""
        column = top.columns[0]
        ends = self._ends(column)
        if ends is None or "deletionVectors" in self._snapshot.features_in_use or not _is_exact(ends[0].type):
            return None
        near, far = ends if top.descending else ends[::-1]  # All rows of a file are at least as far on as ``near``.
        is_partition = column in self._snapshot.partition_columns
        if not is_partition and f"null_count.{column}" not in self._names:
            return None
        rows = self._adds["num_records"]
        nulls = pc.if_else(pc.is_null(near), rows, 0) if is_partition else self._adds[f"null_count.{column}"]
        order = pc.sort_indices(near, sort_keys=[("", "descending" if top.descending else "ascending")])
        there = pc.cumulative_sum(pc.fill_null(pc.subtract(rows, nulls), 0).take(order))
        reached = pc.index(pc.greater_equal(there, top.rows), value=True).as_py()
        if reached < 0 or not (last := near[order[reached].as_py()]).is_valid:
            return None
        may = pc.fill_null(
            (pc.greater_equal if top.descending else pc.less_equal)(far, last), fill_value=not is_partition
        )
        if top.nulls_first:
            may = pc.or_(may, pc.fill_null(pc.greater(nulls, 0), fill_value=True))
        return may

    def _nulls(self, expr: Expr, wanted: bool) -> Mask:  # noqa: FBT001
        node = variant(expr)
        if not isinstance(node, Column):
            return None
        if node.name() in self._snapshot.partition_columns:
            nulls = pc.is_null(self._adds[f"partition.{node.name()}"])
            return nulls if wanted else pc.invert(nulls)
        name = f"null_count.{node.name()}"
        if name not in self._names:
            return None
        count = self._adds[name]
        proved = pc.equal(count, 0) if wanted else pc.equal(count, self._adds["num_records"])
        return pc.invert(pc.fill_null(proved, fill_value=False))

    def _in_list(self, node: InList, *, negated: bool) -> Mask:
        column = variant(node.expr())
        values = list(node.list())
        if negated or node.negated() or not isinstance(column, Column):
            return None
        if not all(isinstance(variant(value), Literal) for value in values):
            return None
        return _any([self._compared(column.name(), "=", _scalar(value)) for value in values])

    def _between(self, node: Between) -> Mask:
        column, low, high = variant(node.expr()), variant(node.low()), variant(node.high())
        if not (isinstance(column, Column) and isinstance(low, Literal) and isinstance(high, Literal)):
            return None
        bounds = ((">=", node.low()), ("<=", node.high()))
        return _all([self._compared(column.name(), operator, _scalar(value)) for operator, value in bounds])

    def _compared(self, column: str, operator: str, value: pa.Scalar) -> Mask:
        if not value.is_valid:
            return pa.array([False] * self._adds.num_rows, pa.bool_())  # A comparison with NULL is never true.
        ends = self._ends(column)
        if ends is None or not _is_comparable(ends[0].type, value.type):
            return None
        low, high = ends
        if pa.types.is_floating(low.type):
            return self._compared_float(low, high, operator, value)
        if operator == "!=" and pa.types.is_string(low.type) and column not in self._snapshot.partition_columns:
            return None  # Statistics of strings are cut off.
        if operator == "=":
            proved = pc.or_kleene(pc.less(value, low), pc.greater(value, high))
        elif operator == "!=":
            proved = pc.and_kleene(pc.equal(low, value), pc.equal(high, value))
        else:
            proved = pc.invert(_COMPARE[operator](low if operator in ("<", "<=") else high, value))
        # A partition value is exact, so NULL proves that no comparison holds; without statistics nothing is.
        return pc.invert(pc.fill_null(proved, fill_value=column in self._snapshot.partition_columns))

    def _compared_float(self, low: Any, high: Any, operator: str, value: pa.Scalar) -> Mask:
        """Only what holds although NaN, which is greater than any number, may be in the file."""
        number = value.as_py()
        if number != number or number == 0 or operator not in ("=", "<", "<="):  # noqa: PLR0124 (NaN)
            return None
        proved = pc.invert(_COMPARE["<=" if operator == "=" else operator](low, value))
        if operator == "=":
            proved = pc.or_kleene(proved, pc.greater(value, high))
        return pc.invert(pc.fill_null(proved, fill_value=False))

    def _ends(self, column: str) -> tuple[Any, Any] | None:
        if column in self._snapshot.partition_columns:
            values = self._adds[f"partition.{column}"]
            # BINARY values come back mangled (facts.md, 41).
            return None if pa.types.is_binary(values.type) else (values, values)
        if f"min.{column}" not in self._names or f"max.{column}" not in self._names:
            return None
        low, high = self._adds[f"min.{column}"], self._adds[f"max.{column}"]
        if pa.types.is_decimal(low.type) and low.type.precision > _EXACT_DIGITS:
            return None  # delta-rs writes, and reads, bounds of decimals as doubles.
        if pa.types.is_timestamp(high.type):
            # Statistics keep milliseconds, cut off: the greatest value may lie up to one above.
            high = pc.add(high, pa.scalar(dt.timedelta(milliseconds=1), pa.duration(high.type.unit)))
        return low, high


def _is_exact(type: pa.DataType) -> bool:
    """True for types whose order is Arrow's own and whose statistics aren't cut off."""
    kinds = (pa.types.is_integer, pa.types.is_date, pa.types.is_decimal, pa.types.is_timestamp)
    return any(of(type) for of in kinds)


def _is_comparable(stored: pa.DataType, value: pa.DataType) -> bool:
    """True where Arrow compares the two just as DataFusion does: after coercion the types are the same."""
    if pa.types.is_string(stored) and (pa.types.is_string(value) or pa.types.is_string_view(value)):
        return True
    if pa.types.is_decimal(stored) and pa.types.is_decimal(value):
        return True
    return bool(stored == value) and not pa.types.is_binary(stored) and not pa.types.is_nested(stored)


def _all(masks: Sequence[Mask]) -> Mask:
    known = [mask for mask in masks if mask is not None]
    total: Mask = None
    for mask in known:
        total = mask if total is None else pc.and_(total, mask)
    return total


def _any(masks: Sequence[Mask]) -> Mask:
    if not masks or any(mask is None for mask in masks):
        return None
    total = masks[0]
    for mask in masks[1:]:
        total = pc.or_(total, mask)
    return total


# -- for the readers that take a predicate: weaker than what is asked, as the rest is done by DataFusion


def as_sql(snapshot: Snapshot, ask: Ask) -> str | None:
    """What delta-rs may be told of the rows that are wanted, or None."""
    parts = [f"{quote(c.column)} {c.operator} {literal(c.value.as_py())}" for c in _comparisons(snapshot, ask)]
    return " AND ".join(parts) or None


def as_expression(snapshot: Snapshot, ask: Ask) -> pads.Expression | None:
    """What Arrow may be told of the rows that are wanted, or None; of columns that the files call by their names."""
    if "columnMapping" in snapshot.reader_features:
        return None
    parts = [
        _ARROW[c.operator](pc.field(c.column), c.value.cast(snapshot.schema.field(c.column).type))
        for c in _comparisons(snapshot, ask)
        if c.column not in snapshot.partition_columns
    ]
    return functools.reduce(lambda one, other: one & other, parts) if parts else None


_ARROW = {"=": pc.equal, "!=": pc.not_equal, **_COMPARE}


def _comparisons(snapshot: Snapshot, ask: Ask) -> list[Comparison]:
    """Of a single scan the comparisons with literals, where no floating-point column is compared."""
    if len(ask.scans) != 1:
        return []
    parts = (part for expr in ask.scans[0].conjuncts for part in conjuncts(expr))
    return [found for part in parts if (found := comparison(part)) is not None and _is_simple(snapshot, found)]


def _is_simple(snapshot: Snapshot, found: Comparison) -> bool:
    if not found.value.is_valid or found.column not in snapshot.schema.names:
        return False
    type = snapshot.schema.field(found.column).type
    plain = (pa.types.is_integer(type), pa.types.is_string(type), pa.types.is_date(type), pa.types.is_boolean(type))
    return any(plain) and _is_comparable(type, found.value.type)
