"""Tables that come to be, in one commit: the first of a log, or one more that puts a table in the place of another.

A table is there with its commit and not before: until then its folder has no log. What fails leaves nothing: neither
files nor folders that weren't there; and never takes away what another writer made there meanwhile. What a process
that died leaves is told by the folder in which the log's beginning is made (`unfinished`), and stands in nobody's way:
no table names it, so VACUUM of the table that is made there at last removes it.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.log import folder, unfinished
from deltasql.catalog.recorded import key, recorded, remove_of
from deltasql.catalog.snapshot import Snapshot, is_table, open_snapshot, require_plain
from deltasql.errors import AlreadyExists, CommitConflict, PlanError, SchemaNotFound, StorageError, TableNotFound
from deltasql.names import TableReference
from deltasql.session import StatementContext
from deltasql.storage.objects import Location, ObjectPath
from deltasql.write.commit import begin, commit, committed, marked
from deltasql.write.designing import Design
from deltasql.write.files import DataFile, DataFiles
from deltasql.write.settings import file_settings
from deltasql.write.source import Source
from deltasql.write.target import Commit, commit_metadata


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table is to be; ``old`` is the one that is there already and is to be replaced, if there is one."""

    entry: TableEntry
    old: Snapshot | None
    registered: bool

    def keep(self, context: StatementContext) -> None:
        """Let the table be found by its name, if that takes more than its folder."""
        if not (self.entry.managed or self.registered):
            context.session.catalog.register(self.entry)


def placed(
    table: TableReference, context: StatementContext, *, location: str | None, replace: bool, must_exist: bool
) -> Place:
    """Where ``table`` is to be made; it isn't there, or may be replaced (by ``replace``), or must be (``must_exist``).

    Raises `AlreadyExists`, `TableNotFound`, `SchemaNotFound`, `NotSupportedError`; `PlanError` for another ``location``
    than that of the table which is replaced.
    """
    catalog = context.session.catalog
    found = _found(table, context) if replace else None
    if found is None:
        if must_exist:
            raise TableNotFound(f"there is no table `{table}`", hint="use CREATE OR REPLACE TABLE", span=table.span)
        entry = catalog.new_entry(table, location)
        catalog.require_writable(entry)
        require_plain(entry.location)
        old = open_snapshot(str(entry), entry.location) if replace and is_table(entry.location) else None
        return Place(entry, old, registered=table.path is not None)
    catalog.require_writable(found)
    if location is not None and context.session.catalog.storage.place(location).resolve() != found.location.resolve():
        message = f"`{found}` is at `{found.location}`, which replacing it doesn't change"
        raise PlanError(message, hint="leave the LOCATION out, or drop the table before", span=table.span)
    return Place(found, context.latest(found), registered=True)


def _found(table: TableReference, context: StatementContext) -> TableEntry | None:
    try:
        entry = context.entry(table)
    except (TableNotFound, SchemaNotFound):
        return None
    return entry if is_table(entry.location) else None


def require_empty(location: Location) -> None:
    """Raise unless a table can be made at ``location``: `AlreadyExists` for a table, `StorageError` for other files."""
    if is_table(location):
        raise AlreadyExists(f"there is a Delta table at `{location}` already")
    try:
        if location.exists() and any(location.iterdir()) and not _is_begun(location):
            raise StorageError(f"`{location}` isn't empty, and is no Delta table")
    except NotADirectoryError as error:
        raise StorageError(f"`{location}` is no folder") from error
    except OSError as error:
        raise StorageError(f"`{location}` can't be looked at: {error.strerror}") from error


def _is_begun(location: Location) -> bool:
    """True for a folder where a table was being made when a process died."""
    return not isinstance(location, ObjectPath) and unfinished(location).is_dir()


# -- making it


