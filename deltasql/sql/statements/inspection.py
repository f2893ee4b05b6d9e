"""DESCRIBE and SHOW: what is asked about tables, schemas and catalogs."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.statements.syntax import Fragment, Statement
from deltasql.sql.statements.writes import PartitionValue


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeHistory(Statement):
    """``DESCRIBE HISTORY table [LIMIT number]``."""

    table: TableReference
    limit: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeDetail(Statement):
    """``DESCRIBE DETAIL table``."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTable(Statement):
    """``DESCRIBE [TABLE] [EXTENDED] table [AS JSON]``; ``json`` says all, ``extended`` or not."""

    table: TableReference
    extended: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSchema(Statement):
    """``DESCRIBE {SCHEMA | DATABASE} [EXTENDED] [catalog.]schema``; ``span`` is the name's."""

    name: tuple[str, ...]
    span: Span
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTables(Statement):
    """``SHOW TABLES [{IN | FROM} schema] [[LIKE] 'pattern']``."""

    schema: tuple[str, ...] | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowViews(Statement):
    """``SHOW VIEWS [{IN | FROM} schema] [[LIKE] 'pattern']``."""

    schema: tuple[str, ...] | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSchemas(Statement):
    """``SHOW {SCHEMAS | DATABASES} [{IN | FROM} catalog] [[LIKE] 'pattern']``."""

    catalog: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCatalogs(Statement):
    """``SHOW CATALOGS [[LIKE] 'pattern']``."""

    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowFunctions(Statement):
    """``SHOW FUNCTIONS [[LIKE] 'pattern']``; a name instead of a pattern is that pattern."""

    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowColumns(Statement):
    """``SHOW COLUMNS {IN | FROM} table``."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPartitions(Statement):
    """``SHOW PARTITIONS table [PARTITION (column = value, …)]``; every one has its value."""

    table: TableReference
    partition: tuple[PartitionValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowProperties(Statement):
    """``SHOW TBLPROPERTIES table [('key')]``."""

    table: TableReference
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCreateTable(Statement):
    """``SHOW CREATE TABLE table``."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSecrets(Statement):
    """``SHOW SECRETS [[LIKE] 'pattern']``."""

    pattern: str | None = None
