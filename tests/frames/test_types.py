"""Every Arrow type in by a frame, through queries and tables, and out again: nothing rounded, nothing shifted."""

# ruff: noqa: F841 (variables are read by statements)

from __future__ import annotations

import datetime as dt
import decimal
import zoneinfo

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deltasql

D = decimal.Decimal
DAYS = [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]
INSTANTS = [1_234_567, None, -1]
UNITS = ("s", "ms", "us", "ns")
ZONES = (None, "UTC", "Europe/Berlin", "+02:00")

STORABLE = {
    "bool": pa.array([True, None, False]),
    **{str(type): pa.array([1, None, 127], type) for type in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    **{str(type): pa.array([1, None, 255], type) for type in (pa.uint8(), pa.uint16(), pa.uint32())},
    "float16": pa.array([1.5, None, -0.0], pa.float16()),
    "float32": pa.array([1.5, None, float("inf")], pa.float32()),
    "float64": pa.array([0.1, None, 5e-324]),
    "string": pa.array(["a", None, ""]),
    "large_string": pa.array(["a", None, "é"], pa.large_string()),
    "string_view": pa.array(["a", None, ""], pa.string_view()),
    "binary": pa.array([b"a", None, b"\0"]),
    "large_binary": pa.array([b"a", None, b""], pa.large_binary()),
    "binary_view": pa.array([b"a", None, b""], pa.binary_view()),
    "fixed_size_binary": pa.array([b"abc", None, b"def"], pa.binary(3)),
    "date32": pa.array(DAYS),
    "date64": pa.array(DAYS, pa.date64()),
    "decimal": pa.array([D("1.23"), None, D("-12345678.90")], pa.decimal128(10, 2)),
    "decimal_38": pa.array([D("9" * 38), None], pa.decimal128(38, 0)),
    "decimal32": pa.array([D("1.23"), None], pa.decimal32(5, 2)),
    "decimal64": pa.array([D("1.23"), None], pa.decimal64(10, 2)),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "dictionary_of_ints": pa.array([1, None, 2]).dictionary_encode(),
    "dictionary_int8": pa.array(["a", None]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
    "run_end_encoded": pa.RunEndEncodedArray.from_arrays(pa.array([1, 3], pa.int32()), pa.array(["a", "b"])),
    "list": pa.array([[1, None], None, []]),
    "large_list": pa.array([[1, None], None, []], pa.large_list(pa.int64())),
    "fixed_size_list": pa.array([[1, None], None, [3, 4]], pa.list_(pa.int64(), 2)),
    "list_view": pa.array([[1, None], None, []], pa.list_view(pa.int64())),
    "list_of_views": pa.array([["a", None], None, []], pa.list_(pa.string_view())),
    "struct": pa.array([{"a": 1, "B": "x"}, None, {"a": None, "B": None}]),
    "struct_of_lists": pa.array([{"a": [{"b": dt.date(2026, 1, 1)}]}, None]),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    **{
        f"timestamp_{unit}_{zone}": pa.array(INSTANTS, pa.timestamp(unit, zone)) for unit in UNITS[:3] for zone in ZONES
    },
}
READABLE = {
    "null": pa.nulls(3),
    "uint64": pa.array([2**64 - 1, None, 0], pa.uint64()),
    "time32_s": pa.array([dt.time(1, 2, 3), None], pa.time32("s")),
    "time64_us": pa.array([dt.time(1, 2, 3, 4), None], pa.time64("us")),
    "time64_ns": pa.array([1, None], pa.time64("ns")),
    **{f"duration_{unit}": pa.array([5, None, -5], pa.duration(unit)) for unit in UNITS},
    "month_day_nano": pa.array([pa.MonthDayNano([1, 2, 3]), None]),
    "decimal256": pa.array([D("9" * 50), None], pa.decimal256(60, 2)),
    "decimal_negative_scale": pa.array([D("12300"), None], pa.decimal128(5, -2)),
    **{f"timestamp_ns_{zone}": pa.array(INSTANTS, pa.timestamp("ns", zone)) for zone in ZONES},
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with deltasql.connect(tmp_path_factory.mktemp("types") / "lake") as made:
        yield made


def as_integers(values):
    """Instants as numbers of nanoseconds, as two zones show one in two ways; other values as they are."""
    if pa.types.is_timestamp(values.type):
        scale = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[values.type.unit]
        return [None if value is None else value * scale for value in values.cast(pa.int64()).to_pylist()]
    return values.to_pylist()


@pytest.mark.parametrize("name", [*STORABLE, *READABLE])
def test_through_a_query(con, name):
    values = (STORABLE | READABLE)[name]
    f = pa.table({"c": values, "i": range(len(values))})
    found = con.sql("SELECT * FROM f WHERE i >= 0 ORDER BY i").to_arrow().column("c")
    assert as_integers(found) == as_integers(f.column("c"))
    if not pa.types.is_timestamp(values.type) and "view" not in str(values.type):
        assert found.type == values.type
    if pa.types.is_timestamp(values.type):
        assert found.type.tz == ("UTC" if values.type.tz else None)
    assert con.sql("SELECT count(c) FROM f").fetchall() == [(len(values) - values.to_pylist().count(None),)]


@pytest.mark.parametrize("name", STORABLE)
def test_through_a_table(con, name):
    values = STORABLE[name]
    f = pa.table({"c": values, "i": range(len(values))})
    con.sql("CREATE OR REPLACE TABLE t AS SELECT * FROM f")
    con.sql("INSERT INTO t SELECT c, i + 100 FROM f")
    for query in ("SELECT c FROM t WHERE i < 100 ORDER BY i", "SELECT c FROM t WHERE i >= 100 ORDER BY i"):
        assert as_integers(con.sql(query).to_arrow().column("c")) == as_integers(f.column("c"))


def test_an_empty_frame(con):
    f = pa.table({name: values.slice(0, 0) for name, values in STORABLE.items()})
    con.sql("CREATE OR REPLACE TABLE t AS SELECT * FROM f")
    assert con.sql("SELECT * FROM t").fetchall() == con.sql("SELECT * FROM f").fetchall() == []
    assert con.sql("SELECT * FROM t").columns == list(STORABLE)
    for frame in (pd.DataFrame({"a": pd.Series([], dtype="int64")}), pl.DataFrame({"a": []}, schema={"a": pl.Int64})):
        assert con.sql("SELECT * FROM ?", [frame]).to_arrow().schema == pa.schema([("a", pa.int64())])


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_instants_are_shown_in_the_sessions_zone(zone):
    noon = dt.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    frame = pd.DataFrame({"at": pd.Series([noon]), "naive": pd.Series([dt.datetime(2026, 7, 1, 12)])})
    with deltasql.connect(settings={"time_zone": zone}) as con:
        result = con.sql("SELECT at, naive, at = TIMESTAMP '2026-07-01T10:00:00Z' AS same FROM frame")
        assert result.fetchall() == [(noon, dt.datetime(2026, 7, 1, 12), True)]
        assert str(result.to_pandas()["at"].dt.tz) == zone
        assert list(frame["at"] == result.to_pandas()["at"]) == [True]


# -- pandas and polars


def test_pandas_both_ways(con):
    frame = pd.DataFrame(
        {
            "i": pd.Series([1, 2, 3], dtype="int32"),
            "nullable": pd.Series([1, None, 3], dtype="Int64"),
            "f": pd.Series([0.1, None, 3.0]),
            "s": pd.Series(["a", None, "c"], dtype="str"),
            "o": pd.Series([b"a", None, b"c"], dtype="object"),
            "b": pd.Series([True, None, False], dtype="boolean"),
            "d": pd.Series([dt.date(2026, 1, 1), None, dt.date(1, 1, 1)]),
            "ts": pd.Series([123456789, None, -1], dtype="datetime64[ns]"),
            "tz": pd.Series([1, None, -1], dtype="datetime64[ns, UTC]"),
            "c": pd.Series(["x", None, "x"], dtype="category"),
            "td": pd.Series(pd.to_timedelta([1, None, 3], unit="ms")),
            "l": pd.Series([[1, 2], None, []]),
        }
    )
    found = con.sql("SELECT * FROM frame").to_pandas()
    for name in ("i", "f", "ts", "tz", "c", "td", "d"):
        pd.testing.assert_series_equal(found[name], frame[name], check_dtype=name not in ("d", "td", "ts", "tz"))
    for name in ("nullable", "s", "o", "b"):
        assert found[name].isna().to_list() == [False, True, False]
        assert found[name].dropna().to_list() == frame[name].dropna().to_list()
    assert [None if each is None else list(each) for each in found["l"]] == [[1, 2], None, []]


def test_polars_both_ways(con):
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.UInt8),
            "f": [0.1, float("nan")],
            "s": ["a", None],
            "b": [b"a", None],
            "d": [dt.date(2026, 1, 1), None],
            "t": [dt.time(1, 2, 3, 4), None],
            "td": [dt.timedelta(microseconds=5), None],
            "ts": pl.Series([1, None], dtype=pl.Datetime("ns")),
            "tz": pl.Series([1, None], dtype=pl.Datetime("ns", "UTC")),
            "c": pl.Series(["x", None], dtype=pl.Categorical),
            "e": pl.Series(["x", None], dtype=pl.Enum(["x", "y"])),
            "dec": pl.Series([D("1.23"), None], dtype=pl.Decimal(10, 2)),
            "l": [[1, None], None],
            "arr": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
            "st": [{"a": 1, "b": [{"c": "x"}]}, None],
            "n": [None, None],
        }
    )
    found = con.sql("SELECT * FROM frame").to_polars()
    # Enums come back as categories, as Arrow has no word for the difference.
    polars_equal = frame.with_columns(pl.col("e", "c").cast(pl.String))
    assert found.with_columns(pl.col("e", "c").cast(pl.String)).equals(polars_equal)
    assert [kind for kind in found.dtypes if kind != frame.schema["e"]] != []


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["a", "b"])])
def test_categories_of_polars_are_their_values_in_a_table(tmp_path, dtype):
    con = deltasql.connect(tmp_path)
    frame = pl.DataFrame({"c": pl.Series(["a", None, "b", "a"], dtype=dtype), "n": [1, 2, 3, 4]})
    nested = frame.select(pl.col("n"), pl.struct("c").alias("s"), pl.concat_list("c").alias("l"))
    con.sql("CREATE TABLE flat PARTITIONED BY (c) AS SELECT n, c FROM frame")
    con.sql("CREATE TABLE deep AS SELECT * FROM nested")
    assert con.sql("SELECT c FROM flat ORDER BY n").fetchall() == [("a",), (None,), ("b",), ("a",)]
    deep = [("a",), (None,), ("b",), ("a",)]
    assert con.sql("SELECT s['c'] AS c FROM deep ORDER BY n").fetchall() == deep
    assert con.sql("SELECT l[1] AS c FROM deep ORDER BY n").fetchall() == deep
    con.sql("UPDATE flat SET c = frame.c FROM frame WHERE flat.n = frame.n + 1")
    assert con.sql("SELECT c FROM flat ORDER BY n").fetchall() == [("a",), ("a",), (None,), ("b",)]


