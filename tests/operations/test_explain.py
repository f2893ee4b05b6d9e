"""EXPLAIN: every statement says what it would do, and does nothing; ANALYZE says what a query took."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.operations import PLANNERS
from deltasql.sql import statements
from deltasql.sql.parser import parse
from deltasql.sql.statements import Statement

EXAMPLES: dict[type[Statement], str] = {
    statements.Query: "SELECT * FROM t",
    statements.Explain: "EXPLAIN SELECT * FROM t",
    statements.Insert: "INSERT INTO t VALUES (3, 'c')",
    statements.Update: "UPDATE t SET g = 'x'",
    statements.Delete: "DELETE FROM t WHERE id = 1",
    statements.Truncate: "TRUNCATE TABLE t",
    statements.Merge: "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    statements.CopyInto: "COPY INTO t FROM '{root}/in' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')",
    statements.CopyTo: "COPY (SELECT * FROM t) TO '{root}/out.csv'",
    statements.CreateTable: "CREATE TABLE u (id INT)",
    statements.CloneTable: "CREATE TABLE u SHALLOW CLONE t",
    statements.ConvertToDelta: "CONVERT TO DELTA parquet.`{root}/plain`",
    statements.DropTable: "DROP TABLE t",
    statements.CreateSchema: "CREATE SCHEMA s",
    statements.DropSchema: "DROP SCHEMA other CASCADE",
    statements.UseSchema: "USE other",
    statements.CreateView: "CREATE VIEW w AS SELECT * FROM t",
    statements.DropView: "DROP VIEW v",
    statements.Attach: "ATTACH '{root}/more' AS more",
    statements.Detach: "DETACH kept",
    statements.CreateSecret: "CREATE SECRET more (TYPE s3, KEY_ID 'k', SECRET 'a secret')",
    statements.DropSecret: "DROP SECRET one",
    statements.ShowSecrets: "SHOW SECRETS",
    statements.AlterTable: "ALTER TABLE t ADD COLUMN x INT",
    statements.CommentOn: "COMMENT ON TABLE t IS 'x'",
    statements.Vacuum: "VACUUM t",
    statements.Optimize: "OPTIMIZE t",
    statements.Restore: "RESTORE t TO VERSION AS OF 0",
    statements.Reorg: "REORG TABLE t APPLY (PURGE)",
    statements.Fsck: "FSCK REPAIR TABLE t",
    statements.Generate: "GENERATE symlink_format_manifest FOR TABLE t",
    statements.Checkpoint: "CHECKPOINT t",
    statements.Analyze: "ANALYZE TABLE t COMPUTE STATISTICS",
    statements.DescribeHistory: "DESCRIBE HISTORY t",
    statements.DescribeDetail: "DESCRIBE DETAIL t",
    statements.DescribeTable: "DESCRIBE t",
    statements.DescribeSchema: "DESCRIBE SCHEMA default",
    statements.ShowTables: "SHOW TABLES",
    statements.ShowViews: "SHOW VIEWS",
    statements.ShowSchemas: "SHOW SCHEMAS",
    statements.ShowCatalogs: "SHOW CATALOGS",
    statements.ShowFunctions: "SHOW FUNCTIONS",
    statements.ShowColumns: "SHOW COLUMNS IN t",
    statements.ShowPartitions: "SHOW PARTITIONS p",
    statements.ShowProperties: "SHOW TBLPROPERTIES t",
    statements.ShowCreateTable: "SHOW CREATE TABLE t",
    statements.SetOption: "SET deltasql.commit.user_metadata = 'a secret'",
    statements.ShowOption: "SHOW ALL",
    statements.ResetOption: "RESET ALL",
}


@pytest.fixture
def con(tmp_path: Path) -> deltasql.Connection:
    root = tmp_path / "root"
    con = deltasql.connect(root)
    con.sql("CREATE TABLE t (id INT, g STRING)")
    con.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    con.sql("CREATE TABLE p (id INT, g STRING) PARTITIONED BY (g)")
    con.sql("CREATE SCHEMA other")
    con.sql("CREATE TABLE other.o (id INT)")
    con.sql("CREATE VIEW v AS SELECT * FROM t")
    con.sql(f"ATTACH '{tmp_path}/kept' AS kept")
    con.sql("CREATE SECRET one (TYPE s3, KEY_ID 'k', SECRET 'a secret')")
    con.sql("SET deltasql.commit.retries = 3")
    (root / "plain").mkdir()
    (root / "in").mkdir()
    (root / "in" / "a.csv").write_text("id,g\n7,x\n")
    pq.write_table(pa.table({"id": [1]}), root / "plain" / "a.parquet")
    return con


def _state(con: deltasql.Connection, folder: Path) -> object:
    """All that a statement could change."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    folders = [path for path in sorted(folder.rglob("*")) if path.is_dir()]
    catalog = con.session.catalog
    shown = con.sql("SHOW ALL").fetchall(), con.sql("SHOW SECRETS").fetchall()
    return files, folders, shown, catalog.home, dict(catalog.temporaries), catalog.catalogs()


def test_there_is_an_example_of_each_statement() -> None:
    assert set(PLANNERS) <= set(EXAMPLES)


