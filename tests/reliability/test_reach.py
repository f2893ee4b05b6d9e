"""What a statement can reach: nothing outside its root but by a path that a person gave; nothing by text in a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.errors import Error
from deltasql.names import quote


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[deltasql.Connection]:
    """A root with a table, a view over a path, a registered table; beside it a table, a Parquet and a CSV file."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "x.parquet").parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"a": [7]}), tmp_path / "files" / "x.parquet")
    pa.csv.write_csv(pa.table({"a": [7]}), tmp_path / "x.csv")
    with deltasql.connect(tmp_path / "root") as con:
        for text in (
            "CREATE TABLE t AS SELECT 1 AS a",
            f"CREATE TABLE delta.`{tmp_path / 'outside'}` AS SELECT 7 AS a",
            f"CREATE TABLE registered LOCATION '{tmp_path / 'outside'}'",
            f"CREATE VIEW over_path AS SELECT * FROM delta.`{tmp_path / 'outside'}`",
            "CREATE VIEW over_name AS SELECT * FROM registered",
        ):
            con.sql(text)
        yield con


# -- local files off

_NAMES_A_PLACE = [
    "SELECT * FROM delta.`{0}/outside`",
    "SELECT * FROM '{0}/outside'",
    "SELECT * FROM delta.`{0}/outside@v0`",
    "SELECT * FROM delta.`file://{0}/outside`",
    "SELECT * FROM delta.`outside`",
    "SELECT * FROM delta.`{0}/root/t`",
    "SELECT * FROM delta.`{0}/nothing`",
    "SELECT * FROM t WHERE a IN (SELECT a FROM delta.`{0}/outside`)",
    "WITH c AS (SELECT * FROM delta.`{0}/outside`) SELECT * FROM c",
    "SELECT * FROM over_path",
    "SELECT * FROM delta_scan('{0}/outside')",
    "SELECT * FROM table_history('delta.`{0}/outside`')",
    "SELECT * FROM table_changes('delta.`{0}/outside`', 0)",
    "SELECT * FROM table_files('delta.`{0}/outside`')",
    "SELECT * FROM read_csv('{0}/x.csv')",
    "SELECT * FROM read_parquet(['{0}/files/x.parquet'])",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_csv('{0}/*')",
    "EXPLAIN SELECT * FROM read_csv('{0}/x.csv')",
    "COPY INTO t FROM '{0}/files' FILEFORMAT = PARQUET",
    "COPY t TO '{0}/out.csv'",
    "COPY (SELECT 1) TO 'out.csv'",
    "INSERT INTO t SELECT * FROM read_csv('{0}/x.csv')",
    "INSERT INTO delta.`{0}/outside` VALUES (1)",
    "UPDATE delta.`{0}/outside` SET a = 1",
    "DELETE FROM delta.`{0}/outside`",
    "TRUNCATE TABLE delta.`{0}/outside`",
    "MERGE INTO t USING delta.`{0}/outside` s ON t.a = s.a WHEN MATCHED THEN DELETE",
    "CREATE TABLE u (a INT) LOCATION '{0}/u'",
    "CREATE TABLE u LOCATION '{0}/outside'",
    "CREATE TABLE delta.`{0}/u` (a INT)",
    "CREATE TABLE u AS SELECT * FROM delta.`{0}/outside`",
    "CREATE TABLE u LIKE delta.`{0}/outside`",
    "CREATE TABLE u SHALLOW CLONE delta.`{0}/outside`",
    "CREATE TABLE u DEEP CLONE t LOCATION '{0}/u'",
    "CREATE VIEW u AS SELECT * FROM delta.`{0}/outside`",
    "CREATE TEMPORARY VIEW u AS SELECT * FROM read_csv('{0}/x.csv')",
    "CONVERT TO DELTA parquet.`{0}/files`",
    "ATTACH '{0}' AS other",
    "VACUUM delta.`{0}/outside`",
    "OPTIMIZE '{0}/outside'",
    "RESTORE TABLE delta.`{0}/outside` TO VERSION AS OF 0",
    "ALTER TABLE delta.`{0}/outside` ADD COLUMN b INT",
    "DESCRIBE DETAIL delta.`{0}/outside`",
    "DESCRIBE HISTORY '{0}/outside'",
    "DESCRIBE delta.`{0}/outside`",
    "SHOW CREATE TABLE delta.`{0}/outside`",
    "SHOW COLUMNS IN delta.`{0}/outside`",
    "FSCK REPAIR TABLE delta.`{0}/outside`",
    "GENERATE symlink_format_manifest FOR TABLE delta.`{0}/outside`",
    "COMMENT ON TABLE delta.`{0}/outside` IS 'x'",
    "SET datafusion.runtime.temp_directory = '{0}/spilled'",
]


def _everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("template", _NAMES_A_PLACE)
def test_with_local_files_off_no_place_is_named(lake: deltasql.Connection, tmp_path: Path, template: str) -> None:
    lake.sql("SET deltasql.local_files = off")
    before = _everything(tmp_path)
    with pytest.raises(Error, match="local files are off"):
        lake.sql(template.replace("{0}", str(tmp_path))).to_arrow()
    assert _everything(tmp_path) == before


