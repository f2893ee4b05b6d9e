"""CONVERT TO DELTA: a folder of Parquet files becomes a table where it is, by a log beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import Schema

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.snapshot import is_table, require_plain
from deltasql.errors import PlanError, StorageError
from deltasql.names import TableReference
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.files import is_below
from deltasql.types import char_length, parse_type
from deltasql.write.converting import data_file, found, merged, partition_values, respelled
from deltasql.write.creating import making
from deltasql.write.defining import partitions
from deltasql.write.designing import Design, designed
from deltasql.write.files import DataFile
from deltasql.write.source import require_distinct


@dataclass(frozen=True, slots=True)
class Convert:
    """A folder that is ready to be a table; ``entry`` is registered if it isn't below the root."""

    statement: statements.ConvertToDelta
    context: StatementContext
    entry: TableEntry
    design: Design
    files: Sequence[DataFile]

    def explain(self) -> Plan:
        """The folder, and the number of its files."""
        return [("target", str(self.entry.location)), ("operation", f"convert: {len(self.files)} files, as they are")]

    def execute(self) -> Result:
        """Make the log, in one commit."""
        metadata = self.design.metadata
        parameters = {
            "numFiles": len(self.files),
            "partitionedBy": list(metadata.partition_columns),
            "collectStats": self.statement.statistics,
            "sourceFormat": "parquet",
        }
        metrics = {"num_converted_files": len(self.files)}
        catalog = self.context.session.catalog
        with making(self.entry.location, self.design, self.context) as made:
            commit = made.commit("CONVERT", parameters, metrics, adds=[file.add() for file in self.files])
        if _is_outside(self.entry, self.context):
            catalog.register(self.entry)
        catalog.forget(self.entry)
        return nothing("CONVERT TO DELTA", version=commit.version, metrics=commit.metrics)


def plan(statement: statements.ConvertToDelta, context: StatementContext) -> Convert | Nothing:
    """Look at the files: their columns, and the partitions that their folders are."""
    catalog = context.session.catalog
    entry = catalog.at_path(statement.path)
    catalog.require_writable(entry)
    require_plain(entry.location)
    if is_table(entry.location):
        return Nothing("CONVERT TO DELTA", f"`{entry.location}` is a Delta table already")
    if not entry.location.is_dir():
        raise StorageError(f"there is no folder `{entry.location}`", span=statement.span)
    above = next((folder for folder in entry.location.parents if is_table(folder)), None)
    if above is not None:
        raise PlanError(f"`{entry.location}` is within the Delta table `{above}`", span=statement.span)
    if _is_outside(entry, context):
        name = TableReference(parts=(entry.location.name,), exact=(True,), span=statement.span)
        entry = catalog.new_entry(name, str(entry.location))
    files = found(entry.location, context.progress)
    by = respelled(_partitions(statement.partitioned_by or ()), files)
    schema = merged(files, by)
    names = partitions(by.names, schema)
    zone = context.session.settings["time_zone"]
    held = [
        data_file(file, entry.location, partition_values(file, by, zone), statistics=statement.statistics)
        for file in files
    ]
    metadata = Metadata.fresh(entry.location.name, None, json.loads(Schema.from_arrow(schema).to_json()), names)
    return Convert(statement, context, entry, designed(metadata, {}), held)


def _partitions(columns: Sequence[statements.ColumnDefinition]) -> pa.Schema:
    require_distinct([column.name for column in columns], "PARTITIONED BY")
    odd = next((each for each in columns if each.default or each.generated or each.identity), None)
    odd = odd or next((each for each in columns if not each.nullable or char_length(each.type.sql)), None)
    if odd is not None:
        hint = "use ALTER TABLE behind it"
        raise PlanError(f"the partition column `{odd.name}` can only have a type and a comment", hint=hint)
    return pa.schema(
        [
            pa.field(each.name, parse_type(each.type.sql), metadata={"comment": each.comment} if each.comment else None)
            for each in columns
        ]
    )


def _is_outside(entry: TableEntry, context: StatementContext) -> bool:
    return not is_below(entry.location.resolve(), context.session.catalog.root.resolve())
