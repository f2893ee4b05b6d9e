"""What is specified of a local root holds in stores: the files of tests/slt, run there; most in ``make soak`` only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from obstore.store import AzureStore, ObjectStore, S3Store

import deltasql
from tests.reliability.amounts import SOAK, only_in_soak
from tests.slt_runner import Mismatch, Record, Run, summary
from tests.test_slt import FILES

from .conftest import ACCOUNT, KEY, Bucket, Server

# A store gives the times of commits itself, as these need them given.
_TIMED = {"describe_detail", "describe_history", "restore", "table_changes", "table_functions", "time_travel"}
_FILES = [each for each in FILES if each.stem not in _TIMED]
_ALWAYS = {"optimize", "reorg", "fsck"}


@dataclass(frozen=True)
class Place:
    """A new bucket: its URL, what opens it, and how a test looks into it."""

    url: str
    options: dict[str, str]
    store: ObjectStore

    def connect(self, *, read_only: bool = False) -> deltasql.Connection:
        """A connection to a root in it."""
        return deltasql.connect(f"{self.url}/root", read_only=read_only, storage_options=self.options)


class StoreRun(Run):
    """A file on a root in a bucket."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.gaps = []
        self.con = place.connect()

    def record(self, record: Record) -> None:
        """Run one record, but for those that can't be in a store."""
        if not record.local:
            super().record(record)

    def log(self, record: Record) -> None:
        """``log <table> [<version>]``"""
        table, *version = record.argument.split()
        folder = f"root/{table.replace('.', '/')}/_delta_log/"
        commits = sorted(each["path"] for page in obstore.list(self._place.store, folder) for each in page)
        commits = [each for each in commits if each.endswith(f"{version[0]:>020}.json" if version else ".json")]
        got = summary(bytes(obstore.get(self._place.store, commits[-1]).bytes()).decode())
        if [got] != list(record.expected):
            raise record.fail("\n".join(record.expected), got)

    def file_(self, record: Record) -> None:
        """``file <path>``"""
        path = f"root/{record.argument}".replace("root/../", "")
        obstore.put(self._place.store, path, f"{record.body}\n".encode())

    def files(self) -> set[tuple[object, ...]]:
        """All objects below the root."""
        found = (each for page in obstore.list(self._place.store, "root/") for each in page)
        return {(each["path"], each["size"], each["last_modified"]) for each in found}

    def reconnect(self, record: Record) -> None:
        """``reconnect [read_only]``"""
        self.con.close()
        self.con = self._place.connect(read_only=record.argument == "read_only")

    def _text(self, text: str) -> str:
        text = text.replace("file://${root}", "${root}").replace("/land/..", "")
        return text.replace("${root}/..", self._place.url).replace("${root}", f"{self._place.url}/root")


def _on_s3(bucket: Bucket) -> Place:
    keys = {"access_key_id": bucket.key, "secret_access_key": bucket.secret, "region": "us-east-1"}
    store = S3Store(bucket.name, endpoint=bucket.server.url, client_options={"allow_http": True}, **keys)
    return Place(bucket.url, bucket.options, store)


def _on_azure(server: Server, container: str) -> Place:
    keys = {"account_name": ACCOUNT, "account_key": KEY}
    store = AzureStore(container, endpoint=f"{server.url}/{ACCOUNT}", client_options={"allow_http": True}, **keys)
    return Place(f"az://{container}", {**keys, "use_emulator": "true"}, store)


def _run(place: Place, file: Path) -> None:
    run = StoreRun(place)
    try:
        run.file(file)
    except Mismatch as mismatch:
        pytest.fail(str(mismatch), pytrace=False)


@pytest.mark.parametrize("file", [each for each in _FILES if SOAK or each.stem in _ALWAYS], ids=lambda file: file.stem)
def test_on_s3(file: Path, s3: Bucket) -> None:
    _run(_on_s3(s3), file)


@only_in_soak
@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_on_azure(file: Path, azure_server: Server, container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", azure_server.url)  # DataFusion's store knows this, and no endpoint.
    _run(_on_azure(azure_server, container), file)
