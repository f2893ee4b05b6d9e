"""The rows of one data file in the columns of its table, whatever the file calls and lacks of them.

Delta protocol, "Column Mapping", "Partition Value Serialization", "Type Widening": columns and fields go by
their stored names or ids; what a file lacks is NULL; what it holds narrower is widened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.errors import StorageError, brief
from deltasql.storage.files import for_arrow
from deltasql.storage.objects import Location, ObjectPath

_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_BATCH = 65_536

FEATURES = frozenset(
    {"columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint"}
    | {"vacuumProtocolCheck"}
)
"""The reader features that reading file by file, with `batches`, is right for."""


@contextmanager
def opened(path: Location, what: str = "") -> Iterator[pq.ParquetFile]:
    """A data file, which may hold INT96. Raises `StorageError`, also for what goes wrong while it is read.

    ``what`` follows its path in the message.
    """
    try:
        remote = isinstance(path, ObjectPath)
        with pq.ParquetFile(for_arrow(path), coerce_int96_timestamp_unit="us", pre_buffer=remote) as parquet:
            yield parquet
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise StorageError(f"`{path}`{what} can't be read: {brief(error)}") from error


def require_sound(parquet: pq.ParquetFile, columns: Sequence[str] | None = None) -> None:
    """Raise `OSError` or `ArrowException` where a file's footer is damaged in what it says of chunks of ``columns``.

    Arrow throws what nobody catches, which ends the process, where it is asked of such a chunk; where it reads one it
    raises. So a row of each chunk is read before anything is asked. ``columns`` are paths (None: all).
    """
    for group in range(parquet.metadata.num_row_groups):
        next(parquet.iter_batches(1, row_groups=[group], columns=columns), None)


def batches(
    parquet: pq.ParquetFile,
    fields: Sequence[pa.Field],
    mode: str,
    known: Mapping[str, pa.Scalar],
    *,
    chosen: pa.BooleanArray | None = None,
    row_groups: Iterable[int] | None = None,
    numbered: str | None = None,
) -> Iterator[pa.RecordBatch]:
    """The columns ``fields`` of a file of a table with the column mapping ``mode``, nullable throughout.

    ``known`` are those that aren't in the file, ``chosen`` tells which of its rows count, ``row_groups`` where to
    look for them. Without fields the batches have rows all the same. The field called ``numbered`` holds the places
    of the rows in the file, counted from 0 and with those that don't count.
    """
    layout = parquet.schema_arrow
    chosen = None if chosen is None else padded(chosen, parquet.metadata.num_rows)
    outside = {*known, numbered}
    found = places(layout, fields, mode)
    held_at = [None if field.name in outside else at for field, at in zip(fields, found, strict=True)]
    names = list(dict.fromkeys(layout.field(at).name for at in held_at if at is not None))
    schema = pa.schema([nullable(field) for field in fields])
    for at, batch in _stored(parquet, names, row_groups):
        columns = []
        for field, shown, held in zip(fields, schema, held_at, strict=True):
            if held is not None:
                columns.append(_fit(batch.column(layout.field(held).name), field, mode))
            elif field.name == numbered:
                columns.append(pa.arange(at, at + batch.num_rows))
            else:
                columns.append(pa.repeat(known.get(field.name, pa.scalar(None, shown.type)), batch.num_rows))
        made = pa.RecordBatch.from_arrays(columns, schema=schema) if columns else batch.select([])
        if chosen is not None:
            made = (made if columns else batch).filter(chosen.slice(at, batch.num_rows)).select(schema.names)
        if made.num_rows:
            yield made


def _stored(
    parquet: pq.ParquetFile, names: Sequence[str], row_groups: Iterable[int] | None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of the columns ``names``, or of none in particular, and where in the file they start."""
    metadata = parquet.metadata
    wanted = None if row_groups is None else set(row_groups)
    at = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if wanted is None or group in wanted:
            start = at
            for batch in parquet.iter_batches(_BATCH, row_groups=[group], columns=names) if names else _counting(rows):
                yield start, batch
                start += batch.num_rows
        at += rows


def padded(chosen: pa.BooleanArray, rows: int) -> pa.BooleanArray:
    """A deletion vector's rows, of which those past its end are kept, for all ``rows`` of a file."""
    missing = rows - len(chosen)
    return chosen if missing <= 0 else pa.concat_arrays([chosen, pa.repeat(pa.scalar(value=True), missing)])


def _counting(rows: int) -> Iterator[pa.RecordBatch]:
    """As many rows of nothing in particular."""
    for at in range(0, rows, _BATCH):
        yield pa.record_batch({"": pa.nulls(min(_BATCH, rows - at))})


def partition_value(text: str | None, type: pa.DataType) -> pa.Scalar:
    """A partition value as the log writes it (Delta protocol, "Partition Value Serialization")."""
    if not text:
        return pa.scalar(None, type)
    if pa.types.is_timestamp(type) and type.tz is not None:
        text = text if _ZONE.search(text) else text + "Z"
    return pa.scalar(text, pa.string()).cast(type)


