"""A table's schema with the columns that its new rows bring: what WITH SCHEMA EVOLUTION commits.

Columns and fields of structs are added at the end and nullable; types stay (Delta protocol, "Schema Evolution" is
the writer's to define; this is Delta Lake's).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.catalog.fields import Field, Type, features_of, field, struct, type_json
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import PlanError, UnsupportedTableFeature
from deltasql.names import fold

_FEED = ("_change_type", "_commit_version", "_commit_timestamp")


@dataclass(frozen=True, slots=True)
class Evolved:
    """The schema with what was added, and the actions that say so."""

    schema: pa.Schema
    actions: tuple[Mapping[str, Any], ...]


def evolved(snapshot: Snapshot, offered: pa.Schema) -> Evolved | None:
    """The table with the columns and fields of ``offered`` that it lacks, or None if it lacks none.

    ``offered`` has types that a Delta table can hold. Raises `UnsupportedTableFeature` for one that needs a feature
    which the table hasn't, and as `require_feedable`.
    """
    old = Metadata.of(snapshot)
    merged = _merged(old.schema, type_json(pa.struct(list(offered))))
    if merged == old.schema:
        return None
    require_features(snapshot, merged)
    require_feedable(snapshot.properties, offered.names)
    new = old.with_schema(merged)
    return Evolved(new.arrow(), (new.action(),))


def require_feedable(properties: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise `PlanError` for a column called as one of the change data feed, if there is one by the ``properties``.

    Delta protocol, "Add CDC File".
    """
    if properties.get("delta.enableChangeDataFeed", "").lower() != "true":
        return
    taken = next((name for name in names if fold(name) in _FEED), None)
    if taken is not None:
        raise PlanError(f"a table with a change data feed can't have a column `{taken}`: it is the feed's")


def require_features(snapshot: Snapshot, schema: Mapping[str, Any]) -> None:
    """Raise `UnsupportedTableFeature` for a column of ``schema`` that needs a feature which the table hasn't.

    As in Delta Lake, a feature that older readers or writers don't know comes only when it is asked for.
    """
    protocol, before = Protocol.of(snapshot), features_of(Metadata.of(snapshot).schema)
    lacking = {feature for feature in features_of(dict(schema)) - before if not protocol.has(feature)}
    if lacking:
        feature = min(lacking)
        message = f"`{snapshot.name}` lacks the feature {feature}, which its columns would need"
        hint = f"ALTER TABLE … SET TBLPROPERTIES ('delta.feature.{feature}' = 'supported')"
        raise UnsupportedTableFeature(message, hint=hint)


def _merged(old: Type, new: Type) -> Any:
    """``old`` with the fields of ``new`` that it lacks, at any depth."""
    if isinstance(old, str) or isinstance(new, str) or old["type"] != new["type"]:
        return old
    if old["type"] == "array":
        return {**old, "elementType": _merged(old["elementType"], new["elementType"])}
    if old["type"] == "map":
        return {**old, "valueType": _merged(old["valueType"], new["valueType"])}
    offered = {fold(each["name"]): each for each in new["fields"]}
    fields = []
    for each in old["fields"]:
        found = offered.pop(fold(each["name"]), None)
        fields.append(each if found is None else {**each, "type": _merged(each["type"], found["type"])})
    return {**old, "fields": fields + [_nullable(each) for each in new["fields"] if fold(each["name"]) in offered]}


def _nullable(new: Field) -> Field:
    return field(new["name"], _whole(new["type"]))


def _whole(type: Type) -> Type:
    """A new type, whose fields are all new and nullable."""
    if isinstance(type, str):
        return type
    if type["type"] == "array":
        return {**type, "elementType": _whole(type["elementType"]), "containsNull": True}
    if type["type"] == "map":
        key, value = _whole(type["keyType"]), _whole(type["valueType"])
        return {**type, "keyType": key, "valueType": value, "valueContainsNull": True}
    return struct([_nullable(each) for each in type["fields"]])
