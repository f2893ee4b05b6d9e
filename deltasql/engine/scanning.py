"""How far the scans of a query are, from what DataFusion measures while it runs, held against what the log knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.numbered import Numbered
from deltasql.storage.objects import Location, ObjectPath

if TYPE_CHECKING:
    from datafusion import DataFrame
    from datafusion.plan import ExecutionPlan

    from deltasql.engine.dataset import Passed
    from deltasql.engine.provider import TableName
    from deltasql.engine.scan import Access
    from deltasql.engine.sources import Source

Told = Callable[["Scanning"], None] | None
"""Who follows a run; None: nobody."""

_LISTED = re.compile(r"file_groups=\{\d+ groups?: \[(.*?)\]\}", re.DOTALL)
_STREAMS, _IN_MEMORY = "DatasetExec", "partition_sizes=["
_RANGE = re.compile(r":\d+\.\.\d+$")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the scans have read: ``rows`` of ``of_rows``, ``files`` of ``of_files`` (parts of large ones count apart).

    ``of_rows`` and ``of_files`` are None where nobody knows them. ``size`` are the bytes that were fetched. A scan that
    passes over rows by statistics ends before it has read all.
    """

    rows: int
    of_rows: int | None
    files: int
    of_files: int | None
    size: int

    def share(self) -> float | None:
        """How much of the work that is, from 0 to 1; None where nobody knows."""
        shares = [
            min(done / whole, 1.0)
            for done, whole in ((self.rows, self.of_rows), (self.files, self.of_files))
            if whole is not None and whole > 0
        ]
        return max(shares, default=None)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A scan, which its plan measures, or the streams that it is."""

    plan: ExecutionPlan | None
    rows: int | None
    files: int | None
    passed: tuple[Passed, ...] = ()

    def done(self) -> tuple[int, int, int]:
        """The rows, files and bytes that it has read."""
        if self.passed:
            return sum(each.rows for each in self.passed), sum(each.files for each in self.passed), 0
        measured = None if self.plan is None else self.plan.metrics()
        if measured is None:
            return 0, 0, 0
        rows = (measured.output_rows or 0) + (measured.sum_by_name("pushdown_rows_pruned") or 0)
        return rows, measured.sum_by_name("files_processed") or 0, measured.sum_by_name("bytes_scanned") or 0


class Scanning:
    """The scans of one run of a query, whose ``frame`` runs already. `scanned` may be called in any thread."""

    def __init__(self, frame: DataFrame, bound: Mapping[TableName, tuple[Snapshot | Source, Access]]) -> None:
        self._frame = frame
        self._bound = bound
        self._scans: list[_Scan] | None = None

    def scanned(self) -> Scanned:
        """How far they are just now."""
        if self._scans is None:
            self._scans = list(self._found())
        done = [scan.done() for scan in self._scans]
        rows, files, size = (sum(each[at] for each in done) for at in range(3))
        whole = _sum([scan.rows for scan in self._scans]), _sum([scan.files for scan in self._scans])
        return Scanned(rows, whole[0], files, whole[1], size)

    def _found(self) -> Iterator[_Scan]:
        rows: dict[str, int | None] = {}
        for source, access in self._bound.values():
            if isinstance(source, Snapshot):
                rows.update((_key(file), count) for file, count in _counts(source, access))
        marked = [(source, access) for source, access in self._bound.values() if isinstance(source, Numbered)]
        leaves = list(_leaves(self._frame.execution_plan()))
        for leaf in leaves:
            shown = leaf.display()
            listed = _LISTED.search(shown)
            if listed is not None:
                parts = [part for part in re.split(r"\], \[|, ", listed[1].strip("[]")) if part]
                names = {_RANGE.sub("", part) for part in parts}
                yield _Scan(leaf, _sum([rows.get(name, rows.get(unquote(name))) for name in names]), len(parts))
            elif _IN_MEMORY in shown or (len(marked) == 1 and shown.startswith(_STREAMS)):
                yield _Scan(leaf, 0, 0)
            else:  # delta-rs or Arrow reads: they say how many rows they gave, and nothing of files
                yield _Scan(leaf, _sum(list(rows.values())) if len(leaves) == len(self._bound) == 1 else None, None)
        if len(marked) == 1:  # Its streams count themselves, which DataFusion doesn't.
            source, access = marked[0]
            counts = [count for _, count in _counts(source.snapshot, access)]
            yield _Scan(None, _sum(counts), len(counts), tuple(source.passed))


def _counts(snapshot: Snapshot, access: Access) -> Iterator[tuple[Location, int | None]]:
    """The files that are read, and how many rows the log says that they have."""
    wanted = set(access.files)
    counts = snapshot.adds["num_records"].to_pylist()
    return ((file, count) for file, count in zip(snapshot.files, counts, strict=True) if file in wanted)


def _leaves(plan: ExecutionPlan) -> Iterator[ExecutionPlan]:
    children = plan.children()
    if not children:
        yield plan
    for child in children:
        yield from _leaves(child)


def _key(file: object) -> str:
    """A file as DataFusion shows it: below the root of its store."""
    return file.key if isinstance(file, ObjectPath) else str(file).lstrip("/")


def _sum(counts: list[int | None]) -> int | None:
    return None if None in counts else sum(count for count in counts if count is not None)
