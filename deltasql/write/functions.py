"""The functions of Spark SQL that constraints and generation expressions may call, in DataFusion's SQL.

Those that DataFusion has with another meaning are rebuilt: ``concat`` (NULL with a NULL), ``date_format`` (Java's
patterns), ``dayofweek`` (from Sunday, 1), ``substring`` (position 0 is 1), ``trunc``. What isn't in `FUNCTIONS` is
refused, whatever DataFusion has by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa

from deltasql.names import text
from deltasql.write.expression import (
    INSTANT,
    WALL,
    Expression,
    Untranslatable,
    alike,
    cast,
    compared,
    divided,
    ordered,
    require,
    within_calendar,
)

Arguments = list[Expression]
Function = Callable[[Arguments], Expression]


def call(name: str, arguments: Arguments) -> Expression:
    """The call of Spark's function ``name``. Raises `Untranslatable`."""
    found = FUNCTIONS.get(name.lower())
    if found is None:
        raise Untranslatable(f"the function `{name}` isn't known here")
    counts, function = found
    if len(arguments) not in counts:
        raise Untranslatable(f"`{name}` of {len(arguments)} arguments")
    return function(arguments)


# -- times

_UNITS = {
    "YEAR": ("YEAR", "YYYY", "YY"),
    "QUARTER": ("QUARTER",),
    "MONTH": ("MONTH", "MON", "MM"),
    "WEEK": ("WEEK",),
    "DAY": ("DAY", "DD"),
    "HOUR": ("HOUR",),
    "MINUTE": ("MINUTE",),
    "SECOND": ("SECOND",),
}
_DAYS = ("date", "instant", "wall")


def _part(name: str, arguments: Arguments, *, kinds: tuple[str, ...] = _DAYS) -> Expression:
    (time,) = arguments
    require(time, *kinds, what=f"the {name}")
    return Expression(f"CAST(date_part('{name}', {time.sql}) AS INT)", pa.int32())


def _day_of_week(arguments: Arguments) -> Expression:
    """1 is Sunday. By ``isodow``, as ``dow`` counts otherwise among Spark's functions."""
    (time,) = arguments
    require(time, *_DAYS, what="the day of the week")
    return Expression(f"CAST(date_part('isodow', {time.sql}) % 7 + 1 AS INT)", pa.int32())


def _unit(argument: Expression, *allowed: str) -> str:
    word = str(argument.constant).upper()
    found = next((unit for unit, words in _UNITS.items() if word in words and unit in allowed), None)
    if found is None:
        raise Untranslatable(f"the unit {argument.sql}")
    return found


_FIRST_MONTHS = {"YEAR": "1", "QUARTER": "date_part('quarter', {0}) * 3 - 2", "MONTH": "date_part('month', {0})"}


def _first_day(day: Expression, unit: str) -> Expression:
    """The first day of the unit that a date is in. DataFusion's own `date_trunc` ends at the year 2262."""
    if unit == "DAY":
        return day
    if unit == "WEEK":
        number = f"CAST({day.sql} AS INT) - (date_part('isodow', {day.sql}) - 1)"
        return Expression(f"CAST(CAST({number} AS INT) AS DATE)", pa.date32())
    month = _FIRST_MONTHS[unit].format(day.sql)
    return Expression(f"make_date(date_part('year', {day.sql}), CAST({month} AS INT), CAST(1 AS INT))", pa.date32())


def _trunc(arguments: Arguments) -> Expression:
    day, unit = arguments
    require(day, *_DAYS, what="`trunc`")
    return _first_day(cast(day, pa.date32()), _unit(unit, "YEAR", "QUARTER", "MONTH", "WEEK"))


def _date_trunc(arguments: Arguments) -> Expression:
    unit, time = arguments
    require(time, *_DAYS, what="`date_trunc`")
    time = cast(time, INSTANT)
    name = _unit(unit, *_UNITS)
    sql = f"date_trunc('{name}', {time.sql})"
    if name in ("HOUR", "MINUTE", "SECOND"):
        return Expression(sql, INSTANT)
    far = cast(_first_day(cast(time, pa.date32()), name), INSTANT)
    near = f"date_part('year', {time.sql}) BETWEEN 1679 AND 2260"
    return Expression(f"CASE WHEN {near} THEN {sql} ELSE {far.sql} END", INSTANT)


