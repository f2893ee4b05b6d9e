"""Conditions that look at no column stay above an aggregate without groups, which gives a row of no rows."""

from __future__ import annotations

from collections.abc import Iterator

import datafusion
import pyarrow as pa
import pytest

import deltasql
from deltasql.sql.walls import walled

_ALL = "LIMIT 9223372036854775807"
QUERIES: dict[str, list[tuple[object, ...]]] = {
    "SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM c) y WHERE y.s = 'b'": [],
    "SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM c) y WHERE y.s = 'a'": [("a", 4)],
    "SELECT * FROM (SELECT 'a' AS s, min(day) AS n FROM c) y WHERE y.s <> 'a'": [],
    "SELECT * FROM (SELECT 'a' AS s, coalesce(max(k), 0) AS n FROM e ORDER BY max(k)) y WHERE s = 'b'": [],
    "SELECT * FROM (SELECT CAST(NULL AS INT) AS s, count(*) AS n FROM c) y WHERE y.s > 1": [],
    "SELECT * FROM (SELECT 'x' AS kind, count(*) AS n FROM c UNION ALL SELECT 'y', count(*) FROM e) u WHERE kind = 'x'": [("x", 4)],
    "SELECT * FROM (SELECT 'x' AS kind, count(*) AS n FROM c UNION ALL SELECT 'y', count(*) FROM e) u WHERE kind = 'y'": [("y", 4)],
    "SELECT * FROM (SELECT 'x' AS kind, count(*) AS n FROM c UNION ALL SELECT 'y', count(*) FROM e ORDER BY kind) u WHERE kind = 'x'": [("x", 4)],
    "WITH u AS (SELECT 'x' AS kind, count(*) AS n FROM c UNION ALL SELECT 'y', count(*) FROM e) SELECT * FROM u WHERE kind = 'y'": [("y", 4)],
    "SELECT * FROM (SELECT 'a' AS s, k, count(*) AS n FROM e GROUP BY ROLLUP (k)) y WHERE s = 'b'": [],
    "SELECT c.day FROM c JOIN (SELECT DISTINCT 'a' AS s, e.k FROM (SELECT min(day) FROM c) AS w JOIN e ON 7 = e.k) AS y ON c.k = y.k AND y.s <> y.s": [],
    "SELECT * FROM v WHERE s = 'b'": [],
    "SELECT * FROM v": [("a", 4)],
    "SELECT * FROM w WHERE kind = 'y'": [("y", 4)],
    "SELECT count(*) FROM (SELECT 'a' AS s, count(*) OVER () AS n FROM e) y WHERE s = 'a'": [(4,)],
    "SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM e WHERE false) y WHERE s = 'a'": [("a", 0)],
    "SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM e LIMIT 1) y WHERE s = 'b'": [],
    "SELECT c.day FROM c JOIN (SELECT k AS a, count(*) AS n, (SELECT max(e.k) FROM e WHERE e.k < 7) FROM (SELECT k, (SELECT count(*) FROM e WHERE e.k < c.k) FROM c WHERE k > 100) x GROUP BY ROLLUP (k)) y ON c.k = y.n + 1 AND y.a IN (NULL, NULL)": [],
    "SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM (SELECT k, (SELECT count(*) FROM e WHERE e.k < c.k) AS w FROM c) x) y WHERE s = 'b'": [],
    "SELECT * FROM (SELECT (SELECT min(k) FROM e) AS s, count(*) AS n FROM c) y WHERE s > 1": [],
    "SELECT * FROM (SELECT n, (SELECT min(k) FROM e) AS s FROM (SELECT count(*) AS n FROM c) x) y WHERE NOT s = s": [],
    "SELECT * FROM (SELECT n, (SELECT min(k) FROM e) AS s FROM (SELECT count(*) AS n FROM c) x) y WHERE s = 1": [(4, 1)],
    # With what hides constants from DataFusion (see test_opaque.py) in them.
    "SELECT n FROM (SELECT count(k) AS n FROM e) u WHERE n IS NULL UNION ALL SELECT c.k FROM e LEFT JOIN c ON e.k = c.k AND c.day = 3 WHERE e.k = 1": [(None,)],
    "SELECT n FROM (SELECT count(x.k) AS n FROM e x LEFT JOIN c ON x.k = c.k AND c.day = 3) u WHERE n IS NULL UNION ALL SELECT c.k FROM e LEFT JOIN c ON e.k = c.k AND c.day = 3 WHERE e.k = 1": [(None,)],
    "WITH u AS (SELECT count(x.k) AS n FROM e x FULL JOIN (SELECT count(c.k) AS m FROM c) y ON x.k = y.m WHERE y.m = 3) SELECT n FROM u WHERE n IS NULL AND n IS NOT NULL UNION ALL SELECT n FROM u": [(0,)],
}  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[deltasql.Connection]:
    with deltasql.connect() as con:
        for text in (
            "CREATE TABLE c AS SELECT * FROM (VALUES (1, 1), (2, 2), (7, 3), (NULL, NULL)) AS t(k, day)",
            "CREATE TABLE e AS SELECT * FROM (VALUES (1), (2), (7), (7)) AS t(k)",
            "CREATE VIEW v AS SELECT 'a' AS s, count(*) AS n FROM c",
            "CREATE VIEW w AS SELECT 'x' AS kind, count(*) AS n FROM c UNION ALL SELECT 'y', count(*) FROM e",
        ):
            con.sql(text)
        yield con


