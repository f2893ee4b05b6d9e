"""The order in which OPTIMIZE lays out rows, so that rows alike in several columns lie in the same files.

Spark's way: each column's values fall into ranges that hold about as many rows each, by a sample; the numbers of the
ranges, their bits taken in turns, are the place of a row on a Z-curve. NULL is before all values, NaN after. Of a
single column the values themselves are the order.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

KEY = "__deltasql_order"
"""The column by which the rows are put in order."""

MOST_COLUMNS = 31
_MOST_BITS = 10
_SAMPLE = 1 << 16

Path = tuple[str, ...]
Read = Callable[[], Iterable[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class Order:
    """What a row's place is made of: a column or a field of a struct each, with the least values of its ranges."""

    paths: tuple[Path, ...]
    starts: tuple[pa.Array, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that are read for it."""
        return tuple(dict.fromkeys(path[0] for path in self.paths))

    def field(self, schema: pa.Schema) -> pa.Field:
        """The column of places beside ``schema``."""
        if not self.starts:
            return pa.field(KEY, _type(schema, self.paths[0]))
        return pa.field(KEY, pa.int64())

    def keyed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """``batch`` with the places of its rows."""
        values = [value(batch, path) for path in self.paths]
        if not self.starts:
            return batch.append_column(pa.field(KEY, values[0].type), values[0])
        bits = bits_each(len(values))
        place = pa.repeat(pa.scalar(0, pa.int64()), batch.num_rows)
        for turn, (column, starts) in enumerate(zip(values, self.starts, strict=True)):
            place = pc.bit_wise_or(place, _spread(turn, len(values), bits).take(range_numbers(column, starts)))
        return batch.append_column(pa.field(KEY, pa.int64()), place)


def order(paths: Sequence[Path], read: Callable[[Sequence[str]], Iterable[pa.RecordBatch]], rows: int) -> Order:
    """The order by ``paths`` of about ``rows`` rows, whose columns ``read`` gives; several paths need a sample."""
    plain = Order(tuple(paths))
    if len(paths) == 1:
        return plain
    parts: list[list[pa.Array]] = [[] for _ in paths]
    for batch in _sampled(read(plain.columns), rows):
        for part, path in zip(parts, paths, strict=True):
            part.append(value(batch, path))
    count = (1 << bits_each(len(paths))) - 1
    return Order(plain.paths, tuple(starts(pa.concat_arrays(part), count) for part in parts if part))


def bits_each(columns: int) -> int:
    """How many bits of a place a column's range has."""
    return min(_MOST_BITS, 62 // columns)


def starts(sample: pa.Array, count: int) -> pa.Array:
    """The least values of ``count`` ranges (or fewer) that hold about as many values of ``sample`` each.

    The first is left out: what is before the second is in it.
    """
    sorted_ = sample.take(pc.array_sort_indices(sample)).drop_null()
    places = sorted({len(sorted_) * each // count for each in range(1, count)} - {0, len(sorted_)})
    chosen = sorted_.take(pa.array(places, pa.int64()))
    if len(chosen) < 2:
        return chosen
    differs = pc.fill_null(pc.not_equal(chosen.slice(1), chosen.slice(0, len(chosen) - 1)), fill_value=True)
    return pc.filter(chosen, pa.concat_arrays([pa.array([True]), differs]))


def range_numbers(values: pa.Array, starts: pa.Array) -> pa.Array:
    """The number of the range that each value is in, from 1 on; 0 for NULL."""
    # A sort finds them for all types alike; it is stable, so a value is behind the start that it equals.
    sequence = pc.array_sort_indices(pa.concat_arrays([starts, values]))
    before = pc.cumulative_sum(pc.less(sequence, len(starts)).cast(pa.int64()))
    back = pc.array_sort_indices(sequence)
    numbers = pc.add(before.take(back.slice(len(starts))), 1)
    return pc.if_else(values.is_null(), 0, numbers)


def value(batch: pa.RecordBatch, path: Path) -> pa.Array:
    """The column or the field of a struct at ``path``."""
    column = batch.column(path[0])
    for name in path[1:]:
        column = pc.struct_field(column, name)
    return column


def _type(schema: pa.Schema, path: Path) -> pa.DataType:
    type = schema.field(path[0]).type
    for name in path[1:]:
        type = type.field(name).type
    return type


@functools.cache
def _spread(turn: int, columns: int, bits: int) -> pa.Array:
    """Of each number of a range its bits, with room between them for those of the other columns."""
    places = [bit * columns + columns - 1 - turn for bit in range(bits)]
    numbers = (sum((number >> bit & 1) << place for bit, place in enumerate(places)) for number in range(1 << bits))
    return pa.array(numbers, pa.int64())


def _sampled(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Some rows of each batch, the same whenever it is asked."""
    chance = random.Random(rows)  # noqa: S311 (it hides nothing)
    for batch in batches:
        wanted = -(-batch.num_rows * _SAMPLE // max(rows, _SAMPLE))
        if wanted >= batch.num_rows:
            yield batch
        else:
            yield batch.take(pa.array(sorted(chance.sample(range(batch.num_rows), wanted)), pa.int64()))
