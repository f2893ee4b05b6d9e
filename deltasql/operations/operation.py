"""What every operation is, and what several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from deltasql import functions
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.engine.scan import Access
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.write.target import SOURCE, TARGET, Commit, Target

Plan = list[tuple[str, str]]
"""The rows of EXPLAIN: kind of plan, and its text."""
_LOGICAL = "logical_plan"
PHYSICAL = "physical_plan"
"""The kinds of the plans of a query behind a write: DataFusion's names for them, as for a query's own."""


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


@dataclass(frozen=True, slots=True)
class Nothing:
    """A statement with IF EXISTS or IF NOT EXISTS that has nothing to do, and why."""

    statement_type: str
    why: str

    def explain(self) -> Plan:
        """Say why."""
        return [("operation", f"nothing: {self.why}")]

    def execute(self) -> Result:
        """Do nothing."""
        return nothing(self.statement_type)


def nothing(statement_type: str, *, version: int | None = None, metrics: Mapping[str, Any] | None = None) -> Result:
    """The result of a statement that returns no rows and has no columns."""
    return Result.of(pa.table({}), statement_type=statement_type, version=version, metrics=metrics)


def counts(statement_type: str, numbers: Mapping[str, int], commit: Commit | None) -> Result:
    """The one row of counts that a write returns, as BIGINTs."""
    rows = pa.table({name: pa.array([number], pa.int64()) for name, number in numbers.items()})
    metrics = commit.metrics if commit is not None else {}
    version = commit.version if commit is not None else None
    return Result.of(rows, statement_type=statement_type, metrics=metrics, version=version)


def writing(into: Target, how: str) -> Plan:
    """The rows of EXPLAIN that say which table is written, and how."""
    target = f"{into.entry} version {into.snapshot.version} at {into.snapshot.location}"
    return [("target", target), ("operation", how)]


def tables_plan(bound: BoundQuery) -> Plan:
    """A row of EXPLAIN for each table or table function (version, files, access path and why) and each shared CTE."""
    rows: Plan = []
    for (_, schema, name), (source, access) in bound.tables.items():
        if isinstance(source, Snapshot):
            what = f"version {source.version}, {len(access.files)} of {len(source.files)} files"
        else:
            what = source.extent
        if name in _OF_STATEMENTS:
            label = _OF_STATEMENTS[name]
        else:
            label = f"function {name.split('#')[0]}" if schema == functions.SCHEMA else f"table {name}"
        rows.append((label, f"{source.name}: {what}, {_how(access)} ({access.reason})"))
    rows += [(f"cte {cte.name}", f"computed once for its {cte.references} references") for cte in bound.shared]
    return rows


def source_plan(bound: BoundQuery) -> Plan:
    """The plan of a query that a write stands on, the rows of `tables_plan`, and how it runs, which VERBOSE shows."""
    return [(_LOGICAL, _plain(bound.logical())), *tables_plan(bound), (PHYSICAL, bound.plan())]


def _plain(plan: str) -> str:
    """A plan with the names that it gives what a write adds to a query as words."""
    plan = re.sub(r"(?:\w+\.)*__deltasql_(target|source)\b", r"\1", plan)
    return re.sub(r"__deltasql_(\d+)", r"value \1", plan).replace("__deltasql_", "")


_OF_STATEMENTS = {TARGET: "rows", SOURCE: "source"}


def _how(access: Access) -> str:
    if access.path == "log":
        return "answered by the log"
    if access.path == "memory":
        return "read in memory"
    return f"read by {access.path}" if access.files else "nothing read"
