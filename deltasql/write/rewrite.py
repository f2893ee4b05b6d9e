"""Rows that change, go and come, as whole new files in place of old ones (copy-on-write).

A query tells which rows of which files (`Numbered`) are meant, what becomes of each, and the new values; its rows are
in the order of files and places, rows that come being last. So each file is read once and written anew, without the
rows that go and with the new values of those that change; memory holds the changes of one file for each thread.
A file that loses all its rows isn't read, one that loses none stays. Nothing of it is seen before the commit, and
`Rewrite.abort` takes away what was written.
"""

from __future__ import annotations

import bisect
import itertools
import os
import queue
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.catalog.columns import batches, mapping, nullable, opened
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import PlanError
from deltasql.progress import Telling
from deltasql.storage.objects import Location
from deltasql.write.files import DataFile, DataFiles, FileSettings
from deltasql.write.identity import is_filled
from deltasql.write.source import Source, stored_rows

Action = Literal["delete", "update", "insert"]

_Changes = tuple[int, list[pa.RecordBatch]]

_ROW = "__deltasql_row"
_CHANGES = "_change_data"
_CHANGE_TYPE = pa.field("_change_type", pa.string())
_TAGS = 3


@dataclass(frozen=True, slots=True)
class Clause:
    """What becomes of a row, and the columns that the query gives values of; the others keep theirs, or are NULL."""

    action: Action
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Counts:
    """Rows that went, changed, came, and were written again as they are; files read anew."""

    deleted: int = 0
    updated: int = 0
    inserted: int = 0
    copied: int = 0

    def add(self, other: Counts) -> None:
        """Count those of ``other`` too."""
        self.deleted += other.deleted
        self.updated += other.updated
        self.inserted += other.inserted
        self.copied += other.copied


@dataclass(frozen=True, slots=True)
class Edits:
    """The rows of a query: file, place in it, index of a clause, and the values of the clauses, one after another.

    ``repeats`` allows several rows that ask for the same row to go. ``demanded`` holds what the table demands of
    new rows, which then are whole. ``among`` are the files that can have a row of the query (None: any).
    """

    clauses: tuple[Clause, ...]
    read: Callable[[], Iterable[pa.RecordBatch]]
    time_zone: str
    repeats: bool = False
    demanded: Callable[[Source, Sequence[str]], Source] | None = None
    among: Collection[Location] | None = None


