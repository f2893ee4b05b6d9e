"""What a statement says, as data: pure syntax, frozen, each part knowing its place in the text.

The text of a statement has its parameters in one form (``$1``, ``$name``; see `parameters.normalise`).
Spans are into that text. Nothing here is resolved: a table is a name, an expression is SQL text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class PartitionValue:
    """``column = value`` of a PARTITION clause; ``value`` None (the column alone) takes it from the query's rows."""

    column: str
    value: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Statement):
    """``INSERT {INTO | OVERWRITE} table [PARTITION (…)] [(columns)] [BY NAME] [REPLACE WHERE predicate] query``.

    ``source`` is the query, VALUES included; with ``default_values`` it is the words ``DEFAULT VALUES``: one row of
    defaults. ``defaults`` are the places of the word DEFAULT in a VALUES list: (row, column, span), counted from 0.
    ``overwrite`` and ``replace_where`` exclude one another; ``evolve`` is WITH SCHEMA EVOLUTION.
    ``with_`` is the ``WITH …`` before the word INSERT, whose names the source may use.
    """

    table: TableReference
    columns: tuple[str, ...] | None
    source: Fragment
    by_name: bool = False
    overwrite: bool = False
    evolve: bool = False
    default_values: bool = False
    partition: tuple[PartitionValue, ...] = ()
    replace_where: Fragment | None = None
    defaults: tuple[tuple[int, int, Span], ...] = ()
    with_: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Statement):
    """``DELETE FROM table [AS alias] [WHERE predicate]``."""

    table: TableReference
    alias: str | None = None
    where: Fragment | None = None
    with_: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Statement):
    """``TRUNCATE TABLE table``."""

    table: TableReference


@dataclass(frozen=True, slots=True)
class Assignment:
    """``column = value`` of an UPDATE or MERGE; a nested field has several parts; ``value`` None is DEFAULT.

    For MERGE's ``INSERT (column, …) VALUES (value, …)`` the place is that of the column.
    """

    column: tuple[str, ...]
    value: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Statement):
    """``UPDATE table [AS alias] SET column = value, … [FROM tables] [WHERE predicate]``.

    ``from_`` is what stands behind FROM: tables, subqueries and joins.
    """

    table: TableReference
    assignments: tuple[Assignment, ...]
    alias: str | None = None
    from_: Fragment | None = None
    where: Fragment | None = None
    with_: Fragment | None = None


MergeKind = Literal["matched", "not_matched", "not_matched_by_source"]


@dataclass(frozen=True, slots=True)
class MergeClause:
    """``WHEN … [AND condition] THEN action``; ``assignments`` None is ``*``; a DELETE has none."""

    kind: MergeKind
    action: Literal["update", "delete", "insert"]
    condition: Fragment | None
    assignments: tuple[Assignment, ...] | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Statement):
    """``MERGE INTO table [AS alias] USING source [AS alias [(columns)]] ON condition WHEN …``.

    ``source`` is as it may stand behind FROM: a table with its time travel, a query in brackets, a table function.
    """

    table: TableReference
    source: Fragment
    condition: Fragment
    clauses: tuple[MergeClause, ...]
    alias: str | None = None
    source_alias: str | None = None
    source_columns: tuple[str, ...] | None = None
    evolve: bool = False
    with_: Fragment | None = None


Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyInto(Statement):
    """``COPY INTO table [(columns)] FROM {'path' | (SELECT select FROM 'path')} FILEFORMAT = format …``.

    ``format`` is in lower case; of ``files`` (names below the path) and ``pattern`` (a glob) at most one is set.
    """

    table: TableReference
    path: str
    format: str
    columns: tuple[str, ...] | None = None
    select: Fragment | None = None
    files: tuple[str, ...] | None = None
    pattern: str | None = None
    format_options: Options = ()
    copy_options: Options = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTo(Statement):
    """``COPY source TO 'path' [(FORMAT format, option value, …)]``.

    ``source`` is a query, its brackets included, or a table or table function as it may stand behind FROM. ``format``
    and the options' names are in lower case; an option without a value is ``true``.
    """

    source: Fragment
    path: str
    format: str | None = None
    options: Options = ()


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
