"""The Delta tables that peers are compared on, made once and kept in a cache folder.

*tpch*: the eight tables of TPC-H by DuckDB's generator, in files of some 260,000 rows in key order (24 of lineitem
at scale 1), and ``lineitem_by_month``, partitioned by year and month of shipping (84 partitions).
*many*: ``small_files``, events in thousands of small files, and ``by_day``, one partition and file per day.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from duckdb_extensions import import_extension

TPCH = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
ROWS_PER_FILE = 260_000
ROWS_PER_SMALL_FILE = 1_000
DAYS = 1_100
ROWS_PER_DAY = 500
FIRST_DAY = dt.date(2022, 1, 1)
_DONE = "made.json"


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder of Delta tables. ``described`` has files, rows and bytes of each."""

    root: Path
    described: dict[str, dict[str, int]]

    @property
    def tables(self) -> dict[str, Path]:
        return {name: self.root / name for name in self.described}


def tpch(cache: Path, scale: float) -> Lake:
    """The TPC-H lake at ``scale``; made where it isn't there."""
    root = cache / f"tpch-{scale:g}"
    return _kept(root) or _made(root, lambda: _make_tpch(root, scale))


def many(cache: Path, files: int) -> Lake:
    """The lake of many small files; made where it isn't there."""
    root = cache / f"many-{files}"
    return _kept(root) or _made(root, lambda: _make_many(root, files))


def _kept(root: Path) -> Lake | None:
    done = root / _DONE
    return Lake(root, json.loads(done.read_text())) if done.exists() else None


def _made(root: Path, make: Callable[[], None]) -> Lake:
    """A half-made lake of a run that was interrupted has no ``made.json``, and is made again."""
    print(f"making {root}", flush=True)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    make()
    described = {path.name: _described(path) for path in sorted(root.iterdir()) if (path / "_delta_log").is_dir()}
    (root / _DONE).write_text(json.dumps(described, indent=2) + "\n")
    return Lake(root, described)


def _described(path: Path) -> dict[str, int]:
    adds = pa.table(DeltaTable(path).get_add_actions(flatten=True))
    rows, size = (sum(adds[name].to_pylist()) for name in ("num_records", "size_bytes"))
    return {"files": adds.num_rows, "rows": rows, "bytes": size}


# -- TPC-H


def duckdb_with(*extensions: str) -> duckdb.DuckDBPyConnection:
    """DuckDB with extensions from the package registry; it downloads none by itself."""
    connection = duckdb.connect()
    for downloads in ("autoinstall_known_extensions", "autoload_known_extensions"):
        connection.execute(f"SET {downloads} = false")
    for name in extensions:
        import_extension(name, con=connection)
        connection.execute(f"LOAD {name}")
    return connection


def _make_tpch(root: Path, scale: float) -> None:
    with duckdb_with("tpch") as connection:
        connection.execute(f"CALL dbgen(sf = {scale})")
        for name in TPCH:
            (rows,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
            for first in range(0, rows, ROWS_PER_FILE):
                part = f"FROM {name} WHERE rowid >= {first} AND rowid < {first + ROWS_PER_FILE}"
                write_deltalake(root / name, connection.execute(part).to_arrow_table(), mode="append")
        by_month = "SELECT *, year(l_shipdate)::INT AS l_year, month(l_shipdate)::INT AS l_month FROM lineitem"
        shipped = connection.execute(f"{by_month} ORDER BY l_year, l_month, l_orderkey").to_arrow_table()
        write_deltalake(root / "lineitem_by_month", shipped, partition_by=["l_year", "l_month"])


# -- many files


def _make_many(root: Path, files: int) -> None:
    choose = random.Random(7)
    # delta-rs begins another file after each batch that fills one; so a batch is a file.
    batches = (_events(choose, number * ROWS_PER_SMALL_FILE, ROWS_PER_SMALL_FILE) for number in range(files))
    reader = pa.RecordBatchReader.from_batches(_EVENTS, batches)
    write_deltalake(root / "small_files", reader, target_file_size=1)
    reader = pa.RecordBatchReader.from_batches(_EVENTS.append(_DAY), _by_day(choose))
    write_deltalake(root / "by_day", reader, partition_by=["day"])


_EVENTS = pa.schema(
    {"id": pa.int64(), "at": pa.timestamp("us", "UTC"), "name": pa.string(), "kind": pa.string(), "amount": pa.int64()}
)
_DAY = pa.field("day", pa.date32())
_KINDS = ("click", "view", "order", "refund", "login", "error")


def _events(choose: random.Random, first: int, count: int) -> pa.RecordBatch:
    """Events of one a minute, in order of id and time."""
    ids = range(first, first + count)
    begin = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    columns = [
        list(ids),
        [begin + dt.timedelta(minutes=number) for number in ids],
        [f"user {number:09}" for number in ids],
        [choose.choice(_KINDS) for _ in ids],
        [choose.randrange(1_000_000) for _ in ids],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _EVENTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_EVENTS)


def _by_day(choose: random.Random) -> Iterator[pa.RecordBatch]:
    for number in range(DAYS):
        batch = _events(choose, number * ROWS_PER_DAY, ROWS_PER_DAY)
        day = pa.repeat(pa.scalar(FIRST_DAY + dt.timedelta(days=number), pa.date32()), len(batch))
        yield pa.RecordBatch.from_arrays([*batch.columns, day], schema=_EVENTS.append(_DAY))
