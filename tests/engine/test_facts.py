"""What deltasql rests on in its libraries: a test per fact, so that a change upstream is noticed (facts.md)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

import deltasql


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = str(tmp_path / "t")
    write_deltalake(path, pa.table({"a": [1, 2, None], "s": ["x", "y", None]}))
    return path


@pytest.mark.parametrize(
    "clause", ["VERSION AS OF 0", "TIMESTAMP AS OF '2024-01-01'", "FOR SYSTEM_TIME AS OF '2024-01-01'"]
)
def test_fact_5_the_default_dialect_rejects_time_travel(clause: str) -> None:
    """Were it accepted, it would answer with current rows. Other dialects accept it."""
    context = datafusion.SessionContext()
    context.from_pydict({"a": [1]}, name="t")
    with pytest.raises(Exception, match="ParserError"):
        context.sql(f"SELECT * FROM t {clause}")


def test_fact_5_other_dialects_ignore_time_travel() -> None:
    context = datafusion.SessionContext(datafusion.SessionConfig({"datafusion.sql_parser.dialect": "databricks"}))
    context.from_pydict({"a": [1]}, name="t")
    assert context.sql("SELECT * FROM t VERSION AS OF 0").to_pylist() == [{"a": 1}]


def test_fact_6_read_only_options_are_a_gate() -> None:
    context = datafusion.SessionContext()
    context.from_pydict({"a": [1]}, name="t")
    options = datafusion.SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)
    for statement in ("CREATE TABLE u AS SELECT 1", "INSERT INTO t VALUES (2)", "DROP TABLE t", "SET x.y = 1",
                      "COPY t TO '/tmp/deltasql-never.csv'", "DELETE FROM t"):  # fmt: skip
        with pytest.raises(Exception, match=r"not supported|not implemented|SQL error|Error"):
            context.sql_with_options(statement, options).collect()
    assert context.sql_with_options("SELECT * FROM t", options).to_pylist() == [{"a": 1}]


@pytest.mark.parametrize(
    "predicate", ["a = null", "a <> null", "not (a = null)", "a = cast(null as int)", "a + null > 1"]
)
def test_fact_36_delete_by_null_takes_every_row(table: str, predicate: str) -> None:
    """The guard in write/keys.py is needed as long as this holds."""
    deltas = DeltaTable(table)
    deltas.delete(predicate)
    assert deltas.count() == 0


def test_fact_36_update_by_null_takes_none(table: str) -> None:
    deltas = DeltaTable(table)
    assert deltas.update(updates={"s": "'z'"}, predicate="a = null")["num_updated_rows"] == 0


def test_fact_49_a_listing_passes_over_missing_files(tmp_path: Path) -> None:
    """The look for missing files in engine/engine.py is needed as long as this holds."""
    import pyarrow.parquet as pq
    from datafusion.plan import LogicalPlan

    from deltasql.engine.listing import file_url, with_paths

    files = [tmp_path / f"{number}.parquet" for number in range(3)]
    for number, file in enumerate(files):
        pq.write_table(pa.table({"id": [number]}), file)
    context = datafusion.SessionContext()
    context.register_parquet("t", file_url(files[0]))
    message = with_paths(context.table("t").logical_plan().to_bytes(context), [file_url(file) for file in files])
    files[1].unlink()
    frame = context.create_dataframe_from_logical_plan(LogicalPlan.from_bytes(context, message))
    assert sorted(row["id"] for row in frame.to_pylist()) == [0, 2]


def test_fact_50_raw_paths_give_no_rows(tmp_path: Path) -> None:
    import pyarrow.parquet as pq
    from datafusion.plan import LogicalPlan

    from deltasql.engine.listing import file_url, with_paths

    file = tmp_path / "a%20b.parquet"
    pq.write_table(pa.table({"id": [1]}), file)
    context = datafusion.SessionContext()
    context.register_parquet("t", file_url(file))
    template = context.table("t").logical_plan().to_bytes(context)
    counts = []
    for url in (file_url(file), f"file://{file}"):
        frame = context.create_dataframe_from_logical_plan(LogicalPlan.from_bytes(context, with_paths(template, [url])))
        counts.append(len(frame.to_pylist()))
    assert counts == [1, 0]


def test_fact_19_unquoted_names_are_lowercased() -> None:
    context = datafusion.SessionContext()
    context.from_pydict({"userName": ["x"]}, name="t")
    with pytest.raises(Exception, match="No field named username"):
        context.sql("SELECT userName FROM t")


def test_fact_20_datafusion_gives_view_types(table: str) -> None:
    context = datafusion.SessionContext()
    context.register_parquet("t", DeltaTable(table).file_uris()[0])
    assert context.table("t").schema().field("s").type == pa.string_view()


def test_fact_30_vacuum_dry_runs_by_default(table: str) -> None:
    deltas = DeltaTable(table)
    deltas.delete()
    removed = deltas.vacuum(retention_hours=0, enforce_retention_duration=False)
    assert removed
    assert all((Path(table) / path).exists() for path in removed)


def test_fact_31_time_travel_by_time_never_fails(table: str) -> None:
    """version_at in catalog/snapshot.py is needed as long as this holds."""
    deltas = DeltaTable(table)
    deltas.load_as_version("1999-01-01T00:00:00Z")
    assert deltas.version() == 0


def test_history_is_empty_in_folders_with_a_hash(tmp_path: Path) -> None:
    """Not in facts.md yet: the commit that a write made can't be found by ``history()`` there."""
    path = str(tmp_path / "a#b")
    write_deltalake(path, pa.table({"a": [1]}))
    assert DeltaTable(path).history() == []


