"""Commits of our own: whole or not at all, never over another's, and read alike by everybody."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import deltasql
from deltasql.catalog.log import commits, version_range
from deltasql.catalog.recorded import recorded, remove_of
from deltasql.errors import InternalError, StorageError
from deltasql.write import commit as module
from tests.engine.lakes import PAIR, Json, Lake, field, metadata, pair, protocol
from tests.engine.test_protocol_features import vector
from tests.write.committing import committed, entry_of, info_of, opened, removal, two_files

# -- what a commit says


def test_the_entry(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    version = committed(
        snapshot,
        removal(snapshot, "a.parquet"),
        lake.file("c.parquet", pair(10)),
        operation="UPDATE",
        parameters={"predicate": ["id = 1"], "mode": "Append", "auto": False, "nothing": None},
        metrics={"numUpdatedRows": 1},
        custom={"userMetadata": "é", "deltasql.statement": "mark"},
    )
    assert version == 1
    info, remove, add = entry_of(lake, 1)
    assert remove["remove"]["path"] == "a.parquet"
    assert add["add"]["path"] == "c.parquet"
    said = info["commitInfo"]
    assert abs(said.pop("timestamp") - time.time() * 1000) < 60_000
    assert len(said.pop("txnId")) == 36
    assert said.pop("engineInfo").startswith(f"deltasql/{deltasql.__version__} delta-rs/1.")
    assert said == {
        "operation": "UPDATE",
        "operationParameters": {"predicate": '["id = 1"]', "mode": "Append", "auto": "false"},
        "operationMetrics": {"numUpdatedRows": 1},
        "readVersion": 0,
        "isolationLevel": "Serializable",
        "isBlindAppend": False,
        "userMetadata": "é",
        "deltasql.statement": "mark",
    }
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT id FROM t ORDER BY id").fetchall() == [(2,), (3,), (10,), (11,)]
        row = con.sql("DESCRIBE HISTORY t").to_arrow().to_pylist()[0]
    assert row["version"] == 1
    assert dict(row["operationParameters"])["predicate"] == '["id = 1"]'
    assert dict(row["operationMetrics"]) == {"numUpdatedRows": "1"}
    assert (row["operation"], row["readVersion"], row["isolationLevel"], row["isBlindAppend"], row["userMetadata"]) == (
        "UPDATE",
        0,
        "Serializable",
        False,
        "é",
    )
    assert DeltaTable(lake.path).history(1)[0]["operation"] == "UPDATE"


def test_a_value_that_is_no_json_leaves_nothing(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    before = sorted(path.name for path in lake.log.iterdir())
    for bad in (float("nan"), "\ud800"):
        with pytest.raises(ValueError, match=r"JSON compliant|surrogates"):
            committed(opened(lake), {"txn": {"appId": "x", "version": bad}})
    assert sorted(path.name for path in lake.log.iterdir()) == before


# -- in-commit timestamps


_ICT = {"writer_features": ["inCommitTimestamp"], "delta__enableInCommitTimestamps": "true"}


def test_in_commit_timestamps_grow(tmp_path: Path) -> None:
    lake = two_files(tmp_path, **_ICT)
    ahead = int(time.time() * 1000) + 3_600_000
    first = entry_of(lake, 0)
    first[0]["commitInfo"]["inCommitTimestamp"] = ahead
    lake.entry(0).write_text("".join(json.dumps(action) + "\n" for action in first))
    committed(opened(lake), lake.file("c.parquet", pair(4)), blind=True)
    old = opened(lake)
    committed(opened(lake), lake.file("d.parquet", pair(6)), blind=True)
    committed(old, lake.file("e.parquet", pair(8)), blind=True)
    assert [info_of(lake, version)["inCommitTimestamp"] for version in range(4)] == [ahead + n for n in range(4)]
    times = commits(lake.path, old.properties)
    assert [commit.version for commit in times] == [0, 1, 2, 3]


def test_an_in_commit_timestamp_is_now_where_the_past_allows(tmp_path: Path) -> None:
    lake = two_files(tmp_path, **_ICT)
    os.utime(lake.entry(0), (1, 1))
    committed(opened(lake), lake.file("c.parquet", pair(4)))
    assert abs(info_of(lake, 1)["inCommitTimestamp"] - time.time() * 1000) < 60_000


def test_in_commit_timestamps_begin_with_the_commit_that_turns_them_on(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    ahead = int(time.time()) + 3600
    os.utime(lake.entry(0), (ahead, ahead))
    on = metadata(PAIR, properties={"delta.enableInCommitTimestamps": "true"})
    committed(opened(lake), protocol(1, 7, (), ["inCommitTimestamp"]), on)
    assert info_of(lake, 1)["inCommitTimestamp"] == ahead * 1000 + 1


# -- many at once

_APPENDING = """
import json, sys
from pathlib import Path
from deltasql.catalog.snapshot import open_snapshot
from deltasql.write.commit import commit
path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    name = f"{who}-{number}.parquet"
    add = {"path": name, "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": True}
    commit(open_snapshot("t", path), [{"add": add}], operation="WRITE", parameters={}, metrics={}, blind=True)
