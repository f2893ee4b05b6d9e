"""Store assignment, rule by rule: what fits, as what, and what is said about the rest."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from decimal import Decimal as D

import datafusion
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltasql.errors import CastError, ConstraintViolation, SchemaMismatch
from deltasql.write.assignment import assign

UTC = pa.timestamp("us", "UTC")
NTZ = pa.timestamp("us")
BERLIN = "Europe/Berlin"


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def stored(values: pa.Array, type: pa.DataType, *, zone: str = "UTC", nullable: bool = True) -> pa.Array:
    schema = pa.schema([pa.field("c", type, nullable, {"comment": "kept"})], {"schema": "metadata"})
    batch = assign(pa.RecordBatch.from_arrays([values], ["other name"]), schema, time_zone=zone)
    batch.validate(full=True)
    assert batch.schema.equals(schema, check_metadata=True)
    return batch.column(0)


FITS = [
    # integers
    (pa.int64(), 127, pa.int8(), 127),
    (pa.int64(), -128, pa.int8(), -128),
    (pa.uint64(), 2**63 - 1, pa.int64(), 2**63 - 1),
    (pa.uint8(), 255, pa.int16(), 255),
    (pa.int64(), 2**53, pa.float64(), float(2**53)),
    (pa.int64(), 2**60, pa.float64(), float(2**60)),
    (pa.int64(), -(2**63), pa.float64(), -(2.0**63)),
    (pa.uint64(), 2**63, pa.float64(), 2.0**63),
    (pa.int64(), 2**30, pa.float32(), float(2**30)),
    (pa.int32(), 999, pa.decimal128(5, 2), D("999.00")),
    (pa.int64(), 2**63 - 1, pa.decimal128(38, 19), D(2**63 - 1)),
    (pa.uint64(), 2**64 - 1, pa.decimal128(20, 0), D(2**64 - 1)),
    (pa.int8(), 0, pa.decimal128(38, 38), D(0)),
    # floats
    (pa.float64(), 3.0, pa.int32(), 3),
    (pa.float64(), -0.0, pa.int32(), 0),
    (pa.float64(), -(2.0**63), pa.int64(), -(2**63)),
    (pa.float16(), 2.0, pa.int8(), 2),
    (pa.float16(), 1.5, pa.float64(), 1.5),
    (pa.float64(), 0.1, pa.float32(), 0.10000000149011612),
    (pa.float64(), math.inf, pa.float32(), math.inf),
    (pa.float64(), 1e-300, pa.float32(), 0.0),
    (pa.float64(), 2.675, pa.decimal128(10, 2), D("2.68")),
    (pa.float64(), -2.675, pa.decimal128(10, 2), D("-2.68")),
    (pa.float64(), 1.005, pa.decimal128(10, 2), D("1.01")),
    (pa.float64(), 1e-300, pa.decimal128(10, 2), D("0.00")),
    (pa.float64(), 1e16, pa.decimal128(38, 2), D("1e16")),
    (pa.float64(), 99.994, pa.decimal128(4, 2), D("99.99")),
    (pa.float32(), 0.1, pa.decimal128(10, 9), D("0.1")),
    # decimals
    (pa.decimal128(4, 3), D("1.005"), pa.decimal128(4, 2), D("1.01")),
    (pa.decimal128(4, 3), D("-1.005"), pa.decimal128(4, 2), D("-1.01")),
    (pa.decimal128(4, 3), D("1.004"), pa.decimal128(4, 2), D("1.00")),
    (pa.decimal128(2, 1), D("0.5"), pa.decimal128(1, 0), D(1)),
    (pa.decimal128(38, 0), D(10) ** 27, pa.decimal128(38, 10), D(10) ** 27),
    (pa.decimal128(38, 38), D("0.5"), pa.decimal128(1, 0), D(1)),
    (pa.decimal256(60, 2), D("1.25"), pa.decimal128(3, 1), D("1.3")),
    (pa.decimal32(5, 2), D("1.25"), pa.decimal128(3, 1), D("1.3")),
    (pa.decimal128(5, -2), D(300), pa.decimal128(5, 0), D(300)),
    (pa.decimal128(5, 2), D("12.00"), pa.int8(), 12),
    (pa.decimal128(38, 9), D("0.1"), pa.float64(), 0.1),
    (pa.decimal128(38, 9), D("12345678901234567.123456789"), pa.float64(), float("12345678901234567.123456789")),
    # strings to numbers
    (pa.string(), "12", pa.int32(), 12),
    (pa.string(), "+12", pa.int32(), 12),
    (pa.string(), "-0012", pa.int32(), -12),
    (pa.string(), "000", pa.int8(), 0),
    (pa.large_string(), "12", pa.int32(), 12),
    (pa.string_view(), "12", pa.int32(), 12),
    (pa.string(), "1.5", pa.float64(), 1.5),
    (pa.string(), "-1e3", pa.float64(), -1000.0),
    (pa.string(), "-Infinity", pa.float64(), -math.inf),
    (pa.string(), "1.005", pa.decimal128(10, 2), D("1.01")),
    (pa.string(), "-1.005", pa.decimal128(10, 2), D("-1.01")),
    (pa.string(), "1e2", pa.decimal128(10, 2), D(100)),
    (pa.string(), "0." + "4" * 50, pa.decimal128(3, 2), D("0.44")),
    (pa.string(), "0e400", pa.decimal128(3, 2), D(0)),
    (pa.string(), "1e-400", pa.decimal128(3, 2), D(0)),
    *[(pa.string(), word, pa.bool_(), True) for word in ("true", "TRUE", "t", "T", "1", "yes", "Y")],
    *[(pa.string(), word, pa.bool_(), False) for word in ("false", "False", "f", "0", "no", "n")],
    (pa.string(), "äb", pa.binary(), "äb".encode()),
    (pa.string(), "2024-02-29", pa.date32(), dt.date(2024, 2, 29)),
    # to strings
    (pa.bool_(), True, pa.string(), "true"),
    (pa.int64(), -5, pa.string(), "-5"),
    (pa.float64(), 2.675, pa.string(), "2.675"),
    (pa.float64(), 1.0, pa.string(), "1.0"),
    (pa.float64(), -0.0, pa.string(), "-0.0"),
    (pa.float64(), 1e11, pa.string(), "100000000000.0"),
    (pa.float64(), 1e300, pa.string(), "1e300"),
    (pa.float64(), math.nan, pa.string(), "NaN"),
    (pa.float64(), 46462238479.979225, pa.string(), "46462238479.979225"),
    (pa.float64(), 1.5e-6, pa.string(), "1.5e-6"),
    (pa.float64(), 1e-5, pa.string(), "0.00001"),
    (pa.float64(), -1e16, pa.string(), "-1e16"),
    (pa.float32(), 0.1, pa.string(), "0.1"),
    (pa.decimal128(5, 2), D("1.50"), pa.string(), "1.50"),
    (pa.decimal128(10, 8), D("0.00000001"), pa.string(), "0.00000001"),
    (pa.date32(), dt.date(1, 1, 1), pa.string(), "0001-01-01"),
    (pa.binary(), b"ab", pa.string(), "ab"),
    (pa.large_binary(), b"ab", pa.binary(), b"ab"),
    (pa.binary_view(), b"ab", pa.binary(), b"ab"),
    (pa.binary(2), b"ab", pa.binary(), b"ab"),
    # booleans
    (pa.bool_(), True, pa.int32(), 1),
    (pa.int64(), 1, pa.bool_(), True),
    (pa.int64(), 0, pa.bool_(), False),
    # dates and timestamps of one zone
    (pa.date64(), dt.date(2024, 1, 2), pa.date32(), dt.date(2024, 1, 2)),
    (pa.date32(), dt.date(2024, 1, 2), NTZ, dt.datetime(2024, 1, 2)),
    (pa.timestamp("s"), dt.datetime(2024, 1, 2), NTZ, dt.datetime(2024, 1, 2)),
    (pa.timestamp("ms", BERLIN), utc(2024, 1, 2), UTC, utc(2024, 1, 2)),
]

MISFITS = [
    (pa.int64(), 128, pa.int8(), "128"),
    (pa.uint64(), 2**63, pa.int64(), str(2**63)),
    (pa.int64(), 2**53 + 1, pa.float64(), str(2**53 + 1)),
    (pa.int64(), 2**63 - 1, pa.float64(), str(2**63 - 1)),
    (pa.uint64(), 2**64 - 1, pa.float64(), str(2**64 - 1)),
    (pa.int32(), 2**24 + 1, pa.float32(), str(2**24 + 1)),
    (pa.int32(), 1000, pa.decimal128(5, 2), "1000"),
    (pa.int64(), 1, pa.decimal128(38, 38), "1"),
    (pa.int64(), 2, pa.bool_(), "2"),
    (pa.int64(), -1, pa.bool_(), "-1"),
    (pa.float64(), 1.5, pa.int32(), "1.5"),
    (pa.float64(), math.nan, pa.int32(), "nan"),
    (pa.float64(), math.inf, pa.int64(), "inf"),
    (pa.float64(), 2.0**63, pa.int64(), str(pa.array([2.0**63]).cast(pa.string())[0])),
    (pa.float64(), 1e39, pa.float32(), "1e+39"),
    (pa.float64(), math.nan, pa.decimal128(10, 2), "nan"),
    (pa.float64(), math.inf, pa.decimal128(10, 2), "inf"),
    (pa.float64(), 1e300, pa.decimal128(38, 0), "1e+300"),
    (pa.float64(), 99.995, pa.decimal128(4, 2), "99.995"),
    (pa.decimal128(5, 3), D("99.995"), pa.decimal128(4, 2), "99.995"),
    (pa.decimal128(38, 0), D(10) ** 37, pa.decimal128(38, 10), str(10**37)),
    (pa.decimal256(76, 0), D(10) ** 70, pa.decimal128(38, 10), "1" + "0" * 58 + "…"),
    (pa.decimal128(5, 2), D("1.50"), pa.int32(), "1.50"),
    (pa.decimal128(38, 0), D(2**64 + 1), pa.int64(), str(2**64 + 1)),
    (pa.decimal256(76, 0), D(10) ** 39, pa.float32(), str(10**39)),
    *[
        (pa.string(), word, pa.int32(), f"'{word}'")
        for word in ("abc", "", "1.5", " 1", "1 ", "1\n", "0x10", "1_0", "٣", "+", "--1", "3000000000", "1e3")
    ],
    *[(pa.string(), word, pa.float64(), f"'{word}'") for word in ("", "1d", "0x1p3", "1e", ".", "1e999", "1 ")],
    *[
        (pa.string(), word, pa.decimal128(4, 2), f"'{word}'")
        for word in ("", "NaN", "inf", "1,5", "100", "99.995", "1e400", "1e99999999999999999999", "0x1")
    ],
    *[(pa.string(), word, pa.bool_(), f"'{word}'") for word in ("", "2", "truth", " true", "on")],
    *[
        (pa.string(), word, pa.date32(), f"'{word}'")
        for word in ("2024-02-30", "2024-1-1", "2024/01/01", "2024-01-01 00:00:00", "", "10000-01-01")
    ],
    *[
        (pa.string(), word, type, f"'{word}'")
        for type in (UTC, NTZ)
        for word in (
            "2024-02-30 00:00",
            "2024-01-01 24:00",
            "2024-01-01 10",
            "2024-01-01Z",
            "2024-01-01 10:00:00.",
            "2024-01-01 10:00 Z",
            "2024-01-01 10:00+01",
            "2024-01-01 10:00+25:00",
            "",
        )
    ],
    (pa.binary(), b"\xff\x00", pa.string(), "X'ff00'"),
    (NTZ, dt.datetime(2024, 1, 1, 0, 0, 0, 1), pa.date32(), "2024-01-01 00:00:00.000001"),
    (pa.timestamp("s"), 2**60, NTZ, "<value out of range: 1152921504606846976>"),
    (NTZ, 2**63 - 1, UTC, "<value out of range: 9223372036854775807>"),
    (pa.timestamp("us"), 2**62, pa.string(), "<value out of range: 4611686018427387904>"),
    (pa.date32(), 2**31 - 1, NTZ, "<value out of range: 2147483647>"),
    (pa.date32(), 2**31 - 1, pa.string(), "<value out of range: 2147483647>"),
    (pa.string(), "it's", pa.int8(), "'it''s'"),
    (pa.string(), "x" * 100, pa.int8(), "'" + "x" * 58 + "…"),
]


def array(value: object, type: pa.DataType) -> pa.Array:
    """One value, from Python or (for temporal types beyond Python's) from its count."""
    if isinstance(value, int) and pa.types.is_temporal(type):
        return pa.array([value], pa.int32() if pa.types.is_date32(type) else pa.int64()).cast(type)
    return pa.array([value], type)


def same(found: object, expected: object) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return math.copysign(1, found) == math.copysign(1, expected) and (
            found == expected or (math.isnan(found) and math.isnan(expected))
        )
    return found == expected and type(found) is type(expected)


@pytest.mark.parametrize(("source", "value", "target", "expected"), FITS)
def test_a_value_that_fits(source, value, target, expected):
    assert same(stored(array(value, source), target)[0].as_py(), expected)
    # With NULLs round it, in a slice of something that doesn't fit.
    values = pa.concat_arrays([pa.nulls(2, source), array(value, source), pa.nulls(1, source)])
    found = stored(values.slice(1), target).to_pylist()
    assert found[0] is None
    assert found[2] is None
    assert same(found[1], expected)


@pytest.mark.parametrize(("source", "value", "target", "shown"), MISFITS)
def test_a_value_that_does_not_fit(source, value, target, shown):
    values = pa.concat_arrays([pa.nulls(3, source), array(value, source), pa.nulls(2, source)])
    with pytest.raises(CastError) as raised:
        stored(values.slice(1), target)
    assert raised.value.message.startswith(f"`{shown}` doesn't fit column `c` of type ")


TYPES = [
    *(pa.bool_(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(5, 2), pa.string(), pa.binary()),
    *(pa.date32(), UTC, NTZ),
    *(pa.list_(pa.int32()), pa.map_(pa.string(), pa.int32()), pa.struct([("a", pa.int32())])),
]


@pytest.mark.parametrize("target", TYPES, ids=str)
@pytest.mark.parametrize("source", [pa.null(), *TYPES, pa.uint64(), pa.large_string(), pa.string_view()], ids=str)
def test_nulls_and_nothing_of_every_type(source, target):
    """A pair of types either takes NULLs and empty batches, or refuses by its types."""
    for values in (pa.nulls(3, source), pa.nulls(0, source), pa.nulls(3, source).slice(1, 1)):
        try:
            found = stored(values, target).to_pylist()
        except CastError as error:
            refused = str(error)
            assert re.fullmatch(r"a value of type \S.* can't be stored in column `c` of type \S.*", refused)
        else:
            assert found == [None] * len(values)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (pa.bool_(), pa.float64()),
        (pa.float64(), pa.bool_()),
        (pa.bool_(), pa.decimal128(5, 2)),
        (pa.date32(), pa.int32()),
        (pa.int32(), pa.date32()),
        (pa.int32(), pa.binary()),
        (pa.time64("us"), pa.string()),
        (pa.duration("us"), pa.int64()),
        (pa.list_(pa.int32()), pa.string()),
        (pa.string(), pa.list_(pa.string())),
        (pa.map_(pa.string(), pa.int32()), pa.struct([("a", pa.int32())])),
    ],
    ids=str,
)
def test_pairs_of_types_that_are_refused(source, target):
    with pytest.raises(CastError, match=r"a value of type .* can't be stored in column `c` of type"):
        stored(pa.nulls(1, source), target)


