"""What a fresh pair of eyes found wrong once: literals of other types, keyword columns, odd partition values."""

import shutil
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import deltasql


def _table(con: deltasql.Connection, name: str, rows: dict[str, object], **options: object) -> None:
    write_deltalake(con.root / name, pa.table(rows), **options)


@pytest.fixture
def con(tmp_path):
    with deltasql.connect(tmp_path) as connection:
        yield connection


@pytest.mark.parametrize(
    ("predicate", "params"),
    [
        ("a < 1.5", None),
        ("a >= 1.5", None),
        ("a = 1.5", None),
        ("a <> 1.5", None),
        ("a in (1.0, 2.5)", None),
        ("a between 1.5 and 2.5", None),
        ("2.5 > a", None),
        ("2 > a", None),
        ("not a = 2 and a <= 3", None),
        ("a < ?", [1.5]),
        ("a = ?", [2]),
        ("a < 99999999999999999999", None),
        ("f = 0.1", None),
        ("f > 0.1", None),
        ("f >= ?", [float("nan")]),
        ("d = ?", [Decimal(1)]),
        ("d < 1.5", None),
        ("s = '2'", None),
        ("s < 'b' or s like 'c%'", None),
        ("s = X'61'", None),
        ("a = '2'", None),
        ("last = 2", None),
        ("range > 1 and rows < 3", None),
        ("cast(nulls as double) = 2", None),
        ("b", None),
        ("b = true or a = 1", None),
        ("not b", None),
    ],
)
@pytest.mark.parametrize("partition", [None, ["a"]])
def test_delete_takes_what_select_finds(con, predicate, params, partition):
    rows = {
        "k": [1, 2, 3, 4],
        "a": pa.array([1, 2, 3, None], pa.int32()),
        "f": pa.array([0.1, 0.5, float("nan"), None], pa.float32()),
        "d": pa.array([Decimal("1.00"), Decimal("1.25"), Decimal("2.00"), None], pa.decimal128(12, 2)),
        "s": ["a", "2", "cc", None],
        "b": [True, False, None, True],
        **{name: [1, 2, 3, None] for name in ("last", "range", "rows", "nulls")},
    }
    _table(con, "t", rows, partition_by=partition)
    try:
        found = {row[0] for row in con.sql(f"SELECT k FROM t WHERE {predicate}", params)}
    except deltasql.Error:
        with pytest.raises(deltasql.Error):
            con.sql(f"DELETE FROM t WHERE {predicate}", params)
        return
    assert con.sql(f"UPDATE t SET k = k + 10 WHERE {predicate}", params).fetchall() == [(len(found),)]
    assert {row[0] for row in con.sql("SELECT k FROM t")} == {k + 10 if k in found else k for k in (1, 2, 3, 4)}
    assert con.sql(f"DELETE FROM t WHERE {predicate}", params).fetchall() == [(len(found),)]
    assert {row[0] for row in con.sql("SELECT k FROM t")} == {1, 2, 3, 4} - found


@pytest.mark.parametrize(
    ("predicate", "count"),
    [("p is null", 2), ("p = ''", 0), ("p <> 'a'", 0), ("p like '%'", 1), ("p = 'a'", 1), ("v > 0", 3)],
)
def test_an_empty_partition_value_is_null(con, predicate, count):
    _table(con, "t", {"p": ["", None, "a"], "v": [1, 2, 3]}, partition_by=["p"])
    assert con.sql(f"SELECT count(*) FROM t WHERE {predicate}").fetchone() == (count,)
    assert con.sql(f"UPDATE t SET v = v + 0 WHERE {predicate} AND abs(v) > 0").fetchall() == [(count,)]
    assert con.sql(f"DELETE FROM t WHERE {predicate}").fetchall() == [(count,)]


def test_an_empty_string_is_written_as_a_null_partition(con):
    con.sql("CREATE TABLE t (p STRING, v INT) PARTITIONED BY (p)")
    con.sql("INSERT INTO t VALUES ('', 1), ('x', 2)")
    assert sorted(con.sql("SELECT v, p FROM t")) == [(1, None), (2, "x")]


