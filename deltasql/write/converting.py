"""Parquet files that lie in a folder, as files of a table there: its columns, and what its log says of each file.

All comes from the footers; of the rows just one of each group is read, to know that Arrow can be asked. So what a
footer doesn't tell is left out of the statistics: bounds of columns that may hold NaN, counts of NULL lists. Types
that a Delta table hasn't, or that its readers would show each in their own way, are refused by the column's name.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.columns import nullable, opened, require_sound
from deltasql.catalog.snapshot import is_table
from deltasql.engine.external import is_hidden
from deltasql.engine.int96 import stored_in_int96
from deltasql.errors import DataError, NotSupportedError, PlanError, SchemaMismatch, StorageError, brief
from deltasql.names import fold
from deltasql.progress import Telling
from deltasql.storage.files import for_arrow, relative, walk
from deltasql.storage.objects import Location
from deltasql.write.files import DataFile
from deltasql.write.partitions import spelled
from deltasql.write.source import stored_rows
from deltasql.write.statistics import Leaf, Seen, as_json, indexed

_NULL = "__HIVE_DEFAULT_PARTITION__"
_THREADS = 8
_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Found:
    """A Parquet file with its columns as a Delta table has them; ``folders`` are those between it and the table."""

    path: Location
    folders: tuple[str, ...]
    footer: pq.FileMetaData
    schema: pa.Schema


def found(location: Location, progress: Telling) -> list[Found]:
    """All Parquet files at and below ``location``, but for hidden ones.

    Raises `StorageError` for what isn't Parquet, and where there is none; `PlanError` for a table among them;
    `NotSupportedError` for a column of a type that a table hasn't.
    """
    paths = sorted(_files(location))
    if not paths:
        raise StorageError(f"there are no Parquet files in `{location}`")
    progress.begin("looked at", "files", len(paths))
    footers = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for footer in pool.map(_footer, paths):
            footers.append(footer)
            progress.done()
    return [
        Found(path, relative(path, location).parts[:-1], footer, _columns(path, footer))
        for path, footer in zip(paths, footers, strict=True)
    ]


def _files(location: Location) -> Iterator[Location]:
    def fail(error: OSError) -> None:
        raise StorageError(f"`{location}` can't be listed: {error.strerror}") from error

    for folder, folders, names in walk(location, fail):
        if folder != location and is_table(folder):
            raise PlanError(f"`{folder}` is a Delta table, within what is to be one")
        folders[:] = sorted(name for name in folders if not is_hidden(name) or name == "_delta_log")
        yield from (folder / name for name in names if not is_hidden(name))


def _footer(path: Location) -> pq.FileMetaData:
    try:
        return pq.read_metadata(for_arrow(path))
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise StorageError(f"`{path}` can't be read as Parquet: {brief(error)}") from error


# -- columns


def _columns(path: Location, footer: pq.FileMetaData) -> pa.Schema:
    old = stored_in_int96(footer.schema)
    made = []
    for field in footer.schema.to_arrow_schema():
        leaf = _instant if field.name in old else _type
        try:
            made.append(nullable(_shaped(field), leaf))
        except NotSupportedError as error:
            error.message = f"column `{field.name}` of `{path}` {error.message}"
            raise
    names = [fold(field.name) for field in made]
    if len(set(names)) < len(names):
        raise SchemaMismatch(f"`{path}` has two columns whose names differ by case at most")
    return pa.schema(made)


def _shaped(field: pa.Field) -> pa.Field:
    """A column with its lists as plain lists; a view of a list is refused."""
    type = field.type
    if pa.types.is_list_view(type) or pa.types.is_large_list_view(type) or pa.types.is_fixed_size_list(type):
        raise _refused(type)
    if pa.types.is_struct(type):
        type = pa.struct([_shaped(child) for child in type])
    elif pa.types.is_map(type):
        type = pa.map_(_shaped(type.key_field), _shaped(type.item_field))
    elif pa.types.is_list(type) or pa.types.is_large_list(type):
        type = pa.list_(_shaped(type.value_field))
    return field.with_type(type)


def _instant(type: pa.DataType) -> pa.DataType:
    return _INSTANT if pa.types.is_timestamp(type) else _type(type)


_KEPT = (pa.types.is_boolean, pa.types.is_signed_integer, pa.types.is_float32, pa.types.is_float64)


def _type(type: pa.DataType) -> pa.DataType:
    """The Delta type of what a file holds. Raises `NotSupportedError`, without the column."""
    if any(of(type) for of in _KEPT) or type in (pa.string(), pa.binary(), pa.date32()):
        return type
    if pa.types.is_dictionary(type):
        return _type(type.value_type)
    if pa.types.is_large_string(type):
        return pa.string()
    if pa.types.is_large_binary(type):
        return pa.binary()
    if pa.types.is_decimal128(type) and 0 <= type.scale <= type.precision:
        return type
    if pa.types.is_timestamp(type) and type.unit != "ns":
        return _INSTANT if type.tz is not None else pa.timestamp("us")
    raise _refused(type)


def _refused(type: pa.DataType) -> NotSupportedError:
    hint = "read it with read_parquet('…') and make a table of it by CREATE TABLE … AS SELECT"
    return NotSupportedError(f"is of type `{type}`, which a Delta table hasn't", hint=hint)


def merged(files: Sequence[Found], partitions: pa.Schema) -> pa.Schema:
    """The columns of all files, and the partition columns behind them.

    Raises `SchemaMismatch` where two files have a column with other types or other case, or one has a partition column.
    """
    made: list[pa.Field] = []
    known: dict[str, int] = {}
    for file in files:
        for field in file.schema:
            place = known.setdefault(fold(field.name), len(made))
            if place == len(made):
                made.append(field)
            else:
                made[place] = _joined(made[place], field, field.name, file.path)
    twice = next((field.name for field in partitions if fold(field.name) in known), None)
    if twice is not None:
        raise SchemaMismatch(f"the files hold the column `{twice}`, which their folders are to give")
    return pa.schema([*made, *partitions])


def _joined(one: pa.Field, other: pa.Field, name: str, path: Location) -> pa.Field:
    if one.name != other.name:
        raise SchemaMismatch(f"`{path}` calls `{other.name}` what another file calls `{one.name}`")
    if pa.types.is_struct(one.type) and pa.types.is_struct(other.type):
        fields = {fold(field.name): field for field in one.type}
        for field in other.type:
            held = fields.get(fold(field.name))
            fields[fold(field.name)] = field if held is None else _joined(held, field, f"{name}.{field.name}", path)
        return one.with_type(pa.struct(list(fields.values())))
    if not one.type.equals(other.type):
        message = f"`{path}` holds column `{name}` as {other.type}, another file as {one.type}"
        raise SchemaMismatch(message, hint="the files of a table have the same types")
    return one


# -- partitions


def respelled(partitions: pa.Schema, files: Sequence[Found]) -> pa.Schema:
    """The partition columns as the folders spell them, which some readers go by (Polars)."""
    names = {fold(name): name for name, _ in map(_pair, files[0].folders)}
    return pa.schema([field.with_name(names.get(fold(field.name), field.name)) for field in partitions])


def _pair(folder: str) -> tuple[str, str]:
    """The name and the value of a folder ``name=value``; the name is empty for another."""
    name, sign, text = folder.partition("=")
    return (unquote(name), unquote(text)) if sign else ("", "")


def partition_values(file: Found, partitions: pa.Schema, zone: str) -> dict[str, str | None]:
    """What the folders above a file say of it, as the log spells it.

    Raises `PlanError` for other folders than of ``partitions``, `DataError` for a value that isn't of its type.
    """
    pairs = [(name, text) for name, text in map(_pair, file.folders) if name]
    given = [name for name, _ in pairs]
    if given != partitions.names:
        has = f"is in folders of {given}" if given else "is in no folder of a partition"
        hint = "name them all, with their types: PARTITIONED BY (day DATE, …)"
        raise PlanError(f"`{file.path}` {has}, not of {partitions.names}", hint=hint)
    values: dict[str, str | None] = {}
    for field, (_, text) in zip(partitions, pairs, strict=True):
        array = pa.array([None if text in (_NULL, "") else text], pa.string())
        try:
            stored = stored_rows([array], pa.schema([field]), time_zone=zone, partitions=())
        except DataError as error:
            error.message = f"the folder of `{file.path}`: {error.message}"
            raise
        (values[field.name],) = spelled(stored.column(0), field.name)
    return values


# -- what the log says


def data_file(file: Found, location: Location, values: dict[str, str | None], *, statistics: bool) -> DataFile:
    """The file as one of the table at ``location``; without ``statistics`` only its rows are counted."""
    try:
        state = file.path.stat()
    except OSError as error:
        raise StorageError(f"`{file.path}` can't be looked at: {error.strerror}") from error
    leaves: tuple[Leaf, ...] = ()
    if statistics:
        with opened(file.path) as parquet:
            require_sound(parquet)
        leaves = tuple(_told(file))
    seen = Seen(nan={leaf for leaf in leaves if pa.types.is_floating(leaf.type)})
    return DataFile(
        path=quote(relative(file.path, location).as_posix(), safe="/="),
        partition_values=values,
        size=state.st_size,
        modification_time=state.st_mtime_ns // 1_000_000,
        rows=file.footer.num_rows,
        stats=as_json(file.footer, leaves, seen),
    )


def _told(file: Found) -> Iterator[Leaf]:
    """The columns of which the footer tells what statistics say, and in the units that they are in there."""
    for leaf in indexed(file.schema, {}, "none"):
        if not pa.types.is_nested(leaf.type) and _is_told(file.footer, leaf):
            yield leaf


def _is_told(footer: pq.FileMetaData, leaf: Leaf) -> bool:
    if pa.types.is_timestamp(leaf.type) and not _is_in_microseconds(footer, leaf.column):
        return False
    for group in range(footer.num_row_groups):
        part = footer.row_group(group).column(leaf.column).statistics
        if part is None or not part.has_null_count:
            return False
        try:
            sample: Any = part.min if part.has_min_max and not pa.types.is_temporal(leaf.type) else None
        except (UnicodeDecodeError, NotImplementedError, pa.ArrowException):
            return False
        if pa.types.is_decimal(leaf.type) and not isinstance(sample, decimal.Decimal | None):
            return False
    return True


def _is_in_microseconds(footer: pq.FileMetaData, column: int) -> bool:
    stored = footer.schema.column(column)
    return stored.physical_type == "INT64" and "microseconds" in str(stored.logical_type)
