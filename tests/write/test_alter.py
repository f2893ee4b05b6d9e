"""ALTER TABLE and COMMENT ON beyond what SQL shows: other engines, other writers at the same time, the log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

import deltasql
from deltasql import Connection
from deltasql.catalog.clustering import clustering_columns
from deltasql.catalog.snapshot import open_snapshot
from deltasql.errors import CommitConflict, ConstraintViolation, Error, PlanError, UnsupportedTableFeature

ROWS = "(1, 'a', DATE '2024-01-01', 1.5, 0.5, named_struct('a', 1), [1], 'x'),(2, 'b', NULL, 2.5, 1.5, NULL, NULL, 'y')"


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Connection]:
    with deltasql.connect(tmp_path / "lake") as made:
        made.sql(
            "CREATE TABLE t (id INT, name STRING, d DATE, dec DECIMAL(10, 2), f FLOAT, st STRUCT<a: INT>, "
            "arr ARRAY<INT>, p STRING) PARTITIONED BY (p)"
        )
        made.sql(f"INSERT INTO t VALUES {ROWS}")
        yield made


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its delta extension, from the package in the environment: nothing is downloaded."""
    from duckdb_extensions import import_extension

    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as made:
        made.execute("SET extension_directory = ?", [str(tmp_path_factory.mktemp("extensions"))])
        import_extension("delta", con=made)
        made.load_extension("delta")
        yield made


def _run(con: Connection, *statements: str) -> None:
    for statement in statements:
        con.sql(statement)


def _path(con: Connection, table: str = "t") -> Path:
    return con.root / table


def _actions(con: Connection) -> list[dict[str, Any]]:
    """Those of the last commit."""
    entry = max((_path(con) / "_delta_log").glob("*.json"))
    return [json.loads(line) for line in entry.read_text(encoding="utf-8").splitlines()]


def _body(con: Connection, kind: str) -> dict[str, Any]:
    (found,) = [action[kind] for action in _actions(con) if kind in action]
    return found


def _set(*properties: str) -> str:
    return f"ALTER TABLE t SET TBLPROPERTIES ({', '.join(properties)})"


MAPPED = _set("'delta.columnMapping.mode' = 'name'")
WIDENING = _set("'delta.enableTypeWidening' = 'true'")

