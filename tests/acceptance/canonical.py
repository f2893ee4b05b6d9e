"""The canonical form of rows (``shared/corpora/README.md``): one spelling per value, whatever engine read it.

Values are taken from Arrow, not from Python objects, because Python's dates and datetimes end at the years 1 and 9999.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import json
import math
import struct
from typing import Any

import pyarrow as pa

Row = list[Any]
_EPOCH = dt.datetime(1970, 1, 1)


def rows(table: pa.Table) -> list[Row]:
    """The rows in canonical form, sorted."""
    columns = [[value(item) for item in column] for column in table.columns]
    found = [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(table.num_rows)]
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def digest(canonical: list[Row]) -> str:
    """The digest of sorted canonical rows."""
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def value(scalar: pa.Scalar) -> Any:
    """One value in canonical form."""
    if not scalar.is_valid:
        return None
    type = scalar.type
    if pa.types.is_floating(type):
        return _float(scalar.as_py(), single=type == pa.float32())
    if pa.types.is_decimal(type):
        return _decimal(scalar.as_py())
    if pa.types.is_date(type):
        return _date(scalar.cast(pa.date32()).cast(pa.int32()).as_py())
    if pa.types.is_timestamp(type):
        microseconds = scalar.cast(pa.timestamp("us", type.tz)).cast(pa.int64()).as_py()
        return _instant(microseconds, zoned=type.tz is not None)
    return _plain(scalar)


def _plain(scalar: pa.Scalar) -> Any:
    type = scalar.type
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_fixed_size_binary(type):
        return "hex:" + scalar.as_py().hex()
    if pa.types.is_struct(type):
        return {field.name: value(scalar[index]) for index, field in enumerate(type)}
    if pa.types.is_map(type):
        pairs = [[value(entry[0]), value(entry[1])] for entry in scalar.values]
        return ["map", *sorted(pairs, key=lambda pair: json.dumps(pair[0], sort_keys=True))]
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return [value(item) for item in scalar.values]
    return scalar.as_py()


def _float(number: float, *, single: bool) -> str:
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return _shortest_single(number) if single else repr(number)


def _shortest_single(number: float) -> str:
    """The shortest text that reads as this float of 32 bits."""
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        if abs(short) < 3.5e38 and struct.unpack("f", struct.pack("f", short))[0] == number:
            return repr(short)
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


def _instant(microseconds: int, *, zoned: bool) -> str:
    try:
        time = _EPOCH + dt.timedelta(microseconds=microseconds)
    except OverflowError:
        return f"us:{microseconds}"
    return f"ts:{time.isoformat(timespec='microseconds')}" + ("Z" if zoned else "")
