"""A write's source: a query's rows, arranged and cast for the table, as a stream that delta-rs reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.errors import CastError, NotSupportedError, PlanError
from deltasql.names import fold, text
from deltasql.write.assignment import assign


class Source:
    """Record batches for delta-rs; ``failure`` is what went wrong in them, which delta-rs would only quote."""

    def __init__(self, schema: pa.Schema, read: Callable[[], Iterable[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.failure: Exception | None = None
        self._read = read

    def reader(self) -> pa.RecordBatchReader:
        """The stream. The rows are made while delta-rs writes: memory doesn't grow with their number."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a batch at a time."""
        try:
            yield from self._read()
        except Exception as error:
            self.failure = error
            raise


def assigned(
    read: Callable[[], Iterable[pa.RecordBatch]],
    positions: Sequence[int | None],
    target: pa.Schema,
    *,
    time_zone: str,
    names: Sequence[str] | None = None,
    partitions: Collection[str] = (),
) -> Source:
    """The rows of ``read`` as rows of ``target``: its column ``i`` is the source's column ``positions[i]`` or NULL.

    Store assignment casts them; see `deltasql.write.assignment.assign` for what doesn't fit. ``names`` are given
    to the columns afterwards. Values of the columns ``partitions`` are such as can be read back.
    """
    plain = pa.schema([field.remove_metadata() for field in target])
    named = plain if names is None else pa.schema([f.with_name(n) for f, n in zip(plain, names, strict=True)])

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in read():
            columns = [
                pa.nulls(batch.num_rows) if position is None else batch.column(position) for position in positions
            ]
            stored = stored_rows(columns, target, time_zone=time_zone, partitions=partitions)
            yield pa.RecordBatch.from_arrays(stored.columns, schema=named)

    return Source(named, rows)


def stored_rows(
    columns: Sequence[pa.Array], target: pa.Schema, *, time_zone: str, partitions: Collection[str]
) -> pa.RecordBatch:
    """``columns`` as rows of ``target``, whose metadata they go without; see `assigned`."""
    plain = pa.schema([field.remove_metadata() for field in target])
    given = [
        readable(column) if name in partitions else column for column, name in zip(columns, plain.names, strict=True)
    ]
    stored = assign(pa.RecordBatch.from_arrays(given, names=plain.names), plain, time_zone=time_zone)
    for field, column in zip(target, stored.columns, strict=True):
        require_length(column, field)
        if field.name in partitions:
            require_readable(column, field.name)
    return stored


def readable(values: pa.Array) -> pa.Array:
    """Partition values with NULL for the empty string, which the log can't tell apart (Delta protocol)."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return pc.if_else(pc.equal(values, ""), pa.scalar(None, values.type), values)
    return values


def require_readable(values: pa.Array, name: str) -> None:
    """Raise `NotSupportedError` for partition values that delta-rs writes so that nobody reads them again."""
    if pa.types.is_binary(values.type):
        raise NotSupportedError(f"column `{name}` is BINARY, whose values delta-rs mangles as partition values")
    if not pa.types.is_decimal(values.type):
        return
    odd = values.filter(pc.and_(pc.less(values, 0), pc.not_equal(values, pc.trunc(values))))
    if len(odd):
        message = f"the partition value {odd[0].as_py()} of column `{name}` can't be written by delta-rs"
        raise NotSupportedError(message, hint="it writes negative fractions so that the table can't be opened again")


def is_generated(field: pa.Field) -> bool:
    """True for a generated column (Delta protocol, "Generated Columns")."""
    return b"delta.generationExpression" in (field.metadata or {})


CHAR_TYPE = b"__CHAR_VARCHAR_TYPE_STRING"
"""The key of a field's metadata under which Spark keeps that a STRING is a VARCHAR(n) or CHAR(n)."""


def require_length(values: pa.Array, field: pa.Field) -> None:
    """Raise `CastError` for a string that is longer than its VARCHAR(n) or CHAR(n) allows."""
    found = re.fullmatch(rb"(?:var)?char\((\d+)\)", (field.metadata or {}).get(CHAR_TYPE, b""))
    if found is None:
        return
    longer = values.filter(pc.greater(pc.utf8_length(values), int(found[1])))
    if len(longer):
        sample, type = text(longer[0].as_py()[:60]), found[0].decode().upper()
        raise CastError(f"`{sample}` doesn't fit column `{field.name}` of type {type}")


def require_distinct(names: Iterable[str], what: str) -> None:
    """Raise `PlanError` if a name stands twice, whatever its case."""
    seen: set[str] = set()
    for name in names:
        if fold(name) in seen:
            raise PlanError(f"{what} names column `{name}` twice")
        seen.add(fold(name))
