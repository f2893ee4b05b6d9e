"""UPDATE: new values for the rows that a predicate holds for, cast to the columns' types by store assignment."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.errors import ColumnNotFound, NotSupportedError, PlanError
from deltasql.names import did_you_mean, fold, literal, match, quote
from deltasql.operations.operation import Commit, Plan, Target, counted, counts, rewritable, target
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.dialect import tokenize
from deltasql.sql.statements import Assignment, Fragment
from deltasql.write.assignment import assign
from deltasql.write.keys import Matches, empty_is_null, keys_of, require_deterministic, selection
from deltasql.write.simple import simple_predicate
from deltasql.write.source import Source, assigned, is_generated, require_distinct

_VALUE = "__deltasql_value_"


@dataclass(frozen=True, slots=True)
class DirectUpdate:
    """Constants for the rows of a predicate that delta-rs takes as text."""

    target: Target
    values: dict[str, str]
    predicate: str | None

    def explain(self) -> Plan:
        """Target and operation."""
        changes = ", ".join(f"{column} = {value}" for column, value in self.values.items())
        return self.target.plan("update", f"{changes} where {self.predicate or 'true'}")

    def execute(self) -> Result:
        """Update; the count is the commit's."""
        table = self.target.handle()
        with translated(self.target.entry):
            table.update(updates=self.values, predicate=self.predicate, commit_properties=self.target.properties())
        return _result(self.target.commit(table), "num_updated_rows")


@dataclass(frozen=True, slots=True)
class MatchedUpdate:
    """Values computed by our engine, merged into the rows with the same keys."""

    target: Target
    columns: tuple[str, ...]
    matches: Matches
    rows: Source

    def explain(self) -> Plan:
        """Target and operation."""
        detail = f"set {', '.join(self.columns)} of rows matched on ({', '.join(self.matches.keys)})"
        return self.target.plan("merge", detail)

    def execute(self) -> Result:
        """Merge; the count is the commit's."""
        if self.matches.never:
            return _result(None, "")
        table = self.target.handle()
        updates = {quote(column): f"source.{quote(_VALUE + str(i))}" for i, column in enumerate(self.columns)}
        with translated(self.target.entry, self.rows):
            self.target.merge(table, self.rows, self.matches.condition).when_matched_update(updates).execute()
        return _result(self.target.commit(table), "num_target_rows_updated")


def _result(commit: Commit | None, metric: str) -> Result:
    return counts("UPDATE", {"num_affected_rows": counted(commit, metric)}, commit)


def plan(statement: statements.Update, context: StatementContext) -> DirectUpdate | MatchedUpdate:
    """Bind predicate and values; constants go to delta-rs as they are, the rest is computed here."""
    into = rewritable(target(statement, context))
    snapshot = into.snapshot
    columns = [_column(assignment, statement, snapshot.schema) for assignment in statement.assignments]
    require_distinct(columns, "SET")
    values = [assignment.value or Fragment("NULL", assignment.span) for assignment in statement.assignments]
    for value in values:
        require_deterministic(value, "value")
    if statement.where is not None:
        require_deterministic(statement.where, "predicate")
    keys = keys_of(statement.table, statement.alias, statement.where, values, snapshot, context)
    bound = context.query(_rows(statement, keys, values))
    never = bound.is_empty()
    constants = _constants(columns, values, snapshot, context)
    if constants is not None and not never:
        if statement.where is None:
            return DirectUpdate(into, constants, None)
        qualifier = statement.alias or statement.table.name
        direct = simple_predicate(statement.where.sql, qualifier, snapshot, context.parameters)
        if direct is not None:
            return DirectUpdate(into, constants, direct)
    rows = _assigned(bound, keys, columns, snapshot, context)
    found = Matches(never, None, keys, bound, snapshot.schema, empty_is_null(keys, snapshot))
    return MatchedUpdate(into, tuple(columns), found, rows)


def _column(assignment: Assignment, statement: statements.Update, stored: pa.Schema) -> str:
    parts = assignment.column
    qualifier = fold(statement.alias or statement.table.name)
    if len(parts) > 1 and fold(parts[0]) == qualifier and not _is_struct(parts[0], stored):
        parts = parts[1:]
    if len(parts) > 1:
        name = ".".join(parts)
        raise NotSupportedError(f"SET of the nested field `{name}` is not supported", span=assignment.span)
    found = match(parts[0], stored.names, what="column", span=assignment.span)
    if found is None:
        hint = did_you_mean(parts[0], stored.names)
        raise ColumnNotFound(f"there is no column `{parts[0]}`", hint=hint, span=assignment.span)
    if is_generated(stored.field(found)):
        raise PlanError(f"column `{found}` is generated, so it can't be set", span=assignment.span)
    return found


def _is_struct(name: str, stored: pa.Schema) -> bool:
    found = match(name, stored.names, what="column")
    return found is not None and pa.types.is_struct(stored.field(found).type)


def _rows(statement: statements.Update, keys: tuple[str, ...], values: list[Fragment]) -> Fragment:
    listed = [quote(key) if statement.alias is None else f"{quote(statement.alias)}.{quote(key)}" for key in keys]
    listed += [f"({value.sql}) AS {quote(_VALUE + str(i))}" for i, value in enumerate(values)]
    return selection(statement.table, statement.alias, statement.where, listed)


def _constants(
    columns: list[str], values: list[Fragment], snapshot: Snapshot, context: StatementContext
) -> dict[str, str] | None:
    """The values as literals of their columns' types, if all are constants of plain types; else None.

    Raises `CastError` for a constant that doesn't fit its column.
    """
    found = {}
    for column, value in zip(columns, values, strict=True):
        field = snapshot.schema.field(column)
        # A partition value must be one that can be read back, which `assigned` sees to.
        if column in snapshot.partition_columns or not _is_constant(value.sql) or not _is_plain(field.type):
            return None
        batches = list(context.query(Fragment(f"SELECT {value.sql}", value.span)).read())
        zone = context.session.settings["time_zone"]
        batch = assign(batches[0], pa.schema([field.remove_metadata()]), time_zone=zone)
        found[quote(column)] = literal(batch.column(0)[0].as_py())
    return found


def _is_constant(sql: str) -> bool:
    tokens = tokenize(sql)
    return all(token.kind != "quoted" and (token.kind != "word" or token.upper in _LITERALS) for token in tokens)


_LITERALS = {"NULL", "TRUE", "FALSE"}


def _is_plain(type: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_string, pa.types.is_boolean, pa.types.is_floating)
    return any(check(type) for check in checks)


def _assigned(
    bound: BoundQuery, keys: tuple[str, ...], columns: list[str], snapshot: Snapshot, context: StatementContext
) -> Source:
    """The keys as they are, and the new values cast to their columns' types."""
    fields = [snapshot.schema.field(key).with_nullable(nullable=True) for key in keys]
    fields += [snapshot.schema.field(column) for column in columns]
    names = [*keys, *(_VALUE + str(i) for i in range(len(columns)))]
    zone = context.session.settings["time_zone"]
    read_back = set(snapshot.partition_columns) & set(columns)
    return assigned(
        bound.read, range(len(fields)), pa.schema(fields), time_zone=zone, names=names, partitions=read_back
    )
