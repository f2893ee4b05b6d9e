"""What is to be said of a table as a whole: DESCRIBE DETAIL's one row.

Delta Lake documentation, "Retrieve Delta table details". Sizes and numbers are those of the snapshot's own files, the
times those of the log.
"""

from __future__ import annotations

import pyarrow as pa

from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.log import commits
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.snapshot import Snapshot

_INSTANT = pa.timestamp("us", "UTC")
DETAIL = pa.schema(
    [
        ("format", pa.string()),
        ("id", pa.string()),
        ("name", pa.string()),
        ("description", pa.string()),
        ("location", pa.string()),
        ("createdAt", _INSTANT),
        ("lastModified", _INSTANT),
        ("partitionColumns", pa.list_(pa.string())),
        ("clusteringColumns", pa.list_(pa.string())),
        ("numFiles", pa.int64()),
        ("sizeInBytes", pa.int64()),
        ("properties", pa.map_(pa.string(), pa.string())),
        ("minReaderVersion", pa.int32()),
        ("minWriterVersion", pa.int32()),
        ("tableFeatures", pa.list_(pa.string())),
    ]
)
"""The columns of DESCRIBE DETAIL."""


def detail(snapshot: Snapshot) -> pa.Table:
    """One row; the columns are `DETAIL`.

    ``name`` is the name that the statement found the table by, for a path the one in its metadata (or NULL);
    ``tableFeatures`` has those too that versions imply. Raises `StorageError` for a log that can't be read.
    """
    metadata, protocol = Metadata.of(snapshot), Protocol.of(snapshot)
    made = metadata.created_time
    known = [each.time for each in commits(snapshot.location, snapshot.properties) if each.version <= snapshot.version]
    row = {
        "format": "delta",
        "id": metadata.id,
        "name": metadata.name if snapshot.name.startswith("delta.`") else snapshot.name,
        "description": metadata.description,
        "location": str(snapshot.location),
        "createdAt": None if made is None else pa.scalar(made * 1000, _INSTANT),
        "lastModified": known[-1] if known else None,
        "partitionColumns": list(metadata.partition_columns),
        "clusteringColumns": [".".join(path) for path in clustered_by(snapshot)],
        "numFiles": snapshot.adds.num_rows,
        "sizeInBytes": snapshot.size,
        "properties": sorted(metadata.configuration.items()),
        "minReaderVersion": protocol.reader,
        "minWriterVersion": protocol.writer,
        "tableFeatures": sorted(protocol.features | (protocol.reader_features or frozenset())),
    }
    return pa.Table.from_pylist([row], schema=DETAIL)
