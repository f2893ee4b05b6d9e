"""Predicates of several lists of values agree with SQLite, NULLs and all (deltasql/sql/in_lists.py says what is at stake)."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql

ROWS = [(i, b, c) for i, (b, c) in enumerate(itertools.product([1, 2, 3, 4, 5, None], [1, 3, None]))]
ATOMS = (
    "b IN (2, 3)",
    "b NOT IN (2, 3)",
    "t.b IN (4, 5)",
    "(b) NOT IN (4, 5)",
    "b IN (3, NULL)",
    "b NOT IN (2, NULL)",
    "b IN (c, 2)",
    "b NOT IN (c, 3)",
    "b = 2",
    "(b = 2 OR 3 = b)",
    "(b <> 4 AND b != 5)",
    "b BETWEEN 2 AND 3",
)
POSITIONS = (
    "SELECT i FROM t WHERE {}",
    "SELECT i FROM t WHERE NOT ({})",
    "SELECT i FROM t WHERE ({}) IS NULL",
    "SELECT i, {} AS x FROM t",
)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[deltasql.Connection, sqlite3.Connection]]:
    root = tmp_path_factory.mktemp("lists")
    columns = zip(*ROWS, strict=True)
    write_deltalake(
        root / "t", pa.table({name: pa.array(c, pa.int64()) for name, c in zip("ibc", columns, strict=True)})
    )
    reference = sqlite3.connect(":memory:")
    reference.execute("CREATE TABLE t (i, b, c)")
    reference.executemany("INSERT INTO t VALUES (?, ?, ?)", ROWS)
    with deltasql.connect(root) as connection:
        yield connection, reference
    reference.close()


Both = tuple[deltasql.Connection, sqlite3.Connection]


def answers(lists: Both, sql: str, parameters: list[int | None] | None = None) -> tuple[list[str], list[str]]:
    ours = lists[0].sql(sql, parameters).fetchall()
    numbers = [tuple(value if value is None else int(value) for value in row) for row in ours]
    return sorted(map(str, numbers)), sorted(map(str, lists[1].execute(sql, parameters or []).fetchall()))


@pytest.mark.parametrize("joint", ["AND", "OR"])
@pytest.mark.parametrize("position", POSITIONS)
def test_two_lists(lists: Both, position: str, joint: str) -> None:
    wrong = []
    for first, second in itertools.product(ATOMS, ATOMS):
        sql = position.format(f"{first} {joint} {second}")
        ours, right = answers(lists, sql)
        if ours != right:
            wrong.append(sql)
    assert wrong == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i FROM t WHERE NOT (b IN (2, 3) AND (c = 1 AND b NOT IN (2, 3)))",
        "SELECT i FROM t WHERE NOT (NOT b IN (2, 3) AND b IN (2, 3))",
        "SELECT i FROM t WHERE (b IN (2, 3) AND b IN (4, 5)) IS NOT FALSE",
        "SELECT i FROM t WHERE coalesce(b IN (2, 3) AND b NOT IN (2, 3), true)",
        "SELECT i FROM t WHERE CASE WHEN b IN (2, 3) AND b IN (4, 5) THEN false ELSE b NOT IN (2) OR b NOT IN (3) END",
        "SELECT i FROM t WHERE b + 1 NOT IN (2, 3) OR b + 1 NOT IN (4, 5)",
        "SELECT i FROM t WHERE NOT (c BETWEEN 1 AND 2 AND b IN (2, 3) AND c BETWEEN 1 AND b AND b IN (4, 5))",
        "SELECT i FROM t WHERE b IN (1, 2, NULL) AND i IN (SELECT i FROM t WHERE b IN (2, 3)) AND b NOT IN (5, NULL)",
        "SELECT i FROM (SELECT i, b, b NOT IN (2, 3) AS x FROM t) AS q WHERE NOT (x AND b IN (2, 3))",
        "SELECT i FROM (SELECT i, b, b NOT IN (2, NULL) AS x FROM t) AS q WHERE x AND b IN (4, 5)",
        "SELECT i FROM (SELECT i, b, b AS d FROM t) AS q WHERE b NOT IN (2, NULL) AND d IN (4, 5)",
        "WITH w AS (SELECT i, b IN (1, 2) AS x, b IN (2, 3) AS y FROM t) SELECT i FROM w WHERE (x AND y) IS NULL",
        "SELECT b IN (1, 2) AS x, b NOT IN (1, 2) AS y, count(*) AS n FROM t GROUP BY b IN (1, 2), b NOT IN (1, 2)",
        "SELECT b IN (1, 2) AS x, count(*) AS n FROM t GROUP BY b IN (1, 2) HAVING NOT b IN (1, 2)",
        "SELECT sum(CASE WHEN b IN (2, 3) AND b NOT IN (3) THEN 1 WHEN b IN (4) THEN 2 END) AS n FROM t",
        "SELECT t.i, u.i FROM t LEFT JOIN t AS u ON u.i = t.i AND u.b NOT IN (2, 3) AND u.b IN (3, 4) WHERE NOT (t.b IN (1) AND t.b IN (2))",
        "SELECT (b = 1 OR b = 2) AND (b = 3 OR b = 4) AS x FROM t",
    ],
)
def test_where_lists_may_stand(lists: Both, sql: str) -> None:
    ours, right = answers(lists, sql)
    assert ours == right


@pytest.mark.parametrize("values", list(itertools.product([2, 3, None], repeat=3)))
def test_lists_of_parameters(lists: Both, values: tuple[int | None, ...]) -> None:
    for predicate in (
        "b IN (?, 4) AND b NOT IN (?, ?)",
        "NOT (b IN (?, ?) AND t.b IN (?))",
        "b NOT IN (?, ?) OR b NOT IN (?)",
    ):
        ours, right = answers(lists, f"SELECT i FROM t WHERE {predicate}", list(values))
        assert ours == right


@pytest.mark.upstream("lists are merged wrongly, and the text doesn't say that they are on the same column")
@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="DataFusion 55; two names of one column across a subquery"
)
@pytest.mark.parametrize(
    "predicate", ["b NOT IN (1, 2, 3, 7) OR d NOT IN (4, 5, 8, 9)", "b NOT IN (1, 2, 6, ?) AND d IN (4, 5, 7, 8)"]
)
def test_a_column_by_two_names(lists: Both, predicate: str) -> None:
    parameters = [None] if "?" in predicate else []
    ours, right = answers(lists, f"SELECT i FROM (SELECT i, b, b AS d FROM t) AS q WHERE {predicate}", parameters)
    assert ours == right


@pytest.mark.parametrize(
    ("predicate", "files"),
    [
        ("p IN (1, 2) AND b NOT IN (7, 8)", 2),
        ("b NOT IN (7, 8) AND p IN (1, 2)", 2),
        ("(p IN (1) AND b IN (1)) OR (p IN (2) AND b IN (2))", 2),
        ("p IN (?, 2) AND b IN (1, 2, ?)", 2),
        ("p IN (1, 2) AND p NOT IN (2, 3)", 1),
        ("p NOT IN (2, NULL, 1) AND p IN (1, 2)", 2),
    ],
)
def test_files_left_out(tmp_path: Path, predicate: str, files: int) -> None:
    """Lists that are kept apart leave out no files, so no more are than must be."""
    rows = pa.table({"p": pa.array([1, 2, 3, 4], pa.int64()), "b": pa.array([1, 2, 3, 4], pa.int64())})
    write_deltalake(tmp_path / "t", rows, partition_by=["p"])
    with deltasql.connect(tmp_path) as connection:
        plan = connection.sql(f"EXPLAIN SELECT * FROM t WHERE {predicate}", [1] * predicate.count("?")).fetchall()
    assert [text for kind, text in plan if kind.startswith("table") and f"{files} of 4 files" in text], plan


@pytest.mark.parametrize(
    "predicate",
    ["NOT (b IN (2, 3) AND b NOT IN (2, 3))", "b NOT IN (2, 3) OR b NOT IN (4, 5)", "b IN (c, 2) AND b IN (3, 5)"],
)
def test_writes(tmp_path: Path, predicate: str) -> None:
    """What a wrong merge would delete can't be had back."""
    rows = pa.table({"b": pa.array([1, 2, 3, 4, 5, None], pa.int64()), "c": pa.array([3] * 6, pa.int64())})
    for name in ("deleted", "updated", "merged", "source"):
        write_deltalake(tmp_path / name, rows)
    with deltasql.connect(tmp_path) as connection:
        connection.sql(f"DELETE FROM deleted WHERE {predicate}")
        connection.sql(f"UPDATE updated SET c = 0 WHERE {predicate}")
        on = f"USING source AS s ON t.b IS NOT DISTINCT FROM s.b AND ({predicate.replace('b ', 't.b ').replace('c,', 't.c,')})"
        connection.sql(f"MERGE INTO merged AS t {on} WHEN MATCHED THEN DELETE")
        left = [
            connection.sql(f"SELECT b FROM {name} WHERE c = 3").fetchall() for name in ("deleted", "updated", "merged")
        ]
    reference = sqlite3.connect(":memory:")
    reference.execute("CREATE TABLE t (b, c)")
    reference.executemany("INSERT INTO t VALUES (?, 3)", [(value,) for value in rows["b"].to_pylist()])
    right = reference.execute(f"SELECT b FROM t WHERE ({predicate}) IS NOT TRUE").fetchall()
    reference.close()
    assert [sorted(map(str, found)) for found in left] == [sorted(map(str, right))] * 3
