"""COMMENT ON."""

from __future__ import annotations

from deltasql.names import TableReference
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.schema import schema
from deltasql.sql.statements import CommentOn


def parse_comment_on(cursor: Cursor) -> CommentOn:
    """``COMMENT ON {TABLE table | VIEW view | COLUMN table.column | {SCHEMA | DATABASE} [catalog.]schema} IS {'text' |
    NULL}``

    A TABLE may be a view. A nested field's comment is set by ALTER TABLE … ALTER COLUMN.
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("COMMENT", "ON")
    is_view = cursor.take("VIEW")
    if is_view or cursor.take("TABLE"):
        table = cursor.table()
        span = table.span or cursor.here()
        return CommentOn(kind="view" if is_view else "table", table=table, span=span, comment=_text(cursor))
    if cursor.take("COLUMN"):
        table, column = _column(cursor)
        span = table.span or cursor.here()
        return CommentOn(kind="column", table=table, column=column, span=span, comment=_text(cursor))
    if cursor.take("SCHEMA") or cursor.take("DATABASE"):
        name, span = schema(cursor)
        return CommentOn(kind="schema", schema=name, span=span, comment=_text(cursor))
    if cursor.at_any(_REFUSED):
        cursor.refuse(f"COMMENT ON {cursor.here().of(cursor.sql).upper()}")
    return cursor.fail("TABLE, VIEW, COLUMN or SCHEMA")


_REFUSED = frozenset({"CATALOG", "FUNCTION", "VOLUME", "SHARE", "RECIPIENT", "CONNECTION", "PROVIDER", "INDEX"})


def _text(cursor: Cursor) -> str | None:
    cursor.expect("IS")
    return None if cursor.take("NULL") else cursor.string("a text, or NULL")


def _column(cursor: Cursor) -> tuple[TableReference, str]:
    """``table.column``: the last part is the column; the reference's place is that of both."""
    start, first = cursor.here().start, cursor.index
    parts = cursor.dotted("a table and its column")
    span = cursor.since(start).span
    if not 2 <= len(parts) <= 4:
        cursor.fail("a table, a dot and a column", span=span)
    exact = tuple(cursor.tokens[index].kind == "quoted" for index in range(first, cursor.index - 2, 2))
    if len(exact) == 2 and parts[0].lower() == "delta" and exact == (False, True):
        return TableReference(path=parts[1], span=span), parts[-1]
    return TableReference(parts=parts[:-1], exact=exact, span=span), parts[-1]
