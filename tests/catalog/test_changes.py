"""The change data feed: against literal changes, against replaying them, and over tables by others."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from deltasql.catalog.changes import ADDED, Changes, changes
from deltasql.catalog.log import commits
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.errors import (
    Error,
    NotSupportedError,
    PlanError,
    StorageError,
    UnsupportedTableFeature,
    VersionNotFound,
)

ON = {"delta.enableChangeDataFeed": "true"}
Row = tuple[Any, ...]


def _open(location: Path, version: int | None = None) -> Snapshot:
    return open_snapshot("t", location, version)


def _read(feed: Changes, columns: list[str] | None = None, **range_: int) -> pa.Table:
    columns = feed.schema.names if columns is None else columns
    schema = pa.schema([feed.schema.field(name) for name in columns])
    table = pa.Table.from_batches(list(feed.read(columns, **range_)), schema)
    table.validate(full=True)
    return table


def _rows(location: Path, start: Any = 0, end: Any = None) -> list[Row]:
    """The changes but for their time: the table's columns, the kind, the version; sorted by version."""
    table = _read(changes(_open(location), start, end)).drop_columns(["_commit_timestamp"])
    rows = [tuple(row.values()) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row[-1], repr(row)))


def _log(location: Path, version: int) -> Path:
    return location / "_delta_log" / f"{version:020d}.json"


def _actions(location: Path, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _log(location, version).read_text().splitlines()]


def _commit(location: Path, version: int, *actions: object) -> None:
    _log(location, version).parent.mkdir(parents=True, exist_ok=True)
    _log(location, version).write_text("".join(json.dumps(action) + "\n" for action in actions))


def _protocol(reader: int = 1, writer: int = 4, *features: str) -> dict[str, Any]:
    named = {"readerFeatures": list(features), "writerFeatures": list(features)} if reader == 3 else {}
    return {"protocol": {"minReaderVersion": reader, "minWriterVersion": writer} | named}


def _metadata(
    *fields: dict[str, Any], partition: tuple[str, ...] = (), configuration: dict[str, str] = ON
) -> dict[str, Any]:
    schema = {"type": "struct", "fields": [{"nullable": True, "metadata": {}} | field for field in fields]}
    return {
        "metaData": {
            "id": "x",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(schema),
            "partitionColumns": list(partition),
            "configuration": configuration,
        }
    }


def _add(path: str, *, kind: str = "add", **more: Any) -> dict[str, Any]:
    times = {"deletionTimestamp": 1} if kind == "remove" else {"modificationTime": 1}
    return {kind: {"path": path, "partitionValues": {}, "size": 7, "dataChange": True} | times | more}


ID = {"name": "id", "type": "long"}


_COUNTS = {"insert": 1, "delete": -1, "update_preimage": -1, "update_postimage": 1}


def _replay(location: Path) -> None:
    """At every version with a feed, the rows before it and its changes give the rows after it."""
    for version in range(DeltaTable(location).version() + 1):
        now = _open(location, version)
        names = now.schema.names
        try:
            feed = changes(now, version)
        except NotSupportedError:
            assert now.properties.get("delta.enableChangeDataFeed") != "true"
            continue
        rows = Counter(_scan(location, version - 1, names)) if version else Counter()
        for row in _read(feed).to_pylist():
            values = tuple(map(repr, (row[name] for name in names)))
            assert row["_commit_version"] == version
            rows[values] += _COUNTS[row["_change_type"]]
        assert {row: count for row, count in rows.items() if count} == Counter(_scan(location, version, names))


def _scan(location: Path, version: int, names: Iterable[str]) -> list[Row]:
    """The rows of a version; an empty partition value is NULL."""
    table = DeltaTable(location, version=version)
    rows = pa.table(table.scan()).to_pylist()
    for row in rows:
        row.update((name, None) for name in table.metadata().partition_columns if row[name] == "")
    return [tuple(repr(row.get(name)) for name in names) for row in rows]


@pytest.fixture
def simple(tmp_path: Path) -> Path:
    """Insert, update, delete, merge, delete all, restore, overwrite."""
    location = tmp_path / "simple"
    write_deltalake(location, pa.table({"id": [1, 2, 3], "v": ["a", "b", None]}), configuration=ON)
    DeltaTable(location).update({"v": "'z'"}, predicate="id = 1")
    DeltaTable(location).delete("id = 2")
    merge = DeltaTable(location).merge(
        pa.table({"id": [3, 4], "v": ["m", "n"]}), "s.id = t.id", source_alias="s", target_alias="t"
    )
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    DeltaTable(location).delete()
    DeltaTable(location).restore(0)
    write_deltalake(location, pa.table({"id": [9], "v": ["o"]}), mode="overwrite")
    return location


def _appends(location: Path, count: int, **more: Any) -> Path:
    """A table of ``count`` commits, of which each appends its version, an hour apart from 2024-01-01 on."""
    for version in range(count):
        write_deltalake(location, pa.table({"id": [version]}), mode="append", configuration=ON | more)
        time = dt.datetime(2024, 1, 1, version, tzinfo=dt.UTC).timestamp()
        os.utime(_log(location, version), (time, time))
    return location


def _hour(hour: float) -> dt.datetime:
    return dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)


# -- what commits change


