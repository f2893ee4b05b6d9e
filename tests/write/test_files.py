"""Files of our own making are found and read right, filters included, by all who read Delta."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, QueryBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

import deltasql
from deltasql.catalog.columns import batches, mapping, opened, partition_value
from deltasql.catalog.snapshot import open_snapshot
from deltasql.errors import NotSupportedError, SchemaMismatch, StorageError
from deltasql.write import files as module
from deltasql.write.files import DataFiles, FileSettings
from deltasql.write.partitions import spelled, split

from .handmade import commit, table, written

_UTC = pa.timestamp("us", "UTC")
_MAPPED = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "9"}

VALUES = {
    "string": pa.array(
        ["a", None, "ä b", "a/b=c:d%e", "x{y}\"z'#?*", "a\\b[c]^", "tab\there", ".", "..", "%41", "'", "𠀀"]
    ),
    "instant": pa.array(
        [
            dt.datetime(2024, 1, 2, 3, 4, 5, 678901),
            None,
            dt.datetime(2024, 1, 2),
            dt.datetime(1, 1, 1),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
        ],
        _UTC,
    ),
    "wall": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 678901), None, dt.datetime(1, 1, 1)], pa.timestamp("us")),
    "date": pa.array([dt.date(2024, 1, 2), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "boolean": pa.array([True, None, False]),
    "double": pa.array([1.5, None, math.inf, -math.inf, math.nan, 1e20, 1e-7, 0.0, 0.1]),
    "float": pa.array([1.5, None, math.inf, math.nan, 1e20, 0.1], pa.float32()),
    "decimal": pa.array([Decimal("1.50"), None, Decimal(0), Decimal("12345678.90")], pa.decimal128(10, 2)),
    "negative": pa.array([Decimal("-0.05"), None], pa.decimal128(10, 2)),
    "wide": pa.array([Decimal("9999999999999999999999999999.9999999999"), None], pa.decimal128(38, 10)),
    "binary": pa.array([b"abc", None, "ä".encode(), b"\x00a"]),
    "byte": pa.array([1, None, -128], pa.int8()),
    "short": pa.array([1, None, -5], pa.int16()),
    "int": pa.array([1, None, -5], pa.int32()),
    "long": pa.array([2**62, None, -(2**62)]),
}
_STRUCT = pa.struct([("x", pa.int32()), ("y", pa.list_(pa.struct([("z", pa.string())])))])
NESTED = {
    "list": pa.array([["a", None], None, []], pa.list_(pa.string())),
    "struct": pa.array([{"x": 1, "y": [{"z": "s"}, None]}, None, {"x": None, "y": None}], _STRUCT),
    "map": pa.array([[("k", 1), ("l", None)], None, []], pa.map_(pa.string(), pa.int32())),
}


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its delta extension, from the package in the environment: nothing is downloaded."""
    from duckdb_extensions import import_extension

    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as con:
        con.execute("SET extension_directory = ?", [str(tmp_path_factory.mktemp("extensions"))])
        import_extension("delta", con=con)
        con.load_extension("delta")
        yield con


_CONDITIONS = {"id >= 0": pc.field("id") >= 0, "id < 1": pc.field("id") < 1, "p IS NULL": pc.field("p").is_null()}


@pytest.fixture
def peers(duck: duckdb.DuckDBPyConnection) -> dict[str, Callable[[Path, str], pa.Table]]:
    """Readers of rows for which a filter on ``id`` and ``p`` holds."""

    def query_builder(path: Path, where: str) -> pa.Table:
        return pa.table(QueryBuilder().register("t", DeltaTable(path)).execute(f"SELECT * FROM t WHERE {where}"))

    def delta_scan(path: Path, where: str) -> pa.Table:
        return pa.table(duck.execute(f"SELECT * FROM delta_scan('{path}') WHERE {where}").to_arrow_table())

    def polars(path: Path, where: str) -> pa.Table:
        return pl.scan_delta(str(path)).filter(pl.sql_expr(where)).collect().to_arrow()

    def dataset(path: Path, where: str) -> pa.Table:
        return DeltaTable(path).to_pyarrow_dataset().to_table(filter=_CONDITIONS[where])

    def ours(path: Path, where: str) -> pa.Table:
        snapshot = open_snapshot("t", path)
        parts = snapshot.partition_columns
        made = []
        for file in snapshot.files:
            known = dict(zip(parts, snapshot.partition_values[file], strict=True))
            with opened(file) as parquet:
                made += batches(parquet, list(snapshot.schema), mapping(snapshot.properties), known)
        return pa.Table.from_batches(made).filter(_CONDITIONS[where])

    return {"ours": ours, "delta-rs": query_builder, "duckdb": delta_scan, "polars": polars, "pyarrow": dataset}


