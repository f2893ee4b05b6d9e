"""Clocks that jump: commits stay in order where the protocol says so, and nothing that is needed is taken for old."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from pathlib import Path

import pytest

import deltasql

_HOUR = 3600
_DAY = 24 * _HOUR


class _Clock:
    """A clock that the test sets: what it shows is so many seconds beside the machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.beside = 0
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + self.beside * 1_000_000_000)
        monkeypatch.setattr(time, "time", lambda: (real() + self.beside * 1_000_000_000) / 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def _entries(table: Path) -> list[Path]:
    return sorted((table / "_delta_log").glob("*.json"))


def _touched(path: Path, clock: _Clock) -> None:
    """Give a file the time that the clock shows, as a file system with that clock would."""
    os.utime(path, ns=(time.time_ns(), time.time_ns()))


@pytest.mark.parametrize("jumps", [[-_HOUR, -_HOUR, -2 * _HOUR], [_DAY, 0, -_DAY, 0], [-400 * _DAY, 400 * _DAY, 0]])
def test_in_commit_timestamps_never_go_back(tmp_path: Path, clock: _Clock, jumps: list[int]) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
        for number, jump in enumerate(jumps):
            clock.beside = jump
            con.sql(f"INSERT INTO t VALUES ({number})")
            con.sql("OPTIMIZE t")
            con.sql("CREATE OR REPLACE TABLE t AS SELECT * FROM t") if number == 1 else None
    infos = [json.loads(entry.read_text().splitlines()[0])["commitInfo"] for entry in _entries(tmp_path / "t")]
    stamps = [info["inCommitTimestamp"] for info in infos]
    assert stamps == sorted(set(stamps))
    assert len(stamps) > len(jumps)


@pytest.mark.parametrize("properties", ["", "TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')"])
def test_history_and_time_travel_after_a_jump(tmp_path: Path, clock: _Clock, properties: str) -> None:
    """Of two commits the later one counts as later, whatever the clock showed."""
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (a INT) {properties}")
        _touched(_entries(tmp_path / "t")[-1], clock)
        for number, jump in enumerate([-3 * _HOUR, -2 * _HOUR, -_HOUR]):
            clock.beside = jump
            con.sql(f"INSERT INTO t VALUES ({number})")
            _touched(_entries(tmp_path / "t")[-1], clock)
        clock.beside = 0
        times = [row[0] for row in con.sql("SELECT timestamp FROM table_history('t') ORDER BY version")]
        assert times == sorted(set(times))
        for version, moment in enumerate(times):
            assert con.sql(f"SELECT count(*) FROM t TIMESTAMP AS OF '{moment.isoformat()}'").fetchall() == [(version,)]


def test_files_of_the_future_are_not_old(tmp_path: Path, clock: _Clock) -> None:
    """The clock went back: VACUUM keeps what is younger than it can be."""
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS a")
        con.sql("DELETE FROM t")
        con.sql("INSERT INTO t VALUES (2)")
        clock.beside = -30 * _DAY
        con.sql("SET deltasql.vacuum.retention_check = off")
        assert con.sql("VACUUM t RETAIN 0 HOURS").metrics["num_removed_files"] == 0
        assert con.sql("SELECT a FROM t VERSION AS OF 0").fetchall() == [(1,)]
        assert con.sql("SELECT a FROM t").fetchall() == [(2,)]


def test_a_clock_that_went_ahead_removes_nothing_that_is_live(tmp_path: Path, clock: _Clock) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t TBLPROPERTIES ('delta.checkpointInterval' = '2') AS SELECT 1 AS a")
        clock.beside = 400 * _DAY
        con.sql("UPDATE t SET a = 2")
        con.sql("VACUUM t")
        clock.beside = 0
        con.sql("INSERT INTO t VALUES (3)")
        con.sql("VACUUM t")
        assert con.sql("SELECT a FROM t ORDER BY a").fetchall() == [(2,), (3,)]


def test_a_log_that_was_cleaned_up_by_a_clock_ahead(tmp_path: Path, clock: _Clock) -> None:
    """Entries are old by their files' times; what a checkpoint doesn't hold stays."""
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t TBLPROPERTIES ('delta.checkpointInterval' = '3') AS SELECT 1 AS a")
        old = dt.datetime.now(dt.UTC).timestamp() - 60 * _DAY
        for number in range(2, 9):
            con.sql(f"INSERT INTO t VALUES ({number})")
            for entry in _entries(tmp_path / "t"):
                os.utime(entry, (old, old))
        with deltasql.connect(tmp_path) as fresh:
            for each in (con, fresh):
                assert each.sql("SELECT a FROM t ORDER BY a").fetchall() == [(n,) for n in range(1, 9)]
                each.sql("INSERT INTO t VALUES (0)")
                each.sql("DELETE FROM t WHERE a = 0")
        assert not _entries(tmp_path / "t")[0].name.startswith("0" * 20)
