"""Damaged tables, read in a process of its own, as a library that reads them may bring its process down.

``python -m tests.reliability.damaging FOLDER SEED FIRST LAST``: for each number, one file of one table is damaged by
chance and the table is read. A line says what is being tried before it is, so that it is known should the process end.
What isn't an error of ours, or a wrong row where the damage can be seen, ends it.
"""

from __future__ import annotations

import faulthandler
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

import deltasql
from tests.acceptance import canonical
from tests.engine.lakes import Lake, checkpoint, metadata, pair, protocol
from tests.engine.test_protocol_features import vector, vectors_mapping_and_partitions

_SCHEMA = pa.schema(
    [("id", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("b", pa.binary()), ("l", pa.list_(pa.int64()))]
)
_QUERIES = (
    "SELECT * FROM t",
    "SELECT * FROM t WHERE id >= 2",
    "SELECT count(*), min(id), max(id) FROM t",
    "SELECT count(*) FROM t",
    "SELECT * FROM t ORDER BY id LIMIT 3",
)
_LOOKS = (
    "DESCRIBE DETAIL t",
    "DESCRIBE HISTORY t",
    "SELECT * FROM table_files('t')",
    "SELECT * FROM t VERSION AS OF 1",
    "SELECT * FROM table_changes('t', 0)",
    "DESCRIBE EXTENDED t",
    "FSCK REPAIR TABLE t DRY RUN",
    "VACUUM t DRY RUN",
)
_WRITES = (
    "INSERT INTO t SELECT * FROM t",
    "DELETE FROM t WHERE id = 3",
    "OPTIMIZE t",
    "CHECKPOINT t",
    "UPDATE t SET id = id",
)


# -- tables


def _plain(lake: Lake) -> None:
    def part(n: int) -> pa.Table:
        rows = [{"id": i, "s": f"s{i}", "f": i / 7, "b": bytes([i]), "l": [i, None]} for i in range(8 * n, 8 * n + 8)]
        return pa.Table.from_pylist(rows, schema=_SCHEMA)

    lake.create(_SCHEMA)
    for n, compression in enumerate(("zstd", "snappy", "none", "gzip")):
        lake.commit(lake.file(f"f{n}.parquet", part(n), compression=compression, row_group_size=4))


def _checkpointed(lake: Lake) -> None:
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    adds = [lake.file(f"p={n}/f.parquet", pair(4 * n, 4), {"p": str(n)}) for n in range(3)]
    described = pa.schema([*schema, ("p", pa.string())])
    lake.create(described, by=["p"])
    lake.commit(*adds)
    checkpoint(lake, [protocol(1, 2), metadata(described, ["p"]), *adds])
    lake.commit(lake.file("p=3/f.parquet", pair(12, 4), {"p": "3"}))


def _vectors(lake: Lake) -> None:
    add = lake.file("f0.parquet", pair(0, 8))
    lake.create(pa.schema([("id", pa.int64()), ("s", pa.string())]), add, features=["deletionVectors"])
    other = lake.file("f1.parquet", pair(8, 8))
    other["add"]["deletionVector"] = vector(lake, "u", [1, 5])
    lake.commit(other)


_TABLES: dict[str, Callable[[Lake], Any]] = {
    "plain": _plain, "checkpointed": _checkpointed, "vectors": _vectors, "mapped": vectors_mapping_and_partitions,
}  # fmt: skip


# -- damage


def _flipped(data: bytes, r: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(r.choice((1, 1, 2, 8))):
        found[r.randrange(len(found))] ^= 1 << r.randrange(8)
    return bytes(found)


def _flipped_at_the_end(data: bytes, r: random.Random) -> bytes:
    """In a Parquet file, that is the footer."""
    cut = max(0, len(data) - r.choice((8, 60, 400, 1500)))
    return data[:cut] + _flipped(data[cut:], r)


def _truncated(data: bytes, r: random.Random) -> bytes:
    return data[: r.randrange(len(data))]


def _overwritten(data: bytes, r: random.Random) -> bytes:
    start = r.randrange(len(data))
    end = min(len(data), start + r.choice((1, 4, 40, 400)))
    return data[:start] + r.choice((bytes(end - start), b"\xff" * (end - start), r.randbytes(end - start))) + data[end:]


def _longer(data: bytes, r: random.Random) -> bytes:
    at = r.randrange(len(data) + 1)
    return data[:at] + r.randbytes(r.choice((1, 8, 100))) + data[at:]


_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**31, 2**63, -(2**63), 1e400, "", "x", "\x00", "..", "../../../etc/passwd", "/etc/passwd", "file:///etc/passwd",
    "s3://x/y", "%00", "%", [], {}, [[]], [None], {"": None}, "9" * 400, "é" * 50, "2024-13-45",
)  # fmt: skip


def _swapped(data: bytes, r: random.Random) -> bytes:
    """Of a log's lines of JSON, one value or key is another, or a line is gone or there twice."""
    lines = data.decode(errors="replace").splitlines()
    at = r.randrange(len(lines))
    try:
        action = json.loads(lines[at])
    except ValueError:
        return _flipped(data, r)
    places = list(_places(action))
    match r.randrange(8):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            holder, key = r.choice(places)
            del holder[key]
            lines[at] = json.dumps(action)
        case 3:
            holder, key = r.choice(places)
            if isinstance(holder, dict):
                holder[r.choice(("", "x", "add", "remove", "path", "metaData"))] = holder[key]
            lines[at] = json.dumps(action)
        case _:
            holder, key = r.choice(places)
            holder[key] = r.choice(_ODD)
            if isinstance(holder, dict) and key in ("schemaString", "stats") and r.random() < 0.8:
                holder[key] = _swapped_inside(data, key, r)
            lines[at] = json.dumps(action)
    return "".join(line + "\n" for line in lines).encode()


def _swapped_inside(data: bytes, key: str, r: random.Random) -> str:
    """The JSON text that stands in the log under ``key``, with one of its values another."""
    for line in data.decode().splitlines():
        for action in json.loads(line).values():
            if isinstance(action, dict) and isinstance(action.get(key), str):
                inside = json.loads(action[key])
                holder, place = r.choice(list(_places(inside)))
                holder[place] = r.choice(_ODD)
                return json.dumps(inside)
    return "{}"


def _places(value: Any) -> Any:
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


_DAMAGES = (_flipped, _flipped, _flipped_at_the_end, _truncated, _overwritten, _longer)


def _damage(folder: Path, r: random.Random) -> tuple[str, bool]:
    """Damage one file; says what was done, and whether it can be seen: then rows are true, or there is an error."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = r.choice(files)
    data = path.read_bytes()
    how: Callable[[bytes, random.Random], bytes] = r.choice(_DAMAGES)
    if path.suffix == ".json" and r.random() < 0.7:
        how = _swapped
    if path.name == "_last_checkpoint":
        how = r.choice((how, _swapped))
    path.write_bytes(how(data, r))
    seen = how is _truncated and path.suffix == ".parquet" and "_delta_log" not in path.parts
    return f"{how.__name__} {path.relative_to(folder)}", seen


# -- reading


def _tried(con: deltasql.Connection, query: str) -> Any:
    """The rows, or the error."""
    try:
        return canonical.rows(con.sql(query).to_arrow())
    except deltasql.Error as error:
        # DataFusion says so itself of bounds in a footer that contradict one another.
        if (
            isinstance(error, deltasql.InternalError) and "lower <= interval.upper" not in str(error)
        ) or not error.message:
            raise AssertionError(f"{type(error).__name__}: {error}") from error
        return error


def run(folder: Path, seed: int, first: int, last: int) -> None:
    """Try the numbers from ``first`` up to ``last``."""
    true: dict[str, list[Any]] = {}
    for name, make in _TABLES.items():
        make(Lake(folder / "sound" / name / "t"))
        with deltasql.connect(folder / "sound" / name) as con:
            true[name] = [_tried(con, query) for query in _QUERIES]
    found: Counter[str] = Counter()
    for number in range(first, last):
        r = random.Random(f"{seed}:{number}")
        name = r.choice(list(_TABLES))
        root = folder / "damaged"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(folder / "sound" / name, root)
        reader = r.choice(("auto", "auto", "listing", "scan", "dataset"))
        what, seen = _damage(root / "t", r)
        others = r.sample(_LOOKS, 2) + r.sample(_WRITES, r.choice((0, 1)))
        print(number, name, reader, what, others, flush=True)
        faulthandler.dump_traceback_later(120, exit=True)
        with deltasql.connect(root) as con:
            con.sql(f"SET deltasql.reader = '{reader}'")
            for query, rows in zip(_QUERIES, true[name], strict=True):
                got = _tried(con, query)
                found["error" if isinstance(got, deltasql.Error) else "rows"] += 1
                assert not seen or isinstance(got, deltasql.Error) or got == rows, query
            for query in others:
                _tried(con, query)
        faulthandler.cancel_dump_traceback_later()
    if last - first > 10:  # Else the test tests nothing.
        assert found["error"], found
        assert found["rows"], found
    print("done", dict(found))


if __name__ == "__main__":
    run(Path(sys.argv[1]), *map(int, sys.argv[2:]))
