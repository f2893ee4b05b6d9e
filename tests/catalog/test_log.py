"""What the log's files tell, some of which others have cleaned up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from deltasql.catalog import changes, inspection, log
from deltasql.catalog.log import Commit, actions, checkpoints, commit_info, commits, entry, version_range
from deltasql.catalog.snapshot import open_snapshot
from deltasql.errors import StorageError, VersionNotFound

_UUID = "80a083e8-7026-4e79-81be-64bd76c43a11"


def _commits(*versions: int) -> list[str]:
    return [f"{version:020d}.json" for version in versions]


def _checkpoint(version: int, rest: str = "parquet") -> str:
    return f"{version:020d}.checkpoint.{rest}"


def _parts(version: int, of: int, *there: int) -> list[str]:
    return [_checkpoint(version, f"{part:010d}.{of:010d}.parquet") for part in there]


def _log(location: Path, *names: str) -> Path:
    (location / "_delta_log").mkdir(parents=True)
    for name in names:
        (location / "_delta_log" / name).write_text("{}")
    return location


# -- versions


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], (0, 0)),
        (_commits(0), (0, 0)),
        (_commits(0, 1, 2), (0, 2)),
        ([*_commits(0, 1, 2, 3), _checkpoint(2)], (0, 3)),
        ([*_commits(3, 4), _checkpoint(2)], (2, 4)),
        ([*_commits(2, 3, 4), _checkpoint(3)], (3, 4)),
        ([*_commits(4), _checkpoint(2), _checkpoint(3)], (2, 4)),
        ([_checkpoint(7)], (7, 7)),
        # other kinds of checkpoints
        ([*_commits(3, 4), _checkpoint(3, f"{_UUID}.json")], (3, 4)),
        ([*_commits(3, 4), _checkpoint(3, f"{_UUID}.parquet")], (3, 4)),
        ([*_commits(3, 4), *_parts(3, 3, 1, 2, 3)], (3, 4)),
        # what is none
        ([*_commits(3, 4, 5), *_parts(3, 3, 1, 3), _checkpoint(4)], (4, 5)),
        ([*_commits(3, 4, 5), *_parts(3, 2, 1), *_parts(3, 3, 2, 3), _checkpoint(4)], (4, 5)),
        ([*_commits(3, 4, 5), _checkpoint(3, "tmp.parquet"), _checkpoint(4)], (4, 5)),
        ([*_commits(3, 4, 5), _checkpoint(3, "parquet.crc"), "_last_checkpoint", _checkpoint(4)], (4, 5)),
        # gaps
        ([*_commits(0, 2, 3), _checkpoint(3)], (3, 3)),
        ([*_commits(0, 1, 4, 5), _checkpoint(3)], (3, 5)),
        ([*_commits(0, 1, 3), _checkpoint(2)], (0, 3)),
        ([*_commits(2, 4, 6), _checkpoint(1), _checkpoint(5)], (5, 6)),
        # no way to the latest
        (_commits(2, 3), (3, 3)),
    ],
)
def test_version_range(tmp_path: Path, names: list[str], expected: tuple[int, int]) -> None:
    assert version_range(_log(tmp_path / "t", *names)) == expected


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"the log of `.*/t` can't be listed: No such file"):
        version_range(tmp_path / "t")


def test_checkpoints() -> None:
    parts = _parts(3, 2, 1, 2)
    names = [*_commits(1, 2), _checkpoint(1), _checkpoint(2, f"{_UUID}.json"), *parts, *_parts(4, 2, 1)]
    assert checkpoints(names) == {1: [_checkpoint(1)], 2: [_checkpoint(2, f"{_UUID}.json")], 3: parts}


def test_what_the_range_says_can_be_read(tmp_path: Path) -> None:
    for value in range(5):
        write_deltalake(str(tmp_path), pa.table({"a": [value]}), mode="append")
    DeltaTable(str(tmp_path), version=3).create_checkpoint()
    entry(tmp_path, 1).unlink()
    assert version_range(tmp_path) == (3, 4)
    assert [len(open_snapshot("t", tmp_path, version).files) for version in (3, 4, None)] == [4, 5, 5]
    for version in (0, 1, 2):
        with pytest.raises(VersionNotFound, match=rf"`t` has no version {version} \(it has versions 3 to 4\)"):
            open_snapshot("t", tmp_path, version)


# -- commits


@pytest.fixture
def going(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes an entry of the log go once the log has been listed."""

    def goes(path: Path) -> None:
        listed = log._names

        def names(location: Path) -> list[str]:
            found = listed(location)
            path.unlink(missing_ok=True)
            return found

        monkeypatch.setattr(log, "_names", names)

    return goes


@pytest.mark.parametrize("in_commit", [True, False])
def test_an_entry_that_goes(tmp_path: Path, going: Callable[[Path], None], *, in_commit: bool) -> None:
    _log(tmp_path / "t", *_commits(0, 1, 2))
    going(entry(tmp_path / "t", 1))
    found = commits(tmp_path / "t", {"delta.enableInCommitTimestamps": str(in_commit)})
    assert [commit.version for commit in found] == [0, 2]


