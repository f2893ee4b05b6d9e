"""Types between SQLAlchemy and Arrow: those that SQLAlchemy lacks, how values go in and come out, what is reflected.

Nothing is rounded on the way: values are bound as what the column's type says, so that the values of one column are of
one type and many rows are one write.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import exc
from sqlalchemy import types as sqltypes
from sqlalchemy.sql import operators
from sqlalchemy.types import Indexable, TypeEngine

from deltasql.names import literal
from deltasql.types import parse_type

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

_Process = Callable[[Any], Any] | None
_Type = type[TypeEngine[Any]] | TypeEngine[Any]


class TINYINT(sqltypes.Integer):
    """A whole number of 8 bits."""

    __visit_name__ = "TINYINT"


class _Nested:
    """What the nested types share: values are bound as Arrow's scalars of just their type."""

    if hasattr(operators, "OperatorClass"):  # Since SQLAlchemy 2.1.
        operator_classes = operators.OperatorClass.ARRAY

    def bind_processor(self, dialect: Dialect) -> _Process:
        """Python's values as scalars of Arrow's."""
        mine: TypeEngine[Any] = self  # type: ignore[assignment]
        type, enter = parse_type(dialect.type_compiler_instance.process(mine)), _entering(mine, dialect)
        return lambda value: None if value is None else pa.scalar(enter(value), type)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Process:
        """What a cursor gives as Python's values."""
        return _leaving(self, dialect)  # type: ignore[arg-type]

    def literal_processor(self, dialect: Dialect) -> _Process:
        """None: there is no literal of these types."""
        return None


class ARRAY(_Nested, sqltypes.ARRAY[Any]):
    """``ARRAY<item>``: lists. ``column[1]`` is the first item, as in SQL."""

    def literal_processor(self, dialect: Dialect) -> _Process:
        """``[1, 2]``"""
        item = _item(self).dialect_impl(dialect).literal_processor(dialect)
        if item is None:
            return None
        return lambda value: "[" + ", ".join("NULL" if each is None else item(each) for each in value) + "]"


class MAP(_Nested, Indexable, TypeEngine[dict[Any, Any]]):
    """``MAP<key, value>``: dicts. ``column["key"]`` is a value."""

    __visit_name__ = "MAP"

    def __init__(self, key: _Type, value: _Type) -> None:
        self.key = sqltypes.to_instance(key)
        self.value = sqltypes.to_instance(value)

    class Comparator(Indexable.Comparator[Any]):
        """Indexing by key."""

        def _setup_getitem(self, index: Any) -> Any:
            return operators.getitem, index, self.type.value  # type: ignore[attr-defined]  # It is this one.

    comparator_factory = Comparator


class STRUCT(_Nested, Indexable, TypeEngine[dict[str, Any]]):
    """``STRUCT<name: type, …>``: dicts with the keys of ``fields``. ``column["name"]`` is a field."""

    __visit_name__ = "STRUCT"

    def __init__(self, fields: Mapping[str, _Type] | Iterable[tuple[str, _Type]]) -> None:
        self.fields = tuple((name, sqltypes.to_instance(type)) for name, type in _pairs(fields))

    class Comparator(Indexable.Comparator[Any]):
        """Indexing by the name of a field."""

        def _setup_getitem(self, index: Any) -> Any:
            found = dict(self.type.fields).get(index)  # type: ignore[attr-defined]
            if found is None:
                names = ", ".join(f"`{name}`" for name, _ in self.type.fields)  # type: ignore[attr-defined]
                raise exc.ArgumentError(f"the struct has no field `{index}`: there are {names}")
            return operators.getitem, index, found

    comparator_factory = Comparator