def test_every_kind_of_change(simple: Path) -> None:
    assert _rows(simple) == [
        (1, "a", "insert", 0),
        (2, "b", "insert", 0),
        (3, None, "insert", 0),
        (1, "a", "update_preimage", 1),
        (1, "z", "update_postimage", 1),
        (2, "b", "delete", 2),
        (3, "m", "update_postimage", 3),
        (3, None, "update_preimage", 3),
        (4, "n", "insert", 3),
        (1, "z", "delete", 4),
        (3, "m", "delete", 4),
        (4, "n", "delete", 4),
        (1, "a", "insert", 5),
        (2, "b", "insert", 5),
        (3, None, "insert", 5),
        (1, "a", "delete", 6),
        (2, "b", "delete", 6),
        (3, None, "delete", 6),
        (9, "o", "insert", 6),
    ]
    assert any("cdc" in action for action in _actions(simple, 3))
    assert not any("cdc" in action for action in _actions(simple, 4))


def test_the_columns(simple: Path) -> None:
    feed = changes(_open(simple), 0)
    assert feed.schema == pa.schema(
        {
            "id": pa.int64(),
            "v": pa.string(),
            "_change_type": pa.string(),
            "_commit_version": pa.int64(),
            "_commit_timestamp": pa.timestamp("us", "UTC"),
        }
    )
    assert (feed.name, feed.first, feed.last) == ("t", 0, 6)
    times = {row["_commit_version"]: row["_commit_timestamp"] for row in _read(feed).to_pylist()}
    assert times == {commit.version: commit.time for commit in commits(simple, {})}


def test_replayed(simple: Path) -> None:
    _replay(simple)


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_replayed(tmp_path: Path, seed: int) -> None:
    chance, location = random.Random(seed), tmp_path / "t"

    def some() -> pa.Table:
        rows = [
            (chance.randrange(20), chance.choice(["a b", "x/y", "50%", "é", None]), chance.random()) for _ in range(8)
        ]
        return pa.table({"id": [row[0] for row in rows], "p": [row[1] for row in rows], "v": [row[2] for row in rows]})

    write_deltalake(location, some(), partition_by=["p"] if seed % 2 else None, configuration=ON)
    for _ in range(12):
        bound, table = chance.randrange(20), DeltaTable(location)
        match chance.randrange(7):
            case 0:
                write_deltalake(location, some(), mode="append")
            case 1:
                table.delete(f"id < {bound}")
            case 2:
                table.update({"v": "v + 1"}, predicate=f"id > {bound}")
            case 3:
                table.optimize.compact()
            case 4:
                table.restore(chance.randrange(table.version())) if table.version() else None
            case 5:
                write_deltalake(location, some(), mode="overwrite")
            case 6:
                merge = table.merge(
                    pa.table({"id": [bound], "v": [-1.0]}), "s.id = t.id", source_alias="s", target_alias="t"
                )
                merge.when_matched_update({"v": "s.v"}).when_not_matched_insert({"id": "s.id", "v": "s.v"}).execute()
    _replay(location)


def test_a_partition_is_deleted(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", pa.table({"id": [1, 2], "p": ["a", "b"]}), partition_by=["p"], configuration=ON)
    DeltaTable(tmp_path / "t").delete("p = 'a'")
    assert not any("cdc" in action for action in _actions(tmp_path / "t", 1))
    assert _rows(tmp_path / "t", 1) == [(1, "a", "delete", 1)]


def test_compaction_changes_nothing(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 2)
    DeltaTable(location).optimize.compact()
    assert any("remove" in action for action in _actions(location, 2))
    assert _rows(location, 2) == []


def test_a_commit_of_metadata_alone(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 1)
    DeltaTable(location).alter.set_table_properties({"delta.logRetentionDuration": "interval 90 days"})
    assert _rows(location, 1) == []
    assert _rows(location) == [(0, "insert", 0)]


def test_a_file_that_is_added_again_as_it_was(tmp_path: Path) -> None:
    """A commit that only rewrites a file's statistics."""
    location = _appends(tmp_path / "t", 1)
    add = next(action["add"] for action in _actions(location, 0) if "add" in action)
    _commit(location, 1, {"remove": {"path": add["path"], "dataChange": True, "partitionValues": {}}}, {"add": add})
    assert _rows(location, 1) == []


# -- partition values

_ODD = ["a b", "x/y", "50%", "é", "a=b", '"q"', "it's", "", "x\\y", "a:b", "#?", None]


def test_odd_partition_values(tmp_path: Path) -> None:
    location = tmp_path / "t"
    odd = pa.table({"id": list(range(len(_ODD))), "p": _ODD})
    write_deltalake(location, odd, partition_by=["p"], configuration=ON)
    DeltaTable(location).update({"id": "id + 100"})
    DeltaTable(location).delete()
    values = [value or None for value in _ODD]
    expected = [
        *((index, value, "insert", 0) for index, value in enumerate(values)),
        *((index, value, "update_preimage", 1) for index, value in enumerate(values)),
        *((index + 100, value, "update_postimage", 1) for index, value in enumerate(values)),
        *((index + 100, value, "delete", 2) for index, value in enumerate(values)),
    ]
    assert Counter(_rows(location)) == Counter(expected)


@pytest.mark.upstream("load_cdf takes the encoded paths of the log for names of files")
@pytest.mark.xfail(strict=True)
def test_load_cdf_reads_odd_partitions(tmp_path: Path) -> None:
    odd = pa.table({"id": [1], "p": ["a b"]})
    write_deltalake(tmp_path / "t", odd, partition_by=["p"], configuration=ON)
    assert pa.table(DeltaTable(tmp_path / "t").load_cdf()).num_rows == 1


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("integer", "-5", -5),
        ("byte", "5", 5),
        ("long", None, None),
        ("long", "", None),
        ("string", "", None),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("double", "Infinity", float("inf")),
        ("double", "-Infinity", float("-inf")),
        ("double", "-inf", float("-inf")),
        ("float", "1.5", 1.5),
        ("decimal(10,2)", "-0.50", Decimal("-0.50")),
        ("date", "0001-01-01", dt.date(1, 1, 1)),
        ("binary", "ab", b"ab"),
        ("timestamp", "2024-01-01 01:02:03", dt.datetime(2024, 1, 1, 1, 2, 3, tzinfo=dt.UTC)),
        ("timestamp", "2024-01-01 01:02:03.456789", dt.datetime(2024, 1, 1, 1, 2, 3, 456789, tzinfo=dt.UTC)),
        ("timestamp", "2024-01-01T01:02:03.456789Z", dt.datetime(2024, 1, 1, 1, 2, 3, 456789, tzinfo=dt.UTC)),
        ("timestamp", "9999-12-31 23:59:59.999999", dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)),
    ],
)
def test_partition_values_by_type(tmp_path: Path, type: str, text: str | None, value: Any) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    metadata = _metadata(ID, {"name": "p", "type": type}, partition=("p",))
    _commit(tmp_path, 0, _protocol(), metadata, _add("a.parquet", partitionValues={"p": text}))
    assert _rows(tmp_path) == [(1, value, "insert", 0)]


