"""DESCRIBE and SHOW."""

from __future__ import annotations

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.schema import schema
from deltasql.sql.statements import (
    DescribeDetail,
    DescribeHistory,
    DescribeSchema,
    DescribeTable,
    PartitionValue,
    ShowCatalogs,
    ShowColumns,
    ShowCreateTable,
    ShowFunctions,
    ShowOption,
    ShowPartitions,
    ShowProperties,
    ShowSchemas,
    ShowTables,
    ShowViews,
)


def parse_describe_history(cursor: Cursor) -> DescribeHistory:
    """``{DESCRIBE | DESC} HISTORY table [LIMIT number]``"""
    cursor.advance()
    cursor.expect("HISTORY")
    table = cursor.table()
    return DescribeHistory(table=table, limit=cursor.constant() if cursor.take("LIMIT") else None)


def parse_describe_detail(cursor: Cursor) -> DescribeDetail:
    """``{DESCRIBE | DESC} DETAIL table``"""
    cursor.advance()
    cursor.expect("DETAIL")
    return DescribeDetail(table=cursor.table())


def parse_describe_schema(cursor: Cursor) -> DescribeSchema:
    """``{DESCRIBE | DESC} {SCHEMA | DATABASE} [EXTENDED] [catalog.]schema``"""
    cursor.advance()
    cursor.advance()
    extended = _extended(cursor)
    name, span = schema(cursor)
    return DescribeSchema(name=name, span=span, extended=extended)


def parse_describe_table(cursor: Cursor) -> DescribeTable:
    """``{DESCRIBE | DESC} [TABLE] [EXTENDED | FORMATTED] table [AS JSON]``

    AS JSON says all that EXTENDED does, with or without it. A table whose name is one of these words is quoted, or has
    its schema before it.
    """
    cursor.advance()
    cursor.take("TABLE")
    if cursor.at_query():
        cursor.refuse("DESCRIBE QUERY")
    extended = _extended(cursor)
    table = cursor.table()
    if cursor.at("PARTITION"):
        cursor.refuse("DESCRIBE … PARTITION", hint="use `SHOW PARTITIONS table`")
    json = cursor.take("AS", "JSON")
    if (token := cursor.peek()) is not None and token.is_name:
        cursor.refuse("DESCRIBE of one column", hint=f"use `DESCRIBE {table}`")
    return DescribeTable(table=table, extended=extended, json=json)


def _extended(cursor: Cursor) -> bool:
    """Take EXTENDED or FORMATTED, which is the same, where it isn't itself the name."""
    behind = cursor.peek(1)
    if behind is None or not (behind.is_name or behind.kind == "string") or behind.upper == "AS":
        return False
    return cursor.take("EXTENDED") or cursor.take("FORMATTED")


def parse_show_tables(cursor: Cursor) -> ShowTables:
    """``SHOW TABLES [{IN | FROM} [catalog.]schema] [[LIKE] 'pattern']``"""
    cursor.expect("SHOW", "TABLES")
    return ShowTables(schema=_in_schema(cursor), pattern=_pattern(cursor))


def parse_show_views(cursor: Cursor) -> ShowViews:
    """``SHOW VIEWS [{IN | FROM} [catalog.]schema] [[LIKE] 'pattern']``"""
    cursor.expect("SHOW", "VIEWS")
    return ShowViews(schema=_in_schema(cursor), pattern=_pattern(cursor))


def _in_schema(cursor: Cursor) -> tuple[str, ...] | None:
    return schema(cursor)[0] if _take_in(cursor) else None


def _take_in(cursor: Cursor) -> bool:
    return cursor.take("IN") or cursor.take("FROM")


def parse_show_schemas(cursor: Cursor) -> ShowSchemas:
    """``SHOW {SCHEMAS | DATABASES} [{IN | FROM} catalog] [[LIKE] 'pattern']``"""
    cursor.expect("SHOW")
    cursor.advance()
    catalog = cursor.name("a catalog") if _take_in(cursor) else None
    return ShowSchemas(catalog=catalog, pattern=_pattern(cursor))


