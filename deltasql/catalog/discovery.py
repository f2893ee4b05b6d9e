"""What lies below a warehouse root: Delta tables and the folders that are schemas. Nothing is opened."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deltasql.catalog.snapshot import is_table, is_unfinished
from deltasql.errors import SchemaNotFound, StorageError
from deltasql.storage.objects import Location, ObjectPath

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Listing:
    """The tables and the other folders right below one folder, by name."""

    tables: tuple[str, ...]
    folders: tuple[str, ...]


def names(folder: Location) -> list[str]:
    """The names of what lies in ``folder``, but for those that start with ``.`` or ``_``. Raises OSError."""
    if isinstance(folder, ObjectPath):
        return [path.name for path, _ in folder.entries() if path.name[0] not in "._"]
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.name[0] not in "._"]


def listing(folder: Location) -> Listing:
    """List ``folder``; names that start with ``.`` or ``_`` are not looked at.

    Raises `StorageError` without permission, `SchemaNotFound` where there is no such folder.
    """
    try:
        if isinstance(folder, ObjectPath):
            return _objects(folder)
        with os.scandir(folder) as entries:
            found = sorted(entry.name for entry in entries if entry.name[0] not in "._" and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SchemaNotFound(f"the folder `{folder}` does not exist") from error
    except OSError as error:
        raise StorageError(f"the folder `{folder}` can't be listed: {error.strerror}") from error
    tables = tuple(name for name in found if is_table(folder / name))
    known = set(tables)
    others = (name for name in found if name not in known)
    return Listing(tables, tuple(name for name in others if not is_unfinished(folder / name)))


def _objects(folder: ObjectPath) -> Listing:
    """What is right below a prefix: one request for it, and one for each name there, a few at a time."""
    found = [path for path, state in folder.entries() if state is None and path.name[0] not in "._"]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        are = list(pool.map(is_table, found))
    return Listing(
        *(
            tuple(path.name for path, is_one in zip(found, are, strict=True) if is_one == wanted)
            for wanted in (True, False)
        )
    )