CHANGES: dict[str, tuple[list[str], bool, bool]] = {
    # what is altered; does Polars read it, does delta-rs write it
    "columns added": (["ALTER TABLE t ADD COLUMNS (z INT FIRST, st.b STRING, y DATE AFTER name)"], True, True),
    "columns renamed and dropped": (
        [
            MAPPED,
            "ALTER TABLE t RENAME COLUMN d TO day",
            "ALTER TABLE t DROP COLUMN f",
            "ALTER TABLE t ADD COLUMN f INT",
            "ALTER TABLE t RENAME COLUMN p TO part",
            "ALTER TABLE t RENAME COLUMN st.a TO b",
        ],
        False,
        True,
    ),
    "wider types": (
        [
            WIDENING,
            "ALTER TABLE t ALTER COLUMN id TYPE BIGINT",
            "ALTER TABLE t ALTER COLUMN dec TYPE DECIMAL(20, 4)",
            "ALTER TABLE t ALTER COLUMN f TYPE DOUBLE",
            "ALTER TABLE t ALTER COLUMN st.a TYPE DECIMAL(12, 1)",
            "ALTER TABLE t ALTER COLUMN arr TYPE ARRAY<BIGINT>",
        ],
        False,
        False,
    ),
    "a constraint": (['ALTER TABLE t ADD CONSTRAINT pos CHECK ("id" > 0 AND `name` IS NOT NULL)'], True, True),
    "not null": (["ALTER TABLE t ALTER COLUMN id SET NOT NULL"], True, True),
    "a default": (
        [_set("'delta.feature.allowColumnDefaults' = 'supported'"), "ALTER TABLE t ALTER COLUMN id SET DEFAULT 4"],
        True,
        False,
    ),
    "timestamps": ([_set("'delta.enableInCommitTimestamps' = 'true'")], True, False),
    "change feed": ([_set("'delta.enableChangeDataFeed' = 'true'")], True, True),
    "deletion vectors": ([_set("'delta.enableDeletionVectors' = 'true'")], True, True),
    "v2 checkpoints": ([_set("'delta.checkpointPolicy' = 'v2'")], False, True),
    "wall times": (
        [_set("'delta.feature.timestampNtz' = 'supported'"), "ALTER TABLE t ADD COLUMN z TIMESTAMP_NTZ"],
        True,
        True,
    ),
    "versions": ([_set("'delta.minReaderVersion' = '1'", "'delta.minWriterVersion' = '4'")], True, True),
    "mapping and a default": (
        [MAPPED, _set("'delta.feature.allowColumnDefaults' = 'supported'")],
        False,
        False,
    ),
    "comments": (["COMMENT ON TABLE t IS 'ä'", "ALTER TABLE t ALTER COLUMN st.a COMMENT 'ö'"], True, True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_others_read_what_was_altered_and_what_is_written_then(
    con: Connection, duck: duckdb.DuckDBPyConnection, change: str
) -> None:
    statements, for_polars, for_delta_rs = CHANGES[change]
    before = con.sql("SELECT id, name FROM t ORDER BY id").fetchall()
    files = sorted(_path(con).rglob("*.parquet"))
    _run(con, *statements)
    assert sorted(_path(con).rglob("*.parquet")) == files
    assert con.sql("SELECT id, name FROM t ORDER BY id").fetchall() == before
    _read_by_others(con, duck, polars=for_polars)
    _run(
        con,
        "INSERT INTO t (id, name) VALUES (7, 'n'), (9, 'o')",
        "UPDATE t SET id = 8 WHERE id = 2",
        "MERGE INTO t USING (SELECT 7 AS k) s ON id = k WHEN MATCHED THEN DELETE",
        "DELETE FROM t WHERE name = 'o'",
    )
    assert con.sql("SELECT id, name FROM t ORDER BY id").fetchall() == [(1, "a"), (8, "b")]
    _read_by_others(con, duck, polars=for_polars)
    one = con.sql("SELECT * FROM t WHERE id = 1").to_arrow()
    if not for_delta_rs:
        with pytest.raises(Exception, match="Unsupported table features required"):
            write_deltalake(_path(con), one, mode="append")
        return
    write_deltalake(_path(con), one, mode="append")
    DeltaTable(_path(con)).delete("id = 8")
    assert con.sql("SELECT id, name FROM t").fetchall() == [(1, "a"), (1, "a")]
    _read_by_others(con, duck, polars=for_polars)


def _read_by_others(con: Connection, duck: duckdb.DuckDBPyConnection, *, polars: bool) -> None:
    ours = con.sql("SELECT * FROM t WHERE id >= 1 ORDER BY id")
    rows = sorted(map(repr, ours.fetchall()))
    theirs = duck.execute(f"SELECT * FROM delta_scan('{_path(con)}') WHERE id >= 1")
    assert [column[0] for column in theirs.description or ()] == ours.columns
    assert sorted(map(repr, theirs.fetchall())) == rows
    if polars:
        assert sorted(map(repr, pl.scan_delta(str(_path(con))).filter(pl.col("id") >= 1).collect().rows())) == rows


# -- wider types

WIDER = [
    ("TINYINT", "SMALLINT", ["-128", "127"], "300"),
    ("TINYINT", "BIGINT", ["-128", "127"], "300"),
    ("TINYINT", "DOUBLE", ["-128", "127"], "0.5"),
    ("TINYINT", "DECIMAL(12, 2)", ["-128", "127"], "300.25"),
    ("SMALLINT", "INT", ["-32768", "5"], "70000"),
    ("INT", "BIGINT", ["-2147483648", "5"], "1099511627776"),
    ("INT", "DOUBLE", ["-2147483648", "5"], "0.5"),
    ("INT", "DECIMAL(10, 0)", ["-2147483648", "5"], "9999999999"),
    ("INT", "DECIMAL(38, 10)", ["-2147483648", "5"], "0.5"),
    ("BIGINT", "DECIMAL(20, 0)", ["-9223372036854775808", "9223372036854775807"], "9223372036854775809"),
    ("FLOAT", "DOUBLE", ["0.1", "1.5"], "0.1"),
    ("DECIMAL(5, 2)", "DECIMAL(10, 4)", ["1.25", "-999.99"], "0.0001"),
    ("DATE", "TIMESTAMP_NTZ", ["'2024-01-01'", "'1969-12-31'"], "'2024-01-01 12:00:00'"),
]


@pytest.mark.parametrize(("old", "new", "values", "wide"), WIDER)
def test_a_wider_type_keeps_every_value_and_finds_it(
    con: Connection, duck: duckdb.DuckDBPyConnection, old: str, new: str, values: list[str], wide: str
) -> None:
    _run(con, f"CREATE OR REPLACE TABLE t (k INT, c {old})", WIDENING)
    _run(con, _set("'delta.feature.timestampNtz' = 'supported'"))
    _run(con, *(f"INSERT INTO t VALUES ({k}, {value})" for k, value in enumerate([*values, "NULL"])))
    before = con.sql("SELECT c::string FROM t ORDER BY k").fetchall()
    _run(con, f"ALTER TABLE t ALTER COLUMN c TYPE {new}", f"INSERT INTO t VALUES (9, {wide})")
    rows = con.sql("SELECT k, c FROM t ORDER BY k").fetchall()
    assert len(rows) == len(before) + 1
    assert duck.execute(f"SELECT k, c FROM delta_scan('{_path(con)}') ORDER BY k").fetchall() == rows
    known = [(k, c) for k, c in rows if c is not None]
    for _, value in known:
        for sign, holds in (("=", value.__eq__), (">=", lambda c, v=value: c >= v), ("<", lambda c, v=value: c < v)):
            found = con.sql(f"SELECT k FROM t WHERE c {sign} $1 ORDER BY k", [value]).fetchall()
            assert found == [(k,) for k, c in known if holds(c)]
    assert con.sql("SELECT min(c), max(c) FROM t").fetchall() == [(min(c for _, c in known), max(c for _, c in known))]
    _run(con, "UPDATE t SET k = k + 1")
    assert con.sql("SELECT k - 1, c FROM t ORDER BY k").fetchall() == rows


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("INT", "SMALLINT"),
        ("INT", "FLOAT"),
        ("INT", "DECIMAL(9, 0)"),
        ("TINYINT", "DECIMAL(9, 0)"),
        ("BIGINT", "DOUBLE"),
        ("BIGINT", "DECIMAL(19, 0)"),
        ("DECIMAL(5, 2)", "DECIMAL(6, 4)"),
        ("DECIMAL(5, 2)", "DECIMAL(5, 1)"),
        ("DECIMAL(5, 0)", "BIGINT"),
        ("DATE", "TIMESTAMP"),
        ("INT", "STRING"),
        ("STRUCT<a: INT>", "STRUCT<a: INT, b: INT>"),
        ("STRUCT<a: INT>", "STRUCT<b: INT>"),
        ("ARRAY<INT>", "MAP<INT, INT>"),
        ("VARCHAR(5)", "VARCHAR(4)"),
        ("VARCHAR(5)", "CHAR(5)"),
        ("STRING", "VARCHAR(5)"),
    ],
)
def test_a_type_that_is_not_wider(con: Connection, old: str, new: str) -> None:
    _run(con, f"CREATE OR REPLACE TABLE t (k INT, c {old})", WIDENING)
    with pytest.raises(PlanError, match="`c` can't become"):
        con.sql(f"ALTER TABLE t ALTER COLUMN c TYPE {new}")


