"""Several processes write to one table on S3: no commit is lost."""

from __future__ import annotations

import json
import subprocess
import sys

from .conftest import Bucket, rows

_WRITERS = 4
_ROUNDS = 4

_WRITER = """
import json, sys
import deltasql
root, options, name = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
with deltasql.connect(root, storage_options=options) as con:
    con.sql("SET deltasql.commit.retries = 40")
    for number in range(int(sys.argv[4])):
        con.sql("INSERT INTO log VALUES (?, ?)", [name, number])
        con.sql("UPDATE counter SET n = n + 1")
        con.sql(f"CREATE TABLE t_{name}_{number} (id INT) LOCATION '{root}/far/{name}/{number}'")
"""


def test_four_writers_lose_nothing(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE log (writer STRING, number INT)")
        con.sql("CREATE TABLE counter AS SELECT 0 AS n")
        command = [sys.executable, "-c", _WRITER, f"{s3.url}/lake", json.dumps(s3.options)]
        writers = [subprocess.Popen([*command, f"w{n}", str(_ROUNDS)]) for n in range(_WRITERS)]
        assert [writer.wait(120) for writer in writers] == [0] * _WRITERS
        assert rows(con, "SELECT n FROM counter") == [{"n": _WRITERS * _ROUNDS}]
        assert rows(con, "SELECT count(DISTINCT (writer, number)) AS n, count(*) AS m FROM log") == [
            {"n": _WRITERS * _ROUNDS, "m": _WRITERS * _ROUNDS}
        ]
    with s3.connect() as con:
        assert len(rows(con, "SHOW TABLES")) == 2 + _WRITERS * _ROUNDS
