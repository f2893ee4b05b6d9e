"""Long work is seen on a terminal, and on nothing else; what Ctrl-C leaves is looked up."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

import deltasql.errors
from deltasql.engine.scanning import Scanned
from deltasql.errors import Interrupted
from deltasql.progress import Progress, Step
from deltasql.repl import progress
from deltasql.repl.outcome import before, stopped
from deltasql.repl.progress import Work, working
from deltasql.repl.screen import screen
from deltasql.sql.parser import parse

TIMEOUT = 60


class Terminal(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        return self.buffer.getvalue().decode()


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def become(monkeypatch):
    """Make a stream a terminal, in the test itself: pytest puts its own ones in place between a fixture and that."""

    def make(name: str) -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(sys, name, terminal)
        return terminal

    return make


def drawn(terminal: Terminal, words: str) -> bool:
    deadline = time.monotonic() + 10
    while words not in terminal.text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return words in terminal.text()


@pytest.mark.parametrize(
    ("rows", "seconds", "line"),
    [
        (0, 3, "INSERT  0:03"),
        (1_200_000, 75, "INSERT  1,200,000 rows  16.0 k rows/s  1:15"),
        (50, 10, "INSERT  50 rows  5 rows/s  0:10"),
        (10**13, 100, "INSERT  10,000,000,000,000 rows  100.0 G rows/s  1:40"),
    ],
)
def test_the_line(rows, seconds, line):
    assert Work("INSERT", rows, time.monotonic() - seconds).line() == line


@dataclass
class Scans:
    """A stand-in for `Scanning`."""

    now: Scanned

    def scanned(self) -> Scanned:
        return self.now


@pytest.mark.parametrize(
    ("scanned", "line"),
    [
        (Scanned(0, 100, 0, 2, 0), "SELECT  0:20"),
        (
            Scanned(500, 2000, 0, 2, 9),
            "SELECT  ━━━━━━╺─────────────────  500 of 2,000 rows read  50 rows/s  0:20, 0:30 left",
        ),
        (
            Scanned(500, 2000, 1, 2, 9),
            "SELECT  ━━━━━━━━━━━━╺───────────  500 of 2,000 rows read  50 rows/s  0:20, 0:10 left",
        ),
        (Scanned(5, 2000, 0, 2, 9), "SELECT  ╺───────────────────────  5 of 2,000 rows read  0 rows/s  0:20"),
        (Scanned(2000, 2000, 2, 2, 9), "SELECT  ━━━━━━━━━━━━━━━━━━━━━━━━  2,000 of 2,000 rows read  200 rows/s  0:20"),
        (
            Scanned(500, None, 3, 4, 9),
            "SELECT  ━━━━━━━━━━━━━━━━━━╺─────  3 of 4 files read  50 rows/s  0:20, 0:03 left",
        ),
        (Scanned(500, None, 0, None, 9), "SELECT  500 rows read  50 rows/s  0:20"),
    ],
)
def test_what_scans_have_read_is_a_bar(scanned, line):
    work = Work("SELECT", 0, time.monotonic() - 20)
    work.scans(Scans(scanned))
    work._scanned_since -= 10
    assert work.line(100) == line


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            Step("done", "rows", 500, 2000, 10.0),
            "UPDATE  ━━━━━━╺─────────────────  500 of 2,000 rows done  50 rows/s  0:20, 0:30 left",
        ),
        (
            Step("removed", "files", 3000, 4000, 10.0),
            "UPDATE  ━━━━━━━━━━━━━━━━━━╺─────  3,000 of 4,000 files removed  300 files/s  0:20, 0:03 left",
        ),
        (
            Step("copied", "bytes", 1_200_000_000, 2_400_000_000, 10.0),
            "UPDATE  ━━━━━━━━━━━━╺───────────  1.2 GB of 2.4 GB copied  120.0 MB/s  0:20, 0:10 left",
        ),
        (
            Step("copied", "bytes", 12, 999, 10.0),
            "UPDATE  ╺───────────────────────  12 B of 999 B copied  1 B/s  0:20, 13:42 left",
        ),
        (Step("looked at", "files", 7, None, 10.0), "UPDATE  7 files looked at  1 files/s  0:20"),
        (Step("looked at", "files", 0, 0, 10.0), "UPDATE  0 files looked at  0 files/s  0:20"),
        (Step("done", "rows", 9, 3, 10.0), "UPDATE  ━━━━━━━━━━━━━━━━━━━━━━━━  9 of 3 rows done  1 rows/s  0:20"),
    ],
)
def test_what_a_write_has_done_of_a_step_is_a_bar(step, line):
    work = Work("UPDATE", 0, time.monotonic() - 20)
    work.scans(Scans(Scanned(5, 5, 1, 1, 9)))
    work.wrote(Progress(0, 20.0, step))
    assert work.line(120) == line


def test_a_bar_takes_the_room_that_there_is():
    work = Work("SELECT")
    work.scans(Scans(Scanned(500, 2000, 0, 2, 9)))
    assert [("─" in work.line(width), "rows/s" in work.line(width)) for width in (100, 80, 66, 50)] == [
        (True, True),
        (True, True),
        (True, False),
        (False, False),
    ]
    assert all(len(work.line(width)) <= width for width in (50, 66, 80, 100))


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            110,
            "UPDATE  ━━━━━╺──────────────────  5,242,880 of 24,000,000 rows done  1.0 M rows/s  0:05, 0:17 left",
        ),
        (77, "UPDATE  ━━╺────────  5.2 M of 24.0 M rows done  1.0 M rows/s  0:05, 0:17 left"),
        (60, "UPDATE  ━╺──────  5.2 M of 24.0 M rows done  0:05, 0:17 left"),
        (50, "UPDATE  5.2 M of 24.0 M rows done  0:05, 0:17 left"),
        (40, "UPDATE  ━━━╺───────────  0:05, 0:17 left"),
    ],
)
def test_numbers_are_short_where_a_bar_has_no_room(width, line):
    work = Work("UPDATE", 0, time.monotonic() - 5)
    work.wrote(Progress(0, 5.0, Step("done", "rows", 5_242_880, 24_000_000, 5.0)))
    assert work.line(width) == line


def test_rows_that_are_written_once_all_is_read():
    """Sorting, say, comes between; how many rows there will be, nobody knows."""
    work = Work("INSERT", 0, time.monotonic() - 10)
    work.scans(Scans(Scanned(2000, 2000, 2, 2, 9)))
    work.wrote(Progress(500, 1.0))
    assert work.line(60) == "INSERT  ━━━━━━━━━━━━━━━━━━━━━━━━  500 rows  50 rows/s  0:10"


def test_a_plan_that_says_nothing_ends_nothing():
    work = Work("SELECT")
    work.scans(object())
    assert work.line() == "SELECT  0:00"


def test_queries_are_followed(connection):
    with working(connection, "SELECT") as work:
        connection.sql("SELECT * FROM orders").fetchall()
        assert "2 of 2 rows read" in work.line(100)
        connection.sql("INSERT INTO orders SELECT id + 2, name FROM orders")
    assert connection.scanning is None
    connection.sql("SELECT * FROM orders").fetchall()


def test_it_is_drawn_and_goes(connection, become, at_once):
    stderr = become("stderr")
    with working(connection, "SELECT") as work:
        assert drawn(stderr, "SELECT")
        connection.progress(Progress(1234, 1.0))
        assert drawn(stderr, "1,234 rows")
        work.clear()
        cleared = stderr.text()
        assert cleared.endswith("\x1b[2K")
        time.sleep(0.3)
        assert stderr.text() == cleared
    assert stderr.text() == cleared
    assert connection.progress is None


def test_what_is_quick_is_not_drawn(connection, become, at_once, monkeypatch):
    stderr = become("stderr")
    monkeypatch.setattr(progress, "_DELAY", 30.0)
    with working(connection, "SELECT"):
        pass
    assert stderr.text() == ""


def test_a_pipe_has_nothing_of_it(connection, at_once, capfd):
    with working(connection, "SELECT"):
        time.sleep(0.2)
    assert capfd.readouterr() == ("", "")


def test_a_dumb_terminal_has_nothing_of_it(connection, become, at_once, monkeypatch):
    stderr = become("stderr")
    monkeypatch.setenv("TERM", "dumb")
    with working(connection, "SELECT"):
        time.sleep(0.2)
    assert stderr.text() == ""


def test_rows_count_as_they_pass(shell, connection):
    result = connection.sql("SELECT * FROM range(0, 20000)")
    work = Work("SELECT")
    assert sum(batch.num_rows for batch in work.counted(result.batches())) == 20_000
    assert work.rows == 20_000


def test_writes_are_heard_of(connection):
    with working(connection, "INSERT") as work:
        connection.sql("INSERT INTO orders SELECT value, 'x' FROM range(0, 20000)")
    assert work.rows == 20_000


# -- the screen


def test_stdout_is_written_to_once_the_line_is_gone(connection, become, at_once, monkeypatch):
    stderr = become("stderr")
    stdout = become("stdout")
    with working(connection, "SELECT") as work, screen(None, work.clear) as out:
        assert drawn(stderr, "SELECT")
        out.write(b"data")
        assert stderr.text().endswith("\x1b[2K")
    assert stdout.text() == "data"


class TestPager:
    @pytest.fixture(autouse=True)
    def size(self, monkeypatch):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("LINES", "10")
        monkeypatch.setenv("COLUMNS", "80")

    @pytest.fixture
    def both(self, become):
        def make() -> Terminal:
            become("stdin")
            return become("stdout")

        return make

    def test_what_fits_stays(self, both, tmp_path):
        stdout = both()
        with screen(("tee", str(tmp_path / "paged")), lambda: None) as out:
            out.write(b"a line\n" * 8)
        assert stdout.text() == "a line\n" * 8
        assert not (tmp_path / "paged").exists()

    def test_what_doesnt_is_paged(self, both, tmp_path):
        stdout = both()
        with screen(("sh", "-c", f"cat > '{tmp_path / 'paged'}'"), lambda: None) as out:
            out.write("é\n".encode() * 9)
        assert stdout.text() == ""
        assert (tmp_path / "paged").read_text(encoding="utf-8") == "é\n" * 9

    def test_leaving_early_is_no_error(self, both):
        both()
        with screen(("sh", "-c", "exit 0"), lambda: None) as out:
            for _ in range(10_000):
                out.write(b"a line\n" * 100)

    def test_a_pager_that_isnt_there(self, both):
        stdout = both()
        with screen(("/no/such/pager",), lambda: None) as out:
            out.write(b"a line\n" * 20)
        assert stdout.text() == "a line\n" * 20

    def test_what_came_before_an_error_is_shown(self, both):
        stdout = both()

        def fails() -> None:
            with screen(("cat",), lambda: None) as out:
                out.write(b"a line\n")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        assert stdout.text() == "a line\n"

    def test_large_results_are_head_and_tail(self, shell, both):
        stdout = both()
        shell.run("SELECT * FROM range(0, 100000)")
        assert stdout.text().splitlines()[1] == "bigint"
        assert re.fullmatch(r"\(100,000 rows, 100 shown, \d+\.\d{3} s\)", stdout.text().splitlines()[-1])
        shell.run(".types off")
        shell.run(".rows 6")
        shell.run("SELECT * FROM range(0, 100000)")
        assert stdout.text().splitlines()[-5:-1] == ["    ⋮", "99997", "99998", "99999"]
        assert "bigint" not in stdout.text().splitlines()[-10:]

    def test_arrow_is_not_for_a_terminal(self, shell, both, capfd):
        stdout = both()
        shell.run(".mode arrow")
        shell.run("SELECT 1 AS a")
        assert stdout.text() == ""
        assert "a terminal can't show it" in capfd.readouterr().err


# -- what became of it


@pytest.mark.parametrize(
    ("sql", "meanwhile", "said"),
    [
        ("INSERT INTO orders VALUES (3, 'c')", "", "interrupted; `orders` is as it was"),
        (
            "DELETE FROM orders WHERE id = 1",
            "DELETE FROM orders WHERE id = 1",
            "interrupted, but version 2 of `orders` was committed",
        ),
        ("CREATE TABLE t (id INT)", "", "interrupted; nothing was done"),
        ("CREATE TABLE t (id INT)", "CREATE TABLE t (id INT)", "interrupted, but version 0 of `t` was committed"),
        ("DROP TABLE orders", "DROP TABLE orders", "interrupted, but `orders` is gone"),
        ("CREATE SCHEMA s", "", "interrupted; what it had done by then stays done"),
    ],
)
def test_what_became_of_it(connection, sql, meanwhile, said):
    then = before(parse(sql), connection.session)
    if meanwhile:
        connection.sql(meanwhile)
    assert stopped(then, connection.session) == said


def test_a_write_that_is_stopped_leaves_nothing(connection):
    """delta-rs hears no Ctrl-C, but it asks for rows."""
    files = set((connection.root / "orders").rglob("*"))
    with working(connection, "INSERT") as work:

        def told(progress: Progress) -> None:
            if progress.rows > 50_000:
                work.stop()
            work.wrote(progress)

        connection.progress = told
        with pytest.raises(Interrupted):
            connection.sql("INSERT INTO orders SELECT value, 'x' FROM range(0, 10000000)")
    assert connection.sql("SELECT count(*) FROM orders").fetchone() == (2,)
    assert set((connection.root / "orders").rglob("*")) == files


@pytest.fixture
def terminal(connection, person):
    """A `deltasql` in a pseudo-terminal, at its first prompt."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deltasql.errors.__file__).parents[1]),
        "TERM": "xterm",
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
    )
    child.delaybeforesend = None
    try:
        child.expect("deltasql>")
        yield child
    finally:
        child.close(force=True)


def test_a_write_is_seen_and_stopped(terminal, connection):
    terminal.send("INSERT INTO orders SELECT value, 'x' FROM range(0, 100000000000);\r")
    terminal.expect(r"INSERT  [\d,]+ rows  [\d.]+ [kM] rows/s  0:\d\d")
    terminal.send("\x03")
    terminal.expect(re.escape("interrupted; `orders` is as it was"))
    terminal.expect("deltasql>")
    terminal.send("SELECT count(*) AS n FROM orders;\r")
    terminal.expect(re.escape("(1 row, "))
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)
    assert connection.table("orders").version() == 1
