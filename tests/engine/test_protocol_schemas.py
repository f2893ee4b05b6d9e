"""Files that hold other columns and fields than the table, and names of all sorts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import deltasql

from .lakes import AT, INNER, Lake, Tables, cases, check_table, duckdb_differs, ids, metadata, registering

TABLES: Tables = {}
table = registering(TABLES)


_NESTED = pa.schema([
    ("id", pa.int64()),
    ("st", pa.struct([("a", pa.int64()), ("in", INNER), ("new", pa.string())])),
    ("items", pa.list_(INNER)),
    ("lists", pa.list_(pa.list_(INNER))),
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
    after = pa.schema([("id", pa.int64()), ("m", pa.map_(pa.string(), INNER))])
    old = [{"id": 0, "m": [("k", {"a": 5}), ("n", None)]}, {"id": 1, "m": None}, {"id": 2, "m": []}]
    new = [{"id": 3, "m": [("k", {"a": 6, "b": "x"})]}]
    lake.create(before, lake.file("a.parquet", pa.Table.from_pylist(old, schema=before)))
    lake.commit(metadata(after), lake.file("b.parquet", pa.Table.from_pylist(new, schema=after)))
    return pa.Table.from_pylist(old + new, schema=after)


@table
def columns_added_later(lake: Lake) -> pa.Table:
    before, after = pa.schema([("id", pa.int64())]), pa.schema([
        ("first", pa.string()), ("id", pa.int64()), ("d", pa.decimal128(10, 2)), ("t", pa.timestamp("us", "UTC")), ("f", pa.float64()),
        ("st", INNER), ("m", pa.map_(pa.string(), pa.int32())),
    ])  # fmt: skip
    lake.create(before, lake.file("a.parquet", pa.table([ids(3)], schema=before)))
    row = {
        "first": "x",
        "id": 3,
        "d": Decimal("1.50"),
        "t": AT(2024, 1, 1),
        "f": 2.5,
        "st": {"a": 1, "b": None},
        "m": [("k", 1)],
    }
    lake.commit(metadata(after), lake.file("b.parquet", pa.Table.from_pylist([row], schema=after)))
    return pa.Table.from_pylist([{"id": 0}, {"id": 1}, {"id": 2}, row], schema=after)


@table
def columns_in_another_order_and_more(lake: Lake) -> pa.Table:
    """Files whose columns, and fields of structs, stand in another order, with some that the schema lacks."""
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("st", INNER)])
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
    schema = pa.schema([("id", pa.int64()), ("l", pa.list_(INNER)), ("m", pa.map_(pa.string(), pa.list_(pa.int64())))])
    rows = pa.Table.from_pylist(
        [{"id": 0, "l": [{"a": 1, "b": "x"}, None], "m": [("k", [1, None])]}, {"id": 1}, {"id": 2, "l": [], "m": []}],
        schema=schema,
    )
    lake.create(
        schema, lake.file("a.parquet", rows, use_compliant_nested_type=False), lake.file("b.parquet", rows.slice(0, 0))
    )
    return rows


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path) == []