"""

_COUNTING = """
import json, sys
from pathlib import Path
from deltasql.catalog.recorded import recorded, remove_of
from deltasql.catalog.snapshot import open_snapshot
from deltasql.write.commit import commit
from deltasql.write.retry import retrying
path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def step():
    snapshot = open_snapshot("t", path)
    ((file, add),) = recorded(snapshot, snapshot.files).items()
    value = int(add["tags"]["value"]) + 1
    new = {**add, "path": f"{who}-{value}.parquet", "tags": {"value": str(value)}}
    actions = [{"remove": remove_of(add, 1)}, {"add": new}]
    commit(snapshot, actions, operation="UPDATE", parameters={}, metrics={})
for number in range(count):
    retrying(step, retries=1000)
"""


def _run(code: str, lake: Lake, writers: int, count: int) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(lake.path), f"w{n}", str(count)]) for n in range(writers)
    ]
    assert [process.wait(timeout=100) for process in started] == [0] * writers


def test_concurrent_appends_are_all_there(tmp_path: Path) -> None:
    lake = two_files(tmp_path, delta__checkpointInterval="10")
    _run(_APPENDING, lake, 4, 25)
    assert version_range(lake.path) == (0, 100)
    assert sorted(int(path.stem) for path in lake.log.glob("*.json")) == list(range(101))
    names = {f"w{writer}-{number}.parquet" for writer in range(4) for number in range(25)}
    assert {file.name for file in opened(lake).files} == names | {"a.parquet", "b.parquet"}
    assert not list(lake.log.glob(".*.tmp"))


def test_no_concurrent_update_is_lost(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("0.parquet", pair(0))
    add["add"]["tags"] = {"value": "0"}
    lake.create(PAIR, add, delta__checkpointInterval="7")
    _run(_COUNTING, lake, 3, 10)
    snapshot = opened(lake)
    (found,) = recorded(snapshot, snapshot.files).values()
    assert found["tags"] == {"value": "30"}
    assert snapshot.version == 30


# -- failures

_KILLED = """
import os, signal, sys
from pathlib import Path
from deltasql.catalog.snapshot import open_snapshot
from deltasql.write.commit import commit
snapshot, left = open_snapshot("t", Path(sys.argv[1])), int(sys.argv[2])
def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def stepping(call):
    def made(*arguments, **options):
        step()
        result = call(*arguments, **options)
        step()
        return result
    return made
