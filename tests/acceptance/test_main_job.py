"""The whole way: a root that isn't there, tables in it, rows, old versions, another process, another day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import deltasql


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path / "lake") as connection:
        yield connection


@pytest.fixture
def numbers(con: deltasql.Connection) -> deltasql.Connection:
    con.sql("CREATE TABLE n (id BIGINT, Name STRING)")
    con.sql("INSERT INTO n VALUES (1, 'one'), (2, 'two'), (3, NULL)")
    return con


def rows(result: deltasql.Result) -> list[tuple[object, ...]]:
    return sorted(result, key=str)


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def together(code: str, *arguments: object) -> None:
    """Run ``code`` in two processes at once; each prints a line when it is ready, and begins at a line it reads."""
    both = [start(code, *arguments, number) for number in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        errors = process.communicate(timeout=120)[1]
        assert process.returncode == 0, errors


# -- the main job


def test_from_nothing_to_tomorrow(tmp_path: Path) -> None:
    root = tmp_path / "not" / "there" / "yet"
    with deltasql.connect(root) as con:
        assert con.sql("SHOW TABLES").fetchall() == []
        assert not root.exists()
        con.sql("CREATE TABLE t (id INT, name STRING)")
        con.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        con.sql("UPDATE t SET name = 'z' WHERE id = 2")
        con.sql("DELETE FROM t WHERE id = 1")
        assert con.sql("SELECT * FROM t").fetchall() == [(2, "z")]
    code = """if True:
        import json, sys, deltasql
        with deltasql.connect(sys.argv[1]) as con:
            now = con.sql("SELECT * FROM t").fetchall()
            old = sorted(con.sql("SELECT * FROM t VERSION AS OF 1"))
            history = con.sql("DESCRIBE HISTORY t").to_arrow().select(["version", "operation"]).to_pylist()
            print(json.dumps([now, old, history]))
    """
    tomorrow = python(code, root)
    assert tomorrow.returncode == 0, tomorrow.stderr
    now, old, history = json.loads(tomorrow.stdout)
    assert now == [[2, "z"]]
    assert old == [[1, "a"], [2, "b"]]
    assert [entry["operation"] for entry in history] == ["DELETE", "UPDATE", "WRITE", "CREATE TABLE"]
    assert [entry["version"] for entry in history] == [3, 2, 1, 0]


def test_history(numbers: deltasql.Connection) -> None:
    numbers.sql("SET deltasql.commit.user_metadata = 'a note'")
    numbers.sql("DELETE FROM n WHERE id = 1")
    newest, *_, oldest = numbers.sql("DESCRIBE HISTORY n").to_arrow().to_pylist()
    assert (newest["version"], newest["operation"], newest["userMetadata"]) == (2, "DELETE", "a note")
    assert (oldest["version"], oldest["operation"], oldest["readVersion"]) == (0, "CREATE TABLE", None)
    assert newest["timestamp"] >= oldest["timestamp"]
    assert dict(newest["operationMetrics"])["num_deleted_rows"] == "1"
    assert newest["engineInfo"].startswith("deltasql/")


# -- other writers


def test_another_connection_is_seen_by_the_next_statement(numbers: deltasql.Connection) -> None:
    with deltasql.connect(numbers.root) as other:
        assert other.sql("SELECT count(*) FROM n").fetchone() == (3,)
        numbers.sql("INSERT INTO n VALUES (4, 'four')")
        assert other.sql("SELECT count(*) FROM n").fetchone() == (4,)
        other.sql("DELETE FROM n WHERE id = 4")
        assert numbers.sql("SELECT count(*) FROM n").fetchone() == (3,)
        other.sql("CREATE TABLE made AS SELECT 1 AS a")
        assert numbers.sql("SELECT a FROM made").fetchone() == (1,)
        numbers.sql("DROP TABLE made")
        with pytest.raises(deltasql.TableNotFound):
            other.sql("SELECT a FROM made")
        numbers.sql("CREATE TABLE made AS SELECT 'other' AS b")
        assert other.sql("SELECT * FROM made").fetchone() == ("other",)


def test_delta_rs_as_another_writer(numbers: deltasql.Connection) -> None:
    assert numbers.sql("SELECT count(*) FROM n").fetchone() == (3,)
    path = str(numbers.root / "n")
    write_deltalake(path, pa.table({"id": [9], "Name": ["nine"]}), mode="append")
    assert numbers.sql("SELECT name FROM n WHERE id = 9").fetchone() == ("nine",)
    DeltaTable(path).delete("id < 9")
    assert numbers.sql("SELECT id FROM n").fetchall() == [(9,)]
    write_deltalake(path, pa.table({"other": [1.5]}), mode="overwrite", schema_mode="overwrite")
    assert numbers.sql("SELECT * FROM n").columns == ["other"]
    write_deltalake(str(numbers.root / "by_delta_rs"), pa.table({"x": [1]}))
    assert numbers.sql("SELECT x FROM by_delta_rs").fetchone() == (1,)


def test_checkpoint_and_log_cleanup_by_another_writer(numbers: deltasql.Connection) -> None:
    assert numbers.sql("SELECT count(*) FROM n").fetchone() == (3,)
    table = DeltaTable(str(numbers.root / "n"))
    table.create_checkpoint()
    numbers.sql("INSERT INTO n VALUES (4, 'four')")
    (numbers.root / "n" / "_delta_log" / f"{0:020d}.json").unlink()
    assert numbers.sql("SELECT count(*) FROM n").fetchone() == (4,)
    assert numbers.sql("SELECT count(*) FROM n VERSION AS OF 1").fetchone() == (3,)
    with pytest.raises(deltasql.VersionNotFound, match="no version 0"):
        numbers.sql("SELECT count(*) FROM n VERSION AS OF 0")


_INCREMENTS = """if True:
    import sys, deltasql
    with deltasql.connect(sys.argv[1]) as con:
        con.sql("SET deltasql.commit.retries = 100")
        con.sql("SELECT * FROM c").fetchall()
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(10):
            assert con.sql("UPDATE c SET n = n + 1").fetchall() == [(1,)]
