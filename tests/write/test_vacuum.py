"""VACUUM with an adversary's eye: what other engines and other writers leave in a table's folder, or outside of it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.catalog.retention import retention
from deltasql.catalog.snapshot import open_snapshot
from tests.acceptance import canonical
from tests.corpora import Expected, expected
from tests.engine.lakes import PAIR, Json, Lake, checkpoint, metadata, pair, protocol, removed
from tests.engine.test_protocol_features import vector

_OLD = time.time() - 100 * 24 * 3600


def _vacuum(path: Path, options: str = "", *, dry: bool = False) -> list[str]:
    """Run VACUUM on the table; gives the names of the files that went (or would go), relative to the folder above it."""
    before = _files(path.parent)
    with deltasql.connect(path.parent) as con:
        con.sql("SET deltasql.vacuum.retention_check = off")
        rows = con.sql(f"VACUUM delta.`{path}` {options} {'DRY RUN' if dry else ''}").fetchall()
    gone = before - _files(path.parent)
    if dry:
        assert not gone
        gone = {Path(row[0]) for row in rows}
    return sorted(str(file.relative_to(path.parent)) for file in gone)


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "_delta_log" not in path.parts}


def _aged(lake: Lake) -> Path:
    """Make everything old: the log's entries and the files."""
    for path in lake.path.parent.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (_OLD, _OLD))
    return lake.path


def _rows(path: Path) -> int:
    with deltasql.connect() as con:
        return len(con.sql(f"SELECT * FROM delta.`{path}`").fetchall())


def _put(path: Path, *, old: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1")
    if old:
        os.utime(path, (_OLD, _OLD))


# -- what goes and what stays


def test_hidden_files_and_folders_stay(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("_p=1/a.parquet", pair(0).select(["id"]), {"_p": "1"})
    lake.create([*json.loads(_schema("id", "long", "_p", "string"))], add, by=["_p"])
    for name in (
        "_p=1/gone.parquet",
        "_p=1/_SUCCESS",
        "_index/x",
        ".hidden/x",
        ".a.crc",
        "_symlink_format_manifest/manifest",
        "_change_data/gone.parquet",
        "deep/_change_data/kept.parquet",
        "deep/er/gone.parquet",
        "gone.txt",
    ):
        _put(lake.path / name)
    gone = _vacuum(_aged(lake))
    assert gone == ["t/_change_data/gone.parquet", "t/_p=1/gone.parquet", "t/deep/er/gone.parquet", "t/gone.txt"]
    assert _rows(lake.path) == 2


def _schema(*pairs: str) -> str:
    names = zip(pairs[::2], pairs[1::2], strict=True)
    return json.dumps([{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in names])


def test_what_another_writer_has_not_committed_yet_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)))
    _aged(lake)
    _put(lake.path / "b.parquet", old=False)
    assert _vacuum(lake.path) == []
    assert _vacuum(lake.path, "RETAIN 1 HOURS") == []
    assert _vacuum(lake.path, "RETAIN 0 HOURS") == ["t/b.parquet"]


@pytest.mark.parametrize("kind", ["FULL", "LITE"])
def test_odd_paths(tmp_path: Path, kind: str) -> None:
    lake = Lake(tmp_path / "t")
    paths = {
        "é ü.parquet": "é ü.parquet",  # raw, as Spark writes it
        "a b.parquet": "a%20b.parquet",
        "50%25.parquet": "50%2525.parquet",
        "p=x%2Fy/c.parquet": "p=x%252Fy/c.parquet",
        "#?.parquet": "%23%3F.parquet",
    }
    adds = [{"add": {**lake.file(name, pair(0))["add"], "path": path}} for name, path in paths.items()]
    old = [
        {"add": {**lake.file(f"old {name}", pair(0))["add"], "path": f"old%20{path}"}} for name, path in paths.items()
    ]
    old[3]["add"]["path"] = "old%20p=x%252Fy/c.parquet"
    lake.create(PAIR, *adds, *old)
    lake.commit(*map(removed, old))
    gone = _vacuum(_aged(lake), kind)
    assert gone == sorted(f"t/old {name}" for name in paths)
    assert _rows(lake.path) == 2 * len(paths)