_PATTERN = re.compile(r"(?P<letters>([A-Za-z])\2*)|'(?P<quoted>[A-Za-z]+)'|(?P<sign>[-/:., _])")
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def _date_format(arguments: Arguments) -> Expression:
    time, pattern = arguments
    require(time, *_DAYS, what="`date_format`")
    if not isinstance(pattern.constant, str):
        raise Untranslatable("the pattern of `date_format` is no literal")
    made, position = "", 0
    while position < len(pattern.constant):
        found = _PATTERN.match(pattern.constant, position)
        if found is None or (found["letters"] and found["letters"] not in _LETTERS):
            raise Untranslatable(f"the pattern {pattern.sql}")
        made += _LETTERS[found["letters"]] if found["letters"] else found["quoted"] or found["sign"]
        position = found.end()
    time = cast(time, WALL)  # Of an instant DataFusion can tell the text between 1677 and 2262 only.
    return Expression(within_calendar(time.sql, f"to_char({time.sql}, {text(made)})"), pa.string())


# -- strings


def _string(argument: Expression, what: str) -> Expression:
    """An argument as the string that Spark makes of it unasked."""
    require(argument, "string", "integer", "date", "boolean", what=what)
    return cast(argument, pa.string())


def concatenated(arguments: Arguments) -> Expression:
    """``a || b``: NULL with a NULL."""
    strings = [_string(argument, "`concat`").sql for argument in arguments]
    return Expression(f"({' || '.join(strings)})", pa.string())


def _concat_ws(arguments: Arguments) -> Expression:
    strings = [_string(argument, "`concat_ws`").sql for argument in arguments]
    if not isinstance(arguments[0].constant, str):
        raise Untranslatable("the separator of `concat_ws` is no literal")
    return Expression(f"concat_ws({', '.join(strings)})", pa.string())


def _text(name: str, type: pa.DataType, arguments: Arguments) -> Expression:
    (argument,) = arguments
    return Expression(f"{name}({_string(argument, f'`{name}`').sql})", type)


def _number(argument: Expression, what: str) -> int:
    if not isinstance(argument.constant, int):
        raise Untranslatable(f"{what} is no literal number")
    return argument.constant


def _substring(arguments: Arguments) -> Expression:
    string = _string(arguments[0], "`substring`")
    start = _number(arguments[1], "the position of `substring`")
    if len(arguments) == 3:
        length = max(0, _number(arguments[2], "the length of `substring`"))
        if start < 0:
            raise Untranslatable("`substring` from the end, of some length")
        return Expression(f"substr({string.sql}, {max(start, 1)}, {length})", pa.string())
    if start < 0:
        return Expression(f"right({string.sql}, {-start})", pa.string())
    return Expression(f"substr({string.sql}, {max(start, 1)})", pa.string())


def _side(name: str, arguments: Arguments) -> Expression:
    string, length = _string(arguments[0], f"`{name}`"), max(0, _number(arguments[1], f"the length of `{name}`"))
    return Expression(f"{name}({string.sql}, {length})", pa.string())


def _padded(name: str, arguments: Arguments) -> Expression:
    string, length = _string(arguments[0], f"`{name}`"), max(0, _number(arguments[1], f"the length of `{name}`"))
    pad = arguments[2].constant if len(arguments) == 3 else " "
    if not isinstance(pad, str) or not pad:
        raise Untranslatable(f"the padding of `{name}`")
    return Expression(f"{name}({string.sql}, {length}, {text(pad)})", pa.string())


def _replace(arguments: Arguments) -> Expression:
    if not isinstance(arguments[1].constant, str) or not arguments[1].constant:
        raise Untranslatable("what `replace` looks for is no literal")
    strings = [_string(argument, "`replace`").sql for argument in arguments]
    return Expression(f"replace({', '.join(strings)})", pa.string())


# -- choices


def _coalesce(arguments: Arguments) -> Expression:
    *chosen, last = alike(arguments)
    branches = " ".join(f"WHEN {e.sql} IS NOT NULL THEN {e.sql}" for e in chosen)
    return Expression(f"CASE {branches} ELSE {last.sql} END" if chosen else last.sql, last.type)


def _nullif(arguments: Arguments) -> Expression:
    value, other = arguments
    equal = compared(value, "=", other)
    return Expression(f"CASE WHEN {equal.sql} THEN NULL ELSE {value.sql} END", value.type)


def _if(arguments: Arguments) -> Expression:
    condition, *values = arguments
    require(condition, "boolean", what="`if`")
    then, otherwise = alike(values)
    return Expression(f"CASE WHEN {condition.sql} THEN {then.sql} ELSE {otherwise.sql} END", then.type)


def _extreme(name: str, arguments: Arguments) -> Expression:
    values = alike(arguments)
    require(values[0], "integer", "decimal", "float", "string", *_DAYS, what=f"`{name}`")
    return Expression(f"{name}({', '.join(ordered(e) for e in values)})", values[0].type)


