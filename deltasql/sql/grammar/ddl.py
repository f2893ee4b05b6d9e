"""CREATE TABLE and DROP TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import ColumnDefinition, CreateTable, DropTable


def parse_create_table(cursor: Cursor) -> CreateTable:
    """``CREATE [EXTERNAL] TABLE [IF NOT EXISTS] table [(column, …)] [clause …] [[AS] query]``

    A column is ``name type [NOT NULL] [COMMENT 'text']``. The clauses, in any order: ``USING DELTA``,
    ``PARTITIONED BY (name [type], …)`` (with a type, the column is added to the table's),
    ``LOCATION 'path'``, ``COMMENT 'text'``, ``TBLPROPERTIES (key = value, …)``. EXTERNAL needs a LOCATION.
    """
    cursor.expect("CREATE")
    external = cursor.take("EXTERNAL")
    cursor.expect("TABLE")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    statement = CreateTable(table=cursor.table(), if_not_exists=if_not_exists)
    _refuse_copies(cursor)
    if cursor.at("(") and not cursor.at_query():
        statement = replace(statement, columns=_columns(cursor))
    statement = _clauses(cursor, statement)
    if external and statement.location is None:
        cursor.fail("LOCATION, which an EXTERNAL table needs")
    if cursor.at("AS") or cursor.at_query():
        if statement.columns:
            cursor.refuse("CREATE TABLE … (columns) … AS query", hint="name and cast the columns in the query")
        cursor.take("AS")
        if not cursor.at_query():
            cursor.fail("a query")
        statement = replace(statement, query=cursor.rest("a query"))
    return statement


def _refuse_copies(cursor: Cursor) -> None:
    if cursor.at("LIKE"):
        cursor.refuse("CREATE TABLE … LIKE", hint="use `CREATE TABLE t AS SELECT * FROM s WHERE false`")
    for words in (("SHALLOW", "CLONE"), ("DEEP", "CLONE"), ("CLONE",)):
        if cursor.at(*words):
            cursor.refuse(f"CREATE TABLE … {' '.join(words)}", hint="use `CREATE TABLE t AS SELECT * FROM s`")


_TABLE_CONSTRAINTS = (("PRIMARY", "KEY"), ("FOREIGN", "KEY"), ("CHECK", "("), ("UNIQUE", "("))
_COLUMN_REFUSED = frozenset(
    {"DEFAULT", "GENERATED", "CHECK", "PRIMARY", "FOREIGN", "UNIQUE", "REFERENCES", "CONSTRAINT", "COLLATE", "MASK"}
)


def _columns(cursor: Cursor) -> tuple[ColumnDefinition, ...]:
    cursor.expect("(")
    found = []
    while True:
        _refuse_table_constraints(cursor)
        found.append(_column(cursor, cursor.name("a column")))
        if not cursor.take(","):
            break
    _close(cursor)
    return tuple(found)


def _refuse_table_constraints(cursor: Cursor) -> None:
    named = 2 if cursor.at("CONSTRAINT") else 0
    for words in _TABLE_CONSTRAINTS:
        if all((token := cursor.peek(named + i)) and token.upper == word for i, word in enumerate(words)):
            _refuse_clause(cursor, " ".join(words).removesuffix(" ("))


def _column(cursor: Cursor, name: str) -> ColumnDefinition:
    """The rest of ``name type [NOT NULL] [COMMENT 'text']``."""
    if cursor.at_any(_COLUMN_REFUSED) or cursor.at_any(("NOT", "NULL", "COMMENT")):
        cursor.fail("a type")
    column = ColumnDefinition(name, cursor.type())
    while True:
        if cursor.take("NOT", "NULL"):
            column = replace(column, nullable=False)
        elif cursor.take("COMMENT"):
            column = replace(column, comment=cursor.string())
        elif cursor.at_any(_COLUMN_REFUSED):
            _refuse_clause(cursor, _column_clause(cursor))
        elif not cursor.take("NULL"):
            return column


def _column_clause(cursor: Cursor) -> str:
    """The name of the clause of a column that starts here."""
    for words in (
        ("GENERATED", "ALWAYS", "AS", "IDENTITY"),
        ("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"),
        ("PRIMARY", "KEY"),
        ("FOREIGN", "KEY"),
    ):
        if cursor.at(*words):
            return " ".join(words)
    return cursor.here().of(cursor.sql).upper()


def _close(cursor: Cursor) -> None:
    if not cursor.take(")"):
        cursor.fail("`,` or `)`")


_Clause = Callable[[Cursor, CreateTable], CreateTable]


def _clauses(cursor: Cursor, statement: CreateTable) -> CreateTable:
    seen = set()
    while (token := cursor.peek()) is not None and token.upper in _CLAUSES:
        if token.upper in seen:
            cursor.fail(f"{token.upper} only once")
        seen.add(token.upper)
        cursor.advance()
        statement = _CLAUSES[token.upper](cursor, statement)
    for words in _CLAUSES_REFUSED:
        if cursor.at(*words):
            _refuse_clause(cursor, " ".join(words).removesuffix(" ("))
    return statement


def _using(cursor: Cursor, statement: CreateTable) -> CreateTable:
    span = cursor.here()
    provider = cursor.name("DELTA")
    if provider.lower() != "delta":
        hint = "every table is a Delta table: use `USING DELTA`, or nothing"
        cursor.refuse(f"CREATE TABLE … USING {provider}", hint=hint, span=span)
    return statement


def _partitioned_by(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("BY", "(")
    names: list[str] = []
    columns: list[ColumnDefinition] = []
    while True:
        names.append(cursor.name("a column"))
        if cursor.at("("):
            _refuse_clause(cursor, f"PARTITIONED BY {names[-1]}(…)")
        if not cursor.at_any((",", ")")):
            columns.append(_column(cursor, names[-1]))
        if not cursor.take(","):
            break
    _close(cursor)
    return replace(statement, partitioned_by=tuple(names), columns=statement.columns + tuple(columns))


def _location(cursor: Cursor, statement: CreateTable) -> CreateTable:
    return replace(statement, location=cursor.string("a path"))


def _comment(cursor: Cursor, statement: CreateTable) -> CreateTable:
    return replace(statement, comment=cursor.string())


def _properties(cursor: Cursor, statement: CreateTable) -> CreateTable:
    return replace(statement, properties=cursor.properties())


_CLAUSES: dict[str, _Clause] = {
    "USING": _using,
    "PARTITIONED": _partitioned_by,
    "LOCATION": _location,
    "COMMENT": _comment,
    "TBLPROPERTIES": _properties,
}
_CLAUSES_REFUSED = (
    ("CLUSTER", "BY"),
    ("CLUSTERED", "BY"),
    ("SORTED", "BY"),
    ("OPTIONS",),
    ("DEFAULT", "COLLATION"),
    ("STORED", "AS"),
    ("STORED", "BY"),
    ("ROW", "FORMAT"),
    ("WITH", "ROW", "FILTER"),
    ("WITH", "("),
)


def _refuse_clause(cursor: Cursor, clause: str) -> NoReturn:
    cursor.refuse(f"CREATE TABLE … {clause}")


def parse_drop_table(cursor: Cursor) -> DropTable:
    """``DROP TABLE [IF EXISTS] table [PURGE]``"""
    cursor.expect("DROP", "TABLE")
    if_exists = cursor.take("IF", "EXISTS")
    table = cursor.table()
    cursor.take("PURGE")
    return DropTable(table=table, if_exists=if_exists)