def test_a_path_that_is_not_encoded_keeps_its_file(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a%20b.parquet", pair(0))
    lake.create(PAIR, {"add": {**add["add"], "path": "a%20b.parquet"}})
    assert _vacuum(_aged(lake)) == []


@pytest.mark.parametrize("kind", ["FULL", "LITE"])
@pytest.mark.parametrize("storage", ["u", "p"])
def test_deletion_vectors(tmp_path: Path, storage: str, kind: str) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    masked = {"add": {**add["add"], "deletionVector": vector(lake, storage, [1])}}
    lake.create(PAIR, masked, features=["deletionVectors"])
    assert _vacuum(_aged(lake), kind) == []
    assert _rows(lake.path) == 3
    lake.commit(removed(masked), add)
    os.utime(lake.entry(), (_OLD, _OLD))
    (gone,) = _vacuum(lake.path, kind)
    assert gone.endswith(".bin")
    assert _rows(lake.path) == 4


def test_a_vector_of_a_retained_version_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    masked = {"add": {**add["add"], "deletionVector": vector(lake, "u", [1])}}
    lake.create(PAIR, masked, features=["deletionVectors"])
    _aged(lake)
    remove: Json = removed(masked)
    lake.commit(remove, add)  # now
    assert _vacuum(lake.path) == []
    with deltasql.connect() as con:
        assert len(con.sql(f"SELECT * FROM delta.`{lake.path}@v0`").fetchall()) == 3


@pytest.mark.parametrize("kind", ["FULL", "LITE"])
def test_a_clone_and_its_source(tmp_path: Path, kind: str) -> None:
    source, clone = Lake(tmp_path / "source"), Lake(tmp_path / "clone")
    add = source.file("a.parquet", pair(0))
    source.create(PAIR, add, source.file("b.parquet", pair(2)))
    own = clone.file("own.parquet", pair(4))
    far = [{"add": {**add["add"], "path": (source.path / name).as_uri()}} for name in ("a.parquet", "b.parquet")]
    here = {"add": {**own["add"], "path": (clone.path / "own.parquet").as_uri()}}
    clone.create(PAIR, *far, here)
    clone.commit(removed(far[0]))
    assert _vacuum(_aged(clone), kind) == []
    assert (_rows(source.path), _rows(clone.path)) == (4, 4)


def test_a_table_below_and_what_is_behind_a_link_stay(tmp_path: Path) -> None:
    outer, inner = Lake(tmp_path / "t"), Lake(tmp_path / "t" / "x" / "inner")
    outer.create(PAIR, outer.file("a.parquet", pair(0)))
    inner.create(PAIR, inner.file("b.parquet", pair(0)))
    _put(tmp_path / "far" / "c.parquet")
    (outer.path / "link").symlink_to(tmp_path / "far")
    assert _vacuum(_aged(outer)) == []


def test_a_table_by_a_link(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(
        PAIR, add, {"add": {**lake.file("b.parquet", pair(2))["add"], "path": (lake.path / "b.parquet").as_uri()}}
    )
    _put(lake.path / "gone.parquet")
    (tmp_path / "link").symlink_to(lake.path)
    _aged(lake)
    with deltasql.connect(tmp_path / "other") as con:
        con.sql(f"VACUUM delta.`{tmp_path / 'link'}`")
    assert {path.name for path in _files(lake.path)} == {"a.parquet", "b.parquet"}


def test_a_removal_that_only_an_entry_before_the_checkpoint_tells(tmp_path: Path) -> None:
    """A checkpoint forgets removals past the table's retention; a longer RETAIN still keeps what they removed."""
    lake = Lake(tmp_path / "t")
    first, second = lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2))
    lake.create(PAIR, first).commit(removed(first), second)
    checkpoint(lake, [protocol(1, 2), metadata(PAIR), second])
    _aged(lake)
    assert _vacuum(lake.path, "RETAIN 4800 HOURS") == []
    assert _vacuum(lake.path) == ["t/a.parquet"]


def test_lite_knows_only_the_log(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add, lake.file("b.parquet", pair(2))).commit(removed(add))
    _put(lake.path / "orphan.parquet")
    _aged(lake)
    assert _vacuum(lake.path, "LITE") == ["t/a.parquet"]
    assert _vacuum(lake.path, "FULL") == ["t/orphan.parquet"]


# -- the commits


def test_the_commits_and_the_metrics(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add, delta__deletedFileRetentionDuration="interval 2 days").commit(removed(add))
    size = (lake.path / "a.parquet").stat().st_size
    _aged(lake)
    with deltasql.connect(tmp_path) as con:
        dry = con.sql("VACUUM t DRY RUN")
        assert dry.fetchall() == [(str(lake.path / "a.parquet"),)]
        assert (dry.metrics, dry.version) == (
            {"num_removed_files": 1, "removed_files_size": size, "dry_run": True},
            None,
        )
        result = con.sql("VACUUM t RETAIN 50 HOURS")
        assert result.fetchall() == [(str(lake.path),)]
        assert (result.metrics["removed_files_size"], result.version) == (size, 3)
        nothing = con.sql("VACUUM t")
        assert (nothing.metrics["num_removed_files"], nothing.version) == (0, None)
    start, end = (_info(lake, version) for version in (2, 3))
    assert (start["operation"], end["operation"]) == ("VACUUM START", "VACUUM END")
    assert start["operationMetrics"] == {"numFilesToDelete": 1, "sizeOfDataToDelete": size}
    hours = 3_600_000
    asked = {"specifiedRetentionMillis": str(50 * hours), "defaultRetentionMillis": str(48 * hours)}
    assert start["operationParameters"] == {"retentionCheckEnabled": "true", **asked}
    assert end["operationMetrics"] == {"numDeletedFiles": 1, "numVacuumedDirectories": 1}
    assert end["operationParameters"] == {"status": "COMPLETED"}


