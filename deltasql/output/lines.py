"""Columns of text to lines of bytes, without a Python object per cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

# large_string: 65,536 rows of long values pass the 2 GiB that the offsets of a plain string can count.
TEXT = pa.large_string()
_CHUNK_ROWS = 65_536


def chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of ``batches`` in pieces small enough to hold as text; none is empty."""
    for batch in batches:
        for start in range(0, batch.num_rows, _CHUNK_ROWS):
            yield batch.slice(start, _CHUNK_ROWS)


def text_array(values: Iterable[str | None]) -> pa.Array:
    """Python strings as an array of `TEXT`."""
    return pa.array(values, TEXT)


def concat(*parts: pa.Array | str, separator: str = "", null: str | None = None) -> pa.Array:
    """Row by row, ``parts`` in one string; a null part is ``null``, or makes the whole null where that is None."""
    values = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    handling = "emit_null" if null is None else "replace"
    return pc.binary_join_element_wise(
        *values, pa.scalar(separator, TEXT), null_handling=handling, null_replacement=null or ""
    )


def rewritten(text: pa.Array, pattern: str, write: Callable[[str], str]) -> pa.Array:
    """``text`` with ``write`` applied to the values in which ``pattern`` (RE2) is found: mostly few, so it is quick."""
    needy = pc.match_substring_regex(text, pattern)
    if not pc.any(needy).as_py():
        return text
    return pc.replace_with_mask(text, needy, text_array(map(write, text.filter(needy).to_pylist())))


def joined(rows: pa.Array, separator: str) -> pa.Buffer:
    """All ``rows`` with ``separator`` between them, as UTF-8."""
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(rows)], pa.int64()), rows)
    return pc.binary_join(whole, pa.scalar(separator, TEXT))[0].as_buffer()
