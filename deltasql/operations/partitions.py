"""SHOW PARTITIONS: the partitions that a table has files of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import ColumnNotFound, PlanError
from deltasql.names import did_you_mean, match
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.woven import woven
from deltasql.write.partitions import spelled
from deltasql.write.source import require_distinct, stored_rows

_PARTITIONS = pa.schema([("partition", pa.string())])
_ESCAPED = re.compile(r"[\x00-\x1f\x7f\"#%'*/:=?\\{}\[\]^]")
"""What Spark writes as ``%XX`` in a partition's name (``ExternalCatalogUtils.escapePathName``)."""
_NULL = "__HIVE_DEFAULT_PARTITION__"

_Values = tuple[pa.Scalar, ...]


def plan(statement: statements.ShowPartitions, context: StatementContext) -> Rows:
    """``SHOW PARTITIONS table [PARTITION (column = value, …)]``: a row ``a=1/b=2`` per partition, sorted."""
    entry, snapshot = context.snapshot(statement.table)
    if not snapshot.partition_columns:
        raise PlanError(f"`{entry}` is not partitioned", span=statement.table.span)
    wanted = dict(_wanted(statement, context, snapshot))

    def rows() -> pa.Table:
        kept = {
            values
            for values in snapshot.partition_values.values()
            if all(_same(values[place], value) for place, value in wanted.items())
        }
        return pa.table([sorted(_named(list(kept), snapshot))], schema=_PARTITIONS)

    return Rows("SHOW PARTITIONS", rows)


def _wanted(
    statement: statements.ShowPartitions, context: StatementContext, snapshot: Snapshot
) -> Iterator[tuple[int, pa.Scalar]]:
    """Which partition columns, by their places, are to have which values."""
    require_distinct([each.column for each in statement.partition], "PARTITION")
    for each in statement.partition:
        name = match(each.column, snapshot.partition_columns, what="column", span=each.span)
        if name is None:
            hint = did_you_mean(each.column, snapshot.partition_columns)
            raise ColumnNotFound(f"there is no partition column `{each.column}`", hint=hint, span=each.span)
        if each.value is None:
            raise PlanError(f"column `{name}` has no value", hint=f"write `{name} = …`", span=each.span)
        column = pa.schema([pa.field(name, snapshot.schema.field(name).type)])
        (batch,) = context.query(woven("SELECT ", each.value)).read()
        zone: str = context.session.settings["time_zone"]
        stored = stored_rows(batch.columns, column, time_zone=zone, partitions=())
        yield snapshot.partition_columns.index(name), stored.column(0)[0]


def _same(one: pa.Scalar, other: pa.Scalar) -> bool:
    return one.is_valid == other.is_valid and (not one.is_valid or bool(one == other))


def _named(partitions: Sequence[_Values], snapshot: Snapshot) -> Iterator[str]:
    """The partitions as Spark shows them."""
    texts = []
    for place, name in enumerate(snapshot.partition_columns):
        values = pa.array([values[place].as_py() for values in partitions], snapshot.schema.field(name).type)
        texts.append(
            [_escaped(name) + "=" + (_NULL if text is None else _escaped(text)) for text in spelled(values, name)]
        )
    return map("/".join, zip(*texts, strict=True))


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)