def test_partition_values_that_could_not_be_read_again(con):
    con.sql("CREATE TABLE t (p DECIMAL(5, 2), v INT) PARTITIONED BY (p)")
    con.sql("INSERT INTO t VALUES (1.5, 1), (-2, 2)")
    for statement in (
        "INSERT INTO t VALUES (-0.25, 3)",
        "UPDATE t SET p = p - 1.75",
        "CREATE TABLE u PARTITIONED BY (p) AS SELECT CAST(-0.5 AS DECIMAL(5, 2)) AS p, 1 AS v",
    ):
        with pytest.raises(deltasql.NotSupportedError, match="the partition value -"):
            con.sql(statement)
    assert sorted(con.sql("SELECT v FROM t")) == [(1,), (2,)]
    with pytest.raises(deltasql.NotSupportedError, match="BINARY"):
        con.sql("CREATE TABLE b (p BINARY, v INT) PARTITIONED BY (p)")


def test_a_name_of_a_subquery_is_not_the_outer_tables(con):
    _table(con, "o", {"Id": [1, 2, 3], "v": [10, 20, 30]})
    _table(con, "i", {"id": [1, 9], "w": [5, 6]})
    assert con.sql(
        "SELECT count(*) FROM o WHERE EXISTS (SELECT 1 FROM (SELECT id FROM i) q WHERE id = 2)"
    ).fetchone() == (0,)
    assert (
        con.sql("WITH q AS (SELECT id FROM i) SELECT * FROM o WHERE EXISTS (SELECT 1 FROM q WHERE id = 2)").fetchall()
        == []
    )
    assert con.sql("WITH q AS (SELECT id FROM i) SELECT v FROM o WHERE ID IN (SELECT id FROM q)").fetchall() == [(10,)]
    assert con.sql("SELECT ID FROM (SELECT * FROM o) x ORDER BY id").fetchall() == [(1,), (2,), (3,)]
    assert con.sql("DELETE FROM o WHERE EXISTS (SELECT 1 FROM (SELECT id FROM i) q WHERE id = 9)").fetchall() == [(3,)]


def test_star_replace_and_from_alone(con):
    _table(con, "o", {"Id": [1, 2]})
    assert sorted(con.sql("SELECT * REPLACE (id * 2 AS ID) FROM o")) == [(2,), (4,)]
    assert sorted(con.sql("FROM o")) == [(1,), (2,)]
    _table(con, "i", {"id": [1]})
    with pytest.raises(deltasql.PlanError, match="NATURAL JOIN"):
        con.sql("SELECT * FROM o NATURAL JOIN i")


def test_a_check_is_a_constraint(con):
    _table(con, "t", {"a": [1]})
    DeltaTable(con.root / "t").alter.add_constraint({"positive": "a > 0"})
    with pytest.raises(deltasql.ConstraintViolation):
        con.sql("INSERT INTO t VALUES (-1)")


def test_the_qualifier_of_a_set_may_be_a_columns_name_too(con):
    _table(con, "w", {"w": [1], "target": [2]})
    assert con.sql("UPDATE w SET w.w = 7").fetchall() == [(1,)]
    assert con.sql("UPDATE w target SET target.target = w + 1").fetchall() == [(1,)]
    assert con.sql("SELECT * FROM w").fetchall() == [(7, 8)]


def test_a_dropped_link_is_only_unlinked(con, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x"
    write_deltalake(elsewhere, pa.table({"a": [1]}))
    (con.root / "link").symlink_to(elsewhere)
    con.sql("DROP TABLE link")
    assert not (con.root / "link").exists()
    assert DeltaTable(elsewhere).version() == 0


def test_errors_while_reading_show_the_users_text(con):
    _table(con, "t", {"a": [1]})
    with pytest.raises(deltasql.DataError) as caught:
        con.sql("SELECT 10 / (a - ?) FROM t", [1]).fetchall()
    assert caught.value.statement == "SELECT 10 / (a - ?) FROM t"


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("delta_rs/table_with_edge_timestamps", '"NORMAL_DATE"'),
        ("dat/out/reader_tests/generated/multi_partitioned/delta", "number"),
    ],
)
def test_what_delta_rs_would_rewrite_wrong_is_right(con, source, column, corpora: Path):
    shutil.copytree(corpora / source, con.root / "t")
    before = con.sql("SELECT * FROM t").to_arrow()
    other = [name for name in before.column_names if name != column.strip('"')]
    rows = con.sql(f"SELECT count(*) FROM t WHERE {column} IS NOT NULL").fetchone()
    assert con.sql(f"UPDATE t SET {column} = NULL WHERE {column} IS NOT NULL").fetchone() == rows
    after = con.sql("SELECT * FROM t").to_arrow()
    assert after[column.strip('"')].null_count == before.num_rows
    assert sorted(map(str, after.select(other).to_pylist())) == sorted(map(str, before.select(other).to_pylist()))
    assert con.sql("DELETE FROM t WHERE true").fetchone() == (before.num_rows,)
    assert con.sql("SELECT count(*) FROM t").fetchone() == (0,)
    assert DeltaTable(con.root / "t").file_uris() == []


