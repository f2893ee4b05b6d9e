"""Typed expressions of Spark SQL as DataFusion's SQL: how types meet, how they are cast, compared and reckoned with.

DataFusion's own rules differ: ``1.5`` is a DOUBLE to it, integers wrap round, ``/`` of integers is one, ``int + 1`` is
a BIGINT. So every step is spelled out with Spark's type, and what can't be said in DataFusion with Spark's very
meaning is `Untranslatable`. Where Spark's answer hangs on its settings (ANSI or not), a value that overflows or
doesn't read as the type is an error here and never a value; a division by zero is NULL.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass

import pyarrow as pa

from deltasql.names import text
from deltasql.types import sql_name

INSTANT = pa.timestamp("us", "UTC")
WALL = pa.timestamp("us")
_MOST_DIGITS = 38
_EXACT_DIGITS = 15
"""Decimals of as many digits become the nearest DOUBLE by one division."""
_EXACT_FLOAT = 2**24
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}

_INTEGER = r"\A[+-]?[0-9]+\z"
_NUMBER = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z"
_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_CLOCK = r"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_WALL_TIME = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_CLOCK})?\z"
_TIME = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?\z"


class Untranslatable(Exception):
    """The expression can't be computed with the meaning that it has in Spark; the message says why."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``sql`` is DataFusion's; ``constant`` the value of a literal number or string.

    ``wide`` is a sum or product of integers before it must fit its type: DataFusion takes twice as long to plan for
    every cast inside another one's sum.
    """

    sql: str
    type: pa.DataType
    constant: int | decimal.Decimal | str | None = None
    wide: str | None = None

    @property
    def kind(self) -> str:
        """The family of its type."""
        return kind(self.type)


_KINDS = (
    ("null", pa.types.is_null),
    ("boolean", pa.types.is_boolean),
    ("integer", pa.types.is_integer),
    ("float", pa.types.is_floating),
    ("decimal", pa.types.is_decimal),
    ("string", pa.types.is_string),
    ("binary", pa.types.is_binary),
    ("date", pa.types.is_date),
    ("instant", lambda found: pa.types.is_timestamp(found) and found.tz is not None),
    ("wall", pa.types.is_timestamp),
)


def kind(type: pa.DataType) -> str:
    """The family of ``type``: ``integer``, ``instant`` (TIMESTAMP), ``wall`` (TIMESTAMP_NTZ), …, ``nested``."""
    return next((name for name, holds in _KINDS if holds(type)), "nested")


def require(expression: Expression, *kinds: str, what: str) -> None:
    """Raise `Untranslatable` unless the expression is of one of ``kinds`` or NULL."""
    if expression.kind not in (*kinds, "null"):
        raise Untranslatable(f"{what} of a {sql_name(expression.type)}")


# -- types that meet


def alike(expressions: list[Expression]) -> list[Expression]:
    """The expressions in the one type that Spark brings them to."""
    type = expressions[0].type
    for index, expression in enumerate(expressions[1:]):
        # A constant is looked at for its value, so the widest so far stands for those before.
        before = next((e for e in expressions[: index + 1] if e.type == type), Expression("", type))
        type = _common(before, expression)
    return [cast(expression, type) for expression in expressions]


def _common(left: Expression, right: Expression) -> pa.DataType:
    if left.type == right.type or right.kind == "null":
        return left.type
    if left.kind == "null":
        return right.type
    kinds = {left.kind, right.kind}
    if kinds == {"integer"}:
        return max(left.type, right.type, key=lambda found: int(found.bit_width))
    if kinds <= {"integer", "decimal"}:
        (p, s), (q, t) = _digits(left), _digits(right)
        return _decimal(max(p - s, q - t) + max(s, t), max(s, t))
    if kinds <= {"integer", "decimal", "float"}:
        for number, other in ((left, right), (right, left)):
            _require_exact(number, other)
        return pa.float64()
    for one, other in ((left, right), (right, left)):
        if other.kind in ("instant", "wall") and one.kind == "date":
            return other.type
        if other.kind in ("date", "instant", "wall") and isinstance(one.constant, str):
            return other.type
    raise Untranslatable(f"{sql_name(left.type)} and {sql_name(right.type)} meet")


def _require_exact(number: Expression, other: Expression) -> None:
    """Raise `Untranslatable` for a number that Spark's versions bring together with a FLOAT or DOUBLE differently."""
    small = isinstance(number.constant, int) and abs(number.constant) <= _EXACT_FLOAT
    if other.type == pa.float32() and number.kind == "integer" and not (small or number.type.bit_width <= 16):
        raise Untranslatable(f"{sql_name(number.type)} and FLOAT meet")


