"""Column mapping, by name and by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import deltasql

from .lakes import (
    AT,
    INNER,
    PAIR,
    ZONED,
    Json,
    Lake,
    Tables,
    cases,
    check_table,
    duckdb_differs,
    field,
    fields,
    metadata,
    pair,
    protocol,
    registering,
    statistics,
)

TABLES: Tables = {}
table = registering(TABLES)
NOT_DUCKDB = {
    "mapped_partition_columns_swapped",
    "mapping_by_name", "mapping_by_name_legacy", "mapping_by_id", "mapping_by_id_legacy",  # partition values are NULL
    "mapping_by_id_with_other_names",  # all NULL
}  # fmt: skip
"""What DuckDB reads wrong."""


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
        ("st", INNER),
        ("items", pa.list_(INNER)),
        ("m", pa.map_(pa.string(), INNER)),
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
    lake.create(PAIR, lake.file("a.parquet", pair(0)))
    described = [field(name, type, **{"delta.columnMapping.id": n, "delta.columnMapping.physicalName": physical})
                 for n, (name, type, physical) in enumerate([("id", pa.int64(), "id"), ("t", pa.string(), "s")], 1)]  # fmt: skip
    mode = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"}
    lake.commit(protocol(2, 5), metadata(described, (), mode), lake.file("b.parquet", pair(2)))
    return pair(0, 4).rename_columns(["id", "t"])


@table
def mapped_partition_columns_swapped(lake: Lake) -> pa.Table:
    """Two partition columns, and two others, have each other's names in the log and the files."""
    names = {"id": "id", "q": "p", "p": "q", "a": "b", "b": "a"}
    types = {"id": pa.int64(), "q": pa.string(), "p": pa.string(), "a": ZONED, "b": ZONED}
    described = [
        field(name, types[name], **{"delta.columnMapping.id": n, "delta.columnMapping.physicalName": stored})
        for n, (name, stored) in enumerate(names.items(), 1)
    ]
    rows = pa.Table.from_pylist(
        [{"id": 0, "q": "Q", "p": "P", "a": AT(1, 1, 1), "b": AT(2024, 1, 1)}], schema=pa.schema(list(types.items()))
    )
    stored = rows.select(["id", "a", "b"]).rename_columns(["id", "b", "a"])
    add = lake.file("a.parquet", stored, {"p": "Q", "q": "P"}, use_deprecated_int96_timestamps=True)
    mode = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "9"}
    lake.commit(protocol(2, 5), metadata(described, ["q", "p"], mode), add)
    return rows


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path, without=NOT_DUCKDB) == []