def _shown(rows: pa.Table, schema: pa.Schema) -> str:
    """The rows in the order of their ids, by value alone."""
    shown = ({name: _plain(row[name]) for name in schema.names} for row in rows.to_pylist())
    return repr(sorted(shown, key=lambda row: row["id"]))


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dict):
        return [(key, _plain(below)) for key, below in value.items()]
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


_WHERE = {
    "id >= 0": lambda rows: rows,
    "id < 1": lambda rows: rows.slice(0, 1),
    "p IS NULL": lambda rows: rows.slice(1, 1),
}


def _agree(peers: dict[str, Callable[[Path, str], pa.Table]], path: Path, rows: pa.Table, but: set[str]) -> None:
    for name in peers.keys() - but:
        for where, wanted in _WHERE.items():
            assert _shown(peers[name](path, where), rows.schema) == _shown(wanted(rows), rows.schema), (name, where)


_UNREAD = {"binary": {"polars"}, "negative": {"pyarrow"}}
"""The partition columns that a peer can't read, whoever wrote them."""


@pytest.mark.parametrize("kind", [*VALUES, *NESTED])
def test_peers_read_each_type(tmp_path: Path, peers: Any, kind: str) -> None:
    values = (VALUES | NESTED)[kind]
    rows = pa.table({"id": pa.array(range(len(values))), "p": values})
    table(tmp_path, rows)
    # Polars fails where a struct has a list, of which there are no bounds; in tables of delta-rs's making too.
    _agree(peers, tmp_path, rows, {"polars"} if kind == "struct" else set())


@pytest.mark.parametrize("kind", VALUES)
def test_peers_read_each_type_of_partition(tmp_path: Path, peers: Any, kind: str) -> None:
    values = VALUES[kind]
    rows = pa.table({"id": pa.array(range(len(values))), "p": values})
    assert len(table(tmp_path, rows, ["p"])) == len(values)
    _agree(peers, tmp_path, rows, _UNREAD.get(kind, set()))


def test_a_column_that_is_never_null(tmp_path: Path, peers: Any) -> None:
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("p", pa.list_(pa.field("element", pa.int32(), nullable=False))),
        ]
    )
    rows = pa.table({"id": [0, 1], "p": [[1], None]}, schema=schema)
    table(tmp_path, rows)
    _agree(peers, tmp_path, rows, set())


def _mapped(name: str, type: pa.DataType, number: int, **more: str) -> pa.Field:
    keys = {"id": str(number), "physicalName": f"col-{number}", **more}
    return pa.field(name, type, metadata={f"delta.columnMapping.{key}": value for key, value in keys.items()})


