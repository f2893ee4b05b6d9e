"""What the log says of a file's columns never excludes a value that is there."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from deltasql.write.files import FileSettings

from .handmade import table, written

_EDGE = 2**63 - 1
TYPES = {
    "b": (pa.int8(), st.integers(-128, 127)),
    "l": (pa.int64(), st.integers(-_EDGE, _EDGE)),
    "f": (pa.float32(), st.floats(width=32)),
    "d": (pa.float64(), st.floats()),
    "c": (pa.decimal128(7, 2), st.decimals(-99999, 99999, places=2)),
    "e": (pa.decimal128(38, 10), st.decimals(-(10**27), 10**27, places=10)),
    "s": (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=70)),
    "w": (pa.string(), st.text("a\x7f\u0080\ud7ff\U0010ffff", min_size=30, max_size=40)),
    "t": (pa.timestamp("us", "UTC"), st.integers(-_EDGE, _EDGE)),
    "u": (pa.timestamp("us", "UTC"), st.integers(-(10**13), 10**13)),
    "n": (pa.timestamp("us"), st.integers(-(10**13), 10**13)),
    "y": (pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    "z": (pa.date32(), st.integers(-1000, 1000)),
    "o": (pa.bool_(), st.booleans()),
    "i": (pa.binary(), st.binary()),
}


def _column(name: str, values: list[Any]) -> pa.Array:
    type = TYPES[name][0]
    if pa.types.is_temporal(type):
        return pa.array(values, pa.int32() if pa.types.is_date(type) else pa.int64()).view(type)
    return pa.array(values, type)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(1, 8))
    return {
        name: draw(st.lists(st.none() | values, min_size=rows, max_size=rows)) for name, (_, values) in TYPES.items()
    }


@given(columns(), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_every_value_is_within_its_bounds(values: dict[str, list[Any]], group: int) -> None:
    arrays = {name: _column(name, column) for name, column in values.items()}
    top = pa.StructArray.from_arrays(
        list(arrays.values()), names=list(arrays), mask=pa.array([row % 3 == 2 for row in range(len(values["l"]))])
    )
    with tempfile.TemporaryDirectory() as folder:
        (file,) = table(Path(folder), pa.table({**arrays, "top": top}), settings=FileSettings(row_group_rows=group))
        stats = json.loads(file.stats, parse_float=decimal.Decimal)
        adds = pa.table(DeltaTable(folder).get_add_actions(flatten=True)).to_pylist()[0]
    assert stats["numRecords"] == file.rows == len(values["l"])
    assert adds["null_count.s"] == arrays["s"].null_count
    for name in set(arrays) - {"t", "y"}:  # Python has no such dates.
        least, greatest = (adds.get(f"{kind}.{name}") for kind in ("min", "max"))
        present = [value for value in arrays[name].to_pylist() if value is not None]
        assert least is None or all(least <= value for value in present), (name, adds)
        assert greatest is None or all(value <= greatest for value in present), (name, adds)
    inside = {name: [row for at, row in enumerate(column) if at % 3 != 2] for name, column in values.items()}
    for part, held in ((values, stats), (inside, {key: _of(stats, key) for key in _KEYS})):
        for name, column in part.items():
            present = [value for value in column if value is not None]
            assert held["nullCount"][name] == len(values["l"]) - len(present)
            for kind, fits in (("minValues", _above), ("maxValues", _below)):
                if name in held[kind]:
                    assert present
                    assert all(fits(value, _parsed(held[kind][name], name)) for value in present), (name, kind, held)


_KEYS = ("minValues", "maxValues", "nullCount")


def _of(stats: dict[str, Any], key: str) -> dict[str, Any]:
    return stats[key].get("top", {})


def _above(value: Any, bound: Any) -> bool:
    return value >= bound and (
        value != 0 or not isinstance(value, float) or math.copysign(1, bound) <= math.copysign(1, value) or bound < 0
    )


def _below(value: Any, bound: Any) -> bool:
    return value <= bound and (
        value != 0 or not isinstance(value, float) or math.copysign(1, bound) >= math.copysign(1, value) or bound > 0
    )


def _parsed(bound: Any, name: str) -> Any:
    type = TYPES[name][0]
    if pa.types.is_timestamp(type):
        assert bound.endswith("Z") == (type.tz is not None)
        since = dt.datetime.fromisoformat(bound.removesuffix("Z")) - dt.datetime(1970, 1, 1)
        return since // dt.timedelta(microseconds=1)
    if pa.types.is_date(type):
        return (dt.date.fromisoformat(bound) - dt.date(1970, 1, 1)).days
    return float(bound) if pa.types.is_floating(type) else bound


def _stats(tmp_path: Path, rows: pa.Table, **properties: str) -> dict[str, Any]:
    keys = {f"delta.dataSkipping{name}": value for name, value in properties.items()}
    (file,) = written(tmp_path, rows, properties=keys)
    return json.loads(file.stats, parse_float=decimal.Decimal)


def _bounds(tmp_path: Path, values: pa.Array) -> tuple[Any, Any]:
    stats = _stats(tmp_path, pa.table({"a": values}))
    return stats["minValues"].get("a"), stats["maxValues"].get("a")


D, T = decimal.Decimal, pa.timestamp("us", "UTC")
BOUNDS = [
    (pa.array([3, None, -1]), (-1, 3)),
    (pa.array([None, None], pa.int64()), (None, None)),
    (pa.array([0.5, math.nan]), (None, None)),
    (pa.array([0.5, math.inf]), (D("0.5"), None)),
    (pa.array([-math.inf, 0.5]), (None, D("0.5"))),
    (
        pa.array([D("0.10"), D("-12345678901234567890.12")], pa.decimal128(38, 2)),
        (D("-12345678901234567890.12"), D("0.10")),
    ),
    (pa.array(["b" * 40, "ab"]), ("ab", "b" * 32 + "\x7f")),
    (pa.array(["é" * 33]), ("é" * 32, "é" * 32 + "\U0010ffff")),
    (pa.array(["\U0010ffff" * 33]), ("\U0010ffff" * 32, None)),
    (pa.array(["b" * 32]), ("b" * 32, "b" * 32)),
    (pa.array(['"\\\n\x00']), ('"\\\n\x00', '"\\\n\x00')),
    (pa.array([1], T), ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.001Z")),
    (pa.array([-1], pa.timestamp("us")), ("1969-12-31T23:59:59.999", "1970-01-01T00:00:00.000")),
    (pa.array([dt.datetime(9999, 12, 31, 23, 59, 59, 999999)], T), ("9999-12-31T23:59:59.999Z", None)),
    (pa.array([dt.date(1, 1, 1)]), ("0001-01-01", "0001-01-01")),
    (pa.array([2932897]).cast(pa.int32()).view(pa.date32()), (None, None)),
    (pa.array([True, False]), (False, True)),
    (pa.array([b"a"]), (None, None)),
]


@pytest.mark.parametrize(("values", "bounds"), BOUNDS, ids=str)
def test_bounds(tmp_path: Path, values: pa.Array, bounds: tuple[Any, Any]) -> None:
    assert _bounds(tmp_path, values) == bounds


def test_zeros_keep_both_signs_inside(tmp_path: Path) -> None:
    """Some readers order -0.0 before 0.0."""
    least, greatest = (float(each) for each in _bounds(tmp_path, pa.array([0.0, -0.0])))
    assert (math.copysign(1, least), math.copysign(1, greatest)) == (-1, 1)


def test_nan_of_any_row_group_counts(tmp_path: Path) -> None:
    (file,) = written(tmp_path, pa.table({"a": [math.nan, 1.0, 2.0]}), settings=FileSettings(row_group_rows=1))
    assert json.loads(file.stats)["maxValues"] == {}


def test_nulls_of_struct_count_for_its_fields(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "st": pa.array(
                [{"a": 1, "n": {"b": None}}, None],
                pa.struct([("a", pa.int64()), ("n", pa.struct([("b", pa.int64())]))]),
            )
        }
    )
    assert _stats(tmp_path, rows) == {
        "numRecords": 2,
        "minValues": {"st": {"a": 1}},
        "maxValues": {"st": {"a": 1}},
        "nullCount": {"st": {"a": 1, "n": {"b": 2}}},
        "tightBounds": True,
    }


_WIDE = pa.table(
    {
        "a": [1],
        "l": pa.array([[{"x": 1, "y": 2}]]),
        "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        "s": pa.array([{"b": 5, "c.d": 6}]),
        "e": [7],
    }
)
_ALL = {"a": 1, "s": {"b": 5, "c.d": 6}, "e": 7}
_NULLS = {"a": 0, "l": 0, "m": 0, "s": {"b": 0, "c.d": 0}, "e": 0}
COLUMNS = [
    ({}, _ALL, _NULLS),
    ({"NumIndexedCols": "-1"}, _ALL, _NULLS),
    ({"NumIndexedCols": "0"}, {}, {}),
    ({"NumIndexedCols": "3"}, {"a": 1}, {"a": 0, "l": 0, "m": 0}),
    ({"NumIndexedCols": "4"}, {"a": 1, "s": {"b": 5}}, {"a": 0, "l": 0, "m": 0, "s": {"b": 0}}),
    ({"StatsColumns": "e, S"}, {"s": {"b": 5, "c.d": 6}, "e": 7}, {"s": {"b": 0, "c.d": 0}, "e": 0}),
    ({"StatsColumns": "s.`c.d`,gone", "NumIndexedCols": "1"}, {"s": {"c.d": 6}}, {"s": {"c.d": 0}}),
    ({"StatsColumns": "l,m"}, {}, {"l": 0, "m": 0}),
]


@pytest.mark.parametrize(("properties", "least", "nulls"), COLUMNS, ids=str)
def test_columns_that_have_statistics(
    tmp_path: Path, properties: dict[str, str], least: dict[str, Any], nulls: dict[str, Any]
) -> None:
    stats = _stats(tmp_path, _WIDE, **properties)
    assert stats["minValues"] == stats["maxValues"] == least
    assert stats["nullCount"] == nulls


def test_nulls_of_lists_and_maps(tmp_path: Path) -> None:
    inner = pa.struct([("l", pa.list_(pa.int64()))])
    rows = pa.table({"l": [[1], None, [None]], "s": pa.array([{"l": None}, None, {"l": [None]}], inner)})
    (file,) = written(tmp_path, rows, settings=FileSettings(row_group_rows=1))
    assert json.loads(file.stats)["nullCount"] == {"l": 1, "s": {"l": 2}}


def test_more_columns_than_have_statistics(tmp_path: Path) -> None:
    stats = _stats(tmp_path, pa.table({f"c{at}": [at] for at in range(40)}))
    assert list(stats["maxValues"].values()) == list(range(32))
