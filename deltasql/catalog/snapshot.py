"""A Delta table at one version, and the versions there are.

A snapshot never moves: a newer version is another snapshot, so whatever holds one goes on reading the same
rows. Opening is the only step that touches the log; the cache compares two file stamps per statement.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from deltasql.errors import (
    Error,
    NotSupportedError,
    StorageError,
    TableNotFound,
    UnsupportedTableFeature,
    VersionNotFound,
)

Fields: TypeAlias = Mapping[str, "Fields"]

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A table at ``version``; ``table`` is delta-rs's handle, which nobody moves."""

    name: str
    location: Path
    table: DeltaTable
    version: int

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns as Arrow types of the Delta schema (no view types)."""
        return pa.schema(self.table.schema().to_arrow())

    @cached_property
    def fields(self) -> Fields:
        """The columns' names, each with the names of the fields below it."""
        return _fields(self.schema)

    @cached_property
    def partition_columns(self) -> tuple[str, ...]:
        """The names of the partition columns, in order."""
        return tuple(self.table.metadata().partition_columns)

    @cached_property
    def properties(self) -> dict[str, str]:
        """The table's properties (the ``configuration`` of its metadata)."""
        return dict(self.table.metadata().configuration)

    @cached_property
    def reader_features(self) -> frozenset[str]:
        """What a reader must know to read it, in the protocol's names (reader version 2 is ``columnMapping``)."""
        protocol = self.table.protocol()
        legacy = {"columnMapping"} if protocol.min_reader_version == 2 else set()
        if self.properties.get("delta.columnMapping.mode", "none") != "none":
            legacy = {"columnMapping"}
        return frozenset(legacy | set(protocol.reader_features or ()))

    @cached_property
    def features_in_use(self) -> frozenset[str]:
        """``reader_features`` but for deletion vectors where no file has one."""
        features = self.reader_features
        if (
            "deletionVectors" in features
            and pa.RecordBatchReader.from_stream(self.table.deletion_vectors()).read_all().num_rows == 0
        ):
            features -= {"deletionVectors"}
        return features

    @cached_property
    def adds(self) -> pa.Table:
        """What the log says of each data file.

        Columns ``path``, ``size_bytes``, ``num_records``, and by column name ``partition.x``, ``min.x``, ``max.x``,
        ``null_count.x``.
        """
        return pa.table(self.table.get_add_actions(flatten=True))

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The data files, in the order of ``adds``."""
        return tuple(self._file(unquote(path)) for path in self.adds["path"].to_pylist())

    def _file(self, path: str) -> Path:
        """A path of the log: below the table's folder, unless it is absolute (shallow clones)."""
        if path.startswith("file:"):
            path = "/" + path[5:].lstrip("/")
        return self.location / path

    @cached_property
    def partition_values(self) -> dict[Path, tuple[pa.Scalar, ...]]:
        """The partition values of each file, in the order of ``partition_columns``."""
        columns = [self.adds[f"partition.{name}"] for name in self.partition_columns]
        return dict(zip(self.files, zip(*columns, strict=True), strict=True))

    @property
    def is_latest(self) -> bool:
        """True as long as no newer version has been committed."""
        return version_range(self.location)[1] == self.version


def _fields(schema: pa.Schema | pa.StructType) -> Fields:
    return {field.name: _below(field.type) for field in schema}


def _below(type: pa.DataType) -> Fields:
    if pa.types.is_struct(type):
        return _fields(type)
    if pa.types.is_map(type):
        return _below(type.item_type)
    return _below(type.value_type) if pa.types.is_list(type) or pa.types.is_large_list(type) else {}


def require_plain(location: Path) -> None:
    """Raise `NotSupportedError` for a path that delta-rs takes for another one."""
    odd = next((sign for sign in str(location) if sign in "%\\" or ord(sign) < 32), None)
    if odd is not None:
        raise NotSupportedError(f"a table's path can't hold {odd!r}: `{location}`", hint="rename the folder")


def is_table(location: Path) -> bool:
    """True if ``location`` holds a Delta log."""
    return (location / "_delta_log").is_dir()


def open_snapshot(name: str, location: Path, version: int | None = None) -> Snapshot:
    """Open the table at ``location``, at ``version`` or the latest.

    Raises `TableNotFound` where there is none, `VersionNotFound`, `UnsupportedTableFeature`, and
    `StorageError` for a log that can't be read.
    """
    require_plain(location)
    if not is_table(location):
        why = "it has no `_delta_log`" if location.is_dir() else "there is no such folder"
        raise TableNotFound(f"`{location}` is no Delta table: {why}")
    if version is not None:
        _check_version(name, location, version)
    try:
        table = DeltaTable(str(location), version=version)
    except (DeltaError, OSError, ValueError) as error:
        raise _open_error(name, location, error) from error
    return Snapshot(name, location, table, table.version())


def _check_version(name: str, location: Path, version: int) -> None:
    first, last = version_range(location)
    if not first <= version <= last:
        raise VersionNotFound(f"`{name}` has no version {version}", hint=f"it has versions {first} to {last}")


