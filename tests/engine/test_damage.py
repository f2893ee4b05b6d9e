"""Bad input: a damaged file or log gives the true rows or an error of ours that names it, and never anything else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deltasql

from ..acceptance import canonical  # noqa: TID252
from .lakes import FORCED, Lake, checkpoint, metadata, protocol, removed

SCHEMA = pa.schema([("id", pa.int64()), ("s", pa.string()), ("f", pa.float64())])
QUERIES = [
    "SELECT * FROM t",
    "SELECT * FROM t WHERE id = 150",
    "SELECT id FROM t WHERE s = 's150'",
    "SELECT count(*) FROM t",
    "SELECT min(id), max(id), count(s) FROM t",
    "SELECT * FROM t ORDER BY id DESC LIMIT 3",
]


def rows(start: int) -> pa.Table:
    """A hundred rows, more than a page's worth of bytes."""
    count = range(start, start + 100)
    return pa.table(
        [pa.array(count, pa.int64()), pa.array([f"s{n}" for n in count]), pa.array([n / 7 for n in count])],
        schema=SCHEMA,
    )


TRUE = pa.concat_tables([rows(100 * n) for n in range(4)])


def lay(root: Path, *, by_checkpoint: bool = False, schema: Any = SCHEMA, **options: Any) -> Lake:
    """A table of four commits of a file each, over a first one that only makes it."""
    lake = Lake(root / "t")
    lake.create(schema, **options)
    for number in range(4):
        lake.commit(lake.file(f"f{number}.parquet", rows(100 * number)))
    if by_checkpoint:
        checkpoint(lake, state(lake))
        clean(lake, lake.version)
    return lake


def adds(lake: Lake) -> list[dict[str, Any]]:
    return [lake.added(f"f{number}.parquet", stats='{"numRecords":100}') for number in range(4)]


def state(lake: Lake) -> list[dict[str, Any]]:
    return [protocol(1, 2), metadata(SCHEMA), *adds(lake)]


def clean(lake: Lake, before: int) -> None:
    for version in range(before):
        lake.entry(version).unlink()


@pytest.fixture(scope="module")
def true() -> dict[str, Any]:
    """What the queries say of the undamaged rows."""
    context = datafusion.SessionContext()
    context.register_record_batches("t", [TRUE.to_batches()])
    return {query: canonical.rows(context.sql(query).to_arrow_table()) for query in QUERIES}


def outcomes(con: deltasql.Connection, true: dict[str, Any]) -> list[deltasql.Error]:
    """The errors of the queries; an answer without one must be true, and the error one of ours that says something."""
    found = []
    for query in QUERIES:
        try:
            answer = canonical.rows(con.sql(query).to_arrow())
        except deltasql.Error as error:
            found.append(error)
        else:
            assert answer == true[query], query
    return found


def require_named(error: deltasql.Error) -> None:
    """The error is one line that names the table or the file."""
    assert "\n" not in error.message
    assert any(name in str(error) for name in NAMES), str(error)


# -- data files


def _overwrite(path: Path, start: int, end: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:end] = b"\xff" * (len(data[:end]) - len(data[:start]))
    path.write_bytes(data)


def footer_at(path: Path) -> int:
    data = path.read_bytes()
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


FILES: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: path.unlink(),
    "torn": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "torn_in_the_footer": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(b"PAR"),
    "garbage_pages": lambda path: _overwrite(path, 4, footer_at(path)),
    "garbage_in_one_column": lambda path: _overwrite(path, *_chunk(path, 1)),
    "garbage_footer": lambda path: _overwrite(path, footer_at(path), path.stat().st_size - 8),
    "garbage_footer_length": lambda path: _overwrite(path, path.stat().st_size - 8, path.stat().st_size - 4),
    "garbage_magic": lambda path: _overwrite(path, path.stat().st_size - 4, path.stat().st_size),
    "text": lambda path: path.write_text("this is no Parquet file, it is a text of some length\n" * 100),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "dangling_link": lambda path: (path.unlink(), path.symlink_to(path.with_name("nowhere"))),
    "no_right_to_read": lambda path: path.chmod(0),
}


def _chunk(path: Path, column: int) -> tuple[int, int]:
    chunk = pq.read_metadata(path).row_group(0).column(column)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    return start, start + chunk.total_compressed_size


