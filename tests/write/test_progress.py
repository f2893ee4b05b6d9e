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
