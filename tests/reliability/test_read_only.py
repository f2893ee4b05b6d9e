"""A read-only connection changes no table and no catalog: every statement that there is, walked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.operations import PLANNERS, READING
from deltasql.sql import statements
from deltasql.sql.parser import parse
from deltasql.sql.statements import Statement

_WRITES: Mapping[type[Statement], tuple[str, ...]] = {
    statements.Insert: ("INSERT INTO t VALUES (3, 'c')", "INSERT OVERWRITE t VALUES (3, 'c')", "INSERT INTO {path} VALUES (3, 'c')"),
    statements.Update: ("UPDATE t SET b = 'x'", "UPDATE {path} SET b = 'x'"),
    statements.Delete: ("DELETE FROM t", "DELETE FROM t WHERE a > 1", "DELETE FROM t WHERE false", "DELETE FROM {path}"),
    statements.Truncate: ("TRUNCATE TABLE t",),
    statements.Merge: ("MERGE INTO t USING t AS s ON t.a = s.a WHEN MATCHED THEN DELETE",),
    statements.CopyInto: ("COPY INTO t FROM '{files}' FILEFORMAT = PARQUET",),
    statements.CreateTable: (
        "CREATE TABLE u (a INT)",
        "CREATE TABLE IF NOT EXISTS t (a INT)",
        "CREATE OR REPLACE TABLE t (a INT)",
        "CREATE TABLE u AS SELECT 1 AS a",
        "CREATE TABLE {elsewhere} (a INT)",
        "CREATE TABLE u (a INT) LOCATION '{folder}/elsewhere'",
        "CREATE TABLE u LOCATION '{outside}'",
        "REPLACE TABLE t (a INT)",
    ),
    statements.CloneTable: ("CREATE TABLE u SHALLOW CLONE t", "CREATE TABLE u DEEP CLONE t"),
    statements.ConvertToDelta: ("CONVERT TO DELTA parquet.`{files}`",),
    statements.DropTable: ("DROP TABLE t", "DROP TABLE IF EXISTS nothing"),
    statements.CreateSchema: ("CREATE SCHEMA x", "CREATE SCHEMA IF NOT EXISTS default"),
    statements.DropSchema: ("DROP SCHEMA s CASCADE", "DROP SCHEMA IF EXISTS nothing"),
    statements.CreateView: ("CREATE VIEW w AS SELECT 1 AS a", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a"),
    statements.DropView: ("DROP VIEW v", "DROP VIEW IF EXISTS nothing"),
    statements.AlterTable: (
        "ALTER TABLE t ADD COLUMN c INT",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
    ),
    statements.CommentOn: ("COMMENT ON TABLE t IS 'x'", "COMMENT ON COLUMN t.a IS 'x'", "COMMENT ON SCHEMA s IS 'x'"),
    statements.Vacuum: ("VACUUM t", "VACUUM {path}"),
    statements.Optimize: ("OPTIMIZE t", "OPTIMIZE t ZORDER BY (a)"),
    statements.Reorg: ("REORG TABLE t APPLY (PURGE)",),
    statements.Analyze: ("ANALYZE TABLE t COMPUTE STATISTICS",),
    statements.Restore: ("RESTORE TABLE t TO VERSION AS OF 0",),
    statements.Fsck: ("FSCK REPAIR TABLE t",),
    statements.Generate: ("GENERATE symlink_format_manifest FOR TABLE t",),
    statements.Checkpoint: ("CHECKPOINT t",),
}  # fmt: skip
"""What a read-only connection refuses, whether or not there would be something to do."""

_READS: Mapping[type[Statement], tuple[str, ...]] = {
    statements.Query: ("SELECT * FROM t", "SELECT * FROM {path}", "SELECT * FROM v"),
    statements.Explain: ("EXPLAIN SELECT * FROM t", "EXPLAIN ANALYZE SELECT * FROM t"),
    statements.CopyTo: ("COPY (SELECT * FROM t) TO '{beside}/out.csv'",),
    statements.CreateView: ("CREATE TEMPORARY VIEW w AS SELECT * FROM t",),
    statements.DropView: ("DROP VIEW W",),
    statements.Vacuum: ("VACUUM t DRY RUN", "VACUUM {path} RETAIN 1000 HOURS DRY RUN"),
    statements.Fsck: ("FSCK REPAIR TABLE t DRY RUN",),
    statements.Attach: ("ATTACH '{folder}' AS other",),
    statements.Detach: ("DETACH other",),
    statements.UseSchema: ("USE s", "USE default"),
    statements.CreateSecret: ("CREATE SECRET k (TYPE s3, AWS_ACCESS_KEY_ID 'a', AWS_SECRET_ACCESS_KEY 'b')",),
    statements.ShowSecrets: ("SHOW SECRETS",),
    statements.DropSecret: ("DROP SECRET k",),
    statements.DescribeHistory: ("DESCRIBE HISTORY t",),
    statements.DescribeDetail: ("DESCRIBE DETAIL t",),
    statements.DescribeTable: ("DESCRIBE t",),
    statements.DescribeSchema: ("DESCRIBE SCHEMA s",),
    statements.ShowTables: ("SHOW TABLES",),
    statements.ShowViews: ("SHOW VIEWS",),
    statements.ShowSchemas: ("SHOW SCHEMAS",),
    statements.ShowCatalogs: ("SHOW CATALOGS",),
    statements.ShowFunctions: ("SHOW FUNCTIONS",),
    statements.ShowColumns: ("SHOW COLUMNS IN t",),
    statements.ShowPartitions: ("SHOW PARTITIONS p",),
    statements.ShowProperties: ("SHOW TBLPROPERTIES t",),
    statements.ShowCreateTable: ("SHOW CREATE TABLE t",),
    statements.SetOption: ("SET time_zone = 'Europe/Berlin'",),
    statements.ShowOption: ("SHOW time_zone",),
    statements.ResetOption: ("RESET ALL",),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with tables, a view and a schema; beside it a table and Parquet files."""
    folder = tmp_path_factory.mktemp("read_only")
    (folder / "root" / "files").mkdir(parents=True)
    (folder / "beside").mkdir()
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), folder / "root" / "files" / "x.parquet")
    with deltasql.connect(folder / "root") as con:
        for _ in con.script("""
            CREATE TABLE t AS SELECT 1 AS a, 'a' AS b; INSERT INTO t VALUES (2, 'b');
            CREATE TABLE p PARTITIONED BY (b) AS SELECT * FROM t;
            CREATE VIEW v AS SELECT a FROM t; CREATE SCHEMA s; CREATE TABLE s.u AS SELECT 1 AS a"""):
            pass
        con.sql(f"CREATE TABLE delta.`{folder / 'outside'}` AS SELECT 1 AS a, 'a' AS b")
    return folder


