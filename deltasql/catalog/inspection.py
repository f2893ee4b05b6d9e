"""What the log says of a table: its commits and its files, as Arrow tables.

Both are read from the log itself. delta-rs's list of files has no deletion vectors, statistics by physical
names, and fails on some tables whose rows it reads.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from deltasql.catalog.log import Commit, commit_info, commits
from deltasql.catalog.recorded import live
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import StorageError, brief

_INSTANT = pa.timestamp("us", "UTC")
_STRINGS = pa.map_(pa.string(), pa.string())
_JOB = pa.struct([(name, pa.string()) for name in ("jobId", "jobName", "runId", "jobOwnerId", "triggerType")])
HISTORY = pa.schema(
    [
        ("version", pa.int64()),
        ("timestamp", _INSTANT),
        ("userId", pa.string()),
        ("userName", pa.string()),
        ("operation", pa.string()),
        ("operationParameters", _STRINGS),
        ("job", _JOB),
        ("notebook", pa.struct([("notebookId", pa.string())])),
        ("clusterId", pa.string()),
        ("readVersion", pa.int64()),
        ("isolationLevel", pa.string()),
        ("isBlindAppend", pa.bool_()),
        ("operationMetrics", _STRINGS),
        ("userMetadata", pa.string()),
        ("engineInfo", pa.string()),
    ]
)
"""The columns of DESCRIBE HISTORY (Delta Lake documentation, "Retrieve Delta table history")."""

FILES = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("rows", pa.int64()),
        ("partition_values", _STRINGS),
        ("min_values", _STRINGS),
        ("max_values", _STRINGS),
        ("null_counts", pa.map_(pa.string(), pa.int64())),
        ("modification_time", _INSTANT),
        (
            "deletion_vector",
            pa.struct(
                [
                    ("storage_type", pa.string()),
                    ("path_or_inline", pa.string()),
                    ("offset", pa.int32()),
                    ("size_in_bytes", pa.int32()),
                    ("cardinality", pa.int64()),
                ]
            ),
        ),
    ]
)
"""The columns of `files` (Delta protocol, "Add File and Remove File", "Per-file Statistics")."""


# -- commits


def history(snapshot: Snapshot, limit: int | None = None) -> pa.Table:
    """The commits up to the snapshot's version whose log entry is still there, the newest first.

    Columns `HISTORY`; all but version and timestamp are NULL where the writer said nothing. ``limit`` is the most
    rows. Raises `StorageError` for an entry that can't be read.
    """
    known = [commit for commit in commits(snapshot.location, snapshot.properties) if commit.version <= snapshot.version]
    rows = [_commit(snapshot, commit) for commit in known[::-1][:limit]]
    return pa.Table.from_pylist(rows, schema=HISTORY)


def _commit(snapshot: Snapshot, commit: Commit) -> dict[str, Any]:
    info = commit_info(snapshot.location, commit.version)
    row = {field.name: _typed(info.get(field.name), field.type) for field in HISTORY}
    return row | {"version": commit.version, "timestamp": commit.time}


def _typed(value: Any, type: pa.DataType) -> Any:
    """A value of a commitInfo, in which writers are free, as ``type``; None where it can't be that."""
    if value is None:
        return None
    if pa.types.is_map(type):
        return [(key, _text(item)) for key, item in value.items()] if isinstance(value, dict) else None
    if pa.types.is_struct(type):
        return {field.name: _text(value.get(field.name)) for field in type} if isinstance(value, dict) else None
    if pa.types.is_boolean(type):
        return {"true": True, "false": False}.get(str(value).lower())
    if pa.types.is_integer(type):
        found = re.fullmatch(r"-?\d{1,18}", str(value))
        return int(found[0]) if found else None
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


# -- files


def files(snapshot: Snapshot) -> pa.Table:
    """A row per data file of the snapshot, by path; the columns are `FILES`.

    ``path`` is the log's, decoded: relative to the table's folder, or absolute. ``rows`` are those a deletion vector
    leaves, NULL where the log doesn't tell. The keys of the maps are the names of columns (logical ones), for
    statistics ``outer.inner`` for a field of a struct; the values are text as the log has it. A partition value of
    '' is NULL (Delta protocol, "Partition Value Serialization"). Raises `StorageError` for a log that can't be read.
    """
    names = _logical(json.loads(snapshot.table.schema().to_json())["fields"])
    try:
        rows = [_file(add, names) for add in live(snapshot)]
        rows.sort(key=lambda row: row["path"])
        return pa.Table.from_pylist(rows, schema=FILES)
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise StorageError(f"the log of `{snapshot.name}` can't be read: {brief(error)}") from error


_Names = Mapping[str, tuple[str, "_Names"]]
"""Physical name → logical name, and the same of the fields below."""


def _logical(fields: Iterable[Mapping[str, Any]]) -> _Names:
    found: dict[str, tuple[str, _Names]] = {}
    for field in fields:
        type = field["type"]
        below = _logical(type["fields"]) if isinstance(type, dict) and type.get("type") == "struct" else {}
        physical = (field.get("metadata") or {}).get("delta.columnMapping.physicalName", field["name"])
        found[physical] = (field["name"], below)
    return found


def _file(add: Mapping[str, Any], names: _Names) -> dict[str, Any]:
    statistics = _statistics(add)
    vector = add.get("deletionVector")
    partition = dict(add["partitionValues"] or {})
    rows = statistics.get("numRecords")
    if rows is not None:
        rows = int(rows) - (0 if vector is None else vector["cardinality"])
    return {
        "path": unquote(add["path"]),
        "size": add.get("size"),
        "rows": rows,
        "partition_values": [(name, partition[key] or None) for key, (name, _) in names.items() if key in partition],
        "min_values": _flat(statistics.get("minValues"), names),
        "max_values": _flat(statistics.get("maxValues"), names),
        "null_counts": _flat(statistics.get("nullCount"), names, count=True),
        "modification_time": _instant(add.get("modificationTime")),
        "deletion_vector": None
        if vector is None
        else {
            "storage_type": vector["storageType"],
            "path_or_inline": vector["pathOrInlineDv"],
            "offset": vector.get("offset"),
            "size_in_bytes": vector["sizeInBytes"],
            "cardinality": vector["cardinality"],
        },
    }


def _statistics(add: Mapping[str, Any]) -> dict[str, Any]:
    """The statistics of a file, numbers as the text they were written in; those of a checkpoint may be a struct."""
    stats = add.get("stats")
    try:
        found = _read_exactly(stats) if stats else add.get("stats_parsed")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


_read_exactly = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def _flat(values: Any, names: _Names, *, count: bool = False) -> list[tuple[str, Any]] | None:
    if not isinstance(values, dict):
        return None
    return [(name, int(value) if count else _shown(value)) for name, value in _leaves(values, names)]


def _leaves(values: Mapping[str, Any], names: _Names, above: str = "") -> Iterator[tuple[str, Any]]:
    for key, (name, below) in names.items():
        value = values.get(key)
        if isinstance(value, dict):
            yield from _leaves(value, below, f"{above}{name}.")
        elif value is not None:
            yield above + name, value


def _shown(value: Any) -> str | None:
    """A value as JSON statistics have it; those of a checkpoint's struct come as Python's objects."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return _text(value)


def _instant(milliseconds: int | None) -> pa.Scalar | None:
    return None if milliseconds is None else pa.scalar(milliseconds * 1000, _INSTANT)