def test_a_partition_value_that_is_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    metadata = _metadata(ID, {"name": "p", "type": "timestamp_ntz"}, partition=("p",))
    protocol = _protocol(3, 7, "timestampNtz")
    _commit(tmp_path, 0, protocol, metadata, _add("a.parquet", partitionValues={"p": "2024-01-01 00:00:00"}))
    _commit(tmp_path, 1, _add("a.parquet", kind="cdc", partitionValues={"p": "nonsense"}))
    pq.write_table(pa.table({"id": [1], "_change_type": ["insert"]}), tmp_path / "a.parquet")
    assert _rows(tmp_path, 0, 0) == [(1, dt.datetime(2024, 1, 1), "insert", 0)]
    with pytest.raises(StorageError, match=r"a\.parquet`, which holds changes of `t`, can't be read: .*nonsense"):
        _rows(tmp_path)


def test_a_remove_that_does_not_repeat_the_partition(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    metadata = _metadata(ID, {"name": "p", "type": "date"}, partition=("p",))
    _commit(tmp_path, 0, _protocol(), metadata, _add("a.parquet", partitionValues={"p": "2024-02-03"}))
    _commit(tmp_path, 1, {"remove": {"path": "a.parquet", "dataChange": True, "deletionTimestamp": 1}})
    assert _rows(tmp_path, 1) == [(1, dt.date(2024, 2, 3), "delete", 1)]


# -- deletion vectors


def test_deletion_vectors_without_change_files(corpora: Path) -> None:
    kinds: dict[int, dict[str, set[int]]] = {}
    for value, kind, version in _rows(corpora / "kernel_rs/cdf-table-with-dv"):
        kinds.setdefault(version, {}).setdefault(kind, set()).add(value)
    assert kinds == {
        0: {"insert": set(range(10))},
        1: {"delete": {0, 9}},
        2: {"insert": {0, 9}},
        3: {"delete": {0, 1, 4, 5}},
        4: {"insert": {1, 4}},
        5: {"insert": {0, 5}, "delete": {3}},
        6: {"insert": {3}},
    }


def test_a_vector_on_a_file_that_comes_or_goes(tmp_path: Path, corpora: Path) -> None:
    location = tmp_path / "dv"
    shutil.copytree(corpora / "kernel_rs/cdf-table-with-dv", location)
    masked = next(action for action in _actions(location, 1) if "add" in action)["add"]
    removed = {"path": masked["path"], "deletionVector": masked["deletionVector"], "dataChange": True}
    for version in range(2, 7):
        _log(location, version).unlink()
    _commit(location, 2, {"remove": removed | {"partitionValues": {}}})
    _commit(location, 3, {"add": masked})
    assert [row[:2] for row in _rows(location, 2, 2)] == [(value, "delete") for value in range(1, 9)]
    assert [row[:2] for row in _rows(location, 3, 3)] == [(value, "insert") for value in range(1, 9)]
    counted = sum(batch.num_rows for batch in changes(_open(location), 1).read([]))
    assert counted == 2 + 8 + 8


@pytest.mark.parametrize("folder", ["a b", "é#?"])
def test_vectors_of_files_with_odd_names(tmp_path: Path, corpora: Path, folder: str) -> None:
    location = tmp_path / folder
    shutil.copytree(corpora / "kernel_rs/cdf-table-with-dv", location)
    file = next(location.glob("*.parquet"))
    file.rename(file.with_name(file.name.replace("part-00000", "a%20b é")))
    for log in (location / "_delta_log").iterdir():
        log.write_text(log.read_text().replace("part-00000", "a%2520b%20%C3%A9"))
    assert [row[:2] for row in _rows(location, 1, 1)] == [(0, "delete"), (9, "delete")]
    (tmp_path / "link").symlink_to(location)
    assert [row[:2] for row in _rows(tmp_path / "link", 1, 1)] == [(0, "delete"), (9, "delete")]


def test_a_vector_that_is_gone(tmp_path: Path, corpora: Path) -> None:
    location = tmp_path / "dv"
    shutil.copytree(corpora / "kernel_rs/cdf-table-with-dv", location)
    next(location.glob("*.bin")).unlink()
    with pytest.raises(StorageError, match=r"deletion vectors of `t` at version 1 can't be read: .*not found"):
        _rows(location, 1, 1)


# -- column mapping


@pytest.mark.parametrize("mode", ["id", "name"])
def test_column_mapping(corpora: Path, mode: str) -> None:
    rows = _rows(corpora / f"kernel_rs/cdf-column-mapping-{mode}-mode", 1)
    names = {"id": ("Frank", "Henry", 3, "Grace"), "name": ("Bob", "David", 1, "Alice")}[mode]
    assert [(row[0], row[1], *row[3:]) for row in rows] == [
        (2, names[0], "update_preimage", 2),
        (2, names[0], "update_postimage", 2),
        (4, names[1], "insert", 3),
        (names[2], names[3], "delete", 4),
    ]


def _mapped(name: str, physical: str, number: int, type: Any = "long") -> dict[str, Any]:
    metadata = {"delta.columnMapping.physicalName": physical, "delta.columnMapping.id": number}
    return {"name": name, "type": type, "nullable": True, "metadata": metadata}


@pytest.mark.parametrize("mode", ["name", "id"])
def test_renamed_dropped_and_nested(tmp_path: Path, mode: str) -> None:
    """Two fields of a struct swap their names, a column is dropped and made anew, another renamed."""

    def inner(base: int) -> dict[str, Any]:
        return {"type": "struct", "fields": [_mapped("a", "a", base), _mapped("b", "b", base + 1)]}

    def swapped(base: int) -> dict[str, Any]:
        return {"type": "struct", "fields": [_mapped("a", "b", base + 1), _mapped("b", "a", base)]}

    def columns(id: str, gone: tuple[str, int], struct: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        nested = {"type": "array", "elementType": struct(20), "containsNull": True}
        pairs = {"type": "map", "keyType": "string", "valueType": struct(30), "valueContainsNull": True}
        return _metadata(
            _mapped(id, "c1", 1),
            _mapped("x", *gone),
            _mapped("s", "c3", 3, struct(10)),
            _mapped("l", "c6", 6, nested),
            _mapped("m", "c7", 7, pairs),
            _mapped("p", "c8", 8),
            partition=("p",),
            configuration=ON | {"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "31"},
        )

    def number(id: int) -> dict[str, str]:
        return {"PARQUET:field_id": str(id)}

    of = {"name": ("c1", "c2", "c3", "c6", "c7", "a", "b"), "id": ("q", "c9", "r", "t", "u", "v", "w")}[mode]

    def below(base: int) -> pa.DataType:
        names = zip(of[5:], (base, base + 1), strict=True)
        return pa.struct([pa.field(name, pa.int64(), metadata=number(id)) for name, id in names])

    schema = pa.schema(
        [
            pa.field(of[0], pa.int64(), metadata=number(1)),
            pa.field(of[1], pa.int64(), metadata=number(2)),
            pa.field(of[2], below(10), metadata=number(3)),
            pa.field(of[3], pa.list_(below(20)), metadata=number(6)),
            pa.field(of[4], pa.map_(pa.string(), below(30)), metadata=number(7)),
        ]
    )
    struct = {of[5]: 4, of[6]: 5}
    rows = [(1, 2, struct, [struct, None], {"k": struct}), (None,) * 5]
    columns_ = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns_, schema=schema), tmp_path / "a.parquet")
    add = _add("a.parquet", partitionValues={"c8": "8"})
    _commit(tmp_path, 0, _protocol(2, 5), columns("id", ("c2", 2), inner), add)
    _commit(tmp_path, 1, columns("new", ("c9", 9), swapped))
    before, after = {"a": 4, "b": 5}, {"a": 5, "b": 4}
    assert _read(changes(_open(tmp_path), 0, 0)).to_pylist()[0] | {"_commit_timestamp": None} == {
        "id": 1,
        "x": 2,
        "s": before,
        "l": [before, None],
        "m": [("k", before)],
        "p": 8,
        "_change_type": "insert",
        "_commit_version": 0,
        "_commit_timestamp": None,
    }
    feed = changes(_open(tmp_path), 0)
    assert feed.schema.names[:6] == ["new", "x", "s", "l", "m", "p"]
    first, second = (tuple(row.values())[:6] for row in _read(feed).to_pylist())
    assert first == (1, None, after, [after, None], [("k", after)], 8)
    assert second == (None, None, None, None, None, 8)


@pytest.mark.upstream("load_cdf refuses column mapping")
def test_load_cdf_refuses_column_mapping(corpora: Path) -> None:
    with pytest.raises(Exception, match="Column mapping is not supported"):
        DeltaTable(corpora / "kernel_rs/cdf-column-mapping-name-mode").load_cdf(1)


def test_column_mapping_that_was_dropped(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c1": [1]}), tmp_path / "a.parquet")
    mapped = ON | {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "1"}
    metadata = _metadata(_mapped("id", "c1", 1), configuration=mapped)
    _commit(tmp_path, 0, _protocol(2, 5), metadata, _add("a.parquet"))
    _commit(tmp_path, 1, _metadata(ID))
    with pytest.raises(UnsupportedTableFeature, match=r"its column mapping was dropped.*before version 1"):
        changes(_open(tmp_path), 0)
    assert _rows(tmp_path, 0, 0) == [(1, "insert", 0)]


# -- columns that change


def test_a_column_that_is_added(tmp_path: Path) -> None:
    location = tmp_path / "t"
    write_deltalake(location, pa.table({"id": [1]}), configuration=ON)
    write_deltalake(location, pa.table({"id": [2], "w": ["x"]}), mode="append", schema_mode="merge")
    DeltaTable(location).update({"w": "'u'"}, predicate="id = 1")
    assert _rows(location) == [
        (1, None, "insert", 0),
        (2, "x", "insert", 1),
        (1, "u", "update_postimage", 2),
        (1, None, "update_preimage", 2),
    ]
    assert _rows(location, 0, 0) == [(1, "insert", 0)]
    _replay(location)


def test_a_field_that_is_added(tmp_path: Path) -> None:
    """In a struct, in a list of them, in a map."""
    old = pa.struct([pa.field("a", pa.int32(), nullable=False)])
    new = pa.struct([pa.field("b", pa.string()), pa.field("a", pa.int32())])

    def table(struct: pa.DataType, value: dict[str, Any]) -> pa.Table:
        lists, maps = (
            pa.array([[value], None, []], pa.list_(struct)),
            pa.array([{"k": value}, None, {}], pa.map_(pa.string(), struct)),
        )
        return pa.table({"s": pa.array([value, None, value], struct), "l": lists, "m": maps})

    def field(name: str, kind: Any) -> dict[str, Any]:
        return {"name": name, "type": kind, "nullable": True, "metadata": {}}

    def metadata(*fields: dict[str, Any]) -> dict[str, Any]:
        struct = {"type": "struct", "fields": list(fields)}
        lists = {"type": "array", "elementType": struct, "containsNull": True}
        maps = {"type": "map", "keyType": "string", "valueType": struct, "valueContainsNull": True}
        return _metadata(field("s", struct), field("l", lists), field("m", maps))

    pq.write_table(table(old, {"a": 1}), tmp_path / "a.parquet")
    pq.write_table(table(new, {"a": 2, "b": "x"}), tmp_path / "b.parquet")
    _commit(tmp_path, 0, _protocol(), metadata(field("a", "integer") | {"nullable": False}), _add("a.parquet"))
    _commit(tmp_path, 1, metadata(field("a", "integer"), field("b", "string")), _add("b.parquet"))
    rows = [tuple(row.values())[:3] for row in _read(changes(_open(tmp_path), 0)).to_pylist()]
    for at, value in ((0, {"a": 1, "b": None}), (3, {"a": 2, "b": "x"})):
        assert rows[at : at + 3] == [(value, [value], [("k", value)]), (None, None, None), (value, [], [])]


def test_batches_of_nested_columns(tmp_path: Path) -> None:
    """A file of several batches: none takes the values of another."""
    count = 150_000
    values = pa.table(
        {
            "l": pa.array([[index] if index % 3 else None for index in range(count)], pa.list_(pa.int32())),
            "m": pa.array(
                [{"k": index} if index % 2 else None for index in range(count)], pa.map_(pa.string(), pa.int64())
            ),
            "s": pa.array([{"a": index} if index % 5 else None for index in range(count)]),
        }
    )
    write_deltalake(tmp_path / "t", values, configuration=ON)
    feed = changes(_open(tmp_path / "t"), 0)
    assert len(list(feed.read(["l"]))) > 1
    assert _read(feed, values.column_names).to_pylist() == values.to_pylist()


@pytest.mark.parametrize(
    ("old", "new", "values", "expected"),
    [
        ("integer", "long", [1], [1]),
        ("byte", "integer", [-1], [-1]),
        ("float", "double", [1.5], [1.5]),
        ("integer", "double", [3], [3.0]),
        ("decimal(4,2)", "decimal(10,4)", [Decimal("1.25")], [Decimal("1.2500")]),
        ("short", "decimal(10,2)", [-5], [Decimal("-5.00")]),
        ("date", "timestamp_ntz", [dt.date(2024, 1, 1)], [dt.datetime(2024, 1, 1)]),
    ],
)
def test_a_column_that_was_widened(tmp_path: Path, old: str, new: str, values: list[Any], expected: list[Any]) -> None:
    protocol = _protocol(3, 7, "typeWidening", "timestampNtz")
    _commit(tmp_path, 0, protocol, _metadata({"name": "x", "type": old}), _add("a.parquet"))
    stored = _open(tmp_path).schema
    pq.write_table(pa.table({"x": values}, schema=stored), tmp_path / "a.parquet")
    _commit(tmp_path, 1, _metadata({"name": "x", "type": new}))
    assert [row[0] for row in _rows(tmp_path)] == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("string", "long"),
        ("long", "string"),
        ("long", "integer"),
        ("long", "double"),
        ("double", "float"),
        ("decimal(10,2)", "decimal(10,4)"),
        ("long", "decimal(10,0)"),
        ("timestamp", "date"),
        ("date", "timestamp"),
        ("long", {"type": "array", "elementType": "long", "containsNull": True}),
        (
            {"type": "array", "elementType": "long", "containsNull": True},
            {"type": "array", "elementType": "integer", "containsNull": True},
        ),
    ],
)
def test_a_column_that_became_another(tmp_path: Path, old: Any, new: Any) -> None:
    """load_cdf recasts: '12' becomes 12, and nothing says that it was a string."""
    _commit(tmp_path, 0, _protocol(), _metadata({"name": "x", "type": old}))
    _commit(tmp_path, 1, _metadata({"name": "x", "type": new}))
    with pytest.raises(
        UnsupportedTableFeature, match=r"from version 0 on can't be shown as of 1: its column `x` was .* and is"
    ):
        changes(_open(tmp_path), 0)
    assert _rows(tmp_path, 0, 0) == []
    assert _rows(tmp_path, 1) == []