def test_times(tmp_path: Path) -> None:
    _log(tmp_path / "t", *_commits(0, 1, 2))
    for version, stamp in ((0, 5000), (1, 4000), (2, "soon")):
        info = {"commitInfo": {"inCommitTimestamp": stamp}}
        entry(tmp_path / "t", version).write_text(json.dumps(info, indent=1))
    first, second, third = commits(tmp_path / "t", {"delta.enableInCommitTimestamps": "true"})
    assert first == Commit(0, dt.datetime(1970, 1, 1, 0, 0, 5, tzinfo=dt.UTC))
    assert second == Commit(1, first.time + dt.timedelta(milliseconds=1))
    assert third.time.year > 2000


# -- what an entry says

_SPREAD = '{\n  "commitInfo": {"operation": "A",\n\n"k": "{"}\n}\n\n{"add":\n{"path": "x"}}'


def test_actions_that_span_lines(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    path.write_text(_SPREAD)
    assert list(actions(path)) == [{"commitInfo": {"operation": "A", "k": "{"}}, {"add": {"path": "x"}}]


@pytest.mark.parametrize("text", ['{"add": {', '{"add": {}}\nx', "[1]", "1", "{} {}", "\xff"])
def test_an_entry_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "entry.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StorageError, match=r"entry\.json` can't be read: "):
        list(actions(path))


def test_an_entry_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(actions(tmp_path / "entry.json"))
    with pytest.raises(StorageError, match=r"0\.json` can't be read: it is gone"):
        commit_info(tmp_path, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(_SPREAD, {"operation": "A", "k": "{"}), ('{"commitInfo": null}\n{"add": {}}', {}), ('{"commitInfo": "x"}', {})],
)
def test_commit_info(tmp_path: Path, text: str, expected: object) -> None:
    (tmp_path / "_delta_log").mkdir()
    entry(tmp_path, 0).write_text(text)
    assert commit_info(tmp_path, 0) == expected


def test_everyone_reads_entries_that_span_lines(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1]}), configuration={"delta.enableChangeDataFeed": "true"})
    write_deltalake(str(tmp_path), pa.table({"a": [2]}), mode="append")
    for version in (0, 1):
        path = entry(tmp_path, version)
        path.write_text("\n".join(json.dumps(json.loads(line), indent=2) for line in path.read_text().splitlines()))
    snapshot = open_snapshot("t", tmp_path)
    assert inspection.history(snapshot)["operation"].to_pylist() == ["WRITE", "WRITE"]
    assert inspection.files(snapshot).num_rows == 2
    found = changes.changes(snapshot, 0)
    rows = [row for batch in found.read(["a"]) for row in batch.to_pylist()]
    assert rows == [{"a": 1}, {"a": 2}]
    assert commit_info(tmp_path, 1)["operation"] == "WRITE"


# -- what can't be read


@pytest.mark.parametrize(
    ("names", "version", "expected"),
    [
        (_commits(0, 1, 2), None, None),
        (_commits(0, 1, 3, 5), None, (1, 3)),
        (_commits(0, 1, 3, 5), 1, None),
        (_commits(0, 1, 3, 5), 2, (1, 3)),
        (_commits(2, 3), None, (-1, 2)),
        ([*_commits(0, 1, 4, 6), _checkpoint(3)], None, (4, 6)),
        ([*_commits(0, 1, 4, 5), _checkpoint(3)], None, None),
        ([*_commits(5, 6), _checkpoint(3)], None, (3, 5)),
    ],
)
def test_gap(tmp_path: Path, names: list[str], version: int | None, expected: tuple[int, int] | None) -> None:
    assert log.gap(_log(tmp_path / "t", *names), version) == expected


@pytest.mark.parametrize("text", ["", "\n", " \r\n\n"])
def test_blank_entry(tmp_path: Path, text: str) -> None:
    _log(tmp_path, *_commits(0, 1, 2, 3, 4), _checkpoint(1), _checkpoint(4))
    assert log.blank_entry(tmp_path, 4) is None
    for version in (1, 3):
        entry(tmp_path, version).write_text(text)
    assert [log.blank_entry(tmp_path, version) for version in range(5)] == [
        None, None, None, entry(tmp_path, 3).name, None,
    ]  # fmt: skip
    (tmp_path / "_delta_log" / _checkpoint(4)).write_text("")  # delta-rs passes over such a checkpoint.
    assert log.blank_entry(tmp_path, 4) == entry(tmp_path, 3).name
    assert log.blank_entry(tmp_path, 4, since=3) is None


def test_times_are_read_one_by_one(tmp_path: Path) -> None:
    _log(tmp_path, *_commits(0, 1))
    entry(tmp_path, 0).write_text('{"commitInfo": {"inCommitTimestamp": 5}}')
    entry(tmp_path, 1).write_text('{"commit')
    found = log.each_commit(tmp_path, {"delta.enableInCommitTimestamps": "true"})
    assert next(found).version == 0
    with pytest.raises(StorageError, match="can't be read"):
        next(found)


def test_protocol(tmp_path: Path) -> None:
    _log(tmp_path, *_commits(0, 1))
    entry(tmp_path, 0).write_text('{"protocol": {"minReaderVersion": 9}}\n{"metaData": {}}')
    assert log.protocol(tmp_path, 1) == {"minReaderVersion": 9}
    entry(tmp_path, 1).write_text('{"prot')
    assert log.protocol(tmp_path, 1) == {}