@pytest.mark.parametrize("mode", ["name", "id"])
def test_column_mapping(tmp_path: Path, peers: Any, mode: str) -> None:
    inner = _mapped("x y", pa.int64(), 3)
    schema = pa.schema(
        [
            _mapped("id", pa.int64(), 1),
            _mapped("st", pa.struct([inner, _mapped("l", pa.list_(pa.struct([_mapped("z", pa.string(), 5)])), 4)]), 2),
            _mapped("m", pa.map_(pa.string(), pa.struct([_mapped("v", pa.int64(), 7)])), 6),
            _mapped("p", pa.string(), 8),
        ]
    )
    columns = {
        "id": [0, 1, 2],
        "st": [{"x y": 1, "l": [{"z": "s"}, None]}, None, {"x y": None, "l": []}],
        "m": [[("k", {"v": 1})], None, []],
        "p": ["ä", None, "ä"],
    }
    rows = pa.table(columns, schema=schema)
    properties = _MAPPED | {"delta.columnMapping.mode": mode}
    one, other = table(tmp_path, rows, ["p"], properties)
    assert (one.partition_values, other.partition_values) == ({"col-8": "ä"}, {"col-8": None})
    assert "ä" not in one.path
    assert json.loads(one.stats)["maxValues"] == {"col-1": 2, "col-2": {"col-3": 1}}
    assert json.loads(one.stats)["nullCount"] == {"col-1": 0, "col-2": {"col-3": 1, "col-4": 0}, "col-6": 0}
    # Polars refuses column mapping, and DuckDB makes NULL of its partition values, in delta-rs's tables too.
    _agree(peers, tmp_path, rows, {"polars", "pyarrow", "duckdb"})
    kept = schema.remove(3)
    assert _shown(peers["duckdb"](tmp_path, "id < 1"), kept) == _shown(rows.slice(0, 1), kept)
    with opened(tmp_path / one.path) as parquet:
        layout = parquet.schema_arrow
        (read,) = batches(parquet, list(schema)[:3], mode, {})
    assert layout.names == ["col-1", "col-2", "col-6"]
    assert [each.metadata for each in layout] == [{b"PARQUET:field_id": each} for each in (b"1", b"2", b"6")]
    assert layout.field(1).type.field(0).metadata == {b"PARQUET:field_id": b"3"}
    assert layout.field(1).type.field(1).type.value_type.field(0).metadata == {b"PARQUET:field_id": b"5"}
    assert read.to_pylist() == rows.take([0, 2]).drop_columns(["p"]).to_pylist()


def test_ids_of_elements(tmp_path: Path) -> None:
    ids = json.dumps({"col-1.key": 7, "col-1.value": 8, "col-1.value.element": 9})
    schema = pa.schema([_mapped("m", pa.map_(pa.string(), pa.list_(pa.int64())), 1, **{"nested.ids": ids})])
    (file,) = written(tmp_path, pa.table({"m": [[("k", [1])]]}, schema=schema), properties=_MAPPED)
    held = str(pq.ParquetFile(tmp_path / file.path).schema)
    assert [number for number in (7, 8, 9) if f"field_id={number} " in held] == [7, 8, 9]


def test_a_file_holds_the_schema_and_nothing_else(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            pa.field(
                kind, values.type, metadata={"PARQUET:field_id": "7", "comment": "c", "delta.columnMapping.id": "3"}
            )
            for kind, values in (VALUES | NESTED).items()
        ],
        metadata={"pandas": "{}"},
    )
    columns = [values.slice(0, 2) for values in (VALUES | NESTED).values()]
    (file,) = written(tmp_path, pa.table(columns, schema=schema))
    held = pq.ParquetFile(tmp_path / file.path)
    assert held.metadata.metadata is None
    assert "field_id=7" not in str(held.schema)
    assert held.schema_arrow.remove_metadata().equals(schema.remove_metadata())
    assert not any(each.metadata for each in held.schema_arrow)
    assert {column.physical_type for column in held.schema}.isdisjoint({"INT96"})


# -- rows and files


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_partitions_hold_their_rows_in_order(data: st.DataObject) -> None:
    floats = st.none() | st.sampled_from([0.0, -0.0, math.nan, 1.5]) | st.floats()
    texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
    values = data.draw(st.lists(st.tuples(floats, texts, st.none() | st.booleans()), min_size=1, max_size=20))
    columns = [
        pa.array(column, type)
        for column, type in zip(zip(*values, strict=True), (pa.float64(), pa.string(), pa.bool_()), strict=True)
    ]
    batch = pa.RecordBatch.from_arrays([pa.array(range(len(values))), *columns], ["id", "f", "s", "b"])
    batch = batch.slice(data.draw(st.integers(0, len(values) - 1)))
    found: dict[int, Any] = {}
    keys = []
    for key, rows in split(batch, ["f", "s", "b"]):
        keys.append(key)
        ids = rows["id"].to_pylist()
        assert rows.schema.names == ["id"]
        assert ids == sorted(ids)
        types = (pa.float64(), pa.string(), pa.bool_())
        found |= dict.fromkeys(
            ids, tuple(partition_value(text, type).as_py() for text, type in zip(key, types, strict=True))
        )
    assert len(set(keys)) == len(keys)
    wanted = {row["id"]: (row["f"], row["s"] or None, row["b"]) for row in batch.to_pylist()}
    assert {at: repr(value) for at, value in found.items()} == {at: repr(value) for at, value in wanted.items()}