def _made(statement: str, lake: Path) -> str:
    places = {
        "path": f"delta.`{lake / 'outside'}`",
        "elsewhere": f"delta.`{lake / 'elsewhere'}`",
        "outside": lake / "outside",
        "beside": lake / "beside",
        "files": lake / "root" / "files",
        "folder": lake,
    }
    for name, place in places.items():
        statement = statement.replace(f"{{{name}}}", str(place))
    return statement


def _all(lake: Path) -> dict[str, tuple[bytes | None, int]]:
    """All files and folders, but for what COPY … TO writes."""
    found = {}
    for path in lake.rglob("*"):
        if "beside" not in path.parts:
            found[str(path)] = (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
    return found


def _of(kinds: Mapping[type[Statement], tuple[str, ...]]) -> Iterator[tuple[type[Statement], str]]:
    return ((kind, text) for kind, texts in kinds.items() for text in texts)


def test_each_statement_is_walked() -> None:
    assert {*_WRITES, *_READS} == set(PLANNERS)
    sometimes = {statements.CreateView, statements.DropView, statements.Vacuum, statements.Fsck}
    assert set(_READS) - sometimes == READING


def test_no_write_is_let_through(lake: Path) -> None:
    before = _all(lake)
    with deltasql.connect(lake / "root", read_only=True) as con:
        for kind, template in _of(_WRITES):
            text = _made(template, lake)
            assert type(parse(text)) is kind
            for form in (text, f"EXPLAIN {text}"):
                with pytest.raises(deltasql.OperationalError, match="the connection is read-only"):
                    con.sql(form)
    assert _all(lake) == before


def test_all_that_reads_is_let_through(lake: Path) -> None:
    before = _all(lake)
    with deltasql.connect(lake / "root", read_only=True) as con:
        for kind, template in _of(_READS):
            text = _made(template, lake)
            assert type(parse(text)) is kind
            con.sql(text).to_arrow()
    assert _all(lake) == before


def test_no_write_reaches_what_is_attached_read_only(lake: Path, tmp_path: Path) -> None:
    """The same statements over the names of a catalog; those of paths outside it are writes like any other."""
    before = _all(lake)
    with deltasql.connect(tmp_path) as con:
        con.sql(f"ATTACH '{lake / 'root'}' AS ro (READ_ONLY)")
        con.sql("USE ro.default")
        for _, template in _of(_WRITES):
            if any(place in template for place in ("{path}", "{elsewhere}", "nothing")):
                continue
            with pytest.raises((deltasql.OperationalError, deltasql.AlreadyExists)) as caught:
                con.sql(_made(template, lake))
            if isinstance(caught.value, deltasql.OperationalError):
                assert caught.value.message == "catalog `ro` is attached read-only", template
    assert _all(lake) == before


@pytest.mark.parametrize("place", ["_deltasql/catalog.json", "t/x.csv", "t/_delta_log/00000000000000000009.json"])
def test_a_query_is_not_copied_over_what_is_ours(lake: Path, place: str) -> None:
    before = _all(lake)
    with deltasql.connect(lake / "root", read_only=True) as con, pytest.raises(deltasql.PlanError, match="lies "):
        con.sql(f"COPY (SELECT 1 AS a) TO '{lake / 'root' / place}' (FORMAT json)")
    assert _all(lake) == before
