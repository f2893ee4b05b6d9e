"""Google Cloud: what its clients send, to a server of S3 behind a proxy that translates (see `server`)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import ConfigError

from .conftest import Bucket, Server, make_bucket, rows
from .test_s3 import READS, WRITES


@pytest.fixture
def google(google_server: Server) -> Bucket:
    """A bucket."""
    return make_bucket(google_server)


@pytest.fixture
def key(google_server: Server, tmp_path: Path) -> Path:
    """The file of a service account of the server."""
    file = tmp_path / "key.json"
    account = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
    file.write_text(json.dumps({**account, "gcs_base_url": google_server.url}))
    return file


def _connect(google: Bucket, key: Path) -> deltasql.Connection:
    options = {"GOOGLE_SERVICE_ACCOUNT": str(key), "allow_http": "true"}
    return deltasql.connect(f"gs://{google.name}/lake", storage_options=options)


def test_the_same_statements_give_the_same_rows_as_on_a_local_root(google: Bucket, key: Path, tmp_path: Path) -> None:
    with deltasql.connect(tmp_path / "local") as local, _connect(google, key) as remote:
        for connection in (local, remote):
            for statement in WRITES:
                connection.sql(statement)
        for statement in READS:
            assert rows(remote, statement) == rows(local, statement), statement


def test_commits_and_registrations_by_condition(google: Bucket, key: Path) -> None:
    with _connect(google, key) as con:
        con.sql("CREATE TABLE t AS SELECT 0 AS n")

    def write(number: int) -> None:
        with _connect(google, key) as con:
            con.sql("SET deltasql.commit.retries = 40")
            con.sql("UPDATE t SET n = n + 1")
            con.sql(f"CREATE VIEW v{number} AS SELECT {number} AS n")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(6)))
    with _connect(google, key) as con:
        assert rows(con, "SELECT n FROM t") == [{"n": 6}]
        assert len(rows(con, "SHOW VIEWS")) == 6


def test_a_key_in_a_secret_is_read_by_delta_rs(google: Bucket, key: Path, tmp_path: Path) -> None:
    with _connect(google, key) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE SECRET g (TYPE gcs, KEY '{key.read_text()}', ALLOW_HTTP true)")
        assert rows(con, f"SELECT * FROM delta.`gs://{google.name}/lake/t`") == [{"id": 1}]
        plan = str(con.sql(f"EXPLAIN SELECT * FROM delta.`gs://{google.name}/lake/t`").fetchall())
        assert "DataFusion's store doesn't know `service_account_key`" in plan


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with (
        deltasql.connect("gs://bucket", storage_options={"service_account": str(tmp_path / "none.json")}) as con,
        pytest.raises(ConfigError, match=r"none\.json"),
    ):
        con.sql("SELECT * FROM t")
