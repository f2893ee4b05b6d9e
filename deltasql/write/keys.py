"""Which rows a predicate holds for, in the form that delta-rs takes.

A predicate that delta-rs evaluates as DataFusion does goes to it as text (see `simple`). Any other is evaluated
by our own engine: it depends on some columns of the target, so the distinct values of those where it holds,
matched with ``IS NOT DISTINCT FROM``, mark exactly its rows (facts.md, 23).
A predicate that folds to NULL or false never reaches delta-rs, which would delete every row (facts.md, 36).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.errors import NotSupportedError, Span
from deltasql.names import TableReference, quote
from deltasql.session import StatementContext
from deltasql.sql.dialect import tokenize
from deltasql.sql.statements import Fragment
from deltasql.write.simple import simple_predicate
from deltasql.write.source import Source, assigned


@dataclass(frozen=True, slots=True)
class Matches:
    """The rows a predicate holds for: ``never`` any; or those of delta-rs's ``predicate``; or by ``bound``'s keys."""

    never: bool
    predicate: str | None
    keys: tuple[str, ...]
    bound: BoundQuery
    schema: pa.Schema
    empty_is_null: frozenset[str]

    @property
    def condition(self) -> str:
        """The merge condition of ``target`` and ``source`` rows."""
        return " AND ".join(f"({self._same(key)})" for key in self.keys)

    def _same(self, key: str) -> str:
        target, source = f"target.{quote(key)}", f"source.{quote(key)}"
        same = f"({target} IS NOT DISTINCT FROM {source})"
        return f"{same} OR ({target} = '' AND {source} IS NULL)" if key in self.empty_is_null else same

    def source(self) -> Source:
        """The keys of the matching rows, each once, in the table's types."""
        types = [self.schema.field(key).with_nullable(nullable=True) for key in self.keys]
        return assigned(self.bound.read, range(len(types)), pa.schema(types), time_zone="UTC")


def matches(
    table: TableReference, alias: str | None, where: Fragment, snapshot: Snapshot, context: StatementContext
) -> Matches:
    """Bind ``where``, a predicate over ``table`` (as ``alias``), which is at ``snapshot``.

    Raises `ColumnNotFound`, `PlanError` and the like for a predicate that makes no sense.
    """
    require_deterministic(where, "predicate")
    keys = keys_of(table, alias, where, [], snapshot, context)
    bound = context.query(selection(table, alias, where, [quote(key) for key in keys]))
    predicate = simple_predicate(where.sql, alias or table.name, snapshot, context.parameters)
    return Matches(bound.is_empty(), predicate, keys, bound, snapshot.schema, empty_is_null(keys, snapshot))


def keys_of(
    table: TableReference,
    alias: str | None,
    where: Fragment | None,
    values: Sequence[Fragment],
    snapshot: Snapshot,
    context: StatementContext,
) -> tuple[str, ...]:
    """The columns of the target that ``where`` and ``values`` depend on, at least one, in the table's order.

    Those that the text names, and all that the plan reads: more keys than needed do no harm, fewer would.
    """
    expressions = [*values, *([where] if where is not None else [])]
    reading = context.query(
        selection(table, alias, where, [f"({value.sql}) AS v{index}" for index, value in enumerate(values)] or ["1"])
    )
    used = reading.columns_read()
    for expression in expressions:
        used |= context.rewritten(selection(table, alias, expression, ["1"])).used[0]
    keys = tuple(name for name in snapshot.schema.names if name in used) or tuple(snapshot.schema.names)[:1]
    for key in keys:
        if pa.types.is_map(snapshot.schema.field(key).type):
            raise NotSupportedError(f"rows can't be matched on column `{key}`, which is a MAP")
    return keys


def empty_is_null(keys: Sequence[str], snapshot: Snapshot) -> frozenset[str]:
    """The keys whose empty string we read as NULL (Delta protocol, partition values) and delta-rs doesn't."""
    strings = [key for key in keys if pa.types.is_string(snapshot.schema.field(key).type)]
    return frozenset(strings) & frozenset(snapshot.partition_columns)


def require_deterministic(expression: Fragment, what: str) -> None:
    """Raise `NotSupportedError` for a function that gives another value for each row."""
    tokens = tokenize(expression.sql)
    for token, behind in itertools.pairwise(tokens):
        if token.upper in ("RANDOM", "RAND", "UUID") and behind.upper == "(":
            raise NotSupportedError(f"`{token.text}()` can't stand in this {what}, as rows are matched by value")


def named(table: TableReference, alias: str | None) -> str:
    """The target as it stands behind FROM."""
    name = ".".join(quote(part) for part in table.parts) if table.parts else f"delta.{quote(str(table.path))}"
    return f"{name} AS {quote(alias)}" if alias is not None else name


def selection(table: TableReference, alias: str | None, where: Fragment | None, columns: Sequence[str]) -> Fragment:
    """A query of the distinct ``columns`` (SQL) over the target; its errors have their place in ``where``."""
    front = f"SELECT DISTINCT {', '.join(columns)} FROM {named(table, alias)}"
    if where is None:
        return Fragment(front, Span(0, 0))
    front += " WHERE "
    start = where.span.start - len(front)
    return Fragment(front + where.sql, Span(start, where.span.end))
