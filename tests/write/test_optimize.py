"""OPTIMIZE, REORG and ANALYZE: the same rows in other files, whoever wrote them, and whoever writes meanwhile."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.catalog.packing import LiveFile, compacted, packed
from deltasql.catalog.snapshot import open_snapshot
from deltasql.errors import CommitConflict, Error, NotSupportedError, StorageError
from deltasql.names import quote
from deltasql.operations import plan
from deltasql.session import StatementContext
from deltasql.sql import parser
from tests.acceptance import canonical
from tests.corpora import Expected, expected
from tests.engine.lakes import PAIR, Json, Lake, pair, protocol


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path) as con:
        yield con


def last(table: Path) -> list[Json]:
    """The actions of the last commit."""
    entry = max((table / "_delta_log").glob("*.json"))
    return [json.loads(line) for line in entry.read_text(encoding="utf-8").splitlines()]


def bodies(table: Path, kind: str) -> list[Json]:
    return [action[kind] for action in last(table) if kind in action]


def parquet(table: Path) -> set[Path]:
    return set(table.rglob("*.parquet"))


def kept(con: deltasql.Connection, query: str) -> int:
    """How many files a query reads."""
    (line,) = (text for kind, text in con.sql(f"EXPLAIN {query}").fetchall() if kind.startswith("table "))
    return int(line.split(",")[1].split()[0])


# -- tables by others

TABLES = [
    pytest.param(case, id=str(case))
    for number, case in enumerate(case for case in expected() if case.version is None and case.outcome != "error")
    if case.line["reader_features"] or (case.line["protocol"] or [1])[0] != 1 or number % 5 == 0
] or [pytest.param(None, marks=pytest.mark.skip(reason="shared/corpora isn't there"))]


def same(con: deltasql.Connection, table: str, case: Expected) -> bool:
    rows = canonical.rows(con.sql(f"SELECT * FROM {table}").to_arrow())
    return (len(rows), canonical.digest(rows)) == (case.line["count"], case.line["digest"])


@pytest.mark.parametrize("case", TABLES)
def test_tables_by_others_keep_exactly_their_live_rows(corpora: Path, con: deltasql.Connection, case: Expected) -> None:
    folder = con.root / "t"
    shutil.copytree(corpora / case.table, folder)
    table = f"delta.{quote(str(folder))}"
    for statement in ("REORG TABLE {} APPLY (PURGE)", "OPTIMIZE {}", "ANALYZE TABLE {} COMPUTE STATISTICS"):
        text = statement.format(table)
        before = parquet(folder)
        try:
            result = con.sql(text)
        except NotSupportedError as error:
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert "can't be written" in refused
            assert parquet(folder) == before
            return
        if result.version is not None:
            assert all(action["dataChange"] is False for kind in ("add", "remove") for action in bodies(folder, kind))
        assert same(con, table, case)
        assert con.sql(text).version is None
        assert "deletionVectors" not in open_snapshot("t", folder).features_in_use
    column = next(
        (
            name
            for name in case.line["columns"]
            if not _refused(con, f"EXPLAIN OPTIMIZE {table} ZORDER BY ({quote(name)})")
        ),
        None,
    )
    if column is not None:
        con.sql(f"OPTIMIZE {table} ZORDER BY ({quote(column)})")
        assert same(con, table, case)


def _refused(con: deltasql.Connection, text: str) -> bool:
    try:
        con.sql(text)
    except Error:
        return True
    return False


# -- which files go together


def live(size: int, partition: str = "", *, vector: bool = False) -> LiveFile:
    add = {"deletionVector": {"cardinality": 1}} if vector else {}
    return LiveFile(Path(f"{size}{partition}"), size, (("p", partition),), 0, int(vector), None, add)


def sizes(groups: list[tuple[LiveFile, ...]]) -> list[list[int]]:
    return [[file.size for file in group] for group in groups]


@pytest.mark.parametrize(
    ("files", "groups"),
    [
        ([], []),
        ([live(5)], []),
        ([live(4), live(6)], [[4, 6]]),
        ([live(10), live(50)], []),
        ([live(3), live(4), live(4), live(9)], [[3, 4]]),
        ([live(3), live(12), live(4)], [[3, 4]]),
        ([live(3, "a"), live(3, "b"), live(4, "a")], [[3, 4]]),
        ([live(12, vector=True), live(4)], [[12]]),
        ([live(2, vector=True)], [[2]]),
        ([live(2), live(3, vector=True), live(4)], [[2, 3, 4]]),
    ],
)
def test_compacted(files: list[LiveFile], groups: list[list[int]]) -> None:
    assert sizes(compacted(files, 10)) == groups


def test_packed_keeps_single_files_that_must_go() -> None:
    assert sizes(packed([live(8), live(8), live(1)], 10, alone=lambda _: True)) == [[8], [8, 1]]


def test_the_row_that_is_returned(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT, p INT) PARTITIONED BY (p)")
    for number in range(3):
        con.sql("INSERT INTO t VALUES (?, 0), (?, 1)", [number, number])
    con.sql("INSERT INTO t VALUES (9, 2)")
    old = {file: file.stat().st_size for file in parquet(con.root / "t")}
    begun = time.time() * 1000
    result = con.sql("OPTIMIZE t")
    assert result.columns == ["path", "metrics"]
    ((path, metrics),) = result.fetchall()
    assert path == str(con.root / "t")
    assert metrics == result.metrics
    new = [file.stat().st_size for file in parquet(con.root / "t") - set(old)]
    gone = [(con.root / "t" / remove["path"]) for remove in bodies(con.root / "t", "remove")]
    assert metrics["filesAdded"] == {
        "min": min(new), "max": max(new), "avg": sum(new) / 2, "totalFiles": 2, "totalSize": sum(new)
    }  # fmt: skip
    assert metrics["filesRemoved"]["totalSize"] == sum(old[file] for file in gone)
    counted = ("numFilesAdded", "numFilesRemoved", "partitionsOptimized", "totalConsideredFiles", "totalFilesSkipped")
    assert [metrics[name] for name in counted] == [2, 6, 2, 7, 1]
    assert begun <= metrics["startTimeMs"] <= metrics["endTimeMs"]
    assert metrics["zOrderStats"] is None
    info = bodies(con.root / "t", "commitInfo")[0]
    assert info["operationMetrics"]["numAddedBytes"] == sum(new)
    ((_, nothing),) = con.sql("OPTIMIZE t").fetchall()
    assert nothing["filesAdded"] == {"min": None, "max": None, "avg": None, "totalFiles": 0, "totalSize": 0}


def test_large_tables_are_packed_to_the_target_in_the_order_of_their_rows(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id BIGINT, s STRING)")
    for number in range(12):
        con.sql(
            f"INSERT INTO t SELECT value, md5(CAST(value AS STRING)) FROM generate_series({number * 1000}, {number * 1000 + 999})"
        )
    one = min(file.stat().st_size for file in parquet(con.root / "t"))
    con.sql(f"SET deltasql.optimize.target_file_size = '{one * 4 + one // 2}'")
    con.sql("OPTIMIZE t")
    adds = bodies(con.root / "t", "add")
    assert [json.loads(add["stats"])["numRecords"] for add in adds] == [4000, 4000, 4000]
    assert sorted(json.loads(add["stats"])["minValues"]["id"] for add in adds) == [0, 4000, 8000]
    for add in adds:
        ids = pq.read_table(con.root / "t" / add["path"])["id"].to_pylist()
        assert ids == sorted(ids)


# -- order


def test_z_order_lets_files_be_skipped_by_each_column(con: deltasql.Connection) -> None:
    con.sql("SET deltasql.write.row_group_rows = 1024")
    con.sql("SET deltasql.optimize.target_file_size = '64KB'")
    con.sql(
        "CREATE TABLE t AS SELECT value AS n, value * 7919 % 100003 AS a, md5(CAST(value AS STRING)) AS s, "
        "DATE '2020-01-01' + CAST(value * 104729 % 1000 AS INT) AS d FROM generate_series(1, 60000)"
    )
    queries = [
        "SELECT * FROM t WHERE a = 5000",
        "SELECT * FROM t WHERE d = '2021-01-01'",
        "SELECT * FROM t WHERE s > 'f8' AND s < 'f9'",
    ]
    rows = [con.sql(query).to_arrow().num_rows for query in queries]
    con.sql("OPTIMIZE t ZORDER BY (n)")
    files = kept(con, "SELECT * FROM t")
    assert files > 16
    assert [kept(con, query) for query in queries] == [files] * 3
    con.sql("OPTIMIZE t ZORDER BY (a, d)")
    files = kept(con, "SELECT * FROM t")
    by_a, by_d, by_s = (kept(con, query) for query in queries)
    assert max(by_a, by_d) <= files // 2
    assert by_s == files
    con.sql("OPTIMIZE t ZORDER BY (s)")
    assert kept(con, queries[2]) <= 2
    assert [con.sql(query).to_arrow().num_rows for query in queries] == rows
    assert (
        con.sql("SELECT count(*), count(DISTINCT n), sum(a) FROM t").fetchone()
        == con.sql("SELECT count(*), count(DISTINCT n), sum(a) FROM t VERSION AS OF 0").fetchone()
    )


def test_rows_that_memory_does_not_hold_are_put_in_order(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t AS SELECT value AS n, md5(CAST(value AS STRING)) AS s FROM generate_series(1, 600000)")
    con.sql("SET deltasql.memory_limit = '16MB'")
    con.sql("OPTIMIZE t ZORDER BY (s)")
    (add,) = bodies(con.root / "t", "add")
    written = pq.read_table(con.root / "t" / add["path"])["s"].to_pylist()
    assert len(written) == 600000
    assert written == sorted(written)


TYPES = {
    "i": ("INT", "3, NULL, -1, 2"),
    "f": ("DOUBLE", "CAST('NaN' AS DOUBLE), NULL, -0.5, CAST('inf' AS DOUBLE)"),
    "s": ("STRING", "'é', NULL, '', 'z'"),
    "d": ("DATE", "'2024-01-01', NULL, '1600-01-01', '9999-12-31'"),
    "t": ("TIMESTAMP", "'2024-01-01 00:00:00', NULL, '1600-01-01 00:00:00', '9999-12-31 00:00:00'"),
    "z": ("TIMESTAMP_NTZ", "'2024-01-01 00:00:00', NULL, '1600-01-01 00:00:00', '9999-12-31 00:00:00'"),
    "c": ("DECIMAL(38, 10)", "1.5, NULL, -12345678901234567890.5, 3"),
    "b": ("BOOLEAN", "true, NULL, false, true"),
}


@pytest.mark.parametrize("columns", [["i"], ["f"], ["s"], ["d"], ["t"], ["z"], ["c"], ["b"], list(TYPES)])
def test_every_type_can_be_ordered_by(con: deltasql.Connection, columns: list[str]) -> None:
    con.sql(f"CREATE TABLE t ({', '.join(f'{name} {type}' for name, (type, _) in TYPES.items())}, l ARRAY<INT>)")
    rows = zip(*(values.split(", ") for _, values in TYPES.values()), strict=True)
    for row in rows:
        con.sql(f"INSERT INTO t VALUES ({', '.join(row)}, make_array(1, NULL))")
    before = canonical.rows(con.sql("SELECT * FROM t").to_arrow())
    con.sql(f"OPTIMIZE t ZORDER BY ({', '.join(columns)})")
    assert canonical.digest(canonical.rows(con.sql("SELECT * FROM t").to_arrow())) == canonical.digest(before)
    (add,) = bodies(con.root / "t", "add")
    written = pq.read_table(con.root / "t" / add["path"])
    if len(columns) == 1:
        column = written[columns[0]]
        assert column[0].as_py() is None
        rest = column.drop_null()
        assert len(rest) == 3
        # As text, as NaN isn't itself.
        assert repr(rest.to_pylist()) == repr(rest.take(pc.sort_indices(rest)).to_pylist())
    else:
        assert written["i"].to_pylist()[0] is None


def test_an_empty_table(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT, s STRING)")
    for text in (
        "OPTIMIZE t",
        "OPTIMIZE t ZORDER BY (id, s)",
        "REORG TABLE t APPLY (PURGE)",
        "ANALYZE TABLE t COMPUTE STATISTICS",
    ):
        assert con.sql(text).version is None


def test_peers_read_it(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT, d DATE, p STRING) PARTITIONED BY (p)")
    for number in range(4):
        con.sql(f"INSERT INTO t VALUES ({number}, '2024-01-0{number + 1}', 'ü/{number % 2}'), (9, NULL, NULL)")
    con.sql("OPTIMIZE t")
    con.sql("OPTIMIZE t ZORDER BY (d, id)")
    frame = pl.scan_delta(str(con.root / "t"))
    assert sorted(frame.filter(pl.col("id") < 9).select("id", "p").collect().rows()) == [
        (number, f"ü/{number % 2}") for number in range(4)
    ]
    assert frame.filter(pl.col("p").is_null()).collect().height == 4


def test_partition_values_stay_as_another_spelled_them(tmp_path: Path, con: deltasql.Connection) -> None:
    schema = pa.schema([*PAIR, pa.field("b", pa.binary()), pa.field("f", pa.float64())])
    lake = Lake(tmp_path / "t")
    values = [{"b": "\u0001", "f": "1"}, {"b": "\u0001", "f": "1"}, {"b": None, "f": "1.0"}, {"b": "", "f": "1.0"}]
    files = [lake.file(f"{number}.parquet", pair(number), value) for number, value in enumerate(values)]
    lake.create(schema, *files, by=["b", "f"])
    before = canonical.rows(con.sql("SELECT * FROM t").to_arrow())
    con.sql("OPTIMIZE t")
    assert [add["partitionValues"] for add in bodies(lake.path, "add")] == values[:1]
    assert sorted(map(str, canonical.rows(con.sql("SELECT * FROM t").to_arrow()))) == sorted(map(str, before))


# -- clustered tables


def test_files_say_who_clustered_them_and_others_keep_theirs(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT) CLUSTER BY (id)")
    for number in (3, 1, 2):
        con.sql("INSERT INTO t VALUES (?)", [number])
    con.sql("OPTIMIZE t")
    (add,) = bodies(con.root / "t", "add")
    assert add["clusteringProvider"] == "deltasql"
    entry = max((con.root / "t" / "_delta_log").glob("*.json"))
    entry.write_text(entry.read_text().replace('"clusteringProvider":"deltasql"', '"clusteringProvider":"liquid"'))
    con.close()
    with deltasql.connect(con.root) as again:
        assert again.sql("OPTIMIZE t FULL").version is None
        again.sql("INSERT INTO t VALUES (0)")
        again.sql("OPTIMIZE t")
        assert [remove["path"] for remove in bodies(con.root / "t", "remove")] != [add["path"]]
        assert len(bodies(con.root / "t", "remove")) == 1
        assert sorted(again.sql("SELECT id FROM t").fetchall()) == [(0,), (1,), (2,), (3,)]


# -- others who write meanwhile, and what goes wrong


def planned(con: deltasql.Connection, text: str) -> Any:
    """The statement, bound to the table as it is now."""
    return plan(parser.parse(text), StatementContext(con.session))


@pytest.mark.parametrize(
    "text", ["OPTIMIZE t", "OPTIMIZE t ZORDER BY (id)", "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS s"]
)
@pytest.mark.parametrize(
    ("theirs", "rows", "passes"),
    [
        ("INSERT INTO t VALUES (9, 'x')", {1, 2, 5, 9}, True),
        ("DELETE FROM t WHERE id = 1", {2, 5}, False),
        ("OPTIMIZE t", {1, 2, 5}, False),
        ("ALTER TABLE t SET TBLPROPERTIES ('x' = 'y')", {1, 2, 5}, False),
    ],
)
def test_what_others_commit_meanwhile(
    con: deltasql.Connection, text: str, theirs: str, rows: set[int], passes: bool
) -> None:
    con.sql("CREATE TABLE t (id INT, s STRING) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '1')")
    con.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    con.sql("INSERT INTO t VALUES (5, 'a')")
    ours = planned(con, text)
    con.sql(theirs)
    there = parquet(con.root / "t")
    version = con.sql("SELECT max(version) FROM table_history('t')").fetchone()[0]
    if passes:
        assert ours.execute().version == version + 1
    else:
        with pytest.raises(CommitConflict):
            ours.execute()
        assert parquet(con.root / "t") == there
    assert {id for (id,) in con.sql("SELECT id FROM t").fetchall()} == rows
    con.sql(text)
    assert {id for (id,) in con.sql("SELECT id FROM t").fetchall()} == rows


@pytest.mark.parametrize("text", ["OPTIMIZE t", "OPTIMIZE t ZORDER BY (id, s)", "ANALYZE TABLE t COMPUTE STATISTICS"])
@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(
    con: deltasql.Connection, text: str, damage: str
) -> None:
    con.sql("CREATE TABLE t (id INT, s STRING)")
    for number in range(3):
        con.sql("INSERT INTO t VALUES (?, 'a')", [number])
    victim = min(parquet(con.root / "t"))
    if damage == "gone":
        victim.unlink()
    else:
        data = bytearray(victim.read_bytes())
        data[4:40] = b"\xff" * 36
        victim.write_bytes(data)
    there, entries = parquet(con.root / "t"), set((con.root / "t" / "_delta_log").iterdir())
    with pytest.raises(StorageError, match=victim.name):
        con.sql(text)
    assert parquet(con.root / "t") == there
    assert set((con.root / "t" / "_delta_log").iterdir()) == entries


def test_the_change_feed_is_silent_about_it(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    con.sql("INSERT INTO t VALUES (2)")
    con.sql("INSERT INTO t VALUES (1)")
    assert con.sql("OPTIMIZE t").version == 3
    assert con.sql("OPTIMIZE t ZORDER BY (id)").version == 4
    assert con.sql("SELECT count(*) FROM table_changes('t', 3, 4)").fetchone() == (0,)


def test_rows_that_may_only_come_may_be_rearranged(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.appendOnly' = 'true')")
    con.sql("INSERT INTO t VALUES (2)")
    con.sql("INSERT INTO t VALUES (1)")
    assert con.sql("OPTIMIZE t").version == 3
    assert con.sql("SELECT id FROM t").fetchall() == [(2,), (1,)]


def test_a_shallow_clone_takes_its_rows_home(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE s (id INT)")
    con.sql("INSERT INTO s VALUES (2)")
    con.sql("INSERT INTO s VALUES (1)")
    con.sql("CREATE TABLE t SHALLOW CLONE s")
    con.sql("OPTIMIZE t")
    assert len(parquet(con.root / "t")) == 1
    shutil.rmtree(con.root / "s")
    assert con.sql("SELECT id FROM t").fetchall() == [(2,), (1,)]


def test_a_feature_that_is_not_known_is_named(tmp_path: Path, con: deltasql.Connection) -> None:
    lake = Lake(tmp_path / "t")
    files = [lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2))]
    lake.create(PAIR, *files, writer_features=["somethingNew"])
    for text in ("OPTIMIZE t", "REORG TABLE t APPLY (PURGE)", "ANALYZE TABLE t COMPUTE STATISTICS"):
        with pytest.raises(deltasql.UnsupportedTableFeature, match="`somethingNew`"):
            con.sql(text)


# -- statistics


def test_statistics_that_were_wrong_hide_no_row_any_more(tmp_path: Path, con: deltasql.Connection) -> None:
    lake = Lake(tmp_path / "t")
    wrong = {"numRecords": 2, "minValues": {"id": 50}, "maxValues": {"id": 60}, "nullCount": {"id": 0, "s": 0}}
    lake.create(PAIR, lake.file("a.parquet", pair(0), stats=wrong), lake.file("b.parquet", pair(100), stats=None))
    # A DELETE asks the log however few the files are.
    assert con.sql("DELETE FROM t WHERE id = 1").fetchone() == (0,)
    assert con.sql("ANALYZE TABLE t COMPUTE STATISTICS").metrics == {"numFilesRead": 2, "numUpdatedFiles": 2}
    assert len(con.sql("SELECT * FROM t").fetchall()) == 4
    (how,) = (text for kind, text in con.sql("EXPLAIN DELETE FROM t WHERE id = 1").fetchall() if kind == "rows")
    assert "1 of 2 files" in how
    stats = {add["path"]: json.loads(add["stats"]) for add in bodies(lake.path, "add")}
    assert stats["b.parquet"] == {
        "numRecords": 2, "minValues": {"id": 100, "s": "s100"}, "maxValues": {"id": 101, "s": "s101"},
        "nullCount": {"id": 0, "s": 0}, "tightBounds": True,
    }  # fmt: skip
    assert all(add["modificationTime"] == 1_700_000_000_000 for add in bodies(lake.path, "add"))
    assert con.sql("DELETE FROM t WHERE id = 1").fetchone() == (1,)


def test_statistics_from_rows_are_those_from_footers(con: deltasql.Connection) -> None:
    columns = ", ".join(f"{name} {type}" for name, (type, _) in TYPES.items())
    con.sql(f"CREATE TABLE t ({columns}, l ARRAY<INT>, st STRUCT<a: INT, b: STRING>, r FLOAT, x BINARY, long STRING)")
    rows = zip(*(values.split(", ") for _, values in TYPES.values()), strict=True)
    for number, row in enumerate(rows):
        more = f"make_array(1), named_struct('a', {number}, 'b', NULL), -0.0, X'00', '{'ä' * (30 + number)}'"
        con.sql(f"INSERT INTO t VALUES ({', '.join(row)}, {more})")
    con.sql("INSERT INTO t SELECT * FROM t")
    con.sql("OPTIMIZE t")
    assert con.sql("ANALYZE TABLE t COMPUTE STATISTICS").metrics == {"numFilesRead": 1, "numUpdatedFiles": 0}


def test_statistics_beside_a_deletion_vector_are_of_all_rows(corpora: Path, con: deltasql.Connection) -> None:
    case = next(
        param.values[0] for param in TABLES if param.values[0] and "deletionVectors" in param.values[0].line["reader_features"]
        and open_snapshot("t", corpora / param.values[0].table).live_rows
    )  # fmt: skip
    folder = con.root / "t"
    shutil.copytree(corpora / case.table, folder)
    con.sql("ANALYZE TABLE t COMPUTE STATISTICS")
    held = [add for add in bodies(folder, "add") if "deletionVector" in add]
    assert held
    for add in held:
        stats = json.loads(add["stats"])
        assert stats["tightBounds"] is False
        assert stats["numRecords"] == pq.read_metadata(folder / add["path"]).num_rows
    assert same(con, "t", case)


def test_a_protocol_of_another_writer_stays(tmp_path: Path, con: deltasql.Connection) -> None:
    lake = Lake(tmp_path / "t")
    lake.create(PAIR, lake.file("a.parquet", pair(0)), lake.file("b.parquet", pair(2)), writer=4)
    con.sql("OPTIMIZE t")
    found = open_snapshot("t", lake.path).table.protocol()
    assert (found.min_reader_version, found.min_writer_version) == (1, 4)
    assert protocol(1, 4) not in last(lake.path)
