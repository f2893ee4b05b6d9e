"""A table's log: which versions it tells of, when they were committed, and what an entry says.

Delta protocol, "Delta Log Entries", "Checkpoints". Entries go as others clean the log up, also while it is read.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltasql.errors import StorageError, brief
from deltasql.storage.objects import Location, ObjectPath, ObjectStat

_COMMIT = re.compile(r"(\d{20})\.json")
_WHOLE_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.(?:[0-9a-fA-F-]{36}\.json|(?:[0-9a-fA-F-]{36}\.)?parquet)")
_PART_OF_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet")
_SMALL = 64
_PAGE = 1000
_FOLDER = "_delta_log"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in the log: its version and time (the in-commit timestamp where the table has it)."""

    version: int
    time: dt.datetime


def folder(location: Location) -> Location:
    """Where the log of the table at ``location`` is."""
    return location / _FOLDER


def unfinished(location: Location) -> Location:
    """What is there, while nothing else says so, where a table is being made or was when a process died."""
    return location / "_delta_log.tmp"


def entry(location: Location, version: int) -> Location:
    """The log's file for a commit."""
    return folder(location) / _name(version)


def _name(version: int) -> str:
    return f"{version:020d}.json"


# -- which log it is


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from another that came in its place under the same name."""

    number: int
    modified: int
    size: int


def stamp(location: Location, version: int, *, held: int | None = None) -> Stamp | None:
    """The stamp of a version's entry (in the folder that is ``held``); None if there is none."""
    try:
        read = entry(location, version).stat() if held is None else os.stat(_name(version), dir_fd=held)
    except OSError:
        return None
    return _stamp(read)


@contextmanager
def holding(location: Location) -> Iterator[int]:
    """The log's folder, held open: whatever comes in its place meanwhile is another (`is_held`). Raises OSError."""
    held = os.open(str(folder(location)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield held
    finally:
        os.close(held)


def is_held(location: Location, held: int) -> bool:
    """True as long as the log of the table at ``location`` is the one that is held: nobody dropped the table."""
    try:
        return os.path.samestat(os.fstat(held), os.stat(str(folder(location))))  # noqa: PTH116 (it may be a descriptor)
    except OSError:
        return False


# -- versions


def version_range(location: Location, listed: Listing | None = None) -> tuple[int, int]:
    """The first and last version of those that can be read up to the latest.

    A version can be read if it has a checkpoint, or if it has a commit and the version before it can be. ``listed`` is
    what is known of a log in a store.
    """
    names = _names(location) if listed is None else list(listed)
    starts = set(checkpoints(names))
    committed = set(_committed(names))
    readable: set[int] = set()
    for version in sorted(starts | committed):
        if version == 0 or version in starts or version - 1 in readable:
            readable.add(version)
    first = last = max(starts | committed, default=0)
    while first - 1 in readable:
        first -= 1
    return first, last


def checkpoints(names: Iterable[str]) -> dict[int, list[str]]:
    """The checkpoints among the log's files: of each version that has a whole one, its files."""
    found: dict[int, list[str]] = {}
    parts: dict[tuple[int, int], list[str]] = {}
    for name in names:
        if "checkpoint" not in name:
            continue
        if match := _WHOLE_CHECKPOINT.fullmatch(name):
            found[int(match[1])] = [name]
        elif match := _PART_OF_CHECKPOINT.fullmatch(name):
            parts.setdefault((int(match[1]), int(match[3])), []).append(name)
    return found | {version: part for (version, number), part in parts.items() if len(part) == number}


def gap(location: Location, version: int | None = None) -> tuple[int, int] | None:
    """The versions before and after the first gap in the entries that ``version`` (or the latest) is made of.

    The one before is -1 where the log starts late and without a checkpoint.
    """
    names = _names(location)
    before = max((start for start in checkpoints(names) if version is None or start <= version), default=-1)
    for committed in sorted(_committed(names)):
        if committed > before + 1:
            return None if version is not None and before >= version else (before, committed)
        before = max(before, committed)
    return None


def blank_entry(
    location: Location, version: int, since: int | None = None, *, listed: Listing | None = None
) -> str | None:
    """The file of the first entry that says nothing, of those that ``version`` is made of; delta-rs passes over it.

    ``since`` is an older version whose entries were looked at, ``listed`` what is known of a log in a store.
    """
    if isinstance(location, ObjectPath):
        return _blank_object(listing(location) if listed is None else listed, folder(location), version, since)
    below = f"{folder(location)}/"
    if since is None:
        found = checkpoints(_names(location))
        whole = (start for start in sorted(found, reverse=True) if start <= version)
        since = next((start for start in whole if all(map(_size, (below + name for name in found[start])))), -1)
    entries = map(_name, range(since + 1, version + 1))
    return next((name for name in entries if _is_blank(below + name)), None)


def _is_blank(path: str) -> bool:
    size = _size(path)
    return size == 0 or (size is not None and size < _SMALL and not Path(path).read_bytes().strip())


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 (a third of the time)
    except OSError:
        return None


def commits(location: Location, properties: Mapping[str, str]) -> list[Commit]:
    """The commits whose log entry is still there, by version; times never go back.

    Delta protocol, "In-Commit Timestamps": without them a commit's time is its file's modification time,
    made to grow with the version. Raises `StorageError` for an entry that can't be read.
    """
    return list(each_commit(location, properties))


def each_commit(location: Location, properties: Mapping[str, str]) -> Iterator[Commit]:
    """The `commits` one by one: an entry is read when it is its turn."""
    in_commit = properties.get("delta.enableInCommitTimestamps", "").lower() == "true"
    last: dt.datetime | None = None
    listed = listing(location) if isinstance(location, ObjectPath) else {}
    for version in sorted(_committed(listed or _names(location))):
        try:
            time = _time(entry(location, version), listed.get(_name(version)), in_commit=in_commit)
        except FileNotFoundError:
            continue
        last = time if last is None or time > last else last + dt.timedelta(milliseconds=1)
        yield Commit(version, last)


def _names(location: Location) -> list[str]:
    if isinstance(location, ObjectPath):
        return list(listing(location))
    try:
        return os.listdir(str(folder(location)))  # noqa: PTH208 (a tenth of the time)
    except OSError as error:
        raise StorageError(f"the log of `{location}` can't be listed: {error.strerror}") from error


def _committed(names: Iterable[str]) -> list[int]:
    return [int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))]


