"""How far the scans of a query are, by DataFusion's measure, of what the log knows."""

from __future__ import annotations

import pytest

import deltasql
from deltasql.engine.scanning import Scanned, Scanning


@pytest.fixture
def lake(tmp_path):
    with deltasql.connect(tmp_path) as connection:
        connection.sql("CREATE TABLE a (id BIGINT, name STRING)")
        for start in (0, 1000, 2000):
            connection.sql(f"INSERT INTO a SELECT value, 'x' || value FROM range({start}, {start + 1000})")
        connection.sql(
            "CREATE TABLE b PARTITIONED BY (part) AS SELECT value AS id, value % 3 AS part FROM range(0, 30)"
        )
        yield connection


def followed(connection, sql: str) -> list[Scanned]:
    """What each run of ``sql``'s query had scanned when all its rows were read."""
    runs: list[Scanning] = []
    connection.scanning = runs.append
    result = connection.sql(sql)
    if result.statement_type == "SELECT":
        assert not runs  # nothing runs before it is read
    result.fetchall()
    return [run.scanned() for run in runs]


def test_all_is_read(lake):
    (scanned,) = followed(lake, "SELECT sum(id) FROM a")
    assert (scanned.rows, scanned.of_rows, scanned.files, scanned.of_files) == (3000, 3000, 3, 3)
    assert scanned.size > 0
    assert scanned.share() == 1.0


def test_pruned_files_are_none_of_the_work(lake):
    (scanned,) = followed(lake, "SELECT sum(id) FROM b WHERE part = 1")
    assert (scanned.of_rows, scanned.of_files) == (10, 1)
    assert scanned.share() == 1.0


def test_partitions_with_odd_names_and_self_joins(lake):
    lake.sql("CREATE TABLE odd PARTITIONED BY (p) AS SELECT value AS id, 'a b/%=' || value AS p FROM range(0, 4)")
    (scanned,) = followed(
        lake, "SELECT count(*) FROM odd x JOIN odd y ON x.id = y.id JOIN b ON b.id = x.id AND b.part < 2"
    )
    assert scanned.of_rows == 4 + 4 + 20
    assert scanned.share() == 1.0


@pytest.mark.parametrize(
    ("sql", "rows", "files"),
    [
        ("UPDATE a SET name = 'y' WHERE id > 1500", 2000, 2),
        ("DELETE FROM a WHERE id = 7", 1000, 1),
        ("UPDATE a SET name = 'y' FROM b WHERE a.id = b.id AND b.part < 1", 3010, 4),
        ("MERGE INTO a USING (SELECT 5 AS id) s ON a.id = s.id WHEN MATCHED THEN DELETE", 1000, 1),
    ],
)
def test_the_search_for_rows_that_change_is_followed(lake, sql, rows, files):
    scanned = followed(lake, sql)[-1]
    assert (scanned.rows, scanned.of_rows, scanned.files, scanned.of_files) == (rows, rows, files, files)


def test_the_source_of_a_write_is_followed(lake):
    (scanned,) = followed(lake, "INSERT INTO b SELECT id, 1 FROM a")
    assert (scanned.rows, scanned.of_rows) == (3000, 3000)


@pytest.mark.parametrize("reader", ["scan", "dataset"])
def test_other_readers_tell_of_rows_alone(lake, reader):
    lake.sql(f"SET deltasql.reader = {reader}")
    (scanned,) = followed(lake, "SELECT sum(id) FROM a")
    assert (scanned.of_rows, scanned.of_files) == (3000, None)


def test_what_reads_no_table_is_not_followed(lake):
    assert followed(lake, "SELECT 1") == []


@pytest.mark.parametrize(
    ("scanned", "share"),
    [
        (Scanned(5, 10, 0, 2, 0), 0.5),
        (Scanned(5, 10, 2, 2, 0), 1.0),
        (Scanned(50, 10, 0, 2, 0), 1.0),
        (Scanned(5, None, 1, 4, 0), 0.25),
        (Scanned(5, None, 0, None, 0), None),
        (Scanned(0, 0, 0, 0, 0), None),
    ],
)
def test_the_share(scanned, share):
    assert scanned.share() == share
