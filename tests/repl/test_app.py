"""The whole prompt: key strokes in, bytes out; once in a real terminal."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import pexpect
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import deltasql.errors
from deltasql.repl.app import run
from deltasql.repl.history import open_history

CTRL_C, CTRL_D, ESCAPE = "\x03", "\x04", "\x1b"
TIMEOUT = 60


@pytest.fixture
def typed(connection, capfd):
    """Run a session over key strokes and give what it wrote to stdout and stderr, the greeting left out."""

    def type_(keys: str, **options: str) -> tuple[str, str]:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            assert run(connection, format="csv", greeting="hello", **options) == 0
        out, err = capfd.readouterr()
        assert err.startswith("hello\n")
        return out, err.removeprefix("hello\n")

    return type_


def test_a_statement_over_lines(typed):
    assert typed("SELECT id\rFROM orders -- ;\rORDER BY 1;\r.quit\r") == ("id\n1\n2\n", "")


def test_ctrl_d_leaves(typed):
    assert typed(CTRL_D) == ("", "")


def test_ctrl_c_drops_what_was_typed(typed):
    assert typed(f"SELECT 'open\r{CTRL_C}SELECT 1 AS a;\r{CTRL_D}") == ("a\n1\n", "")


def test_alt_enter_sends_as_it_is(typed):
    assert typed(f"SELECT 1 AS a{ESCAPE}\r{CTRL_D}") == ("a\n1\n", "")


def test_a_paste_of_several_lines_waits_for_enter(typed):
    assert typed(f"\x1b[200~SELECT 1 AS a;\nSELECT 2 AS b;\x1b[201~{CTRL_C}{CTRL_D}") == ("", "")


@pytest.mark.parametrize(("answer", "rows"), [("y\r", 0), ("\r", 2), ("no\r", 2), (CTRL_C, 2), (CTRL_D, 2)])
def test_questions(typed, connection, answer, rows):
    typed(f"DELETE FROM orders;\r{answer}{CTRL_D}")
    assert len(connection.sql("SELECT * FROM orders").fetchall()) == rows


def test_history_is_the_persons_own(typed, person):
    typed(f"SELECT 1 AS a;\r{CTRL_D}")
    file = person / "state" / "deltasql" / "history"
    assert "+SELECT 1 AS a;\n" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert typed(f"\x10\r{CTRL_D}") == ("a\n1\n", "")


def test_history_that_cant_be_kept(tmp_path):
    (tmp_path / "file").touch()
    assert isinstance(open_history(tmp_path / "file" / "history"), InMemoryHistory)


def test_history_that_fails_later(tmp_path):
    history = open_history(tmp_path / "history")
    (tmp_path / "history").unlink()
    (tmp_path / "history").mkdir()
    history.append_string("SELECT 1;")
    assert list(history.load_history_strings()) == []


# -- in a terminal


@pytest.fixture
def terminal(connection, person):
    """A `deltasql` in a pseudo-terminal, at its first prompt."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1]),
        "TERM": "xterm",
        "NO_COLOR": "1",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    child = pexpect.spawn(
        sys.executable,
        ["-m", "deltasql", str(connection.root)],
        env=environment,
        dimensions=(40, 100),
        timeout=TIMEOUT,
        encoding="utf-8",
    )
    child.delaybeforesend = None
    try:
        child.expect("`.help` shows the commands")
        child.expect("deltasql>")
        yield child
    finally:
        child.close(force=True)


def enter(child: pexpect.spawn, *lines: str) -> None:
    child.send("".join(f"{line}\r" for line in lines))


def answered(child: pexpect.spawn, *words: str) -> None:
    """The words come in order, and then the next prompt."""
    for word in words:
        child.expect(re.escape(word))
    child.expect("deltasql>")


def test_a_session(terminal):
    enter(terminal, "SELECT id, name", "FROM orders", "ORDER BY id;")
    answered(terminal, "...> ", "id │ name", "1 │ a", "2 │ b", "(2 rows)")
    enter(terminal, "SELECT * FROM ordrs;")
    answered(terminal, "there is no table `ordrs`", "|               ^^^^^", "did you mean `orders`?")
    enter(terminal, ".tables")
    answered(terminal, "tableName", "orders", "(1 row)")
    enter(terminal, ".tabels")
    answered(terminal, "unknown command `.tabels`", "did you mean `.tables`?")
    terminal.send("SELECT 'unclosed" + CTRL_C)
    enter(terminal, ".timing on")
    answered(terminal, "timing is on")
    enter(terminal, "DELETE FROM orders;")
    terminal.expect(re.escape("Delete all rows of `orders`? [y/N]"))
    enter(terminal, "")
    answered(terminal, "nothing was done")
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0


def test_a_statement_is_interrupted_and_the_prompt_goes_on(terminal):
    enter(terminal, "SELECT count(*) FROM range(0, 1000000000000);")
    for _ in range(TIMEOUT):  # one that comes before the statement runs only clears the prompt
        terminal.send(CTRL_C)
        if terminal.expect(["interrupted", pexpect.TIMEOUT], timeout=1) == 0:
            break
    answered(terminal)
    enter(terminal, ".mode")
    answered(terminal, "mode is table")
    terminal.send(CTRL_D)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0
