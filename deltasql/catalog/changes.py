"""A table's change data feed: the rows that its commits brought, changed and took away.

Read from the log, commit by commit (Delta protocol, "Add CDC File"): where a commit has ``cdc`` actions, their
files alone tell; else the files that it added and removed with ``dataChange``, and of a file whose deletion
vector it changed, the rows in which the two differ. delta-rs's ``load_cdf`` stays out of it: it finds no file
whose path is encoded in the log, refuses column mapping, wraps INT96, and recasts what a replaced column held.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import Schema

from deltasql.catalog.columns import (
    FEATURES,
    batches,
    mapping,
    nullable,
    opened,
    padded,
    partition_value,
    stored_name,
    widens,
)
from deltasql.catalog.log import actions, commits, entry, version_range
from deltasql.catalog.snapshot import Snapshot, open_snapshot, version_at
from deltasql.errors import (
    InternalError,
    NotSupportedError,
    PlanError,
    StorageError,
    UnsupportedTableFeature,
    VersionNotFound,
)
from deltasql.storage.objects import Location

CHANGE_TYPE, COMMIT_VERSION, COMMIT_TIMESTAMP = ADDED = ("_change_type", "_commit_version", "_commit_timestamp")

_TYPES = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
_ADDED = {name: pa.field(name, type) for name, type in zip(ADDED, _TYPES, strict=True)}
_READ = FEATURES | {"variantType"}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of which rows are changes: ``change`` says what they are, or None where its rows do (a cdc file).

    ``was`` is None if the table didn't have it before the commit, ``now`` if it doesn't after; else whether a
    deletion vector applies.
    """

    path: Location
    partition: Mapping[str, str | None]
    change: str | None = None
    was: bool | None = None
    now: bool | None = None


@dataclass(frozen=True, slots=True)
class _Commit:
    """What a commit changed, and its ``metaData`` action if it has one."""

    version: int
    files: tuple[_File, ...]
    metadata: Mapping[str, Any] | None


@dataclass(frozen=True, eq=False)
class Changes:
    """The changes that the commits ``first`` to ``last`` made to a table; none where ``first`` is past ``last``.

    ``schema`` is the table's at ``last``, nullable throughout (a change may be older than a column or a
    constraint), and `ADDED`: string, int64, timestamp[us, UTC].
    """

    snapshot: Snapshot
    first: int
    last: int
    schema: pa.Schema
    times: Mapping[int, dt.datetime]
    commits: tuple[_Commit, ...]

    @property
    def name(self) -> str:
        """The table's name."""
        return self.snapshot.name

    @property
    def files(self) -> tuple[Location, ...]:
        """The files that hold the changes."""
        return self.files_of(self.first, self.last)

    def files_of(self, first: int, last: int) -> tuple[Location, ...]:
        """The files that hold the changes of the commits ``first`` to ``last``."""
        return tuple(dict.fromkeys(file.path for commit in self._between(first, last) for file in commit.files))

    def read(self, columns: list[str], first: int | None = None, last: int | None = None) -> Iterator[pa.RecordBatch]:
        """The changes by commit, of each only ``columns``, of the commits ``first`` to ``last`` where given.

        Without columns the batches have rows all the same. Raises `StorageError` for a file that can't be read.
        """
        wanted = pa.schema([self.schema.field(name) for name in columns])
        for commit in self._between(first, last):
            yield from self._commit(commit, wanted)

    def _between(self, first: int | None, last: int | None) -> Iterator[_Commit]:
        for commit in self.commits:
            if (first is None or first <= commit.version) and (last is None or commit.version <= last):
                yield commit

    def _commit(self, commit: _Commit, wanted: pa.Schema) -> Iterator[pa.RecordBatch]:
        before = _at(self.snapshot, commit.version - 1).live_rows if any(file.was for file in commit.files) else {}
        after = _at(self.snapshot, commit.version).live_rows if any(file.now for file in commit.files) else {}
        known = {
            COMMIT_VERSION: pa.scalar(commit.version, pa.int64()),
            COMMIT_TIMESTAMP: pa.scalar(self.times[commit.version], pa.timestamp("us", "UTC")),
        }
        for file in commit.files:
            change = {} if file.change is None else {CHANGE_TYPE: pa.scalar(file.change, pa.string())}
            with opened(file.path, f", which holds changes of `{self.name}`,") as parquet:
                chosen = _chosen(file, parquet.metadata.num_rows, before, after)
                yield from _batches(self.snapshot, file, parquet, wanted, known | change, chosen)