"""


def test_conflicts_are_retried(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE c AS SELECT 0 AS n")
    together(_INCREMENTS, con.root)
    assert con.sql("SELECT n FROM c").fetchall() == [(20,)]
    assert con.sql("SELECT count(*) FROM c VERSION AS OF 20").fetchone() == (1,)


def test_a_conflict_without_retries_is_an_error(con: deltasql.Connection) -> None:
    """What a statement bound is gone before it writes: the commit is refused, and nothing is lost."""
    from deltasql.operations import plan
    from deltasql.session import StatementContext
    from deltasql.sql import parser

    con.sql("CREATE TABLE c AS SELECT 0 AS n")
    bound = plan(parser.parse("UPDATE c SET n = n + 1"), StatementContext(con.session))
    con.sql("UPDATE c SET n = 10")
    with pytest.raises(deltasql.CommitConflict):
        bound.execute()
    assert con.sql("SELECT n FROM c").fetchall() == [(10,)]


# -- results


def test_result(numbers: deltasql.Connection) -> None:
    result = numbers.sql("SELECT id, NAME AS Label FROM n ORDER BY id")
    assert result.columns == ["id", "Label"]
    assert result.statement_type == "SELECT"
    assert result.version is None
    assert result.schema == pa.schema([("id", pa.int64()), ("Label", pa.string())])
    expected = [(1, "one"), (2, "two"), (3, None)]
    assert list(result) == expected
    assert list(result) == expected
    assert result.to_arrow() == pa.table({"id": [1, 2, 3], "Label": ["one", "two", None]})
    assert result.to_pandas()["id"].tolist() == [1, 2, 3]
    assert result.to_polars().rows() == expected
    with result.to_reader() as reader:
        assert reader.read_all().to_pylist()[0] == {"id": 1, "Label": "one"}
    assert result.fetchone() == (1, "one")
    assert result.fetchmany(1) == [(2, "two")]
    assert result.fetchmany(5) == [(3, None)]
    assert result.fetchmany(5) == []
    assert result.fetchone() is None
    assert result.fetchall() == []
    assert list(result) == expected


def test_result_as_an_arrow_stream(numbers: deltasql.Connection) -> None:
    result = numbers.sql("SELECT * FROM n ORDER BY id")
    assert pa.table(result).num_rows == 3
    assert pl.DataFrame(result).rows()[0] == (1, "one")
    with duckdb.connect() as duck:
        assert duck.sql("SELECT max(id) FROM result").fetchall() == [(3,)]


def test_result_looks(numbers: deltasql.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    result = numbers.sql("SELECT * FROM n ORDER BY id")
    assert "Name" in repr(result)
    assert "two" in repr(result)
    result.show(2)
    shown = capsys.readouterr().out
    assert "two" in shown
    assert "3" not in shown.splitlines()[-1] or "rows" in shown
    assert repr(numbers.sql("SET time_zone = 'UTC'")) == "<SET>"


def test_result_of_a_write(numbers: deltasql.Connection) -> None:
    result = numbers.sql("INSERT INTO n VALUES (4, 'four')")
    assert (result.statement_type, result.version) == ("INSERT", 2)
    assert result.columns == ["num_affected_rows", "num_inserted_rows"]
    assert result.fetchall() == [(1, 1)]
    assert result.metrics["num_added_rows"] == 1
    assert numbers.sql("DELETE FROM n WHERE id = 4").version == 3
    assert numbers.sql("DELETE FROM n WHERE NULL").version is None
    assert numbers.sql("CREATE TABLE m (id INT)").version == 0
    assert numbers.sql("DROP TABLE m").columns == []


def test_closed_result(numbers: deltasql.Connection) -> None:
    with numbers.sql("SELECT * FROM n") as result:
        assert len(result.fetchall()) == 3
    for read in (result.fetchone, result.to_arrow, lambda: list(result)):
        with pytest.raises(deltasql.ClosedError):
            read()
    result.close()


def test_empty_result(numbers: deltasql.Connection) -> None:
    result = numbers.sql("SELECT * FROM n WHERE id > 99")
    assert result.columns == ["id", "Name"]
    assert result.fetchall() == []
    assert result.to_polars().shape == (0, 2)
    assert result.to_arrow().schema == result.schema


def test_interleaved_results(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE big AS SELECT value AS id FROM generate_series(1, 50000)")
    one = iter(con.sql("SELECT id FROM big WHERE id % 2 = 0 ORDER BY id"))
    two = iter(con.sql("SELECT id FROM big WHERE id % 2 = 1 ORDER BY id"))
    pairs = list(zip(one, two, strict=True))
    assert len(pairs) == 25000
    assert all(even == (odd[0] + 1,) for even, odd in pairs)


@pytest.mark.parametrize("reader", ["listing", "scan"])
def test_a_result_is_pinned_to_its_snapshot(numbers: deltasql.Connection, reader: str) -> None:
    numbers.sql(f"SET deltasql.reader = '{reader}'")
    before = numbers.sql("SELECT * FROM n")
    numbers.sql("INSERT INTO n VALUES (4, 'four')")
    after = numbers.sql("SELECT * FROM n")
    numbers.sql("DELETE FROM n")
    assert rows(before) == [(1, "one"), (2, "two"), (3, None)]
    assert len(list(after)) == 4
    assert rows(before) == [(1, "one"), (2, "two"), (3, None)]
    assert list(numbers.sql("SELECT * FROM n")) == []


@pytest.mark.parametrize("reader", ["listing", "scan"])
def test_a_pinned_result_whose_files_are_gone_is_an_error(numbers: deltasql.Connection, reader: str) -> None:
    numbers.sql(f"SET deltasql.reader = '{reader}'")
    numbers.sql("INSERT INTO n VALUES (4, 'four')")
    before = numbers.sql("SELECT * FROM n")
    counted = numbers.sql("SELECT count(*) FROM n")
    numbers.sql("DELETE FROM n WHERE id = 4")
    numbers.sql("SET deltasql.vacuum.retention_check = off")
    numbers.sql("VACUUM n RETAIN 0 HOURS")
    for result in (before, counted):
        with pytest.raises((deltasql.VersionNotFound, deltasql.StorageError)):
            result.fetchall()
    assert len(list(numbers.sql("SELECT * FROM n"))) == 3


def test_dropped_and_made_anew(numbers: deltasql.Connection) -> None:
    old = numbers.sql("SELECT * FROM n")
    numbers.sql("DROP TABLE n")
    numbers.sql("CREATE TABLE n AS SELECT 7 AS id, 'seven' AS Name")
    assert list(numbers.sql("SELECT * FROM n")) == [(7, "seven")]
    with pytest.raises(deltasql.Error):
        list(old)


# -- threads


def test_eight_threads_on_one_connection(con: deltasql.Connection) -> None:
    con.sql("SET deltasql.commit.retries = 100")
    con.sql("CREATE TABLE t (thread INT, step INT)")
    failures: list[BaseException] = []
    gate = threading.Barrier(8)

    def work(thread: int) -> None:
        try:
            gate.wait()
            for step in range(5):
                assert con.sql("INSERT INTO t VALUES (?, ?)", [thread, step]).fetchall() == [(1, 1)]
                seen = con.sql("SELECT step FROM t WHERE thread = ? ORDER BY step", [thread]).fetchall()
                assert seen == [(number,) for number in range(step + 1)]
                assert con.sql("SELECT ?, ?", [thread, step]).fetchone() == (thread, step)
        except BaseException as error:  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert con.sql("SELECT count(*), count(DISTINCT thread * 10 + step) FROM t").fetchone() == (40, 40)


# -- the connection


def test_read_only(numbers: deltasql.Connection) -> None:
    with deltasql.connect(numbers.root, read_only=True) as con:
        assert con.sql("SELECT count(*) FROM n").fetchone() == (3,)
        for statement in ("INSERT INTO n VALUES (9, 'x')", "DELETE FROM n", "DROP TABLE n", "CREATE TABLE x (a INT)"):
            with pytest.raises(deltasql.OperationalError, match="read-only"):
                con.sql(statement)
    assert numbers.sql("SELECT count(*) FROM n").fetchone() == (3,)


def test_no_root() -> None:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS a")
        root = con.root
        assert root.is_dir()
        assert con.sql("SELECT * FROM t").fetchall() == [(1,)]
    assert not root.exists()


def test_no_root_and_never_closed(tmp_path: Path) -> None:
    """The folder goes with the process, and Python says nothing about it."""
    code = "import deltasql; con = deltasql.connect(); con.sql('CREATE TABLE t AS SELECT 1 AS a'); print(con.root)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert not Path(done.stdout.strip()).exists()


def test_closing(tmp_path: Path) -> None:
    con = deltasql.connect(tmp_path)
    con.sql("CREATE TABLE t AS SELECT 1 AS a")
    unread = con.sql("SELECT * FROM t")
    assert str(tmp_path) in repr(con)
    con.close()
    con.close()
    assert "closed" in repr(con)
    with pytest.raises(deltasql.ClosedError):
        con.sql("SELECT 1")
    with pytest.raises(deltasql.ClosedError):
        con.table("t")
    with pytest.raises(deltasql.ClosedError):
        list(con.script("SELECT 1"))
    assert unread.fetchall() == [(1,)]


def test_script(con: deltasql.Connection) -> None:
    text = "CREATE TABLE t (s STRING); INSERT INTO t VALUES ('a;b') -- c;\n;; SELECT s FROM t"
    kinds = [(result.statement_type, list(result)) for result in con.script(text)]
    assert [kind for kind, _ in kinds] == ["CREATE TABLE", "INSERT", "SELECT"]
    assert kinds[-1][1] == [("a;b",)]


def test_script_stops_at_its_first_error(con: deltasql.Connection) -> None:
    text = "CREATE TABLE t (a INT); SELECT * FROM nope; INSERT INTO t VALUES (1)"
    with pytest.raises(deltasql.TableNotFound) as caught:
        list(con.script(text))
    assert caught.value.span is not None
    assert caught.value.span.of(text) == "nope"
    assert con.sql("SELECT count(*) FROM t").fetchone() == (0,)


def test_table(numbers: deltasql.Connection) -> None:
    assert numbers.table("N").version() == 1
    assert numbers.table("n VERSION AS OF 0").version() == 0
    with pytest.raises(deltasql.TableNotFound):
        numbers.table("m")


def test_error_places(numbers: deltasql.Connection) -> None:
    for statement, culprit in (
        ("SELECT nope FROM n", "nope"),
        ("SELECT * FROM  nope", "nope"),
        ("DELETE FROM n WHERE nope = 1", "nope"),
        ("SELECT ?, * FROM n VERSION AS OF 99", "n VERSION AS OF 99"),
    ):
        with pytest.raises(deltasql.Error) as caught:
            numbers.sql(statement, [1] if "?" in statement else None)
        assert caught.value.statement == statement
        assert caught.value.span is not None
        assert caught.value.span.of(statement) == culprit


# -- roots and tables that aren't right


def test_root_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(deltasql.ConfigError, match="is not a folder"):
        deltasql.connect(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_root_without_permission(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    root.chmod(0)
    try:
        with deltasql.connect(root) as con:
            for statement in ("SELECT * FROM t", "SHOW TABLES", "CREATE TABLE t (a INT)"):
                with pytest.raises(deltasql.StorageError):
                    con.sql(statement)
    finally:
        root.chmod(0o700)


@pytest.mark.parametrize("statement", ["SELECT * FROM t", "SHOW TABLES", "CREATE TABLE t (a INT)", "SHOW SCHEMAS"])
def test_root_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """As above, for tests that run as root: the system's own refusal, from the calls that ask it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    root = tmp_path / "root"
    root.mkdir()
    with deltasql.connect(root) as con:
        monkeypatch.setattr(os, "scandir", refuse)
        monkeypatch.setattr(os, "listdir", refuse)
        monkeypatch.setattr(os, "mkdir", refuse)
        with pytest.raises(deltasql.StorageError, match="Permission denied"):
            con.sql(statement)
        monkeypatch.undo()
        assert list(con.sql("SHOW TABLES")) == []


