"""UPDATE: new values for the rows that a predicate holds for, cast to the columns' types by store assignment."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.engine.engine import BoundQuery
from deltasql.engine.numbered import files_of
from deltasql.errors import PlanError
from deltasql.operations.operation import Plan, counts, source_plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.woven import listed, woven
from deltasql.write.blame import blamed
from deltasql.write.rewrite import Clause, Edits
from deltasql.write.target import Target, target
from deltasql.write.values import New, assigned_values


@dataclass(frozen=True, slots=True)
class Update:
    """New values for rows, ready to be written: ``rows`` gives the rows and the values of ``new``."""

    target: Target
    new: New
    predicate: str | None
    rows: BoundQuery
    statement: statements.Update

    def explain(self) -> Plan:
        """Target, operation, and how the tables are read."""
        what = f"update {', '.join(self.new.set)} where {self.predicate or 'true'}: rewrite the files of the rows"
        return [*writing(self.target, what), *source_plan(self.rows)]

    def execute(self) -> Result:
        """Update; the count is the commit's."""
        statement = self.statement
        try:
            with blamed(statement.text, statement.table, list):
                return self._updated()
        except PlanError as error:  # Several rows of FROM that meet one.
            error.span = error.span or (statement.from_.span if statement.from_ is not None else None)
            raise

    def _updated(self) -> Result:
        edits = Edits(
            (Clause("update", self.new.columns),),
            self.rows.read,
            self.target.time_zone,
            demanded=self.new.demanded,
            among=files_of(self.rows),
        )
        parameters = {"predicate": None if self.predicate is None else [self.predicate]}
        commit, counted = self.target.write("UPDATE", parameters, {"updated": "num_updated_rows"}, edits=edits)
        return counts("UPDATE", {"num_affected_rows": counted.updated}, commit)


def plan(statement: statements.Update, context: StatementContext) -> Update:
    """Bind predicate and values."""
    into = target(statement.table, context, removes_data=True)
    new = assigned_values(statement.assignments, into, statement.alias)
    query = woven(
        statement.with_,
        f" SELECT {into.tags(statement.alias)}, 0, ",
        listed([woven(value, f" AS __deltasql_{place}") for place, value in enumerate(new.values)]),
        f" FROM {into.named(statement.alias)}",
        woven(", ", statement.from_) if statement.from_ is not None else None,
        woven(" WHERE (", statement.where, "\n)") if statement.where is not None else None,
        " ORDER BY 1, 2",
    )
    predicate = statement.where.sql if statement.where is not None else None
    return Update(into, new, predicate, context.query(query, into.given()), statement)
