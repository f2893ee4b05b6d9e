"""JSON files: lines of objects by DataFusion; objects in an array, or one after the other, read into memory."""

from __future__ import annotations

import codecs
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import datafusion
import pyarrow as pa
from datafusion.catalog import Table

from deltasql.catalog.columns import nullable
from deltasql.engine.external.files import compression, naming, opened
from deltasql.engine.external.options import rows_per_file
from deltasql.engine.external.shape import Scan, united
from deltasql.engine.external.types import plain, wide
from deltasql.engine.listing import file_url, of_files
from deltasql.errors import DataError
from deltasql.names import quote
from deltasql.storage.objects import Location

_HEAD = 1 << 16


def scans(context: datafusion.SessionContext, files: Sequence[Location], options: Mapping[str, Any]) -> list[Scan]:
    """A scan per compression for lines of objects, and one per file that is read into memory."""
    declared: pa.Schema | None = options["columns"]
    rows = rows_per_file(options, files)
    lines: dict[str, list[tuple[Location, pa.Schema]]] = {}
    found = []
    for file in files:
        packed = compression(file, options)
        with naming(file, DataError):
            style = _style(file, packed) if options["format"] == "auto" else options["format"]
        if style == "newline_delimited":
            schema = declared
            if schema is None:
                with naming(file, DataError, "format => 'unstructured' for objects that span lines"):
                    schema = _lines(context, file, packed, None, rows).schema()
                schema = pa.schema([nullable(field, plain) for field in schema])
            lines.setdefault(packed, []).append((file, schema))
        elif style is not None:
            found.append(_in_memory(context, file, packed))

    def read(packed: str, group: Sequence[Location], schema: pa.Schema) -> datafusion.DataFrame:
        schema = pa.schema([nullable(field, wide) for field in schema])
        return of_files(context, _lines(context, group[0], packed, schema, rows), group)

    for packed, alike in lines.items():
        schema = declared or united(alike, by_name=options["union_by_name"])
        found.append(Scan([file for file, _ in alike], schema, functools.partial(read, packed)))
    return found


def _lines(
    context: datafusion.SessionContext, file: Location, packed: str, schema: pa.Schema | None, rows: int
) -> datafusion.DataFrame:
    return context.read_json(
        file_url(file),
        schema=schema,
        schema_infer_max_records=rows,
        file_extension="",
        file_compression_type=None if packed == "none" else packed,
    )


def _style(file: Location, packed: str) -> str | None:
    """How the objects of a file are laid out, by its beginning; None for an empty one."""
    with opened(file, packed) as stream:
        head = stream.read(_HEAD)
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if not text:
        return None
    line, ended, _ = text.partition("\n")
    if text[0] == "[":
        return "array"
    if head.startswith(codecs.BOM_UTF8):
        return "unstructured"  # DataFusion doesn't step over the mark.
    try:
        json.loads(line)
    except ValueError:
        return "unstructured" if ended else "newline_delimited"
    return "newline_delimited"


def _in_memory(context: datafusion.SessionContext, file: Location, packed: str) -> Scan:
    """A file of objects in an array or one after the other."""
    with naming(file, DataError), opened(file, packed) as stream:
        records = pa.array(list(_objects(stream.read().decode("utf-8-sig"))))
        table = pa.Table.from_batches([pa.RecordBatch.from_struct_array(records)]) if len(records) else pa.table({})

    def read(_: Sequence[Location], schema: pa.Schema) -> datafusion.DataFrame:
        # In a context of its own: a frame of rows registers them in the default catalog, which is ours.
        frame = context.read_table(Table(datafusion.SessionContext().from_arrow(table)))
        return frame.select(*(datafusion.col(quote(name)) for name in schema.names))

    return Scan([file], table.schema, read)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decode, text, position = json.JSONDecoder().raw_decode, text.strip(), 0
    while position < len(text):
        value, position = decode(text, position)
        for record in value if isinstance(value, list) else [value]:
            if not isinstance(record, dict):
                raise ValueError("it holds what is no object")  # noqa: TRY004 (named by the caller)
            yield record
        while text[position : position + 1].isspace():
            position += 1
