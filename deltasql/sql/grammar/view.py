"""CREATE VIEW and DROP VIEW."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import CreateView, DropView


def parse_create_view(cursor: Cursor) -> CreateView:
    """``CREATE [OR REPLACE] [TEMPORARY | TEMP] VIEW [IF NOT EXISTS] view [(column [COMMENT 'text'], …)]
    [COMMENT 'text'] AS query``
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("CREATE")
    replace = cursor.take("OR", "REPLACE")
    temporary = cursor.take("TEMPORARY") or cursor.take("TEMP")
    cursor.expect("VIEW")
    if replace and cursor.at("IF", "NOT", "EXISTS"):
        cursor.fail("OR REPLACE or IF NOT EXISTS, not both")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    view = cursor.table()
    columns = _columns(cursor) if cursor.at("(") and not cursor.at_query() else ()
    comment = cursor.string() if cursor.take("COMMENT") else None
    for words, hint in _REFUSED.items():
        if cursor.at(*words):
            cursor.refuse(f"CREATE VIEW … {' '.join(words).removesuffix(' (')}", hint=hint)
    cursor.expect("AS")
    if not cursor.at_query():
        cursor.fail("a query")
    return CreateView(
        view=view,
        query=cursor.rest("a query"),
        columns=columns,
        replace=replace,
        temporary=temporary,
        if_not_exists=if_not_exists,
        comment=comment,
    )


def _columns(cursor: Cursor) -> tuple[tuple[str, str | None], ...]:
    cursor.expect("(")
    found = [_column(cursor)]
    while cursor.take(","):
        found.append(_column(cursor))
    if not cursor.take(")"):
        cursor.fail("`,` or `)`")
    return tuple(found)


def _column(cursor: Cursor) -> tuple[str, str | None]:
    name = cursor.name("a column")
    return name, cursor.string() if cursor.take("COMMENT") else None


_REFUSED: dict[tuple[str, ...], str | None] = {
    ("TBLPROPERTIES",): "leave it out",
    ("SCHEMA",): "leave it out: a view's columns are found anew by each query",
    ("WITH", "SCHEMA"): "leave it out: a view's columns are found anew by each query",
    ("WITH", "METRICS"): None,
    ("DEFAULT", "COLLATION"): None,
    ("USING",): "use `AS SELECT * FROM read_parquet('path')`, `read_csv` or `read_json`",
    ("OPTIONS",): None,
}


def parse_drop_view(cursor: Cursor) -> DropView:
    """``DROP VIEW [IF EXISTS] view``"""
    cursor.expect("DROP", "VIEW")
    if_exists = cursor.take("IF", "EXISTS")
    return DropView(view=cursor.table(), if_exists=if_exists)