def test_escapes_in_a_path_are_taken_for_what_they_stand_for(tmp_path: Path) -> None:
    """Not in facts.md yet: commits of the table in ``a%20b`` are read from the folder ``a b``."""
    import shutil

    space, escaped = tmp_path / "a b", tmp_path / "a%20b"
    write_deltalake(str(tmp_path / "other"), pa.table({"a": [2]}))
    write_deltalake(str(space), pa.table({"a": [1]}))
    shutil.copytree(tmp_path / "other", escaped)
    assert [Path(uri).name for uri in DeltaTable(str(escaped)).file_uris()] == [next(space.glob("*.parquet")).name]


def test_an_order_by_a_column_that_an_equality_defines_is_refused(tmp_path: Path) -> None:
    """Not in facts.md yet: ``WHERE a + b = a ORDER BY a`` is DataFusion's SanityCheckPlan, an error and no wrong rows."""
    pq.write_table(pa.table({"a": [None, -3], "b": [None, 3]}), tmp_path / "t.parquet")
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(2))
    context.register_parquet("t", str(tmp_path / "t.parquet"))
    with pytest.raises(Exception, match="SanityCheckPlan"):
        context.sql("SELECT a, b FROM t WHERE a + b = a ORDER BY a NULLS FIRST, b NULLS FIRST LIMIT 3").collect()


# -- what DataFusion 55 gets wrong, and engine/engine.py goes round


@pytest.fixture
def bare(tmp_path: Path) -> datafusion.SessionContext:
    """DataFusion over two tables that both have a column `v`."""
    context = datafusion.SessionContext(datafusion.SessionConfig({"datafusion.execution.target_partitions": "2"}))
    pq.write_table(pa.table({"v": [1, 2] * 3, "s": list("aabbzz")}), tmp_path / "t.parquet")
    pq.write_table(pa.table({"v": [5, 6, 7], "name": list("abq")}), tmp_path / "e.parquet")
    for name in "te":
        context.register_parquet(name, str(tmp_path / f"{name}.parquet"))
    return context


@pytest.mark.upstream("the filter on e.v is pushed to t.v when the sides of the join are swapped")
@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="DataFusion 55; Tables.hidden hides the columns of files from right joins",
)
def test_a_filter_on_the_left_of_a_right_join(bare: datafusion.SessionContext) -> None:
    rows = bare.sql("SELECT t.v FROM e RIGHT JOIN t ON e.name = t.s WHERE e.v IS NULL").to_pylist()
    assert sorted(row["v"] for row in rows) == [1, 2]


@pytest.mark.upstream("what is constant in each branch of a union is taken for constant in all")
@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="DataFusion 55; partition values are hidden, and sorts not repartitioned"
)
def test_the_first_rows_of_a_union_by_a_constant(bare: datafusion.SessionContext) -> None:
    union = " UNION ALL ".join(f"SELECT v, {part} AS p FROM e" for part in (2, 1, 3))
    firsts = [bare.sql(f"SELECT v, p FROM ({union}) ORDER BY v, p LIMIT 1").to_pylist() for _ in range(5)]
    assert firsts == [[{"v": 5, "p": 1}]] * 5


_THREE = "(SELECT * FROM (VALUES (0), (1), (2)) AS v(x) ORDER BY x LIMIT 3)"
DISTINCT = (
    f"SELECT DISTINCT x FROM ({' UNION ALL '.join([f'SELECT * FROM {_THREE} AS s'] * 3)}) AS t ORDER BY x LIMIT 3"
)
WINDOW = "SELECT DISTINCT v, count(*) OVER (PARTITION BY v) AS n FROM t LIMIT 9"


