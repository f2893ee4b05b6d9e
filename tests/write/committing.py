"""What the tests of our own commits share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deltasql.catalog.recorded import recorded, remove_of
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.write.commit import commit
from tests.engine.lakes import PAIR, Json, Lake, pair


def opened(lake: Lake, version: int | None = None) -> Snapshot:
    """The table at a version, or the latest."""
    return open_snapshot("t", lake.path, version)


def committed(snapshot: Snapshot, *actions: Json, **options: Any) -> int:
    """Commit the actions; gives the version."""
    given = {"operation": "WRITE", "parameters": {}, "metrics": {}}
    return commit(snapshot, actions, **given | options)


def entry_of(lake: Lake, version: int) -> list[Json]:
    """The actions of a commit."""
    return [json.loads(line) for line in lake.entry(version).read_text(encoding="utf-8").splitlines()]


def info_of(lake: Lake, version: int) -> Json:
    """What a commit says of itself."""
    return entry_of(lake, version)[0]["commitInfo"]


def removal(snapshot: Snapshot, name: str) -> Json:
    """The action that removes a live file."""
    (file,) = (file for file in snapshot.files if file.name == name)
    return {"remove": remove_of(recorded(snapshot, [file])[file], 1_700_000_000_001)}


def two_files(path: Path, **options: Any) -> Lake:
    """A table of two files, with the rows 0 to 3."""
    lake = Lake(path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2)), **options)
    return lake
