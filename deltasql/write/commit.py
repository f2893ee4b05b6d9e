"""Commits of our own: actions that we made become the table's next version, or nothing happens.

An entry of the log appears whole or not at all, never over another's: it is written aside, brought to the disk and
then linked to its name, which fails if that is taken (Delta protocol, "Creation of New Log Entries"). The link is
the commit; whatever fails after it doesn't undo it. What another writer committed since the snapshot was read is
looked at before ours goes on top of it. Anything in doubt is a `CommitConflict`: the statement runs again.
"""

from __future__ import annotations

import errno
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from deltasql.catalog.log import actions as actions_of
from deltasql.catalog.log import (
    commit_info,
    entry,
    folder,
    holding,
    is_held,
    listing,
    stamp,
    stamp_of,
    unfinished,
    version_range,
)
from deltasql.catalog.recorded import ROW_TRACKING, row_id_mark, row_id_mark_of
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.errors import CommitConflict, InternalError, StorageError
from deltasql.storage.files import relative
from deltasql.storage.objects import Location, ObjectPath
from deltasql.write.features import require_writable, tracks_rows

_Action = Mapping[str, Any]
_NOTHING: Mapping[str, str] = MappingProxyType({})
_CHECKPOINT_INTERVAL = 100
_MARK = "deltasql.statement"
_NO_LINKS = frozenset([errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])


def commit(
    snapshot: Snapshot,
    actions: Sequence[_Action],
    *,
    operation: str,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, int],
    blind: bool = False,
    custom: Mapping[str, str] = _NOTHING,
) -> int:
    """Commit ``actions``, which were made from ``snapshot``; the version made is returned.

    ``actions`` are objects of the log with one key each (``add``, ``remove``, ``cdc``, ``metaData``, …) but for
    ``commitInfo``, which comes from the rest: ``parameters`` become text, JSON where they aren't text yet, None is
    left out; ``custom`` stands beside them. ``blind`` says that the rows added depend on no row of the table. Files
    of their rows must keep what the table promises (types, NOT NULL, CHECK, generated columns, defaults), changes be
    in ``cdc`` files where the change data feed is on, ``add`` of a clustered table have statistics of its columns.

    Raises `CommitConflict` where another's commit came first and can't be passed, `UnsupportedTableFeature` and
    `ConstraintViolation` as `require_writable`, `StorageError`: then nothing is left behind. A KeyboardInterrupt may
    come after the commit was made.
    """
    ours = _ours(actions, snapshot, blind=blind)
    require_writable(snapshot, removes_data=any(data for _, data in ours.removes))
    level = "WriteSerializable" if ours.passes_blind else "Serializable"
    read = {
        "readVersion": snapshot.version,
        "isolationLevel": "SnapshotIsolation" if ours.rearranges else level,
        "isBlindAppend": ours.is_blind,
    }
    info = _info(operation, parameters, metrics) | read | dict(custom)
    version, latest = snapshot.version + 1, _latest(snapshot)
    if latest < snapshot.version:
        raise _conflict(snapshot, f"version {snapshot.version} is gone")
    where = snapshot.location
    while version <= latest or not _put(snapshot, version, _entry(ours, info, where, version)):
        _require_passable(ours, snapshot, version)
        version += 1
    _keep(snapshot, version)
    return version


def _latest(snapshot: Snapshot) -> int:
    """The latest version. In a store nothing can be held: that the log is still the snapshot's is looked at here."""
    location = snapshot.location
    if not isinstance(location, ObjectPath):
        return version_range(location)[1]
    listed = listing(location)
    there = stamp_of(listed, snapshot.version)
    if there is not None and there != snapshot.stamp:
        raise _conflict(snapshot, "the table was dropped and made anew")
    return version_range(location, listed)[1]


def begin(
    location: Location,
    actions: Sequence[_Action],
    *,
    operation: str,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, int],
    custom: Mapping[str, str] = _NOTHING,
    aside: Path | None = None,
) -> int:
    """Commit ``actions``, with ``protocol`` and ``metaData`` among them, as the first of a table; its version, 0.

    ``aside`` is a folder (see `unfinished`) that becomes the log; if it is gone, so are the files that were written.
    The rest as in `commit`. Raises `CommitConflict` where another's log is there by now, and `StorageError`.
    """
    ours = _ours(actions, None, blind=True)
    info = _info(operation, parameters, metrics) | {"isolationLevel": "Serializable", "isBlindAppend": True}
    if not _put_first(location, _entry(ours, info | dict(custom), location, 0), aside):
        raise CommitConflict(f"another writer made the table at `{location}` first")
    return 0


