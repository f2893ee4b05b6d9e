"""INSERT: a query's rows, cast to the table's types by store assignment; added, or put in the place of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog.evolution import Evolved, evolved
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.engine.sources import Feed, Files, Rows
from deltasql.engine.sources import Source as Table
from deltasql.errors import ColumnNotFound, NotSupportedError, PlanError
from deltasql.names import did_you_mean, match
from deltasql.operations.operation import Plan, counts, source_plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.dialect import tokenize
from deltasql.sql.mention import culprit
from deltasql.sql.select_list import TOLD_APART, told_apart
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import Woven, listed, woven
from deltasql.storage.files import is_below, real
from deltasql.write.blame import blamed, uneven_row, values_of
from deltasql.write.defaults import default_sql
from deltasql.write.filling import filled
from deltasql.write.fit import offered
from deltasql.write.identity import is_filled, is_identity
from deltasql.write.replacing import Replaced, in_partition, rows_where
from deltasql.write.source import Source, require_distinct
from deltasql.write.target import Target, target
from deltasql.write.values import demanding

_INSERTED = {"inserted": "num_added_rows"}
_REPLACED = {**_INSERTED, "deleted": "num_deleted_rows"}


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows that are ready to be written, and those that they replace, if any."""

    target: Target
    bound: BoundQuery
    source: Source
    mode: str
    statement: statements.Insert
    names: Sequence[str]
    replaced: Replaced | None = None
    evolved: Evolved | None = None

    def explain(self) -> Plan:
        """Target, operation, and how the source's tables are read."""
        columns = ", ".join(self.source.schema.names)
        how = f"write: {self.mode} ({columns})"
        return [*writing(self.target, how), *source_plan(self.bound)]

    def execute(self) -> Result:
        """Write the rows; the counts are those of the commit."""
        statement = self.statement
        with blamed(statement.text, statement.table, lambda: values_of(statement.source, self.names)):
            return self._written()

    def _written(self) -> Result:
        commit, counted = self.target.write(
            "WRITE",
            {"mode": "Append" if self.replaced is None else "Overwrite", **self._predicate()},
            # Of files that go whole nobody counts the rows.
            _INSERTED if self.replaced is None or self.replaced.edits is None else _REPLACED,
            rows=self.source,
            others=() if self.evolved is None else self.evolved.actions,
            schema=None if self.evolved is None else self.evolved.schema,
            blind=self.replaced is None and not self._reads_target(),
            **({} if self.replaced is None else self.replaced.parts()),
        )
        inserted = counted.inserted
        return counts("INSERT", {"num_affected_rows": inserted, "num_inserted_rows": inserted}, commit)

    def _predicate(self) -> dict[str, str]:
        return {} if self.replaced is None or self.replaced.text is None else {"predicate": self.replaced.text}

    def _reads_target(self) -> bool:
        """True if the rows may depend on what is in the table, by whatever path or function they are read."""
        table = real(self.target.snapshot.location)

        def reads(source: Snapshot | Table) -> bool:
            if isinstance(source, Snapshot):
                return real(source.location) == table
            if isinstance(source, Files):
                return any(is_below(real(file), table) for file in source.found.files)
            return isinstance(source, Feed) or (isinstance(source, Rows) and source.of_log)

        return any(reads(source) for source, _ in self.bound.tables.values())


def plan(statement: statements.Insert, context: StatementContext) -> Insert:
    """Bind the source and match its columns with the table's."""
    replaces = statement.overwrite or statement.replace_where is not None
    into = target(statement.table, context, removes_data=replaces)
    made = _Columns(statement, into)
    schema = into.snapshot.schema if made.evolved is None else made.evolved.schema
    bound, positions = made.query(schema)
    demanded = demanding(into, schema)
    try:
        source = filled(bound.read, positions, schema, into, demanded)
    except PlanError as error:
        error.span = error.span or culprit(error, statement.text) or statement.source.span
        raise
    replaced = None
    if statement.replace_where is not None:
        replaced = rows_where(statement.replace_where, into)
        source = replaced.held(source)
    elif statement.overwrite:
        replaced = in_partition({value.column: value.value for value in made.partition if value.value}, into)
    mode = "append" if replaced is None else replaced.shown
    return Insert(into, bound, source, mode, statement, made.names, replaced, made.evolved)


