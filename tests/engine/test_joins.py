"""Joins by more than equations, and right joins: as in DuckDB, whatever reads the tables."""

from __future__ import annotations

from collections.abc import Iterator

import datafusion
import duckdb
import pyarrow as pa
import pytest

import deltasql

_CONDITIONS = (
    "", "x.n < y.n", "x.n NOT IN (3, 0)", "y.n NOT IN (3, 0)", "x.b", "y.b = true", "x.b AND y.b", "y.n NOT IN (NULL)", "x.n = NULL", "NULL", "false",
    "y.n IS NULL", "nullif(y.n, 2) IS NULL", "y.b IS NOT DISTINCT FROM true",
)  # fmt: skip
_WHERE = ("", " WHERE x.n IS NULL", " WHERE x.n = 2 OR x.n IS NULL", " WHERE y.n < 3")
_TABLES = {
    "x": "(1, 1, true), (1, 2, NULL), (2, 3, false), (2, NULL, true), (3, 1, true), (NULL, 2, true)",
    "y": "(1, 2, false), (2, 2, true), (2, 3, NULL), (4, 1, true), (5, NULL, false), (NULL, 1, NULL)",
}


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[deltasql.Connection, duckdb.DuckDBPyConnection]]:
    with deltasql.connect() as con, duckdb.connect() as duck:
        for name, rows in _TABLES.items():
            for each in (con.sql, duck.execute):
                each(f"CREATE TABLE {name} (k INT, n INT, b BOOLEAN)")
                each(f"INSERT INTO {name} VALUES {rows}")
        yield con, duck


@pytest.mark.parametrize(("reader", "threads"), [("auto", 1), ("auto", 2), ("scan", 2)])
@pytest.mark.parametrize("how", ["RIGHT", "FULL", "LEFT"])
def test_as_in_duckdb(
    engines: tuple[deltasql.Connection, duckdb.DuckDBPyConnection], how: str, reader: str, threads: int
) -> None:
    con, duck = engines
    con.sql(f"SET deltasql.reader = '{reader}'")
    con.sql(f"SET deltasql.threads = {threads}")
    for condition in _CONDITIONS:
        on = f"x.k = y.k AND {condition}" if condition else "x.k = y.k"
        for where in _WHERE:
            query = f"SELECT x.k AS a, y.k AS b FROM x {how} JOIN y ON {on}{where}"
            if how != "RIGHT" and where == _WHERE[-1]:  # How that is done goes for the whole query.
                query += " UNION ALL SELECT x.k, y.k FROM x RIGHT JOIN y ON x.k = y.k WHERE x.n IS NULL"
            found = sorted(con.sql(query).fetchall(), key=repr)
            assert found == sorted(duck.execute(query).fetchall(), key=repr), query


def test_a_join_past_the_limit_of_memory_is_an_error_where_sorting_would_be_wrong() -> None:
    texts = "(SELECT value AS v, md5(value::STRING) AS m FROM range(600000))"
    query = f"SELECT count(*) FROM {texts} a JOIN {texts} b ON a.m = b.m AND a.v <= b.v"
    with deltasql.connect() as con:
        con.sql("SET deltasql.memory_limit = '30MB'")
        with pytest.raises(deltasql.OperationalError, match="memory"):
            con.sql(query).fetchall()


@pytest.mark.upstream(
    "a projection that is moved below a join that sorts leaves the join's condition as it was: #24414"
)
@pytest.mark.xfail(strict=True, raises=BaseException, reason="DataFusion 55; no such join has a condition")
def test_a_join_that_sorts() -> None:
    options = {"datafusion.optimizer.prefer_hash_join": "false", "datafusion.execution.target_partitions": "2"}
    context = datafusion.SessionContext(datafusion.SessionConfig(options))
    for name in "xy":
        context.from_arrow(pa.table({"k": [1, 2, 3], "n": [1, 2, 3]}), name)
    rows = context.sql("SELECT x.k AS a, y.k AS b FROM x RIGHT JOIN y ON x.k = y.k AND y.n > 2").to_pylist()
    assert [row["a"] for row in rows if row["b"] == 3] == [3]
