"""ALTER TABLE: one statement, and one dataclass for each thing that it can do."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.statements.syntax import Fragment, Options, Statement, Type

ColumnPath = tuple[str, ...]
"""A column, and the fields below it: ``point.x``; ``element``, ``key`` and ``value`` lead into arrays and maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterTable(Statement):
    """``ALTER TABLE table action``."""

    table: TableReference
    action: Alteration


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """``path type [NOT NULL] [COMMENT 'text'] [DEFAULT value] [FIRST | AFTER column]``.

    ``first`` and ``after`` place it among its siblings, and exclude one another.
    """

    path: ColumnPath
    type: Type
    span: Span
    nullable: bool = True
    comment: str | None = None
    default: Fragment | None = None
    first: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AddColumns:
    """``ADD COLUMN[S] [IF NOT EXISTS] (column, …)``; ``if_not_exists``: those that are there are passed over."""

    columns: tuple[AddedColumn, ...]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """``RENAME COLUMN path TO to``; ``span`` is the path's."""

    path: ColumnPath
    to: str
    span: Span


@dataclass(frozen=True, slots=True)
class DropColumns:
    """``DROP COLUMN[S] [IF EXISTS] (path, …)``; ``span`` covers the paths."""

    paths: tuple[ColumnPath, ...]
    span: Span
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetNotNull:
    """``SET NOT NULL``."""


@dataclass(frozen=True, slots=True)
class DropNotNull:
    """``DROP NOT NULL``."""


@dataclass(frozen=True, slots=True)
class SetComment:
    """``COMMENT 'text'``."""

    text: str


@dataclass(frozen=True, slots=True)
class SetDefault:
    """``SET DEFAULT value``."""

    value: Fragment


@dataclass(frozen=True, slots=True)
class DropDefault:
    """``DROP DEFAULT``."""


@dataclass(frozen=True, slots=True)
class SetType:
    """``[SET DATA] TYPE type``."""

    type: Type


@dataclass(frozen=True, slots=True)
class SetPosition:
    """``{FIRST | AFTER column}`` among its siblings."""

    first: bool
    after: str | None


ColumnChange = SetNotNull | DropNotNull | SetComment | SetDefault | DropDefault | SetType | SetPosition


@dataclass(frozen=True, slots=True)
class AlterColumn:
    """``ALTER COLUMN path change``; ``span`` is the path's."""

    path: ColumnPath
    change: ColumnChange
    span: Span


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """``ADD CONSTRAINT name CHECK (check)``."""

    name: str
    check: Fragment
    span: Span


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """``DROP CONSTRAINT [IF EXISTS] name``; ``span`` is the name's."""

    name: str
    span: Span
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetProperties:
    """``SET TBLPROPERTIES (key = value, …)``."""

    properties: Options


@dataclass(frozen=True, slots=True)
class UnsetProperties:
    """``UNSET TBLPROPERTIES [IF EXISTS] (key, …)``."""

    keys: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ClusterBy:
    """``CLUSTER BY {(path, …) | NONE}``; empty is NONE."""

    columns: tuple[ColumnPath, ...]


@dataclass(frozen=True, slots=True)
class RenameTo:
    """``RENAME TO table``."""

    table: TableReference


Alteration = (
    AddColumns
    | RenameColumn
    | DropColumns
    | AlterColumn
    | AddConstraint
    | DropConstraint
    | SetProperties
    | UnsetProperties
    | ClusterBy
    | RenameTo
)
