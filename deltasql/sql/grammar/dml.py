"""UPDATE, DELETE, TRUNCATE, and the assignments that UPDATE and MERGE share."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import Assignment, Delete, Fragment, Truncate, Update

CLAUSES = (
    *("RETURNING", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT"),
    *("FETCH", "MINUS", "OFFSET", "QUALIFY", "WINDOW"),
)
"""What no tables and no predicate hold: it belongs to a query, and pasted into one it would change its meaning."""


def parse_delete(cursor: Cursor) -> Delete:
    """``DELETE [FROM] table [[AS] alias] [WHERE predicate]``"""
    cursor.expect("DELETE")
    cursor.take("FROM")
    table = cursor.table()
    alias = cursor.alias("WHERE", "USING", *CLAUSES)
    if cursor.at("USING"):
        cursor.refuse("DELETE … USING", hint="use `WHERE EXISTS (SELECT 1 FROM other WHERE other.a = table.a)`")
    return Delete(table=table, alias=alias, where=_where(cursor, "DELETE"))


def parse_update(cursor: Cursor) -> Update:
    """``UPDATE table [[AS] alias] SET column = {value | DEFAULT}, … [FROM tables] [WHERE predicate]``"""
    cursor.expect("UPDATE")
    table = cursor.table()
    alias = cursor.alias("SET")
    cursor.expect("SET")
    found = assignments(cursor, "UPDATE", "WHERE", "FROM", "RETURNING")
    from_ = cursor.until_closed("WHERE", *CLAUSES, what="a table") if cursor.take("FROM") else None
    return Update(table=table, assignments=found, alias=alias, from_=from_, where=_where(cursor, "UPDATE"))


def parse_truncate(cursor: Cursor) -> Truncate:
    """``TRUNCATE [TABLE] table``"""
    cursor.expect("TRUNCATE")
    cursor.take("TABLE")
    table = cursor.table()
    if cursor.at("PARTITION"):
        cursor.refuse("TRUNCATE … PARTITION", hint="use `DELETE FROM table WHERE column = value`")
    return Truncate(table=table)


def assignments(cursor: Cursor, statement: str, *stops: str) -> tuple[Assignment, ...]:
    """``column = {value | DEFAULT}, …`` up to one of the words ``stops``."""
    if cursor.at("("):
        cursor.refuse(f"{statement} … SET (columns)", hint="set one column after another: `SET a = …, b = …`")
    found = [_assignment(cursor, stops)]
    while cursor.take(","):
        found.append(_assignment(cursor, stops))
    return tuple(found)


def _assignment(cursor: Cursor, stops: tuple[str, ...]) -> Assignment:
    start = cursor.here().start
    column = cursor.dotted("a column")
    cursor.expect("=")
    value = value_or_default(cursor, *stops)
    return Assignment(column, value, cursor.since(start).span)


def value_or_default(cursor: Cursor, *stops: str) -> Fragment | None:
    """An expression, which ends at a comma or one of the words ``stops``; None for the word DEFAULT."""
    value = cursor.until_closed(",", *stops)
    return None if value.sql.upper() == "DEFAULT" else value


def _where(cursor: Cursor, statement: str) -> Fragment | None:
    where = cursor.until_closed(*CLAUSES) if cursor.take("WHERE") else None
    if cursor.at("RETURNING"):
        cursor.refuse(f"{statement} … RETURNING")
    return where
