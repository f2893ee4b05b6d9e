"""DESCRIBE: the columns of a table or view, and with EXTENDED all that is known of it; a schema."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from deltasql.catalog.catalog import PATH_SCHEMA, TableEntry
from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.fields import type_json
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.views import View
from deltasql.errors import Error, NotSupportedError
from deltasql.operations.operation import Rows
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.types import parse_type, spark_name
from deltasql.write.demands import default_of, generation_expression
from deltasql.write.identity import is_identity
from deltasql.write.source import CHAR_TYPE

_Row = tuple[str, str | None, str | None]
_COLUMNS = pa.schema([("col_name", pa.string()), ("data_type", pa.string()), ("comment", pa.string())])
_JSON = pa.schema([("json_metadata", pa.string())])
_SCHEMA = pa.schema([("info_name", pa.string()), ("info_value", pa.string())])
_EMPTY: _Row = ("", "", "")


def plan_table(statement: statements.DescribeTable, context: StatementContext) -> Rows:
    """``DESCRIBE [TABLE] [EXTENDED] table [AS JSON]``: a row per column, then partitioning, clustering and details.

    AS JSON gives one row with one JSON object in Spark's words.
    """
    frame = context.frame(statement.table)
    if frame is not None:
        if statement.json:
            raise NotSupportedError("DESCRIBE … AS JSON is for tables and views", span=statement.table.span)
        return Rows("DESCRIBE", lambda: _table(_described(field.remove_metadata()) for field in frame))
    found = context.named(context.session.catalog.travel(statement.table))
    if isinstance(found, View):
        view = found
        if statement.json:
            return Rows("DESCRIBE", lambda: _json(_view_object(view)))
        return Rows("DESCRIBE", lambda: _table(_view_rows(view, extended=statement.extended)))
    entry, snapshot = context.snapshot(statement.table)
    if statement.json:
        return Rows("DESCRIBE", lambda: _json(_table_object(entry, snapshot)))
    return Rows("DESCRIBE", lambda: _table(_table_rows(entry, snapshot, extended=statement.extended)))


def plan_schema(statement: statements.DescribeSchema, context: StatementContext) -> Rows:
    """``DESCRIBE {SCHEMA | DATABASE} [EXTENDED] [catalog.]schema``: Spark's info_name and info_value."""
    catalog = context.session.catalog
    try:
        name, schema = catalog.schema_of(statement.name)
    except Error as error:
        error.span = error.span or statement.span
        raise
    root = catalog.of(name)
    rows = {
        "Catalog Name": name,
        "Namespace Name": schema,
        "Comment": root.comment(schema) or "",
        "Location": str(root.place(schema)),
    }
    return Rows("DESCRIBE SCHEMA", lambda: pa.table([list(rows), list(rows.values())], schema=_SCHEMA))


def _table(rows: Iterable[_Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(_COLUMNS.names, row, strict=True)) for row in rows], schema=_COLUMNS)


def _json(found: Mapping[str, Any]) -> pa.Table:
    return pa.table([[json.dumps(found, ensure_ascii=False)]], schema=_JSON)


# -- a table


def _table_rows(entry: TableEntry, snapshot: Snapshot, *, extended: bool) -> list[_Row]:
    rows = {field.name: _described(field) for field in snapshot.schema}
    listed = list(rows.values())
    if snapshot.partition_columns:
        listed += _section("Partition Information", [rows[name] for name in snapshot.partition_columns])
    if clustering := clustered_by(snapshot):
        listed += _section("Clustering Information", [_described(_at(snapshot.schema, path)) for path in clustering])
    if not extended:
        return listed
    defaults = [(f.name, spark_name(f.type), text) for f in snapshot.schema if (text := default_of(f)) is not None]
    generated = [(f.name, spark_name(f.type), text) for f in snapshot.schema if (text := _generated(f)) is not None]
    listed += _section("Column Default Values", defaults, blank=True) if defaults else []
    listed += _section("Generated Columns", generated, blank=True) if generated else []
    facts = [*_place(entry), *_facts(entry, snapshot).items()]
    return [*listed, _EMPTY, ("# Detailed Table Information", "", ""), *((name, fact, "") for name, fact in facts)]


def _section(title: str, rows: Sequence[_Row], *, blank: bool = False) -> list[_Row]:
    head: list[_Row] = [(f"# {title}", "", ""), ("# col_name", "data_type", "comment")]
    return [*([_EMPTY] if blank else []), *head, *rows]


def _described(field: pa.Field) -> _Row:
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return field.name, metadata.get(CHAR_TYPE.decode(), spark_name(field.type)), metadata.get("comment")


def _at(schema: pa.Schema, path: Sequence[str]) -> pa.Field:
    """The field at ``path``, called by all of it."""
    found = schema.field(path[0])
    for name in path[1:]:
        found = found.type.field(name)
    return found.with_name(".".join(path))


def _generated(field: pa.Field) -> str | None:
    """What a column's values come from if a write doesn't give them, as CREATE TABLE would say it."""
    expression = generation_expression(field)
    if expression is not None:
        return f"GENERATED ALWAYS AS ({expression})"
    if not is_identity(field):
        return None
    said = {key.decode(): value.decode() for key, value in field.metadata.items()}
    how = "BY DEFAULT" if said.get("delta.identity.allowExplicitInsert", "").lower() == "true" else "ALWAYS"
    start, step = said["delta.identity.start"], said.get("delta.identity.step", "1")
    return f"GENERATED {how} AS IDENTITY (START WITH {start} INCREMENT BY {step})"


