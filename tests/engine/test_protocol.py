"""What the Delta protocol can hold is read right by every reader, or refused by name.

Each table is made by hand (``lakes.py``) beside the rows that it holds, and is then asked everything: all rows, each
column alone, comparisons and NULL tests on each, counts, extremes and groups.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.engine import scan

from ..acceptance import canonical  # noqa: TID252
from .lakes import (
    CHECKPOINT,
    READERS,
    Json,
    Lake,
    check,
    checkpoint,
    field,
    fields,
    metadata,
    protocol,
    removed,
    statistics,
)

_UTC = dt.UTC
TABLES: dict[str, Callable[[Lake], pa.Table]] = {}
"""What makes each table, and gives its rows; they have a column ``id`` that tells them apart."""
_MAP = "DataFusion doesn't fill fields up that a file lacks in the values of a map"
_BY_ID = "delta-rs finds columns by name although the table's mapping is by id: all values are NULL"
_SWAPPED = "filters are put to the column that has the name in the file, which belongs to another"
_VACUUM = "delta-rs refuses vacuumProtocolCheck, which asks nothing of a reader"
GAPS: dict[tuple[str, str], str] = {
    **{("fields_of_map_values_added_later", reader): _MAP for reader in ("auto", "listing", "scan")},
    **{("mapping_by_id_with_other_names", reader): _BY_ID for reader in ("auto", "scan")},
    ("mapped_column_renamed_swapped_dropped_and_added_again", "dataset"): _SWAPPED,
    **{("feature_vacuum_protocol_check", reader): _VACUUM for reader in ("scan", "dataset")},
    **{("vacuum_protocol_check_and_many_partitions", reader): _VACUUM for reader in ("auto", "scan", "dataset")},
}
"""Table and reader to what is wrong today."""
REFUSED = {"type_widening": "the table needs `TypeWidening`, which delta-rs can't read"}
"""What no reader can read, and what is said then."""
NOT_DUCKDB = {
    "absolute_paths", "absolute_paths_by_hadoop", "absolute_paths_with_vectors_and_partitions",  # joined to the table's path
    "mapping_by_name", "mapping_by_name_legacy", "mapping_by_id", "mapping_by_id_legacy", "vectors_mapping_and_partitions",  # partition values are NULL
    "mapping_by_id_with_other_names",  # all NULL
    "feature_variant", "vacuum_protocol_check_and_many_partitions",
}  # fmt: skip
"""What DuckDB refuses or reads wrong."""


def table(make: Callable[[Lake], pa.Table]) -> Callable[[Lake], pa.Table]:
    TABLES[make.__name__] = make
    return make


def ids(count: int, start: int = 0) -> pa.Array:
    return pa.array(range(start, start + count), pa.int64())


# -- partition values

_DAY = dt.date
_AT = dt.datetime
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
    "date": (pa.date32(), [("1969-12-31", _DAY(1969, 12, 31)), ("1500-02-28", _DAY(1500, 2, 28)), ("0001-01-01", _DAY(1, 1, 1)), ("9999-12-31", _DAY(9999, 12, 31)), (None, None)]),
    "timestamp": (pa.timestamp("us", "UTC"), [("2024-01-02 03:04:05", _AT(2024, 1, 2, 3, 4, 5)), ("2024-01-02 03:04:05.123456", _AT(2024, 1, 2, 3, 4, 5, 123456)), ("2024-01-02 03:04:05.5", _AT(2024, 1, 2, 3, 4, 5, 500000)), ("1969-12-31 23:59:59.999999", _AT(1969, 12, 31, 23, 59, 59, 999999)), (None, None)]),
    "timestamp_iso": (pa.timestamp("us", "UTC"), [("2024-01-02T03:04:05Z", _AT(2024, 1, 2, 3, 4, 5)), ("2024-01-02T03:04:05.123456Z", _AT(2024, 1, 2, 3, 4, 5, 123456)), ("1600-01-01T00:00:00.000000Z", _AT(1600, 1, 1)), ("9999-12-31T23:59:59.999999Z", _AT(9999, 12, 31, 23, 59, 59, 999999)), (None, None)]),
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
    pa.timestamp("us"), [("0001-01-01 00:00:00", _AT(1, 1, 1)), ("9999-12-31 23:59:59.999999", _AT(9999, 12, 31, 23, 59, 59, 999999))]
)  # fmt: skip
TABLES["partition_many"] = _partitioned(pa.int32(), [(str(number), number) for number in range(70)])
TABLES["partition_many_strings"] = _partitioned(
    pa.string(), [(f"{number}%/ '", f"{number}%/ '") for number in range(65)] + [("", None), (None, None)]
)
TABLES["partition_many_dates"] = _partitioned(
    pa.date32(), [(None, None)] + [(str(_DAY(1900 + n, 1, 1)), _DAY(1900 + n, 1, 1)) for n in range(66)]
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


# -- files that differ from the schema

_INNER = pa.struct([("a", pa.int64()), ("b", pa.string())])
_NESTED = pa.schema([
    ("id", pa.int64()),
    ("st", pa.struct([("a", pa.int64()), ("in", _INNER), ("new", pa.string())])),
    ("items", pa.list_(_INNER)),
    ("lists", pa.list_(pa.list_(_INNER))),
    ("added", pa.list_(pa.string())),
])  # fmt: skip


@table
def nested_fields_added_later(lake: Lake) -> pa.Table:
    """An old file without the fields ``b`` and ``new`` anywhere, a newer one with them."""
    old = pa.struct([("a", pa.int64())])
    before = pa.schema([
        ("id", pa.int64()), ("st", pa.struct([("a", pa.int64()), ("in", old)])), ("items", pa.list_(old)),
        ("lists", pa.list_(pa.list_(old))),
    ])  # fmt: skip
    rows_before = [
        {"id": 0, "st": {"a": 1, "in": {"a": 2}}, "items": [{"a": 3}, None], "lists": [[{"a": 4}], None, []]},
        {"id": 1, "st": None, "items": None, "lists": None},
        {"id": 2, "st": {"a": None, "in": None}, "items": [], "lists": []},
    ]
    both = {"a": 6, "b": "x"}
    rows_after = [
        {"id": 3, "st": {"a": 1, "in": both, "new": "n"}, "items": [both], "lists": [[both]], "added": ["z"]},
        {"id": 4, "st": {"a": 1, "in": None, "new": None}, "items": [None], "lists": [[None]], "added": None},
    ]
    older = pa.Table.from_pylist(rows_before, schema=before)
    newer = pa.Table.from_pylist(rows_after, schema=_NESTED)
    lake.create(before, lake.file("a.parquet", older))
    lake.commit(metadata(_NESTED), lake.file("b.parquet", newer))
    return pa.concat_tables([pa.Table.from_pylist(rows_before, schema=_NESTED), newer])


@table
def fields_of_map_values_added_later(lake: Lake) -> pa.Table:
    before = pa.schema([("id", pa.int64()), ("m", pa.map_(pa.string(), pa.struct([("a", pa.int64())])))])
    after = pa.schema([("id", pa.int64()), ("m", pa.map_(pa.string(), _INNER))])
    old = [{"id": 0, "m": [("k", {"a": 5}), ("n", None)]}, {"id": 1, "m": None}, {"id": 2, "m": []}]
    new = [{"id": 3, "m": [("k", {"a": 6, "b": "x"})]}]
    lake.create(before, lake.file("a.parquet", pa.Table.from_pylist(old, schema=before)))
    lake.commit(metadata(after), lake.file("b.parquet", pa.Table.from_pylist(new, schema=after)))
    return pa.Table.from_pylist(old + new, schema=after)


@table
def columns_added_later(lake: Lake) -> pa.Table:
    before, after = pa.schema([("id", pa.int64())]), pa.schema([
        ("first", pa.string()), ("id", pa.int64()), ("d", pa.decimal128(10, 2)), ("t", pa.timestamp("us", "UTC")), ("f", pa.float64()),
        ("st", _INNER), ("m", pa.map_(pa.string(), pa.int32())),
    ])  # fmt: skip
    lake.create(before, lake.file("a.parquet", pa.table([ids(3)], schema=before)))
    row = {
        "first": "x",
        "id": 3,
        "d": Decimal("1.50"),
        "t": _AT(2024, 1, 1),
        "f": 2.5,
        "st": {"a": 1, "b": None},
        "m": [("k", 1)],
    }
    lake.commit(metadata(after), lake.file("b.parquet", pa.Table.from_pylist([row], schema=after)))
    return pa.Table.from_pylist([{"id": 0}, {"id": 1}, {"id": 2}, row], schema=after)


@table
def columns_in_another_order_and_more(lake: Lake) -> pa.Table:
    """Files whose columns, and fields of structs, stand in another order, with some that the schema lacks."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("st", _INNER)])
    rows = [{"id": 0, "s": "x", "st": {"a": 1, "b": "p"}}, {"id": 1, "s": None, "st": {"a": None, "b": "q"}}]
    swapped = pa.schema(
        [
            ("gone", pa.int32()),
            ("st", pa.struct([("b", pa.string()), ("gone", pa.int8()), ("a", pa.int64())])),
            ("s", pa.string()),
            ("id", pa.int64()),
        ]
    )
    add = lake.file(
        "a.parquet", pa.Table.from_pylist([{**row, "gone": 7} for row in rows], schema=swapped), stats={"numRecords": 2}
    )
    more = [{"id": 2, "s": "y", "st": None}]
    lake.create(schema, add, lake.file("b.parquet", pa.Table.from_pylist(more, schema=schema)))
    return pa.Table.from_pylist(rows + more, schema=schema)


