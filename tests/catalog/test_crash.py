"""A process that dies at any point of a change to the catalog leaves it readable: as before, or as after.

The statement runs in a process of its own that ends without a word before the k-th step that touches the disk, for
each k until it comes to its end.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

import deltasql

_DYING = """if True:
    import os, shutil, sys
    import datafusion, deltalake, pyarrow
    import deltasql

    whole, places, statement = sys.argv[1:]
    STEPS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")

    def run(root, step):
        con = deltasql.connect(root)
        con.sql("SHOW TABLES")
        seen = -1

        def die(event, arguments):
            nonlocal seen
            writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if (writes or event in STEPS) and root in str(arguments[0]):
                seen += 1
                if seen == step:
                    os._exit(77)

        sys.addaudithook(die)
        con.sql(statement)
        os._exit(0)

    # Each dies in a process of its own, which has yet to start the threads of the engine.
    for step in range(60):
        root = f"{places}/{step}"
        shutil.copytree(whole, root)
        child = os.fork()
        if not child:
            run(root, step)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
        if status != 77:
            break
"""

Names = tuple[tuple[str, ...], ...]


def _names(root: Path) -> Names:
    """All that the catalog shows; each table and view of it can be read."""
    with deltasql.connect(root) as con:
        schemas = [row[0] for row in con.sql("SHOW SCHEMAS")]
        tables = con.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        for schema, name in tables:
            con.sql(f'SELECT * FROM "{schema}"."{name}"').to_arrow()
        return (tuple(schemas), *sorted(tables))


def _lake(root: Path) -> None:
    with deltasql.connect(root) as con:
        con.sql("CREATE SCHEMA full")
        con.sql("CREATE TABLE full.t AS SELECT 1 AS id")
        con.sql("CREATE TABLE full.u AS SELECT 1 AS id")
        con.sql(f"CREATE TABLE full.x (id INT) LOCATION '{root.parent}/outside'")
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        con.sql(f"CREATE TABLE ext LOCATION '{root.parent}/outside'")
        con.sql("CREATE VIEW v AS SELECT * FROM t")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA fresh COMMENT 'x'",
        "DROP SCHEMA full CASCADE",
        "DROP TABLE t",
        "DROP TABLE ext",
        "CREATE TABLE more LOCATION '{outside}'",
        "CREATE VIEW w AS SELECT * FROM t",
        "CREATE OR REPLACE VIEW v AS SELECT 2 AS other",
        "DROP VIEW v",
    ],
)
def test_killed_before_each_write(tmp_path: Path, statement: str) -> None:
    whole = tmp_path / "whole" / "root"
    _lake(whole)
    statement = statement.format(outside=whole.parent / "outside")
    if statement == "DROP TABLE t":
        deltasql.connect(whole).sql("DROP VIEW v")  # It can't be read without its table.
    before = _names(whole)
    ran = subprocess.run(
        [sys.executable, "-c", _DYING, str(whole), str(tmp_path), statement],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    codes = ran.stdout.split()
    assert codes == ["77"] * (len(codes) - 1) + ["0"], ran.stderr
    assert len(codes) > 3, "hardly anything was written"
    seen = []
    for step in range(len(codes)):
        seen.append(_names(tmp_path / str(step)))
        _again(tmp_path / str(step), statement)
    after = seen[-1]
    if statement != "DROP SCHEMA full CASCADE":
        assert set(seen) <= {before, after}
        return
    # A schema's folder goes first, then what is registered of it.
    assert set(seen) <= {before, (before[0], *(name for name in before[1:] if name[0] != "full"), ("full", "x")), after}


def _again(root: Path, statement: str) -> None:
    """What a dead process left behind doesn't stand in the way of the next."""
    with deltasql.connect(root) as con:
        with contextlib.suppress(deltasql.AlreadyExists, deltasql.TableNotFound, deltasql.SchemaNotFound):
            con.sql(statement)
        con.sql("CREATE SCHEMA another")
        con.sql("CREATE VIEW another.v AS SELECT 1 AS a")
        con.sql("CREATE TABLE another.t AS SELECT 1 AS a")
        con.sql("DROP TABLE another.t")
        con.sql("DROP SCHEMA another CASCADE")
    if statement.startswith("DROP SCHEMA"):
        assert sorted(path.name for path in root.iterdir() if path.name.startswith("_dropped")) == []


_CHURN = """if True:
    import sys, deltasql
    root, outside, number = sys.argv[1:]
    with deltasql.connect(root) as con:
        print("ready", flush=True)
        sys.stdin.readline()
        for turn in range(12):
            for statement in (
                "CREATE SCHEMA IF NOT EXISTS shared",
                "CREATE TABLE shared.t AS SELECT 1 AS id",
                f"CREATE TABLE shared.x LOCATION '{outside}'",
                f"CREATE TABLE own_{number}_{turn} AS SELECT {turn} AS id",
                f"CREATE VIEW shared.v{number} AS SELECT {turn} AS id",
                "DROP TABLE shared.t",
                "DROP TABLE shared.x",
                f"DROP VIEW shared.v{number}",
                "DROP SCHEMA shared CASCADE",
            ):
                try:
                    con.sql(statement)
                except deltasql.Error as error:
                    if isinstance(error, deltasql.InternalError):
                        raise
"""


def test_two_processes_create_and_drop_at_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with deltasql.connect(tmp_path / "other") as con:
        con.sql(f"CREATE TABLE delta.`{tmp_path}/outside` AS SELECT 1 AS id")
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _CHURN, str(root), str(tmp_path / "outside"), str(number)],
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
        errors = process.communicate(timeout=120)[1]
        assert process.returncode == 0, errors
    names = _names(root)
    own = {("default", f"own_{number}_{turn}") for number in range(2) for turn in range(12)}
    assert own <= set(names[1:])
    assert {name for name in names[1:] if name[0] == "shared"} <= {("shared", "t"), ("shared", "x")}


@pytest.mark.parametrize(
    "fault", ["CREATE SCHEMA s", "CREATE VIEW w AS SELECT 1 AS a", "DROP VIEW v", "DROP TABLE ext"]
)
def test_a_registration_that_fails_changes_nothing(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "whole" / "root"
    _lake(root)
    before = _names(root)

    def full(self: object, found: object) -> None:
        raise OSError(28, "No space left on device")

    with deltasql.connect(root) as con:
        monkeypatch.setattr("deltasql.catalog.store.Store._replace", full)
        with pytest.raises(deltasql.StorageError, match="No space left on device"):
            con.sql(fault)
        with pytest.raises(deltasql.StorageError, match="No space left on device"):
            con.sql("DROP SCHEMA full CASCADE")
    monkeypatch.undo()
    assert _names(root) == before
