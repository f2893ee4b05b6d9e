"""Queries, and what stands around a statement: WITH before it, EXPLAIN before it.

A query isn't read further than its first word: it goes to the engine as it is written.
"""

from __future__ import annotations

from dataclasses import replace

from deltasql.errors import Span
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.dml import parse_insert
from deltasql.sql.statements import Explain, Fragment, Query, Statement


def parse_query(cursor: Cursor) -> Query:
    """``{SELECT … | VALUES … | FROM … | TABLE table | (query)}``

    All of DataFusion's SQL, and a table may have its version or time behind its name.
    """
    if not cursor.at_query():
        cursor.fail("a query")
    cursor.rest("a query")
    return Query()


def parse_with(cursor: Cursor) -> Statement:
    """``WITH [RECURSIVE] name [(column, …)] AS (query), … {query | INSERT …}``"""
    start = cursor.here().start
    cursor.expect("WITH")
    if cursor.at("RECURSIVE") and not (cursor.at("RECURSIVE", "AS") or cursor.at("RECURSIVE", "(")):
        cursor.advance()
    end = _named_query(cursor)
    while cursor.take(","):
        end = _named_query(cursor)
    if cursor.at_any(("UPDATE", "DELETE", "MERGE")):
        cursor.refuse(f"WITH … {cursor.here().of(cursor.sql).upper()}")
    if not cursor.at("INSERT"):
        return parse_query(cursor)
    span = Span(start, end)
    return replace(parse_insert(cursor), with_=Fragment(span.of(cursor.sql), span))


def _named_query(cursor: Cursor) -> int:
    """Step over ``name [(column, …)] AS [[NOT] MATERIALIZED] (query)``; the end of it."""
    cursor.name("a name for a query")
    if cursor.at("("):
        cursor.skip_group()
    cursor.expect("AS")
    cursor.take("NOT")
    cursor.take("MATERIALIZED")
    if not cursor.at("("):
        cursor.fail("a query in brackets")
    return cursor.skip_group().end


_REFUSED = ("COST", "CODEGEN", "FORMAT", "LOGICAL", "EXPLAIN")


def parse_explain(cursor: Cursor) -> Explain:
    """``EXPLAIN [ANALYZE] [VERBOSE] statement``

    Spark's EXTENDED is VERBOSE; its FORMATTED is what is shown without either.
    """
    from deltasql.sql.parser import parse_statement  # it has this function in its table

    cursor.expect("EXPLAIN")
    words = set()
    while cursor.at_any(("ANALYZE", "VERBOSE", "EXTENDED", "FORMATTED")):
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
