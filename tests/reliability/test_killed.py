"""Writers are killed: what was acknowledged is there, what was in flight is there wholly or not at all, all goes on.

One lake goes through all deaths, watched by one connection that stays: what it keeps in mind must never be stale.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from deltalake import DeltaTable

import deltasql

from .amounts import SEED, only_in_soak, times
from .mortals import Nursery, nursery

_ROWS = 6


@pytest.fixture(scope="module")
def dying() -> Iterator[Nursery]:
    with nursery() as found:
        yield found


@dataclass
class Lake:
    """What is in the catalog: rows by table, in `t` those of `k` and `v`; the names of views and schemas."""

    tables: dict[str, dict[int, int]] = field(default_factory=dict)
    views: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Step:
    """A statement and what it does to the lake; ``midway`` are states that it may die in beside before and after."""

    sql: str
    does: Callable[[Lake], None]
    midway: Callable[[Lake], None] | None = None


def _insert(lake: Lake, draw: random.Random) -> Step:
    first = max(lake.tables["t"], default=0) + 1
    new = {first + n: draw.randrange(100) for n in range(draw.randint(1, _ROWS))}
    return Step(f"INSERT INTO t VALUES {', '.join(map(str, new.items()))}", lambda lake: lake.tables["t"].update(new))


def _merge(lake: Lake, draw: random.Random) -> Step:
    most = max(lake.tables["t"], default=0) + 2
    given = {draw.randint(1, most): draw.randrange(100) for _ in range(_ROWS)}
    gone = set(draw.sample(sorted(given), 2 if len(given) > 2 else 1))

    def does(lake: Lake) -> None:
        rows = lake.tables["t"]
        for key, value in given.items():
            if key not in rows:
                rows[key] = value
            elif key in gone:
                del rows[key]
            else:
                rows[key] += value

    values = ", ".join(f"({key}, {value}, {str(key in gone).lower()})" for key, value in given.items())
    source = f"(SELECT * FROM (VALUES {values}) AS x(k, v, gone)) AS s"
    return Step(
        f"MERGE INTO t USING {source} ON t.k = s.k WHEN MATCHED AND s.gone THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET v = t.v + s.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)",
        does,
    )


def _update(lake: Lake, draw: random.Random) -> Step:
    rest = draw.randrange(3)

    def does(lake: Lake) -> None:
        rows = lake.tables["t"]
        rows.update({key: value + 1 for key, value in rows.items() if key % 3 == rest})

    return Step(f"UPDATE t SET v = v + 1 WHERE k % 3 = {rest}", does)


def _delete(lake: Lake, draw: random.Random) -> Step:
    key = draw.choice(sorted(lake.tables["t"]) or [1])
    return Step(f"DELETE FROM t WHERE k = {key}", lambda lake: lake.tables["t"].pop(key, None) and None)


def _replace(lake: Lake, draw: random.Random) -> Step:
    by = draw.randrange(9)

    def does(lake: Lake) -> None:
        lake.tables["t"] = {key: value + by for key, value in lake.tables["t"].items()}

    return Step(f"CREATE OR REPLACE TABLE t AS SELECT k, v + {by} AS v FROM t", does)


def _upkeep(lake: Lake, draw: random.Random) -> Step:
    sql = draw.choice(["OPTIMIZE t", "OPTIMIZE t ZORDER BY (v)", "VACUUM t RETAIN 0 HOURS", "CHECKPOINT t"])
    return Step(sql, lambda _: None)


def _table(lake: Lake, draw: random.Random) -> Step:
    schema = draw.choice(["", *(f"{name}." for name in sorted(lake.schemas))])
    name = f"{schema}x{draw.randrange(3)}"
    if name in lake.tables:
        return Step(f"DROP TABLE {name}", lambda lake: lake.tables.pop(name) and None)
    parts = " PARTITIONED BY (k)" if draw.random() < 0.5 else ""
    return Step(f"CREATE TABLE {name}{parts} AS SELECT 1 AS v, 2 AS k", lambda lake: lake.tables.update({name: {2: 1}}))


def _view(lake: Lake, draw: random.Random) -> Step:
    name = f"v{draw.randrange(3)}"
    if name in lake.views:
        return Step(f"DROP VIEW {name}", lambda lake: lake.views.remove(name))
    return Step(f"CREATE VIEW {name} AS SELECT count(*) AS n FROM t", lambda lake: lake.views.add(name))


def _schema(lake: Lake, draw: random.Random) -> Step:
    name = f"s{draw.randrange(2)}"
    if name not in lake.schemas:
        return Step(f"CREATE SCHEMA {name}", lambda lake: lake.schemas.add(name))

    def emptied(lake: Lake) -> None:
        for table in [each for each in lake.tables if each.startswith(f"{name}.")]:
            del lake.tables[table]

    def dropped(lake: Lake) -> None:
        emptied(lake)
        lake.schemas.remove(name)

    return Step(f"DROP SCHEMA {name} CASCADE", dropped, emptied)


_KINDS = [_insert, _insert, _merge, _merge, _update, _delete, _replace, _upkeep, _upkeep, _table, _view, _schema]


def _steps(lake: Lake, draw: random.Random, count: int) -> list[tuple[Step, Lake]]:
    """Statements one after the other, and the lake behind each."""
    found = []
    for _ in range(count):
        step = draw.choice(_KINDS)(lake, draw)
        lake = deepcopy(lake)
        step.does(lake)
        found.append((step, lake))
    return found


def _seen(con: deltasql.Connection) -> Lake:
    """What the catalog shows, by a connection that was there before."""
    schemas = {row[0] for row in con.sql("SHOW SCHEMAS")} - {"default"}
    listed = con.sql(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables "
        "WHERE table_schema <> 'information_schema'"
    ).fetchall()
    tables = [
        name if schema == "default" else f"{schema}.{name}" for schema, name, kind in listed if "VIEW" not in kind
    ]
    views = {name for _, name, kind in listed if "VIEW" in kind}
    for view in views:
        con.sql(f"SELECT * FROM {view}").fetchall()
    rows = {name: con.sql(f"SELECT k, v FROM {name}").fetchall() for name in tables}
    for name, found in rows.items():
        assert len(dict(found)) == len(found), f"{name} has a row twice"
    return Lake({name: dict(found) for name, found in rows.items()}, views, schemas)


def test_at_random_moments(tmp_path: Path, dying: Nursery) -> None:
    draw = random.Random(SEED)
    lake = Lake({"t": {}})
    deaths = 0
    with deltasql.connect(tmp_path) as con:
        con.sql("SET deltasql.vacuum.retention_check = off")
        con.sql("CREATE TABLE t (k INT, v INT) TBLPROPERTIES ('delta.checkpointInterval' = '7')")
        while deaths < times(25, 600):
            steps = _steps(lake, draw, 40)
            end = dying.run(tmp_path, [step.sql for step, _ in steps], after=draw.uniform(0, 0.4))
            assert end.error is None, (SEED, deaths, steps[end.acknowledged][0].sql)
            deaths += end.killed
            if end.acknowledged:
                lake = steps[end.acknowledged - 1][1]
            lake = _survived(con, lake, steps[end.acknowledged][0] if end.killed else None)
    assert DeltaTable(tmp_path / "t").to_pyarrow_table().num_rows == len(lake.tables["t"])


def _survived(con: deltasql.Connection, before: Lake, flying: Step | None) -> Lake:
    """The lake is as it was, or as the statement in flight makes it; which then can be run."""
    found = _seen(con)
    if flying is None:
        assert found == before
        return found
    after, midway = deepcopy(before), deepcopy(before)
    flying.does(after)
    (flying.midway or flying.does)(midway)
    assert found in (before, after, midway), (SEED, flying.sql)
    if found != after:
        con.sql(flying.sql)
        assert _seen(con) == after, (SEED, flying.sql)
    return after


# -- before each write


_WHOLE = [
    "CREATE TABLE {s}.t (k INT, v INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
    "INSERT INTO {s}.t VALUES (1, 10), (2, 20)",
    "INSERT INTO {s}.t VALUES (3, 30)",
    "UPDATE {s}.t SET v = v + 1",
]
_EACH = {
    "INSERT INTO {s}.t VALUES (4, 40)": {4: 40},
    "UPDATE {s}.t SET v = 0 WHERE k = 1": {1: 0},
    "DELETE FROM {s}.t WHERE k = 2": {2: None},
    "MERGE INTO {s}.t USING (SELECT 2 AS k UNION ALL SELECT 5) AS s ON t.k = s.k "
    "WHEN MATCHED THEN UPDATE SET v = 9 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (5, 9)": {2: 9, 5: 9},
    "OPTIMIZE {s}.t": {},
    "VACUUM {s}.t RETAIN 0 HOURS": {},
    "RESTORE TABLE {s}.t TO VERSION AS OF 1": {1: 10, 2: 20, 3: None},
    "ALTER TABLE {s}.t ADD COLUMN more INT": {},
    "CREATE OR REPLACE TABLE {s}.t AS SELECT 7 AS k, 7 AS v": {1: None, 2: None, 3: None, 7: 7},
}
_MADE = [
    "CREATE TABLE {s}.n (k INT, v INT)",
    "CREATE TABLE {s}.n PARTITIONED BY (k) AS SELECT * FROM {s}.t",
    "CREATE OR REPLACE TABLE {s}.n AS SELECT * FROM {s}.t",
    "CREATE TABLE {s}.n DEEP CLONE {s}.t",
]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path) as con:
        con.sql("SET deltasql.vacuum.retention_check = off")
        yield con


def _deaths(con: deltasql.Connection, dying: Nursery, statement: str) -> Iterator[tuple[str, bool]]:
    """A schema with a table `t` for each write of the statement, before which it died; last one where it didn't."""
    con.sql("CREATE SCHEMA whole")
    for each in _WHOLE:
        con.sql(each.format(s="whole"))
    for step in range(100):
        schema = f"s{step}"
        shutil.copytree(Path(con.root) / "whole", Path(con.root) / schema)
        end = dying.run(Path(con.root), [statement.format(s=schema)], step=step)
        assert end.error is None
        yield schema, end.killed
        if not end.killed:
            assert step > 2, "hardly anything was written"
            return


