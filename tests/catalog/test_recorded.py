"""The ``add`` actions of live files, letter by letter, whatever part of the log they stand in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltasql.catalog.recorded import recorded, remove_of, row_id_mark
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.errors import Error, StorageError
from tests.corpora import Expected, expected
from tests.engine.lakes import PAIR, Lake, checkpoint, metadata, pair, protocol, removed
from tests.engine.test_protocol_features import vector

_CASES = [pytest.param(case, id=str(case)) for case in expected()]


def _open(lake: Lake, version: int | None = None) -> Snapshot:
    return open_snapshot("t", lake.path, version)


@pytest.mark.parametrize("case", _CASES)
def test_others_tables(corpora: Path, case: Expected) -> None:
    try:
        snapshot = open_snapshot("t", corpora / case.table, case.version)
        files = snapshot.files
    except Error:
        pytest.skip("it doesn't open")
    found = recorded(snapshot, files)
    assert set(found) == set(files)
    sizes = dict(zip(files, snapshot.adds["size_bytes"].to_pylist(), strict=True))
    assert {file: add["size"] for file, add in found.items()} == sizes
    for add in found.values():
        assert isinstance(add["partitionValues"], dict)
        assert None not in add.values()
        json.dumps(add)
    try:
        kept = snapshot.live_rows
    except Error:
        return
    gone = {file: add["deletionVector"]["cardinality"] for file, add in found.items() if "deletionVector" in add}
    assert gone == {file: rows.false_count for file, rows in kept.items()}


# -- paths


@pytest.mark.parametrize("checkpointed", [False, True])
def test_paths_are_given_byte_for_byte(tmp_path: Path, checkpointed: bool) -> None:
    lake = Lake(tmp_path / "t")
    names = {"é ü.parquet": "é ü.parquet", "a b.parquet": "a%20b.parquet", "日.parquet": "%E6%97%A5.parquet"}
    adds = []
    for name, path in names.items():
        add = lake.file(name, pair(0))
        adds.append({"add": {**add["add"], "path": path}})
    outside = tmp_path / "elsewhere" / "x.parquet"
    outside.parent.mkdir()
    pq.write_table(pair(5), outside)
    adds.append({"add": {**adds[0]["add"], "path": outside.as_uri(), "size": outside.stat().st_size}})
    lake.create(PAIR, *adds)
    if checkpointed:
        checkpoint(lake, [protocol(1, 2), metadata(PAIR), *adds])
        lake.entry().unlink()
    snapshot = _open(lake)
    found = recorded(snapshot, snapshot.files)
    assert {file.name: add["path"] for file, add in found.items()} == {**names, "x.parquet": outside.as_uri()}


def test_only_the_wanted_files_are_given(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    adds = [lake.file(f"{n}.parquet", pair(n)) for n in range(3)]
    lake.create(PAIR, *adds)
    snapshot = _open(lake)
    (file,) = (file for file in snapshot.files if file.name == "1.parquet")
    assert recorded(snapshot, [file]) == {file: adds[1]["add"]}
    assert recorded(snapshot, []) == {}


def test_entries_are_read_only_until_all_are_found(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("old.parquet", pair(0)))
    lake.commit(lake.file("new.parquet", pair(2)))
    snapshot = _open(lake)
    files = {file.name: file for file in snapshot.files}
    lake.entry(0).write_text("{ no JSON")
    assert recorded(snapshot, [files["new.parquet"]])
    with pytest.raises(StorageError, match="can't be read"):
        recorded(snapshot, [files["old.parquet"]])


# -- which add is live


def test_the_latest_deletion_vector_wins(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    plain = lake.file("a.parquet", pair(0, 4))
    first = {"add": {**plain["add"], "deletionVector": vector(lake, "i", [0])}}
    second = {"add": {**plain["add"], "deletionVector": vector(lake, "u", [0, 1])}}
    lake.create(PAIR, plain, features=["deletionVectors"], delta__enableDeletionVectors="true")
    lake.commit(removed(plain), first)
    lake.commit(removed(first), second)
    lake.commit(removed(second), first)
    for version, add in enumerate((plain, first, second, first)):
        snapshot = _open(lake, version)
        (found,) = recorded(snapshot, snapshot.files).values()
        assert found == add["add"]


def test_a_file_that_came_back(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add)
    lake.commit(removed(add))
    again = {"add": {**add["add"], "tags": {"back": "yes"}}}
    lake.commit(again)
    snapshot = _open(lake)
    assert list(recorded(snapshot, snapshot.files).values()) == [again["add"]]
    gone = _open(lake, 1)
    with pytest.raises(StorageError, match=r"doesn't have the file `.*a\.parquet`"):
        recorded(gone, snapshot.files)


def test_a_file_that_is_live_twice_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("é.parquet", pair(0))
    lake.create(PAIR, add, {"add": {**add["add"], "path": "é.parquet"}})
    snapshot = _open(lake)
    assert len(snapshot.files) == 2
    with pytest.raises(StorageError, match="more than once"):
        recorded(snapshot, snapshot.files)


# -- checkpoints


def _everything(lake: Lake) -> dict[str, Any]:
    add = lake.file("a.parquet", pair(0, 4))["add"]
    more = {"tags": {"K": "v"}, "baseRowId": 4, "defaultRowCommitVersion": 0, "clusteringProvider": "liquid"}
    return {**add, **more, "deletionVector": vector(lake, "i", [0])}


@pytest.mark.parametrize("form", ["entry", "delta-rs", "manifest", "sidecar"])
def test_all_fields_are_kept_wherever_they_stand(tmp_path: Path, form: str) -> None:
    lake = Lake(tmp_path / "t")
    add = _everything(lake)
    features = ["deletionVectors", "v2Checkpoint"]
    more = ["rowTracking", "domainMetadata", "clustering"]
    head = [protocol(3, 7, features, more), metadata(PAIR)]
    mark = {"domain": "delta.rowTracking", "configuration": '{"rowIdHighWaterMark":7}', "removed": False}
    lake.commit(*head, {"add": add}, {"domainMetadata": mark})
    if form == "delta-rs":
        _open(lake).table.create_checkpoint()
    elif form != "entry":
        lines = [*head, {"domainMetadata": mark}, {"checkpointMetadata": {"version": 0}}]
        if form == "manifest":
            lines.append({"add": add})
        else:
            lines.append(_sidecar(lake, add))
        name = f"{0:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"
        (lake.log / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    snapshot = _open(lake)
    if form != "entry":
        lake.entry().unlink()
    (found,) = recorded(snapshot, snapshot.files).values()
    assert found == add
    assert row_id_mark(snapshot) == 7


def _sidecar(lake: Lake, add: dict[str, Any]) -> dict[str, Any]:
    strings = pa.map_(pa.string(), pa.string())
    vector_type = pa.struct(
        [
            ("storageType", pa.string()),
            ("pathOrInlineDv", pa.string()),
            ("offset", pa.int32()),
            ("sizeInBytes", pa.int32()),
            ("cardinality", pa.int64()),
        ]
    )
    kinds = {"partitionValues": strings, "tags": strings, "dataChange": pa.bool_(), "deletionVector": vector_type}
    kinds |= dict.fromkeys(["size", "modificationTime", "baseRowId", "defaultRowCommitVersion"], pa.int64())
    type = pa.struct([(name, kinds.get(name, pa.string())) for name in add])
    path = lake.log / "_sidecars" / "s 1.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"add": pa.array([None, add], type)}), path)
    return {"sidecar": {"path": "s%201.parquet", "sizeInBytes": path.stat().st_size, "modificationTime": 1}}


@pytest.mark.parametrize("parts", [1, 3])
def test_classic_checkpoints(tmp_path: Path, parts: int) -> None:
    lake = Lake(tmp_path / "t")
    adds = [lake.file(f"{n}.parquet", pair(n)) for n in range(7)]
    lake.create(PAIR, *adds)
    checkpoint(lake, [protocol(1, 2), metadata(PAIR), *adds], parts=parts)
    lake.entry().unlink()
    lake.commit(removed(adds[0]), lake.file("after.parquet", pair(9)))
    snapshot = _open(lake)
    found = recorded(snapshot, snapshot.files)
    assert {add["path"] for add in found.values()} == {*(f"{n}.parquet" for n in range(1, 7)), "after.parquet"}
    assert found[lake.path / "3.parquet"] == adds[3]["add"]
    assert row_id_mark(snapshot) == -1


def test_an_empty_checkpoint_is_passed_over(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add)
    (path,) = checkpoint(lake, [protocol(1, 2), metadata(PAIR), add], pointer=False)
    path.write_bytes(b"")
    snapshot = _open(lake)
    assert list(recorded(snapshot, snapshot.files).values()) == [add["add"]]


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add)
    (path,) = checkpoint(lake, [protocol(1, 2), metadata(PAIR), add])
    snapshot = _open(lake)
    files = snapshot.files
    path.write_bytes(b"PAR1 is not what this is")
    with pytest.raises(StorageError, match="the log of `t` can't be read"):
        recorded(snapshot, files)


# -- row ids


@pytest.mark.parametrize("configuration", ['{"other":1}', "[]", "no JSON", None])
def test_a_mark_that_is_none(tmp_path: Path, configuration: str | None) -> None:
    lake = Lake(tmp_path / "t")
    domain = {"domain": "delta.rowTracking", "configuration": '{"rowIdHighWaterMark":7}', "removed": False}
    lake.create(PAIR, {"domainMetadata": domain}, writer_features=["rowTracking", "domainMetadata"])
    snapshot = _open(lake)
    lake.entry().write_text(json.dumps({"domainMetadata": {**domain, "configuration": configuration}}))
    with pytest.raises(StorageError, match="high-water mark"):
        row_id_mark(snapshot)


# -- removes


def test_a_remove_says_what_its_add_does() -> None:
    add = {
        "path": "é%20.parquet",
        "partitionValues": {"p": None},
        "size": 5,
        "modificationTime": 1,
        "dataChange": False,
        "stats": "{}",
        "deletionVector": {"storageType": "i", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1},
        "baseRowId": 3,
        "defaultRowCommitVersion": 2,
        "clusteringProvider": "liquid",
    }
    made = remove_of(add, 77)
    assert made == {
        "path": "é%20.parquet",
        "deletionTimestamp": 77,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": {"p": None},
        "size": 5,
        "deletionVector": add["deletionVector"],
        "baseRowId": 3,
        "defaultRowCommitVersion": 2,
    }
