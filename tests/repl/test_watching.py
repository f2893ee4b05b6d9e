"""The names of a real connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deltasql.connection import Connection
from deltasql.names import TableReference
from deltasql.repl.known import Column
from deltasql.repl.suggest import suggest
from deltasql.repl.watching import Watch, paths


@contextmanager
def watching(connection: Callable[[], Connection]) -> Iterator[Watch]:
    watch = Watch(connection)
    watch.look()
    try:
        yield watch
    finally:
        watch.end()


def looked(watch: Watch) -> Watch:
    """``watch`` once it has looked around."""
    watch.look()
    for thread in threading.enumerate():
        if thread.name == "deltasql-names":
            thread.join(30)
    return watch


@pytest.fixture
def watch(connection):
    connection.sql("CREATE SCHEMA sales")
    connection.sql('CREATE TABLE sales."Odd name" (Id INT, place STRUCT<city: STRING>)')
    connection.sql("CREATE VIEW recent AS SELECT id AS number FROM orders")
    connection.sql("CREATE TEMPORARY VIEW short AS SELECT 1 AS one")
    with watching(lambda: connection) as watch:
        yield looked(watch)


def offered(watch: Watch, text: str) -> list[str]:
    return [suggestion.text for suggestion in suggest(text, len(text), watch.names)]


def test_tables_views_and_schemas(watch):
    assert [(one.text, one.kind) for one in watch.names.tables] == [
        ("orders", "table"),
        ("recent", "view"),
        ("short", "view"),
        ('sales."Odd name"', "table"),
    ]
    assert watch.names.schemas == ["default", "sales"]
    assert watch.names.catalogs == ["main"]


def test_what_a_statement_changed_is_seen(watch, connection, tmp_path):
    connection.sql("DROP VIEW recent")
    connection.sql(f"ATTACH '{tmp_path / 'beside'}' AS beside")
    connection.sql("CREATE TABLE beside.default.far (x INT)")
    connection.sql("USE sales")
    assert [one.text for one in looked(watch).names.tables] == [
        '"Odd name"',
        "short",
        "default.orders",
        "beside.default.far",
    ]
    assert watch.names.schemas == ["default", "sales", "beside.default"]
    assert offered(watch, "SELECT * FROM main.default.o") == ["main.default.orders"]


def test_columns(watch):
    assert watch.names.columns(TableReference(("orders",))) == [Column("id", "INT"), Column("name", "STRING")]
    assert watch.names.columns(TableReference(("recent",))) == [Column("number", "INT")]
    odd = watch.names.columns(TableReference(("sales", "Odd name")))
    assert odd[1] == Column("place", "STRUCT<city: STRING>", (Column("city", "STRING"),))
    assert watch.names.columns(TableReference(("nowhere",))) == ()
    assert watch.names.columns(TableReference(path="/nowhere")) == ()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_each_version_and_its_time_read_that_version(watch, connection, zone):
    connection.sql(f"SET time_zone = '{zone}'")
    commits = watch.names.versions(TableReference(("orders",)))
    assert [(commit.version, commit.operation) for commit in commits] == [(1, "WRITE"), (0, "CREATE TABLE")]
    for commit, rows in zip(commits, (2, 0), strict=True):
        for travel in (f"VERSION AS OF {commit.version}", f"TIMESTAMP AS OF '{commit.time}'"):
            assert len(connection.sql(f"SELECT * FROM orders {travel}").fetchall()) == rows
    assert watch.names.versions(TableReference(("nowhere",))) == ()


def test_functions_and_settings(watch):
    functions = {function.name: function for function in watch.names.functions}
    assert functions["substr"].signature.startswith("substr(str, start")
    assert (functions["sum"].kind, functions["read_csv"].kind) == ("aggregate", "table")
    settings = {option.name: option for option in watch.names.settings}
    assert settings["deltasql.reader"].values == ("auto", "listing", "scan", "dataset")
    assert settings["deltasql.vacuum.retention_check"].values == ("on", "off")
    assert "Europe/Berlin" in settings["time_zone"].values
    assert settings["datafusion.execution.parquet.pushdown_filters"].values == ("true", "false")
    assert offered(watch, "SET deltasql.write.compression = z") == ["zstd"]


def test_a_closed_connection_has_no_more_names(connection):
    watch = Watch(lambda: connection)
    connection.close()
    assert looked(watch).names.tables == ()
    watch.end()


def test_a_root_that_is_not_there(tmp_path):
    with Connection(tmp_path / "nowhere") as connection, watching(lambda: connection) as watch:
        assert looked(watch).names.tables == []
        assert watch.names.functions


def test_nothing_is_looked_for_after_the_end(connection):
    with watching(lambda: connection) as watch:
        looked(watch)
    connection.sql("CREATE TABLE late (x INT)")
    assert [one.text for one in looked(watch).names.tables] == ["orders"]


def test_paths(tmp_path, monkeypatch):
    for name in ("lake/t/_delta_log", "lake/.hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "load.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths("l") == ["lake/", "load.csv"]
    assert paths("lake/") == ["lake/t/"]
    assert paths("lake/.") == ["lake/.hidden/"]
    assert paths("lake/t/_") == ["lake/t/_delta_log/"]
    assert paths("~/lo") == ["~/load.csv"]
    assert paths(f"{tmp_path}/lo") == [f"{tmp_path}/load.csv"]
    assert paths("nowhere/") == paths("load.csv/") == paths("a\0b/") == []