def _open_error(name: str, location: Path, error: Exception) -> Error:
    message = brief(error)
    if isinstance(error, TableNotFoundError):
        return TableNotFound(f"`{location}` is no Delta table: its `_delta_log` is empty")
    if re.search(r"[Uu]nsupported.*([Ff]eature|table type)|catalog-managed", message):
        return UnsupportedTableFeature(f"`{name}` can't be read: {message}")
    return StorageError(f"the log of `{name}` can't be read: {message}")


def brief(error: BaseException) -> str:
    """The first line of a library's message, without the backtrace that may follow it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__


# -- versions


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in the log: its version and time (the in-commit timestamp where the table has it)."""

    version: int
    time: dt.datetime


def version_range(location: Path) -> tuple[int, int]:
    """The first and last version that can be read: all those with a checkpoint or the whole log before them."""
    names = _log_names(location)
    commits = sorted(int(found[1]) for name in names if (found := _COMMIT.fullmatch(name)))
    checkpoints = sorted(int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name)))
    last = max([*commits, *checkpoints], default=0)
    if commits and commits[0] == 0:
        return 0, last
    return (checkpoints[0] if checkpoints else commits[0] if commits else 0), last


def _log_names(location: Path) -> list[str]:
    try:
        return [entry.name for entry in (location / "_delta_log").iterdir()]
    except OSError as error:
        raise StorageError(f"the log of `{location}` can't be listed: {error.strerror}") from error


def commits(location: Path, properties: Mapping[str, str]) -> list[Commit]:
    """The commits whose log entry is still there, by version; times never go back.

    Delta protocol, "In-Commit Timestamps": without them a commit's time is its file's modification time,
    made to grow with the version.
    """
    in_commit = properties.get("delta.enableInCommitTimestamps", "").lower() == "true"
    found: list[Commit] = []
    for version, path in sorted((int(m[1]), p) for p in _log(location) if (m := _COMMIT.fullmatch(p.name))):
        time = _in_commit_time(path) if in_commit else None
        if time is None:
            time = dt.datetime.fromtimestamp(path.stat().st_mtime_ns // 1_000_000 / 1000, dt.UTC)
        if found and time <= found[-1].time:
            time = found[-1].time + dt.timedelta(milliseconds=1)
        found.append(Commit(version, time))
    return found


def _log(location: Path) -> list[Path]:
    return [location / "_delta_log" / name for name in _log_names(location)]


def _in_commit_time(path: Path) -> dt.datetime | None:
    stamp = _commit_info(path).get("inCommitTimestamp")
    return None if stamp is None else dt.datetime.fromtimestamp(stamp / 1000, dt.UTC)


def commit_info(location: Path, version: int) -> dict[str, Any]:
    """What the writer said of a commit (the ``commitInfo`` action); empty where it said nothing.

    Raises `StorageError` for an entry that can't be read.
    """
    return _commit_info(location / "_delta_log" / f"{version:020d}.json")


def _commit_info(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as log:
            actions = (json.loads(line) for line in log if line.strip())
            found: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    except (OSError, ValueError) as error:
        raise StorageError(f"`{path}` can't be read: {brief(error)}") from error
    return found


def version_at(snapshot: Snapshot, time: dt.datetime) -> int:
    """The last version committed at or before ``time``.

    Raises `VersionNotFound`, naming the range, for a time before the first commit or in the future.
    """
    known = commits(snapshot.location, snapshot.properties)
    first = version_range(snapshot.location)[0]
    known = [commit for commit in known if commit.version >= first]
    at = f"`{snapshot.name}` has no version at {time.isoformat(sep=' ')}"
    if not known:
        raise VersionNotFound(f"{at}: its log holds no commit any more")
    range_ = f"its commits are from {known[0].time.isoformat(sep=' ')} to {known[-1].time.isoformat(sep=' ')}"
    if time > dt.datetime.now(dt.UTC):
        raise VersionNotFound(f"{at}, which is in the future", hint=range_)
    before = [commit.version for commit in known if commit.time <= time]
    if not before:
        raise VersionNotFound(f"{at}, before its first commit", hint=range_)
    return before[-1]


# -- the cache


class SnapshotCache:
    """The latest snapshot of each table, reopened when the log has moved; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[Path, tuple[object, Snapshot]] = {}

    def latest(self, name: str, location: Path) -> Snapshot:
        """The table's newest snapshot; another writer's commit is seen at once."""
        with self._lock:
            held = self._latest.get(location)
        if held is not None and held[0] == _stamp(location, held[1].version):
            return held[1]
        snapshot = open_snapshot(name, location)
        stamp = _stamp(location, snapshot.version)
        if stamp is not None:
            with self._lock:
                self._latest[location] = (stamp, snapshot)
        return snapshot

    def forget(self, location: Path) -> None:
        """Drop what is held of a table."""
        with self._lock:
            self._latest.pop(location, None)


def _stamp(location: Path, version: int) -> object | None:
    """What is the same as long as ``version`` is the latest and its log entry the one that was read."""
    log = location / "_delta_log"
    if (log / f"{version + 1:020d}.json").exists():
        return None
    try:
        entry = (log / f"{version:020d}.json").stat()
    except OSError:
        return None
    return entry.st_ino, entry.st_mtime_ns, entry.st_size
