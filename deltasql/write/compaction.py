"""Files of a table written anew as others with the same rows: for OPTIMIZE and REORG.

Each group of files becomes one file, its rows in their order, or, if they are to be put in order, as many as it takes.
Rows that a deletion vector takes out, and columns that the table doesn't have any more, stay behind. The commit says
that no data changed (Delta protocol, "Add File and Remove File"), so that it stands beside what others append.
Partition values are taken over as the log has them. Memory holds what few files hold at a time, however large.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.columns import FEATURES, batches, mapping, nullable, opened
from deltasql.catalog.footers import Footers
from deltasql.catalog.packing import LiveFile, Partition
from deltasql.catalog.recorded import remove_of
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.scan import beyond_files
from deltasql.engine.sorting import in_order
from deltasql.errors import UnsupportedTableFeature
from deltasql.storage.files import for_arrow
from deltasql.write import partitions
from deltasql.write.commit import commit, committed
from deltasql.write.files import DataFile, DataFiles
from deltasql.write.settings import file_settings
from deltasql.write.target import Target
from deltasql.write.zorder import KEY, Path, order

_WHOLE = 1 << 62
PROVIDER = "deltasql"
"""What files that were put in order by a table's clustering columns say of who did it (Delta protocol, "Clustered
Table": only whose name a file has may lay it out again)."""

