"""INSERT INTO: a query's rows, cast to the table's types by store assignment, appended in one commit."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from deltalake import write_deltalake

from deltasql.engine.engine import BoundQuery
from deltasql.errors import ColumnNotFound, PlanError
from deltasql.names import did_you_mean, match
from deltasql.operations.operation import Plan, Target, counts, target
from deltasql.operations.query import tables_plan
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.dialect import tokenize
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import Fragment
from deltasql.write.source import Source, assigned, is_generated, require_distinct


@dataclass(frozen=True, slots=True)
class Insert:
    """An append that is ready to run."""

    target: Target
    bound: BoundQuery
    source: Source

    def explain(self) -> Plan:
        """Target, operation, and how the source's tables are read."""
        columns = ", ".join(self.source.schema.names)
        return [*self.target.plan("write", f"append ({columns})"), *tables_plan(self.bound)]

    def execute(self) -> Result:
        """Append the rows; the counts are those of the commit."""
        with translated(self.target.entry, self.source):
            table = self.target.handle()
            write_deltalake(table, self.source.reader(), mode="append", commit_properties=self.target.properties())
        commit = self.target.require_commit(table)
        inserted = int(commit.metrics.get("num_added_rows", 0))
        return counts("INSERT", {"num_affected_rows": inserted, "num_inserted_rows": inserted}, commit)


def plan(statement: statements.Insert, context: StatementContext) -> Insert:
    """Bind the source and match its columns with the table's."""
    into = target(statement, context)
    bound = context.query(_source(statement))
    stored = into.snapshot.schema
    positions = _positions(statement, bound.schema, stored)
    kept = [i for i, field in enumerate(stored) if positions[i] is not None or not is_generated(field)]
    source = assigned(
        bound.read,
        [positions[i] for i in kept],
        pa.schema([stored.field(i) for i in kept]),
        time_zone=context.session.settings["time_zone"],
        partitions=into.snapshot.partition_columns,
    )
    return Insert(into, bound, source)


def _source(statement: statements.Insert) -> Fragment:
    """The source query, its WITH in front, and NULL for each DEFAULT: no column of a table we write has another."""
    start = statement.source.span.start
    edits = [Edit(span, "NULL") for _, _, span in statement.defaults]
    moved = [Edit(type(edit.span)(edit.span.start - start, edit.span.end - start), edit.text) for edit in edits]
    sql = splice(statement.source.sql, moved).text
    if statement.with_ is None:
        return Fragment(sql, statement.source.span)
    own = tokenize(sql)[0]
    joined = f", {sql[own.span.end :]}" if own.upper == "WITH" else f" {sql}"
    return Fragment(statement.with_.sql + joined, statement.with_.span)


def _positions(statement: statements.Insert, source: pa.Schema, stored: pa.Schema) -> list[int | None]:
    """For each column of the table the source's column that fills it, or None."""
    if statement.by_name:
        require_distinct(source.names, "the query")
        named = [_column(name, stored) for name in source.names]
    elif statement.columns is not None:
        require_distinct(statement.columns, "the column list")
        named = [_column(name, stored) for name in statement.columns]
    else:
        named = list(stored.names)
    if len(named) != len(source):
        what = f"`{statement.table}` has" if statement.columns is None else "the list names"
        raise PlanError(f"{what} {len(named)} columns, the query gives {len(source)}", span=statement.source.span)
    where = {name: position for position, name in enumerate(named)}
    return [where.get(name) for name in stored.names]


def _column(name: str, stored: pa.Schema) -> str:
    found = match(name, stored.names, what="column")
    if found is None:
        raise ColumnNotFound(f"there is no column `{name}`", hint=did_you_mean(name, stored.names))
    return found
