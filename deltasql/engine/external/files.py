"""Which files a path means, and what they are packed with."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

import pyarrow as pa

from deltasql.catalog.snapshot import is_table
from deltasql.errors import Error, PlanError, StorageError, brief
from deltasql.storage.files import for_arrow, matching, relative
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.storage import Storage

_PIECE = 1 << 16

COMPRESSIONS = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst", "none": ""}
"""How a file may be packed, and how its name ends then."""

_ENDINGS = {"csv": (".csv", ".tsv"), "json": (".json", ".jsonl", ".ndjson"), "parquet": (".parquet",)}


def find(format: str, paths: Sequence[str | Location], storage: Storage) -> tuple[Location, ...]:
    """The files that ``paths`` (files, folders, globs, wherever they are) mean, each once, sorted for each of them.

    A folder means all files below it that end as ``format`` does, but for names that start with ``.`` or ``_``.
    Raises `StorageError` where there is none, `NotSupportedError` for a place of an unknown scheme.
    """
    found: dict[Location, None] = {}
    for path in paths:
        try:
            found |= dict.fromkeys(_matching(format, storage.place(path)))
        except OSError as error:
            raise StorageError(f"`{path}` can't be listed: {error.strerror}") from error
    return tuple(found)


def _matching(format: str, path: Location) -> list[Location]:
    text = str(path)
    if path.is_file():
        return [path]
    if path.is_dir():
        if is_table(path):
            hint = f"query it as delta.`{path}`: its files include those of old versions"
            raise PlanError(f"`{text}` is a Delta table", hint=hint)
        endings = tuple(end + packed for end in _ENDINGS[format] for packed in {"", *COMPRESSIONS.values()})
        below = (file for file in path.rglob("*") if file.name.lower().endswith(endings) and file.is_file())
        files = [file for file in below if not any(map(is_hidden, relative(file, path).parts))]
        what = f"`{text}` holds no {' or '.join(_ENDINGS[format])} file"
    else:
        files = [file for file in matching(path) if file.is_file()]
        what = f"no file matches `{text}`"
    if not files:
        raise StorageError(what)
    return sorted(files)


def is_hidden(name: str) -> bool:
    """True for the name of a file or folder that is none of the data: ``_SUCCESS``, ``.crc``, but not ``_k=v``."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def compression(path: Location, options: Mapping[str, Any]) -> str:
    """How a file is packed: a name of `COMPRESSIONS`."""
    if options["compression"] != "auto":
        return str(options["compression"])
    return next((name for name, end in COMPRESSIONS.items() if end and path.name.lower().endswith(end)), "none")


def opened(path: Location, packed: str) -> IO[bytes]:
    """The bytes of a file, unpacked."""
    if packed == "zstd":
        return cast("IO[bytes]", pa.input_stream(_readable(path), compression="zstd"))
    opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}.get(packed, open)
    if isinstance(path, ObjectPath):
        raw = path.open("rb")
        return raw if opener is open else cast("IO[bytes]", opener(raw, "rb"))
    return cast("IO[bytes]", opener(path, "rb"))


def _readable(path: Location) -> Any:
    return for_arrow(path) if isinstance(path, ObjectPath) else str(path)


def unpack(path: Location, options: Mapping[str, Any]) -> None:
    """Read all of a file. Raises what the unpacker does for one that is damaged."""
    with opened(path, compression(path, options)) as stream:
        while stream.read(_PIECE):
            pass


@contextmanager
def naming(file: Location, kind: type[Error], hint: str | None = None) -> Iterator[None]:
    """Errors of what is inside as ``kind``, naming the file."""
    try:
        yield
    except Error:
        raise
    except Exception as error:
        raise kind(f"`{file}` can't be read: {brief(error)}", hint=hint) from error
