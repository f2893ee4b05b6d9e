"""The commands, over a shell that is only a note pad, and over a real one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from deltasql.errors import InterfaceError
from deltasql.repl.commands.registry import COMMANDS, run_command


class Pad(SimpleNamespace):
    """What a command asked of the shell."""

    def __init__(self) -> None:
        super().__init__(ran=[], told=[], format="table", timing=False, left=False)

    def statement(self, sql: str) -> None:
        self.ran.append(sql.strip())

    def tell(self, words: str) -> None:
        self.told.append(words)


def after(text: str) -> Pad:
    pad = Pad()
    run_command(pad, text)
    return pad


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        (".tables", "SHOW TABLES"),
        (".TABLES ;", "SHOW TABLES"),
        (".tables sales", "SHOW TABLES IN sales"),
        (r"\dt", "SHOW TABLES"),
        (r"\d", "SHOW TABLES"),
        (r"\d orders", "DESCRIBE orders"),
        (".schemas", "SHOW SCHEMAS"),
        (".describe sales.orders;", "DESCRIBE sales.orders"),
        (".history orders", "DESCRIBE HISTORY orders"),
        (".settings time_zone", "SHOW time_zone"),
    ],
)
def test_commands_that_stand_for_a_statement(text, sql):
    assert after(text).ran == [sql]


@pytest.mark.parametrize("text", [".quit", ".exit", r"\q", "exit", "quit;", "QUIT"])
def test_leaving(text):
    assert after(text).left


@pytest.mark.parametrize(
    ("text", "timing"), [(".timing", True), (".timing on", True), (r"\timing OFF", False), (".timing off", False)]
)
def test_timing(text, timing):
    pad = after(text)
    assert pad.timing is timing
    assert pad.told == [f"timing is {'on' if timing else 'off'}"]


def test_mode():
    assert after(".mode CSV").format == "csv"
    assert after(".mode").told == ["mode is table; there are table, csv, tsv, json, jsonl"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (".hlep", "unknown command `.hlep`", "did you mean `.help`?"),
        (".foo", "unknown command `.foo`", "`.help` shows the commands"),
        (".", "unknown command `.`", "`.help` shows the commands"),
        (r"\x", r"unknown command `\x`", None),
        (".mode tabel", "unknown format `tabel`", "did you mean `table`?"),
        (".mode xls", "unknown format `xls`", None),
        (".timing maybe", "`.timing` takes `on` or `off`, not `maybe`", None),
        (".describe", "`.describe` takes the name of a table", "`.tables` lists them"),
        (".read", "`.read` takes the path of a file", None),
        (".read /no/such.sql", "can't read `/no/such.sql`: No such file or directory", None),
        (".read a\0b", "can't read `a\0b`: embedded null byte", None),
        (".help vacum", "no command or statement `vacum`", "did you mean `VACUUM`?"),
    ],
)
def test_wrong_use(text, message, hint):
    with pytest.raises(InterfaceError) as caught:
        after(text)
    assert caught.value.message == message
    assert hint is None or caught.value.hint == hint


def test_a_script_that_is_no_text(tmp_path):
    (tmp_path / "x.sql").write_bytes(b"SELECT \xff")
    with pytest.raises(InterfaceError, match="byte 7 isn't UTF-8"):
        after(f".read {tmp_path / 'x.sql'}")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.names[0])
def test_every_command_has_help(command):
    assert command.usage.split()[0] in command.names
    assert command.summary.endswith(".")
    assert f"{command.usage} " in after(".help").told[0]
    assert after(f".help {command.names[0]}").told[0].startswith(command.usage)


@pytest.mark.parametrize(
    ("text", "grammar"),
    [
        (".help VACUUM", "VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN]"),
        ("help vacuum", "VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN]"),
        (r"\? describe history", "{DESCRIBE | DESC} HISTORY table [LIMIT number]"),
    ],
)
def test_help_on_a_statement(text, grammar):
    assert after(text).told == [grammar]


def test_names_are_unique():
    names = [name for command in COMMANDS for name in command.names]
    assert len(names) == len(set(names))


def test_settings_are_our_own(shell, capfd):
    shell.run(".settings")
    shown = capfd.readouterr().out
    assert "deltasql.reader" in shown
    assert "datafusion." not in shown


def test_files(shell, capsys):
    shell.run(".files orders")
    out = capsys.readouterr().out
    assert "orders version 1: 2 rows" in out
    assert "  id " in out
    assert "OPTIMIZE would do nothing" in out
    shell.run(".files main.default.orders name;")
    out = capsys.readouterr().out
    assert "name █" in out
    assert "  id " not in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".files", "`.files` takes the name of a table"),
        (".files nope", "there is no table `nope`"),
        (".files orders nope", "there is no column `nope`"),
        (".files orders name more", "expected"),
    ],
)
def test_files_that_there_are_none_of(shell, capsys, text, message):
    shell.run(text)
    found = capsys.readouterr()
    assert found.out == ""
    assert message in found.err
