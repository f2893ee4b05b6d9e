"""DESCRIBE and SHOW."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import DescribeHistory, DescribeTable, ShowOption, ShowSchemas, ShowTables


def parse_describe_history(cursor: Cursor) -> DescribeHistory:
    """``{DESCRIBE | DESC} HISTORY table [LIMIT number]``"""
    cursor.advance()
    cursor.expect("HISTORY")
    table = cursor.table()
    return DescribeHistory(table=table, limit=cursor.constant() if cursor.take("LIMIT") else None)


def parse_describe_table(cursor: Cursor) -> DescribeTable:
    """``{DESCRIBE | DESC} [TABLE] table``"""
    cursor.advance()
    cursor.take("TABLE")
    if cursor.at_query():
        cursor.refuse("DESCRIBE QUERY")
    table = cursor.table()
    if cursor.at("PARTITION"):
        cursor.refuse("DESCRIBE … PARTITION")
    if cursor.at("AS", "JSON"):
        cursor.refuse("DESCRIBE … AS JSON")
    if (token := cursor.peek()) is not None and token.is_name:
        cursor.refuse("DESCRIBE of one column", hint=f"use `DESCRIBE {table}`")
    return DescribeTable(table=table)


def parse_show_tables(cursor: Cursor) -> ShowTables:
    """``SHOW TABLES [{IN | FROM} schema] [[LIKE] 'pattern']``"""
    cursor.expect("SHOW", "TABLES")
    schema = cursor.dotted("a schema") if cursor.take("IN") or cursor.take("FROM") else None
    return ShowTables(schema=schema, pattern=_pattern(cursor))


def parse_show_schemas(cursor: Cursor) -> ShowSchemas:
    """``SHOW {SCHEMAS | DATABASES} [[LIKE] 'pattern']``"""
    cursor.expect("SHOW")
    cursor.advance()
    if cursor.at_any(("IN", "FROM")):
        cursor.refuse("SHOW SCHEMAS IN")
    return ShowSchemas(pattern=_pattern(cursor))


def parse_show_option(cursor: Cursor) -> ShowOption:
    """``SHOW {name | ALL}``"""
    cursor.expect("SHOW")
    if cursor.take("TIME", "ZONE"):
        return ShowOption(name="time_zone")
    name = cursor.dotted("TABLES, SCHEMAS, ALL or the name of a setting")
    return ShowOption(name=None if len(name) == 1 and name[0].upper() == "ALL" else ".".join(name))


def _pattern(cursor: Cursor) -> str | None:
    token = cursor.peek()
    liked = cursor.take("LIKE")
    return cursor.string("a pattern") if liked or (token is not None and token.kind == "string") else None
