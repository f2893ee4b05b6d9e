"""Sail: Spark's SQL in Rust, a server process on loopback and Spark Connect's client."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pysail  # noqa: F401 (the server, started by its command)
from pyspark.sql import SparkSession

if TYPE_CHECKING:
    import pyarrow as pa

_STARTS_IN = 30.0


class Sail:
    """See the module."""

    libraries = ("pysail", "pyspark-client")
    how = "temporary views over read.format('delta'), a server of its own on 127.0.0.1"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [str(Path(sys.executable).with_name("sail")), "spark", "server", "--port", str(port)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(port, self._server)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # about pandas, which isn't used here
                self._spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
            for name, path in tables.items():
                self._spark.read.format("delta").load(str(path)).createOrReplaceTempView(name)
        except BaseException:
            self._end()
            raise

    def run(self, sql: str) -> pa.Table:
        return self._spark.sql(sql).toArrow()

    def close(self) -> None:
        self._end()  # The session goes with its server; to stop it, a client tries again and again where that is gone.

    def _end(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _STARTS_IN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Sail's server didn't start (exit code {server.poll()})") from None
            time.sleep(0.05)
        else:
            return
