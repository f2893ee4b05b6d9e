"""Whether two engines gave the same answer, as Arrow: types may differ in width, values may not.

Floats are held against each other with a relative tolerance of 1e-9, and a DECIMAL of more than two digits (a
quotient) within one unit of its last digit, since engines divide decimals to different scales. Rows come in any
order, but for the columns of ORDER BY.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

Row = tuple[Any, ...]
_TOLERANCE = 1e-9
_EXACT_SCALE = 2


def difference(answer: pa.Table, right: pa.Table, order: Sequence[str] = ()) -> str | None:
    """What makes ``answer`` differ from ``right``, in a line; None where nothing does."""
    if answer.shape != right.shape:
        return f"{answer.shape} rows and columns, not {right.shape}"
    pairs = [(one.type, other.type) for one, other in zip(answer.schema, right.schema, strict=True)]
    slack = [max(map(_slack, pair)) for pair in pairs]
    ours, theirs = _rows(answer), _rows(right)
    key = _sorting(slack)
    if found := _first_difference(sorted(ours, key=key), sorted(theirs, key=key), slack):
        return found
    places = [right.schema.get_field_index(name) for name in order]
    found = _first_difference(_only(ours, places), _only(theirs, places), [slack[place] for place in places])
    return f"out of order: {found}" if found else None


def _slack(type: pa.DataType) -> float:
    """By how much values of ``type`` may differ beside the relative tolerance; negative where not at all."""
    if pa.types.is_decimal(type):
        return 1.000001 * 10.0**-type.scale if type.scale > _EXACT_SCALE else -1.0
    return 0.0 if pa.types.is_floating(type) else -1.0


def _rows(table: pa.Table) -> list[Row]:
    return list(zip(*([_plain(value) for value in column.to_pylist()] for column in table.columns), strict=True))


def _plain(value: Any) -> Any:
    """Numbers of all widths are one kind, an instant is in UTC, and midnight is its date."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        return value.date() if value.time() == dt.time() else value
    return value


def _sorting(slack: Sequence[float]) -> Any:
    """A sort key that doesn't hang on the last digits of a float: exact columns first, then floats cut short."""

    def key(row: Row) -> tuple[Any, ...]:
        exact = [(value is None, str(value)) for value, by in zip(row, slack, strict=True) if by < 0]
        cut = [(value is None, f"{value or 0:.5g}") for value, by in zip(row, slack, strict=True) if by >= 0]
        return (*exact, *cut)

    return key


def _only(rows: list[Row], places: list[int]) -> list[Row]:
    return [tuple(row[place] for place in places) for row in rows]


def _first_difference(ours: list[Row], theirs: list[Row], slack: Sequence[float]) -> str | None:
    for one, other in zip(ours, theirs, strict=True):
        for value, expected, by in zip(one, other, slack, strict=True):
            if not _same(value, expected, by):
                return f"{value!r}, not {expected!r}"
    return None


def _same(one: Any, other: Any, by: float) -> bool:
    if by < 0 or one is None or other is None:
        return bool(one == other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=by)
