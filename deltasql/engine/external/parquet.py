"""Parquet files: those of the same columns in one listing; INT96 are instants, as Spark writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.columns import nullable, opened, require_sound
from deltasql.catalog.footers import unreadable
from deltasql.engine.external.files import naming
from deltasql.engine.external.shape import Scan
from deltasql.engine.external.types import instant, plain
from deltasql.engine.int96 import stored_in_int96
from deltasql.engine.listing import file_url, of_files
from deltasql.errors import StorageError, brief
from deltasql.storage.files import for_arrow
from deltasql.storage.objects import Location

if TYPE_CHECKING:
    import datafusion


def scans(context: datafusion.SessionContext, files: Sequence[Location]) -> list[Scan]:
    """A scan per set of columns."""
    kinds: list[tuple[pq.ParquetSchema, list[Location]]] = []
    for file in files:
        schema = _footer(file).schema
        alike = next((group for known, group in kinds if known.equals(schema)), None)
        if alike is None:
            kinds.append((schema, [file]))
        else:
            alike.append(file)

    def read(group: Sequence[Location], schema: pa.Schema) -> datafusion.DataFrame:
        one = context.read_parquet(file_url(group[0]), file_extension="", schema=schema)
        return of_files(context, one, group)

    found = []
    for schema, group in kinds:
        old = stored_in_int96(schema)
        with naming(group[0], StorageError):
            columns = context.read_parquet(file_url(group[0]), file_extension="").schema()
        fields = [nullable(field, instant if field.name in old else plain) for field in columns]
        found.append(Scan(group, pa.schema(fields), read))
    return found


def _footer(file: Location) -> pq.FileMetaData:
    try:
        return pq.read_metadata(for_arrow(file))
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise StorageError(f"`{file}` can't be read as Parquet: {brief(error)}") from error


def look_constant(files: Iterable[Location], floats: Collection[str]) -> bool:
    """True if a column of ``floats`` has one value by the statistics of some file, which may hold NaN beside it."""
    if not floats:
        return False
    for file in files:
        with opened(file) as parquet:
            require_sound(parquet, [*floats])
            metadata = parquet.metadata
        places = [at for at in range(metadata.num_columns) if metadata.schema.column(at).path in floats]
        for group in (metadata.row_group(index) for index in range(metadata.num_row_groups)):
            for told in (group.column(at).statistics for at in places):
                if told is not None and told.has_min_max and told.min == told.max:
                    return True
    return False


def read_through(file: Location) -> None:
    """Read all of a file. Raises `StorageError` for one that is damaged."""
    if (error := unreadable([file])) is not None:
        raise error
