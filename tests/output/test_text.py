from __future__ import annotations

import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.output.text import texts


def read(values: list[object], kind: pa.DataType) -> list[str | None]:
    result: list[str | None] = texts(pa.array(values, kind)).to_pylist()
    return result


@given(st.lists(st.floats()))
def test_floats_are_python_reprs(values):
    assert read(values, pa.float64()) == [repr(value) for value in values]


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_single_floats_read_back(values):
    got = [float(text or "") for text in read(values, pa.float32())]
    again = pa.array(got).cast(pa.float32(), safe=False).to_pylist()
    assert all(a == b or math.isnan(a) for a, b in zip(again, pa.array(values, pa.float32()).to_pylist(), strict=True))


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20)))
def test_decimals_have_no_exponent(values):
    got = read(values, pa.decimal128(38, 12))
    assert [Decimal(text or "") for text in got] == values
    assert not any("E" in (text or "") for text in got)


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (0, pa.timestamp("s"), "1970-01-01 00:00:00"),
        (1, pa.timestamp("ms"), "1970-01-01 00:00:00.001000"),
        (-1, pa.timestamp("us"), "1969-12-31 23:59:59.999999"),
        (1_000, pa.timestamp("ns"), "1970-01-01 00:00:00.000001"),
        (1, pa.timestamp("ns"), "1970-01-01 00:00:00.000000001"),
        (0, pa.timestamp("us", "Europe/Berlin"), "1970-01-01 01:00:00+01:00"),
        (500, pa.timestamp("ms", "-02:30"), "1969-12-31 21:30:00.500000-02:30"),
        (0, pa.timestamp("us", "No/Where"), "1970-01-01 00:00:00+00:00"),
        (253402300800, pa.timestamp("s", "UTC"), "10000-01-01 00:00:00+00:00"),
        (2**62, pa.timestamp("s", "UTC"), "<value out of range: 4611686018427387904>"),
        (3_000_000, pa.date32(), "10183-09-21"),
        (0, pa.time64("us"), "00:00:00"),
        (1_500, pa.time32("ms"), "00:00:01.500000"),
        (-1_500, pa.duration("ms"), "-00:00:01.5"),
        ((14, -1, 10**9), pa.month_day_nano_interval(), "14 months -1 day 00:00:01"),
        ((0, 0, 0), pa.month_day_nano_interval(), "00:00:00"),
        (b"\xca\xfe", pa.binary_view(), r"\xcafe"),
        (b"\xca\xfe", pa.binary(2), r"\xcafe"),
        ("x", pa.string_view(), "x"),
        ([1, 2], pa.list_(pa.int8(), 2), "[1, 2]"),
        ([1, 2], pa.list_view(pa.int8()), "[1, 2]"),
        ([["a"], None], pa.large_list(pa.list_(pa.string_view())), "[['a'], NULL]"),
        ({}, pa.struct([]), "{}"),
    ],
)
def test_values(value, kind, wanted):
    assert read([value], kind) == [wanted]


def test_extensions_and_runs_read_as_what_they_hold():
    assert texts(pa.array([b"0123456789abcdef"], pa.uuid())).to_pylist() == [r"\x" + b"0123456789abcdef".hex()]
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None]))
    assert texts(runs).to_pylist() == ["a", "a", None]


@pytest.mark.parametrize("kind", [pa.list_view(pa.int8()), pa.large_list_view(pa.string()), pa.list_(pa.int64(), 2)])
@pytest.mark.parametrize("start", range(4))
def test_lists_of_every_layout(kind, start):
    values = [[1, 2], None, [None, 3], [4, 5]]
    if pa.types.is_string(kind.value_type):
        values = [value and [None if item is None else str(item) for item in value] for value in values]
    wanted = [None if value is None else str(value).replace("None", "NULL") for value in values]
    assert texts(pa.array(values, kind).slice(start)).to_pylist() == wanted[start:]
