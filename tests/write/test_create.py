"""Tables that are made: what their logs say, what others read of them, and that what fails leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

import deltasql
from tests.write.making import actions, fields, refused, state


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    (tmp_path / "root").mkdir()
    with deltasql.connect(tmp_path / "root") as con:
        yield con


WHOLE = """CREATE TABLE whole (
    id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5),
    "Name" VARCHAR(8) NOT NULL DEFAULT 'x' COMMENT 'who',
    ts TIMESTAMP,
    day DATE GENERATED ALWAYS AS (CAST("TS" AS DATE)),
    st STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>,
    CONSTRAINT Positive CHECK ("id" > 0 OR "name" = "x")
) PARTITIONED BY (day) COMMENT 'all' TBLPROPERTIES ('own.key' = 'v', 'DELTA.enableChangeDataFeed' = 'TRUE')"""


def test_the_log_of_a_table_with_all_clauses(con: deltasql.Connection) -> None:
    con.sql(WHOLE)
    location = Path(con.root) / "whole"
    (info,) = actions(location, "commitInfo")
    assert (info["operation"], info["isBlindAppend"]) == ("CREATE TABLE", True)
    assert info["operationParameters"]["partitionBy"] == '["day"]'
    (protocol,) = actions(location, "protocol")
    assert protocol["minWriterVersion"] == 7
    assert set(protocol["writerFeatures"]) >= {
        "allowColumnDefaults", "changeDataFeed", "checkConstraints", "generatedColumns", "identityColumns", "invariants",
    }  # fmt: skip
    (metadata,) = actions(location, "metaData")
    assert metadata["configuration"] == {
        # Spark takes what is in double quotes for a string, so names are in backticks.
        "delta.constraints.positive": '`id` > 0 OR `name` = "x"',
        "own.key": "v",
        "delta.enableChangeDataFeed": "true",
    }
    assert (metadata["name"], metadata["description"], metadata["partitionColumns"]) == ("whole", "all", ["day"])
    made = fields(location)
    assert made["Name"]["nullable"] is False
    assert made["Name"]["metadata"] == {
        "comment": "who",
        "__CHAR_VARCHAR_TYPE_STRING": "varchar(8)",
        "CURRENT_DEFAULT": "'x'",
    }
    assert made["day"]["metadata"] == {"delta.generationExpression": "CAST(`TS` AS DATE)"}


def test_a_plain_table_asks_little_of_its_readers(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (a INT NOT NULL)")
    con.sql("CREATE TABLE n (a TIMESTAMP_NTZ)")
    con.sql("CREATE TABLE m (a INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    root = Path(con.root)
    assert actions(root / "t", "protocol") == [{"minReaderVersion": 1, "minWriterVersion": 2}]
    assert actions(root / "n", "protocol")[0]["readerFeatures"] == ["timestampNtz"]
    assert actions(root / "m", "protocol") == [{"minReaderVersion": 2, "minWriterVersion": 5}]


def test_columns_are_mapped_at_all_depths(con: deltasql.Connection) -> None:
    con.sql("""CREATE TABLE m (a INT, st STRUCT<x: ARRAY<STRUCT<y: INT>>>, mp MAP<STRING, STRUCT<z: INT>>)
        TBLPROPERTIES ('delta.columnMapping.mode' = 'name')""")
    location = Path(con.root) / "m"
    (metadata,) = actions(location, "metaData")
    assert metadata["configuration"]["delta.columnMapping.maxColumnId"] == "6"
    assert metadata["schemaString"].count("delta.columnMapping.physicalName") == 6
    con.sql("INSERT INTO m SELECT 1, named_struct('x', [named_struct('y', 2)]), MAP {'k': named_struct('z', 3)}")
    assert con.sql("SELECT * FROM m").fetchall() == [(1, {"x": [{"y": 2}]}, [("k", {"z": 3})])]
    con.sql("CREATE OR REPLACE TABLE m (b INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    assert fields(location, 2)["b"]["metadata"]["delta.columnMapping.id"] == 7


def test_replacing_keeps_the_id_and_the_features(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (a TIMESTAMP_NTZ) TBLPROPERTIES ('k' = 'v')")
    con.sql("CREATE OR REPLACE TABLE t (b INT)")
    location = Path(con.root) / "t"
    (before,), (after,) = actions(location, "metaData"), actions(location, "metaData", 1)
    assert before["id"] == after["id"]
    assert after["configuration"] == {}
    assert not actions(location, "protocol", 1)
    assert DeltaTable(str(location)).schema().to_arrow() is not None


def test_row_tracking_goes_on_over_a_replacement(con: deltasql.Connection) -> None:
    properties = "TBLPROPERTIES ('delta.enableRowTracking' = 'true')"
    con.sql(f"CREATE TABLE t {properties} AS SELECT value AS a FROM generate_series(1, 5)")
    con.sql(f"CREATE OR REPLACE TABLE t {properties} AS SELECT 6 AS a")
    location = Path(con.root) / "t"
    assert actions(location, "add")[0]["baseRowId"] == 0
    assert actions(location, "add", 1)[0]["baseRowId"] == 5
    assert actions(location, "add", 1)[0]["defaultRowCommitVersion"] == 1


def test_commits_of_a_replaced_table_keep_their_timestamps(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (a INT)")
    con.sql("CREATE OR REPLACE TABLE t (a INT) TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
    con.sql("CREATE OR REPLACE TABLE t (b INT)")
    location = Path(con.root) / "t"
    stamps = [actions(location, "commitInfo", version)[0].get("inCommitTimestamp") for version in range(3)]
    assert stamps[0] is None
    assert stamps[1] < stamps[2]
    (metadata,) = actions(location, "metaData", 2)
    assert metadata["configuration"]["delta.inCommitTimestampEnablementVersion"] == "1"


# -- what others read


def test_others_read_a_table_with_all_clauses(con: deltasql.Connection, tmp_path: Path) -> None:
    con.sql(WHOLE)
    con.sql("INSERT INTO whole (ts, st) VALUES ('2024-01-01 10:00:00', named_struct('a', 1, 'b', NULL)), (NULL, NULL)")
    con.sql("UPDATE whole SET \"Name\" = 'y' WHERE id = 15")
    location = str(Path(con.root) / "whole")
    ours = con.sql('SELECT id, "Name", ts, day FROM whole ORDER BY id').fetchall()
    assert [row[:2] for row in ours] == [(10, "x"), (15, "y")]
    delta_rs = pa.table(DeltaTable(location).scan(columns=["id", "Name", "ts", "day"])).to_pylist()
    assert sorted(tuple(row.values()) for row in delta_rs) == ours
    polars = pl.scan_delta(location).select("id", "Name", "ts", "day").sort("id").collect().rows()
    assert [row[:2] for row in polars] == [row[:2] for row in ours]
    assert [row[3] for row in polars] == [row[3] for row in ours]
    with _duckdb(tmp_path) as duck:
        rows = duck.execute(f"SELECT id, Name, day FROM delta_scan('{location}') ORDER BY id").fetchall()
        assert rows == [(row[0], row[1], row[3]) for row in ours]
        assert duck.execute(f"SELECT id FROM delta_scan('{location}') WHERE Name = 'y'").fetchall() == [(15,)]


def _duckdb(folder: Path) -> object:
    import duckdb
    from duckdb_extensions import import_extension

    duck = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    duck.execute("SET extension_directory = ?", [str(folder / "extensions")])
    import_extension("delta", con=duck)
    duck.load_extension("delta")
    return duck


@pytest.mark.parametrize("mode", ["name", "id"])
def test_others_read_mapped_columns(con: deltasql.Connection, tmp_path: Path, mode: str) -> None:
    con.sql(f"""CREATE TABLE m CLUSTER BY ("a b") TBLPROPERTIES ('delta.columnMapping.mode' = '{mode}')
        AS SELECT 1 AS "a b", named_struct('x', 2) AS st""")
    location = str(Path(con.root) / "m")
    assert con.sql("SELECT * FROM m").fetchall() == [(1, {"x": 2})]
    assert pa.table(DeltaTable(location).scan()).to_pylist() == [{"a b": 1, "st": {"x": 2}}]
    with _duckdb(tmp_path) as duck:
        assert duck.execute(f"SELECT * FROM delta_scan('{location}')").fetchall() == [(1, {"x": 2})]


# -- what fails


@pytest.mark.parametrize(
    ("sql", "kind", "match"),
    [
        ("CREATE TABLE bad (a INT, A INT)", deltasql.PlanError, "twice"),
        ("CREATE TABLE bad (a INTT)", deltasql.PlanError, "no type"),
        ("CREATE TABLE bad (a INT GENERATED ALWAYS AS (a + 1))", deltasql.Error, "generated itself"),
        ("CREATE TABLE bad (a INT, b INT) PARTITIONED BY (a, b)", deltasql.PlanError, "all of its columns"),
        ("CREATE TABLE bad (a STRUCT<b: INT>, c INT) PARTITIONED BY (a)", deltasql.PlanError, "nested"),
        ("CREATE TABLE bad (a INT DEFAULT 'x')", deltasql.CastError, "doesn't fit"),
        ("CREATE TABLE bad AS SELECT 1 / (value - 2) AS a FROM generate_series(1, 3)", deltasql.DataError, "zero"),
        ("CREATE TABLE bad PARTITIONED BY (g) AS SELECT 1 / (value - 90000) AS a, value % 3 AS g "
         "FROM generate_series(1, 100000)", deltasql.DataError, "zero"),
        ("CREATE TABLE bad LOCATION '{0}/new/deep' AS SELECT 1 / (value - 2) AS a FROM generate_series(1, 3)",
         deltasql.DataError, "zero"),
        ("CREATE TABLE bad (a INT) LOCATION '{0}/full'", deltasql.StorageError, "isn't empty"),
        ("CREATE TABLE bad (a INT) LOCATION '{0}/full/notes/below'", deltasql.StorageError, "can't be made"),
        ("CREATE TABLE bad (a STRING) LOCATION '{0}/root/t'", deltasql.SchemaMismatch, "other columns"),
        ("CREATE TABLE T (a INT)", deltasql.AlreadyExists, "exists already"),
        ("CREATE OR REPLACE TABLE t AS SELECT 1 / (value - 2) AS a FROM generate_series(1, 3)",
         deltasql.DataError, "zero"),
        ("CREATE OR REPLACE TABLE t (a INT) TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')",
         deltasql.Error, "enableIcebergCompatV2"),
        ("CREATE TABLE bad (a INT) TBLPROPERTIES ('delta.feature.fromTheFuture' = 'supported')",
         deltasql.UnsupportedTableFeature, "fromTheFuture"),
    ],
)  # fmt: skip
def test_nothing_stays(
    con: deltasql.Connection, tmp_path: Path, sql: str, kind: type[deltasql.Error], match: str
) -> None:
    con.sql("CREATE TABLE t (id INT)")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").touch()
    refused(con, sql.format(tmp_path), kind, match)
    assert [row[1] for row in con.sql("SHOW TABLES")] == ["t"]


def test_a_commit_that_fails_leaves_nothing(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise deltasql.StorageError("the disk is full")

    con.sql("CREATE TABLE t AS SELECT 1 AS a")
    monkeypatch.setattr("deltasql.write.commit._put", broken)
    monkeypatch.setattr("deltasql.write.commit._put_first", broken)
    for sql in (
        "CREATE TABLE bad PARTITIONED BY (g) AS SELECT 1 AS a, 2 AS g",
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS a",
        "CREATE TABLE bad DEEP CLONE t",
        "CREATE TABLE bad SHALLOW CLONE t",
    ):
        refused(con, sql, deltasql.StorageError, "the disk is full")


def test_an_error_behind_the_commit_undoes_nothing(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> None:
        if (folder / "_delta_log").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("deltasql.write.commit._to_disk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        con.sql("CREATE TABLE t AS SELECT 1 AS a")
    monkeypatch.undo()
    assert con.sql("SELECT * FROM t").fetchall() == [(1,)]


_MAKER = """
import sys
import deltasql
made = 0
with deltasql.connect(sys.argv[1]) as con:
    for n in range(15):
        try:
            con.sql(f"CREATE TABLE t{n} PARTITIONED BY (g) AS SELECT {sys.argv[2]} AS who, 1 AS g")
            made += 1
        except (deltasql.AlreadyExists, deltasql.StorageError):
            pass
print(made)
"""


def test_of_two_that_make_a_table_at_once_one_does(con: deltasql.Connection) -> None:
    makers = [
        subprocess.Popen([sys.executable, "-c", _MAKER, str(con.root), str(n)], stdout=subprocess.PIPE)
        for n in range(3)
    ]
    made = sum(int(maker.communicate(timeout=120)[0]) for maker in makers)
    assert made == 15
    for n in range(15):
        assert con.sql(f"SELECT count(*) FROM t{n}").fetchall() == [(1,)]
        assert len(list((Path(con.root) / f"t{n}").rglob("*.parquet"))) == 1


def test_a_read_only_connection_makes_nothing(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (a INT)")
    before = state(Path(con.root))
    with deltasql.connect(con.root, read_only=True) as other:
        for sql in (
            "CREATE TABLE u (a INT)",
            "CREATE OR REPLACE TABLE t (a INT)",
            "CREATE TABLE u CLONE t",
            f"CONVERT TO DELTA parquet.`{con.root}/t`",
        ):
            with pytest.raises(deltasql.OperationalError, match="read-only"):
                other.sql(sql)
    assert state(Path(con.root)) == before