def test_the_message_names_column_type_and_value():
    schema = pa.schema([("id", pa.int32()), ("amount", pa.int32())])
    batch = pa.record_batch({"x": [1, 2, 3], "y": ["1", "abc", "def"]})
    with pytest.raises(CastError) as raised:
        assign(batch, schema, time_zone="UTC")
    assert str(raised.value) == "`'abc'` doesn't fit column `amount` of type INT"


def test_the_first_of_many_is_named():
    values = pa.array([*range(10_000)]).cast(pa.int64())
    with pytest.raises(CastError, match="`128` doesn't fit"):
        stored(values, pa.int8())


def test_what_lies_under_a_null_is_not_looked_at():
    garbage = pa.array([300, 2**60 + 1, 5], pa.int64())
    values = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x04"), garbage.buffers()[1]])
    for target in (pa.int8(), pa.float32(), pa.decimal128(1, 0)):
        assert stored(values, target).to_pylist() == [None, None, 5]
    with pytest.raises(CastError, match="`5`"):
        stored(values, pa.bool_())


def test_a_column_count_that_differs():
    with pytest.raises(SchemaMismatch, match="1 columns"):
        assign(pa.record_batch({"a": [1]}), pa.schema([("a", pa.int32()), ("b", pa.int32())]), time_zone="UTC")


