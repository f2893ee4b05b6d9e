"""DataFusion's own Parquet scan over an exact list of files, built as a logical plan.

A plan that lists one file is made with DataFusion and serialised; its list of paths is replaced, and the
message read back (facts.md, 7). A partitioned table is the union of one such listing per partition, with the
partition's values as literals.
"""

from __future__ import annotations

import functools
import urllib.parse
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence

import datafusion
import pyarrow as pa
from datafusion.plan import LogicalPlan

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.dataset import readable
from deltasql.engine.stores import Stores, object_url
from deltasql.errors import InternalError, NotSupportedError, brief
from deltasql.names import quote
from deltasql.storage.objects import Location, ObjectPath

LATE = "datafusion.execution.parquet.pushdown_filters"
_OTHER_MESSAGE = "DataFusion's plan message isn't the one that deltasql knows"

Groups = list[tuple[tuple[pa.Scalar, ...], list[Location]]]
"""The values of each partition, and its files."""


class Listings:
    """Makes listings in one context."""

    def __init__(self, context: datafusion.SessionContext, config: Mapping[str, str], stores: Stores) -> None:
        self._context = context
        self._stores = stores
        self._config = dict(config)
        self._values: dict[pa.DataType, datafusion.ScalarUDF] = {}
        self._fault: str | None = None
        self._tried = False
        self._templates: weakref.WeakKeyDictionary[Snapshot, dict[bool, bytes]] = weakref.WeakKeyDictionary()

    def frame(self, snapshot: Snapshot, groups: Groups, *, ordered: bool, late: bool) -> datafusion.DataFrame:
        """A scan over exactly the files of ``groups``, for a plan that puts rows in order or not.

        ``late``: rows are filtered while they are decoded, whatever the context's option says.
        What is constant in each branch of a union, or before an outer join that adds NULLs, DataFusion 55 takes for
        no part of an order: then the values of partitions are hidden from it.
        """
        value = self._hidden if ordered else datafusion.lit
        template = self._template(snapshot, late=late)
        frames = []
        for values, files in groups:
            frames.append(_with_partition(_listing(self._context, template, files), snapshot, values, value))
        return functools.reduce(lambda one, other: one.union(other), frames)

    def _hidden(self, value: pa.Scalar) -> datafusion.Expr:
        if value.type not in self._values:
            name = f"deltasql_value_{len(self._values)}"
            types = [value.type, pa.float64()]
            self._values[value.type] = datafusion.udf(lambda values, _: values, types, value.type, "volatile", name)
        return self._values[value.type](datafusion.lit(value), datafusion.functions.random())

    def fault(self, snapshot: Snapshot) -> str | None:
        """What is wrong with the plans that come of a message, or None: the format is DataFusion's, not ours.

        It is found out at the first snapshot.
        """
        if not self._tried:
            self._fault, self._tried = self._look(snapshot), True
        return self._fault

    def _look(self, snapshot: Snapshot) -> str | None:
        try:
            made = _listing(self._context, self._template(snapshot, late=False), snapshot.files)
            return None if _lists(self._context, made, snapshot.files) else _OTHER_MESSAGE
        except Exception as error:  # noqa: BLE001 (DataFusion raises bare Exception)
            return f"DataFusion can't read its plan message back: {brief(error)}"

    def _template(self, snapshot: Snapshot, *, late: bool) -> bytes:
        """The plan of a listing of one file, in DataFusion's message format."""
        made = self._templates.setdefault(snapshot, {})
        if late not in made:
            config = {**self._config, LATE: "true"} if late else self._config
            context = datafusion.SessionContext(datafusion.SessionConfig(config))
            stored = [_viewed(field) for field in readable(snapshot) if field.name not in snapshot.partition_columns]
            name = quote(snapshot.name)
            url = file_url(snapshot.files[0])
            self._stores.register(context, snapshot.files[:1])
            context.register_parquet(name, url, schema=pa.schema(stored), file_extension="")
            made[late] = context.table(name).logical_plan().to_bytes(context)
        return made[late]


