"""What every statement is made of, and the statements around a query."""

from __future__ import annotations

from dataclasses import dataclass, field

from deltasql.errors import Span


@dataclass(frozen=True, slots=True)
class Fragment:
    """A query or an expression inside a statement: its SQL text and its place in the statement's text."""

    sql: str
    span: Span


@dataclass(frozen=True, slots=True)
class Type:
    """A SQL type as written: ``DECIMAL(10, 2)``, ``ARRAY<STRUCT<a: INT>>``."""

    sql: str
    span: Span


Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. ``text`` is its whole text, without the semicolon."""

    text: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Statement):
    """``[WITH …] SELECT …``: goes to the engine as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(Statement):
    """``EXPLAIN [ANALYZE] [VERBOSE] statement``."""

    statement: Statement
    analyze: bool = False
    verbose: bool = False
