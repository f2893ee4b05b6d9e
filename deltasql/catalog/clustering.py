"""By which columns a table's files are to be laid out (Delta protocol, "Clustered Table").

They are kept by their stored names in a metadata domain, so that a renamed column stays one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deltasql.catalog.columns import mapping, stored_name
from deltasql.catalog.metadata import Protocol
from deltasql.catalog.recorded import domain
from deltasql.catalog.snapshot import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

CLUSTERING = "delta.clustering"
"""The domain in which the clustering columns are kept."""

Names = tuple[str, ...]


def clustering_columns(snapshot: Snapshot) -> tuple[Names, ...]:
    """The stored paths of the columns that a table is clustered by; none where it isn't."""
    if "clustering" not in Protocol.of(snapshot).features:
        return ()
    found = domain(snapshot, CLUSTERING)
    return tuple(tuple(path) for path in (found or {}).get("clusteringColumns", ()))


def clustered_by(snapshot: Snapshot) -> list[Names]:
    """The columns that the table is clustered by, as paths of names; empty where it isn't."""
    mode = mapping(snapshot.properties)
    return [_named(snapshot.schema, path, mode) for path in clustering_columns(snapshot)]


def _named(schema: pa.Schema | pa.StructType, path: Sequence[str], mode: str) -> Names:
    (field,) = (each for each in schema if stored_name(each, mode) == path[0])
    return (field.name, *(_named(field.type, path[1:], mode) if len(path) > 1 else ()))
