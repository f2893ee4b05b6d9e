"""Which files of a table the versions inside a retention need, and which lie in its folder for nothing.

A version is inside if it was the latest at some time since the cutoff, so a file is needed that is live now, or was
until a commit since then; its deletion vector and the change data files of these commits are too (Delta protocol,
"Add File and Remove File", "Add CDC File"). What is in doubt is needed: what can't be read stops the search, of a
file's removal the later time counts, and a path of the log stands for the file that it names encoded or not.

No other table's files are ever found: not by an absolute path (shallow clones), not behind a link, not in a table
below this one. Hidden files and folders stay, but for partitions and change data, as in Delta Lake.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.columns import mapping, stored_name
from deltasql.catalog.log import actions, checkpoints, commits, entry, folder
from deltasql.catalog.properties import checked
from deltasql.catalog.snapshot import Snapshot, is_table
from deltasql.catalog.vectors import vector_file
from deltasql.errors import StorageError, brief
from deltasql.storage.files import for_arrow, is_below, real
from deltasql.storage.objects import Location, ObjectPath

_RETENTION = "delta.deletedFileRetentionDuration"
_UNITS = {"days": 86_400_000, "hours": 3_600_000, "minutes": 60_000, "seconds": 1000, "milliseconds": 1}
_CHANGES = "_change_data"
_LOG = "_delta_log"
_LIVE = float("inf")


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A file in the table's folder that no version inside the retention needs, and its size in bytes."""

    path: Location
    size: int


def retention(properties: Mapping[str, str]) -> int:
    """How long a table with ``properties`` keeps files that were removed from it, in milliseconds; 7 days by default.

    Raises `PlanError` for a property that says something else than an interval.
    """
    _, number, unit = checked({_RETENTION: properties.get(_RETENTION, "interval 7 days")})[_RETENTION].split()
    return int(number) * _UNITS[unit]


def unneeded(
    snapshot: Snapshot, cutoff: int, *, lite: bool = False, looked: Callable[[], None] = lambda: None
) -> list[Unneeded]:
    """The files that no version needs which was the latest since ``cutoff``, by path.

    ``cutoff`` is in milliseconds since 1970. The table's folder is looked through for files that are older, or with
    ``lite`` only the log, which knows nothing of files that were never committed; ``looked`` is called for each file
    of the folder. ``snapshot`` is the latest version. Raises `StorageError` for a log or folder that can't be read,
    `UnsupportedTableFeature` for a file in another store.
    """
    known = _Known(snapshot)
    try:
        root = real(snapshot.location)
        _read(snapshot, known, cutoff, whole=lite)
        kept = {path for names in (known.until, known.raw) for path, until in names.items() if until >= cutoff}
        if lite:
            found = _named(known.until.keys() - kept, root)
        else:
            mode = mapping(snapshot.properties)
            partitions = tuple(f"{stored_name(snapshot.schema.field(c), mode)}=" for c in snapshot.partition_columns)
            listed = _listed(root, partitions, top=True)
            found = []
            for path, size, time in listed:
                looked()
                if time < cutoff and path not in kept:
                    found.append(Unneeded(path, size))
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise StorageError(f"the files of `{snapshot.name}` can't be told: {brief(error)}") from error
    return sorted(found, key=lambda each: each.path)


def _named(paths: Iterable[Location], root: Location) -> list[Unneeded]:
    """Those of the files that are there, in the table's folder."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError):
            if is_below(path, root):
                found.append(Unneeded(path, path.lstat().st_size))
    return found


def _listed(directory: Location, partitions: tuple[str, ...], *, top: bool) -> Iterator[tuple[Location, int, int]]:
    """The files below a folder that aren't hidden, their sizes and times; writers may come and go meanwhile."""
    if isinstance(directory, ObjectPath):
        yield from _objects(directory, partitions)
        return
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for each in entries:
            is_partition = unquote(each.name).startswith(partitions) if partitions else False
            if each.name.startswith(("_", ".")) and not (is_partition or (top and each.name == _CHANGES)):
                continue
            if each.is_dir(follow_symlinks=False) and not is_table(Path(each.path)):
                yield from _listed(Path(each.path), partitions, top=False)
            elif each.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    state = each.stat(follow_symlinks=False)
                    yield Path(each.path), state.st_size, state.st_mtime_ns // 1_000_000


def _objects(directory: ObjectPath, partitions: tuple[str, ...]) -> Iterator[tuple[Location, int, int]]:
    """As `_listed`, by one list of all objects; those of a table below this one are told by its log."""
    found = [(path.relative_to(directory).parts, path, state) for path, state in directory.below()]
    tables = {parts[: parts.index(_LOG)] for parts, _, _ in found if _LOG in parts} - {()}
    for parts, path, state in found:
        if any(parts[:depth] in tables for depth in range(1, len(parts))):
            continue
        hidden = (
            part.startswith(("_", "."))
            and not (partitions and unquote(part).startswith(partitions))
            and not (depth == 0 and part == _CHANGES and len(parts) > 1)
            for depth, part in enumerate(parts)
        )
        if not any(hidden):
            yield path, state.st_size, state.st_mtime_ns // 1_000_000


