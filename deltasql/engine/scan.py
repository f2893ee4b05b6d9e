"""How a table is read: the access paths, and which one is taken.

*listing*: DataFusion's own Parquet scan over exactly the snapshot's files. A one-file template plan is made
with DataFusion, serialised, and its list of paths replaced (facts.md, 7). For unpartitioned tables that
Parquet alone can express.
*scan*: delta-rs reads, behind an Arrow dataset that passes projections on; for everything else.
"""

from __future__ import annotations

import urllib.parse
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pyarrow.dataset as pads
from datafusion.catalog import Table
from datafusion.plan import LogicalPlan

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import NotSupportedError

_PARQUET_CAN = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})


@dataclass(frozen=True, slots=True)
class Access:
    """The access path taken for a table (``listing`` or ``scan``), and why."""

    path: str
    reason: str


def choose(snapshot: Snapshot) -> Access:
    """The fastest path that reads ``snapshot`` right."""
    beyond = sorted(snapshot.reader_features - _PARQUET_CAN)
    if beyond:
        return Access("scan", f"the table has {', '.join(beyond)}")
    if snapshot.partition_columns:
        return Access("scan", "the table is partitioned")
    if not snapshot.files:
        return Access("scan", "the table has no files")
    if not all(path.is_relative_to(snapshot.location) and "file:" not in str(path) for path in snapshot.files):
        return Access("scan", "the table has files outside its folder")
    return Access("listing", "Parquet alone holds it")


class Tables:
    """Makes DataFusion tables of snapshots, a listing once as long as its snapshot lives."""

    def __init__(self, context: datafusion.SessionContext, config: Mapping[str, str]) -> None:
        self._context = context
        self._config = dict(config)
        self._listings: weakref.WeakKeyDictionary[Snapshot, Table] = weakref.WeakKeyDictionary()

    def access(self, snapshot: Snapshot, reader: str) -> Access:
        """The path for ``snapshot`` under the setting ``deltasql.reader``.

        Raises `NotSupportedError` where the forced path can't read the table.
        """
        chosen = choose(snapshot)
        if reader in ("auto", chosen.path):
            return chosen
        if reader == "listing":
            message = f"`{snapshot.name}` can't be read by `listing`: {chosen.reason}"
            raise NotSupportedError(message, hint="SET deltasql.reader = 'auto'")
        return Access("scan", "by SET deltasql.reader")

    def table(self, snapshot: Snapshot, access: Access) -> Table:
        """The table that reads ``snapshot`` by ``access``."""
        if access.path == "scan":
            return Table(ScanDataset(snapshot))
        if snapshot not in self._listings:
            self._listings[snapshot] = self._listing(snapshot)
        return self._listings[snapshot]

    def _listing(self, snapshot: Snapshot) -> Table:
        urls = [file_url(path) for path in snapshot.files]
        template = datafusion.SessionContext(datafusion.SessionConfig(self._config))
        template.register_parquet("t", urls[0], schema=snapshot.schema)
        frame = template.table("t")
        message = with_paths(frame.logical_plan().to_bytes(template), urls)
        plan = LogicalPlan.from_bytes(self._context, message)
        return Table(self._context.create_dataframe_from_logical_plan(plan))


def file_url(path: Path) -> str:
    """``path`` as a URL; raw paths with ``%``, ``#`` or ``?`` would silently give no rows (facts.md, 50)."""
    return "file://" + urllib.parse.quote(str(path))


# -- the plan message: LogicalPlanNode { ListingTableScanNode listing = 1 { repeated string paths = 2 } }

_PATHS = 2


def with_paths(plan: bytes, paths: Sequence[str]) -> bytes:
    """The serialised plan of a listing of one file, made a listing of ``paths``."""
    ((node, kind, listing),) = _fields(plan)
    if kind != 2:
        raise NotSupportedError("DataFusion's plan message isn't the one that deltasql knows")
    inner = [field for field in _fields(listing) if field[0] != _PATHS]
    body = b"".join(_encode(number, wire, value) for number, wire, value in inner)
    body += b"".join(_encode(_PATHS, 2, path.encode()) for path in paths)
    return _encode(node, 2, body)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The fields of a protobuf message: number, wire type, raw value."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            end = _varint(message, position)[1]
        elif wire == 2:
            length, position = _varint(message, position)
            end = position + length
        else:
            end = position + (8 if wire == 1 else 4)
        yield number, wire, message[position:end]
        position = end


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _encode(number: int, wire: int, value: bytes) -> bytes:
    length = _to_varint(len(value)) if wire == 2 else b""
    return _to_varint(number << 3 | wire) + length + value


def _to_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# -- delta-rs behind a dataset


class ScanDataset(pads.Dataset):  # type: ignore[misc]
    """A snapshot as an Arrow dataset of one fragment, read by ``DeltaTable.scan``.

    DataFusion hands over the columns it wants and the filters that Arrow can express, and trusts that both
    are applied.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self._snapshot.schema

    def get_fragments(self, filter: pads.Expression | None = None) -> list[ScanDataset]:  # noqa: ARG002
        """The one fragment; what it gives is filtered by its scanner."""
        return [self]

    def scanner(
        self,
        schema: object = None,  # noqa: ARG002
        columns: list[str] | None = None,
        filter: pads.Expression | None = None,
        **_: Any,
    ) -> _Scanner:
        """A scanner of the chosen columns and rows."""
        return _Scanner(self._snapshot, columns, filter)


@dataclass(frozen=True, slots=True)
class _Scanner:
    snapshot: Snapshot
    columns: list[str] | None
    filter: pads.Expression | None

    @property
    def projected_schema(self) -> pa.Schema:
        schema = self.snapshot.schema
        return schema if self.columns is None else pa.schema([schema.field(name) for name in self.columns])

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        needed = self._needed()
        schema = pa.schema([self.snapshot.schema.field(name) for name in needed])
        for batch in pa.RecordBatchReader.from_stream(self.snapshot.table.scan(columns=needed)):
            yield from self._chosen(_as(batch, schema))

    def _needed(self) -> list[str]:
        """The columns to read: those asked for, and any that the filter may mention."""
        names = self.snapshot.schema.names
        if self.columns is None:
            return list(names)
        mentioned = "" if self.filter is None else str(self.filter)
        needed = [name for name in names if name in self.columns or name in mentioned]
        return needed or names[:1]  # Counting takes a column, whichever.

    def _chosen(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if self.filter is None:
            yield batch.select(self.projected_schema.names)
            return
        table = pa.Table.from_batches([batch]).filter(self.filter).select(self.projected_schema.names)
        yield from table.to_batches()


def _as(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [batch.column(field.name).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
