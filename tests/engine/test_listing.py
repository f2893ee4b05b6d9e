"""The listing: DataFusion's own scan over exactly a snapshot's files, by a plan message whose paths are replaced."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion.plan import LogicalPlan
from deltalake import write_deltalake

import deltasql
from deltasql.engine import listing
from deltasql.engine.listing import file_url, with_paths
from deltasql.names import quote


def _plan(context: datafusion.SessionContext, path: Path) -> bytes:
    context.register_parquet("t", file_url(path))
    return context.table("t").logical_plan().to_bytes(context)


def _parquet(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": [value]}), path)
    return path


def _read(context: datafusion.SessionContext, message: bytes) -> list[int]:
    frame = context.create_dataframe_from_logical_plan(LogicalPlan.from_bytes(context, message))
    return sorted(value for batch in frame.collect() for value in batch.to_pydict()["id"])


def _fields(message: bytes) -> list[tuple[int, int, bytes]]:
    return list(listing._fields(message))


def test_with_paths_keeps_all_other_fields(tmp_path: Path) -> None:
    context = datafusion.SessionContext()
    one = _parquet(tmp_path / "one.parquet", 1)
    before = _plan(context, one)
    after = with_paths(before, ["file:///a", "file:///b"])
    ((node, wire, listing),) = _fields(before)
    ((other_node, other_wire, other_listing),) = _fields(after)
    assert (node, wire) == (other_node, other_wire)
    assert [field for field in _fields(listing) if field[0] != 2] == [f for f in _fields(other_listing) if f[0] != 2]
    assert [field for field in _fields(other_listing) if field[0] == 2] == [(2, 2, b"file:///a"), (2, 2, b"file:///b")]


def test_with_paths_of_the_same_file_is_the_identity_for_rows(tmp_path: Path) -> None:
    context = datafusion.SessionContext()
    one = _parquet(tmp_path / "one.parquet", 1)
    assert _read(context, with_paths(_plan(context, one), [file_url(one)])) == [1]


def test_with_paths_reads_every_file(tmp_path: Path) -> None:
    context = datafusion.SessionContext()
    files = [_parquet(tmp_path / f"{value}.parquet", value) for value in range(5)]
    message = with_paths(_plan(context, files[0]), [file_url(file) for file in files[1:]])
    assert _read(context, message) == [1, 2, 3, 4]


def test_with_paths_refuses_what_it_does_not_know() -> None:
    with pytest.raises(deltasql.NotSupportedError):
        with_paths(b"\x08\x01", ["file:///a"])


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**20, 2**35, 2**63])
def test_varint(number: int) -> None:
    encoded = listing._to_varint(number)
    assert listing._varint(encoded + b"\xff", 0) == (number, len(encoded))


ODD = [
    "plain",
    "a b",
    "per%cent",
    "per%20cent",
    "ha#sh",
    "que?ry",
    "am&p=x+y",
    "ünï-漢字",
    "qu'ote",
    'dou"ble',
    "a:b",
    "a;b,c",
]


@pytest.mark.parametrize("name", ODD)
def test_file_url(tmp_path: Path, name: str) -> None:
    context = datafusion.SessionContext()
    file = _parquet(tmp_path / name / f"{name}.parquet", 7)
    assert urllib.parse.unquote(urllib.parse.urlparse(file_url(file)).path) == str(file)
    assert _read(context, with_paths(_plan(context, file), [file_url(file)])) == [7]


# -- tables


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path / "root") as connection:
        yield connection


FOLDERS = [name for name in ODD if "%" not in name]


def test_a_path_with_dots_behind_a_link(con: deltasql.Connection, tmp_path: Path) -> None:
    """DataFusion takes `link/..` away, wherever the link leads."""
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "deep")
    write_deltalake(str(tmp_path / "elsewhere" / "t"), pa.table({"a": [1]}))
    con.sql("CREATE TABLE first AS SELECT 1 AS a")
    for path in ("elsewhere/t", "link/../t"):
        query = f"SELECT a FROM delta.`{tmp_path}/{path}`"
        assert con.sql(query).fetchall() == [(1,)]
        assert "read by listing" in str(con.sql(f"EXPLAIN INSERT INTO first {query}").fetchall())


@pytest.mark.parametrize(
    ("name", "reader"), [(name, reader) for name in FOLDERS for reader in ("auto", "listing", "scan")]
)
def test_a_table_in_an_odd_folder(con: deltasql.Connection, tmp_path: Path, name: str, reader: str) -> None:
    table = f"delta.{quote(str(tmp_path / 'at' / name))}"
    con.sql(f"SET deltasql.reader = '{reader}'")
    con.sql(f"CREATE TABLE {table} AS SELECT value AS id FROM generate_series(1, 3)")
    assert sorted(con.sql(f"SELECT id FROM {table}")) == [(1,), (2,), (3,)]
    assert con.sql(f"SELECT count(*) FROM {table}").fetchone() == (3,)
    assert con.sql(f"SELECT id FROM {table} VERSION AS OF 0 WHERE id = 2").fetchall() == [(2,)]


@pytest.mark.parametrize("name", FOLDERS)
def test_writes_to_a_table_in_an_odd_folder(con: deltasql.Connection, tmp_path: Path, name: str) -> None:
    table = f"delta.{quote(str(tmp_path / 'at' / name))}"
    con.sql(f"CREATE TABLE {table} (id INT)")
    assert con.sql(f"INSERT INTO {table} VALUES (1), (2)").fetchall() == [(2, 2)]
    assert con.sql(f"UPDATE {table} SET id = 5 WHERE id = 1").fetchall() == [(1,)]
    assert con.sql(f"DELETE FROM {table} WHERE id = 2").fetchall() == [(1,)]
    assert con.sql(f"SELECT id FROM {table}").fetchall() == [(5,)]
    assert len(con.sql(f"DESCRIBE HISTORY {table}").fetchall()) == 4


@pytest.mark.parametrize("reader", ["listing", "scan"])
def test_five_hundred_files(con: deltasql.Connection, reader: str) -> None:
    path = con.root / "many"
    data = pa.table({"id": list(range(500)), "s": [f"s{number}" for number in range(500)]})
    write_deltalake(str(path), data.slice(0, 0))
    table = deltasql_add(path, data)
    assert len(table) == 500
    con.sql(f"SET deltasql.reader = '{reader}'")
    assert con.sql("SELECT count(*), sum(id), count(DISTINCT s) FROM many").fetchone() == (500, 124750, 500)
    assert con.sql("SELECT s FROM many WHERE id = 321").fetchall() == [("s321",)]


def deltasql_add(path: Path, data: pa.Table) -> list[str]:
    """Append each row as a file of its own, in one commit; gives the files."""
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

    actions = []
    for row in range(data.num_rows):
        file = path / f"row-{row}.parquet"
        pq.write_table(data.slice(row, 1), file)
        actions.append(
            AddAction(path=file.name, size=file.stat().st_size, partition_values={}, modification_time=0,
                      data_change=True, stats='{"numRecords": 1}')
        )  # fmt: skip
    table = DeltaTable(str(path))
    table.create_write_transaction(actions, mode="append", schema=table.schema(), partition_by=[])
    return DeltaTable(str(path)).file_uris()


@pytest.mark.parametrize("reader", ["listing", "scan"])
def test_odd_file_names(con: deltasql.Connection, reader: str) -> None:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

    path = con.root / "odd"
    write_deltalake(str(path), pa.table({"id": pa.array([], pa.int64())}))
    # RFC 3986: `a:b` would be a URL of the scheme `a`; no writer makes such a relative path.
    names = [f"{name}.parquet" for name in ODD if name != "a:b"]
    actions = []
    for value, name in enumerate(names):
        file = _parquet(path / name, value)
        actions.append(
            AddAction(path=name, size=file.stat().st_size, partition_values={},
                      modification_time=0, data_change=True, stats='{"numRecords": 1}')
        )  # fmt: skip
    table = DeltaTable(str(path))
    table.create_write_transaction(actions, mode="append", schema=table.schema(), partition_by=[])
    con.sql(f"SET deltasql.reader = '{reader}'")
    assert sorted(con.sql("SELECT id FROM odd")) == [(value,) for value in range(len(names))]


@pytest.mark.parametrize("reader", ["auto", "scan"])
def test_an_empty_table(con: deltasql.Connection, reader: str) -> None:
    con.sql(f"SET deltasql.reader = '{reader}'")
    con.sql("CREATE TABLE t (id INT, tags ARRAY<STRING>)")
    assert con.sql("SELECT * FROM t").to_arrow().num_rows == 0
    assert con.sql("SELECT * FROM t").columns == ["id", "tags"]
    assert con.sql("SELECT count(*), max(id) FROM t").fetchone() == (0, None)
    assert con.sql("SELECT count(*) FROM t a JOIN t b ON a.id = b.id").fetchone() == (0,)
    con.sql("INSERT INTO t VALUES (1, NULL)")
    con.sql("DELETE FROM t")
    assert con.sql("SELECT count(*) FROM t").fetchone() == (0,)


def test_columns_added_later_and_files_of_another_width(con: deltasql.Connection) -> None:
    path = str(con.root / "t")
    write_deltalake(path, pa.table({"id": pa.array([1], pa.int64())}))
    write_deltalake(path, pa.table({"id": [2], "s": ["x"]}), mode="append", schema_mode="merge")
    for reader in ("listing", "scan"):
        con.sql(f"SET deltasql.reader = '{reader}'")
        assert sorted(con.sql("SELECT id, s FROM t")) == [(1, None), (2, "x")]
        assert con.sql("SELECT id FROM t WHERE s IS NULL").fetchall() == [(1,)]


@pytest.mark.parametrize("name", ["per%cent", "per%20cent"])
def test_a_table_in_a_folder_with_a_percent_sign_is_refused(
    con: deltasql.Connection, tmp_path: Path, name: str
) -> None:
    """delta-rs would take ``%20`` for a space, and another table for this one."""
    folder = tmp_path / name
    table = f"delta.{quote(str(folder))}"
    with pytest.raises(deltasql.NotSupportedError, match="can't hold '%'"):
        con.sql(f"CREATE TABLE {table} (id INT)")
    assert not folder.exists()
    (folder / "_delta_log").mkdir(parents=True)
    for statement in (f"SELECT * FROM {table}", f"INSERT INTO {table} VALUES (1)", f"DELETE FROM {table}"):
        with pytest.raises(deltasql.NotSupportedError, match="can't hold '%'"):
            con.sql(statement)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT coalesce(a.s, '?'), count(*) OVER (PARTITION BY coalesce(a.s, '?')) FROM a FULL JOIN b ON a.k = b.k",
        "SELECT coalesce(a.s, '?') FROM a RIGHT JOIN b ON a.k = b.k ORDER BY coalesce(a.s, '?') LIMIT 3",
    ],
)
def test_the_value_of_an_only_partition_is_not_constant_behind_an_outer_join(tmp_path: Path, query: str) -> None:
    with deltasql.connect(tmp_path) as con:
        for name, clause in (("a", "PARTITIONED BY (s)"), ("c", "")):
            con.sql(f"CREATE TABLE {name} (k INT, s STRING) {clause}")
            con.sql(f"INSERT INTO {name} VALUES (1, 'e'), (4, 'e')")
        con.sql("CREATE TABLE b (k INT)")
        con.sql("INSERT INTO b VALUES (1), (3), (4), (5), (6)")
        rows = [sorted(con.sql(text).fetchall()) for text in (query, query.replace("FROM a", "FROM c AS a"))]
        assert rows[0] == rows[1]