def _rows(con: deltasql.Connection, table: str) -> dict[int, int]:
    return dict(con.sql(f"SELECT k, v FROM {table}").fetchall())


_QUICK = ("INSERT", "MERGE", "VACUUM", "CREATE OR REPLACE", "CREATE TABLE {s}.n PARTITIONED")


def _chosen(statements: Iterable[str]) -> list[object]:
    """All in soak; those that differ most in `make test`."""
    return [each if each.startswith(_QUICK) else pytest.param(each, marks=only_in_soak) for each in statements]


@pytest.mark.parametrize("statement", _chosen(_EACH))
def test_before_each_write(con: deltasql.Connection, dying: Nursery, statement: str) -> None:
    before = {1: 11, 2: 21, 3: 31}
    after = {key: value for key, value in (before | _EACH[statement]).items() if value is not None}
    made = False
    for schema, killed in _deaths(con, dying, statement):
        found = _rows(con, f"{schema}.t")
        assert found in (before, after)
        made = made or found == after  # From the commit on it stays made.
        assert found == (after if made else before)
        if killed and "ALTER" not in statement:
            con.sql(statement.format(s=schema))
            again = {**after, 4: 40} if "INSERT INTO" in statement else after
            assert _rows(con, f"{schema}.t") == again
        con.sql(f"INSERT INTO {schema}.t (k, v) VALUES (99, 99)")
        assert _rows(con, f"{schema}.t")[99] == 99
    assert made


@pytest.mark.parametrize("statement", _chosen(_MADE))
def test_a_table_in_the_making(con: deltasql.Connection, dying: Nursery, statement: str) -> None:
    """It isn't there until it is whole; what is left of it hinders neither the same statement nor another."""
    rows = {} if "(k INT" in statement else {1: 11, 2: 21, 3: 31}
    seen = []
    for schema, _ in _deaths(con, dying, statement):
        there = [row[1] for row in con.sql(f"SHOW TABLES IN {schema}")]
        assert there in (["t"], ["n", "t"])
        seen.append(len(there))
        if len(there) == 2:
            assert _rows(con, f"{schema}.n") == rows
            con.sql(f"DROP TABLE {schema}.n")
        con.sql(statement.format(s=schema))
        assert _rows(con, f"{schema}.n") == rows
        con.sql(f"VACUUM {schema}.n RETAIN 0 HOURS")
        assert _rows(con, f"{schema}.n") == rows
        con.sql(f"DROP SCHEMA {schema} CASCADE")
    assert seen == sorted(seen)
    con.sql("DROP SCHEMA whole CASCADE")
    assert not list(Path(con.root).rglob("*.parquet"))
