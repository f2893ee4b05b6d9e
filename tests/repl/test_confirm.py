"""What is asked before it runs, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltasql.connection import Connection
from deltasql.repl.confirm import question
from deltasql.sql.parser import parse


def asked(connection: Connection, sql: str) -> str | None:
    return question(parse(sql), connection.session)


def size(folder: Path, pattern: str = "*.parquet") -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "TRUNCATE TABLE Orders", "DELETE FROM main.default.orders o"])
def test_all_rows(connection, sql):
    bytes = f"{size(connection.root / 'orders'):,}"
    assert asked(connection, sql) == f"Delete all 2 rows of `orders`, a file ({bytes} bytes)?"


def test_one_row(connection):
    connection.sql("DELETE FROM orders WHERE id = 1")
    assert asked(connection, "DELETE FROM orders").startswith("Delete the only row of `orders`, a file (")


@pytest.mark.parametrize("sql", ["DROP TABLE orders", "DROP TABLE IF EXISTS orders"])
def test_drop_counts_all_that_goes(connection, sql):
    connection.sql("DELETE FROM orders WHERE id = 1")
    folder = connection.root / "orders"
    files = sum(path.is_file() for path in folder.rglob("*"))
    taken = f"{files} files ({size(folder, '*'):,} bytes)"
    assert asked(connection, sql) == f"Drop `orders` and remove {folder} with all versions, {taken}?"


def test_drop_of_a_table_that_cant_be_read(connection):
    (connection.root / "orders" / "_delta_log" / f"{1:020}.json").write_text("{")
    assert asked(connection, "DROP TABLE orders").startswith("Drop `orders` and remove ")


def test_drop_schema_with_its_tables(connection):
    connection.sql("CREATE SCHEMA sales")
    assert asked(connection, "DROP SCHEMA sales") is None
    connection.sql("CREATE TABLE sales.items (id INT)")
    wanted = f"Drop schema `sales` and remove its table in {connection.root / 'sales'}, a file ("
    assert asked(connection, "DROP SCHEMA sales CASCADE").startswith(wanted)


def test_restore(connection):
    bytes = f"{size(connection.root / 'orders'):,}"
    wanted = "Restore `orders` from version 1 to version 0"
    went = f"{wanted}, taking out a file ({bytes} bytes) and putting back 0 files (0 bytes)?"
    assert asked(connection, "RESTORE orders TO VERSION AS OF 0") == went
    assert asked(connection, "RESTORE orders TO VERSION AS OF 1") is None


def test_vacuum_says_how_much_it_takes(shell):
    shell.run("SET deltasql.vacuum.retention_check = off; DELETE FROM orders WHERE id = 1")
    log = shell.connection.root / "orders"
    largest = max(path.stat().st_size for path in log.glob("*.parquet"))
    shell.run("VACUUM Orders RETAIN 0 HOURS")
    asked = f"Remove a file ({largest:,} bytes) of `orders`? Versions that need them can't be read after that."
    assert shell.questions == [asked]
    assert len(list(log.glob("*.parquet"))) == 2
    shell.answer = True
    shell.run("VACUUM orders RETAIN 0 HOURS")
    assert len(list(log.glob("*.parquet"))) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders WHERE id = 1",
        "DELETE FROM empty",
        "TRUNCATE TABLE empty",
        "VACUUM orders",
        "VACUUM orders DRY RUN",
        "SELECT * FROM orders",
        "INSERT INTO orders VALUES (1, 'a')",
        "UPDATE orders SET id = 1",
        "EXPLAIN DELETE FROM orders",
        "DROP TABLE IF EXISTS nowhere",
        "DROP SCHEMA IF EXISTS nowhere CASCADE",
    ],
)
def test_not_asked(connection, sql):
    connection.sql("CREATE TABLE empty (id INT)")
    assert asked(connection, sql) is None


def test_an_external_table_is_only_forgotten(connection, tmp_path):
    connection.sql(f"CREATE TABLE elsewhere (id INT) LOCATION '{tmp_path / 'elsewhere'}'")
    assert asked(connection, "DROP TABLE elsewhere") is None


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "DROP TABLE orders", "RESTORE orders TO VERSION AS OF 0"])
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
    shell.run("RESTORE orders TO VERSION AS OF 9;")
    shell.run("DROP SCHEMA default CASCADE;")
    assert shell.questions == []
    assert capfd.readouterr().err.count("error: ") == 5


def test_a_connection_that_is_read_only_is_not_asked(shell, tmp_path, capfd):
    with Connection(shell.connection.root, read_only=True) as shell.connection:
        shell.run("DELETE FROM orders;")
    assert shell.questions == []
    assert "read-only" in capfd.readouterr().err


def test_a_script_is_not_asked(shell, tmp_path):
    script = tmp_path / "my script.sql"
    script.write_text("DELETE FROM orders; DROP TABLE orders")
    shell.run(f".read '{script}'")
    assert shell.questions == []
    assert shell.connection.sql("SHOW TABLES").fetchall() == []