def _cases(damages: Iterable[str], gaps: Mapping[tuple[str, str], str], readers: Sequence[str]) -> list[object]:
    """A case per reader and damage; what is wrong today is strict."""
    cases = []
    for reader in readers:
        for name in damages:
            gap = gaps.get((reader, name))
            marks = [pytest.mark.xfail(strict=True, reason=gap)] if gap else []
            cases.append(pytest.param(reader, name, id=f"{reader}-{name}", marks=marks))
    return cases


def _check_file(root: Path, true: dict[str, Any], reader: str, damage: str, *, warm: bool) -> None:
    path = lay(root).path / "f1.parquet"
    with deltasql.connect(root) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        if warm:
            assert outcomes(con, true) == []
        FILES[damage](path)
        if damage == "no_right_to_read" and _readable(path):
            pytest.skip("this user may read everything")
        errors = outcomes(con, true)
    assert len(errors) >= 2
    for error in errors:
        assert isinstance(error, deltasql.StorageError), repr(error)
        assert "f1.parquet" in str(error)
        assert "\n" not in error.message


@pytest.mark.parametrize(("reader", "damage"), _cases(FILES, {}, FORCED))
def test_data_file(tmp_path: Path, true: dict[str, Any], reader: str, damage: str) -> None:
    _check_file(tmp_path, true, reader, damage, warm=False)


WARM = ["missing", "empty", "torn", "garbage_pages", "garbage_footer", "zeros"]


@pytest.mark.parametrize(("reader", "damage"), _cases(WARM, {}, FORCED))
def test_data_file_damaged_after_it_was_read(tmp_path: Path, true: dict[str, Any], reader: str, damage: str) -> None:
    """What was remembered of the file isn't taken for what it holds."""
    _check_file(tmp_path, true, reader, damage, warm=True)


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("reader", FORCED)
def test_other_rows_than_the_log_knows(tmp_path: Path, reader: str) -> None:
    """A size in the log that isn't the file's: the rows of the file, or an error."""
    lake = lay(tmp_path)
    for version, size in ((2, 10), (3, 10**7)):
        lines = [json.loads(line) for line in lake.entry(version).read_text().splitlines()]
        lines[1]["add"]["size"] = size
        lake.entry(version).write_text("\n".join(map(json.dumps, lines)))
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        for query in ("SELECT * FROM t", "SELECT * FROM t WHERE id >= 0"):
            with suppress(deltasql.StorageError):
                found = con.sql(query).to_arrow()
                assert canonical.rows(found) == canonical.rows(TRUE)


# -- files of another schema

WRONG_TYPES: dict[str, tuple[pa.DataType, pa.Array]] = {
    "text_for_long": (pa.int64(), pa.array(["x", "7"])),
    "fractions_for_long": (pa.int64(), pa.array([1.5, 2.0])),
    "wide_for_integer": (pa.int32(), pa.array([2**40, 1])),
    "boolean_for_long": (pa.int64(), pa.array([True, False])),
    "long_for_struct": (pa.struct([("a", pa.int64())]), pa.array([1, 2])),
    "struct_for_long": (pa.int64(), pa.array([{"a": 1}, {"a": 2}])),
    "struct_for_string": (pa.string(), pa.array([{"a": 1}, {"a": 2}])),
    "list_for_struct": (pa.struct([("a", pa.int64())]), pa.array([[1], [2]])),
    "text_in_struct": (pa.struct([("a", pa.int64())]), pa.array([{"a": "x"}, {"a": "y"}])),
    "list_for_map": (pa.map_(pa.string(), pa.int64()), pa.array([[1], [2]])),
    "text_for_date": (pa.date32(), pa.array(["x", "y"])),
    "text_for_timestamp": (pa.timestamp("us", "UTC"), pa.array(["x", "y"])),
    "long_for_boolean": (pa.bool_(), pa.array([2, 0])),
    "bytes_for_string": (pa.string(), pa.array([b"\xff\xfe", b"ok"])),
    "finer_decimal": (
        pa.decimal128(10, 2),
        pa.array([1234, 5678]).cast(pa.decimal128(19, 0)).cast(pa.decimal128(23, 3)),
    ),
    "cut_decimal": (pa.decimal128(10, 2), pa.array(["1.239", "2.001"]).cast(pa.decimal128(10, 3))),
    "wide_decimal": (pa.decimal128(5, 2), pa.array(["123456.78", "1.00"]).cast(pa.decimal128(10, 2))),
    "double_for_float": (pa.float32(), pa.array([0.1, 1e300])),
    "long_for_timestamp": (pa.timestamp("us", "UTC"), pa.array([1, 2])),
    "double_for_decimal": (pa.decimal128(10, 2), pa.array([1.239, 2.0])),
}


