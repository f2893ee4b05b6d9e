"""Deletion vectors, and features that a reader may pass over."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

import deltasql

from .lakes import (
    PAIR,
    Json,
    Lake,
    Tables,
    cases,
    check_table,
    duckdb_differs,
    field,
    ids,
    pair,
    registering,
    removed,
    statistics,
)

TABLES: Tables = {}
table = registering(TABLES)
NOT_DUCKDB = {
    "absolute_paths_with_vectors_and_partitions",  # joined to the table's path
    "vectors_mapping_and_partitions",  # partition values are NULL
    "feature_variant", "vacuum_protocol_check_and_many_partitions",
}  # fmt: skip
"""What DuckDB refuses or reads wrong."""


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
        parts = [pair(0, size), pair(size, 6), pair(size + 6, 6)]
        adds = [lake.file(f"{n}.parquet", part, row_group_size=row_group) for n, part in enumerate(parts)]
        adds[0]["add"]["deletionVector"] = vector(lake, storage, gone)
        adds[1]["add"]["deletionVector"] = vector(lake, storage, [1])
        lake.create(PAIR, *adds, features=["deletionVectors"], delta__enableDeletionVectors="true")
        kept = [n for n in range(size + 12) if n not in set(gone) and n != size + 1]
        return pair(0, size + 12).take(kept)

    return make


TABLES |= {
    "deletion_vector_inline": _deleted("i"), "deletion_vector_relative": _deleted("u"), "deletion_vector_absolute": _deleted("p"),
    "deletion_vector_dense": _deleted("u", 4400, [n for n in range(4400) if n % 40 and n != 4399], 1000),
    "deletion_vector_of_all_rows": _deleted("u", 6, range(6)),
}  # fmt: skip


@table
def deletion_vector_replaced(lake: Lake) -> pa.Table:
    """A file's vector gives way to a longer one, then a row comes back by RESTORE."""
    plain = lake.file("a.parquet", pair(0, 6))
    first = {"add": {**plain["add"], "deletionVector": vector(lake, "i", [0])}}
    second = {"add": {**plain["add"], "deletionVector": vector(lake, "u", [0, 1])}}
    lake.create(PAIR, plain, features=["deletionVectors"], delta__enableDeletionVectors="true")
    lake.commit(removed(plain), first)
    lake.commit(removed(first), second)
    return pair(2, 4)


def _featured(
    *,
    features: Sequence[str] = (),
    writer_features: Sequence[str] = (),
    described: list[Json] | None = None,
    actions: Sequence[Json] = (),
    **options: Any,
) -> Callable[[Lake], pa.Table]:
    def make(lake: Lake) -> pa.Table:
        add = lake.file("a.parquet", pair(0))
        add["add"] |= {"baseRowId": 0, "defaultRowCommitVersion": 0}
        lake.create(
            described or PAIR,
            add,
            lake.file("b.parquet", pair(2)),
            *actions,
            features=features,
            writer_features=writer_features,
            **options,
        )
        return pair(0, 4)

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
        PAIR,
        lake.file("a.parquet", pair(0)),
        writer_features=["inCommitTimestamp"],
        delta__enableInCommitTimestamps="true",
    )
    lines = lake.entry().read_text().splitlines()
    lines[0] = json.dumps(
        {"commitInfo": {"inCommitTimestamp": 1_600_000_000_000, "timestamp": 5, "operation": "WRITE"}}
    )
    lake.entry().write_text("\n".join(lines))
    return pair(0)


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


@table
def absolute_paths_with_vectors_and_partitions(lake: Lake) -> pa.Table:
    source = Lake(lake.path.parent / "source_dv")
    adds = [source.file(f"p={n}/f.parquet", pair(2 * n), {"p": str(n)}) for n in range(2)]
    for n, add in enumerate(adds):
        add["add"]["path"] = (source.path / f"p={n}/f.parquet").as_uri()
    adds[0]["add"]["deletionVector"] = vector(source, "p", [0])
    schema = PAIR.append(pa.field("p", pa.int32()))
    lake.create(schema, *adds, by=["p"], features=["deletionVectors"])
    return pa.table([ids(3, 1), pa.array(["s1", "s2", "s3"]), pa.array([0, 1, 1], pa.int32())], schema=schema)


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
            pair(4 * n, 4).rename_columns(["col-1", "col-2"]).cast(pa.schema(stored)),
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
    rows = pa.table([ids(4), pa.array(["a", None, "c", None])], schema=PAIR)
    adds = [
        lake.file("a.parquet", rows, stats={**statistics(rows), "tightBounds": False}),
        lake.file("b.parquet", pair(4)),
    ]
    adds[0]["add"]["deletionVector"] = vector(lake, "i", [0, 1])
    lake.create(PAIR, *adds, features=["deletionVectors"])
    return pa.concat_tables([rows.slice(2), pair(4)])


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path, without=NOT_DUCKDB) == []


def test_deletion_vectors_of_a_table_with_wider_types(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    plain = lake.file("a.parquet", pair(0))
    lake.create(PAIR, plain, features=["typeWidening", "deletionVectors"])
    con = deltasql.connect(tmp_path)
    assert con.sql("SELECT id FROM t ORDER BY id").fetchall() == [(0,), (1,)]
    lake.commit(removed(plain), {"add": {**plain["add"], "deletionVector": vector(lake, "i", [0])}})
    with pytest.raises(deltasql.UnsupportedTableFeature, match="both deletion vectors and the feature typeWidening"):
        con.sql("SELECT id FROM t").fetchall()
