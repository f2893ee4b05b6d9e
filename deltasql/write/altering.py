"""What an ALTER changes of a table's metadata and protocol, and the commit that makes it so; no row is touched.

A protocol grows by what the change needs, and only by what our own writers keep (Delta protocol, "Table Features").
Whatever changes, a clustered table keeps statistics of its clustering columns, which its writers owe it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deltasql.catalog.clustering import CLUSTERING, Names, clustering_columns
from deltasql.catalog.columns import mapping, stored_name
from deltasql.catalog.fields import PHYSICAL_NAME, find, is_field
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import PlanError, UnsupportedTableFeature
from deltasql.write.commit import commit
from deltasql.write.features import WRITER_FEATURES
from deltasql.write.statistics import indexed
from deltasql.write.target import Target


@dataclass(frozen=True, slots=True)
class Change:
    """The table's metadata and protocol from a commit on; ``operation`` and ``parameters`` are Spark's words for it.

    ``clustering`` are the stored paths of the clustering columns if they change.
    """

    operation: str
    parameters: Mapping[str, Any]
    metadata: Metadata
    protocol: Protocol
    clustering: tuple[Names, ...] | None = None


def committed(change: Change, into: Target) -> int | None:
    """Commit ``change``; the version made, or None where the table is that already.

    Raises `UnsupportedTableFeature` for a feature that our writers don't do, and as `commit`.
    """
    snapshot = into.snapshot
    actions: list[dict[str, Any]] = []
    old = Protocol.of(snapshot)
    if change.protocol != old:
        unknown = change.protocol.features - old.features - WRITER_FEATURES
        if unknown:
            message = f"`{snapshot.name}` can't be given the table feature `{min(unknown)}`: it could not be written"
            raise UnsupportedTableFeature(message)
        actions.append(change.protocol.action())
    if change.metadata != Metadata.of(snapshot):
        actions.append(change.metadata.action())
    if change.clustering is not None:
        actions.append(clustering_action(change.clustering))
    if not actions:
        return None
    _require_indexed(change, snapshot)
    return commit(
        snapshot,
        actions,
        operation=change.operation,
        parameters=change.parameters,
        metrics={},
        custom=into.recorded(),
    )


# -- clustering


def clustering_action(columns: tuple[Names, ...]) -> dict[str, Any]:
    """The action that says by which columns (stored paths) a table is clustered."""
    configuration = json.dumps({"clusteringColumns": [list(path) for path in columns], "domainName": CLUSTERING})
    return {"domainMetadata": {"domain": CLUSTERING, "configuration": configuration, "removed": False}}


def stored_names(metadata: Metadata, path: Names) -> Names:
    """The names that the column or field at ``path`` (in stored spelling) has in files."""
    maps = mapping(metadata.configuration) != "none"
    names = []
    for end in range(1, len(path) + 1):
        known = find(metadata.schema, path[:end])["metadata"] if is_field(metadata.schema, path[:end]) else {}
        names.append(str(known.get(PHYSICAL_NAME, path[end - 1]) if maps else path[end - 1]))
    return tuple(names)


def _require_indexed(change: Change, snapshot: Snapshot) -> None:
    columns = clustering_columns(snapshot) if change.clustering is None else change.clustering
    if not columns:
        return
    mode = mapping(change.metadata.configuration)
    schema = change.metadata.arrow()
    known = {leaf.stored for leaf in indexed(schema, change.metadata.configuration, mode)}
    missing = next((path for path in columns if path not in known), None)
    if missing is not None:
        names = {stored_name(each, mode): each.name for each in schema}
        shown = ".".join((names.get(missing[0], missing[0]), *missing[1:]))
        message = f"the table would be clustered by `{shown}`, of which it keeps no statistics"
        hint = "see its properties `delta.dataSkippingStatsColumns` and `delta.dataSkippingNumIndexedCols`"
        raise PlanError(message, hint=hint)
