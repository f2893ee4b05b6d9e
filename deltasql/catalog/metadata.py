"""What a table's log says of the table itself: its ``metaData`` and its ``protocol``, to be read, changed and written.

Delta protocol, "Change Metadata", "Protocol Evolution", "Table Features". A protocol only ever grows, and to the
least one that says what is needed: legacy numbers where these do, as older readers know them, else the features by
their names. What the action holds that delta-rs doesn't hand over (format options) is the same for every table.
"""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import Schema

from deltasql.catalog.columns import mapping
from deltasql.catalog.fields import MAPPING_ID, MAX_COLUMN_ID, mapped, walk
from deltasql.catalog.snapshot import Snapshot

_FEATURES_FROM_READER, _FEATURES_FROM_WRITER = 3, 7

_LEGACY: Mapping[str, tuple[int, int]] = {
    "appendOnly": (1, 2),
    "invariants": (1, 2),
    "checkConstraints": (1, 3),
    "changeDataFeed": (1, 4),
    "generatedColumns": (1, 4),
    "columnMapping": (2, 5),
    "identityColumns": (1, 6),
}
"""The versions that first imply a feature (Delta protocol, "Valid Feature Names in Table Features")."""

_OF_READERS = frozenset(
    [
        "columnMapping",
        "deletionVectors",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantType",
        "variantType-preview",
    ]
)
_OF_WRITERS = frozenset(
    [
        "allowColumnDefaults",
        "appendOnly",
        "changeDataFeed",
        "checkConstraints",
        "clustering",
        "domainMetadata",
        "generatedColumns",
        "identityColumns",
        "inCommitTimestamp",
        "invariants",
        "rowTracking",
    ]
)
FEATURES = _OF_READERS | _OF_WRITERS
"""The table features that a protocol made here can have."""

_NEEDS: Mapping[str, str] = {"clustering": "domainMetadata", "rowTracking": "domainMetadata"}
"""The feature that another needs beside it."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The ``metaData`` action of a table: ``schema`` is the Delta schema's JSON, its partition columns logical names.

    Nobody changes ``schema`` or ``configuration`` in place: `deltasql.catalog.fields` makes others of them.
    """

    id: str
    name: str | None
    description: str | None
    schema: dict[str, Any]
    partition_columns: tuple[str, ...]
    configuration: dict[str, str]
    created_time: int | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Metadata:
        """The table's, as it is at the snapshot's version."""
        metadata = snapshot.table.metadata()
        return cls(
            id=str(metadata.id),
            name=metadata.name,
            description=metadata.description,
            schema=json.loads(snapshot.table.schema().to_json()),
            partition_columns=snapshot.partition_columns,
            configuration=dict(snapshot.properties),
            created_time=metadata.created_time,
        )

    @classmethod
    def fresh(
        cls,
        name: str | None,
        description: str | None,
        schema: Mapping[str, Any],
        partition_columns: Collection[str] = (),
        configuration: Mapping[str, str] | None = None,
    ) -> Metadata:
        """That of a new table, made now."""
        now = time.time_ns() // 1_000_000
        columns = tuple(partition_columns)
        return cls(str(uuid.uuid4()), name, description, dict(schema), columns, dict(configuration or {}), now)

    def action(self) -> dict[str, dict[str, Any]]:
        """The action of the log."""
        body = {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(self.schema, ensure_ascii=False, separators=(",", ":")),
            "partitionColumns": list(self.partition_columns),
            "createdTime": self.created_time,
            "configuration": self.configuration,
        }
        return {"metaData": {name: value for name, value in body.items() if value is not None}}

    def arrow(self) -> pa.Schema:
        """The columns as Arrow types, as `Snapshot.schema` has them."""
        return pa.schema(Schema.from_json(json.dumps(self.schema)).to_arrow())

    def with_configuration(self, configuration: Mapping[str, str]) -> Metadata:
        """The same with other properties."""
        return dataclasses.replace(self, configuration=dict(configuration))

    def with_schema(self, schema: Mapping[str, Any]) -> Metadata:
        """The same with another schema, whose new fields get ids and physical names if the table maps its columns.

        Delta protocol, "Writer Requirements for Column Mapping".
        """
        if mapping(self.configuration) == "none":
            return dataclasses.replace(self, schema=dict(schema))
        known = [int(each["metadata"].get(MAPPING_ID, 0)) for each in walk(dict(schema))]
        highest = max([int(self.configuration.get(MAX_COLUMN_ID, "0")), *known])
        made, highest = mapped(dict(schema), highest, fresh=True)
        configuration = self.configuration | {MAX_COLUMN_ID: str(highest)}
        return dataclasses.replace(self, schema=made, configuration=configuration)