def _entering(type: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What makes a value such that Arrow takes it, whatever is nested in it."""
    return _through(type, lambda plain: plain.dialect_impl(dialect).bind_processor(dialect), list)


def _leaving(type: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What makes Python's value of what a cursor gives, whatever is nested in it."""
    return _through(type, lambda plain: plain.dialect_impl(dialect).result_processor(dialect, None), dict)


def _through(
    type: TypeEngine[Any],
    leaf: Callable[[TypeEngine[Any]], Callable[[Any], Any] | None],
    mapped: Callable[[Iterable[tuple[Any, Any]]], Any],
) -> Callable[[Any], Any]:
    """What does to the plain values in a nested one what ``leaf`` gives for their types; ``mapped`` makes maps."""
    if isinstance(type, sqltypes.ARRAY):
        item = _through(_item(type), leaf, mapped)
        return lambda value: None if value is None else [item(each) for each in value]
    if isinstance(type, MAP):
        key, one = _through(type.key, leaf, mapped), _through(type.value, leaf, mapped)
        return lambda value: None if value is None else mapped((key(k), one(v)) for k, v in _pairs(value))
    if isinstance(type, STRUCT):
        fields = {name: _through(field, leaf, mapped) for name, field in type.fields}
        return lambda value: None if value is None else {k: fields.get(k, _same)(v) for k, v in value.items()}
    return leaf(type) or _same


def _item(type: sqltypes.ARRAY[Any]) -> TypeEngine[Any]:
    """What an array's elements are, which is an array where it has several dimensions."""
    if type.dimensions is not None and type.dimensions > 1:
        return ARRAY(type.item_type, dimensions=type.dimensions - 1)
    return type.item_type


def _pairs(value: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else value


def _same(value: Any) -> Any:
    return value


# -- values of plain types


class Number(sqltypes.Numeric[Any]):
    """DECIMAL: whole numbers and floats are bound as the decimals that they are written as."""

    def bind_processor(self, dialect: Dialect) -> _Process:
        return _decimal

    def result_processor(self, dialect: Dialect, coltype: object) -> _Process:
        if not self.asdecimal:
            return lambda value: None if value is None else float(value)
        return lambda value: decimal.Decimal(repr(value)) if isinstance(value, float) else value

    def literal_processor(self, dialect: Dialect) -> _Process:
        return lambda value: literal(_decimal(value))


class Double(sqltypes.Float[Any]):
    """DOUBLE and FLOAT: whole numbers and decimals are bound as floats."""

    def bind_processor(self, dialect: Dialect) -> _Process:
        return lambda value: float(value) if type(value) in (int, decimal.Decimal) else value

    def literal_processor(self, dialect: Dialect) -> _Process:
        return lambda value: repr(float(value)) if math.isfinite(value) else literal(float(value))


def _decimal(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return decimal.Decimal(value)
    return decimal.Decimal(repr(float(value))) if isinstance(value, float) else value


class Day(sqltypes.Date):
    """DATE; a datetime is bound as its day."""

    def bind_processor(self, dialect: Dialect) -> _Process:
        return lambda value: value.date() if isinstance(value, dt.datetime) else value

    def literal_processor(self, dialect: Dialect) -> _Process:
        return lambda value: literal(value.date() if isinstance(value, dt.datetime) else value)


class Instant(sqltypes.DateTime):
    """TIMESTAMP with a zone, TIMESTAMP_NTZ without; a date is bound as its midnight."""

    def bind_processor(self, dialect: Dialect) -> _Process:
        return _datetime

    def literal_processor(self, dialect: Dialect) -> _Process:
        return lambda value: literal(_datetime(value))


def _datetime(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value


class Bytes(sqltypes.LargeBinary):
    """BINARY."""

    def literal_processor(self, dialect: Dialect) -> _Process:
        return lambda value: literal(bytes(value))


COLSPECS: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {
    sqltypes.ARRAY: ARRAY,
    sqltypes.Date: Day,
    sqltypes.DateTime: Instant,
    sqltypes.Float: Double,
    sqltypes.LargeBinary: Bytes,
    sqltypes.Numeric: Number,
}
"""How values go, by SQLAlchemy's type."""


# -- what is reflected


_PLAIN: dict[pa.DataType, TypeEngine[Any]] = {
    pa.bool_(): sqltypes.BOOLEAN(),
    pa.int8(): TINYINT(),
    pa.int16(): sqltypes.SMALLINT(),
    pa.int32(): sqltypes.INTEGER(),
    pa.int64(): sqltypes.BIGINT(),
    pa.float32(): sqltypes.FLOAT(),
    pa.float64(): sqltypes.DOUBLE(),
    pa.string(): sqltypes.String(),
    pa.binary(): sqltypes.LargeBinary(),
    pa.date32(): sqltypes.DATE(),
}


def type_of(type: pa.DataType, length: str | None = None) -> TypeEngine[Any]:
    """SQLAlchemy's type for a column's; ``length`` is ``varchar(n)`` or ``char(n)`` where strings are that long."""
    if length is not None:
        name, _, size = length.rstrip(")").partition("(")
        return sqltypes.CHAR(int(size)) if name == "char" else sqltypes.VARCHAR(int(size))
    if type in _PLAIN:
        return _PLAIN[type]
    if pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return sqltypes.String()
    if pa.types.is_decimal(type):
        return sqltypes.DECIMAL(type.precision, type.scale)
    if pa.types.is_timestamp(type):
        return sqltypes.TIMESTAMP(timezone=type.tz is not None)
    if pa.types.is_map(type):
        return MAP(type_of(type.key_type), type_of(type.item_type))
    if pa.types.is_struct(type):
        return STRUCT([(field.name, type_of(field.type)) for field in type])
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        inner = type_of(type.value_type)
        if isinstance(inner, sqltypes.ARRAY):
            return ARRAY(inner.item_type, dimensions=(inner.dimensions or 1) + 1)
        return ARRAY(inner, dimensions=1)
    return sqltypes.NullType()
