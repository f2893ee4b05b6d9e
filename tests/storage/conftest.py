"""Object stores on loopback, each a process of its own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import http.client
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import deltasql

_SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True)
class Server:
    """The proxy before a store."""

    port: int

    @property
    def url(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send a request of our own."""
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: bytes = answer.read()
            return found

    def requests(self) -> list[dict[str, Any]]:
        """The requests since the last time, in order."""
        found: list[dict[str, Any]] = json.loads(self.ask("GET", "/-/"))
        return found

    @contextmanager
    def mode(self, **mode: Any) -> Iterator[None]:
        """Let it fail in some way."""
        self.ask("POST", "/-/", json.dumps(mode).encode())
        try:
            yield
        finally:
            self.ask("POST", "/-/", b"{}")


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for a test."""

    name: str
    server: Server
    key: str = "AKIATESTKEY"
    secret: str = "planted-secret-access-key"

    @property
    def url(self) -> str:
        """Its root."""
        return f"s3://{self.name}"

    @property
    def options(self) -> dict[str, str]:
        """What opens it."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ALLOW_HTTP": "true",
        }

    def connect(self, below: str = "lake", **options: Any) -> deltasql.Connection:
        """A connection to a root in it."""
        return deltasql.connect(f"{self.url}/{below}", storage_options={**self.options, **options})


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    """The server process; it ends with its standard input, even if we are killed."""
    command = [sys.executable, str(_SERVER), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port, _ = json.loads(process.stdout.readline())
        try:
            yield Server(port)
        finally:
            process.communicate()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    """moto's S3 behind the proxy."""
    pytest.importorskip("moto", reason="moto[server] isn't installed")
    with serving("s3") as server:
        yield server


AZURITE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deltasql" / "azurite"
"""Where ``make test`` puts it, from the npm registry."""


@pytest.fixture(scope="session")
def azure_server() -> Iterator[Server]:
    """Azurite behind the proxy."""
    program = AZURITE / "node_modules" / ".bin" / "azurite-blob"
    node = shutil.which("node")
    if node is None or not program.exists():
        pytest.skip("Azurite isn't there: `make test` gets it where there is npm and a network")
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence", "--loose"]
    with serving("run", node, str(program), *options, "--blobHost", "127.0.0.1", "--blobPort", "PORT") as server:
        yield server


ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, known to all."""


@pytest.fixture
def container(azure_server: Server) -> str:
    """A new container."""
    name = f"container-{uuid.uuid4().hex[:12]}"
    now = dt.datetime.now(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    blank = "\n" * 12
    text = f"PUT{blank}x-ms-date:{now}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": now, "x-ms-version": "2021-08-06", "Content-Length": "0"}
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{signature}"
    with closing(http.client.HTTPConnection("127.0.0.1", azure_server.port)) as connection:
        connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=headers)
        assert connection.getresponse().status == 201
    return name


@pytest.fixture(scope="session")
def google_server() -> Iterator[Server]:
    """moto's S3 behind a proxy that speaks Google's API."""
    pytest.importorskip("moto", reason="moto[server] isn't installed")
    with serving("google") as server:
        yield server


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys but those of the test; and no machine that would be asked who it is."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


def make_bucket(server: Server) -> Bucket:
    """A new bucket."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    server.ask("PUT", f"/{name}")
    server.requests()
    return Bucket(name, server)


@pytest.fixture
def s3(s3_server: Server) -> Bucket:
    """A bucket of S3."""
    return make_bucket(s3_server)


def rows(connection: deltasql.Connection, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows of a statement, in an order of ours."""
    found: list[dict[str, Any]] = connection.sql(sql, params).to_arrow().to_pylist()
    return sorted(found, key=repr)