os.fsync, os.link, os.unlink = map(stepping, (os.fsync, os.link, os.unlink))
add = {"path": "b.parquet", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": True}
commit(snapshot, [{"add": add}], operation="WRITE", parameters={}, metrics={}, blind=True)
"""


@pytest.mark.parametrize("step", range(1, 10))
def test_killed_between_any_two_steps(tmp_path: Path, step: int) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)))
    lake.file("b.parquet", pair(2))
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(lake.path), str(step)], check=False, timeout=60)
    # fsync, link, unlink and fsync of the folder: two steps each; past them it isn't killed.
    assert ended.returncode == (-signal.SIGKILL if step <= 8 else 0)
    made = step > 3
    ids = [0, 1, 2, 3] if made else [0, 1]
    assert _ids(lake) == ids
    assert DeltaTable(lake.path).version() == int(made)
    assert len(list(lake.log.glob(".*.tmp"))) == int(step <= 5)
    assert committed(opened(lake), lake.file("c.parquet", pair(8)), blind=True) == 1 + made
    assert _ids(lake) == [*ids, 8, 9]


def _ids(lake: Lake) -> list[int]:
    with deltasql.connect(lake.path.parent) as con:
        return [row[0] for row in con.sql("SELECT id FROM t ORDER BY id").fetchall()]


@pytest.mark.parametrize(
    ("call", "number", "hint"),
    [
        ("fsync", errno.ENOSPC, None),
        ("link", errno.EPERM, "its file system has no hard links"),
        ("link", errno.EIO, None),
    ],
)
def test_what_storage_refuses_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, hint: str | None
) -> None:
    lake = two_files(tmp_path)
    snapshot, add = opened(lake), lake.file("c.parquet", pair(4))
    before = sorted(lake.log.iterdir())

    def fail(*names: Any, **_: Any) -> None:
        raise OSError(number, os.strerror(number), *(names if call == "fsync" else (names[0], None, names[1])))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageError, match=r"00000000000000000001\.json` can't be written: ") as caught:
        committed(snapshot, add, blind=True)
    assert caught.value.hint == hint
    assert sorted(lake.log.iterdir()) == before


def test_a_link_whose_answer_was_lost_is_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = two_files(tmp_path)
    link = os.link

    def lose(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(os, "link", link)
        link(*arguments, **options)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", lose)
    assert committed(opened(lake), lake.file("c.parquet", pair(4)), blind=True) == 1
    assert version_range(lake.path) == (0, 1)


def test_a_log_that_is_gone(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    lake.log.rename(tmp_path / "moved")
    with pytest.raises(StorageError, match="can't be listed"):
        committed(snapshot, {"txn": {"appId": "x", "version": 1}}, blind=True)
    assert not lake.log.exists()


# -- checkpoints


def test_a_checkpoint_is_made_at_the_interval(tmp_path: Path) -> None:
    lake = two_files(tmp_path, delta__checkpointInterval="3")
    for number in range(6):
        committed(opened(lake), lake.file(f"{number}.parquet", pair(10 * number)), blind=True)
    made = sorted(int(path.name[:20]) for path in lake.log.glob("*.checkpoint.parquet"))
    assert made == [2, 5]
    for path in lake.log.glob("*.json"):
        path.unlink() if int(path.stem) < 5 else None
    assert len(opened(lake).files) == 8


@pytest.mark.parametrize("interval", ["0", "-1", "many", ""])
def test_an_interval_that_is_none(tmp_path: Path, interval: str) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    snapshot.__dict__["properties"] = {"delta.checkpointInterval": interval}
    assert committed(snapshot, lake.file("c.parquet", pair(4)), blind=True) == 1


@pytest.mark.parametrize("failure", [StorageError("no"), OSError("no"), MemoryError()])
def test_a_checkpoint_that_fails_leaves_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    lake = two_files(tmp_path, delta__checkpointInterval="1")
    monkeypatch.setattr(module, "open_snapshot", _raising(failure))
    assert committed(opened(lake), lake.file("c.parquet", pair(4)), blind=True) == 1


def test_ctrl_c_in_a_checkpoint_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = two_files(tmp_path, delta__checkpointInterval="1")
    monkeypatch.setattr(module, "open_snapshot", _raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        committed(opened(lake), lake.file("c.parquet", pair(4)), blind=True)
    assert version_range(lake.path) == (0, 1)


def _raising(failure: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise failure

    return fail


# -- row tracking


def _tracked(tmp_path: Path, mark: int | None = 3) -> Lake:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    add["add"] |= {"baseRowId": 0, "defaultRowCommitVersion": 0}
    domain = [] if mark is None else [_row_ids(mark)]
    lake.create(PAIR, add, *domain, writer_features=["rowTracking", "domainMetadata"], delta__enableRowTracking="true")
    return lake


def _row_ids(mark: int) -> Json:
    configuration = json.dumps({"rowIdHighWaterMark": mark})
    return {"domainMetadata": {"domain": "delta.rowTracking", "configuration": configuration, "removed": False}}


def test_new_rows_get_ids_past_the_mark(tmp_path: Path) -> None:
    lake = _tracked(tmp_path)
    old = opened(lake)
    committed(old, lake.file("b.parquet", pair(4, 3)), lake.file("c.parquet", pair(7, 2)), blind=True)
    info, b, c, domain = entry_of(lake, 1)
    assert (b["add"]["baseRowId"], c["add"]["baseRowId"], c["add"]["defaultRowCommitVersion"]) == (4, 7, 1)
    assert domain == _row_ids(8)
    assert info["commitInfo"]["tags"] == {"delta.rowTracking.preserved": "true"}
    # A commit that was passed has moved the mark.
    assert committed(old, lake.file("d.parquet", pair(9)), blind=True) == 2
    assert entry_of(lake, 2)[1]["add"]["baseRowId"] == 9
    assert entry_of(lake, 2)[1]["add"]["defaultRowCommitVersion"] == 2
    assert entry_of(lake, 2)[2] == _row_ids(10)


def test_rows_that_move_are_said_to_get_new_ids(tmp_path: Path) -> None:
    lake = _tracked(tmp_path)
    snapshot = opened(lake)
    committed(snapshot, removal(snapshot, "a.parquet"), lake.file("b.parquet", pair(0, 3)))
    info, remove, add, domain = entry_of(lake, 1)
    assert (remove["remove"]["baseRowId"], add["add"]["baseRowId"], domain) == (0, 4, _row_ids(6))
    assert info["commitInfo"]["tags"] == {"delta.rowTracking.preserved": "false"}


def test_a_file_that_stays_keeps_its_ids(tmp_path: Path) -> None:
    lake = _tracked(tmp_path)
    snapshot = opened(lake)
    ((_, add),) = recorded(snapshot, snapshot.files).items()
    committed(snapshot, {"remove": remove_of(add, 1)}, {"add": {**add, "tags": {"x": "y"}}})
    info, _, again = entry_of(lake, 1)
    assert (again["add"]["baseRowId"], again["add"]["defaultRowCommitVersion"]) == (0, 0)
    assert info["commitInfo"]["tags"] == {"delta.rowTracking.preserved": "true"}


def test_the_first_row_id(tmp_path: Path) -> None:
    lake = _tracked(tmp_path, mark=None)
    committed(opened(lake), lake.file("b.parquet", pair(4, 3)), blind=True)
    assert entry_of(lake, 1)[1]["add"]["baseRowId"] == 0


def test_a_file_without_a_count_of_rows(tmp_path: Path) -> None:
    lake = _tracked(tmp_path)
    with pytest.raises(InternalError, match=r"`b\.parquet` has no count"):
        committed(opened(lake), lake.file("b.parquet", pair(4, 3), stats=None), blind=True)
    assert version_range(lake.path) == (0, 0)


# -- what others read


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its delta extension, from the package in the environment: nothing is downloaded."""
    from duckdb_extensions import import_extension

    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as con:
        con.execute("SET extension_directory = ?", [str(tmp_path_factory.mktemp("extensions"))])
        import_extension("delta", con=con)
        con.load_extension("delta")
        yield con


def _plain(lake: Lake) -> None:
    lake.create(PAIR, lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2)))


