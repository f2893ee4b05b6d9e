"""Streams of Arrow batches as an Arrow dataset, which DataFusion takes for a table; and what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from datafusion.catalog import Table
from deltalake import QueryBuilder
from pyarrow.fs import LocalFileSystem

from deltasql.catalog.columns import batches, mapping, nullable, opened, require_sound
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.leaving import streams
from deltasql.errors import InternalError
from deltasql.names import quote
from deltasql.storage.files import for_arrow
from deltasql.storage.objects import Location, ObjectPath

UTC = "UTC"

Read = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
"""Reads the named columns; batches of no columns have their number of rows."""


def readable(snapshot: Snapshot) -> pa.Schema:
    """The columns of ``snapshot`` as files may hold them: nullable throughout, whatever the table promises."""
    return pa.schema([nullable(field) for field in snapshot.schema])


def in_zone(field: pa.Field, zone: str) -> pa.Field:
    """``field`` with its instants in ``zone``: DataFusion reads times without a zone in that of the column."""
    if pa.types.is_timestamp(field.type) and field.type.tz is not None:
        # Microseconds as in tables, but for what is finer elsewhere.
        return field.with_type(pa.timestamp("ns" if field.type.unit == "ns" else "us", zone))
    return field


def outline(schema: pa.Schema, zone: str) -> Table:
    """A table of these columns and no rows: enough to plan with."""
    schema = pa.schema([in_zone(field, zone) for field in schema])
    # Arrow's `empty_table()` lacks dictionaries of views in structs and lists.
    return Table(pads.dataset(pa.Table.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)))


class StreamDataset(pads.Dataset):  # type: ignore[misc]
    """Streams of batches of one schema, each a fragment, which DataFusion reads side by side.

    No filter of DataFusion's but a constant may reach this: it is written in Arrow's terms, which differ on NaN,
    and for some it can't be written at all.
    """

    def __init__(self, schema: pa.Schema, streams: Sequence[Read]) -> None:
        self._schema = schema
        self._streams = streams

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._schema

    def get_fragments(self, filter: pads.Expression | None = None) -> list[StreamDataset]:  # noqa: ARG002
        """A dataset for each stream."""
        return [StreamDataset(self._schema, [stream]) for stream in self._streams]

    def scanner(
        self,
        schema: object = None,  # noqa: ARG002 (DataFusion hands it over by position)
        columns: list[str] | None = None,
        filter: pads.Expression | None = None,
        **_: Any,
    ) -> _Scanner:
        """A scanner of the chosen columns."""
        chosen = self._schema if columns is None else pa.schema([self._schema.field(name) for name in columns])
        return _Scanner(chosen, self._streams, empty=not _holds(filter))


def _holds(filter: pads.Expression | pa.Scalar | None) -> bool:
    """Tell what a constant filter says of every row."""
    if filter is None:
        return True
    if isinstance(filter, pa.Scalar):
        return filter.as_py() is True
    raise InternalError(f"DataFusion left a filter to Arrow: {filter}")


@dataclass(frozen=True, slots=True)
class _Scanner:
    projected_schema: pa.Schema
    streams: Sequence[Read]
    _: KW_ONLY
    empty: bool

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        if not self.empty:
            for stream in self.streams:
                yield from streams().stepped(stream(self.projected_schema.names))


# -- by delta-rs


def scanned(snapshot: Snapshot, predicate: str | None) -> Read:
    """The rows of ``snapshot`` by delta-rs; ``predicate`` is what it may skip rows by.

    Not by ``DeltaTable.scan``: over a damaged file that ends the process, where a `QueryBuilder` raises.
    """
    schema = readable(snapshot)
    skipping = f" WHERE {predicate}" if predicate is not None else ""

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        needed = list(columns) or schema.names[:1]  # Counting takes a column, whichever.
        fields = [schema.field(name) for name in columns]
        query = f"SELECT {', '.join(map(quote, needed))} FROM t{skipping}"
        for rows in QueryBuilder().register("t", snapshot.table).execute(query):
            batch = pa.record_batch(rows)
            arrays = [_stored(snapshot, field, batch.column(field.name)) for field in fields]
            yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)) if fields else batch.select([])

    return read


def _stored(snapshot: Snapshot, field: pa.Field, values: pa.Array) -> pa.Array:
    """A column in its type of the Delta schema; an empty partition value is NULL (Delta protocol)."""
    values = values.cast(field.type)
    if field.name in snapshot.partition_columns and pa.types.is_string(values.type):
        return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return values


# -- by Arrow


@dataclass(slots=True)
class Passed:
    """How many rows and files a stream has behind it, those too that it passed over."""

    rows: int = 0
    files: int = 0

    def counted(self, batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
        """``batches`` of a file that has so many ``rows``."""
        before = self.rows
        for batch in batches:
            self.rows += batch.num_rows
            yield batch
        self.rows, self.files = before + rows, self.files + 1


def read_by_arrow(
    snapshot: Snapshot,
    files: Sequence[Location],
    wanted: pads.Expression | None,
    *,
    tags: tuple[str, str] | None = None,
    passed: Passed | None = None,
) -> Read:
    """The rows of ``files`` by Arrow's Parquet reader; ``wanted`` is what it may skip row groups by.

    Deletion vectors come from delta-rs, column mapping is done here. ``tags`` are the names of two more columns: the
    index of the row's file in the snapshot (INT), and the row's place in it (BIGINT). ``passed`` counts what is
    behind it. Raises `StorageError` for a file that can't be read.
    """
    mode = mapping(snapshot.properties)
    kept = snapshot.live_rows if "deletionVectors" in snapshot.features_in_use else {}
    file, row = tags or (None, None)
    schema = snapshot.schema
    if tags is not None:
        schema = pa.schema([*schema, pa.field(tags[0], pa.int32()), pa.field(tags[1], pa.int64())])

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        fields = [schema.field(name) for name in columns]
        for path in files:
            values = zip(snapshot.partition_columns, snapshot.partition_values[path], strict=True)
            known = {name: value.cast(schema.field(name).type) for name, value in values}
            if file is not None:
                known[file] = pa.scalar(snapshot.index_of[path], pa.int32())
            with opened(path) as parquet:
                chosen, groups = kept.get(path), _row_groups(path, parquet, wanted)
                rows = batches(parquet, fields, mode, known, chosen=chosen, row_groups=groups, numbered=row)
                if passed is None:
                    yield from rows
                else:
                    yield from passed.counted(rows, parquet.metadata.num_rows)

    return read


def _row_groups(path: Location, parquet: pq.ParquetFile, wanted: pads.Expression | None) -> list[int] | None:
    """The row groups of a file that may hold a row that is wanted; None: all of them."""
    if wanted is None or parquet.metadata.num_row_groups < 2:
        return None
    require_sound(parquet)
    if isinstance(path, ObjectPath):
        fragment = pads.ParquetFileFormat().make_fragment(for_arrow(path))
    else:
        fragment = pads.ParquetFileFormat().make_fragment(str(path), filesystem=LocalFileSystem())
    try:
        return [group.id for group in fragment.subset(wanted).row_groups]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError):
        return None  # The file lacks a column that is compared, or holds it in another type.
