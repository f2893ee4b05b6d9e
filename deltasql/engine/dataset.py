"""delta-rs's scan as an Arrow dataset, which DataFusion takes for a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from datafusion.catalog import Table

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import InternalError

UTC = "UTC"


def readable(snapshot: Snapshot) -> pa.Schema:
    """The columns of ``snapshot`` as files may hold them: nullable throughout, whatever the table promises."""
    return pa.schema([_nullable(field) for field in snapshot.schema])


def _nullable(field: pa.Field) -> pa.Field:
    type = field.type
    if pa.types.is_struct(type):
        type = pa.struct([_nullable(child) for child in type])
    elif pa.types.is_list(type):
        type = pa.list_(_nullable(type.value_field))
    elif pa.types.is_map(type):
        type = pa.map_(type.key_field.with_type(_nullable(type.key_field).type), _nullable(type.item_field))
    return pa.field(field.name, type)


def in_zone(field: pa.Field, zone: str) -> pa.Field:
    """``field`` with its instants in ``zone``: DataFusion reads times without a zone in that of the column."""
    if pa.types.is_timestamp(field.type) and field.type.tz is not None:
        return field.with_type(pa.timestamp("us", zone))
    return field


def outline(snapshot: Snapshot, zone: str) -> Table:
    """A table with the columns of ``snapshot`` and no rows: enough to plan with."""
    schema = pa.schema([in_zone(field, zone) for field in readable(snapshot)])
    return Table(pads.dataset(schema.empty_table()))


class ScanDataset(pads.Dataset):  # type: ignore[misc]
    """A snapshot as an Arrow dataset of one fragment, read by ``DeltaTable.scan``.

    ``predicate`` is what delta-rs may skip rows by. No filter of DataFusion's but a constant may reach this: it
    is written in Arrow's terms, which differ on NaN, and for some it can't be written at all.
    """

    def __init__(self, snapshot: Snapshot, predicate: str | None) -> None:
        self._snapshot = snapshot
        self._predicate = predicate

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return readable(self._snapshot)

    def get_fragments(self, filter: pads.Expression | None = None) -> list[ScanDataset]:  # noqa: ARG002
        """The one fragment."""
        return [self]

    def scanner(
        self,
        schema: object = None,  # noqa: ARG002 (DataFusion hands it over by position)
        columns: list[str] | None = None,
        filter: pads.Expression | None = None,
        **_: Any,
    ) -> _Scanner:
        """A scanner of the chosen columns."""
        return _Scanner(self._snapshot, self._predicate, columns, empty=not _holds(filter))


def _holds(filter: pads.Expression | pa.Scalar | None) -> bool:
    """Tell what a constant filter says of every row."""
    if filter is None:
        return True
    if isinstance(filter, pa.Scalar):
        return filter.as_py() is True
    raise InternalError(f"DataFusion left a filter to Arrow: {filter}")


@dataclass(frozen=True, slots=True)
class _Scanner:
    snapshot: Snapshot
    predicate: str | None
    columns: list[str] | None
    _: KW_ONLY
    empty: bool

    @property
    def projected_schema(self) -> pa.Schema:
        schema = readable(self.snapshot)
        return schema if self.columns is None else pa.schema([schema.field(name) for name in self.columns])

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        if self.empty:
            return
        schema = self.projected_schema
        needed = schema.names or self.snapshot.schema.names[:1]  # Counting takes a column, whichever.
        stream = self.snapshot.table.scan(columns=needed, predicate=self.predicate)
        for batch in pa.RecordBatchReader.from_stream(stream):
            columns = [self._stored(field, batch.column(field.name)) for field in schema]
            yield pa.RecordBatch.from_arrays(columns, schema=schema) if columns else batch.select([])

    def _stored(self, field: pa.Field, values: pa.Array) -> pa.Array:
        """A column in its type of the Delta schema; an empty partition value is NULL (Delta protocol)."""
        values = values.cast(field.type)
        if field.name in self.snapshot.partition_columns and pa.types.is_string(values.type):
            return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
        return values