@table
def column_dropped_and_added_again(lake: Lake) -> pa.Table:
    """Without column mapping a column of the same name comes back with its old values' type."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    lake.create(schema, lake.file("a.parquet", pa.table([ids(2), pa.array(["x", "y"])], schema=schema)))
    shorter = pa.schema([("id", pa.int64())])
    lake.commit(metadata(shorter), lake.file("b.parquet", pa.table([ids(2, 2)], schema=shorter)))
    lake.commit(metadata(schema))
    return pa.table([ids(4), pa.array(["x", "y", None, None])], schema=schema)


@table
def nulls_at_every_level(lake: Lake) -> pa.Table:
    deep = pa.struct([("l", pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.int32())))])))])
    schema = pa.schema([("id", pa.int64()), ("x", deep)])
    values: list[Any] = [
        None, {"l": None}, {"l": []}, {"l": [None]}, {"l": [{"m": None}]}, {"l": [{"m": []}]}, {"l": [{"m": [("k", None)]}]},
        {"l": [{"m": [("k", [])]}]}, {"l": [{"m": [("k", [None, 1])]}, None]},
    ]  # fmt: skip
    rows = pa.Table.from_pylist([{"id": n, "x": value} for n, value in enumerate(values)], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows.slice(0, 4)), lake.file("b.parquet", rows.slice(4)))
    return rows


# -- physical types

_TIMES = [_AT(1800, 1, 1, 1, 2, 3), _AT(1969, 12, 31, 23, 59, 59), _AT(2024, 1, 1), None]
_FAR = [_AT(1, 1, 1), _AT(1582, 10, 10), _AT(9999, 12, 31, 23, 59, 59, 999999), None]


def _timed(
    values: Sequence[Any], stored: pa.DataType, type: pa.DataType, stats: bool = True, **options: Any
) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        schema = pa.schema([("id", pa.int64()), ("t", type)])
        lake.create(schema, features=["timestampNtz"] if type.tz is None else [])
        for number in range(2):
            times = values[2 * number :][:2]
            rows = pa.table({"id": ids(2, 2 * number), "t": pa.array(times, type).cast(stored)})
            lake.commit(lake.file(f"f{number}.parquet", rows, stats=... if stats else None, **options))
        return pa.table([ids(4), pa.array(values, type)], schema=schema)

    return make


_ZONED, _LOCAL = pa.timestamp("us", "UTC"), pa.timestamp("us")
TABLES |= {
    "timestamp_us": _timed(_FAR, _ZONED, _ZONED),
    "timestamp_us_without_statistics": _timed(_FAR, _ZONED, _ZONED, stats=False),
    "timestamp_ms": _timed(_TIMES, pa.timestamp("ms", "UTC"), _ZONED),
    "timestamp_ns": _timed(_TIMES, pa.timestamp("ns", "UTC"), _ZONED, version="2.6"),
    "timestamp_int96": _timed(_TIMES, _ZONED, _ZONED, use_deprecated_int96_timestamps=True),
    "timestamp_stored_as_local": _timed(_TIMES, _LOCAL, _ZONED),
    "timestamp_with_a_stored_schema": _timed(_TIMES, pa.timestamp("us", "Europe/Berlin"), _ZONED, store_schema=True),
    "ntz_us": _timed(_FAR, _LOCAL, _LOCAL),
    "ntz_ms": _timed(_TIMES, pa.timestamp("ms"), _LOCAL),
    "ntz_ns": _timed(_TIMES, pa.timestamp("ns"), _LOCAL, version="2.6"),
    "ntz_int96": _timed(_TIMES, _LOCAL, _LOCAL, use_deprecated_int96_timestamps=True),
    "ntz_stored_as_utc": _timed(_TIMES, _ZONED, _LOCAL),
}


@table
def dates(lake: Lake) -> pa.Table:
    days = [_DAY(1, 1, 1), _DAY(1582, 10, 4), _DAY(1969, 12, 31), _DAY(9999, 12, 31), None]
    schema = pa.schema([("id", pa.int64()), ("d", pa.date32())])
    rows = pa.table([ids(5), pa.array(days, pa.date32())], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows.slice(0, 3)), lake.file("b.parquet", rows.slice(3)))
    return rows


def _decimals(**options: Any) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        schema = pa.schema(
            [("id", pa.int64()), ("a", pa.decimal128(9, 2)), ("b", pa.decimal128(18, 4)), ("c", pa.decimal128(38, 10))]
        )
        rows = pa.Table.from_pylist([
            {"id": 0, "a": Decimal("-9999999.99"), "b": Decimal("-99999999999999.9999"), "c": Decimal("-9999999999999999999999999999.9999999999")},
            {"id": 1, "a": Decimal("-0.01"), "b": Decimal("0.0001"), "c": Decimal("0.0000000001")},
            {"id": 2, "a": None, "b": None, "c": None},
            {"id": 3, "a": Decimal("1.50"), "b": Decimal("1.5"), "c": Decimal("1.5")},
        ], schema=schema)  # fmt: skip
        # Statistics are JSON numbers: Spark writes all digits.
        stats = [json.dumps(statistics(part.select(["id", "a"]))) for part in (rows.slice(0, 2), rows.slice(2))]
        lake.create(
            schema,
            lake.file("a.parquet", rows.slice(0, 2), stats=stats[0], **options),
            lake.file("b.parquet", rows.slice(2), stats=stats[1], **options),
        )
        return rows

    return make


TABLES["decimal_fixed"] = _decimals()
TABLES["decimal_integers"] = _decimals(store_decimal_as_integer=True)


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
def strings_of_every_sort(lake: Lake) -> pa.Table:
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("b", pa.binary())])
    texts = ["", "'", '"', "\\", "\u0000", "a\nb", "\ud7ff\ue000", "𐀀", "e\u0301", None]
    rows = pa.table(
        [ids(10), pa.array(texts), pa.array([text and text.encode() for text in texts], pa.binary())], schema=schema
    )
    lake.create(
        schema, *(lake.file(f"{n}.parquet", rows.slice(n, 2), use_dictionary=n % 4 == 0) for n in range(0, 10, 2))
    )
    return rows


@table
def large_and_view_and_dictionary_types_stored(lake: Lake) -> pa.Table:
    """The embedded Arrow schema of a file counts for nothing."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("l", pa.list_(pa.int64())), ("b", pa.binary())])
    rows = pa.table(
        [
            ids(4),
            pa.array(["x", None, "y", "x"]),
            pa.array([[1], None, [], [None]], pa.list_(pa.int64())),
            pa.array([b"x", None, b"", b"y"]),
        ],
        schema=schema,
    )
    stored = [
        pa.schema(
            [("id", pa.int64()), ("s", pa.large_string()), ("l", pa.large_list(pa.int64())), ("b", pa.large_binary())]
        ),
        pa.schema(
            [
                ("id", pa.int64()),
                ("s", pa.dictionary(pa.int8(), pa.string())),
                ("l", pa.list_(pa.int64())),
                ("b", pa.binary()),
            ]
        ),
        pa.schema([("id", pa.int64()), ("s", pa.string_view()), ("l", pa.list_(pa.int64())), ("b", pa.binary_view())]),
    ]
    parts = [rows.slice(0, 1), rows.slice(1, 2), rows.slice(3, 1)]
    lake.create(
        schema,
        *(
            lake.file(f"{n}.parquet", part.cast(kind), store_schema=True, stats=statistics(part))
            for n, (part, kind) in enumerate(zip(parts, stored, strict=True))
        ),
    )
    return rows


