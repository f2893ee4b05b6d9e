"""FSCK, GENERATE and CHECKPOINT: what they find, leave and refuse, on tables by anyone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.recorded import domains, recorded, transactions
from deltasql.catalog.retention import unneeded
from deltasql.catalog.snapshot import open_snapshot
from tests.acceptance import canonical
from tests.corpora import Expected, expected
from tests.engine.lakes import PAIR, Json, Lake, pair, removed
from tests.engine.test_protocol_features import vector

_CASES = [pytest.param(case, id=case.table) for case in expected() if case.outcome == "rows" and case.version is None]


def _run(lake: Lake, sql: str) -> deltasql.Result:
    with deltasql.connect(lake.path.parent) as con:
        return con.sql(sql)


def _actions(lake: Lake, version: int, kind: str) -> list[Json]:
    lines = map(json.loads, lake.entry(version).read_text(encoding="utf-8").splitlines())
    return [line[kind] for line in lines if kind in line]


# -- FSCK


def test_files_that_are_gone_go_from_the_log(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    names = ("a.parquet", "é ü.parquet", "50%25.parquet")
    adds = [lake.file(name, pair(2 * n)) for n, name in enumerate(names)]
    adds[1]["add"]["path"] = names[1]  # raw, as Spark writes it
    lake.create(PAIR, *adds)
    for name in names[1:]:
        (lake.path / name).unlink()
    rows = sorted((str(lake.path / name), True) for name in names[1:])
    dry = _run(lake, "FSCK REPAIR TABLE t DRY RUN")
    assert (dry.columns, dry.fetchall(), dry.version) == (["dataFilePath", "dataFileMissing"], rows, None)
    assert not lake.entry(1).exists()
    result = _run(lake, "FSCK REPAIR TABLE t")
    assert (result.fetchall(), result.version, result.metrics["num_removed_files"]) == (rows, 1, 2)
    assert [body["path"] for body in _actions(lake, 1, "remove")] == [add["add"]["path"] for add in adds[1:]]
    assert _actions(lake, 1, "commitInfo")[0]["operation"] == "FSCK"
    assert _run(lake, "SELECT id FROM t").fetchall() == [(0,), (1,)]
    assert _run(lake, "FSCK REPAIR TABLE t").version is None


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("x/a.parquet", pair(0)), lake.file("b.parquet", pair(2)))
    shutil.rmtree(lake.path / "x")
    (lake.path / "x").write_text("a file")
    assert len(_run(lake, "FSCK REPAIR TABLE t").fetchall()) == 1
    assert _run(lake, "SELECT count(*) FROM t").fetchall() == [(2,)]


def test_a_missing_vector_is_no_missing_file(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    add["add"]["deletionVector"] = vector(lake, "u", [1])
    lake.create(PAIR, add, features=["deletionVectors"])
    assert _run(lake, "FSCK REPAIR TABLE t").fetchall() == []
    next(lake.path.rglob("*.bin")).unlink()
    with pytest.raises(deltasql.StorageError, match="deletion vector"):
        _run(lake, "FSCK REPAIR TABLE t")
    assert not lake.entry(1).exists()
    (lake.path / "a.parquet").unlink()
    assert len(_run(lake, "FSCK REPAIR TABLE t").fetchall()) == 1


def test_what_can_not_be_looked_at_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)))
    look = os.stat

    def refused(path: object, *args: object, **options: object) -> os.stat_result:
        if str(path).endswith("a.parquet"):
            raise PermissionError(13, "Permission denied")
        return look(path, *args, **options)  # type: ignore[arg-type]

    with deltasql.connect(tmp_path) as con, monkeypatch.context() as patch:
        patch.setattr(os, "stat", refused)
        with pytest.raises(deltasql.StorageError, match="Permission denied"):
            con.sql("FSCK REPAIR TABLE t")
    assert not lake.entry(1).exists()


@pytest.mark.parametrize("case", _CASES)
def test_others_tables_are_repaired(corpora: Path, tmp_path: Path, case: Expected) -> None:
    shutil.copytree(corpora / case.table, tmp_path / "t", symlinks=True)
    snapshot = open_snapshot("t", tmp_path / "t")
    with deltasql.connect(tmp_path) as con:
        try:
            assert con.sql("FSCK REPAIR TABLE t").fetchall() == []
        except deltasql.UnsupportedTableFeature:
            return
        if not snapshot.files:
            return
        snapshot.files[-1].unlink()
        try:
            assert con.sql("FSCK REPAIR TABLE t").fetchall() == [(str(snapshot.files[-1]), True)]
        except deltasql.ConstraintViolation:
            assert snapshot.properties["delta.appendOnly"] == "true"
            return
        con.sql("SELECT * FROM t").to_arrow()
    assert set(open_snapshot("t", tmp_path / "t").files) == set(snapshot.files[:-1])


# -- GENERATE


def _listed(table: Path) -> dict[str, list[Path]]:
    root = table / "_symlink_format_manifest"
    return {
        str(path.parent.relative_to(root)): [Path(urlparse(line).path) for line in path.read_text().splitlines()]
        for path in root.rglob("*")
        if path.is_file()
    }


def test_manifests_by_partition(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT, p STRING) PARTITIONED BY (p)")
        con.sql("INSERT INTO t VALUES (1, 'a'), (2, 'ü/ %'), (3, NULL)")
        con.sql("GENERATE symlink_format_manifest FOR TABLE t")
        found = _listed(tmp_path / "t")
        assert {unquote(below) for below in found} == {"p=a", "p=ü/ %", "p=__HIVE_DEFAULT_PARTITION__"}
        assert {file for files in found.values() for file in files} == set(open_snapshot("t", tmp_path / "t").files)
        con.sql("DELETE FROM t WHERE p = 'a'")
        con.sql("INSERT INTO t VALUES (4, 'ü/ %')")
        con.sql("GENERATE symlink_format_manifest FOR TABLE t")
        found = _listed(tmp_path / "t")
        assert {unquote(below): len(files) for below, files in found.items()} == {
            "p=ü/ %": 2,
            "p=__HIVE_DEFAULT_PARTITION__": 1,
        }
        con.sql("SET deltasql.vacuum.retention_check = off")
        con.sql("VACUUM t RETAIN 0 HOURS")
    assert _listed(tmp_path / "t") == found


def test_a_manifest_of_an_empty_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR)
    _run(lake, "GENERATE symlink_format_manifest FOR TABLE t")
    assert _listed(lake.path) == {".": []}


def test_a_table_with_vectors_has_no_manifest(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    masked = {"add": {**add["add"], "deletionVector": vector(lake, "i", [1])}}
    lake.create(PAIR, masked, features=["deletionVectors"])
    with pytest.raises(deltasql.UnsupportedTableFeature, match="deletion vectors"):
        _run(lake, "GENERATE symlink_format_manifest FOR TABLE t")
    assert not (lake.path / "_symlink_format_manifest").exists()
    lake.commit(removed(masked), add)
    _run(lake, "GENERATE symlink_format_manifest FOR TABLE t")
    assert _listed(lake.path) == {".": [lake.path / "a.parquet"]}


def test_a_line_break_in_a_name(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a\nb.parquet", pair(0)))
    with pytest.raises(deltasql.NotSupportedError, match="line break"):
        _run(lake, "GENERATE symlink_format_manifest FOR TABLE t")


@pytest.mark.parametrize("case", _CASES)
def test_others_manifests_list_the_rows(corpora: Path, tmp_path: Path, case: Expected) -> None:
    shutil.copytree(corpora / case.table, tmp_path / "t", symlinks=True)
    with deltasql.connect(tmp_path) as con:
        try:
            con.sql("GENERATE symlink_format_manifest FOR TABLE t")
        except deltasql.UnsupportedTableFeature:
            return
        (count,) = con.sql("SELECT count(*) FROM t").fetchall()[0]
    files = [file for files in _listed(tmp_path / "t").values() for file in files]
    assert sum(pq.read_metadata(file).num_rows for file in files) == count


# -- CHECKPOINT


@pytest.mark.parametrize("case", _CASES)
def test_a_checkpoint_says_what_the_entries_said(corpora: Path, tmp_path: Path, case: Expected) -> None:
    table = tmp_path / "t"
    shutil.copytree(corpora / case.table, table, symlinks=True)
    before = _state(table)
    with deltasql.connect(tmp_path) as con:
        rows = canonical.sortable(con.sql("SELECT * FROM t").to_arrow())
        try:
            assert con.sql("CHECKPOINT t").columns == []
        except (deltasql.UnsupportedTableFeature, deltasql.StorageError):
            assert _state(table) == before
            return
    for entry in (table / "_delta_log").glob("*.json"):
        if entry.stem.isdecimal():
            entry.unlink()
    assert _state(table) == before
    with deltasql.connect(tmp_path) as con:
        assert canonical.sortable(con.sql("SELECT * FROM t").to_arrow()) == rows


def _state(table: Path) -> object:
    """What must outlive the entries; statistics may go (`delta.checkpoint.writeStatsAsJson`), unknown fields do."""
    snapshot = open_snapshot("t", table)
    adds = recorded(snapshot, snapshot.files)
    kept = {path: {key: body[key] for key in body if key in _KEPT} for path, body in adds.items()}
    others = domains(snapshot), transactions(snapshot, lambda _: True), Metadata.of(snapshot), Protocol.of(snapshot)
    return kept, others


_KEPT = {"path", "partitionValues", "size", "modificationTime", "deletionVector", "tags", "baseRowId"}
_KEPT |= {"defaultRowCommitVersion", "clusteringProvider"}


def test_a_checkpoint_keeps_what_vacuum_goes_by(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    masked = {"add": {**add["add"], "deletionVector": vector(lake, "u", [1])}}
    lake.create(PAIR, masked, features=["deletionVectors"])
    remove = removed(masked)
    now = 4_000_000_000_000
    remove["remove"]["deletionTimestamp"] = now
    lake.commit(remove, add)
    _run(lake, "CHECKPOINT t")
    for version in (0, 1):
        os.utime(lake.entry(version), (1, 1))
    lake.entry(0).unlink()
    snapshot = open_snapshot("t", lake.path)
    assert unneeded(snapshot, now) == []
    assert [each.path.suffix for each in unneeded(snapshot, now + 1)] == [".bin"]
