"""What a table is to be, before anything of it is there: its ``metaData``, its ``protocol``, its metadata domains.

Delta protocol, "Change Metadata", "Protocol Evolution", "Column Mapping", "Clustered Table". The protocol is the least
that the columns and properties need; a table that takes the place of another keeps its id and its features, as old
versions stay readable.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.catalog import fields, properties
from deltasql.catalog.clustering import CLUSTERING, clustering_columns
from deltasql.catalog.columns import mapping
from deltasql.catalog.evolution import require_feedable
from deltasql.catalog.fields import MAX_COLUMN_ID
from deltasql.catalog.metadata import FEATURES, Metadata, Protocol
from deltasql.catalog.recorded import domains
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import ColumnNotFound, NotSupportedError, PlanError, UnsupportedTableFeature
from deltasql.names import did_you_mean, match
from deltasql.write.altering import clustering_action, stored_names
from deltasql.write.identity import marks_kept
from deltasql.write.statistics import indexed

_MOST_CLUSTERED = 4
_IN_COMMIT = "delta.enableInCommitTimestamps"
_IN_COMMIT_SINCE = ("delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp")
_ROW_TRACKING = "delta.enableRowTracking"
_ROW_COLUMNS = {
    "delta.rowTracking.materializedRowIdColumnName": "_row-id-col-",
    "delta.rowTracking.materializedRowCommitVersionColumnName": "_row-commit-version-col-",
}
_OF_ITS_OWN = (MAX_COLUMN_ID, *_IN_COMMIT_SINCE, *_ROW_COLUMNS)
"""The properties that a table doesn't take over from one that it is made like."""


@dataclass(frozen=True, slots=True)
class Design:
    """A table that is to be made; ``old`` is the one whose place it takes, if there is one."""

    metadata: Metadata
    protocol: Protocol
    domains: Mapping[str, str]
    old: Snapshot | None = None

    def actions(self) -> list[dict[str, Any]]:
        """What the log says of it, but for its files."""
        made: list[dict[str, Any]] = []
        if self.old is None or self.protocol != Protocol.of(self.old):
            made.append(self.protocol.action())
        made.append(self.metadata.action())
        for domain, configuration in self.domains.items():
            body = {"domain": domain, "configuration": configuration, "removed": False}
            made.append({"domainMetadata": body})
        return made


def designed(
    metadata: Metadata,
    asked: Mapping[str, str],
    *,
    clustered_by: Sequence[Sequence[str]] = (),
    old: Snapshot | None = None,
) -> Design:
    """The table of ``metadata``, whose configuration it takes over, with the properties that are ``asked`` for.

    Its fields have no ids yet. Raises as `properties.checked`; `ColumnNotFound`, `PlanError` and `NotSupportedError`
    for columns that it can't be clustered by, `UnsupportedTableFeature` for a feature that our writers don't know.
    """
    wanted = properties.checked(asked)
    inherited = {key: value for key, value in metadata.configuration.items() if key not in _OF_ITS_OWN}
    configuration = {**inherited, **properties.stored(wanted)}
    schema = metadata.schema
    if mapping(configuration) != "none":
        first = int(old.properties.get(MAX_COLUMN_ID, "0")) if old is not None else 0
        schema, last = fields.mapped(schema, first, fresh=True)
        configuration[MAX_COLUMN_ID] = str(last)
    require_feedable(configuration, metadata.arrow().names)
    if _is_on(configuration, _ROW_TRACKING):
        configuration |= {key: f"{start}{uuid.uuid4()}" for key, start in _ROW_COLUMNS.items()}
    if old is not None:
        configuration |= _in_commit_timestamps(configuration, old)
    metadata = _in_place(dataclasses.replace(metadata, schema=schema, configuration=configuration), old)
    domain = {CLUSTERING: _clustering(metadata, clustered_by)} if clustered_by else {}
    if old is not None and not clustered_by and clustering_columns(old):
        domain = {CLUSTERING: _configuration([])}
    needed = fields.features_of(schema) | properties.features_of({**configuration, **wanted})
    needed |= {"clustering"} if domain else set()
    return Design(metadata, _protocol(needed, properties.versions_of(wanted), old), domain, old)


def cloned(source: Snapshot, name: str | None, asked: Mapping[str, str], *, old: Snapshot | None = None) -> Design:
    """The table that has what ``source`` has, with the properties that are ``asked`` for.

    Raises as `properties.checked`, and `NotSupportedError` for another column mapping than that of its files.
    """
    wanted = properties.checked(asked)
    from_ = Metadata.of(source)
    configuration = {key: value for key, value in from_.configuration.items() if key not in _IN_COMMIT_SINCE}
    configuration |= properties.stored(wanted)
    require_feedable(configuration, source.schema.names)
    if mapping(configuration) != mapping(source.properties):
        message = f"a clone has the column mapping of its source, which is `{mapping(source.properties)}`"
        raise NotSupportedError(message)
    if _is_on(configuration, _ROW_TRACKING):
        for key, start in _ROW_COLUMNS.items():
            configuration.setdefault(key, f"{start}{uuid.uuid4()}")
    if old is not None:
        configuration |= _in_commit_timestamps(configuration, old)
        if MAX_COLUMN_ID in configuration:
            ids = (configuration[MAX_COLUMN_ID], old.properties.get(MAX_COLUMN_ID, "0"))
            configuration[MAX_COLUMN_ID] = max(ids, key=int)
    schema = from_.schema if old is None else marks_kept(from_.schema, Metadata.of(old).schema)
    made = Metadata.fresh(name, from_.description, schema, from_.partition_columns, configuration)
    held = domains(source)
    if old is not None and clustering_columns(old):
        held.setdefault(CLUSTERING, _configuration([]))
    theirs = Protocol.of(source)
    base = theirs if old is None else _joined(Protocol.of(old), theirs)
    protocol = base.with_features(*properties.features_of(wanted)).at_least(*properties.versions_of(wanted))
    return Design(_in_place(made, old), protocol, held, old)