class Rewrite:
    """New files for a table at ``snapshot``; ``removed`` are the indexes of the old ones that they stand for.

    ``schema`` is the table's from this commit on, if it differs; ``feed`` tells to write a change feed too.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        settings: FileSettings,
        *,
        schema: pa.Schema | None = None,
        threads: int,
        feed: bool,
        progress: Telling,
    ) -> None:
        self.snapshot = snapshot
        self.schema = snapshot.schema if schema is None else schema
        self.counts = Counts()
        self.removed: set[int] = set()
        self._settings = settings
        self._threads = threads or os.cpu_count() or 1
        self._feed = feed
        self._progress = progress
        self._sinks: list[_Sink] = []
        self._free: queue.SimpleQueue[_Sink] = queue.SimpleQueue()

    def run(self, edits: Edits) -> None:
        """Write what ``edits`` ask for. Raises deltasql's errors; `abort` must follow then."""
        changes, arrivals = _divided(edits.read())
        with ThreadPoolExecutor(self._threads) as pool:
            running: set[Future[Counts]] = set()
            try:
                for index, rows in self._followed(changes, edits.among):
                    running.add(pool.submit(self._change, edits, index, rows))
                    self.removed.add(index)
                    if len(running) > self._threads:
                        running = self._settled(running, FIRST_COMPLETED)
                self._settled(running)
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        for number, coming in arrivals:
            self.append(self._new(edits, number, coming).batches())

    def _followed(self, changes: Iterable[_Changes], among: Collection[Location] | None) -> Iterator[_Changes]:
        """``changes``, telling how many rows of the files that can have some are behind them, changed or not."""
        files, left = self.snapshot.files, 0
        rows = self.snapshot.adds["num_records"].to_pylist()
        wanted = range(len(files)) if among is None else sorted(self.snapshot.index_of[path] for path in among)
        for number, (index, found) in enumerate(changes):
            if number == 0:  # Until then the rows were looked for.
                known = all(rows[each] is not None for each in wanted)
                self._progress.begin("done", "rows", sum(rows[each] for each in wanted) if known else None)
            while left < len(wanted) and wanted[left] < index:
                self._progress.done(rows[wanted[left]] or 0)
                left += 1
            left += 1
            yield index, found
        if left:
            self._progress.done(sum(rows[each] or 0 for each in wanted[left:]))

    def _settled(self, running: set[Future[Counts]], until: str = ALL_COMPLETED) -> set[Future[Counts]]:
        """Wait for some of ``running``; those that are left. Raises what one of them raised."""
        done, left = wait(running, return_when=until)
        for future in done:
            counts = future.result()
            self.counts.add(counts)
            self._progress(counts.copied + counts.updated)
        return left

    def append(self, rows: Iterable[pa.RecordBatch]) -> None:
        """Write ``rows`` of the table's columns."""
        sink = self._take()
        for batch in rows:
            sink.write(batch, "insert")
            self.counts.inserted += batch.num_rows
            self._progress(batch.num_rows)
        self._free.put(sink)

    def finish(self) -> tuple[list[DataFile], list[DataFile]]:
        """Close the new files: those of the table, and those of its change feed."""
        files: list[DataFile] = []
        changes: list[DataFile] = []
        for sink in self._sinks:
            files += sink.files.finish()
            changes += sink.changes.finish() if sink.changes is not None else []
        return files, changes

    def abort(self) -> None:
        """Take away what was written."""
        for sink in self._sinks:
            sink.files.abort()
            if sink.changes is not None:
                sink.changes.abort()

    # -- rows that go and change

    def _change(self, edits: Edits, index: int, rows: Sequence[pa.RecordBatch]) -> Counts:
        """Write the file ``index`` anew."""
        asked = _asked(edits, pa.Table.from_batches(rows).combine_chunks(), self.snapshot.name)
        path = self.snapshot.files[index]
        chosen = self.snapshot.live_rows.get(path) if "deletionVectors" in self.snapshot.features_in_use else None
        with opened(path) as parquet:
            unseen = parquet.metadata.num_rows
            live = unseen - (len(chosen) - chosen.true_count if chosen is not None else 0)
            deleted = asked.going.true_count
            if deleted < live or self._feed:
                fields = [*self.schema, pa.field(_ROW, pa.int64())]
                mode = mapping(self.snapshot.properties)
                updates = self._updates(edits, asked)
                sink = self._take()
                for batch in batches(parquet, fields, mode, self._known(path), chosen=chosen, numbered=_ROW):
                    _rewritten(batch, asked, updates, sink)
                    self._progress.done(batch.num_rows)
                    unseen -= batch.num_rows
                self._free.put(sink)
        self._progress.done(unseen)
        return Counts(deleted, len(asked.rows) - deleted, copied=live - len(asked.rows))

    def _known(self, path: Location) -> dict[str, pa.Scalar]:
        values = zip(self.snapshot.partition_columns, self.snapshot.partition_values[path], strict=True)
        return {name: value.cast(self.snapshot.schema.field(name).type) for name, value in values}

    def _updates(self, edits: Edits, asked: _Asked) -> dict[int, pa.Table]:
        """The new values that each clause gives, in the order of its rows."""
        found = {}
        for number, clause in enumerate(edits.clauses):
            if clause.action == "update":
                rows = asked.all.filter(pc.equal(asked.clauses, number)).to_batches()
                source = self._new(edits, number, rows)
                found[number] = pa.Table.from_batches(list(source.batches()), source.schema).combine_chunks()
        return found

    # -- new values

    def _new(self, edits: Edits, number: int, rows: Iterable[pa.RecordBatch]) -> Source:
        """What the clause ``number`` gives, cast to the columns' types: whole rows, or the columns that change."""
        clause = edits.clauses[number]
        start = _TAGS + sum(len(each.columns) for each in edits.clauses[:number])
        places = {name: start + place for place, name in enumerate(clause.columns)}
        schema, partitions = self.schema, self.snapshot.partition_columns
        if clause.action == "update" and edits.demanded is None:
            schema = pa.schema([schema.field(name) for name in clause.columns])
        elif edits.demanded is not None:
            schema = pa.schema([each for each in schema if each.name in places or not is_filled(each)])

        def stored() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                columns = [
                    batch.column(places[name]) if name in places else pa.nulls(batch.num_rows) for name in schema.names
                ]
                yield stored_rows(columns, schema, time_zone=edits.time_zone, partitions=partitions)

        source = Source(pa.schema([field.remove_metadata() for field in schema]), stored)
        return source if edits.demanded is None else edits.demanded(source, clause.columns)

    # -- where rows are written

    def _take(self) -> _Sink:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            sink = _Sink.of(self.snapshot, self.schema, self._settings, feed=self._feed)
            self._sinks.append(sink)
            return sink