def test_a_column_that_is_there_no_more(tmp_path: Path) -> None:
    location = tmp_path / "t"
    write_deltalake(location, pa.table({"id": [1], "v": ["a"]}), configuration=ON)
    write_deltalake(location, pa.table({"id": [2]}), mode="overwrite", schema_mode="overwrite")
    assert _rows(location) == [(1, "insert", 0), (1, "delete", 1), (2, "insert", 1)]


def test_types_of_files(tmp_path: Path) -> None:
    """Views, large types, dictionaries, INT96 out of nanoseconds' range, times of another precision."""
    far = dt.datetime(9999, 12, 31, 23, 59, 59)
    fields = [
        {"name": name, "type": type}
        for name, type in {
            "s": "string",
            "b": "binary",
            "d": "string",
            "l": {"type": "array", "elementType": "string", "containsNull": True},
            "n": "timestamp",
            "f": "timestamp",
        }.items()
    ]
    near = pa.array([1_704_067_200_000_000_001], pa.timestamp("ns", "UTC"))
    odd = pa.table(
        {
            "s": pa.array(["x"], pa.string_view()),
            "b": pa.array([b"y"], pa.large_binary()),
            "d": pa.array(["z"]).dictionary_encode(),
            "l": pa.array([["w"]], pa.large_list(pa.large_string())),
            "n": near,
        }
    )
    pq.write_table(odd, tmp_path / "a.parquet")
    pq.write_table(
        pa.table({"f": pa.array([far], pa.timestamp("us"))}),
        tmp_path / "b.parquet",
        use_deprecated_int96_timestamps=True,
    )
    _commit(tmp_path, 0, _protocol(), _metadata(*fields), _add("a.parquet"))
    _commit(tmp_path, 1, _add("b.parquet"))
    first, second = _rows(tmp_path)
    assert first[:6] == ("x", b"y", "z", ["w"], dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None)
    assert second[5] == far.replace(tzinfo=dt.UTC)


