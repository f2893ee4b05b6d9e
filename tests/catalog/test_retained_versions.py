"""VACUUM keeps every file that a version inside the retention needs, and no other: random histories of our statements."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

import deltasql
from deltasql.catalog.snapshot import open_snapshot
from tests.acceptance import canonical

if TYPE_CHECKING:
    import pytest

_HOUR = 3600

_STATEMENTS = [
    "INSERT INTO t VALUES ({n}, 'a'), ({n} + 1, 'ü %41 b')",
    "INSERT INTO t SELECT id + {n}, p FROM t LIMIT 3",
    "UPDATE t SET id = id + 1 WHERE id % 2 = {n} % 2",
    "UPDATE t SET p = 'c' WHERE id % 3 = {n} % 3",
    "DELETE FROM t WHERE id % 5 = {n} % 5",
    "DELETE FROM t WHERE p = 'a'",
    "MERGE INTO t USING (SELECT {n} AS id, 'm' AS p) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET p = 'x' "
    "WHEN NOT MATCHED THEN INSERT *",
    "INSERT OVERWRITE t VALUES ({n}, 'o')",
    "TRUNCATE TABLE t",
    "RESTORE t TO VERSION AS OF {version}",
    "CREATE OR REPLACE TABLE t AS SELECT {n} AS id, 'r' AS p",
    "OPTIMIZE t",
    "VACUUM t RETAIN 1000 HOURS",
]

_TABLES = [
    "",
    "PARTITIONED BY (p)",
    "PARTITIONED BY (p) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
    "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'name')",
    "PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableInCommitTimestamps' = 'true')",
]

_histories = st.lists(st.tuples(st.sampled_from(_STATEMENTS), st.integers(0, 20)), min_size=1, max_size=7)


@settings(max_examples=30, deadline=None)
@given(_histories, st.sampled_from(_TABLES), st.integers(0, 6), st.sampled_from(["FULL", "LITE"]), st.booleans())
def test_random_histories(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[str, int]],
    table: str,
    hours: int,
    kind: str,
    checkpointed: bool,
) -> None:
    root = tmp_path_factory.mktemp("lake")
    with deltasql.connect(root) as con:
        con.sql(f"CREATE TABLE t (id BIGINT, p STRING) {table}")
        con.sql("SET deltasql.vacuum.retention_check = off")
        for statement, n in history:
            con.sql(statement.format(n=n, version=n % (_last(root / "t") + 1)))
        last = _age(root / "t")
        if checkpointed:
            con.sql("CHECKPOINT t")
        orphans = [_orphan(root / "t", age) for age in (hours + 1, hours)]
        inside = [version for version in range(last + 1) if version == last or last - version - 1 < hours]
        before = {version: _rows(con, version) for version in inside}
        needed = {file for version in inside for file in _named(root / "t", version)}
        needed |= {
            file for version in range(last + 1) if last - version < hours for file in _changes(root / "t", version)
        }
        needed.add(orphans[1])
        if kind == "LITE":
            needed.add(orphans[0])
        held = _files(root / "t")
        listed = {Path(path) for (path,) in con.sql(f"VACUUM t {kind} RETAIN {hours} HOURS DRY RUN").fetchall()}
        assert listed == held - needed
        assert _files(root / "t") == held
        result = con.sql(f"VACUUM t {kind} RETAIN {hours} HOURS")
        assert _files(root / "t") == needed & held
        assert result.metrics["num_removed_files"] == len(listed)
        assert result.version == (last + 2 if listed else None)
        assert {version: _rows(con, version) for version in inside} == before
        if hours:
            con.sql(f"RESTORE t TO VERSION AS OF {inside[0]}")
            assert _rows(con, None) == before[inside[0]]
    shutil.rmtree(root)


def _age(table: Path) -> int:
    """Make each version an hour older than the next, and the last half an hour old; gives the last."""
    last, now = _last(table), time.time() - _HOUR / 2
    for version in range(last + 1):
        moment = now - (last - version) * _HOUR
        entry = table / "_delta_log" / f"{version:020d}.json"
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        for action in actions:
            if "inCommitTimestamp" in action.get("commitInfo", {}):
                action["commitInfo"]["inCommitTimestamp"] = int(moment * 1000)
            if "remove" in action:
                action["remove"]["deletionTimestamp"] = int(moment * 1000)
        entry.write_text("".join(json.dumps(action, ensure_ascii=False) + "\n" for action in actions))
        os.utime(entry, (moment, moment))
    for file in _files(table):
        os.utime(file, (now - last * _HOUR,) * 2)
    return last


def _last(table: Path) -> int:
    return max(int(entry.stem) for entry in (table / "_delta_log").glob("*.json"))


def _orphan(table: Path, hours: int) -> Path:
    """A file of a writer that never committed, or hasn't yet; ``hours`` old, less a minute."""
    path = table / f"part-{hours}-orphan.parquet"
    path.write_bytes(b"PAR1")
    os.utime(path, (time.time() - hours * _HOUR + 60,) * 2)
    return path


def _named(table: Path, version: int) -> tuple[Path, ...]:
    return open_snapshot("t", table, version).files


def _changes(table: Path, version: int) -> list[Path]:
    snapshot = open_snapshot("t", table, version)
    lines = (table / "_delta_log" / f"{version:020d}.json").read_text().splitlines()
    return [snapshot.file(action["cdc"]["path"]) for action in map(json.loads, lines) if "cdc" in action]


def _files(table: Path) -> set[Path]:
    return {path for path in table.rglob("*") if path.is_file() and "_delta_log" not in path.parts}


def _rows(con: deltasql.Connection, version: int | None) -> tuple[list[str], list[canonical.Row]]:
    rows = con.sql("SELECT * FROM t" + ("" if version is None else f" VERSION AS OF {version}")).to_arrow()
    return rows.column_names, canonical.rows(rows)
