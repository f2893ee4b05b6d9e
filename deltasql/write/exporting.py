"""Rows into a file that is no table: CSV, JSON, Parquet or Arrow, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.snapshot import is_table
from deltasql.catalog.store import FOLDER
from deltasql.engine.external import character
from deltasql.errors import NotSupportedError, PlanError, StorageError
from deltasql.names import did_you_mean
from deltasql.output import FORMATS, Options
from deltasql.output.delimited import Style, write_delimited
from deltasql.progress import Telling
from deltasql.settings import Settings, choice, switch, whole
from deltasql.sql.statements import CopyTo
from deltasql.storage.files import real
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.storage import Storage
from deltasql.types import sql_name
from deltasql.write.source import require_distinct

_Batches = Iterable[pa.RecordBatch]
_ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
_PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class Export:
    """What is written where; ``options`` are the values of those that were given, and defaults."""

    path: Location
    format: str
    options: Mapping[str, Any] = field(default_factory=dict)


def exporting(statement: CopyTo, schema: pa.Schema, settings: Settings, storage: Storage) -> Export:
    """What ``statement`` writes of the columns ``schema``.

    Raises `PlanError` for options that don't fit and for a path in a Delta table, `NotSupportedError` for a format that
    there isn't or that can't hold a column, `StorageError` for a path that can't be a file's.
    """
    path = _place(statement.path, storage)
    packed = _PACKED.get(path.suffix.lower())
    plain = path.with_suffix("") if packed is not None else path
    format = statement.format or _ENDINGS.get(plain.suffix.lower())
    if format is None:
        raise PlanError(f"the format of `{path.name}` isn't known", hint="give it: (FORMAT csv)")
    format = {"jsonl": "json", "ndjson": "json", "ipc": "arrow"}.get(format, format)
    if format not in _FORMATS:
        hint = "there are " + ", ".join(f"`{name}`" for name in _FORMATS)
        raise NotSupportedError(f"COPY … TO can't write the format `{format}`", hint=hint)
    options = _values(format, dict(statement.options))
    if format == "parquet":
        options = {"row_group_size": settings["deltasql.write.row_group_rows"], **options}
        options = {"compression": settings["deltasql.write.compression"], **options}
    elif packed is not None and format != "arrow":
        options = {"compression": packed, **options}
    _require_writable(format, schema)
    return Export(path, format, options)


def _place(text: str, storage: Storage) -> Location:
    path = real(storage.place(text))
    if path.is_dir() or text.endswith("/"):
        raise StorageError(f"`{text}` is a folder", hint="name a file")
    if not isinstance(path, ObjectPath) and not path.parent.is_dir():
        raise StorageError(f"`{text}` can't be written: there is no folder `{path.parent}`")
    table = next((folder for folder in path.parents if is_table(folder)), None)
    if table is not None:
        raise PlanError(f"`{text}` lies in the Delta table `{table}`", hint="use `INSERT INTO` to add rows to it")
    if path.parent.name == FOLDER:
        raise PlanError(f"`{text}` lies among the registrations of a root", hint="write it elsewhere")
    return path


# -- options


_Parse = Callable[[str], Any]
_TEXT: Mapping[str, _Parse] = {"compression": choice("none", "gzip", "bz2", "zstd")}
_DELIMITED: Mapping[str, _Parse] = {"header": switch, "delimiter": character, "quote": character, "null": str, **_TEXT}
_OPTIONS: Mapping[str, Mapping[str, _Parse]] = {
    "csv": _DELIMITED,
    "tsv": _DELIMITED,
    "json": {"array": switch, **_TEXT},
    "parquet": {
        "compression": choice("none", "snappy", "gzip", "brotli", "lz4", "zstd"),
        "row_group_size": whole(1, 2**31),
    },
    "arrow": {},
}
_ALIASES = {"delim": "delimiter", "sep": "delimiter", "nullstr": "null", "codec": "compression"}
_SAME = {"uncompressed": "none", "gz": "gzip", "zst": "zstd"}


def _values(format: str, given: Mapping[str, str]) -> dict[str, Any]:
    known = _OPTIONS[format]
    found: dict[str, Any] = {}
    for key, text in given.items():
        name = _ALIASES.get(key, key)
        if name not in known:
            listed = "it takes " + ", ".join(f"`{each}`" for each in known) if known else "it takes none"
            raise PlanError(
                f"COPY … TO (FORMAT {format}) has no option `{key}`", hint=did_you_mean(key, known) or listed
            )
        if name in found:
            raise PlanError(f"COPY … TO has the option `{name}` twice")
        try:
            found[name] = known[name](_SAME.get(text.lower(), text) if name == "compression" else text)
        except ValueError as error:
            raise PlanError(f"`{text}` is no value of `{key}`: it takes {error}") from None
    if found.get("delimiter", "," if format == "csv" else "\t") == found.get("quote", '"'):
        raise PlanError("DELIMITER and QUOTE are the same character")
    return found


# -- what a format can hold


def _require_writable(format: str, schema: pa.Schema) -> None:
    if format not in ("csv", "tsv"):
        require_distinct(schema.names, "the query")
    if format == "parquet":
        for column in schema:
            if (odd := _unwritable(column.type)) is not None:
                message = f"column `{column.name}` of type {sql_name(odd)} can't be written as Parquet"
                raise NotSupportedError(message, hint=f"cast it: CAST({column.name} AS STRING)")


def _unwritable(type: pa.DataType) -> pa.DataType | None:
    """``type`` or the type below it that Parquet has none for."""
    if pa.types.is_duration(type) or pa.types.is_interval(type) or pa.types.is_union(type):
        return type
    below = (_unwritable(type.field(index).type) for index in range(type.num_fields))
    return next((odd for odd in below if odd is not None), None)


# -- writing


def export(schema: pa.Schema, batches: _Batches, what: Export, *, progress: Telling) -> int:
    """Write the rows; their number. Raises `StorageError`; a file that was there stays as it was then."""
    count = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in batches:
            yield batch
            count += batch.num_rows
            progress(batch.num_rows)

    with _replacing(what.path) as file:
        _FORMATS[what.format](schema, counted(), file, what.options)
    return count


@contextlib.contextmanager
def _replacing(path: Location) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` in the end; what is no file (a pipe, ``/dev/null``) is written to."""
    if isinstance(path, ObjectPath):
        with tempfile.TemporaryDirectory(prefix="deltasql-") as folder:
            whole = Path(folder) / "whole"
            with whole.open("xb") as file:
                yield file
            path.put(whole)
        return
    replaces = path.is_file() or not path.exists()
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}") if replaces else path
    try:
        with beside.open("xb" if replaces else "wb") as file:
            yield file
        if replaces:
            if path.exists():
                shutil.copymode(path, beside)
            beside.replace(path)
    except BaseException as error:
        if replaces:
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(f"`{path}` can't be written: {error.strerror or error}") from error
        raise