def test_dictionaries_run_ends_and_extensions_are_decoded():
    values = pa.array(["1", None, "2", "1"])
    assert stored(values.dictionary_encode(), pa.string()).to_pylist() == ["1", None, "2", "1"]
    assert stored(values.dictionary_encode().slice(1), pa.int32()).to_pylist() == [None, 2, 1]
    large = values.cast(pa.large_string()).dictionary_encode()
    assert stored(large, pa.int32()).to_pylist() == [1, None, 2, 1]
    assert stored(pa.RunEndEncodedArray.from_arrays([2, 3], [1, 2]), pa.int32()).to_pylist() == [1, 1, 2]
    uuid = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    assert stored(uuid, pa.binary()).to_pylist() == [b"x" * 16]


@pytest.mark.parametrize(
    ("text", "instant", "wall"),
    [
        ("2024-01-02", utc(2024, 1, 1, 23), dt.datetime(2024, 1, 2)),
        ("2024-01-02 03:04", utc(2024, 1, 2, 2, 4), dt.datetime(2024, 1, 2, 3, 4)),
        ("2024-07-02T03:04:05", utc(2024, 7, 2, 1, 4, 5), dt.datetime(2024, 7, 2, 3, 4, 5)),
        ("2024-01-02 03:04:05.5", utc(2024, 1, 2, 2, 4, 5, 500000), dt.datetime(2024, 1, 2, 3, 4, 5, 500000)),
        ("2024-01-02 03:04:05.1234569", utc(2024, 1, 2, 2, 4, 5, 123456), dt.datetime(2024, 1, 2, 3, 4, 5, 123456)),
        ("2024-01-02T03:04:05.1234569Z", utc(2024, 1, 2, 3, 4, 5, 123456), dt.datetime(2024, 1, 2, 4, 4, 5, 123456)),
        ("2024-01-02 03:04Z", utc(2024, 1, 2, 3, 4), dt.datetime(2024, 1, 2, 4, 4)),
        ("2024-01-02 03:04:00-08:00", utc(2024, 1, 2, 11, 4), dt.datetime(2024, 1, 2, 12, 4)),
        ("2024-10-27 02:30", utc(2024, 10, 27, 0, 30), dt.datetime(2024, 10, 27, 2, 30)),
        ("2024-03-31 02:30", utc(2024, 3, 31, 1), dt.datetime(2024, 3, 31, 2, 30)),
        ("9999-12-31 23:59:59.999999", utc(9999, 12, 31, 22, 59, 59, 999999), dt.datetime.max),
    ],
)
def test_a_string_as_a_timestamp(text, instant, wall):
    values = pa.array(["2000-01-01", None, text, "2000-01-01T00:00Z"]).slice(1)
    assert stored(values, UTC, zone=BERLIN)[1].as_py() == instant
    assert stored(values, NTZ, zone=BERLIN)[1].as_py() == wall
    assert stored(values, UTC, zone=BERLIN)[0].as_py() is None


