"""How far the scans of a query are, from what DataFusion measures while it runs, held against what the log knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltasql.catalog.snapshot import Snapshot
from deltasql.storage.objects import ObjectPath

if TYPE_CHECKING:
    from datafusion import DataFrame
    from datafusion.plan import ExecutionPlan

    from deltasql.engine.provider import TableName
    from deltasql.engine.scan import Access
    from deltasql.engine.sources import Source

Told = Callable[["Scanning"], None] | None
"""Who follows a run; None: nobody."""

_LISTED = re.compile(r"file_groups=\{\d+ groups?: \[(.*?)\]\}", re.DOTALL)
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
    plan: ExecutionPlan
    rows: int | None
    files: int | None


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
        rows = files = size = 0
        for scan in self._scans:
            measured = scan.plan.metrics()
            if measured is not None:
                rows += (measured.output_rows or 0) + (measured.sum_by_name("pushdown_rows_pruned") or 0)
                files += measured.sum_by_name("files_processed") or 0
                size += measured.sum_by_name("bytes_scanned") or 0
        whole = _sum([scan.rows for scan in self._scans]), _sum([scan.files for scan in self._scans])
        return Scanned(rows, whole[0], files, whole[1], size)

    def _found(self) -> Iterator[_Scan]:
        rows: dict[str, int | None] = {}
        for source, access in self._bound.values():
            if isinstance(source, Snapshot):
                wanted = set(access.files)
                counts = source.adds["num_records"].to_pylist()
                pairs = zip(source.files, counts, strict=True)
                rows.update((_key(file), count) for file, count in pairs if file in wanted)
        leaves = list(_leaves(self._frame.execution_plan()))
        for leaf in leaves:
            listed = _LISTED.search(leaf.display())
            if listed is not None:
                parts = [part for part in re.split(r"\], \[|, ", listed[1].strip("[]")) if part]
                names = {_RANGE.sub("", part) for part in parts}
                yield _Scan(leaf, _sum([rows.get(name, rows.get(unquote(name))) for name in names]), len(parts))
            else:  # delta-rs or Arrow reads: they say how many rows they gave, and nothing of files
                yield _Scan(leaf, _sum(list(rows.values())) if len(leaves) == len(self._bound) == 1 else None, None)


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