def test_with_local_files_off_names_are_there(lake: deltasql.Connection) -> None:
    lake.sql("SET deltasql.local_files = off")
    lake.sql("INSERT INTO t VALUES (2)")
    lake.sql("CREATE TABLE u PARTITIONED BY (a) AS SELECT *, 'x' AS b FROM t")
    assert lake.sql("SELECT sum(a) FROM t JOIN u USING (a)").fetchall() == [(3,)]
    assert lake.sql("SELECT * FROM over_name UNION ALL SELECT * FROM registered").fetchall() == [(7,), (7,)]
    for text in (
        "OPTIMIZE t",
        "VACUUM t",
        "CREATE TABLE w SHALLOW CLONE t",
        "DROP TABLE u",
        "RESTORE t TO VERSION AS OF 0",
    ):
        lake.sql(text)
    assert lake.sql("SELECT count(*) FROM w").fetchall() == [(2,)]


def test_local_files_stay_off(lake: deltasql.Connection) -> None:
    lake.sql("SET deltasql.local_files = on")
    lake.sql("SET deltasql.local_files = off")
    lake.sql("SET deltasql.local_files = 'off'")
    for text in ("SET deltasql.local_files = on", "set DELTASQL.Local_Files = true", "RESET deltasql.local_files"):
        with pytest.raises(deltasql.OperationalError, match="was set off"):
            lake.sql(text)
    lake.sql("RESET ALL")
    assert lake.sql("SHOW deltasql.local_files").fetchall()[0][1] == "off"
    with pytest.raises(deltasql.OperationalError, match="local files are off"):
        lake.sql("SELECT * FROM read_csv('/etc/passwd')")


def test_local_files_are_off_from_the_start(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path, settings={"deltasql.local_files": False}) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS a")
        with pytest.raises(deltasql.OperationalError, match="local files are off"):
            con.sql(f"SELECT * FROM delta.`{tmp_path / 't'}`")


# -- names

_ODD = [
    "..",
    "../outside",
    "../../etc",
    "a/b",
    "/etc",
    "a\\b",
    ".hidden",
    "_deltasql",
    "",
    "a\0b",
    "\0",
    "./t",
    "~",
    "C:\\x",
]


@pytest.mark.parametrize("name", _ODD)
def test_a_name_stays_in_its_root(lake: deltasql.Connection, tmp_path: Path, name: str) -> None:
    outside = {path: when for path, when in _everything(tmp_path).items() if "/root" not in path}
    quoted = quote(name)
    for template in (
        "SELECT * FROM {0}",
        "SELECT * FROM {0}.t",
        "SELECT * FROM main.{0}.outside",
        "CREATE TABLE {0} (a INT)",
        "CREATE TABLE {0}.t (a INT)",
        "CREATE SCHEMA {0}",
        "DROP SCHEMA {0} CASCADE",
        "DROP TABLE {0}",
        "DROP TABLE {0}.outside",
        "ALTER TABLE t RENAME TO {0}",
        "USE {0}",
    ):
        try:
            lake.sql(template.replace("{0}", quoted)).to_arrow()
        except Error:
            continue
        assert name == "~", template  # Of all of them, this is a name like any other.
        lake.sql("USE main.default")
    after = {path: when for path, when in _everything(tmp_path).items() if "/root" not in path}
    assert after == outside
    assert not (tmp_path / "root" / "_deltasql" / "_delta_log").exists()


@pytest.mark.parametrize("path", ["\0", "/a\0b", "x" * 5000, "/" + "x/" * 3000, "file://\0", "~nobody_of_that_name/x"])
def test_a_path_that_is_none(lake: deltasql.Connection, path: str) -> None:
    for template in (
        "SELECT * FROM delta.`{0}`",
        "SELECT * FROM read_csv('{0}')",
        "SELECT * FROM delta_scan('{0}')",
        "COPY (SELECT 1 AS a) TO '{0}/x.csv'",
        "COPY INTO t FROM '{0}' FILEFORMAT = CSV",
        "CREATE TABLE u (a INT) LOCATION '{0}'",
        "CONVERT TO DELTA parquet.`{0}`",
        "ATTACH '{0}' AS other (READ_ONLY)",
    ):
        with pytest.raises(Error) as caught:
            lake.sql(template.replace("{0}", path)).to_arrow()
        assert not isinstance(caught.value, deltasql.InternalError), template


def test_a_link_in_the_root_is_no_way_to_write_out_of_it(lake: deltasql.Connection, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "dangling").symlink_to(tmp_path / "not_yet")
    for text in (
        "CREATE TABLE link.u (a INT)",
        "CREATE TABLE link (a INT)",
        "CREATE TABLE dangling (a INT)",
        "CREATE TABLE dangling.u (a INT)",
    ):
        with pytest.raises(Error, match=r"leads out of the root by a link|schema"):
            lake.sql(text)
    lake.sql("DROP SCHEMA link CASCADE")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "not_yet").exists()