# -- what is read


def test_only_what_is_asked_for(simple: Path) -> None:
    feed = changes(_open(simple), 0)
    everything = _read(feed)
    for columns in (["v"], ["_change_type"], ["_commit_version", "id"], ["_commit_timestamp", "v", "_change_type"]):
        assert _read(feed, columns) == everything.select(columns)
    batches = list(feed.read([]))
    assert sum(batch.num_rows for batch in batches) == everything.num_rows
    assert all(batch.num_columns == 0 for batch in batches)


def test_no_column_is_read_that_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    location = _appends(tmp_path / "t", 2)
    asked: list[list[str]] = []
    real = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda self, *args, columns, **more: asked.append(columns) or real(self, *args, columns=columns, **more),
    )
    feed = changes(_open(location), 0)
    assert _read(feed, ["_commit_version", "_change_type"]).num_rows == 2
    assert asked == []
    assert _read(feed, ["id"]).num_rows == 2
    assert asked == [["id"], ["id"]]


def test_a_narrower_range(tmp_path: Path) -> None:
    feed = changes(_open(_appends(tmp_path / "t", 5)), 1, 3)
    assert len(feed.files) == 3
    ids = {
        None: [1, 2, 3],
        (2, None): [2, 3],
        (None, 2): [1, 2],
        (2, 2): [2],
        (0, 9): [1, 2, 3],
        (4, None): [],
        (3, 1): [],
    }
    for range_, expected in ids.items():
        first, last = range_ or (None, None)
        assert [row for batch in feed.read(["id"], first, last) for row in batch["id"].to_pylist()] == expected


