"""Partition values of all types, in all spellings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import deltasql

from .lakes import AT, DAY, Lake, Tables, cases, check_table, duckdb_differs, ids, registering

TABLES: Tables = {}
table = registering(TABLES)


PARTITIONS: dict[str, tuple[pa.DataType, list[tuple[str | None, Any]]]] = {
    "byte": (pa.int8(), [("-128", -128), ("127", 127), ("0", 0), (None, None)]),
    "short": (pa.int16(), [("-32768", -32768), ("32767", 32767), (None, None)]),
    "integer": (pa.int32(), [("-2147483648", -(2**31)), ("7", 7), (None, None)]),
    "long": (pa.int64(), [("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1), (None, None)]),
    "float": (pa.float32(), [("1.5", 1.5), ("NaN", float("nan")), ("-Infinity", float("-inf")), ("1.0E10", 1e10), (None, None)]),
    "double": (pa.float64(), [("1.5", 1.5), ("NaN", float("nan")), ("Infinity", float("inf")), ("-1.0E-10", -1e-10), (None, None)]),
    "decimal": (pa.decimal128(10, 2), [("-0.50", Decimal("-0.50")), ("-12.34", Decimal("-12.34")), ("3.00", Decimal("3.00")), ("99999999.99", Decimal("99999999.99")), (None, None)]),
    "wide_decimal": (pa.decimal128(38, 10), [("-1234567890123456789012345678.0123456789", Decimal("-1234567890123456789012345678.0123456789")), ("0.0000000001", Decimal("0.0000000001")), (None, None)]),
    "boolean": (pa.bool_(), [("true", True), ("false", False), (None, None)]),
    "date": (pa.date32(), [("1969-12-31", DAY(1969, 12, 31)), ("1500-02-28", DAY(1500, 2, 28)), ("0001-01-01", DAY(1, 1, 1)), ("9999-12-31", DAY(9999, 12, 31)), (None, None)]),
    "timestamp": (pa.timestamp("us", "UTC"), [("2024-01-02 03:04:05", AT(2024, 1, 2, 3, 4, 5)), ("2024-01-02 03:04:05.123456", AT(2024, 1, 2, 3, 4, 5, 123456)), ("2024-01-02 03:04:05.5", AT(2024, 1, 2, 3, 4, 5, 500000)), ("1969-12-31 23:59:59.999999", AT(1969, 12, 31, 23, 59, 59, 999999)), (None, None)]),
    "timestamp_iso": (pa.timestamp("us", "UTC"), [("2024-01-02T03:04:05Z", AT(2024, 1, 2, 3, 4, 5)), ("2024-01-02T03:04:05.123456Z", AT(2024, 1, 2, 3, 4, 5, 123456)), ("1600-01-01T00:00:00.000000Z", AT(1600, 1, 1)), ("9999-12-31T23:59:59.999999Z", AT(9999, 12, 31, 23, 59, 59, 999999)), (None, None)]),
    "string": (pa.string(), [("a/b", "a/b"), ("50%", "50%"), ("%20", "%20"), ("a b", "a b"), ("k=v", "k=v"), ("it's", "it's"), ("ünï 漢字", "ünï 漢字"), ("__HIVE_DEFAULT_PARTITION__x", "__HIVE_DEFAULT_PARTITION__x"), ("null", "null"), (None, None)]),
    "empty_string": (pa.string(), [("", None), ("x", "x")]),
    "binary": (pa.binary(), [("abc", b"abc"), ("\u0001\u0002", b"\x01\x02"), (None, None)]),
}  # fmt: skip


def _partitioned(type: pa.DataType, values: Sequence[tuple[str | None, Any]]) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        adds, rows = [], []
        for number, (text, _) in enumerate(values):
            rows += [2 * number, 2 * number + 1]
            adds.append(lake.file(f"f{number}.parquet", pa.table({"id": ids(2, 2 * number), "n": ids(2)}), {"p": text}))
        # The partition column stands between the others.
        schema = pa.schema([("id", pa.int64()), ("p", type), ("n", pa.int64())])
        features = ["timestampNtz"] if type == pa.timestamp("us") else []
        lake.create(schema, *adds, by=["p"], features=features)
        column = pa.array([value for _, value in values for _ in range(2)], type)
        return pa.table([pa.array(rows, pa.int64()), column, pa.array([0, 1] * len(values), pa.int64())], schema=schema)

    return make


for _name, (_type, _values) in PARTITIONS.items():
    TABLES[f"partition_{_name}"] = _partitioned(_type, _values)
TABLES["partition_timestamp_ntz"] = _partitioned(pa.timestamp("us"), PARTITIONS["timestamp"][1])
TABLES["partition_timestamp_ntz_early"] = _partitioned(
    pa.timestamp("us"), [("0001-01-01 00:00:00", AT(1, 1, 1)), ("9999-12-31 23:59:59.999999", AT(9999, 12, 31, 23, 59, 59, 999999))]
)  # fmt: skip
TABLES["partition_many"] = _partitioned(pa.int32(), [(str(number), number) for number in range(70)])
TABLES["partition_many_strings"] = _partitioned(
    pa.string(), [(f"{number}%/ '", f"{number}%/ '") for number in range(65)] + [("", None), (None, None)]
)
TABLES["partition_many_dates"] = _partitioned(
    pa.date32(), [(None, None)] + [(str(DAY(1900 + n, 1, 1)), DAY(1900 + n, 1, 1)) for n in range(66)]
)


@table
def partition_hive_paths(lake: Lake) -> pa.Table:
    """Folders named as Hive does; the value in the log counts, not the folder's."""
    adds = [
        lake.file("s=a%2Fb%25/x.parquet", pa.table({"id": ids(1)}), {"s": "a/b%"}),
        lake.file("s=a b/ünï.parquet", pa.table({"id": ids(1, 1)}), {"s": "other"}),
        lake.file("s=__HIVE_DEFAULT_PARTITION__/x.parquet", pa.table({"id": ids(1, 2)}), {"s": None}),
    ]
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    lake.create(schema, *adds, by=["s"])
    return pa.table([ids(3), pa.array(["a/b%", "other", None])], schema=schema)


