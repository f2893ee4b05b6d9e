"""ANALYZE TABLE … COMPUTE STATISTICS: what the log says of each file is what the file holds.

The files are read; those that the log says nothing or something else of are added again with statistics that are
exact, in a commit that changes no data. So queries pass over files that they had to read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from deltasql.catalog import fields
from deltasql.catalog.columns import mapping
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.packing import LiveFile, live_files
from deltasql.errors import PlanError
from deltasql.operations.operation import Nothing, Plan, nothing, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.commit import commit
from deltasql.write.compaction import held_columns, require_readable, rows_in, rows_of
from deltasql.write.statistics import Gathered, Leaf, indexed, say_the_same
from deltasql.write.target import Target, target

_NAMED = "delta.dataSkippingStatsColumns"


@dataclass(frozen=True, slots=True)
class Analyze:
    """Files that are to be read for the statistics of ``leaves``; ``whole``: these are all that the table has."""

    target: Target
    leaves: Sequence[Leaf]
    whole: bool

    def explain(self) -> Plan:
        """Target and operation."""
        columns = ", ".join(".".join(leaf.stored) for leaf in self.leaves) or "no column"
        return writing(self.target, f"analyze: read {len(self.target.snapshot.files)} files for {columns}")

    def execute(self) -> Result:
        """Commit the statistics that were missing or wrong, if any."""
        snapshot = self.target.snapshot
        files = live_files(snapshot)
        require_readable(snapshot, [files])
        self.target.context.progress.begin("read", "rows", rows_in(snapshot, files, live=False))
        threads = self.target.session.settings["deltasql.threads"] or os.cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(self._statistics, files))
        adds = [_added(file, stats) for file, stats in zip(files, found, strict=True) if stats is not None]
        metrics = {"numFilesRead": len(files), "numUpdatedFiles": len(adds)}
        version = None
        if adds:
            version = commit(
                snapshot,
                adds,
                operation="COMPUTE STATS",
                parameters={"predicate": []},
                metrics=metrics,
                custom=self.target.recorded(),
            )
        return nothing("ANALYZE", version=version, metrics=metrics)

    def _statistics(self, file: LiveFile) -> str | None:
        """The file's statistics, unless the log has them."""
        snapshot = self.target.snapshot
        fields = held_columns(snapshot)
        wanted = sorted({leaf.place[0] for leaf in self.leaves})
        gathered = Gathered()
        places = {at: place for place, at in enumerate(wanted)}
        read = {leaf: _moved(leaf, places[leaf.place[0]]) for leaf in self.leaves}
        # All rows of the file: what the log says of it holds whichever of them are deleted.
        for batch in rows_of(snapshot, file, [fields.field(at) for at in wanted], live=False):
            gathered.look(batch, read.values())
            self.target.context.progress.done(batch.num_rows)
        before = file.add.get("stats")
        made = gathered.as_json(read.values(), tight=not file.has_vector, before=None if self.whole else before)
        return None if say_the_same(before, made) else made


def _moved(leaf: Leaf, column: int) -> Leaf:
    """The leaf in rows of fewer columns."""
    return Leaf(leaf.stored, (column, *leaf.place[1:]), leaf.column, leaf.type)


def _added(file: LiveFile, stats: str) -> dict[str, Any]:
    return {"add": {**file.add, "dataChange": False, "stats": stats}}


def plan(statement: statements.Analyze, context: StatementContext) -> Analyze | Nothing:
    """Find the table and the columns. Raises `PlanError` for one that no file holds."""
    into = target(statement.table, context, removes_data=False)
    snapshot = into.snapshot
    schema, properties = held_columns(snapshot), dict(snapshot.properties)
    if statement.columns is not None:
        metadata = Metadata.of(snapshot)
        paths = [fields.stored_path(metadata.schema, path) for path in statement.columns]
        partition = next((path[0] for path in paths if path[0] in snapshot.partition_columns), None)
        if partition is not None:
            message = f"`{into.entry}` is partitioned by `{partition}`, whose values the log has"
            raise PlanError(message, hint="leave the column out")
        properties[_NAMED] = ", ".join(".".join(_quoted(name) for name in path) for path in paths)
    if statement.noscan:
        return Nothing("ANALYZE", "NOSCAN reads no file, and the sizes of files are in the log")
    return Analyze(into, indexed(schema, properties, mapping(properties)), whole=statement.columns is None)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
