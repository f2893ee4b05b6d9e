"""CREATE TABLE and its like, DROP TABLE, COMMENT ON: tables as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.statements.syntax import Fragment, Options, Statement, Type


@dataclass(frozen=True, slots=True)
class Identity:
    """``GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY [(START WITH start INCREMENT BY step)]``; ``step`` isn't 0."""

    always: bool
    start: int = 1
    step: int = 1


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of CREATE TABLE; of ``default``, ``generated`` and ``identity`` at most one is set.

    ``generated`` is the expression in the brackets of GENERATED ALWAYS AS (…). ``span`` covers the whole.
    """

    name: str
    type: Type
    span: Span
    nullable: bool = True
    comment: str | None = None
    default: Fragment | None = None
    generated: Fragment | None = None
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """``CONSTRAINT name CHECK (check)``."""

    name: str
    check: Fragment
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Statement):
    """``{CREATE [OR REPLACE] | REPLACE} TABLE [IF NOT EXISTS] table (columns) …  [AS query]`` or ``… LIKE table``.

    ``columns`` are empty with a query, with ``like`` or with a location alone; those that PARTITIONED BY defines by a
    type are the last of them. ``replace``: a table that is there is replaced; ``must_exist``: one has to be (REPLACE
    TABLE without CREATE). ``cluster_by`` has paths, as nested fields can be clustered by; CLUSTER BY NONE is empty.
    """

    table: TableReference
    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    like: TableReference | None = None
    replace: bool = False
    must_exist: bool = False
    if_not_exists: bool = False
    partitioned_by: tuple[str, ...] = ()
    cluster_by: tuple[tuple[str, ...], ...] = ()
    location: str | None = None
    comment: str | None = None
    properties: Options = ()
    query: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneTable(Statement):
    """``{CREATE [OR REPLACE] | REPLACE} TABLE [IF NOT EXISTS] table [SHALLOW | DEEP] CLONE source …``.

    ``source`` has its time travel; ``replace`` and ``must_exist`` as in `CreateTable`; without a word it is DEEP.
    """

    table: TableReference
    source: TableReference
    shallow: bool
    replace: bool = False
    must_exist: bool = False
    if_not_exists: bool = False
    location: str | None = None
    properties: Options = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertToDelta(Statement):
    """``CONVERT TO DELTA parquet.`path` [NO STATISTICS] [PARTITIONED BY (column type, …)]``.

    ``partitioned_by`` None: the statement doesn't say. ``span`` is that of ``parquet.`path```.
    """

    path: str
    span: Span
    statistics: bool = True
    partitioned_by: tuple[ColumnDefinition, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Statement):
    """``DROP TABLE [IF EXISTS] table``."""

    table: TableReference
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOn(Statement):
    """``COMMENT ON {TABLE table | VIEW view | COLUMN table.column | SCHEMA schema} IS {'text' | NULL}``.

    ``table`` is set for a table, a view and a column (a TABLE may be a view), ``column`` for a column, ``schema`` for a
    schema; ``comment`` None takes it away. ``span`` is that of what is commented on.
    """

    kind: Literal["table", "view", "column", "schema"]
    comment: str | None
    span: Span
    table: TableReference | None = None
    column: str | None = None
    schema: tuple[str, ...] = ()