def changes(snapshot: Snapshot, start: int | dt.datetime, end: int | dt.datetime | None = None) -> Changes:
    """The changes of the commits from ``start`` to ``end`` (or the latest that ``snapshot`` knows), both included.

    A time (with a zone) starts at the first commit at or after it, and ends with the last at or before it.
    Raises `PlanError` where the end is before the start, `VersionNotFound` for commits that there are not or whose
    log entries or files are gone, and `NotSupportedError` where the feed was off in one of them.
    """
    oldest = _oldest(snapshot)
    first, last = _versions(snapshot, start, end, oldest)
    there = _at(snapshot, last)
    schema = pa.schema([*(nullable(field) for field in there.schema), *_ADDED.values()])
    _check_readable(there)
    found = tuple(_read_commit(there, version) for version in range(first, last + 1))
    if found:
        _check_metadata(snapshot, there, found)
        _check_files(there, found)
    times = {commit.version: commit.time for commit in commits(snapshot.location, snapshot.properties)}
    return Changes(there, first, last, schema, times, found)


def _at(snapshot: Snapshot, version: int) -> Snapshot:
    return snapshot if snapshot.version == version else open_snapshot(snapshot.name, snapshot.location, version)


# -- which commits


def _oldest(snapshot: Snapshot) -> int:
    """The first version from which on all log entries are there, and whose table can be told."""
    oldest, least = snapshot.version, version_range(snapshot.location)[0]
    while oldest > least and entry(snapshot.location, oldest - 1).exists():
        oldest -= 1
    return oldest


def _versions(
    snapshot: Snapshot, start: int | dt.datetime, end: int | dt.datetime | None, oldest: int
) -> tuple[int, int]:
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime) and end < start:
        raise PlanError(f"the changes of `{snapshot.name}` would end ({_text(end)}) before they start ({_text(start)})")
    if isinstance(end, int):
        last = _known(snapshot, end, oldest)
    else:
        last = snapshot.version if end is None else min(version_at(snapshot, end), snapshot.version)
    first = _known(snapshot, start, oldest) if isinstance(start, int) else _first_since(snapshot, start, oldest)
    none = first == last + 1 and isinstance(start, dt.datetime) and isinstance(end, dt.datetime)
    if last < first and not none:
        raise PlanError(f"the changes of `{snapshot.name}` would end (version {last}) before they start ({first})")
    return first, last


def _text(time: dt.datetime) -> str:
    return time.isoformat(sep=" ")


def _known(snapshot: Snapshot, version: int, oldest: int) -> int:
    if 0 <= version < oldest:
        message = f"the log of `{snapshot.name}` no longer tells what version {version} changed"
        raise VersionNotFound(message, hint=f"it has the changes of versions {oldest} to {snapshot.version}")
    if not oldest <= version <= snapshot.version:
        message = f"`{snapshot.name}` has no version {version}"
        raise VersionNotFound(message, hint=f"it has the changes of versions {oldest} to {snapshot.version}")
    return version


def _first_since(snapshot: Snapshot, time: dt.datetime, oldest: int) -> int:
    """The first commit at or after ``time``."""
    found = commits(snapshot.location, snapshot.properties)
    known = [commit for commit in found if oldest <= commit.version <= snapshot.version]
    if not known:
        raise VersionNotFound(f"the log of `{snapshot.name}` no longer tells what its commits changed")
    range_ = f"its commits are from {_text(known[0].time)} to {_text(known[-1].time)}"
    if time > known[-1].time:
        raise VersionNotFound(f"`{snapshot.name}` has no commit since {_text(time)}", hint=range_)
    if oldest > 0 and time < known[0].time:
        message = f"the log of `{snapshot.name}` no longer tells all that changed since {_text(time)}"
        raise VersionNotFound(message, hint=range_)
    return next(commit.version for commit in known if commit.time >= time)


