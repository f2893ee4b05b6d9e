"""What a statement says, as data: pure syntax, frozen, each part knowing its place in the text.

The text of a statement has its parameters in one form (``$1``, ``$name``; see `parameters.normalise`).
Spans are into that text. Nothing here is resolved: a table is a name, an expression is SQL text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deltasql.errors import Span
from deltasql.names import TableReference


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Statement):
    """``INSERT INTO table [(columns)] [BY NAME] query``; ``source`` is the query, VALUES included.

    ``defaults`` are the places of the word DEFAULT in a VALUES list: (row, column, span), counted from 0.
    ``with_`` is the ``WITH …`` before the word INSERT, whose names the source may use.
    """

    table: TableReference
    columns: tuple[str, ...] | None
    source: Fragment
    by_name: bool = False
    defaults: tuple[tuple[int, int, Span], ...] = ()
    with_: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Statement):
    """``DELETE FROM table [AS alias] [WHERE predicate]``."""

    table: TableReference
    alias: str | None = None
    where: Fragment | None = None
    with_: Fragment | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """``column = value`` of an UPDATE; a nested field has several parts; ``value`` None is DEFAULT."""

    column: tuple[str, ...]
    value: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Statement):
    """``UPDATE table [AS alias] SET column = value, … [WHERE predicate]``."""

    table: TableReference
    assignments: tuple[Assignment, ...]
    alias: str | None = None
    where: Fragment | None = None
    with_: Fragment | None = None


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of CREATE TABLE."""

    name: str
    type: Type
    nullable: bool = True
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Statement):
    """``CREATE TABLE [IF NOT EXISTS] table (columns) …  [AS query]``; ``columns`` empty with a query or a location."""

    table: TableReference
    columns: tuple[ColumnDefinition, ...] = ()
    if_not_exists: bool = False
    partitioned_by: tuple[str, ...] = ()
    location: str | None = None
    comment: str | None = None
    properties: tuple[tuple[str, str], ...] = ()
    query: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Statement):
    """``DROP TABLE [IF EXISTS] table``."""

    table: TableReference
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuum(Statement):
    """``VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN]``; ``retain_hours`` is a constant expression."""

    table: TableReference
    lite: bool = False
    retain_hours: Fragment | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeHistory(Statement):
    """``DESCRIBE HISTORY table [LIMIT number]``."""

    table: TableReference
    limit: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTable(Statement):
    """``DESCRIBE [TABLE] table``."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTables(Statement):
    """``SHOW TABLES [{IN | FROM} schema] [[LIKE] 'pattern']``."""

    schema: tuple[str, ...] | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSchemas(Statement):
    """``SHOW {SCHEMAS | DATABASES} [[LIKE] 'pattern']``."""

    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOption(Statement):
    """``SET name = value``; ``value`` is a constant expression, or a bare word such as ``on``."""

    name: str
    value: Fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOption(Statement):
    """``SHOW name`` or ``SHOW ALL`` (``name`` None)."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOption(Statement):
    """``RESET name`` or ``RESET ALL`` (``name`` None)."""

    name: str | None
