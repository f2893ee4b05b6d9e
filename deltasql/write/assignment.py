"""SQL's store assignment: a batch becomes exactly the target's schema, or names the value that doesn't fit.

It goes by value, not by type: whatever keeps its meaning fits (sql.md, "Writing"). NULL stays NULL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.errors import CastError, ConstraintViolation, SchemaMismatch
from deltasql.names import did_you_mean, match, text
from deltasql.types import sql_name
from deltasql.write import decimals, numbers, strings, times
from deltasql.write.misfit import MISFITS, Conversion

_LONGEST = 60

_CONVERSIONS: dict[tuple[str, str], Conversion] = {
    ("boolean", "integer"): numbers.boolean_to_integer,
    ("boolean", "string"): strings.plainly_to_string,
    ("integer", "boolean"): numbers.integer_to_boolean,
    ("integer", "integer"): numbers.integer_to_integer,
    ("integer", "float"): numbers.integer_to_float,
    ("integer", "decimal"): decimals.integer_to_decimal,
    ("integer", "string"): strings.plainly_to_string,
    ("float", "integer"): numbers.float_to_integer,
    ("float", "float"): numbers.float_to_float,
    ("float", "decimal"): decimals.float_to_decimal,
    ("float", "string"): strings.float_to_string,
    ("decimal", "integer"): decimals.decimal_to_integer,
    ("decimal", "float"): decimals.decimal_to_float,
    ("decimal", "decimal"): decimals.decimal_to_decimal,
    ("decimal", "string"): strings.decimal_to_string,
    ("string", "boolean"): strings.string_to_boolean,
    ("string", "integer"): strings.string_to_integer,
    ("string", "float"): strings.string_to_float,
    ("string", "decimal"): decimals.string_to_decimal,
    ("string", "binary"): strings.string_to_binary,
    ("string", "date"): times.string_to_date,
    ("string", "timestamp"): times.string_to_timestamp,
    ("binary", "string"): strings.binary_to_string,
    ("date", "string"): times.date_to_string,
    ("date", "date"): times.date_to_date,
    ("date", "timestamp"): times.date_to_timestamp,
    ("timestamp", "string"): times.timestamp_to_string,
    ("timestamp", "date"): times.timestamp_to_date,
    ("timestamp", "timestamp"): times.timestamp_to_timestamp,
}

_KINDS = (
    ("boolean", pa.types.is_boolean),
    ("integer", pa.types.is_integer),
    ("float", pa.types.is_floating),
    ("decimal", pa.types.is_decimal),
    ("string", pa.types.is_string),
    ("binary", pa.types.is_binary),
    ("date", pa.types.is_date),
    ("timestamp", pa.types.is_timestamp),
    ("struct", pa.types.is_struct),
    ("map", pa.types.is_map),
    ("list", pa.types.is_list),
    ("list", pa.types.is_large_list),
    ("list", pa.types.is_fixed_size_list),
    ("list", pa.types.is_list_view),
    ("list", pa.types.is_large_list_view),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values go (``column`` is a dotted path for a nested field), and the session's time zone."""

    column: str
    zone: str

    def inner(self, name: str) -> _Place:
        return replace(self, column=f"{self.column}.{name}")


_Children: TypeAlias = list[pa.Array]


def assign(batch: pa.RecordBatch, target: pa.Schema, *, time_zone: str) -> pa.RecordBatch:
    """``batch`` as a batch of the schema ``target``, column by column in order (names may differ).

    ``target`` has types as `deltasql.write.fit.delta_schema` gives them; ``time_zone`` is a valid IANA
    name. Raises `CastError` naming the column and one value that doesn't fit, `ConstraintViolation` for
    a NULL where the target is NOT NULL (at any level), `SchemaMismatch` for counts or struct fields.
    """
    if batch.num_columns != len(target):
        raise SchemaMismatch(f"{batch.num_columns} columns can't be stored in the {len(target)} of the table")
    columns = []
    for values, field in zip(batch.columns, target, strict=True):
        place = _Place(field.name, time_zone)
        stored = _stored(values, field.type, place)
        _require_values(stored, field, place)
        columns.append(stored)
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _require_values(stored: pa.Array, field: pa.Field, place: _Place, *, within: pa.Array | None = None) -> None:
    """Raise `ConstraintViolation` if ``field`` is NOT NULL and a value is NULL where its parent isn't."""
    if field.nullable or not stored.null_count:
        return
    missing = stored.is_null() if within is None else pc.and_(stored.is_null(), within.is_valid())
    if pc.any(missing).as_py():
        raise ConstraintViolation(f"column `{place.column}` is NOT NULL, but a row has NULL")


