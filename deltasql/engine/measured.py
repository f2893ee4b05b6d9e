"""What a query took, operator by operator, as DataFusion measured it while it ran."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    import pyarrow as pa
    from datafusion import DataFrame
    from datafusion.plan import ExecutionPlan

_SCANNING = "time_elapsed_processing"
_LISTED = "file_groups={"
"""The list of files that a scan shows first, which may be thousands."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of the plan: its depth in it, name, and the rest of its line; what it measured, None where nothing.

    ``seconds`` are those of all threads together. ``read`` are bytes from files, ``files`` the number of those that it
    opened, ``file`` is the first that it lists.
    """

    depth: int
    name: str
    detail: str
    rows: int | None
    seconds: float | None
    read: int | None
    files: int | None
    file: Path | None
    spilled: int | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """A run of a query: how many rows it gave in how many seconds, and its operators in the order of the plan.

    The operators are without those of CTEs that were computed beforehand, the seconds are with them.
    """

    rows: int
    seconds: float
    operators: tuple[Operator, ...]


def analysis(
    plan: Callable[[], DataFrame], run: Callable[[DataFrame], Iterable[pa.RecordBatch]], *, computes: bool
) -> Analysis:
    """Plan and run a query, and say what it took; the time of planning counts if it ``computes`` what is shared.

    ``plan`` gives a frame that hasn't run yet: what a plan measures adds up over its runs.
    """
    start = time.perf_counter()
    frame = plan()
    frame.execution_plan()
    if not computes:
        start = time.perf_counter()
    rows = sum(batch.num_rows for batch in run(frame))
    seconds = time.perf_counter() - start
    return Analysis(rows, seconds, tuple(_operators(frame.execution_plan(), 0)))


def _operators(plan: ExecutionPlan, depth: int) -> Iterator[Operator]:
    line = " ".join(plan.display().split())
    name, _, detail = line.partition(": ")
    metrics = plan.metrics()
    rows = seconds = read = files = spilled = None
    if metrics is not None:
        rows, nanoseconds = metrics.output_rows, metrics.elapsed_compute
        # A scan counts its reading and decoding apart from what it hands on.
        nanoseconds = max((n for n in (nanoseconds, metrics.sum_by_name(_SCANNING)) if n is not None), default=None)
        seconds = None if nanoseconds is None else nanoseconds / 1e9
        read, files = metrics.sum_by_name("bytes_scanned"), metrics.sum_by_name("files_opened")
        spilled = metrics.spilled_bytes
    yield Operator(depth, name, _without_files(detail), rows, seconds, read, files, _file(detail), spilled)
    for child in plan.children():
        yield from _operators(child, depth + 1)


def _file(detail: str) -> Path | None:
    found = re.search(r"file_groups=\{[^\[]*\[\[([^\],]+)", detail)
    return None if found is None else Path("/" + unquote(found[1]))


def _without_files(detail: str) -> str:
    """A scan's line without its list of files, of which the number is known."""
    start = detail.find(_LISTED)
    if start < 0:
        return detail
    end = detail.find("}, ", start)
    return detail[:start] + (detail[end + 3 :] if end >= 0 else "")