def test_the_log_tells_each_change_of_a_type(con: Connection) -> None:
    _run(
        con,
        "CREATE OR REPLACE TABLE t (k INT, c TINYINT, m MAP<STRING, ARRAY<SMALLINT>>)",
        WIDENING,
        "ALTER TABLE t ALTER COLUMN c TYPE SMALLINT",
        "ALTER TABLE t ALTER COLUMN c TYPE INT",
        "ALTER TABLE t ALTER COLUMN m.value.element TYPE INT",
    )
    schema = json.loads(_body(con, "metaData")["schemaString"])
    metadata = {field["name"]: field["metadata"].get("delta.typeChanges") for field in schema["fields"]}
    assert metadata == {
        "k": None,
        "c": [{"fromType": "byte", "toType": "short"}, {"fromType": "short", "toType": "integer"}],
        "m": [{"fromType": "short", "toType": "integer", "fieldPath": "value.element"}],
    }


def test_what_is_computed_from_a_column_keeps_its_type(con: Connection) -> None:
    _run(con, WIDENING, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)")
    with pytest.raises(PlanError, match="`id` can't be made wider: the CHECK constraint `c`"):
        con.sql("ALTER TABLE t ALTER COLUMN id TYPE BIGINT")


# -- the log


def test_mapping_turned_on_leaves_the_names_in_files(con: Connection) -> None:
    con.sql(MAPPED)
    metadata = _body(con, "metaData")
    fields = json.loads(metadata["schemaString"])["fields"]
    assert [field["metadata"]["delta.columnMapping.physicalName"] for field in fields] == [f["name"] for f in fields]
    inner = next(field for field in fields if field["name"] == "st")["type"]["fields"][0]["metadata"]
    ids = [field["metadata"]["delta.columnMapping.id"] for field in fields] + [inner["delta.columnMapping.id"]]
    assert sorted(ids) == list(range(1, 10))
    assert metadata["configuration"]["delta.columnMapping.maxColumnId"] == "9"
    assert _body(con, "protocol") == {"minReaderVersion": 2, "minWriterVersion": 5}
    assert metadata["partitionColumns"] == ["p"]
    con.sql("ALTER TABLE t RENAME COLUMN p TO q")
    assert _body(con, "metaData")["partitionColumns"] == ["q"]


