"""Results and errors: data on stdout, words on stderr, and nothing ends the prompt."""

from __future__ import annotations

import re

import pytest

from deltasql.repl.toolbar import toolbar


def test_a_result_is_data(shell, capfd):
    shell.format = "csv"
    shell.run("SELECT id FROM orders ORDER BY id; SELECT 'a;b' AS x;")
    assert capfd.readouterr() == ("id\n1\n2\nx\na;b\n", "")


def test_a_statement_without_a_result_says_that_it_ran(shell, capfd):
    shell.run("CREATE TABLE t (x INT); SET time_zone = 'UTC';")
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "CREATE TABLE (version 0)"


def test_the_first_error_ends_the_input(shell, capfd):
    shell.format = "csv"
    shell.run("SELECT 1 AS a;\nSELECT *\nFROM ordrs; SELECT 2 AS b;")
    out, err = capfd.readouterr()
    assert out == "a\n1\n"
    assert err.splitlines() == [
        "error: there is no table `ordrs`",
        "  3 | FROM ordrs; SELECT 2 AS b;",
        "    |      ^^^^^",
        "hint: did you mean `orders`?",
    ]


def test_timing(shell, capfd):
    shell.run(".timing on")
    shell.run("SELECT 1;")
    assert capfd.readouterr().err.splitlines()[1].startswith("Time: 0.")


@pytest.mark.parametrize("text", ["", "-- nothing", ";", " \n"])
def test_nothing_to_run(shell, capfd, text):
    shell.run(text)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text", ["SELECT 'x;", "SELECT 1; '", "\udce0;", "SELECT '\udce0';", "\x00\x01;", ".\x00", "\\"]
)
def test_bad_input_is_an_error_and_no_more(shell, capfd, text):
    shell.run(text)
    assert "error: " in capfd.readouterr().err
    shell.run("SELECT 7 AS seven;")
    assert "seven" in capfd.readouterr().out


def test_a_fault_of_ours_is_said(shell, capfd, monkeypatch):
    monkeypatch.setattr(shell.connection, "script", lambda text: 1 / 0)
    shell.run("SELECT 1;")
    assert "error: ZeroDivisionError: division by zero" in capfd.readouterr().err


def test_a_reader_that_has_enough_is_the_commands_affair(shell, monkeypatch):
    def closed(text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(shell.connection, "script", closed)
    with pytest.raises(BrokenPipeError):
        shell.run("SELECT 1;")


def test_how_the_last_statement_went(shell):
    shell.run("SELECT 1;")
    assert re.fullmatch(r"done in \d+\.\d\d s", shell.state)
    shell.run("SELECT * FROM nowhere;")
    assert shell.state.startswith("failed in ")
    shell.run(".nosuch")
    assert shell.state.startswith("failed in ")
    shell.run(".mode csv")
    assert shell.state.startswith("done in ")


def test_the_toolbar(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    home = ("main", "default")
    pieces = toolbar(tmp_path / "lake", home, format="csv", timing=True)
    assert "".join(text for _, text in pieces) == "root ~/lake  schema main.default  mode csv  timing on"
    more = toolbar(tmp_path, home, format="csv", timing=False, state="done in 0.10 s", vi="normal")
    assert "".join(text for _, text in more).endswith("timing off  vi normal  last done in 0.10 s")
    long = toolbar(tmp_path / ("x" * 60), home, format="csv", timing=False)
    assert long[1][1] == "…" + "x" * 47
    assert toolbar(tmp_path, ("main", "a\x1b[2J"), format="csv", timing=False)[3][1] == r"main.a\x1b[2J"


def test_a_toolbar_that_has_no_room_still_says_how_the_last_statement_went(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    named = {"format": "table", "timing": False, "state": "interrupted in 12.34 s"}

    def line(width: int, root: str = "lakes/of/mine") -> str:
        return "".join(text for _, text in toolbar(tmp_path / root, ("main", "default"), width=width, **named))

    assert line(120) == (
        "root ~/lakes/of/mine  schema main.default  mode table  timing off  last interrupted in 12.34 s"
    )
    assert line(92) == "root …akes/of/mine  schema main.default  mode table  timing off  last interrupted in 12.34 s"
    assert line(80) == "root …kes/of/mine  schema main.default  mode table  last interrupted in 12.34 s"
    assert line(50) == "root …kes/of/mine  last interrupted in 12.34 s"
    assert all(len(line(width)) <= width for width in range(46, 140))


def test_echo_hides_keys(shell, capfd):
    shell.run(".echo on")
    shell.run("CREATE SECRET s (TYPE s3, KEY_ID 'AKIA', SECRET 'abcdefgh', REGION 'eu')")
    said = capfd.readouterr()
    assert "AKIA" in said.err
    assert "abcdefgh" not in said.err + said.out
