"""Data files of our own making: rows go in, Parquet files and what the log says of them come out.

A file holds what its table's schema says and nothing else: no view types, INT96 or foreign metadata, which break
readers (facts.md, 20, 21, 38). Rows are buffered by partition and encoded a row group at a time, beside whatever
makes the next ones; a partition's rows stay in their order. Nothing is in the table before a commit says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.catalog.columns import mapping, stored_name
from deltasql.errors import SchemaMismatch, StorageError, brief
from deltasql.storage.files import is_below, relative, synced
from deltasql.storage.objects import Location, ObjectPath
from deltasql.write import partitions, statistics
from deltasql.write.partitions import Key

ROW_GROUP = 1 << 17
"""Rows: as many wait in memory for each file that a thread writes."""

_OPEN = 64
_HELD = 256 << 20
"""The most room for rows that wait: where thousands of partitions take more, each has several files."""

_TOGETHER = 128 << 20
_PACKED = 4
"""Arrow takes several times the room of what it is packed into."""

_SAMPLE = 20_000
_FEW = 1_000

_OVERHEAD = 512
"""What a column of a small batch takes beside its values."""


@dataclass(frozen=True, slots=True)
class FileSettings:
    """How files are written; ``target_file_size`` in bytes, after which a partition's rows go to another file."""

    compression: str = "zstd"
    compression_level: int | None = None
    target_file_size: int = 128 << 20
    row_group_rows: int = ROW_GROUP


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that is whole: its path as the log spells it, its values by stored names, and its statistics (JSON)."""

    path: str
    partition_values: Mapping[str, str | None]
    size: int
    modification_time: int
    rows: int
    stats: str

    def add(self, *, data_change: bool = True) -> dict[str, Any]:
        """The action that makes its rows the table's (Delta protocol, "Add File and Remove File")."""
        return {
            "add": {
                "path": self.path,
                "partitionValues": dict(self.partition_values),
                "size": self.size,
                "modificationTime": self.modification_time,
                "dataChange": data_change,
                "stats": self.stats,
            }
        }

    def cdc(self) -> dict[str, Any]:
        """The action that makes its rows the commit's changes (Delta protocol, "Add CDC File")."""
        values = dict(self.partition_values)
        return {"cdc": {"path": self.path, "partitionValues": values, "size": self.size, "dataChange": False}}