def test_timestamps_dates_and_strings_meet_in_the_time_zone():
    midnight, noon = pa.array([utc(2024, 1, 1, 23), None], UTC), pa.array([utc(2024, 7, 1, 10, 0, 0, 5)], UTC)
    assert stored(midnight, pa.date32(), zone=BERLIN).to_pylist() == [dt.date(2024, 1, 2), None]
    with pytest.raises(CastError, match=r"`2024-01-01 23:00:00.000000Z` doesn't fit column `c` of type DATE"):
        stored(midnight, pa.date32(), zone="UTC")
    assert stored(midnight, pa.string(), zone=BERLIN).to_pylist() == ["2024-01-02 00:00:00", None]
    assert stored(noon, pa.string(), zone=BERLIN).to_pylist() == ["2024-07-01 12:00:00.000005"]
    assert stored(noon, NTZ, zone=BERLIN).to_pylist() == [dt.datetime(2024, 7, 1, 12, 0, 0, 5)]
    walls = pa.array([dt.datetime(2024, 7, 1, 12)], pa.timestamp("ms"))
    assert stored(walls, UTC, zone=BERLIN).to_pylist() == [utc(2024, 7, 1, 10)]
    assert stored(walls, pa.string(), zone=BERLIN).to_pylist() == ["2024-07-01 12:00:00"]
    days = pa.array([dt.date(2024, 7, 1), None], pa.date32())
    assert stored(days, UTC, zone=BERLIN).to_pylist() == [utc(2024, 6, 30, 22), None]


