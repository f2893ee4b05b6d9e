"""What every operation is, and what several of them share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.log import commit_info
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.int96 import wraps
from deltasql.errors import InternalError, UnsupportedTableFeature
from deltasql.result import Result
from deltasql.session import Session, StatementContext
from deltasql.write.source import Source

if TYPE_CHECKING:
    from deltalake.table import TableMerger

Plan = list[tuple[str, str]]
"""The rows of EXPLAIN: kind of plan, and its text."""


class Operation(Protocol):
    """A bound statement: nothing has happened yet, all its names are resolved."""

    def explain(self) -> Plan:
        """Say what `execute` would do."""

    def execute(self) -> Result:
        """Do it. Raises deltasql's errors only, and then nothing has changed."""


Planner = Callable[[Any, StatementContext], Operation]


@dataclass(frozen=True, slots=True)
class Rows:
    """An operation that only looks: ``make`` gives its rows."""

    statement_type: str
    make: Callable[[], pa.Table]

    def explain(self) -> Plan:
        """Name the statement: there is no plan behind it."""
        return [("operation", self.statement_type.lower())]

    def execute(self) -> Result:
        """Make the rows."""
        return Result.of(self.make(), statement_type=self.statement_type)


def nothing(statement_type: str, *, version: int | None = None, metrics: Mapping[str, Any] | None = None) -> Result:
    """The result of a statement that returns no rows and has no columns."""
    return Result.of(pa.table({}), statement_type=statement_type, version=version, metrics=metrics)


def counts(statement_type: str, numbers: Mapping[str, int], commit: Commit | None) -> Result:
    """The one row of counts that a write returns, as BIGINTs."""
    rows = pa.table({name: pa.array([number], pa.int64()) for name, number in numbers.items()})
    metrics = commit.metrics if commit is not None else {}
    version = commit.version if commit is not None else None
    return Result.of(rows, statement_type=statement_type, metrics=metrics, version=version)


# -- targets and commits


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of ours as the log has it."""

    version: int
    metrics: dict[str, Any]


def counted(commit: Commit | None, metric: str) -> int:
    """A number that delta-rs reported; 0 where there was nothing to commit."""
    return int(commit.metrics.get(metric, 0)) if commit is not None else 0


@dataclass(slots=True)
class Target:
    """The table that a statement writes to, as it was when the statement began."""

    session: Session
    entry: TableEntry
    snapshot: Snapshot
    _mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def handle(self) -> DeltaTable:
        """A handle of delta-rs's on that version, for one write."""
        return DeltaTable(str(self.snapshot.location), version=self.snapshot.version)

    def properties(self) -> CommitProperties:
        """What our commit records, with a mark by which it is found again."""
        return commit_properties(self.session, self._mark)

    def merge(self, table: DeltaTable, source: Source, condition: str) -> TableMerger:
        """A merge of ``source`` into ``table``; its clauses are to be added."""
        return table.merge(
            source.reader(),
            condition,
            source_alias="source",
            target_alias="target",
            commit_properties=self.properties(),
        )

    def commit(self, table: DeltaTable) -> Commit | None:
        """The commit that a write through ``table`` made, or None if it had nothing to write."""
        for version in range(self.snapshot.version + 1, table.version() + 1):
            info = commit_info(self.snapshot.location, version)
            if info.get(_MARK) == self._mark:
                return Commit(version, dict(info.get("operationMetrics") or {}))
        return None

    def require_commit(self, table: DeltaTable) -> Commit:
        """The commit that a write through ``table`` made."""
        commit = self.commit(table)
        if commit is None:
            raise InternalError(f"the commit to `{self.entry}` isn't in its log")
        return commit

    def plan(self, operation: str, detail: str = "") -> Plan:
        """The rows of EXPLAIN that say which table is written, and how."""
        target = f"{self.entry} version {self.snapshot.version} at {self.snapshot.location}"
        return [("target", target), ("operation", f"delta-rs {operation}{': ' if detail else ''}{detail}")]


_MARK = "deltasql.statement"


def commit_properties(session: Session, mark: str) -> CommitProperties:
    """What every commit of ours records."""
    recorded = {_MARK: mark}
    if text := session.settings["deltasql.commit.user_metadata"]:
        recorded["userMetadata"] = text
    return CommitProperties(custom_metadata=recorded)


def target(statement: Any, context: StatementContext) -> Target:
    """The table that ``statement`` writes to. Raises `OperationalError` on a read-only connection."""
    context.session.catalog.require_writable()
    entry = context.entry(statement.table)
    return Target(context.session, entry, context.latest(entry))


def rewritable(into: Target) -> Target:
    """``into``, if delta-rs rewrites its files right. Raises `UnsupportedTableFeature` where it silently doesn't."""
    snapshot = into.snapshot
    for name in snapshot.partition_columns:
        if pa.types.is_binary(snapshot.schema.field(name).type):
            raise UnsupportedTableFeature(
                f"`{into.entry}` is partitioned by the BINARY `{name}`, which delta-rs mangles"
            )
    odd = next((path for path in snapshot.adds["path"].to_pylist() if not path.isascii()), None)
    if odd is not None:
        message = f"`{into.entry}` has the file path `{odd}` in its log, which delta-rs can't remove"
        raise UnsupportedTableFeature(message, hint="paths with other than ASCII characters must be percent-encoded")
    file = wraps(snapshot, snapshot.files)
    if file is not None:
        message = f"`{into.entry}` holds instants before 1677 or after 2262 in `{file}`, which delta-rs would change"
        raise UnsupportedTableFeature(message, hint="they are stored as INT96")
    return into
