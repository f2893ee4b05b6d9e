"""Queries: DataFusion runs the text, over pinned snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql import functions
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.engine.scan import Access
from deltasql.operations.operation import Plan
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements


@dataclass(frozen=True, slots=True)
class Query:
    """A planned query."""

    bound: BoundQuery

    def explain(self) -> Plan:
        """How each table is read; DataFusion's own plan is `explain`'s to fetch."""
        return tables_plan(self.bound)

    def execute(self) -> Result:
        """Give the result; its rows are read when they are asked for."""
        return Result(self.bound.schema, self.bound.read, statement_type="SELECT")


def plan(statement: statements.Query, context: StatementContext) -> Query:
    """Plan a query."""
    return Query(context.query(statement.text))


def tables_plan(bound: BoundQuery) -> Plan:
    """A row of EXPLAIN for each table or table function (version, files, access path and why) and each shared CTE."""
    rows: Plan = []
    for (_, schema, name), (source, access) in bound.tables.items():
        if isinstance(source, Snapshot):
            what = f"version {source.version}, {len(access.files)} of {len(source.files)} files"
        else:
            what = source.extent
        label = f"function {name.split('#')[0]}" if schema == functions.SCHEMA else f"table {name}"
        rows.append((label, f"{source.name}: {what}, {_how(access)} ({access.reason})"))
    rows += [(f"cte {cte.name}", f"computed once for its {cte.references} references") for cte in bound.shared]
    return rows


def _how(access: Access) -> str:
    if access.path == "log":
        return "answered by the log"
    return f"read by {access.path}" if access.files else "nothing read"
