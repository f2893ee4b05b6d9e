"""What is used wrongly is an error of ours, in a sentence, and changes nothing."""

from __future__ import annotations

import pandas as pd
import pytest

import deltasql


@pytest.fixture
def cur(con):
    with con.cursor() as cursor:
        yield cursor


@pytest.mark.parametrize("statement", [1, None, b"SELECT 1", ["SELECT 1"]])
def test_a_statement_is_text(con, cur, statement):
    for use in (
        con.sql,
        lambda text: list(con.script(text)),
        cur.execute,
        lambda text: cur.executemany(text, [(1,), (2,)]),
    ):
        with pytest.raises(deltasql.ProgrammingError, match="a statement is text, not a `"):
            use(statement)


@pytest.mark.parametrize("sets", [5, None])
def test_sets_of_parameters_are_many(cur, sets):
    with pytest.raises(deltasql.ProgrammingError, match="takes sets of parameters"):
        cur.executemany("SELECT ?", sets)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"root": 1}, "`root` is a path or a URL, not a `int`"),
        ({"root": b"lake"}, "not a `bytes`"),
        ({"storage_options": ["region"]}, "`storage_options` are a mapping, not a `list`"),
        ({"settings": "deltasql.threads = 1"}, "`settings` are a mapping, not a `str`"),
        ({"settings": {"nothing": 1}}, "there is no setting `nothing`"),
        ({"storage_options": {"nothing": 1}}, "no option `nothing`"),
        ({"dialect": "klingon"}, "klingon"),
    ],
)
def test_arguments_of_connect(arguments, words):
    with pytest.raises(deltasql.ConfigError) as caught:
        deltasql.connect(**arguments)
    assert words in caught.value.message


@pytest.mark.parametrize("name", [1, None, "", b"f"])
def test_the_name_of_a_frame(con, name):
    with pytest.raises(deltasql.InterfaceError, match="a frame has a name"):
        con.register(name, pd.DataFrame({"a": [1]}))


def test_all_of_a_closed_connection_says_so(tmp_path):
    con = deltasql.connect(tmp_path / "lake")
    cur = con.cursor()
    con.close()
    con.close()
    con.interrupt()
    for use in (
        lambda: con.sql("SELECT 1"),
        lambda: list(con.script("SELECT 1")),
        con.cursor,
        con.commit,
        con.rollback,
        con.__enter__,
        lambda: con.register("f", pd.DataFrame({"a": [1]})),
        lambda: con.unregister("f"),
        lambda: con.create_function("f", len, ["STRING"], "BIGINT"),
        lambda: con.create_aggregate("f", len, ["STRING"], "BIGINT"),
        lambda: con.drop_function("f"),
        lambda: con.table("t"),
        lambda: cur.execute("SELECT 1"),
        lambda: cur.executemany("SELECT ?", [(1,), (2,)]),
        cur.fetchone,
        cur.fetchmany,
        cur.fetchall,
        lambda: next(cur),
    ):
        with pytest.raises(deltasql.ClosedError, match="closed"):
            use()
