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
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import deltasql.errors
from deltasql.repl.app import run
from deltasql.repl.history import open_history
from deltasql.repl.keys import editing_mode

CTRL_C, CTRL_D, ESCAPE = "\x03", "\x04", "\x1b"
TIMEOUT = 60


@pytest.fixture
def typed(connection, capfd):
    """Run a session over key strokes and give what it wrote to stdout and stderr, the greeting left out."""

    def type_(keys: str, **options: str) -> tuple[str, str]:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            assert run(lambda: connection, format="csv", greeting="hello", **options) == 0
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


BINARY = bytes(range(256)) * 4


@pytest.mark.parametrize(
    "paste", [BINARY, b"\x1b[200~" + BINARY.replace(b"\x1b", b"") + b"\x1b[201~", b"'\xff\xfe", b"\xed\xa0\x80;"]
)
def test_a_binary_paste_is_dropped_by_ctrl_c(connection, capfd, paste):
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        keys = paste.replace(b"\x04", b"").replace(b"\x1a", b"")  # Ctrl-D leaves, Ctrl-Z would hold the test itself
        pipe.send_bytes(keys + b"\x03\x03\x03")
        pipe.send_text(f"SELECT 1 AS a;\r{CTRL_D}")
        assert run(lambda: connection, format="csv", greeting="hello") == 0
    assert capfd.readouterr().out.endswith("a\n1\n")


def test_bytes_that_are_no_text_are_sent_and_kept_as_question_marks(connection, capfd, person):
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_bytes(b"SELECT '\xff\xfe' AS a;\r")
        pipe.send_text(CTRL_D)
        assert run(lambda: connection, format="csv", greeting="hello") == 0
    assert capfd.readouterr().out == "a\n??\n"
    assert "+SELECT '??' AS a;\n" in (person / "state" / "deltasql" / "history").read_text()


def test_brackets_and_menus_are_drawn_while_typing(typed):
    left, right = "\x1b[D", "\x1b[C"
    keys = f"SELECT (1) AS a, upper('x('){left}{right} AS b;\r{CTRL_D}"
    assert typed(keys) == ("a,b\n1,X(\n", "")


def test_vis_keys(typed, monkeypatch, person):
    (person / ".inputrc").write_text("# mine\nset editing-mode vi\n")
    assert editing_mode() is EditingMode.VI
    assert typed(f"SELECT 1 AS ab;{ESCAPE}hx\r{CTRL_D}") == ("a\n1\n", "")
    monkeypatch.setenv("DELTASQL_KEYS", "emacs")
    assert editing_mode() is EditingMode.EMACS


def test_f4_changes_the_keys(typed):
    f4 = "\x1bOS"
    assert typed(f"{f4}SELECT 1 AS ab;{ESCAPE}hx\r{f4}SELECT 2 AS c;\r{CTRL_D}") == ("a\n1\nc\n2\n", "")


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


def test_history_that_cant_be_written_is_still_there(tmp_path, monkeypatch):
    file = tmp_path / "history"
    open_history(file).append_string("SELECT 1;")
    before = file.read_bytes()
    really = open

    def refusing(name, mode="r", *more, **named):
        if str(name) == str(file) and mode != "rb":
            raise PermissionError(13, "Permission denied", name)
        return really(name, mode, *more, **named)

    monkeypatch.setattr("builtins.open", refusing)  # a test may run as root, whom no mode stops
    history = open_history(file)
    history.append_string("SELECT 2;")
    assert history.get_strings()[-1] == "SELECT 2;"
    assert list(history.load_history_strings()) == ["SELECT 1;"]
    assert file.read_bytes() == before


def test_without_a_home_nothing_is_kept_and_nothing_made(monkeypatch, tmp_path):
    for name in ("HOME", "XDG_STATE_HOME", "INPUTRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as it is for a user whom nobody knows
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_history(), InMemoryHistory)
    assert editing_mode() is EditingMode.EMACS
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_history_that_fails_later(tmp_path):
    history = open_history(tmp_path / "history")
    (tmp_path / "history").unlink()
    (tmp_path / "history").mkdir()
    history.append_string("SELECT 1;")
    assert list(history.load_history_strings()) == []


# -- in a terminal