def marked() -> dict[str, str]:
    """What a commit says besides so that `committed` finds it."""
    return {_MARK: uuid.uuid4().hex}


def committed(location: Location, mark: Mapping[str, str], *, after: int) -> int | None:
    """The version behind ``after`` whose commit has the ``mark``, if there is one: who saw an error may ask."""
    try:
        last = version_range(location)[1]
        versions = [version for version in range(after + 1, last + 1) if entry(location, version).exists()]
        return next((each for each in versions if commit_info(location, each).get(_MARK) == mark[_MARK]), None)
    except StorageError:
        if folder(location).is_dir():
            raise
        return None


def _info(operation: str, parameters: Mapping[str, Any], metrics: Mapping[str, int]) -> dict[str, Any]:
    return {
        "operation": operation,
        "operationParameters": {name: _text(value) for name, value in parameters.items() if value is not None},
        "operationMetrics": dict(metrics),
        "engineInfo": f"deltasql/{installed('deltasql')} delta-rs/{installed('deltalake')}",
        "txnId": str(uuid.uuid4()),
    }


@dataclass(slots=True)
class _Ours:
    """What we commit, on top of the properties ``before``; ``mark`` is the highest row id given away."""

    actions: tuple[_Action, ...]
    blind: bool
    before: Mapping[str, str]
    mark: int | None

    def bodies(self, kind: str) -> Iterator[_Action]:
        """The actions of one kind."""
        return _bodies(self.actions, kind)

    @property
    def removes(self) -> list[tuple[str, bool]]:
        """The paths that go, decoded as writers spell them differently, and whether rows go with them."""
        return [(unquote(body["path"]), body.get("dataChange", True)) for body in self.bodies("remove")]

    @property
    def rearranges(self) -> bool:
        """True if it only says otherwise how the rows lie in files, so that rows that come and go don't matter to it.

        Delta Lake does such commits under snapshot isolation.
        """
        files = [body for kind in ("add", "remove") for body in self.bodies(kind)]
        return bool(files) and not self.moves_table and all(body.get("dataChange") is False for body in files)

    @property
    def moves_table(self) -> bool:
        """True if it changes what later rows are read and written by."""
        return any(kind in action for action in self.actions for kind in ("protocol", "metaData"))

    @property
    def is_blind(self) -> bool:
        """True if it would be the same on top of any rows."""
        return self.blind and not self.moves_table and not self.removes

    @property
    def passes_blind(self) -> bool:
        """True if it may stand after another's blind append without having read its rows.

        Delta Lake documentation, "Isolation levels".
        """
        level = self.properties.get("delta.isolationLevel", "Serializable")
        return level.lower() == "writeserializable" and not self.moves_table

    @property
    def properties(self) -> Mapping[str, str]:
        """The properties of the table once it is made."""
        changed = next(self.bodies("metaData"), None)
        return self.before if changed is None else changed.get("configuration") or _NOTHING


def _ours(actions: Sequence[_Action], snapshot: Snapshot | None, *, blind: bool) -> _Ours:
    """``actions`` on top of ``snapshot``, or as a table's first ones."""
    mark = row_id_mark(snapshot) if snapshot is not None and tracks_rows(snapshot) else None
    if any("rowTracking" in body.get("writerFeatures", ()) for body in _bodies(actions, "protocol")):
        given = [each for each in _bodies(actions, "domainMetadata") if each["domain"] == ROW_TRACKING]
        mark = max([-1 if mark is None else mark, *map(row_id_mark_of, given)])
    return _Ours(tuple(actions), blind, snapshot.properties if snapshot is not None else _NOTHING, mark)


def _bodies(actions: Sequence[_Action], kind: str) -> Iterator[_Action]:
    return (action[kind] for action in actions if action.get(kind) is not None)


# -- what is written


