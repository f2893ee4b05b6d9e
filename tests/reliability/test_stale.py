"""What a connection keeps in mind is never older than what another writer did: RESTORE, VACUUM, a table made anew.

The same query text is run before and after, so that kept plans are in play too.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import deltasql

_QUERIES = [
    "SELECT * FROM t ORDER BY 1",
    "SELECT count(*) FROM t",
    "SELECT min(a), max(a) FROM t",
    "SELECT a.a FROM t AS a JOIN t AS b ON a.a = b.a ORDER BY 1",
    "SELECT n FROM v",
]
_OTHERS: dict[str, list[str]] = {
    "restored": ["RESTORE TABLE t TO VERSION AS OF 1"],
    "restored and vacuumed": ["RESTORE TABLE t TO VERSION AS OF 1", "VACUUM t RETAIN 0 HOURS"],
    "optimized and vacuumed": ["OPTIMIZE t", "VACUUM t RETAIN 0 HOURS"],
    "as many versions": [
        "DROP TABLE t",
        "CREATE TABLE t (a BIGINT)",
        "INSERT INTO t VALUES (70)",
        "INSERT INTO t VALUES (71)",
        "INSERT INTO t VALUES (72)",
    ],
    "fewer versions": ["DROP TABLE t", "CREATE TABLE t AS SELECT CAST(70 AS BIGINT) AS a"],
    "other columns": ["DROP TABLE t", "CREATE TABLE t AS SELECT 'x' AS b, CAST(70 AS BIGINT) AS a"],
    "replaced": ["CREATE OR REPLACE TABLE t AS SELECT CAST(70 AS BIGINT) AS a, 'x' AS b"],
    "a column more": ["ALTER TABLE t ADD COLUMN b STRING", "INSERT INTO t VALUES (9, 'x')"],
    "partitioned": ["CREATE OR REPLACE TABLE t PARTITIONED BY (p) AS SELECT CAST(70 AS BIGINT) AS a, 1 AS p"],
    "checkpointed": ["CHECKPOINT t", "INSERT INTO t VALUES (9)"],
    "view made anew": ["CREATE OR REPLACE VIEW v AS SELECT sum(a) AS n FROM t"],
    "view on another table": ["CREATE TABLE u AS SELECT 1 AS a", "CREATE OR REPLACE VIEW v AS SELECT a AS n FROM u"],
}


@pytest.fixture
def con(tmp_path: Path) -> deltasql.Connection:
    found = deltasql.connect(tmp_path)
    found.sql("SET deltasql.vacuum.retention_check = off")
    found.sql("CREATE TABLE t (a BIGINT)")
    found.sql("INSERT INTO t VALUES (1)")
    found.sql("INSERT INTO t VALUES (2), (3)")
    found.sql("DELETE FROM t WHERE a = 1")
    found.sql("CREATE VIEW v AS SELECT count(*) AS n FROM t")
    return found


def _answers(con: deltasql.Connection) -> list[list[tuple[Any, ...]]]:
    return [con.sql(query).fetchall() for query in _QUERIES]


def _other(root: Path, statements: list[str]) -> list[list[tuple[Any, ...]]]:
    """What another connection does, and what it sees then."""
    with deltasql.connect(root) as other:
        other.sql("SET deltasql.vacuum.retention_check = off")
        for statement in statements:
            other.sql(statement)
    with deltasql.connect(root) as fresh:
        return _answers(fresh)


@pytest.mark.parametrize("what", _OTHERS)
def test_what_another_did_is_seen_at_once(tmp_path: Path, con: deltasql.Connection, what: str) -> None:
    assert _answers(con) == _answers(con)
    now = _other(tmp_path, _OTHERS[what])
    assert _answers(con) == now


@pytest.mark.parametrize("what", _OTHERS)
def test_a_result_stays_what_it_was_or_says_that_it_can_not(
    tmp_path: Path, con: deltasql.Connection, what: str
) -> None:
    """Never the rows of another version."""
    before = con.sql("SELECT * FROM t ORDER BY 1").fetchall()
    pinned = con.sql("SELECT * FROM t ORDER BY 1")
    _other(tmp_path, _OTHERS[what])
    try:
        assert pinned.fetchall() == before
    except (deltasql.StorageError, deltasql.VersionNotFound) as error:
        assert "DROP" in str(_OTHERS[what]) or "VACUUM" in str(_OTHERS[what])
        assert "part-" in str(error)  # noqa: PT017 (which of the two happens is the statement's)


@pytest.mark.parametrize("what", _OTHERS)
def test_a_write_goes_on_top(tmp_path: Path, con: deltasql.Connection, what: str) -> None:
    _answers(con)
    _other(tmp_path, _OTHERS[what])
    before = {row[0] for row in con.sql("SELECT a FROM t")}
    con.sql("UPDATE t SET a = a + 1000")
    con.sql("INSERT INTO t (a) SELECT max(a) + 1 FROM t")
    now = {row[0] for row in con.sql("SELECT a FROM t")}
    assert now == {value + 1000 for value in before} | {max(before) + 1001}


def test_views_that_change_all_the_time(tmp_path: Path, con: deltasql.Connection) -> None:
    """Registrations of the same length, written within a tick of the file system's clock."""
    with deltasql.connect(tmp_path) as other:
        for number in range(100, 160):
            other.sql(f"CREATE OR REPLACE VIEW w AS SELECT {number} AS n")
            assert con.sql("SELECT n FROM w").fetchall() == [(number,)]
            other.sql(f"CREATE OR REPLACE VIEW w AS SELECT {number + 200} AS n")
            other.sql(f"CREATE OR REPLACE VIEW w AS SELECT {number + 400} AS n")
            assert con.sql("SELECT n FROM w").fetchall() == [(number + 400,)]


def test_tables_that_are_made_anew_all_the_time(tmp_path: Path, con: deltasql.Connection) -> None:
    with deltasql.connect(tmp_path) as other:
        for number in range(100, 130):
            other.sql(f"CREATE TABLE w AS SELECT {number} AS n")
            assert con.sql("SELECT n FROM w").fetchall() == [(number,)]
            other.sql("DROP TABLE w")
            with pytest.raises(deltasql.TableNotFound):
                con.sql("SELECT n FROM w")


def test_a_root_in_the_place_of_another(tmp_path: Path) -> None:
    """A root that is moved away, and another one put there: what was known of the first is of no use."""
    for name in ("a", "b"):
        with deltasql.connect(tmp_path / name) as made:
            made.sql(f"CREATE TABLE t AS SELECT '{name}' AS n")
            made.sql(f"CREATE VIEW v AS SELECT '{name}' AS n")
    with deltasql.connect(tmp_path / "a") as con:
        for name in ("a", "b", "a"):
            if name == "b":
                (tmp_path / "a").rename(tmp_path / "old")
                (tmp_path / "b").rename(tmp_path / "a")
            elif (tmp_path / "old").exists():
                shutil.rmtree(tmp_path / "a")
                (tmp_path / "old").rename(tmp_path / "a")
            assert con.sql("SELECT n FROM t").fetchall() == [(name,)]
            assert con.sql("SELECT n FROM v").fetchall() == [(name,)]