@pytest.fixture
def terminal(connection, person, request):
    """A `deltasql` in a pseudo-terminal, at its first prompt."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1]),
        "TERM": getattr(request, "param", "xterm"),
        "NO_COLOR": "1",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "DELTASQL_PAGER": "cat",
    }
    child = pexpect.spawn(
        sys.executable,
        ["-m", "deltasql", str(connection.root)],
        env=environment,
        dimensions=(40, 100),
        timeout=TIMEOUT,
        encoding="utf-8",
        codec_errors="surrogateescape",
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
    answered(terminal, "...> ", "id │ name", "int │ string", "1 │ a", "2 │ b", "(2 rows, ")
    enter(terminal, "SELECT * FROM ordrs;")
    answered(terminal, "there is no table `ordrs`", "|               ^^^^^", "did you mean `orders`?")
    enter(terminal, ".tables")
    answered(terminal, "tableName", "orders", "(1 row, ")
    enter(terminal, ".tabels")
    answered(terminal, "unknown command `.tabels`", "did you mean `.tables`?")
    terminal.send("SELECT 'unclosed" + CTRL_C)
    enter(terminal, ".timing on")
    answered(terminal, "timing is on")
    enter(terminal, "DELETE FROM orders;")
    terminal.expect(r"Delete all 2 rows of `orders`.*\[y/N\]")
    enter(terminal, "")
    answered(terminal, "nothing was done")
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0


def interrupt(child: pexpect.spawn, said: str) -> None:
    """Press Ctrl-C until it is said what became of the statement: before it runs, it only clears the prompt."""
    for _ in range(TIMEOUT):
        child.send(CTRL_C)
        if child.expect([re.escape(said), pexpect.TIMEOUT], timeout=2) == 0:
            break
    answered(child)


def test_complete_run_err_interrupt_resume_leave(terminal):
    complete(terminal, "SELECT count(*) AS all_of_them FROM orde", "orders")
    enter(terminal, ";")
    answered(terminal, "all_of_them", "2", "(1 row, ")
    enter(terminal, "SELECT nme FROM orders;")
    answered(terminal, "there is no column `nme`", "^^^", "hint: did you mean `name`?")
    enter(terminal, "SELECT count(*) FROM range(0, 1000000000000);")
    interrupt(terminal, "interrupted")
    enter(terminal, "SELECT 6 * 7 AS resumed;")
    answered(terminal, "resumed", "42")
    terminal.send(CTRL_D)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0


def test_nothing_odd_ends_the_prompt(terminal):
    enter(terminal, "SELECT (1 +", "'half")
    terminal.send(CTRL_C)
    terminal.send("\x1b[200~" + "".join(map(chr, range(27))) + "\x7f\udcff'\x1b[201~" + CTRL_C)
    enter(terminal, "SELECT repeat('x', 3000000) AS huge, repeat('y' || chr(10), 100000) AS lines;")
    answered(terminal, "huge", "xxx…", "⋮", "(1 row, ")
    enter(terminal, ".rows all")
    answered(terminal, "rows shown: all")
    enter(terminal, "SELECT value, repeat('z', 60) AS z FROM range(0, 100000000);")
    terminal.expect("zzz")
    interrupt(terminal, "interrupted")
    enter(terminal, "SELECT 6 * 7 AS alive;")
    answered(terminal, "alive", "42")
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)


@pytest.mark.parametrize("terminal", ["dumb"], indirect=True)
def test_a_dumb_terminal(terminal):
    enter(terminal, "SELECT id", "FROM orders ORDER BY id;")
    answered(terminal, "(2 rows, ")
    enter(terminal, "SELECT * FROM ordrs;")
    answered(terminal, "there is no table `ordrs`")
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)
    assert "\x1b" not in terminal.before


def complete(child: pexpect.spawn, typed: str, word: str) -> None:
    """Press Tab behind ``typed`` until ``word`` comes of it: the names come a moment after the prompt."""
    for _ in range(TIMEOUT):
        child.send(f"\x15{typed}\t")
        if child.expect([re.escape(word), pexpect.TIMEOUT], timeout=2) == 0:
            return
    raise AssertionError(f"{word} never came")


def test_tab_completes_where_nothing_is_typed(terminal):
    """What is looked for as one types has nothing there, and may still be on its way."""
    complete(terminal, "SELECT count(*) AS n FROM orders VERSION AS OF ", "WRITE")
    enter(terminal, ";")
    answered(terminal, "n", "2", "(1 row, ")
    terminal.send("SELECT count(*) AS n FROM orders VERSION AS OF \t")
    terminal.expect("WRITE")
    terminal.send(CTRL_C)
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)


def test_tab_completes_a_command(terminal):
    complete(terminal, ".mo", ".mode")
    enter(terminal, " csv", ".mode")
    answered(terminal, "mode is csv")
    enter(terminal, ".quit")
    terminal.expect(pexpect.EOF)
