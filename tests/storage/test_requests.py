"""How many requests it takes (docs/storage.md states these numbers)."""

from __future__ import annotations

from collections import Counter

import deltasql

from .conftest import Bucket, rows


def _counted(s3: Bucket, connection: deltasql.Connection, sql: str) -> Counter[str]:
    """The requests of a statement by what they are for; PUT, and what is read of tables and of their logs."""
    s3.server.requests()
    rows(connection, sql)
    found: Counter[str] = Counter()
    for request in s3.server.requests():
        lists = "list-type" in request["path"]
        found[f"{request['method']}{' list' if lists else ''}"] += 1
    return found


def test_opening_a_table_reads_its_names_and_its_log_once(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
    with s3.connect() as con:
        assert s3.server.requests() is not None
        first = _counted(s3, con, "DESCRIBE TABLE t")
        # Names: registrations; whether the root is a table, its folders, whether this one is. The log: its names for
        # us, and as delta-rs opens it; the pointer to a checkpoint, and the entry twice.
        assert first == {"GET": 4, "GET list": 5}
        assert _counted(s3, con, "DESCRIBE TABLE t") == {"GET list": 1}


def test_a_point_query(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT value AS id FROM range(1000)")
        con.sql("INSERT INTO t SELECT value AS id FROM range(1000, 2000)")
        rows(con, "SELECT * FROM t WHERE id = 1500")
        # Is there a newer version; is the one file there, as DataFusion asks and as we do; its footer, once for us and
        # once for DataFusion, and its rows.
        assert _counted(s3, con, "SELECT * FROM t WHERE id = 500") == {"GET list": 1, "HEAD": 2, "GET": 3}
        assert _counted(s3, con, "SELECT * FROM t WHERE id = 500") == {"GET list": 1, "HEAD": 2, "GET": 1}


def test_an_insert(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t (id INT)")
        con.sql("INSERT INTO t VALUES (1)")
        rows(con, "SELECT * FROM t")
        # Is there a newer version, now and before the commit; the file and the commit.
        assert _counted(s3, con, "INSERT INTO t VALUES (2)") == {"GET list": 2, "PUT": 2}


def test_what_was_read_of_files_is_kept(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        con.sql("INSERT INTO t VALUES (2)")
        rows(con, "SELECT count(*) FROM t")
        assert _counted(s3, con, "SELECT count(*) FROM t") == {"GET list": 1}
        assert _counted(s3, con, "SELECT max(id) FROM t WHERE id > 5") == {"GET list": 1}
