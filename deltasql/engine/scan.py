"""How a table is read: the access paths, and which one is taken.

*listing*: DataFusion's own Parquet scan over exactly the snapshot's files. A one-file template plan is made
with DataFusion, serialised, and its list of paths replaced (facts.md, 7); a partitioned table is the union of
one such scan per partition. For tables that Parquet alone can express.
*scan*: delta-rs reads, behind an Arrow dataset that passes columns and predicate on; for everything else.
"""

from __future__ import annotations

import functools
import urllib.parse
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.compute as pc
from datafusion.catalog import Table
from datafusion.plan import LogicalPlan

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine import pruning
from deltasql.engine.ask import Ask
from deltasql.engine.dataset import ScanDataset, in_zone, outline, readable
from deltasql.engine.int96 import wraps
from deltasql.errors import NotSupportedError, UnsupportedTableFeature
from deltasql.names import quote

_PARQUET_CAN = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
_MOST_GROUPS = 64
_FEW_FILES = 8


@dataclass(frozen=True, slots=True)
class Access:
    """How a table is read: the path taken (``listing`` or ``scan``) and why, and the files that are read."""

    path: str
    reason: str
    files: tuple[Path, ...]


def choose(snapshot: Snapshot) -> tuple[str, str]:
    """The fastest path that reads ``snapshot`` right, and why."""
    beyond = sorted(snapshot.features_in_use - _PARQUET_CAN)
    if beyond:
        return "scan", f"the table has {', '.join(beyond)}"
    if any(pa.types.is_binary(snapshot.schema.field(name).type) for name in snapshot.partition_columns):
        return "scan", "the table is partitioned by a BINARY"
    return "listing", "Parquet alone holds it"


def needs_ask(snapshot: Snapshot) -> bool:
    """True where it pays (or is needed) to know what a query asks of the table before its scan is laid out."""
    many = len(snapshot.files) > _FEW_FILES or bool(snapshot.partition_columns)
    return many or choose(snapshot)[0] != "listing"


def floats(snapshot: Snapshot) -> list[str]:
    """The floating-point columns."""
    return [field.name for field in snapshot.schema if pa.types.is_floating(field.type)]