def _time(path: Location, known: ObjectStat | None, *, in_commit: bool) -> dt.datetime:
    stamp = _info(path).get("inCommitTimestamp") if in_commit else None
    if not isinstance(stamp, int):
        stamp = (known or path.stat()).st_mtime_ns // 1_000_000
    return dt.datetime.fromtimestamp(stamp / 1000, dt.UTC)


# -- in a store


Listing = Mapping[str, ObjectStat]
"""The files of a log in a store, by name, and what the store says of each."""


def listing(location: ObjectPath) -> Listing:
    """The files of the log of the table at ``location``, by one request. Raises `StorageError`."""
    return {path.name: state for path, state in (location / _FOLDER).entries() if state is not None}


def since(location: ObjectPath, version: int) -> Listing:
    """The first thousand files of the log from the entry of ``version`` on, by one request."""
    before = _name(version - 1) if version else "0"
    found = itertools.islice((location / _FOLDER).below(after=before), _PAGE)
    return {path.name: state for path, state in found}


def names(listed: Listing, version: int) -> bool:
    """True if there is an entry of ``version``."""
    return _name(version) in listed


def stamp_of(listed: Listing, version: int) -> Stamp | None:
    """The stamp of a version's entry; None if there is none."""
    return _stamp(listed[_name(version)]) if _name(version) in listed else None


def _stamp(read: os.stat_result | ObjectStat) -> Stamp:
    # What a store's ETag says is enough, and of times its answers have more or less digits.
    modified = 0 if isinstance(read, ObjectStat) and read.e_tag else read.st_mtime_ns
    return Stamp(read.st_ino, modified, read.st_size)


