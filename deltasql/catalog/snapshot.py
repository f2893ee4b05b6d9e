"""A Delta table at one version.

A snapshot never moves: a newer version is another snapshot, so whatever holds one goes on reading the same
rows. Opening is the only step that touches the log; the cache compares two file stamps per statement.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from deltasql.catalog import log
from deltasql.catalog.columns import mapping, stored_name
from deltasql.catalog.log import commits, entry, version_range
from deltasql.catalog.recorded import live
from deltasql.errors import (
    Error,
    NotSupportedError,
    StorageError,
    TableNotFound,
    UnsupportedTableFeature,
    VersionNotFound,
    brief,
)
from deltasql.storage.faults import fault, is_of_store
from deltasql.storage.objects import Location, ObjectPath

_MOST = 1000
"""Snapshots that are held at most of tables in stores."""

Fields: TypeAlias = Mapping[str, "Fields"]

_BOUNDS = ("min.", "max.", "null_count.")
_OTHER_STORE = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")
_WIDENED = frozenset({"typeWidening", "typeWidening-preview"})
_LAST_READER, _LAST_WRITER = 3, 7
"""The newest versions of the protocol that there are."""

_TRIES = 10
"""So often may a table be dropped and made anew while it is opened."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A table at ``version``; ``table`` is delta-rs's handle, which nobody moves.

    ``stamp`` is that of the version's entry in the log: with another, it is another table under the same name. None
    where the entry was cleaned up.
    """

    name: str
    location: Location
    table: DeltaTable
    version: int
    stamp: log.Stamp | None

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns as Arrow types of the Delta schema (no view types)."""
        return pa.schema(self.table.schema().to_arrow())

    @cached_property
    def fields(self) -> Fields:
        """The columns' names, each with the names of the fields below it."""
        return fields(self.schema)

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
        return features if "deletionVectors" not in features or self.live_rows else features - {"deletionVectors"}

    @cached_property
    def live_rows(self) -> dict[Location, pa.BooleanArray]:
        """Which rows of a file its deletion vector keeps (those past the end too), of the files that have one.

        Raises `StorageError` for a deletion vector that can't be read, `UnsupportedTableFeature` where types widened.
        """
        if self.reader_features & _WIDENED:
            # delta-rs gives no deletion vectors of such a table, not even that there are none.
            if not any("deletionVector" in add for add in live(self)):
                return {}
            message = f"`{self.name}` can't be read: it has both deletion vectors and the feature typeWidening"
            hint = "let an engine that knows both rewrite its files: `REORG TABLE … APPLY (PURGE)`"
            raise UnsupportedTableFeature(message, hint=hint)
        try:
            vectors = pa.RecordBatchReader.from_stream(self.table.deletion_vectors()).read_all()
        except (DeltaError, OSError, pa.ArrowException) as error:
            message = f"the deletion vectors of `{self.name}` at version {self.version} can't be read: {brief(error)}"
            raise StorageError(message) from error
        paths = (self._at(uri) for uri in vectors["filepath"].to_pylist())
        return {path: kept.values for path, kept in zip(paths, vectors["selection_vector"], strict=True)}

    @cached_property
    def adds(self) -> pa.Table:
        """What the log says of each data file.

        Columns ``path``, ``size_bytes``, ``num_records``, and by column name ``partition.x``, ``min.x``, ``max.x``,
        ``null_count.x``, in which ``x`` may be ``a.b`` of a struct; a name that two columns would have is left out.
        """
        adds = pa.table(self.table.get_add_actions(flatten=True))
        names: list[str | None] = list(adds.column_names)
        mode = mapping(self.properties)
        if mode != "none":
            logical = {
                f"{kind}.{stored}": f"{kind}.{name}" for kind in _BOUNDS for stored, name in _paths(self.schema, mode)
            }
            names = [logical.get(name) if name.startswith(_BOUNDS) else name for name in adds.column_names]
        count = Counter(names)
        kept = [index for index, name in enumerate(names) if name is not None and count[name] == 1]
        return adds.select(kept).rename_columns([str(names[index]) for index in kept])

    @cached_property
    def files(self) -> tuple[Location, ...]:
        """The data files, in the order of ``adds``."""
        found = map(self.file, self.adds["path"].to_pylist())
        if not isinstance(self.location, ObjectPath):
            return tuple(found)
        sizes = zip(found, self.adds["size_bytes"].to_pylist(), strict=True)
        return tuple(path.sized(size) if isinstance(path, ObjectPath) else path for path, size in sizes)

    @cached_property
    def index_of(self) -> dict[Location, int]:
        """The index of each data file in ``files``."""
        return {path: index for index, path in enumerate(self.files)}

    @cached_property
    def size(self) -> int:
        """The bytes of all data files."""
        return int(pc.sum(self.adds["size_bytes"]).as_py() or 0)

    def file(self, path: str) -> Location:
        """A path of the log, which is encoded: below the table's folder, unless absolute (shallow clones).

        Raises `UnsupportedTableFeature` for one elsewhere than the table.
        """
        if isinstance(self.location, ObjectPath):
            if "://" not in path and not path.startswith(("file:", "/")):
                return self.location / unquote(path)
            found = self.location.storage.place(unquote(path))
            if not isinstance(found, ObjectPath):
                raise UnsupportedTableFeature(f"`{self.name}` can't be read: its file `{path}` isn't in a store")
            return found
        if _OTHER_STORE.match(path):
            raise UnsupportedTableFeature(f"`{self.name}` can't be read: its file `{path}` isn't on this machine")
        if path.startswith("file:"):
            path = "/" + path[5:].lstrip("/")
        return self.location / unquote(path)

    def _at(self, uri: str) -> Location:
        """The file that delta-rs names by a URL below the table's own."""
        return self.file(uri.removeprefix(self.table.table_uri))

    @cached_property
    def partition_values(self) -> dict[Location, tuple[pa.Scalar, ...]]:
        """The partition values of each file, in the order of ``partition_columns``."""
        columns = [self.adds[f"partition.{name}"] for name in self.partition_columns]
        if not columns:
            return dict.fromkeys(self.files, ())
        return dict(zip(self.files, zip(*columns, strict=True), strict=True))

    @property
    def is_gone(self) -> bool:
        """True if the table was dropped since, whether or not another was made in its place."""
        return self.stamp is not None and log.stamp(self.location, self.version) != self.stamp

    @property
    def is_latest(self) -> bool:
        """True as long as no newer version has been committed."""
        return version_range(self.location)[1] == self.version


