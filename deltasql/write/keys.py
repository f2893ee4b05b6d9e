"""Which rows a predicate holds for, in the form that delta-rs takes.

A predicate that delta-rs evaluates as DataFusion does goes to it as text. Any other (functions, subqueries,
time literals) is evaluated by our own engine: it depends on some columns of the target, so the distinct
values of those where it holds, matched with ``IS NOT DISTINCT FROM``, mark exactly its rows (facts.md, 23).
A predicate that folds to NULL or false never reaches delta-rs, which would delete every row (facts.md, 36).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.errors import NotSupportedError, Span
from deltasql.names import TableReference, literal, quote
from deltasql.session import StatementContext
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.rewrite import bare_expression
from deltasql.sql.scan import RESERVED
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import Fragment
from deltasql.write.source import Source


@dataclass(frozen=True, slots=True)
class Matches:
    """The rows a predicate holds for: ``never`` any; or those of delta-rs's ``predicate``; or by ``bound``'s keys."""

    never: bool
    predicate: str | None
    keys: tuple[str, ...]
    bound: BoundQuery

    @property
    def condition(self) -> str:
        """The merge condition of ``target`` and ``source`` rows."""
        # The brackets matter: `a IS NOT DISTINCT FROM b AND …` reads as `FROM (b AND …)`.
        return " AND ".join(f"(target.{quote(key)} IS NOT DISTINCT FROM source.{quote(key)})" for key in self.keys)

    def source(self) -> Source:
        """The keys of the matching rows, each once."""
        return Source(self.bound.schema, self.bound.read)


def matches(
    table: TableReference, alias: str | None, where: Fragment, snapshot: Snapshot, context: StatementContext
) -> Matches:
    """Bind ``where``, a predicate over ``table`` (as ``alias``), which is at ``snapshot``.

    Raises `ColumnNotFound`, `PlanError` and the like for a predicate that makes no sense.
    """
    require_deterministic(where, "predicate")
    keys = keys_of(table, alias, [where], snapshot, context)
    bound = context.query(selection(table, alias, where, [quote(key) for key in keys]))
    return Matches(bound.is_empty(), simple_predicate(table, alias, where, keys, snapshot, context), keys, bound)


def keys_of(
    table: TableReference,
    alias: str | None,
    expressions: Sequence[Fragment],
    snapshot: Snapshot,
    context: StatementContext,
) -> tuple[str, ...]:
    """The columns of the target that ``expressions`` depend on, at least one, in the table's order."""
    used: set[str] = set()
    for expression in expressions:
        used |= context.rewritten(selection(table, alias, expression, ["1"])).used[0]
    keys = tuple(name for name in snapshot.schema.names if name in used) or tuple(snapshot.schema.names)[:1]
    for key in keys:
        if pa.types.is_map(snapshot.schema.field(key).type):
            raise NotSupportedError(f"rows can't be matched on column `{key}`, which is a MAP")
    return keys


def require_deterministic(expression: Fragment, what: str) -> None:
    """Raise `NotSupportedError` for a function that gives another value for each row."""
    tokens = tokenize(expression.sql)
    for token, behind in itertools.pairwise(tokens):
        if token.upper in ("RANDOM", "RAND", "UUID") and behind.upper == "(":
            raise NotSupportedError(f"`{token.text}()` can't stand in this {what}, as rows are matched by value")


def simple_predicate(
    table: TableReference,
    alias: str | None,
    where: Fragment,
    keys: Sequence[str],
    snapshot: Snapshot,
    context: StatementContext,
) -> str | None:
    """``where`` as delta-rs takes it, if it evaluates it just as our engine does; else None."""
    types = [snapshot.schema.field(key).type for key in keys]
    values = context.used(where.sql).values()
    if not (is_simple(where.sql) and all(map(_is_plain_type, types)) and all(map(_is_plain_value, values))):
        return None
    return rendered(bare_expression(where.sql, table, alias, snapshot.fields), context.parameters)


def _is_plain_type(type: pa.DataType) -> bool:
    """True for the types whose comparisons depend on no time zone and no version of DataFusion."""
    checks = (pa.types.is_integer, pa.types.is_string, pa.types.is_boolean, pa.types.is_floating, pa.types.is_decimal)
    return any(check(type) for check in checks)


def _is_plain_value(value: object) -> bool:
    return isinstance(value, bool | int | float | str | Decimal)


def selection(table: TableReference, alias: str | None, where: Fragment | None, columns: Sequence[str]) -> Fragment:
    """A query of the distinct ``columns`` (SQL) over the target; its errors have their place in ``where``."""
    name = ".".join(quote(part) for part in table.parts) if table.parts else f"delta.{quote(str(table.path))}"
    named = f"{name} AS {quote(alias)}" if alias is not None else name
    front = f"SELECT DISTINCT {', '.join(columns)} FROM {named}"
    if where is None:
        return Fragment(front, Span(0, 0))
    front += " WHERE "
    start = where.span.start - len(front)
    return Fragment(front + where.sql, Span(start, where.span.end))


_OPERATORS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">=", "(", ")", ",", ".", "+", "-", "*"})
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "TRUE", "FALSE", "LIKE"})


def is_simple(sql: str) -> bool:
    """True if delta-rs evaluates ``sql`` just as our engine does: columns, literals, comparisons, AND/OR/NOT.

    Not if it holds a NULL other than in IS [NOT] NULL: on partition columns that makes delta-rs delete all.
    """
    tokens = tokenize(sql)
    return all(_is_simple(tokens, index) for index in range(len(tokens)))


def _is_simple(tokens: tuple[Token, ...], index: int) -> bool:
    token, behind = tokens[index], tokens[index + 1 : index + 2]
    if token.upper == "NULL":
        before = [token.upper for token in tokens[max(index - 2, 0) : index]]
        return before[-1:] == ["IS"] or before == ["IS", "NOT"]
    if token.kind == "symbol":
        return token.upper in _OPERATORS
    if token.kind == "word" and token.upper in RESERVED:
        return token.upper in _WORDS
    if token.is_name:
        return not behind or (behind[0].upper != "(" and behind[0].kind != "string")
    return True


def rendered(sql: str, parameters: Mapping[str, Any]) -> str:
    """``sql`` with the values of its parameters as literals, for delta-rs, which binds none."""
    found = [token for token in tokenize(sql) if token.kind == "parameter"]
    return splice(sql, [Edit(token.span, literal(parameters[token.text[1:]])) for token in found]).text
