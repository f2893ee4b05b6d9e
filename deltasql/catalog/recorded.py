"""The log's own words on live files, which a commit of ours must repeat, and nobody else hands over.

Delta protocol, "Action Reconciliation": a `remove` undoes the `add` of the same path and deletion vector, letter by
letter. delta-rs gives paths decoded and encoded again, so that a `remove` made from them may match nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deltasql.catalog.columns import require_sound
from deltasql.catalog.log import actions, checkpoints, entry, folder, listing
from deltasql.errors import StorageError, brief
from deltasql.storage.files import for_arrow
from deltasql.storage.objects import Location, ObjectPath

if TYPE_CHECKING:
    from deltasql.catalog.snapshot import Snapshot

ROW_TRACKING = "delta.rowTracking"
"""The domain in which the high-water mark of row ids is kept (Delta protocol, "Row Tracking")."""

_Action = dict[str, Any]
_Chosen = Callable[[str], bool]

_COLUMNS = {
    "add": (
        "path",
        "partitionValues",
        "size",
        "modificationTime",
        "dataChange",
        "stats",
        "tags",
        "deletionVector",
        "baseRowId",
        "defaultRowCommitVersion",
        "clusteringProvider",
    ),
    "domainMetadata": ("domain", "configuration", "removed"),
    "txn": ("appId",),
}
"""What is read of a checkpoint's actions; the first is the one by which an action is chosen."""

_REMOVED = ("path", "partitionValues", "size", "tags", "deletionVector", "baseRowId", "defaultRowCommitVersion")


def recorded(snapshot: Snapshot, files: Collection[Location]) -> dict[Location, _Action]:
    """The body of the ``add`` action of each of ``files``, as the log has it but for fields that are null.

    The files are such as `Snapshot.files` has. Of a checkpoint the statistics are the JSON ones, if it has them.
    Raises `StorageError` for a file that isn't live or is so twice, and for a log that can't be read.
    """
    wanted = set(files)
    count = Counter(snapshot.files)
    twice = next((file for file in wanted if count[file] > 1), None)
    if twice is not None:
        raise StorageError(f"the log of `{snapshot.name}` has the file `{twice}` more than once")
    names = {file.name for file in wanted}
    found: dict[Location, _Action] = {}
    removed: set[object] = set()

    def chosen(path: str) -> bool:
        # A whole path costs ten times what its last part does.
        return unquote(path).rpartition("/")[2] in names and snapshot.file(path) in wanted

    if wanted:
        for kind, action in _back(snapshot, "add", chosen):
            if kind == "remove":
                removed.add(key(action))
            elif key(action) not in removed:
                found.setdefault(snapshot.file(action["path"]), action)
                if len(found) == len(wanted):
                    break
    missing = next((file for file in files if file not in found), None)
    if missing is not None:
        raise StorageError(f"the log of `{snapshot.name}` doesn't have the file `{missing}`")
    return found


def live(snapshot: Snapshot) -> Iterator[_Action]:
    """The bodies of the ``add`` actions of all live files, as the log has them but for fields that are null.

    Those of a checkpoint that lacks JSON statistics have ``stats_parsed`` instead. Raises `StorageError` for a log that
    can't be read.
    """
    settled: set[object] = set()
    for kind, action in _back(snapshot, "add", lambda _: True, parsed=True):
        if key(action) not in settled:
            settled.add(key(action))
            if kind == "add":
                yield action


def remove_of(add: Mapping[str, Any], timestamp_ms: int) -> _Action:
    """The body of the ``remove`` action that undoes ``add`` (Delta protocol, "Add File and Remove File").

    ``timestamp_ms`` is the time of the deletion, in milliseconds since 1970.
    """
    kept = {name: add[name] for name in _REMOVED if name in add}
    return {"deletionTimestamp": timestamp_ms, "dataChange": True, "extendedFileMetadata": True} | kept


def transactions(snapshot: Snapshot, chosen: Callable[[str], bool]) -> set[str]:
    """The ``appId`` of the table's transactions that are ``chosen`` by it (Delta protocol, "Transaction Identifiers").

    Raises `StorageError` for a log that can't be read.
    """
    return {action["appId"] for _, action in _back(snapshot, "txn", chosen)}


def domain(snapshot: Snapshot, name: str) -> dict[str, Any] | None:
    """The configuration of a domain, or None where there is none (Delta protocol, "Domain Metadata").

    Raises `StorageError` for one that is no JSON object, and for a log that can't be read.
    """
    for _, action in _back(snapshot, "domainMetadata", lambda found: found == name):
        if action.get("removed"):
            return None
        try:
            configuration = json.loads(action["configuration"])
        except (LookupError, TypeError, ValueError):
            configuration = None
        if not isinstance(configuration, dict):
            raise StorageError(f"the domain `{name}` of the log of `{snapshot.name}` can't be read")
        return configuration
    return None


def domains(snapshot: Snapshot) -> dict[str, str]:
    """The configurations of all domains, as the log has them (Delta protocol, "Domain Metadata").

    Raises `StorageError` for a log that can't be read.
    """
    found: dict[str, _Action] = {}
    for _, action in _back(snapshot, "domainMetadata", lambda _: True):
        found.setdefault(action["domain"], action)
    return {name: action.get("configuration", "") for name, action in found.items() if not action.get("removed")}


def row_id_mark(snapshot: Snapshot) -> int:
    """The highest row id given to a row so far; -1 where none was (Delta protocol, "Row Tracking").

    Raises `StorageError` for a log that can't be read.
    """
    for _, action in _back(snapshot, "domainMetadata", lambda domain: domain == ROW_TRACKING):
        return row_id_mark_of(action)
    return -1