def _entry(ours: _Ours, info: _Action, location: Location, version: int) -> bytes:
    """The log's entry, a JSON object a line, with what depends on the version that it becomes."""
    now = time.time_ns() // 1_000_000
    first: dict[str, Any] = {"timestamp": now, **info}
    made: Sequence[_Action] = ours.actions
    if _has_timestamps(ours.properties):
        stamp = max(now, _time(location, version - 1) + 1)
        first = {"inCommitTimestamp": stamp, **first}
        if version > 0 and not _has_timestamps(ours.before):
            made = [_since(action, version, stamp) for action in made]
    if ours.mark is not None:
        made = _tracked(made, ours.mark, version)
        copied = ours.removes and len(made) > len(ours.actions)
        first = {**first, "tags": {"delta.rowTracking.preserved": "false" if copied else "true"}}
    lines = (
        json.dumps(action, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        for action in ({"commitInfo": first}, *made)
    )
    return "".join(line + "\n" for line in lines).encode()


def _has_timestamps(properties: Mapping[str, str]) -> bool:
    return properties.get("delta.enableInCommitTimestamps", "").lower() == "true"


def _since(action: _Action, version: int, stamp: int) -> _Action:
    """The action; of ``metaData``, it says since when commits have timestamps (protocol, "In-Commit Timestamps")."""
    if "metaData" not in action:
        return action
    enabled = {
        "delta.inCommitTimestampEnablementVersion": str(version),
        "delta.inCommitTimestampEnablementTimestamp": str(stamp),
    }
    body = action["metaData"]
    return {"metaData": {**body, "configuration": {**body["configuration"], **enabled}}}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(location: Location, version: int) -> int:
    """When a version was committed, in milliseconds since 1970; 0 if its entry was cleaned up, or if there is none."""
    path = entry(location, version)
    if version < 0 or not path.exists():
        return 0
    stamp = commit_info(location, version).get("inCommitTimestamp")
    return stamp if isinstance(stamp, int) else path.stat().st_mtime_ns // 1_000_000


def _tracked(actions: Sequence[_Action], mark: int, version: int) -> list[_Action]:
    """The actions with ids for the rows of new files; files that were there keep theirs.

    Delta protocol, "Writer Requirements for Row Tracking". Rows that move to a new file get new ids, which
    ``delta.rowTracking.preserved`` tells.
    """
    made, last = [], mark
    given = [action for action in actions if action.get("domainMetadata", {}).get("domain") == ROW_TRACKING]
    for action in actions:
        if action in given:
            continue
        add = action.get("add")
        if add is None or "baseRowId" in add:
            made.append(action)
            continue
        rows = json.loads(add.get("stats") or "{}").get("numRecords")
        if not isinstance(rows, int):
            raise InternalError(f"the new file `{add['path']}` has no count of its rows, which row tracking needs")
        made.append({"add": {**add, "baseRowId": last + 1, "defaultRowCommitVersion": version}})
        last += rows
    if last > mark or given:
        configuration = json.dumps({"rowIdHighWaterMark": last})
        made.append({"domainMetadata": {"domain": ROW_TRACKING, "configuration": configuration, "removed": False}})
    return made


def _put(snapshot: Snapshot, version: int, data: bytes) -> bool:
    """Make the log's entry of ``version``; False if there is one. It is there whole or not at all, at any time.

    The folder is held from before it is looked at until the entry is in it, so that no entry comes into the log of
    another table that was made in the place of ``snapshot``'s.
    """
    location, final = snapshot.location, entry(snapshot.location, version)
    if isinstance(location, ObjectPath):
        return _put_object(location, version, data)
    aside = f".{final.name}.{uuid.uuid4().hex}.tmp"
    try:
        with holding(location) as held:
            try:
                handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=held)
                _fill(handle, data)
                _require_same(snapshot, held)
                os.link(aside, final.name, src_dir_fd=held, dst_dir_fd=held)
            except OSError as error:
                # A file server may have made the link and lost its answer.
                if not _is_same(aside, final.name, held):
                    if isinstance(error, FileExistsError):
                        return False
                    raise
            finally:
                with suppress(OSError):
                    os.unlink(aside, dir_fd=held)
            with suppress(OSError):
                os.fsync(held)
    except OSError as error:
        if not final.parent.exists():
            raise _conflict(snapshot, "its log is gone") from error
        why = "its file system has no hard links" if error.filename2 and error.errno in _NO_LINKS else None
        raise StorageError(f"`{final}` can't be written: {error.strerror}", hint=why) from error
    return True


def _put_object(location: ObjectPath, version: int, data: bytes) -> bool:
    """As `_put`: the store refuses to write over an object."""
    final = location / relative(entry(location, version), location).as_posix()
    try:
        made = final.put(data, new=True)
    except StorageError:
        if _holds(final, data):
            return True
        raise
    # A store may have made it and lost its answer; asked again, it says that there is one.
    return made or _holds(final, data)


def _holds(path: ObjectPath, data: bytes) -> bool:
    """True if the object is what we wrote: each commit has an id of its own."""
    with suppress(StorageError, FileNotFoundError):
        return path.read_bytes() == data
    return False


