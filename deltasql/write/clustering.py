"""CLUSTER BY: by which columns a table's files are to be laid out, and what its writers then owe it.

Delta protocol, "Clustered Table": the columns are kept by their stored names in a domain; every file has statistics
of them, which `deltasql.write.altering` sees to. Laying the files out is OPTIMIZE's.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from deltasql.catalog import fields
from deltasql.catalog.clustering import Names, clustering_columns
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.errors import PlanError, UnsupportedTableFeature
from deltasql.types import sql_name
from deltasql.write.altering import Change, stored_names
from deltasql.write.source import require_distinct
from deltasql.write.target import Target

_MOST = 4


def clustered(columns: Sequence[Names], into: Target) -> Change:
    """``CLUSTER BY (…)``, or NONE where there are no ``columns``; the files that are there stay as they are.

    Raises `PlanError` for columns that a table can't be clustered by (Delta Lake: four of them, with bounds).
    """
    old = Metadata.of(into.snapshot)
    if columns and old.partition_columns:
        message = f"`{into.entry}` can't be clustered: it is partitioned by `{old.partition_columns[0]}`"
        raise UnsupportedTableFeature(message)
    if len(columns) > _MOST:
        raise PlanError(f"a table can be clustered by {_MOST} columns at most")
    require_distinct([".".join(path) for path in columns], "CLUSTER BY")
    stored = tuple(_stored(path, old) for path in columns)
    before = clustering_columns(into.snapshot)
    protocol = Protocol.of(into.snapshot)
    if columns:
        protocol = protocol.with_features("clustering")
    return Change(
        "CLUSTER BY",
        {"oldClusteringColumns": _shown(before), "newClusteringColumns": _shown(stored)},
        old,
        protocol,
        None if stored == before else stored,
    )


def _stored(path: Names, metadata: Metadata) -> Names:
    type: pa.DataType | pa.Schema = metadata.arrow()
    stored = fields.stored_path(metadata.schema, path)
    for name in stored:
        if not isinstance(type, pa.Schema) and not pa.types.is_struct(type):
            raise PlanError(f"a table can't be clustered by `{'.'.join(path)}`, which is inside an array or a map")
        type = type.field(name).type
    if pa.types.is_nested(type) or pa.types.is_binary(type) or pa.types.is_boolean(type):
        raise PlanError(f"a table can't be clustered by `{'.'.join(path)}`, a {sql_name(type)}, which has no bounds")
    return stored_names(metadata, stored)


def _shown(columns: Sequence[Names]) -> str:
    return ",".join(".".join(path) for path in columns)
