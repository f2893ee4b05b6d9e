"""Registrations outlive connections and processes, and a broken file is an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import deltasql
from deltasql.catalog.store import Store


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    with deltasql.connect(tmp_path / "other") as con:
        con.sql(f"CREATE TABLE delta.`{folder}` AS SELECT 1 AS id")
    return folder


def test_an_external_table_survives(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    with deltasql.connect(root) as con:
        con.sql(f"CREATE TABLE Ext LOCATION '{outside}'")
        assert con.sql("SELECT * FROM ext").fetchall() == [(1,)]
    with deltasql.connect(root) as con:
        assert con.sql("SELECT * FROM EXT").fetchall() == [(1,)]
        assert con.sql("SHOW TABLES").fetchall() == [("default", "Ext", False)]
        con.sql("DROP TABLE ext")
    with deltasql.connect(root) as con:
        assert con.sql("SHOW TABLES").fetchall() == []
        assert con.sql(f"SELECT * FROM delta.`{outside}`").fetchall() == [(1,)]


def test_another_connection_sees_it(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    with deltasql.connect(root) as one, deltasql.connect(root) as two:
        one.sql(f"CREATE TABLE ext LOCATION '{outside}'")
        assert two.sql("SELECT * FROM ext").fetchall() == [(1,)]
        two.sql("DROP TABLE ext")
        with pytest.raises(deltasql.TableNotFound):
            one.sql("SELECT * FROM ext")


def test_the_file(tmp_path: Path, outside: Path) -> None:
    with deltasql.connect(tmp_path / "root") as con:
        con.sql(f"CREATE TABLE ext LOCATION '{outside}'")
    content = json.loads((tmp_path / "root" / "_deltasql" / "catalog.json").read_text())
    assert content == {"format": 1, "tables": {"default": {"ext": str(outside)}}, "views": {}, "schemas": {}}


_REGISTER = """if True:
    import sys, deltasql
    root, outside, number = sys.argv[1:]
    with deltasql.connect(root) as con:
        print("ready", flush=True)
        sys.stdin.readline()
        for index in range(20):
            con.sql(f"CREATE TABLE ext_{number}_{index} LOCATION '{outside}'")
"""


def test_two_processes_at_once(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _REGISTER, str(root), str(outside), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        errors = process.communicate(timeout=60)[1]
        assert process.returncode == 0, errors
    assert set(Store(root).read().tables["default"]) == {f"ext_{a}_{b}" for a in range(2) for b in range(20)}
    assert sorted(path.name for path in (root / "_deltasql").iterdir()) == ["catalog.json", "catalog.lock"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": 1}',
        '{"tables": {}}',
        '{"format": 1, "tables": []}',
        '{"format": 1, "tables": {"default": ["x"]}}',
        '{"format": 1, "tables": {"default": {"x": 1}}}',
        '{"format": 1, "tables": {}, "views": {"default": {"x": "SELECT 1"}}}',
        '{"format": 1, "tables": {}, "views": {"default": {"x": {"query": "SELECT 1"}}}}',
        '{"format": 1, "tables": {}, "schemas": []}',
        '{"format": 1, "tables": {}, "schemas": {"s": 1}}',
        "\xff",
    ],
)
def test_a_corrupt_file(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "_deltasql"
    folder.mkdir()
    (folder / "catalog.json").write_bytes(text.encode("latin-1"))
    with deltasql.connect(tmp_path) as con:
        for statement in ("SHOW TABLES", "SELECT * FROM x", "CREATE TABLE y (a INT) LOCATION 'elsewhere'"):
            with pytest.raises(deltasql.StorageError, match=r"catalog\.json` is no catalog of deltasql"):
                con.sql(statement)
    assert (folder / "catalog.json").read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format(tmp_path: Path, version: object) -> None:
    folder = tmp_path / "_deltasql"
    folder.mkdir()
    (folder / "catalog.json").write_text(json.dumps({"format": version, "tables": {}}))
    with deltasql.connect(tmp_path) as con, pytest.raises(deltasql.StorageError, match="this deltasql knows 1"):
        con.sql("SHOW TABLES")


def test_a_managed_table_is_no_registration(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (a INT)")
    assert not (tmp_path / "_deltasql").exists()


def test_a_registration_whose_folder_is_gone(tmp_path: Path, outside: Path) -> None:
    import shutil

    with deltasql.connect(tmp_path / "root") as con:
        con.sql(f"CREATE TABLE ext LOCATION '{outside}'")
        shutil.rmtree(outside)
        with pytest.raises(deltasql.TableNotFound, match="is no Delta table"):
            con.sql("SELECT * FROM ext")
        con.sql("DROP TABLE ext")
        assert con.sql("SHOW TABLES").fetchall() == []