@pytest.mark.parametrize("zone", [None, "UTC", BERLIN])
def test_nanoseconds_are_floored(zone):
    values = pa.array([-1, 1, 1500, -1500, None], pa.int64()).cast(pa.timestamp("ns", zone))
    target = NTZ if zone is None else UTC
    assert stored(values, target).cast(pa.int64()).to_pylist() == [-1, 0, 1, -2, None]


# --- nested types ---------------------------------------------------------------------------------


def test_a_struct_by_name():
    values = pa.array([{"B": "x", "a": 1}, None, {"B": None, "a": 2}, {"B": "y", "a": None}])
    target = pa.struct([("A", pa.int8()), ("b", pa.string())])
    expected = [{"A": 1, "b": "x"}, None, {"A": 2, "b": None}, {"A": None, "b": "y"}]
    assert stored(values, target).to_pylist() == expected
    assert stored(values.slice(1, 2), target).to_pylist() == expected[1:3]


def test_a_struct_by_position_and_with_missing_fields():
    values = pa.array([{"x": "1", "y": 2}])
    assert stored(values, pa.struct([("a", pa.int8()), ("b", pa.string())])).to_pylist() == [{"a": 1, "b": "2"}]
    some = stored(pa.array([{"b": 2}, None]), pa.struct([("a", pa.int8()), ("b", pa.string())]))
    assert some.to_pylist() == [{"a": None, "b": "2"}, None]