def _abs(arguments: Arguments) -> Expression:
    require(arguments[0], "integer", "decimal", "float", what="`abs`")
    return Expression(f"abs({arguments[0].sql})", arguments[0].type)


def _is_nan(arguments: Arguments) -> Expression:
    require(arguments[0], "float", what="`isnan`")
    return Expression(f"(isnan({arguments[0].sql}) IS TRUE)", pa.bool_())


def _is_null(test: str, arguments: Arguments) -> Expression:
    return Expression(f"({arguments[0].sql} {test})", pa.bool_())


def _cast(type: pa.DataType, arguments: Arguments) -> Expression:
    return cast(arguments[0], type)


def _mod(arguments: Arguments) -> Expression:
    return divided(arguments[0], "%", arguments[1])


_ANY = range(2, 100)
_CLOCK = ("instant", "wall")

FUNCTIONS: Mapping[str, tuple[range, Function]] = {
    "year": (range(1, 2), partial(_part, "year")),
    "quarter": (range(1, 2), partial(_part, "quarter")),
    "month": (range(1, 2), partial(_part, "month")),
    "weekofyear": (range(1, 2), partial(_part, "week")),
    "day": (range(1, 2), partial(_part, "day")),
    "dayofmonth": (range(1, 2), partial(_part, "day")),
    "dayofweek": (range(1, 2), _day_of_week),
    "dayofyear": (range(1, 2), partial(_part, "doy")),
    "hour": (range(1, 2), partial(_part, "hour", kinds=_CLOCK)),
    "minute": (range(1, 2), partial(_part, "minute", kinds=_CLOCK)),
    "second": (range(1, 2), partial(_part, "second", kinds=_CLOCK)),
    "date_format": (range(2, 3), _date_format),
    "date_trunc": (range(2, 3), _date_trunc),
    "trunc": (range(2, 3), _trunc),
    "to_date": (range(1, 2), partial(_cast, pa.date32())),
    "date": (range(1, 2), partial(_cast, pa.date32())),
    "timestamp": (range(1, 2), partial(_cast, INSTANT)),
    "string": (range(1, 2), partial(_cast, pa.string())),
    "int": (range(1, 2), partial(_cast, pa.int32())),
    "bigint": (range(1, 2), partial(_cast, pa.int64())),
    "double": (range(1, 2), partial(_cast, pa.float64())),
    "concat": (_ANY, concatenated),
    "concat_ws": (_ANY, _concat_ws),
    "length": (range(1, 2), partial(_text, "char_length", pa.int32())),
    "len": (range(1, 2), partial(_text, "char_length", pa.int32())),
    "char_length": (range(1, 2), partial(_text, "char_length", pa.int32())),
    "character_length": (range(1, 2), partial(_text, "char_length", pa.int32())),
    "upper": (range(1, 2), partial(_text, "upper", pa.string())),
    "ucase": (range(1, 2), partial(_text, "upper", pa.string())),
    "lower": (range(1, 2), partial(_text, "lower", pa.string())),
    "lcase": (range(1, 2), partial(_text, "lower", pa.string())),
    "trim": (range(1, 2), partial(_text, "btrim", pa.string())),
    "ltrim": (range(1, 2), partial(_text, "ltrim", pa.string())),
    "rtrim": (range(1, 2), partial(_text, "rtrim", pa.string())),
    "substring": (range(2, 4), _substring),
    "substr": (range(2, 4), _substring),
    "left": (range(2, 3), partial(_side, "left")),
    "right": (range(2, 3), partial(_side, "right")),
    "lpad": (range(2, 4), partial(_padded, "lpad")),
    "rpad": (range(2, 4), partial(_padded, "rpad")),
    "replace": (range(3, 4), _replace),
    "coalesce": (range(1, 100), _coalesce),
    "ifnull": (range(2, 3), _coalesce),
    "nvl": (range(2, 3), _coalesce),
    "nullif": (range(2, 3), _nullif),
    "if": (range(3, 4), _if),
    "iff": (range(3, 4), _if),
    "greatest": (_ANY, partial(_extreme, "greatest")),
    "least": (_ANY, partial(_extreme, "least")),
    "abs": (range(1, 2), _abs),
    "mod": (range(2, 3), _mod),
    "isnan": (range(1, 2), _is_nan),
    "isnull": (range(1, 2), partial(_is_null, "IS NULL")),
    "isnotnull": (range(1, 2), partial(_is_null, "IS NOT NULL")),
}
"""Spark's name -> how many arguments it takes, and what it is in DataFusion."""
