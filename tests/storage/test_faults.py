"""A store that fails now and then: what is read is right, what is written is there whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from deltasql.errors import StorageError

from .conftest import Bucket, rows

FAULTS = [
    pytest.param({"every": 3, "status": 503}, id="503 on every third"),
    pytest.param({"every": 3, "status": 500}, id="500 on every third"),
    pytest.param({"every": 4, "cut": True}, id="cut before it is heard"),
    pytest.param({"every": 5, "cut": True, "after": True}, id="cut when it is done"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_reads_are_right_and_writes_are_whole(s3: Bucket, fault: dict[str, Any]) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT value AS id, value % 2 AS half FROM range(100)")
        with s3.server.mode(**fault):
            wanted = 100
            for number in range(4):
                con.sql(f"INSERT INTO t SELECT value AS id, 9 AS half FROM range({number * 10})")
                wanted += number * 10
                assert rows(con, "SELECT count(*) AS n, sum(id % 1) AS z FROM t") == [{"n": wanted, "z": 0}]
            con.sql("DELETE FROM t WHERE half = 9")
            con.sql("MERGE INTO t USING (SELECT 7 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET half = 5")
        found = rows(con, "SELECT count(*) AS n, sum(id) AS s, max(half) AS m FROM t")
        assert found == [{"n": 100, "s": 4950, "m": 5}]
    with s3.connect() as con:
        assert rows(con, "SELECT count(*) AS n, sum(id) AS s, max(half) AS m FROM t") == found
        history = [row["operation"] for row in rows(con, "SELECT operation FROM (DESCRIBE HISTORY t)")]
        assert sorted(history) == ["CREATE TABLE AS SELECT", "DELETE", "MERGE", *["WRITE"] * 3]


def test_a_store_that_never_answers_right_leaves_the_table_as_it_was(s3: Bucket) -> None:
    with s3.connect(max_retries="1") as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        with s3.server.mode(every=1, status=503):
            for statement in ("SELECT * FROM t", "INSERT INTO t VALUES (2)", "CREATE TABLE u AS SELECT 1 AS id"):
                with pytest.raises(StorageError, match="failed on its side"):
                    rows(con, statement)
        assert rows(con, "SELECT * FROM t") == [{"id": 1}]
        assert [row["tableName"] for row in rows(con, "SHOW TABLES")] == ["t"]