def fields(schema: pa.Schema | pa.StructType) -> Fields:
    """The names of columns, each with the names of the fields below it."""
    return {field.name: _below(field.type) for field in schema}


def _below(type: pa.DataType) -> Fields:
    if pa.types.is_struct(type):
        return fields(type)
    if pa.types.is_map(type):
        return _below(type.item_type)
    return _below(type.value_type) if pa.types.is_list(type) or pa.types.is_large_list(type) else {}


def _paths(schema: pa.Schema | pa.StructType, mode: str) -> Iterator[tuple[str, str]]:
    """The stored names and the names of columns and of fields of structs, joined by dots."""
    for field in schema:
        stored = stored_name(field, mode)
        yield stored, field.name
        if pa.types.is_struct(field.type):
            yield from ((f"{stored}.{below}", f"{field.name}.{name}") for below, name in _paths(field.type, mode))


def require_plain(location: Location) -> None:
    """Raise `NotSupportedError` for a path that delta-rs takes for another one."""
    odd = next((sign for sign in str(location) if sign in "%\\" or ord(sign) < 32), None)
    if odd is not None:
        raise NotSupportedError(f"a table's path can't hold {odd!r}: `{location}`", hint="rename the folder")


def is_table(location: Location) -> bool:
    """True if ``location`` holds a Delta log."""
    return log.folder(location).is_dir()


def is_unfinished(location: Location) -> bool:
    """True if ``location`` is no table yet, but where one is being made, or was when a process died."""
    return not isinstance(location, ObjectPath) and log.unfinished(location).is_dir() and not is_table(location)