@pytest.mark.parametrize(
    "statement", [kind for kind in PLANNERS if kind is not statements.Explain], ids=lambda statement: statement.__name__
)
def test_it_explains_and_does_nothing(con: deltasql.Connection, tmp_path: Path, statement: type[Statement]) -> None:
    text = EXAMPLES[statement].format(root=tmp_path / "root")
    assert type(parse(text)) is statement
    before = _state(con, tmp_path)
    plan = con.sql(f"EXPLAIN {text}").to_arrow()
    assert plan.column_names == ["plan_type", "plan"]
    assert plan.num_rows
    assert all(kind and line is not None for kind, line in con.sql(f"EXPLAIN {text}").fetchall())
    assert "a secret" not in str(plan.to_pylist())
    assert _state(con, tmp_path) == before


@pytest.mark.parametrize(
    "statement",
    [kind for kind in PLANNERS if kind not in (statements.Query, statements.Explain)],
    ids=lambda statement: statement.__name__,
)
def test_analyze_is_for_queries(con: deltasql.Connection, tmp_path: Path, statement: type[Statement]) -> None:
    text = EXAMPLES[statement].format(root=tmp_path / "root")
    before = _state(con, tmp_path)
    with pytest.raises(deltasql.NotSupportedError, match="it takes queries only"):
        con.sql(f"EXPLAIN ANALYZE {text}")
    assert _state(con, tmp_path) == before


# -- what a run took


def _plan(con: deltasql.Connection, text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, line in con.sql(text).fetchall():
        found.setdefault(kind, []).append(line)
    return found


def _milliseconds(line: str) -> float:
    found = re.search(r"([\d.]+) (ms|s)\b", line)
    assert found is not None
    return float(found[1]) * (1 if found[2] == "ms" else 1000)


def test_the_slowest_operators_come_first(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE big AS SELECT value AS id, value % 7 AS g FROM range(300000)")
    found = _plan(con, "EXPLAIN ANALYZE SELECT g, count(DISTINCT id) FROM big GROUP BY g")
    assert found["total"][0].startswith("7 rows in ")
    header, *operators = found["slowest"]
    assert header.split() == ["time", "rows", "read", "files", "operator"]
    times = [_milliseconds(line) for line in operators]
    assert times == sorted(times, reverse=True)
    (scan,) = (line for line in operators if "DataSourceExec: big: " in line)
    _, _, rows, read, unit, files, *_ = scan.split()
    assert (rows, unit, files) == ("300000", "KiB", "1")
    assert float(read) > 100
    assert found["table big"] == ["big: version 0, 1 of 1 files, read by listing (Parquet alone holds it)"]
    assert "plan" not in found


def test_verbose_shows_the_whole_plan(con: deltasql.Connection) -> None:
    found = _plan(con, "EXPLAIN ANALYZE VERBOSE SELECT g FROM t WHERE id > 0 ORDER BY g")
    assert "[rows=2, time=" in found["plan"][0]
    assert any(line.startswith("  ") and "DataSourceExec: t: " in line and "files=1]" in line for line in found["plan"])


def test_a_second_run_measures_itself_alone(con: deltasql.Connection) -> None:
    text = "SELECT * FROM t WHERE id > 0"
    for _ in range(3):
        assert len(con.sql(text).fetchall()) == 2
        lines = _plan(con, f"EXPLAIN ANALYZE VERBOSE {text}")["plan"]
        assert all("rows=2," in line for line in lines if "FilterExec" in line)
        assert any("FilterExec" in line for line in lines)


def test_a_shared_cte_counts(con: deltasql.Connection) -> None:
    text = "WITH c AS (SELECT g, max(id) AS m FROM t GROUP BY g) SELECT * FROM c a JOIN c b ON a.g = b.g"
    found = _plan(con, f"EXPLAIN ANALYZE {text}")
    assert found["cte c"] == ["computed once for its 2 references"]
    assert found["total"][0].startswith("2 rows in ")


@pytest.mark.parametrize("reader", ["listing", "scan", "dataset"])
def test_each_way_of_reading(con: deltasql.Connection, reader: str) -> None:
    con.sql(f"SET deltasql.reader = {reader}")
    found = _plan(con, "EXPLAIN ANALYZE SELECT count(*), sum(id) FROM t WHERE g > ''")
    assert found["total"][0].startswith("1 row in ")


def test_an_error_while_it_runs(con: deltasql.Connection) -> None:
    with pytest.raises(deltasql.Error, match=r"[Dd]ivi"):
        con.sql("EXPLAIN ANALYZE SELECT 1 / (id - 1) FROM t")
    next((con.root / "t").glob("*.parquet")).unlink()
    with pytest.raises(deltasql.Error, match=r"gone|removed|missing|not there"):
        con.sql("EXPLAIN ANALYZE SELECT g FROM t")


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO t SELECT id + 1 FROM t WHERE id > 1",
        "UPDATE t SET id = 3 WHERE id > 1",
        "DELETE FROM t WHERE id > 1",
        "MERGE INTO t USING (SELECT id FROM t WHERE id > 1) s ON t.id = s.id WHEN MATCHED THEN DELETE",
        "CREATE TABLE u AS SELECT id FROM t WHERE id > 1",
    ],
)
def test_verbose_adds_the_plan_of_the_query_behind_a_write(tmp_path: Path, write: str) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2)) AS v (id)")
        short = con.sql(f"EXPLAIN {write}").fetchall()
        long = con.sql(f"EXPLAIN VERBOSE {write}").fetchall()
        plan = [text for kind, text in long if kind == "physical_plan"]
        assert [row for row in long if row[0] != "physical_plan"] == short
        assert any("FilterExec" in line and "> 1" in line for line in plan)
        assert con.sql("SELECT count(*) FROM table_history('t')").fetchall() == [(1,)]
