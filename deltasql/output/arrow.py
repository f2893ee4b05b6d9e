"""Arrow IPC and Parquet, for programs: the values as they are, in types that every reader knows.

Views, dictionaries and runs become plain columns, and metadata that files carried stays behind (facts.md, 20 and 21).
Rows that end in an error never become a file that looks whole: its footer isn't written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.errors import NotSupportedError, PlanError
from deltasql.names import fold
from deltasql.output import nested
from deltasql.output.options import Options
from deltasql.types import sql_name

_GROUP_ROWS = 1_048_576
_GROUP_BYTES = 128 * 1024 * 1024


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write an Arrow IPC file, or the stream format where ``out`` can't seek, as a pipe: so each is what readers want.

    Raises `NotSupportedError` for a terminal.
    """
    kind = pa.ipc.new_file if out.seekable() else pa.ipc.new_stream

    def opened(sink: pa.NativeFile, plain: pa.Schema) -> Any:
        return kind(sink, plain)

    _write("arrow", schema, batches, out, opened)


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write a Parquet file.

    Raises `NotSupportedError` for a terminal and for a type that Parquet lacks, `PlanError` for a name that two columns
    have (whatever its case, as in COPY TO).
    """
    seen: set[str] = set()
    for field in schema:
        if fold(field.name) in seen:
            raise PlanError(
                f"a Parquet file can't have two columns `{field.name}`", hint="give one of them another name with AS"
            )
        seen.add(fold(field.name))
        if (odd := _unwritable(field.type)) is not None:
            message = f"column `{field.name}` of type {sql_name(odd)} can't be written as Parquet"
            raise NotSupportedError(message, hint=f"cast it: CAST({field.name} AS STRING)")

    def opened(sink: pa.NativeFile, plain: pa.Schema) -> Any:
        return pq.ParquetWriter(sink, plain, compression="zstd", store_schema=False)

    _write("parquet", schema, _groups(batches), out, opened)


def _write(
    format: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch | pa.Table],
    out: BinaryIO,
    opened: Callable[[pa.NativeFile, pa.Schema], Any],
) -> None:
    if not schema.names:
        return
    if out.isatty():
        hint = "write it to a file (-o FILE) or a pipe"
        raise NotSupportedError(f"`{format}` is no text, so a terminal can't show it", hint=hint)
    plain = pa.schema([pa.field(field.name, _plain_type(field.type), field.nullable) for field in schema])
    rows = iter(batches)
    first = list(itertools.islice(rows, 1))  # a query that fails at once writes nothing
    sink = _Sink(out)
    try:
        writer = opened(pa.PythonFile(sink, mode="w"), plain)
        for part in itertools.chain(first, rows):
            writer.write(_plain_rows(part, plain))
        writer.close()
    finally:
        sink.ended = True


class _Sink:
    """What a library's writer writes to; what comes once the rows have ``ended`` goes nowhere.

    Libraries finish a file even when its rows ended in an error, some only as they are garbage-collected.
    """

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self.ended = False
        self._out = out

    def write(self, data: bytes) -> int:
        return len(data) if self.ended else self._out.write(data)

    def flush(self) -> None:
        """Whoever opened the output flushes it."""

    def close(self) -> None:
        """Whoever opened the output closes it."""


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """``batches`` in tables large enough for a row group, since readers skip whole ones by their statistics."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)


def _unwritable(kind: pa.DataType) -> pa.DataType | None:
    """``kind`` or the type below it that Parquet has none for. pyarrow writes durations as bare numbers."""
    if pa.types.is_duration(kind) or pa.types.is_interval(kind) or pa.types.is_union(kind):
        return kind
    if pa.types.is_struct(kind) and not kind.num_fields:
        return kind
    if isinstance(kind, pa.BaseExtensionType):
        return _unwritable(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _unwritable(kind.value_type)
    below = (_unwritable(kind.field(index).type) for index in range(kind.num_fields))
    return next((odd for odd in below if odd is not None), None)


# -- plain types


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """``kind`` without views, dictionaries, runs, extensions and metadata, at every depth."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), keys_sorted=kind.keys_sorted)
    if pa.types.is_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_fixed_size_list(kind) and _plain_type(kind.value_type) == kind.value_type:
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if hasattr(kind, "value_field"):  # lists of other layouts
        return pa.large_list(_plain_field(kind.value_field))
    return kind


def _plain_field(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _plain_type(field.type), field.nullable)


def _plain_rows(rows: pa.RecordBatch | pa.Table, schema: pa.Schema) -> pa.RecordBatch | pa.Table:
    """``rows`` in the plain types of ``schema``."""
    if isinstance(rows, pa.Table):
        return pa.Table.from_batches([_plain_rows(batch, schema) for batch in rows.to_batches()], schema)
    columns = [_plain_array(column, field.type) for column, field in zip(rows.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain_array(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    array = nested.plain(array)
    if pa.types.is_struct(kind):
        children = [_plain_array(array.field(index), field.type) for index, field in enumerate(kind)]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_map(kind):
        offsets, span = _offsets(array)
        keys = _plain_array(array.keys.slice(*span), kind.key_type)
        items = _plain_array(array.items.slice(*span), kind.item_type)
        return pa.MapArray.from_arrays(offsets, keys, items, kind, mask=array.is_null())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        offsets, span = _offsets(array)
        values = _plain_array(array.values.slice(*span), kind.value_type)
        made = pa.ListArray if pa.types.is_list(kind) else pa.LargeListArray
        return made.from_arrays(offsets, values, type=kind, mask=array.is_null())
    return array.cast(kind)


def _offsets(array: pa.Array) -> tuple[pa.Array, tuple[int, int]]:
    """The offsets of a list or map counted from its own first value, and where its values start and how many are."""
    start, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return pc.subtract(array.offsets, pa.scalar(start, array.offsets.type)), (start, stop - start)
