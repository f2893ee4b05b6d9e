"""COPY: files into a table, each once, and a query's rows into files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import CopyInto, CopyTo, Fragment, Options

_FORMATS = ("csv", "json", "parquet")


def parse_copy_into(cursor: Cursor) -> CopyInto:
    """``COPY INTO table [(column, …)] FROM {'path' | (SELECT expression, … FROM 'path')} FILEFORMAT = {PARQUET | CSV |
    JSON} [FILES = ('file', …) | PATTERN = 'glob'] [FORMAT_OPTIONS (key = value, …)] [COPY_OPTIONS (key = value, …)]``

    The clauses behind the path may come in any order.
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("COPY", "INTO")
    table = cursor.table()
    if cursor.at("BY", "POSITION"):
        cursor.refuse("COPY INTO … BY POSITION", hint="name the columns: `COPY INTO table (a, b) FROM …`")
    columns = cursor.names() if cursor.at("(") else None
    cursor.expect("FROM")
    path, select = _selected(cursor) if cursor.at("(") else (_path(cursor), None)
    statement = CopyInto(table=table, columns=columns, path=path, select=select, format="")
    statement = _clauses(cursor, statement)
    if not statement.format:
        cursor.fail("FILEFORMAT")
    return statement


def _path(cursor: Cursor) -> str:
    path = cursor.string("a path in quotes")
    if cursor.at("WITH", "("):
        cursor.refuse("COPY INTO … WITH (CREDENTIAL)", hint="give `storage_options` to `connect()`")
    return path


def _selected(cursor: Cursor) -> tuple[str, Fragment]:
    """``(SELECT expression, … FROM 'path')``: the path, and the expressions."""
    cursor.expect("(", "SELECT")
    if cursor.at("DISTINCT"):
        cursor.refuse("COPY INTO … SELECT DISTINCT")
    select = cursor.until_closed("FROM")
    cursor.expect("FROM")
    path = _path(cursor)
    if not cursor.at(")"):
        hint = "expressions over one path are all that it takes: put the rest into `INSERT INTO table SELECT …`"
        cursor.fail(")", hint=hint)
    cursor.expect(")")
    return path, select


_Clause = Callable[[Cursor, CopyInto], CopyInto]


def _clauses(cursor: Cursor, statement: CopyInto) -> CopyInto:
    seen: set[str] = set()
    while (token := cursor.peek()) is not None and token.upper in _CLAUSES:
        if token.upper in seen:
            cursor.fail(f"{token.upper} only once")
        if {token.upper, *seen} >= {"FILES", "PATTERN"}:
            cursor.fail("FILES or PATTERN, not both")
        seen.add(token.upper)
        cursor.advance()
        statement = _CLAUSES[token.upper](cursor, statement)
    if cursor.at("VALIDATE"):
        hint = "look at the files by `SELECT * FROM read_csv('path')`, `read_json` or `read_parquet`"
        cursor.refuse("COPY INTO … VALIDATE", hint=hint)
    return statement


def _format(cursor: Cursor, statement: CopyInto) -> CopyInto:
    cursor.expect("=")
    span = cursor.here()
    found = _format_name(cursor)
    if found not in _FORMATS:
        cursor.refuse(f"COPY INTO … FILEFORMAT = {found.upper()}", hint="use PARQUET, CSV or JSON", span=span)
    return replace(statement, format=found)


def _format_name(cursor: Cursor) -> str:
    token = cursor.peek()
    found = cursor.string() if token is not None and token.kind == "string" else cursor.name("a format")
    return found.lower()


def _files(cursor: Cursor, statement: CopyInto) -> CopyInto:
    cursor.expect("=", "(")
    found = [cursor.string("a file's name")]
    while cursor.take(","):
        found.append(cursor.string("a file's name"))
    cursor.expect(")")
    return replace(statement, files=tuple(found))


def _pattern(cursor: Cursor, statement: CopyInto) -> CopyInto:
    cursor.expect("=")
    return replace(statement, pattern=cursor.string("a pattern"))


def _format_options(cursor: Cursor, statement: CopyInto) -> CopyInto:
    return replace(statement, format_options=cursor.properties())


def _copy_options(cursor: Cursor, statement: CopyInto) -> CopyInto:
    return replace(statement, copy_options=cursor.properties())


_CLAUSES: dict[str, _Clause] = {
    "FILEFORMAT": _format,
    "FILES": _files,
    "PATTERN": _pattern,
    "FORMAT_OPTIONS": _format_options,
    "COPY_OPTIONS": _copy_options,
}


def parse_copy_to(cursor: Cursor) -> CopyTo:
    """``COPY {table | (query)} TO 'path' [[WITH | OPTIONS] ([FORMAT format,] option [value], …)] [STORED AS format]``

    An option without a value is switched on.
    """
    cursor.expect("COPY")
    start = cursor.here()
    named = _at_columns(cursor)
    source = cursor.relation()
    if named or cursor.at("("):
        hint = "use a query: `COPY (SELECT a, b FROM table) TO 'path'`"
        cursor.refuse("COPY table (columns)", hint=hint, span=start)
    if cursor.at("FROM"):
        cursor.refuse("COPY table FROM", hint="use `COPY INTO table FROM 'path' FILEFORMAT = …`")
    cursor.expect("TO")
    path = cursor.string("a path in quotes")
    format = _stored_as(cursor)
    options = _options(cursor)
    format = format or _stored_as(cursor)
    if cursor.at_any(("PARTITIONED", "PARTITION")):
        _refuse_partitions(cursor)
    given = dict(options).get("format")
    if given is not None and format is not None:
        cursor.refuse("COPY … STORED AS … (FORMAT …)", hint="leave out one of the two", span=start)
    rest = tuple((key, value) for key, value in options if key != "format")
    return CopyTo(source=source, path=path, format=format if given is None else given.lower(), options=rest)


def _at_columns(cursor: Cursor) -> bool:
    """True at ``table (column, …)``: a table function takes constants, so no names."""
    inner = list(takewhile(lambda token: token.upper != ")", cursor.tokens[cursor.index + 2 :]))
    behind = cursor.peek(1)
    called = behind is not None and behind.upper == "(" and not cursor.at("(")
    return called and bool(inner) and all(token.is_name or token.upper == "," for token in inner)


def _stored_as(cursor: Cursor) -> str | None:
    return _format_name(cursor) if cursor.take("STORED", "AS") else None


def _options(cursor: Cursor) -> Options:
    if not cursor.at("("):
        if not cursor.at_any(("WITH", "OPTIONS")):
            return ()
        cursor.advance()
    cursor.expect("(")
    found: dict[str, str] = {}
    while True:
        start = cursor.here()
        if cursor.at("PARTITION_BY"):
            _refuse_partitions(cursor)
        key = cursor.property_key().lower()
        if key in found:
            cursor.fail(f"{key.upper()} only once", span=start)
        cursor.take("=")
        found[key] = "true" if cursor.at_any((",", ")")) else cursor.property_value()
        if not cursor.take(","):
            break
    cursor.expect(")")
    return tuple(found.items())


def _refuse_partitions(cursor: Cursor) -> None:
    hint = "use `CREATE TABLE … PARTITIONED BY (…) AS query`"
    cursor.refuse(f"COPY … {cursor.here().of(cursor.sql).upper()}", hint=hint)
