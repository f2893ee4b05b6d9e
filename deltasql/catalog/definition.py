"""The statement that makes a table, or a view, as it is: SHOW CREATE TABLE.

Run as printed, it makes a table of the same schema, partitioning, clustering, constraints and properties, with the same
features. What no statement can say of a table (other engines wrote it) stands before it as a comment, so that nobody
takes the copy for the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deltasql.catalog import fields, properties
from deltasql.catalog.catalog import MAIN, PATH_SCHEMA, TableEntry
from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.fields import MAPPING_ID, MAX_COLUMN_ID, PHYSICAL_NAME, TYPE_CHANGES
from deltasql.catalog.metadata import FEATURES, Metadata, Protocol
from deltasql.catalog.places import DEFAULT
from deltasql.catalog.properties import CONSTRAINT, READER_VERSION, WRITER_VERSION
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.views import View
from deltasql.errors import Error
from deltasql.names import is_plain, text
from deltasql.types import char_length

_GENERATION = "delta.generationExpression"
_IDENTITY = ("delta.identity.start", "delta.identity.step", "delta.identity.allowExplicitInsert")
_CHAR = "__CHAR_VARCHAR_TYPE_STRING"
_OF_ITS_OWN = frozenset(
    [MAPPING_ID, PHYSICAL_NAME, TYPE_CHANGES, "delta.columnMapping.nested.ids", "delta.identity.highWaterMark"]
)
"""Metadata of fields that tells of a table's own files and past: another table gets others."""
_PROPERTIES_OF_ITS_OWN = frozenset(
    [
        MAX_COLUMN_ID,
        "delta.inCommitTimestampEnablementTimestamp",
        "delta.inCommitTimestampEnablementVersion",
        "delta.rowTracking.materializedRowCommitVersionColumnName",
        "delta.rowTracking.materializedRowIdColumnName",
    ]
)
_TYPES = {
    "byte": "TINYINT",
    "integer": "INT",
    "long": "BIGINT",
    "short": "SMALLINT",
}
_Unsaid = list[str]


def create_table(entry: TableEntry, snapshot: Snapshot) -> str:
    """``CREATE TABLE …``; lines of comments before it say what it can't."""
    metadata = Metadata.of(snapshot)
    unsaid: _Unsaid = []
    lines = [_column(each, unsaid) for each in metadata.schema["fields"]]
    checks = {key: value for key, value in metadata.configuration.items() if key.lower().startswith(CONSTRAINT)}
    lines += [f"CONSTRAINT {_backticks(k[len(CONSTRAINT) :])} CHECK ({_closed(v)})" for k, v in sorted(checks.items())]
    clustering = clustered_by(snapshot)
    stated = dict(_properties(metadata, Protocol.of(snapshot), unsaid, clustered=bool(clustering)))
    made = [f"CREATE TABLE {_name(entry)} (", ",\n".join(f"  {line}" for line in lines) + ")", "USING DELTA"]
    if metadata.partition_columns:
        made.append(f"PARTITIONED BY ({', '.join(map(_backticks, metadata.partition_columns))})")
    if clustering:
        made.append(f"CLUSTER BY ({', '.join('.'.join(map(_backticks, path)) for path in clustering)})")
    if not entry.managed and entry.schema != PATH_SCHEMA:
        made.append(f"LOCATION {text(str(entry.location))}")
    if metadata.description is not None:
        made.append(f"COMMENT {text(metadata.description)}")
    if stated:
        pairs = ",\n".join(f"  {text(key)} = {text(value)}" for key, value in sorted(stated.items()))
        made.append(f"TBLPROPERTIES (\n{pairs})")
    return "\n".join([*(f"-- not stated: {' '.join(each.split())}" for each in unsaid), *made])


def create_view(view: View) -> str:
    """``CREATE VIEW …``; a comment before it names the schema of its names, if that isn't where a connection begins."""
    head = "CREATE TEMPORARY VIEW " + _backticks(view.name) if view.temporary else "CREATE VIEW " + _path(view.parts)
    if any(column.name != column.source or column.comment for column in view.columns):
        listed = (
            _backticks(column.name) + (f" COMMENT {text(column.comment)}" if column.comment else "")
            for column in view.columns
        )
        head += " (\n" + ",\n".join(f"  {each}" for each in listed) + ")"
    lines = [head] if view.comment is None else [head, f"COMMENT {text(view.comment)}"]
    if (view.home.catalog, view.home.schema) != (MAIN, DEFAULT):
        lines.insert(0, f"-- its names are those of USE {_path((view.home.catalog, view.home.schema))}")
    return "\n".join([*lines, f"AS {view.query}"])


# -- names