@pytest.mark.parametrize("reader", ["auto", "scan"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_condition_on_a_constant(con: deltasql.Connection, query: str, reader: str) -> None:
    con.sql(f"SET deltasql.reader = '{reader}'")
    assert con.sql(query).fetchall() == QUERIES[query]


@pytest.mark.xfail(strict=True, reason="DataFusion 55 moves the condition below the aggregate")
def test_bare_datafusion_is_right() -> None:
    context = datafusion.SessionContext()
    context.from_arrow(pa.table({"k": [1]}), "c")
    assert context.sql("SELECT * FROM (SELECT 'a' AS s, count(*) AS n FROM c) y WHERE y.s = 'b'").to_pylist() == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM (SELECT count(*) FROM t) y", f"SELECT * FROM (SELECT count(*) FROM t {_ALL}) y"),
        ("SELECT * FROM (SELECT a FROM t) y", None),
        ("SELECT * FROM (SELECT a, count(*) FROM t GROUP BY a) y", None),
        ("SELECT * FROM (SELECT count(*) FROM t LIMIT 3) y", None),
        ("SELECT count(*) FROM t", None),
        ("SELECT (SELECT count(*) FROM t) AS n", None),
        ("SELECT 1 WHERE 1 IN (SELECT count(*) FROM t)", None),
        ("SELECT * FROM t WHERE EXISTS (SELECT count(*) FROM t)", None),
        ("SELECT count FROM (SELECT count FROM t) y", None),
        ("SELECT a, (SELECT count(*) FROM t) FROM t", None),
        ("SELECT DISTINCT (SELECT count(*) FROM t), coalesce((SELECT max(a) FROM t), 0) FROM t", None),
        ("SELECT 1 FROM t WHERE a IS DISTINCT FROM (SELECT max(a) FROM t) OR a > ALL (SELECT max(a) FROM t)", None),
        ("SELECT 1 FROM t x, (SELECT max(a) FROM t) y", f"SELECT 1 FROM t x, (SELECT max(a) FROM t {_ALL}) y"),
        ("SELECT 1 FROM t x JOIN u ON 1 = 1, (SELECT max(a) FROM t) y", f"SELECT 1 FROM t x JOIN u ON 1 = 1, (SELECT max(a) FROM t {_ALL}) y"),
        ("WITH a AS (SELECT 1), b AS (SELECT max(a) FROM t) SELECT 1", f"WITH a AS (SELECT 1), b AS (SELECT max(a) FROM t {_ALL}) SELECT 1"),
        ("SELECT * FROM ((SELECT 1) UNION ALL (SELECT max(a) FROM t)) y", f"SELECT * FROM ((SELECT 1) UNION ALL (SELECT max(a) FROM t {_ALL})) y"),
        ("SELECT * FROM (SELECT a FROM (SELECT max(a) AS a FROM t) z) y", f"SELECT * FROM (SELECT a FROM (SELECT max(a) AS a FROM t {_ALL}) z) y"),
    ],
)  # fmt: skip
def test_where_walls_are(sql: str, expected: str | None) -> None:
    assert walled(sql, lambda: {"count", "max"}) == (expected or sql)
