"""Statistics in all their forms, false ones too: they rule no row out that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.engine import scan

from .lakes import (
    AT,
    DAY,
    LOCAL,
    PAIR,
    ZONED,
    Lake,
    Tables,
    cases,
    check_table,
    duckdb_differs,
    ids,
    pair,
    registering,
    statistics,
)

TABLES: Tables = {}
table = registering(TABLES)


@table
def decimal_statistics_are_rounded(lake: Lake) -> pa.Table:
    """Statistics go through a double in some writers; delta-rs's are such."""
    schema = pa.schema([("id", pa.int64()), ("d", pa.decimal128(38, 2))])
    values = [
        Decimal("123456789012345678.91"),
        Decimal("123456789012345678.93"),
        Decimal("-123456789012345678.97"),
        None,
    ]
    rows = pa.table([ids(4), pa.array(values, pa.decimal128(38, 2))], schema=schema)
    for number in range(4):
        write_deltalake(lake.path, rows.slice(number, 1), mode="append")
    return rows


@table
def long_strings(lake: Lake) -> pa.Table:
    """delta-rs writes footers whose statistics of strings are cut off; and the log's are."""
    texts = ["a" * 150 + "b", "a" * 150 + "c", "z" * 40 + "\U0010ffff" * 60, "\U0010ffff" * 70, "ÿ" * 100, None]
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("bin", pa.binary())])
    rows = pa.table([ids(6), pa.array(texts), pa.array([text and text.encode() for text in texts])], schema=schema)
    for number in range(3):
        write_deltalake(lake.path, rows.slice(2 * number, 2), mode="append")
    return rows


@table
def truncated_statistics(lake: Lake) -> pa.Table:
    """Spark cuts strings off after 32 characters; the greatest value gets a tie-breaker."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    texts = ["a" * 40, "a" * 32 + "\u0000", "b" * 50]
    stats = {
        "numRecords": 3,
        "minValues": {"s": "a" * 32},
        "maxValues": {"s": "b" * 32 + "\U0010ffff"},
        "nullCount": {"s": 0},
    }
    rows = pa.table([ids(3), pa.array(texts)], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows, stats=stats))
    return rows


@table
def false_number_of_rows(lake: Lake) -> pa.Table:
    """Counting is by the files' footers, not by the log."""
    adds = [lake.file(f"f{n}.parquet", pair(2 * n), stats={"numRecords": 10**6}) for n in range(2)]
    lake.create(PAIR, *adds)
    return pair(0, 4)


@table
def no_statistics(lake: Lake) -> pa.Table:
    lake.create(PAIR, lake.file("a.parquet", pair(0), stats=None), lake.file("b.parquet", pair(2)))
    return pair(0, 4)


@table
def statistics_of_other_types(lake: Lake) -> pa.Table:
    stats = {"numRecords": 2, "minValues": {"id": "0", "s": 7}, "maxValues": {"id": [1]}, "nullCount": {"id": "none"}}
    lake.create(PAIR, lake.file("a.parquet", pair(0), stats=stats), lake.file("b.parquet", pair(2)))
    return pair(0, 4)


@table
def wide_statistics(lake: Lake) -> pa.Table:
    """``tightBounds: false``: the bounds may be wider and the null counts are not to be relied on."""
    stats = {
        "numRecords": 2,
        "tightBounds": False,
        "minValues": {"id": -9, "s": "a"},
        "maxValues": {"id": 99, "s": "z"},
        "nullCount": {"id": 0, "s": 2},
    }
    rows = pa.table([ids(2), pa.array(["x", None])], schema=PAIR)
    lake.create(PAIR, lake.file("a.parquet", rows, stats=stats | {"nullCount": {"id": 0, "s": 1}}))
    return rows


def _stated(type: pa.DataType, values: Sequence[Any], low: str, high: str) -> Callable[[Lake], pa.Table]:
    """A file of ``values``, of which the log says ``low`` and ``high`` (JSON), and one of NULLs."""

    def make(lake: Lake) -> pa.Table:
        schema = pa.schema([("id", pa.int64()), ("v", type)])
        rows = pa.table([ids(len(values)), pa.array(values, type)], schema=schema)
        stats = (
            f'{{"numRecords":{len(values)},"minValues":{{"v":{low}}},"maxValues":{{"v":{high}}},"nullCount":{{"v":0}}}}'
        )
        empty = pa.table([ids(1, len(values)), pa.array([None], type)], schema=schema)
        lake.create(schema, features=["timestampNtz"] if type == LOCAL else [])
        lake.commit(lake.file("a.parquet", rows, stats=stats), lake.file("b.parquet", empty))
        return pa.concat_tables([rows, empty])

    return make


