"""Dates and timestamps: instants and wall-clock times meet through the session's time zone.

A wall-clock time that the zone skips or repeats is what Arrow's ``assume_timezone`` calls the earliest.
Resolution is microseconds, as in Delta: finer parts are dropped, towards the past.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.write.misfit import require
from deltasql.write.strings import matches

_WALL = pa.timestamp("us")
_INSTANT = pa.timestamp("us", "UTC")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_OFFSET = r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
_ZONED = rf"{_DATE}[ T]{_CLOCK}{_OFFSET}"
_TIMESTAMP = rf"{_DATE}(?:[ T]{_CLOCK}{_OFFSET}?)?"
_SHIFTABLE = 2**63 - 2 * 86_400 * 10**6


def string_to_date(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """``yyyy-MM-dd``, a day of the calendar."""
    require(matches(values, _DATE))
    return values.cast(target)


def string_to_timestamp(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """``yyyy-MM-dd[{ |T}HH:mm[:ss[.f…]][Z|±HH:mm]]``; without an offset in ``zone``."""
    require(matches(values, _TIMESTAMP))
    texts = pc.replace_substring_regex(values, r"(\.[0-9]{6})[0-9]+", r"\1")
    zoned = matches(values, _ZONED)
    instants = pc.if_else(zoned, texts, None).cast(_INSTANT)
    walls = pc.if_else(zoned, None, texts).cast(_WALL)
    if target.tz is None:
        return pc.coalesce(walls, _wall(instants, zone)).cast(target)
    return pc.coalesce(_instant(walls, zone), instants).cast(target)


def date_to_date(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """Days; date64 may hold milliseconds that are none."""
    return values.cast(target)


def date_to_timestamp(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """Midnight in ``zone``."""
    walls = values.cast(pa.date32()).cast(_WALL)
    return (walls if target.tz is None else _instant(walls, zone)).cast(target)


def date_to_string(values: pa.Array, target: pa.DataType, _zone: str) -> pa.Array:
    """``yyyy-MM-dd``."""
    return _readable(values.cast(pa.date32()).cast(target))


def timestamp_to_timestamp(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """The same instant or wall-clock time, or the one that is the other in ``zone``."""
    micros = _micros(values)
    if (values.type.tz is None) == (target.tz is None):
        return micros.cast(target)
    return (_wall(micros, zone) if target.tz is None else _instant(micros, zone)).cast(target)


def timestamp_to_date(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """The day of which the timestamp is the midnight (in ``zone``, if it is an instant)."""
    walls = _walls(values, zone)
    days = walls.cast(pa.date32())
    require(pc.equal(days.cast(_WALL), walls))
    return days.cast(target)


def timestamp_to_string(values: pa.Array, target: pa.DataType, zone: str) -> pa.Array:
    """``yyyy-MM-dd HH:mm:ss[.ffffff]``, an instant as the clock in ``zone`` shows it."""
    return pc.replace_substring_regex(_readable(_walls(values, zone).cast(target)), r"\.0{6}$", "")


def _readable(texts: pa.Array) -> pa.Array:
    # Arrow's text of a year beyond its calendar: <value out of range: …>
    require(pc.invert(pc.starts_with(texts, "<")))
    return texts


def _micros(values: pa.Array) -> pa.Array:
    if values.type.unit == "ns":
        # Arrow's cast truncates towards 1970 instead.
        values = pc.floor_temporal(values.cast(pa.timestamp("ns", values.type.tz and "UTC")), unit="microsecond")
    return values.cast(_WALL if values.type.tz is None else _INSTANT)


def _walls(values: pa.Array, zone: str) -> pa.Array:
    micros = _micros(values)
    return micros if values.type.tz is None else _wall(micros, zone)


def _wall(instants: pa.Array, zone: str) -> pa.Array:
    _require_shiftable(instants)
    return pc.local_timestamp(instants.cast(pa.timestamp("us", zone)))


def _instant(walls: pa.Array, zone: str) -> pa.Array:
    _require_shiftable(walls)
    return pc.assume_timezone(walls, zone, ambiguous="earliest", nonexistent="latest").cast(_INSTANT)


def _require_shiftable(micros: pa.Array) -> None:
    # Arrow wraps round when a zone's offset takes a time over the ends of the int64.
    counts = micros.cast(pa.int64())
    require(pc.and_(pc.less(counts, _SHIFTABLE), pc.greater(counts, -_SHIFTABLE)))