def test_what_an_older_mapping_left_behind_means_nothing(con: Connection) -> None:
    """Names and ids in a schema whose table maps no columns: the files don't go by them."""
    log = _path(con) / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for metadata in (line["metaData"] for line in lines if "metaData" in line):
        schema = json.loads(metadata["schemaString"])
        for field in schema["fields"]:
            field["metadata"] = {"delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "col-x", "a": "b"}
        metadata["schemaString"] = json.dumps(schema)
        metadata["configuration"] = {"delta.columnMapping.maxColumnId": "1"}
    log.write_text("\n".join(map(json.dumps, lines)))
    with deltasql.connect(con.root) as again:
        before = again.sql("SELECT * FROM t ORDER BY id").fetchall()
        again.sql(MAPPED)
        assert again.sql("SELECT * FROM t ORDER BY id").fetchall() == before
    fields = json.loads(_body(con, "metaData")["schemaString"])["fields"]
    assert [field["metadata"]["delta.columnMapping.physicalName"] for field in fields] == [f["name"] for f in fields]
    assert len({field["metadata"]["delta.columnMapping.id"] for field in fields}) == len(fields)
    assert {field["metadata"]["a"] for field in fields} == {"b"}


def test_timestamps_hold_from_the_commit_that_turns_them_on(con: Connection) -> None:
    made = con.sql(_set("'delta.enableInCommitTimestamps' = 'true'")).version
    stamp = _actions(con)[0]["commitInfo"]["inCommitTimestamp"]
    configuration = _body(con, "metaData")["configuration"]
    assert configuration["delta.inCommitTimestampEnablementVersion"] == str(made)
    assert configuration["delta.inCommitTimestampEnablementTimestamp"] == str(stamp)
    con.sql("INSERT INTO t (id) VALUES (3)")
    assert _actions(con)[0]["commitInfo"]["inCommitTimestamp"] > stamp
    con.sql("ALTER TABLE t ADD COLUMN z INT")
    assert _body(con, "metaData")["configuration"] == configuration
    con.sql(_set("'delta.enableInCommitTimestamps' = 'false'"))
    kept = _body(con, "metaData")["configuration"]
    assert kept == {"delta.enableInCommitTimestamps": "false"}


def test_what_commits_say_of_themselves(con: Connection) -> None:
    con.sql(MAPPED)
    told = {
        "ALTER TABLE t RENAME COLUMN st.a TO b": ("RENAME COLUMN", {"oldColumnPath": "st.a", "newColumnPath": "st.b"}),
        "ALTER TABLE t DROP COLUMNS (F, d)": ("DROP COLUMNS", {"columns": '["f", "d"]'}),
        _set("'a' = 'b'"): ("SET TBLPROPERTIES", {"properties": '{"a": "b"}'}),
        "ALTER TABLE t UNSET TBLPROPERTIES ('a')": (
            "UNSET TBLPROPERTIES",
            {"properties": '["a"]', "ifExists": "false"},
        ),
        "ALTER TABLE t ADD CONSTRAINT C CHECK (id > 0)": ("ADD CONSTRAINT", {"name": "C", "expr": "id > 0"}),
        "ALTER TABLE t DROP CONSTRAINT c": ("DROP CONSTRAINT", {"name": "c", "expr": "id > 0"}),
    }
    for statement, (operation, parameters) in told.items():
        version = con.sql(statement).version
        info = _actions(con)[0]["commitInfo"]
        assert (info["operation"], info["operationParameters"]) == (operation, parameters)
        assert (info["isBlindAppend"], info["readVersion"]) == (False, (version or 0) - 1)


def test_clustering_is_kept_by_stored_names_and_survives_a_checkpoint(con: Connection) -> None:
    _run(con, "CREATE TABLE c (id INT, st STRUCT<a: INT>)", "INSERT INTO c VALUES (1, named_struct('a', 2))")
    _run(con, "ALTER TABLE c SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.checkpointInterval' = '1')")
    _run(con, "ALTER TABLE c ADD COLUMN new INT", "ALTER TABLE c CLUSTER BY (NEW, st.A)")
    stored = clustering_columns(open_snapshot("c", _path(con, "c")))
    assert stored[0][0].startswith("col-")
    assert stored[1] == ("st", "a")
    _run(con, "INSERT INTO c VALUES (2, NULL, 7)", "ALTER TABLE c RENAME COLUMN new TO newer")
    assert list((_path(con, "c") / "_delta_log").glob("*6.checkpoint*"))
    assert clustering_columns(open_snapshot("c", _path(con, "c"))) == stored
    with pytest.raises(PlanError, match="`newer` can't be dropped: the table is clustered by it"):
        con.sql("ALTER TABLE c DROP COLUMN newer")
    _run(con, "ALTER TABLE c CLUSTER BY NONE", "ALTER TABLE c DROP COLUMN newer")
    assert clustering_columns(open_snapshot("c", _path(con, "c"))) == ()


# -- what is refused leaves everything as it was

REFUSED = [
    "ALTER TABLE t ADD COLUMNS (z INT, id INT)",
    "ALTER TABLE t ADD COLUMN z INT NOT NULL",
    "ALTER TABLE t ADD COLUMN z NOTYPE",
    "ALTER TABLE t RENAME COLUMN id TO k",
    "ALTER TABLE t DROP COLUMN id",
    "ALTER TABLE t ALTER COLUMN d SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN id TYPE BIGINT",
    "ALTER TABLE t ALTER COLUMN id SET DEFAULT 1",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 1)",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (d IS NOT NULL)",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (id > rand())",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (id IN (SELECT id FROM t))",
    "ALTER TABLE t DROP CONSTRAINT c",
    _set("'a' = 'b'", "'delta.appendOnly' = 'maybe'"),
    _set("'a' = 'b'", "'a' = 'c'"),
    _set("'delta.feature.icebergCompatV1' = 'supported'"),
    _set("'delta.feature.identityColumns' = 'supported'", "'delta.feature.nope' = 'supported'"),
    "ALTER TABLE t UNSET TBLPROPERTIES ('a')",
    _set("'delta.dataSkippingStatsColumns' = 'id,nope'"),
    "ALTER TABLE t CLUSTER BY (id)",
    "ALTER TABLE t RENAME TO delta.`/tmp/x`",
    "ALTER TABLE t RENAME TO nowhere.u",
    "COMMENT ON COLUMN t.nope IS 'x'",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_refused_leaves_no_trace(con: Connection, statement: str) -> None:
    before = {path: path.read_bytes() for path in con.root.rglob("*") if path.is_file()}
    with pytest.raises(Error):
        con.sql(statement)
    assert {path: path.read_bytes() for path in con.root.rglob("*") if path.is_file()} == before
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(2,)]


