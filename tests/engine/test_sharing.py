"""CTEs that are named more than once: computed once where that is worth it, and always with the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.engine import engine


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sharing")
    write_deltalake(root / "t", pa.table({"k": [n % 5 for n in range(100)], "Val": range(100)}))
    return root


@pytest.fixture
def con(root: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(root) as connection:
        yield connection


def _shared(con: deltasql.Connection, query: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in con.sql(f"EXPLAIN {query}") if kind.startswith("cte ")]


SUMS = "WITH s AS (SELECT k, sum(val) AS total FROM t GROUP BY k) "


@pytest.mark.parametrize(
    ("query", "shared"),
    [
        (SUMS + "SELECT * FROM s a JOIN s b ON a.k = b.k", ["s"]),
        (SUMS + "SELECT * FROM s", []),
        (SUMS + "SELECT * FROM s WHERE k = 1 UNION ALL SELECT * FROM s WHERE k = 2", []),
        (SUMS + "SELECT * FROM s UNION ALL SELECT * FROM s WHERE total > 5", ["s"]),
        ("WITH s AS (SELECT k FROM t WHERE val > 5) SELECT * FROM s UNION ALL SELECT * FROM s", []),
        ("WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 3) SELECT * FROM s a, s b", []),
        (SUMS + ", m AS (SELECT max(total) AS m FROM s) SELECT * FROM s, m x, m y", ["s", "m"]),
        ('WITH "S x"(A, b) AS (SELECT k, sum(val) FROM t GROUP BY k) SELECT a, B FROM "S x" UNION SELECT * FROM "S x"', ["S x"]),
        (SUMS + "SELECT * FROM (WITH u AS (SELECT 1 AS one) SELECT * FROM u, s) x, s", ["s"]),
    ],
)  # fmt: skip
def test_which_and_what(
    con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch, query: str, shared: list[str]
) -> None:
    assert [kind.removeprefix("cte ") for kind, _ in _shared(con, query)] == shared
    computed = con.sql(query).to_arrow()
    monkeypatch.setattr(engine, "shared_ctes", lambda sql: ())
    plain = con.sql(query).to_arrow()
    assert computed.schema == plain.schema
    assert sorted(map(str, computed.to_pylist())) == sorted(map(str, plain.to_pylist()))


def test_explain_says_so(con: deltasql.Connection) -> None:
    assert _shared(con, SUMS + "SELECT * FROM s a, s b, s c") == [("cte s", "computed once for its 3 references")]


def test_one_that_is_too_large_is_not_kept(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_BYTES", 10)
    assert con.sql(SUMS + "SELECT count(*) FROM s a, s b").fetchall() == [(25,)]


def test_parameters_in_and_behind_it(con: deltasql.Connection) -> None:
    query = "WITH s AS (SELECT k, sum(val) AS total FROM t WHERE k > ? GROUP BY k) SELECT count(*) FROM s a, s b WHERE a.k < b.k + ?"
    assert con.sql(query, [2, 1]).fetchall() == [(3,)]


def test_reading_twice_gives_the_same_rows_after_a_write(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", pa.table({"k": [1, 1, 2], "val": [1, 2, 3]}))
    with deltasql.connect(tmp_path) as con:
        result = con.sql(SUMS + "SELECT sum(a.total + b.total) FROM s a JOIN s b ON a.k = b.k")
        before = result.to_arrow()
        con.sql("INSERT INTO t VALUES (1, 100)")
        assert result.to_arrow() == before
