"""Integers, floating-point numbers and booleans, stored by value: what isn't the same number doesn't fit."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.write.misfit import require


def integer_to_integer(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Integers in the target's range."""
    return values.cast(target)


def integer_to_float(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Integers that the float represents exactly."""
    try:
        return values.cast(target)
    except pa.ArrowInvalid:
        # Arrow refuses all beyond 2^53 (2^24), exact or not.
        floats = values.cast(target, safe=False)
    limit = 2.0**64 if pa.types.is_uint64(values.type) else 2.0**63
    in_range = pc.less(floats.cast(pa.float64()), limit)
    require(in_range)
    require(pc.equal(floats.cast(values.type, safe=False), values))
    return floats


def integer_to_boolean(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """0 and 1."""
    require(pc.is_in(values, value_set=pa.array([0, 1, None], values.type)))
    return values.cast(target)


def boolean_to_integer(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """False as 0, true as 1."""
    return values.cast(target)


def float_to_integer(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Whole numbers in the target's range; never NaN or an infinity."""
    return values.cast(target)


def float_to_float(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """The nearest float; a finite number must not become an infinity."""
    floats = values.cast(target)
    require(pc.equal(pc.is_inf(floats), pc.is_inf(values)))
    return floats
