"""The types of columns: of values in text, and as SQL has what files hold."""

from __future__ import annotations

import re

import pyarrow as pa

from deltasql.engine.dataset import UTC

_MOST_DIGITS = 38

# -- of values in text

_KIND = re.compile(
    r"""(?P<BOOLEAN>true|false) | (?P<BIGINT>-?[0-9]+)
    | (?P<DOUBLE>-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)? | nan | -?inf(?:inity)?)
    | (?P<DATE>[0-9]{4}-[0-9]{2}-[0-9]{2})
    | (?P<TIMESTAMP>[0-9]{4}-[0-9]{2}-[0-9]{2}[T\ ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?
        (?:Z|[+-][0-9]{2}:?[0-9]{2})?)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def kind(text: str) -> str:
    """The name of the narrowest type that a value in text has."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return "BIGINT"
    found = _KIND.fullmatch(text)
    name = (found and found.lastgroup) or "STRING"
    if name == "BIGINT" and not -(2**63) <= int(text[:40]) < 2**63:
        return "DECIMAL" if len(text.lstrip("-")) <= _MOST_DIGITS else "STRING"
    return name


def type_of(kinds: set[str], zone: str) -> pa.DataType:
    """The type that holds values of all ``kinds``; a time is an instant, as in Spark."""
    for holds, type in (
        ({"BOOLEAN"}, pa.bool_()),
        ({"BIGINT"}, pa.int64()),
        ({"BIGINT", "DECIMAL"}, pa.decimal128(_MOST_DIGITS, 0)),
        ({"BIGINT", "DECIMAL", "DOUBLE"}, pa.float64()),
        ({"DATE"}, pa.date32()),
        ({"DATE", "TIMESTAMP"}, pa.timestamp("us", zone)),
    ):
        if kinds and kinds <= holds:
            return type
    return pa.string()


# -- of columns


def plain(type: pa.DataType) -> pa.DataType:
    """A type as SQL has it: plain strings, instants and times in microseconds."""
    if pa.types.is_dictionary(type):
        return plain(type.value_type)
    if pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return pa.string()
    if pa.types.is_large_binary(type) or pa.types.is_binary_view(type):
        return pa.binary()
    if pa.types.is_timestamp(type):
        return pa.timestamp("us", None if type.tz is None else UTC)
    return type


def filled(type: pa.DataType) -> pa.DataType:
    """A column that is NULL throughout is a STRING."""
    return pa.string() if pa.types.is_null(type) else type


def wide(type: pa.DataType) -> pa.DataType:
    """A type with the most digits behind the point: DataFusion's readers of text cut off what casts round."""
    if pa.types.is_decimal(type):
        return pa.decimal128(_MOST_DIGITS, _MOST_DIGITS - type.precision + type.scale)
    return type


def instant(type: pa.DataType) -> pa.DataType:
    """A type as `plain`, times without a zone taken for instants."""
    return pa.timestamp("us", UTC) if pa.types.is_timestamp(type) else plain(type)