def _digits(number: Expression) -> tuple[int, int]:
    if number.kind == "decimal":
        return number.type.precision, number.type.scale
    constant = number.constant
    return (len(str(abs(constant))), 0) if isinstance(constant, int) else (_DIGITS[number.type.bit_width], 0)


def _decimal(precision: int, scale: int) -> pa.DataType:
    if precision > _MOST_DIGITS:
        raise Untranslatable(f"a DECIMAL of {precision} digits comes out")
    return pa.decimal128(precision, scale)


# -- casts


def cast(value: Expression, type: pa.DataType) -> Expression:
    """CAST(value AS type) as Spark does it, or `Untranslatable`."""
    source, target = value.kind, kind(type)
    if value.type == type:
        return value
    if target == "nested" or source == "nested" or (source, target) not in _CASTS:
        raise Untranslatable(f"CAST of a {sql_name(value.type)} to {sql_name(type)}")
    if target == "float" and value.constant is not None and source in ("integer", "decimal"):
        return Expression(f"CAST('{value.constant}' AS {sql_name(type)})", type)
    if (source, target) == ("decimal", "float") and value.type.precision > _EXACT_DIGITS:
        raise Untranslatable(f"CAST of a {sql_name(value.type)} to {sql_name(type)}")
    sql = value.sql
    if source == "string":
        sql = _guarded(sql, {"integer": _INTEGER, "float": _NUMBER, "date": _DATE, "instant": _TIME}.get(target))
        sql = _guarded(value.sql, _WALL_TIME) if target == "wall" else sql
    if (source, target) == ("date", "string"):
        return Expression(within_calendar(sql, f"CAST({sql} AS VARCHAR)"), type)
    if (source, target) == ("instant", "wall"):
        return Expression(f"to_local_time({sql})", type)  # CAST gives the time in UTC.
    name = _NAMES.get(target) or sql_name(type)
    return Expression(f"CAST({sql} AS {name})", type)


# An instant's zone is the session's.
_NAMES = {"string": "VARCHAR", "instant": "TIMESTAMP(6) WITH TIME ZONE", "wall": "TIMESTAMP(6)"}
_CASTS = frozenset(
    {(source, target) for source in ("integer", "float") for target in ("integer", "float")}
    | {("null", name) for name, _ in _KINDS}
    | {("integer", "decimal"), ("integer", "string"), ("decimal", "integer"), ("decimal", "decimal")}
    | {("decimal", "float"), ("boolean", "integer"), ("boolean", "string"), ("date", "string"), ("string", "integer")}
    | {("string", "float"), ("string", "date"), ("string", "instant"), ("string", "wall"), ("date", "instant")}
    | {("date", "wall"), ("instant", "date"), ("wall", "date"), ("instant", "wall"), ("wall", "instant")}
)


_ODD = " (in a form that engines read differently)"


def _guarded(sql: str, pattern: str | None) -> str:
    """``sql``, a string; to what isn't of the pattern something is added, so that the cast fails."""
    if pattern is None:
        return sql
    return f"CASE WHEN {sql} IS NULL OR regexp_like({sql}, {text(pattern)}) THEN {sql} ELSE {sql} || '{_ODD}' END"


def within_calendar(time: str, sql: str) -> str:
    """``sql`` where the date or timestamp ``time`` is of the years 1 to 9999, whose text is the same everywhere."""
    year = f"date_part('year', {time})"
    fails = f"CAST(CAST('year ' || CAST({year} AS VARCHAR) AS INT) AS VARCHAR)"
    return f"CASE WHEN {year} NOT BETWEEN 1 AND 9999 THEN {fails} ELSE {sql} END"