@given(st.decimals(-(10**27), 10**27, places=10), st.datetimes(), st.floats(width=32))
@settings(deadline=None)
def test_partition_values_are_read_back(number: Decimal, at: dt.datetime, real: float) -> None:
    for value, type in (
        (number, pa.decimal128(38, 10)),
        (at, _UTC),
        (at, pa.timestamp("us")),
        (at.date(), pa.date32()),
        (real, pa.float32()),
    ):
        (text,) = spelled(pa.array([value], type), "p")
        assert repr(partition_value(text, type)) == repr(pa.scalar(value, type))


SPELLED = [
    (pa.array([math.inf, -math.inf, math.nan, None]), ["Infinity", "-Infinity", "NaN", None]),
    (pa.array(["", "a"]), [None, "a"]),
    (pa.array([b"", b"a"]), [None, "a"]),
    (pa.array([True, False]), ["true", "false"]),
    (pa.array([Decimal("-0.05"), Decimal(0)], pa.decimal128(38, 10)), ["-0.0500000000", "0.0000000000"]),
    (pa.array([1], _UTC), ["1970-01-01T00:00:00.000001Z"]),
    (pa.array([1], pa.timestamp("us")), ["1970-01-01 00:00:00.000001"]),
    (pa.array([dt.date(1, 2, 3)]), ["0001-02-03"]),
]


@pytest.mark.parametrize(("values", "texts"), SPELLED, ids=str)
def test_partition_values_are_spelled_as_in_spark(values: pa.Array, texts: list[str | None]) -> None:
    assert spelled(values, "p") == texts


def _rows(files: list[module.DataFile], location: Path, schema: pa.Schema) -> list[int]:
    return [
        row
        for file in files
        for row in pq.read_table(location / file.path.replace("%25", "%"), partitioning=None, columns=["id"])[
            "id"
        ].to_pylist()
    ]


def test_files_roll_over(tmp_path: Path) -> None:
    rows = pa.table({"id": range(10_000), "s": [f"{number * 7919 % 10_007:016}" for number in range(10_000)]})
    files = written(tmp_path, rows, settings=FileSettings(target_file_size=20_000, row_group_rows=500))
    assert len(files) == 3
    assert all(10_000 < file.size < 60_000 for file in files[:-1])
    assert _rows(files, tmp_path, rows.schema) == list(range(10_000))
    assert sum(file.rows for file in files) == 10_000
    bounds = [json.loads(file.stats) for file in files]
    assert all(one["maxValues"]["id"] + 1 == other["minValues"]["id"] for one, other in itertools.pairwise(bounds))


def test_a_file_as_the_log_has_it(tmp_path: Path) -> None:
    (file,) = written(tmp_path, pa.table({"id": [1, 2]}))
    path = tmp_path / file.path
    state = path.stat()
    assert (file.size, file.rows) == (state.st_size, 2)
    assert file.modification_time == state.st_mtime_ns // 1_000_000
    assert path.match("part-00000-*-c000.zstd.parquet")
    add = file.add(data_change=False)["add"]
    assert json.loads(json.dumps(add)) == add
    assert (add["dataChange"], add["partitionValues"], json.loads(add["stats"])["numRecords"]) == (False, {}, 2)
    assert file.add()["add"]["dataChange"] is True