# -- what a commit did


def _actions(snapshot: Snapshot, version: int) -> dict[str, list[dict[str, Any]]]:
    """The actions of a commit that matter here, by kind. Raises `StorageError` for an entry that can't be read."""
    found: dict[str, list[dict[str, Any]]] = {"add": [], "remove": [], "cdc": [], "metaData": []}
    try:
        for action in actions(entry(snapshot.location, version)):
            for kind in found.keys() & action.keys():
                found[kind].append(action[kind])
    except FileNotFoundError as error:
        raise VersionNotFound(f"the log of `{snapshot.name}` no longer tells what version {version} changed") from error
    return found


def _read_commit(snapshot: Snapshot, version: int) -> _Commit:
    found = _actions(snapshot, version)
    return _Commit(version, tuple(_files(snapshot, version, found)), next(iter(found["metaData"]), None))


def _files(snapshot: Snapshot, version: int, found: Mapping[str, list[dict[str, Any]]]) -> Iterator[_File]:
    if found["cdc"]:
        yield from (
            _File(snapshot.file(action["path"]), action.get("partitionValues") or {}) for action in found["cdc"]
        )
        return
    removes, adds = (
        {snapshot.file(action["path"]): action for action in found[kind] if action.get("dataChange", True)}
        for kind in ("remove", "add")
    )
    for path in dict.fromkeys([*removes, *adds]):
        was, now = (_is_masked(actions[path]) if path in actions else None for actions in (removes, adds))
        if (was, now) == (False, False):
            continue  # Only what the log says of the file has changed.
        partition = (adds if path in adds else removes)[path].get("partitionValues")
        if partition is None:
            partition = _partition_before(snapshot, version, path)
        if was is not None:
            yield _File(path, partition, "delete", was, now)
        if now is not None:
            yield _File(path, partition, "insert", was, now)


def _is_masked(action: Mapping[str, Any]) -> bool:
    return bool((action.get("deletionVector") or {}).get("cardinality"))


def _partition_before(snapshot: Snapshot, version: int, path: Location) -> Mapping[str, str | None]:
    """The partition values of a file removed by a writer that didn't repeat them."""
    if not snapshot.partition_columns:
        return {}
    before = _at(snapshot, version - 1)
    values = before.partition_values.get(path)
    if values is None:
        raise StorageError(f"version {version} of `{snapshot.name}` removes `{path}`, which it doesn't have")
    stored = [stored_name(before.schema.field(name), mapping(before.properties)) for name in before.partition_columns]
    texts = (value.cast(pa.string()).as_py() for value in values)
    return dict(zip(stored, texts, strict=True))


# -- what can't be told


def _check_readable(snapshot: Snapshot) -> None:
    beyond = sorted(snapshot.reader_features - _READ)
    if beyond:
        raise UnsupportedTableFeature(f"the changes of `{snapshot.name}` can't be read: it has {', '.join(beyond)}")
    own = next((name for name in snapshot.schema.names if name in ADDED), None)
    if own is not None:
        raise NotSupportedError(f"`{snapshot.name}` has a column `{own}` of its own, which its changes would hide")


def _check_metadata(snapshot: Snapshot, there: Snapshot, found: tuple[_Commit, ...]) -> None:
    """Raise where the feed was off, or columns were what can't be shown as what they are ``there``, at the end."""
    first = _at(snapshot, found[0].version)
    states = {first.version: (first.properties, first.schema)}
    for commit in found[1:]:
        if commit.metadata is not None:
            schema = Schema.from_json(commit.metadata["schemaString"])
            states[commit.version] = commit.metadata.get("configuration") or {}, pa.schema(schema.to_arrow())
    off = next((version for version, (properties, _) in states.items() if not _is_on(properties)), None)
    if off is not None:
        raise _off(snapshot, first.version, off)
    for version, (properties, schema) in states.items():
        _check_columns(there, version, properties, schema)


