"""What our code does with files wherever they lie, where it takes more than a method of theirs."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from deltasql.storage.objects import Location, ObjectPath, ObjectStat, Reader

if TYPE_CHECKING:
    import pyarrow as pa

_FEW = 4


def for_arrow(path: Location) -> Path | pa.NativeFile:
    """What Arrow's Parquet reader takes for the file."""
    if not isinstance(path, ObjectPath):
        return path
    import pyarrow as pa

    return pa.PythonFile(Reader(path), mode="r")


def is_below(path: Location, above: Location) -> bool:
    """True if ``path`` is ``above``, or lies below it."""
    if isinstance(path, ObjectPath):
        return path.is_relative_to(above)
    return not isinstance(above, ObjectPath) and path.is_relative_to(above)


def relative(path: Location, above: Location) -> PurePath:
    """The way from ``above``. Raises ``ValueError`` where ``path`` isn't below it."""
    if isinstance(path, ObjectPath):
        return path.relative_to(above)
    return path.relative_to(str(above))


def real(path: Location) -> Location:
    """Without links on the way; objects have none."""
    return path if isinstance(path, ObjectPath) else Path(os.path.realpath(path))


def walk(folder: Location, onerror: Callable[[OSError], None]) -> Iterator[tuple[Location, list[str], list[str]]]:
    """As ``os.walk``: each folder from ``folder`` down, with the names of the folders (which may be cut) and files."""
    if not isinstance(folder, ObjectPath):
        for at, folders, names in os.walk(folder, onerror=onerror):
            yield Path(at), folders, names
        return
    entries = folder.entries()
    folders = [path.name for path, state in entries if state is None]
    yield folder, folders, [path.name for path, state in entries if state is not None]
    for name in folders:
        yield from walk(folder / name, onerror)


def missing(paths: list[ObjectPath]) -> ObjectPath | None:
    """The first of ``paths``, all of one table, that isn't there: by a look at each, or by a list of many."""
    if len(paths) <= _FEW:
        with ThreadPoolExecutor(_FEW) as pool:
            there = list(pool.map(ObjectPath.is_file, paths))
        return next((path for path, is_there in zip(paths, there, strict=True) if not is_there), None)
    wanted = set(paths)
    for path, _ in _above(paths).below():
        wanted.discard(path)
        if not wanted:
            return None
    return min(wanted)


def _above(paths: list[ObjectPath]) -> ObjectPath:
    """The longest prefix that all ``paths`` are below."""
    found = paths[0].parent
    while not all(path.is_relative_to(found) for path in paths):
        found = found.parent
    return found


def copy(source: Location, target: Location) -> os.stat_result | ObjectStat:
    """Copy a file, so that it is kept; what is said of the copy then. Raises ``OSError``, `StorageError`."""
    if isinstance(target, ObjectPath):
        if isinstance(source, ObjectPath) and source.root == target.root and source.account is target.account:
            import obstore

            from deltasql.storage.faults import told

            with told(source, "copied"):
                obstore.copy(source.store, source.key, target.key)
        elif isinstance(source, ObjectPath):
            target.put(source.read_bytes())
        else:
            target.put(source)
        return target.stat()
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, ObjectPath):
        with source.open("rb") as given, target.open("wb") as out:
            shutil.copyfileobj(given, out, _PIECE)
    else:
        shutil.copyfile(source, target)
    return synced(target)


_PIECE = 8 << 20


def synced(path: Path) -> os.stat_result:
    """Have a file on disk: a commit that is there mustn't name one that isn't."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
        return os.fstat(number)
    finally:
        os.close(number)


def remove_below(folder: ObjectPath) -> None:
    """Remove all objects below ``folder``: those of its log first, so that what is left of it is no table."""
    keys: list[str] = [path.key for path, _ in folder.below()]
    log = f"{folder.key}/_delta_log/" if folder.key else "_delta_log/"
    folder.remove_all([key for key in keys if key.startswith(log)])
    folder.remove_all([key for key in keys if not key.startswith(log)])


def state_of(path: Location) -> Any:
    """Size and time of a file; of an object of known size the size alone, as it never changes."""
    if isinstance(path, ObjectPath):
        return ObjectStat(path.size, 0, 0, None) if path.size is not None else path.stat()
    return os.stat(path)  # noqa: PTH116 (a third of the time)


def matching(pattern: Location) -> list[Location]:
    """The files and folders that a glob means: ``*``, ``?``, ``[…]`` within a name, ``**`` for folders of any depth."""
    if not isinstance(pattern, ObjectPath):
        return [Path(each) for each in glob.iglob(str(pattern), recursive=True)]  # noqa: PTH207 (of a whole path)
    parts = pattern.key.split("/")
    fixed = next((at for at, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    wanted = re.compile(_expression(parts), re.DOTALL)
    start = pattern.start(fixed)
    found: dict[Location, None] = {}
    for path, _ in start.below():
        above = (each for each in reversed(path.parents) if len(each.key) > len(start.key))
        found |= dict.fromkeys(each for each in (*above, path) if wanted.fullmatch(each.key))
    return list(found)


_SIGNS = re.compile(r"(?P<any>\*)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>\]?[^\]]+)\]|(?P<plain>.)", re.DOTALL)


def _expression(parts: list[str]) -> str:
    made = ""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            made += ".*" if last else "(?:[^/]+/)*"
        else:
            made += "".join(map(_sign, _SIGNS.finditer(part))) + ("" if last else "/")
    return made


def _sign(found: re.Match[str]) -> str:
    if found["set"]:
        characters = found["set"].replace("\\", r"\\").replace("[", r"\[")
        return f"[{'^/' if found['not'] else ''}{characters}]"
    return {"any": "[^/]*", "one": "[^/]"}.get(str(found.lastgroup), re.escape(found[0]))
