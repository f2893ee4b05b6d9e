"""The command in this process, over a connection that runs nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltasql import cli
from deltasql.cli import FAILED, FINE, INTERRUPTED, USAGE, main
from deltasql.output import FORMATS

pytestmark = pytest.mark.usefixtures("fake")

TWO_ROWS = "n,s\n1,row 1\n2,row 2\n"


def test_the_formats_offered_are_those_there_are():
    assert tuple(FORMATS) == cli.FORMAT_NAMES


def test_sources_run_in_the_order_given(fake: SimpleNamespace, tmp_path: Path, stdin, capsys):
    script = tmp_path / "two.sql"
    script.write_text("\ufeffROWS 2;\nNOTHING", encoding="utf-8")
    stdin(b"ROWS 4")
    assert main(["-c", "ROWS 1", "-f", str(script), str(tmp_path), "-f", "-", "-c", "ROWS 3"]) == FINE
    assert fake.ran == ["ROWS 1", "ROWS 2", "NOTHING", "ROWS 4", "ROWS 3"]
    assert capsys.readouterr().err == ""


def test_a_script_on_stdin(stdin, capsys):
    stdin(b"ROWS 2;")
    assert main([]) == FINE
    assert capsys.readouterr().out == TWO_ROWS


def test_an_empty_script_is_fine(stdin, capsys):
    stdin(b"")
    assert main([]) == FINE
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [([], (".", False)), (["lake"], ("lake", False)), (["--read-only", "lake"], ("lake", True))],
)
def test_the_root_and_read_only_reach_connect(fake, arguments, wanted, monkeypatch, capsys):
    asked = []
    connection = fake.connect("x")
    monkeypatch.setattr(
        "deltasql.connect",
        lambda root, *, storage_options, read_only: asked.append((root, read_only)) or connection,
        raising=False,
    )
    assert main([*arguments, "-c", "ROWS 1"]) == FINE
    assert asked == [wanted]


def test_an_empty_line_between_two_results_of_csv_but_not_of_json(capsys):
    assert main(["-c", "ROWS 2; NOTHING; ROWS 2"]) == FINE
    assert capsys.readouterr().out == f"{TWO_ROWS}\n{TWO_ROWS}"
    assert main(["-c", "ROWS 1; ROWS 1", "--format", "jsonl"]) == FINE
    assert capsys.readouterr().out == '{"n": 1, "s": "row 1"}\n' * 2


def test_a_table_on_a_terminal(terminal):
    out = terminal("stdout")
    assert main(["-c", "ROWS 2"]) == FINE
    head = r" {5}n │ s\nbigint │ string\n───────┼───────\n"
    assert re.fullmatch(head + r" {5}1 │ row 1\n {5}2 │ row 2\n\(2 rows, \d+\.\d{3} s\)\n", out.text())


def test_a_large_table_on_a_terminal_is_its_head_and_its_tail(terminal):
    out = terminal("stdout")
    assert main(["-c", "ROWS 100000"]) == FINE
    lines = out.text().splitlines()
    assert (len(lines), lines[3], lines[-2]) == (105, "     1 │ row 1", "100000 │ row 100000")
    assert "(100,000 rows, 100 shown, " in lines[-1]


def test_a_table_on_a_pipe_is_whole_and_untimed(capsys):
    assert main(["-c", "ROWS 20000", "--format", "table"]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (20_003, "(20,000 rows)")


@pytest.mark.parametrize("format", ["arrow", "parquet"])
class TestBinary:
    def test_a_terminal_gets_none(self, format, fake, terminal, capsys):
        terminal("stdout")
        with pytest.raises(SystemExit) as left:
            main(["-c", "ROWS 1", "--format", format])
        assert left.value.code == USAGE
        assert fake.ran == []

    def test_a_file_holds_one_result(self, format, tmp_path, capsys):
        target = tmp_path / f"r.{format}"
        assert main(["-c", "ROWS 1; ROWS 1", "-o", str(target)]) == FAILED
        assert f"error: {format} holds one result" in capsys.readouterr().err
        assert not target.exists()

    def test_statements_without_rows_dont_count(self, format, tmp_path, capsys):
        target = tmp_path / f"r.{format}"
        assert main(["-c", "NOTHING; ROWS 2; NOTHING", "-o", str(target)]) == FINE
        rows = pa.ipc.open_file(target).read_all() if format == "arrow" else pq.read_table(target)
        assert rows.to_pydict() == {"n": [1, 2], "s": ["row 1", "row 2"]}


def test_a_script_stops_at_its_first_error(fake, capsys):
    assert main(["-c", "ROWS 2; \n  x FAIL y; ROWS 3", "-c", "ROWS 4"]) == FAILED
    out, err = capsys.readouterr()
    assert out == TWO_ROWS
    assert fake.ran == ["ROWS 2", "x FAIL y"]
    assert err.splitlines()[0] == "error: no table `ordrs`"
    assert err.splitlines()[-1] == "hint: did you mean `orders`?"


def test_the_rows_before_a_late_error_are_written(capsys):
    assert main(["-c", "LATE"]) == FAILED
    assert capsys.readouterr() == ("n,s\n1,row 1\n", "error: the file is gone\n")


def test_errors_have_colours_on_a_terminal_only(terminal, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    err = terminal("stderr")
    assert main(["-c", "LATE", "-o", "/dev/null"]) == FAILED
    assert err.text() == "\x1b[1;31merror: \x1b[0mthe file is gone\n"
    monkeypatch.setenv("NO_COLOR", "1")
    err = terminal("stderr")
    assert main(["-c", "LATE", "-o", "/dev/null"]) == FAILED
    assert err.text() == "error: the file is gone\n"


@pytest.mark.parametrize("statement", ["CTRL-C", "INTERRUPTED"])
def test_interrupted(statement, capsys):
    assert main(["-c", statement]) == INTERRUPTED


@pytest.mark.parametrize(
    "arguments",
    [["--format", "xls"], ["--nope"], ["a", "b"], ["--demo", "lake"], ["-c"], ["--read", "-c", "ROWS 1"]],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: deltasql")


def test_files_are_read_before_anything_runs(fake, tmp_path, capsys):
    binary = tmp_path / "binary.sql"
    binary.write_bytes(b"ROWS \xff")
    assert main(["-c", "ROWS 1", "-f", str(tmp_path / "none.sql")]) == USAGE
    assert "none.sql`: No such file or directory" in capsys.readouterr().err
    assert main(["-c", "ROWS 1", "-f", str(binary)]) == USAGE
    assert "byte 5 isn't UTF-8" in capsys.readouterr().err
    assert fake.ran == []


def test_a_root_that_connect_refuses_is_wrong_usage(capsys):
    assert main(["bad-root", "-c", "ROWS 1"]) == USAGE
    assert capsys.readouterr().err == "error: `bad-root` is no root\n"


class TestOutputFile:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("r.csv", "n,s\n1,row 1\n"),
            ("r.tsv", "n\ts\n1\trow 1\n"),
            ("r.json", '[\n{"n": 1, "s": "row 1"}\n]\n'),
            ("r.JSONL", '{"n": 1, "s": "row 1"}\n'),
            ("r.ndjson", '{"n": 1, "s": "row 1"}\n'),
            ("r.md", "| n | s |\n| ---: | --- |\n| 1 | row 1 |\n"),
            ("r.txt", "n,s\n1,row 1\n"),
        ],
    )
    def test_its_extension_gives_the_format(self, name, wanted, tmp_path, capsys):
        assert main(["-c", "ROWS 1", "-o", str(tmp_path / name)]) == FINE
        assert (tmp_path / name).read_text() == wanted
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["r.xlsx", "r.csv.gz", "R.ORC"])
    def test_an_extension_that_no_format_has(self, name, tmp_path, capsys):
        with pytest.raises(SystemExit) as ended:
            main(["-c", "ROWS 1", "-o", str(tmp_path / name)])
        assert ended.value.code == USAGE
        assert f"no format writes {Path(name).suffix.lower()} files" in capsys.readouterr().err
        assert not (tmp_path / name).exists()
        assert main(["-c", "ROWS 1", "--format", "csv", "-o", str(tmp_path / name)]) == FINE

    def test_a_format_named_wins(self, tmp_path):
        assert main(["-c", "ROWS 1", "--format", "jsonl", "-o", str(tmp_path / "r.csv")]) == FINE
        assert (tmp_path / "r.csv").read_text() == '{"n": 1, "s": "row 1"}\n'

    @pytest.mark.parametrize("statement", ["ROWS 1; FAIL", "LATE", "ROWS 1; CTRL-C"])
    def test_it_stays_as_it_was_when_something_fails(self, statement, tmp_path, capsys):
        target = tmp_path / "r.csv"
        target.write_text("before")
        assert main(["-c", statement, "-o", str(target)]) != FINE
        assert target.read_text() == "before"
        assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]

    def test_it_keeps_its_mode_and_its_link(self, tmp_path):
        target, link = tmp_path / "real.csv", tmp_path / "link.csv"
        target.touch()
        target.chmod(0o640)
        link.symlink_to(target)
        assert main(["-c", "ROWS 1", "-o", str(link)]) == FINE
        assert link.is_symlink()
        assert target.read_text() == "n,s\n1,row 1\n"
        assert target.stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize("path", ["none/r.csv", "."])
    def test_a_place_that_cant_be_written_is_found_before_anything_runs(
        self, fake, path, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.chdir(tmp_path)
        assert main(["-c", "ROWS 1", "-o", path]) == USAGE
        assert capsys.readouterr().err.startswith(f"error: can't write `{path}`: ")
        assert fake.ran == []

    def test_a_dash_is_stdout(self, capsys):
        assert main(["-c", "ROWS 2", "-o", "-"]) == FINE
        assert capsys.readouterr().out == TWO_ROWS

    def test_the_prompt_has_no_use_for_it(self, terminal, capsys):
        terminal("stdin")
        terminal("stderr")
        with pytest.raises(SystemExit):
            main(["-o", "r.csv"])


class TestPromptAndDemo:
    @pytest.fixture(autouse=True)
    def parts(self, monkeypatch):
        self.asked: list[object] = []
        self.folder: list[Path] = []
        app, demo = ModuleType("deltasql.repl.app"), ModuleType("deltasql.demo")
        app.run = self.run  # type: ignore[attr-defined]
        demo.make_lake = self.folder.append  # type: ignore[attr-defined]
        demo.TOUR = ("ROWS 1", "NOTHING;", "ROWS 2")  # type: ignore[attr-defined]
        demo.SUGGESTIONS = ("SELECT 1;",)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "deltasql.repl.app", app)
        monkeypatch.setitem(sys.modules, "deltasql.demo", demo)

    def run(self, connection: object, **told: object) -> int:
        self.asked.append((told["format"], told["greeting"], told["yes"]))
        return 7

    def test_the_prompt_on_a_terminal(self, terminal):
        terminal("stdin")
        terminal("stderr")
        assert main([]) == 7
        assert main(["--format", "json", "--yes"]) == 7
        assert self.asked == [("table", None, False), ("json", None, True)]

    def test_a_root_that_is_not_there_yet_is_told(self, terminal, tmp_path):
        terminal("stdin")
        terminal("stderr")
        for root in (tmp_path, tmp_path / "lak", "s3://bucket/lake"):
            main([str(root)])
        greetings = [told for _, told, _ in self.asked]
        assert greetings == [None, f"There is no folder {tmp_path / 'lak'} yet: the first CREATE makes it.\n", None]

    def test_who_sees_no_prompt_types_a_script(self, terminal, capsys):
        terminal("stdin", b"ROWS 2;")
        assert main([]) == FINE
        assert capsys.readouterr() == (TWO_ROWS, "")

    def test_the_demo_greets_with_suggestions_and_leaves_nothing(self, terminal):
        terminal("stdin")
        terminal("stdout")
        assert main(["--demo"]) == 7
        assert "SELECT 1;" in str(self.asked[0])
        assert not self.folder[0].exists()

    def test_the_demo_on_a_pipe_is_a_tour(self, stdin, capsys):
        stdin(b"")
        assert main(["--demo"]) == FINE
        assert capsys.readouterr().out == (
            "deltasql> ROWS 1;\nn │ s\n──┼──────\n1 │ row 1\n(1 row)\n"
            "\ndeltasql> NOTHING;\n"
            "\ndeltasql> ROWS 2;\nn │ s\n──┼──────\n1 │ row 1\n2 │ row 2\n(2 rows)\n"
        )

    def test_commands_run_on_the_demo_lake(self, capsys):
        assert main(["--demo", "-c", "ROWS 2"]) == FINE
        assert capsys.readouterr().out == TWO_ROWS
        assert len(self.folder) == 1


def test_help_and_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == FINE
    assert "exit codes: 0 fine" in capsys.readouterr().out
    assert main(["--version"]) == FINE
    assert capsys.readouterr().out.startswith("deltasql ")


class TestConfiguration:
    @pytest.fixture
    def asked(self, fake, monkeypatch):
        """What `connect` was asked for, and the statements behind it."""
        asked = []
        connection = fake.connect("x")
        connection.sql = asked.append
        monkeypatch.setattr(
            "deltasql.connect",
            lambda root, *, storage_options, read_only: asked.append((root, read_only)) or connection,
            raising=False,
        )
        return asked

    def test_a_profile(self, asked, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "deltasql.toml").write_text(
            "root = 'lake'\n[profiles.p]\nread_only = true\nformat = 'json'\nsettings.time_zone = \"it's\""
        )
        assert main(["-c", "ROWS 1"]) == FINE
        assert main(["--profile", "p", "-c", "ROWS 1"]) == FINE
        assert asked == [(str(tmp_path / "lake"), False), (str(tmp_path / "lake"), True), "SET time_zone = 'it''s'"]
        assert capsys.readouterr().out == 'n,s\n1,row 1\n[\n{"n": 1, "s": "row 1"}\n]\n'

    def test_arguments_win(self, asked, tmp_path, monkeypatch, capsys):
        (tmp_path / "c.toml").write_text("root = 'lake'\nformat = 'json'")
        monkeypatch.setenv("DELTASQL_ROOT", "variable")
        assert main(["--config", str(tmp_path / "c.toml"), "-c", "ROWS 1"]) == FINE
        assert main(["--config", str(tmp_path / "c.toml"), "argument", "--format", "tsv", "-c", "ROWS 1"]) == FINE
        assert [root for root, _ in asked] == ["variable", "argument"]
        assert capsys.readouterr().out.endswith("n\ts\n1\trow 1\n")

    def test_an_extension_wins_over_the_file(self, asked, tmp_path, monkeypatch):
        monkeypatch.setenv("DELTASQL_FORMAT", "json")
        assert main(["-c", "ROWS 1", "-o", str(tmp_path / "r.csv")]) == FINE
        assert (tmp_path / "r.csv").read_text() == "n,s\n1,row 1\n"

    @pytest.mark.parametrize(
        ("text", "words"),
        [("format = 'xls'", "`xls` is no format, and it is set in `"), ("rot = 1", "unknown key `rot` in `")],
    )
    def test_wrong_ones_are_wrong_usage(self, asked, text, words, tmp_path, capsys):
        (tmp_path / "c.toml").write_text(text)
        assert main(["--config", str(tmp_path / "c.toml"), "-c", "ROWS 1"]) == USAGE
        assert capsys.readouterr().err.startswith(f"error: {words}")
        assert asked == []

    def test_a_variable_that_is_wrong_is_named(self, monkeypatch, capsys):
        monkeypatch.setenv("DELTASQL_FORMAT", "xls")
        assert main(["-c", "ROWS 1"]) == USAGE
        assert "set in `DELTASQL_FORMAT`" in capsys.readouterr().err


def test_a_dialect_that_there_is_not(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--dialect", "oracle9", "-c", "ROWS 1"])
    assert stopped.value.code == USAGE
    assert "invalid choice: 'oracle9'" in capsys.readouterr().err


def test_sql_that_is_no_utf8(fake, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["-c", "ROWS \udcff"])
    assert stopped.value.code == USAGE
    assert "it isn't UTF-8" in capsys.readouterr().err
    assert fake.ran == []
