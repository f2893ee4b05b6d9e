"""A table whose rows tell where they are, for statements that change some of them.

Beside its columns it has ``FILE``, the index of the row's data file in the snapshot, and ``ROW``, its place in that
file, counted from 0 and with the rows that a deletion vector has taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from deltasql.catalog.columns import FEATURES
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine import pruning
from deltasql.engine.ask import Ask
from deltasql.engine.dataset import Passed, read_by_arrow, readable
from deltasql.engine.scan import Access, Shown, Tables, beyond_files
from deltasql.errors import UnsupportedTableFeature

if TYPE_CHECKING:
    from datafusion.catalog import Table

    from deltasql.engine.engine import BoundQuery
    from deltasql.storage.objects import Location

FILE = "__deltasql_file"
ROW = "__deltasql_row"
_TAGS = (pa.field(FILE, pa.int32()), pa.field(ROW, pa.int64()))
_STREAMS = 2


@dataclass(frozen=True, eq=False)
class Numbered:
    """The rows of ``snapshot``, numbered."""

    snapshot: Snapshot
    passed: list[Passed] = field(default_factory=list)
    """What the streams that were made of it have read."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.snapshot.name

    @cached_property
    def schema(self) -> pa.Schema:
        """The table's columns and the two tags."""
        return pa.schema([*readable(self.snapshot), *_TAGS])

    @property
    def extent(self) -> str:
        """The version."""
        return f"version {self.snapshot.version}"

    def access(self, ask: Ask | None) -> Access:
        """The files that can hold a row that is asked for. Raises `UnsupportedTableFeature` if they can't be read."""
        if (beyond := beyond_files(self.snapshot, FEATURES)) is not None and "BINARY" not in beyond:
            raise UnsupportedTableFeature(f"the rows of `{self.name}` can't be changed: {beyond}")
        files = self.snapshot.files
        kept = range(len(files)) if ask is None else pruning.kept(self.snapshot, ask)
        reason = f"{len(kept)} of {len(files)} files can hold a row that changes"
        return Access("dataset", reason, tuple(files[index] for index in kept))

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:
        """Streams of the files that are asked for."""
        files = self.access(ask).files
        if not files:
            return tables.rows(self.schema.empty_table(), shown.zone)
        tables.footers.require(self.snapshot, files)
        wanted = None if ask is None else pruning.as_expression(self.snapshot, ask)
        shares = (files[start::_STREAMS] for start in range(_STREAMS))
        streams = []
        for share in filter(None, shares):
            self.passed.append(Passed())
            streams.append(read_by_arrow(self.snapshot, share, wanted, tags=(FILE, ROW), passed=self.passed[-1]))
        return tables.streams(self.schema, streams, shown)


def files_of(bound: BoundQuery) -> tuple[Location, ...] | None:
    """The data files of the numbered table of ``bound`` that can hold a row that is asked for; None if it has none."""
    for source, access in bound.tables.values():
        if isinstance(source, Numbered):
            return access.files
    return None


@dataclass(frozen=True, eq=False)
class Partitions:
    """A row for each data file of ``snapshot``: its partition values and ``FILE``; other columns are NULL."""

    snapshot: Snapshot

    @property
    def name(self) -> str:
        """The table's name."""
        return self.snapshot.name

    @cached_property
    def schema(self) -> pa.Schema:
        """The table's columns and `FILE`."""
        return pa.schema([*readable(self.snapshot), _TAGS[0]])

    @property
    def extent(self) -> str:
        """The version."""
        return f"version {self.snapshot.version}"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """The log tells."""
        return Access("log", "only values of partition columns decide", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """The rows in memory."""
        values = [self.snapshot.partition_values[path] for path in self.snapshot.files]
        columns = {
            name: pa.array([row[place].as_py() for row in values], self.schema.field(name).type)
            for place, name in enumerate(self.snapshot.partition_columns)
        }
        rows = len(values)
        columns[FILE] = pa.arange(0, rows).cast(pa.int32())
        made = [columns.get(field.name, pa.nulls(rows, field.type)) for field in self.schema]
        return tables.rows(pa.table(made, schema=self.schema), shown.zone)
