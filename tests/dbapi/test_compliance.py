"""What PEP 249 asks of a module, a connection and a cursor, case by case as the public ``dbapi20`` suite has them.

Written from the PEP's text; what it leaves optional and isn't there (``callproc``, ``nextset``) is said below.
"""

from __future__ import annotations

import datetime as dt
import time

import pytest

import deltasql

SAMPLES = ["Carlton Cold", "Carlton Draft", "Mountain Goat", "Redback", "Victoria Bitter", "XXXX"]


@pytest.fixture
def cur(con):
    con.sql("CREATE TABLE booze (name STRING)")
    return con.cursor()


@pytest.fixture
def filled(cur):
    return cur.executemany("INSERT INTO booze VALUES (?)", [(name,) for name in SAMPLES])


# -- the module


def test_apilevel():
    assert deltasql.apilevel == "2.0"


def test_threadsafety():
    assert deltasql.threadsafety in (0, 1, 2, 3)


def test_paramstyle():
    assert deltasql.paramstyle in ("qmark", "numeric", "named", "format", "pyformat")


def test_exceptions():
    assert issubclass(deltasql.Warning, Exception)
    assert issubclass(deltasql.Error, Exception)
    assert issubclass(deltasql.InterfaceError, deltasql.Error)
    assert issubclass(deltasql.DatabaseError, deltasql.Error)
    for name in ("Data", "Operational", "Integrity", "Internal", "Programming", "NotSupported"):
        assert issubclass(getattr(deltasql, f"{name}Error"), deltasql.DatabaseError)


def test_constructors():
    assert deltasql.Date(2002, 12, 25) == dt.date(2002, 12, 25)
    assert deltasql.Time(13, 45, 30) == dt.time(13, 45, 30)
    assert deltasql.Timestamp(2002, 12, 25, 13, 45, 30) == dt.datetime(2002, 12, 25, 13, 45, 30)
    ticks = time.mktime((2002, 12, 25, 13, 45, 30, 0, 0, 0))
    assert deltasql.DateFromTicks(ticks) == deltasql.Date(2002, 12, 25)
    assert deltasql.TimeFromTicks(ticks) == deltasql.Time(13, 45, 30)
    assert deltasql.TimestampFromTicks(ticks) == deltasql.Timestamp(2002, 12, 25, 13, 45, 30)
    assert deltasql.Binary(b"Something") == b"Something"
    assert deltasql.Binary(b"") == b""


def test_type_objects_are_distinct():
    objects = [deltasql.STRING, deltasql.BINARY, deltasql.NUMBER, deltasql.DATETIME, deltasql.ROWID]
    assert [[one == other for other in objects] for one in objects] == [
        [row == column for column in range(5)] for row in range(5)
    ]
    assert len(set(objects)) == 5


# -- the connection


def test_errors_are_attributes_of_the_connection(con):
    for name in ("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"):
        assert getattr(con, name) is getattr(deltasql, name)
    for name in ("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"):
        assert getattr(con, name) is getattr(deltasql, name)


def test_commit(con):
    con.commit()


def test_rollback_works_or_says_that_it_cannot(con, cur):
    with pytest.raises(con.NotSupportedError, match="committed") as caught:
        con.rollback()
    assert "RESTORE" in caught.value.hint
    con.rollback()  # nothing was done since
    cur.execute("SELECT * FROM booze")
    con.rollback()
    cur.execute("INSERT INTO booze VALUES ('x')")
    con.commit()
    con.rollback()


def test_close(con, cur):
    con.close()
    with pytest.raises(deltasql.Error):
        cur.execute("CREATE TABLE barflys (name STRING)")
    with pytest.raises(deltasql.Error):
        con.commit()
    with pytest.raises(deltasql.Error):
        con.rollback()
    with pytest.raises(deltasql.Error):
        con.cursor()
    con.close()


def test_the_connection_closes_by_with(con):
    with con as same:
        assert same is con
    with pytest.raises(deltasql.ClosedError, match="connection is closed"):
        con.sql("SELECT 1")


# -- the cursor


def test_cursors_are_isolated(con, cur):
    other = con.cursor()
    cur.execute("INSERT INTO booze VALUES ('Victoria Bitter')")
    other.execute("SELECT name FROM booze")
    assert other.fetchall() == [("Victoria Bitter",)]
    cur.execute("SELECT 1")
    other.execute("SELECT 2")
    assert (cur.fetchall(), other.fetchall()) == ([(1,)], [(2,)])


def test_description(cur):
    cur.execute("CREATE TABLE barflys (name STRING)")
    assert cur.description is None
    cur.execute("SELECT name FROM booze")
    assert len(cur.description) == 1
    assert [len(column) for column in cur.description] == [7]
    assert cur.description[0][0] == "name"
    assert cur.description[0][1] == deltasql.STRING
    assert cur.description[0][1] == deltasql.STRING
    assert cur.description[0][1] != deltasql.NUMBER
    cur.execute("DROP TABLE barflys")
    assert cur.description is None
    cur.execute("INSERT INTO booze VALUES ('x')")
    assert cur.description is None