def like(source: Snapshot, name: str | None, description: str | None) -> Metadata:
    """The columns, partitioning and properties of ``source`` for a table of its own, without rows.

    Without what is of the source's files and past alone: ids of columns, changes of types, marks of identity columns.
    """
    from_ = Metadata.of(source)
    schema = _without(from_.schema, (fields.MAPPING_ID, fields.PHYSICAL_NAME, fields.TYPE_CHANGES, *_MARKS))
    comment = from_.description if description is None else description
    return Metadata.fresh(name, comment, schema, from_.partition_columns, from_.configuration)


_MARKS = ("delta.columnMapping.nested.ids", "delta.identity.highWaterMark")


def _without(type: Any, keys: Sequence[str]) -> Any:
    """A type (or part of one) without the ``keys`` in the metadata of its fields."""
    if isinstance(type, list):
        return [_without(each, keys) for each in type]
    if not isinstance(type, dict):
        return type
    made = {key: _without(value, keys) for key, value in type.items() if key != "metadata"}
    if "metadata" in type:
        made["metadata"] = {key: value for key, value in type["metadata"].items() if key not in keys}
    return made


def _is_on(configuration: Mapping[str, str], property: str) -> bool:
    return configuration.get(property, "").lower() == "true"


def _in_place(metadata: Metadata, old: Snapshot | None) -> Metadata:
    """A table that takes the place of another is the same to who follows its log."""
    if old is None:
        return metadata
    was = Metadata.of(old)
    return dataclasses.replace(metadata, id=was.id, created_time=was.created_time)


def _in_commit_timestamps(configuration: Mapping[str, str], old: Snapshot) -> dict[str, str]:
    """The properties by which commits go on having their times, if those of ``old`` have."""
    if not _is_on(old.properties, _IN_COMMIT) or configuration.get(_IN_COMMIT, "true") != "true":
        return {}
    return {name: old.properties[name] for name in (_IN_COMMIT, *_IN_COMMIT_SINCE) if name in old.properties}


def _protocol(needed: set[str], versions: tuple[int, int], old: Snapshot | None) -> Protocol:
    unknown = sorted(needed - FEATURES)
    if unknown:
        raise UnsupportedTableFeature(f"a table can't be given the feature `{unknown[0]}`: our writers don't know it")
    base = Protocol.least(()) if old is None else Protocol.of(old)
    return base.with_features(*needed).at_least(*versions)


def _joined(one: Protocol, other: Protocol) -> Protocol:
    return one.with_features(*other.features).at_least(other.reader, other.writer)


# -- clustering


def _clustering(metadata: Metadata, columns: Sequence[Sequence[str]]) -> str:
    """The domain of a table clustered by ``columns``, which need statistics (Delta Lake, "Liquid clustering")."""
    if len(columns) > _MOST_CLUSTERED:
        raise PlanError(f"a table can be clustered by at most {_MOST_CLUSTERED} columns, not {len(columns)}")
    schema, mode = metadata.arrow(), mapping(metadata.configuration)
    if metadata.partition_columns:
        raise PlanError("a partitioned table can't be clustered too")
    known = {leaf.stored for leaf in indexed(schema, metadata.configuration, mode)}
    paths = []
    for column in columns:
        shown = ".".join(column)
        type, stored = _type(schema, column), stored_names(metadata, fields.stored_path(metadata.schema, column))
        if pa.types.is_nested(type) or pa.types.is_binary(type) or pa.types.is_boolean(type):
            raise PlanError(f"a table can't be clustered by `{shown}`, which has no least and greatest value")
        if stored not in known:
            hint = "put it first, or set `delta.dataSkippingStatsColumns`"
            raise PlanError(f"a table can't be clustered by `{shown}`, which has no statistics", hint=hint)
        if stored in paths:
            raise PlanError(f"CLUSTER BY names column `{shown}` twice")
        paths.append(stored)
    return _configuration(paths)


def _configuration(paths: Sequence[tuple[str, ...]]) -> str:
    return str(clustering_action(tuple(paths))["domainMetadata"]["configuration"])


def _type(schema: pa.Schema, path: Sequence[str]) -> pa.DataType:
    """The type of the column at ``path``, which leads through structs alone."""
    inside: Any = schema
    for part in path:
        names = [each.name for each in inside] if isinstance(inside, pa.Schema) or pa.types.is_struct(inside) else []
        name = match(part, names, what="column")
        if name is None:
            hint = did_you_mean(part, names)
            raise ColumnNotFound(f"there is no column `{'.'.join(path)}` to cluster by", hint=hint)
        inside = inside.field(name).type
    return inside