def test_all_rows_are_counted_where_the_log_lacks_their_number(con, corpora: Path):
    shutil.copytree(corpora / "delta_rs/delta-stats-optional", con.root / "t")
    assert con.sql("DELETE FROM t").fetchall() == [(2,)]


def test_a_writer_feature_that_is_missing_is_named_at_once(con, corpora: Path):
    shutil.copytree(corpora / "delta_rs/table_with_liquid_clustering", con.root / "t")
    with pytest.raises(deltasql.UnsupportedTableFeature, match="`liquid`"):
        con.sql("DELETE FROM t WHERE id = 1")


@pytest.mark.parametrize("reader", ["listing", "scan", "auto"])
def test_times_without_a_zone_are_in_the_sessions_everywhere(con, reader):
    con.sql(f"SET deltasql.reader = '{reader}'")
    con.sql("SET time_zone = 'America/New_York'")
    con.sql("CREATE TABLE t (k INT, ts TIMESTAMP, local TIMESTAMP_NTZ)")
    con.sql("INSERT INTO t VALUES (1, '2024-01-01 07:00:00', '2024-01-01 07:00:00'), (2, '2024-01-01 12:00:00Z', NULL)")
    for literal in ("'2024-01-01 07:00:00'", "TIMESTAMP '2024-01-01 07:00:00'", "'2024-01-01T12:00:00Z'"):
        assert con.sql(f"SELECT count(*) FROM t WHERE ts = {literal}").fetchone() == (2,)
    assert con.sql("SELECT CAST(ts AS VARCHAR) FROM t WHERE k = 1").fetchone() == ("2024-01-01T07:00:00-05:00",)
    assert con.sql("UPDATE t SET ts = '2024-01-01 08:00' WHERE ts = '2024-01-01 07:00:00' AND k = 2").fetchall() == [
        (1,)
    ]
    assert con.sql("DELETE FROM t WHERE ts = '2024-01-01 12:00:00'").fetchall() == [(0,)]
    assert con.sql("CREATE TABLE u AS SELECT ts FROM t").columns == []
    con.sql("SET time_zone = 'UTC'")
    assert sorted(str(row[0]) for row in con.sql("SELECT ts FROM u")) == [
        "2024-01-01 12:00:00+00:00",
        "2024-01-01 13:00:00+00:00",
    ]
    assert con.sql("DELETE FROM t WHERE ts = '2024-01-01 13:00:00'").fetchall() == [(1,)]
    assert con.sql("SELECT k, CAST(local AS VARCHAR) FROM t").fetchall() == [(1, "2024-01-01T07:00:00")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM t WHERE f > 5",
        "SELECT x.a FROM t AS x(a, b) WHERE x.b > 5",
        "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM (VALUES (5)) v(n) WHERE f > v.n)",
        "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM unnest([5]) r WHERE f > 5)",
        "SELECT id FROM t ORDER BY F DESC LIMIT 1",
    ],
)
def test_nan_is_the_greatest_however_its_column_is_named(con, query):
    _table(con, "t", {"id": [1, 2, 3], "f": [1.0, 2.0, float("nan")]})
    assert con.sql(query).fetchall() == [(3,)]


def test_a_constant_for_a_partition_column_can_be_read_back(con):
    _table(con, "t", {"p": ["a", "b"], "v": [1, 2]}, partition_by=["p"])
    assert con.sql("UPDATE t SET p = '' WHERE v = 1").fetchall() == [(1,)]
    assert DeltaTable(con.root / "t").to_pyarrow_table().column("p").null_count == 1
    assert con.sql("SELECT v FROM t WHERE p IS NULL").fetchall() == [(1,)]


@pytest.mark.parametrize("literal", ["2024-01-01 12:00:00Z", "2024-01-01T07:00:00-05:00", "2024-01-01 13:00:00 +01:00"])
def test_a_literal_with_a_zone_is_an_instant(con, literal):
    con.sql("SET time_zone = 'America/New_York'")
    con.sql("CREATE TABLE t (ts TIMESTAMP)")
    con.sql("INSERT INTO t VALUES ('2024-01-01 12:00:00Z')")
    assert con.sql(f"SELECT count(*) FROM t WHERE ts = TIMESTAMP '{literal}'").fetchone() == (1,)
    assert con.sql(f"DELETE FROM t WHERE ts <> TIMESTAMP '{literal}'").fetchone() == (0,)
