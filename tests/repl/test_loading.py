"""The prompt is there before the engine, and what goes wrong with the engine is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import deltasql.errors
from deltasql.errors import ConfigError
from deltasql.repl.app import run
from deltasql.repl.loading import Loading

HEAVY = {"pyarrow", "datafusion", "deltalake", "sqlglot", "pandas", "numpy"}


@pytest.fixture
def typed(capfd):
    """Run a session that opens its connection by ``open``, over key strokes; give its code, stdout and stderr."""

    def type_(open, keys: str) -> tuple[int, str, str]:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            code = run(open, format="csv", greeting="hello")
        return code, *capfd.readouterr()

    return type_


def test_the_prompt_loads_no_engine():
    probe = f"import sys, deltasql.repl.app\nsys.exit(' '.join(sorted({HEAVY} & set(sys.modules))))"
    environment = {**os.environ, "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False, env=environment, timeout=60)
    assert done.stderr.decode().strip() == ""


def test_what_is_sent_meanwhile_waits_for_it(typed, connection):
    asked = threading.Event()

    def open():
        asked.wait(0.5)
        return connection

    assert typed(open, "SELECT 1 AS a;\r\x04") == (0, "a\n1\n", "hello\n")


def test_leaving_at_once_waits_for_it(typed, connection):
    opened = []

    def open():
        opened.append(threading.current_thread().name)
        return connection

    assert typed(open, "\x04") == (0, "", "hello\n")
    assert opened == ["deltasql-loading"]


@pytest.mark.parametrize("keys", ["", "SELECT 1;\r"])
def test_what_fails_ends_the_prompt(typed, keys):
    def open():
        raise ConfigError("no such root")

    with pytest.raises(ConfigError, match="no such root"):
        typed(open, keys)


def test_it_begins_once_the_prompt_is_drawn():
    done = threading.Event()
    loading = Loading(lambda: 7, done.set)
    loading.begin()
    loading.drawn()
    assert loading.wait() == 7
    assert done.wait(60)
    assert loading.end() == 7


def test_what_never_began_has_ended():
    assert Loading(lambda: 7, lambda: None).end() is None
