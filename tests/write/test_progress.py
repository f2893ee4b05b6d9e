"""Who listens hears how many rows a write has written."""

from __future__ import annotations

import itertools

import pytest

import deltasql


@pytest.fixture
def con():
    with deltasql.connect() as opened:
        opened.sql("CREATE TABLE t AS SELECT value AS id, 0 AS n FROM generate_series(1, 200000)")
        yield opened


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("INSERT INTO t SELECT * FROM t", 200_000),
        ("INSERT OVERWRITE t SELECT * FROM t WHERE id <= 1000", 1000),
        ("UPDATE t SET n = 1 WHERE id = 7", 200_000),
        ("DELETE FROM t WHERE id <= 1000", 199_000),
        ("MERGE INTO t USING (SELECT 0 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)", 1),
    ],
)
def test_rows_are_told(con, statement, rows):
    heard = []
    con.progress = heard.append
    con.sql(statement)
    assert heard[-1].rows == rows
    assert [each.rows for each in heard] == sorted(each.rows for each in heard)
    assert all(later.seconds >= sooner.seconds >= 0 for sooner, later in itertools.pairwise(heard))


@pytest.fixture
def lake(tmp_path):
    """A table of three files, whose last one can be ruled out by `id < 200`, and an old version of it."""
    with deltasql.connect(tmp_path / "lake") as opened:
        opened.sql("CREATE TABLE t (id BIGINT, n BIGINT)")
        for start in (0, 100, 200):
            opened.sql(f"INSERT INTO t SELECT value, 0 FROM range({start}, {start + 100})")
        opened.sql("SET deltasql.vacuum.retention_check = off")
        yield opened


@pytest.mark.parametrize(
    ("before", "statement", "steps"),
    [
        ("", "UPDATE t SET n = 1 WHERE id = 7", [("done", "rows", 100)]),
        ("", "UPDATE t SET n = 1 WHERE id < 200 AND id % 200 = 150", [("done", "rows", 200)]),
        ("", "UPDATE t SET n = 1 WHERE id % 300 = 299", [("done", "rows", 300)]),
        ("", "DELETE FROM t WHERE id IN (1, 150)", [("done", "rows", 200)]),
        ("", "DELETE FROM t WHERE id < 150", [("done", "rows", 200)]),
        ("", "UPDATE t SET n = 1 WHERE id < 0", []),
        (
            "",
            "MERGE INTO t USING (SELECT 7 AS id UNION ALL SELECT 900) s ON t.id = s.id "
            "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
            [("done", "rows", 100)],
        ),
        ("DELETE FROM t WHERE id = 1", "OPTIMIZE t", [("written", "rows", 299)]),
        ("", "OPTIMIZE t ZORDER BY (id)", [("done", "rows", 300)]),
        ("", "OPTIMIZE t ZORDER BY (id, n)", [("done", "rows", 300)]),
        (
            "OPTIMIZE t",
            "VACUUM t RETAIN 0 HOURS",
            [("looked at", "files", None), ("removed", "files", 3)],
        ),
        ("", "VACUUM t RETAIN 0 HOURS DRY RUN", [("looked at", "files", None)]),
        ("OPTIMIZE t", "RESTORE t TO VERSION AS OF 3", [("looked at", "files", 3)]),
        ("", "FSCK REPAIR TABLE t", [("looked at", "files", 3)]),
        ("", "CREATE TABLE c SHALLOW CLONE t", [("looked at", "files", 3)]),
        ("", "CREATE TABLE c DEEP CLONE t", [("copied", "bytes", ...)]),
        ("", "ANALYZE TABLE t COMPUTE STATISTICS", [("read", "rows", 300)]),
        ("", "INSERT INTO t SELECT * FROM t", []),
    ],
)
def test_steps_are_told_with_what_there_is_to_do(lake, before, statement, steps):
    for each in filter(None, [before]):
        lake.sql(each)
    heard = []
    lake.progress = heard.append
    lake.sql(statement)
    told = [each.step for each in heard if each.step is not None]
    last = {(step.verb, step.unit): step for step in told}
    assert list(last) == [step[:2] for step in steps]
    for verb, unit, whole in steps:
        (done,) = [step for step in last.values() if (step.verb, step.unit) == (verb, unit)]
        if whole is not None:
            wanted = done.whole if whole is ... else whole
            assert (done.done, done.whole) == (wanted, wanted), statement
        counts = [step.done for step in told if step.verb == verb]
        assert counts[0] == 0
        assert counts == sorted(counts)


def test_the_files_of_a_folder_are_a_step_of_its_conversion(lake, tmp_path):
    lake.sql("COPY (SELECT * FROM t) TO '" + str(tmp_path / "lake" / "f.parquet") + "'")
    folder = tmp_path / "lake" / "folder"
    folder.mkdir()
    (tmp_path / "lake" / "f.parquet").rename(folder / "f.parquet")
    heard = []
    lake.progress = heard.append
    lake.sql(f"CONVERT TO DELTA parquet.`{folder}`")
    assert [(each.step.verb, each.step.done, each.step.whole) for each in heard] == [
        ("looked at", 0, 1),
        ("looked at", 1, 1),
    ]


def test_a_vacuum_that_is_stopped_says_so_in_the_log(lake):
    lake.sql("OPTIMIZE t")

    def stop(progress):
        if progress.step.verb == "removed" and progress.step.done == 1:
            lake.interrupt()

    lake.progress = stop
    with pytest.raises(deltasql.Interrupted):
        lake.sql("VACUUM t RETAIN 0 HOURS")
    lake.progress = None
    assert lake.sql("SELECT count(*) FROM t").fetchone() == (300,)
    end, start = lake.table("t").history(2)
    assert (end["operation"], start["operation"]) == ("VACUUM END", "VACUUM START")
    assert end["operationParameters"]["status"] == "FAILED"
    assert lake.sql("VACUUM t RETAIN 0 HOURS").metrics["num_removed_files"] == 1


@pytest.mark.parametrize("statement", ["INSERT INTO t SELECT * FROM t", "UPDATE t SET n = 1"])
def test_what_a_listener_raises_ends_the_write(con, statement):
    def stop(_):
        raise RuntimeError("enough")

    con.progress = stop
    with pytest.raises(RuntimeError, match="enough"):
        con.sql(statement)
    con.progress = None
    assert con.sql("SELECT count(*), sum(n) FROM t").fetchone() == (200_000, 0)
    assert con.table("t").version() == 0
