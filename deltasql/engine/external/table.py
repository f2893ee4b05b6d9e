"""Files as a table of DataFusion's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from datafusion.catalog import Table

from deltasql.engine.dataset import in_zone, outline
from deltasql.engine.external import csv, json, parquet
from deltasql.engine.external.files import find, naming, unpack
from deltasql.engine.external.options import options_of
from deltasql.engine.external.shape import Scan, grouped, partitions, shaped, united
from deltasql.engine.scan import Opaque, Shown, floats
from deltasql.engine.stores import Stores, fault
from deltasql.errors import NotSupportedError, PlanError, StorageError
from deltasql.storage.files import missing
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.storage import Storage

if TYPE_CHECKING:
    import datafusion


@dataclass(frozen=True, slots=True)
class External:
    """Files as a table. ``statistics_lie``: it must be planned without statistics (see `scan.may_look_constant`)."""

    table: Table
    schema: pa.Schema
    files: tuple[Location, ...]
    read_through: Callable[[Location], None]
    statistics_lie: bool = False

    def require_files(self) -> None:
        """Raise `StorageError` for a file that is gone: DataFusion passes over it (facts.md, 49)."""
        objects = [file for file in self.files if isinstance(file, ObjectPath)]
        gone: Location | None = missing(objects) if objects else None
        gone = gone or next((file for file in self.files if isinstance(file, Path) and not file.exists()), None)
        if gone is not None:
            raise StorageError(f"`{gone}` is missing", hint="it was there when the query was planned")

    def require_whole_files(self) -> None:
        """Raise `StorageError` for a file that is damaged: for when reading failed, as this reads all of them."""
        for file in self.files:
            with naming(file, StorageError):
                self.read_through(file)


def external(
    context: datafusion.SessionContext,
    format: str,
    paths: Sequence[str | Location],
    options: Mapping[str, Any],
    *,
    shown: Shown,
    storage: Storage,
    stores: Stores,
) -> External:
    """The files ``paths`` in ``format`` (``csv``, ``json``, ``parquet``) as a table of ``context``.

    Blocks on DataFusion, so it mustn't be called while that plans. TIMESTAMP is in microseconds, an instant where
    the file says so and in text; without a zone it is read in that of ``shown``. Raises `PlanError` for options and
    columns that don't fit, `StorageError` and `DataError`, which name the file, for one that can't be read.
    """
    values = options_of(format, options)
    places = [storage.place(path) for path in paths]
    unread = next((why for place in places if (why := fault(place)) is not None), None)
    if unread is not None:
        raise NotSupportedError(f"`{paths[0]}` can't be read as files: {unread}", hint="make it a Delta table")
    files = find(format, places, storage)
    stores.register(context, files)
    scans = _scans(context, format, files, values, shown.zone)
    declared: pa.Schema | None = values.get("columns")
    if declared is None:
        schema = united([(scan.files[0], scan.schema) for scan in scans], by_name=values["union_by_name"])
    else:
        schema = pa.schema([in_zone(field, shown.zone) for field in declared])
    keys = partitions(files, values)
    fields = [field for field in schema if field.name not in keys] + [field for field, _ in keys.values()]
    if not fields:
        raise PlanError(f"`{paths[0]}` holds no columns")
    seen = pa.schema([in_zone(field, shown.zone) for field in fields])
    opaque = [name for name in floats(seen) if format == "parquet" and shown.may_read(name)]
    hiding = Opaque()
    frames = []
    for scan in scans:
        stored = pa.schema([schema.field(name) for name in scan.schema.names if name in schema.names])
        for constants, group in grouped(scan.files, keys):
            frames.append(shaped(scan.read(group, stored), seen, constants, opaque, hiding))
    frames = frames or [context.read_table(outline(seen, shown.zone))]
    frame = functools.reduce(lambda one, other: one.union(other), frames)
    read_through = parquet.read_through if format == "parquet" else functools.partial(unpack, options=values)
    return External(Table(frame), seen, files, read_through, parquet.look_constant(files, opaque))


def _scans(
    context: datafusion.SessionContext, format: str, files: Sequence[Location], options: Mapping[str, Any], zone: str
) -> list[Scan]:
    """Scans of all ``files`` but empty ones, in their order."""
    if format == "csv":
        found = csv.scans(context, files, options, zone)
    elif format == "json":
        found = json.scans(context, files, options)
    else:
        found = parquet.scans(context, files)
    return sorted(found, key=lambda scan: files.index(scan.files[0]))