def test_a_row_that_violates_a_new_constraint_is_named(con: Connection) -> None:
    with pytest.raises(ConstraintViolation, match=r"is violated by a row with d = NULL, id = 2"):
        con.sql("ALTER TABLE t ADD CONSTRAINT c CHECK (d > '2000-01-01' OR id = 1)")


def test_an_unreadable_constraint_holds_the_columns_that_it_may_name(con: Connection, tmp_path: Path) -> None:
    log = _path(con) / "_delta_log" / f"{0:020}.json"
    text = log.read_text().replace(
        '"configuration":{}',
        '"configuration":{"delta.constraints.odd":"some_udf(id) > 1","delta.columnMapping.mode":"name"}',
    )
    assert text != log.read_text()
    log.write_text(text)
    with deltasql.connect(tmp_path / "lake") as again, pytest.raises(PlanError, match=r"`odd`.*reads it"):
        again.sql("ALTER TABLE t DROP COLUMN ID")


def test_delta_rs_holds_the_constraints_that_we_add(con: Connection) -> None:
    con.sql("ALTER TABLE t ADD CONSTRAINT pos CHECK (\"id\" > 0 AND p <> 'z')")
    assert _body(con, "metaData")["configuration"] == {"delta.constraints.pos": "`id` > 0 AND p <> 'z'"}
    row = con.sql("SELECT * FROM t WHERE id = 1").to_arrow()
    write_deltalake(_path(con), row, mode="append")
    for wrong in ("-1", "NULL"):
        row = con.sql(f"SELECT CAST({wrong} AS INT) AS id, name, d, dec, f, st, arr, p FROM t LIMIT 1").to_arrow()
        with pytest.raises(Exception, match=r"(?i)invariant|constraint|check"):
            write_deltalake(_path(con), row, mode="append")