# -- what the log names


@dataclass(slots=True)
class _Known:
    """All files that the log was seen to name: until when, in milliseconds since 1970, a version needed each.

    ``raw`` are the files that the log's paths would name if they weren't encoded.
    """

    snapshot: Snapshot
    until: dict[Location, float] = field(default_factory=dict)
    raw: dict[Location, float] = field(default_factory=dict)
    _states: dict[object, tuple[Mapping[str, Any], float]] = field(default_factory=dict)
    _folders: dict[str, Location] = field(default_factory=dict)

    def add(self, action: Mapping[str, Any]) -> None:
        """The file is live."""
        self._states[_key(action)] = action, _LIVE

    def remove(self, action: Mapping[str, Any], time: float) -> None:
        """The file was removed; of what was said before the later time counts."""
        before = self._states.get(_key(action), (action, _LIVE))[1]
        times = [time, action.get("deletionTimestamp") or 0, *([] if before == _LIVE else [before])]
        self._states[_key(action)] = action, max(times)

    def change(self, action: Mapping[str, Any], time: float) -> None:
        """The file has changes that a commit made."""
        self._need(action, time)

    def settle(self) -> None:
        """Tell from the last states of the log's files until when each file of the folder was needed."""
        for action, until in self._states.values():
            self._need(action, until)

    def _need(self, action: Mapping[str, Any], until: float) -> None:
        self._note(self.until, self.snapshot.file(action["path"]), until)
        self._note(self.raw, self.snapshot.location / action["path"], until)
        vector = action.get("deletionVector")
        if vector is not None and (path := vector_file(self.snapshot, vector)) is not None:
            self._note(self.until, path, until)

    def _note(self, names: dict[Location, float], path: Location, until: float) -> None:
        above = str(path.parent)
        if above not in self._folders:
            self._folders[above] = real(path.parent)
        found = self._folders[above] / path.name
        names[found] = max(until, names.get(found, 0))


def _key(action: Mapping[str, Any]) -> object:
    vector = action.get("deletionVector")
    if vector is None:
        return action["path"]
    return action["path"], vector["storageType"], vector["pathOrInlineDv"], vector.get("offset")


def _read(snapshot: Snapshot, known: _Known, cutoff: int, *, whole: bool) -> None:
    """Go through the log up to the snapshot: its last checkpoint, what follows it, and what was committed since.

    A checkpoint may have forgotten removals that a longer retention than the table's asks for, which the entries
    before it still tell; ``whole`` reads all of these.
    """
    log = folder(snapshot.location)
    stored = {
        version: files
        for version, names in checkpoints(path.name for path in log.iterdir()).items()
        if version <= snapshot.version and all((files := [log / name for name in names], *map(_is_filled, files)))
    }
    start = max(stored, default=-1)
    times = {each.version: _milliseconds(each.time) for each in commits(snapshot.location, snapshot.properties)}
    for version in sorted({version for version in times if version <= snapshot.version} | {start} - {-1}):
        time = times.get(version, 0)
        if version in times and (whole or version > start or time >= cutoff):
            _apply(entry(snapshot.location, version), known, time)
        if version == start:
            for path in stored[start]:
                _checkpoint(path, known)
    known.settle()


def _is_filled(path: Location) -> bool:
    return path.stat().st_size > 0


def _milliseconds(time: dt.datetime) -> int:
    return int(time.timestamp() * 1000)


def _apply(path: Location, known: _Known, time: int) -> None:
    """Bring ``known`` to the state after a commit: its removals come first, as they tell of what was before it."""
    found = list(actions(path))
    for kind, note in (
        ("remove", partial(known.remove, time=time)),
        ("add", known.add),
        ("cdc", partial(known.change, time=time)),
    ):
        for action in found:
            if (body := action.get(kind)) is not None:
                note(body)


def _checkpoint(path: Location, known: _Known) -> None:
    """Bring ``known`` to the state that a file of a checkpoint, and the sidecars that it names, have."""
    for action in actions(path) if path.suffix == ".json" else _stored(path):
        if (added := action.get("add")) is not None:
            known.add(added)
        if (removed := action.get("remove")) is not None:
            known.remove(removed, 0)
        if (sidecar := action.get("sidecar")) is not None:
            _checkpoint(path.parent / "_sidecars" / unquote(sidecar["path"]).rpartition("/")[2], known)


_COLUMNS = ["sidecar.path", "add.path", "add.deletionVector", "remove.path", "remove.deletionVector"]


def _stored(path: Location) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(for_arrow(path)) as file:
        for batch in file.iter_batches(columns=[*_COLUMNS, "remove.deletionTimestamp"]):
            yield from batch.to_pylist()