@table
def narrower_integers_stored(lake: Lake) -> pa.Table:
    """INT32 in the files, ``long`` in the schema: kernel-based writers and type widening without its feature."""
    schema = pa.schema([("id", pa.int64()), ("n", pa.int64()), ("f", pa.float64()), ("y", pa.int16())])
    stored = pa.schema([("id", pa.int32()), ("n", pa.int16()), ("f", pa.float32()), ("y", pa.int8())])
    rows = pa.table(
        [
            ids(3),
            pa.array([-5, None, 7], pa.int64()),
            pa.array([0.5, None, float("nan")], pa.float64()),
            pa.array([1, None, -1], pa.int16()),
        ],
        schema=schema,
    )
    wide = pa.table(
        [ids(1, 3), pa.array([2**40], pa.int64()), pa.array([1e300], pa.float64()), pa.array([300], pa.int16())],
        schema=schema,
    )
    lake.create(schema, lake.file("a.parquet", rows.cast(stored)), lake.file("b.parquet", wide))
    return pa.concat_tables([rows, wide])


@table
def type_widening(lake: Lake) -> pa.Table:
    changes = {name: [{"fromType": old, "toType": new}] for name, old, new in (
        ("y", "byte", "long"), ("f", "float", "double"), ("e", "integer", "double"), ("d", "decimal(5,2)", "decimal(12,4)"), ("t", "date", "timestamp_ntz"), ("i", "integer", "decimal(12,2)"))}  # fmt: skip
    final = pa.schema(
        [
            ("id", pa.int64()),
            ("y", pa.int64()),
            ("f", pa.float64()),
            ("e", pa.float64()),
            ("d", pa.decimal128(12, 4)),
            ("t", pa.timestamp("us")),
            ("i", pa.decimal128(12, 2)),
        ]
    )
    first = pa.schema(
        [
            ("id", pa.int64()),
            ("y", pa.int8()),
            ("f", pa.float32()),
            ("e", pa.int32()),
            ("d", pa.decimal128(5, 2)),
            ("t", pa.date32()),
            ("i", pa.int32()),
        ]
    )
    described = [
        field(f.name, f.type, **({"delta.typeChanges": changes[f.name]} if f.name in changes else {})) for f in final
    ]
    old = [
        {"id": 0, "y": -128, "f": 0.5, "e": 2**31 - 1, "d": Decimal("-1.25"), "t": _DAY(1969, 1, 1), "i": -7},
        {"id": 1},
    ]
    new = [
        {
            "id": 2,
            "y": 2**40,
            "f": 1e300,
            "e": 0.1,
            "d": Decimal("12345678.1234"),
            "t": _AT(2024, 1, 1, 12),
            "i": Decimal("0.05"),
        }
    ]
    lake.create(
        first,
        lake.file("a.parquet", pa.Table.from_pylist(old, schema=first)),
        features=["typeWidening", "timestampNtz"],
        delta__enableTypeWidening="true",
    )
    lake.commit(
        metadata(described, properties={"delta.enableTypeWidening": "true"}),
        lake.file("b.parquet", pa.Table.from_pylist(new, schema=final)),
    )
    told = [{**old[0], "d": Decimal("-1.2500"), "t": _AT(1969, 1, 1), "i": Decimal(-7)}, {"id": 1}, *new]
    return pa.Table.from_pylist(told, schema=final)


@table
def parquet_pages_and_codecs(lake: Lake) -> pa.Table:
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("f", pa.float64())])
    rows = pa.table(
        [
            ids(60),
            pa.array([None if n % 7 == 0 else f"s{n % 5}" for n in range(60)]),
            pa.array([n / 4 for n in range(60)]),
        ],
        schema=schema,
    )
    kinds: list[dict[str, Any]] = [
        {"compression": "zstd", "data_page_version": "2.0", "write_page_index": True, "row_group_size": 3},
        {"compression": "gzip", "use_dictionary": False, "data_page_size": 16},
        {"compression": "none", "column_encoding": {"id": "DELTA_BINARY_PACKED", "s": "DELTA_BYTE_ARRAY", "f": "BYTE_STREAM_SPLIT"}, "use_dictionary": False},
        {"compression": "lz4", "write_statistics": False}, {"compression": "brotli", "version": "1.0"}, {"compression": "snappy", "row_group_size": 1},
    ]  # fmt: skip
    lake.create(
        schema, *(lake.file(f"{n}.parquet", rows.slice(10 * n, 10), **options) for n, options in enumerate(kinds))
    )
    return rows