def test_a_dropped_link_leaves_what_it_leads_to(lake: deltasql.Connection, tmp_path: Path) -> None:
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "outside")
    assert lake.sql("SELECT * FROM linked").fetchall() == [(7,)]
    lake.sql("DROP TABLE linked")
    assert not (tmp_path / "root" / "linked").exists()
    assert lake.sql("SELECT * FROM registered").fetchall() == [(7,)]


# -- what a log says of other files


def _says(table: Path, action: dict[str, object]) -> None:
    version = len(list((table / "_delta_log").glob("*.json")))
    entry = table / "_delta_log" / f"{version:020d}.json"
    entry.write_text(
        json.dumps({"commitInfo": {"timestamp": 0, "operation": "WRITE"}}) + "\n" + json.dumps(action) + "\n"
    )


@pytest.mark.parametrize(
    "form", ["../../files/x.parquet", "{0}/files/x.parquet", "file://{0}/files/x.parquet", "%2E%2E/../files/x.parquet"]
)
@pytest.mark.parametrize("statement", ["VACUUM t LITE", "VACUUM t FULL", "VACUUM t"])
def test_what_a_log_removes_elsewhere_is_not_deleted(
    lake: deltasql.Connection, tmp_path: Path, form: str, statement: str
) -> None:
    path = form.replace("{0}", str(tmp_path))
    _says(tmp_path / "root" / "t", {"remove": {"path": path, "deletionTimestamp": 1, "dataChange": True}})
    lake.sql("SET deltasql.vacuum.retention_check = off")
    with suppress(deltasql.StorageError, deltasql.NotSupportedError):
        lake.sql(f"{statement} RETAIN 0 HOURS")
    assert (tmp_path / "files" / "x.parquet").exists()
    assert (tmp_path / "outside" / "_delta_log").exists()


# -- text in values

_INJECTIONS = [
    "'; DROP TABLE t; --",
    "1) OR (1=1",
    "' OR ''='",
    "\\'; DROP TABLE t",
    "`t`",
    '"t"',
    "${x}",
    "$1",
    "?",
    "\0",
    "a\nb",
    "it''s",
    "/*",
    "--",
]


@pytest.mark.parametrize("value", _INJECTIONS)
def test_a_value_is_never_text_of_the_statement(lake: deltasql.Connection, value: str) -> None:
    lake.sql("CREATE TABLE s (v STRING, n INT)")
    lake.sql("INSERT INTO s VALUES (?, 1)", [value])
    lake.sql("INSERT INTO s SELECT :v, 2", {"v": value})
    lake.sql("UPDATE s SET v = ? WHERE v = ? AND n = 2", [value, value])
    lake.sql("MERGE INTO s USING (SELECT ? AS v, 3 AS n) x ON s.n = x.n WHEN NOT MATCHED THEN INSERT *", [value])
    assert lake.sql("SELECT v, n FROM s WHERE v = ? ORDER BY n", [value]).fetchall() == [(value, n) for n in (1, 2, 3)]
    assert lake.sql("SELECT ? AS v", [value]).fetchall() == [(value,)]
    assert lake.sql("DELETE FROM s WHERE v = $v", {"v": value}).fetchall() == [(3,)]
    assert lake.sql("SELECT count(*) FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("value", _INJECTIONS)
def test_a_name_is_never_text_of_a_statement(lake: deltasql.Connection, value: str) -> None:
    """Columns, partition values, comments, properties and settings go through SQL of ours and come back as they are."""
    if "\0" not in value:
        column = quote(value)
        lake.sql(
            f"CREATE TABLE c ({column} STRING, p STRING) PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"
        )
        lake.sql("INSERT INTO c VALUES (?, ?)", [value, value])
        lake.sql(f"UPDATE c SET {column} = {column} WHERE p = ?", [value])
        assert lake.sql(f"SELECT {column}, p FROM c WHERE {column} = ?", [value]).fetchall() == [(value, value)]
        lake.sql("OPTIMIZE c")
        lake.sql(f"DELETE FROM c WHERE {column} = p")
        assert lake.sql("SELECT count(*) FROM c").fetchall() == [(0,)]
    text = "'" + value.replace("'", "''") + "'"
    if value:
        lake.sql(f"SET deltasql.commit.user_metadata = {text}")
        assert lake.sql("SHOW deltasql.commit.user_metadata").fetchall()[0][1] == value
        lake.sql(f"COMMENT ON TABLE t IS {text}")
        assert lake.sql("DESCRIBE DETAIL t").to_arrow()["description"].to_pylist() == [value]
    for setting in ("time_zone", "deltasql.memory_limit", "deltasql.threads", "datafusion.execution.batch_size"):
        with pytest.raises(Error):
            lake.sql(f"SET {setting} = {text}")
    assert lake.sql("SELECT count(*) FROM t").fetchall() == [(1,)]