def test_it_stays_as_it_was_made(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 2)
    snapshot = _open(location)
    feed = changes(snapshot, 0)
    write_deltalake(location, pa.table({"id": [7]}), mode="append")
    assert _read(feed, ["id"])["id"].to_pylist() == [0, 1]
    assert changes(snapshot, 0).last == 1
    with pytest.raises(VersionNotFound, match="has no version 2"):
        changes(snapshot, 0, 2)
    assert changes(snapshot, 0, dt.datetime.now(dt.UTC)).last == 1


# -- which commits


@pytest.mark.parametrize(
    ("start", "end", "versions"),
    [
        (0, None, (0, 4)),
        (2, 2, (2, 2)),
        (_hour(-1), None, (0, 4)),
        (_hour(1), None, (1, 4)),
        (_hour(1.1), None, (2, 4)),
        (_hour(1), _hour(3), (1, 3)),
        (_hour(0.5), _hour(3.9), (1, 3)),
        (1, _hour(2), (1, 2)),
        (_hour(1), 3, (1, 3)),
        (_hour(4), _hour(100), (4, 4)),
        (_hour(2.2), _hour(2.8), (3, 2)),
        (_hour(3).astimezone(dt.timezone(dt.timedelta(hours=5))), None, (3, 4)),
    ],
)
def test_ranges(tmp_path: Path, start: Any, end: Any, versions: tuple[int, int]) -> None:
    feed = changes(_open(_appends(tmp_path / "t", 5)), start, end)
    assert (feed.first, feed.last) == versions
    assert _read(feed, ["_commit_version"]).to_pydict() == {
        "_commit_version": list(range(versions[0], versions[1] + 1))
    }