def open_snapshot(name: str, location: Location, version: int | None = None, *, since: int | None = None) -> Snapshot:
    """Open the table at ``location``, at ``version`` or the latest.

    ``since`` is an older version that was opened already. Raises `TableNotFound` where there is none,
    `VersionNotFound`, `UnsupportedTableFeature`, and `StorageError` for a log that can't be read.
    """
    require_plain(location)
    if isinstance(location, ObjectPath):
        listed = log.listing(location)
        if not listed:
            why = "it has no `_delta_log`" if location.is_dir() else "there is nothing below it"
            raise TableNotFound(f"`{location}` is no Delta table: {why}")
        return _open(name, location, version, since, listed)
    for _ in range(_TRIES):
        if not is_table(location):
            why = "it has no `_delta_log`" if location.is_dir() else "there is no such folder"
            raise TableNotFound(f"`{location}` is no Delta table: {why}")
        with suppress(FileNotFoundError), _reading(name), log.holding(location) as held:
            try:
                opened = _open(name, location, version, since, None)
            except Error:
                if log.is_held(location, held):
                    raise
                continue
            if log.is_held(location, held):
                return opened
    raise StorageError(f"the log of `{name}` can't be read: the table is dropped and made anew all the time")


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(f"the log of `{name}` can't be read: {error.strerror}") from error


def _open(
    name: str, location: Location, version: int | None, since: int | None, listed: log.Listing | None
) -> Snapshot:
    if version is not None:
        _check_version(name, location, version)
    try:
        table = _opened(location, version)
    except (DeltaError, OSError, ValueError) as error:
        raise _open_error(name, location, version, error) from error
    opened = table.version()
    if (blank := log.blank_entry(location, opened, since, listed=listed)) is not None:
        raise StorageError(f"the log of `{name}` can't be read: `{blank}` is empty")
    stamp = log.stamp(location, opened) if listed is None else log.stamp_of(listed, opened)
    return Snapshot(name, location, table, opened, stamp)


def newest_snapshot(name: str, location: Location) -> Snapshot:
    """The newest version that can be opened. Raises as `open_snapshot` for the latest where none can."""
    first, last = _versions(location)
    for version in range(last, first - 1, -1):
        try:
            return open_snapshot(name, location, version)
        except (StorageError, NotSupportedError):
            continue
    return open_snapshot(name, location)


def _versions(location: Location) -> tuple[int, int]:
    """The first and last version that there may be a way to, those before a gap too if the latest can't be read."""
    first, last = version_range(location)
    return first if log.gap(location) is None else 0, last


def _check_version(name: str, location: Location, version: int) -> None:
    first, last = version_range(location)
    if not first <= version <= last and not (0 <= version < first and log.gap(location) is not None):
        raise VersionNotFound(f"`{name}` has no version {version}", hint=f"it has versions {first} to {last}")


_NO_CHECKPOINT = "_last_checkpoint"


def delta_table(location: Location, version: int | None) -> DeltaTable:
    """delta-rs's own handle on the table at ``location``. Raises what delta-rs does."""
    if isinstance(location, ObjectPath):
        return DeltaTable(location.as_uri(), version=version, storage_options=location.for_delta_rs())
    return DeltaTable(str(location), version=version)


def _opened(location: Location, version: int | None) -> DeltaTable:
    try:
        return delta_table(location, version)
    except DeltaError as error:
        if _NO_CHECKPOINT not in str(error) or (table := _past_pointer(location, version)) is None:
            raise
        return table


