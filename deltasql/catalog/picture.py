"""What a table looks like, in numbers, by its log alone: how big its files are, and how well columns tell them apart.

The depth of a value is the number of files that can hold it, by their statistics: that many a query for it reads. A
file without bounds of a column may hold any value of it. What depth is on average is an estimate: each file's values
are taken to be spread evenly over its range.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.catalog.packing import LiveFile, compacted, live_files
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import ColumnNotFound, PlanError
from deltasql.names import did_you_mean, match
from deltasql.types import sql_name

_STEP = 4
"""Each bar of the histogram stands for files up to so many times as large as those of the one before."""

_LEAST = 4 << 10


@dataclass(frozen=True, slots=True)
class Bar:
    """Files of at least ``low`` and less than ``high`` bytes (None: of any size from there)."""

    low: int
    high: int | None
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Point:
    """An end of a range: ``depth`` files can hold the ``value``, and ``behind`` those up to the next point's."""

    value: Any
    depth: int
    behind: int


@dataclass(frozen=True, slots=True)
class Clustering:
    """How a column's ranges overlap: ``unknown`` files have no bounds, ``deepest`` can hold the worst value.

    ``mean`` is the depth of a file's values, on average over the files. ``points`` are in the order of their values.
    """

    column: str
    files: int
    unknown: int
    mean: float
    deepest: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A table at a version; ``rows`` are None where the log doesn't tell.

    OPTIMIZE, with files of ``target`` bytes, would make ``after`` files of ``optimized`` ones.
    """

    name: str
    version: int
    files: int
    size: int
    rows: int | None
    deleted: int
    partitions: int
    histogram: tuple[Bar, ...]
    clustering: tuple[Clustering, ...]
    target: int
    optimized: int
    optimized_size: int
    after: int


def picture(snapshot: Snapshot, target: int, column: str | None = None) -> Picture:
    """The picture of a table; of ``column`` alone, or all that its log has bounds of.

    ``target`` is the size to which OPTIMIZE brings files. Raises `ColumnNotFound`, `PlanError` for a column that
    can't be told, and `StorageError` for a log that can't be read.
    """
    files = live_files(snapshot)
    groups = compacted(files, target)
    optimized = [file for group in groups for file in group]
    deleted = sum(file.deleted for file in files)
    counts = snapshot.adds["num_records"]
    rows = None if counts.null_count else (pc.sum(counts).as_py() or 0) - deleted
    names = _columns(snapshot) if column is None else [_named(column, snapshot)]
    return Picture(
        name=snapshot.name,
        version=snapshot.version,
        files=len(files),
        size=sum(file.size for file in files),
        rows=rows,
        deleted=deleted,
        partitions=len({file.partition for file in files}) if snapshot.partition_columns else 0,
        histogram=_histogram(files),
        clustering=tuple(clustering(snapshot, name) for name in names),
        target=target,
        optimized=len(optimized),
        optimized_size=sum(file.size for file in optimized),
        after=len(groups),
    )


# -- sizes


def _histogram(files: Sequence[LiveFile]) -> tuple[Bar, ...]:
    """A bar for each range of sizes, from that of the smallest file to that of the largest."""
    found: dict[int, list[int]] = {}
    for file in files:
        found.setdefault(_step(file.size), []).append(file.size)
    steps = range(min(found), max(found) + 1) if found else ()
    return tuple(
        Bar(0 if step == 0 else _LEAST * _STEP ** (step - 1), _LEAST * _STEP**step, len(sizes), sum(sizes))
        for step in steps
        for sizes in [found.get(step, [])]
    )


def _step(size: int) -> int:
    return next(step for step in itertools.count() if size < _LEAST * _STEP**step)


# -- ranges


def _columns(snapshot: Snapshot) -> list[str]:
    """The columns whose ranges the log may tell."""
    return [field.name for field in snapshot.schema if _ends(snapshot, field.name) is not None]


def _named(column: str, snapshot: Snapshot) -> str:
    name = match(column, snapshot.schema.names, what="column")
    if name is None:
        hint = did_you_mean(column, snapshot.schema.names)
        raise ColumnNotFound(f"there is no column `{column}`", hint=hint)
    if _ends(snapshot, name) is None:
        type = sql_name(snapshot.schema.field(name).type)
        message = f"the log of `{snapshot.name}` has no bounds of column `{name}`, a {type}"
        raise PlanError(message, hint="ANALYZE TABLE … COMPUTE STATISTICS makes those that are missing")
    return name


def _ends(snapshot: Snapshot, column: str) -> tuple[pa.Array, pa.Array] | None:
    """The least and greatest values of a column in each file, or None where none has them."""
    adds = snapshot.adds
    if column in snapshot.partition_columns:
        pair = (adds[f"partition.{column}"],) * 2
    elif {f"min.{column}", f"max.{column}"} <= set(adds.column_names):
        pair = (adds[f"min.{column}"], adds[f"max.{column}"])
    else:
        return None
    low, high = (each.combine_chunks() for each in pair)
    # Partition values of BINARY come back mangled (facts.md, 41).
    unknown = low.null_count == len(low) or pa.types.is_nested(low.type) or pa.types.is_binary(low.type)
    return None if unknown else (low, high)


def clustering(snapshot: Snapshot, column: str) -> Clustering:
    """How the ranges of a column overlap, of which the log has bounds."""
    found = _ends(snapshot, column)
    assert found is not None  # noqa: S101 (asked before)
    known = pc.and_(found[0].is_valid(), found[1].is_valid())
    low, high = (ends.filter(known) for ends in found)
    # A partition's NULL is exact: it holds no value.
    unknown = 0 if column in snapshot.partition_columns else len(known) - len(low)
    both = pa.concat_arrays([low, high])
    ranks = pc.rank(both, tiebreaker="dense").to_pylist()
    values = dict(zip(ranks, both, strict=True))
    pairs = list(zip(ranks[: len(low)], ranks[len(low) :], strict=True))
    begins, stops = [0] * (len(values) + 1), [0] * (len(values) + 1)
    for start, end in pairs:
        begins[start] += 1
        stops[end] += 1
    behind = unknown
    points: list[Point] = []
    for rank in sorted(values):
        depth = behind + begins[rank]
        behind = depth - stops[rank]
        points.append(Point(values[rank].as_py(), depth, behind))
    means = _means(points, [(start - 1, end - 1) for start, end in pairs])
    return Clustering(
        column=column,
        files=len(known),
        unknown=unknown,
        mean=sum(means) / len(pairs),
        deepest=max(point.depth for point in points),
        points=tuple(points),
    )


def _means(points: Sequence[Point], ranges: Iterable[tuple[int, int]]) -> Iterator[float]:
    """The depth on average within each of ``ranges``, which are places in ``points``."""
    at = _positions([point.value for point in points])
    lengths = [after - before for before, after in itertools.pairwise(at)]
    steps = (point.behind * each if math.isfinite(each) else 0 for point, each in zip(points, lengths, strict=False))
    sums = list(itertools.accumulate(steps, initial=0.0))
    for start, end in ranges:
        length = at[end] - at[start]
        evenly = 0 < length < math.inf
        yield (sums[end] - sums[start]) / length if evenly else float(points[start].depth)


def _positions(values: Sequence[Any]) -> list[float]:
    """Where the values lie on a line, those of one type in their order; text by what comes behind its common start."""
    first = values[0]
    if isinstance(first, str):
        common = next((at for at, (a, b) in enumerate(zip(first, values[-1], strict=False)) if a != b), len(first))
        return [int.from_bytes(text[common:].encode()[:8].ljust(8, b"\0")) / 2**64 for text in values]
    if isinstance(first, dt.date):
        return [(value - first) / dt.timedelta(seconds=1) for value in values]
    return [float(value) for value in values]
