r"""How a value reads as text, in a table and in csv: the one place that says so.

Booleans ``true``/``false``; floats as the shortest text that reads back the same; decimals without exponent;
``2024-01-31``; ``2024-01-31 09:30:00`` with six digits of the second, or nine, where it has a fraction, and
``+00:00`` behind an instant; ``\xff00`` for bytes; ``[1, 2]``, ``{k: v}``, ``{a: 1}`` with strings in single quotes.
A date or time beyond the calendar reads as Arrow's own words for it: no value makes a writer fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.output import nested
from deltasql.output.lines import TEXT, concat, rewritten, text_array

_NULL_INSIDE = "NULL"
_FRACTIONS = (
    (r"(:\d\d)\.0+([+-].*)?$", r"\1\2"),
    (r"(:\d\d\.\d{3})([+-].*)?$", r"\1000\2"),
    (r"(:\d\d\.\d{6})000([+-].*)?$", r"\1\2"),
)
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def texts(array: pa.Array) -> pa.Array:
    """Each value of ``array`` as a string (`lines.TEXT`); null stays null."""
    array = nested.plain(array)
    for matches, render in _TEXTS:
        if matches(array.type):
            return render(array)
    return text_array(None if value is None else str(value) for value in array.to_pylist())


def clock(array: pa.Array) -> pa.Array:
    """Timestamps or times of day as they stand, without a zone: in UTC where ``array`` has one."""
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = array.cast(pa.int64()).cast(pa.timestamp(array.type.unit))
    return _fraction(array.cast(TEXT))


def _cast(array: pa.Array) -> pa.Array:
    return array.cast(TEXT)


def _floating(array: pa.Array) -> pa.Array:
    """Python's ``repr``. Arrow's text has the same digits in another notation for some, which Python writes anew."""
    text = array.cast(TEXT)
    text = pc.replace_substring_regex(text, r"^(-?\d+)$", r"\1.0")
    return rewritten(text, r"e|0\.0000", lambda value: repr(float(value)))


def _decimal(array: pa.Array) -> pa.Array:
    text = array.cast(TEXT)
    if pc.any(pc.match_substring(text, "E")).as_py():
        return text_array(None if value is None else format(value, "f") for value in array.to_pylist())
    return text


def _timestamp(array: pa.Array) -> pa.Array:
    zone = array.type.tz
    if zone is None:
        return clock(array)
    if zone.upper() not in ("UTC", "+00:00", "Z", "ETC/UTC"):
        try:
            text = pc.replace_substring_regex(array.cast(TEXT), r"([+-]\d\d)(\d\d)$", r"\1:\2")
        except pa.ArrowInvalid:  # the machine doesn't know the zone; the instant is the same in UTC
            pass
        else:
            return _fraction(text)
    return pc.replace_substring_regex(clock(array), r"(\d)$", r"\1+00:00")


def _fraction(text: pa.Array) -> pa.Array:
    """No fraction where it is zero, else six digits, or nine where the last three aren't zero."""
    for pattern, replacement in _FRACTIONS:
        text = pc.replace_substring_regex(text, pattern, replacement)
    return text


def _binary(array: pa.Array) -> pa.Array:
    return text_array(None if value is None else "\\x" + value.hex() for value in array.to_pylist())


def _duration(array: pa.Array) -> pa.Array:
    unit = _NANOSECONDS[array.type.unit]
    counts = array.cast(pa.int64()).to_pylist()
    return text_array(None if count is None else _interval_text(0, 0, count * unit) for count in counts)


def _interval(array: pa.Array) -> pa.Array:
    return text_array(None if value is None else _interval_text(*value) for value in array.to_pylist())


def _interval_text(months: int, days: int, nanoseconds: int) -> str:
    """``2 months 3 days -04:05:06.5``; the clock counts on beyond a day, since days needn't have 24 hours."""
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    parts = [
        f"{count} {unit}{'' if abs(count) == 1 else 's'}" for count, unit in ((months, "month"), (days, "day")) if count
    ]
    if nanoseconds or not parts:
        digits = f".{fraction:09d}".rstrip("0") if fraction else ""
        parts.append(f"{'-' if nanoseconds < 0 else ''}{hour:02d}:{minute:02d}:{second:02d}{digits}")
    return " ".join(parts)


def _list(array: pa.Array) -> pa.Array:
    return text_array(None if values is None else f"[{', '.join(values)}]" for values in nested.lists(array, _inside))


def _map(array: pa.Array) -> pa.Array:
    return text_array(map(_braces, nested.maps(array, _inside, _inside)))


def _struct(array: pa.Array) -> pa.Array:
    return text_array(map(_braces, nested.structs(array, _inside)))


def _braces(pairs: list[tuple[str, str]] | None) -> str | None:
    return None if pairs is None else "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _inside(array: pa.Array) -> list[str]:
    array = nested.plain(array)
    text = texts(array)
    if is_text(array.type):
        text = concat("'", pc.replace_substring(text, "'", "''"), "'")
    values: list[str] = text.fill_null(_NULL_INSIDE).to_pylist()
    return values


def is_number(kind: pa.DataType) -> bool:
    """Whether ``kind`` is a number, which stands to the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether ``kind`` is one of Arrow's types of strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Whether ``kind`` is one of Arrow's types of bytes."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether ``kind`` is a list with offsets, as `nested.plain` leaves them."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


_TEXTS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (is_text, _cast),
    (pa.types.is_integer, _cast),
    (pa.types.is_boolean, _cast),
    (pa.types.is_null, _cast),
    (pa.types.is_date, _cast),
    (pa.types.is_floating, _floating),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_time, clock),
    (pa.types.is_duration, _duration),
    (pa.types.is_interval, _interval),
    (is_binary, _binary),
    (is_list, _list),
    (pa.types.is_map, _map),
    (pa.types.is_struct, _struct),
)
