"""DELETE FROM: the rows that a predicate holds for go; where it is NULL or false they stay."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.operations.operation import Plan, Target, counted, counts, rewritable, target
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.keys import Matches, matches, named


@dataclass(frozen=True, slots=True)
class Delete:
    """A deletion that is ready to run; ``matches`` None means every row.

    ``rows`` is how many there are where the log doesn't know, as delta-rs then reports none.
    """

    target: Target
    matches: Matches | None
    rows: int | None = None

    def explain(self) -> Plan:
        """Target and operation."""
        if self.matches is None:
            return self.target.plan("delete", "every row")
        if self.matches.predicate is not None:
            return self.target.plan("delete", self.matches.predicate)
        return self.target.plan("merge", f"delete rows matched on ({', '.join(self.matches.keys)})")

    def execute(self) -> Result:
        """Delete; the count is the commit's."""
        if self.matches is not None and self.matches.never:
            return counts("DELETE", {"num_affected_rows": 0}, None)
        table = self.target.handle()
        if self.matches is None or self.matches.predicate is not None:
            predicate = None if self.matches is None else self.matches.predicate
            with translated(self.target.entry):
                table.delete(predicate, commit_properties=self.target.properties())
            metric = "num_deleted_rows"
        else:
            source = self.matches.source()
            with translated(self.target.entry, source):
                self.target.merge(table, source, self.matches.condition).when_matched_delete().execute()
            metric = "num_target_rows_deleted"
        commit = self.target.commit(table)
        deleted = counted(commit, metric) if self.rows is None else self.rows
        return counts("DELETE", {"num_affected_rows": deleted}, commit)


def plan(statement: statements.Delete, context: StatementContext) -> Delete:
    """Bind the predicate."""
    into = rewritable(target(statement, context))
    if statement.where is None:
        return Delete(into, None, _uncounted(statement, into, context))
    return Delete(into, matches(statement.table, statement.alias, statement.where, into.snapshot, context))


def _uncounted(statement: statements.Delete, into: Target, context: StatementContext) -> int | None:
    """The number of all rows, read from the files, if the log lacks it for some; else None."""
    if into.snapshot.adds["num_records"].null_count == 0:
        return None
    (batch,) = context.query(f"SELECT count(*) FROM {named(statement.table, statement.alias)}").read()
    return int(batch.column(0)[0].as_py())
