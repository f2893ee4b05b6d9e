"""A statement whose time is over, or that is interrupted, at any moment: it is done or nothing of it is, and all goes on."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

import deltasql

from .amounts import SEED, times

_ROWS = 60_000
_STATEMENTS = (
    "INSERT INTO t SELECT id + {key}, v, part FROM t WHERE id % 7 = {rest}",
    "UPDATE t SET v = v + 1 WHERE id % 5 = {rest}",
    "UPDATE t SET v = v + 1 WHERE id IN (SELECT id FROM t WHERE v % 3 = {rest})",
    "DELETE FROM t WHERE id % 11 = {rest}",
    "DELETE FROM t WHERE part = {rest}",
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
    "MERGE INTO t USING s ON t.id = s.id AND s.v % 7 = {rest} WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE AND t.part = 1 THEN UPDATE SET v = 0",
    "INSERT OVERWRITE t SELECT * FROM t WHERE id % 13 <> {rest}",
    "OPTIMIZE t",
    "OPTIMIZE t ZORDER BY (v)",
    "VACUUM t DRY RUN",
    "RESTORE TABLE t TO VERSION AS OF {back}",
    "CREATE OR REPLACE TABLE u AS SELECT * FROM t WHERE id % 2 = {rest}",
    "SELECT count(*), sum(a.v) FROM t a JOIN t b ON a.part = b.part AND a.id = b.id + {rest}",
    "SELECT * FROM t ORDER BY v, id",
)
_RESTS = 5


def _state(con: deltasql.Connection, version: str = "") -> tuple[object, ...]:
    """The rows of the table, told by sums."""
    return tuple(
        con.sql(f"SELECT count(*), sum(id), sum(v), sum(id * (v % 1000)), sum(part) FROM t{version}").fetchall()[0]
    )


def _version(con: deltasql.Connection) -> int:
    (found,) = con.sql("SELECT max(version) FROM (DESCRIBE HISTORY t)").fetchall()
    return int(found[0])


def test_time_that_is_over_at_any_moment(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    ended: Counter[str] = Counter()
    with deltasql.connect(tmp_path) as con, deltasql.connect(tmp_path) as other:
        con.sql("CREATE TABLE t (id BIGINT, v BIGINT, part INT) PARTITIONED BY (part)")
        con.sql(f"INSERT INTO t SELECT value, value % 101, value % 4 FROM range(0, {_ROWS})")
        con.sql(f"CREATE TABLE s AS SELECT id * 2 AS id, v, part FROM t WHERE id < {_ROWS // 4}")
        taken = dict.fromkeys(_STATEMENTS, 0.3)
        for number in range(times(30, 3_000)):
            kind = draw.choice(_STATEMENTS)
            version, before = _version(other), _state(other)
            text = kind.format(
                key=1_000_000 * (number + 1),
                rest=draw.randrange(_RESTS),
                back=draw.randint(max(0, version - 3), version),
            )
            moment = draw.uniform(0.0, 1.1) * taken[kind]
            begun = time.monotonic()
            by_timeout = draw.random() < 0.5
            timer = threading.Timer(3600 if by_timeout else moment, con.interrupt)
            if by_timeout:
                con.sql(f"SET deltasql.statement_timeout = '{max(1, round(moment * 1000))}ms'")
            timer.start()
            try:
                con.sql(text).fetchall()
                how = "done"
                taken[kind] = (taken[kind] + time.monotonic() - begun) / 2
            except deltasql.Interrupted:
                how = "interrupted"
            finally:
                timer.cancel()
                timer.join()
                con.sql("RESET deltasql.statement_timeout")
            ended[how] += 1
            after, now = _state(other), _version(other)
            said = (SEED, number, text, how)
            assert _state(con) == after, said
            if how == "interrupted" and not text.startswith(("CREATE", "SELECT", "VACUUM")):
                # Its commit may have been made just before it was to stop: then it is whole.
                assert now in (version, version + 1), said
            if now == version:
                assert after == before, said
            if now > version:
                assert after == _state(other, f" VERSION AS OF {now}"), said
            if after[0] < _ROWS // 3 or after[0] > 3 * _ROWS:
                con.sql("RESTORE TABLE t TO VERSION AS OF 1")
    assert ended["done"], ended
    # How many are stopped is a matter of the machine's speed.
    assert ended["interrupted"] >= times(0, 30), ended
