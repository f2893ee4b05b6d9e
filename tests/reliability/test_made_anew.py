"""A table that is dropped and made anew under the same name is another table, at whatever moment it happens.

What another connection does is done at one point of ours: before a call of the operating system by which we write.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.catalog import log
from deltasql.catalog.snapshot import open_snapshot
from deltasql.write import commit as committing

_BEFORE = [(1, "old"), (2, "old")]
_AFTER = {
    "INSERT INTO t VALUES (3, 'new')": [(3, "new"), (9, "anew")],
    "INSERT INTO t SELECT id + 10, name FROM t": [(9, "anew"), (19, "anew")],
    "UPDATE t SET name = 'new'": [(9, "new")],
    "DELETE FROM t WHERE id < 9": [(9, "anew")],
    "MERGE INTO t USING (SELECT 1 AS id) AS s ON t.id = s.id "
    "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, name) VALUES (1, 'new')": [(1, "new"), (9, "anew")],
}


def _made(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT, name STRING)")
    con.sql("INSERT INTO t VALUES (1, 'old')")
    con.sql("INSERT INTO t VALUES (2, 'old')")


def _made_anew(root: Path, versions: int = 3) -> None:
    """Another table of the same columns, with so many versions; the old one has three."""
    with deltasql.connect(root) as con:
        con.sql("DROP TABLE t")
        con.sql("CREATE TABLE t (id INT, name STRING)")
        if versions > 1:
            con.sql("INSERT INTO t VALUES (9, 'anew')")
        for number in range(2, versions):
            con.sql(f"ALTER TABLE t SET TBLPROPERTIES ('n' = '{number}')")


def _once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, then: Callable[[], None]) -> None:
    """Do ``then`` right before the next call of ``name``."""
    call = getattr(owner, name)

    def called(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(owner, name, call)
        then()
        return call(*arguments, **options)

    monkeypatch.setattr(owner, name, called)


def _rows(con: deltasql.Connection) -> list[tuple[Any, ...]]:
    return con.sql("SELECT * FROM t ORDER BY 1, 2").fetchall()


@pytest.mark.parametrize(
    ("sql", "versions"), [*((sql, 3) for sql in _AFTER), *((next(iter(_AFTER)), count) for count in (2, 4))]
)
@pytest.mark.parametrize("point", ["_entry", "_fill"])
def test_before_the_last_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, sql: str, versions: int
) -> None:
    """The statement runs again on the new table: nothing that it knew of the old one is in the new one's log."""
    with deltasql.connect(tmp_path) as con:
        _made(con)
        _once(monkeypatch, committing, point, lambda: _made_anew(tmp_path, versions))
        con.sql(sql)
        assert _rows(con) == _AFTER[sql]
    assert not list((tmp_path / "t" / "_delta_log").glob(".*"))


@pytest.mark.parametrize("sql", _AFTER)
def test_behind_the_last_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    """The statement came first, to the old table; or it finds that table gone and runs on the new one."""
    with deltasql.connect(tmp_path) as con:
        _made(con)
        _once(monkeypatch, os, "link", lambda: _made_anew(tmp_path))
        con.sql(sql)
        assert _rows(con) in ([(9, "anew")], _AFTER[sql])


def test_dropped_before_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop() -> None:
        with deltasql.connect(tmp_path) as other:
            other.sql("DROP TABLE t")

    with deltasql.connect(tmp_path) as con:
        _made(con)
        _once(monkeypatch, os, "link", drop)
        with pytest.raises(deltasql.TableNotFound):
            con.sql("INSERT INTO t VALUES (3, 'new')")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old table's rows aren't kept in mind under the new one's stamp."""
    with deltasql.connect(tmp_path) as con:
        _made(con)
        snapshot = open_snapshot("t", tmp_path / "t")
        opened = deltasql.catalog.snapshot._opened

        def opening(*arguments: Any) -> Any:
            monkeypatch.undo()
            found = opened(*arguments)
            _made_anew(tmp_path)
            return found

        monkeypatch.setattr("deltasql.catalog.snapshot._opened", opening)
        assert _rows(deltasql.connect(tmp_path)) == [(9, "anew")]
        assert _rows(con) == [(9, "anew")]
        assert snapshot.is_gone