@dataclass(frozen=True, slots=True)
class Protocol:
    """The ``protocol`` action of a table; the features are None where its versions don't name any."""

    reader: int
    writer: int
    reader_features: frozenset[str] | None = None
    writer_features: frozenset[str] | None = None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Protocol:
        """The table's, as it is at the snapshot's version."""
        found = snapshot.table.protocol()
        reader, writer = found.min_reader_version, found.min_writer_version
        return cls(
            reader,
            writer,
            frozenset(found.reader_features or ()) if reader >= _FEATURES_FROM_READER else None,
            frozenset(found.writer_features or ()) if writer >= _FEATURES_FROM_WRITER else None,
        )

    @classmethod
    def least(cls, features: Collection[str]) -> Protocol:
        """That of a new table that needs ``features``, as Delta Lake makes it: never less than reader 1, writer 2."""
        return cls(1, 2).with_features(*features)

    @property
    def features(self) -> frozenset[str]:
        """What a writer must know, legacy versions spelled out."""
        if self.writer_features is not None:
            return self.writer_features
        return frozenset(name for name, (_, writer) in _LEGACY.items() if writer <= self.writer)

    def has(self, feature: str) -> bool:
        """True if both readers and writers must know it: legacy versions may ask it of writers alone."""
        if feature not in self.features or feature not in _OF_READERS:
            return feature in self.features
        if self.reader_features is None:
            return feature in _LEGACY and self.reader >= _LEGACY[feature][0]
        return feature in self.reader_features

    def action(self) -> dict[str, dict[str, Any]]:
        """The action of the log."""
        body: dict[str, Any] = {"minReaderVersion": self.reader, "minWriterVersion": self.writer}
        if self.reader_features is not None:
            body["readerFeatures"] = sorted(self.reader_features)
        if self.writer_features is not None:
            body["writerFeatures"] = sorted(self.writer_features)
        return {"protocol": body}

    def with_features(self, *names: str) -> Protocol:
        """The least protocol that has ``names`` too, and what they need."""
        new = {name for name in _with_needs(names) if not self.has(name)}
        if not new:
            return self
        if self.writer_features is None and new <= set(_LEGACY):
            readers, writers = zip(*(_LEGACY[name] for name in new), strict=True)
            return Protocol(max(self.reader, *readers), max(self.writer, *writers))
        return self._by_name(new, self.reader)

    def at_least(self, reader: int, writer: int) -> Protocol:
        """The least protocol of these versions or later ones, with all that it has."""
        by_name = reader >= _FEATURES_FROM_READER or writer >= _FEATURES_FROM_WRITER
        if self.writer_features is None and not by_name:
            return Protocol(max(self.reader, reader), max(self.writer, writer))
        implied = {name for name, (_, since) in _LEGACY.items() if since <= writer < _FEATURES_FROM_WRITER}
        return self._by_name(implied, max(self.reader, reader))

    def _by_name(self, new: Collection[str], reader: int) -> Protocol:
        """With ``new`` features, all by their names; no reader's features where it can go without."""
        features = self.features.union(new)
        read = (self.reader_features or frozenset()) | (features & _OF_READERS)
        if not read and reader < _FEATURES_FROM_READER:
            return Protocol(reader, _FEATURES_FROM_WRITER, None, features)
        return Protocol(_FEATURES_FROM_READER, _FEATURES_FROM_WRITER, read, features)


def _with_needs(names: Collection[str]) -> Iterator[str]:
    for name in names:
        yield name
        if name in _NEEDS:
            yield _NEEDS[name]
