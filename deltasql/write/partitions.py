"""The rows of a batch by the partition that they belong to, and how the log and the folders spell its values.

Delta protocol, "Partition Value Serialization": what is written here must be read back as the same value, by all
that read Delta. An empty string (or no bytes) is NULL there. A folder's name is for those who look at it (Polars
takes the values from it), so it is Hive's, in ASCII, as delta-rs writes it: other readers trip over the rest.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.errors import NotSupportedError

Key = tuple[str | None, ...]
"""The values of the partition columns, in the log's spelling."""

_NULL = "__HIVE_DEFAULT_PARTITION__"


def split(batch: pa.RecordBatch, columns: Sequence[str]) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """The rows of each partition, in their order, without the partition ``columns``.

    Raises `NotSupportedError` for a value that no reader would get back as it was.
    """
    keys: list[Key] = [()]
    codes = pa.repeat(0, batch.num_rows)
    for name in columns:
        found, texts = _coded(batch.column(name), name)
        both = pc.add(pc.multiply(codes, len(texts)), found).dictionary_encode()
        codes = both.indices.cast(pa.int64())
        keys = [(*keys[code // len(texts)], texts[code % len(texts)]) for code in both.dictionary.to_pylist()]
    rows = batch.drop_columns(list(columns))
    if len(keys) == 1:
        yield keys[0], rows
        return
    order = pc.array_sort_indices(codes)
    counts = {count["values"]: count["counts"] for count in pc.value_counts(codes).to_pylist()}
    start = 0
    for code, key in enumerate(keys):
        # Taken, not sliced: a slice would hold all the batch in memory until its partition is written.
        yield key, rows.take(order.slice(start, counts[code]))
        start += counts[code]


def folder(columns: Sequence[str], key: Key) -> str:
    """The folder of a partition, relative to the table: ``a=1/b=x%20y``."""
    return "/".join(
        f"{quote(name, safe='')}={quote(_NULL if text is None else text, safe='')}"
        for name, text in zip(columns, key, strict=True)
    )


def _coded(values: pa.Array, column: str) -> tuple[pa.Array, list[str | None]]:
    """Each value as the number of its spelling, and the spellings."""
    if pa.types.is_nested(values.type):
        raise NotSupportedError(f"column `{column}` of type `{values.type}` can't partition a table")
    coded = values.dictionary_encode(null_encoding="encode")
    number: dict[str | None, int] = {}
    codes = [number.setdefault(text, len(number)) for text in spelled(coded.dictionary, column)]
    return pa.array(codes, pa.int64()).take(coded.indices), list(number)


def spelled(values: pa.Array, column: str) -> list[str | None]:
    """Values of a partition column as the log spells them. Raises `NotSupportedError` for one that it can't."""
    if pa.types.is_floating(values.type):
        return [_float(*pair) for pair in zip(values.to_pylist(), values.cast(pa.string()).to_pylist(), strict=True)]
    try:
        return [None if value is None or value in ("", b"") else _text(value) for value in values.to_pylist()]
    except UnicodeDecodeError as error:
        message = f"column `{column}` partitions the table, whose log can't hold the bytes {error.object!r}"
        raise NotSupportedError(message, hint="bytes in a partition must be text in UTF-8") from None
    except (OverflowError, ValueError):  # Of Python's dates.
        message = f"column `{column}` partitions the table, whose log can't hold years outside of 1 to 9999"
        raise NotSupportedError(message) from None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return value.isoformat(" ", "microseconds")
        # Without the Z, Spark would take its session's zone.
        return value.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, str) else f"{value:f}" if hasattr(value, "as_tuple") else str(value)


def _float(value: float | None, text: str | None) -> str | None:
    """``text`` but for what Java calls otherwise."""
    if value is None or math.isnan(value):
        return None if value is None else "NaN"
    return text if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