def _is_on(properties: Mapping[str, str]) -> bool:
    return properties.get("delta.enableChangeDataFeed", "").lower() == "true"


def _off(snapshot: Snapshot, first: int, version: int) -> NotSupportedError:
    """The error of a range from ``first`` on in which the feed was off at ``version``."""
    last_off, on = version, False
    for later in range(version + 1, snapshot.version + 1):
        for metadata in _actions(snapshot, later)["metaData"]:
            on = _is_on(metadata.get("configuration") or {})
        last_off = last_off if on else later
    hint = "the table property `delta.enableChangeDataFeed` turns it on for the commits to come"
    if on:
        hint = f"it is on since version {last_off + 1}"
    elif version > first:
        hint = f"end at version {version - 1}"
    return NotSupportedError(f"the change data feed of `{snapshot.name}` was off at version {version}", hint=hint)


def _check_columns(snapshot: Snapshot, version: int, properties: Mapping[str, str], schema: pa.Schema) -> None:
    old, new = mapping(properties), mapping(snapshot.properties)
    message = f"the changes of `{snapshot.name}` from version {version} on can't be shown as of {snapshot.version}"
    hint = f"read those before version {snapshot.version} on their own"
    if old != "none" and new == "none":
        raise UnsupportedTableFeature(f"{message}: its column mapping was dropped", hint=hint)
    was = {stored_name(field, old): field for field in schema}
    for field in snapshot.schema:
        before = was.get(stored_name(field, new))
        if before is not None and not widens(before.type, field.type, old, new):
            why = f"its column `{field.name}` was {before.type} and is {field.type}"
            raise UnsupportedTableFeature(f"{message}: {why}", hint=hint)


def _check_files(snapshot: Snapshot, found: tuple[_Commit, ...]) -> None:
    for commit in reversed(found):
        gone = next((file.path for file in commit.files if not file.path.exists()), None)
        if gone is not None:
            there = found[-1].version > commit.version
            raise VersionNotFound(
                f"what version {commit.version} of `{snapshot.name}` changed is gone: `{gone}` isn't there any more",
                hint=f"its changes from version {commit.version + 1} on are" if there else None,
            )


# -- a file's rows


def _chosen(
    file: _File, rows: int, before: Mapping[Location, pa.BooleanArray], after: Mapping[Location, pa.BooleanArray]
) -> pa.BooleanArray | None:
    """Which rows of a file have changed: those that it had before and hasn't now, or the other way round."""
    if not file.was and not file.now:
        return None
    was = _had(file.path, rows, before, masked=file.was)
    now = _had(file.path, rows, after, masked=file.now)
    return pc.and_not(was, now) if file.change == "delete" else pc.and_not(now, was)


def _had(
    path: Location, rows: int, masks: Mapping[Location, pa.BooleanArray], *, masked: bool | None
) -> pa.BooleanArray:
    if not masked:
        return pa.repeat(pa.scalar(masked is not None), rows)
    if path not in masks:
        raise InternalError(f"no deletion vector was found for `{path}`")
    return padded(masks[path], rows)


def _batches(
    snapshot: Snapshot,
    file: _File,
    parquet: pq.ParquetFile,
    wanted: pa.Schema,
    known: Mapping[str, pa.Scalar],
    chosen: pa.BooleanArray | None,
) -> Iterator[pa.RecordBatch]:
    """The rows ``chosen`` (or all), of each the columns ``wanted``; ``known`` are those that aren't in the file."""
    mode, known = mapping(snapshot.properties), dict(known)
    fields = [_ADDED[name] if name in _ADDED else snapshot.schema.field(name) for name in wanted.names]
    for field in fields:
        if (name := stored_name(field, mode)) in file.partition and field.name not in _ADDED:
            known[field.name] = partition_value(file.partition[name], field.type)
    if CHANGE_TYPE in wanted.names and CHANGE_TYPE not in known and CHANGE_TYPE not in parquet.schema_arrow.names:
        raise StorageError(f"`{file.path}` doesn't say what its changes are")
    yield from batches(parquet, fields, mode, known, chosen=chosen)