@dataclass(slots=True)
class _Rows:
    """Rows of a partition that wait for their row group."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    room: int = 0


@dataclass(slots=True, eq=False)
class _File:
    """A file being written: what is known of it, and ``done`` as soon as it is whole."""

    path: Location
    local: Path
    key: Key
    sink: pa.NativeFile
    writer: pq.ParquetWriter
    footer: list[pq.FileMetaData]
    seen: statistics.Seen = field(default_factory=statistics.Seen)
    done: DataFile | None = None


class DataFiles:
    """Files of one table being written: rows go to a file per partition, files roll over at the target size.

    ``schema`` is the table's, with its fields' metadata; ``extra`` are columns that the files have after those.
    ``folder`` is where the files go below the table's own. Used by one thread, and `finish` or `abort` ends it.
    """

    def __init__(
        self,
        location: Location,
        schema: pa.Schema,
        partition_columns: Sequence[str],
        properties: Mapping[str, str],
        settings: FileSettings,
        *,
        folder: str = "",
        extra: pa.Schema | None = None,
    ) -> None:
        self._location = location
        self._settings = settings
        self._folder = folder
        self._mode = mapping(properties)
        self._partitioned = tuple(partition_columns)
        self._stored = tuple(stored_name(schema.field(name), self._mode) for name in self._partitioned)
        fields = [*schema, *(extra or ())]
        self._expected = fields
        given = [each for each in fields if each.name not in self._partitioned]
        # A column without a type isn't in files, as with Spark; but rows that have no other would be lost.
        typed = [at for at, each in enumerate(given) if not pa.types.is_null(each.type)]
        self._held = typed or list(range(len(given)))
        held = pa.schema([given[at] for at in self._held])
        self._leaves = statistics.indexed(held, properties, self._mode)
        self._schema = pa.schema([as_stored(each, self._mode) for each in held])
        self._leaf_paths = _leaf_paths(self._schema)
        self._unsplit = _Rows()
        self._waiting: dict[Key, _Rows] = {}
        self._room = 0
        self._paths: list[Location] = []
        self._spool: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[_File] = []
        self._open: OrderedDict[Key, _File] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "deltasql-write")
        self._encoding: Future[None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows, whose columns are those of the schema and ``extra``, in order; of any partitions.

        Raises `SchemaMismatch` for other columns, `NotSupportedError` for a value that can't be a partition's,
        `StorageError`. After an error there is only `abort`.
        """
        _require(self._expected, batch.schema)
        if not self._partitioned:
            self._keep((), batch)
            return
        _add(self._unsplit, batch)
        # Where partitions are many, batches split one by one would be as many small pieces for each of them.
        few = len(self._waiting) < _OPEN
        if few or self._unsplit.rows >= self._settings.row_group_rows or self._unsplit.room >= _TOGETHER:
            self._split()

    def finish(self) -> list[DataFile]:
        """Write what is left, and give all files, those of one partition in the order of its rows.

        The files are on disk then. Raises as `write`.
        """
        if self._unsplit.batches:
            self._split()
        for key in list(self._waiting):
            self._flush(key)
        self._beside(self._close_all)
        self._wait()
        self._thread.shutdown()
        if self._spool is not None:
            self._spool.cleanup()
        return [file.done for file in self._files if file.done is not None]

    def abort(self) -> None:
        """Remove all that was written, also after `finish`. What can't be removed is left to VACUUM."""
        self._thread.shutdown(cancel_futures=True)
        self._unsplit, self._waiting = _Rows(), {}
        for file in self._files:
            # One that failed has no footer, which pyarrow takes for a RuntimeError.
            with contextlib.suppress(OSError, RuntimeError, pa.ArrowException):
                file.writer.close()
            file.writer.is_open = False  # Else it would try again when it is collected.
            with contextlib.suppress(OSError):
                file.sink.close()
        for path in self._paths:
            with contextlib.suppress(OSError, StorageError):
                path.unlink()
        if self._spool is not None:
            self._spool.cleanup()
        self._paths, self._files, self._open = [], [], OrderedDict()

    # -- rows that wait

    def _split(self) -> None:
        rows, self._unsplit = self._unsplit, _Rows()
        for key, part in partitions.split(pa.concat_batches(rows.batches), self._partitioned):
            self._keep(key, part)

    def _keep(self, key: Key, batch: pa.RecordBatch) -> None:
        rows = self._waiting.setdefault(key, _Rows())
        self._room += _add(rows, batch)
        if rows.rows >= self._settings.row_group_rows or rows.room >= self._settings.target_file_size * _PACKED:
            self._flush(key)
        while self._room > _HELD:
            self._flush(max(self._waiting, key=lambda each: self._waiting[each].room))

    def _flush(self, key: Key) -> None:
        rows = self._waiting.pop(key)
        self._room -= rows.room
        self._beside(lambda: self._encode(key, rows.batches))

    def _beside(self, work: Callable[[], None]) -> None:
        """Let a thread do it as soon as it is done with what it had; raises what that raised."""
        self._wait()
        self._encoding = self._thread.submit(work)

    def _wait(self) -> None:
        encoding, self._encoding = self._encoding, None
        if encoding is not None:
            encoding.result()

    # -- files, which are the thread's own until it is waited for

    def _encode(self, key: Key, batches: list[pa.RecordBatch]) -> None:
        columns = [
            pa.chunked_array([as_type(batch.column(at), each.type) for batch in batches], each.type)
            for at, each in zip(self._held, self._schema, strict=True)
        ]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        step = self._settings.row_group_rows
        for start in range(0, table.num_rows, step):
            rows = table.slice(start, step)
            file = self._open.get(key) or self._opened(key, rows)
            self._open.move_to_end(key)
            with _writing(file.path):
                file.writer.write_table(rows, row_group_size=step)
                full = file.sink.tell() >= self._settings.target_file_size
            file.seen.look(rows, self._leaves)
            if full:
                self._close(file)

    def _opened(self, key: Key, first: pa.Table) -> _File:
        if len(self._open) >= _OPEN:
            self._close(next(iter(self._open.values())))
        settings = self._settings
        codec = "" if settings.compression == "none" else f".{settings.compression}"
        folder = self._location / self._folder / self._partition_folder(key)
        path = folder / f"part-00000-{uuid.uuid4()}-c000{codec}.parquet"
        with _writing(path):
            # Not the table's own folder: where another dropped the table, it stays gone.
            for each in reversed([folder, *folder.parents]):
                if is_below(each, self._location) and each != self._location:
                    each.mkdir(exist_ok=True)
            local = self._local(path)
            if local is path:
                self._paths.append(path)
            sink = pa.OSFile(str(local), "wb")
            footer: list[pq.FileMetaData] = []
            writer = pq.ParquetWriter(
                sink,
                self._schema,
                compression=settings.compression,
                compression_level=settings.compression_level,
                use_dictionary=self._with_dictionary(first),
                store_schema=False,
                store_decimal_as_integer=True,
                write_page_index=True,
                metadata_collector=footer,
            )
        file = self._open[key] = _File(path, local, key, sink, writer, footer)
        self._files.append(file)
        return file

    def _local(self, path: Location) -> Path:
        """The file of this machine that is written: of an object one that is put in its place when it is whole."""
        if not isinstance(path, ObjectPath):
            return path
        if self._spool is None:
            self._spool = tempfile.TemporaryDirectory(prefix="deltasql-")
        return Path(self._spool.name) / path.name

    def _with_dictionary(self, rows: pa.Table) -> list[str]:
        """The leaves that a dictionary pays for: not those whose first rows are mostly different values."""
        sample = rows.slice(0, _SAMPLE)
        most = sample.num_rows // 5 if sample.num_rows >= _FEW else sample.num_rows
        flat = [each for each in self._schema if not pa.types.is_nested(each.type) and not pa.types.is_null(each.type)]
        plain = {each.name for each in flat if pc.count_distinct(sample[each.name]).as_py() > most}
        return [leaf for leaf in self._leaf_paths if leaf not in plain]

    def _partition_folder(self, key: Key) -> str:
        if not key:
            return ""
        # Stored names tell nobody anything, and a folder of any name will do.
        return partitions.folder(self._partitioned, key) if self._mode == "none" else secrets.token_hex(1)

    def _kept(self, file: _File) -> os.stat_result:
        """Have a file where it belongs, for good."""
        if not isinstance(file.path, ObjectPath):
            return synced(file.local)
        self._paths.append(file.path)
        file.path.put(file.local)
        state = file.local.stat()
        file.local.unlink()
        return state

    def _close_all(self) -> None:
        for file in list(self._open.values()):
            self._close(file)

    def _close(self, file: _File) -> None:
        with _writing(file.path):
            file.writer.close()
            file.sink.close()
            state = self._kept(file)
        (footer,) = file.footer
        file.done = DataFile(
            path=quote(relative(file.path, self._location).as_posix(), safe="/="),
            partition_values=dict(zip(self._stored, file.key, strict=True)),
            size=state.st_size,
            modification_time=state.st_mtime_ns // 1_000_000,
            rows=footer.num_rows,
            stats=statistics.as_json(footer, self._leaves, file.seen),
        )
        del self._open[file.key]


