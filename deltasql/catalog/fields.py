"""Edits of a Delta schema's JSON: pure functions, each of which gives another schema and leaves the one given alone.

Delta protocol, "Schema Serialization Format", "Column Mapping". A path names a column and the fields below it,
whatever their case; ``element``, ``key`` and ``value`` lead into arrays and maps, as in Spark.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import Schema

from deltasql.errors import AlreadyExists, ColumnNotFound, PlanError
from deltasql.names import did_you_mean, fold, match

Field = dict[str, Any]
Struct = dict[str, Any]
Type = str | dict[str, Any]
_Edit = Callable[[list[Field], int], list[Field]]

MAPPING_ID = "delta.columnMapping.id"
MAX_COLUMN_ID = "delta.columnMapping.maxColumnId"
PHYSICAL_NAME = "delta.columnMapping.physicalName"
TYPE_CHANGES = "delta.typeChanges"
DEFAULT = "CURRENT_DEFAULT"

_INSIDE = {"array": {"element": "elementType"}, "map": {"key": "keyType", "value": "valueType"}}


def field(name: str, type: Type, *, nullable: bool = True, metadata: Mapping[str, Any] | None = None) -> Field:
    """A column or a field of a struct."""
    return {"name": name, "type": type, "nullable": nullable, "metadata": dict(metadata or {})}


def struct(fields: Sequence[Field]) -> Struct:
    """A schema, or the type of a struct."""
    return {"type": "struct", "fields": list(fields)}


def type_json(type: pa.DataType) -> Type:
    """The Delta type of an Arrow type."""
    whole = json.loads(Schema.from_arrow(pa.schema([pa.field("", type)])).to_json())
    found: Type = whole["fields"][0]["type"]
    return found


# -- looking


def find(schema: Struct, path: Sequence[str]) -> Field:
    """The column or field at ``path``. Raises `ColumnNotFound`, or `PlanError` for an ambiguous name."""
    found: list[Field] = []

    def seen(fields: list[Field], at: int) -> list[Field]:
        found.append(fields[at])
        return fields

    _edited(schema, path, (), seen)
    return found[0]


def stored_path(schema: Struct, path: Sequence[str]) -> tuple[str, ...]:
    """``path`` in the spelling of the schema. Raises as `find`."""
    names = []
    for depth in range(1, len(path) + 1):
        if is_field(schema, path[:depth]):
            names.append(str(find(schema, path[:depth])["name"]))
        else:
            names.append(fold(path[depth - 1]))
    return tuple(names)


def is_field(schema: Struct, path: Sequence[str]) -> bool:
    """True unless ``path`` ends in the element of an array, or the key or value of a map."""
    if len(path) == 1:
        return True
    return _inside(type_at(schema, path[:-1]), path[-1]) is None


def type_at(schema: Struct, path: Sequence[str]) -> Type:
    """The type at ``path``, which may lead to the inside of an array or a map. Raises as `find`."""
    type: Type = schema
    for depth, name in enumerate(path):
        inside = _inside(type, name)
        if inside is not None and isinstance(type, dict):
            type = type[inside]
        else:
            fields = _fields(type, path[: depth + 1])
            type = fields[_index(fields, path[: depth + 1])]["type"]
    return type


def walk(type: Type) -> Iterator[Field]:
    """All fields at any depth, those of structs within arrays and maps too."""
    if isinstance(type, str):
        return
    for each in type.get("fields", ()):
        yield each
        yield from walk(each["type"])
    for key in ("elementType", "keyType", "valueType"):
        if key in type:
            yield from walk(type[key])


def _names_of_types(type: Type) -> Iterator[str]:
    if isinstance(type, str):
        yield type
        return
    inner = [each["type"] for each in type.get("fields", ())]
    for below in inner + [type[key] for key in ("elementType", "keyType", "valueType") if key in type]:
        yield from _names_of_types(below)


_BY_TYPE = {"timestamp_ntz": "timestampNtz", "variant": "variantType"}
_BY_METADATA = {
    DEFAULT: "allowColumnDefaults",
    "delta.generationExpression": "generatedColumns",
    "delta.identity.start": "identityColumns",
    "delta.invariants": "invariants",
    TYPE_CHANGES: "typeWidening",
}


def features_of(schema: Type) -> set[str]:
    """The table features that the types and the metadata of a schema need (Delta protocol, "Table Features").

    Column mapping isn't among them: its properties turn it on.
    """
    found = {_BY_TYPE[name] for name in _names_of_types(schema) if name in _BY_TYPE}
    return found | {_BY_METADATA[key] for each in walk(schema) for key in each["metadata"] if key in _BY_METADATA}


# -- edits


def added(schema: Struct, path: Sequence[str], new: Field, *, first: bool = False, after: str | None = None) -> Struct:
    """With the field ``new`` in the struct at ``path`` (empty: the table); at its end, ``first`` or ``after`` another.

    Raises `AlreadyExists`, `ColumnNotFound`, and `PlanError` where ``path`` is no struct.
    """

    def add(fields: list[Field]) -> list[Field]:
        taken = next((each["name"] for each in fields if fold(each["name"]) == fold(new["name"])), None)
        if taken is not None:
            raise AlreadyExists(f"there is a column `{'.'.join((*path, taken))}` already")
        at = 0 if first else len(fields) if after is None else _index(fields, (*path, after)) + 1
        return [*fields[:at], new, *fields[at:]]

    return _with_fields(schema, path, add)


def dropped(schema: Struct, path: Sequence[str]) -> Struct:
    """Without the field at ``path``. Raises as `find`, and `PlanError` for the last one of the table or a struct."""

    def drop(fields: list[Field], at: int) -> list[Field]:
        if len(fields) == 1:
            of = f"the struct `{'.'.join(path[:-1])}`" if len(path) > 1 else "the table"
            raise PlanError(f"`{'.'.join(path)}` is the only column of {of}")
        return fields[:at] + fields[at + 1 :]

    return _edited(schema, path, (), drop)


def renamed(schema: Struct, path: Sequence[str], name: str) -> Struct:
    """With the field at ``path`` called ``name``. Raises as `find`, and `AlreadyExists`."""

    def rename(fields: list[Field], at: int) -> list[Field]:
        for place, each in enumerate(fields):
            if place != at and fold(each["name"]) == fold(name):
                raise AlreadyExists(f"there is a column `{'.'.join((*path[:-1], each['name']))}` already")
        return [*fields[:at], {**fields[at], "name": name}, *fields[at + 1 :]]

    return _edited(schema, path, (), rename)


def changed(schema: Struct, path: Sequence[str], **values: Any) -> Struct:
    """With other ``type``, ``nullable`` or ``metadata`` for the field at ``path``. Raises as `find`."""

    def change(fields: list[Field], at: int) -> list[Field]:
        return [*fields[:at], {**fields[at], **values}, *fields[at + 1 :]]

    return _edited(schema, path, (), change)


def moved(schema: Struct, path: Sequence[str], *, first: bool = False, after: str | None = None) -> Struct:
    """With the field at ``path`` first among its siblings, or behind ``after``. Raises as `find`."""

    def move(fields: list[Field], at: int) -> list[Field]:
        rest = fields[:at] + fields[at + 1 :]
        if after is not None and fold(after) == fold(fields[at]["name"]):
            raise PlanError(f"`{'.'.join(path)}` can't stand behind itself")
        to = 0 if first or after is None else _index(rest, (*path[:-1], after)) + 1
        return [*rest[:to], fields[at], *rest[to:]]

    return _edited(schema, path, (), move)


def mapped(type: Type, last_id: int, *, fresh: bool) -> tuple[Any, int]:
    """With an id and a physical name for each field that has none, and the highest id after them.

    ``fresh``: the names are new ones, as for columns that are added; else they are the fields' own, by which the
    files that are there know them. Delta protocol, "Writer Requirements for Column Mapping".
    """
    if isinstance(type, str):
        return type, last_id
    made = dict(type)
    if "fields" in made:
        fields = []
        for each in made["fields"]:
            metadata = dict(each["metadata"])
            if MAPPING_ID not in metadata:
                last_id += 1
                metadata[MAPPING_ID] = last_id
            metadata.setdefault(PHYSICAL_NAME, f"col-{uuid.uuid4()}" if fresh else each["name"])
            below, last_id = mapped(each["type"], last_id, fresh=fresh)
            fields.append({**each, "type": below, "metadata": metadata})
        made["fields"] = fields
    for key in ("elementType", "keyType", "valueType"):
        if key in made:
            made[key], last_id = mapped(made[key], last_id, fresh=fresh)
    return made, last_id


def unmapped(type: Type) -> Any:
    """Without ids and physical names, which mean nothing as long as the table doesn't map its columns."""
    if isinstance(type, str):
        return type
    made = dict(type)
    if "fields" in made:
        made["fields"] = [{**each, "type": unmapped(each["type"]), "metadata": _plain(each)} for each in made["fields"]]
    for key in ("elementType", "keyType", "valueType"):
        if key in made:
            made[key] = unmapped(made[key])
    return made