@pytest.mark.parametrize("lazy", [False, True])
def test_objects_in_polars_are_refused(con, lazy):
    frame = pl.DataFrame({"c": pl.Series([object()], dtype=pl.Object)})
    frame = frame.lazy() if lazy else frame
    with pytest.raises(deltasql.NotSupportedError, match="column `c` of the frame `frame` holds Python's objects"):
        con.sql("SELECT * FROM frame")


VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): st.text(),
    pa.binary(): st.binary(),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(dt.UTC)),
    pa.timestamp("us"): st.datetimes(),
    pa.decimal128(38, 10): st.decimals(-(10**20), 10**20, places=10),
}


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_table_comes_back(con, data):
    """A frame, through a query, a table, and the three ways out, is the frame."""
    types = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    types = [pa.list_(type) if data.draw(st.booleans()) else type for type in types]
    rows = data.draw(st.integers(0, 5))
    columns = []
    for type in types:
        each = st.lists(st.none() | VALUES[type.value_type], max_size=3) if pa.types.is_list(type) else VALUES[type]
        columns.append(pa.array(data.draw(st.lists(st.none() | each, min_size=rows, max_size=rows)), type))
    f = pa.Table.from_arrays(
        [pa.array(range(rows), pa.int64()), *columns], names=["i", *(f"c{n}" for n in range(len(columns)))]
    )
    result = con.sql("SELECT * FROM f ORDER BY i")
    assert result.to_arrow().to_pylist() == f.to_pylist()
    con.sql("CREATE OR REPLACE TABLE t AS SELECT * FROM ?", [f])
    stored = con.sql("SELECT * FROM t ORDER BY i")
    assert stored.to_arrow().to_pylist() == f.to_pylist()
    assert [dict(zip(stored.columns, row, strict=True)) for row in stored] == f.to_pylist()
    assert stored.to_polars().to_arrow().to_pylist() == f.to_pylist()
    assert pa.table(stored).equals(stored.to_arrow())