def _stored(values: pa.Array, target: pa.DataType, place: _Place) -> pa.Array:
    if values.type.equals(target, check_metadata=True):
        return values
    values = _plain(values)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), target)
    source_kind, target_kind = _kind(values.type), _kind(target)
    if source_kind == target_kind == "struct":
        return _stored_struct(values, target, place)
    if source_kind == target_kind == "list":
        return _stored_list(values, target, place)
    if source_kind == target_kind == "map":
        return _stored_map(values, target, place)
    if values.type == target:
        return values
    conversion = _CONVERSIONS.get((source_kind, target_kind))
    if conversion is None:
        raise CastError(
            f"a value of type {sql_name(values.type)} can't be stored in column `{place.column}`"
            f" of type {sql_name(target)}"
        )
    try:
        return conversion(values, target, place.zone)
    except MISFITS as error:
        shown = _shown(_culprit(values, target, conversion, place.zone))
        raise CastError(f"`{shown}` doesn't fit column `{place.column}` of type {sql_name(target)}") from error


def _plain(values: pa.Array) -> pa.Array:
    """The same values in the one plain encoding of their type."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(values.storage)
    if pa.types.is_dictionary(kind):
        # Arrow can't decode a dictionary of views.
        return pa.DictionaryArray.from_arrays(values.indices, _plain(values.dictionary)).dictionary_decode()
    if pa.types.is_run_end_encoded(kind):
        return _plain(pc.run_end_decode(values))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.string())
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return values.cast(pa.binary())
    if pa.types.is_float16(kind):
        return values.cast(pa.float32())
    return values


def _kind(type: pa.DataType) -> str:
    return next((kind for kind, holds in _KINDS if holds(type)), str(type))


def _stored_struct(values: pa.StructArray, target: pa.StructType, place: _Place) -> pa.Array:
    columns = values.flatten()
    children: _Children = []
    for field, position in zip(target, _positions(values.type, target, place), strict=True):
        inner = place.inner(field.name)
        child = pa.nulls(len(values)) if position is None else columns[position]
        stored = _stored(child, field.type, inner)
        _require_values(stored, field, inner, within=values)
        children.append(stored)
    mask = values.is_null() if values.null_count else None
    return pa.StructArray.from_arrays(children, fields=list(target), mask=mask)


def _positions(source: pa.StructType, target: pa.StructType, place: _Place) -> list[int | None]:
    """For each target field the position of the source's: by name if all are there, else by order."""
    names = [field.name for field in source]
    what = f"field of column `{place.column}`:"
    found = [match(field.name, names, what=what) for field in target]
    if None in found and len(names) == len(found):
        return list(range(len(names)))
    for name in names:
        if name not in found:
            raise SchemaMismatch(
                f"column `{place.column}` has no field `{name}`",
                hint=did_you_mean(name, [field.name for field in target]),
            )
    return [None if name is None else names.index(name) for name in found]


def _stored_list(values: pa.Array, target: pa.ListType, place: _Place) -> pa.Array:
    # flatten() heeds slices and leaves out what lies under NULLs; the buffers below don't.
    inner = place.inner("element")
    items = _stored(values.flatten(), target.value_type, inner)
    _require_values(items, target.value_field, inner)
    return pa.ListArray.from_arrays(_offsets(values), items, type=target, mask=_mask(values))


def _stored_map(values: pa.MapArray, target: pa.MapType, place: _Place) -> pa.Array:
    # MapArray.keys and .items pass over slices and NULLs; the list of its entries doesn't.
    source = values.type
    entries = values.cast(pa.list_(pa.struct([source.key_field, source.item_field])))
    columns = entries.flatten().flatten()
    children: _Children = []
    for name, column, field in zip(("key", "value"), columns, (target.key_field, target.item_field), strict=True):
        stored = _stored(column, field.type, place.inner(name))
        _require_values(stored, field, place.inner(name))
        children.append(stored)
    return pa.MapArray.from_arrays(_offsets(entries), *children, type=target, mask=_mask(entries))


def _offsets(values: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


def _mask(values: pa.Array) -> pa.Array | None:
    return values.is_null() if values.null_count else None


def _culprit(values: pa.Array, target: pa.DataType, conversion: Conversion, zone: str) -> pa.Array:
    """The first value that doesn't fit, as an array of one."""
    while len(values) > 1:
        middle = len(values) // 2
        first = values.slice(0, middle)
        try:
            conversion(first, target, zone)
        except MISFITS:
            values = first
        else:
            values = values.slice(middle)
    return values


def _shown(values: pa.Array) -> str:
    value = values[0]
    if pa.types.is_string(values.type):
        shown = text(value.as_py())
    elif pa.types.is_binary(values.type):
        shown = f"X'{value.as_py().hex()}'"
    else:
        # Python's own datetimes and dates end at the year 9999.
        shown = values.cast(pa.string())[0].as_py()
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