@table
def bloom_like_empty_files(lake: Lake) -> pa.Table:
    """Files of no rows, and of no row groups."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    rows = pa.table([ids(2), pa.array(["x", None])], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows.slice(0, 0)), lake.file("b.parquet", rows))
    return rows


@table
def all_null(lake: Lake) -> pa.Table:
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("t", _ZONED)])
    rows = pa.Table.from_pylist([{"id": 0}, {"id": 1}], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows))
    return rows


# -- the log

_PAIR = pa.schema([("id", pa.int64()), ("s", pa.string())])


def _pair(start: int, count: int = 2) -> pa.Table:
    return pa.table([ids(count, start), pa.array([f"s{n}" for n in range(start, start + count)])], schema=_PAIR)


def four(lake: Lake, schema: pa.Schema = _PAIR) -> list[Json]:
    """Four commits of a file each; gives the add actions."""
    lake.create(schema)
    adds = [lake.file(f"f{n}.parquet", _pair(2 * n)) for n in range(4)]
    for add in adds:
        lake.commit(add)
    return adds


def state(adds: Sequence[Json]) -> list[Json]:
    """The actions of a checkpoint over the table of ``four``."""
    return [protocol(1, 2), metadata(_PAIR), *adds]


@table
def checkpoint_in_parts(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds), parts=3)
    for version in range(lake.version):
        lake.entry(version).unlink()
    lake.commit(lake.file("tail.parquet", _pair(8)), removed(adds[0]))
    return _pair(2, 8)


@table
def cleaned_log(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds[:3]), version=3)
    for version in range(4):
        lake.entry(version).unlink()
    return _pair(0, 8)


@table
def checkpoint_without_pointer(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds), pointer=False)
    for version in range(lake.version + 1):
        lake.entry(version).unlink()
    return _pair(0, 8)


@table
def compacted_log(lake: Lake) -> pa.Table:
    adds = four(lake)
    compacted = lake.log / f"{1:020d}.{3:020d}.compacted.json"
    compacted.write_text("".join(json.dumps(action) + "\n" for action in adds[:3]))
    return _pair(0, 8)


@table
def compacted_log_with_removes(lake: Lake) -> pa.Table:
    adds = four(lake)
    lake.commit(removed(adds[1]), lake.file("again.parquet", _pair(8)))
    compacted = lake.log / f"{2:020d}.{5:020d}.compacted.json"
    later = [adds[2], adds[3], removed(adds[1]), lake.added("again.parquet")]
    compacted.write_text("".join(json.dumps(action) + "\n" for action in later))
    lake.commit(removed(adds[3]))
    return pa.concat_tables([_pair(0), _pair(4), _pair(8)])


@table
def v2_checkpoint(lake: Lake) -> pa.Table:
    """A checkpoint as JSON whose files stand in a sidecar."""
    lake.create(_PAIR, features=["v2Checkpoint"], delta__checkpointPolicy="v2")
    adds = [lake.file(f"f{n}.parquet", _pair(2 * n)) for n in range(3)]
    lake.commit(*adds)
    side = lake.log / "_sidecars" / "3a0d65cd-4056-49b8-937b-95f9e3ee90e5.parquet"
    side.parent.mkdir()
    pq.write_table(
        pa.Table.from_pylist(adds, schema=pa.schema([CHECKPOINT.field("add"), CHECKPOINT.field("remove")])), side
    )
    sidecar = {"sidecar": {"path": side.name, "sizeInBytes": side.stat().st_size, "modificationTime": 0, "tags": {}}}
    actions = [
        {"checkpointMetadata": {"version": 1, "tags": {}}},
        protocol(3, 7, ["v2Checkpoint"]),
        metadata(_PAIR, (), {"delta.checkpointPolicy": "v2"}),
        sidecar,
    ]
    (lake.log / f"{1:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json").write_text(
        "".join(json.dumps(a) + "\n" for a in actions)
    )
    lake.entry(0).unlink()
    lake.commit(lake.file("tail.parquet", _pair(6)))
    return _pair(0, 8)


@table
def other_actions(lake: Lake) -> pa.Table:
    """Transactions, change files, domain metadata, blank lines, unknown actions and unknown fields."""
    add = lake.file("a.parquet", _pair(0))
    add["add"] |= {"tags": {"a": None, "b": "c"}, "clusteringProvider": "x", "baseRowId": 0, "unknown": [1]}
    lake.create(_PAIR, add, {"txn": {"appId": "x", "version": 1}}, {"unheardOf": {"x": 1}},
                {"cdc": {"path": "_change_data/x.parquet", "partitionValues": {}, "size": 1, "dataChange": False}})  # fmt: skip
    lake.entry().write_text(lake.entry().read_text().replace("\n", "\n\n"))
    return _pair(0)


@table
def file_added_removed_and_added_again(lake: Lake) -> pa.Table:
    adds = four(lake)
    lake.commit(removed(adds[0]))
    lake.commit({"add": {**adds[0]["add"], "dataChange": False}})
    lake.commit({"add": {**adds[1]["add"], "dataChange": False}})
    return _pair(0, 8)


@table
def false_number_of_rows(lake: Lake) -> pa.Table:
    """Counting is by the files' footers, not by the log."""
    adds = [lake.file(f"f{n}.parquet", _pair(2 * n), stats={"numRecords": 10**6}) for n in range(2)]
    lake.create(_PAIR, *adds)
    return _pair(0, 4)


@table
def no_statistics(lake: Lake) -> pa.Table:
    lake.create(_PAIR, lake.file("a.parquet", _pair(0), stats=None), lake.file("b.parquet", _pair(2)))
    return _pair(0, 4)


@table
def statistics_of_other_types(lake: Lake) -> pa.Table:
    stats = {"numRecords": 2, "minValues": {"id": "0", "s": 7}, "maxValues": {"id": [1]}, "nullCount": {"id": "none"}}
    lake.create(_PAIR, lake.file("a.parquet", _pair(0), stats=stats), lake.file("b.parquet", _pair(2)))
    return _pair(0, 4)


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
    rows = pa.table([ids(2), pa.array(["x", None])], schema=_PAIR)
    lake.create(_PAIR, lake.file("a.parquet", rows, stats=stats | {"nullCount": {"id": 0, "s": 1}}))
    return rows


# -- paths


@table
def absolute_paths(lake: Lake) -> pa.Table:
    """A shallow clone: files of another table by URL, and one of its own."""
    source = Lake(lake.path.parent / "sou rce%25")
    elsewhere = source.file("f ü.parquet", _pair(0))
    elsewhere["add"]["path"] = (source.path / "f ü.parquet").as_uri()
    lake.create(_PAIR, elsewhere, lake.file("own.parquet", _pair(2)))
    return _pair(0, 4)


# -- column mapping


def _mapped(schema: pa.Schema, mode: str) -> list[Json]:
    """The fields of ``schema``, each with an id and a physical name; pyarrow keeps the id in the metadata."""
    counter = iter(range(1, 1000))

    def mapped(made: Json) -> Json:
        number = next(counter)
        made["metadata"] = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
        below(made["type"])
        return made

    def below(type: Any) -> None:
        if isinstance(type, dict):
            for child in type.get("fields", ()):
                mapped(child)
            for part in ("elementType", "keyType", "valueType"):
                below(type.get(part))

    return [mapped(made) for made in fields(schema)]


def _physical(described: Sequence[Json], schema: pa.Schema, *, names: Callable[[Json], str]) -> pa.Schema:
    def stored(made: Json, child: pa.Field) -> pa.Field:
        number = made["metadata"]["delta.columnMapping.id"]
        return pa.field(
            names(made), below(made["type"], child.type), metadata={b"PARQUET:field_id": str(number).encode()}
        )

    def below(made: Any, type: pa.DataType) -> pa.DataType:
        if pa.types.is_struct(type):
            return pa.struct([stored(one, child) for one, child in zip(made["fields"], type, strict=True)])
        if pa.types.is_map(type):
            return pa.map_(below(made["keyType"], type.key_type), below(made["valueType"], type.item_type))
        return pa.list_(below(made["elementType"], type.value_type)) if pa.types.is_list(type) else type

    return pa.schema([stored(made, child) for made, child in zip(described, schema, strict=True)])