def same(one: pa.Array, other: pa.Array) -> bool:
    """Tell whether values are the same numbers, whatever their types."""
    return [None if v is None else str(v) for v in canonical.values(one)] == [
        None if v is None else str(v) for v in canonical.values(other)
    ]


TYPE_GAPS = {
    (reader, "bytes_for_string"): "bytes that are no UTF-8 are handed out as a string" for reader in ("listing", "scan")
}


def _mistyped(root: Path, name: str) -> None:
    type, stored = WRONG_TYPES[name]
    lake = Lake(root / "t")
    schema = pa.schema([("id", pa.int64()), ("v", type)])
    wrong = pa.table([pa.array([0, 1], pa.int64()), stored], names=["id", "v"])
    right = pa.table([pa.array([2], pa.int64()), pa.array([None], type)], schema=schema)
    lake.create(schema, lake.file("right.parquet", right, stats=None), lake.file("wrong.parquet", wrong, stats=None))


@pytest.mark.parametrize(("reader", "name"), _cases(WRONG_TYPES, TYPE_GAPS, FORCED))
def test_column_of_another_type(tmp_path: Path, reader: str, name: str) -> None:
    """The values that the file holds, or an error; never other values."""
    _mistyped(tmp_path, name)
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        with suppress(deltasql.StorageError):
            assert con.sql("SELECT id FROM t ORDER BY id").fetchall() == [(0,), (1,), (2,)]
        for query in ("SELECT v FROM t WHERE id < 2 ORDER BY id", "SELECT v FROM t ORDER BY id LIMIT 2"):
            with suppress(
                deltasql.DataError, deltasql.StorageError, deltasql.SchemaMismatch, deltasql.NotSupportedError
            ):
                found = con.sql(query).to_arrow()["v"].combine_chunks()
                assert same(found, WRONG_TYPES[name][1]), found.to_pylist()


@pytest.mark.parametrize(("reader", "name"), _cases(["text_for_long", "text_for_date", "wide_for_integer"], {}, FORCED))
def test_the_error_names_the_column_or_file(tmp_path: Path, reader: str, name: str) -> None:
    _mistyped(tmp_path, name)
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        with pytest.raises(deltasql.Error, match=r"wrong\.parquet|[`'\"]v[`'\"]"):
            con.sql("SELECT * FROM t").to_arrow()


# -- the log

MAY = "the true rows, or an error"
ROWS = "the true rows"
ERROR = "an error"


def _set(lake: Lake, version: int, text: str | bytes) -> None:
    lake.entry(version).write_bytes(text if isinstance(text, bytes) else text.encode())


def _edit(lake: Lake, version: int, change: Callable[[list[dict[str, Any]]], object]) -> None:
    actions = [json.loads(line) for line in lake.entry(version).read_text().splitlines()]
    change(actions)
    _set(lake, version, "".join(json.dumps(action) + "\n" for action in actions))


def _pointer(lake: Lake, text: str) -> None:
    (lake.log / "_last_checkpoint").write_text(text)


def _point(lake: Lake, **said: Any) -> None:
    _pointer(lake, json.dumps(said))


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _drop_from(version: int, kind: str) -> Callable[[Lake], None]:
    def damage(lake: Lake) -> None:
        _edit(lake, version, lambda actions: actions.remove(next(a for a in actions if kind in a)))

    return damage


def _with(kind: str, version: int, **changed: Any) -> Callable[[Lake], None]:
    def damage(lake: Lake) -> None:
        _edit(lake, version, lambda actions: [action[kind].update(changed) for action in actions if kind in action])

    return damage


