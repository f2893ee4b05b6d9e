"""Registrations: what is more than a place in the tree (external tables), kept in ``root/_deltasql/``.

One JSON file with a format version. A writer takes the lock, reads the file afresh, changes it and replaces
it in one step, so two processes may write at once and a reader always finds a whole file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltasql.errors import StorageError

FOLDER = "_deltasql"
_FORMAT = 1
_FILE = "catalog.json"
_LOCK = "catalog.lock"

Tables = dict[str, dict[str, str]]
"""schema → table → location."""


@dataclass(frozen=True, slots=True)
class Store:
    """The registrations of one root."""

    root: Path

    @property
    def _file(self) -> Path:
        return self.root / FOLDER / _FILE

    def tables(self) -> Tables:
        """The registered tables; empty where nothing was registered. Raises `StorageError` for a broken file."""
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise StorageError(f"`{self._file}` can't be read: {error.strerror}") from error
        return self._parse(text)

    def _parse(self, text: str) -> Tables:
        try:
            content: Any = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict) or "format" not in content:
            raise StorageError(f"`{self._file}` is no catalog of deltasql")
        if content["format"] != _FORMAT:
            message = f"`{self._file}` has format {content['format']}, this deltasql knows {_FORMAT}"
            raise StorageError(message, hint="upgrade deltasql")
        if not _is_tables(content.get("tables")):
            raise StorageError(f"`{self._file}` is no catalog of deltasql")
        tables: Tables = content["tables"]
        return tables

    def change(self, edit: Callable[[Tables], None]) -> None:
        """Apply ``edit`` to the registrations and write them back, with no other writer in between."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._file.parent / _LOCK):
                tables = self.tables()
                edit(tables)
                self._replace(tables)
        except OSError as error:
            raise StorageError(f"`{self._file}` can't be written: {error.strerror}") from error

    def _replace(self, tables: Tables) -> None:
        fresh = self._file.with_name(f"{_FILE}.{os.getpid()}.tmp")
        with fresh.open("w", encoding="utf-8") as out:
            json.dump({"format": _FORMAT, "tables": tables}, out, indent=1, sort_keys=True, ensure_ascii=False)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)


def _is_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(tables, dict) and all(isinstance(location, str) for location in tables.values())
        for tables in value.values()
    )


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
