"""OPTIMIZE: small files become bigger ones, or all rows are put in an order in which files can be skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog import fields
from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.columns import mapping
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.packing import LiveFile, compacted, partitions
from deltasql.errors import NotSupportedError, PlanError
from deltasql.operations.operation import Plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.types import sql_name
from deltasql.write.choosing import chosen_files
from deltasql.write.compaction import PROVIDER, Group, Layout, held_columns, rearranged
from deltasql.write.file_metrics import of_commit, result
from deltasql.write.settings import optimized_size
from deltasql.write.source import require_distinct
from deltasql.write.statistics import indexed
from deltasql.write.target import Target, target
from deltasql.write.zorder import MOST_COLUMNS, Path


@dataclass(frozen=True, slots=True)
class Optimize:
    """A layout that is ready to be made: each of ``groups`` of files becomes others, of ``considered`` ones."""

    target: Target
    groups: Sequence[Group]
    considered: int
    layout: Layout
    where: str | None

    def explain(self) -> Plan:
        """Target, operation and how many files."""
        count = sum(map(len, self.groups))
        how = f"compact files under {self.layout.target_size} bytes"
        if self.layout.paths:
            kind = "cluster" if self.layout.clusters else "z-order"
            how = f"{kind} by {', '.join(map('.'.join, self.layout.paths))}"
        groups = "1 group" if len(self.groups) == 1 else f"{len(self.groups)} groups"
        return writing(self.target, f"optimize: {how}, {count} of {self.considered} files in {groups}")

    def execute(self) -> Result:
        """Write the files; a table that has nothing to do gets no commit."""
        columns = [".".join(path) for path in self.layout.paths]
        done = rearranged(
            self.target,
            self.groups,
            self.layout,
            operation="OPTIMIZE",
            parameters={
                "predicate": [] if self.where is None else [self.where],
                "auto": False,
                "clusterBy": columns if self.layout.clusters else [],
                "zOrderBy": [] if self.layout.clusters else columns,
            },
            metrics=of_commit,
        )
        return result(done, self.target, "OPTIMIZE", considered=self.considered, ordered=bool(self.layout.paths))


def plan(statement: statements.Optimize, context: StatementContext) -> Optimize:
    """Find the files of the partitions that are meant, and what is to be done with each."""
    into = target(statement.table, context, removes_data=False)
    clustering = tuple(clustered_by(into.snapshot))
    size = optimized_size(context.session.settings, into.snapshot.properties)
    if clustering and statement.zorder:
        by = ", ".join(f"`{'.'.join(path)}`" for path in clustering)
        message = f"`{into.entry}` is clustered by {by}, so it can't be z-ordered"
        raise PlanError(message, hint="OPTIMIZE without ZORDER BY clusters it; ALTER TABLE … CLUSTER BY says by what")
    if statement.full and not clustering:
        message = f"OPTIMIZE … FULL clusters a table anew, and `{into.entry}` isn't clustered"
        raise PlanError(message, hint="leave FULL out, or say ALTER TABLE … CLUSTER BY (…) before")
    paths = _require_orderable(statement.zorder, into) if statement.zorder else ()
    files = chosen_files(statement.where, into, "OPTIMIZE")
    where = None if statement.where is None else statement.where.sql
    if clustering:
        paths = _require_orderable(clustering, into)
        layout = Layout(size, paths, clusters=True)
        return Optimize(into, _unclustered(files, size, full=statement.full), len(files), layout, where)
    groups = partitions(files) if paths else compacted(files, size)
    return Optimize(into, groups, len(files), Layout(size, paths), where)


def _unclustered(files: Sequence[LiveFile], size: int, *, full: bool) -> list[Group]:
    """What there is to cluster: files that nobody has, and the small ones that we have, so that they don't pile up.

    What another has clustered is its own (Delta protocol, "Clustered Table").
    """
    ours = [file for file in files if file.clustered_by in (None, PROVIDER)]
    if not full:
        ours = [file for file in ours if file.clustered_by is None or file.size < size or file.has_vector]
        if len(ours) < 2 and all(file.clustered_by is not None and not file.has_vector for file in ours):
            return []
    return [tuple(ours)] if ours else []


def _require_orderable(columns: Sequence[Path], into: Target) -> tuple[Path, ...]:
    """``columns`` in stored spelling. Raises `PlanError` or `ColumnNotFound` for one that no order could help by."""
    require_distinct([".".join(path) for path in columns], "ZORDER BY")
    if len(columns) > MOST_COLUMNS:
        raise PlanError(f"ZORDER BY takes {MOST_COLUMNS} columns at most")
    return tuple(_orderable(path, into) for path in columns)


def _orderable(path: Path, into: Target) -> Path:
    snapshot = into.snapshot
    found = fields.stored_path(Metadata.of(snapshot).schema, path)
    name = ".".join(found)
    if found[0] in snapshot.partition_columns:
        message = f"`{into.entry}` is partitioned by `{name}`, so its files are apart by it already"
        raise PlanError(message, hint="ZORDER BY takes other columns")
    type: pa.DataType | pa.Schema = snapshot.schema
    place: list[int] = []
    for part in found:
        if not isinstance(type, pa.Schema) and not pa.types.is_struct(type):
            raise NotSupportedError(f"rows can't be put in order by `{name}`, which is inside an array or a map")
        place.append(type.names.index(part) if isinstance(type, pa.Schema) else type.get_field_index(part))
        type = type.field(part).type
    if pa.types.is_nested(type) or pa.types.is_binary(type):
        message = f"rows can't be put in order by `{name}`, a {sql_name(type)}, which has no bounds in the log"
        raise PlanError(message, hint="ZORDER BY takes columns of plain types, and fields of structs")
    schema = held_columns(snapshot)
    place[0] = schema.names.index(found[0])
    known = {leaf.place for leaf in indexed(schema, snapshot.properties, mapping(snapshot.properties))}
    if tuple(place) not in known:
        message = f"`{into.entry}` keeps no statistics of `{name}`, so an order by it would help no query"
        hint = "see its properties `delta.dataSkippingStatsColumns` and `delta.dataSkippingNumIndexedCols`"
        raise PlanError(message, hint=hint)
    return found
