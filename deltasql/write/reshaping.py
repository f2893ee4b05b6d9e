"""ALTER TABLE on columns: what becomes of the schema, and which changes a table can't take.

Delta protocol, "Column Mapping", "Type Widening", "Default Columns"; where the protocol is silent, Delta Lake's rules.
Files stay as they are: what they lack is NULL, what they hold under its stored name is found by it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from deltasql.catalog import fields
from deltasql.catalog.clustering import clustering_columns
from deltasql.catalog.columns import mapping
from deltasql.catalog.evolution import require_features, require_feedable
from deltasql.catalog.fields import Field
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.errors import (
    AlreadyExists,
    ColumnNotFound,
    Error,
    PlanError,
    UnsupportedStatement,
    UnsupportedTableFeature,
)
from deltasql.sql import statements
from deltasql.types import char_length, parse_type
from deltasql.write.altering import Change, stored_names
from deltasql.write.dependents import require_independent
from deltasql.write.source import CHAR_TYPE
from deltasql.write.target import Target
from deltasql.write.widening import widened

Names = tuple[str, ...]

COMMENT = "comment"
_CHAR = CHAR_TYPE.decode()


def changed(into: Target, schema: dict[str, Any], operation: str, parameters: dict[str, Any]) -> Change:
    """The table with ``schema``. Raises `UnsupportedTableFeature` for types that need a feature it hasn't."""
    require_features(into.snapshot, schema)
    old = Metadata.of(into.snapshot)
    new = old if schema == old.schema else old.with_schema(schema)
    return Change(operation, parameters, new, Protocol.of(into.snapshot))


# -- ADD COLUMNS


def columns_added(action: statements.AddColumns, into: Target) -> Change:
    """``ADD COLUMNS``: files that are there hold NULL of them."""
    schema = Metadata.of(into.snapshot).schema
    told = []
    for column in action.columns:
        try:
            new = _new(column)
            _require_no_feed_column(column.path, into)
            schema = fields.added(schema, column.path[:-1], new, first=column.first, after=column.after)
        except Error as error:
            if isinstance(error, AlreadyExists) and action.if_not_exists:
                continue
            error.span = error.span or column.span
            raise
        position = "first" if column.first else None if column.after is None else f"after {column.after}"
        told.append({"column": new} | ({} if position is None else {"position": position}))
    return changed(into, schema, "ADD COLUMNS", {"columns": told})


def _new(column: statements.AddedColumn) -> Field:
    name = ".".join(column.path)
    if not column.nullable:
        message = f"`{name}` can't be added NOT NULL: the rows that are there have no value for it"
        raise UnsupportedStatement(message, hint="add it, fill it, then ALTER COLUMN … SET NOT NULL", span=column.span)
    if column.default is not None:
        message = f"`{name}` can't be added with a DEFAULT, which Delta doesn't give to the rows that are there"
        raise UnsupportedStatement(message, hint="add it, then ALTER COLUMN … SET DEFAULT", span=column.span)
    metadata: dict[str, Any] = {} if column.comment is None else {COMMENT: column.comment}
    if (length := char_length(column.type.sql)) is not None:
        metadata[_CHAR] = length
    return fields.field(column.path[-1], fields.type_json(parse_type(column.type.sql)), metadata=metadata)


def _require_no_feed_column(path: Names, into: Target) -> None:
    if len(path) == 1:
        require_feedable(into.snapshot.properties, path)


# -- RENAME COLUMN, DROP COLUMNS


def column_renamed(action: statements.RenameColumn, into: Target) -> Change:
    """``RENAME COLUMN``: the stored name stays, by which files and clustering know it."""
    old = Metadata.of(into.snapshot)
    path = fields.stored_path(old.schema, action.path)
    _require_mapping(old, into, "renamed", path)
    schema = fields.renamed(old.schema, path, action.to)
    require_independent(into.snapshot, path, "renamed")
    _require_no_feed_column((*path[:-1], action.to), into)
    change = changed(
        into,
        schema,
        "RENAME COLUMN",
        {"oldColumnPath": ".".join(path), "newColumnPath": ".".join((*path[:-1], action.to))},
    )
    partitions = [action.to if (name,) == path else name for name in old.partition_columns]
    metadata = dataclasses.replace(change.metadata, partition_columns=tuple(partitions))
    return dataclasses.replace(change, metadata=metadata)


def columns_dropped(action: statements.DropColumns, into: Target) -> Change:
    """``DROP COLUMNS``: the files keep what they hold of them, unseen."""
    old = Metadata.of(into.snapshot)
    schema = old.schema
    gone = []
    for wanted in action.paths:
        try:
            path = fields.stored_path(schema, wanted)
        except ColumnNotFound:
            if action.if_exists:
                continue
            raise
        _require_mapping(old, into, "dropped", path)
        if path[0] in old.partition_columns:
            raise PlanError(f"`{path[0]}` can't be dropped: the table is partitioned by it")
        stored = stored_names(old, path)
        if any(column[: len(stored)] == stored for column in clustering_columns(into.snapshot)):
            message = f"`{'.'.join(path)}` can't be dropped: the table is clustered by it"
            raise PlanError(message, hint="ALTER TABLE … CLUSTER BY other columns, or NONE, first")
        require_independent(into.snapshot, path, "dropped")
        schema = fields.dropped(schema, path)
        gone.append(".".join(path))
    if {each["name"] for each in schema["fields"]} <= set(old.partition_columns):
        raise PlanError("a table needs a column that it isn't partitioned by")
    return changed(into, schema, "DROP COLUMNS", {"columns": gone})


