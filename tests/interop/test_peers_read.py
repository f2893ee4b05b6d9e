"""DuckDB and Polars read what deltasql wrote, filters included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

import deltasql

_STATEMENTS = """
CREATE TABLE plain (id INT NOT NULL, Name STRING COMMENT 'who', amount DECIMAL(10, 2), at TIMESTAMP, day DATE, ok BOOLEAN, f DOUBLE, bin BINARY);
INSERT INTO plain VALUES (1, 'a', 1.5, '2024-01-01 10:00:00', '2024-01-01', true, 0.5, X'00ff'), (2, 'b', 2, NULL, '2024-01-02', false, 'NaN', NULL);
INSERT INTO plain (id, name) SELECT 3, 'it''s' UNION ALL SELECT 4, NULL;
UPDATE plain SET amount = amount * 2 WHERE id = 1;
UPDATE plain SET Name = 'B' WHERE id = 2;
DELETE FROM plain WHERE id = 4;
CREATE TABLE parts PARTITIONED BY (g) AS SELECT id, Name, 'g' || (id % 2) AS g FROM plain;
DELETE FROM parts WHERE id = 3;
CREATE TABLE nested AS SELECT 1 AS id, ['a', NULL] AS tags, named_struct('X', 1, 'y', 'z') AS st, MAP {'k': 1} AS m;
CREATE TABLE copied AS SELECT * FROM plain VERSION AS OF 1;
DELETE FROM copied WHERE id IN (SELECT max(id) FROM copied);
CREATE TABLE none (id INT)
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    with deltasql.connect(root) as con:
        for _ in con.script(_STATEMENTS):
            pass
    return root


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its delta extension, from the package in the environment: nothing is downloaded."""
    from duckdb_extensions import import_extension

    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as con:
        con.execute("SET extension_directory = ?", [str(tmp_path_factory.mktemp("extensions"))])
        con.execute("SET TimeZone = 'UTC'") if _has_icu(con) else None
        import_extension("delta", con=con)
        con.load_extension("delta")
        yield con


def _has_icu(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(con.execute("SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'icu'").fetchone()[0])


QUERIES = [
    ("plain", "id, Name, amount, day, ok", "true"),
    ("plain", "id, Name", "id = 1"),
    ("plain", "id", "Name = 'B'"),
    ("plain", "id", "Name = 'it''s'"),
    ("plain", "id", "Name IS NULL"),
    ("plain", "id", "amount > 2.5"),
    ("plain", "id", "day = DATE '2024-01-02'"),
    ("plain", "id", "ok"),
    ("plain", "count(*), max(id)", "true"),
    ("plain", "id, bin", "bin IS NOT NULL"),
    ("parts", "id, Name, g", "true"),
    ("parts", "id", "g = 'g1'"),
    ("parts", "g, count(*)", "id < 10 GROUP BY g"),
    ("nested", "id, tags, st", "true"),
    ("nested", "id", "st.y = 'z'"),
    ("copied", "id, Name, amount", "true"),
    ("copied", "id", "id < 2"),
    ("none", "id", "true"),
]


@pytest.mark.parametrize(("table", "columns", "where"), QUERIES)
def test_duckdb(lake: Path, duck: duckdb.DuckDBPyConnection, table: str, columns: str, where: str) -> None:
    theirs = duck.execute(f"SELECT {columns} FROM delta_scan('{lake / table}') WHERE {where}").fetchall()
    with deltasql.connect(lake) as con:
        ours = con.sql(f"SELECT {columns} FROM {table} WHERE {where}").fetchall()
    assert sorted(map(repr, theirs)) == sorted(map(repr, ours))
    assert theirs or table == "none" or "IS NULL" in where


FILTERS = [
    ("plain", pl.col("id") > 0),
    ("plain", pl.col("id") == 1),
    ("plain", pl.col("Name") == "it's"),
    ("plain", pl.col("amount").is_null()),
    ("plain", pl.col("ok")),
    ("parts", pl.col("g") == "g1"),
    ("copied", pl.col("id") == 1),
]


@pytest.mark.parametrize(("table", "predicate"), FILTERS, ids=str)
def test_polars(lake: Path, table: str, predicate: pl.Expr) -> None:
    with deltasql.connect(lake) as con:
        ours = con.sql(f"SELECT * FROM {table}").to_polars().filter(predicate).sort("id")
    theirs = pl.scan_delta(str(lake / table)).filter(predicate).collect().sort("id")
    assert repr(theirs.rows()) == repr(ours.rows())
    assert theirs.columns == ours.columns
    assert theirs.height


def test_no_foreign_metadata(lake: Path) -> None:
    """Field metadata that isn't Delta's hides rows from DuckDB's filters (facts.md, 21)."""
    for log in lake.rglob("*.json"):
        assert "PARQUET:field_id" not in log.read_text()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (3, 'c', X'02')",
        "CREATE TABLE u AS SELECT * FROM t",
        "UPDATE t SET s = 'x' WHERE id = 1",
        "UPDATE t SET s = upper(s) WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "DELETE FROM t WHERE id + 0 = 1",
    ],
)
def test_no_view_types_in_files(tmp_path: Path, statement: str) -> None:
    """They break pyarrow's filters and Daft (facts.md, 20)."""
    import pyarrow.parquet as pq

    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT, s STRING, b BINARY)")
        con.sql("INSERT INTO t VALUES (1, 'a', X'00'), (2, 'b', NULL)")
        before = set(tmp_path.rglob("*.parquet"))
        con.sql(statement)
    (fresh,) = set(tmp_path.rglob("*.parquet")) - before
    assert "view" not in str(pq.read_schema(fresh).types)