_View = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a statement sees tables: instants in ``zone``; ``may_read`` says which columns it can reach."""

    zone: str
    may_read: Callable[[str], bool]


class Tables:
    """Makes DataFusion tables of snapshots."""

    def __init__(self, context: datafusion.SessionContext, config: Mapping[str, str]) -> None:
        self._context = context
        self._config = dict(config)
        self._templates: weakref.WeakKeyDictionary[Snapshot, bytes] = weakref.WeakKeyDictionary()
        self._listings: weakref.WeakKeyDictionary[Snapshot, dict[_View, Table]] = weakref.WeakKeyDictionary()
        self._lies: weakref.WeakKeyDictionary[Snapshot, bool] = weakref.WeakKeyDictionary()
        self._identities: dict[pa.DataType, datafusion.ScalarUDF] = {}

    def access(self, snapshot: Snapshot, ask: Ask | None, reader: str) -> Access:
        """The path for ``snapshot`` under the setting ``deltasql.reader``, and the files that ``ask`` needs.

        Raises `NotSupportedError` where the forced path can't read the table.
        """
        path, reason = choose(snapshot)
        kept = range(len(snapshot.files)) if ask is None else pruning.kept(snapshot, ask)
        files = tuple(snapshot.files[index] for index in kept)
        if reader == "listing" and path != "listing":
            message = f"`{snapshot.name}` can't be read by `listing`: {reason}"
            raise NotSupportedError(message, hint="SET deltasql.reader = 'auto'")
        if reader != "auto":
            path, reason = reader, "by SET deltasql.reader"
        elif path == "listing" and len(self._groups(snapshot, files)) > _MOST_GROUPS and not wraps(snapshot, files):
            path, reason = "scan", f"more than {_MOST_GROUPS} partitions are read"
        if path == "scan" and (file := wraps(snapshot, files)) is not None:
            message = f"`{snapshot.name}` can't be read by `scan`: `{file}` holds instants before 1677 or after 2262"
            raise UnsupportedTableFeature(message, hint="they are stored as INT96, which delta-rs misreads")
        return Access(path, reason if files else "no file can hold a row that is asked for", files)

    def table(self, snapshot: Snapshot, ask: Ask | None, access: Access, shown: Shown) -> Table:
        """The table that reads ``snapshot`` by ``access``, for a statement that sees it as ``shown``."""
        if not access.files:
            return Table(self._context.read_table(outline(snapshot, shown.zone)).limit(0))
        if access.path == "scan":
            predicate = None if ask is None else pruning.as_sql(snapshot, ask)
            frame = self._context.read_table(Table(ScanDataset(snapshot, predicate)))
            return Table(self._shown(frame, snapshot, snapshot.schema.names, shown.zone))
        # DataFusion would trust the statistics of floating-point columns, which don't know NaN.
        opaque = tuple(name for name in floats(snapshot) if shown.may_read(name))
        if len(access.files) < len(snapshot.files):
            return Table(self._shown(self._listing(snapshot, access.files), snapshot, opaque, shown.zone))
        made = self._listings.setdefault(snapshot, {})
        if (opaque, shown.zone) not in made:
            frame = self._listing(snapshot, snapshot.files)
            made[opaque, shown.zone] = Table(self._shown(frame, snapshot, opaque, shown.zone))
        return made[opaque, shown.zone]

    def statistics_lie(self, snapshot: Snapshot) -> bool:
        """`may_look_constant`, found out once."""
        if snapshot not in self._lies:
            self._lies[snapshot] = may_look_constant(snapshot)
        return self._lies[snapshot]

    def _shown(
        self, frame: datafusion.DataFrame, snapshot: Snapshot, opaque: Collection[str], zone: str
    ) -> datafusion.DataFrame:
        """Show instants in ``zone``, and the columns ``opaque`` through functions that no optimiser sees through."""
        schema = readable(snapshot)
        zoned = [in_zone(field, zone) for field in schema]
        if not opaque and zoned == list(schema):
            return frame
        chosen = []
        for field, shown in zip(schema, zoned, strict=True):
            column = plain = _column(field.name)
            if field.name in opaque:
                column = self._identity(field.type)(column)
            if shown != field:
                column = column.cast(shown.type)
            # A plain column keeps its qualifier: DataFusion's optimiser stumbles over its alias.
            chosen.append(plain if column is plain else column.alias(field.name))
        return frame.select(*chosen)

    def _identity(self, kind: pa.DataType) -> datafusion.ScalarUDF:
        if kind not in self._identities:
            name = f"deltasql_opaque_{len(self._identities)}"
            self._identities[kind] = datafusion.udf(lambda values: values, [kind], kind, "immutable", name)
        return self._identities[kind]

    # -- listing

    def _listing(self, snapshot: Snapshot, files: Sequence[Path]) -> datafusion.DataFrame:
        """A scan over exactly ``files``: one listing per partition, with its values as literals."""
        template = self._template(snapshot)
        frames = []
        for values, group in self._groups(snapshot, files).items():
            plan = LogicalPlan.from_bytes(self._context, with_paths(template, [file_url(path) for path in group]))
            frame = self._context.create_dataframe_from_logical_plan(plan)
            frames.append(_with_partition(frame, snapshot, values))
        return functools.reduce(lambda one, other: one.union(other), frames)

    def _groups(self, snapshot: Snapshot, files: Sequence[Path]) -> dict[tuple[pa.Scalar, ...], list[Path]]:
        """``files`` by their partition values."""
        if not snapshot.partition_columns:
            return {(): list(files)}
        groups: dict[tuple[pa.Scalar, ...], list[Path]] = {}
        for path in files:
            groups.setdefault(snapshot.partition_values[path], []).append(path)
        return groups

    def _template(self, snapshot: Snapshot) -> bytes:
        """The plan of a listing of one file, in DataFusion's message format."""
        if snapshot not in self._templates:
            context = datafusion.SessionContext(datafusion.SessionConfig(self._config))
            stored = [field for field in readable(snapshot) if field.name not in snapshot.partition_columns]
            name = quote(snapshot.name)
            url = file_url(snapshot.files[0])
            context.register_parquet(name, url, schema=pa.schema(stored), file_extension="")
            self._templates[snapshot] = context.table(name).logical_plan().to_bytes(context)
        return self._templates[snapshot]


def _column(name: str) -> datafusion.Expr:
    return datafusion.col(quote(name))


def _with_partition(
    frame: datafusion.DataFrame, snapshot: Snapshot, values: Sequence[pa.Scalar]
) -> datafusion.DataFrame:
    """The columns of the table in order, those of the partition as literals."""
    if not values:
        return frame
    constants = dict(zip(snapshot.partition_columns, values, strict=True))
    return frame.select(
        *(
            datafusion.lit(constants[name]).alias(name) if name in constants else _column(name)
            for name in snapshot.schema.names
        )
    )


def may_look_constant(snapshot: Snapshot) -> bool:
    """True where DataFusion could take a floating-point column of a file for constant, although NaN is in it.

    It reads a column whose least and greatest value are one as that value; no statistics have NaN.
    """
    adds = snapshot.adds
    for name in floats(snapshot):
        if name in snapshot.partition_columns:
            continue
        if not {f"min.{name}", f"max.{name}"} <= set(adds.column_names):
            return True
        varies = pc.fill_null(pc.not_equal(adds[f"min.{name}"], adds[f"max.{name}"]), fill_value=False)
        if not pc.all(varies).as_py():
            return True
    return False


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
