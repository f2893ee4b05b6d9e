"""CREATE TABLE, with a schema, from a query, like another table or as its clone; DROP TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.columns import at_constraint, clustering, column, constraint, definition
from deltasql.sql.statements import CloneTable, ColumnDefinition, Constraint, CreateTable, DropTable

_CREATE = "CREATE TABLE"


def parse_create_table(cursor: Cursor) -> CreateTable | CloneTable:
    """``{CREATE [OR REPLACE] | REPLACE} [EXTERNAL] TABLE [IF NOT EXISTS] table {[(column, …)] [clause …] [[AS] query] |
    LIKE table [clause …] | [SHALLOW | DEEP] CLONE table [LOCATION 'path'] [TBLPROPERTIES (key = value, …)]}``

    A column is ``name type [NOT NULL] [DEFAULT value | GENERATED ALWAYS AS (expression) | GENERATED {ALWAYS | BY
    DEFAULT} AS IDENTITY [(START WITH n INCREMENT BY n)]] [COMMENT 'text']``; behind them, ``CONSTRAINT name CHECK
    (expression)`` may stand. The clauses, in any order: ``USING DELTA``, ``PARTITIONED BY (name [type], …)`` (with a
    type, the column is added to the table's), ``CLUSTER BY {(column, …) | NONE}``, ``LOCATION 'path'``,
    ``COMMENT 'text'``, ``TBLPROPERTIES (key = value, …)``. EXTERNAL needs a LOCATION. The table of LIKE or CLONE may
    have its version or time behind it.
    """  # noqa: D205 (the grammar is longer than a line)
    create = cursor.take("CREATE")
    replace_ = not create or cursor.take("OR")
    if replace_:
        cursor.expect("REPLACE")
    external = cursor.take("EXTERNAL")
    cursor.expect("TABLE")
    if replace_ and cursor.at("IF", "NOT", "EXISTS"):
        cursor.fail("REPLACE or IF NOT EXISTS, not both")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    head = CreateTable(table=cursor.table(), replace=replace_, must_exist=not create, if_not_exists=if_not_exists)
    statement = _clone(cursor, head) if _at_clone(cursor) else _table(cursor, head)
    if external and statement.location is None:
        cursor.fail("LOCATION, which an EXTERNAL table needs")
    return statement


def _at_clone(cursor: Cursor) -> bool:
    return cursor.at("CLONE") or cursor.at("SHALLOW", "CLONE") or cursor.at("DEEP", "CLONE")


def _clone(cursor: Cursor, head: CreateTable) -> CloneTable:
    """``[SHALLOW | DEEP] CLONE table [TBLPROPERTIES (…)] [LOCATION 'path']``"""
    shallow = cursor.take("SHALLOW")
    cursor.take("DEEP")
    cursor.expect("CLONE")
    source = cursor.table(as_of=True)
    head = _clauses(cursor, head, ("TBLPROPERTIES", "LOCATION"))
    return CloneTable(
        table=head.table,
        source=source,
        shallow=shallow,
        replace=head.replace,
        must_exist=head.must_exist,
        if_not_exists=head.if_not_exists,
        location=head.location,
        properties=head.properties,
    )


def _table(cursor: Cursor, statement: CreateTable) -> CreateTable:
    if cursor.take("LIKE"):
        statement = replace(statement, like=cursor.table(as_of=True))
        return _clauses(cursor, statement, ("USING", "TBLPROPERTIES", "LOCATION", "COMMENT"))
    if cursor.at("(") and not cursor.at_query():
        columns, constraints = _columns(cursor)
        statement = replace(statement, columns=columns, constraints=constraints)
    statement = _clauses(cursor, statement, tuple(_CLAUSES))
    if cursor.at("AS") or cursor.at_query():
        if statement.columns:
            cursor.refuse("CREATE TABLE … (columns) … AS query", hint="name and cast the columns in the query")
        cursor.take("AS")
        if not cursor.at_query():
            cursor.fail("a query")
        statement = replace(statement, query=cursor.rest("a query"))
    return statement


def _columns(cursor: Cursor) -> tuple[tuple[ColumnDefinition, ...], tuple[Constraint, ...]]:
    cursor.expect("(")
    columns: list[ColumnDefinition] = []
    constraints: list[Constraint] = []
    while True:
        if at_constraint(cursor):
            constraints.append(constraint(cursor, _CREATE))
        else:
            columns.append(column(cursor, _CREATE))
        if not cursor.take(","):
            break
    if not columns:
        cursor.fail("a column")
    _close(cursor)
    return tuple(columns), tuple(constraints)


def _close(cursor: Cursor) -> None:
    if not cursor.take(")"):
        cursor.fail("`,` or `)`")


_Clause = Callable[[Cursor, CreateTable], CreateTable]


def _clauses(cursor: Cursor, statement: CreateTable, allowed: tuple[str, ...]) -> CreateTable:
    seen: set[str] = set()
    while (token := cursor.peek()) is not None and token.upper in allowed:
        if token.upper in seen:
            cursor.fail(f"{token.upper} only once")
        if {token.upper, *seen} >= {"PARTITIONED", "CLUSTER"}:
            cursor.fail("PARTITIONED BY or CLUSTER BY, not both")
        seen.add(token.upper)
        statement = _CLAUSES[token.upper](cursor, statement)
    for words, hint in _CLAUSES_REFUSED.items():
        if cursor.at(*words):
            cursor.refuse(f"CREATE TABLE … {' '.join(words).removesuffix(' (')}", hint=hint)
    return statement


def _using(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("USING")
    span = cursor.here()
    provider = cursor.name("DELTA")
    if provider.lower() != "delta":
        hint = "every table is a Delta table: use `USING DELTA`, or nothing"
        cursor.refuse(f"CREATE TABLE … USING {provider}", hint=hint, span=span)
    return statement


def _partitioned_by(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("PARTITIONED")
    names, columns = partitioned_by(cursor, _CREATE)
    return replace(statement, partitioned_by=names, columns=statement.columns + columns)


def partitioned_by(cursor: Cursor, statement: str) -> tuple[tuple[str, ...], tuple[ColumnDefinition, ...]]:
    """``BY (name [type …], …)``: the names of all, and the definitions of those that have a type."""
    cursor.expect("BY", "(")
    names: list[str] = []
    columns: list[ColumnDefinition] = []
    while True:
        start = cursor.here()
        names.append(cursor.name("a column"))
        if cursor.at("("):
            hint = "partition by a generated column: `d DATE GENERATED ALWAYS AS (CAST(ts AS DATE))`"
            cursor.refuse(f"{statement} … PARTITIONED BY {names[-1]}(…)", hint=hint, span=start)
        if not cursor.at_any((",", ")")):
            columns.append(definition(cursor, statement, names[-1], start.start))
        if not cursor.take(","):
            break
    _close(cursor)
    return tuple(names), tuple(columns)


def _cluster_by(cursor: Cursor, statement: CreateTable) -> CreateTable:
    return replace(statement, cluster_by=clustering(cursor, _CREATE))


def _location(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("LOCATION")
    return replace(statement, location=cursor.string("a path"))


def _comment(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("COMMENT")
    return replace(statement, comment=cursor.string())


def _properties(cursor: Cursor, statement: CreateTable) -> CreateTable:
    cursor.expect("TBLPROPERTIES")
    return replace(statement, properties=cursor.properties())


_CLAUSES: dict[str, _Clause] = {
    "USING": _using,
    "PARTITIONED": _partitioned_by,
    "CLUSTER": _cluster_by,
    "LOCATION": _location,
    "COMMENT": _comment,
    "TBLPROPERTIES": _properties,
}
_PARQUET = "every table is a Delta table, whose files are Parquet"
_CLAUSES_REFUSED: dict[tuple[str, ...], str | None] = {
    ("PARTITION", "BY"): "use `PARTITIONED BY (…)`",
    ("CLUSTERED", "BY"): "use `CLUSTER BY (…)`",
    ("SORTED", "BY"): "use `CLUSTER BY (…)`",
    ("OPTIONS",): "use `TBLPROPERTIES (key = value)`",
    ("DEFAULT", "COLLATION"): "strings are compared byte by byte",
    ("STORED", "AS"): _PARQUET,
    ("STORED", "BY"): _PARQUET,
    ("ROW", "FORMAT"): _PARQUET,
    ("WITH", "ROW", "FILTER"): "make a view that shows what may be seen",
    ("WITH", "("): "use `TBLPROPERTIES (key = value)`",
}


def parse_drop_table(cursor: Cursor) -> DropTable:
    """``DROP TABLE [IF EXISTS] table [PURGE]``"""
    cursor.expect("DROP", "TABLE")
    if_exists = cursor.take("IF", "EXISTS")
    table = cursor.table()
    cursor.take("PURGE")
    return DropTable(table=table, if_exists=if_exists)