def _past_pointer(location: Location, version: int | None) -> DeltaTable | None:
    """The table whose ``_last_checkpoint`` points to none, opened by a way on which delta-rs doesn't look at it."""
    wanted = version_range(location)[1] if version is None else version
    try:
        pointed = int(json.loads((log.folder(location) / _NO_CHECKPOINT).read_text())["version"])
        table = delta_table(location, min(wanted, pointed - 1))
        if pointed <= wanted:
            table.update_incremental()
    except (DeltaError, OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return table if table.version() == wanted or version is None else None


def _open_error(name: str, location: Location, version: int | None, error: Exception) -> Error:
    message = brief(error).removeprefix("Kernel error: ")
    if isinstance(error, TableNotFoundError):
        return TableNotFound(f"`{location}` is no Delta table: its `_delta_log` is empty")
    wanted = version_range(location)[1] if version is None else version
    if needed := _unknown_version(location, wanted, message):
        return UnsupportedTableFeature(f"`{name}` can't be read: it needs {needed}, which delta-rs doesn't know")
    if isinstance(location, ObjectPath) and is_of_store(str(error)):
        return fault(location / log.folder(location).name, "read", str(error))
    if re.search(r"[Uu]nsupported.*([Ff]eature|table type)|catalog-managed", message):
        return UnsupportedTableFeature(f"`{name}` can't be read: {message}")
    if (blank := log.blank_entry(location, wanted)) is not None:
        return StorageError(f"the log of `{name}` can't be read: `{blank}` is empty")
    if (gap := log.gap(location, wanted)) is not None:
        before, after = gap
        if before < 0:
            return StorageError(f"the log of `{name}` starts at version {after}, without a checkpoint")
        return StorageError(f"the log of `{name}` has a gap between versions {before} and {after}")
    hint = "remove `_delta_log/_last_checkpoint`" if _NO_CHECKPOINT in message and _is_whole(location, wanted) else None
    return StorageError(f"the log of `{name}` can't be read: {message}", hint=hint)


def _unknown_version(location: Location, version: int, message: str) -> str | None:
    """The version of the protocol that the log asks for, if it is one that there wasn't yet."""
    if re.search(r"minimum (reader|writer) version", message) is None:
        return None
    found = log.protocol(location, version)
    for kind, last in (("reader", _LAST_READER), ("writer", _LAST_WRITER)):
        needed = found.get(f"min{kind.title()}Version")
        if isinstance(needed, int) and needed > last:
            return f"{kind} version {needed}"
    return None


def _is_whole(location: Location, version: int) -> bool:
    """True if all entries up to ``version`` are there, so that no checkpoint is needed."""
    return all(entry(location, number).exists() for number in range(version + 1))


def version_at(snapshot: Snapshot, time: dt.datetime) -> int:
    """The last version committed at or before ``time``.

    Raises `VersionNotFound`, naming the range, for a time before the first commit or in the future.
    """
    first = _versions(snapshot.location)[0]
    found = None
    if time <= dt.datetime.now(dt.UTC):
        for commit in log.each_commit(snapshot.location, snapshot.properties):
            if commit.version >= first:
                if commit.time > time:
                    break
                found = commit.version
    if found is not None:
        return found
    known = [commit for commit in commits(snapshot.location, snapshot.properties) if commit.version >= first]
    at = f"`{snapshot.name}` has no version at {time.isoformat(sep=' ')}"
    if not known:
        raise VersionNotFound(f"{at}: its log holds no commit any more")
    range_ = f"its commits are from {known[0].time.isoformat(sep=' ')} to {known[-1].time.isoformat(sep=' ')}"
    why = "before its first commit" if time < known[0].time else "which is in the future"
    raise VersionNotFound(f"{at}, {why}", hint=range_)


# -- the cache


class SnapshotCache:
    """The latest snapshot of each table, reopened when the log has moved; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[Location, Snapshot] = {}
        self._who: dict[Location, object] = {}

    def latest(self, name: str, location: Location) -> Snapshot:
        """The table's newest snapshot; another writer's commit is seen at once."""
        if isinstance(location, ObjectPath):
            return self._latest_object(name, location)
        with self._lock:
            held = self._latest.get(location)
        since = None
        if held is not None and held.stamp is not None and held.stamp == log.stamp(location, held.version):
            if not entry(location, held.version + 1).exists():
                return held
            since = held.version
        snapshot = open_snapshot(name, location, since=since)
        with self._lock:
            self._latest[location] = snapshot
        return snapshot

    def _latest_object(self, name: str, location: ObjectPath) -> Snapshot:
        """As `latest`, by one request where nothing has changed. Who asks with other keys sees it anew."""
        account = location.account
        who = account, account.keys
        with self._lock:
            held = self._latest.pop(location, None) if self._who.get(location) == who else None
            if held is not None:
                self._latest[location] = held
        if held is not None and held.stamp is not None:
            listed = log.since(location, held.version)
            if held.stamp == log.stamp_of(listed, held.version) and not log.names(listed, held.version + 1):
                return held
        snapshot = open_snapshot(name, location)
        with self._lock:
            self._latest[location], self._who[location] = snapshot, who
            while len(self._latest) > _MOST:
                del self._latest[next(iter(self._latest))]
        return snapshot

    def forget(self, location: Location) -> None:
        """Drop what is held of a table."""
        with self._lock:
            self._latest.pop(location, None)
