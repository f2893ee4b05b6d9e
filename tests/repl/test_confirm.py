"""What is asked before it runs, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltasql.catalog.catalog import TableEntry
from deltasql.connection import Connection
from deltasql.repl.confirm import question, target
from deltasql.sql.parser import parse


def asked(connection: Connection, sql: str, *, managed: bool = True) -> str | None:
    statement = parse(sql)
    if target(statement) is None:
        return None
    return question(statement, TableEntry("default", "t", Path("/lake/t"), managed), connection.session)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM t", "Delete all rows of `t`?"),
        ("DROP TABLE t", "Drop `t` and remove its files in /lake/t?"),
        ("DROP TABLE IF EXISTS t", "Drop `t` and remove its files in /lake/t?"),
    ],
)
def test_asked(connection, sql, words):
    assert (asked(connection, sql) or "").startswith(words)


def test_vacuum_says_how_much_it_takes(shell):
    shell.run("SET deltasql.vacuum.retention_check = off; DELETE FROM orders WHERE id = 1")
    log = shell.connection.root / "orders"
    size = max(path.stat().st_size for path in log.glob("*.parquet"))
    shell.run("VACUUM orders RETAIN 0 HOURS")
    asked = f"Remove a file of `orders` ({size:,} bytes)? Versions that need them can't be read after that."
    assert shell.questions == [asked]
    assert len(list(log.glob("*.parquet"))) == 2
    shell.answer = True
    shell.run("VACUUM orders RETAIN 0 HOURS")
    assert len(list(log.glob("*.parquet"))) == 1


def test_vacuum_of_nothing_is_not_asked(shell):
    shell.run("VACUUM orders")
    assert shell.questions == []


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
def test_not_asked(connection, sql):
    assert asked(connection, sql) is None


def test_an_external_table_is_only_forgotten(connection):
    assert asked(connection, "DROP TABLE t", managed=False) is None


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "DROP TABLE orders"])
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
    shell.run("VACUUM orders RETAIN 0 HOURS;")
    assert shell.questions == []
    assert capfd.readouterr().err.count("error: ") == 3


def test_a_script_is_not_asked(shell, tmp_path):
    script = tmp_path / "my script.sql"
    script.write_text("DELETE FROM orders; DROP TABLE orders")
    shell.run(f".read '{script}'")
    assert shell.questions == []
    assert shell.connection.sql("SHOW TABLES").fetchall() == []
