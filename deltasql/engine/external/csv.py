"""CSV files: DataFusion reads them, in the types that the values looked at have."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import datafusion
import pyarrow as pa

from deltasql.catalog.columns import nullable
from deltasql.engine.external.files import compression, naming, opened
from deltasql.engine.external.options import rows_per_file
from deltasql.engine.external.shape import Scan
from deltasql.engine.external.types import kind, type_of, wide
from deltasql.engine.listing import file_url
from deltasql.errors import DataError, NotSupportedError, PlanError
from deltasql.names import fold
from deltasql.storage.objects import Location, ObjectPath
from deltasql.types import sql_name

_LOOKED_THROUGH = 1 << 28
_PIECE = 1 << 22


def scans(
    context: datafusion.SessionContext, files: Sequence[Location], options: Mapping[str, Any], zone: str
) -> list[Scan]:
    """A scan per header and compression; a type is what all values looked at have, in whatever file."""
    declared: pa.Schema | None = options["columns"]
    for field in declared or ():
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            message = f"`read_csv` can't read `{field.name}` as {sql_name(field.type)}"
            raise NotSupportedError(message, hint="read it as a STRING")
    rows = 0 if declared or options["all_varchar"] else rows_per_file(options, files)
    kinds: dict[str, set[str]] = {}
    groups: dict[tuple[str, tuple[str, ...]], list[Location]] = {}
    for file in files:
        packed = compression(file, options)
        with naming(file, DataError):
            looked = _look(file, packed, options, rows)
        if looked is None:
            continue
        names = looked[0] if declared is None else _renamed(file, looked[0], declared, options)
        groups.setdefault((packed, tuple(names)), []).append(file)
        for name, found in zip(names, looked[1], strict=False):
            kinds.setdefault(name, set()).update(found)

    def read(packed: str, group: Sequence[Location], schema: pa.Schema) -> datafusion.DataFrame:
        reading = datafusion.CsvReadOptions(
            has_header=options["header"],
            delimiter=options["delim"],
            quote=options["quote"],
            escape=options["escape"],
            comment=options["comment"],
            newlines_in_values=_may_span(group, packed, options),
            truncated_rows=options["null_padding"],
            schema=pa.schema([nullable(field, wide) for field in schema]),
            file_extension="",
            file_compression_type="" if packed == "none" else packed,
        )
        return context.read_csv([file_url(file) for file in group], options=reading)

    if declared is None:
        declared = pa.schema([(name, type_of(found, zone)) for name, found in kinds.items()])
    return [
        Scan(group, pa.schema([declared.field(name) for name in header]), functools.partial(read, packed))
        for (packed, header), group in groups.items()
    ]


def _look(
    file: Location, packed: str, options: Mapping[str, Any], rows: int
) -> tuple[list[str], list[set[str]]] | None:
    """The names of a file's columns and the kinds of their values in the first rows; None for an empty file."""
    with opened(file, packed) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        lines: Iterable[str] = text
        if options["comment"] is not None:
            lines = (line for line in lines if not line.startswith(options["comment"]))
        quoting = {"quotechar": options["quote"], "escapechar": options["escape"]}
        records: Iterator[list[str]] = (row for row in csv.reader(lines, delimiter=options["delim"], **quoting) if row)
        first = next(records, None)
        if first is None:
            return None
        if not options["header"]:
            records = itertools.chain([first], records)
        names = [name if options["header"] and name else f"column_{n}" for n, name in enumerate(first, 1)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PlanError(f"`{file}` has two columns `{twice}`", hint="rename one in its first line")
        kinds: list[set[str]] = [set() for _ in names]
        for row in itertools.islice(records, rows):
            for seen, value in zip(kinds, row, strict=False):
                if value and "STRING" not in seen:
                    seen.add(kind(value))
        return names, kinds


def _renamed(file: Location, names: list[str], declared: pa.Schema, options: Mapping[str, Any]) -> list[str]:
    """The columns of a file in the names of ``columns``: by their names, or by place where it has none of them."""
    given = {fold(name): name for name in declared.names}
    common = [name for name in names if fold(name) in given]
    if options["header"] and len(common) == len(names) == len(given):
        return [given[fold(name)] for name in names]
    is_short = len(names) < len(given) and not options["null_padding"]
    if (options["header"] and common) or len(names) > len(given) or is_short:
        listed = ", ".join(f"`{name}`" for name in names)
        raise PlanError(f"`columns` doesn't fit `{file}`", hint=f"its columns are {listed}")
    return list(declared.names)


def _may_span(files: Iterable[Location], packed: str, options: Mapping[str, Any]) -> bool:
    """True if values may hold newlines, so that DataFusion mustn't read a file in parts: it holds a quote."""
    if options["newlines_in_values"] is not None:
        return bool(options["newlines_in_values"])
    return packed != "none" or any(_holds(file, options["quote"].encode()) for file in files)


def _holds(file: Location, character: bytes) -> bool:
    if isinstance(file, ObjectPath):
        with file.open("rb") as stream:
            return any(character in piece for piece in iter(lambda: stream.read(_PIECE), b""))
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return len(content) > _LOOKED_THROUGH or content.find(character) >= 0