def _vectors(lake: Lake) -> None:
    adds = [lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2))]
    adds[0]["add"]["deletionVector"] = vector(lake, "u", [0])
    adds[1]["add"]["deletionVector"] = vector(lake, "i", [1])
    lake.create(PAIR, *adds, features=["deletionVectors"], delta__enableDeletionVectors="true")


def _raw_paths(lake: Lake) -> None:
    adds = []
    for name, start in (("é ü", 0), ("日本 b", 2)):
        add = lake.file(f"{name}.parquet", pair(start))
        adds.append({"add": {**add["add"], "path": f"{name}.parquet"}})
    lake.create(PAIR, *adds)


def _in_commit_timestamps(lake: Lake) -> None:
    lake.create(PAIR, lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2)), **_ICT)
    actions = entry_of(lake, 0)
    actions[0]["commitInfo"]["inCommitTimestamp"] = 1_700_000_000_000
    lake.entry(0).write_text("".join(json.dumps(action) + "\n" for action in actions))


def _mapped(lake: Lake) -> None:
    schema = [
        field(name, type, **{"delta.columnMapping.id": id, "delta.columnMapping.physicalName": f"col-{name}"})
        for id, (name, type) in enumerate((("id", "long"), ("s", "string")), 1)
    ]
    properties = {"delta__columnMapping__mode": "name", "delta__columnMapping__maxColumnId": "2"}
    adds = [lake.file(name, _physical(pair(start))) for name, start in (("a.parquet", 0), ("b.parquet", 2))]
    lake.create(schema, *adds, reader=2, writer=5, **properties)


