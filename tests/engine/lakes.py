"""Delta tables made by hand, file by file and log line by log line, and what every reader must say of them.

Each is made beside the rows that it holds, and is then asked everything: all rows, each column alone, comparisons and
NULL tests on each, counts, extremes and groups.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote as url_quote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.names import quote

from ..acceptance import canonical  # noqa: TID252

FORCED = ("listing", "scan", "dataset")
"""The access paths, as ``deltasql.reader`` names them."""
READERS = ("auto", *FORCED)

Json = dict[str, Any]
_PRIMITIVE = {
    pa.int8(): "byte", pa.int16(): "short", pa.int32(): "integer", pa.int64(): "long", pa.float32(): "float",
    pa.float64(): "double", pa.string(): "string", pa.binary(): "binary", pa.bool_(): "boolean", pa.date32(): "date",
    pa.timestamp("us", "UTC"): "timestamp", pa.timestamp("us"): "timestamp_ntz",
}  # fmt: skip


def field(name: str, type: Any, *, nullable: bool = True, **metadata: Any) -> Json:
    """A field of a Delta schema; ``type`` is Delta's JSON or an Arrow type."""
    made = delta_type(type) if isinstance(type, pa.DataType) else type
    return {"name": name, "type": made, "nullable": nullable, "metadata": metadata}


def delta_type(type: pa.DataType) -> Any:
    """An Arrow type as Delta's JSON has it."""
    if pa.types.is_struct(type):
        return {"type": "struct", "fields": [field(child.name, child.type) for child in type]}
    if pa.types.is_map(type):
        key, value = delta_type(type.key_type), delta_type(type.item_type)
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if pa.types.is_list(type):
        return {"type": "array", "elementType": delta_type(type.value_type), "containsNull": True}
    if pa.types.is_decimal(type):
        return f"decimal({type.precision},{type.scale})"
    return _PRIMITIVE[type]


def fields(schema: pa.Schema) -> list[Json]:
    """The fields of a Delta schema for Arrow's."""
    return [field(child.name, child.type) for child in schema]


DAY = dt.date
AT = dt.datetime
ZONED, LOCAL = pa.timestamp("us", "UTC"), pa.timestamp("us")
INNER = pa.struct([("a", pa.int64()), ("b", pa.string())])
PAIR = pa.schema([("id", pa.int64()), ("s", pa.string())])


def ids(count: int, start: int = 0) -> pa.Array:
    """So many values of a column ``id``."""
    return pa.array(range(start, start + count), pa.int64())


def pair(start: int, count: int = 2) -> pa.Table:
    """Rows of ``PAIR``."""
    return pa.table([ids(count, start), pa.array([f"s{n}" for n in range(start, start + count)])], schema=PAIR)