def _checkpointed(
    then: Callable[[Lake, list[Path]], object], *, cleaned: bool, parts: int = 1, actions: Callable[[Lake], Any] = state
) -> Callable[[Lake], None]:
    def damage(lake: Lake) -> None:
        files = checkpoint(lake, actions(lake), parts=parts)
        if cleaned:
            clean(lake, lake.version + 1)
        then(lake, files)

    return damage


def _other_checkpoint(path: Path) -> None:
    pq.write_table(pa.table({"add": ["x"], "metaData": [1]}), path)


def _schema_string(fields: str) -> str:
    return f'{{"type":"struct","fields":[{fields}]}}'


_ID = '{"name":"id","type":"long","nullable":true,"metadata":{}}'
LOG: dict[str, tuple[Callable[[Lake], object], str]] = {
    "torn_last_entry": (lambda lake: _half(lake.entry()), ERROR),
    "torn_middle_entry": (lambda lake: _half(lake.entry(2)), ERROR),
    "torn_first_entry": (lambda lake: _half(lake.entry(0)), ERROR),
    "last_line_without_newline": (lambda lake: _set(lake, 4, lake.entry().read_text().rstrip("\n")), ROWS),
    "windows_line_ends": (lambda lake: _set(lake, 4, lake.entry().read_text().replace("\n", "\r\n")), MAY),
    "byte_order_mark": (lambda lake: _set(lake, 4, b"\xef\xbb\xbf" + lake.entry().read_bytes()), MAY),
    "emptied_last_entry": (lambda lake: _set(lake, 4, ""), ERROR),
    "emptied_middle_entry": (lambda lake: _set(lake, 2, ""), ERROR),
    "emptied_first_entry": (lambda lake: _set(lake, 0, ""), ERROR),
    "blank_last_entry": (lambda lake: _set(lake, 4, "\n \n"), ERROR),
    "zeros_for_an_entry": (lambda lake: _set(lake, 4, bytes(100)), ERROR),
    "not_unicode": (lambda lake: _set(lake, 4, b'{"add": {"path": "\xff\xfe"}}\n'), ERROR),
    "array_for_an_action": (lambda lake: _set(lake, 4, "[1]\n"), ERROR),
    "text_for_an_action": (lambda lake: _set(lake, 4, '"add"\n'), ERROR),
    "gap": (lambda lake: lake.entry(2).unlink(), ERROR),
    "gap_at_the_end": (lambda lake: lake.entry(3).unlink(), ERROR),
    "first_entry_missing": (lambda lake: lake.entry(0).unlink(), ERROR),
    "stray_files": (lambda lake: [(lake.log / name).write_text("x") for name in ("_commit_1.json.tmp", "00000000000000000005.json.tmp", ".00000000000000000004.json.crc", "readme.txt", "0000000005.json")], ROWS),
    "stray_crc": (lambda lake: (lake.log / f"{4:020d}.crc").write_text('{"tableSizeBytes":'), ROWS),
    "no_protocol": (_drop_from(0, "protocol"), ERROR),
    "no_metadata": (_drop_from(0, "metaData"), ERROR),
    "unknown_reader_feature": (lambda lake: lake.commit(protocol(3, 7, ["someReaderFeature"])), ERROR),
    "unknown_reader_version": (lambda lake: lake.commit(protocol(4, 7, [])), ERROR),
    "unknown_writer_version": (lambda lake: lake.commit(protocol(1, 8, [])), MAY),
    "reader_version_three_without_features": (_with("protocol", 0, minReaderVersion=3, minWriterVersion=7), MAY),
    "text_for_a_version": (_with("protocol", 0, minReaderVersion="one"), ERROR),
    "torn_schema": (_with("metaData", 0, schemaString='{"type":"struct","fiel'), ERROR),
    "unknown_type": (_with("metaData", 0, schemaString=_schema_string('{"name":"id","type":"someday","nullable":true,"metadata":{}}')), ERROR),
    "column_twice": (_with("metaData", 0, schemaString=_schema_string(f"{_ID},{_ID}")), ERROR),
    "partition_column_that_is_not": (_with("metaData", 0, partitionColumns=["nope"]), ERROR),
    "no_columns": (_with("metaData", 0, schemaString=_schema_string("")), ERROR),
    "other_format": (_with("metaData", 0, format={"provider": "orc", "options": {}}), MAY),
    "unknown_mapping_mode": (_with("metaData", 0, configuration={"delta.columnMapping.mode": "telepathy"}), MAY),
    "mapping_without_names": (lambda lake: lake.commit(protocol(2, 5), {"metaData": metadata(SCHEMA, (), {"delta.columnMapping.mode": "name"})["metaData"]}), MAY),
    "add_without_path": (lambda lake: _edit(lake, 3, lambda actions: actions[1]["add"].pop("path")), ERROR),
    "add_of_a_missing_path": (_with("add", 3, path="nowhere.parquet"), ERROR),
    "add_of_another_store": (_with("add", 3, path="s3://bucket/f2.parquet"), ERROR),
    "add_of_a_path_outside": (_with("add", 3, path="../../nowhere/f2.parquet"), ERROR),
    "add_of_a_bad_escape": (_with("add", 3, path="f2%.parquet"), ERROR),
    "add_without_size": (lambda lake: _edit(lake, 3, lambda actions: actions[1]["add"].pop("size")), MAY),
    "add_of_a_negative_size": (_with("add", 3, size=-1), MAY),
    "add_without_partition_values": (lambda lake: _edit(lake, 3, lambda actions: actions[1]["add"].pop("partitionValues")), MAY),
    "add_twice": (lambda lake: _edit(lake, 3, lambda actions: actions.append(actions[1])), MAY),
    "add_again_later": (lambda lake: lake.commit(adds(lake)[1]), ROWS),
    "remove_of_what_is_not": (lambda lake: lake.commit({"remove": {"path": "nope.parquet", "dataChange": True, "deletionTimestamp": 1}}), ROWS),
    "remove_of_another_spelling": (lambda lake: lake.commit({"remove": {"path": "./f1.parquet", "dataChange": True}}), MAY),
    "false_statistics_of_count": (_with("add", 3, stats='{"numRecords":7}'), ROWS),
    "torn_statistics": (_with("add", 3, stats='{"numRecords":100,"minVal'), MAY),
    "number_for_statistics": (_with("add", 3, stats=7), MAY),
    "vector_that_is_missing": (lambda lake: (_vector(lake, "u", "ab^-aqEH.-t@S}K{vb[*k^", 1)), ERROR),
    "vector_that_is_torn": (lambda lake: (_vector(lake, "i", "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"[:20], None)), ERROR),
    "vector_of_an_unknown_sort": (lambda lake: (_vector(lake, "x", "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", None)), ERROR),
    # -- checkpoints
    "pointer_to_no_checkpoint": (lambda lake: _point(lake, version=3, size=6), ROWS),
    "pointer_to_the_future": (lambda lake: _point(lake, version=99, size=6), ROWS),
    "pointer_to_parts_there_are_not": (_checkpointed(lambda lake, _: _point(lake, version=4, size=6, parts=7), cleaned=False), MAY),
    "pointer_to_parts_there_are_not_cleaned": (_checkpointed(lambda lake, _: _point(lake, version=4, size=6, parts=7), cleaned=True), MAY),
    "pointer_to_an_older_version_cleaned": (_checkpointed(lambda lake, _: _point(lake, version=2, size=6), cleaned=True), MAY),
    "pointer_torn": (_checkpointed(lambda lake, _: _pointer(lake, '{"version":'), cleaned=False), MAY),
    "pointer_torn_cleaned": (_checkpointed(lambda lake, _: _pointer(lake, '{"version":'), cleaned=True), MAY),
    "pointer_empty": (lambda lake: _pointer(lake, ""), MAY),
    "pointer_negative": (lambda lake: _point(lake, version=-1, size=6), MAY),
    "checkpoint_torn": (_checkpointed(lambda _, files: _half(files[0]), cleaned=False), MAY),
    "checkpoint_torn_cleaned": (_checkpointed(lambda _, files: _half(files[0]), cleaned=True), ERROR),
    "checkpoint_empty": (_checkpointed(lambda _, files: files[0].write_bytes(b""), cleaned=False), MAY),
    "checkpoint_empty_cleaned": (_checkpointed(lambda _, files: files[0].write_bytes(b""), cleaned=True), ERROR),
    "checkpoint_garbled_cleaned": (_checkpointed(lambda _, files: _overwrite(files[0], 4, footer_at(files[0])), cleaned=True), ERROR),
    "checkpoint_of_another_schema": (_checkpointed(lambda _, files: _other_checkpoint(files[0]), cleaned=False), MAY),
    "checkpoint_of_another_schema_cleaned": (_checkpointed(lambda _, files: _other_checkpoint(files[0]), cleaned=True), ERROR),
    "checkpoint_part_missing": (_checkpointed(lambda _, files: files[1].unlink(), cleaned=False, parts=3), MAY),
    "checkpoint_part_missing_cleaned": (_checkpointed(lambda _, files: files[1].unlink(), cleaned=True, parts=3), ERROR),
    "checkpoint_part_torn_cleaned": (_checkpointed(lambda _, files: _half(files[1]), cleaned=True, parts=3), ERROR),
    "checkpoint_without_protocol": (_checkpointed(lambda *_: None, cleaned=True, actions=lambda lake: state(lake)[1:]), ERROR),
    "checkpoint_without_metadata": (_checkpointed(lambda *_: None, cleaned=True, actions=lambda lake: [state(lake)[0], *adds(lake)]), ERROR),
    "checkpoint_of_nothing": (_checkpointed(lambda *_: None, cleaned=True, actions=lambda _: []), ERROR),
    "checkpoint_covers_a_missing_entry": (_checkpointed(lambda lake, _: lake.entry(2).unlink(), cleaned=False), ROWS),
    "checkpoint_and_nothing_else": (_checkpointed(lambda *_: None, cleaned=True), ROWS),
    "gap_after_the_checkpoint": (_checkpointed(lambda lake, _: (lake.commit(), lake.commit(), lake.entry(5).unlink()), cleaned=True), ERROR),
    "gap_right_after_the_checkpoint": (_checkpointed(lambda lake, _: (lake.commit(), lake.commit(), lake.entry(5).unlink()), cleaned=False), ERROR),
    "compacted_torn": (lambda lake: (lake.log / f"{1:020d}.{3:020d}.compacted.json").write_text('{"add":{"pa'), MAY),
    "compacted_empty_over_a_gap": (lambda lake: ((lake.log / f"{1:020d}.{3:020d}.compacted.json").write_text(""), lake.entry(2).unlink()), ERROR),
}  # fmt: skip


