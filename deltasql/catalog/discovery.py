"""What lies below a warehouse root: Delta tables and the folders that are schemas. Nothing is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deltasql.catalog.snapshot import is_table, is_unfinished
from deltasql.errors import SchemaNotFound, StorageError


@dataclass(frozen=True, slots=True)
class Listing:
    """The tables and the other folders right below one folder, by name."""

    tables: tuple[str, ...]
    folders: tuple[str, ...]


def names(folder: Path) -> list[str]:
    """The names of what lies in ``folder``, but for those that start with ``.`` or ``_``. Raises OSError."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.name[0] not in "._"]


def listing(folder: Path) -> Listing:
    """List ``folder``; names that start with ``.`` or ``_`` are not looked at.

    Raises `StorageError` without permission, `SchemaNotFound` where there is no such folder.
    """
    try:
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