def _info(lake: Lake, version: int) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(lake.entry(version).read_text().splitlines()[0])["commitInfo"]
    return info


def test_what_comes_back_while_it_runs_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltasql.operations import vacuum

    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add).commit(removed(add))
    _put(lake.path / "gone.parquet")
    _aged(lake)
    search = vacuum.unneeded

    def and_meanwhile(*args: Any, **options: Any) -> Any:
        found = search(*args, **options)
        monkeypatch.setattr(vacuum, "unneeded", search)
        lake.commit(add)
        return found

    monkeypatch.setattr(vacuum, "unneeded", and_meanwhile)
    assert _vacuum(lake.path) == ["t/gone.parquet"]
    assert _rows(lake.path) == 2


def test_a_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add).commit(removed(add))
    _aged(lake)

    def refused(path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with deltasql.connect(tmp_path) as con, monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        with pytest.raises(deltasql.StorageError):
            con.sql("VACUUM t")
    assert _info(lake, 3)["operationParameters"] == {"status": "FAILED"}
    assert _info(lake, 3)["operationMetrics"]["numDeletedFiles"] == 0


# -- bad input


def test_a_log_that_can_not_be_read_removes_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add).commit(removed(add)).commit()
    _aged(lake)
    lake.entry(1).write_text('{"remove": 1')
    before = _files(lake.path)
    with deltasql.connect(tmp_path) as con, pytest.raises(deltasql.Error):
        con.sql("VACUUM t")
    assert _files(lake.path) == before


def test_a_vector_of_an_unknown_kind(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    odd = {"storageType": "x", "pathOrInlineDv": "y", "sizeInBytes": 1, "cardinality": 1}
    lake.create(PAIR, add, features=["deletionVectors"])
    lake.commit({"remove": {**removed(add)["remove"], "deletionVector": odd}})
    _put(lake.path / "gone.parquet")
    _aged(lake)
    before = _files(lake.path)
    with deltasql.connect(tmp_path) as con, pytest.raises(deltasql.Error, match="deletion vector"):
        con.sql("VACUUM t")
    assert _files(lake.path) == before


def test_an_unknown_feature(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add, writer_features=["ofTheFuture"]).commit(removed(add))
    _aged(lake)
    with deltasql.connect(tmp_path) as con, pytest.raises(deltasql.UnsupportedTableFeature, match="ofTheFuture"):
        con.sql("VACUUM t")
    assert {path.name for path in _files(lake.path)} == {"a.parquet"}


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("interval 1 week", 168),
        ("interval 90 minutes", 1.5),
        ("2 days", 48),
        ("interval 1 day 12 hours", 36),
        (None, 168),
    ],
)
def test_retention(text: str | None, hours: float) -> None:
    properties = {} if text is None else {"delta.deletedFileRetentionDuration": text}
    assert retention(properties) == hours * 3_600_000


@pytest.mark.parametrize("text", ["", "interval", "7", "interval 1 month", "soon"])
def test_a_retention_that_is_none(text: str) -> None:
    with pytest.raises(deltasql.PlanError, match="deletedFileRetentionDuration"):
        retention({"delta.deletedFileRetentionDuration": text})


# -- tables by others

_CASES = [pytest.param(case, id=case.table) for case in expected() if case.outcome == "rows" and case.version is None]


@pytest.mark.parametrize("kind", ["FULL", "LITE"])
@pytest.mark.parametrize("case", _CASES)
def test_others_tables(corpora: Path, tmp_path: Path, case: Expected, kind: str) -> None:
    shutil.copytree(corpora / case.table, tmp_path / "t", symlinks=True)
    with deltasql.connect(tmp_path) as con:
        con.sql("SET deltasql.vacuum.retention_check = off")
        before = canonical.sortable(con.sql("SELECT * FROM t").to_arrow())
        try:
            con.sql(f"VACUUM t {kind} RETAIN 0 HOURS")
        except deltasql.UnsupportedTableFeature:
            return
        assert canonical.sortable(con.sql("SELECT * FROM t").to_arrow()) == before
        live = set(open_snapshot("t", tmp_path / "t").files)
    if kind == "FULL":
        left = {path for path in _files(tmp_path / "t") if path.suffix == ".parquet"}
        hidden = {path for path in left if any(part[0] in "_." for part in path.relative_to(tmp_path / "t").parts)}
        assert left - hidden <= live
