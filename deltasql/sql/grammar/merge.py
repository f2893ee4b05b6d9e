"""MERGE: its source, and the clauses, whose conditions and values may hold CASE expressions with the same words.

What Delta rules out whatever the tables are is an error here: an action that its kind of row can't have, and a
clause that another of its kind, without a condition, leaves no rows.
"""

from __future__ import annotations

from typing import Literal

from deltasql.errors import Span
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.dml import assignments, value_or_default
from deltasql.sql.statements import Assignment, Merge, MergeClause, MergeKind

_Action = tuple[Literal["update", "delete", "insert"], tuple[Assignment, ...] | None]


def parse_merge(cursor: Cursor) -> Merge:
    """``MERGE [WITH SCHEMA EVOLUTION] INTO table [[AS] alias] USING {table | (query)} [[AS] alias [(column, …)]]
    ON condition [WHEN MATCHED [AND condition] THEN {UPDATE SET {* | column = {value | DEFAULT}, …} | DELETE}]…
    [WHEN NOT MATCHED [BY TARGET] [AND condition] THEN INSERT {* | (column, …) VALUES (value | DEFAULT, …)}]…
    [WHEN NOT MATCHED BY SOURCE [AND condition] THEN {UPDATE SET column = {value | DEFAULT}, … | DELETE}]…``

    There is at least one WHEN; of each kind only the last may lack a condition.
    """  # noqa: D205 (the grammar is longer than a line)
    cursor.expect("MERGE")
    evolve = cursor.take("WITH", "SCHEMA", "EVOLUTION")
    cursor.expect("INTO")
    table = cursor.table()
    alias = cursor.alias("USING")
    cursor.expect("USING")
    source = cursor.relation()
    source_alias = cursor.alias("ON", "USING", "WHEN", *_JOINS)
    source_columns = cursor.names() if source_alias is not None and cursor.at("(") else None
    if cursor.at("USING"):
        cursor.refuse("MERGE … USING (columns)", hint="write it as a condition: `ON target.a = source.a`")
    if cursor.at_any((",", *_JOINS)):
        cursor.fail("ON", hint="put a join in brackets: `USING (SELECT … FROM a JOIN b ON …) AS source`")
    cursor.expect("ON")
    condition = cursor.until_closed("WHEN")
    return Merge(
        table=table,
        alias=alias,
        source=source,
        source_alias=source_alias,
        source_columns=source_columns,
        condition=condition,
        clauses=_clauses(cursor),
        evolve=evolve,
    )


_JOINS = ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL")


def _clauses(cursor: Cursor) -> tuple[MergeClause, ...]:
    found = [_clause(cursor, [])]
    while cursor.at("WHEN"):
        found.append(_clause(cursor, found))
    if cursor.at_any(("RETURNING", "OUTPUT")):
        cursor.refuse(f"MERGE … {cursor.here().of(cursor.sql).upper()}")
    return tuple(found)


def _clause(cursor: Cursor, before: list[MergeClause]) -> MergeClause:
    start = cursor.here().start
    cursor.expect("WHEN")
    kind = _kind(cursor)
    if any(clause.kind == kind and clause.condition is None for clause in before):
        head = f"WHEN {kind.replace('_', ' ').upper()}"
        cursor.fail(f"the {head} before this one to have a condition", span=cursor.since(start).span)
    condition = cursor.until_closed("THEN", "WHEN") if cursor.take("AND") else None
    cursor.expect("THEN")
    if cursor.at("DO", "NOTHING"):
        hint = "leave the clause out, and add its condition, negated, to those after it"
        cursor.refuse("MERGE … DO NOTHING", hint=hint)
    action, found = _insert(cursor) if kind == "not_matched" else _update_or_delete(cursor, kind)
    return MergeClause(kind, action, condition, found, cursor.since(start).span)


def _kind(cursor: Cursor) -> MergeKind:
    if cursor.take("MATCHED"):
        return "matched"
    cursor.expect("NOT", "MATCHED")
    if not cursor.take("BY"):
        return "not_matched"
    if cursor.take("TARGET"):
        return "not_matched"
    if not cursor.take("SOURCE"):
        cursor.fail("SOURCE or TARGET")
    return "not_matched_by_source"


def _update_or_delete(cursor: Cursor, kind: MergeKind) -> _Action:
    if cursor.take("DELETE"):
        return "delete", ()
    if not cursor.take("UPDATE"):
        cursor.fail("UPDATE or DELETE")
    if not cursor.take("SET") and not cursor.at("*"):
        cursor.fail("SET")
    if not cursor.at("*"):
        return "update", assignments(cursor, "MERGE", "WHEN", "RETURNING", "OUTPUT")
    if kind == "not_matched_by_source":
        cursor.fail("a column, as there is no row of the source")
    _star(cursor, "UPDATE SET")
    return "update", None


def _insert(cursor: Cursor) -> _Action:
    if not cursor.take("INSERT"):
        cursor.fail("INSERT")
    if cursor.at("*"):
        _star(cursor, "INSERT")
        return "insert", None
    for words in (("BY", "NAME"), ("BY", "POSITION"), ("VALUES",), ("DEFAULT", "VALUES"), ("ROW",)):
        if cursor.at(*words):
            hint = "use `INSERT *`, or name the columns: `INSERT (a, b) VALUES (…, …)`"
            cursor.refuse(f"MERGE … INSERT {' '.join(words)}", hint=hint)
    return "insert", _inserted(cursor)


def _inserted(cursor: Cursor) -> tuple[Assignment, ...]:
    """``(column, …) VALUES (value | DEFAULT, …)``"""
    cursor.expect("(")
    columns = [_column(cursor)]
    while cursor.take(","):
        columns.append(_column(cursor))
    cursor.expect(")", "VALUES")
    start = cursor.here().start
    cursor.expect("(")
    values = [value_or_default(cursor)]
    while cursor.take(","):
        values.append(value_or_default(cursor))
    cursor.expect(")")
    if len(values) != len(columns):
        cursor.fail(f"as many values as columns ({len(columns)})", span=cursor.since(start).span)
    return tuple(Assignment(name, value, span) for (name, span), value in zip(columns, values, strict=True))


def _column(cursor: Cursor) -> tuple[tuple[str, ...], Span]:
    start = cursor.here().start
    return cursor.dotted("a column"), cursor.since(start).span


def _star(cursor: Cursor, action: str) -> None:
    cursor.expect("*")
    if cursor.at_any(("EXCEPT", "EXCLUDE")):
        cursor.refuse(f"MERGE … {action} * EXCEPT", hint="name the columns")
