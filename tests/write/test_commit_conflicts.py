"""Which commits of others one of ours may stand after."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deltasql.catalog.log import version_range
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import CommitConflict
from tests.engine.lakes import PAIR, Json, Lake, metadata, pair, protocol
from tests.write.committing import committed, info_of, opened, removal, two_files

_TXN = {"txn": {"appId": "app", "version": 1}}
_DOMAIN = {"domainMetadata": {"domain": "d", "configuration": "{}", "removed": False}}


def _theirs(kind: str, lake: Lake, snapshot: Snapshot) -> list[Json]:
    """What another writer commits."""
    blind = {"commitInfo": {"operation": "WRITE", "isBlindAppend": True}}
    add = lake.file("theirs.parquet", pair(20))
    moved = {"add": {**add["add"], "dataChange": False}}
    quiet = {name: removal(snapshot, f"{name}.parquet") for name in "ab"}
    for remove in quiet.values():
        remove["remove"]["dataChange"] = False
    return {
        "append": [add],
        "blind append": [blind, add],
        "false blind append": [{"commitInfo": {"isBlindAppend": "true"}}, add],
        "blind that removes": [blind, add, removal(snapshot, "b.parquet")],
        "delete a": [removal(snapshot, "a.parquet")],
        "delete b": [removal(snapshot, "b.parquet")],
        "optimize a": [quiet["a"], moved],
        "optimize b": [quiet["b"], moved],
        "properties": [metadata(PAIR, properties={"x": "y"})],
        "protocol": [protocol(1, 3)],
        "txn": [_TXN],
        "other txn": [{"txn": {"appId": "other", "version": 1}}],
        "domain": [_DOMAIN],
        "only info": [{"commitInfo": {"operation": "ANALYZE"}}],
        "nothing": [],
    }[kind]


def _quiet(action: Json) -> Json:
    """The action as one that changes no data."""
    return {kind: {**body, "dataChange": False} for kind, body in action.items()}


_OURS: dict[str, Callable[[Lake, Snapshot], tuple[list[Json], bool]]] = {
    "blind": lambda lake, _: ([lake.file("o.parquet", pair(30))], True),
    "append": lambda lake, _: ([lake.file("o.parquet", pair(30))], False),
    "rewrite a": lambda lake, at: ([removal(at, "a.parquet"), lake.file("o.parquet", pair(30))], False),
    "rewrite a, said blind": lambda lake, at: ([removal(at, "a.parquet"), lake.file("o.parquet", pair(30))], True),
    "rearrange a": lambda lake, at: (
        [_quiet(removal(at, "a.parquet")), _quiet(lake.file("o.parquet", pair(0)))],
        False,
    ),
    "rearrange a, with rows": lambda lake, at: (
        [_quiet(removal(at, "a.parquet")), lake.file("o.parquet", pair(0, 3))],
        False,
    ),
    "statistics of a": lambda lake, _: ([_quiet(lake.added("a.parquet"))], False),
    "schema": lambda lake, _: ([metadata(PAIR, properties={"z": "z"}), lake.file("o.parquet", pair(30))], True),
    "txn": lambda lake, _: ([lake.file("o.parquet", pair(30)), _TXN], True),
    "domain": lambda lake, _: ([_DOMAIN], True),
}

_PASSES = {
    # ours: theirs that it passes under Serializable, and besides under WriteSerializable
    "blind": ("append, blind append, false blind append, blind that removes, delete a, delete b, optimize a, optimize b, txn, other txn, domain, only info", ""),
    "append": ("optimize a, optimize b, txn, other txn, domain, only info", "blind append"),
    "rewrite a": ("optimize b, txn, other txn, domain, only info", "blind append"),
    "rewrite a, said blind": ("optimize b, txn, other txn, domain, only info", "blind append"),
    "rearrange a": ("append, blind append, false blind append, blind that removes, delete b, optimize b, txn, other txn, domain, only info", ""),
    "rearrange a, with rows": ("optimize b, txn, other txn, domain, only info", "blind append"),
    "statistics of a": ("append, blind append, false blind append, blind that removes, delete b, optimize b, txn, other txn, domain, only info", ""),
    "schema": ("optimize a, optimize b, txn, other txn, domain, only info", ""),
    "txn": ("append, blind append, false blind append, blind that removes, delete a, delete b, optimize a, optimize b, other txn, domain, only info", ""),
    "domain": ("append, blind append, false blind append, blind that removes, delete a, delete b, optimize a, optimize b, txn, other txn, only info", ""),
}  # fmt: skip
_THEIRS = ["append", "blind append", "false blind append", "blind that removes", "delete a", "delete b", "optimize a", "optimize b", "properties", "protocol", "txn", "other txn", "domain", "only info", "nothing"]  # fmt: skip


@pytest.mark.parametrize("level", ["Serializable", "WriteSerializable"])
@pytest.mark.parametrize("theirs", _THEIRS)
@pytest.mark.parametrize("ours", _OURS)
def test_conflicts(tmp_path: Path, ours: str, theirs: str, level: str) -> None:
    lake = two_files(tmp_path, delta__isolationLevel=level)
    snapshot = opened(lake)
    before = _theirs(theirs, lake, snapshot)
    lake.version += 1
    lake.entry().write_text("".join(json.dumps(action) + "\n" for action in before))
    actions, blind = _OURS[ours](lake, snapshot)
    serializable, besides = _PASSES[ours]
    passes = serializable.split(", ") + (besides.split(", ") if level == "WriteSerializable" else [])
    if theirs in passes:
        assert committed(snapshot, *actions, blind=blind) == 2
        assert info_of(lake, 2)["readVersion"] == 0
    else:
        with pytest.raises(CommitConflict, match="another writer's commit to `t` conflicts: version 1 "):
            committed(snapshot, *actions, blind=blind)
        assert version_range(lake.path) == (0, 1)


def test_a_path_spelled_otherwise_is_the_same_file(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("é.parquet", pair(0))["add"]
    lake.create(PAIR, {"add": {**add, "path": "é.parquet"}})
    snapshot = opened(lake)
    ours = removal(snapshot, "é.parquet")
    assert ours["remove"]["path"] == "é.parquet"
    theirs = {"remove": {**ours["remove"], "path": "%C3%A9.parquet", "dataChange": False}}
    lake.commit(theirs)
    with pytest.raises(CommitConflict, match=r"removed the file `é\.parquet`"):
        committed(snapshot, ours)


def test_every_commit_in_between_is_looked_at(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    for number in range(3):
        lake.commit({"txn": {"appId": "other", "version": number}})
    lake.commit(lake.file("x.parquet", pair(50)))
    with pytest.raises(CommitConflict, match="version 4 added rows"):
        committed(snapshot, removal(snapshot, "a.parquet"))
    assert committed(snapshot, lake.file("o.parquet", pair(60)), blind=True) == 5


def test_entries_that_were_cleaned_up_are_a_conflict(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    snapshot = opened(lake)
    for number in range(3):
        lake.commit(lake.file(f"{number}.parquet", pair(10)))
    opened(lake).table.create_checkpoint()
    for number in range(3):
        lake.entry(number).unlink()
    with pytest.raises(CommitConflict, match="version 1 can't be read"):
        committed(snapshot, lake.file("o.parquet", pair(60)), blind=True)
    assert not lake.entry(1).exists()


def test_a_table_made_anew_is_a_conflict(tmp_path: Path) -> None:
    lake = two_files(tmp_path)
    lake.commit(lake.file("c.parquet", pair(10)))
    snapshot = opened(lake)
    lake.entry(1).unlink()
    with pytest.raises(CommitConflict, match="version 1 is gone"):
        committed(snapshot, lake.file("o.parquet", pair(60)), blind=True)
