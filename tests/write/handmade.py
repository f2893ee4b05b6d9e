"""Delta tables whose log is written by hand around files that `DataFiles` made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import Schema

from deltasql.write.files import DataFile, DataFiles, FileSettings

if TYPE_CHECKING:
    import pyarrow as pa


def written(
    location: Path,
    rows: pa.Table,
    partition_columns: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
    settings: FileSettings | None = None,
    *,
    batch: int = 1000,
) -> list[DataFile]:
    """``rows`` in files below ``location``."""
    if not location.exists():
        location.mkdir(parents=True)
    files = DataFiles(location, rows.schema, partition_columns, properties or {}, settings or FileSettings())
    for each in rows.to_batches(max_chunksize=batch):
        files.write(each)
    return files.finish()


def table(
    location: Path,
    rows: pa.Table,
    partition_columns: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
    settings: FileSettings | None = None,
) -> list[DataFile]:
    """A table of ``rows``, and its files."""
    files = written(location, rows, partition_columns, properties, settings)
    commit(location, rows.schema, files, partition_columns, properties)
    return files


def commit(
    location: Path,
    schema: pa.Schema,
    files: Iterable[DataFile],
    partition_columns: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> None:
    """Version 0 of a table of ``files``."""
    features = ["timestampNtz"] if "timestamp[us])" in str(schema.types) else []
    features += ["columnMapping"] if "delta.columnMapping.mode" in (properties or {}) else []
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}
    # Arrow's metadata are strings; the protocol's ids are numbers.
    columns = re.sub(r'"(delta\.columnMapping\.id)":"(\d+)"', r'"\1":\2', Schema.from_arrow(schema).to_json())
    metadata = {
        "id": "00000000-0000-0000-0000-000000000000",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": columns,
        "partitionColumns": list(partition_columns),
        "configuration": dict(properties or {}),
        "createdTime": 0,
    }
    actions = [{"protocol": protocol}, {"metaData": metadata}, *(file.add() for file in files)]
    # Not escaped: delta-rs takes the pair that escapes U+20000 for U+10000 (a fault of arrow-json).
    log = location / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("\n".join(json.dumps(action, ensure_ascii=False) for action in actions))
