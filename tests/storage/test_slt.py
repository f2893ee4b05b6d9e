"""What is specified of a local root holds on S3: the files of tests/slt, run there; most of them in ``make soak`` only."""

from __future__ import annotations

from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

import deltasql
from tests.reliability.amounts import SOAK
from tests.slt_runner import Mismatch, Record, Run, summary
from tests.test_slt import FILES

from .conftest import Bucket

# A store gives the times of commits itself, as these need them given.
_TIMED = {"describe_detail", "describe_history", "restore", "table_changes", "table_functions", "time_travel"}
_ALWAYS = {"optimize", "reorg", "fsck"}


class StoreRun(Run):
    """A file on a root in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._store = S3Store(
            bucket.name,
            endpoint=bucket.server.url,
            access_key_id=bucket.key,
            secret_access_key=bucket.secret,
            region="us-east-1",
            client_options={"allow_http": True},
        )
        self.gaps = []
        self.con = bucket.connect("root")

    def record(self, record: Record) -> None:
        """Run one record, but for those that can't be in a store."""
        if not record.local:
            super().record(record)

    def log(self, record: Record) -> None:
        """``log <table> [<version>]``"""
        table, *version = record.argument.split()
        folder = f"root/{table.replace('.', '/')}/_delta_log/"
        commits = sorted(each["path"] for page in obstore.list(self._store, folder) for each in page)
        commits = [each for each in commits if each.endswith(f"{version[0]:>020}.json" if version else ".json")]
        got = summary(bytes(obstore.get(self._store, commits[-1]).bytes()).decode())
        if [got] != list(record.expected):
            raise record.fail("\n".join(record.expected), got)

    def file_(self, record: Record) -> None:
        """``file <path>``"""
        path = f"root/{record.argument}".replace("root/../", "")
        obstore.put(self._store, path, f"{record.body}\n".encode())

    def reconnect(self, record: Record) -> None:
        """``reconnect [read_only]``"""
        self.con.close()
        options = {"storage_options": self._bucket.options}
        self.con = deltasql.connect(f"{self._bucket.url}/root", read_only=record.argument == "read_only", **options)

    def _text(self, text: str) -> str:
        text = text.replace("file://${root}", "${root}").replace("/land/..", "")
        return text.replace("${root}/..", self._bucket.url).replace("${root}", f"{self._bucket.url}/root")


@pytest.mark.parametrize(
    "file",
    [pytest.param(each, id=each.stem) for each in FILES if each.stem in _ALWAYS or (SOAK and each.stem not in _TIMED)],
)
def test_file(file: Path, s3: Bucket) -> None:
    run = StoreRun(s3)
    try:
        run.file(file)
    except Mismatch as mismatch:
        pytest.fail(str(mismatch), pytrace=False)