@pytest.mark.parametrize(
    ("start", "end", "error", "message"),
    [
        (5, None, VersionNotFound, r"`t` has no version 5 \(it has the changes of versions 0 to 4\)"),
        (-1, None, VersionNotFound, r"`t` has no version -1 "),
        (0, 5, VersionNotFound, r"`t` has no version 5 "),
        (3, 2, PlanError, r"the changes of `t` would end \(version 2\) before they start \(3\)"),
        (3, _hour(2.5), PlanError, r"would end \(version 2\) before they start \(3\)"),
        (_hour(2.5), 1, PlanError, r"would end \(version 1\) before they start \(3\)"),
        (
            _hour(2),
            _hour(1),
            PlanError,
            r"would end \(2024-01-01 01:00:00\+00:00\) before they start \(2024-01-01 02:00",
        ),
        (
            _hour(4.1),
            None,
            VersionNotFound,
            r"no commit since 2024-01-01 04:06:00\+00:00 \(its commits are from 2024-01-01 00:00:00\+00:00 to 2024-01-01 04:00:00\+00:00\)",
        ),
        (_hour(-2), _hour(-1), VersionNotFound, r"before its first commit \(its commits are from"),
        (0, dt.datetime(2999, 1, 1, tzinfo=dt.UTC), VersionNotFound, r"which is in the future"),
    ],
)
def test_no_such_range(tmp_path: Path, start: Any, end: Any, error: type[Error], message: str) -> None:
    location = _appends(tmp_path / "t", 5)
    with pytest.raises(error, match=message):
        changes(_open(location), start, end)


def test_in_commit_timestamps(tmp_path: Path) -> None:
    properties = ON | {"delta.enableInCommitTimestamps": "true"}
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    first, second = 1_000_000_000_000, 1_000_000_060_000
    info = {"commitInfo": {"inCommitTimestamp": first, "timestamp": 5}}
    _commit(
        tmp_path,
        0,
        info,
        _protocol(3, 7, "inCommitTimestamp"),
        _metadata(ID, configuration=properties),
        _add("a.parquet"),
    )
    _commit(
        tmp_path, 1, {"commitInfo": {"inCommitTimestamp": second, "timestamp": 5}}, _add("a.parquet", kind="remove")
    )
    _log(tmp_path, 0).write_text(
        _log(tmp_path, 0).read_text().replace('"readerFeatures": ["inCommitTimestamp"]', '"readerFeatures": []')
    )
    times = [dt.datetime.fromtimestamp(stamp / 1000, dt.UTC) for stamp in (first, second)]
    assert _read(changes(_open(tmp_path), 0), ["_commit_timestamp"]).to_pydict() == {"_commit_timestamp": times}
    feed = changes(_open(tmp_path), times[0] + dt.timedelta(seconds=1))
    assert (feed.first, feed.last) == (1, 1)


# -- what is gone


def test_a_change_file_that_is_gone(tmp_path: Path) -> None:
    location = tmp_path / "t"
    write_deltalake(location, pa.table({"id": [1, 2]}), configuration=ON)
    DeltaTable(location).update({"id": "9"}, predicate="id = 1")
    next((location / "_change_data").iterdir()).unlink()
    with pytest.raises(
        VersionNotFound, match=r"what version 1 of `t` changed is gone: .*_change_data/.* isn't there any more$"
    ):
        changes(_open(location), 0)
    assert _rows(location, 0, 0) == [(1, "insert", 0), (2, "insert", 0)]


def test_vacuumed_files(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 3)
    DeltaTable(location).optimize.compact()
    DeltaTable(location).vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    with pytest.raises(
        VersionNotFound, match=r"what version 2 of `t` changed is gone: .*\(its changes from version 3 on are\)"
    ):
        changes(_open(location), 0)
    assert _rows(location, 3, 3) == []


def test_a_file_that_goes_while_it_is_read(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 1)
    feed = changes(_open(location), 0)
    next(location.glob("*.parquet")).unlink()
    with pytest.raises(StorageError, match=r"which holds changes of `t`, can't be read: "):
        _read(feed)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 1)
    next(location.glob("*.parquet")).write_bytes(b"no")
    with pytest.raises(StorageError, match=r"which holds changes of `t`, can't be read: "):
        _read(changes(_open(location), 0))


def test_a_change_file_that_does_not_say_what_changed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    _commit(tmp_path, 0, _protocol(), _metadata(ID), _add("a.parquet", kind="cdc"))
    with pytest.raises(StorageError, match=r"a\.parquet` doesn't say what its changes are"):
        _rows(tmp_path)


