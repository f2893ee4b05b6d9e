"""Expressions computed beside the rows of a stream: what a table demands of the rows that are written.

One plan over the whole stream. The rows themselves don't go through DataFusion, only the columns that the
expressions read: so rows come out as they went in, in their order, whatever DataFusion does with their types. No
more than a few batches are held at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import datafusion
import pyarrow as pa
from datafusion.catalog import Table

from deltasql.engine.context import CONFIG, translated
from deltasql.engine.dataset import StreamDataset, in_zone
from deltasql.engine.engine import plain_schema
from deltasql.engine.leaving import streams
from deltasql.errors import Error
from deltasql.names import quote

_DEEP = {"datafusion.sql_parser.recursion_limit": "200"}
Batches: TypeAlias = Callable[[], Iterable[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class Computed:
    """Expressions that can be computed; ``schema`` has their types, by the names ``0``, ``1``, …

    ``run`` gives each of the rows with its values: pairs of batches of the same length. What the rows' own stream
    raises comes out as it is.
    """

    schema: pa.Schema
    run: Callable[[Batches], Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]]


def computed(schema: pa.Schema, expressions: Sequence[str], *, columns: Collection[str], time_zone: str) -> Computed:
    """``expressions`` (DataFusion's SQL over ``columns`` of ``schema``) to be computed, instants in ``time_zone``.

    Raises deltasql's errors for what can't be planned.
    """
    # A plan of no columns at all would lose the number of rows.
    fields = [field for field in schema if field.name in columns] or [schema.field(0)]
    shown = pa.schema([in_zone(field.with_nullable(nullable=True), time_zone) for field in fields])
    names = [field.name for field in fields]
    listed = ", ".join(f"({sql}) AS {quote(str(index))}" for index, sql in enumerate(expressions))

    def planned(read: Callable[[], Iterator[pa.RecordBatch]]) -> datafusion.DataFrame:
        # One partition keeps the order of rows, and all of the plan in the thread that reads it.
        config = datafusion.SessionConfig({**CONFIG, **_DEEP, "datafusion.execution.time_zone": time_zone})
        context = datafusion.SessionContext(config.with_target_partitions(1))
        # It makes `m = 2.00` of `CAST(m AS INT) = 2`, and evaluates before the first row what may fail for none.
        # So there is no coalesce and no arrow_cast, which only it can do.
        context.remove_optimizer_rule("simplify_expressions")
        context.register_table("rows", Table(StreamDataset(shown, [lambda chosen: _selected(read(), chosen)])))
        return context.sql(f"SELECT {listed} FROM rows")

    def run(read: Batches) -> Generator[tuple[pa.RecordBatch, pa.RecordBatch], None, None]:
        waiting: deque[pa.RecordBatch] = deque()
        failures: list[Exception] = []

        def rows() -> Iterator[pa.RecordBatch]:
            try:
                for batch in _elsewhere(read):
                    if batch.num_rows:
                        waiting.append(batch)
                        arrays = [batch.column(name).cast(shown.field(name).type) for name in names]
                        yield pa.RecordBatch.from_arrays(arrays, schema=shown)
            except Exception as error:
                failures.append(error)
                raise

        try:
            with translated(None):
                for item in planned(rows).execute_stream():
                    yield from _paired(waiting, item.to_pyarrow())
        except Error as error:
            if failures:
                raise failures[0] from None
            raise error from None

    with translated(None):
        made = plain_schema(planned(lambda: iter(())).schema())
    return Computed(made, lambda read: streams().opened(run(read)))


def _selected(batches: Iterator[pa.RecordBatch], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    return (batch.select(list(names)) for batch in batches)


def _elsewhere(read: Batches) -> Iterator[pa.RecordBatch]:
    """The batches, made in another thread one ahead: DataFusion can't wait for one stream of its own in another."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        batches = thread.submit(lambda: iter(read())).result()
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch


def _paired(waiting: deque[pa.RecordBatch], values: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """``values`` with the rows that they are of, which are taken off ``waiting``."""
    done = 0
    while done < values.num_rows:
        batch = waiting.popleft()
        count = min(batch.num_rows, values.num_rows - done)
        if count < batch.num_rows:
            waiting.appendleft(batch.slice(count))
        yield batch.slice(0, count), values.slice(done, count)
        done += count
