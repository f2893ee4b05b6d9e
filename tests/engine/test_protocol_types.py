"""Values in every physical type, encoding and codec."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import deltasql

from .lakes import (
    AT,
    DAY,
    LOCAL,
    ZONED,
    Lake,
    Tables,
    cases,
    check_table,
    duckdb_differs,
    field,
    ids,
    metadata,
    registering,
    statistics,
)

TABLES: Tables = {}
table = registering(TABLES)


_TIMES = [AT(1800, 1, 1, 1, 2, 3), AT(1969, 12, 31, 23, 59, 59), AT(2024, 1, 1), None]
_FAR = [AT(1, 1, 1), AT(1582, 10, 10), AT(9999, 12, 31, 23, 59, 59, 999999), None]


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


TABLES |= {
    "timestamp_us": _timed(_FAR, ZONED, ZONED),
    "timestamp_us_without_statistics": _timed(_FAR, ZONED, ZONED, stats=False),
    "timestamp_ms": _timed(_TIMES, pa.timestamp("ms", "UTC"), ZONED),
    "timestamp_ns": _timed(_TIMES, pa.timestamp("ns", "UTC"), ZONED, version="2.6"),
    "timestamp_int96": _timed(_TIMES, ZONED, ZONED, use_deprecated_int96_timestamps=True),
    "timestamp_stored_as_local": _timed(_TIMES, LOCAL, ZONED),
    "timestamp_with_a_stored_schema": _timed(_TIMES, pa.timestamp("us", "Europe/Berlin"), ZONED, store_schema=True),
    "ntz_us": _timed(_FAR, LOCAL, LOCAL),
    "ntz_ms": _timed(_TIMES, pa.timestamp("ms"), LOCAL),
    "ntz_ns": _timed(_TIMES, pa.timestamp("ns"), LOCAL, version="2.6"),
    "ntz_int96": _timed(_TIMES, LOCAL, LOCAL, use_deprecated_int96_timestamps=True),
    "ntz_stored_as_utc": _timed(_TIMES, ZONED, LOCAL),
}


@table
def dates(lake: Lake) -> pa.Table:
    days = [DAY(1, 1, 1), DAY(1582, 10, 4), DAY(1969, 12, 31), DAY(9999, 12, 31), None]
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
        {"id": 0, "y": -128, "f": 0.5, "e": 2**31 - 1, "d": Decimal("-1.25"), "t": DAY(1969, 1, 1), "i": -7},
        {"id": 1},
    ]
    new = [
        {
            "id": 2,
            "y": 2**40,
            "f": 1e300,
            "e": 0.1,
            "d": Decimal("12345678.1234"),
            "t": AT(2024, 1, 1, 12),
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
    told = [{**old[0], "d": Decimal("-1.2500"), "t": AT(1969, 1, 1), "i": Decimal(-7)}, {"id": 1}, *new]
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
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("t", ZONED)])
    rows = pa.Table.from_pylist([{"id": 0}, {"id": 1}], schema=schema)
    lake.create(schema, lake.file("a.parquet", rows))
    return rows


def _far_int96(type: pa.DataType) -> Callable[[Lake], pa.Table]:
    return _timed(
        [AT(1, 1, 1), AT(1500, 1, 1), AT(9999, 12, 31, 23, 59, 59, 999999), None],
        type,
        type,
        use_deprecated_int96_timestamps=True,
    )


TABLES |= {"timestamp_int96_far": _far_int96(ZONED), "ntz_int96_far": _far_int96(LOCAL)}


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path) == []