def test_a_folder_that_is_no_table(con: deltasql.Connection) -> None:
    (con.root / "plain").mkdir(parents=True)
    (con.root / "plain" / "a.parquet").write_bytes(b"")
    with pytest.raises(deltasql.TableNotFound, match="no table `plain`"):
        con.sql("SELECT * FROM plain")
    with pytest.raises(deltasql.TableNotFound, match="is no Delta table: it has no `_delta_log`"):
        con.sql(f"SELECT * FROM delta.`{con.root / 'plain'}`")
    with pytest.raises(deltasql.StorageError, match="isn't empty"):
        con.sql("CREATE TABLE plain (a INT)")
    assert [path.name for path in (con.root / "plain").iterdir()] == ["a.parquet"]


def test_an_empty_log(con: deltasql.Connection) -> None:
    (con.root / "t" / "_delta_log").mkdir(parents=True)
    with pytest.raises(deltasql.TableNotFound, match="empty"):
        con.sql("SELECT * FROM t")


@pytest.mark.parametrize("text", ["{not json", "", "[]", '{"add": 1}', "\x00\x01"])
def test_a_log_that_does_not_parse(numbers: deltasql.Connection, text: str) -> None:
    assert numbers.sql("SELECT count(*) FROM n").fetchone() == (3,)
    log = numbers.root / "n" / "_delta_log"
    (log / f"{2:020d}.json").write_text(text)
    if text == "":
        return  # An empty commit is one without actions.
    for statement in ("SELECT * FROM n", "DESCRIBE HISTORY n", "INSERT INTO n VALUES (9, 'x')", "DELETE FROM n"):
        with pytest.raises((deltasql.StorageError, deltasql.OperationalError)) as caught:
            list(numbers.sql(statement))
        assert "\n" not in caught.value.message
    assert max(path.name for path in log.glob("*.json")) == f"{2:020d}.json"