@dataclass(frozen=True, slots=True)
class _Sink:
    """Files that one thread at a time writes: of the table, and of its change feed if it has one."""

    files: DataFiles
    changes: DataFiles | None
    schema: pa.Schema = field(repr=False)

    @classmethod
    def of(cls, snapshot: Snapshot, schema: pa.Schema, settings: FileSettings, *, feed: bool) -> _Sink:
        def files(folder: str, extra: pa.Schema | None) -> DataFiles:
            return DataFiles(
                snapshot.location,
                schema,
                snapshot.partition_columns,
                snapshot.properties,
                settings,
                folder=folder,
                extra=extra,
            )

        changes = files(_CHANGES, pa.schema([_CHANGE_TYPE])) if feed else None
        return cls(files("", None), changes, _plain(schema))

    def write(self, rows: pa.RecordBatch, change: str | None = None) -> None:
        """Write ``rows`` to the table; if they are a change, also to its feed."""
        if rows.num_rows:
            self.files.write(_as(rows, self.schema))
            if change is not None:
                self.feed(rows, change)

    def feed(self, rows: pa.RecordBatch, change: str) -> None:
        """Write ``rows`` to the feed alone, if there is one."""
        if self.changes is not None and rows.num_rows:
            kinds = pa.repeat(pa.scalar(change), rows.num_rows)
            columns = [*_as(rows, self.schema).columns, kinds]
            self.changes.write(pa.RecordBatch.from_arrays(columns, schema=pa.schema([*self.schema, _CHANGE_TYPE])))


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([nullable(each) for each in schema])


