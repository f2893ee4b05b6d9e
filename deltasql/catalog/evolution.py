"""A table's schema with the columns that its new rows bring: what WITH SCHEMA EVOLUTION commits.

Columns and fields of structs are added at the end and nullable; types stay (Delta protocol, "Schema Evolution" is
the writer's to define; this is Delta Lake's).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import Schema

from deltasql.catalog.columns import mapping
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import UnsupportedTableFeature
from deltasql.names import fold

_MAX_ID = "delta.columnMapping.maxColumnId"
_ID = "delta.columnMapping.id"
_NAME = "delta.columnMapping.physicalName"

_Type = str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evolved:
    """The schema with what was added, and the actions that say so."""

    schema: pa.Schema
    actions: tuple[Mapping[str, Any], ...]


def evolved(snapshot: Snapshot, offered: pa.Schema) -> Evolved | None:
    """The table with the columns and fields of ``offered`` that it lacks, or None if it lacks none.

    ``offered`` has types that a Delta table can hold. Raises `UnsupportedTableFeature` for one that needs a feature
    which the table hasn't.
    """
    new = _Fields(snapshot)
    fields = new.merged(json.loads(snapshot.table.schema().to_json()), json.loads(Schema.from_arrow(offered).to_json()))
    if not new.added:
        return None
    schema = {"type": "struct", "fields": fields["fields"]}
    metadata = snapshot.table.metadata()
    configuration = dict(snapshot.properties)
    if new.mode != "none":
        configuration[_MAX_ID] = str(new.last_id)
    action = {
        "id": metadata.id,
        "name": metadata.name,
        "description": metadata.description,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(schema, ensure_ascii=False),
        "partitionColumns": list(snapshot.partition_columns),
        "createdTime": metadata.created_time,
        "configuration": configuration,
    }
    known = {name: value for name, value in action.items() if value is not None}
    arrow = pa.schema(Schema.from_json(json.dumps(schema)).to_arrow())
    return Evolved(arrow, ({"metaData": known},))


class _Fields:
    """Schemas as the log has them (Delta protocol, "Schema Serialization Format"), and what was added to one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.added = 0
        self.mode = mapping(snapshot.properties)
        self.last_id = int(snapshot.properties.get(_MAX_ID, "0"))
        self._snapshot = snapshot

    def merged(self, old: _Type, new: _Type) -> Any:
        """``old`` with the fields of ``new`` that it lacks, at any depth."""
        if isinstance(old, str) or isinstance(new, str) or old["type"] != new["type"]:
            return old
        if old["type"] == "array":
            return {**old, "elementType": self.merged(old["elementType"], new["elementType"])}
        if old["type"] == "map":
            return {**old, "valueType": self.merged(old["valueType"], new["valueType"])}
        offered = {fold(field["name"]): field for field in new["fields"]}
        fields = []
        for field in old["fields"]:
            found = offered.pop(fold(field["name"]), None)
            fields.append(field if found is None else {**field, "type": self.merged(field["type"], found["type"])})
        fields += [self._fresh(field) for field in new["fields"] if fold(field["name"]) in offered]
        return {**old, "fields": fields}

    def _fresh(self, field: Mapping[str, Any]) -> dict[str, Any]:
        self.added += 1
        metadata: dict[str, Any] = {}
        if self.mode != "none":
            self.last_id += 1
            metadata = {_ID: self.last_id, _NAME: f"col-{uuid.uuid4()}"}
        return {"name": field["name"], "type": self._whole(field["type"]), "nullable": True, "metadata": metadata}

    def _whole(self, type: _Type) -> _Type:
        """A new type, whose fields are all new."""
        if type in ("timestamp_ntz", "variant"):
            feature = "timestampNtz" if type == "timestamp_ntz" else "variantType"
            if feature not in self._snapshot.reader_features:
                message = f"`{self._snapshot.name}` lacks the feature {feature}, which a new column needs"
                raise UnsupportedTableFeature(message)
        if isinstance(type, str):
            return type
        if type["type"] == "array":
            return {**type, "elementType": self._whole(type["elementType"]), "containsNull": True}
        if type["type"] == "map":
            key, value = self._whole(type["keyType"]), self._whole(type["valueType"])
            return {**type, "keyType": key, "valueType": value, "valueContainsNull": True}
        return {**type, "fields": [self._fresh(field) for field in type["fields"]]}
