"""Arrow made fit for a Delta table: the types that the Delta protocol has, and no metadata that isn't Delta's.

View types and ``PARQUET:field_id`` that reach a file break its readers, unsigned integers become
signed ones unasked, and naive timestamps turn on a table feature; here is the one place that decides.
"""

from __future__ import annotations

import pyarrow as pa

from deltasql.errors import NotSupportedError, SchemaMismatch
from deltasql.names import fold

_EXACT = {
    pa.float16(): pa.float32(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.date64(): pa.date32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}
_KEPT = frozenset(
    [
        pa.bool_(),
        pa.int8(),
        pa.int16(),
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.binary(),
        pa.date32(),
    ]
)
_MOST_DIGITS = 38


def delta_schema(schema: pa.Schema) -> pa.Schema:
    """``schema`` as it may reach a Delta table: its types or their next wider ones, nullability kept at all levels.

    Of the metadata only fields' ``comment`` and ``delta.…`` remain. Raises `SchemaMismatch` for a column
    without a type (NULL), `NotSupportedError` for one that Delta has no type for; both name the column.
    """
    return pa.schema([_field(field, field.name) for field in schema])


def offered(source: pa.Schema, stored: pa.Schema) -> pa.Schema:
    """The columns of ``source`` that can add to those ``stored``: new ones, and nested ones; see `delta_schema`."""
    known = {fold(name) for name in stored.names}
    return delta_schema(
        pa.schema([field for field in source if fold(field.name) not in known or pa.types.is_nested(field.type)])
    )


def _field(field: pa.Field, column: str) -> pa.Field:
    return pa.field(field.name, _type(field.type, column), field.nullable, _metadata(field))


def _metadata(field: pa.Field) -> dict[bytes, bytes] | None:
    kept = {
        key: value for key, value in (field.metadata or {}).items() if key == b"comment" or key.startswith(b"delta.")
    }
    return kept or None


def _type(type: pa.DataType, column: str) -> pa.DataType:
    if type in _KEPT:
        return type
    if type in _EXACT:
        return _EXACT[type]
    if isinstance(type, pa.BaseExtensionType):
        return _type(type.storage_type, column)
    if pa.types.is_dictionary(type) or pa.types.is_run_end_encoded(type):
        return _type(type.value_type, column)
    if pa.types.is_timestamp(type):
        return pa.timestamp("us", type.tz and "UTC")
    if pa.types.is_decimal(type):
        return _decimal(type, column)
    if pa.types.is_fixed_size_binary(type):
        return pa.binary()
    if pa.types.is_null(type):
        raise SchemaMismatch(f"column `{column}` is NULL and has no type", hint="cast it: CAST(NULL AS STRING)")
    return _nested(type, column)


def _nested(type: pa.DataType, column: str) -> pa.DataType:
    if pa.types.is_struct(type):
        return pa.struct([_field(field, f"{column}.{field.name}") for field in type])
    if pa.types.is_map(type):
        key = _field(type.key_field, f"{column}.key")
        return pa.map_(key, _field(type.item_field, f"{column}.value"), keys_sorted=type.keys_sorted)
    if isinstance(type, pa.ListType | pa.LargeListType | pa.ListViewType | pa.LargeListViewType | pa.FixedSizeListType):
        return pa.list_(_field(type.value_field, f"{column}.element"))
    raise _unsupported(type, column)


def _decimal(type: pa.DataType, column: str) -> pa.DataType:
    if type.precision > _MOST_DIGITS or not 0 <= type.scale <= type.precision:
        raise _unsupported(type, column)
    return pa.decimal128(type.precision, type.scale)


def _unsupported(type: pa.DataType, column: str) -> NotSupportedError:
    return NotSupportedError(f"column `{column}` is of type `{type}`, which a Delta table can't hold")
