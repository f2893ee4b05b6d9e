"""How a table is read: the access paths, and which one is taken.

*listing*: DataFusion's own Parquet scan over exactly the snapshot's files (engine/listing.py). For tables that
Parquet alone can express.
*scan*: delta-rs reads; for everything else.
*dataset*: Arrow reads the files; independent of the binary interfaces between the libraries.
*log*: nothing is read, as the log answers: partition values, each asked for once.
*footers*: the number of rows is all that is asked for, and the files' footers have it.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import datafusion
import pyarrow as pa
import pyarrow.compute as pc
from datafusion.catalog import Table

from deltasql.catalog.columns import FEATURES
from deltasql.catalog.footers import Footers
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine import pruning
from deltasql.engine.ask import Ask, ScanAsk
from deltasql.engine.dataset import (
    Read,
    StreamDataset,
    in_zone,
    outline,
    read_by_arrow,
    readable,
    scanned,
)
from deltasql.engine.int96 import wraps
from deltasql.engine.listing import Listings, groups
from deltasql.engine.stores import fault
from deltasql.errors import NotSupportedError, UnsupportedTableFeature
from deltasql.names import quote
from deltasql.storage.objects import Location, ObjectPath

_PARQUET_CAN = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
_WIDENED = frozenset({"typeWidening", "typeWidening-preview"})
_MOST_GROUPS = 64
_FEW_FILES = 8
_MUCH = 32 << 20
_STREAMS = 2
_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Access:
    """How a table is read: the path taken (one of those above) and why, and its files."""

    path: str
    reason: str
    files: tuple[Location, ...]

    @property
    def streams(self) -> bool:
        """True if Python hands the rows to DataFusion, batch by batch."""
        return self.path in ("scan", "dataset", "stream", "feed")

    @property
    def prunes(self) -> bool:
        """True if DataFusion reads files, and passes over what can't hold a row that is asked for."""
        return self.path in ("listing", "DataFusion")


def choose(snapshot: Snapshot) -> tuple[str, str]:
    """The fastest path that reads all of ``snapshot`` right, and why."""
    beyond = beyond_files(snapshot, _PARQUET_CAN)
    if beyond and _WIDENED & snapshot.features_in_use and beyond_files(snapshot, FEATURES) is None:
        return "dataset", f"{beyond}, which delta-rs can't read"
    return ("scan", beyond) if beyond else ("listing", "Parquet alone holds it")


def beyond_files(snapshot: Snapshot, known: frozenset[str]) -> str | None:
    """Why reading the files with these features ``known`` wouldn't give the table's rows, or None."""
    beyond = sorted(snapshot.features_in_use - known)
    if beyond:
        return f"the table has {', '.join(beyond)}"
    if any(pa.types.is_binary(snapshot.schema.field(name).type) for name in snapshot.partition_columns):
        return "the table is partitioned by a BINARY"
    return None


def needs_ask(snapshot: Snapshot) -> bool:
    """True where it pays (or is needed) to know what a query asks of the table before its scan is laid out."""
    few = 1 if isinstance(snapshot.location, ObjectPath) else _FEW_FILES  # A request takes longer than a plan.
    many = len(snapshot.files) > few or bool(snapshot.partition_columns) or snapshot.size > _MUCH
    return many or choose(snapshot)[0] != "listing"


