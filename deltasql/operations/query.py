"""Queries: DataFusion runs the text, over pinned snapshots."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.engine.engine import BoundQuery
from deltasql.operations.operation import Plan, tables_plan
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
