"""Disks that are full, read-only or forbidden, and roots that go: errors of ours, nothing half done, all right after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.write import commit as committing

from .amounts import times

_KB = 1024

_WRITES = [
    "INSERT INTO t SELECT k + 1000000, name FROM big",
    "INSERT INTO p SELECT k, name FROM big WHERE k < 200",
    "UPDATE t SET name = name || 'x'",
    "DELETE FROM t WHERE k % 7 = 0",
    "MERGE INTO t USING big AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET name = s.name || 'y' WHEN NOT MATCHED THEN INSERT *",
    "OPTIMIZE t",
    "OPTIMIZE t ZORDER BY (name)",
    "CREATE TABLE more AS SELECT * FROM big",
    "CREATE TABLE more (a INT)",
    "CREATE TABLE more DEEP CLONE t",
    "CREATE OR REPLACE TABLE t AS SELECT * FROM big",
    "CREATE VIEW w AS SELECT * FROM t",
    "CREATE SCHEMA s",
    "ALTER TABLE t SET TBLPROPERTIES ('x' = 'y')",
    "RESTORE TABLE t TO VERSION AS OF 1",
    "VACUUM t RETAIN 0 HOURS",
    "DROP VIEW v",
    "COPY (SELECT * FROM big) TO '{root}/_out.parquet'",
]


def _lake(con: deltasql.Connection) -> None:
    con.sql("SET deltasql.vacuum.retention_check = off")
    con.sql("CREATE TABLE big AS SELECT value AS k, md5(CAST(value AS STRING)) AS name FROM generate_series(1, 3000)")
    con.sql("CREATE TABLE t AS SELECT * FROM big WHERE k <= 2000")
    con.sql("INSERT INTO t SELECT * FROM big WHERE k > 2000 AND k < 2500")
    con.sql("UPDATE t SET name = 'z' WHERE k = 1")
    con.sql("CREATE TABLE p (k BIGINT, name STRING) PARTITIONED BY (k)")
    con.sql("CREATE VIEW v AS SELECT count(*) AS n FROM t")


def _state(con: deltasql.Connection) -> Any:
    """All that can be seen."""
    tables = [row[1] for row in con.sql("SHOW TABLES")]
    rows = {name: sorted(con.sql(f"SELECT * FROM {name}").fetchall()) for name in tables}
    return rows, con.sql("SHOW SCHEMAS").fetchall(), con.sql("SHOW VIEWS").fetchall()


def _files(root: Path) -> dict[str, int]:
    kept = (path for path in root.rglob("*") if path.is_file() and path.name not in {"filler", "catalog.lock"})
    return {str(path): path.stat().st_size for path in kept}


# -- a disk of its own


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("only who may mount can fill a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(disk: Path, free: int) -> None:
    state = os.statvfs(disk)
    room = state.f_bavail * state.f_frsize
    with (disk / "filler").open("wb") as file:
        file.write(b"\0" * max(room - free, 0))


@pytest.mark.parametrize("sql", _WRITES)
def test_a_full_disk(disk: Path, sql: str) -> None:
    """With any room that is left a statement is done or refused; where it is refused, nothing of it stays."""
    root = disk / "lake"
    with deltasql.connect(root) as con:
        _lake(con)
        before, files = _state(con), _files(root)
        done = False
        for free in (0, 4, 8, 16, 24, 48, 96, 160)[:: times(3, 1)]:
            _fill(disk, free * _KB)
            done = _done(con, sql.format(root=root))
            if not done:
                assert _state(con) == before
                assert _files(root) == files or sql.startswith("VACUUM")
            (disk / "filler").unlink()
            if done:
                break
        if not done:
            con.sql(sql.format(root=root))
        con.sql("INSERT INTO t (k) VALUES (0)")
        assert con.sql("SELECT count(*) FROM t WHERE k = 0").fetchall() == [(1,)]


def _done(con: deltasql.Connection, sql: str) -> bool:
    """True if the disk had room for it."""
    try:
        con.sql(sql)
    except deltasql.StorageError as error:
        if "No space left" in str(error) or "os error 28" in str(error):
            return False
        raise
    return True


def test_a_read_only_disk(disk: Path) -> None:
    root = disk / "lake"
    with deltasql.connect(root) as con:
        _lake(con)
        before, files = _state(con), _files(root)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for sql in [*_WRITES, "DROP TABLE t", "DROP SCHEMA IF EXISTS nothing", "CHECKPOINT t"]:
            if "nothing" in sql:
                con.sql(sql)
                continue
            with pytest.raises(deltasql.StorageError, match=r"Read-only file system|os error 30"):
                con.sql(sql.format(root=root))
            assert _state(con) == before
        assert _files(root) == files
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        con.sql("DELETE FROM t")
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]


# -- rights


# Root reads and writes whatever the rights say: for it these tests run in a process that may not (capabilities(7)).
_MORTAL = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
        sys.exit("the capability stays")
os.execv(sys.executable, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *sys.argv[1:]])
"""


