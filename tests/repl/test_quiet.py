"""Keys that are typed while a statement runs: not over its bar, and not lost; Ctrl-Z, and the terminal as it was."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

import deltasql.errors
from deltasql.repl.quiet import quiet

TIMEOUT = 60
ENDLESS = "SELECT count(*) FROM range(0, 1000000000000)"
SOME_SECONDS = "SELECT count(*) AS counted FROM range(0, 400000000)"
BASH = shutil.which("bash")


@pytest.fixture
def spawn(person: Path) -> Iterator[Callable[..., pexpect.spawn]]:
    """Start a program in a pseudo-terminal."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1]),
        "TERM": "xterm",
        "NO_COLOR": "1",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "DELTASQL_PAGER": "cat",
        "DELTASQL_EDITOR": "sh -c 'stty -a'",
        "PS1": "the shell> ",
    }
    children = []

    def start(program: str, *arguments: str) -> pexpect.spawn:
        child = pexpect.spawn(
            program, list(arguments), env=environment, dimensions=(40, 100), timeout=TIMEOUT, encoding="utf-8"
        )
        child.delaybeforesend = None
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def test_keys_wait_for_the_next_prompt(spawn, connection):
    child = spawn(sys.executable, "-m", "deltasql", str(connection.root))
    child.expect("deltasql>")
    child.send(f"{SOME_SECONDS};\r")
    child.expect(r"SELECT  0:0\d")
    child.send("SELECT 6 * 7 AS typed\r, 'ahead' AS too;\rSELECT 'ha")
    child.expect("counted")
    assert "typed" not in child.before
    assert "ahead" not in child.before
    child.expect(re.escape("(1 row, "))
    child.expect(re.escape("42 │ ahead"))
    child.expect(re.escape("(1 row, "))
    child.expect("SELECT")
    child.send("lf' AS half;\r")
    child.expect(r"half *\r\n")
    child.send("\x04")
    child.expect(pexpect.EOF)


@pytest.mark.skipif(BASH is None, reason="needs a shell that holds jobs")
@pytest.mark.parametrize("arguments", ["", f"-c '{ENDLESS}'"])
def test_ctrl_z_gives_the_terminal_back(spawn, connection, arguments):
    shell = spawn(str(BASH), "--norc", "--noediting", "-i")
    shell.expect("the shell> ")
    shell.send(f"'{sys.executable}' -m deltasql '{connection.root}' {arguments}\r")
    if not arguments:
        shell.expect("deltasql>")
        shell.send(f"{ENDLESS};\r")
    shell.expect(r"(SELECT|running)  0:0\d")
    for _ in range(2):
        shell.send("\x1a")
        shell.expect("Stopped.*the shell> ")
        shell.send("stty -a\r")
        shell.expect(r"[^-]icanon\b.*[^-]echo\b.*the shell> ")
        shell.send("fg\r")
        shell.expect(r"(SELECT|running)  0:\d\d")
    shell.send("unseen")
    shell.expect(r"(SELECT|running)  0:\d\d")
    assert "unseen" not in shell.before
    shell.send("\x03")
    if not arguments:
        shell.expect("interrupted")
        shell.expect("deltasql>")
        shell.send("\x1a")
        shell.expect("Stopped.*the shell> ")
        shell.send("fg\r")
        shell.expect("deltasql>")
        shell.send("\x04")
    shell.expect("the shell> ")
    shell.send("echo code=$?; stty -a; exit\r")
    shell.expect("code=0" if not arguments else "code=130")
    shell.expect(r"[^-]icanon\b.*[^-]echo\b")
    shell.expect(pexpect.EOF)


def test_a_pager_and_an_editor_have_the_terminal_as_it_was(spawn, connection):
    child = spawn(sys.executable, "-m", "deltasql", str(connection.root))
    child.expect("deltasql>")
    child.send(""".pager sh -c 'cat > /dev/null; stty -a < /dev/tty'\r""")
    child.expect("deltasql>")
    child.send("SELECT * FROM range(0, 1000);\r")
    child.expect(r"[^-]icanon\b.*[^-]echo\b.*deltasql>")
    child.send(".edit\r")
    child.expect(r"[^-]icanon\b.*[^-]echo\b.*nothing was done")
    child.expect("deltasql>")
    child.send(f"{SOME_SECONDS};\r")
    child.expect(r"SELECT  0:0\d")
    child.send("unseen")
    child.expect("counted")
    assert "unseen" not in child.before
    child.send("\x03\x04")
    child.expect(pexpect.EOF)


def test_what_is_no_terminal_is_let_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with quiet(keys=True):
        pass
    with Path(os.devnull).open(encoding="utf-8") as nothing, quiet(keys=True):
        monkeypatch.setattr(sys, "stdin", nothing)
        with quiet(keys=False):
            pass
    with quiet(keys=True):  # closed by now
        pass
