"""All of the public face as a typed program uses it; checked by mypy, and never run.

`assert_type` holds what types users see; a ``type: ignore`` that isn't needed is an error, so that wrong uses stay ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, assert_type

import pyarrow as pa

import deltasql


def connections() -> None:
    con = deltasql.connect(
        "lake/", storage_options={"region": "eu"}, read_only=True, profile="p", settings={"deltasql.threads": 1}
    )
    assert_type(con, deltasql.Connection)
    with deltasql.connect() as same:
        assert_type(same, deltasql.Connection)
    assert_type(con.sql("SELECT ?", [1]), deltasql.Result)
    assert_type(con.sql("SELECT $a", {"a": 1}), deltasql.Result)
    assert_type(con.script("SELECT 1; SELECT 2"), Iterator[deltasql.Result])
    con.register("f", object())
    con.unregister("f")
    con.create_function("f", len, ["STRING", pa.int64()], "BIGINT", vectorized=False)
    con.create_aggregate("a", sum, ["BIGINT"], pa.int64(), vectorized=True)
    con.drop_function("f")
    con.interrupt()
    con.commit()
    con.rollback()
    con.close()
    con.progress = lambda progress: print(progress.rows + 1, progress.seconds + 0.5)
    print(con.root, con.table("t").version())
    con.sql(1)  # type: ignore[arg-type]
    con.sql("SELECT 1", 1)  # type: ignore[arg-type]
    deltasql.connect(read_only="yes")  # type: ignore[arg-type]
    deltasql.connect("lake", {})  # type: ignore[call-arg]


def results(result: deltasql.Result) -> None:
    assert_type(result.columns, list[str])
    assert_type(result.metrics, dict[str, Any])
    assert_type(result.version, int | None)
    assert_type(result.statement_type, str)
    assert_type(result.fetchone(), tuple[Any, ...] | None)
    assert_type(result.fetchmany(2), list[tuple[Any, ...]])
    assert_type(result.fetchall(), list[tuple[Any, ...]])
    for row in result:
        assert_type(row, tuple[Any, ...])
    for frame in (result.to_arrow(), result.to_reader(), result.to_pandas(), result.to_polars(), result.schema):
        print(frame)
    print(result.__arrow_c_stream__(), repr(result), result._repr_html_())
    result.show()
    result.show(limit=None)
    with result as same:
        assert_type(same, deltasql.Result)
    result.close()
    result.fetchmany("2")  # type: ignore[arg-type]


def cursors(con: deltasql.Connection) -> None:
    with con.cursor() as cur:
        assert_type(cur, deltasql.Cursor)
        assert_type(cur.execute("SELECT 1", (1,)), deltasql.Cursor)
        assert_type(cur.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(3))), deltasql.Cursor)
        assert_type(cur.fetchone(), tuple[Any, ...] | None)
        assert_type(cur.fetchmany(), list[tuple[Any, ...]])
        assert_type(cur.fetchall(), list[tuple[Any, ...]])
        assert_type(next(cur), tuple[Any, ...])
        assert_type(cur.rowcount, int)
        assert_type(cur.result, deltasql.Result)
        cur.arraysize = 10
        cur.setinputsizes([1])
        cur.setoutputsize(1, 2)
        for name, code, *_ in cur.description or []:
            print(name.upper(), code == deltasql.NUMBER, code == deltasql.STRING, code == deltasql.BINARY)
            print(code == deltasql.DATETIME, code == deltasql.ROWID)


def module() -> None:
    assert_type(deltasql.apilevel, str)
    assert_type(deltasql.threadsafety, int)
    assert_type(deltasql.paramstyle, str)
    assert_type(deltasql.Date(2026, 1, 1), dt.date)
    assert_type(deltasql.Time(1, 2, 3), dt.time)
    assert_type(deltasql.Timestamp(2026, 1, 1), dt.datetime)
    assert_type(deltasql.DateFromTicks(0), dt.date)
    assert_type(deltasql.TimeFromTicks(0.5), dt.time)
    assert_type(deltasql.TimestampFromTicks(0), dt.datetime)
    assert_type(deltasql.Binary(b"x"), bytes)
    assert_type(deltasql.plot(deltasql.connect(), "t", "c", path=None), str)
    assert_type(deltasql.__version__, str)


def errors(con: deltasql.Connection) -> None:
    try:
        con.sql("SELECT")
    except (con.ProgrammingError, deltasql.ParseError) as error:
        assert_type(error.hint, str | None)
        assert_type(error.span, deltasql.Span | None)
        assert_type(error.statement, str | None)
        assert_type(error.message, str)
        if error.span is not None and error.statement is not None:
            assert_type(error.span.of(error.statement), str)
            assert_type(error.span.position(error.statement), tuple[int, int])
