"""json (one array, an object per line) and jsonl (an object per line).

Numbers are written exactly as they are, decimals and 64-bit integers too; NaN and the infinities, which JSON lacks,
are ``"NaN"``, ``"Infinity"``, ``"-Infinity"``. Instants are ISO 8601 in UTC with ``Z``, bytes base64.
A map is an object where its keys are strings, else a list of pairs. Columns of one name are all there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.output import nested
from deltasql.output.lines import chunks, concat, joined, text_array
from deltasql.output.options import Options
from deltasql.output.text import clock, is_binary, is_list, is_text, texts

_NULL = "null"


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write one JSON array; without rows ``[]``."""
    if not schema.names:
        return
    separator = b"[\n"
    for batch in chunks(batches):
        out.write(separator)
        out.write(joined(_objects(batch), ",\n"))
        separator = b",\n"
    out.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def write_lines(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write an object per line; without rows nothing."""
    if not schema.names:
        return
    for batch in chunks(batches):
        out.write(joined(_objects(batch), "\n"))
        out.write(b"\n")


def _objects(batch: pa.RecordBatch) -> pa.Array:
    parts: list[pa.Array | str] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        parts += [f"{', ' if parts else '{'}{encode_basestring(name)}: ", _values(column)]
    return concat(*parts, "}")


def _values(array: pa.Array) -> pa.Array:
    """Each value as JSON; null is ``null``."""
    array = nested.plain(array)
    for matches, render in _VALUES:
        if matches(array.type):
            return render(array).fill_null(_NULL)
    return _string(array).fill_null(_NULL)


def _string(array: pa.Array) -> pa.Array:
    return text_array(None if value is None else encode_basestring(value) for value in texts(array).to_pylist())


def _floating(array: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(texts(array), r"^(-?)inf$", r'"\1Infinity"')
    return pc.replace_substring_regex(text, r"^-?nan$", '"NaN"')


def _timestamp(array: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(clock(array), r"^(-?\d+-\d\d-\d\d) ", r"\1T")
    return concat('"', text, '"' if array.type.tz is None else 'Z"')


def _binary(array: pa.Array) -> pa.Array:
    values = array.to_pylist()
    return text_array(None if value is None else f'"{base64.b64encode(value).decode()}"' for value in values)


def _list(array: pa.Array) -> pa.Array:
    return text_array(None if values is None else _array(values) for values in nested.lists(array, _rendered))


def _map(array: pa.Array) -> pa.Array:
    entries = nested.maps(array, _rendered, _rendered)
    if is_text(nested.plain(array.keys[:0]).type):
        return text_array(map(_object, entries))
    return text_array(None if pairs is None else f"[{', '.join(map(_array, pairs))}]" for pairs in entries)


def _struct(array: pa.Array) -> pa.Array:
    return text_array(map(_object, _named(array)))


def _named(array: pa.Array) -> Iterator[list[tuple[str, str]] | None]:
    for pairs in nested.structs(array, _rendered):
        yield None if pairs is None else [(encode_basestring(name), value) for name, value in pairs]


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(values)}]"


def _object(pairs: list[tuple[str, str]] | None) -> str | None:
    return None if pairs is None else "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _rendered(array: pa.Array) -> list[str]:
    values: list[str] = _values(array).to_pylist()
    return values


_VALUES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (is_text, _string),
    (pa.types.is_integer, texts),
    (pa.types.is_boolean, texts),
    (pa.types.is_decimal, texts),
    (pa.types.is_floating, _floating),
    (pa.types.is_timestamp, _timestamp),
    (is_binary, _binary),
    (is_list, _list),
    (pa.types.is_map, _map),
    (pa.types.is_struct, _struct),
)