def test_a_cleaned_log(corpora: Path) -> None:
    location = corpora / "delta_rs/checkpoint-cdf-table"
    for version in range(3):
        with pytest.raises(
            VersionNotFound, match=rf"no longer tells what version {version} changed \(.*versions 3 to 5\)"
        ):
            changes(_open(location), version)
    assert _rows(location, 3, 3) == [(7, "Dennis", dt.date(2023, 12, 29), "delete", 3)]
    assert len(_rows(location, 3)) == 13
    early = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(VersionNotFound, match="no longer tells all that changed since 2000-01-01"):
        changes(_open(location), early)


def test_a_log_of_a_checkpoint_alone(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 2)
    DeltaTable(location).create_checkpoint()
    for version in range(2):
        _log(location, version).unlink()
    for start in (0, 1, _hour(0)):
        with pytest.raises(VersionNotFound, match="no longer tells what"):
            changes(_open(location), start)


def test_a_broken_log_entry(tmp_path: Path) -> None:
    location = _appends(tmp_path / "t", 2)
    snapshot = _open(location)
    _log(location, 1).write_text("{")
    with pytest.raises(StorageError, match=r"1\.json` can't be read"):
        changes(snapshot, 0)


# -- where there is no feed


def _switched(location: Path) -> Path:
    """Off at versions 0, on from 1 to 2, off at 3, on from 4 to 5."""
    write_deltalake(location, pa.table({"id": [0]}))
    DeltaTable(location).alter.set_table_properties(ON)
    write_deltalake(location, pa.table({"id": [2]}), mode="append")
    DeltaTable(location).alter.set_table_properties({"delta.enableChangeDataFeed": "false"})
    DeltaTable(location).alter.set_table_properties(ON)
    write_deltalake(location, pa.table({"id": [5]}), mode="append")
    return location


def test_a_feed_that_is_not_always_on(tmp_path: Path) -> None:
    location = _switched(tmp_path / "t")
    assert _rows(location, 1, 2) == [(2, "insert", 2)]
    assert _rows(location, 4) == [(5, "insert", 5)]
    for start, end, off in ((0, 0, 0), (0, 2, 0), (0, None, 0), (1, None, 3), (2, 3, 3), (3, 3, 3)):
        with pytest.raises(
            NotSupportedError, match=rf"feed of `t` was off at version {off} \(it is on since version 4\)"
        ):
            changes(_open(location), start, end)
    with pytest.raises(NotSupportedError, match=r"was off at version 3 \(end at version 2\)"):
        changes(_open(location, 3), 1)


def test_a_table_without_a_feed(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", pa.table({"id": [0]}))
    with pytest.raises(NotSupportedError, match=r"feed of `t` was off at version 0 \(the table property .delta.enable"):
        changes(_open(tmp_path / "t"), 0)


def test_a_column_with_a_name_of_the_feed(tmp_path: Path) -> None:
    for name in ADDED:
        _commit(tmp_path / name, 0, _protocol(), _metadata({"name": name, "type": "string"}))
        with pytest.raises(NotSupportedError, match=f"has a column `{name}` of its own"):
            changes(_open(tmp_path / name), 0)


# -- over the tables of others

_FEEDS = [
    "dat/out/reader_tests/generated/cdf/delta",
    "delta_rs/cdc_ict_table",
    "delta_rs/cdf-table",
    "delta_rs/cdf-table-non-partitioned",
    "delta_rs/cdf-table-with-cdc-and-dvs",
    "delta_rs/simple_table_with_cdc",
    "kernel_rs/cdf-column-mapping-id-mode",
    "kernel_rs/cdf-column-mapping-name-mode",
    "kernel_rs/cdf-column-mapping-name-mode-3-7",
    "kernel_rs/cdf-table-backtick-column-names",
    "kernel_rs/cdf-table-data-change",
    "kernel_rs/cdf-table-delete-conditional-all-rows",
    "kernel_rs/cdf-table-delete-conditional-two-rows",
    "kernel_rs/cdf-table-delete-unconditional",
    "kernel_rs/cdf-table-partitioned",
    "kernel_rs/cdf-table-with-dv",
    "kernel_rs/compacted-log-files-table",
]


@pytest.mark.parametrize("table", _FEEDS)
def test_tables_by_others_replayed(corpora: Path, table: str) -> None:
    _replay(corpora / table)


def test_a_commit_of_change_files_alone(corpora: Path) -> None:
    """No writer's own, but the protocol has the files tell: those of version 2 don't follow from its rows."""
    rows = _rows(corpora / "kernel_rs/cdf-table-simple")
    assert Counter(row[1:] for row in rows) == {("insert", 0): 10, ("delete", 1): 10, ("insert", 2): 5}


@pytest.mark.parametrize("table", [table for table in _FEEDS if table.split("/")[0] in {"dat", "delta_rs"}])
def test_as_delta_rs_has_it(corpora: Path, table: str) -> None:
    """What load_cdf can read, it reads the same, but for times: those are the writer's there, the log's here."""
    ours = _read(changes(_open(corpora / table), 0)).drop_columns(["_commit_timestamp"])
    theirs = pa.table(DeltaTable(corpora / table).load_cdf()).select(ours.column_names)
    assert Counter(map(repr, ours.to_pylist())) == Counter(map(repr, theirs.to_pylist()))
