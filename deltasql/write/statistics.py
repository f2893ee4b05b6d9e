"""What the log says of a data file's columns, so that readers may pass over the file.

Delta protocol, "Per-file Statistics". A bound must never exclude a value of the file: it is left out where it can't
be right, or made wider. The Parquet writer has kept the least and greatest values by the time that it closes a
file, so that they cost nothing here; `Seen` is what it can't tell.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.catalog.columns import stored_name
from deltasql.names import fold

_CHARACTERS = 32
"""Longer strings are cut off, as in Spark."""

_DEFAULT = 32
_PART = re.compile(r"`((?:[^`]|``)+)`|([^`.,]+)|([.,])")
_Tree: TypeAlias = dict[str, "str | _Tree"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column at the bottom of a file's schema, or a list or map, of which only the NULLs count.

    ``stored`` is its path in the file, ``place`` the same by position, ``column`` its number in the file's footer.
    """

    stored: tuple[str, ...]
    place: tuple[int, ...]
    column: int
    type: pa.DataType


def indexed(schema: pa.Schema, properties: Mapping[str, str], mode: str) -> tuple[Leaf, ...]:
    """The columns that a table wants statistics of, of those in its files.

    Those named by ``delta.dataSkippingStatsColumns``, else the first ``delta.dataSkippingNumIndexedCols`` (32; -1:
    all). ``schema`` is the table's without partition columns. A list or map counts as one.
    """
    named = properties.get("delta.dataSkippingStatsColumns")
    wanted = None if named is None else column_names(named)
    most = int(properties.get("delta.dataSkippingNumIndexedCols", _DEFAULT))
    leaves: list[Leaf] = []
    column = 0
    for count, (path, place) in enumerate(_bottom(schema)):
        type = path[-1].type
        if wanted is None:
            chosen = most < 0 or count < most
        else:
            names = tuple(fold(part.name) for part in path)
            chosen = any(names[:end] in wanted for end in range(1, len(names) + 1))
        if chosen:
            leaves.append(Leaf(tuple(stored_name(part, mode) for part in path), place, column, type))
        column += _width(type)
    return tuple(leaves)


def column_names(text: str) -> set[tuple[str, ...]]:
    """The columns of a list of names, ``a, b.c, `d.e` ``."""
    names: list[tuple[str, ...]] = [()]
    for quoted, plain, mark in _PART.findall(text):
        if mark == ",":
            names.append(())
        elif part := quoted.replace("``", "`") or plain.strip():
            names[-1] += (fold(part),)
    return set(names)


def _bottom(
    fields: pa.Schema | pa.StructType, above: tuple[pa.Field, ...] = (), place: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[pa.Field, ...], tuple[int, ...]]]:
    for at, each in enumerate(fields):
        if pa.types.is_struct(each.type):
            yield from _bottom(each.type, (*above, each), (*place, at))
        else:
            yield (*above, each), (*place, at)


def _width(type: pa.DataType) -> int:
    """How many columns a Parquet file has for a column of this type."""
    if not type.num_fields:
        return 1
    return sum(_width(type.field(at).type) for at in range(type.num_fields))


@dataclass(slots=True)
class Seen:
    """What the rows of a file have that its footer doesn't tell: columns with NaN, NULLs of lists, maps and VOIDs."""

    nan: set[Leaf] = field(default_factory=set)
    nulls: Counter[Leaf] = field(default_factory=Counter)

    def look(self, rows: pa.Table, leaves: Iterable[Leaf]) -> None:
        """Note what is in ``rows``, which go to the file."""
        for leaf in leaves:
            if _is_counted(leaf.type):
                self.nulls[leaf] += _values(rows, leaf).null_count
            elif pa.types.is_floating(leaf.type) and pc.any(pc.is_nan(_values(rows, leaf))).as_py():
                self.nan.add(leaf)


def _is_counted(type: pa.DataType) -> bool:
    """True for a type that footers have no statistics of."""
    return bool(pa.types.is_nested(type) or pa.types.is_null(type))