def _vector(lake: Lake, storage: str, where: str, offset: int | None) -> None:
    (add,) = (action for action in adds(lake) if action["add"]["path"] == "f2.parquet")
    plain = removed(add)
    vector = {"storageType": storage, "pathOrInlineDv": where, "sizeInBytes": 40, "cardinality": 6}
    add["add"]["deletionVector"] = vector if offset is None else {**vector, "offset": offset}
    lake.commit(protocol(3, 7, ["deletionVectors"]), plain, add)


_UNNAMED = "the error doesn't say which file, nor which table"
LOG_GAPS = {
    ("scan", "torn_statistics"): _UNNAMED, ("scan", "number_for_statistics"): _UNNAMED,
}  # fmt: skip
_BY_SCAN = [
    "torn_statistics",
    "number_for_statistics",
    "false_statistics_of_count",
    "add_again_later",
    "add_of_a_missing_path",
    "add_of_another_store",
    "add_twice",
]
NAMES = ("`t`", "/t`", "f2.parquet", "nowhere.parquet", "f2%")


@pytest.mark.parametrize(("reader", "name"), _cases(LOG, LOG_GAPS, ["auto"]) + _cases(_BY_SCAN, LOG_GAPS, ["scan"]))
def test_log(tmp_path: Path, true: dict[str, Any], reader: str, name: str) -> None:
    damage, wanted = LOG[name]
    damage(lay(tmp_path))
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        errors = outcomes(con, true)
    for error in errors:
        kinds = (deltasql.StorageError, deltasql.NotSupportedError, deltasql.TableNotFound, deltasql.VersionNotFound)
        assert isinstance(error, kinds), repr(error)
        require_named(error)
    assert not (wanted is ROWS and errors)
    assert not (wanted is ERROR and len(errors) < 3)