def floats(schema: pa.Schema) -> list[str]:
    """The floating-point columns."""
    return [field.name for field in schema if pa.types.is_floating(field.type)]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a statement sees tables: instants in ``zone``, rows in an order or not.

    ``may_read`` says which columns it can reach, ``late`` that rows are filtered while they are decoded (see `late`),
    ``fenced`` that streams see no condition, constants neither (see `ask.meets_constants`).
    """

    zone: str
    may_read: Callable[[str], bool]
    ordered: bool = False
    late: bool = False
    fenced: bool = False


_View = tuple[tuple[str, ...], str, bool, bool, bool]


class Tables:
    """Makes DataFusion tables of snapshots."""

    def __init__(self, context: datafusion.SessionContext, listings: Listings) -> None:
        self._context = context
        self._listings = listings
        self._whole: weakref.WeakKeyDictionary[Snapshot, dict[_View, Table]] = weakref.WeakKeyDictionary()
        self._outlines: weakref.WeakKeyDictionary[Snapshot, dict[str, Table]] = weakref.WeakKeyDictionary()
        self._lies: weakref.WeakKeyDictionary[Snapshot, bool] = weakref.WeakKeyDictionary()
        self._opaque = Opaque()
        self.footers = Footers()

    # -- which way

    def access(self, snapshot: Snapshot, ask: Ask | None, reader: str) -> Access:
        """The path for ``snapshot`` under the setting ``deltasql.reader``, and the files that ``ask`` needs.

        Raises `NotSupportedError` where the forced path can't read the table.
        """
        kept = range(len(snapshot.files)) if ask is None else pruning.kept(snapshot, ask)
        files = tuple(snapshot.files[index] for index in kept)
        if ask is not None:
            files = tuple(pruning.enough(files, ask, functools.partial(self.footers.rows, snapshot)))
        if not files:
            path, reason = choose(snapshot) if reader == "auto" else (_forced(snapshot, files, reader, None), "")
            return Access(path, "no file can hold a row that is asked for", files)
        if reader == "auto" and ask is not None and partitions_answer(snapshot, ask):
            return Access("log", "only values of partition columns are asked for, each once", ())
        odd = self.footers.look(snapshot, files)
        if reader != "auto":
            path = _forced(snapshot, files, reader, odd)
            if path == "scan":
                self._look_wherever(snapshot, ask)
            return Access(path, "by SET deltasql.reader", files)
        if ask is not None and all(scan.columns == frozenset() and not scan.conjuncts for scan in ask.scans):
            return Access("footers", "only the number of rows is asked for", files)
        path, reason = self._path(snapshot, ask, files)
        if path != "dataset" and (odd or (path == "scan" and "vacuumProtocolCheck" in snapshot.reader_features)):
            path, reason = "dataset", odd or f"{reason}, and delta-rs takes vacuumProtocolCheck for a reader's concern"
        if path == "dataset" and (beyond := beyond_files(snapshot, FEATURES)) is not None:
            raise UnsupportedTableFeature(f"`{snapshot.name}` can't be read: {reason}, and {beyond}")
        if path == "scan":
            self._look_wherever(snapshot, ask)
        return Access(path, reason, files)

    def _look_wherever(self, snapshot: Snapshot, ask: Ask | None) -> None:
        """Look at all that delta-rs may open, which isn't told of LIMIT, nor what the least values are asked of."""
        if ask is not None and any(scan.fetch is not None or scan.top is not None for scan in ask.scans):
            by_conditions = Ask([ScanAsk(scan.conjuncts) for scan in ask.scans])
            self.footers.look(snapshot, [snapshot.files[index] for index in pruning.kept(snapshot, by_conditions)])

    def _path(self, snapshot: Snapshot, ask: Ask | None, files: Sequence[Location]) -> tuple[str, str]:
        path, reason = choose(snapshot)
        if path == "listing":
            if len(groups(snapshot, files, values=_asks_values(snapshot, ask))) > _MOST_GROUPS:
                path, reason = "scan", f"more than {_MOST_GROUPS} partitions are read"
            elif (why := fault(snapshot.location) or self._listings.fault(snapshot)) is not None:
                path, reason = "scan", why
        if path == "scan" and (file := wraps(snapshot, files)) is not None:
            return "dataset", f"{reason}, and {_wrapping(file)}"
        return path, reason

    # -- tables

    def table(self, snapshot: Snapshot, ask: Ask | None, access: Access, shown: Shown) -> Table:
        """The table that reads ``snapshot`` by ``access``, for a statement that sees it as ``shown``."""
        if access.path == "log":
            return self.rows(_partitions(snapshot, ask), shown.zone)
        if not access.files:
            # Over LIMIT 0 DataFusion loses predicates, and over a dataset of no fragments it stumbles.
            return self.rows(readable(snapshot).empty_table(), shown.zone)
        if access.path == "listing":
            return self._listing(snapshot, ask, access, shown)
        if access.path == "footers":
            return self._counted(snapshot, access.files, shown.zone)
        if access.path == "scan":
            streams = [scanned(snapshot, None if ask is None else pruning.as_sql(snapshot, ask))]
        else:
            wanted = None if ask is None else pruning.as_expression(snapshot, ask)
            shares = (access.files[start::_STREAMS] for start in range(_STREAMS))
            streams = [read_by_arrow(snapshot, share, wanted) for share in shares if share]
        return self.streams(readable(snapshot), streams, shown)

    def rows(self, rows: pa.Table, zone: str | None) -> Table:
        """The table of rows in memory, with instants in ``zone`` or, without, as they are."""
        return self.batches(rows.schema, rows.combine_chunks().to_batches(), zone)

    def batches(self, schema: pa.Schema, batches: list[pa.RecordBatch], zone: str | None) -> Table:
        """The table of batches in memory, in their order; see `rows`."""
        frame = self._in_memory(batches or [pa.RecordBatch.from_pylist([], schema=schema)])
        return Table(frame if zone is None else self._shown(frame, schema, (), zone))

    @functools.cached_property
    def _memory(self) -> datafusion.SessionContext:
        return datafusion.SessionContext()

    def _in_memory(self, batches: list[pa.RecordBatch]) -> datafusion.DataFrame:
        # In a context of its own: a frame of rows registers them in the default catalog, which here is ours.
        frame = self._memory.create_dataframe([batches], name="rows")
        self._memory.deregister_table("rows")
        return frame

    def _counted(self, snapshot: Snapshot, files: Sequence[Location], zone: str) -> Table:
        """As many rows as ``files`` have, of which nobody looks at a column."""
        count = sum(self.footers.rows(snapshot, file) for file in files)
        rows = pa.record_batch([pa.nulls(count)], names=["nothing"])
        columns = (in_zone(field, zone) for field in readable(snapshot))
        nulls = (datafusion.lit(None).cast(field.type).alias(field.name) for field in columns)
        return Table(self._in_memory([rows]).select(*nulls))

    def streams(self, schema: pa.Schema, streams: Sequence[Read], shown: Shown) -> Table:
        """The table of ``streams``; DataFusion filters what comes of them, and nothing before."""
        frame = self._context.read_table(Table(StreamDataset(schema, streams)))
        if shown.fenced:
            frame = frame.limit(_ALL)  # Below which it moves no condition.
        return Table(self._shown(frame, schema, schema.names, shown.zone))

    def _listing(self, snapshot: Snapshot, ask: Ask | None, access: Access, shown: Shown) -> Table:
        # DataFusion would trust the statistics of floating-point columns, which don't know NaN.
        opaque = tuple(name for name in floats(snapshot.schema) if shown.may_read(name))
        values = _asks_values(snapshot, ask)
        view = opaque, shown.zone, values, shown.ordered, shown.late
        made = self._whole.setdefault(snapshot, {})
        whole = len(access.files) == len(snapshot.files)
        if whole and view in made:
            return made[view]
        parts = groups(snapshot, access.files, values=values)
        frame = self._listings.frame(snapshot, parts, ordered=shown.ordered, late=shown.late)
        table = Table(self._shown(frame, readable(snapshot), opaque, shown.zone))
        if whole:
            made[view] = table
        return table

    def hidden(self, table: Table) -> Table:
        """``table`` with all its columns through functions that no optimiser sees through."""
        frame = self._context.read_table(table)
        return Table(frame.select(*(shown_as(field, field.type, self._opaque) for field in frame.schema())))

    def outline(self, snapshot: Snapshot, zone: str) -> Table:
        """A table of the columns and no rows."""
        made = self._outlines.setdefault(snapshot, {})
        if zone not in made:
            made[zone] = outline(readable(snapshot), zone)
        return made[zone]

    def statistics_lie(self, snapshot: Snapshot) -> bool:
        """`may_look_constant`, found out once."""
        if snapshot not in self._lies:
            self._lies[snapshot] = may_look_constant(snapshot)
        return self._lies[snapshot]

    def _shown(
        self, frame: datafusion.DataFrame, schema: pa.Schema, opaque: Collection[str], zone: str
    ) -> datafusion.DataFrame:
        """Show instants in ``zone``, and the columns ``opaque`` through functions that no optimiser sees through."""
        zoned = [in_zone(field, zone) for field in schema]
        if not opaque and zoned == list(schema):
            return frame
        pairs = zip(schema, zoned, strict=True)
        return frame.select(
            *(shown_as(field, shown.type, self._opaque if field.name in opaque else None) for field, shown in pairs)
        )