class Lake:
    """A Delta table under construction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version = -1
        (path / "_delta_log").mkdir(parents=True)

    @property
    def log(self) -> Path:
        """The folder of the log."""
        return self.path / "_delta_log"

    def entry(self, version: int | None = None) -> Path:
        """The log entry of a version, the last one if none is given."""
        return self.log / f"{self.version if version is None else version:020d}.json"

    def commit(self, *actions: Json) -> Lake:
        """Write the next log entry."""
        self.version += 1
        info = {"commitInfo": {"timestamp": 1_700_000_000_000 + self.version, "operation": "WRITE"}}
        self.entry().write_text("".join(json.dumps(action) + "\n" for action in (info, *actions)))
        return self

    def create(
        self,
        schema: pa.Schema | list[Json],
        *actions: Json,
        by: Sequence[str] = (),
        reader: int = 1,
        writer: int = 2,
        features: Sequence[str] = (),
        writer_features: Sequence[str] = (),
        **properties: str,
    ) -> Lake:
        """Write the first log entry; ``features`` are of reader and writer, a property's dots are ``__``."""
        if features or writer_features:
            writer = 7
            reader = 3 if features else reader
        return self.commit(
            protocol(reader, writer, features, writer_features), metadata(schema, by, properties), *actions
        )

    def file(self, name: str, table: pa.Table, partition: Mapping[str, str | None] | None = None,
             stats: Any = ..., **options: Any) -> Json:  # fmt: skip
        """Write a data file; gives its ``add`` action. ``stats`` are made from the rows, or given, or None."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, **{"store_schema": False, **options})
        return self.added(name, partition, statistics(table) if stats is ... else stats)

    def added(self, name: str, partition: Mapping[str, str | None] | None = None, stats: Any = None) -> Json:
        """The ``add`` action of a data file that is there."""
        made: Json = {"path": url_quote(name), "partitionValues": dict(partition or {}), "dataChange": True}
        made |= {"size": (self.path / name).stat().st_size, "modificationTime": 1_700_000_000_000}
        if stats is not None:
            made["stats"] = stats if isinstance(stats, str) else json.dumps(stats)
        return {"add": made}


def protocol(reader: int, writer: int, features: Iterable[str] = (), writer_features: Iterable[str] = ()) -> Json:
    """A ``protocol`` action."""
    made: Json = {"minReaderVersion": reader, "minWriterVersion": writer}
    if reader >= 3:
        made["readerFeatures"] = list(features)
    if writer >= 7:
        made["writerFeatures"] = [*features, *writer_features]
    return {"protocol": made}


def metadata(
    schema: pa.Schema | list[Json], by: Sequence[str] = (), properties: Mapping[str, str] | None = None
) -> Json:
    """A ``metaData`` action."""
    made = fields(schema) if isinstance(schema, pa.Schema) else schema
    config = {name.replace("__", "."): value for name, value in (properties or {}).items()}
    action = {"id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "format": {"provider": "parquet", "options": {}},
              "schemaString": json.dumps({"type": "struct", "fields": made}), "partitionColumns": list(by),
              "configuration": config, "createdTime": 1_700_000_000_000}  # fmt: skip
    return {"metaData": action}


def removed(add: Json) -> Json:
    """The ``remove`` action of an added file."""
    kept = {name: value for name, value in add["add"].items() if name in ("path", "partitionValues", "size")}
    if "deletionVector" in add["add"]:
        kept["deletionVector"] = add["add"]["deletionVector"]
    return {
        "remove": {**kept, "dataChange": True, "deletionTimestamp": 1_700_000_000_001, "extendedFileMetadata": True}
    }


def statistics(table: pa.Table) -> Json:
    """What Spark would say of the rows (top level only)."""
    low: Json = {}
    high: Json = {}
    nulls: Json = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        nulls[name] = column.null_count
        kind = column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_boolean(kind):
            continue
        ends = pc.min_max(column)
        if ends["min"].is_valid:
            low[name], high[name] = (_stated(ends[end]) for end in ("min", "max"))
    return {"numRecords": table.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls}


def _stated(value: pa.Scalar) -> Any:
    if pa.types.is_timestamp(value.type):
        (text,) = canonical.values(pa.array([value.cast(pa.timestamp("us", value.type.tz)).value], pa.timestamp("us")))
        return text[3:-3] + ("Z" if value.type.tz else "")
    found = value.as_py()
    if isinstance(found, dt.date):
        return found.isoformat()
    return float(found) if isinstance(found, decimal.Decimal) else found


# -- checkpoints

_ADD = pa.struct([("path", pa.string()), ("partitionValues", pa.map_(pa.string(), pa.string())), ("size", pa.int64()),
                  ("modificationTime", pa.int64()), ("dataChange", pa.bool_()), ("stats", pa.string())])  # fmt: skip
_META = pa.struct([("id", pa.string()), ("format", pa.struct([("provider", pa.string()), ("options", pa.map_(pa.string(), pa.string()))])),
                   ("schemaString", pa.string()), ("partitionColumns", pa.list_(pa.string())),
                   ("configuration", pa.map_(pa.string(), pa.string())), ("createdTime", pa.int64())])  # fmt: skip
_PROTOCOL = pa.struct(
    [
        ("minReaderVersion", pa.int32()),
        ("minWriterVersion", pa.int32()),
        ("readerFeatures", pa.list_(pa.string())),
        ("writerFeatures", pa.list_(pa.string())),
    ]
)
_REMOVE = pa.struct(
    [("path", pa.string()), ("deletionTimestamp", pa.int64()), ("dataChange", pa.bool_()), ("size", pa.int64())]
)
CHECKPOINT = pa.schema(
    [
        ("txn", pa.struct([("appId", pa.string()), ("version", pa.int64())])),
        ("add", _ADD),
        ("remove", _REMOVE),
        ("metaData", _META),
        ("protocol", _PROTOCOL),
    ]
)


def checkpoint(
    lake: Lake, actions: Sequence[Json], *, version: int | None = None, parts: int = 1, pointer: bool = True
) -> list[Path]:
    """Write a classic checkpoint of ``actions``, in ``parts`` files."""
    version = lake.version if version is None else version
    files = []
    for part in range(parts):
        name = (
            f"{version:020d}.checkpoint.parquet"
            if parts == 1
            else f"{version:020d}.checkpoint.{part + 1:010d}.{parts:010d}.parquet"
        )
        pq.write_table(pa.Table.from_pylist(list(actions[part::parts]), schema=CHECKPOINT), lake.log / name)
        files.append(lake.log / name)
    if pointer:
        made = {"version": version, "size": len(actions)} | ({"parts": parts} if parts > 1 else {})
        (lake.log / "_last_checkpoint").write_text(json.dumps(made))
    return files


# -- what readers say


def key(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values such that Python orders and equals them as SQL does: NaN is the greatest number, and one."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in key(chunk)]
    type = array.type
    if pa.types.is_timestamp(type):
        return array.cast(pa.timestamp("us", type.tz)).cast(pa.int64()).to_pylist()
    if pa.types.is_date(type):
        return array.cast(pa.int32()).to_pylist()
    if pa.types.is_floating(type):
        return [None if v is None else (math.isnan(v), 0 if math.isnan(v) else v) for v in array.to_pylist()]
    return array.to_pylist()


def is_scalar(type: pa.DataType) -> bool:
    """True for what can be compared."""
    return not pa.types.is_nested(type)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<>": lambda one, other: one != other,
}


def wrong(
    con: deltasql.Connection, source: str, expected: pa.Table, *, thorough: bool = False, brief: bool = False
) -> list[str]:
    """How the answers about the table ``source`` differ from those that its rows, ``expected``, ask for.

    ``expected`` has a column ``id`` that tells rows apart. Raises what a query raises.
    """
    found: list[str] = []

    def differs(what: str, got: Any, want: Any) -> None:
        if got != want:
            found.append(f"{what}: {_brief(got)} instead of {_brief(want)}")

    known = expected["id"].to_pylist()

    def compare(where: str, holds: Callable[[int], bool], *params: Any) -> None:
        query = con.sql(f"SELECT id FROM {source} WHERE {where}", list(params))
        want = [id for row, id in enumerate(known) if holds(row)]
        differs(
            f"{where} {[str(param)[:40] for param in params]}",
            sorted(map(str, query.to_arrow()["id"].to_pylist())),
            sorted(map(str, want)),
        )

    table = con.sql(f"SELECT * FROM {source}").to_arrow()
    differs("SELECT *", canonical.rows(table), canonical.rows(expected))
    differs("schema", _schema(table), _schema(expected))
    differs("count(*)", con.sql(f"SELECT count(*) FROM {source}").fetchall(), [(len(known),)])
    if brief:
        return found
    ends, wanted = [], []
    for name, type in zip(expected.column_names, expected.schema.types, strict=True):
        column = quote(name)
        nulls = expected[name].is_null().to_pylist()
        compare(f"{column} IS NULL", nulls.__getitem__)
        if thorough:
            compare(f"{column} IS NOT NULL", lambda row, nulls=nulls: not nulls[row])
        if pa.types.is_nested(type) or thorough:
            got = con.sql(f"SELECT {column} FROM {source}").to_arrow()
            differs(f"SELECT {name}", canonical.rows(got), canonical.rows(expected.select([name])))
        if pa.types.is_nested(type) or not known:
            continue
        keys = key(expected[name])
        present = sorted((row for row, null in enumerate(nulls) if not null), key=lambda row: keys[row])
        asked = _asked(present, keys, thorough=thorough)
        for one, operator in asked[:1] if name == "id" and not thorough else asked:
            holds = _COMPARE[operator]
            compare(f"{column} {operator} ?",
                    lambda row, holds=holds, keys=keys, one=one: keys[row] is not None and holds(keys[row], keys[one]),
                    expected[name][one])  # fmt: skip
        ends += [f"min({column})", f"max({column})", f"count({column})"]
        wanted += [*([keys[present[0]], keys[present[-1]]] if present else [None, None]), len(present)]
        if name != "id" or thorough:
            groups = con.sql(f"SELECT {column}, count(*) FROM {source} GROUP BY {column}").to_arrow()
            counts = dict(zip(key(groups.column(0)), groups.column(1).to_pylist(), strict=True))
            differs(f"GROUP BY {name}", counts, {value: keys.count(value) for value in keys})
    if ends:
        answer = con.sql(f"SELECT {', '.join(ends)} FROM {source}").to_arrow()
        differs(f"{ends}", [key(c)[0] for c in answer.columns], wanted)
    return found


def _asked(present: Sequence[int], keys: Sequence[Any], *, thorough: bool) -> list[tuple[int, str]]:
    """The rows whose values a column is compared with, and how."""
    if thorough:
        return [(row, operator) for row in present for operator in _COMPARE]
    asked = [(present[0], operator) for operator in ("=", ">", "<>")] if present else []
    if present and keys[present[0]] != keys[present[-1]]:
        asked += [(present[-1], "="), (present[-1], "<")]
    return asked


def _schema(table: pa.Table) -> dict[str, str]:
    """The types by name, without what Arrow says of the inside of lists."""
    return {
        child.name: str(child.type).replace("<item:", "<element:").replace(" not null", "") for child in table.schema
    }


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 240 else text[:160] + " … " + text[-60:]


def check(con: deltasql.Connection, source: str, expected: pa.Table, reader: str, *, brief: bool = False) -> None:
    """Ask ``source`` everything through ``reader``, which may refuse it where it is forced.

    ``auto`` takes one of the others, so it is asked for the rows and their number only.
    """
    con.sql(f"SET deltasql.reader = '{reader}'")
    try:
        found = wrong(con, source, expected, brief=brief or reader == "auto")
    except deltasql.NotSupportedError as error:
        refused = f"can't be read by `{reader}`" in str(error) or (reader == "scan" and "delta-rs can't" in str(error))
        if reader == "auto" or not refused:
            raise
        return
    assert found == [], reader


# -- collections of tables, one a module

Make = Callable[[Lake], pa.Table]
Tables = dict[str, Make]
"""What makes each table, and gives its rows; they have a column ``id`` that tells them apart."""
Gaps = Mapping[tuple[str, str], str]
"""Table and reader to what is wrong today."""


def registering(tables: Tables) -> Callable[[Make], Make]:
    """A decorator that puts a function into ``tables``."""

    def register(make: Make) -> Make:
        tables[make.__name__] = make
        return make

    return register


def cases(tables: Tables, gaps: Gaps | None = None) -> list[object]:
    """A case for each table with the readers that read it; one for each that doesn't, strict."""
    found: list[object] = []
    for name in tables:
        wrong_by = {reader: reason for (table, reader), reason in (gaps or {}).items() if table == name}
        found.append(pytest.param(name, [reader for reader in READERS if reader not in wrong_by], id=name))
        for reader, reason in wrong_by.items():
            mark = pytest.mark.xfail(strict=True, reason=reason)
            found.append(pytest.param(name, [reader], id=f"{name}-{reader}", marks=mark))
    return found


