"""INSERT: where its target's clauses end and its source begins.

Nothing marks the end of REPLACE WHERE's predicate but the source behind it, so that is looked for where an
operand has just ended: a subquery, ``IS DISTINCT FROM`` or a column called ``values`` is not the source.
"""

from __future__ import annotations

from deltasql.errors import Span
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.dml import CLAUSES, value_or_default
from deltasql.sql.statements import Fragment, Insert, PartitionValue

_Defaults = tuple[tuple[int, int, Span], ...]


def parse_insert(cursor: Cursor) -> Insert:
    """``INSERT [WITH SCHEMA EVOLUTION] {INTO | OVERWRITE} [TABLE] table [PARTITION (column [= value], …)]
    [(column, …)] [BY NAME] [REPLACE WHERE predicate] {query | VALUES (value | DEFAULT, …), … | DEFAULT VALUES}``

    The list of columns may stand before PARTITION too. REPLACE WHERE goes with INTO and without PARTITION.
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("INSERT")
    evolve = cursor.take("WITH", "SCHEMA", "EVOLUTION")
    overwrite = _overwrite(cursor)
    cursor.take("TABLE")
    table = cursor.table()
    columns = _columns(cursor)
    partition = _partition(cursor) if cursor.at("PARTITION") else ()
    columns = columns or _columns(cursor)
    by_name = _by_name(cursor, columns)
    replace_where = _replace_where(cursor, overwrite=overwrite, partition=partition) if cursor.at("REPLACE") else None
    if by_name and cursor.at("VALUES"):
        cursor.refuse("INSERT … BY NAME VALUES", hint="name the columns: `INSERT INTO table (a, b) VALUES …`")
    default_values = columns is None and not by_name and cursor.at("DEFAULT", "VALUES")
    if not default_values and not cursor.at_query():
        cursor.fail("a query or VALUES")
    source, defaults = _source(cursor)
    return Insert(
        table=table,
        columns=columns,
        source=source,
        by_name=by_name,
        overwrite=overwrite,
        evolve=evolve,
        default_values=default_values,
        partition=partition,
        replace_where=replace_where,
        defaults=defaults,
    )


def _overwrite(cursor: Cursor) -> bool:
    """Take ``{INTO | OVERWRITE}``; True for the latter."""
    if cursor.at("OR") and (action := cursor.peek(1)) is not None:
        cursor.refuse(f"INSERT OR {action.upper}", hint="use MERGE INTO")
    if not cursor.at("OVERWRITE"):
        cursor.expect("INTO")
        return False
    cursor.expect("OVERWRITE")
    directory = 2 if cursor.at("LOCAL", "DIRECTORY") else 1 if cursor.at("DIRECTORY") else 0
    behind = cursor.peek(directory)
    if directory and behind is not None and (behind.kind == "string" or behind.upper == "USING"):
        cursor.refuse("INSERT OVERWRITE DIRECTORY", hint="use `COPY (query) TO 'path'`")
    cursor.take("INTO")
    return True


def _columns(cursor: Cursor) -> tuple[str, ...] | None:
    return cursor.names() if cursor.at("(") and not cursor.at_query() else None


def _partition(cursor: Cursor) -> tuple[PartitionValue, ...]:
    """``PARTITION (column [= value], …)``"""
    cursor.expect("PARTITION", "(")
    found = [_partition_value(cursor)]
    while cursor.take(","):
        found.append(_partition_value(cursor))
    cursor.expect(")")
    if cursor.at("IF", "NOT", "EXISTS"):
        cursor.refuse("INSERT … PARTITION (…) IF NOT EXISTS")
    return tuple(found)


def _partition_value(cursor: Cursor) -> PartitionValue:
    start = cursor.here()
    column = cursor.name("a column")
    value = None
    if cursor.take("="):
        value = value_or_default(cursor)
        if value is None:
            cursor.refuse("INSERT … PARTITION (column = DEFAULT)", hint="name the value", span=start)
    return PartitionValue(column, value, cursor.since(start.start).span)


def _by_name(cursor: Cursor, columns: tuple[str, ...] | None) -> bool:
    """Take ``BY NAME``, which needs a source that has names, and no list of others."""
    if cursor.at("BY", "POSITION"):
        cursor.refuse("INSERT … BY POSITION", hint="leave it out: values go by position")
    if not cursor.at("BY", "NAME"):
        return False
    if columns is not None:
        cursor.refuse("INSERT … (columns) BY NAME", hint="leave out one of the two")
    cursor.expect("BY", "NAME")
    return True


def _replace_where(cursor: Cursor, *, overwrite: bool, partition: tuple[PartitionValue, ...]) -> Fragment:
    """``REPLACE WHERE predicate``, up to where the source begins."""
    start = cursor.here()
    if not cursor.take("REPLACE", "WHERE"):
        kind = cursor.peek(1)
        hint = "use `REPLACE WHERE predicate`, or MERGE INTO"
        cursor.refuse(f"INSERT … REPLACE {kind.upper if kind is not None else ''}".rstrip(), hint=hint)
    if overwrite:
        cursor.refuse("INSERT OVERWRITE … REPLACE WHERE", hint="use `INSERT INTO … REPLACE WHERE …`", span=start)
    if partition:
        cursor.refuse("INSERT … PARTITION … REPLACE WHERE", hint="put the partition in the predicate", span=start)
    first = cursor.here().start
    while not cursor.at_end() and not _at_source(cursor):
        if cursor.at_any((")", *CLAUSES)) and cursor.behind_operand():
            cursor.fail("a query")
        if cursor.at("("):
            cursor.skip_group()
        else:
            cursor.advance()
    if cursor.at_end():
        cursor.fail("a predicate and a query behind it")
    return cursor.since(first)


def _at_source(cursor: Cursor) -> bool:
    """True if the source begins here: a query where no operand can stand."""
    if not cursor.behind_operand() or not cursor.at_query() or _at_type(cursor):
        return False
    if not cursor.at("("):
        return True
    # `f (SELECT 1) AND …` is a function; behind a source in brackets the statement ends, or more of the query follows.
    index = cursor.index
    cursor.skip_group()
    source = cursor.at_end() or cursor.at_any(_BEHIND_QUERY)
    cursor.index = index
    return source


def _at_type(cursor: Cursor) -> bool:
    """True at the rest of ``TIMESTAMP WITH [LOCAL] TIME ZONE``."""
    return cursor.at("WITH", "TIME", "ZONE") or cursor.at("WITH", "LOCAL", "TIME", "ZONE")


_BEHIND_QUERY = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH"})


def _source(cursor: Cursor) -> tuple[Fragment, _Defaults]:
    if not cursor.at("VALUES") and not cursor.at("DEFAULT", "VALUES"):
        return cursor.rest("a query"), ()
    start = cursor.here().start
    of_defaults = cursor.take("DEFAULT", "VALUES")
    defaults = () if of_defaults else _values(cursor)
    if cursor.at("ON", "CONFLICT"):
        cursor.refuse("INSERT … ON CONFLICT", hint="use MERGE INTO")
    if cursor.at("RETURNING"):
        cursor.refuse("INSERT … RETURNING")
    if not of_defaults and not cursor.at_end():
        cursor.rest("a query")
    return cursor.since(start), defaults


def _values(cursor: Cursor) -> _Defaults:
    """Step over ``VALUES (…), …``; where DEFAULT stands in it."""
    cursor.expect("VALUES")
    found: list[tuple[int, int, Span]] = []
    row = 0
    while cursor.take("("):
        column = 0
        while True:
            place = cursor.here()
            if value_or_default(cursor) is None:
                found.append((row, column, place))
            if not cursor.take(","):
                break
            column += 1
        cursor.expect(")")
        row += 1
        if not cursor.take(","):
            break
    return tuple(found)