def _renamed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The same values under the names of ``schema``, at every depth."""

    def of(array: pa.Array, type: pa.DataType) -> pa.Array:
        nulls = array.is_null() if array.null_count else None
        if pa.types.is_struct(type):
            children = [of(array.field(n), type.field(n).type) for n in range(type.num_fields)]
            return pa.StructArray.from_arrays(children, fields=list(type), mask=nulls)
        if pa.types.is_map(type):
            return pa.MapArray.from_arrays(
                array.offsets, of(array.keys, type.key_type), of(array.items, type.item_type), type, mask=nulls
            )
        if pa.types.is_list(type):
            return pa.ListArray.from_arrays(array.offsets, of(array.values, type.value_type), type, mask=nulls)
        return array

    arrays = [of(column.combine_chunks(), f.type) for column, f in zip(rows.columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


_MAPPED = pa.schema(
    [
        ("id", pa.int64()),
        ("a b,c", pa.string()),
        ("st", _INNER),
        ("items", pa.list_(_INNER)),
        ("m", pa.map_(pa.string(), _INNER)),
        ("p", pa.int32()),
    ]
)


def _mapping(mode: str, *, reader: int, shuffled: bool = False) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        described = _mapped(_MAPPED, mode)
        rows = [{"id": n, "a b,c": None if n == 1 else f"s{n}", "st": None if n == 2 else {"a": n, "b": "x"}, "items": [{"a": n, "b": None}, None],
                 "m": [("k", {"a": 1, "b": f"v{n}"})], "p": n // 2} for n in range(4)]  # fmt: skip
        expected = pa.Table.from_pylist(rows, schema=_MAPPED)
        # By id, files may name their columns as they like.
        physical = _physical(
            described,
            _MAPPED,
            names=lambda made: ("x" if shuffled else "col") + f"-{made['metadata']['delta.columnMapping.id']}",
        )
        partition = described[-1]["metadata"]["delta.columnMapping.physicalName"]
        adds = []
        for part in range(2):
            stored = _renamed(expected.slice(2 * part, 2), physical).drop_columns([physical.names[-1]])
            stats = statistics(stored)
            adds.append(
                lake.file(
                    f"{part}.parquet", stored, {partition: str(part)}, stats if not shuffled else {"numRecords": 2}
                )
            )
        properties = {"delta__columnMapping__mode": mode, "delta__columnMapping__maxColumnId": "50"}
        features = ["columnMapping"] if reader == 3 else []
        lake.create(
            described, *adds, by=["p"], reader=reader, writer=5 if reader == 2 else 7, features=features, **properties
        )
        return expected

    return make


TABLES |= {
    "mapping_by_name": _mapping("name", reader=3), "mapping_by_name_legacy": _mapping("name", reader=2),
    "mapping_by_id": _mapping("id", reader=3), "mapping_by_id_legacy": _mapping("id", reader=2),
    "mapping_by_id_with_other_names": _mapping("id", reader=2, shuffled=True),
}  # fmt: skip


@table
def mapped_column_renamed_swapped_dropped_and_added_again(lake: Lake) -> pa.Table:
    def mapped(name: str, type: pa.DataType, number: int, physical: str) -> Json:
        return field(name, type, **{"delta.columnMapping.id": number, "delta.columnMapping.physicalName": physical})

    mode = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "9"}
    one, two = mapped("id", pa.int64(), 1, "id"), mapped("a", pa.string(), 2, "a")
    three, gone = mapped("b", pa.string(), 3, "b"), mapped("c", pa.int64(), 4, "c")
    schema = pa.schema([("id", pa.int64()), ("a", pa.string()), ("b", pa.string()), ("c", pa.int64())])

    def with_ids(rows: pa.Table, numbers: Sequence[int]) -> pa.Table:
        kept = [
            f.with_metadata({b"PARQUET:field_id": str(n).encode()}) for f, n in zip(rows.schema, numbers, strict=True)
        ]
        return rows.cast(pa.schema(kept))

    rows = pa.Table.from_pylist([{"id": 0, "a": "A", "b": "B", "c": 9}, {"id": 1}], schema=schema)
    lake.commit(
        protocol(2, 5),
        metadata([one, two, three, gone], (), mode),
        lake.file("a.parquet", with_ids(rows, [1, 2, 3, 4])),
    )
    # `a` and `b` change names, `c` goes and comes back as another column of another type.
    new = mapped("c", pa.string(), 5, "col-5")
    swapped = [one, mapped("b", pa.string(), 2, "a"), mapped("a", pa.string(), 3, "b"), new]
    later = pa.schema([("id", pa.int64()), ("a", pa.string()), ("b", pa.string()), ("col-5", pa.string())])
    more = pa.Table.from_pylist([{"id": 2, "a": "x", "b": "y", "col-5": "z"}], schema=later)
    lake.commit(metadata(swapped, (), mode), lake.file("b.parquet", with_ids(more, [1, 2, 3, 5])))
    told = pa.schema([("id", pa.int64()), ("b", pa.string()), ("a", pa.string()), ("c", pa.string())])
    return pa.Table.from_pylist(
        [{"id": 0, "b": "A", "a": "B"}, {"id": 1}, {"id": 2, "b": "x", "a": "y", "c": "z"}], schema=told
    )


@table
def mapping_turned_on_later(lake: Lake) -> pa.Table:
    """The older files have the logical names, and no ids; a column renamed since keeps its first name there."""
    lake.create(_PAIR, lake.file("a.parquet", _pair(0)))
    described = [field(name, type, **{"delta.columnMapping.id": n, "delta.columnMapping.physicalName": physical})
                 for n, (name, type, physical) in enumerate([("id", pa.int64(), "id"), ("t", pa.string(), "s")], 1)]  # fmt: skip
    mode = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"}
    lake.commit(protocol(2, 5), metadata(described, (), mode), lake.file("b.parquet", _pair(2)))
    return _pair(0, 4).rename_columns(["id", "t"])


# -- deletion vectors

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(data: bytes) -> str:
    """ZeroMQ's base 85."""
    words = struct.unpack(f">{len(data) // 4}I", data)
    return "".join(_Z85[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


def bitmap(rows: Sequence[int]) -> bytes:
    """The row numbers as a 64-bit Roaring bitmap in Delta's format: array and bitmap containers."""
    by_key: dict[int, dict[int, list[int]]] = {}
    for row in sorted(rows):
        by_key.setdefault(row >> 32, {}).setdefault(row >> 16 & 0xFFFF, []).append(row & 0xFFFF)
    out = struct.pack("<iq", 1681511377, len(by_key))
    for high, containers in by_key.items():
        bodies = []
        for values in containers.values():
            if len(values) <= 4096:
                bodies.append(struct.pack(f"<{len(values)}H", *values))
            else:
                bits = bytearray(8192)
                for value in values:
                    bits[value >> 3] |= 1 << (value & 7)
                bodies.append(bytes(bits))
        head = struct.pack("<iii", high, 12346, len(containers))
        head += b"".join(struct.pack("<HH", low, len(values) - 1) for low, values in containers.items())
        offset = len(head) - 4 + 4 * len(containers)
        for body in bodies:
            head += struct.pack("<i", offset)
            offset += len(body)
        out += head + b"".join(bodies)
    return out


def vector(lake: Lake, storage: str, rows: Sequence[int], *, offset: int = 1) -> Json:
    """A deletion vector, stored inline, in a file of the table, or at an absolute path."""
    data = bitmap(rows)
    made: Json = {"storageType": storage, "sizeInBytes": len(data), "cardinality": len(rows)}
    if storage == "i":
        return made | {"pathOrInlineDv": z85(data + bytes(-len(data) % 4))}
    id = UUID("d2c639aa-8816-431a-aaf6-d3fe2512ff61")
    folder, prefix = (lake.path, "") if storage == "p" else (lake.path / "ab", "ab")
    folder.mkdir(exist_ok=True)
    path = folder / f"deletion_vector_{id}.bin"
    content = path.read_bytes() if path.exists() else b"\x01" + bytes(offset - 1)
    path.write_bytes(content + struct.pack(">i", len(data)) + data + struct.pack(">I", zlib.crc32(data)))
    return made | {
        "offset": len(content),
        "pathOrInlineDv": path.as_uri() if storage == "p" else prefix + z85(id.bytes),
    }


def _deleted(
    storage: str, size: int = 6, gone: Sequence[int] = (0, 2, 5), row_group: int = 4
) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        parts = [_pair(0, size), _pair(size, 6), _pair(size + 6, 6)]
        adds = [lake.file(f"{n}.parquet", part, row_group_size=row_group) for n, part in enumerate(parts)]
        adds[0]["add"]["deletionVector"] = vector(lake, storage, gone)
        adds[1]["add"]["deletionVector"] = vector(lake, storage, [1])
        lake.create(_PAIR, *adds, features=["deletionVectors"], delta__enableDeletionVectors="true")
        kept = [n for n in range(size + 12) if n not in set(gone) and n != size + 1]
        return _pair(0, size + 12).take(kept)

    return make


TABLES |= {
    "deletion_vector_inline": _deleted("i"), "deletion_vector_relative": _deleted("u"), "deletion_vector_absolute": _deleted("p"),
    "deletion_vector_dense": _deleted("u", 4400, [n for n in range(4400) if n % 40 and n != 4399], 1000),
    "deletion_vector_of_all_rows": _deleted("u", 6, range(6)),
}  # fmt: skip


@table
def deletion_vector_replaced(lake: Lake) -> pa.Table:
    """A file's vector gives way to a longer one, then a row comes back by RESTORE."""
    plain = lake.file("a.parquet", _pair(0, 6))
    first = {"add": {**plain["add"], "deletionVector": vector(lake, "i", [0])}}
    second = {"add": {**plain["add"], "deletionVector": vector(lake, "u", [0, 1])}}
    lake.create(_PAIR, plain, features=["deletionVectors"], delta__enableDeletionVectors="true")
    lake.commit(removed(plain), first)
    lake.commit(removed(first), second)
    return _pair(2, 4)


# -- features that a reader may pass over


def _featured(
    *,
    features: Sequence[str] = (),
    writer_features: Sequence[str] = (),
    described: list[Json] | None = None,
    actions: Sequence[Json] = (),
    **options: Any,
) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        add = lake.file("a.parquet", _pair(0))
        add["add"] |= {"baseRowId": 0, "defaultRowCommitVersion": 0}
        lake.create(
            described or _PAIR,
            add,
            lake.file("b.parquet", _pair(2)),
            *actions,
            features=features,
            writer_features=writer_features,
            **options,
        )
        return _pair(0, 4)

    return make


_S = field("s", pa.string())
_CLUSTERED = {
    "domainMetadata": {
        "domain": "delta.clustering",
        "configuration": '{"clusteringColumns":[["id"]]}',
        "removed": False,
    }
}
_TRACKED = {
    "domainMetadata": {"domain": "delta.rowTracking", "configuration": '{"rowIdHighWaterMark":3}', "removed": False}
}
TABLES |= {
    "feature_generated_column": _featured(writer=4, described=[field("id", pa.int64()), field("s", pa.string(), **{"delta.generationExpression": "concat('s', id)"})]),
    "feature_generated_column_named": _featured(writer_features=["generatedColumns"], described=[field("id", pa.int64()), field("s", pa.string(), **{"delta.generationExpression": "concat('s', id)"})]),
    "feature_identity": _featured(writer_features=["identityColumns"], described=[field("id", pa.int64(), **{"delta.identity.start": 0, "delta.identity.step": 1, "delta.identity.highWaterMark": 3, "delta.identity.allowExplicitInsert": True}), _S]),
    "feature_defaults": _featured(writer_features=["allowColumnDefaults"], described=[field("id", pa.int64()), field("s", pa.string(), CURRENT_DEFAULT="'x'", EXISTS_DEFAULT="'x'")]),
    "feature_row_tracking": _featured(writer_features=["rowTracking", "domainMetadata"], actions=[_TRACKED], delta__enableRowTracking="true", delta__rowTracking__materializedRowIdColumnName="_row-id-1", delta__rowTracking__materializedRowCommitVersionColumnName="_row-commit-1"),
    "feature_check_constraint": _featured(writer=3, delta__constraints__positive="id >= 0"),
    "feature_check_constraint_named": _featured(writer_features=["checkConstraints"], delta__constraints__positive="id >= 0"),
    "feature_clustered": _featured(writer_features=["clustering", "domainMetadata"], actions=[_CLUSTERED]),
    "feature_append_only": _featured(writer_features=["appendOnly", "invariants", "changeDataFeed"], delta__appendOnly="true", delta__enableChangeDataFeed="true"),
    "feature_not_null": _featured(described=[field("id", pa.int64(), nullable=False), field("s", pa.string(), nullable=False)]),
    "feature_vacuum_protocol_check": _featured(features=["vacuumProtocolCheck"]),
    "feature_iceberg": _featured(writer_features=["icebergWriterCompatV1"]),
    "feature_unknown_property": _featured(delta__someday="1", my__own="x"),
    "feature_comments": _featured(described=[field("id", pa.int64(), comment="it's"), _S]),
    "feature_char_varchar": _featured(described=[field("id", pa.int64()), field("s", pa.string(), __CHAR_VARCHAR_TYPE_STRING="varchar(10)")]),
    "feature_writer_from_the_future": _featured(writer_features=["someWriterFeature"]),
    "feature_column_is_called_as_another": _featured(described=[field("id", pa.int64()), _S, field("S", pa.string())][:2]),
}  # fmt: skip


@table
def vacuum_protocol_check_and_many_partitions(lake: Lake) -> pa.Table:
    adds = [lake.file(f"{n}.parquet", pa.table({"id": ids(1, n)}), {"p": str(n)}) for n in range(66)]
    schema = pa.schema([("id", pa.int64()), ("p", pa.int32())])
    lake.create(schema, *adds, by=["p"], features=["vacuumProtocolCheck"])
    return pa.table([ids(66), pa.array(range(66), pa.int32())], schema=schema)


@table
def feature_in_commit_timestamps(lake: Lake) -> pa.Table:
    lake.create(
        _PAIR,
        lake.file("a.parquet", _pair(0)),
        writer_features=["inCommitTimestamp"],
        delta__enableInCommitTimestamps="true",
    )
    lines = lake.entry().read_text().splitlines()
    lines[0] = json.dumps(
        {"commitInfo": {"inCommitTimestamp": 1_600_000_000_000, "timestamp": 5, "operation": "WRITE"}}
    )
    lake.entry().write_text("\n".join(lines))
    return _pair(0)


@table
def feature_variant(lake: Lake) -> pa.Table:
    stored = pa.struct(
        [pa.field("metadata", pa.binary(), nullable=False), pa.field("value", pa.binary(), nullable=False)]
    )
    values = [
        {"metadata": b"\x01\x00\x00", "value": b"\x0c\x01"},
        None,
        {"metadata": b"\x01\x00\x00", "value": b"\x00"},
    ]
    rows = pa.table([ids(3), pa.array(values, stored)], names=["id", "v"])
    lake.create(
        [field("id", pa.int64()), field("v", "variant")],
        lake.file("a.parquet", rows, stats={"numRecords": 3}),
        features=["variantType"],
    )
    return rows


# -- statistics in all their forms


def _stated(type: pa.DataType, values: Sequence[Any], low: str, high: str) -> Callable[[Lake], pa.Table]:
    """A file of ``values``, of which the log says ``low`` and ``high`` (JSON), and one of NULLs."""

    def make(lake: Lake) -> pa.Table:
        schema = pa.schema([("id", pa.int64()), ("v", type)])
        rows = pa.table([ids(len(values)), pa.array(values, type)], schema=schema)
        stats = (
            f'{{"numRecords":{len(values)},"minValues":{{"v":{low}}},"maxValues":{{"v":{high}}},"nullCount":{{"v":0}}}}'
        )
        empty = pa.table([ids(1, len(values)), pa.array([None], type)], schema=schema)
        lake.create(schema, features=["timestampNtz"] if type == _LOCAL else [])
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
    "statistics_timestamp_offset": _stated(_ZONED, [_AT(2024, 1, 1, 22), _AT(2024, 1, 2, 1)], '"2024-01-02T00:00:00.000+02:00"', '"2024-01-01T17:00:00.000-08:00"'),
    "statistics_timestamp_no_zone": _stated(_ZONED, [_AT(2024, 1, 1), _AT(2024, 1, 2, 0, 0, 0, 999)], '"2024-01-01 00:00:00"', '"2024-01-02 00:00:00"'),
    "statistics_timestamp_cut_before_1970": _stated(_ZONED, [_AT(1969, 12, 31, 23, 59, 58, 999001)], '"1969-12-31T23:59:58.999Z"', '"1969-12-31T23:59:58.999Z"'),
    "statistics_timestamp_cut": _stated(_ZONED, [_AT(2024, 1, 1, 0, 0, 0, 123999)], '"2024-01-01T00:00:00.123Z"', '"2024-01-01T00:00:00.123Z"'),
    "statistics_timestamp_far": _stated(_ZONED, [_AT(1, 1, 1), _AT(9999, 12, 31, 23, 59, 59, 999999)], '"0001-01-01T00:00:00.000Z"', '"9999-12-31T23:59:59.999Z"'),
    "statistics_ntz_cut": _stated(_LOCAL, [_AT(2024, 1, 1, 0, 0, 0, 123999)], '"2024-01-01T00:00:00.123"', '"2024-01-01T00:00:00.123"'),
    "statistics_ntz_with_zone": _stated(_LOCAL, [_AT(2024, 1, 1)], '"2024-01-01T00:00:00.000Z"', '"2024-01-01T00:00:00.000Z"'),
    "statistics_date": _stated(pa.date32(), [_DAY(1, 1, 1), _DAY(9999, 12, 31)], '"0001-01-01"', '"9999-12-31"'),
    "statistics_date_as_instant": _stated(pa.date32(), [_DAY(2024, 1, 2)], '"2024-01-02T00:00:00.000Z"', '"2024-01-02T00:00:00.000Z"'),
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


@table
def odd_column_names(lake: Lake) -> pa.Table:
    names = [
        "id",
        'a"b',
        "a'b",
        "a`b",
        "a.b",
        "A",
        "ü",
        "a\\b",
        "select",
        " ",
        "%s",
        "$1",
        "?",
        "a,b;{}()\n\t=",
        "x" * 300,
        "min.id",
        "path",
    ]
    schema = pa.schema([(name, pa.int64()) for name in names])
    rows = pa.table(
        [pa.array([n, n + 1, None if n > 1 else 7], pa.int64()) if n else ids(3) for n in range(len(names))],
        schema=schema,
    )
    lake.create(schema, lake.file("a.parquet", rows.slice(0, 2)), lake.file("b.parquet", rows.slice(2)))
    return rows


@table
def odd_partition_column_names(lake: Lake) -> pa.Table:
    names = ['a"b', "a.b", "A B", "ü", "select"]
    schema = pa.schema([("id", pa.int64())] + [(name, pa.string()) for name in names])
    adds = [lake.file(f"{n}.parquet", pa.table({"id": ids(1, n)}), dict.fromkeys(names, f"v'{n}")) for n in range(3)]
    lake.create(schema, *adds, by=names)
    return pa.table([ids(3), *[pa.array([f"v'{n}" for n in range(3)])] * 5], schema=schema)


@table
def lists_with_other_inner_names(lake: Lake) -> pa.Table:
    schema = pa.schema([("id", pa.int64()), ("l", pa.list_(_INNER)), ("m", pa.map_(pa.string(), pa.list_(pa.int64())))])
    rows = pa.Table.from_pylist(
        [{"id": 0, "l": [{"a": 1, "b": "x"}, None], "m": [("k", [1, None])]}, {"id": 1}, {"id": 2, "l": [], "m": []}],
        schema=schema,
    )
    lake.create(
        schema, lake.file("a.parquet", rows, use_compliant_nested_type=False), lake.file("b.parquet", rows.slice(0, 0))
    )
    return rows


@table
def raw_paths(lake: Lake) -> pa.Table:
    """Paths that aren't encoded beyond what must be: Spark leaves non-ASCII letters as they are."""
    add = lake.file("dé 漢/ü.parquet", _pair(0))
    add["add"]["path"] = "dé%20漢/ü.parquet"
    lake.create(_PAIR, add, lake.file("b.parquet", _pair(2)))
    return _pair(0, 4)


@table
def absolute_paths_by_hadoop(lake: Lake) -> pa.Table:
    """``file:/…`` with one slash."""
    source = Lake(lake.path.parent / "source")
    elsewhere = source.file("f.parquet", _pair(0))
    elsewhere["add"]["path"] = f"file:{source.path}/f.parquet"
    lake.create(_PAIR, elsewhere)
    return _pair(0)


@table
def absolute_paths_with_vectors_and_partitions(lake: Lake) -> pa.Table:
    source = Lake(lake.path.parent / "source_dv")
    adds = [source.file(f"p={n}/f.parquet", _pair(2 * n), {"p": str(n)}) for n in range(2)]
    for n, add in enumerate(adds):
        add["add"]["path"] = (source.path / f"p={n}/f.parquet").as_uri()
    adds[0]["add"]["deletionVector"] = vector(source, "p", [0])
    schema = _PAIR.append(pa.field("p", pa.int32()))
    lake.create(schema, *adds, by=["p"], features=["deletionVectors"])
    return pa.table([ids(3, 1), pa.array(["s1", "s2", "s3"]), pa.array([0, 1, 1], pa.int32())], schema=schema)


def _far_int96(type: pa.DataType) -> Callable[[Lake], pa.Table]:
    return _timed(
        [_AT(1, 1, 1), _AT(1500, 1, 1), _AT(9999, 12, 31, 23, 59, 59, 999999), None],
        type,
        type,
        use_deprecated_int96_timestamps=True,
    )


TABLES |= {"timestamp_int96_far": _far_int96(_ZONED), "ntz_int96_far": _far_int96(_LOCAL)}


@table
def vectors_mapping_and_partitions(lake: Lake) -> pa.Table:
    """Deletion vectors, column mapping and partitions in one."""
    described = [field(name, type, **{"delta.columnMapping.id": n, "delta.columnMapping.physicalName": f"col-{n}"})
                 for n, (name, type) in enumerate([("id", pa.int64()), ("s s", pa.string()), ("p", pa.string())], 1)]  # fmt: skip
    stored = [
        pa.field(f"col-{n}", type, metadata={b"PARQUET:field_id": str(n).encode()})
        for n, type in ((1, pa.int64()), (2, pa.string()))
    ]
    adds = [
        lake.file(
            f"{n}.parquet",
            _pair(4 * n, 4).rename_columns(["col-1", "col-2"]).cast(pa.schema(stored)),
            {"col-3": f"p {n}"},
        )
        for n in range(3)
    ]
    adds[1]["add"]["deletionVector"] = vector(lake, "u", [0, 3])
    lake.create(
        described,
        *adds,
        by=["p"],
        features=["columnMapping", "deletionVectors"],
        delta__columnMapping__mode="name",
        delta__columnMapping__maxColumnId="3",
    )
    kept = [0, 1, 2, 3, 5, 6, 8, 9, 10, 11]
    return pa.table(
        [pa.array(kept, pa.int64()), pa.array([f"s{n}" for n in kept]), pa.array([f"p {n // 4}" for n in kept])],
        names=["id", "s s", "p"],
    )


@table
def vector_and_bounds_that_are_wide(lake: Lake) -> pa.Table:
    """With a vector, statistics tell of the rows that are gone, too."""
    rows = pa.table([ids(4), pa.array(["a", None, "c", None])], schema=_PAIR)
    adds = [
        lake.file("a.parquet", rows, stats={**statistics(rows), "tightBounds": False}),
        lake.file("b.parquet", _pair(4)),
    ]
    adds[0]["add"]["deletionVector"] = vector(lake, "i", [0, 1])
    lake.create(_PAIR, *adds, features=["deletionVectors"])
    return pa.concat_tables([rows.slice(2), _pair(4)])


# -- tests


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[deltasql.Connection]:
    root = tmp_path_factory.mktemp("protocol")
    with deltasql.connect(root) as connection:
        yield connection


MADE: dict[str, pa.Table] = {}


def _made(con: deltasql.Connection, name: str) -> pa.Table:
    if name not in MADE:
        MADE[name] = TABLES[name](Lake(Path(con.root) / name))
    return MADE[name]


def _cases() -> Iterator[object]:
    for name in TABLES:
        for reader in READERS:
            gap = GAPS.get((name, reader))
            yield pytest.param(
                name, reader, id=f"{name}-{reader}", marks=[pytest.mark.xfail(strict=True, reason=gap)] if gap else []
            )


@pytest.mark.parametrize(("name", "reader"), list(_cases()))
def test_rows(con: deltasql.Connection, name: str, reader: str) -> None:
    expected = _made(con, name)
    if name in REFUSED:
        con.sql(f"SET deltasql.reader = '{reader}'")
        with pytest.raises(deltasql.NotSupportedError) as refused:
            con.sql(f"SELECT * FROM {name}").to_arrow()
        assert REFUSED[name] in str(refused.value) or f"can't be read by `{reader}`" in str(refused.value)
        return
    # Features that a reader passes over leave the rows alone; the dataset skips nothing by the log's statistics.
    brief = name.startswith("feature") or (reader == "dataset" and name.startswith(("statistics", "partition_many")))
    check(con, name, expected, reader, brief=brief)


def test_log_statistics_rule_no_row_out(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are pruned by the log however few they are."""
    monkeypatch.setattr(scan, "_FEW_FILES", 0)
    names = [
        name
        for name in TABLES.keys() - {"statistics_of_a_dotted_name"}
        if name.startswith("statistics")
        or name in ("long_strings", "truncated_statistics", "wide_statistics", "no_statistics")
    ]
    assert len(names) > 25
    for name in names:
        check(con, name, _made(con, name), "listing")


@pytest.mark.xfail(strict=True, reason="the log's flat statistics have two columns `null_count.a.b` then")
def test_log_statistics_of_a_dotted_name(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_FEW_FILES", 0)
    check(con, "statistics_of_a_dotted_name", _made(con, "statistics_of_a_dotted_name"), "listing")


def test_duckdb_reads_the_same(con: deltasql.Connection, tmp_path: Path) -> None:
    from duckdb_extensions import import_extension

    differ = []
    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as duck:
        duck.execute("SET extension_directory = ?", [str(tmp_path)])
        import_extension("delta", con=duck)
        duck.load_extension("delta")
        for name in TABLES.keys() - NOT_DUCKDB:
            if name.startswith(("statistics", "feature", "partition_many")):
                continue  # Nothing in them is about rows.
            expected = _made(con, name)
            theirs = duck.execute(f"SELECT * FROM delta_scan('{Path(con.root) / name}')").to_arrow_table()
            if canonical.rows(theirs.select(expected.column_names)) != canonical.rows(expected):
                differ.append(name)
    assert differ == []


WRITES: dict[str, Callable[[dict[int, str]], dict[int, str]]] = {
    "DELETE FROM t WHERE id = 1": lambda rows: {id: s for id, s in rows.items() if id != 1},
    "DELETE FROM t": lambda _: {},
    "UPDATE t SET s = 'new' WHERE id = 1": lambda rows: {**rows, 1: "new"},
    "UPDATE t SET s = 'new'": lambda rows: dict.fromkeys(rows, "new"),
    "INSERT INTO t VALUES (9, 'n')": lambda rows: {**rows, 9: "n"},
    "MERGE INTO t USING (SELECT 1 AS id, 'm' AS s) AS x ON t.id = x.id WHEN MATCHED THEN UPDATE SET s = x.s": lambda rows: {
        **rows,
        1: "m",
    },
    "OPTIMIZE t": lambda rows: rows,
}


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("name", ["absolute_paths", "absolute_paths_by_hadoop", "raw_paths"])
def test_writes_to_paths_of_others(tmp_path: Path, name: str, statement: str) -> None:
    """Right, or refused with nothing changed; the files of the table that was cloned are left alone."""
    made = TABLES[name](Lake(tmp_path / "t"))
    rows = dict(zip(made["id"].to_pylist(), made["s"].to_pylist(), strict=True))
    theirs = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet") if tmp_path / "t" not in path.parents}
    with deltasql.connect(tmp_path) as con:
        try:
            con.sql(statement).fetchall()
        except deltasql.DatabaseError:
            want = rows
        else:
            want = WRITES[statement](rows)
    with deltasql.connect(tmp_path) as con:
        assert dict(con.sql("SELECT id, s FROM t").fetchall()) == want
    assert {path: path.read_bytes() for path in theirs} == theirs
