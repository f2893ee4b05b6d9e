"""To and from STRING: a string fits if it reads exactly as the type, a value goes in as its plain text.

Patterns decide what reads as a type, as Arrow's own parsers also take ``0x10`` for an integer and
refuse ``+1``. Nothing is trimmed.
"""

from __future__ import annotations

import decimal

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.write.misfit import require

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_INFINITE = r"(?i:[+-]?inf(?:inity)?)"
_FLOAT = rf"{NUMBER}|{_INFINITE}|(?i:[+-]?nan)"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")


def matches(values: pa.Array, pattern: str) -> pa.Array:
    """A mask: the whole string is of the pattern (RE2)."""
    return pc.match_substring_regex(values, rf"\A(?:{pattern})\z")


def string_to_integer(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """``[+-]digits``, in range."""
    require(matches(values, "[+-]?[0-9]+"))
    try:
        return values.cast(target)
    except pa.ArrowInvalid:
        # Arrow takes no plus sign and no zeros beyond the type's digits.
        return pc.replace_substring_regex(values, r"^(-?)\+?0*([0-9]+)$", r"\1\2").cast(target)


def string_to_float(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """A decimal number, with or without exponent; NaN, inf and infinity in any case."""
    require(matches(values, _FLOAT))
    floats = values.cast(target)
    require(pc.equal(pc.is_inf(floats), matches(values, _INFINITE)))
    return floats


def string_to_boolean(values: pa.Array, _target: pa.DataType, _zone: str) -> pa.Array:
    """True/false, t/f, yes/no, y/n, 1/0, in any case."""
    words = pc.ascii_lower(values)
    require(pc.is_in(words, value_set=pa.array([*_TRUE, *_FALSE, None], pa.string())))
    true = pc.is_in(words, value_set=pa.array(_TRUE, pa.string()))
    return pc.if_else(values.is_valid(), true, None)


def string_to_binary(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """The UTF-8 bytes."""
    return values.cast(target)


def binary_to_string(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Bytes that are valid UTF-8."""
    return values.cast(target)


def plainly_to_string(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Booleans (``true``) and integers."""
    return values.cast(target)


def float_to_string(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """The shortest text that reads as the float, spelled as DataFusion's CAST does: ``1.0``, ``1e300``, ``NaN``."""
    texts = pc.replace_substring_regex(values.cast(target), r"^(-?[0-9]+)$", r"\1.0")
    texts = pc.replace_substring(texts, "nan", "NaN")
    size = pc.abs(values)
    alike = pc.or_(pc.and_(pc.greater_equal(size, 1e-4), pc.less(size, 1e10)), pc.equal(size, 0))
    # Beyond these Arrow changes to exponents elsewhere than DataFusion does.
    other = pc.fill_null(pc.and_(pc.is_finite(values), pc.invert(alike)), fill_value=False)
    plain = (1e-6, 1e13) if pa.types.is_float32(values.type) else (1e-5, 1e16)
    spelled = [_spelled(text, *plain) for text in texts.filter(other).to_pylist()]
    return pc.replace_with_mask(texts, other, pa.array(spelled, target)) if spelled else texts


def _spelled(text: str, least: float, most: float) -> str:
    value = decimal.Decimal(text)
    if not least <= abs(float(text)) < most:
        return f"{value.normalize():e}".replace("e+", "e")
    plain = f"{value:f}"
    return plain if "." in plain else f"{plain}.0"


def decimal_to_string(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """All digits of the scale, never an exponent."""
    texts = values.cast(target)
    if pc.any(pc.match_substring(texts, "E"), min_count=0).as_py():
        return pa.array([None if value is None else f"{value:f}" for value in values.to_pylist()], target)
    return texts