def _name(entry: TableEntry) -> str:
    if entry.schema == PATH_SCHEMA:
        return "delta." + _backticks(str(entry.location))
    return _path(entry.parts)


def _path(parts: tuple[str, ...]) -> str:
    return ".".join(part if is_plain(part) else _backticks(part) for part in parts)


def _backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _closed(expression: str) -> str:
    """``expression`` such that a bracket may follow, even if it ends in a comment."""
    return expression + "\n" if "--" in expression else expression


# -- columns


def _column(field: Mapping[str, Any], unsaid: _Unsaid) -> str:
    name, metadata = field["name"], dict(field["metadata"])
    type = _type(field["type"], name, unsaid)
    if field["type"] == "string" and char_length(str(metadata.get(_CHAR, ""))) is not None:
        type = metadata.pop(_CHAR).upper()
    parts = [_backticks(name), type]
    parts += [] if field["nullable"] else ["NOT NULL"]
    if _GENERATION in metadata:
        parts.append(f"GENERATED ALWAYS AS ({_closed(str(metadata.pop(_GENERATION)))})")
    elif _IDENTITY[0] in metadata:
        start, step, explicit = (metadata.pop(key, None) for key in _IDENTITY)
        how = "BY DEFAULT" if str(explicit).lower() == "true" else "ALWAYS"
        parts.append(f"GENERATED {how} AS IDENTITY (START WITH {start} INCREMENT BY {1 if step is None else step})")
    elif fields.DEFAULT in metadata:
        parts.append(f"DEFAULT {_closed(str(metadata.pop(fields.DEFAULT)))}")
    if "comment" in metadata:
        parts.append(f"COMMENT {text(str(metadata.pop('comment')))}")
    _leave(metadata, f"column `{name}`", unsaid)
    return " ".join(parts)


def _leave(metadata: Mapping[str, Any], what: str, unsaid: _Unsaid) -> None:
    unsaid += [f"{what} has `{key}` = {metadata[key]}" for key in metadata if key not in _OF_ITS_OWN]


def _type(type: Any, name: str, unsaid: _Unsaid) -> str:
    if isinstance(type, str):
        return _TYPES.get(type, type.upper())
    if type["type"] == "array":
        if not type["containsNull"]:
            unsaid.append(f"the elements of `{name}` are NOT NULL")
        return f"ARRAY<{_type(type['elementType'], f'{name}.element', unsaid)}>"
    if type["type"] == "map":
        if not type["valueContainsNull"]:
            unsaid.append(f"the values of `{name}` are NOT NULL")
        key, value = _type(type["keyType"], f"{name}.key", unsaid), _type(type["valueType"], f"{name}.value", unsaid)
        return f"MAP<{key}, {value}>"
    return f"STRUCT<{', '.join(_field(each, name, unsaid) for each in type['fields'])}>"


def _field(field: Mapping[str, Any], above: str, unsaid: _Unsaid) -> str:
    """A field of a struct."""
    name, metadata = f"{above}.{field['name']}", dict(field["metadata"])
    made = f"{_backticks(field['name'])}: {_type(field['type'], name, unsaid)}"
    made += "" if field["nullable"] else " NOT NULL"
    if "comment" in metadata:
        made += f" COMMENT {text(str(metadata.pop('comment')))}"
    _leave(metadata, f"field `{name}`", unsaid)
    return made


# -- properties and protocol


def _properties(
    metadata: Metadata, protocol: Protocol, unsaid: _Unsaid, *, clustered: bool
) -> Iterator[tuple[str, str]]:
    """The properties to state, those included by which the table gets the features that nothing else brings."""
    kept = {}
    for key, value in metadata.configuration.items():
        if key in _PROPERTIES_OF_ITS_OWN or key.lower().startswith(CONSTRAINT):
            continue
        try:
            properties.checked({key: value})
        except Error as error:
            unsaid.append(f"{error.message} (it is {value})")
            continue
        kept[key] = value
    yield from kept.items()
    needed = fields.features_of(metadata.schema) | properties.features_of(metadata.configuration)
    needed |= {"clustering"} if clustered else set()
    made = Protocol.least(()).with_features(*needed)
    if protocol.writer_features is None:
        if (made.reader, made.writer) != (protocol.reader, protocol.writer):
            yield READER_VERSION, str(protocol.reader)
            yield WRITER_VERSION, str(protocol.writer)
        return
    more = (protocol.features | (protocol.reader_features or frozenset())) - made.features
    for name in sorted(more):
        if name in FEATURES:
            yield f"delta.feature.{name}", "supported"
        else:
            unsaid.append(f"the table has the feature `{name}`")
    if not more and made.writer_features is None:
        yield WRITER_VERSION, str(protocol.writer)
