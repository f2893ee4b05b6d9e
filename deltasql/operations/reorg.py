"""REORG TABLE … APPLY (PURGE): what was deleted, but is in files still, goes from the files.

That are rows that a deletion vector takes out, and columns that were dropped where columns are mapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog.columns import mapping, opened, places
from deltasql.catalog.packing import LiveFile, packed
from deltasql.operations.operation import Plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.choosing import chosen_files
from deltasql.write.compaction import Group, Layout, rearranged
from deltasql.write.file_metrics import of_commit, result
from deltasql.write.settings import optimized_size
from deltasql.write.target import Target, target


@dataclass(frozen=True, slots=True)
class Reorg:
    """A purge that is ready to run: each of ``groups`` of files becomes one, of ``considered`` ones."""

    target: Target
    groups: Sequence[Group]
    considered: int
    layout: Layout
    where: str | None

    def explain(self) -> Plan:
        """Target, operation and how many files."""
        count = sum(map(len, self.groups))
        return writing(self.target, f"purge: rewrite {count} of {self.considered} files")

    def execute(self) -> Result:
        """Write the files; a table that has nothing to do gets no commit."""
        done = rearranged(
            self.target,
            self.groups,
            self.layout,
            operation="REORG",
            parameters={"predicate": [] if self.where is None else [self.where], "applyPurge": True},
            metrics=of_commit,
        )
        return result(done, self.target, "REORG", considered=self.considered, ordered=False)


def plan(statement: statements.Reorg, context: StatementContext) -> Reorg:
    """Find the files that hold what was deleted, in the partitions that are meant."""
    into = target(statement.table, context, removes_data=False)
    size = optimized_size(context.session.settings, into.snapshot.properties)
    files = chosen_files(statement.where, into, "REORG")
    held = [file for file in files if file.has_vector or _has_dropped(file, into)]
    where = None if statement.where is None else statement.where.sql
    return Reorg(into, packed(held, size, alone=lambda _: True), len(files), Layout(size), where)


def _has_dropped(file: LiveFile, into: Target) -> bool:
    """True if the file has columns that the table doesn't have; without column mapping none can be dropped."""
    mode = mapping(into.snapshot.properties)
    if mode == "none":
        return False
    with opened(file.path) as parquet:
        return _has_more(parquet.schema_arrow, into.snapshot.schema, mode)


def _has_more(layout: pa.Schema | pa.StructType, fields: pa.Schema | pa.StructType, mode: str) -> bool:
    """True if ``layout`` has a field, at any depth, that isn't one of ``fields``."""
    found = places(layout, fields, mode)
    if len({at for at in found if at is not None}) < len(layout):
        return True
    both = ((layout.field(at).type, field.type) for at, field in zip(found, fields, strict=True) if at is not None)
    return any(_type_has_more(held, wanted, mode) for held, wanted in both)


def _type_has_more(held: pa.DataType, wanted: pa.DataType, mode: str) -> bool:
    if pa.types.is_struct(held) and pa.types.is_struct(wanted):
        return _has_more(held, wanted, mode)
    if not held.num_fields or held.num_fields != wanted.num_fields:
        return False
    return any(_type_has_more(held.field(at).type, wanted.field(at).type, mode) for at in range(held.num_fields))
