"""Whatever is typed at the prompt: what goes wrong is an error of ours, and the prompt goes on."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from deltasql.connection import Connection
from deltasql.output import FORMATS
from deltasql.repl.app import run
from deltasql.repl.commands.registry import COMMANDS
from deltasql.repl.history import encodable
from deltasql.repl.shell import Shell

from . import texts
from .amounts import times

_FAULT = "fault of deltasql's own"
_NAMES = [name for command in COMMANDS for name in command.names]

# What is in the folder where the prompt runs, what isn't, and what no path is.
_PATHS = (
    "out.csv", "out.json", "out.parquet", "out.arrow", "out.html", "'a b.md'", "out.sql", "lake", "lake/t", "new", ".", "script.sql",
    "bytes", "no/such/folder/x", "script.sql/x", "~nobody-at-all/x", "x" * 300, "a\x00b", "/dev/null", "/dev/full", "é😀", "", "''", "'",
)  # fmt: skip
_WORDS = (
    "t", "T", "v", "main.default.t", "s", '"Odd name"', "`a`", "t id", "t nope", "delta.`lake/t`", "nope", "t VERSION AS OF 0", "on", "off",
    "all", "auto", "ON", "0", "1", "-1", "3", "١", "9" * 20, "9" * 5000, "1e3", "'", "''", "'x", '"', "🦀", "\x00", "\x1b[31m", "\r\n", "\t", ";",
    ";;", "--", "/*", "VACUUM", "MERGE INTO", "deltasql.reader", "time_zone", "SELECT 1", "SELECT * FROM t", "cat", "no-such-pager", "sh -c 'cat",
    "'%'", "(", "%s", "{}", *FORMATS,
)  # fmt: skip
_STATEMENTS = (
    "SELECT * FROM t;", "SELECT * FROM t ORDER BY id; SELECT 2", "SELECT 'open", "SELECT (1 +", "SELECT 1 /* open", 'SELECT "open', ";",
    ";;;", "--", "INSERT INTO t VALUES (3, 'c');", "DELETE FROM t;", "DROP TABLE t", "SELECT nope FROM t", "SELECT * FROM v", "SHOW TABLES",
    "SELECT NULL AS a, 'x' || chr(10) || 'y' AS b, -0.0 AS c, ARRAY[1, NULL] AS d, X'00FF' AS e", "SELECT 1 AS a, 2 AS a", "EXPLAIN SELECT 1",
    "SELECT * FROM t WHERE false", "SET deltasql.reader = nope", "USE s", "USE default", "VACUUM t", "quit ;x", "help me", "\\", ".", "\\.",
)  # fmt: skip


def _half(seed: int) -> str:
    r = random.Random(seed)
    text = texts.mangled(r)
    return "SELECT 1" if texts.is_far_reaching(text) else text[: r.choice((len(text), r.randrange(len(text) + 1)))]


def _cased(name: str, upper: bool, end: int | None) -> str:
    return (name.upper() if upper else name)[:end]


HALVES = st.builds(_half, st.integers(0, 2**32))
NAMES = st.builds(_cased, st.sampled_from(_NAMES), st.booleans(), st.sampled_from([None, None, None, None, -1, 2]))
ANY = st.text(st.characters(codec="utf-8", exclude_characters="/~."), max_size=20)
ARGUMENTS = st.one_of(st.just(""), st.sampled_from(_PATHS), st.sampled_from(_WORDS), st.sampled_from(_STATEMENTS), ANY)
COMMAND_LINES = st.builds(
    "{}{}{}{}".format, NAMES, st.sampled_from([" ", " ", " ", "  ", "\t", "\x00", ""]), ARGUMENTS, st.sampled_from(["", "", ";", " \n"])
)  # fmt: skip
LINES = st.lists(
    st.one_of(COMMAND_LINES, COMMAND_LINES, st.sampled_from(_STATEMENTS), HALVES, ANY), min_size=1, max_size=6
)


class _Stream(io.TextIOWrapper):
    """Stdout or stderr in memory."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8", "replace")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder where the prompt runs, with a lake in it; nobody's editor, history or pager."""
    folder = tmp_path_factory.mktemp("outer") / "inner"
    folder.mkdir()
    (folder / "script.sql").write_text("SELECT 1 AS a;\nSELECT * FROM t;\nSELECT nope;\n")
    (folder / "bytes").write_bytes(bytes(range(256)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(folder))
        for name in ("DELTASQL_EDITOR", "DELTASQL_PAGER"):
            patch.setenv(name, "true")
        yield folder


@contextmanager
def _shell(answer: bool) -> Iterator[Shell]:
    connection = Connection("lake")
    for statement in (
        "CREATE SCHEMA IF NOT EXISTS s",
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, NULL",
        "CREATE OR REPLACE VIEW v AS SELECT id FROM t",
    ):
        connection.sql(statement)
    shell = Shell(connection, ask=lambda _: answer)
    with closing(connection), closing(shell):
        yield shell


@contextmanager
def _streams(*, terminal: bool) -> Iterator[tuple[_Stream, _Stream]]:
    out, err = _Stream(terminal=terminal), _Stream(terminal=False)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


@settings(max_examples=times(60, 3_000), deadline=None)
@given(lines=LINES, terminal=st.booleans(), answer=st.booleans())
@example(lines=[f".rows {'9' * 5000}", f".width {'9' * 5000}"], terminal=False, answer=False)
@example(lines=[f".edit {'x' * 300}", ".edit ~nobody-at-all/x", ".edit a\0b"], terminal=False, answer=False)
@example(
    lines=[".output /dev/full", "SELECT * FROM t", ".output", "SELECT 1 AS a", ".save /dev/full"],
    terminal=False,
    answer=False,
)
def test_lines(folder: Path, lines: list[str], terminal: bool, answer: bool) -> None:
    with _shell(answer) as shell, _streams(terminal=terminal) as (_, err):
        for line in lines:
            shell.run(encodable(line))
            assert _FAULT not in err.text(), (line, err.text())
            assert shell.state.startswith(("done in", "failed in", "interrupted in"))
        _alive(shell, folder)


def _alive(shell: Shell, folder: Path) -> None:
    """It answers, and files that were asked for are the only ones."""
    shell.left = False
    with _streams(terminal=False) as (out, err):
        for line in (".output", ".mode csv", "SELECT 6 * 7 AS alive"):
            shell.run(line)
    assert out.text() == "alive\n42\n", err.text()
    assert not list(folder.glob(".out*")), "a file is left half-written"


@settings(max_examples=times(150, 5_000), deadline=None)
@given(COMMAND_LINES, st.randoms(use_true_random=False))
def test_commands_are_coloured_and_completed(text: str, r: random.Random) -> None:
    texts.check(text, r)


# Keys with a meaning, but for Ctrl-D, which leaves, and Ctrl-Z, which would hold the test itself.
_KEYS = [
    *(chr(code) for code in range(32) if chr(code) not in "\x04\x1a"),
    *(
        "\x1b[A",
        "\x1b[B",
        "\x1b[C",
        "\x1b[D",
        "\x1b[3~",
        "\x1b[Z",
        "\x1bOS",
        "\x1b[200~",
        "\x1b[201~",
        "\x1b\r",
        "\x1b.",
        "\x1b[",
        "\x7f",
    ),
    *("SELECT ", "* FROM t", ";", "'", "(", ")", ".mode ", "\\d", "é", "😀", "\x9b", "dd", "/x", ":", "v"),
]


@settings(max_examples=times(8, 100), deadline=None)
@given(st.lists(st.sampled_from(_KEYS), max_size=40))
def test_keys(folder: Path, keys: list[str]) -> None:
    with _shell(answer=False) as shell:
        connection = shell.connection
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            # The end of a paste, then out of any mode; whatever keys were changed to, Ctrl-C drops what was typed.
            pipe.send_text("".join(keys) + "\x1b[201~" + "\x03" * 4 + "\x1bi\x03\x03" + ".output\r.mode csv\r")
            pipe.send_text("SELECT 6 * 7 AS alive;\r\x04")
            with _streams(terminal=False) as (out, err):
                assert run(lambda: connection, format="csv", greeting="") == 0
    assert out.text().endswith("alive\n42\n"), err.text()
    assert _FAULT not in err.text()
