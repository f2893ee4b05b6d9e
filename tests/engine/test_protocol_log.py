"""The log: checkpoints, cleaned and compacted logs, unknown actions, and paths."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql

from .lakes import (
    CHECKPOINT,
    PAIR,
    Json,
    Lake,
    Tables,
    cases,
    check_table,
    checkpoint,
    duckdb_differs,
    metadata,
    pair,
    protocol,
    registering,
    removed,
)

TABLES: Tables = {}
table = registering(TABLES)
NOT_DUCKDB = {"absolute_paths", "absolute_paths_by_hadoop"}
"""What DuckDB joins to the table's path."""


def four(lake: Lake, schema: pa.Schema = PAIR) -> list[Json]:
    """Four commits of a file each; gives the add actions."""
    lake.create(schema)
    adds = [lake.file(f"f{n}.parquet", pair(2 * n)) for n in range(4)]
    for add in adds:
        lake.commit(add)
    return adds


def state(adds: Sequence[Json]) -> list[Json]:
    """The actions of a checkpoint over the table of ``four``."""
    return [protocol(1, 2), metadata(PAIR), *adds]


@table
def checkpoint_in_parts(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds), parts=3)
    for version in range(lake.version):
        lake.entry(version).unlink()
    lake.commit(lake.file("tail.parquet", pair(8)), removed(adds[0]))
    return pair(2, 8)


@table
def cleaned_log(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds[:3]), version=3)
    for version in range(4):
        lake.entry(version).unlink()
    return pair(0, 8)


@table
def checkpoint_without_pointer(lake: Lake) -> pa.Table:
    adds = four(lake)
    checkpoint(lake, state(adds), pointer=False)
    for version in range(lake.version + 1):
        lake.entry(version).unlink()
    return pair(0, 8)


@table
def compacted_log(lake: Lake) -> pa.Table:
    adds = four(lake)
    compacted = lake.log / f"{1:020d}.{3:020d}.compacted.json"
    compacted.write_text("".join(json.dumps(action) + "\n" for action in adds[:3]))
    return pair(0, 8)


@table
def compacted_log_with_removes(lake: Lake) -> pa.Table:
    adds = four(lake)
    lake.commit(removed(adds[1]), lake.file("again.parquet", pair(8)))
    compacted = lake.log / f"{2:020d}.{5:020d}.compacted.json"
    later = [adds[2], adds[3], removed(adds[1]), lake.added("again.parquet")]
    compacted.write_text("".join(json.dumps(action) + "\n" for action in later))
    lake.commit(removed(adds[3]))
    return pa.concat_tables([pair(0), pair(4), pair(8)])


@table
def v2_checkpoint(lake: Lake) -> pa.Table:
    """A checkpoint as JSON whose files stand in a sidecar."""
    lake.create(PAIR, features=["v2Checkpoint"], delta__checkpointPolicy="v2")
    adds = [lake.file(f"f{n}.parquet", pair(2 * n)) for n in range(3)]
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
        metadata(PAIR, (), {"delta.checkpointPolicy": "v2"}),
        sidecar,
    ]
    (lake.log / f"{1:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json").write_text(
        "".join(json.dumps(a) + "\n" for a in actions)
    )
    lake.entry(0).unlink()
    lake.commit(lake.file("tail.parquet", pair(6)))
    return pair(0, 8)


@table
def other_actions(lake: Lake) -> pa.Table:
    """Transactions, change files, domain metadata, blank lines, unknown actions and unknown fields."""
    add = lake.file("a.parquet", pair(0))
    add["add"] |= {"tags": {"a": None, "b": "c"}, "clusteringProvider": "x", "baseRowId": 0, "unknown": [1]}
    lake.create(PAIR, add, {"txn": {"appId": "x", "version": 1}}, {"unheardOf": {"x": 1}},
                {"cdc": {"path": "_change_data/x.parquet", "partitionValues": {}, "size": 1, "dataChange": False}})  # fmt: skip
    lake.entry().write_text(lake.entry().read_text().replace("\n", "\n\n"))
    return pair(0)


@table
def file_added_removed_and_added_again(lake: Lake) -> pa.Table:
    adds = four(lake)
    lake.commit(removed(adds[0]))
    lake.commit({"add": {**adds[0]["add"], "dataChange": False}})
    lake.commit({"add": {**adds[1]["add"], "dataChange": False}})
    return pair(0, 8)


@table
def absolute_paths(lake: Lake) -> pa.Table:
    """A shallow clone: files of another table by URL, and one of its own."""
    source = Lake(lake.path.parent / "sou rce%25")
    elsewhere = source.file("f ü.parquet", pair(0))
    elsewhere["add"]["path"] = (source.path / "f ü.parquet").as_uri()
    lake.create(PAIR, elsewhere, lake.file("own.parquet", pair(2)))
    return pair(0, 4)


@table
def raw_paths(lake: Lake) -> pa.Table:
    """Paths that aren't encoded beyond what must be: Spark leaves non-ASCII letters as they are."""
    add = lake.file("dé 漢/ü.parquet", pair(0))
    add["add"]["path"] = "dé%20漢/ü.parquet"
    lake.create(PAIR, add, lake.file("b.parquet", pair(2)))
    return pair(0, 4)


@table
def absolute_paths_by_hadoop(lake: Lake) -> pa.Table:
    """``file:/…`` with one slash."""
    source = Lake(lake.path.parent / "source")
    elsewhere = source.file("f.parquet", pair(0))
    elsewhere["add"]["path"] = f"file:{source.path}/f.parquet"
    lake.create(PAIR, elsewhere)
    return pair(0)


@pytest.mark.parametrize(("name", "readers"), cases(TABLES))
def test_rows(lake_con: deltasql.Connection, name: str, readers: Sequence[str]) -> None:
    check_table(lake_con, TABLES, name, readers)


def test_duckdb_reads_the_same(lake_con: deltasql.Connection, tmp_path: Path) -> None:
    assert duckdb_differs(lake_con, TABLES, tmp_path, without=NOT_DUCKDB) == []


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
