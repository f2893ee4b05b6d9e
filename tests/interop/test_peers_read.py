"""DuckDB, Polars, pyarrow and bare delta-rs read what deltasql wrote, filters included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable

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
CREATE TABLE none (id INT);
CREATE TABLE merged (id INT, Name STRING, g STRING, y INT GENERATED ALWAYS AS (id * 2), CONSTRAINT c CHECK (id > 0)) PARTITIONED BY (g)
    TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true');
INSERT INTO merged (id, Name, g) SELECT id, Name, 'g' || (id % 2) FROM plain VERSION AS OF 2;
MERGE INTO merged AS t USING (SELECT id + 1 AS id, upper(Name) AS Name, 'it''s ü/%' AS g FROM plain) AS s ON t.id = s.id
    WHEN MATCHED AND t.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET Name = s.Name, g = s.g
    WHEN NOT MATCHED THEN INSERT (id, Name, g) VALUES (s.id + 10, s.Name, NULL)
    WHEN NOT MATCHED BY SOURCE THEN UPDATE SET Name = 'alone';
MERGE INTO merged USING (SELECT 20 AS id, 'new' AS Name) AS s ON merged.id = s.id WHEN NOT MATCHED THEN INSERT (id, Name) VALUES (s.id, s.Name);
INSERT WITH SCHEMA EVOLUTION INTO merged BY NAME SELECT 21 AS id, 'g1' AS g, 1.5 AS extra;
CREATE TABLE replaced PARTITIONED BY (g) AS SELECT id, Name, 'g' || (id % 2) AS g FROM plain;
INSERT OVERWRITE replaced PARTITION (g = 'g0') SELECT 7, 'seven';
INSERT INTO replaced REPLACE WHERE id = 1 SELECT 1, 'one', 'g1';
UPDATE replaced SET g = NULL WHERE id = 3;
CREATE TABLE emptied AS SELECT * FROM plain;
TRUNCATE TABLE emptied;
INSERT OVERWRITE copied SELECT * FROM plain WHERE id < 3
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
    ("merged", "id, Name, g, y, extra", "true"),
    ("merged", "id", "g IS NULL"),
    ("merged", "id", "g = 'it''s ü/%'"),
    ("merged", "Name", "y > 20"),
    ("replaced", "id, Name, g", "true"),
    ("replaced", "id", "g = 'g0'"),
    ("replaced", "Name", "id = 1"),
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
    ("merged", pl.col("g").is_null()),
    ("merged", pl.col("y") > 20),
    ("merged", pl.col("g") == "it's ü/%"),
    ("replaced", pl.col("g") == "g0"),
    ("replaced", pl.col("Name") == "one"),
]


@pytest.mark.parametrize(("table", "predicate"), FILTERS, ids=str)
def test_polars(lake: Path, table: str, predicate: pl.Expr) -> None:
    with deltasql.connect(lake) as con:
        ours = con.sql(f"SELECT * FROM {table}").to_polars().filter(predicate).sort("id")
    theirs = pl.scan_delta(str(lake / table)).filter(predicate).collect().sort("id")
    assert repr(theirs.rows()) == repr(ours.rows())
    assert theirs.columns == ours.columns
    assert theirs.height


SELECTED = [
    ("plain", ds.field("id") > 1, "id > 1"),
    ("plain", ds.field("Name") == "B", "Name = 'B'"),
    ("plain", ds.field("amount").is_null(), "amount IS NULL"),
    ("parts", ds.field("g") == "g1", "g = 'g1'"),
    ("copied", ds.field("id") == 2, "id = 2"),
    ("merged", ds.field("y") > 20, "y > 20"),
    ("merged", ds.field("g") == "it's ü/%", "g = 'it''s ü/%'"),
    ("replaced", ds.field("Name") == "one", "Name = 'one'"),
    ("replaced", ds.field("g").is_null(), "g IS NULL"),
    ("emptied", ds.field("id") > 0, "id > 0"),
]


@pytest.mark.parametrize(("table", "predicate", "where"), SELECTED, ids=str)
def test_pyarrow_and_bare_delta_rs(lake: Path, table: str, predicate: ds.Expression, where: str) -> None:
    opened = DeltaTable(lake / table)
    scanned = pa.table(opened.scan(predicate=where))
    dataset = opened.to_pyarrow_dataset().to_table(filter=predicate)
    with deltasql.connect(lake) as con:
        ours = con.sql(f"SELECT * FROM {table} WHERE {where}").to_arrow()
    assert sorted(map(repr, dataset.to_pylist())) == sorted(map(repr, ours.to_pylist()))
    assert sorted(map(repr, scanned.to_pylist())) == sorted(map(repr, ours.to_pylist()))
    assert ours.num_rows or table == "emptied"


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
        "MERGE INTO t USING (SELECT 1 AS id, 'x' AS s) AS n ON t.id = n.id WHEN MATCHED THEN UPDATE SET s = n.s",
        "MERGE INTO t USING (SELECT 5 AS id, upper('x') AS s) AS n ON t.id = n.id "
        "WHEN NOT MATCHED THEN INSERT (id, s) VALUES (n.id, n.s)",
        "INSERT OVERWRITE t SELECT id, s || 'x', b FROM t",
        "INSERT INTO t REPLACE WHERE id = 1 SELECT 1, upper('x'), b FROM t WHERE id = 1",
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