def test_a_log_with_a_gap(numbers: deltasql.Connection) -> None:
    numbers.sql("INSERT INTO n VALUES (4, 'four')")
    (numbers.root / "n" / "_delta_log" / f"{1:020d}.json").unlink()
    with deltasql.connect(numbers.root) as fresh, pytest.raises(deltasql.StorageError):
        fresh.sql("SELECT * FROM n")


@pytest.mark.parametrize("reader", ["listing", "scan"])
@pytest.mark.parametrize(
    "statement", ["SELECT * FROM n", "SELECT count(*) FROM n", "SELECT max(id) FROM n WHERE id > 3"]
)
def test_a_missing_file_is_an_error_never_fewer_rows(numbers: deltasql.Connection, reader: str, statement: str) -> None:
    numbers.sql("INSERT INTO n VALUES (4, 'four')")
    DeltaTable(str(numbers.root / "n")).file_uris()
    added = DeltaTable(str(numbers.root / "n")).file_uris()
    Path(added[0]).unlink()
    numbers.sql(f"SET deltasql.reader = '{reader}'")
    with pytest.raises((deltasql.StorageError, deltasql.VersionNotFound)):
        list(numbers.sql(statement))


@pytest.mark.parametrize("reader", ["listing", "scan"])
def test_a_broken_file_is_an_error(numbers: deltasql.Connection, reader: str) -> None:
    path = Path(DeltaTable(str(numbers.root / "n")).file_uris()[0])
    path.write_bytes(b"no parquet at all" * 10)
    numbers.sql(f"SET deltasql.reader = '{reader}'")
    with pytest.raises(deltasql.Error) as caught:
        list(numbers.sql("SELECT * FROM n"))
    assert not isinstance(caught.value, deltasql.InternalError)


def test_a_write_that_fails_leaves_the_table_as_it_was(numbers: deltasql.Connection) -> None:
    before = sorted(path.name for path in (numbers.root / "n").rglob("*.json"))
    for statement in (
        "INSERT INTO n SELECT value, CASE WHEN value = 90000 THEN CAST(1 / (value - value) AS STRING) END "
        "FROM generate_series(1, 100000)",
        "INSERT INTO n (id) SELECT CASE WHEN value = 90000 THEN 'x' ELSE '1' END FROM generate_series(1, 100000)",
        "UPDATE n SET id = 1 / (id - id)",
    ):
        with pytest.raises(deltasql.DataError):
            numbers.sql(statement)
    assert sorted(path.name for path in (numbers.root / "n").rglob("*.json")) == before
    assert rows(numbers.sql("SELECT * FROM n")) == [(1, "one"), (2, "two"), (3, None)]


def test_a_ctas_that_fails_leaves_nothing(con: deltasql.Connection) -> None:
    with pytest.raises(deltasql.DataError):
        con.sql("CREATE TABLE t AS SELECT 1 / (value - 5) AS a FROM generate_series(1, 10)")
    assert not (con.root / "t").exists()
    con.sql("CREATE TABLE t AS SELECT 1 AS a")