class Opaque:
    """Functions that give back what they are given, and that no optimiser sees through.

    They are volatile: of others it would take a sorted or constant argument for a sorted or constant result, and
    lose its way (DataFusion 55, SanityCheckPlan).
    """

    def __init__(self) -> None:
        self._made: dict[pa.DataType, datafusion.ScalarUDF] = {}

    def __call__(self, type: pa.DataType) -> datafusion.ScalarUDF:
        """The function for values of ``type``."""
        if type not in self._made:
            name = f"deltasql_opaque_{len(self._made)}"
            self._made[type] = datafusion.udf(lambda values: values, [type], type, "volatile", name)
        return self._made[type]


def shown_as(field: pa.Field, type: pa.DataType, hiding: Opaque | None) -> datafusion.Expr:
    """The column ``field`` in another ``type``, if it is one, and through a function of ``hiding``, if given."""
    plain = column = datafusion.col(quote(field.name))
    if hiding is not None:
        column = hiding(field.type)(column)
    if type != field.type:
        column = column.cast(type)
    # A plain column keeps its qualifier: DataFusion's optimiser stumbles over its alias.
    return plain if column is plain else column.alias(field.name)


def _asks_values(snapshot: Snapshot, ask: Ask | None) -> bool:
    """True if values of partition columns are looked at, as far as is known."""
    return ask is None or ask.looks_at(snapshot.partition_columns)