_MADE: dict[tuple[str, str], pa.Table] = {}


def made(con: deltasql.Connection, tables: Tables, name: str) -> pa.Table:
    """The rows of a table, which is made below the root of ``con`` if it isn't there."""
    key = str(con.root), name
    if key not in _MADE:
        _MADE[key] = tables[name](Lake(Path(con.root) / name))
    return _MADE[key]


def check_table(con: deltasql.Connection, tables: Tables, name: str, readers: Iterable[str]) -> None:
    """Ask a table everything through each of ``readers``."""
    for reader in readers:
        # Features that a reader passes over leave the rows alone; the dataset skips nothing by the log's statistics.
        brief = name.startswith("feature") or (
            reader == "dataset" and name.startswith(("statistics", "partition_many"))
        )
        check(con, name, made(con, tables, name), reader, brief=brief)


def duckdb_differs(con: deltasql.Connection, tables: Tables, folder: Path, without: Iterable[str] = ()) -> list[str]:
    """The tables of which DuckDB says something else; its extensions are put into ``folder``."""
    from duckdb_extensions import import_extension

    differ = []
    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as duck:
        duck.execute("SET extension_directory = ?", [str(folder)])
        import_extension("delta", con=duck)
        duck.load_extension("delta")
        for name in tables.keys() - set(without):
            if name.startswith(("statistics", "feature", "partition_many")):
                continue  # Nothing in them is about rows.
            expected = made(con, tables, name)
            theirs = duck.execute(f"SELECT * FROM delta_scan('{Path(con.root) / name}')").to_arrow_table()
            if canonical.rows(theirs.select(expected.column_names)) != canonical.rows(expected):
                differ.append(name)
    return differ
