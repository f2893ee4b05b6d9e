"""Statements that are stopped from another thread or by their timeout, and what is logged of statements.

Each statement here would take hours; that the test ends says that it was stopped.
"""

from __future__ import annotations

import logging
import sys
import threading
import time

import pyarrow as pa
import pytest

import deltasql
from deltasql.engine.stopping import Running, Statements, Stop

ENDLESS = "SELECT sum(value % 7) FROM generate_series(1, 1000000000000)"
ROWS = "SELECT value FROM generate_series(1, 1000000000000)"


@pytest.fixture
def con(tmp_path):
    with deltasql.connect(tmp_path / "lake") as made:
        made.sql("CREATE TABLE t (n BIGINT)")
        yield made


def interrupting(con, running):
    """Interrupt ``con`` from another thread until ``running`` has ended."""
    ended = threading.Event()

    def interrupt():
        while not ended.wait(0.05):
            con.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        return running()
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("statement", [ENDLESS, ROWS, f"INSERT INTO t {ROWS}", f"EXPLAIN ANALYZE {ENDLESS}"])
def test_interrupt(con, statement):
    def run():
        for _ in con.sql(statement).batches():
            pass

    with pytest.raises(deltasql.Interrupted, match="the statement was interrupted"):
        interrupting(con, run)
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]
    assert con.table("t").version() == 0


@pytest.mark.parametrize("statement", [ENDLESS, ROWS, f"INSERT INTO t {ROWS}", f"EXPLAIN ANALYZE {ENDLESS}"])
def test_a_timeout(con, statement):
    con.sql("SET deltasql.statement_timeout = '100ms'")
    with pytest.raises(deltasql.Interrupted, match=r"took longer than 0.1 seconds") as caught:
        for _ in con.sql(statement).batches():
            pass
    assert "statement_timeout" in caught.value.hint
    con.sql("RESET deltasql.statement_timeout")
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_a_result_can_be_read_after_it_was_interrupted(con):
    con.sql("INSERT INTO t VALUES (1), (2)")
    slow = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), endless())
    result = con.sql("SELECT * FROM t")
    with pytest.raises(deltasql.Interrupted):
        interrupting(con, lambda: con.sql("SELECT sum(a) FROM ?", [slow]).fetchall())
    assert result.fetchall() == [(1,), (2,)]
    assert sorted(result) == [(1,), (2,)]


def endless():
    batch = pa.record_batch([pa.array(range(1 << 20))], names=["a"])
    while True:
        yield batch


def test_nothing_runs(con):
    con.interrupt()
    assert con.sql("SELECT 1").fetchall() == [(1,)]
    con.sql("SET deltasql.statement_timeout = 1h")
    assert con.sql("SHOW deltasql.statement_timeout").fetchall()[0][1] == "1h"
    assert con.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("text", ["soon", "0", "-1", "5 days"])
def test_wrong_timeouts(con, text):
    with pytest.raises(deltasql.PlanError, match="a length of time such as 500ms"):
        con.sql(f"SET deltasql.statement_timeout = '{text}'")


def test_what_is_stopped_in_a_call_back_is_interrupted(con):
    """DataFusion, which has called something of ours, tells what came of it as an error of its own."""
    running = Running(Statements(), None)

    def called_back():
        running.stop()
        try:
            for _ in range(1_000_000):
                pass
        except Stop as stop:
            raise deltasql.DatabaseError(f"External error: {type(stop)!r}") from None

    with pytest.raises(deltasql.Interrupted):
        running.wait(called_back)
    with pytest.raises(deltasql.DatabaseError, match="Stop"):
        Running(Statements(), None).wait(lambda: _raise(deltasql.DatabaseError(f"External error: {Stop!r}")))


def _raise(error):
    raise error


def test_only_what_waits_is_stopped(con):
    """The exception never arrives outside of a wait, however close the two come."""
    statements = Statements()
    ended = threading.Event()

    def interrupt():
        while not ended.is_set():
            statements.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    stopped = 0
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(3000):
            running = Running(statements, None)
            try:
                running.wait(lambda: sum(range(1000)))
            except deltasql.Interrupted:
                stopped += 1
            sum(range(100))
    except Stop:
        pytest.fail("it came late")
    finally:
        sys.setswitchinterval(before)
        ended.set()
        thread.join()
    assert stopped


def test_a_timeout_ends_its_thread(con):
    con.sql("SET deltasql.statement_timeout = 1min")
    con.sql("SELECT 1").fetchall()
    con.sql("SET deltasql.statement_timeout = none")
    while any(thread.name == "deltasql-timeouts" for thread in threading.enumerate()):
        time.sleep(0.05)


# -- the log


def test_statements_are_logged(con, caplog):
    with caplog.at_level(logging.DEBUG, logger="deltasql"):
        con.sql("INSERT INTO t VALUES (?)", [4711])
        with pytest.raises(deltasql.TableNotFound):
            con.sql("SELECT * FROM nosuch")
    said = [record.getMessage() for record in caplog.records if record.name == "deltasql"]
    assert said[0] == "INSERT INTO t VALUES (?)"
    assert said[1].startswith("INSERT took ")
    assert said[1].endswith(" s, version 1")
    assert said[2] == "SELECT * FROM nosuch"
    assert said[3].startswith("TableNotFound after ")
    assert not any("4711" in text for text in said)


def test_secrets_are_not_logged(con, caplog):
    with caplog.at_level(logging.DEBUG, logger="deltasql"), pytest.raises(deltasql.Error):
        con.sql("SELECT * FROM delta.`s3://user:hunter2secret@bucket/t`")
    assert [record for record in caplog.records if record.name == "deltasql"]
    assert "hunter2secret" not in caplog.text


def test_nothing_is_logged_unasked(con, caplog):
    con.sql("SELECT 1").fetchall()
    assert [record for record in caplog.records if record.name == "deltasql"] == []