@pytest.mark.upstream("of groups in order, the first rows are taken before they are whole: apache/datafusion#24927")
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="DataFusion 55; the engine groups in one place then")
def test_the_first_groups(bare: datafusion.SessionContext) -> None:
    assert [bare.sql(DISTINCT).to_pylist() for _ in range(8)] == [[{"x": 0}, {"x": 1}, {"x": 2}]] * 8


@pytest.mark.upstream("a limit of groups in no order fails where rows come in one: apache/datafusion#25350")
@pytest.mark.xfail(strict=True, raises=Exception, reason="DataFusion 55; the engine reads all groups then")
def test_some_groups_of_a_window(bare: datafusion.SessionContext) -> None:
    assert len(bare.sql(WINDOW).to_pylist()) == 2


def test_groups_with_a_limit() -> None:
    with deltasql.connect() as con:
        con.sql("SET deltasql.threads = 2")
        con.sql("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2), (1)) AS v(v)")
        for _ in range(8):
            assert con.sql(DISTINCT).fetchall() == [(0,), (1,), (2,)]
        assert sorted(con.sql(WINDOW).fetchall()) == [(1, 2), (2, 1)]
        grouped = "SELECT v, n FROM (SELECT v, count(*) OVER (PARTITION BY v) AS n FROM t) AS w GROUP BY v, n"
        assert con.sql(f"{grouped} ORDER BY v LIMIT 1").fetchall() == [(1, 2)]
        whole = "SELECT v, count(*) OVER (PARTITION BY v) AS n FROM t"
        shared = f"WITH w AS (SELECT DISTINCT * FROM ({whole}) AS u) SELECT * FROM w WHERE v > 1 UNION SELECT * FROM w"
        for query in (f"{grouped} LIMIT 9", f"{whole} UNION {whole} LIMIT 9", shared, f"{shared} LIMIT 9"):
            assert sorted(con.sql(query).fetchall()) == [(1, 2), (2, 1)], query


@pytest.mark.upstream("the predicate over an outer join with an empty relation is lost")
@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="DataFusion 55; a table of which nothing is read is no empty relation"
)
def test_an_outer_join_with_nothing(bare: datafusion.SessionContext) -> None:
    query = "SELECT * FROM (SELECT * FROM t LIMIT 0) x RIGHT JOIN (SELECT count(*) AS c FROM e) y ON x.v = y.c WHERE x.v = -5"
    assert bare.sql(query).to_pylist() == []


@pytest.mark.upstream(
    "two lists of values are merged as if NULL were false, and different expressions different values"
)
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="DataFusion 55; sql/in_lists.py keeps such lists apart")
@pytest.mark.parametrize(
    "predicate",
    [
        "NOT (b IN (2, 3) AND b NOT IN (2, 3))",
        "NOT (b IN (2, 3) AND b IN (4, 5))",
        "b NOT IN (2, 3) OR b NOT IN (4, 5)",
        "((b = 2 OR b = 3) AND (b = 4 OR b = 5)) IS NOT NULL",
        "coalesce(b, 4) NOT IN (2, NULL) AND coalesce(b, 4) IN (4, 5)",
        "b IN (c, 2) AND b IN (3, 5)",
    ],
)
def test_two_lists_of_values(predicate: str) -> None:
    rows = {"b": [1, 2, 3, 4, 5, None], "c": [3] * 6}
    context = datafusion.SessionContext()
    context.from_pydict(rows, name="t")
    reference = sqlite3.connect(":memory:")
    reference.execute("CREATE TABLE t (b, c)")
    reference.executemany("INSERT INTO t VALUES (?, ?)", zip(rows["b"], rows["c"], strict=True))
    query = f"SELECT b FROM t WHERE {predicate}"
    found = [(row["b"],) for row in context.sql(query).to_pylist()]
    right = reference.execute(query).fetchall()
    reference.close()
    assert found == right


def test_nullif_with_null_keeps_lists_apart() -> None:
    """What sql/in_lists.py puts lists into isn't looked through, and changes nothing."""
    context = datafusion.SessionContext()
    context.from_pydict({"b": [1, 2, None]}, name="t")
    frame = context.sql("SELECT b, nullif(b IN (2, 3), NULL) AND nullif(b NOT IN (2), NULL) AS x FROM t")
    assert "nullif" in frame.optimized_logical_plan().display_indent()
    assert frame.to_pylist() == [{"b": 1, "x": False}, {"b": 2, "x": False}, {"b": None, "x": None}]