def _viewed(field: pa.Field) -> pa.Field:
    """``field`` as DataFusion is quickest with: text and bytes as views (TPC-H 1 in two thirds of the time)."""
    if pa.types.is_string(field.type):
        return field.with_type(pa.string_view())
    return field.with_type(pa.binary_view()) if pa.types.is_binary(field.type) else field


def groups(snapshot: Snapshot, files: Sequence[Location], *, values: bool) -> Groups:
    """``files`` by partition; all in one group, with NULL for its values, where ``values`` aren't asked for."""
    if not snapshot.partition_columns:
        return [((), list(files))]
    if not values:
        nulls = tuple(pa.scalar(None, snapshot.schema.field(name).type) for name in snapshot.partition_columns)
        return [(nulls, list(files))]
    # By their text, as 0.0 and -0.0 are equal.
    found: dict[tuple[str, ...], tuple[tuple[pa.Scalar, ...], list[Location]]] = {}
    for path in files:
        each = snapshot.partition_values[path]
        found.setdefault(tuple(map(repr, each)), (each, []))[1].append(path)
    return list(found.values())


def _with_partition(
    frame: datafusion.DataFrame,
    snapshot: Snapshot,
    values: Sequence[pa.Scalar],
    value: Callable[[pa.Scalar], datafusion.Expr],
) -> datafusion.DataFrame:
    """The columns of the table in order, those of the partition as constants, made by ``value``."""
    if not values:
        return frame
    constants = {
        name: scalar.cast(snapshot.schema.field(name).type)
        for name, scalar in zip(snapshot.partition_columns, values, strict=True)
    }
    return frame.select(
        *(
            value(constants[name]).alias(name) if name in constants else datafusion.col(quote(name))
            for name in snapshot.schema.names
        )
    )


def of_files(
    context: datafusion.SessionContext, frame: datafusion.DataFrame, files: Sequence[Location]
) -> datafusion.DataFrame:
    """The listing ``frame`` of one file, made a listing of ``files``. Raises `InternalError` where that fails."""
    made = _listing(context, frame.logical_plan().to_bytes(context), files)
    if not _lists(context, made, files):
        raise InternalError(_OTHER_MESSAGE)
    return made


def _listing(context: datafusion.SessionContext, template: bytes, files: Sequence[Location]) -> datafusion.DataFrame:
    """A listing of ``files``, made of the serialised plan of a listing of one file."""
    plan = LogicalPlan.from_bytes(context, with_paths(template, [file_url(path) for path in files]))
    return context.create_dataframe_from_logical_plan(plan)


def _lists(context: datafusion.SessionContext, frame: datafusion.DataFrame, files: Sequence[Location]) -> bool:
    """True if DataFusion takes ``frame`` for a listing of exactly ``files``."""
    return listed_paths(frame.logical_plan().to_bytes(context)) == [file_url(path) for path in files]


def file_url(path: Location) -> str:
    """``path`` as a URL; raw paths with ``%``, ``#`` or ``?`` would silently give no rows (facts.md, 50)."""
    if isinstance(path, ObjectPath):
        return object_url(path)
    if ".." in path.parts:
        path = path.resolve()  # DataFusion would take away ``..`` and the name before it, even if that is a link.
    return "file://" + urllib.parse.quote(str(path))


# -- the plan message: LogicalPlanNode { ListingTableScanNode listing = 1 { repeated string paths = 2 } }

_PATHS = 2


def with_paths(plan: bytes, paths: Sequence[str]) -> bytes:
    """The serialised plan of a listing of one file, made a listing of ``paths``."""
    ((node, wire, listing),) = _fields(plan)
    if wire != 2:
        raise NotSupportedError("DataFusion's plan message isn't the one that deltasql knows")
    inner = [field for field in _fields(listing) if field[0] != _PATHS]
    body = b"".join(_encode(number, wire, value) for number, wire, value in inner)
    body += b"".join(_encode(_PATHS, 2, path.encode()) for path in paths)
    return _encode(node, 2, body)


def listed_paths(plan: bytes) -> list[str]:
    """The paths of a serialised listing."""
    ((_, _, listing),) = _fields(plan)
    return [value.decode() for number, _, value in _fields(listing) if number == _PATHS]


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