def _all_may(place: Path) -> bool:
    """True if what is forbidden to all is allowed to us."""
    probe = place / "probe"
    probe.touch(mode=0)
    try:
        return os.access(probe, os.R_OK)
    finally:
        probe.unlink()


@pytest.fixture
def mortal(tmp_path: Path) -> Path:
    """A folder of somebody whom rights hold."""
    if _all_may(tmp_path):
        pytest.skip("root runs it in test_rights")
    return tmp_path


def test_rights(tmp_path: Path) -> None:
    if not _all_may(tmp_path):
        pytest.skip("the tests below run as they are")
    ran = subprocess.run(
        [sys.executable, "-c", _MORTAL, f"--basetemp={tmp_path}/mortal", __file__, "-k", "test_rights_"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout


def _once(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    """Do ``then`` when the data files are written, before the commit."""
    entry = committing._entry

    def called(*arguments: Any) -> bytes:
        then()
        return entry(*arguments)

    monkeypatch.setattr(committing, "_entry", called)


@pytest.mark.parametrize("sql", [sql for sql in _WRITES if " t " in sql and "CLONE" not in sql and "VIEW" not in sql])
def test_rights_are_lost_halfway(mortal: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    with deltasql.connect(mortal) as con:
        _lake(con)
        before, files = _state(con), _files(mortal)
        log = mortal / "t" / "_delta_log"
        _once(monkeypatch, lambda: log.chmod(0o555))
        with pytest.raises(deltasql.StorageError, match="Permission denied"):
            con.sql(sql)
        monkeypatch.undo()
        assert _state(con) == before
        assert _files(mortal) == files
        log.chmod(0o755)
        con.sql(sql)
        assert con.sql("SELECT count(*) FROM t").fetchall() != []


def test_rights_that_are_not_there(mortal: Path) -> None:
    with deltasql.connect(mortal) as con:
        _lake(con)
        before = _state(con)
        (data,) = (mortal / "big").glob("*.parquet")
        forbidden = {
            data: ["SELECT count(name) FROM big", "INSERT INTO t SELECT * FROM big", "OPTIMIZE big ZORDER BY (k)"],
            mortal / "t" / "_delta_log": ["SELECT * FROM t", "INSERT INTO t (k) VALUES (1)", "DESCRIBE HISTORY t"],
            mortal / "t": ["SELECT * FROM t", "INSERT INTO t (k) VALUES (1)"],
            mortal / "_deltasql": ["CREATE VIEW w AS SELECT 1 AS a", "SELECT * FROM v", "DROP VIEW v"],
            mortal: ["SELECT * FROM t", "SHOW TABLES", "CREATE TABLE x (a INT)"],
        }
        for place, statements in forbidden.items():
            mode = place.stat().st_mode
            for sql in statements:
                place.chmod(0)
                with pytest.raises(deltasql.Error) as caught:
                    deltasql.connect(mortal).sql(sql).fetchall()
                with pytest.raises(deltasql.Error):
                    con.sql(sql).fetchall()
                assert isinstance(caught.value, deltasql.StorageError), (sql, caught.value)
                assert "ermission denied" in str(caught.value) or "os error 13" in str(caught.value), (
                    sql,
                    caught.value,
                )
                place.chmod(mode)
                assert _state(con) == before


# -- what goes


def test_a_root_that_goes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with deltasql.connect(root) as con:
        _lake(con)
        con.sql("SELECT count(*) FROM t").fetchall()
        shutil.rmtree(root)
        for sql in ("SELECT count(*) FROM t", "INSERT INTO t (k) VALUES (1)", "OPTIMIZE t", "DROP TABLE t"):
            with pytest.raises(deltasql.TableNotFound):
                con.sql(sql)
        assert con.sql("SHOW SCHEMAS").fetchall() == [("default",)]
        assert con.sql("SHOW VIEWS").fetchall() == []
        con.sql("CREATE TABLE t AS SELECT 7 AS k")
        assert con.sql("SELECT * FROM t").fetchall() == [(7,)]


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t (k) VALUES (1)", "UPDATE t SET k = 1", "CREATE TABLE more AS SELECT 1 AS a"]
)
def test_a_root_that_goes_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    root = tmp_path / "root"
    with deltasql.connect(root) as con:
        _lake(con)
        con.sql("SET deltasql.commit.retries = 1")
        _once(monkeypatch, lambda: shutil.rmtree(root, ignore_errors=True))
        with pytest.raises((deltasql.TableNotFound, deltasql.CommitConflict)):
            con.sql(sql)
        assert [path for path in root.rglob("*") if path.is_file()] == []