@pytest.mark.parametrize("codec", ["zstd", "snappy", "lz4", "gzip", "none"])
def test_compression(tmp_path: Path, peers: Any, codec: str) -> None:
    rows = pa.table({"id": [0, 1], "p": ["a", None]})
    (file,) = table(tmp_path, rows, settings=FileSettings(compression=codec))
    held = pq.ParquetFile(tmp_path / file.path).metadata.row_group(0).column(0).compression
    assert held == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())
    assert file.path.endswith("-c000.parquet" if codec == "none" else f"-c000.{codec}.parquet")
    _agree(peers, tmp_path, rows, set())


def test_changes_have_a_folder_and_a_column_of_their_own(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.int64()), ("p", pa.string())])
    extra = pa.schema([("_change_type", pa.string())])
    files = DataFiles(tmp_path, schema, ["p"], {}, FileSettings(), folder="_change_data", extra=extra)
    files.write(pa.record_batch({"id": [1], "p": ["ä"], "_change_type": ["delete"]}))
    (file,) = files.finish()
    assert file.path.startswith("_change_data/p=%25C3%25A4/")
    assert file.cdc() == {
        "cdc": {"path": file.path, "partitionValues": {"p": "ä"}, "size": file.size, "dataChange": False}
    }
    (path,) = tmp_path.rglob("*.parquet")
    assert pq.read_table(path, partitioning=None).to_pylist() == [{"id": 1, "_change_type": "delete"}]


def test_more_partitions_than_files_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN", 3)
    monkeypatch.setattr(module, "_HELD", 8000)
    rows = pa.table({"id": range(4000), "p": [f"p{number % 10}" for number in range(4000)]})
    files = written(tmp_path, rows, ["p"], settings=FileSettings(row_group_rows=1000), batch=100)
    commit(tmp_path, rows.schema, files, ["p"])
    assert len(files) > 10
    for number in range(10):
        mine = [file for file in files if file.partition_values == {"p": f"p{number}"}]
        assert _rows(mine, tmp_path, rows.schema) == list(range(number, 4000, 10))
    assert DeltaTable(tmp_path).to_pyarrow_table().num_rows == 4000


def test_slices_under_stored_names(tmp_path: Path) -> None:
    inner = pa.struct(
        [_mapped("x", pa.int64(), 3), _mapped("y", pa.list_(pa.struct([_mapped("z", pa.string(), 5)])), 4)]
    )
    deep = pa.map_(pa.string(), inner)
    values = [[("a", {"x": 1, "y": [{"z": "s"}, None]}), ("b", None)], None, [], [("c", {"x": None, "y": []})]] * 2
    rows = pa.table(
        {"m": values, "s": [None, {"x": 2, "y": [{"z": "t"}]}] * 4},
        schema=pa.schema([_mapped("m", deep, 1), _mapped("s", inner, 2)]),
    )
    (file,) = written(tmp_path, rows, properties=_MAPPED, batch=1)
    with opened(tmp_path / file.path) as parquet:
        assert parquet.schema_arrow.names == ["col-1", "col-2"]
        (read,) = batches(parquet, list(rows.schema), "name", {})
    assert read.to_pylist() == rows.to_pylist()


def test_no_rows_no_files(tmp_path: Path) -> None:
    assert written(tmp_path, pa.table({"id": pa.array([], pa.int64())})) == []
    assert written(tmp_path, pa.table({"id": pa.array([], pa.int64()), "p": pa.array([], pa.string())}), ["p"]) == []
    assert list(tmp_path.iterdir()) == []


# -- what goes wrong


@pytest.mark.parametrize("partitioned", [[], ["p"]])
@pytest.mark.parametrize("finished", [False, True])
def test_abort_leaves_no_file(tmp_path: Path, partitioned: list[str], finished: bool) -> None:
    schema = pa.schema([("id", pa.int64()), ("p", pa.string())])
    files = DataFiles(tmp_path, schema, partitioned, {}, FileSettings(row_group_rows=2, target_file_size=1000))
    for _ in range(5):
        files.write(pa.record_batch({"id": [1, 2, 3], "p": ["a", "b", "a"]}))
    if finished:
        assert files.finish()
    files.abort()
    files.abort()
    assert list(tmp_path.rglob("*.parquet")) == []