def _values(rows: pa.Table, leaf: Leaf) -> pa.ChunkedArray:
    top, *below = leaf.place
    return pc.struct_field(rows.column(top), below) if below else rows.column(top)


def as_json(file: pq.FileMetaData, leaves: Iterable[Leaf], seen: Seen) -> str:
    """The statistics of a file, as the log has them.

    A column with NaN has no bounds: readers differ in where NaN stands, and JSON has no word for it.
    """
    least: _Tree = {}
    greatest: _Tree = {}
    nulls: _Tree = {}
    for leaf in leaves:
        if _is_counted(leaf.type):
            _put(nulls, leaf.stored, str(seen.nulls[leaf]))
            continue
        parts = [file.row_group(group).column(leaf.column).statistics for group in range(file.num_row_groups)]
        _put(nulls, leaf.stored, str(sum(part.null_count for part in parts)))
        held = [part for part in parts if part.num_values]
        if leaf in seen.nan or not held or not all(part.has_min_max for part in held) or pa.types.is_binary(leaf.type):
            continue
        raw = pa.types.is_temporal(leaf.type)  # As Python's dates end with the year 9999.
        _put(least, leaf.stored, _least(min(part.min_raw if raw else part.min for part in held), leaf.type))
        _put(greatest, leaf.stored, _greatest(max(part.max_raw if raw else part.max for part in held), leaf.type))
    tree: _Tree = {"numRecords": str(file.num_rows), "minValues": least, "maxValues": greatest, "nullCount": nulls}
    return _object(tree | {"tightBounds": "true"})


@dataclass(slots=True)
class Gathered:
    """The same, gathered from the rows themselves: for a file whose footer doesn't tell, or not what is right."""

    rows: int = 0
    nan: set[Leaf] = field(default_factory=set)
    nulls: Counter[Leaf] = field(default_factory=Counter)
    ends: dict[Leaf, tuple[Any, Any]] = field(default_factory=dict)

    def look(self, batch: pa.RecordBatch, leaves: Iterable[Leaf]) -> None:
        """Take in rows of the file, in the columns of which ``leaves`` are."""
        self.rows += batch.num_rows
        for leaf in leaves:
            values = _values(batch, leaf)
            self.nulls[leaf] += values.null_count
            if pa.types.is_nested(leaf.type) or pa.types.is_binary(leaf.type):
                continue
            if pa.types.is_floating(leaf.type) and pc.any(pc.is_nan(values)).as_py():
                self.nan.add(leaf)
            # As Python's dates end with the year 9999.
            raw = values.cast(_RAW[leaf.type.bit_width]) if pa.types.is_temporal(leaf.type) else values
            least, greatest = pc.min_max(raw).as_py().values()
            if least is not None:
                low, high = self.ends.get(leaf, (least, greatest))
                self.ends[leaf] = min(low, least), max(high, greatest)

    def as_json(self, leaves: Iterable[Leaf], *, tight: bool, before: str | None = None) -> str:
        """The statistics of the file, as the log has them; of other columns what it said ``before``.

        They aren't ``tight`` where deleted rows are among those that were looked at.
        """
        tree: _Tree = {} if before is None else _parsed(before)
        least, greatest, nulls = (dict(_below(tree, key)) for key in ("minValues", "maxValues", "nullCount"))
        for leaf in leaves:
            low, high = (None, None) if leaf in self.nan else self.ends.get(leaf, (None, None))
            _put(nulls, leaf.stored, str(self.nulls[leaf]))
            for bounds in (least, greatest):
                _drop(bounds, leaf.stored)
            if low is not None:
                _put(least, leaf.stored, _least(low, leaf.type))
                _put(greatest, leaf.stored, _greatest(high, leaf.type))
        made: _Tree = {"numRecords": str(self.rows), "minValues": least, "maxValues": greatest, "nullCount": nulls}
        return _object(tree | made | {"tightBounds": json.dumps(tight)})


_RAW = {32: pa.int32(), 64: pa.int64()}