class _Columns:
    """Which column of the table each column of the source fills, and what fills the others."""

    def __init__(self, statement: statements.Insert, into: Target) -> None:
        self.statement = statement
        self.into = into
        stored = into.snapshot.schema
        self.partition = tuple(self._partition_value(each, stored) for each in statement.partition)
        self.source = self._source(None)
        found = pa.schema([]) if statement.default_values else self._found()
        self.names = self._names(found, stored)
        self.evolved = None
        if statement.evolve:
            new = offered(pa.schema([f.with_name(n) for f, n in zip(found, self.names, strict=True)]), stored)
            self.evolved = evolved(into.snapshot, new)

    def _found(self) -> pa.Schema:
        try:
            return self.into.context.query(self.source).schema
        except PlanError as error:
            if error.span is None:
                error.span = uneven_row(self.statement.source)
            raise

    def query(self, schema: pa.Schema) -> tuple[BoundQuery, list[int | None]]:
        """The source with a value for each column of ``schema`` that has one, and which of its columns that is."""
        source = self._source(schema)
        names = list(self.names)
        added = []
        for each in self.partition:
            if each.value is not None:
                added.append(woven("(", each.value, "\n)"))
                names.append(each.column)
        for each in schema:
            if each.name not in names and (default := default_sql(each)) is not None:
                added.append(woven(f"({default})"))
                names.append(each.name)
        if self.statement.default_values:
            source = woven("SELECT ", listed(added or [woven("NULL")]))
        elif added:
            columns = [woven(value, f" AS __deltasql_{place}") for place, value in enumerate(added)]
            source = woven("SELECT *, ", listed(columns), " FROM (", source, "\n)")
        numbered = self._numbered(schema)
        where = {name: position for position, name in enumerate(names) if name not in numbered}
        return self.into.context.query(source), [where.get(name) for name in schema.names]

    def _numbered(self, schema: pa.Schema) -> set[str]:
        """The generated and identity columns for which every row of VALUES has the word DEFAULT.

        Raises `NotSupportedError` where only some have.
        """
        places = [place for _, place, _ in self.statement.defaults if place < len(self.names)]
        found = {self.names[place] for place in places if is_filled(schema.field(self.names[place]))}
        if not found:
            return found
        counted = self.into.context.query(woven("SELECT count(*) FROM (", self._source(schema), "\n)"))
        rows = next(iter(counted.read())).column(0)[0].as_py()
        some = next((name for name in found if places.count(self.names.index(name)) != rows), None)
        if some is not None:
            kind = "identity" if is_identity(schema.field(some)) else "generated"
            message = f"the {kind} column `{some}` has DEFAULT in some of the rows and values in others"
            raise NotSupportedError(message, hint="insert them by two statements", span=self.statement.source.span)
        return found

    def _partition_value(self, value: statements.PartitionValue, stored: pa.Schema) -> statements.PartitionValue:
        name = _column(value.column, stored.names)
        if name not in self.into.snapshot.partition_columns:
            raise PlanError(f"`{name}` is no partition column of `{self.into.entry}`", span=value.span)
        return statements.PartitionValue(name, value.value, value.span)

    def _names(self, source: pa.Schema, stored: pa.Schema) -> list[str]:
        """For each column of the source the name of the table's column that it fills."""
        statement = self.statement
        if statement.default_values:
            return []
        fixed = {each.column for each in self.partition if each.value is not None}
        if statement.by_name or statement.columns is not None:
            given = source.names if statement.by_name else list(statement.columns or ())
            require_distinct([*given, *fixed], "the query" if statement.by_name else "the column list")
            named = [_column(name, stored.names, new=statement.evolve) for name in given]
        else:
            named = [name for name in stored.names if name not in fixed]
            if statement.evolve:
                extra = source.names[len(named) :]
                if any(name.startswith(TOLD_APART) for name in extra):
                    message = "two new columns have the same name"
                    raise PlanError(message, hint="give one another name with AS", span=statement.source.span)
                require_distinct([*named, *extra], "the query")
                named += extra
        if len(named) != len(source):
            what = f"`{statement.table}` has" if statement.columns is None else "the list names"
            wanted = f"{len(named)} column{'s' if len(named) != 1 else ''}"
            raise PlanError(f"{what} {wanted}, the query gives {len(source)}", span=statement.source.span)
        return named

    def _source(self, schema: pa.Schema | None) -> Woven:
        """The source query, its WITH in front; for each DEFAULT the column's own value, or NULL."""
        statement = self.statement
        start = statement.source.span.start
        edits = [] if statement.by_name else told_apart(statement.source.sql)
        for _, place, span in statement.defaults:
            text = "NULL"
            if schema is not None and place < len(self.names):
                text = default_sql(schema.field(self.names[place])) or "NULL"
            edits.append(Edit(type(span)(span.start - start, span.end - start), f"({text})"))
        sql = splice(statement.source.sql, edits).text
        source = Fragment(sql, statement.source.span)
        if statement.with_ is None:
            return woven(source)
        own = tokenize(sql)[0]
        if own.upper != "WITH":
            return woven(statement.with_, " ", source)
        span = statement.source.span
        rest = Fragment(sql[own.span.end :], type(span)(span.start + own.span.end, span.end))
        return woven(statement.with_, ", ", rest)


def _column(name: str, stored: Sequence[str], *, new: bool = False) -> str:
    found = match(name, stored, what="column")
    if found is None:
        if new:
            return name
        raise ColumnNotFound(f"there is no column `{name}`", hint=did_you_mean(name, stored))
    return found
