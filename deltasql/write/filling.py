"""Rows of a table from a query that gives some of its columns: the others are DEFAULT, generated, or NULL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import pyarrow as pa

from deltasql.sql.woven import Woven, listed, woven
from deltasql.write.defaults import default_sql
from deltasql.write.identity import is_filled, require_insertable
from deltasql.write.source import Source, assigned
from deltasql.write.target import Target
from deltasql.write.values import Demanded


def defaults_of(schema: pa.Schema, given: Collection[str]) -> dict[str, Woven]:
    """The DEFAULT of each column that has one and isn't among ``given``."""
    found = {field.name: default_sql(field) for field in schema if field.name not in given}
    return {name: woven(f"({default})") for name, default in found.items() if default is not None}


def widened(source: Woven, values: Mapping[str, Woven]) -> Woven:
    """The query ``source`` with a column for each of ``values`` behind its own."""
    if not values:
        return source
    columns = [woven(value, f" AS __deltasql_{place}") for place, value in enumerate(values.values())]
    return woven("SELECT *, ", listed(columns), " FROM (", source, "\n)")


def filled(
    read: Callable[[], Iterable[pa.RecordBatch]],
    positions: Sequence[int | None],
    schema: pa.Schema,
    into: Target,
    demanded: Demanded | None,
) -> Source:
    """The rows of ``read`` as rows of ``schema``: its column ``i`` is the column ``positions[i]`` of theirs or NULL.

    Store assignment casts them. Generated and identity columns without a position are filled by ``demanded``, which
    holds what the table demands; without it they are left out. Raises `PlanError` for values that can't be given.
    """
    require_insertable(
        schema, [name for name, position in zip(schema.names, positions, strict=True) if position is not None]
    )
    kept = [i for i, each in enumerate(schema) if positions[i] is not None or not is_filled(each)]
    source = assigned(
        read,
        [positions[i] for i in kept],
        pa.schema([schema.field(i) for i in kept]),
        time_zone=into.time_zone,
        partitions=into.snapshot.partition_columns,
    )
    if demanded is None:
        return source
    return demanded(source, [schema.names[i] for i in kept if positions[i] is not None])
