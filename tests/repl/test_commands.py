"""The commands, over a shell that is only a note pad, and over a real one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from deltasql.errors import InterfaceError
from deltasql.repl.commands.registry import COMMANDS, run_command


class Pad(SimpleNamespace):
    """What a command asked of the shell."""

    def __init__(self) -> None:
        super().__init__(ran=[], told=[], format="table", timing=False, echo=False, left=False, typed="", result=None)
        self.null, self.width, self.rows, self.pager, self.output = "NULL", None, 100, None, None

    def statement(self, sql: str) -> None:
        self.ran.append(sql.strip())

    def statements(self, text: str, *, script: bool = False) -> None:
        self.ran.append((text, script))

    def tell(self, words: str) -> None:
        self.told.append(words)


def after(*texts: str) -> Pad:
    pad = Pad()
    for text in texts:
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
        (r"\dn", "SHOW SCHEMAS"),
        (".views", "SHOW VIEWS"),
        (r"\dv sales", "SHOW VIEWS IN sales"),
        (".explain DELETE FROM t", "EXPLAIN DELETE FROM t"),
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
    assert after(".mode").told[0].startswith("mode is table; there are table, csv, ")


@pytest.mark.parametrize(
    ("texts", "attribute", "value", "told"),
    [
        ([r"\x"], "format", "vertical", "mode is vertical"),
        ([r"\x", r"\x"], "format", "table", "mode is table"),
        ([r"\x off"], "format", "table", "mode is table"),
        ([".rows 1000"], "rows", 1000, "rows shown: 1,000"),
        ([".rows ALL"], "rows", None, "rows shown: all"),
        ([".rows"], "rows", 100, "rows shown: 100"),
        ([".width 120"], "width", 120, "width is 120"),
        ([".width 120", ".width auto"], "width", None, "width is auto"),
        ([".null ∅"], "null", "∅", "NULL is shown as `∅`"),
        ([".null ''"], "null", "", "NULL is shown as ``"),
        ([".echo"], "echo", True, "echo is on"),
        ([".echo on", ".echo off"], "echo", False, "echo is off"),
        ([".pager cat -n"], "pager", ("cat", "-n"), "pager is cat -n"),
        ([".pager cat", ".pager off"], "pager", None, "pager is off"),
        ([".pager"], "pager", None, "pager is off"),
    ],
)
def test_looks(texts, attribute, value, told):
    pad = after(*texts)
    assert getattr(pad, attribute) == value
    assert pad.told[-1] == told


@pytest.mark.parametrize(
    ("environment", "pager"), [({"PAGER": "more"}, ("more",)), ({"DELTASQL_PAGER": ""}, ("less", "-RSX"))]
)
def test_the_usual_pager(environment, pager, monkeypatch):
    monkeypatch.delenv("PAGER", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert after(".pager on").pager == pager


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (".hlep", "unknown command `.hlep`", "did you mean `.help`?"),
        (".foo", "unknown command `.foo`", "`.help` shows the commands"),
        (".", "unknown command `.`", "`.help` shows the commands"),
        (r"\z", r"unknown command `\z`", None),
        (r"\x maybe", r"`\x` takes `on` or `off`, not `maybe`", None),
        (".rows 0", "`.rows` takes a whole number from 1 on, or `all`, not `0`", None),
        (".width -3", "`.width` takes a whole number from 1 on, or `auto`, not `-3`", None),
        (".width ²", "`.width` takes a whole number from 1 on, or `auto`, not `²`", None),
        (".pager no-such-pager -x", "there is no command `no-such-pager`", "`.pager on` takes the usual"),
        (".pager 'less", "`'less` is no command: a quote isn't closed", None),
        (".echo maybe", "`.echo` takes `on` or `off`, not `maybe`", None),
        (".explain", "no statement was typed yet", None),
        (".save x.csv", "there is no result to save", "run a query first"),
        (".save x.sql", "no statement was typed yet", None),
        (".save", "`.save` takes the path of a file", None),
        (".output /no/such/r.csv", "can't write `/no/such/r.csv`: No such file or directory", None),
        (".edit ''", "`.edit` takes the path of a file", None),
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


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.names[0])
def test_every_command_is_in_the_docs(command):
    page = (Path(__file__).parents[2] / "docs" / "repl.md").read_text(encoding="utf-8").replace(r"\|", "|")
    names = [name for name in command.names if not name.isalpha()]
    assert f"| `{command.usage}` " in page
    assert not [name for name in names if f"`{name}" not in page]


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


# -- over a real shell


def test_schema(shell, capfd):
    shell.run("CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE \"odd one\" (id INT COMMENT 'a\x1b[2J')")
    shell.run(".schema orders")
    out = capfd.readouterr().out
    assert out.startswith("CREATE TABLE main.default.orders (\n")
    assert out.endswith("USING DELTA;\n")
    shell.run(".schema")
    out = capfd.readouterr().out
    assert out.count("CREATE ") == 3
    assert r"a\x1b[2J" in out
    shell.run(".schema nope")
    assert "there is no table `nope`" in capfd.readouterr().err


def test_null_is_no_escape(shell, capfd):
    shell.run(".null \x1b[2J")
    assert "`.null` takes text without control characters" in capfd.readouterr().err
    shell.run("SELECT CAST(NULL AS INT) AS a;")
    assert capfd.readouterr().out.splitlines()[2] == "NULL"


@pytest.mark.parametrize("command", [".save", ".output"])
def test_an_extension_that_no_format_has(shell, capfd, tmp_path, command):
    shell.run("SELECT 1 AS a;")
    shell.run(f"{command} {tmp_path / 'r.xlsx'}")
    assert "no format writes .xlsx files" in capfd.readouterr().err
    assert not (tmp_path / "r.xlsx").exists()


def test_null_width_and_rows(shell, capfd, monkeypatch):
    shell.run(".null -")
    shell.run("SELECT CAST(NULL AS INT) AS a;")
    assert capfd.readouterr().out.splitlines()[2] == "-"
    shell.run(".width 20")
    shell.run(f"SELECT '{'x' * 50}' AS a;")
    assert {len(line) for line in capfd.readouterr().out.splitlines()[:3]} == {1, 20}


def test_echo(shell, capfd, tmp_path):
    (tmp_path / "two.sql").write_text("SELECT 1 AS a; SELECT 2\n AS b")
    shell.run(".echo on")
    shell.run(f".read {tmp_path / 'two.sql'}")
    assert capfd.readouterr().err.splitlines()[1:] == ["SELECT 1 AS a;", "SELECT 2", " AS b;"]


class TestOutput:
    def test_results_go_to_a_file_until_they_dont(self, shell, capfd, tmp_path):
        file = tmp_path / "my r.csv"
        shell.run(f".output '{file}'")
        assert capfd.readouterr().err == f"results go to {file}, as csv\n"
        shell.run("SELECT 1 AS a; SET time_zone = 'UTC'; SELECT 2 AS a;")
        assert capfd.readouterr() == ("", "SET\n")
        assert file.read_text() == "a\n1\n\na\n2\n"
        shell.run(".output")
        shell.format = "csv"
        shell.run("SELECT 3 AS a;")
        assert capfd.readouterr() == ("a\n3\n", "results go to the screen\n")
        assert file.read_text() == "a\n1\n\na\n2\n"

    def test_no_extension_is_the_mode(self, shell, tmp_path):
        shell.run(".mode json")
        shell.run(f".output {tmp_path / 'r'}")
        shell.run("SELECT 1 AS a;")
        assert (tmp_path / "r").read_text() == '[\n{"a": 1}\n]\n'

    def test_parquet_holds_one(self, shell, capfd, tmp_path):
        shell.run(f".output {tmp_path / 'r.parquet'}")
        shell.run("SELECT 1 AS a; SELECT 2 AS a;")
        assert "parquet holds one" in capfd.readouterr().err
        assert shell.connection.sql(f"SELECT * FROM read_parquet('{tmp_path / 'r.parquet'}')").fetchall() == [(1,)]

    def test_a_file_that_cant_be_written_leaves_the_screen(self, shell, capfd, tmp_path):
        shell.run(f".output {tmp_path / 'a.csv'}")
        shell.run(f".output {tmp_path}")
        assert "Is a directory" in capfd.readouterr().err
        assert shell.output is None


class TestSave:
    def test_the_last_result(self, shell, capfd, tmp_path):
        shell.run("SELECT id FROM orders ORDER BY id; SET time_zone = 'UTC';")
        shell.run(f".save {tmp_path / 'r.json'}")
        assert f"saved the result to {tmp_path / 'r.json'}, as json" in capfd.readouterr().err
        assert (tmp_path / "r.json").read_text() == '[\n{"id": 1},\n{"id": 2}\n]\n'
        shell.run(f".save {tmp_path / 'r'}")
        assert (tmp_path / "r").read_text() == "id\n1\n2\n"

    def test_the_statement(self, shell, tmp_path):
        shell.run("SELECT 'é' AS a;")
        shell.run(".timing")
        shell.run(f".save {tmp_path / 'r.SQL'}")
        assert (tmp_path / "r.SQL").read_text(encoding="utf-8") == "SELECT 'é' AS a;\n"

    def test_what_fails_leaves_no_file(self, shell, capfd, tmp_path):
        shell.run("SELECT 1 AS a, 'x' AS a;")
        (tmp_path / "r.parquet").write_text("before")
        shell.run(f".save {tmp_path / 'r.parquet'}")
        assert "error: " in capfd.readouterr().err
        assert (tmp_path / "r.parquet").read_text() == "before"
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["r.parquet"]


class TestEdit:
    @pytest.fixture(autouse=True)
    def editor(self, tmp_path, monkeypatch):
        """An editor that writes what the test says to the file."""
        script = tmp_path / "my editor.sh"
        script.write_text('#!/bin/sh\n[ -z "$WRITES" ] || printf %s "$WRITES" > "$1"\nexit ${ENDS:-0}\n')
        script.chmod(0o700)
        monkeypatch.setenv("DELTASQL_EDITOR", f"'{script}'")

    def test_what_changed_runs_and_is_the_last_one(self, shell, capfd, monkeypatch):
        monkeypatch.setenv("WRITES", "SELECT 2 AS two")
        shell.format = "csv"
        shell.run("SELECT 1 AS one;")
        shell.run(".edit")
        assert capfd.readouterr().out == "one\n1\ntwo\n2\n"
        assert shell.typed == "SELECT 2 AS two"

    def test_it_asks_as_if_typed(self, shell, monkeypatch):
        monkeypatch.setenv("WRITES", "DELETE FROM orders")
        shell.run(r"\e")
        assert len(shell.questions) == 1

    def test_what_is_as_it_was_doesnt_run(self, shell, capfd):
        shell.run("INSERT INTO orders VALUES (3, 'c')")
        shell.run(".edit")
        assert "nothing was done" in capfd.readouterr().err
        assert shell.connection.sql("SELECT count(*) FROM orders").fetchone() == (3,)

    def test_an_editor_that_fails(self, shell, capfd, monkeypatch):
        monkeypatch.setenv("WRITES", "SELECT 2")
        monkeypatch.setenv("ENDS", "3")
        shell.run(".edit")
        out, err = capfd.readouterr()
        assert (out, "ended with 3, so nothing was run" in err) == ("", True)
        monkeypatch.setenv("DELTASQL_EDITOR", "/no/such/editor")
        shell.run(".edit")
        assert "can't be run" in capfd.readouterr().err

    def test_a_file(self, shell, capfd, monkeypatch, tmp_path):
        monkeypatch.setenv("WRITES", "SELECT 4 AS four")
        shell.format = "csv"
        shell.run(f".edit {tmp_path / 'q.sql'}")
        assert capfd.readouterr().out == "four\n4\n"
        assert (tmp_path / "q.sql").read_text() == "SELECT 4 AS four"


def test_explain_the_last_statement(shell, capfd):
    shell.run("DELETE FROM orders WHERE id = 1")
    shell.run(".explain")
    assert "delete where" in capfd.readouterr().out
    assert shell.connection.table("orders").version() == 2


class TestOpen:
    def test_another_root(self, shell, capfd, tmp_path):
        shell.run("SET time_zone = 'Europe/Berlin'; SET deltasql.commit.user_metadata = 'it''s mine';")
        first = shell.connection
        shell.run(f".open '{tmp_path / 'other one'}'")
        try:
            assert "which the first write makes" in capfd.readouterr().err
            settings = shell.connection.session.settings
            assert (settings["time_zone"], settings["deltasql.commit.user_metadata"]) == ("Europe/Berlin", "it's mine")
            shell.run("CREATE TABLE t (id INT); SHOW TABLES;")
            assert "│ t " in capfd.readouterr().out
            assert "closed" in repr(first)
        finally:
            shell.close()
        assert "closed" in repr(shell.connection)

    def test_read_only_stays(self, shell, capfd, tmp_path):
        with type(shell.connection)(shell.connection.root, read_only=True) as shell.connection:
            shell.run(f".open {tmp_path / 'other'}")
            shell.run("CREATE TABLE t (id INT);")
        assert "read-only" in capfd.readouterr().err
        shell.close()

    def test_what_is_no_folder_changes_nothing(self, shell, capfd, tmp_path):
        (tmp_path / "file").touch()
        before = shell.connection
        shell.run(f".open {tmp_path / 'file'}")
        shell.run(".open")
        assert capfd.readouterr().err.count("error: ") == 2
        assert shell.connection is before
        assert before.sql("SELECT 1").fetchone() == (1,)
