"""INSERT, UPDATE, DELETE."""

from __future__ import annotations

from deltasql.errors import Span
from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import Assignment, Delete, Fragment, Insert, Update

_Defaults = tuple[tuple[int, int, Span], ...]


def parse_insert(cursor: Cursor) -> Insert:
    """``INSERT INTO [TABLE] table [(column, …)] [BY NAME] {query | VALUES (value | DEFAULT, …), …}``"""
    cursor.expect("INSERT")
    _refuse_other_inserts(cursor)
    cursor.expect("INTO")
    cursor.take("TABLE")
    table = cursor.table()
    if cursor.at("PARTITION"):
        cursor.refuse("INSERT … PARTITION", hint="give the partition's value in the query")
    columns = cursor.names() if cursor.at("(") and not cursor.at_query() else None
    by_name = _by_name(cursor, columns)
    _refuse_other_sources(cursor)
    if not cursor.at_query():
        cursor.fail("a query or VALUES")
    source, defaults = _source(cursor)
    return Insert(table=table, columns=columns, source=source, by_name=by_name, defaults=defaults)


def _refuse_other_inserts(cursor: Cursor) -> None:
    if cursor.at("OVERWRITE"):
        directory = cursor.at("OVERWRITE", "DIRECTORY") or cursor.at("OVERWRITE", "LOCAL", "DIRECTORY")
        cursor.refuse("INSERT OVERWRITE DIRECTORY" if directory else "INSERT OVERWRITE")
    if cursor.at("WITH", "SCHEMA", "EVOLUTION"):
        cursor.refuse("INSERT WITH SCHEMA EVOLUTION")
    if cursor.at("OR") and (action := cursor.peek(1)) is not None:
        cursor.refuse(f"INSERT OR {action.upper}")


def _by_name(cursor: Cursor, columns: tuple[str, ...] | None) -> bool:
    """Take ``BY NAME``, which needs a source that has names, and no list of others."""
    if cursor.at("BY", "POSITION"):
        cursor.refuse("INSERT … BY POSITION", hint="leave it out: values go by position")
    if not cursor.at("BY", "NAME"):
        return False
    if columns is not None:
        cursor.refuse("INSERT … (columns) BY NAME", hint="leave out one of the two")
    cursor.expect("BY", "NAME")
    if cursor.at("VALUES"):
        cursor.refuse("INSERT … BY NAME VALUES", hint="name the columns: `INSERT INTO table (a, b) VALUES …`")
    return True


def _refuse_other_sources(cursor: Cursor) -> None:
    if cursor.at("REPLACE") and (kind := cursor.peek(1)) is not None:
        cursor.refuse(f"INSERT … REPLACE {kind.upper}")
    if cursor.at("DEFAULT", "VALUES"):
        cursor.refuse("INSERT … DEFAULT VALUES", hint="use `VALUES (DEFAULT, …)`")


def _source(cursor: Cursor) -> tuple[Fragment, _Defaults]:
    if not cursor.at("VALUES"):
        return cursor.rest("a query"), ()
    start = cursor.here().start
    defaults = _values(cursor)
    if cursor.at("ON", "CONFLICT"):
        cursor.refuse("INSERT … ON CONFLICT")
    if cursor.at("RETURNING"):
        cursor.refuse("INSERT … RETURNING")
    if not cursor.at_end():
        cursor.rest("a query")
    span = Span(start, _end(cursor))
    return Fragment(span.of(cursor.sql), span), defaults


def _values(cursor: Cursor) -> _Defaults:
    """Step over ``VALUES (…), …``; where DEFAULT stands in it."""
    cursor.expect("VALUES")
    found: list[tuple[int, int, Span]] = []
    row = 0
    while cursor.take("("):
        column = 0
        while True:
            if cursor.at("DEFAULT", ",") or cursor.at("DEFAULT", ")"):
                found.append((row, column, cursor.advance().span))
            else:
                cursor.until_closed(",")
            if not cursor.take(","):
                break
            column += 1
        cursor.expect(")")
        row += 1
        if not cursor.take(","):
            break
    return tuple(found)


def parse_delete(cursor: Cursor) -> Delete:
    """``DELETE [FROM] table [[AS] alias] [WHERE predicate]``"""
    cursor.expect("DELETE")
    cursor.take("FROM")
    table = cursor.table()
    alias = _alias(cursor, ("WHERE", "USING", "RETURNING", "ORDER", "LIMIT"))
    if cursor.at("USING"):
        cursor.refuse("DELETE … USING")
    return Delete(table=table, alias=alias, where=_where(cursor, "DELETE"))


def parse_update(cursor: Cursor) -> Update:
    """``UPDATE table [[AS] alias] SET column = {value | DEFAULT}, … [WHERE predicate]``"""
    cursor.expect("UPDATE")
    table = cursor.table()
    alias = _alias(cursor, ("SET",))
    cursor.expect("SET")
    if cursor.at("("):
        cursor.refuse("UPDATE … SET (columns)", hint="set one column after another: `SET a = …, b = …`")
    assignments = [_assignment(cursor)]
    while cursor.take(","):
        assignments.append(_assignment(cursor))
    if cursor.at("FROM"):
        cursor.refuse("UPDATE … FROM")
    return Update(table=table, assignments=tuple(assignments), alias=alias, where=_where(cursor, "UPDATE"))


def _assignment(cursor: Cursor) -> Assignment:
    start = cursor.here().start
    column = cursor.dotted("a column")
    cursor.expect("=")
    value = _value(cursor)
    is_default = value.sql.upper() == "DEFAULT"
    return Assignment(column, None if is_default else value, Span(start, value.span.end))


def _value(cursor: Cursor) -> Fragment:
    start = cursor.here().start
    cursor.until_closed(",", "WHERE", "FROM", "RETURNING")
    while cursor.at("FROM") and (before := cursor.peek(-1)) is not None and before.upper == "DISTINCT":
        cursor.advance()
        cursor.until_closed(",", "WHERE", "FROM", "RETURNING")
    span = Span(start, _end(cursor))
    return Fragment(span.of(cursor.sql), span)


def _where(cursor: Cursor, statement: str) -> Fragment | None:
    where = cursor.until_closed("RETURNING", "ORDER", "LIMIT") if cursor.take("WHERE") else None
    if cursor.at("RETURNING"):
        cursor.refuse(f"{statement} … RETURNING")
    return where


def _alias(cursor: Cursor, stops: tuple[str, ...]) -> str | None:
    if cursor.take("AS"):
        return cursor.name("an alias")
    token = cursor.peek()
    return cursor.name() if token is not None and token.is_name and token.upper not in stops else None


def _end(cursor: Cursor) -> int:
    """The end of what has been read."""
    return cursor.tokens[cursor.index - 1].span.end