_LATE = ["torn_last_entry", "unknown_reader_feature", "unknown_reader_version", "emptied_last_entry", "gap_at_the_end",
         "add_of_a_missing_path", "add_of_another_store"]  # fmt: skip


@pytest.mark.parametrize("name", _LATE)
def test_older_versions_can_be_read(tmp_path: Path, name: str) -> None:
    lake = lay(tmp_path)
    for version in range(5):
        os.utime(lake.entry(version), (1_700_000_000 + version, 1_700_000_000 + version))
    LOG[name][0](lake)
    with deltasql.connect(tmp_path) as con:
        for as_of in ("VERSION AS OF 2", "TIMESTAMP AS OF '2023-11-14 22:13:22.5'"):
            assert con.sql(f"SELECT count(*), max(id) FROM t {as_of}").fetchall() == [(200, 199)]
        with pytest.raises(deltasql.DatabaseError):
            con.sql("SELECT * FROM t").to_arrow()
        with pytest.raises(deltasql.VersionNotFound, match="`t` has no version 99"):
            con.sql("SELECT * FROM t VERSION AS OF 99")


def test_older_versions_by_their_in_commit_timestamps(tmp_path: Path) -> None:
    lake = lay(tmp_path, writer_features=["inCommitTimestamp"], delta__enableInCommitTimestamps="true")
    for version in range(5):
        _edit(
            lake, version, lambda actions, version=version: actions[0]["commitInfo"].update(inCommitTimestamp=version)
        )
    _half(lake.entry())
    with deltasql.connect(tmp_path) as con:
        as_of = "TIMESTAMP AS OF '1970-01-01 00:00:00.002'"
        assert con.sql(f"SELECT count(*) FROM t {as_of}").fetchall() == [(200,)]


