"""A write's source: a query's rows, arranged and cast for the table, as a stream that delta-rs reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from deltasql.errors import PlanError
from deltasql.names import fold
from deltasql.write.assignment import assign


class Source:
    """Record batches for delta-rs; ``failure`` is what went wrong in them, which delta-rs would only quote."""

    def __init__(self, schema: pa.Schema, read: Callable[[], Iterable[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.failure: Exception | None = None
        self._read = read

    def reader(self) -> pa.RecordBatchReader:
        """The stream. The rows are made while delta-rs writes: memory doesn't grow with their number."""
        return pa.RecordBatchReader.from_batches(self.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._read()
        except Exception as error:
            self.failure = error
            raise


def assigned(
    read: Callable[[], Iterable[pa.RecordBatch]],
    positions: Sequence[int | None],
    target: pa.Schema,
    *,
    time_zone: str,
) -> Source:
    """The rows of ``read`` as rows of ``target``: its column ``i`` is the source's column ``positions[i]`` or NULL.

    Store assignment casts them; see `deltasql.write.assignment.assign` for what doesn't fit.
    """
    plain = pa.schema([field.remove_metadata() for field in target])

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in read():
            columns = [
                pa.nulls(batch.num_rows) if position is None else batch.column(position) for position in positions
            ]
            yield assign(pa.RecordBatch.from_arrays(columns, names=plain.names), plain, time_zone=time_zone)

    return Source(plain, rows)


def require_distinct(names: Iterable[str], what: str) -> None:
    """Raise `PlanError` if a name stands twice, whatever its case."""
    seen: set[str] = set()
    for name in names:
        if fold(name) in seen:
            raise PlanError(f"{what} names column `{name}` twice")
        seen.add(fold(name))
