from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import deltasql
import deltasql.errors
from deltasql.config import VARIABLES

FAKE = Path(__file__).with_name("fake.py")
ROOT = Path(deltasql.errors.__file__).parents[1]


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def nothing_set_down(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`deltasql.connect` gives a connection that runs nothing; the result says what it was asked."""
    names = SimpleNamespace(**runpy.run_path(str(FAKE)))
    monkeypatch.setattr(deltasql, "connect", names.connect, raising=False)
    return names


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes on stdin."""

    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Make one of the three streams a terminal; the result is it."""

    def become(name: str, content: bytes = b"") -> Terminal:
        stream = Terminal(content)
        monkeypatch.setattr(sys, name, stream)
        monkeypatch.setenv("COLUMNS", "80")
        return stream

    return become


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the command with the fake connection in a process of its own."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        return subprocess.run(
            [sys.executable, str(FAKE), *arguments],
            check=False,
            capture_output=True,
            env=environment,
            timeout=60,
            **{name: value for name, value in options.items() if value is not None},
        )

    return run
