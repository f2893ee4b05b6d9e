"""What the log says of commits and files, against delta-rs and against the rows that tables by others hold."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from deltasql.catalog.inspection import FILES, HISTORY, files, history
from deltasql.catalog.log import commits
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.errors import Error, StorageError
from tests.corpora import expected

_CASES = [pytest.param(case, id=str(case)) for case in expected()]


def _open(location: Path, version: int | None = None) -> Snapshot:
    return open_snapshot("t", location, version)


def _entry(table: Path, version: int, *actions: object) -> None:
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{version:020d}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


_PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}


def _metadata(*fields: dict[str, object], partition: tuple[str, ...] = ()) -> dict[str, object]:
    schema = {"type": "struct", "fields": [{"nullable": True, "metadata": {}} | field for field in fields]}
    return {
        "metaData": {
            "id": "x",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(schema),
            "partitionColumns": list(partition),
            "configuration": {},
        }
    }


def _add(path: str, **more: object) -> dict[str, object]:
    return {"add": {"path": path, "partitionValues": {}, "size": 7, "modificationTime": 1, "dataChange": True} | more}


# -- over the tables of others


@pytest.mark.parametrize("case", _CASES)
def test_others_tables(corpora: Path, case: object) -> None:
    try:
        snapshot = _open(corpora / case.table, case.version)
    except Error:
        pytest.skip("it doesn't open")
    found = files(snapshot)
    assert found.schema == FILES
    paths = found["path"].to_pylist()
    assert paths == sorted(paths)
    adds = pa.table(snapshot.table.get_add_actions())
    told = dict(zip(map(unquote, adds["path"].to_pylist()), adds.to_pylist(), strict=True))
    assert set(paths) == set(told)
    columns = set(snapshot.schema.names)
    for row in found.to_pylist():
        other = told[row["path"]]
        assert row["size"] == other["size_bytes"]
        assert [name for name, _ in row["partition_values"]] == [
            name for name in snapshot.schema.names if name in snapshot.partition_columns
        ]
        cardinality = row["deletion_vector"]["cardinality"] if row["deletion_vector"] else 0
        if other["num_records"] is not None:
            assert row["rows"] == other["num_records"] - cardinality
        for statistics in (row["min_values"], row["max_values"], row["null_counts"]):
            assert {name.split(".")[0] for name, _ in statistics or ()} <= {name.split(".")[0] for name in columns}
    rows = found["rows"].to_pylist()
    if case.outcome == "rows" and None not in rows:
        assert sum(rows) == case.line["count"]


@pytest.mark.parametrize("case", _CASES)
def test_others_histories(corpora: Path, case: object) -> None:
    try:
        snapshot = _open(corpora / case.table, case.version)
    except Error:
        pytest.skip("it doesn't open")
    found = history(snapshot)
    assert found.schema == HISTORY
    versions = found["version"].to_pylist()
    assert versions == sorted(versions, reverse=True)
    assert all(version <= snapshot.version for version in versions)
    assert history(snapshot, 1).equals(found.slice(0, 1))


# -- history


def test_history_is_the_commits(tmp_path: Path) -> None:
    for value in range(3):
        write_deltalake(str(tmp_path), pa.table({"a": [value]}), mode="append", commit_properties=None)
    DeltaTable(str(tmp_path)).delete("a = 1")
    snapshot = _open(tmp_path)
    rows = history(snapshot).to_pylist()
    assert [row["version"] for row in rows] == [3, 2, 1, 0]
    assert [row["timestamp"] for row in rows] == [c.time for c in commits(tmp_path, {})][::-1]
    told = snapshot.table.history()
    assert [row["operation"] for row in rows] == [entry["operation"] for entry in told]
    assert dict(rows[0]["operationParameters"]) == told[0]["operationParameters"]
    assert dict(rows[0]["operationMetrics"])["num_deleted_rows"] == "1"
    assert [row["version"] for row in history(_open(tmp_path, 1)).to_pylist()] == [1, 0]
    assert history(snapshot, 0).num_rows == 0


def test_a_commit_without_commit_info_gives_nulls(tmp_path: Path) -> None:
    _entry(tmp_path, 0, _PROTOCOL, _metadata({"name": "a", "type": "long"}))
    (row,) = history(_open(tmp_path)).to_pylist()
    assert row.pop("version") == 0
    assert row.pop("timestamp") is not None
    assert set(row.values()) == {None}


def test_commit_info_of_any_shape(tmp_path: Path) -> None:
    info = {
        "operation": "X",
        "operationParameters": {"a": ["p"], "b": None, "c": "s", "d": 1},
        "operationMetrics": "none",
        "job": {"jobId": 12, "other": {}},
        "notebook": "n",
        "readVersion": "41",
        "isBlindAppend": "true",
        "userMetadata": {"k": "é"},
        "clusterId": 5,
    }
    _entry(tmp_path, 0, {"commitInfo": info}, _PROTOCOL, _metadata({"name": "a", "type": "long"}))
    (row,) = history(_open(tmp_path)).to_pylist()
    assert row["operationParameters"] == [("a", '["p"]'), ("b", None), ("c", "s"), ("d", "1")]
    assert row["operationMetrics"] is None
    assert row["job"]["jobId"] == "12"
    assert row["notebook"] is None
    assert (row["readVersion"], row["isBlindAppend"], row["userMetadata"], row["clusterId"]) == (
        41,
        True,
        '{"k": "é"}',
        "5",
    )


def test_an_entry_that_is_no_json(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1]}))
    snapshot = _open(tmp_path)
    entry = tmp_path / "_delta_log" / f"{0:020d}.json"
    entry.write_text(entry.read_text()[:20])
    with pytest.raises(StorageError, match=r"00000000000000000000\.json"):
        history(snapshot)
    with pytest.raises(StorageError, match=r"00000000000000000000\.json` can't be read: it holds what is no JSON"):
        files(snapshot)


# -- files


def test_files(tmp_path: Path) -> None:
    table = pa.table(
        {
            "p": ["a b", "", None],
            "n": pa.array([1.5, float("nan"), None], pa.float64()),
            "s": [{"x": 1, "y": "q"}, {"x": 2, "y": None}, None],
        }
    )
    write_deltalake(str(tmp_path), table.slice(0, 1), partition_by="p")
    write_deltalake(str(tmp_path), table.slice(2, 1), mode="append")
    first, second = files(_open(tmp_path)).to_pylist()
    assert first["path"].startswith("p=__HIVE_DEFAULT_PARTITION__/")
    assert first["partition_values"] == [("p", None)]
    assert second["path"].startswith("p=a b/") or unquote(second["path"]).startswith("p=a b/")
    assert second["partition_values"] == [("p", "a b")]
    assert second["min_values"] == second["max_values"] == [("n", "1.5"), ("s.x", "1"), ("s.y", "q")]
    assert second["null_counts"] == [("n", 0), ("s.x", 0), ("s.y", 0)]
    assert first["null_counts"] == [("n", 1), ("s.x", 1), ("s.y", 1)]
    assert (first["rows"], second["rows"]) == (1, 1)
    assert first["deletion_vector"] is None
    assert second["size"] == (tmp_path / second["path"]).stat().st_size
    assert (second["modification_time"] - history(_open(tmp_path, 0))["timestamp"][0].as_py()).total_seconds() < 5


def test_an_older_version_and_a_checkpoint(tmp_path: Path) -> None:
    for value in range(4):
        write_deltalake(str(tmp_path), pa.table({"a": [value]}), mode="append")
    DeltaTable(str(tmp_path), version=2).create_checkpoint()
    DeltaTable(str(tmp_path)).delete("a = 0")
    for version in range(5):
        found = files(_open(tmp_path, version))
        assert found.num_rows == min(version, 2) + 1 if version < 3 else (3, 4)[version == 3]
    whole = files(_open(tmp_path))
    for version in range(3):
        (tmp_path / "_delta_log" / f"{version:020d}.json").unlink()
    assert files(_open(tmp_path)).equals(whole)


def test_mapped_columns_have_their_logical_names(tmp_path: Path, corpora: Path) -> None:
    snapshot = _open(corpora / "delta_rs/table_with_column_mapping")
    row = files(snapshot).to_pylist()[0]
    assert [name for name, _ in row["partition_values"]] == ["Company Very Short"]
    assert [name for name, _ in row["min_values"]] == ["Super Name"]


def test_a_deletion_vector(corpora: Path) -> None:
    (row,) = files(_open(corpora / "delta_rs/table-with-dv-small")).to_pylist()
    assert row["rows"] == 8
    assert row["deletion_vector"] == {
        "storage_type": "u",
        "path_or_inline": "vBn[lx{q8@P<9BNH/isA",
        "offset": 1,
        "size_in_bytes": 36,
        "cardinality": 2,
    }


def test_statistics_as_text(tmp_path: Path) -> None:
    statistics = (
        '{"numRecords": 2, "minValues": {"d": 1.10, "t": "2024-01-01T00:00:00.000Z", "b": true, "gone": 1},'
        ' "nullCount": {"d": 1}}'
    )
    _entry(
        tmp_path,
        0,
        _PROTOCOL,
        _metadata(
            {"name": "d", "type": "decimal(10,2)"},
            {"name": "t", "type": "timestamp"},
            {"name": "b", "type": "boolean"},
        ),
        _add("a%20b%2520.parquet", stats=statistics),
        _add("plain.parquet"),
        _add("zero.parquet", stats="{}"),
    )
    rows = {row["path"]: row for row in files(_open(tmp_path)).to_pylist()}
    row = rows["a b%20.parquet"]
    assert row["min_values"] == [("d", "1.10"), ("t", "2024-01-01T00:00:00.000Z"), ("b", "true")]
    assert row["max_values"] is None
    assert row["null_counts"] == [("d", 1)]
    for name in ("plain.parquet", "zero.parquet"):
        assert (rows[name]["rows"], rows[name]["min_values"]) == (None, None)


def test_statistics_of_a_checkpoint_as_a_struct(corpora: Path) -> None:
    found = files(_open(corpora / "delta_rs/delta-1.2.1-only-struct-stats"))
    assert None not in found["rows"].to_pylist()
    assert all(value for value in found["min_values"].to_pylist())


def test_a_checkpoint_that_is_torn(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1]}))
    table = DeltaTable(str(tmp_path))
    table.create_checkpoint()
    snapshot = _open(tmp_path)
    (tmp_path / "_delta_log" / f"{0:020d}.checkpoint.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="the log of `t` can't be read"):
        files(snapshot)


def test_part_of_a_checkpoint_is_none(tmp_path: Path) -> None:
    """A checkpoint in parts of which one is missing isn't used: the commits before it are."""
    for value in range(2):
        write_deltalake(str(tmp_path), pa.table({"a": [value]}), mode="append")
    snapshot = _open(tmp_path)
    whole = files(snapshot)
    (tmp_path / "_delta_log" / f"{1:020d}.checkpoint.{1:010d}.{2:010d}.parquet").write_bytes(b"never read")
    assert files(snapshot).equals(whole)
