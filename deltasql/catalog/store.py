"""Registrations: what is more than a place in the tree (external tables, views, schemas), in ``root/_deltasql/``.

One JSON file with a format version. A writer takes the lock, reads the file afresh, changes it and replaces it in
one step that is on the disk before anything counts on it: two processes may write at once, a reader always finds a
whole file, and a process that dies at any point leaves the registrations as they were, or as they were to be.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltasql.catalog.views import is_kept
from deltasql.errors import StorageError
from deltasql.storage.objects import Location, ObjectPath

FOLDER = "_deltasql"
_FORMAT = 1
_FILE = "catalog.json"
_LOCK = "catalog.lock"
_ATTEMPTS = 20

FRESH = 5.0
"""Seconds for which names that were read from an object store count; one that isn't known is looked for at once."""


@dataclass(frozen=True, slots=True)
class Registrations:
    """What is registered: locations by schema and table, views (`views.kept`) likewise, comments by schema."""

    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    views: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    schemas: dict[str, str | None] = field(default_factory=dict)

    def names(self, schema: str) -> list[str]:
        """The names of the tables and views of a schema."""
        return [*self.tables.get(schema, {}), *self.views.get(schema, {})]

    def all_schemas(self) -> set[str]:
        """The names of all schemas that something is registered of."""
        return {*self.schemas, *self.tables, *self.views}


class Store:
    """The registrations of one root; what was read is kept as long as the file is the same.

    In an object store a writer replaces just the object that it read (by its ETag), and what was read is kept for
    `FRESH` seconds.
    """

    def __init__(self, root: Location) -> None:
        self.root = root
        self._held: tuple[tuple[int, int, int], Registrations] | None = None
        self._read_at = float("-inf")
        self._object = Registrations()

    @property
    def _file(self) -> Location:
        return self.root / FOLDER / _FILE

    def read(self) -> Registrations:
        """What is registered, which nobody changes; empty where nothing is. Raises `StorageError` for a broken file."""
        if isinstance(self._file, ObjectPath):
            return self._read_object(self._file)
        try:
            stat = self._file.stat()
            # Each writer replaces the file, so that a change gives it another number.
            stamp = stat.st_ino, stat.st_mtime_ns, stat.st_size
            if self._held is None or self._held[0] != stamp:
                self._held = stamp, self._read()
        except (FileNotFoundError, NotADirectoryError):
            return Registrations()
        except OSError as error:
            raise StorageError(f"`{self._file}` can't be read: {error.strerror}") from error
        return self._held[1]

    def forget(self) -> None:
        """Let the next look be at the file itself."""
        self._held, self._read_at = None, float("-inf")

    def _read_object(self, file: ObjectPath) -> Registrations:
        now = time.monotonic()
        if now - self._read_at > FRESH:
            try:
                self._object = self._parsed(file.read_text(errors="replace"))
            except FileNotFoundError:
                self._object = Registrations()
            self._read_at = now
        return self._object

    def _read(self) -> Registrations:
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return Registrations()
        return self._parsed(text)

    def _parsed(self, text: str) -> Registrations:
        try:
            content: Any = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict) or not {"format", "tables"} <= content.keys():
            raise StorageError(f"`{self._file}` is no catalog of deltasql")
        if content["format"] != _FORMAT:
            message = f"`{self._file}` has format {content['format']}, this deltasql knows {_FORMAT}"
            raise StorageError(message, hint="upgrade deltasql")
        tables, views, schemas = (content.get(key, {}) for key in ("tables", "views", "schemas"))
        if not (_is_nested(tables, _is_text) and _is_nested(views, is_kept) and _is_comments(schemas)):
            raise StorageError(f"`{self._file}` is no catalog of deltasql")
        return Registrations(tables, views, schemas)

    def change(self, edit: Callable[[Registrations], None]) -> None:
        """Apply ``edit`` to the registrations and write them back, with no other writer in between.

        What ``edit`` raises leaves them as they were. Raises `StorageError` where they can't be written.
        """
        if isinstance(self._file, ObjectPath):
            self._change_object(self._file, edit)
            return
        try:
            file = self._file
            file.parent.mkdir(parents=True, exist_ok=True)
            with _locked(file.parent / _LOCK):
                found = self._read()
                edit(found)
                self._replace(found)
        except OSError as error:
            raise StorageError(f"`{self._file}` can't be written: {error.strerror}") from error

    def _change_object(self, file: ObjectPath, edit: Callable[[Registrations], None]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                data, state = file.read_tagged()
                found = self._parsed(data.decode("utf-8", errors="replace"))
            except FileNotFoundError:
                state, found = {}, Registrations()
            edit(found)
            if file.put(_text(found).encode(), new=not state, over=state or None):
                self.forget()
                return
            time.sleep(random.uniform(0, 0.05 * 2 ** min(attempt, 5)))  # noqa: S311 (not for secrets)
        raise StorageError(f"`{file}` can't be written: others write it all the time", hint="try again")

    def _replace(self, found: Registrations) -> None:
        file = Path(str(self._file))
        # What a process that died left there is written over: only who holds the lock comes here.
        fresh = file.with_name(f"{_FILE}.tmp")
        try:
            with fresh.open("w", encoding="utf-8") as out:
                out.write(_text(found))
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
        # It is changed now: what fails from here on takes nothing back.
        with contextlib.suppress(OSError):
            folder = os.open(file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _text(found: Registrations) -> str:
    content = {
        "format": _FORMAT,
        "tables": {schema: tables for schema, tables in found.tables.items() if tables},
        "views": {schema: views for schema, views in found.views.items() if views},
        "schemas": found.schemas,
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_nested(value: Any, is_right: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(
        isinstance(named, dict) and all(map(is_right, named.values())) for named in value.values()
    )


def _is_comments(value: Any) -> bool:
    return isinstance(value, dict) and all(comment is None or isinstance(comment, str) for comment in value.values())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, which the system frees when the process ends, however it ends."""
    import fcntl

    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
