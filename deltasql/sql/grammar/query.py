"""Queries, and what stands around a statement: WITH before it, EXPLAIN before it.

A query isn't read further than its first word: it goes to the engine as it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from deltasql.errors import ParseError
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.dml import parse_delete, parse_update
from deltasql.sql.grammar.insert import parse_insert
from deltasql.sql.grammar.merge import parse_merge
from deltasql.sql.statements import Delete, Explain, Insert, Merge, Query, Statement, Update


def parse_query(cursor: Cursor) -> Query:
    """``{SELECT … | VALUES … | FROM … | TABLE table | (query)}``

    All of DataFusion's SQL, and a table may have its version or time behind its name.
    """
    if not cursor.at_query():
        cursor.fail("a query")
    if cursor.at("FROM"):
        _refuse_from_insert(cursor)
    cursor.rest("a query")
    return Query()


def _refuse_from_insert(cursor: Cursor) -> None:
    for token, behind in pairwise(cursor.tokens):
        if token.upper == "INSERT" and behind.upper in ("INTO", "OVERWRITE"):
            cursor.refuse("FROM … INSERT", hint="use `INSERT INTO table SELECT … FROM …`", span=token.span)


_WRITES: dict[str, Callable[[Cursor], Insert | Update | Delete | Merge]] = {
    "INSERT": parse_insert,
    "UPDATE": parse_update,
    "DELETE": parse_delete,
    "MERGE": parse_merge,
}


def parse_with(cursor: Cursor) -> Statement:
    """``WITH [RECURSIVE] name [(column, …)] AS (query), … {query | INSERT … | UPDATE … | DELETE … | MERGE …}``"""
    start = cursor.here().start
    cursor.expect("WITH")
    if cursor.at("RECURSIVE") and not (cursor.at("RECURSIVE", "AS") or cursor.at("RECURSIVE", "(")):
        cursor.advance()
    _named_query(cursor)
    while cursor.take(","):
        _named_query(cursor)
    with_ = cursor.since(start)
    if not cursor.at_any(tuple(_WRITES)):
        return parse_query(cursor)
    return replace(_WRITES[cursor.here().of(cursor.sql).upper()](cursor), with_=with_)


def _named_query(cursor: Cursor) -> None:
    """Step over ``name [(column, …)] AS [[NOT] MATERIALIZED] (query)``."""
    cursor.name("a name for a query")
    if cursor.at("("):
        cursor.skip_group()
    cursor.expect("AS")
    cursor.take("NOT")
    cursor.take("MATERIALIZED")
    if not cursor.at("("):
        cursor.fail("a query in brackets")
    cursor.skip_group()


_REFUSED = ("COST", "CODEGEN", "FORMAT", "LOGICAL", "EXPLAIN")


def parse_explain(cursor: Cursor) -> Explain:
    """``EXPLAIN [ANALYZE] [VERBOSE] statement``

    Spark's EXTENDED is VERBOSE; its FORMATTED is what is shown without either. ``ANALYZE TABLE t COMPUTE …`` is a
    statement of its own, ``TABLE t`` a query.
    """
    from deltasql.sql.parser import parse_statement  # it has this function in its table

    cursor.expect("EXPLAIN")
    words = set()
    while cursor.at_any(("ANALYZE", "VERBOSE", "EXTENDED", "FORMATTED")) and not _at_statistics(cursor):
        words.add(cursor.advance().upper)
    if cursor.at_any(_REFUSED):
        cursor.refuse(f"EXPLAIN {cursor.here().of(cursor.sql).upper()}", hint="use `EXPLAIN [ANALYZE] [VERBOSE]`")
    if cursor.at_end():
        cursor.fail("a statement")
    start = cursor.here().start
    # Read twice: in the whole text, for the places in errors, then alone, for those in the statement.
    parse_statement(cursor)
    text = cursor.sql[start : cursor.tokens[cursor.index - 1].span.end]
    statement = replace(parse_statement(Cursor(text)), text=text)
    return Explain(statement=statement, analyze="ANALYZE" in words, verbose=bool(words & {"VERBOSE", "EXTENDED"}))


def _at_statistics(cursor: Cursor) -> bool:
    """True if ``ANALYZE TABLE table COMPUTE`` comes."""
    if not cursor.at("ANALYZE", "TABLE"):
        return False
    start = cursor.index
    cursor.index += 2
    try:
        cursor.table()
        return cursor.at("COMPUTE")
    except ParseError:
        return False
    finally:
        cursor.index = start
