"""INSERT, UPDATE, DELETE, TRUNCATE, MERGE and COPY: what changes a table's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.statements.syntax import Fragment, Options, Statement


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
