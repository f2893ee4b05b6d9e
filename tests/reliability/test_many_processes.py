"""Many processes at once: nothing that was acknowledged is lost, and all happens as if one statement followed another."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import deltasql

from .amounts import SEED, only_in_soak, times
from .history import Change, Rows, Statement, faults, states_of
from .mortals import Nursery, Told, nursery

_START = dict.fromkeys(range(1, 9), 100)
_READS = [
    "SELECT k, v FROM t",
    # The same rows, if both are of one version.
    "SELECT a.k, a.v FROM t AS a JOIN t AS b ON a.k = b.k AND a.v = b.v",
    "SELECT k, v FROM t UNION SELECT k, v FROM t",
    "SELECT k, v FROM t WHERE (SELECT sum(v) FROM t) = (SELECT sum(v) FROM t WHERE v <= (SELECT max(v) FROM t))",
]


@pytest.fixture(scope="module")
def dying() -> Iterator[Nursery]:
    with nursery() as found:
        yield found


def _put(new: dict[int, int]) -> Change:
    return lambda rows: {**rows, **new}


def _add(keys: dict[int, int]) -> Change:
    return lambda rows: {key: value + keys.get(key, 0) for key, value in rows.items()}


def _without(gone: Callable[[int, int], bool]) -> Change:
    return lambda rows: {key: value for key, value in rows.items() if not gone(key, value)}


def _grown(by: int) -> Change:
    return lambda rows: {**rows, max(rows) + 1: abs(sum(rows.values())) % 1_000_003 + by}


def _drawn(draw: random.Random, own: int) -> tuple[str, Change | None]:
    """A write of all sorts, and what it does; ``own`` is a key that nobody else inserts."""
    one, other = draw.sample(sorted(_START), 2)
    by = draw.randint(1, 50)
    # Values that no row has: what is updated to the value that it has counts, and isn't a change to the model.
    upserts = {key: 1009 * own + draw.randrange(1000) for key in (one, -own)}
    values = ", ".join(f"({key}, {value})" for key, value in upserts.items())
    merge = (
        f"MERGE INTO t USING (SELECT * FROM (VALUES {values}) AS x(k, v)) AS s ON t.k = s.k "
        "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)"
    )
    found: list[tuple[str, Change | None]] = [
        (f"UPDATE t SET v = v + {by} WHERE k = {one}", _add({one: by})),
        (
            f"UPDATE t SET v = v + CASE k WHEN {one} THEN -{by} ELSE {by} END WHERE k IN ({one}, {other})",
            _add({one: -by, other: by}),
        ),
        (f"INSERT INTO t VALUES ({-own}, {by})", _put({-own: by})),
        (f"INSERT INTO t SELECT max(k) + 1, abs(sum(v)) % 1000003 + {by} FROM t", _grown(by)),
        (merge, _put(upserts)),
        (f"DELETE FROM t WHERE k > 8 AND k % 5 = {by % 5}", _without(lambda key, _: key > 8 and key % 5 == by % 5)),
        (
            f"INSERT OVERWRITE t SELECT k, v + {by} FROM t",
            lambda rows: {key: value + by for key, value in rows.items()},
        ),
        ("OPTIMIZE t", None),
        ("OPTIMIZE t ZORDER BY (v)", None),
        ("VACUUM t", None),
        (f"ALTER TABLE t SET TBLPROPERTIES ('n' = '{by}')", None),
    ]
    return draw.choices(found, weights=[6, 6, 3, 4, 4, 2, 1, 2, 1, 2, 1])[0]


def _client(draw: random.Random, number: int, turns: range) -> list[tuple[str, str, Change | None]]:
    """The statements of one client: their names, text, and what they do."""
    found = []
    for turn in turns:
        sql, change = _drawn(draw, 1000 * (number + 1) + turn) if draw.random() < 0.6 else (draw.choice(_READS), None)
        found.append((f"{number}.{turn}", sql, change))
    return found


def _seen(name: str, sql: str, change: Change | None, told: Told) -> Statement:
    rows = told.rows or []
    if told.error is not None:
        assert told.error.startswith("CommitConflict"), (sql, told.error)
        return Statement(name, told.begun, told.ended, change or _put({}), failed=True)
    if sql.startswith("SELECT"):
        assert len(dict(rows)) == len(rows), f"`{sql}` gives a row twice"
        return Statement(name, told.begun, told.ended, rows=dict(rows))
    count = rows[0][0] if change is not None and not sql.startswith("INSERT OVERWRITE") else None
    return Statement(name, told.begun, told.ended, change, version=told.version, count=count)


def _history(client: list[tuple[str, str, Change | None]], told: list[Told]) -> list[Statement]:
    """What a client saw; if it was killed, nobody knows of its last statement."""
    found = [_seen(*asked, gave) for asked, gave in zip(client, told[1::2], strict=False)]
    if len(found) < len(client):
        name, _, change = client[len(found)]
        begun = told[-1].ended if told else 0
        found.append(Statement(name, begun, 1 << 62, change, unsure=True))
    return found


def _log(table: Path, *, behind: int) -> list[tuple[int, str]]:
    """Which statement made which version: each says its name in its commit."""
    found = []
    for entry in sorted((table / "_delta_log").glob("*.json")):
        info = json.loads(entry.read_text().splitlines()[0])["commitInfo"]
        if int(entry.stem) > behind:
            found.append((int(entry.stem), info["userMetadata"]))
    return found


@pytest.mark.parametrize(
    ("number", "properties"),
    [
        (0, "'delta.checkpointInterval' = '5'"),
        pytest.param(1, "'delta.isolationLevel' = 'Serializable', 'delta.enableChangeDataFeed' = 'true'", marks=only_in_soak),
        pytest.param(2, "'delta.enableInCommitTimestamps' = 'true'", marks=only_in_soak),
        pytest.param(3, "'delta.enableRowTracking' = 'true'", marks=only_in_soak),
        # Files go for good while all is under way: those that no version of the last 20 seconds needs.
        pytest.param(4, "'delta.deletedFileRetentionDuration' = 'interval 20 seconds'", marks=only_in_soak),
    ],
)  # fmt: skip
def test_histories_are_serial(tmp_path: Path, dying: Nursery, number: int, properties: str) -> None:
    draw = random.Random(f"{SEED} {number}")
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (k BIGINT, v BIGINT) TBLPROPERTIES ({properties})")
        con.sql("INSERT INTO t VALUES " + ", ".join(map(str, _START.items())))
        for turn in range(times(1, 4)):
            turns = range(turn * 100, turn * 100 + times(14, 60))
            start = dict(con.sql("SELECT k, v FROM t").fetchall()) if turn else _START
            behind = max(int(entry.stem) for entry in (tmp_path / "t" / "_delta_log").glob("*.json"))
            clients = [_client(draw, each, turns) for each in range(times(3, 4))]
            doomed = {0: draw.uniform(0.5, times(1, 10))}
            told = dying.together(tmp_path, [_named(client) for client in clients], killed=doomed)
            statements = [each for client, gave in zip(clients, told, strict=True) for each in _history(client, gave)]
            log = _log(tmp_path / "t", behind=behind)
            assert faults(start, log, statements) == [], SEED
            _require_states(con, states_of(start, log, statements), gone=number == 4)
            assert sum(each.version is not None for each in statements) > len(statements) / 4


def _named(client: list[tuple[str, str, Change | None]]) -> list[str]:
    """The statements, before each of them its name for the log."""
    pairs = ((f"SET deltasql.commit.user_metadata = '{name}'", sql) for name, sql, _ in client)
    return [each for pair in pairs for each in pair]


def _require_states(con: deltasql.Connection, states: dict[int, Rows], *, gone: bool) -> None:
    """Each version has the rows that the model has, the latest too."""
    last = max(states)
    for version, rows in states.items():
        if version == last or not gone:
            assert dict(con.sql(f"SELECT k, v FROM t VERSION AS OF {version}").fetchall()) == rows
    assert dict(con.sql("SELECT k, v FROM t").fetchall()) == states[last]


@only_in_soak
def test_identity_columns_upserts_and_upkeep(tmp_path: Path, dying: Nursery) -> None:
    """Each number is given out once, whoever asks for it and however often a statement runs again."""
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY, p INT, n INT)")
        clients = [
            [
                draw
                for n in range(25)
                for draw in (
                    "SET deltasql.commit.retries = 200",
                    f"INSERT INTO t (p, n) VALUES ({p}, {n}), ({p}, {n})",
                    f"MERGE INTO t USING (SELECT {p} AS p, {-n - 1} AS n) AS s ON t.p = s.p AND t.n = s.n "
                    "WHEN NOT MATCHED THEN INSERT (p, n) VALUES (s.p, s.n)",
                    "OPTIMIZE t" if n % 5 == p else "SELECT count(*), count(DISTINCT id) FROM t",
                )
            ]
            for p in range(4)
        ]
        told = dying.together(tmp_path, clients)
        assert [each.error for client in told for each in client if each.error] == []
        reads = [each.rows[0] for client in told for each in client if each.rows and len(each.rows[0]) == 2]
        assert all(count == distinct for count, distinct in reads if isinstance(count, int))
        rows = con.sql("SELECT id, p, n FROM t").fetchall()
        assert len({row[0] for row in rows}) == len(rows) == 4 * 25 * 3
        assert sorted((p, n) for _, p, n in rows) == sorted(
            (p, n) for p in range(4) for k in range(25) for n in (k, k, -k - 1)
        )
