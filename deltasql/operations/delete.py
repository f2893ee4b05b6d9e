"""DELETE FROM and TRUNCATE TABLE: the rows that a predicate holds for go; where it is NULL or false they stay."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.engine.engine import BoundQuery
from deltasql.engine.numbered import FILE, Partitions, files_of
from deltasql.names import quote
from deltasql.operations.operation import Plan, counts, source_plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.woven import Woven, woven
from deltasql.write.rewrite import Clause, Edits
from deltasql.write.target import Target, target
from deltasql.write.values import volatile

_METRICS = {"deleted": "num_deleted_rows"}


@dataclass(frozen=True, slots=True)
class Delete:
    """A deletion that is ready to run: of the rows that ``rows`` gives.

    ``whole`` gives files all of whose rows go, with ``rows`` counting these.
    """

    statement_type: str
    target: Target
    predicate: str | None
    rows: BoundQuery
    whole: BoundQuery | None = None

    def explain(self) -> Plan:
        """Target, operation, and how the table is read."""
        what = "remove whole files" if self.whole is not None else "rewrite the files of the rows"
        plan = writing(self.target, f"delete where {self.predicate or 'true'}: {what}")
        return [*plan, *source_plan(self.rows if self.whole is None else self.whole)]

    def execute(self) -> Result:
        """Delete; the count is the commit's."""
        parameters = {"predicate": None if self.predicate is None else [self.predicate]}
        if self.whole is None:
            edits = Edits((Clause("delete"),), self.rows.read, self.target.time_zone, among=files_of(self.rows))
            commit, counted = self.target.write("DELETE", parameters, _METRICS, edits=edits)
            deleted = counted.deleted
        else:
            gone = [index for batch in self.whole.read() for index in batch.column(0).to_pylist()]
            (counting,) = self.rows.read()
            deleted = int(counting.column(0)[0].as_py())
            commit, _ = self.target.write("DELETE", parameters, _METRICS, gone=gone, gone_rows=deleted)
        return counts(self.statement_type, {"num_affected_rows": deleted}, commit)


def plan(statement: statements.Delete, context: StatementContext) -> Delete:
    """Bind the predicate."""
    into = target(statement.table, context, removes_data=True)
    if statement.where is None:
        return _everything("DELETE", into)
    named = into.named(statement.alias)
    where = woven(" WHERE (", statement.where, "\n)")
    marked = woven(statement.with_, f" SELECT {into.tags(statement.alias)}, 0 FROM {named}", where, " ORDER BY 1, 2")
    if _decides_by_partition(marked, into):
        files = woven(statement.with_, f" SELECT {quote(FILE)} FROM {named}", where)
        counting = woven(statement.with_, f" SELECT count(*) FROM {named}", where)
        whole = context.query(files, into.given(Partitions(into.snapshot)))
        return Delete("DELETE", into, statement.where.sql, context.query(counting, into.given()), whole)
    return Delete("DELETE", into, statement.where.sql, context.query(marked, into.given()))


def plan_truncate(statement: statements.Truncate, context: StatementContext) -> Delete:
    """All rows."""
    return _everything("TRUNCATE", target(statement.table, context, removes_data=True))


def _everything(statement_type: str, into: Target) -> Delete:
    counting = into.context.query(f"SELECT count(*) FROM {into.named(None)}", into.given(into.snapshot))
    whole = into.context.query(f"SELECT {quote(FILE)} FROM {into.named(None)}", into.given(Partitions(into.snapshot)))
    return Delete(statement_type, into, None, counting, whole)


def _decides_by_partition(query: Woven, into: Target) -> bool:
    """True if only values of partition columns decide, the same for all rows of a file."""
    used = into.context.rewritten(query, into.given()).used
    read = {name for names in used for name in names} & set(into.snapshot.schema.names)
    return volatile(query.sql) is None and read <= set(into.snapshot.partition_columns)