def row_id_mark_of(domain: Mapping[str, Any]) -> int:
    """The mark that a ``domainMetadata`` action of row tracking sets. Raises `StorageError` for one without."""
    try:
        return -1 if domain.get("removed") else int(json.loads(domain["configuration"])["rowIdHighWaterMark"])
    except (LookupError, TypeError, ValueError) as error:
        raise StorageError(f"the domain `{ROW_TRACKING}` of the log has no high-water mark of row ids") from error


def key(action: Mapping[str, Any]) -> object:
    """What tells a file of the table from others: its path and deletion vector, letter by letter."""
    vector = action.get("deletionVector")
    if vector is None:
        return action["path"]
    return action["path"], vector["storageType"], vector["pathOrInlineDv"], vector.get("offset")


# -- the log, from its end


def _back(snapshot: Snapshot, kind: str, chosen: _Chosen, *, parsed: bool = False) -> Iterator[tuple[str, _Action]]:
    """The chosen actions of ``kind``, from the newest entry back to a checkpoint; for ``add`` the removes too.

    Of an entry the removes come last: they tell of what was there before it. ``parsed`` asks for ``stats_parsed`` too,
    where a checkpoint has no other statistics.
    """
    try:
        known, filled = _checkpoints(snapshot.location)
        for number in range(snapshot.version, -1, -1):
            files = [folder(snapshot.location) / name for name in known.get(number, ())]
            # An empty file is no checkpoint to delta-rs either.
            if files and all(map(filled, files)):
                for file in files:
                    yield from ((kind, action) for action in _checkpointed(file, kind, chosen, parsed=parsed))
                return
            found = list(actions(entry(snapshot.location, number)))
            for name in (kind, "remove") if kind == "add" else (kind,):
                for action in found:
                    body = action.get(name)
                    if body is not None and (name != kind or chosen(body[_COLUMNS[kind][0]])):
                        yield name, _without_nulls(body)
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise StorageError(f"the log of `{snapshot.name}` can't be read: {brief(error)}") from error


def _checkpoints(location: Location) -> tuple[dict[int, list[str]], Callable[[Location], bool]]:
    """The names of the checkpoints by version, and what tells whether a file of the log isn't empty."""
    if not isinstance(location, ObjectPath):
        return checkpoints(path.name for path in folder(location).iterdir()), lambda path: path.stat().st_size > 0
    listed = listing(location)
    return checkpoints(listed), lambda path: listed[path.name].st_size > 0


def _checkpointed(path: Location, kind: str, chosen: _Chosen, *, parsed: bool) -> Iterator[_Action]:
    """The chosen actions of a checkpoint's file, and of the sidecars that it names (they are all in one folder)."""
    for action in actions(path) if path.suffix == ".json" else _stored(path, kind, chosen, parsed=parsed):
        if (body := action.get(kind)) is not None and chosen(body[_COLUMNS[kind][0]]):
            yield _without_nulls(body)
        if (sidecar := action.get("sidecar")) is not None and kind == "add":
            below = path.parent / "_sidecars" / unquote(sidecar["path"]).rpartition("/")[2]
            found = _stored(below, kind, chosen, parsed=parsed)
            yield from (_without_nulls(inner[kind]) for inner in found if inner.get(kind))


def _stored(path: Location, kind: str, chosen: _Chosen, *, parsed: bool) -> Iterator[_Action]:
    """The chosen actions, and those that name sidecars, of a checkpoint's Parquet file."""
    columns = ["sidecar.path", *(f"{kind}.{name}" for name in _COLUMNS[kind])]
    with pq.ParquetFile(for_arrow(path), coerce_int96_timestamp_unit="us") as file:
        if parsed and not _has_json_statistics(file):
            columns.append("add.stats_parsed")
        for batch in file.iter_batches(columns=columns):
            # Whole actions cost a hundred times what the few chosen ones do.
            mask = [False] * batch.num_rows
            for name, key, wanted in ((kind, _COLUMNS[kind][0], chosen), ("sidecar", "path", bool)):
                if name in batch.schema.names:
                    values = batch.column(name)
                    keys = pc.struct_field(values, key).to_pylist()
                    mask = [held or (key is not None and wanted(key)) for held, key in zip(mask, keys, strict=True)]
            yield from batch.filter(pa.array(mask, pa.bool_())).to_pylist(maps_as_pydicts="strict")


def _has_json_statistics(file: pq.ParquetFile) -> bool:
    """True if every ``add`` has ``stats``, so that the costlier ``stats_parsed`` needn't be read."""
    metadata, paths = file.metadata, ("add.path", "add.stats")
    require_sound(file, paths)
    places = [at for at in range(metadata.num_columns) if metadata.schema.column(at).path in paths]
    for index in range(metadata.num_row_groups):
        columns = map(metadata.row_group(index).column, places)
        nulls = [column.statistics.null_count for column in columns if column.statistics]
        if len(nulls) < len(paths) or len(set(nulls)) > 1:
            return False
    return True


def _without_nulls(body: Mapping[str, Any]) -> _Action:
    """An action as writers leave it where nothing is to be said, which a checkpoint can't tell from null."""
    kept = {name: value for name, value in body.items() if value is not None}
    if (vector := kept.get("deletionVector")) is not None:
        kept["deletionVector"] = {name: value for name, value in vector.items() if value is not None}
    return kept