MISFITS = [
    ("names", pa.record_batch({"p": ["a"], "id": [1], "l": [[1]]})),
    ("missing", pa.record_batch({"id": [1]})),
    ("type", pa.record_batch({"id": pa.array([1], pa.int32()), "p": ["a"], "l": [[1]]})),
    ("view", pa.record_batch({"id": [1], "p": pa.array(["a"], pa.string_view()), "l": [[1]]})),
    ("offsets", pa.record_batch({"id": [1], "p": ["a"], "l": pa.array([[1]], pa.large_list(pa.int64()))})),
    ("fields", pa.record_batch({"id": [1], "p": ["a"], "l": pa.array([[{"a": 1}]])})),
]


@pytest.mark.parametrize("batch", [batch for _, batch in MISFITS], ids=[name for name, _ in MISFITS])
def test_rows_of_another_schema(tmp_path: Path, batch: pa.RecordBatch) -> None:
    schema = pa.schema([("id", pa.int64()), ("p", pa.string()), ("l", pa.list_(pa.int64()))])
    with pytest.raises(SchemaMismatch):
        DataFiles(tmp_path, schema, [], {}, FileSettings()).write(batch)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (pa.array([b"\xff"]), "bytes"),
        (pa.array([2**62], _UTC), "years"),
        (pa.array([-(2**31)], pa.int32()).view(pa.date32()), "years"),
        (pa.array([[1]]), "can't partition"),
    ],
    ids=str,
)
def test_values_that_no_log_can_hold(value: pa.Array, why: str) -> None:
    with pytest.raises(NotSupportedError, match=f"`p`.*{why}"):
        list(split(pa.record_batch({"id": [1], "p": value}), ["p"]))


def test_a_folder_that_cant_be_made(tmp_path: Path) -> None:
    rows = pa.table({"id": [1], "p": ["x" * 300]})
    with pytest.raises(StorageError, match=r"can't be written: .*File name too long"):
        written(tmp_path, rows, ["p"])
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        written(tmp_path / "file", rows)


@pytest.mark.parametrize("by", [[], ["p"]])
def test_a_table_that_was_dropped_stays_gone(tmp_path: Path, by: list[str]) -> None:
    schema = pa.schema([("id", pa.int64()), ("p", pa.string())])
    files = DataFiles(tmp_path / "gone", schema, by, {}, FileSettings())
    files.write(pa.record_batch({"id": [1], "p": ["x"]}))
    with pytest.raises(StorageError, match="can't be written"):
        files.finish()
    files.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = module.pa.OSFile
    monkeypatch.setattr(module.pa, "OSFile", lambda path, mode: (Path(path).touch(), full("/dev/full", mode))[1])
    files = DataFiles(tmp_path, pa.schema([("id", pa.int64())]), [], {}, FileSettings(row_group_rows=1000))
    files.write(pa.record_batch({"id": list(range(1000))}))
    with pytest.raises(StorageError, match="No space left"):
        files.finish()
    files.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [("id", "nothing"), ("nothing", "id", "none"), ("nothing",)], ids=str)
def test_columns_without_a_type_are_not_stored(tmp_path: Path, names: tuple[str, ...]) -> None:
    types = {"id": pa.int64()}
    rows = pa.table({name: pa.array([None, None] if name != "id" else [1, 2], types.get(name)) for name in names})
    table(tmp_path / "t", rows)
    with deltasql.connect(tmp_path) as con:
        con.sql(f"INSERT INTO t ({names[-1]}) VALUES (NULL)")
        con.sql("OPTIMIZE t")
        found = con.sql("SELECT * FROM t").fetchall()
        (kept,) = con.sql("SELECT path FROM table_files('t')").fetchone() or ("",)
    wanted = [tuple({"id": value}.get(name) for name in names) for value in (1, 2, None)]
    assert sorted(map(str, found)) == sorted(map(str, wanted))
    assert pq.read_schema(tmp_path / "t" / kept).names == (["id"] if "id" in names else list(names))