@dataclass(slots=True)
class Making:
    """A table on its way: `making` gives one, and takes away what it wrote unless `commit` made its commit."""

    location: Location
    design: Design
    context: StatementContext
    files: list[DataFile] = field(default_factory=list)
    copied: list[Location] = field(default_factory=list)
    mark: Mapping[str, str] = field(default_factory=marked)
    begun: float = field(default_factory=time.monotonic)
    writer: DataFiles | None = None
    aside: Path | None = None

    def write(self, rows: Source) -> int:
        """Write the rows of the table; how many they are."""
        metadata = self.design.metadata
        schema = metadata.arrow()
        settings = file_settings(self.context.session.settings, metadata.configuration)
        partitions = metadata.partition_columns
        self.writer = DataFiles(self.location, schema, partitions, metadata.configuration, settings)
        count = 0
        for batch in rows.batches():
            if batch.num_rows:
                self.writer.write(batch)
                count += batch.num_rows
                self.context.progress(batch.num_rows)
        self.files = self.writer.finish()
        return count

    def commit(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, int],
        *,
        adds: Sequence[Mapping[str, Any]] = (),
    ) -> Commit:
        """Make the commit: with ``adds`` of files that are there, and without those of the table that was there."""
        old = self.design.old
        added = [*adds, *(file.add() for file in self.files)]
        gone = [] if old is None else _removes(old, added)
        counted = {
            **metrics,
            "num_added_files": len(added),
            "num_removed_files": len(gone),
            "execution_time_ms": round((time.monotonic() - self.begun) * 1000),
        }
        custom = commit_metadata(self.context) | dict(self.mark)
        actions = [*self.design.actions(), *gone, *added]
        if old is None:
            version = begin(
                self.location,
                actions,
                operation=operation,
                parameters=parameters,
                metrics=counted,
                custom=custom,
                aside=self.aside,
            )
        else:
            version = commit(old, actions, operation=operation, parameters=parameters, metrics=counted, custom=custom)
        return Commit(version, counted)

    def is_swept(self) -> bool:
        """True if somebody else made, dropped or replaced what was here meanwhile, so that files of ours are gone."""
        if self.design.old is not None:
            return self.design.old.is_gone
        return self.aside is not None and not self.aside.is_dir()

    def is_committed(self) -> bool:
        """True if the commit was made."""
        after = -1 if self.design.old is None else self.design.old.version
        return committed(self.location, self.mark, after=after) is not None


def _removes(old: Snapshot, added: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What takes away the files of ``old`` but for those that are ``added`` again, as a clone's may be."""
    now = time.time_ns() // 1_000_000
    kept = {key(action["add"]) for action in added}
    held = recorded(old, old.files)
    return [{"remove": remove_of(held[path], now)} for path in old.files if key(held[path]) not in kept]


@contextmanager
def making(location: Location, design: Design, context: StatementContext) -> Iterator[Making]:
    """A table of ``design`` on its way to ``location``, whose folder is there. Raises `StorageError`."""
    made = Making(location, design, context)
    if isinstance(location, ObjectPath):
        with _making_objects(made):
            yield made
        return
    new = _new_folders(location)
    begun = Path(str(unfinished(location)))
    empty = not location.is_dir() or begun.is_dir() or not any(location.iterdir())
    own = begun / uuid.uuid4().hex
    try:
        try:
            location.mkdir(parents=True, exist_ok=True)
            if empty:
                own.mkdir(parents=True)
                made.aside = own
        except OSError as error:
            raise StorageError(f"`{location}` can't be made: {error.strerror}") from error
        yield made
        shutil.rmtree(begun, ignore_errors=True)
    except BaseException as error:
        if not made.is_committed():
            swept = made.is_swept()
            if made.writer is not None:
                made.writer.abort()
            for path in made.copied:
                with suppress(OSError):
                    path.unlink()
            for path in (folder(location), own, begun):
                with suppress(OSError):
                    path.rmdir()
            if empty:
                _sweep(location, new)
            if swept and isinstance(error, StorageError):
                raise CommitConflict(f"another writer made or dropped the table at `{location}` meanwhile") from error
        raise


@contextmanager
def _making_objects(made: Making) -> Iterator[None]:
    """As `making` in a store, which has no folders: what was written goes where there was no commit."""
    try:
        yield
    except BaseException:
        if not made.is_committed():
            if made.writer is not None:
                made.writer.abort()
            for path in made.copied:
                with suppress(OSError, StorageError):
                    path.unlink()
        raise


def _new_folders(location: Path) -> list[Path]:
    """The folders that there will be for ``location`` and aren't yet, the last one first."""
    return [each for each in (location, *location.parents) if not each.exists()]


def _sweep(location: Path, new: Sequence[Path]) -> None:
    """Remove folders without a file at and below ``location``, and those of ``new``; where others write, they stay."""
    begun = unfinished(location)
    for below, _, _ in os.walk(location, topdown=False):
        if Path(below) not in (location, begun) and Path(below).parent != begun:
            with suppress(OSError):
                Path(below).rmdir()
    for path in new:
        with suppress(OSError):
            path.rmdir()
