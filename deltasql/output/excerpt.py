"""Which rows of a stream are shown, and the words that count them.

Of a million rows the first and the last are held, never all: memory grows with what is shown.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from deltasql.output.options import Options

LEFT_OUT = "⋮"
Piece = tuple[int, pa.RecordBatch]
"""The number of the first row (from 0) and rows. Where one begins behind the end of the last, rows were left out."""


@dataclass(slots=True)
class Excerpt:
    """The rows to show of ``batches``.

    Once `pieces` has ended, ``count`` is all rows that were read, ``shown`` those that were given, and ``more`` says
    that there are others, uncounted.
    """

    batches: Iterable[pa.RecordBatch]
    options: Options
    count: int = field(default=0, init=False)
    shown: int = field(default=0, init=False)
    more: bool = field(default=False, init=False)

    def pieces(self) -> Iterator[Piece]:
        """The rows to show, none of the pieces empty; with a limit and no tail nothing behind it is read."""
        limit = self.options.limit
        tail = 0 if limit is None else min(self.options.tail, limit)
        head = None if limit is None else limit - tail
        last: deque[Piece] = deque()
        for batch in self.batches:
            start = self.count
            taken = batch.num_rows if head is None else max(min(head - start, batch.num_rows), 0)
            if taken:
                yield self._shows(start, batch.slice(0, taken))
            rest = batch.num_rows - taken
            if rest and not tail:
                self.count, self.more = start + taken, True
                return
            self.count += batch.num_rows
            if rest:
                last.append((start + taken, batch.slice(taken)))
                while self.count - _end(last[0]) >= tail:
                    last.popleft()
        for start, rows in last:
            skipped = max(self.count - tail - start, 0)
            yield self._shows(start + skipped, rows.slice(skipped))

    def _shows(self, start: int, rows: pa.RecordBatch) -> Piece:
        self.shown += rows.num_rows
        return start, rows

    def is_partial(self) -> bool:
        """Whether rows were left out."""
        return self.more or self.shown < self.count

    def words(self) -> list[str]:
        """``3 rows``, ``first 3 rows``, ``1,000,000 rows`` and ``100 shown``."""
        words = [f"{'first ' if self.more else ''}{self.count:,} row{'' if self.count == 1 else 's'}"]
        if not self.more and self.shown < self.count:
            words.append(f"{self.shown:,} shown")
        return words

    def footer(self, *others: str) -> str:
        """What counts the rows, with ``others`` behind, and the time that passed."""
        words = [*self.words(), *others]
        if self.options.started is not None:
            words.append(f"{time.perf_counter() - self.options.started:.3f} s")
        return f"({', '.join(words)})"


def _end(piece: Piece) -> int:
    start, rows = piece
    return start + int(rows.num_rows)
