"""CREATE TABLE: with columns, of a query, like another table, or known by a name where it lies; OR REPLACE too."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa
from deltalake import Schema

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.columns import nullable
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.snapshot import Snapshot, is_table, open_snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.errors import AlreadyExists, PlanError, SchemaMismatch
from deltasql.names import fold
from deltasql.operations.operation import Nothing, Plan, nothing, source_plan
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.statements import Fragment
from deltasql.write.creating import Place, making, placed, require_empty
from deltasql.write.defining import constraint_properties, defined, partitions
from deltasql.write.designing import Design, designed, like
from deltasql.write.fit import delta_schema
from deltasql.write.source import Source, assigned, require_distinct


@dataclass(frozen=True, slots=True)
class Create:
    """A table that is ready to be made: empty, or of the rows of ``source``."""

    statement: statements.CreateTable
    context: StatementContext
    place: Place
    design: Design
    bound: BoundQuery | None = None
    source: Source | None = None

    def explain(self) -> Plan:
        """Name and place, and how the source's tables are read."""
        entry = self.place.entry
        rows = [("target", f"{entry} at {entry.location}"), ("operation", self._operation().lower())]
        return rows + (source_plan(self.bound) if self.bound is not None else [])

    def execute(self) -> Result:
        """Make the table in one commit; where that fails, nothing of it stays."""
        with making(self.place.entry.location, self.design, self.context) as made:
            metrics = {}
            if self.source is not None:
                metrics["num_added_rows"] = made.write(self.source)
            commit = made.commit(self._operation(), self._parameters(), metrics)
        self.place.keep(self.context)
        self.context.session.catalog.forget(self.place.entry)
        return nothing("CREATE TABLE", version=commit.version, metrics=commit.metrics)

    def _operation(self) -> str:
        """The operation in Spark's words."""
        statement = self.statement
        verb = "REPLACE" if statement.must_exist else "CREATE OR REPLACE" if statement.replace else "CREATE"
        return f"{verb} TABLE{'' if statement.query is None else ' AS SELECT'}"

    def _parameters(self) -> dict[str, object]:
        metadata = self.design.metadata
        return {
            "isManaged": self.place.entry.managed,
            "description": metadata.description,
            "partitionBy": list(metadata.partition_columns),
            "clusterBy": [".".join(path) for path in self.statement.cluster_by],
            "properties": metadata.configuration,
        }


@dataclass(frozen=True, slots=True)
class Register:
    """A table that lies at the place already, and is to be found by its name from now on."""

    entry: TableEntry
    context: StatementContext

    def explain(self) -> Plan:
        """Name and place."""
        return [("target", f"{self.entry} at {self.entry.location}"), ("operation", "register")]

    def execute(self) -> Result:
        """Register it; a table below the root is found anyway."""
        if not self.entry.managed:
            self.context.session.catalog.register(self.entry)
        return nothing("CREATE TABLE")


def plan(statement: statements.CreateTable, context: StatementContext) -> Create | Register | Nothing:
    """Bind name, columns and source."""
    table = statement.table
    try:
        place = placed(
            table,
            context,
            location=statement.location,
            replace=statement.replace,
            must_exist=statement.must_exist,
        )
    except AlreadyExists:
        if statement.if_not_exists:
            return Nothing("CREATE TABLE", f"`{table.name}` exists already")
        raise
    if place.old is None and is_table(place.entry.location):
        return _adopt(statement, context, place.entry)
    if place.old is None:
        require_empty(place.entry.location)
    name = None if table.path is not None else place.entry.name
    if statement.query is not None:
        return _from_query(statement, statement.query, context, place, name)
    properties = dict(statement.properties)
    if statement.like is not None:
        source = context.open(statement.like)
        metadata, clustering = like(source, name, statement.comment), clustered_by(source)
        return Create(statement, context, place, designed(metadata, properties, clustered_by=clustering, old=place.old))
    if not statement.columns:
        raise PlanError("CREATE TABLE needs columns, a query, or the LOCATION of a table", span=table.span)
    schema = defined(statement.columns, context)
    plain = Metadata.fresh(None, None, schema).arrow()
    by = partitions(statement.partitioned_by, plain)
    checks = constraint_properties(statement.constraints, plain, context.session.settings["time_zone"])
    metadata = Metadata.fresh(name, statement.comment, schema, by, checks)
    design = designed(metadata, properties, clustered_by=statement.cluster_by, old=place.old)
    return Create(statement, context, place, design)


def _adopt(statement: statements.CreateTable, context: StatementContext, entry: TableEntry) -> Register | Nothing:
    """A table that lies at the place already: registered, if what is asked for is what it is."""
    by_path = statement.table.path is not None
    if by_path and statement.if_not_exists:
        return Nothing("CREATE TABLE", f"`{entry.name}` exists already")
    if statement.query is not None or statement.like is not None or by_path:
        raise AlreadyExists(f"there is a Delta table at `{entry.location}` already", span=statement.table.span)
    stored = open_snapshot(str(entry), entry.location)
    hint = "leave columns and clauses out to register it as it is"
    if statement.columns:
        asked = Metadata.fresh(None, None, defined(statement.columns, context)).arrow()
        if [(fold(field.name), field.type) for field in asked] != [(fold(f.name), f.type) for f in stored.schema]:
            raise SchemaMismatch(f"the table at `{entry.location}` has other columns", hint=hint)
        if [fold(name) for name in statement.partitioned_by] != [fold(name) for name in stored.partition_columns]:
            raise SchemaMismatch(f"the table at `{entry.location}` is partitioned otherwise", hint=hint)
    _require_same_properties(statement, stored, entry)
    return Register(entry, context)


def _require_same_properties(statement: statements.CreateTable, stored: Snapshot, entry: TableEntry) -> None:
    odd = next((key for key, value in statement.properties if stored.properties.get(key) != value), None)
    if odd is not None:
        message = f"the table at `{entry.location}` has not the property `{odd}` that is asked for"
        raise SchemaMismatch(message, hint="leave TBLPROPERTIES out, and set it behind that by ALTER TABLE")


def _from_query(
    statement: statements.CreateTable, query: Fragment, context: StatementContext, place: Place, name: str | None
) -> Create:
    bound = context.query(query)
    require_distinct(bound.schema.names, "the query")
    schema = pa.schema([_plain(field) for field in delta_schema(bound.schema)])
    by = partitions(statement.partitioned_by, schema)
    metadata = Metadata.fresh(name, statement.comment, json.loads(Schema.from_arrow(schema).to_json()), by)
    design = designed(metadata, dict(statement.properties), clustered_by=statement.cluster_by, old=place.old)
    zone = context.session.settings["time_zone"]
    source = assigned(bound.read, range(len(schema)), design.metadata.arrow(), time_zone=zone, partitions=by)
    return Create(statement, context, place, design, bound, source)


def _plain(field: pa.Field) -> pa.Field:
    """A column of a query: what its table demanded of it isn't demanded of the new one."""
    comment = (field.metadata or {}).get(b"comment")
    return nullable(field).with_metadata({b"comment": comment} if comment is not None else None)
