"""Which tables a commit of our own is right for: the writer's half of the protocol's table features.

delta-rs checks features before its own writes; before ours this is the check. A feature that isn't known here is
refused by its name, as it may ask anything of a writer (Delta protocol, "Table Features").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deltasql.catalog.metadata import Protocol
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import ConstraintViolation, UnsupportedTableFeature

WRITER_FEATURES = frozenset(
    [
        "allowColumnDefaults",
        "appendOnly",
        "changeDataFeed",
        "checkConstraints",
        "clustering",
        "columnMapping",
        "deletionVectors",
        "domainMetadata",
        "generatedColumns",
        "identityColumns",
        "inCommitTimestamp",
        "invariants",
        "rowTracking",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
    ]
)
"""The features that ask nothing of a writer beyond what our commits do or their callers must.

Not among them, on purpose: ``checkpointProtection`` (which old entries may go is not for delta-rs's clean-up to say),
``catalogManaged`` and its forerunners (the catalog commits), ``collations`` (statistics by collation),
``materializePartitionColumns``, ``geospatial``, ``icebergWriterCompat…`` (other files than ours).
"""

_NEWEST = 7


def require_writable(snapshot: Snapshot, *, removes_data: bool) -> None:
    """Raise unless a commit of ours is right for the table; ``removes_data`` if rows are to go or change.

    `UnsupportedTableFeature` names a feature that our commits don't do, `ConstraintViolation` is for a table whose
    rows may only be added to (Delta protocol, "Append-only Tables").
    """
    version = snapshot.table.protocol().min_writer_version
    if version > _NEWEST:
        message = f"`{snapshot.name}` can't be written: it needs writer version {version}"
        raise UnsupportedTableFeature(message)
    features = Protocol.of(snapshot).features
    unknown = sorted(feature for feature in features - WRITER_FEATURES if _in_use(feature, snapshot))
    if unknown:
        raise UnsupportedTableFeature(f"`{snapshot.name}` can't be written: it has the table feature `{unknown[0]}`")
    if removes_data and snapshot.properties.get("delta.appendOnly", "").lower() == "true":
        message = f"`{snapshot.name}` is append-only, so no row of it can be removed or changed"
        raise ConstraintViolation(message, hint="its property `delta.appendOnly` is true")


def tracks_rows(snapshot: Snapshot) -> bool:
    """True if rows of the table must get ids (Delta protocol, "Row Tracking")."""
    return "rowTracking" in Protocol.of(snapshot).features


def _in_use(feature: str, snapshot: Snapshot) -> bool:
    """False for a feature that the protocol lists, but that nothing of the table turns on."""
    used = _USED.get(feature)
    return used is None or used(snapshot)


def _has_variant(snapshot: Snapshot) -> bool:
    return any(value.get(key) == "variant" for value in _schema(snapshot) for key in _TYPES)


_TYPES = ("type", "elementType", "keyType", "valueType")


def _enabled(property: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: snapshot.properties.get(property, "").lower() == "true"


_USED: Mapping[str, Callable[[Snapshot], bool]] = {
    "icebergCompatV1": _enabled("delta.enableIcebergCompatV1"),
    "icebergCompatV2": _enabled("delta.enableIcebergCompatV2"),
    "variantType": _has_variant,
    "variantType-preview": _has_variant,
}


def _schema(snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
    """All JSON objects that the table's schema is made of."""
    rest = [json.loads(snapshot.table.schema().to_json())]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            yield value
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
