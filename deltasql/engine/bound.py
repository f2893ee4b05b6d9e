"""Python values as Arrow columns that hold just what DataFusion would bind them as, one by one."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

_PLAIN = {bool, int, float, str, bytes, dt.date, dt.time, dt.datetime, decimal.Decimal}


def column(values: Sequence[Any]) -> pa.Array | None:
    """``values`` as one column, or None where they have no one type, or one that says less than they do.

    Scalars of Arrow's say their type.
    """
    if any(isinstance(value, pa.Scalar) for value in values):
        said = {value.type if isinstance(value, pa.Scalar) else None for value in values if value is not None}
        return pa.array(values, said.pop()) if len(said) == 1 else None
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) > 1 or not kinds <= _PLAIN:
        return None
    if len({value.tzinfo for value in values if isinstance(value, dt.datetime | dt.time)}) > 1:
        return None
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None


def columns(names: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> pa.Table | None:
    """A row for each of ``rows``; ``names`` are the keys of their values and what the columns are called."""
    found = [column([row[key] for row in rows]) for key in names]
    if any(values is None for values in found):
        return None
    return pa.Table.from_arrays(found, names=list(names.values()))