# -- what files call and hold


def mapping(properties: Mapping[str, str]) -> str:
    """The column mapping mode: ``none``, ``name`` or ``id``."""
    return properties.get("delta.columnMapping.mode", "none")


def stored_name(field: pa.Field, mode: str) -> str:
    """The name of a column in files and partition values."""
    physical: bytes | None = (field.metadata or {}).get(b"delta.columnMapping.physicalName")
    return str(field.name) if mode == "none" or physical is None else physical.decode()


def places(layout: pa.Schema | pa.StructType, fields: Iterable[pa.Field], mode: str) -> list[int | None]:
    """Where a file (or a struct in it) holds each of the columns; None where it doesn't have one."""
    names: dict[str, int] = {}
    numbers: dict[bytes, int] = {}
    for at, held in enumerate(layout):
        names.setdefault(held.name, at)
        if mode == "id" and (number := (held.metadata or {}).get(b"PARQUET:field_id")) is not None:
            numbers.setdefault(number, at)
    found = []
    for field in fields:
        number = (field.metadata or {}).get(b"delta.columnMapping.id") if mode == "id" else None
        found.append(names.get(stored_name(field, mode)) if number is None else numbers.get(number))
    return found


def nullable(field: pa.Field, leaf: Callable[[pa.DataType], pa.DataType] | None = None) -> pa.Field:
    """``field``, and all below it, nullable and without metadata; ``leaf`` is asked for each type at its bottom."""
    type = field.type
    if pa.types.is_struct(type):
        type = pa.struct([nullable(child, leaf) for child in type])
    elif pa.types.is_list(type) or pa.types.is_large_list(type):
        type = pa.list_(nullable(type.value_field, leaf))
    elif pa.types.is_map(type):
        type = pa.map_(type.key_field.with_type(nullable(type.key_field, leaf).type), nullable(type.item_field, leaf))
    elif leaf is not None:
        type = leaf(type)
    return pa.field(field.name, type)


def _fit(values: pa.Array, field: pa.Field, mode: str) -> pa.Array:
    """What a file holds of a column, as its type in the table: fields by their stored names, NULL where missing."""
    type, fit = field.type, nullable(field).type
    if pa.types.is_struct(type):
        children = [
            pa.nulls(len(values), below.type) if at is None else _fit(values.field(at), child, mode)
            for at, child, below in zip(places(values.type, type, mode), type, fit, strict=True)
        ]
        return pa.StructArray.from_arrays(children, fields=list(fit), mask=values.is_null())
    if pa.types.is_map(type):
        entries = [_fit(values.keys, type.key_field, mode), _fit(values.items, type.item_field, mode)]
        children = [pa.StructArray.from_arrays(entries, fields=[fit.key_field, fit.item_field])]
        return pa.Array.from_buffers(fit, len(values), values.buffers()[:2], offset=values.offset, children=children)
    if pa.types.is_list(type):
        if not pa.types.is_list(values.type):
            values = values.cast(pa.list_(values.type.value_field))
        children = [_fit(values.values, type.value_field, mode)]
        return pa.Array.from_buffers(fit, len(values), values.buffers()[:2], offset=values.offset, children=children)
    found = values.cast(options=pc.CastOptions(fit, allow_time_truncate=True))
    if pa.types.is_string(fit):
        found.validate(full=True)  # Arrow takes what a damaged file holds for text.
    return found


def widens(old: pa.DataType, new: pa.DataType, old_mode: str, new_mode: str) -> bool:
    """True if all that ``old`` can hold can be shown as ``new``: what type widening allows, and no less."""
    if pa.types.is_struct(old) and pa.types.is_struct(new):
        was = {stored_name(child, old_mode): child.type for child in old}
        pairs = [(was.get(stored_name(child, new_mode)), child.type) for child in new]
        return all(before is None or widens(before, now, old_mode, new_mode) for before, now in pairs)
    if old.num_fields and old.id == new.id:
        both = (
            (old.field(index).type for index in range(old.num_fields)),
            (new.field(index).type for index in range(new.num_fields)),
        )
        return all(widens(*pair, old_mode, new_mode) for pair in zip(*both, strict=True))
    if pa.types.is_decimal(new) and pa.types.is_decimal(old):
        return bool(new.scale >= old.scale and new.precision - new.scale >= old.precision - old.scale)
    if pa.types.is_decimal(new) and pa.types.is_integer(old):
        return bool(new.precision - new.scale >= len(str(1 << old.bit_width - 1)))
    if pa.types.is_floating(new) and pa.types.is_integer(old):
        return bool(old.bit_width < new.bit_width)
    if any(of(old) and of(new) for of in (pa.types.is_integer, pa.types.is_floating)):
        return bool(old.bit_width <= new.bit_width)
    return bool(old == new or (pa.types.is_date(old) and new == pa.timestamp("us")))