def parse_show_catalogs(cursor: Cursor) -> ShowCatalogs:
    """``SHOW CATALOGS [[LIKE] 'pattern']``"""
    cursor.expect("SHOW", "CATALOGS")
    return ShowCatalogs(pattern=_pattern(cursor))


def parse_show_functions(cursor: Cursor) -> ShowFunctions:
    """``SHOW FUNCTIONS [[LIKE] {'pattern' | name}]``"""
    cursor.expect("SHOW", "FUNCTIONS")
    if cursor.at_any(("IN", "FROM")):
        cursor.refuse("SHOW FUNCTIONS IN", hint="functions belong to no schema: leave it out")
    pattern = _pattern(cursor, or_name=True)
    return ShowFunctions(pattern=pattern)


def parse_show_columns(cursor: Cursor) -> ShowColumns:
    """``SHOW COLUMNS {IN | FROM} table [{IN | FROM} [catalog.]schema]``"""
    cursor.expect("SHOW", "COLUMNS")
    if not _take_in(cursor):
        cursor.fail("IN or FROM")
    table = cursor.table()
    if _take_in(cursor):
        table = _within(cursor, table)
    return ShowColumns(table=table)


def _within(cursor: Cursor, table: TableReference) -> TableReference:
    """``table`` in the schema that comes next; it mustn't name one itself."""
    start, first = cursor.here(), cursor.index
    parts, span = schema(cursor)
    if len(table.parts) != 1:
        cursor.fail("the schema only once", span=start)
    exact = tuple(cursor.tokens[index].kind == "quoted" for index in range(first, cursor.index, 2))
    whole = Span(table.span.start, span.end) if table.span is not None else span
    return TableReference(parts=(*parts, *table.parts), exact=(*exact, *table.exact), span=whole)


def parse_show_partitions(cursor: Cursor) -> ShowPartitions:
    """``SHOW PARTITIONS table [PARTITION (column = value, …)]``"""
    cursor.expect("SHOW", "PARTITIONS")
    table = cursor.table()
    if not cursor.take("PARTITION"):
        return ShowPartitions(table=table)
    cursor.expect("(")
    found = [_partition_value(cursor)]
    while cursor.take(","):
        found.append(_partition_value(cursor))
    cursor.expect(")")
    return ShowPartitions(table=table, partition=tuple(found))


def _partition_value(cursor: Cursor) -> PartitionValue:
    start = cursor.here().start
    column = cursor.name("a column")
    cursor.expect("=")
    value = cursor.until_closed(",")
    return PartitionValue(column, value, cursor.since(start).span)


def parse_show_properties(cursor: Cursor) -> ShowProperties:
    """``SHOW TBLPROPERTIES table [(key)]``

    A key is a string or a dotted name.
    """
    cursor.expect("SHOW", "TBLPROPERTIES")
    table = cursor.table()
    key = None
    if cursor.take("("):
        key = cursor.property_key()
        cursor.expect(")")
    return ShowProperties(table=table, key=key)


def parse_show_create_table(cursor: Cursor) -> ShowCreateTable:
    """``SHOW CREATE TABLE table``"""
    cursor.expect("SHOW", "CREATE", "TABLE")
    table = cursor.table()
    if cursor.at("AS", "SERDE"):
        cursor.refuse("SHOW CREATE TABLE … AS SERDE", hint="leave it out")
    return ShowCreateTable(table=table)


def parse_show_option(cursor: Cursor) -> ShowOption:
    """``SHOW {name | ALL}``"""
    cursor.expect("SHOW")
    if cursor.take("TIME", "ZONE"):
        return ShowOption(name="time_zone")
    name = cursor.dotted("TABLES, SCHEMAS, ALL or the name of a setting")
    return ShowOption(name=None if len(name) == 1 and name[0].upper() == "ALL" else ".".join(name))


def _pattern(cursor: Cursor, *, or_name: bool = False) -> str | None:
    """``[[LIKE] 'pattern']``"""
    token = cursor.peek()
    liked = cursor.take("LIKE")
    if or_name and (name := cursor.peek()) is not None and name.is_name:
        return cursor.name()
    return cursor.string("a pattern") if liked or (token is not None and token.kind == "string") else None
