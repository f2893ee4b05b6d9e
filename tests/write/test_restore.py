"""RESTORE: the rows, columns and properties of then, on tables by anyone; and what must never go back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.recorded import domains
from deltasql.catalog.snapshot import open_snapshot
from tests.acceptance import canonical
from tests.corpora import Expected, expected
from tests.engine.lakes import PAIR, Json, Lake, metadata, pair, protocol, removed
from tests.engine.test_protocol_features import vector

COLUMNS = [
    "table_size_after_restore",
    "num_of_files_after_restore",
    "num_removed_files",
    "num_restored_files",
    "removed_files_size",
    "restored_files_size",
]


def _restored(lake: Lake, version: int) -> deltasql.Result:
    with deltasql.connect(lake.path.parent) as con:
        return con.sql(f"RESTORE t TO VERSION AS OF {version}")


def _rows(lake: Lake, version: int | None = None) -> list[Any]:
    at = "" if version is None else f" VERSION AS OF {version}"
    with deltasql.connect(lake.path.parent) as con:
        return canonical.sortable(con.sql(f"SELECT * FROM t{at}").to_arrow())


def _actions(lake: Lake, version: int, kind: str) -> list[Json]:
    lines = map(json.loads, lake.entry(version).read_text(encoding="utf-8").splitlines())
    return [line[kind] for line in lines if kind in line]


def test_the_counts_are_the_commits(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    a, b, c = (lake.file(f"{name}.parquet", pair(n, n + 1)) for n, name in enumerate("abc"))
    lake.create(PAIR, a, b).commit(removed(a), c)
    size = {name: (lake.path / f"{name}.parquet").stat().st_size for name in "abc"}
    result = _restored(lake, 0)
    assert result.columns == COLUMNS
    (numbers,) = result.fetchall()
    assert numbers == (size["a"] + size["b"], 2, 1, 1, size["c"], size["a"])
    assert result.version == 2
    info = _actions(lake, 2, "commitInfo")[0]
    assert (info["operation"], info["operationParameters"]) == ("RESTORE", {"version": "0"})
    assert info["operationMetrics"] == result.metrics == dict(zip(COLUMNS, numbers, strict=True))
    assert _rows(lake) == _rows(lake, 0)


def test_nothing_to_do_is_no_commit(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    lake.create(PAIR, add).commit()
    for version in (0, 1):
        result = _restored(lake, version)
        assert (result.version, result.metrics) == (None, {})
        assert result.fetchall()[0][1:] == (1, 0, 0, 0, 0)
    assert not lake.entry(2).exists()


@pytest.mark.parametrize("storage", ["i", "u"])
def test_deletion_vectors_come_and_go(tmp_path: Path, storage: str) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    one, two = ({"add": {**add["add"], "deletionVector": vector(lake, storage, rows)}} for rows in ([1], [1, 2]))
    lake.create(PAIR, add, features=["deletionVectors"]).commit(removed(add), one).commit(removed(one), two)
    for version, rows in ((0, 4), (1, 3), (2, 2), (1, 3)):
        _restored(lake, version)
        assert _rows(lake) == _rows(lake, version)
        assert len(_rows(lake)) == rows


def test_a_file_that_the_log_does_not_encode(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = {"add": {**lake.file("é ü.parquet", pair(0))["add"], "path": "é ü.parquet"}}
    other = {"add": {**lake.file("日.parquet", pair(2))["add"], "path": "日.parquet"}}
    lake.create(PAIR, add).commit(removed(add), other)
    _restored(lake, 0)
    assert _rows(lake) == _rows(lake, 0)
    assert [body["path"] for body in _actions(lake, 2, "remove")] == ["日.parquet"]


def test_a_compacted_file_comes_back_as_a_change(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0))
    moved = {"add": {**add["add"], "dataChange": False}}
    lake.create(PAIR, moved).commit(removed(add))
    _restored(lake, 0)
    assert _actions(lake, 2, "add")[0]["dataChange"] is True


# -- what is gone


def test_a_missing_file_is_named_and_nothing_changes(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    a, b = lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2))
    lake.create(PAIR, a, b).commit(removed(a), removed(b))
    (lake.path / "b.parquet").unlink()
    with pytest.raises(deltasql.VersionNotFound, match=r"version 0 of `t` .*`b\.parquet`"):
        _restored(lake, 0)
    assert not lake.entry(2).exists()
    assert _rows(lake) == []


def test_a_missing_vector_is_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    add = lake.file("a.parquet", pair(0, 4))
    masked = {"add": {**add["add"], "deletionVector": vector(lake, "u", [1])}}
    lake.create(PAIR, masked, features=["deletionVectors"]).commit(removed(masked))
    next(lake.path.rglob("*.bin")).unlink()
    with pytest.raises(deltasql.VersionNotFound, match=r"deletion_vector_.*\.bin"):
        _restored(lake, 0)
    assert not lake.entry(2).exists()


# -- the table itself


def test_the_protocol_only_grows(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)), features=["columnMapping"], delta__columnMapping__mode="none")
    lake.commit(protocol(3, 7, ["deletionVectors"]), metadata(PAIR, properties={"k": "v"}))
    _restored(lake, 0)
    found = Protocol.of(open_snapshot("t", lake.path))
    assert {"columnMapping", "deletionVectors"} <= found.features
    assert Metadata.of(open_snapshot("t", lake.path)).configuration == {"delta.columnMapping.mode": "none"}


def test_columns_get_no_number_again(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (a INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
        con.sql("INSERT INTO t VALUES (1)")
        con.sql("ALTER TABLE t ADD COLUMN b INT")
        con.sql("UPDATE t SET b = 2")
        con.sql("RESTORE t TO VERSION AS OF 1")
        con.sql("ALTER TABLE t ADD COLUMN b STRING")
        con.sql("INSERT INTO t VALUES (2, 'two')")
        assert con.sql("SELECT * FROM t ORDER BY a").fetchall() == [(1, None), (2, "two")]
        assert con.sql("SELECT * FROM t VERSION AS OF 3").fetchall() == [(1, 2)]
    found = Metadata.of(open_snapshot("t", tmp_path / "t"))
    assert [field["metadata"]["delta.columnMapping.id"] for field in found.schema["fields"]] == [1, 3]


@pytest.mark.parametrize(("step", "values"), [(1, [1, 2, 4]), (-2, [1, -1, -5])])
def test_identity_goes_on(tmp_path: Path, step: int, values: list[int]) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (i BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY {step}), x INT)")
        for x in (1, 2, 3):
            con.sql("INSERT INTO t (x) VALUES (?)", [x])
        con.sql("RESTORE t TO VERSION AS OF 2")
        con.sql("INSERT INTO t (x) VALUES (4)")
        assert [i for (i,) in con.sql("SELECT i FROM t ORDER BY x").fetchall()] == values


def test_in_commit_timestamps_go_on(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (a INT)")
        con.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
        con.sql("INSERT INTO t VALUES (1)")
        con.sql("RESTORE t TO VERSION AS OF 0")
        con.sql("INSERT INTO t VALUES (2)")
        times = [time for (time,) in con.sql("SELECT timestamp FROM table_history('t') ORDER BY version").fetchall()]
        assert times == sorted(times)
    configuration = Metadata.of(open_snapshot("t", tmp_path / "t")).configuration
    assert configuration["delta.enableInCommitTimestamps"] == "true"
    assert configuration["delta.inCommitTimestampEnablementVersion"] == "1"


def test_clustering_comes_back(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (a INT, b INT) CLUSTER BY (a)")
        con.sql("ALTER TABLE t CLUSTER BY (b)")
        con.sql("RESTORE t TO VERSION AS OF 0")
    assert domains(open_snapshot("t", tmp_path / "t")) == domains(open_snapshot("t", tmp_path / "t", 0))


def test_the_table_stays_the_one_that_it_is(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, k="v")
    other = metadata(PAIR)
    other["metaData"]["id"] = "11111111-1111-1111-1111-111111111111"
    lake.commit(other)
    _restored(lake, 0)
    found = Metadata.of(open_snapshot("t", lake.path))
    assert (found.id, found.configuration) == (other["metaData"]["id"], {"k": "v"})


def test_rows_that_another_adds_meanwhile_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltasql.operations import restore

    lake = Lake(tmp_path / "t")
    add, meanwhile = lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2))
    lake.create(PAIR, add).commit(removed(add))
    made = restore.restoration

    def and_meanwhile(*snapshots: Any) -> Any:
        monkeypatch.setattr(restore, "restoration", made)
        found = made(*snapshots)
        lake.commit(meanwhile)
        return found

    monkeypatch.setattr(restore, "restoration", and_meanwhile)
    assert _restored(lake, 0).fetchall()[0][2:4] == (1, 1)
    assert _rows(lake) == _rows(lake, 0)


# -- tables by others

_CASES = [pytest.param(case, id=case.table) for case in expected() if case.outcome == "rows" and case.version is None]


@pytest.mark.parametrize("case", _CASES)
def test_others_tables(corpora: Path, tmp_path: Path, case: Expected) -> None:
    shutil.copytree(corpora / case.table, tmp_path / "t", symlinks=True)
    with deltasql.connect(tmp_path) as con:
        versions = [version for (version,) in con.sql("SELECT version FROM table_history('t')").fetchall()]
        for version in sorted({*versions[:2], *versions[-3:]}):
            try:
                there = con.sql(f"SELECT * FROM t VERSION AS OF {version}").to_arrow()
            except deltasql.Error:
                continue
            try:
                con.sql(f"RESTORE t TO VERSION AS OF {version}")
            except deltasql.UnsupportedTableFeature:
                continue
            now = con.sql("SELECT * FROM t").to_arrow()
            assert now.schema.names == there.schema.names
            assert canonical.sortable(now) == canonical.sortable(there)
