"""A condition above joins isn't pushed to whichever side has columns of the same names; see `sql.held`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.sql.held import held

_ROWS = "(1, 1), (2, 1), (3, 2), (NULL, 2), (11, 3), (12, 3)"
_YES = "(SELECT v FROM yes)"
_Known = bool | None


def _eq(one: int | None, other: int | None) -> _Known:
    return None if one is None or other is None else one == other


def _or(*parts: _Known) -> _Known:
    return True if True in parts else None if None in parts else False


def _not(part: _Known) -> _Known:
    return None if part is None else not part


def _and(*parts: _Known) -> _Known:
    return _not(_or(*map(_not, parts)))


# What holds of x.k, y.k, x.p, y.p.
_CONDITIONS: dict[str, Callable[..., _Known]] = {
    "x.k = 1 OR y.k = 3": lambda a, b, p, q: _or(_eq(a, 1), _eq(b, 3)),
    "x.k IS NULL": lambda a, b, p, q: a is None,
    "x.k IS NULL OR y.k = 3": lambda a, b, p, q: _or(a is None, _eq(b, 3)),
    "x.k IS NULL OR (y.k <> 3 AND NOT x.k = 1)": lambda a, b, p, q: _or(
        a is None, _and(_not(_eq(b, 3)), _not(_eq(a, 1)))
    ),
    f"(x.k = 1) = {_YES} OR (y.k = 3) = {_YES}": lambda a, b, p, q: _or(_eq(a, 1), _eq(b, 3)),
    "x.k = (SELECT 1) OR y.k = (SELECT 3)": lambda a, b, p, q: _or(_eq(a, 1), _eq(b, 3)),
    "x.p IS NULL OR y.p = 2": lambda a, b, p, q: _or(p is None, _eq(q, 2)),
    "coalesce(x.k, 1) < coalesce(y.k, 5)": lambda a, b, p, q: (1 if a is None else a) < (5 if b is None else b),
}
_JOINS = list(itertools.product(("LEFT", "RIGHT", "FULL", "INNER"), repeat=2))


@pytest.fixture(scope="module")
def con() -> Iterator[deltasql.Connection]:
    with deltasql.connect() as con:
        for text in (
            "CREATE TABLE parts (k INT, p INT) PARTITIONED BY (p)",
            "CREATE TABLE plain (k INT, p INT)",
            f"INSERT INTO parts VALUES {_ROWS}",
            f"INSERT INTO plain VALUES {_ROWS}",
            "CREATE VIEW filtered AS SELECT k, p FROM plain WHERE coalesce(p, 0) > -1",
            "CREATE TABLE s AS SELECT * FROM (VALUES (2, 3), (9, 1)) AS s (m, v)",
            "CREATE TABLE yes AS SELECT true AS v",
        ):
            con.sql(text)
        yield con


@pytest.mark.parametrize("table", ["parts", "plain", "filtered"])
@pytest.mark.parametrize(("first", "second"), _JOINS)
def test_conditions_above_joins(con: deltasql.Connection, table: str, first: str, second: str) -> None:
    joined = f"FROM {table} x {first} JOIN s ON x.k = s.m {second} JOIN {table} y ON s.v = y.k"
    rows = con.sql(f"SELECT x.k, y.k, x.p, y.p {joined}").fetchall()
    for condition, holds in _CONDITIONS.items():
        found = con.sql(f"SELECT x.k, y.k, x.p, y.p {joined} WHERE {condition}").fetchall()
        assert sorted(map(repr, found)) == sorted(repr(row) for row in rows if holds(*row) is True), condition


def test_what_is_held() -> None:
    def shown(condition: str) -> str:
        return held(f"SELECT * FROM a LEFT JOIN b ON a.x IS NULL WHERE {condition}").partition(" WHERE ")[2]

    left = ("a.k = 1 AND b.k > 2", "a.s NOT LIKE 'x%' AND b.k BETWEEN 1 AND 2", "a.k IS NOT NULL", "a.k NOT IN (1, 2)")
    looking = ("a.k IN (SELECT k FROM c) OR b.k IS NULL", "NOT EXISTS (SELECT 1 FROM c WHERE c.k = a.k)")
    for condition in (*left, *looking):
        assert shown(condition) == condition
    start = "CASE WHEN random() >= 0 THEN ("
    assert shown("a.k = 1 AND b.k IS NULL") == f"a.k = 1 AND {start}b.k IS NULL\n) END"
    assert shown("a.k = 1 OR b.k = 2 AND a.m = 3") == f"{start}a.k = 1 OR b.k = 2 AND a.m = 3\n) END"
    assert shown("coalesce(b.k, 1) = 1 ORDER BY 1") == f"{start}coalesce(b.k, 1) = 1\n) END ORDER BY 1"


@pytest.mark.upstream("DataFusion 55 pushes filters through hash joins by the names of columns")
@pytest.mark.xfail(strict=True)
def test_bare_datafusion_is_right(tmp_path: Path) -> None:
    context = datafusion.SessionContext()
    tables: dict[str, dict[str, Any]] = {"t": {"k": [1, 2, 3, None]}, "s": {"m": [2, 9], "v": [3, 1]}}
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        context.register_parquet(name, str(tmp_path / f"{name}.parquet"))
    context.sql("CREATE VIEW f AS SELECT k FROM t WHERE coalesce(k, 0) > -1")
    joined = "FROM f x LEFT JOIN s ON x.k = s.m RIGHT JOIN f y ON s.v = y.k"
    rows = context.sql(f"SELECT x.k AS a, y.k AS b {joined} WHERE x.k = 1 OR y.k = 3").to_pylist()
    assert rows == [{"a": 2, "b": 3}]
