"""Instants that delta-rs would read wrong: INT96 outside of 1677–2262 wraps round (facts.md, 38).

DataFusion's own scan reads them right, as it is told to take them in microseconds. Where delta-rs must read,
the log's statistics rule the danger out; without them the columns that are INT96 are looked through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.catalog.snapshot import Snapshot
from deltasql.storage.files import for_arrow
from deltasql.storage.objects import Location

_FIRST = dt.datetime(1677, 9, 22)  # noqa: DTZ001 (given the column's zone below)
_LAST = dt.datetime(2262, 4, 11)  # noqa: DTZ001


def wraps(snapshot: Snapshot, files: Iterable[Location]) -> str | None:
    """The name of a file of ``files`` in which delta-rs would misread an instant, or None."""
    if not any(_holds_instants(field.type) for field in snapshot.schema):
        return None
    safe = _proved_safe(snapshot)
    return next((path.name for path in files if path not in safe and _is_misread(path)), None)


def _holds_instants(type: pa.DataType) -> bool:
    if pa.types.is_nested(type):
        return any(_holds_instants(type.field(index).type) for index in range(type.num_fields))
    return bool(pa.types.is_timestamp(type))


def _proved_safe(snapshot: Snapshot) -> set[Location]:
    """The files whose statistics keep all instants within the range of nanoseconds."""
    adds = snapshot.adds
    stored = [field for field in snapshot.schema if field.name not in snapshot.partition_columns]
    instants = [field for field in stored if _holds_instants(field.type)]
    if any(pa.types.is_nested(field.type) for field in instants):
        return set()
    safe: Any = pa.array([True] * adds.num_rows, pa.bool_())
    for field in instants:
        names = f"min.{field.name}", f"max.{field.name}", f"null_count.{field.name}"
        if any(name not in adds.column_names for name in names):
            return set()
        low, high, nulls = (adds[name] for name in names)
        inside = pc.and_(pc.greater(low, pa.scalar(_FIRST, low.type)), pc.less(high, pa.scalar(_LAST, high.type)))
        empty = pc.equal(nulls, adds["num_records"])
        safe = pc.and_(safe, pc.or_(pc.fill_null(inside, fill_value=False), pc.fill_null(empty, fill_value=False)))
    return {path for path, is_safe in zip(snapshot.files, safe.to_pylist(), strict=True) if is_safe}


def stored_in_int96(schema: pq.ParquetSchema) -> set[str]:
    """The columns of a file that hold INT96, at whatever depth."""
    leaves = (schema.column(index) for index in range(len(schema)))
    return {leaf.path.split(".")[0] for leaf in leaves if leaf.physical_type == "INT96"}


def _is_misread(path: Location) -> bool:
    """True if the file holds an INT96 instant that nanoseconds since 1970 can't."""
    try:
        columns = stored_in_int96(pq.read_metadata(for_arrow(path)).schema)
        if not columns:
            return False
        table = pq.read_table(
            for_arrow(path), columns=sorted(columns), coerce_int96_timestamp_unit="us", partitioning=None
        )
    except (OSError, UnicodeDecodeError, pa.ArrowException):
        return False  # The reader itself will say what is wrong with the file.
    return any(_is_outside(leaf) for column in table.columns for chunk in column.chunks for leaf in _leaves(chunk))


def _leaves(values: pa.Array) -> Iterator[pa.Array]:
    """The arrays at the bottom of a nested one."""
    if pa.types.is_struct(values.type):
        for child in values.flatten():
            yield from _leaves(child)
    elif pa.types.is_map(values.type):
        yield from _leaves(values.keys)
        yield from _leaves(values.items)
    elif pa.types.is_list(values.type):
        yield from _leaves(values.flatten())
    else:
        yield values


def _is_outside(values: pa.Array) -> bool:
    if not pa.types.is_timestamp(values.type) or values.null_count == len(values):
        return False
    ends = pc.min_max(values)
    low, high = (pa.scalar(end, values.type) for end in (_FIRST, _LAST))
    return not (pc.greater(ends["min"], low).as_py() and pc.less(ends["max"], high).as_py())
