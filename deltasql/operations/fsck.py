"""FSCK REPAIR TABLE: files that the log has and nobody else has any more go from the table, in one commit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog.recorded import recorded, remove_of
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.vectors import vector_file
from deltasql.errors import StorageError
from deltasql.operations.operation import Plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import Location
from deltasql.write.commit import commit
from deltasql.write.target import Target, target


@dataclass(frozen=True, slots=True)
class Fsck:
    """A repair that is ready to run."""

    target: Target
    dry_run: bool

    def explain(self) -> Plan:
        """Target and operation."""
        return writing(self.target, f"remove files that are gone from the log{', dry run' if self.dry_run else ''}")

    def execute(self) -> Result:
        """Take the files that are gone from the table (or list them); gives their paths."""
        snapshot = self.target.snapshot
        progress = self.target.context.progress
        progress.begin("looked at", "files", len(snapshot.files))
        gone = []
        for path in snapshot.files:
            if _is_gone(path):
                gone.append(path)
            progress.done()
        held = recorded(snapshot, snapshot.files if "deletionVectors" in snapshot.reader_features else gone)
        for path, vector in _vectors(snapshot, {path: held[path] for path in held.keys() - set(gone)}):
            if _is_gone(vector):
                message = f"`{snapshot.name}` can't be repaired: the deletion vector `{vector}` of `{path}` is missing"
                raise StorageError(message, hint="which rows of the file were deleted can't be told without it")
        version = None
        metrics = {"num_removed_files": len(gone), "removed_files_size": sum(held[path]["size"] for path in gone)}
        if gone and not self.dry_run:
            now = time.time_ns() // 1_000_000
            version = commit(
                snapshot,
                [{"remove": remove_of(held[path], now)} for path in gone],
                operation="FSCK",
                parameters={},
                metrics=metrics,
                custom=self.target.recorded(),
            )
        paths = pa.array(sorted(map(str, gone)), pa.string())
        rows = pa.table({"dataFilePath": paths, "dataFileMissing": pa.repeat(pa.scalar(value=True), len(paths))})
        return Result.of(rows, statement_type="FSCK", metrics={**metrics, "dry_run": self.dry_run}, version=version)


def _vectors(snapshot: Snapshot, held: dict[Location, dict[str, object]]) -> Iterator[tuple[Location, Location]]:
    """The data files that have a deletion vector in a file, and that file."""
    for path, body in held.items():
        vector = body.get("deletionVector")
        if isinstance(vector, dict) and (file := vector_file(snapshot, vector)) is not None:
            yield path, file


def _is_gone(path: Location) -> bool:
    """True for a file that isn't there. Raises `StorageError` where that can't be told: no right to look is no loss."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # A name with a NUL, which no file can have.
        return True
    except OSError as error:
        raise StorageError(f"`{path}` can't be looked at: {error.strerror}") from error
    return False


def plan(statement: statements.Fsck, context: StatementContext) -> Fsck:
    """Find the table; only a repair needs it to be one that may lose rows."""
    dry = statement.dry_run
    return Fsck(target(statement.table, context, removes_data=not dry, looks=dry), dry)