@contextlib.contextmanager
def _packing(file: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    if compression == "none":
        yield file
        return
    with pa.CompressedOutputStream(file, compression) as packed:
        yield cast("BinaryIO", packed)


def _write_delimited(schema: pa.Schema, batches: _Batches, out: BinaryIO, options: Mapping[str, Any]) -> None:
    style = Style(**{name: value for name, value in options.items() if name != "compression"})
    with _packing(out, options.get("compression", "none")) as file:
        write_delimited(schema, batches, file, style)


def _write_tsv(schema: pa.Schema, batches: _Batches, out: BinaryIO, options: Mapping[str, Any]) -> None:
    _write_delimited(schema, batches, out, {"delimiter": "\t", **options})


def _write_json(schema: pa.Schema, batches: _Batches, out: BinaryIO, options: Mapping[str, Any]) -> None:
    with _packing(out, options.get("compression", "none")) as file:
        FORMATS["json" if options.get("array") else "jsonl"](schema, batches, file, Options())


def _write_parquet(schema: pa.Schema, batches: _Batches, out: BinaryIO, options: Mapping[str, Any]) -> None:
    with pq.ParquetWriter(out, schema, compression=options["compression"], store_schema=False) as writer:
        for group in _groups(batches, options["row_group_size"]):
            writer.write_table(pa.Table.from_batches(group, schema), row_group_size=options["row_group_size"])


def _groups(batches: _Batches, rows: int) -> Iterator[list[pa.RecordBatch]]:
    """``batches`` in lists of ``rows`` rows, the last of which may have fewer."""
    held: list[pa.RecordBatch] = []
    missing = rows
    for batch in batches:
        rest = batch
        while rest.num_rows >= missing:
            yield [*held, rest.slice(0, missing)]
            rest = rest.slice(missing)
            held, missing = [], rows
        if rest.num_rows:
            held.append(rest)
            missing -= rest.num_rows
    if held:
        yield held


def _write_arrow(schema: pa.Schema, batches: _Batches, out: BinaryIO, _options: Mapping[str, Any]) -> None:
    with pa.ipc.new_file(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


_FORMATS: Mapping[str, Callable[[pa.Schema, _Batches, BinaryIO, Mapping[str, Any]], None]] = {
    "csv": _write_delimited,
    "tsv": _write_tsv,
    "json": _write_json,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
}
