"""What can't be: told at once, by bucket and prefix, with what to do about it."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import ConfigError, NotSupportedError, SchemaNotFound, StorageError, TableNotFound

from .conftest import Bucket

_SOON = 20
"""Processor seconds are few; the clock is generous, as retries would take half a minute."""


@contextmanager
def _at_once(kind: type[deltasql.Error], message: str, hint: str = "") -> Iterator[None]:
    begun = time.monotonic()
    with pytest.raises(kind, match=message) as raised:
        yield
    assert re.search(hint, raised.value.hint or "")
    assert time.monotonic() - begun < _SOON


def test_no_credentials(s3: Bucket) -> None:
    with deltasql.connect(f"{s3.url}/lake") as con:
        with _at_once(ConfigError, f"no credentials for `{s3.url}`", "storage_options"):
            con.sql("SELECT * FROM t")
        with _at_once(ConfigError, "no credentials for `gs://nowhere`", "service_account"):
            con.sql("SELECT * FROM delta.`gs://nowhere/t`")
        with _at_once(ConfigError, "no credentials for `az://nowhere`", "account_name"):
            con.sql("SELECT * FROM delta.`az://nowhere/t`")


def test_wrong_credentials(s3: Bucket) -> None:
    with s3.connect() as con, s3.server.mode(keys={s3.name: "AKIAANOTHER"}):
        with _at_once(StorageError, f"`{s3.url}` doesn't accept the credentials .InvalidAccessKeyId", "access_key_id"):
            con.sql("SELECT * FROM t")
        with _at_once(StorageError, "doesn't accept"):
            con.sql("CREATE TABLE t (id INT)")


def test_what_may_be_read_and_not_written(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        with s3.server.mode(forbidden=["PUT"]):
            with _at_once(StorageError, f"`{s3.url}` forbids it .AccessDenied", "not below `lake/t`"):
                con.sql("INSERT INTO t VALUES (2)")
            assert con.sql("SELECT * FROM t").fetchall() == [(1,)]
            with _at_once(StorageError, "forbids it"):
                con.sql("CREATE TABLE u AS SELECT 1 AS id")
            with _at_once(StorageError, "forbids it"):
                con.sql("CREATE VIEW v AS SELECT 1 AS id")
        with s3.server.mode(forbidden=["GET", "HEAD"]), _at_once(StorageError, "forbids it"):
            con.sql("SELECT * FROM t")
        assert con.sql("SELECT * FROM t").fetchall() == [(1,)]


def test_a_missing_bucket(s3: Bucket) -> None:
    with deltasql.connect("s3://no-such-bucket/lake", storage_options=s3.options) as con:
        for statement in ("SELECT * FROM t", "CREATE TABLE t (id INT)", "SHOW TABLES", "CREATE SCHEMA s"):
            with _at_once(StorageError, "there is no bucket `s3://no-such-bucket`", "make it first"):
                con.sql(statement)


def test_a_missing_prefix(s3: Bucket) -> None:
    with s3.connect("nowhere/at/all") as con:
        with _at_once(TableNotFound, "the root `s3://.*/nowhere/at/all` does not exist"):
            con.sql("SELECT * FROM t")
        with _at_once(SchemaNotFound, "there is no schema `s`"):
            con.sql("SELECT * FROM s.t")
        with _at_once(TableNotFound, "is no Delta table: there is nothing below it"):
            con.sql(f"SELECT * FROM delta.`{s3.url}/x/y`")
        with _at_once(StorageError, "no file matches"):
            con.sql(f"SELECT * FROM read_csv('{s3.url}/x/*.csv')")
        assert con.sql("SHOW TABLES").fetchall() == []
        con.sql("CREATE TABLE t (id INT)")
        assert con.sql("SELECT * FROM t").fetchall() == []


def test_a_scheme_that_nobody_knows() -> None:
    with _at_once(NotSupportedError, "a location on `xyz://` is not supported", "`s3://`"):
        deltasql.connect("xyz://bucket/lake")
    with deltasql.connect() as con:
        with _at_once(NotSupportedError, "a location on `hdfs://` is not supported"):
            con.sql("SELECT * FROM delta.`hdfs://host/t`")
        with _at_once(StorageError, "is no place in a store", "s3://bucket/path"):
            con.sql("SELECT * FROM delta.`s3://`")
        with _at_once(StorageError, "is no place in a store"):
            con.sql("SELECT * FROM delta.`s3://b/../c`")


def test_http_without_leave(s3: Bucket) -> None:
    options = {name: value for name, value in s3.options.items() if name != "AWS_ALLOW_HTTP"}
    with (
        deltasql.connect(f"{s3.url}/lake", storage_options=options) as con,
        _at_once(ConfigError, "isn't encrypted", "allow_http = true"),
    ):
        con.sql("SELECT * FROM t")
    assert s3.server.requests() == []


def test_an_option_that_there_is_not(tmp_path: Path) -> None:
    with _at_once(ConfigError, "`storage_options` has no option `AWS_REGOIN`", "did you mean `region`"):
        deltasql.connect(tmp_path, storage_options={"AWS_REGOIN": "x"})
    with _at_once(ConfigError, "has no option `account_name` for S3"):
        deltasql.connect(tmp_path, storage_options={"s3://b": {"account_name": "x"}})
    with _at_once(ConfigError, "is no place in a store"):
        deltasql.connect(tmp_path, storage_options={"/tmp/x": {"region": "x"}})


def test_another_region_and_a_store_that_is_not_there(s3: Bucket) -> None:
    with s3.connect() as con, s3.server.mode(moved=True), _at_once(StorageError, "isn't in the region", "`region`"):
        con.sql("SELECT * FROM t")
    with (
        s3.connect(AWS_ENDPOINT_URL="http://127.0.0.1:1", max_retries="1") as con,
        _at_once(StorageError, "can't be reached at http://127.0.0.1:1", "`endpoint`"),
    ):
        con.sql("SELECT * FROM t")


def test_locking_by_dynamodb_and_unsafe_renames(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        s3.connect(AWS_S3_LOCKING_PROVIDER="dynamodb") as con,
        _at_once(NotSupportedError, "`dynamodb` is no longer supported by delta-rs", "conditional put"),
    ):
        con.sql("SELECT * FROM t")
    monkeypatch.setenv("AWS_S3_ALLOW_UNSAFE_RENAME", "true")
    with s3.connect() as con, pytest.warns(RuntimeWarning, match="AWS_S3_ALLOW_UNSAFE_RENAME is not heeded"):
        con.sql("CREATE TABLE t (id INT)")
    with s3.connect() as con, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        con.sql("INSERT INTO t VALUES (1)")
        con.sql("INSERT INTO t VALUES (2)")
    assert len(warned) == 1