def _as(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``rows`` as rows of ``schema``, from which they differ in nullability alone."""
    columns = [
        column if column.type.equals(each.type) else column.cast(each.type)
        for column, each in zip(rows.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


# -- what is asked of a file


@dataclass(frozen=True, slots=True)
class _Asked:
    """The rows of one file that change or go, in order: ``rows`` are their places, ``clauses`` what becomes of them."""

    all: pa.Table
    rows: pa.Int64Array
    clauses: pa.Array
    going: pa.BooleanArray


def _asked(edits: Edits, table: pa.Table, name: str) -> _Asked:
    """What ``table`` asks for. Raises `PlanError` for a row that is asked for twice."""
    rows = _chunk(table.column(1))
    repeated = pc.equal(rows.slice(1), rows.slice(0, max(len(rows) - 1, 0)))
    if pc.any(repeated).as_py():
        if not edits.repeats:
            message = f"a row of `{name}` is changed by several rows of the source"
            raise PlanError(message, hint="let the source have one row for each row that it changes")
        first = pa.concat_arrays([pa.array([True]), pc.invert(repeated)])
        table = table.filter(first).combine_chunks()
        rows = _chunk(table.column(1))
    clauses = _chunk(table.column(2))
    deletes = [number for number, clause in enumerate(edits.clauses) if clause.action == "delete"]
    going = pc.is_in(clauses, value_set=pa.array(deletes, clauses.type))
    return _Asked(table, rows, clauses, going)


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _rewritten(batch: pa.RecordBatch, asked: _Asked, updates: dict[int, pa.Table], sink: _Sink) -> None:
    """Write a batch of an old file with what is asked of its rows."""
    places = batch.column(batch.num_columns - 1)
    old = batch.select(range(batch.num_columns - 1))
    first, last = places[0].as_py(), places[-1].as_py()
    start = bisect.bisect_left(asked.rows, first, key=_int)
    stop = bisect.bisect_right(asked.rows, last, key=_int)
    if start == stop:
        sink.write(old)
        return
    changing = pc.is_in(places, value_set=asked.rows.slice(start, stop - start))
    clauses = asked.clauses.slice(start, stop - start)
    going = pc.replace_with_mask(pa.repeat(pa.scalar(value=False), len(places)), changing, asked.going[start:stop])
    sink.feed(old.filter(going), "delete")
    if not updates:
        sink.write(old.filter(pc.invert(going)))
        return
    whose = pc.replace_with_mask(pa.nulls(len(places), clauses.type), changing, clauses)
    new = old.columns
    for number, values in updates.items():
        mine = pc.fill_null(pc.equal(whose, number), fill_value=False)
        count = mine.true_count
        if not count:
            continue
        before = pc.equal(asked.clauses.slice(0, start), number).true_count
        given = values.slice(before, count)
        for name, column in zip(given.column_names, given.columns, strict=True):
            place = old.schema.get_field_index(name)
            new[place] = _replaced(new[place], mine, _chunk(column))
    made = pa.RecordBatch.from_arrays(new, schema=old.schema)
    if sink.changes is not None:
        updated = pc.and_(changing, pc.invert(going))
        sink.feed(old.filter(updated), "update_preimage")
        sink.feed(made.filter(updated), "update_postimage")
    sink.write(made.filter(pc.invert(going)) if going.true_count else made)


def _int(scalar: pa.Scalar) -> int:
    value: int = scalar.as_py()
    return value


def _replaced(old: pa.Array, mask: pa.BooleanArray, new: pa.Array) -> pa.Array:
    """``old`` with ``new`` where ``mask`` is true, value after value."""
    new = new if new.type.equals(old.type) else new.cast(old.type)
    if pa.types.is_nested(old.type):
        ranks = pc.add(pc.cumulative_sum(mask.cast(pa.int64())), len(old) - 1)
        return pa.concat_arrays([old, new]).take(pc.if_else(mask, ranks, pa.arange(0, len(old))))
    return pc.replace_with_mask(old, mask, new)


# -- the rows of the query


def _divided(
    rows: Iterable[pa.RecordBatch],
) -> tuple[Iterator[_Changes], Iterator[tuple[int, Iterator[pa.RecordBatch]]]]:
    """The rows of each file; and, to be read after them, the rows that come, by clause."""
    runs = _runs(rows)
    pending: list[tuple[Any, pa.RecordBatch]] = []

    def changes() -> Iterator[_Changes]:
        index, found = None, []
        for run in runs:
            if run[0][0] is None:
                pending.append(run)
                break
            if index is not None and run[0][0] != index:
                yield index, found
                found = []
            index = run[0][0]
            found.append(run[1])
        if index is not None:
            yield index, found

    def arrivals() -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
        for (_, number), group in itertools.groupby(itertools.chain(pending, runs), key=lambda run: run[0]):
            yield number, (batch for _, batch in group)

    return changes(), arrivals()


def _runs(rows: Iterable[pa.RecordBatch]) -> Iterator[tuple[tuple[int | None, int | None], pa.RecordBatch]]:
    """``rows`` in pieces of one file each, or of rows that come by one clause; with file and clause (of these)."""
    for batch in rows:
        files, clauses = batch.column(0), batch.column(2)
        clauses = pc.if_else(files.is_null(), clauses, None)
        ends: set[int] = set()
        for column in (files, clauses):
            ends |= set(pc.run_end_encode(column).run_ends.to_pylist())
        start = 0
        for end in sorted(ends):
            yield (files[start].as_py(), clauses[start].as_py()), batch.slice(start, end - start)
            start = end
