"""Lists, maps and structs taken apart, so that each format only says how it writes the parts.

``render`` turns an array of any type into one string per value, nulls included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

Render = Callable[[pa.Array], list[str]]
Part = TypeVar("Part")


def plain(array: pa.Array) -> pa.Array:
    """The same values without the encodings that mean nothing to a reader: dictionaries, runs, views, extensions."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_dictionary(kind):
        return plain(_decoded(array))
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(array))
    if pa.types.is_fixed_size_list(kind):
        return array.cast(pa.large_list(kind.value_field))
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return _contiguous(array)
    return array


def lists(array: pa.Array, render: Render) -> Iterator[list[str] | None]:
    """The rendered elements of each list, None for a null."""
    start, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return _spans(array, render(array.values.slice(start, stop - start)))


def maps(array: pa.Array, keys: Render, values: Render) -> Iterator[list[tuple[str, str]] | None]:
    """The rendered entries of each map, None for a null."""
    start, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
    parts = keys(array.keys.slice(start, stop - start)), values(array.items.slice(start, stop - start))
    return _spans(array, list(zip(*parts, strict=True)))


def structs(array: pa.Array, render: Render) -> Iterator[list[tuple[str, str]] | None]:
    """The name and rendered value of each field of each struct, None for a null."""
    names = [field.name for field in array.type]
    columns = [render(column) for column in array.flatten()]
    for row, valid in enumerate(array.is_valid().to_pylist()):
        yield [(name, column[row]) for name, column in zip(names, columns, strict=True)] if valid else None


def _decoded(array: pa.DictionaryArray) -> pa.Array:
    """Each row's own value. Arrow can't take from views (pyarrow 26)."""
    words = array.dictionary
    if pa.types.is_string_view(words.type) or pa.types.is_binary_view(words.type):
        words = words.cast(pa.large_string() if pa.types.is_string_view(words.type) else pa.large_binary())
    return words.take(array.indices)


def _contiguous(array: pa.Array) -> pa.Array:
    """A list view as a list. Arrow's own cast loses the elements of a view of one row (pyarrow 26)."""
    lengths = pc.list_value_length(array).fill_null(0).cast(pa.int64())
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    return pa.LargeListArray.from_arrays(offsets, array.flatten(), mask=array.is_null())


def _spans(array: pa.Array, parts: list[Part]) -> Iterator[list[Part] | None]:
    offsets = array.offsets.to_pylist()
    first = offsets[0]
    for (start, stop), valid in zip(pairwise(offsets), array.is_valid().to_pylist(), strict=True):
        yield parts[start - first : stop - first] if valid else None