def _require_same(snapshot: Snapshot, held: int) -> None:
    """Raise `CommitConflict` unless the log that is held is the one that ``snapshot`` and all since was read from."""
    location, version = snapshot.location, snapshot.version
    there = stamp(location, version, held=held)
    same = there == snapshot.stamp
    if there is None and snapshot.stamp is not None:  # It was cleaned up, or this is another table.
        same = open_snapshot(snapshot.name, location, None).table.metadata().id == snapshot.table.metadata().id
    if not (same and is_held(location, held)):
        raise _conflict(snapshot, "the table was dropped and made anew")


def _put_first(location: Location, data: bytes, aside: Path | None) -> bool:
    """Make a log and the entry of version 0 in one step; False if there is a log."""
    if isinstance(location, ObjectPath):
        return _put_object(location, 0, data)
    log, name = folder(location), entry(location, 0).name
    given = aside
    try:
        if aside is None:
            aside = Path(str(unfinished(location))) / uuid.uuid4().hex
            aside.parent.mkdir(exist_ok=True)
            aside.mkdir()
        _fill(os.open(aside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), data)
        _to_disk(aside)
        aside.rename(str(log))
    except OSError as error:
        if aside is not None:
            with suppress(OSError):
                (aside / name).unlink()
            with suppress(OSError):
                if given is None:
                    aside.rmdir()
        if log.is_dir():
            return False
        raise StorageError(f"`{log}` can't be made: {error.strerror}") from error
    with suppress(OSError):
        _to_disk(location)
    return True


def _fill(handle: int, data: bytes) -> None:
    with open(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _is_same(one: str, other: str, held: int) -> bool:
    try:
        return os.path.samestat(os.stat(one, dir_fd=held), os.stat(other, dir_fd=held))
    except OSError:
        return False


def _to_disk(directory: Location) -> None:
    handle = os.open(str(directory), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- what others wrote


def _require_passable(ours: _Ours, snapshot: Snapshot, version: int) -> None:
    """Raise `CommitConflict` unless ours may stand after another's commit without having seen it."""
    try:
        theirs = list(actions_of(entry(snapshot.location, version)))
    except FileNotFoundError:
        theirs = []
    if (reason := _reason(ours, theirs)) is not None:
        raise _conflict(snapshot, f"version {version} {reason}")
    for domain in _bodies(theirs, "domainMetadata"):
        if ours.mark is not None and domain.get("domain") == ROW_TRACKING:
            ours.mark = max(ours.mark, row_id_mark_of(domain))


def _reason(ours: _Ours, theirs: Sequence[_Action]) -> str | None:
    """Why ours can't stand after theirs, or None (Delta protocol, "Delta Log Entries"; Spark's rules of conflict)."""
    if not theirs:
        return "can't be read"
    for kind, what in (("protocol", "protocol"), ("metaData", "columns or properties")):
        if any(_bodies(theirs, kind)):
            return f"changed the table's {what}"
    for kind, name, what in (("txn", "appId", "a transaction of"), ("domainMetadata", "domain", "the domain")):
        both = {body[name] for body in ours.bodies(kind)} & {body[name] for body in _bodies(theirs, kind)}
        if both:
            return f"has {what} `{min(both)}` too"
    if ours.is_blind:
        return None
    removed = [(unquote(body["path"]), body.get("dataChange", True)) for body in _bodies(theirs, "remove")]
    # A file that is added may be there already: its statistics or its deletion vector are others then.
    mine = {unquote(body["path"]) for kind in ("add", "remove") for body in ours.bodies(kind)}
    if path := next((path for path, _ in removed if path in mine), None):
        return f"removed the file `{path}`"
    if ours.rearranges:
        return None
    if any(data for _, data in removed):
        return "removed rows"
    if not any(body.get("dataChange", True) for body in _bodies(theirs, "add")):
        return None
    blind = next((body.get("isBlindAppend") is True for body in _bodies(theirs, "commitInfo")), False)
    return None if blind and ours.passes_blind else "added rows"


def _conflict(snapshot: Snapshot, reason: str) -> CommitConflict:
    return CommitConflict(f"another writer's commit to `{snapshot.name}` conflicts: {reason}")


# -- the log, kept short


def _keep(snapshot: Snapshot, version: int) -> None:
    """Checkpoint and clean up the log when it is time, as delta-rs does after its commits; ours stands anyway."""
    properties = snapshot.properties
    interval = properties.get("delta.checkpointInterval", "")
    if (version + 1) % (int(interval) if interval.isdecimal() and int(interval) else _CHECKPOINT_INTERVAL):
        return
    try:
        table = open_snapshot(snapshot.name, snapshot.location, version).table
        table.create_checkpoint()
        if properties.get("delta.enableExpiredLogCleanup", "true").lower() == "true":
            table.cleanup_metadata()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 (the statement has succeeded; panics of delta-rs are BaseExceptions)
        return