# -- comparisons


def ordered(value: Expression) -> str:
    """What a value is compared by: to Spark there is one NaN, to DataFusion there are several."""
    if value.kind != "float" or value.constant is not None:
        return value.sql
    return f"CASE WHEN isnan({value.sql}) THEN CAST('NaN' AS {sql_name(value.type)}) ELSE {value.sql} END"


def compared(left: Expression, operator: str, right: Expression) -> Expression:
    """``left operator right``; ``operator`` is DataFusion's."""
    left, right = alike([left, right])
    for side in (left, right):
        if side.kind == "nested":
            raise Untranslatable(f"a comparison of {sql_name(side.type)}")
    return Expression(f"({ordered(left)} {operator} {ordered(right)})", pa.bool_())


def among(value: Expression, others: list[Expression]) -> Expression:
    """``value IN (others)``."""
    value, *others = alike([value, *others])
    if value.kind == "nested" or not others:
        raise Untranslatable(f"IN of {len(others)} values of {sql_name(value.type)}")
    if value.kind == "float":  # To IN, 0.0 isn't -0.0.
        return joined("OR", [compared(value, "=", other) for other in others])
    return Expression(f"({value.sql} IN ({', '.join(other.sql for other in others)}))", pa.bool_())


def joined(word: str, conditions: list[Expression]) -> Expression:
    """``conditions`` joined by AND or OR, side by side: DataFusion reads no more than 50 levels of brackets."""
    if len(conditions) == 1:
        return conditions[0]
    for condition in conditions:
        require(condition, "boolean", what=word)
    return Expression(f"({f' {word} '.join(condition.sql for condition in conditions)})", pa.bool_())


# -- arithmetic


def added(left: Expression, operator: str, right: Expression) -> Expression:
    """``+``, ``-`` and ``*``; a result that the type doesn't hold is an error."""
    for side in (left, right):
        require(side, "integer", "decimal", "float", what=f"`{operator}`")
    kinds = {left.kind, right.kind}
    if "null" in kinds:
        raise Untranslatable(f"`{operator}` of NULL")
    if kinds == {"integer", "float"} and pa.float32() in (left.type, right.type):
        raise Untranslatable(f"`{operator}` of {sql_name(left.type)} and {sql_name(right.type)}")
    if "float" in kinds or kinds == {"integer"}:
        left, right = alike([left, right])
        if "float" in kinds:
            return Expression(f"({left.sql} {operator} {right.sql})", left.type)
        wide = f"({_wide(left)} {operator} {_wide(right)})"
        return Expression(f"CAST({wide} AS {sql_name(left.type)})", left.type, wide=wide)
    (p, s), (q, t) = _digits(left), _digits(right)
    left, right = (cast(e, _decimal(*_digits(e))) for e in (left, right))
    product, sum = (p + q + 1, s + t), (max(p - s, q - t) + max(s, t) + 1, max(s, t))
    return Expression(f"({left.sql} {operator} {right.sql})", _decimal(*(product if operator == "*" else sum)))


def _wide(integer: Expression) -> str:
    return integer.wide or f"CAST({integer.sql} AS DECIMAL(38, 0))"


def divided(left: Expression, operator: str, right: Expression) -> Expression:
    """``/`` (always a DOUBLE), ``%`` and ``DIV`` of integers."""
    for side in (left, right):
        require(side, "integer", *(["float"] if operator == "/" else []), what=f"`{operator}`")
        if side.kind == "null":
            raise Untranslatable(f"`{operator}` of NULL")
    if operator == "%":
        left, right = alike([left, right])
    else:
        type = pa.float64() if operator == "/" else pa.int64()
        left, right = cast(left, type), cast(right, type)
    sign = "%" if operator == "%" else "/"
    # To NULLIF, -0.0 isn't 0.0.
    divisor = f"CASE WHEN {right.sql} = 0 THEN NULL ELSE {right.sql} END"
    return Expression(f"({left.sql} {sign} {divisor})", left.type)
