"""The canonical form of rows (``shared/corpora/README.md``): one spelling per value, whatever engine read it.

Values are taken from Arrow, not from Python objects, because Python's dates and datetimes end at the years 1 and
9999. One spelling is the corpus's own: an empty map is ``[]``.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import json
import math
from typing import Any

import pyarrow as pa

Row = list[Any]
_EPOCH = dt.datetime(1970, 1, 1)


def rows(table: pa.Table) -> list[Row]:
    """The rows in canonical form, sorted."""
    columns = [[value for chunk in column.chunks for value in values(chunk)] for column in table.columns]
    found = [list(row) for row in zip(*columns, strict=True)]
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


_FEW = 5000


def sortable(table: pa.Table) -> list[Row] | pa.Table:
    """The rows in some one order, to be compared with others of the same columns; quick where they are many."""
    kinds = {field.type for field in table.schema}
    if table.num_rows <= _FEW or any(pa.types.is_nested(kind) or pa.types.is_floating(kind) for kind in kinds):
        return rows(table)
    return table.sort_by([(name, "ascending") for name in table.column_names])


def digest(canonical: list[Row]) -> str:
    """The digest of sorted canonical rows."""
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def values(array: pa.Array) -> list[Any]:
    """The values of an array in canonical form."""
    type = array.type
    if pa.types.is_struct(type):
        children = [values(child) for child in array.flatten()]
        names = [field.name for field in type]
        rows = zip(*children, strict=True) if children else ((),) * len(array)
        made = [dict(zip(names, row, strict=True)) for row in rows]
        return [row if valid else None for row, valid in zip(made, array.is_valid().to_pylist(), strict=True)]
    if pa.types.is_map(type):
        return [None if not item.is_valid else _map(item.values) for item in array]
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return [None if not item.is_valid else values(item.values) for item in array]
    if pa.types.is_date(type):
        return [None if days is None else _date(days) for days in array.cast(pa.date32()).cast(pa.int32()).to_pylist()]
    if pa.types.is_timestamp(type):
        plain = array.cast(pa.timestamp("us", type.tz)).cast(pa.int64()).to_pylist()
        return [None if time is None else _time(time, zoned=type.tz is not None) for time in plain]
    return [None if value is None else _plain(value) for value in array.to_pylist()]


def _map(entries: pa.StructArray) -> list[Any]:
    keys, items = (values(child) for child in entries.flatten())
    pairs = sorted(([key, item] for key, item in zip(keys, items, strict=True)), key=json.dumps)
    return ["map", *pairs] if pairs else []


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    return f"hex:{value.hex()}" if isinstance(value, bytes) else value


def _float(number: float) -> str:
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return repr(number)


def _decimal(number: decimal.Decimal) -> str:
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "dec:" + ("0" if text in ("-0", "") else text)


def _date(days: int) -> str:
    try:
        return f"date:{(dt.date(1970, 1, 1) + dt.timedelta(days=days)).isoformat()}"
    except OverflowError:
        return f"days:{days}"


def _time(microseconds: int, *, zoned: bool) -> str:
    try:
        time = _EPOCH + dt.timedelta(microseconds=microseconds)
    except OverflowError:
        return f"us:{microseconds}"
    return f"ts:{time.isoformat(timespec='microseconds')}" + ("Z" if zoned else "")