_EXACT = [Decimal("-123456789012345678.97"), Decimal("123456789012345678.91")]
TABLES |= {
    "statistics_long": _stated(pa.int64(), [-(2**63), 2**53 + 1, 2**63 - 1], str(-(2**63)), str(2**63 - 1)),
    "statistics_long_one_value": _stated(pa.int64(), [2**53 + 1], str(2**53 + 1), str(2**53 + 1)),
    "statistics_decimal": _stated(pa.decimal128(38, 2), _EXACT, *map(str, _EXACT)),
    "statistics_decimal_one_value": _stated(pa.decimal128(38, 2), _EXACT[1:], *map(str, _EXACT[1:] * 2)),
    "statistics_decimal_as_string": _stated(pa.decimal128(38, 2), _EXACT, *(f'"{value}"' for value in _EXACT)),
    "statistics_decimal_small": _stated(pa.decimal128(5, 2), [Decimal("-0.29"), Decimal("0.29")], "-0.29", "0.29"),
    "statistics_decimal_exponent": _stated(pa.decimal128(20, 2), [Decimal("1e10"), Decimal("3e10")], "1E+10", "3E+10"),
    "statistics_nan": _stated(pa.float64(), [1.0, float("nan")], "1.0", '"NaN"'),
    "statistics_infinity": _stated(pa.float64(), [float("-inf"), float("inf")], '"-Infinity"', '"Infinity"'),
    "statistics_float": _stated(pa.float32(), [0.1, 16777216.0], "0.1", "1.6777216E7"),
    "statistics_timestamp_offset": _stated(ZONED, [AT(2024, 1, 1, 22), AT(2024, 1, 2, 1)], '"2024-01-02T00:00:00.000+02:00"', '"2024-01-01T17:00:00.000-08:00"'),
    "statistics_timestamp_no_zone": _stated(ZONED, [AT(2024, 1, 1), AT(2024, 1, 2, 0, 0, 0, 999)], '"2024-01-01 00:00:00"', '"2024-01-02 00:00:00"'),
    "statistics_timestamp_cut_before_1970": _stated(ZONED, [AT(1969, 12, 31, 23, 59, 58, 999001)], '"1969-12-31T23:59:58.999Z"', '"1969-12-31T23:59:58.999Z"'),
    "statistics_timestamp_cut": _stated(ZONED, [AT(2024, 1, 1, 0, 0, 0, 123999)], '"2024-01-01T00:00:00.123Z"', '"2024-01-01T00:00:00.123Z"'),
    "statistics_timestamp_far": _stated(ZONED, [AT(1, 1, 1), AT(9999, 12, 31, 23, 59, 59, 999999)], '"0001-01-01T00:00:00.000Z"', '"9999-12-31T23:59:59.999Z"'),
    "statistics_ntz_cut": _stated(LOCAL, [AT(2024, 1, 1, 0, 0, 0, 123999)], '"2024-01-01T00:00:00.123"', '"2024-01-01T00:00:00.123"'),
    "statistics_ntz_with_zone": _stated(LOCAL, [AT(2024, 1, 1)], '"2024-01-01T00:00:00.000Z"', '"2024-01-01T00:00:00.000Z"'),
    "statistics_date": _stated(pa.date32(), [DAY(1, 1, 1), DAY(9999, 12, 31)], '"0001-01-01"', '"9999-12-31"'),
    "statistics_date_as_instant": _stated(pa.date32(), [DAY(2024, 1, 2)], '"2024-01-02T00:00:00.000Z"', '"2024-01-02T00:00:00.000Z"'),
    "statistics_string_cut": _stated(pa.string(), ["a" * 40, "b" * 40], f'"{"a" * 32}"', f'"{"b" * 32}\\u007f"'),
    "statistics_string_order": _stated(pa.string(), ["\uffff", "\U00010000"], '"\\uffff"', '"\\ud800\\udc00"'),
    "statistics_boolean": _stated(pa.bool_(), [False, True], "false", "true"),
    "statistics_binary": _stated(pa.binary(), [b"a", b"\xff"], '"a"', '"\\\\xff"'),
    "statistics_null": _stated(pa.int64(), [1, 2], "null", "null"),
}  # fmt: skip


@table
def statistics_of_a_dotted_name(lake: Lake) -> pa.Table:
    """A column ``a.b`` beside a column ``a`` with a field ``b``."""
    schema = pa.schema([("id", pa.int64()), ("a", pa.struct([("b", pa.int64())])), ("a.b", pa.int64())])
    rows = pa.table(
        [ids(2), pa.array([{"b": 1}, {"b": 2}], schema.types[1]), pa.array([100, None], pa.int64())], schema=schema
    )
    stats = {
        "numRecords": 2,
        "minValues": {"id": 0, "a": {"b": 1}},
        "maxValues": {"id": 1, "a": {"b": 2}},
        "nullCount": {"id": 0, "a": {"b": 0}},
    }
    lake.create(schema, lake.file("a.parquet", rows, stats=stats))
    return rows


@table
def statistics_of_few_columns(lake: Lake) -> pa.Table:
    """``delta.dataSkippingNumIndexedCols`` stops at some column; files differ in what they have."""
    schema = pa.schema([("id", pa.int64()), ("a", pa.int64()), ("b", pa.string())])
    rows = pa.table(
        [ids(6), pa.array([1, 2, 3, None, 5, 6], pa.int64()), pa.array(["x", "y", None, "z", "q", "r"])], schema=schema
    )
    parts = [rows.slice(n, 2) for n in range(0, 6, 2)]
    adds = [lake.file("a.parquet", parts[0], stats=statistics(parts[0].select(["id"]))), lake.file("b.parquet", parts[1], stats=statistics(parts[1].select(["id", "b"]))),
            lake.file("c.parquet", parts[2], stats={"minValues": {"a": 5}, "nullCount": {"b": 0}})]  # fmt: skip
    lake.create(schema, *adds, delta__dataSkippingNumIndexedCols="1")
    return rows


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_log_statistics_rule_no_row_out(lake_con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are pruned by the log however few they are."""
    monkeypatch.setattr(scan, "_FEW_FILES", 0)
    for name in TABLES:
        check_table(lake_con, TABLES, name, ["listing"])


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path) == []