# -- other writers at the same time


def test_changes_at_the_same_time_all_count(con: Connection) -> None:
    """Each loser runs again on what the winner made."""
    failures: list[BaseException] = []

    def add(index: int) -> None:
        try:
            with deltasql.connect(con.root) as mine:
                mine.sql("SET deltasql.commit.retries = 50")
                mine.sql(f"ALTER TABLE t ADD COLUMN z{index} INT")
                mine.sql(_set(f"'key.{index}' = 'x'"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    snapshot = open_snapshot("t", _path(con))
    assert {f"z{index}" for index in range(4)} <= set(snapshot.schema.names)
    assert {f"key.{index}" for index in range(4)} <= set(snapshot.properties)


def test_rows_added_while_the_others_were_looked_at(con: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit of the constraint conflicts with them, and the second run finds the row that violates it."""
    from deltasql.operations import alter

    real = alter.require_held
    runs = []

    def slow(*arguments: Any) -> None:
        real(*arguments)
        runs.append(1)
        if len(runs) == 1:
            with deltasql.connect(con.root) as other:
                other.sql("INSERT INTO t (id) VALUES (-1)")

    monkeypatch.setattr(alter, "require_held", slow)
    with pytest.raises(ConstraintViolation, match="id = -1"):
        con.sql("ALTER TABLE t ADD CONSTRAINT pos CHECK (id > 0)")
    assert len(runs) == 1
    assert "delta.constraints.pos" not in open_snapshot("t", _path(con)).properties


def test_without_retries_the_loser_says_so(con: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltasql.operations import alter

    real = alter.committed

    def late(*arguments: Any) -> int | None:
        with deltasql.connect(con.root) as other:
            other.sql("INSERT INTO t (id) VALUES (5)")
        return real(*arguments)

    monkeypatch.setattr(alter, "committed", late)
    con.sql("SET deltasql.commit.retries = 0")
    with pytest.raises(CommitConflict):
        con.sql("ALTER TABLE t ADD COLUMN z INT")
    assert "z" not in open_snapshot("t", _path(con)).schema.names


# -- RENAME TO


def test_a_managed_table_moves_with_all_it_has(con: Connection) -> None:
    con.sql("CREATE SCHEMA s")
    con.sql("ALTER TABLE t RENAME TO s.U")
    assert not _path(con).exists()
    assert con.sql('SELECT count(*) FROM s."U" VERSION AS OF 1').fetchall() == [(2,)]
    con.sql("INSERT INTO s.u (id) VALUES (3)")
    assert con.sql("SELECT max(version) FROM table_history('s.u')").fetchall() == [(2,)]
    con.sql("CREATE TABLE t (id INT)")
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_a_folder_in_the_way(con: Connection) -> None:
    (con.root / "u").mkdir()
    with pytest.raises(Error, match="already"):
        con.sql("ALTER TABLE t RENAME TO u")
    assert con.sql("SELECT count(*) FROM t").fetchall() == [(2,)]


def test_the_root_itself_stays(con: Connection) -> None:
    with deltasql.connect(_path(con)) as root, pytest.raises(Error, match="its folder is the root"):
        root.sql("ALTER TABLE t RENAME TO u")


def test_row_tracking_and_foreign_modes_are_refused_by_name(con: Connection) -> None:
    for given, feature in (
        ("'delta.enableRowTracking' = 'true'", "row tracking"),
        ("'delta.columnMapping.mode' = 'id'", "`none` to `id`"),
    ):
        with pytest.raises(UnsupportedTableFeature, match=feature):
            con.sql(_set(given))