@table
def partition_columns_two(lake: Lake) -> pa.Table:
    values = [("1", "x"), ("1", None), (None, "x"), (None, None), ("2", "y")]
    schema = pa.schema([("a", pa.int32()), ("id", pa.int64()), ("b", pa.string())])
    adds = [
        lake.file(f"f{n}.parquet", pa.table({"id": ids(2, 2 * n)}), {"a": a, "b": b}) for n, (a, b) in enumerate(values)
    ]
    lake.create(schema, *adds, by=["b", "a"])
    first = pa.array([a and int(a) for a, _ in values for _ in "ab"], pa.int32())
    return pa.table([first, ids(10), pa.array([b for _, b in values for _ in "ab"])], schema=schema)


@table
def partition_column_is_in_the_files(lake: Lake) -> pa.Table:
    """Some writers leave the partition column in the files; the log's value counts."""
    add = lake.file(
        "f.parquet", pa.table({"id": ids(2), "p": pa.array([8, 8], pa.int32())}), {"p": "9"}, {"numRecords": 2}
    )
    schema = pa.schema([("id", pa.int64()), ("p", pa.int32())])
    lake.create(schema, add, by=["p"])
    return pa.table([ids(2), pa.array([9, 9], pa.int32())], schema=schema)


@table
def partition_value_absent_from_the_map(lake: Lake) -> pa.Table:
    adds = [
        lake.file("f.parquet", pa.table({"id": ids(2)}), {"p": "9"}),
        lake.file("g.parquet", pa.table({"id": ids(2, 2)}), {}),
    ]
    schema = pa.schema([("id", pa.int64()), ("p", pa.int32())])
    lake.create(schema, *adds, by=["p"])
    return pa.table([ids(4), pa.array([9, 9, None, None], pa.int32())], schema=schema)


@table
def only_partition_columns_are_asked_for(lake: Lake) -> pa.Table:
    adds = [lake.file(f"f{n}.parquet", pa.table({"x": ids(1)}), {"id": str(n)}) for n in range(3)]
    schema = pa.schema([("x", pa.int64()), ("id", pa.int64())])
    lake.create(schema, *adds, by=["id"])
    return pa.table([pa.array([0, 0, 0]), ids(3)], schema=schema)


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path) == []


def test_zeros_of_both_signs_are_two_partitions(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT, p DOUBLE) PARTITIONED BY (p)")
        con.sql("INSERT INTO t VALUES (1, 0.0), (2, -0.0)")
        for reader in ("auto", "listing", "scan", "dataset"):
            con.sql(f"SET deltasql.reader = '{reader}'")
            shown = [(id, str(p)) for id, p in con.sql("SELECT id, p FROM t ORDER BY id")]
            assert shown == [(1, "0.0"), (2, "-0.0")], reader
