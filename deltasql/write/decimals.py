"""To and from DECIMAL: rounded half away from zero to the scale, never beyond the precision.

Everything passes through decimal256(76, …): Arrow's own casts between decimal128 refuse or wrap
where the precision of the intermediate, rather than of the value, is too small.
"""

from __future__ import annotations

import decimal

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.write.misfit import Misfit, require
from deltasql.write.strings import NUMBER, matches

_WIDE = 76
_MOST = 38
_CONTEXT = decimal.Context(prec=2 * _WIDE, rounding=decimal.ROUND_HALF_UP)


def decimal_to_decimal(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """The nearest decimal of the target's scale, ties away from zero."""
    scale = values.type.scale
    wide = values.cast(pa.decimal256(_WIDE, max(scale, target.scale)))
    if scale > target.scale:
        wide = pc.round(wide, target.scale, "half_towards_infinity")
    return wide.cast(target)


def integer_to_decimal(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Integers with as many digits as the target has before its point."""
    return values.cast(pa.decimal256(_WIDE, target.scale)).cast(target)


def float_to_decimal(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """The shortest decimal that reads as the float (2.675 is 2.675, not 2.67499…), rounded."""
    return _from_text(values.cast(pa.string()), target, zone)


def string_to_decimal(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """``[+-]digits[.digits][e[+-]digits]``, rounded."""
    require(matches(values, NUMBER))
    return _from_text(values, target, zone)


def decimal_to_integer(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Whole numbers in the target's range."""
    return values.cast(target)


def decimal_to_float(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """The nearest float. Read from the text: Arrow's own conversion can be off by the last bit."""
    floats = values.cast(pa.string()).cast(target)
    require(pc.is_finite(floats))
    return floats


def _from_text(texts: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    try:
        exact = texts.cast(pa.decimal256(_WIDE, _MOST))
    except pa.ArrowInvalid:
        # More digits after the point than fit there, so that each must be rounded on its own; or a misfit.
        return pa.array([_rounded(text, target.scale) for text in texts.to_pylist()], target)
    return decimal_to_decimal(exact, target, zone)


def _rounded(text: str | None, scale: int) -> decimal.Decimal | None:
    if text is None:
        return None
    try:
        value = decimal.Decimal(text)
    except decimal.InvalidOperation as error:
        raise Misfit from error
    if not value.is_finite() or (value and value.adjusted() > _MOST):
        raise Misfit
    return value.quantize(decimal.Decimal(1).scaleb(-scale), context=_CONTEXT)