def _forced(snapshot: Snapshot, files: Sequence[Location], reader: str, odd: str | None) -> str:
    beyond = odd if reader != "dataset" else None
    if reader == "scan":
        file = wraps(snapshot, files)
        beyond = beyond or (None if file is None else _wrapping(file))
    else:
        beyond = beyond_files(snapshot, _PARQUET_CAN if reader == "listing" else FEATURES) or beyond
    if beyond is not None:
        message = f"`{snapshot.name}` can't be read by `{reader}`: {beyond}"
        raise NotSupportedError(message, hint="SET deltasql.reader = 'auto'")
    return reader


def _wrapping(file: str) -> str:
    return f"`{file}` holds instants before 1677 or after 2262 as INT96, which delta-rs misreads"


def partitions_answer(snapshot: Snapshot, ask: Ask) -> bool:
    """True if the log alone answers: of partition columns each value once, and which partitions hold rows is known."""
    columns = set(snapshot.partition_columns)
    if not columns or not all(scan.each_once and scan.columns and scan.columns <= columns for scan in ask.scans):
        return False
    if any(pa.types.is_binary(snapshot.schema.field(name).type) for name in columns):
        return False
    if "columnMapping" in snapshot.reader_features or "deletionVectors" in snapshot.features_in_use:
        return False
    return bool(snapshot.adds["num_records"].null_count == 0)


def _partitions(snapshot: Snapshot, ask: Ask | None) -> pa.Table:
    """A row for each partition that holds rows; the other columns, which nobody looks at, are NULL."""
    kept = pa.array(range(snapshot.adds.num_rows) if ask is None else pruning.kept(snapshot, ask), pa.int64())
    adds = snapshot.adds.take(kept)
    adds = adds.filter(pc.greater(adds["num_records"], 0))
    names = {f"partition.{name}": name for name in snapshot.partition_columns}
    found = adds.select(list(names)).group_by(list(names)).aggregate([]).rename_columns(list(names.values()))
    columns = []
    for field in readable(snapshot):
        if field.name not in names.values():
            columns.append(pa.nulls(found.num_rows, field.type))
        elif pa.types.is_string(field.type):
            values = found[field.name].cast(field.type)
            columns.append(pc.if_else(pc.equal(values, ""), pa.scalar(None, field.type), values))
        else:
            columns.append(found[field.name].cast(field.type))
    return pa.table(columns, schema=readable(snapshot))


def may_look_constant(snapshot: Snapshot) -> bool:
    """True where DataFusion could take a floating-point column of a file for constant, although NaN is in it.

    It reads a column whose least and greatest value are one as that value; no statistics have NaN.
    """
    adds = snapshot.adds
    for name in floats(snapshot.schema):
        if name in snapshot.partition_columns:
            continue
        if not {f"min.{name}", f"max.{name}"} <= set(adds.column_names):
            return True
        varies = pc.fill_null(pc.not_equal(adds[f"min.{name}"], adds[f"max.{name}"]), fill_value=False)
        if not pc.all(varies).as_py():
            return True
    return False
