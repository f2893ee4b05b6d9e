"""Which data files of a table go together into bigger ones: what OPTIMIZE does, and what a picture says it would do.

Files go together only within a partition, and in the order in which they came, so that rows that were written about
the same time stay about the same place. A file that is big enough is left alone, and so is one that nothing goes with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deltasql.catalog.recorded import recorded
from deltasql.catalog.snapshot import Snapshot
from deltasql.storage.objects import Location

Partition = tuple[tuple[str, str | None], ...]
"""The partition values of a file by stored names, as the log spells them."""


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data file as the log has it; ``deleted`` are the rows that its deletion vector takes out."""

    path: Location
    size: int
    partition: Partition
    time: int
    deleted: int
    clustered_by: str | None
    add: Mapping[str, Any]

    @property
    def has_vector(self) -> bool:
        """True for one with a deletion vector, of however many rows."""
        return "deletionVector" in self.add


def live_files(snapshot: Snapshot) -> tuple[LiveFile, ...]:
    """The data files of ``snapshot``, the oldest first. Raises `StorageError` for a log that can't be read."""
    adds = recorded(snapshot, snapshot.files)
    return tuple(sorted((_live(path, adds[path]) for path in snapshot.files), key=lambda file: file.time))


def _live(path: Location, add: Mapping[str, Any]) -> LiveFile:
    return LiveFile(
        path,
        int(add["size"]),
        tuple(sorted(add.get("partitionValues", {}).items())),
        int(add.get("modificationTime") or 0),
        int(add.get("deletionVector", {}).get("cardinality", 0)),
        add.get("clusteringProvider"),
        add,
    )


def partitions(files: Iterable[LiveFile]) -> list[tuple[LiveFile, ...]]:
    """The files of each partition."""
    found: dict[Partition, list[LiveFile]] = {}
    for file in files:
        found.setdefault(file.partition, []).append(file)
    return [tuple(group) for group in found.values()]


def packed(files: Iterable[LiveFile], target: int, *, alone: Callable[[LiveFile], bool]) -> list[tuple[LiveFile, ...]]:
    """``files`` in groups of one partition, each of about ``target`` bytes at most.

    A group of one is kept where the file is to be written anew ``alone`` too.
    """
    groups: list[tuple[LiveFile, ...]] = []
    for those in partitions(files):
        group: list[LiveFile] = []
        size = 0
        for file in those:
            if group and size + file.size > target:
                groups.append(tuple(group))
                group, size = [], 0
            group.append(file)
            size += file.size
        groups.append(tuple(group))
    return [group for group in groups if len(group) > 1 or alone(group[0])]


def compacted(files: Iterable[LiveFile], target: int) -> list[tuple[LiveFile, ...]]:
    """What OPTIMIZE makes one file of: those under ``target`` bytes, and those with rows that are deleted."""
    wanted = [file for file in files if file.size < target or file.has_vector]
    return packed(wanted, target, alone=lambda file: file.has_vector)
