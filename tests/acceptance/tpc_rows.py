"""Whether the rows of one engine are those of another, as far as a query determines them.

What ORDER BY ties on a LIMIT leaves open is no difference: the rows found are compared with the answer *without* its
LIMIT. They have to be as many as the limit lets through, each one of the answer's, and the sort keys among the columns
have to run, row by row, as the answer's do; the sequence of keys is determined even where that of rows isn't.
"""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

RELATIVE = 1e-9
QUOTIENT_PLACES = 6
Row = tuple[Any, ...]


def differences(found: pa.Table, answer: pa.Table, limit: int | None, keys: list[int]) -> list[str]:
    """What keeps ``found`` from being the first ``limit`` rows of ``answer``, ordered by the columns ``keys``."""
    if found.num_columns != answer.num_columns:
        return [f"{found.num_columns} columns, not {answer.num_columns}"]
    most = answer.num_rows if limit is None else min(limit, answer.num_rows)
    if found.num_rows != most:
        return [f"{found.num_rows} rows, not {most}"]
    ours, theirs = _rows(found), _rows(answer)
    told = [f"no such row: {row}" for row in _beyond(ours, theirs, _loose(found, answer))]
    for index, (row, other) in enumerate(zip(ours, theirs, strict=False)):
        if not all(same(row[key], other[key]) for key in keys):
            told.append(f"order: row {index} has {[row[key] for key in keys]}, not {[other[key] for key in keys]}")
            break
    return told


def sort_keys(query: str, columns: list[str]) -> list[int]:
    """The positions of the columns that ``query`` orders by; keys that aren't in the output are left out."""
    order = sqlglot.parse_one(query, dialect="duckdb").args.get("order")
    found = []
    for ordered in order.expressions if order else ():
        key = ordered.this
        if isinstance(key, exp.Literal):
            found.append(int(key.this) - 1)
        elif isinstance(key, exp.Column) and key.name.lower() in columns:
            found.append(columns.index(key.name.lower()))
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values are one: a float within `RELATIVE`, beside a quotient within a unit of its last place too.

    DataFusion's quotients and means of decimals are decimals of at least six places; DuckDB's are floats.
    """
    if one is None or other is None:
        return one is other
    if not isinstance(one, float) and not isinstance(other, float):
        return bool(one == other)
    places = [-int(value.as_tuple().exponent) for value in (one, other) if isinstance(value, Decimal)]
    unit = sum(10.0**-place for place in places if place >= QUOTIENT_PLACES)
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=unit)


def _rows(table: pa.Table) -> list[Row]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []


def _loose(*tables: pa.Table) -> list[bool]:
    """For each column whether one of ``tables`` has it in floating point."""
    return [
        any(pa.types.is_floating(kind) for kind in kinds)
        for kinds in zip(*(t.schema.types for t in tables), strict=True)
    ]


def _beyond(rows: list[Row], answer: list[Row], loose: list[bool]) -> list[Row]:
    """The rows that, counted as often as they come, aren't of ``answer``."""

    def exact(row: Row) -> Row:
        return tuple(value for value, inexact in zip(row, loose, strict=True) if not inexact)

    left: dict[Row, list[Row]] = defaultdict(list)
    for row in answer:
        left[exact(row)].append(row)
    beyond = []
    for row in rows:
        candidates = left[exact(row)]
        index = next((i for i, other in enumerate(candidates) if all(map(same, row, other))), None)
        if index is None:
            beyond.append(row)
        else:
            del candidates[index]
    return beyond
