"""What is asked before it runs, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltasql.catalog.catalog import TableEntry
from deltasql.repl.confirm import question, target
from deltasql.sql.parser import parse


def asked(sql: str, *, managed: bool = True) -> str | None:
    statement = parse(sql)
    if target(statement) is None:
        return None
    return question(statement, TableEntry("default", "t", Path("/lake/t"), managed))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM t", "Delete all rows of `t`?"),
        ("DROP TABLE t", "Drop `t` and remove its files in /lake/t?"),
        ("DROP TABLE IF EXISTS t", "Drop `t` and remove its files in /lake/t?"),
        ("VACUUM t", "Remove the files of `t`"),
        ("VACUUM t RETAIN 0 HOURS", "Remove the files of `t`"),
    ],
)
def test_asked(sql, words):
    assert (asked(sql) or "").startswith(words)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t WHERE id = 1",
        "VACUUM t DRY RUN",
        "SELECT * FROM t",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "EXPLAIN DELETE FROM t",
    ],
)
def test_not_asked(sql):
    assert asked(sql) is None


def test_an_external_table_is_only_forgotten():
    assert asked("DROP TABLE t", managed=False) is None


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "DROP TABLE orders", "VACUUM orders"])
def test_a_no_leaves_the_table_and_what_follows(shell, capfd, sql):
    shell.run(f"{sql}; DELETE FROM orders WHERE true;")
    assert len(shell.questions) == 1
    assert "nothing was done" in capfd.readouterr().err
    assert len(shell.connection.sql("SELECT * FROM orders").fetchall()) == 2


def test_a_yes_runs_it(shell):
    shell.answer = True
    shell.run("DELETE FROM orders;")
    assert shell.connection.sql("SELECT * FROM orders").fetchall() == []


def test_what_fails_anyway_is_not_asked(shell, capfd):
    shell.run("DELETE FROM nowhere; ")
    shell.run("DROP TABLE delta.`/nowhere`;")
    assert shell.questions == []
    assert capfd.readouterr().err.count("error: ") == 2


def test_a_script_is_not_asked(shell, tmp_path):
    script = tmp_path / "my script.sql"
    script.write_text("DELETE FROM orders; DROP TABLE orders")
    shell.run(f".read '{script}'")
    assert shell.questions == []
    assert shell.connection.sql("SHOW TABLES").fetchall() == []
