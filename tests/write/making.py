"""What the tests of tables that are made share: what is on disk, and what a log says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import deltasql

Json = dict[str, Any]


def state(root: Path) -> dict[str, str]:
    """All files below ``root`` with a digest of each, and all folders."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in root.rglob("*")
        if not path.name.endswith(".lock")
    }


def refused(con: deltasql.Connection, sql: str, kind: type[Exception], match: str) -> None:
    """``sql`` is refused, and leaves all as it was."""
    before = state(Path(con.root).parent)
    with pytest.raises(kind, match=match):
        con.sql(sql)
    assert state(Path(con.root).parent) == before


def actions(table: Path, kind: str, version: int = 0) -> list[Json]:
    """The actions of one kind in a commit."""
    lines = (table / "_delta_log" / f"{version:020d}.json").read_text(encoding="utf-8").splitlines()
    return [action[kind] for action in map(json.loads, lines) if kind in action]


def fields(table: Path, version: int = 0) -> dict[str, Json]:
    """The columns that a commit's metaData gives the table, by name."""
    (metadata,) = actions(table, "metaData", version)
    return {field["name"]: field for field in json.loads(metadata["schemaString"])["fields"]}