def _blank_object(listed: Listing, below: Location, version: int, since: int | None) -> str | None:
    def is_filled(name: str) -> bool:
        return name in listed and listed[name].st_size > 0

    if since is None:
        found = checkpoints(listed)
        whole = (start for start in sorted(found, reverse=True) if start <= version)
        since = next((start for start in whole if all(map(is_filled, found[start]))), -1)
    for name in map(_name, range(since + 1, version + 1)):
        size = listed[name].st_size if name in listed else _SMALL
        if size == 0 or (size < _SMALL and not (below / name).read_bytes().strip()):
            return name
    return None


# -- what an entry says


def protocol(location: Location, version: int) -> dict[str, Any]:
    """The last ``protocol`` action in the entries up to ``version``; empty where none can be read."""
    for number in range(version, -1, -1):
        try:
            found = [action["protocol"] for action in actions(entry(location, number)) if "protocol" in action]
        except (FileNotFoundError, StorageError):
            break
        if found and isinstance(found[-1], dict):
            return found[-1]
    return {}


def actions(path: Location) -> Iterator[dict[str, Any]]:
    """The actions of an entry: one a line, though delta-rs also takes one that spans several.

    Raises `FileNotFoundError` for an entry that is gone, `StorageError` for one that can't be read.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            pending = ""
            for line in lines:
                pending += line
                if (action := _parsed(pending)) is not None:
                    _require_sound(action)
                    yield action
                    pending = ""
        if pending.strip():
            raise ValueError("it holds what is no JSON")  # noqa: TRY301
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise StorageError(f"`{path}` can't be read: {brief(error)}") from error


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        action = json.loads(text)
    except (ValueError, RecursionError):
        return None
    # What is null isn't there, as in the rows of a checkpoint.
    return {kind: said for kind, said in action.items() if said is not None} if isinstance(action, dict) else None


_FILE: dict[str, type] = {
    "path": str,
    "partitionValues": dict,
    "size": int,
    "modificationTime": int,
    "deletionTimestamp": int,
    "dataChange": bool,
    "stats": str,
    "tags": dict,
    "deletionVector": dict,
}
_SHAPES: dict[str, dict[str, type]] = {
    "add": _FILE,
    "remove": _FILE,
    "cdc": _FILE,
    "metaData": {"id": str, "schemaString": str, "partitionColumns": list, "configuration": dict},
    "protocol": {"minReaderVersion": int, "minWriterVersion": int, "readerFeatures": list, "writerFeatures": list},
    "domainMetadata": {"domain": str, "configuration": str, "removed": bool},
    "txn": {"appId": str, "version": int},
}
"""What actions hold (Delta protocol, "Actions"), as far as something here looks at it."""


def _require_sound(action: dict[str, Any]) -> None:
    """Raise ValueError for an action that holds something of another type than the protocol says, or names no file."""
    for kind, shape in _SHAPES.items():
        said = action.get(kind)
        if said is None:
            continue
        if not isinstance(said, dict):
            raise ValueError(f"its `{kind}` is no object")  # noqa: TRY004  # It isn't the caller's.
        if said and "path" in shape and said.get("path") is None:
            raise ValueError(f"its `{kind}` has no `path`")
        for key, type in shape.items():
            value = said.get(key)
            if value is not None and (not isinstance(value, type) or (type is int and isinstance(value, bool))):
                raise ValueError(f"`{key}` of its `{kind}` is {json.dumps(value)[:40]}")
        for key in ("partitionValues", "configuration", "tags"):
            values = said.get(key)
            if isinstance(values, dict) and not all(isinstance(v, str | None) for v in values.values()):
                raise ValueError(f"`{key}` of its `{kind}` holds what is no text")


def commit_info(location: Location, version: int) -> dict[str, Any]:
    """What the writer said of a commit (the ``commitInfo`` action); empty where it said nothing.

    Raises `StorageError` for an entry that can't be read.
    """
    path = entry(location, version)
    try:
        return _info(path)
    except FileNotFoundError as error:
        raise StorageError(f"`{path}` can't be read: it is gone") from error


def _info(path: Location) -> dict[str, Any]:
    found = (action.get("commitInfo") for action in actions(path))
    return next((info for info in found if isinstance(info, dict)), {})