def _plain(field: Field) -> dict[str, Any]:
    return {key: value for key, value in field["metadata"].items() if not key.startswith("delta.columnMapping.")}


# -- the way to a field


def _inside(type: Type, name: str) -> str | None:
    """The key of an array's or a map's type under which what ``name`` leads to is."""
    return None if isinstance(type, str) else _INSIDE.get(type["type"], {}).get(fold(name))


def _fields(type: Type, path: Sequence[str]) -> list[Field]:
    if isinstance(type, str) or "fields" not in type:
        above = ".".join(path[:-1])
        raise ColumnNotFound(f"there is no column `{'.'.join(path)}`", hint=f"`{above}` is no struct")
    return list(type["fields"])


def _index(fields: Sequence[Field], path: Sequence[str]) -> int:
    names = [str(each["name"]) for each in fields]
    found = match(path[-1], names, what="column")
    if found is None:
        raise ColumnNotFound(f"there is no column `{'.'.join(path)}`", hint=did_you_mean(path[-1], names))
    return names.index(found)


def _edited(type: Struct, path: Sequence[str], above: tuple[str, ...], edit: _Edit) -> Struct:
    """``type`` with ``edit`` applied to the fields of the struct that has the one at ``path``."""
    here = (*above, path[0])
    inside = _inside(type, path[0])
    if inside is not None:
        if len(path) == 1:
            raise PlanError(f"`{'.'.join(here)}` is no column, but the inside of one")
        return {**type, inside: _edited(type[inside], path[1:], here, edit)}
    fields = _fields(type, here)
    at = _index(fields, here)
    if len(path) == 1:
        return {**type, "fields": edit(fields, at)}
    fields[at] = {**fields[at], "type": _edited(fields[at]["type"], path[1:], here, edit)}
    return {**type, "fields": fields}


def _with_fields(type: Struct, path: Sequence[str], edit: Callable[[list[Field]], list[Field]]) -> Struct:
    """``type`` with ``edit`` applied to the fields of the struct at ``path``."""

    def below(type: Any, rest: Sequence[str]) -> Any:
        if not rest:
            if isinstance(type, str) or "fields" not in type:
                raise PlanError(f"`{'.'.join(path)}` is no struct, so no field can be added to it")
            return {**type, "fields": edit(list(type["fields"]))}
        inside = _inside(type, rest[0])
        if inside is not None:
            return {**type, inside: below(type[inside], rest[1:])}
        here = path[: len(path) - len(rest) + 1]
        fields = _fields(type, here)
        at = _index(fields, here)
        fields[at] = {**fields[at], "type": below(fields[at]["type"], rest[1:])}
        return {**type, "fields": fields}

    made: Struct = below(type, path)
    return made