def _require_mapping(old: Metadata, into: Target, verb: str, path: Names) -> None:
    if mapping(old.configuration) == "none":
        message = f"`{'.'.join(path)}` can't be {verb}: `{into.entry}` lacks the feature columnMapping"
        hint = "ALTER TABLE … SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') first"
        raise UnsupportedTableFeature(message, hint=hint)


# -- ALTER COLUMN


def column_altered(action: statements.AlterColumn, into: Target) -> Change:
    """``ALTER COLUMN``, of all but its values: those are looked at by the operation."""
    schema = Metadata.of(into.snapshot).schema
    change = action.change
    if isinstance(change, statements.SetType):
        return _retyped(action.path, change.type, into)
    path = fields.stored_path(schema, action.path)
    if isinstance(change, statements.SetPosition):
        made = fields.moved(schema, path, first=change.first, after=change.after)
    else:
        old = fields.find(schema, path)
        made = fields.changed(schema, path, **_values(old, change, path))
    return _told(into, path, made)


def commented(into: Target, path: Names, comment: str | None) -> Change:
    """The column or field at ``path`` with ``comment``, or without one."""
    schema = Metadata.of(into.snapshot).schema
    path = fields.stored_path(schema, path)
    old = fields.find(schema, path)
    return _told(into, path, fields.changed(schema, path, metadata=_with(old, COMMENT, comment)))


def _told(into: Target, path: Names, schema: dict[str, Any]) -> Change:
    parameters: dict[str, Any] = {"column": fields.find(schema, path)}
    if len(path) > 1:
        parameters["path"] = ".".join(path[:-1])
    return changed(into, schema, "CHANGE COLUMN", parameters)


def _values(old: Field, change: statements.ColumnChange, path: Names) -> dict[str, Any]:
    """What of a field becomes another."""
    match change:
        case statements.SetNotNull():
            return {"nullable": False}
        case statements.DropNotNull():
            return {"nullable": True}
        case statements.SetComment():
            return {"metadata": _with(old, COMMENT, change.text)}
        case statements.SetDefault():
            _require_own_value(old, path)
            return {"metadata": _with(old, fields.DEFAULT, change.value.sql)}
        case _:
            return {"metadata": _with(old, fields.DEFAULT, None)}


def _with(old: Field, key: str, value: str | None) -> dict[str, Any]:
    rest = {name: kept for name, kept in old["metadata"].items() if name != key}
    return rest if value is None else {**rest, key: value}


def _require_own_value(old: Field, path: Names) -> None:
    if len(path) > 1:
        raise PlanError(f"`{'.'.join(path)}` is a field of a column, which can't have a DEFAULT")
    if any(key == "delta.generationExpression" or key.startswith("delta.identity.") for key in old["metadata"]):
        raise PlanError(f"`{path[0]}` is made by the table itself, so it can't have a DEFAULT")


def _retyped(wanted: Names, type: statements.Type, into: Target) -> Change:
    """``TYPE``: the type is the same or wider, and the table allows it to be wider."""
    old = Metadata.of(into.snapshot)
    schema = old.schema
    path, rest = _nearest(schema, wanted)
    found = fields.find(schema, path)
    new = _inside(found["type"], rest, fields.type_json(parse_type(type.sql)))
    made = widened(found, new)
    length = char_length(type.sql)
    name = ".".join(wanted)
    if made is None or (not rest and not _fits_length(found["metadata"].get(_CHAR), length, found["type"])):
        message = f"`{name}` can't become {type.sql}: its files may hold what that can't"
        hint = "integers, FLOAT, DECIMAL and DATE can become wider ones; CREATE OR REPLACE TABLE … AS casts the rows"
        raise PlanError(message, hint=hint, span=type.span)
    if not rest:
        made = {**made, "metadata": _with(made, _CHAR, length)}
    if made["type"] != found["type"]:
        _require_widening(into, path, name)
    return _told(into, path, fields.changed(schema, path, **made))


def _require_widening(into: Target, path: Names, name: str) -> None:
    if into.snapshot.properties.get("delta.enableTypeWidening", "").lower() != "true":
        message = f"`{name}` can't become wider: `{into.entry}` lacks the feature typeWidening"
        hint = "ALTER TABLE … SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true') first"
        raise UnsupportedTableFeature(message, hint=hint)
    if path[0] in into.snapshot.partition_columns:
        raise UnsupportedTableFeature(f"`{name}` can't become wider: the table is partitioned by it")
    require_independent(into.snapshot, path, "made wider")


def _nearest(schema: dict[str, Any], wanted: Names) -> tuple[Names, Names]:
    """The path of the field that ``wanted`` leads to or into, and the way on inside arrays and maps."""
    stored = fields.stored_path(schema, wanted)
    for end in range(len(stored), 0, -1):
        if fields.is_field(schema, stored[:end]):
            return stored[:end], stored[end:]
    return stored, ()


_KEYS = {"element": "elementType", "key": "keyType", "value": "valueType"}


def _inside(type: Any, rest: Names, new: Any) -> Any:
    """``type`` with ``new`` in the place that ``rest`` leads to."""
    if not rest:
        return new
    key = _KEYS[rest[0]]
    return {**type, key: _inside(type[key], rest[1:], new)}


def _fits_length(old: str | None, new: str | None, type: Any) -> bool:
    """True if a string of the length ``old`` (``varchar(10)``) is one of the length ``new``; None has no end."""
    if new is None or type != "string":
        return True
    number = [int(text.partition("(")[2].rstrip(")")) for text in (old or "varchar(0)", new)]
    return old is not None and number[0] <= number[1] and old.partition("(")[0] == new.partition("(")[0]