Group = tuple[LiveFile, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How files are to be written anew: ``paths`` put their rows in order, ``clusters`` says so in the log.

    Without paths each group becomes one file, whatever ``target_size`` says.
    """

    target_size: int
    paths: tuple[Path, ...] = ()
    clusters: bool = False


@dataclass(frozen=True, slots=True)
class Rearranged:
    """What was done: the files written, those that went, and the version made (None: there was nothing to do)."""

    added: tuple[DataFile, ...]
    removed: Group
    groups: int
    partitions: int
    version: int | None
    started: int
    ended: int


def rearranged(
    into: Target,
    groups: Sequence[Group],
    layout: Layout,
    *,
    operation: str,
    parameters: Mapping[str, Any],
    metrics: Callable[[Sequence[DataFile], Group], Mapping[str, int]],
) -> Rearranged:
    """Write the files of each of ``groups`` anew, in one commit. Raises as `commit`, and for files that can't be read.

    ``metrics`` are those of the commit, by the files that were written and those that go.
    """
    started = time.time_ns() // 1_000_000
    require_readable(into.snapshot, groups)
    removed = tuple(file for group in groups for file in group)
    if not groups:
        return Rearranged((), (), 0, 0, None, started, started)
    work = _Work(into, layout)
    mark = into.recorded()
    try:
        made = work.done(groups)
        now = time.time_ns() // 1_000_000
        version = commit(
            into.snapshot,
            [*_removes(removed, now), *(_add(file, layout) for file in made)],
            operation=operation,
            parameters=parameters,
            metrics=metrics(made, removed),
            custom=mark,
        )
    except BaseException:
        if committed(into.snapshot.location, mark, after=into.snapshot.version) is None:
            work.undo()
        raise
    many = len({group[0].partition for group in groups})
    return Rearranged(tuple(made), removed, len(groups), many, version, started, now)


def require_readable(snapshot: Snapshot, groups: Sequence[Group]) -> None:
    """Raise unless all rows of ``groups`` can be read: `UnsupportedTableFeature`, `StorageError` for a bad file."""
    beyond = beyond_files(snapshot, FEATURES)
    if beyond is not None and "BINARY" not in beyond:  # Partition values aren't read here.
        raise UnsupportedTableFeature(f"the files of `{snapshot.name}` can't be written anew: {beyond}")
    Footers().look(snapshot, [file.path for group in groups for file in group])


def _removes(files: Group, now: int) -> list[dict[str, Any]]:
    return [{"remove": {**remove_of(file.add, now), "dataChange": False}} for file in files]


def _add(file: DataFile, layout: Layout) -> dict[str, Any]:
    action = file.add(data_change=False)
    return {"add": {**action["add"], "clusteringProvider": PROVIDER}} if layout.clusters else action


# -- rows


def held_columns(snapshot: Snapshot) -> pa.Schema:
    """The columns that the table's files have."""
    return pa.schema([field for field in snapshot.schema if field.name not in snapshot.partition_columns])


def rows_of(
    snapshot: Snapshot, file: LiveFile, fields: Sequence[pa.Field], *, live: bool = True
) -> Iterator[pa.RecordBatch]:
    """The columns ``fields``, none of a partition, of a file; ``live``: but for the rows that are deleted."""
    chosen = snapshot.live_rows.get(file.path) if live and file.has_vector else None
    with opened(file.path) as parquet:
        yield from batches(parquet, fields, mapping(snapshot.properties), {}, chosen=chosen)


def rows_in(snapshot: Snapshot, files: Sequence[LiveFile], *, live: bool = True) -> int | None:
    """How many rows ``files`` have by the log, ``live``: but for those that are deleted; None where it doesn't say."""
    counts: list[int | None] = snapshot.adds["num_records"].to_pylist()
    found = [counts[snapshot.index_of[file.path]] for file in files]
    known = [count for count in found if count is not None]
    if len(known) < len(found):
        return None
    return sum(known) - (sum(file.deleted for file in files) if live else 0)


class _Work:
    """The files that are being written, and how to stop it."""

    def __init__(self, into: Target, layout: Layout) -> None:
        self._into = into
        self._layout = layout
        self._schema = held_columns(into.snapshot)
        # To be put in order rows are read twice, and once more for a sample if several columns make the order.
        self._passes = 1 + min(len(layout.paths), 2)
        self._writers: list[DataFiles] = []
        self._stopped = threading.Event()

    def done(self, groups: Sequence[Group]) -> list[DataFile]:
        """The files that stand for those of ``groups``; several are written at a time, unless they are to be sorted."""
        threads = self._into.session.settings["deltasql.threads"] or os.cpu_count() or 1
        rows = rows_in(self._into.snapshot, [file for group in groups for file in group])
        self._into.context.progress.begin("written" if self._passes == 1 else "done", "rows", rows)
        with ThreadPoolExecutor(1 if self._layout.paths else threads) as pool:
            jobs = [pool.submit(self._written, group) for group in groups]
            try:
                return [file for job in jobs for file in job.result()]
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def undo(self) -> None:
        """Take away what was written."""
        for writer in self._writers:
            writer.abort()

    def _written(self, group: Group) -> list[DataFile]:
        snapshot = self._into.snapshot
        settings = file_settings(self._into.session.settings, snapshot.properties)
        size = self._layout.target_size if self._layout.paths else _WHOLE
        rows = self._ordered(group) if self._layout.paths else self._rows(group, self._schema)
        writer = DataFiles(
            snapshot.location,
            self._schema,
            (),
            snapshot.properties,
            dataclasses.replace(settings, target_file_size=size),
            folder=_folder(snapshot, group[0].partition),
        )
        self._writers.append(writer)
        for batch in self._followed(rows, last=True):
            if self._stopped.is_set():
                return []
            writer.write(batch)
            self._into.context.progress(batch.num_rows)
        values = dict(group[0].partition)
        return [dataclasses.replace(file, partition_values=values) for file in writer.finish()]

    def _followed(self, rows: Iterable[pa.RecordBatch], *, last: bool = False) -> Iterator[pa.RecordBatch]:
        """``rows``, which make one of the passes, telling of their share of the work; the ``last`` has what is left."""
        seen = 0
        for batch in rows:
            yield batch
            before, seen = seen, seen + batch.num_rows
            self._into.context.progress.done(seen // self._passes - before // self._passes)
        if last:
            self._into.context.progress.done(seen % self._passes)

    def _rows(self, group: Group, fields: Iterable[pa.Field]) -> Iterator[pa.RecordBatch]:
        wanted = list(fields)
        for file in group:
            yield from rows_of(self._into.snapshot, file, wanted)

    def _ordered(self, group: Group) -> Iterator[pa.RecordBatch]:
        rows = sum(pq.read_metadata(for_arrow(file.path)).num_rows for file in group)
        by = order(
            self._layout.paths, lambda names: self._followed(self._rows(group, map(self._schema.field, names))), rows
        )
        schema = pa.schema([nullable(field) for field in self._schema])
        limit = self._into.session.settings["deltasql.memory_limit"]
        return in_order(
            pa.schema([*schema, by.field(schema)]),
            KEY,
            lambda: map(by.keyed, self._followed(self._rows(group, self._schema))),
            memory=None if limit is None else limit.bytes,
        )


def _folder(snapshot: Snapshot, partition: Partition) -> str:
    if not partition:
        return ""
    if mapping(snapshot.properties) != "none":
        return secrets.token_hex(1)  # As new files of such tables have it.
    values = dict(partition)
    return partitions.folder(snapshot.partition_columns, tuple(values[name] for name in snapshot.partition_columns))