def _physical(rows: pa.Table) -> pa.Table:
    return rows.rename_columns([f"col-{name}" for name in rows.column_names])


_TABLES: dict[str, tuple[Callable[[Lake], None], Sequence[int]]] = {
    "plain": (_plain, [2, 3]),
    "deletion vectors": (_vectors, [2]),
    "raw paths": (_raw_paths, [2, 3]),
    "in-commit timestamps": (_in_commit_timestamps, [2, 3]),
    "column mapping": (_mapped, [2, 3]),
}


_POLARS_READS = {"plain", "deletion vectors", "raw paths", "in-commit timestamps"}


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("kind", _TABLES)
def test_others_read_what_we_committed(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection, kind: str, checkpointed: bool
) -> None:
    lake = Lake(tmp_path / "t")
    make, kept = _TABLES[kind]
    make(lake)
    if checkpointed:
        opened(lake).table.create_checkpoint()
    snapshot = opened(lake)
    new = lake.file("ö new.parquet", _physical(pair(10)) if kind == "column mapping" else pair(10))
    committed(snapshot, removal(snapshot, "é ü.parquet" if kind == "raw paths" else "a.parquet"), new)
    wanted = [*kept, 10, 11]
    assert _ids(lake) == wanted
    assert sorted(pa.table(DeltaTable(lake.path).scan(columns=["id"]))["id"].to_pylist()) == wanted
    found = duck.execute(f"SELECT id FROM delta_scan('{lake.path}') WHERE id < 1000 ORDER BY id").fetchall()
    assert [row[0] for row in found] == wanted
    if kind in _POLARS_READS:
        assert pl.scan_delta(str(lake.path)).select("id").sort("id").collect()["id"].to_list() == wanted


def test_delta_rs_goes_on_from_our_commit(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    committed(snapshot, removal(snapshot, "a.parquet"), lake.file("c.parquet", pair(10)))
    write_deltalake(lake.path, pair(20), mode="append")
    table = DeltaTable(lake.path)
    table.delete("id = 10")
    assert _ids(lake) == [2, 3, 11, 20, 21]
    table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert _ids(lake) == [2, 3, 11, 20, 21]
    assert not (lake.path / "a.parquet").exists()