def test_the_version_before_a_gap_and_those_after(tmp_path: Path) -> None:
    LOG["gap"][0](lay(tmp_path))
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT count(*) FROM t VERSION AS OF 1").fetchall() == [(100,)]
        for as_of in ("VERSION AS OF 2", "VERSION AS OF 3", "VERSION AS OF 4", ""):
            with pytest.raises(deltasql.StorageError, match=r"^the log of `t` has a gap between versions 1 and 3$"):
                con.sql(f"SELECT * FROM t {as_of}")


def test_an_entry_emptied_while_the_table_is_open(tmp_path: Path) -> None:
    lake = lay(tmp_path)
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(400,)]
        lake.commit(lake.file("f4.parquet", rows(400)))
        lake.commit()
        _set(lake, 5, "")
        for _ in range(2):
            with pytest.raises(deltasql.StorageError, match=r"^the log of `t` can't be read: `0+5\.json` is empty$"):
                con.sql("SELECT count(*) FROM t")


def test_an_empty_entry_below_a_checkpoint(tmp_path: Path) -> None:
    lake = lay(tmp_path)
    checkpoint(lake, state(lake))
    _set(lake, 2, "")
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(400,)]
        with pytest.raises(deltasql.StorageError, match=r"`0+2\.json` is empty"):
            con.sql("SELECT count(*) FROM t VERSION AS OF 3")


def test_a_pointer_to_no_checkpoint(tmp_path: Path) -> None:
    """delta-rs refuses all versions from the one that is pointed to; the latest is reached by way of one before."""
    lake = lay(tmp_path)
    _point(lake, version=2, size=6)
    with deltasql.connect(tmp_path) as con:
        for as_of, count in (("", 400), ("VERSION AS OF 4", 400), ("VERSION AS OF 1", 100)):
            assert con.sql(f"SELECT count(*) FROM t {as_of}").fetchall() == [(count,)]
        with pytest.raises(deltasql.StorageError, match=r"\(remove `_delta_log/_last_checkpoint`\)$"):
            con.sql("SELECT * FROM t VERSION AS OF 3")
        lake.commit(lake.file("f4.parquet", rows(400)))
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(500,)]


def test_a_log_damaged_while_it_is_open(tmp_path: Path, true: dict[str, Any]) -> None:
    """What is read is the version that the log has now, or an error; never the last one that was seen."""
    lake = lay(tmp_path)
    with deltasql.connect(tmp_path) as con:
        assert outcomes(con, true) == []
        lake.commit(protocol(3, 7, ["someReaderFeature"]))
        for error in outcomes(con, true) or [None]:
            assert isinstance(error, deltasql.UnsupportedTableFeature)
            assert "someReaderFeature" in str(error)
