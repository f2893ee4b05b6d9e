"""DELETE FROM: the rows that a predicate holds for go; where it is NULL or false they stay."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.operations.operation import Plan, Target, counts, rewritable, target
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.keys import Matches, matches, selection


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
                table.merge(
                    source.reader(),
                    self.matches.condition,
                    source_alias="source",
                    target_alias="target",
                    commit_properties=self.target.properties(),
                ).when_matched_delete().execute()
            metric = "num_target_rows_deleted"
        commit = self.target.commit(table)
        deleted = int(commit.metrics.get(metric, 0)) if commit is not None else 0
        if commit is not None and self.rows is not None:
            deleted = self.rows
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
    source = selection(statement.table, None, None, ["1"])
    counted = f"SELECT count(*) FROM {source.sql.partition(' FROM ')[2]}"
    (batch,) = context.query(counted).read()
    return int(batch.column(0)[0].as_py())
