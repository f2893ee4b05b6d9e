"""VACUUM, OPTIMIZE, RESTORE and the other statements that keep a table in order."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.names import AsOf, TableReference
from deltasql.sql.statements.syntax import Fragment, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuum(Statement):
    """``VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN]``; ``retain_hours`` is a constant expression."""

    table: TableReference
    lite: bool = False
    retain_hours: Fragment | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimize(Statement):
    """``OPTIMIZE table [FULL] [WHERE predicate] [ZORDER BY (path, …)]``.

    ``full`` clusters all of a clustered table again, and stands alone.
    """

    table: TableReference
    where: Fragment | None = None
    zorder: tuple[tuple[str, ...], ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Statement):
    """``RESTORE [TABLE] table [TO] {VERSION | TIMESTAMP} AS OF …``; ``table`` has no time travel of its own."""

    table: TableReference
    as_of: AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorg(Statement):
    """``REORG TABLE table [WHERE predicate] APPLY (PURGE)``."""

    table: TableReference
    where: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fsck(Statement):
    """``FSCK REPAIR TABLE table [DRY RUN]``."""

    table: TableReference
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate(Statement):
    """``GENERATE symlink_format_manifest FOR TABLE table``, the only thing that can be generated."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Statement):
    """``CHECKPOINT [TABLE] table``."""

    table: TableReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyze(Statement):
    """``ANALYZE TABLE table COMPUTE STATISTICS [NOSCAN | FOR ALL COLUMNS | FOR COLUMNS column, …]``.

    ``columns`` None: all of them.
    """

    table: TableReference
    columns: tuple[tuple[str, ...], ...] | None = None
    noscan: bool = False
