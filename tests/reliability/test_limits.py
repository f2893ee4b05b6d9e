"""Large numbers of everything: threads on a connection, tables in a root, columns, rows of a result."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import deltasql

from .amounts import only_in_soak, times


def test_many_threads_on_one_connection(tmp_path: Path) -> None:
    """Reads, writes and settings at once: each result is that of its own statement."""
    threads = 100
    failures: list[BaseException] = []
    with deltasql.connect(tmp_path) as con:
        con.sql("SET deltasql.commit.retries = 1000")
        con.sql("CREATE TABLE t AS SELECT value AS n FROM range(0, 1000)")
        con.sql("CREATE TABLE log (who INT)")

        def work(number: int) -> None:
            try:
                for turn in range(times(1, 50)):
                    wanted = number * 1000 + turn
                    rows = con.sql(
                        "SELECT ? AS mine, count(*) AS c, sum(n) AS s FROM t WHERE n >= ?", [wanted, number]
                    ).fetchall()
                    assert rows == [(wanted, 1000 - number, sum(range(number, 1000)))]
                    if number % 10 == 0:
                        con.sql("INSERT INTO log VALUES (?)", [number])
                    with pytest.raises(deltasql.ColumnNotFound, match=f"no_{number}_"):
                        con.sql(f"SELECT no_{number}_ FROM t")
            except BaseException as error:
                failures.append(error)

        started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        assert not failures, failures[:3]
        assert con.sql("SELECT count(*) FROM log").fetchall() == [(threads // 10 * times(1, 50),)]


def test_many_tables_in_a_root(tmp_path: Path) -> None:
    """A name is found, and all are listed, without any of them being opened."""
    count = times(2_000, 10_000)
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE first AS SELECT 1 AS a")
        for number in range(count):  # Whoever opened one of these would find that there is nothing in it.
            log = tmp_path / f"t{number}" / "_delta_log"
            log.mkdir(parents=True)
            (log / f"{0:020d}.json").write_text("{}")
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT a FROM FIRST").fetchall() == [(1,)]
        assert con.sql("SHOW TABLES").to_arrow().num_rows == count + 1
        assert con.sql("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'default'").fetchall() == [
            (count + 1,)
        ]
        with pytest.raises(deltasql.TableNotFound) as caught:
            con.sql("SELECT * FROM firts")
        assert caught.value.hint == "did you mean `first`?"


def test_many_columns(tmp_path: Path) -> None:
    count = times(300, 10_000)
    with deltasql.connect(tmp_path) as con:
        columns = ", ".join(f"c{number} INT" for number in range(count))
        con.sql(f"CREATE TABLE wide ({columns})")
        con.sql(f"INSERT INTO wide (c0, c{count - 1}) VALUES (1, 2), (3, 4)")
        con.sql(f"UPDATE wide SET c{count // 2} = 5 WHERE c0 = 1")
        query = f"SELECT c0, C{count // 2}, c{count - 1} FROM wide WHERE c{count - 1} > 0 ORDER BY c0"
        assert con.sql(query).fetchall() == [(1, 5, 2), (3, None, 4)]
        assert con.sql("SELECT * FROM wide").to_arrow().num_columns == count


_STREAMED = """
import resource, deltasql
rows = total = 0
with deltasql.connect() as con:
    con.sql("SET deltasql.threads = 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for batch in con.sql("SELECT value AS n, value * 2 AS m FROM range(0, {rows})").to_reader():
        rows += batch.num_rows
        total += batch.column(0)[-1].as_py()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert rows == {rows}
assert after - before < 150_000, after - before  # KiB; the rows are {rows} times 16 bytes
"""


def test_a_large_result_is_streamed() -> None:
    """In a process of its own, whose memory is its own."""
    subprocess.run([sys.executable, "-c", _STREAMED.format(rows=times(20_000_000, 100_000_000))], check=True)


@only_in_soak
def test_a_statement_of_100_mb() -> None:
    with deltasql.connect() as con:
        assert con.sql("SELECT length('" + "it''s " * 17_000_000 + "') AS n").fetchall() == [(17_000_000 * 5,)]
        con.sql("CREATE TABLE t (s STRING)")
        assert con.sql("INSERT INTO t VALUES ('" + "x" * 100_000_000 + "')").fetchall() == [(1, 1)]
        with pytest.raises(deltasql.ParseError, match="tokens"):
            con.sql("INSERT INTO t VALUES " + ", ".join(["(1)"] * 20_000_000))
        with pytest.raises(deltasql.ParseError, match="tokens"):
            list(con.script("SELECT 1;\n" * 10_000_000))