def test_rowcount(cur):
    assert cur.rowcount == -1
    cur.execute("CREATE TABLE barflys (name STRING)")
    assert cur.rowcount == -1
    cur.execute("INSERT INTO booze VALUES ('Victoria Bitter'), ('XXXX')")
    assert cur.rowcount == 2
    cur.execute("UPDATE booze SET name = 'x' WHERE name = 'XXXX'")
    assert cur.rowcount == 1
    cur.execute("SELECT name FROM booze")
    assert cur.rowcount == -1
    cur.execute("DELETE FROM booze")
    assert cur.rowcount == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("?", ["Cooper's"]),
        ("$1", ("Cooper's",)),
        (":beer", {"beer": "Cooper's"}),
        ("$beer", {"beer": "Cooper's"}),
    ],
)
def test_execute_binds(cur, text, value):
    cur.execute(f"INSERT INTO booze VALUES ({text})", value)
    assert cur.rowcount == 1
    assert cur.execute("SELECT name FROM booze").fetchall() == [("Cooper's",)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("?", [["Cooper's"], ["Boag's"]]),
        (":beer", [{"beer": "Cooper's"}, {"beer": "Boag's"}]),
    ],
)
def test_executemany_binds(cur, text, values):
    cur.executemany(f"INSERT INTO booze VALUES ({text})", values)
    assert cur.rowcount == 2
    assert sorted(cur.execute("SELECT name FROM booze").fetchall()) == [("Boag's",), ("Cooper's",)]


def test_fetchone(cur):
    with pytest.raises(deltasql.Error):
        cur.fetchone()
    cur.execute("CREATE TABLE barflys (name STRING)")
    with pytest.raises(deltasql.Error):
        cur.fetchone()
    cur.execute("SELECT name FROM booze")
    assert cur.fetchone() is None
    cur.execute("INSERT INTO booze VALUES ('Victoria Bitter')")
    with pytest.raises(deltasql.Error):
        cur.fetchone()
    cur.execute("SELECT name FROM booze")
    assert cur.fetchone() == ("Victoria Bitter",)
    assert cur.fetchone() is None


def test_fetchmany(con, filled):
    with pytest.raises(deltasql.Error):
        con.cursor().fetchmany(4)
    filled.execute("SELECT name FROM booze")
    assert filled.arraysize == 1
    assert len(filled.fetchmany()) == 1
    filled.arraysize = 10
    assert len(filled.fetchmany(3)) == 3
    assert len(filled.fetchmany()) == 2
    assert filled.fetchmany() == []
    filled.execute("SELECT name FROM booze WHERE name = 'none'")
    assert filled.fetchmany() == []


def test_fetchall(con, filled):
    with pytest.raises(deltasql.Error):
        con.cursor().fetchall()
    with pytest.raises(deltasql.Error):
        filled.fetchall()
    rows = filled.execute("SELECT name FROM booze").fetchall()
    assert sorted(name for (name,) in rows) == SAMPLES
    assert filled.fetchall() == []


def test_mixed_fetches(filled):
    filled.execute("SELECT name FROM booze ORDER BY name")
    rows = [filled.fetchone(), *filled.fetchmany(2), filled.fetchone(), *filled.fetchall()]
    assert [name for (name,) in rows] == SAMPLES


def test_iteration(filled):
    filled.execute("SELECT name FROM booze ORDER BY name")
    assert next(filled) == ("Carlton Cold",)
    assert [name for (name,) in filled] == SAMPLES[1:]
    with pytest.raises(StopIteration):
        next(filled)


def test_arraysize_can_be_set(cur):
    cur.arraysize = 7
    assert cur.arraysize == 7


def test_sizes_are_taken_and_passed_over(cur):
    cur.setinputsizes((25,))
    cur.setoutputsize(1000)
    cur.setoutputsize(2000, 0)
    cur.execute("INSERT INTO booze VALUES (?)", ["x" * 3000])
    assert cur.execute("SELECT name FROM booze").fetchone() == ("x" * 3000,)


def test_none(cur):
    cur.execute("INSERT INTO booze VALUES (?)", [None])
    assert cur.execute("SELECT name FROM booze").fetchone() == (None,)


def test_a_closed_cursor(con, filled):
    filled.execute("SELECT name FROM booze")
    with filled as same:
        assert same is filled
    for call in (filled.fetchone, filled.fetchmany, filled.fetchall, lambda: filled.execute("SELECT 1")):
        with pytest.raises(deltasql.ClosedError, match="cursor is closed"):
            call()
    filled.close()
    assert con.cursor().execute("SELECT 1").fetchone() == (1,)


def test_what_is_optional_and_left_out(con):
    # Nothing is stored that could be called, and one text is one statement.
    assert not hasattr(con.cursor(), "callproc")
    assert not hasattr(con.cursor(), "nextset")