def _add(rows: _Rows, batch: pa.RecordBatch) -> int:
    """Let a batch wait; the room that it takes."""
    room = int(batch.nbytes) + _OVERHEAD * int(batch.num_columns)
    rows.batches.append(batch)
    rows.rows += batch.num_rows
    rows.room += room
    return room


def _require(expected: Sequence[pa.Field], given: pa.Schema) -> None:
    """Raise `SchemaMismatch` for columns that aren't the expected ones, but for what may be NULL."""
    names = [each.name for each in expected]
    if given.names != names:
        raise SchemaMismatch(f"the rows have the columns {given.names}, the table {names}")
    for wanted, found in zip(expected, given, strict=True):
        if not _is_alike(wanted.type, found.type):
            raise SchemaMismatch(f"column `{wanted.name}` is {wanted.type}, not {found.type}")


def _is_alike(wanted: pa.DataType, found: pa.DataType) -> bool:
    """True for types that lie in memory alike and call the fields of structs alike."""
    if not pa.types.is_nested(wanted):
        return bool(wanted.equals(found))
    if wanted.id != found.id or wanted.num_fields != found.num_fields:
        return False
    pairs = [(wanted.field(at), found.field(at)) for at in range(wanted.num_fields)]
    return all(
        _is_alike(one.type, other.type) and (one.name == other.name or not pa.types.is_struct(wanted))
        for one, other in pairs
    )