def _place(entry: TableEntry) -> list[tuple[str, str]]:
    if entry.schema == PATH_SCHEMA:
        return [("Table", str(entry))]
    return list(zip(("Catalog", "Database", "Table"), entry.parts, strict=True))


def _facts(entry: TableEntry, snapshot: Snapshot) -> dict[str, str]:
    metadata = Metadata.of(snapshot)
    made = _instant(metadata)
    facts = {
        "Created Time": "" if made is None else f"{made:%Y-%m-%d %H:%M:%S} UTC",
        "Type": _kind(entry),
        "Comment": metadata.description or "",
        "Location": str(entry.location),
        "Provider": "delta",
        "Table Properties": "[" + ",".join(f"{k}={v}" for k, v in sorted(metadata.configuration.items())) + "]",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _kind(entry: TableEntry) -> str:
    return "MANAGED" if entry.managed else "EXTERNAL"


def _instant(metadata: Metadata) -> dt.datetime | None:
    if metadata.created_time is None:
        return None
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=metadata.created_time)


def _table_object(entry: TableEntry, snapshot: Snapshot) -> dict[str, Any]:
    metadata = Metadata.of(snapshot)
    made = _instant(metadata)
    found: dict[str, Any] = {"table_name": entry.name}
    if entry.schema != PATH_SCHEMA:
        found |= _names(entry)
    found["columns"] = [_column(each) for each in metadata.schema["fields"]]
    if made is not None:
        found["created_time"] = f"{made:%Y-%m-%dT%H:%M:%SZ}"
    found |= {"type": _kind(entry), "provider": "delta", "location": str(entry.location)}
    if metadata.description:
        found["comment"] = metadata.description
    found["table_properties"] = dict(sorted(metadata.configuration.items()))
    if snapshot.partition_columns:
        found["partition_columns"] = list(snapshot.partition_columns)
    if clustering := clustered_by(snapshot):
        found["clustering_columns"] = [".".join(path) for path in clustering]
    return found


def _names(named: TableEntry | View) -> dict[str, Any]:
    catalog, schema, _ = named.parts
    return {"catalog_name": catalog, "namespace": [schema], "schema_name": schema}


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    metadata = field["metadata"]
    found = {"name": field["name"], "type": _type(field["type"])}
    if (char := metadata.get(CHAR_TYPE.decode())) is not None and field["type"] == "string":
        name, _, length = char.rstrip(")").partition("(")
        found["type"] = {"name": name, "length": int(length)}
    if "comment" in metadata:
        found["comment"] = metadata["comment"]
    found["nullable"] = field["nullable"]
    for key, shown in _SAID.items():
        if key in metadata:
            found[shown] = metadata[key]
    return found


_SAID = {"CURRENT_DEFAULT": "default", "delta.generationExpression": "generation_expression"}
_SPARK = {
    "byte": "tinyint",
    "integer": "int",
    "long": "bigint",
    "short": "smallint",
    "timestamp": "timestamp_ltz",
}


def _type(type: Any) -> dict[str, Any]:
    """A Delta type in the words of Spark's AS JSON."""
    if isinstance(type, str):
        if type.startswith("decimal("):
            precision, scale = type[len("decimal(") : -1].split(",")
            return {"name": "decimal", "precision": int(precision), "scale": int(scale)}
        return {"name": _SPARK.get(type, type)}
    if type["type"] == "array":
        inside = {"element_type": _type(type["elementType"]), "element_nullable": type["containsNull"]}
        return {"name": "array", **inside}
    if type["type"] == "map":
        inside = {"key_type": _type(type["keyType"]), "value_type": _type(type["valueType"])}
        return {"name": "map", **inside, "value_nullable": type["valueContainsNull"]}
    return {"name": "struct", "fields": [_column(each) for each in type["fields"]]}


# -- a view


def _view_rows(view: View, *, extended: bool) -> list[_Row]:
    listed: list[_Row] = [(column.name, _of_view(column.type), column.comment) for column in view.columns]
    if not extended:
        return listed
    places = [] if view.temporary else list(zip(("Catalog", "Database"), view.parts[:2], strict=True))
    facts = [*places, ("Table", view.name), ("Type", "VIEW"), ("Comment", view.comment or "")]
    facts += [("View Text", view.query), ("View Catalog and Namespace", f"{view.home.catalog}.{view.home.schema}")]
    head: list[_Row] = [_EMPTY, ("# Detailed Table Information", "", "")]
    return [*listed, *head, *((name, fact, "") for name, fact in facts if fact)]


def _of_view(type: str) -> str:
    """Spark's name for the type of a view's column, which is kept in SQL's words."""
    try:
        return spark_name(parse_type(type))
    except Error:
        return type.lower()


def _view_object(view: View) -> dict[str, Any]:
    columns = []
    for column in view.columns:
        try:
            type = _type(type_json(parse_type(column.type)))
        except NotSupportedError:
            type = {"name": column.type.lower()}
        comment = {} if column.comment is None else {"comment": column.comment}
        columns.append({"name": column.name, "type": type, **comment, "nullable": True})
    found: dict[str, Any] = {"table_name": view.name}
    found |= {} if view.temporary else _names(view)
    found |= {"columns": columns, "type": "VIEW"}
    if view.comment:
        found["comment"] = view.comment
    return found | {"view_text": view.query, "view_catalog_and_namespace": f"{view.home.catalog}.{view.home.schema}"}
