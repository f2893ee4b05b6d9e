"""Azure, by Azurite."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import StorageError

from .conftest import ACCOUNT, KEY, Server, rows
from .test_s3 import READS, WRITES


def _options(server: Server, **more: str) -> dict[str, str]:
    options = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY}
    return {**options, "AZURE_STORAGE_ENDPOINT": f"{server.url}/{ACCOUNT}", "allow_http": "true", **more}


def _filled(connection: deltasql.Connection) -> deltasql.Connection:
    for statement in WRITES:
        connection.sql(statement)
    return connection


def test_the_same_statements_give_the_same_rows_as_on_a_local_root(
    azure_server: Server, container: str, tmp_path: Path
) -> None:
    options = _options(azure_server)
    with (
        _filled(deltasql.connect(tmp_path)) as local,
        _filled(deltasql.connect(f"az://{container}/lake", storage_options=options)) as remote,
    ):
        for statement in READS:
            assert rows(remote, statement) == rows(local, statement), statement


@pytest.mark.parametrize("root", ["az://{container}", "abfss://{container}@devstoreaccount1.dfs.core.windows.net"])
def test_datafusion_reads_the_emulator(
    azure_server: Server, container: str, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", azure_server.url)
    options = {"account_name": ACCOUNT, "account_key": KEY, "use_emulator": "true"}
    with deltasql.connect(f"{root.format(container=container)}/lake", storage_options=options) as con:
        con.sql(
            "CREATE TABLE t PARTITIONED BY (p) AS SELECT value AS id, concat('x y%', value % 2) AS p FROM range(10)"
        )
        con.sql("SET deltasql.reader = listing")
        assert rows(con, "SELECT sum(id) AS s FROM t WHERE p = 'x y%1'") == [{"s": 25}]
        con.sql("DELETE FROM t WHERE id = 1")
        assert rows(con, "SELECT sum(id) AS s FROM t WHERE p = 'x y%1'") == [{"s": 24}]
        plan = str(con.sql("EXPLAIN SELECT * FROM t").fetchall())
        assert "listing" in plan


def test_where_datafusion_cannot_the_plan_says_so(azure_server: Server, container: str) -> None:
    with deltasql.connect(f"az://{container}", storage_options=_options(azure_server)) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        assert "DataFusion's store doesn't know `endpoint`" in str(con.sql("EXPLAIN SELECT * FROM t").fetchall())
        assert rows(con, "SELECT * FROM t") == [{"id": 1}]


def test_a_connection_string_and_a_secret(azure_server: Server, container: str, tmp_path: Path) -> None:
    text = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={azure_server.url}/{ACCOUNT};"
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE SECRET a (TYPE azure, SCOPE 'az://{container}', CONNECTION_STRING '{text}', ALLOW_HTTP true)")
        con.sql(f"CREATE TABLE t (id INT) LOCATION 'az://{container}/t'")
        con.sql("INSERT INTO t VALUES (1)")
        assert rows(con, "SELECT * FROM t") == [{"id": 1}]
        assert KEY not in str(con.sql("SHOW SECRETS").fetchall())


def test_bad_input(azure_server: Server, container: str) -> None:
    wrong = base64.b64encode(b"wrong").decode()
    options = _options(azure_server, AZURE_STORAGE_ACCOUNT_KEY=wrong)
    with (
        deltasql.connect(f"az://{container}", storage_options=options) as con,
        pytest.raises(StorageError, match=f"`az://{container}` (forbids it|doesn't accept the credentials)"),
    ):
        con.sql("SELECT * FROM t")
    with (
        deltasql.connect("az://no-such-container", storage_options=_options(azure_server)) as con,
        pytest.raises(StorageError, match="there is no container `az://no-such-container`"),
    ):
        con.sql("SELECT * FROM t")
