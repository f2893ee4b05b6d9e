"""``EXPLAIN [ANALYZE] [VERBOSE] statement``: what a statement would do, without doing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from deltasql.errors import NotSupportedError
from deltasql.operations.operation import Operation, Plan
from deltasql.operations.query import Query
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements

_SCHEMA = pa.schema([("plan_type", pa.string()), ("plan", pa.string())])


@dataclass(frozen=True, slots=True)
class Explain:
    """The plan of another operation."""

    statement: statements.Explain
    inner: Operation
    context: StatementContext

    def explain(self) -> Plan:
        """DataFusion's plan of a query and how its tables are read; target and operation of a write."""
        if isinstance(self.inner, Query):
            return [*self._engine_plan(), *self.inner.explain()]
        if self.statement.analyze:
            message = "EXPLAIN ANALYZE runs the statement, so it takes queries only"
            raise NotSupportedError(message, hint="EXPLAIN without ANALYZE does nothing")
        return self.inner.explain()

    def _engine_plan(self) -> Plan:
        words = ["EXPLAIN"]
        words += ["ANALYZE"] if self.statement.analyze else []
        words += ["VERBOSE"] if self.statement.verbose else []
        bound = self.context.query(f"{' '.join(words)} {self.statement.statement.text}")
        table = pa.Table.from_batches(list(bound.read()), bound.schema)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def execute(self) -> Result:
        """Give the plan, a row per line."""
        rows = [(kind, line) for kind, text in self.explain() for line in text.splitlines()]
        columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
        return Result.of(pa.Table.from_arrays(columns, schema=_SCHEMA), statement_type="EXPLAIN")


def planner(
    plan_inner: Callable[[statements.Statement, StatementContext], Operation],
) -> Callable[[statements.Explain, StatementContext], Explain]:
    """The planner of EXPLAIN, given the one of all statements."""

    def plan(statement: statements.Explain, context: StatementContext) -> Explain:
        return Explain(statement, plan_inner(statement.statement, context), context)

    return plan
