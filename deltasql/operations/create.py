"""CREATE TABLE, with columns, a query (CTAS) or the place of a table that is there already."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.snapshot import is_table, open_snapshot, require_plain
from deltasql.engine.engine import BoundQuery
from deltasql.errors import AlreadyExists, ColumnNotFound, NotSupportedError, PlanError, SchemaMismatch, StorageError
from deltasql.names import did_you_mean, fold, match
from deltasql.operations.operation import Plan, commit_properties, nothing, tables_plan
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.statements import Fragment
from deltasql.types import char_length, parse_type
from deltasql.write.fit import delta_schema
from deltasql.write.source import CHAR_TYPE, Source, assigned, require_distinct
from deltasql.write.target import commit_metadata


@dataclass(frozen=True, slots=True)
class Create:
    """A table that is ready to be made: empty, of ``source``, or registered where it is (``schema`` None)."""

    statement: statements.CreateTable
    context: StatementContext
    entry: TableEntry
    schema: pa.Schema | None
    partitions: tuple[str, ...]
    bound: BoundQuery | None = None
    source: Source | None = None

    def explain(self) -> Plan:
        """Name and place, and how the source's tables are read."""
        does = "register" if self.schema is None else "delta-rs create" if self.source is None else "delta-rs write"
        rows = [("target", f"{self.entry} at {self.entry.location}"), ("operation", does)]
        return rows + (tables_plan(self.bound) if self.bound is not None else [])

    def execute(self) -> Result:
        """Make the table in one commit; where that fails, nothing of it stays."""
        version = None
        if self.schema is not None:
            existed = self.entry.location.exists()
            try:
                _make_folder(self.entry.location)
                version = self._make(self.schema)
            except BaseException:
                if not existed:
                    shutil.rmtree(self.entry.location, ignore_errors=True)
                raise
        if not self.entry.managed and self.statement.table.path is None:
            self.context.session.catalog.register(self.entry)
        return nothing("CREATE TABLE", version=version)

    def _make(self, schema: pa.Schema) -> int:
        location = str(self.entry.location)
        name = None if self.statement.table.path is not None else self.entry.name
        properties = dict(self.statement.properties)
        recorded = commit_properties(commit_metadata(self.context))
        with translated(self.entry, self.source):
            if self.source is None:
                table = DeltaTable.create(
                    location,
                    schema,
                    partition_by=list(self.partitions),
                    name=name,
                    description=self.statement.comment,
                    configuration=properties,
                    commit_properties=recorded,
                )
                return table.version()
            write_deltalake(
                location,
                self.source.reader(),
                mode="error",
                partition_by=list(self.partitions) or None,
                name=name,
                description=self.statement.comment,
                configuration=properties,
                commit_properties=recorded,
            )
        return 0


@dataclass(frozen=True, slots=True)
class Existing:
    """CREATE TABLE IF NOT EXISTS for a table that is there: nothing to do."""

    name: str

    def explain(self) -> Plan:
        """Say so."""
        return [("operation", f"nothing: `{self.name}` exists already")]

    def execute(self) -> Result:
        """Do nothing."""
        return nothing("CREATE TABLE")


def plan(statement: statements.CreateTable, context: StatementContext) -> Create | Existing:
    """Bind name, columns and source."""
    catalog = context.session.catalog
    try:
        entry = catalog.new_entry(statement.table, statement.location)
    except AlreadyExists:
        if statement.if_not_exists:
            return Existing(statement.table.name)
        raise
    require_plain(entry.location)
    if is_table(entry.location):
        return _adopt(statement, context, entry)
    if entry.location.exists() and any(entry.location.iterdir()):
        raise StorageError(f"`{entry.location}` isn't empty, and is no Delta table", span=statement.table.span)
    if statement.query is not None:
        return _from_query(statement, statement.query, context, entry)
    if not statement.columns:
        raise PlanError("CREATE TABLE needs columns, a query, or the LOCATION of a table", span=statement.table.span)
    schema = _schema(statement)
    return Create(statement, context, entry, schema, _partitions(statement, schema))


def _adopt(statement: statements.CreateTable, context: StatementContext, entry: TableEntry) -> Create | Existing:
    """A table that lies at the place already: registered, if what is asked for is what it is."""
    if statement.table.path is not None and statement.if_not_exists:
        return Existing(entry.name)
    if statement.query is not None or statement.table.path is not None:
        raise AlreadyExists(f"there is a Delta table at `{entry.location}` already", span=statement.table.span)
    stored = open_snapshot(str(entry), entry.location)
    if statement.columns:
        asked = [(fold(field.name), field.type) for field in _schema(statement)]
        if asked != [(fold(field.name), field.type) for field in stored.schema]:
            message = f"the table at `{entry.location}` has other columns"
            raise SchemaMismatch(message, hint="leave the columns out to register it as it is")
    return Create(statement, context, entry, None, ())


def _from_query(
    statement: statements.CreateTable, query: Fragment, context: StatementContext, entry: TableEntry
) -> Create:
    bound = context.query(query)
    require_distinct(bound.schema.names, "the query")
    schema = delta_schema(bound.schema)
    schema = pa.schema([field.with_nullable(nullable=True) for field in schema])
    zone = context.session.settings["time_zone"]
    partitions = _partitions(statement, schema)
    source = assigned(bound.read, range(len(schema)), schema, time_zone=zone, partitions=partitions)
    return Create(statement, context, entry, schema, partitions, bound, source)


def _schema(statement: statements.CreateTable) -> pa.Schema:
    require_distinct([column.name for column in statement.columns], "CREATE TABLE")
    return pa.schema([_field(column) for column in statement.columns])


def _field(column: statements.ColumnDefinition) -> pa.Field:
    metadata = {"comment": column.comment} if column.comment is not None else {}
    if (length := char_length(column.type.sql)) is not None:
        metadata[CHAR_TYPE.decode()] = length
    return pa.field(column.name, parse_type(column.type.sql), nullable=column.nullable, metadata=metadata or None)


def _partitions(statement: statements.CreateTable, schema: pa.Schema) -> tuple[str, ...]:
    require_distinct(statement.partitioned_by, "PARTITIONED BY")
    found = []
    for name in statement.partitioned_by:
        column = match(name, schema.names, what="column")
        if column is None:
            hint = did_you_mean(name, schema.names)
            raise ColumnNotFound(f"there is no column `{name}` to partition by", hint=hint)
        if pa.types.is_nested(schema.field(column).type):
            raise PlanError(f"a table can't be partitioned by `{column}`, which is nested")
        if pa.types.is_binary(schema.field(column).type):
            raise NotSupportedError(f"a table can't be partitioned by `{column}`: delta-rs mangles BINARY values")
        found.append(column)
    if len(found) == len(schema):
        raise PlanError("a table can't be partitioned by all of its columns")
    return tuple(found)


def _make_folder(location: Path) -> None:
    try:
        location.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"`{location}` can't be made: {error.strerror}") from error
