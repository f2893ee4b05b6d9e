"""Whose keys open which place, and keys that are good for a while only."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import ConfigError, StorageError
from deltasql.storage.options import merged, named

from .conftest import Bucket, Server, make_bucket, rows


def _keys(server: Server) -> set[str | None]:
    return {request["key"] for request in server.requests()}


def test_several_buckets_with_keys_of_their_own_in_one_query(s3_server: Server, tmp_path: Path) -> None:
    one, two = make_bucket(s3_server), make_bucket(s3_server)
    wanted = {one.name: "AKIAONE", two.name: "AKIATWO"}
    options = {
        **{name: value for name, value in one.options.items() if "KEY" not in name},
        one.url: {"access_key_id": "AKIAONE", "secret_access_key": "one-secret"},
        two.url: {"key_id": "AKIATWO", "secret": "two-secret"},
    }
    with s3_server.mode(keys=wanted), deltasql.connect(tmp_path, storage_options=options) as con:
        con.sql(f"CREATE TABLE a (id INT) LOCATION '{one.url}/a'")
        con.sql(f"CREATE TABLE b (id INT) LOCATION '{two.url}/b'")
        con.sql("CREATE TABLE c AS SELECT 1 AS id")
        con.sql("INSERT INTO a VALUES (1), (2)")
        con.sql("INSERT INTO b SELECT id FROM a")
        assert rows(con, "SELECT a.id FROM a JOIN b ON a.id = b.id JOIN c ON a.id = c.id") == [{"id": 1}]
        con.sql("MERGE INTO a USING b ON a.id = b.id + 1 WHEN NOT MATCHED THEN INSERT (id) VALUES (b.id + 10)")
        assert rows(con, "SELECT count(*) AS n FROM a") == [{"n": 3}]
        con.sql(f"CREATE TABLE copied DEEP CLONE a LOCATION '{two.url}/copied'")
        assert rows(con, "SELECT count(*) AS n FROM copied") == [{"n": 3}]


def test_the_nearest_holds(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.options.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
    s3.server.requests()

    def key(con: deltasql.Connection, of: str = "") -> set[str | None]:
        s3.server.requests()
        rows(con, f"SELECT * FROM delta.`{s3.url}/lake/t` {of}")
        return _keys(s3.server)

    with deltasql.connect(tmp_path) as con:
        assert key(con) == {"AKIAENVIRONMENT"}
        con.sql("CREATE SECRET every (TYPE s3, KEY_ID 'AKIAEVERY', SECRET 'x')")
        assert key(con) == {"AKIAEVERY"}
        con.sql(f"CREATE SECRET below (TYPE s3, SCOPE '{s3.url}/lake/t', KEY_ID 'AKIABELOW', SECRET 'x')")
        con.sql(f"CREATE SECRET bucket (TYPE s3, SCOPE '{s3.url}', KEY_ID 'AKIABUCKET', SECRET 'x')")
        con.sql(f"CREATE SECRET other (TYPE s3, SCOPE '{s3.url}/la', KEY_ID 'AKIAOTHER', SECRET 'x')")
        con.sql("CREATE SECRET google (TYPE gcs, KEY 'x')")
        assert key(con) == {"AKIABELOW"}
        con.sql("DROP SECRET below")
        assert key(con) == {"AKIABUCKET"}
        con.sql("CREATE OR REPLACE SECRET bucket (TYPE s3, KEY_ID 'AKIAAGAIN', SECRET 'x')")
        assert key(con) in ({"AKIAAGAIN"}, {"AKIAEVERY"})
    with deltasql.connect(
        tmp_path, storage_options={"AWS_ACCESS_KEY_ID": "AKIAGIVEN", "aws_secret_access_key": "x"}
    ) as con:
        assert key(con) == {"AKIAGIVEN"}
        con.sql("CREATE SECRET every (TYPE s3, KEY_ID 'AKIAEVERY', SECRET 'x')")
        assert key(con) == {"AKIAEVERY"}


def test_a_file_and_its_profiles(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "\n".join(f'{name} = "{value}"' for name, value in s3.options.items())
    (tmp_path / "deltasql.toml").write_text(
        f"""
root = "{s3.url}/lake"
[storage_options]
{plain}
[profiles.other.storage_options."{s3.url}"]
key_id = "AKIAPROFILE"
secret = "profile-secret"
"""
    )
    monkeypatch.chdir(tmp_path)
    with deltasql.connect(profile="other") as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        assert _keys(s3.server) == {"AKIAPROFILE"}
    from deltasql.cli import main

    assert main(["-c", "INSERT INTO t VALUES (2)"]) == 0
    assert _keys(s3.server) == {s3.key}
    (tmp_path / "deltasql.toml").write_text('[storage_options]\nregion = ["x"]\n')
    with pytest.raises(ConfigError, match=r"`storage_options\.region` in .* takes text"):
        deltasql.connect(profile="other")


def test_keys_that_run_out_are_renewed(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By botocore, of a profile whose program gives keys that are good for so short that each statement has new ones."""
    pytest.importorskip("botocore")
    program = tmp_path / "keys"
    program.write_text(
        f"""#!{sys.executable}
import datetime, json, pathlib
count = pathlib.Path({str(tmp_path / "count")!r})
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
print(json.dumps({{"Version": 1, "AccessKeyId": f"AKIATEMP{{number}}", "SecretAccessKey": "temp", "SessionToken": "token",
                  "Expiration": soon.isoformat()}}))
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "config").write_text(f"[profile temp]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    options = {name: value for name, value in s3.options.items() if "KEY" not in name}
    with deltasql.connect(f"{s3.url}/lake", storage_options={**options, "profile": "temp"}) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        first = _keys(s3.server)
        assert rows(con, "SELECT * FROM t") == [{"id": 1}]
        con.sql("INSERT INTO t VALUES (2)")
        assert rows(con, "SELECT count(*) AS n FROM t WHERE id > 0") == [{"n": 2}]
        later = _keys(s3.server)
    assert all(str(key).startswith("AKIATEMP") for key in first | later)
    assert later - first
    with (
        deltasql.connect(f"{s3.url}/lake", storage_options={**options, "profile": "nobody"}) as con,
        pytest.raises(ConfigError, match="nobody"),
    ):
        con.sql("SELECT * FROM t")


def test_what_one_says_is_never_put_together_with_what_another_says() -> None:
    far = named({"AWS_ACCESS_KEY_ID": "far", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu"}, "s3", where="x")
    near = named({"key_id": "near", "secret": "s"}, "s3", where="x")
    assert merged([far, near], "s3") == {"access_key_id": "near", "secret_access_key": "s", "region": "eu"}


def test_a_key_without_its_secret(s3: Bucket) -> None:
    options = {name: value for name, value in s3.options.items() if "SECRET" not in name}
    with deltasql.connect(s3.url, storage_options=options) as con, pytest.raises(ConfigError, match="without"):
        con.sql("SELECT * FROM t")


def test_requests_without_keys(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
    options = {name: value for name, value in s3.options.items() if "KEY" not in name}
    s3.server.requests()
    with deltasql.connect(f"{s3.url}/lake", storage_options={**options, "skip_signature": "true"}) as con:
        # moto lets nobody see an object that isn't public, but lists them.
        with pytest.raises(StorageError, match="forbids it"):
            con.sql("SELECT * FROM t")
        assert _keys(s3.server) == {None}
        with pytest.raises(deltasql.NotSupportedError, match="DataFusion's store doesn't know `skip_signature`"):
            con.sql(f"SELECT * FROM read_parquet('{s3.url}/lake/t/*.parquet')")