def test_an_entry_that_was_cleaned_up_is_no_drop(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        _made(con)
        con.sql("CHECKPOINT t")
        for entry in (tmp_path / "t" / "_delta_log").glob("*.json"):
            entry.unlink()
        assert con.sql("INSERT INTO t VALUES (3, 'new')").version == 3
        assert _rows(con) == [*_BEFORE, (3, "new")]


def test_an_entry_that_is_cleaned_up_meanwhile_is_no_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def clean_up() -> None:
        for entry in (tmp_path / "t" / "_delta_log").glob("*.json"):
            entry.unlink()

    with deltasql.connect(tmp_path) as con:
        _made(con)
        con.sql("CHECKPOINT t")
        _once(monkeypatch, os, "fsync", clean_up)
        assert con.sql("INSERT INTO t VALUES (3, 'new')").version == 3
        assert _rows(con) == [*_BEFORE, (3, "new")]


def test_made_anew_by_a_copy_of_the_log(tmp_path: Path) -> None:
    """A backup that is put back is another log, whose entries may differ; what is cached is opened again."""
    with deltasql.connect(tmp_path) as con:
        _made(con)
        assert _rows(con) == _BEFORE
        shutil.copytree(tmp_path / "t", tmp_path / "_backup")
        con.sql("DELETE FROM t WHERE id = 1")
        assert _rows(con) == [(2, "old")]
        shutil.rmtree(tmp_path / "t")
        (tmp_path / "_backup").rename(tmp_path / "t")
        assert _rows(con) == _BEFORE
        con.sql("INSERT INTO t VALUES (3, 'new')")
        assert _rows(con) == [*_BEFORE, (3, "new")]


# -- what a process that died while making a table leaves


@pytest.mark.parametrize("external", [False, True])
def test_left_behind_by_a_table_in_the_making(tmp_path: Path, external: bool) -> None:
    folder = tmp_path / ("outside" if external else "root/s/t")
    (folder / "g=1").mkdir(parents=True)
    (folder / "g=1" / "part-0.parquet").write_bytes(b"PAR1")
    where = f"LOCATION '{folder}'" if external else ""
    with deltasql.connect(tmp_path / "root") as con:
        con.sql("CREATE SCHEMA IF NOT EXISTS s")
        with pytest.raises(deltasql.StorageError, match="isn't empty, and is no Delta table"):
            con.sql(f"CREATE TABLE s.t {where} AS SELECT 1 AS a")
        log.unfinished(folder).mkdir()
        (log.unfinished(folder) / "dead").mkdir()
        (log.unfinished(folder) / "dead" / f"{0:020d}.json").write_text(json.dumps({"add": {}}))
        assert [row[0] for row in con.sql("SHOW SCHEMAS")] == ["default", "s"]
        assert con.sql("SHOW TABLES IN s").fetchall() == []
        with pytest.raises(deltasql.TableNotFound):
            con.sql("SELECT * FROM s.t")
        con.sql(f"CREATE TABLE s.t {where} AS SELECT 1 AS a")
        assert con.sql("SELECT * FROM s.t").fetchall() == [(1,)]
        assert not log.unfinished(folder).exists()
        con.sql("SET deltasql.vacuum.retention_check = off")
        con.sql("VACUUM s.t RETAIN 0 HOURS")
        assert not (folder / "g=1" / "part-0.parquet").exists()
        assert con.sql("SELECT * FROM s.t").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE n AS SELECT 1 AS a", "CREATE OR REPLACE TABLE t AS SELECT 1 AS a", "CREATE TABLE n (a INT)"]
)
def test_a_table_whose_folder_goes_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    name = "n" if " n " in sql else "t"
    with deltasql.connect(tmp_path) as con:
        _made(con)
        _once(monkeypatch, committing, "_entry", lambda: shutil.rmtree(tmp_path / name))
        con.sql(sql)
        assert con.sql(f"SELECT * FROM {name}").fetchall() == ([(1,)] if "SELECT" in sql else [])
        assert not log.unfinished(tmp_path / name).exists()


def test_a_schema_of_unfinished_tables_can_be_dropped(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE SCHEMA s")
        log.unfinished(tmp_path / "s" / "t").mkdir(parents=True)
        con.sql("DROP SCHEMA s")
        assert [row[0] for row in con.sql("SHOW SCHEMAS")] == ["default"]


def test_files_of_others_are_no_rest(tmp_path: Path) -> None:
    """CONVERT leaves no sign of a table in the making among files that were there."""
    with deltasql.connect(tmp_path / "root") as con:
        (tmp_path / "files").mkdir()
        con.sql(f"COPY (SELECT 1 AS a) TO '{tmp_path}/files/a.parquet'")
        began = set(tmp_path.rglob("*"))

        def broken(*_: object) -> bool:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("deltasql.write.commit._put_first", broken)
            with pytest.raises(KeyboardInterrupt):
                con.sql(f"CONVERT TO DELTA parquet.`{tmp_path}/files`")
        assert set(tmp_path.rglob("*")) == began
