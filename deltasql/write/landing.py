"""Which files a COPY INTO means, and which of them its table has had already.

A file is its path: one that was loaded isn't loaded again, though it may have changed since (Databricks, "COPY INTO").
The record is a transaction of the table, made by the commit that brings the rows (Delta protocol, "Transaction
Identifiers"). So both are there or neither is, two writers can't load one file both, and the record outlives
checkpoints, clean-up, VACUUM and RESTORE. Transactions have no ``lastUpdated``, which would let them expire.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from deltasql.catalog.recorded import transactions
from deltasql.catalog.snapshot import Snapshot, is_table
from deltasql.engine.external import is_hidden
from deltasql.errors import PlanError, StorageError
from deltasql.sql.statements import CopyInto
from deltasql.storage.files import is_below, matching, real, relative, walk
from deltasql.storage.objects import Location
from deltasql.storage.storage import Storage

_MOST_FILES = 1000
_APPLICATION = "deltasql.copy:"


# -- what was loaded


def loaded(snapshot: Snapshot, files: Collection[Location]) -> set[Location]:
    """Those of ``files`` that the table has had. Raises `StorageError` for a log that can't be read."""
    named = {_identity(file): file for file in files}
    return {named[found] for found in transactions(snapshot, named.__contains__)}


def load_actions(files: Collection[Location]) -> list[dict[str, Any]]:
    """The actions that record ``files``."""
    return [{"txn": {"appId": _identity(file), "version": 1}} for file in files]


def _identity(file: Location) -> str:
    return _APPLICATION + real(file).as_uri()


# -- what there is


def landed(statement: CopyInto, storage: Storage) -> list[Location]:
    """The files that ``statement`` means, by name; without hidden ones, and without empty ones, which are yet to come.

    Raises `StorageError` for a path or file that there isn't, `PlanError` for the folder of a Delta table.
    """
    try:
        if statement.files is not None:
            found = list(_listed(storage.place(statement.path), statement.path, statement.files))
        else:
            found = [
                file
                for start in _starts(storage.place(statement.path), statement.path)
                for file in _below(start, statement.pattern)
            ]
        return sorted({real(file): file for file in found if file.stat().st_size}.values())
    except OSError as error:
        raise StorageError(f"`{statement.path}` can't be listed: {error.strerror}") from error


def _listed(folder: Location, path: str, names: Sequence[str]) -> Iterator[Location]:
    if len(names) > _MOST_FILES:
        raise PlanError(f"FILES takes at most {_MOST_FILES} names, not {len(names)}", hint="use PATTERN")
    if not folder.is_dir():
        raise StorageError(f"there is no folder `{path}`")
    for name in names:
        if not (folder / name).is_file():
            raise StorageError(f"there is no file `{name}` in `{path}`")
        _require_no_table((folder / name).parent)
        yield folder / name


def _starts(start: Location, path: str) -> list[Location]:
    """The files and folders that a path, which may be a glob, means."""
    found = [start] if start.exists() else matching(start)
    if not found:
        raise StorageError(f"there is no file or folder `{path}`")
    for each in found:
        _require_no_table(each if each.is_dir() else each.parent)
    return found


def _below(start: Location, pattern: str | None) -> Iterator[Location]:
    if start.is_file():
        if pattern is None or re.fullmatch(_expression(pattern), start.name):
            yield start
        return
    wanted = None if pattern is None else re.compile(_expression(pattern) + r"(?:/.*)?", re.DOTALL)
    for folder, folders, names in walk(start, _raise):
        if is_table(folder):
            _require_no_table(folder)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in names:
            file = folder / name
            below = relative(file, start).as_posix()
            if not is_hidden(name) and file.is_file() and (wanted is None or wanted.fullmatch(below)):
                yield file


def _raise(error: OSError) -> None:
    raise error


def _require_no_table(folder: Location) -> None:
    """Raise `PlanError` in a Delta table: its files include those of old versions."""
    table = next((each for each in (folder, *folder.parents) if is_table(each)), None)
    if table is not None:
        raise PlanError(f"`{table}` is a Delta table", hint=f"use `INSERT INTO … SELECT … FROM delta.`{table}``")


def columns_of_folders(base: Location, files: Collection[Location]) -> tuple[set[str], set[str]]:
    """The columns that folders ``k=v`` give ``files``: those of folders below ``base``, and of others above."""
    parts = [relative(file, base).parts[:-1] if is_below(file, base) else () for file in files]
    below = {part.partition("=")[0] for each in parts for part in each if "=" in part}
    return below, {part.partition("=")[0] for file in files for part in file.parts[:-1] if "=" in part} - below


# -- patterns

_GLOB = re.compile(
    r"(?P<deep>\*\*/?)|(?P<any>\*)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>\]?[^\]]+)\]|(?P<open>\{)|(?P<close>\})|(?P<or>,)"
    r"|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


def _expression(pattern: str) -> str:
    """A glob as a regular expression: ``*`` and ``?`` stay within a folder, ``**`` doesn't; ``[a-z]``, ``{a,b}``."""
    made, depth = "", 0
    for found in _GLOB.finditer(pattern):
        kind = found.lastgroup
        if kind == "deep":
            made += "(?:.*/)?" if found["deep"].endswith("/") else ".*"
        elif kind == "set":
            characters = found["set"].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
            made += f"[{'^/' if found['not'] else ''}{characters}]"
        elif kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            made += "(?:" if kind == "open" else ")"
        elif kind == "or" and depth:
            made += "|"
        else:
            made += {"any": "[^/]*", "one": "[^/]"}.get(str(kind), re.escape(found["escaped"] or found[0]))
        if depth < 0:
            break
    try:
        re.compile(made)
    except re.error as error:
        raise PlanError(f"`{pattern}` is no PATTERN: {error.msg}") from None
    return made