@pytest.mark.parametrize("source", [{"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3, "d": 3}, {"c": 1}])
def test_a_struct_with_fields_too_many(source):
    target = pa.struct([("a", pa.int8()), ("b", pa.int8())])
    with pytest.raises(SchemaMismatch, match="column `c` has no field `c`"):
        stored(pa.array([source]), target)


LISTS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]


@pytest.mark.parametrize("make", LISTS, ids=lambda make: make.__name__)
def test_lists_keep_offsets_and_nulls(make):
    values = pa.array([["99"], ["1", "2"], None, [], ["3", None], ["99"]], make(pa.string()))
    target = pa.list_(pa.field("element", pa.int8()))
    found = stored(values.slice(1, 4), target)
    assert found.to_pylist() == [[1, 2], None, [], [3, None]]
    assert found.type.value_field.name == "element"


def test_lists_of_a_fixed_size():
    values = pa.array([["9", "9"], None, ["1", None]], pa.list_(pa.string(), 2))
    assert stored(values.slice(1), pa.list_(pa.int8())).to_pylist() == [None, [1, None]]


def test_a_misfit_outside_the_slice_or_under_a_null_does_no_harm():
    values = pa.array([["abc"], ["1"], ["def"]]).slice(1, 1)
    assert stored(values, pa.list_(pa.int32())).to_pylist() == [[1]]
    under = pa.ListArray.from_arrays(
        pa.array([0, 1, 2], pa.int32()), pa.array(["1", "x"]), mask=pa.array([False, True])
    )
    assert stored(under, pa.list_(pa.int32())).to_pylist() == [[1], None]
    fields = pa.StructArray.from_arrays([pa.array(["1", "x"])], names=["a"], mask=pa.array([False, True]))
    assert stored(fields, pa.struct([("a", pa.int32())])).to_pylist() == [{"a": 1}, None]


def test_maps_keep_offsets_and_nulls_and_cast_their_keys():
    values = pa.array([[("9", 9)], [("1", 1), ("2", None)], None, [], [("3", 3)]], pa.map_(pa.string(), pa.int64()))
    target = pa.map_(pa.int32(), pa.string())
    assert stored(values.slice(1, 3), target).to_pylist() == [[(1, "1"), (2, None)], None, []]
    assert stored(values.slice(4), target).to_pylist() == [[(3, "3")]]
    with pytest.raises(CastError, match=r"`'x'` doesn't fit column `c\.key` of type INT"):
        stored(pa.array([[("x", 1)]], pa.map_(pa.string(), pa.int64())), target)


def test_deeply_nested():
    source = pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.large_string()))), ("s", pa.string_view())]))
    value = [[{"m": [("k", ["1", None]), ("l", None)], "s": "2024-01-01"}, None], None, []]
    values = pa.concat_arrays([pa.nulls(1, source), pa.array(value, source)])
    target = pa.list_(pa.struct([("s", pa.date32()), ("m", pa.map_(pa.string(), pa.list_(pa.int64())))]))
    expected = [[{"s": dt.date(2024, 1, 1), "m": [("k", [1, None]), ("l", None)]}, None], None, []]
    assert stored(values.slice(1), target).to_pylist() == expected
    bad = pa.array([[{"m": [("k", ["x"])], "s": None}]], source)
    with pytest.raises(CastError, match=r"column `c\.element\.m\.value\.element` of type BIGINT"):
        stored(bad, target)


