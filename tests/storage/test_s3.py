"""What works on a local root works on S3: the same statements, the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

import deltasql
from deltasql.errors import AlreadyExists, NotSupportedError, SchemaNotFound, TableNotFound, VersionNotFound

from .conftest import Bucket, rows

WRITES = [
    "CREATE TABLE t (id BIGINT NOT NULL, name STRING, day DATE) PARTITIONED BY (day)",
    "INSERT INTO t VALUES (1, 'a', DATE '2024-01-01'), (2, 'b', DATE '2024-01-02'), (3, 'c', DATE '2024-01-02')",
    "UPDATE t SET name = upper(name) WHERE id > 1",
    "DELETE FROM t WHERE id = 3",
    """MERGE INTO t USING (SELECT * FROM (VALUES (2, 'two'), (4, 'four')) AS v (id, name)) AS s ON t.id = s.id
    WHEN MATCHED THEN UPDATE SET name = s.name
    WHEN NOT MATCHED THEN INSERT (id, name, day) VALUES (s.id, s.name, DATE '2024-01-04')""",
    "INSERT OVERWRITE t PARTITION (day = DATE '2024-01-01') BY NAME SELECT 9 AS id, 'nine' AS name",
    "ALTER TABLE t ADD COLUMN size INT",
    "INSERT INTO t BY NAME SELECT 5 AS id, 'x y%1/z' AS name, DATE '2024-01-05' AS day, 7 AS size",
    "OPTIMIZE t",
    "CHECKPOINT t",
    "SET deltasql.vacuum.retention_check = off",
    "CREATE TABLE old DEEP CLONE t VERSION AS OF 3",
    "CREATE TABLE near SHALLOW CLONE t",
    "CREATE TABLE empty LIKE t",
    "CREATE SCHEMA sales COMMENT 'what we sold'",
    "CREATE TABLE sales.orders AS SELECT id, name AS customer, CAST(id AS STRING) || ' %/ü' AS odd FROM t",
    "CREATE TABLE odd PARTITIONED BY (odd) AS SELECT id, odd FROM sales.orders",
    "CREATE VIEW sales.big AS SELECT * FROM sales.orders WHERE id > 2",
    "COMMENT ON TABLE t IS 'a table'",
    "RESTORE TABLE old TO VERSION AS OF 0",
    "VACUUM t RETAIN 0 HOURS",
    "GENERATE symlink_format_manifest FOR TABLE t",
    "FSCK REPAIR TABLE t",
    "TRUNCATE TABLE empty",
    "ANALYZE TABLE t COMPUTE STATISTICS",
]

READS = [
    "SELECT * FROM t",
    "SELECT * FROM t WHERE id = 2",
    "SELECT count(*) FROM t",
    "SELECT DISTINCT day FROM t",
    "SELECT day, count(*), min(id), max(name) FROM t GROUP BY day",
    "SELECT * FROM t TIMESTAMP AS OF current_timestamp()",
    "SELECT * FROM old",
    "SELECT * FROM near WHERE day > DATE '2024-01-01'",
    "SELECT * FROM empty",
    "SELECT * FROM odd WHERE odd LIKE '2%'",
    "SELECT o.customer, t.day FROM sales.orders o JOIN t ON t.id = o.id",
    "SELECT * FROM sales.big",
    "SHOW TABLES",
    "SHOW TABLES IN sales",
    "SHOW SCHEMAS",
    "SHOW PARTITIONS t",
    "SELECT version, operation FROM (DESCRIBE HISTORY t)",
    "DESCRIBE TABLE t",
    "SELECT num_files FROM (SELECT numFiles AS num_files FROM (DESCRIBE DETAIL t))",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sales'",
]


def _filled(connection: deltasql.Connection) -> deltasql.Connection:
    for statement in WRITES:
        connection.sql(statement)
    return connection


def test_the_same_statements_give_the_same_rows_as_on_a_local_root(s3: Bucket, tmp_path: Path) -> None:
    with _filled(deltasql.connect(tmp_path)) as local, _filled(s3.connect()) as remote, s3.connect() as other:
        for statement in READS:
            assert rows(remote, statement) == rows(local, statement), statement
            assert rows(other, statement) == rows(local, statement), statement


@pytest.mark.parametrize("reader", ["listing", "scan", "dataset"])
def test_each_access_path_reads_a_store(s3: Bucket, reader: str) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t PARTITIONED BY (p) AS SELECT value AS id, value % 3 AS p FROM range(1000)")
        con.sql("INSERT INTO t SELECT value AS id, value % 3 AS p FROM range(1000, 2000)")
        con.sql(f"SET deltasql.reader = {reader}")
        wanted = {p: [n for n in range(100, 2000) if n % 3 == p] for p in range(3)}
        assert rows(con, "SELECT p, count(*) AS n, sum(id) AS s FROM t WHERE id > 99 GROUP BY p") == [
            {"p": p, "n": len(found), "s": sum(found)} for p, found in wanted.items()
        ]
        plan = "\n".join(map(str, con.sql("EXPLAIN SELECT * FROM t").fetchall()))
        assert reader in plan


def test_deletion_vectors_and_feeds_are_read(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
        con.sql("INSERT INTO t VALUES (1), (2)")
        con.sql("UPDATE t SET id = 3 WHERE id = 2")
        found = rows(con, "SELECT id, _change_type FROM table_changes('t', 2)")
        assert found == [
            {"id": 2, "_change_type": "update_preimage"},
            {"id": 3, "_change_type": "update_postimage"},
        ]


def test_older_versions_and_vacuum(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        con.sql("UPDATE t SET id = 2")
        assert rows(con, "SELECT * FROM t VERSION AS OF 0") == [{"id": 1}]
        con.sql("SET deltasql.vacuum.retention_check = off")
        dry = rows(con, "VACUUM t RETAIN 0 HOURS DRY RUN")
        assert len(dry) == 1
        assert dry[0]["path"].startswith(f"{s3.url}/lake/t/part-")
        con.sql("VACUUM t RETAIN 0 HOURS")
        assert rows(con, "SELECT * FROM t") == [{"id": 2}]
        with pytest.raises(VersionNotFound):
            rows(con, "SELECT * FROM t VERSION AS OF 0")


def test_a_file_that_is_gone_is_named_by_every_path(s3: Bucket) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS id")
        con.sql("INSERT INTO t VALUES (2)")
        rows(con, "SELECT * FROM t")
        files = con.session.catalog.find("default", "t").files  # type: ignore[union-attr]
        files[0].unlink()
        for reader in ("listing", "dataset"):
            con.sql(f"SET deltasql.reader = {reader}")
            with pytest.raises(deltasql.StorageError, match=files[0].name):
                rows(con, "SELECT * FROM t WHERE id < 5")


def test_tables_by_path_and_at_locations(s3: Bucket, tmp_path: Path) -> None:
    with deltasql.connect(tmp_path, storage_options=s3.options) as con:
        con.sql(f"CREATE TABLE far (id INT) LOCATION '{s3.url}/elsewhere/far'")
        con.sql("INSERT INTO far VALUES (1), (2)")
        con.sql("CREATE TABLE here AS SELECT 2 AS id, 'two' AS name")
        joined = "SELECT name FROM here JOIN far USING (id)"
        assert rows(con, joined) == [{"name": "two"}]
        assert rows(con, f"SELECT * FROM delta.`{s3.url}/elsewhere/far@v1` WHERE id = 1") == [{"id": 1}]
        assert rows(con, f"SELECT * FROM delta.`s3a://{s3.name}/elsewhere/far`") == [{"id": 1}, {"id": 2}]
        con.sql(f"INSERT INTO delta.`{s3.url}/elsewhere/far` SELECT id FROM here")
        con.sql(
            "MERGE INTO here USING far ON here.id = far.id + 10 WHEN NOT MATCHED THEN INSERT (id, name) VALUES (far.id, 'far')"
        )
        assert rows(con, "SELECT count(*) AS n FROM here") == [{"n": 4}]
        con.sql("CREATE TABLE copied DEEP CLONE far")
        con.sql(f"CREATE TABLE back DEEP CLONE here LOCATION '{s3.url}/elsewhere/back'")
        assert rows(con, "SELECT count(*) AS n FROM copied") == [{"n": 3}]
        assert rows(con, "SELECT count(*) AS n FROM back") == [{"n": 4}]
        with pytest.raises(NotSupportedError, match="SHALLOW CLONE"):
            con.sql("CREATE TABLE shared SHALLOW CLONE far")
        assert con.table("far").version() == 2
        con.sql("DROP TABLE far")
        assert rows(con, f"SELECT count(*) AS n FROM delta.`{s3.url}/elsewhere/far`") == [{"n": 3}]
    with deltasql.connect(tmp_path, storage_options=s3.options) as again:
        assert rows(again, "SELECT count(*) AS n FROM back") == [{"n": 4}]


def test_attach_with_options(s3: Bucket, tmp_path: Path) -> None:
    with s3.connect() as con:
        con.sql("CREATE TABLE sales (id INT)")
        con.sql("INSERT INTO sales VALUES (7)")
    given = ", ".join(f"{name} '{value}'" for name, value in s3.options.items())
    with deltasql.connect(tmp_path) as con:
        con.sql(f"ATTACH '{s3.url}/lake' AS cloud (READ_ONLY, {given})")
        assert rows(con, "SELECT * FROM cloud.default.sales") == [{"id": 7}]
        with pytest.raises(deltasql.OperationalError, match="read-only"):
            con.sql("DELETE FROM cloud.default.sales")
        con.sql("DETACH cloud")
        con.sql(f"ATTACH '{s3.url}/lake' AS cloud")
        with pytest.raises(deltasql.ConfigError, match="no credentials"):
            con.sql("SELECT * FROM cloud.default.sales")


def test_names_that_come_and_go(s3: Bucket) -> None:
    with s3.connect() as con, s3.connect() as other:
        with pytest.raises(TableNotFound):
            con.sql("SELECT * FROM t")
        other.sql("CREATE TABLE t AS SELECT 1 AS id")
        assert rows(con, "SELECT * FROM T") == [{"id": 1}]
        with pytest.raises(AlreadyExists):
            con.sql("CREATE TABLE t (id INT)")
        with pytest.raises(NotSupportedError, match="can't be moved"):
            con.sql("ALTER TABLE t RENAME TO u")
        other.sql("DROP TABLE t")
        with pytest.raises(TableNotFound):
            con.sql("SELECT * FROM t")
        other.sql("CREATE SCHEMA s")
        other.sql("CREATE TABLE s.t AS SELECT 2 AS id")
        assert rows(con, "SELECT * FROM s.t") == [{"id": 2}]
        con.sql("DROP SCHEMA s CASCADE")
        with pytest.raises(SchemaNotFound):
            con.sql("SELECT * FROM s.t")


def test_files_that_are_no_tables(s3: Bucket) -> None:
    with s3.connect() as con:
        for n in (1, 2):
            con.sql(f"COPY (SELECT {n} AS id, 'x' AS name) TO '{s3.url}/files/year=202{n}/part {n}.parquet'")
            con.sql(f"COPY (SELECT {n} AS id, 'x' AS name) TO '{s3.url}/csv/{n}.csv.gz'")
            con.sql(f"COPY (SELECT {n} AS id, 'x' AS name) TO '{s3.url}/json/{n}.jsonl'")
        everything = f"SELECT id, year FROM read_parquet('{s3.url}/files')"
        assert rows(con, everything) == [{"id": 1, "year": 2021}, {"id": 2, "year": 2022}]
        assert rows(con, f"SELECT id FROM read_parquet('{s3.url}/files/*/part 2*')") == [{"id": 2}]
        assert rows(con, f"SELECT id FROM read_csv('{s3.url}/csv/*.csv.gz')") == [{"id": 1}, {"id": 2}]
        assert rows(con, f"SELECT id FROM read_json('{s3.url}/json/[12].jsonl')") == [{"id": 1}, {"id": 2}]
        con.sql("CREATE TABLE t (id BIGINT, name STRING)")
        copy = f"COPY INTO t FROM '{s3.url}/csv' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')"
        assert rows(con, copy)[0]["num_inserted_rows"] == 2
        assert rows(con, copy)[0]["num_inserted_rows"] == 0
        con.sql(f"CONVERT TO DELTA parquet.`{s3.url}/files` PARTITIONED BY (year INT)")
        assert rows(con, f"SELECT id, year FROM delta.`{s3.url}/files` WHERE year = 2021") == [{"id": 1, "year": 2021}]