def _put(tree: _Tree, path: tuple[str, ...], text: str | None) -> None:
    if text is None:
        return
    for name in path[:-1]:
        below = tree.setdefault(name, {})
        assert isinstance(below, dict)  # noqa: S101 (a column has fields or values, never both)
        tree = below
    tree[path[-1]] = text


def _drop(tree: _Tree, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        below = tree.get(name)
        if not isinstance(below, dict):
            return
        tree = below
    tree.pop(path[-1], None)


def _below(tree: _Tree, key: str) -> _Tree:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


class _Digits(str):
    """A number of JSON as it was written."""

    __slots__ = ()


def _parsed(text: str) -> _Tree:
    """Statistics as parts that are JSON; none where the log's aren't such."""
    try:
        found = json.loads(text, parse_float=_Digits, parse_int=_Digits)
    except ValueError:
        return {}
    return _as_tree(found) if isinstance(found, dict) else {}


def _as_tree(values: Mapping[str, Any]) -> _Tree:
    return {name: _as_tree(value) if isinstance(value, dict) else _as_part(value) for name, value in values.items()}


def _as_part(value: Any) -> str:
    return str(value) if isinstance(value, _Digits) else json.dumps(value, ensure_ascii=False)


def say_the_same(one: str | None, other: str) -> bool:
    """True if two texts of statistics mean the same."""
    try:
        pair = [
            json.loads(text or "null", parse_float=decimal.Decimal, parse_int=decimal.Decimal) for text in (one, other)
        ]
    except ValueError:
        return False
    return all(isinstance(each, dict) for each in pair) and _tight(pair[0]) == _tight(pair[1])


def _tight(statistics: dict[str, Any]) -> dict[str, Any]:
    """With what holds where nothing is said (Delta protocol, "Per-file Statistics")."""
    return {"tightBounds": True, **statistics}


def _object(tree: _Tree) -> str:
    """JSON of parts that are JSON, which keeps all digits of a decimal."""
    parts = (
        f"{json.dumps(name, ensure_ascii=False)}:{value if isinstance(value, str) else _object(value)}"
        for name, value in tree.items()
    )
    return "{" + ",".join(parts) + "}"


# -- bounds as JSON, None for one that can't be written


def _least(value: Any, type: pa.DataType) -> str | None:
    if pa.types.is_string(type):
        return _string(value[:_CHARACTERS])
    if pa.types.is_timestamp(type):
        return _timestamp(value // 1000, type)
    return _same(value or -0.0 if pa.types.is_floating(type) else value, type)


def _greatest(value: Any, type: pa.DataType) -> str | None:
    if pa.types.is_string(type):
        return _string(_cut_above(value))
    if pa.types.is_timestamp(type):
        return _timestamp(-(-value // 1000), type)
    return _same(value or 0.0 if pa.types.is_floating(type) else value, type)


def _same(value: Any, type: pa.DataType) -> str | None:
    if pa.types.is_floating(type):
        return json.dumps(value) if math.isfinite(value) else None
    if pa.types.is_date(type):
        try:
            return f'"{dt.date(1970, 1, 1) + dt.timedelta(value)}"'
        except OverflowError:
            return None
    return f"{value:f}" if pa.types.is_decimal(type) else json.dumps(value)


def _timestamp(milliseconds: int, type: pa.DataType) -> str | None:
    try:
        at = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=milliseconds)  # noqa: DTZ001 (the zone is the type's)
    except OverflowError:
        return None
    return f'"{at.isoformat(timespec="milliseconds")}{"Z" if type.tz else ""}"'


def _cut_above(value: str) -> str | None:
    """The string, or one that is short and after all that begin like it and aren't after it.

    Spark's rule: what follows the part that is kept is replaced by a greater character.
    """
    if len(value) <= _CHARACTERS:
        return value
    follows = value[_CHARACTERS]
    greater = next((sign for sign in ("\x7f", "\U0010ffff") if follows < sign), None)
    return None if greater is None else value[:_CHARACTERS] + greater


def _string(value: str | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