# --- NOT NULL -------------------------------------------------------------------------------------


def test_not_null():
    assert stored(pa.array([1, 2]), pa.int32(), nullable=False).to_pylist() == [1, 2]
    assert stored(pa.nulls(0), pa.int32(), nullable=False).to_pylist() == []
    for values in (pa.array([1, None]), pa.array([1, None], pa.int32()), pa.nulls(1), pa.array(["1", None])):
        with pytest.raises(ConstraintViolation, match="column `c` is NOT NULL"):
            stored(values, pa.int32(), nullable=False)


def test_not_null_inside():
    strict = pa.struct([pa.field("a", pa.int32(), nullable=False)])
    assert stored(pa.array([{"a": 1}, None]), strict).to_pylist() == [{"a": 1}, None]
    with pytest.raises(ConstraintViolation, match=r"column `c\.a` is NOT NULL"):
        stored(pa.array([{"a": None}, None]), strict)
    elements = pa.list_(pa.field("element", pa.int32(), nullable=False))
    assert stored(pa.array([[1], None]), elements).to_pylist() == [[1], None]
    with pytest.raises(ConstraintViolation, match=r"column `c\.element` is NOT NULL"):
        stored(pa.array([[1, None]]), elements)


# --- properties -----------------------------------------------------------------------------------

INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
SCALES = st.integers(0, 38).flatmap(lambda p: st.tuples(st.just(max(p, 1)), st.integers(0, max(p, 1))))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(INTEGERS | st.integers(-300, 300), min_size=1, max_size=5), st.sampled_from([8, 16, 32, "f", "d"]), SCALES
)
def test_an_integer_is_stored_as_itself_or_refused(values, width, decimal_type):
    types = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), "f": pa.float32(), "d": pa.float64()}
    for target in (types[width], pa.decimal128(*decimal_type)):
        try:
            found = stored(pa.array(values, pa.int64()), target).to_pylist()
        except CastError:
            assert not all(holds(value, target) for value in values)
        else:
            assert found == values


def holds(value: int, type: pa.DataType) -> bool:
    if pa.types.is_decimal(type):
        return abs(value) < 10 ** (type.precision - type.scale)
    if pa.types.is_integer(type):
        return -(2 ** (type.bit_width - 1)) <= value < 2 ** (type.bit_width - 1)
    return int(pa.scalar(float(value)).cast(type).as_py()) == value and float(value) == value


DECIMALS = SCALES.flatmap(
    lambda given: st.tuples(
        st.just(given),
        st.integers(-(10 ** given[0]) + 1, 10 ** given[0] - 1).map(lambda digits: D(digits).scaleb(-given[1], WIDE)),
    )
)
WIDE = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_UP)


@settings(max_examples=100, deadline=None)
@given(DECIMALS, SCALES)
def test_a_decimal_is_rounded_or_refused(source, target):
    (precision, scale), value = source
    rounded = value.quantize(D(1).scaleb(-target[1]), context=WIDE)
    fits = rounded.copy_abs() < D(10) ** (target[0] - target[1])
    for values in (pa.array([None, value], pa.decimal128(precision, scale)), pa.array([None, f"{value:f}"])):
        try:
            found = stored(values.slice(1), pa.decimal128(*target))[0].as_py()
        except CastError:
            assert not fits
        else:
            assert fits
            assert found == rounded


@settings(max_examples=100, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1000, 1000), SCALES)
def test_a_double_is_rounded_by_its_shortest_text_or_refused(value, target):
    rounded = D(repr(value)).quantize(
        D(1).scaleb(-target[1]), context=decimal.Context(prec=400, rounding="ROUND_HALF_UP")
    )
    fits = rounded.copy_abs() < D(10) ** (target[0] - target[1])
    try:
        found = stored(pa.array([value]), pa.decimal128(*target))[0].as_py()
    except CastError:
        assert not fits
    else:
        assert fits
        assert found == rounded


@settings(max_examples=100, deadline=None)
@given(st.floats(allow_nan=False) | st.integers(-(10**17), 10**17).map(float))
def test_a_double_comes_back_from_its_text(value):
    text = stored(pa.array([value]), pa.string())
    assert same(stored(text, pa.float64())[0].as_py(), value)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats() | st.floats(-1e17, 1e17) | st.floats(-1e-3, 1e-3), min_size=1))
def test_the_text_of_a_double_is_that_of_a_cast(values):
    batch = pa.record_batch({"c": pa.array(values, pa.float64())})
    context = datafusion.SessionContext()
    context.from_arrow(batch, "t")
    frame = context.sql("SELECT CAST(c AS VARCHAR) AS c FROM t")
    expected = [text for found in frame.collect() for text in found.column(0).to_pylist()]
    assert stored(batch.column(0), pa.string()).to_pylist() == expected