def _leaf_paths(schema: pa.Schema) -> list[str]:
    """The leaves of ``schema`` as Parquet calls them."""
    out = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), out)
    leaves = pq.read_metadata(pa.BufferReader(out.getvalue())).schema
    return [leaves.column(index).path for index in range(len(leaves))]


@contextlib.contextmanager
def _writing(path: Location) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"`{path}` can't be written: {brief(error)}") from error


# -- names in files


def as_stored(field: pa.Field, mode: str) -> pa.Field:
    """A column as files have it: nullable, under its stored name and, with column mapping, with its id.

    Delta protocol, "Column Mapping"; the ids of elements, keys and values are those of "IcebergCompatV2".
    """
    metadata = field.metadata or {}
    name = stored_name(field, mode)
    nested = json.loads(metadata.get(b"delta.columnMapping.nested.ids", b"{}")) if mode != "none" else {}
    number = metadata.get(b"delta.columnMapping.id") if mode != "none" else None
    return _identified(pa.field(name, _stored_type(field.type, mode, name, nested)), number)


def _stored_type(type: pa.DataType, mode: str, path: str, nested: Mapping[str, int]) -> pa.DataType:
    def part(name: str, below: pa.DataType, *, may_be_null: bool = True) -> pa.Field:
        at = f"{path}.{name}"
        number = str(nested[at]).encode() if at in nested else None
        return _identified(pa.field(name, _stored_type(below, mode, at, nested), may_be_null), number)

    if pa.types.is_struct(type):
        return pa.struct([as_stored(child, mode) for child in type])
    if pa.types.is_map(type):
        return pa.map_(part("key", type.key_type, may_be_null=False), part("value", type.item_type))
    return pa.list_(part("element", type.value_type)) if pa.types.is_list(type) else type


def _identified(field: pa.Field, number: bytes | None) -> pa.Field:
    return field if number is None else field.with_metadata({b"PARQUET:field_id": number})


def as_type(values: pa.Array, type: pa.DataType) -> pa.Array:
    """The same values under other names of fields, with other nullability."""
    if not pa.types.is_nested(type) or values.type.equals(type):
        return values
    if pa.types.is_struct(type):
        children = [as_type(values.field(at), child.type) for at, child in enumerate(type)]
        return pa.StructArray.from_arrays(children, fields=list(type), mask=values.is_null())
    if pa.types.is_map(type):
        entries = [as_type(values.keys, type.key_type), as_type(values.items, type.item_type)]
        children = [pa.StructArray.from_arrays(entries, fields=[type.key_field, type.item_field])]
    else:
        children = [as_type(values.values, type.value_type)]
    return pa.Array.from_buffers(type, len(values), values.buffers()[:2], offset=values.offset, children=children)
