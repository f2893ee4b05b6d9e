"""VACUUM, OPTIMIZE, RESTORE and the other statements that keep a table in order."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.dml import CLAUSES
from deltasql.sql.statements import (
    Analyze,
    Checkpoint,
    Fragment,
    Fsck,
    Generate,
    Optimize,
    Reorg,
    Restore,
    Vacuum,
)


def parse_vacuum(cursor: Cursor) -> Vacuum:
    """``VACUUM table [LITE | FULL] [RETAIN number HOURS] [DRY RUN]``

    What follows the table may come in any order, as in Delta's own grammar.
    """
    cursor.expect("VACUUM")
    table = cursor.table()
    lite, dry_run = False, False
    retain: Fragment | None = None
    seen = set()
    while (token := cursor.peek()) is not None and token.upper in _MODIFIERS:
        modifier = "LITE or FULL" if token.upper in ("LITE", "FULL") else token.upper
        if modifier in seen:
            cursor.fail(f"{modifier} only once")
        seen.add(modifier)
        cursor.advance()
        if token.upper == "USING":
            cursor.refuse("VACUUM … USING INVENTORY", span=token.span)
        elif token.upper == "RETAIN":
            retain = cursor.constant()
            if not cursor.take("HOUR"):
                cursor.expect("HOURS")
        elif token.upper == "DRY":
            cursor.expect("RUN")
            dry_run = True
        else:
            lite = token.upper == "LITE"
    return Vacuum(table=table, lite=lite, retain_hours=retain, dry_run=dry_run)


_MODIFIERS = frozenset({"LITE", "FULL", "RETAIN", "DRY", "USING"})


def parse_optimize(cursor: Cursor) -> Optimize:
    """``OPTIMIZE table {FULL | [WHERE predicate] [ZORDER BY (column, …)]}``

    The brackets round the columns may be left out.
    """
    cursor.expect("OPTIMIZE")
    table = cursor.table()
    if cursor.take("FULL"):
        return Optimize(table=table, full=True)
    where = cursor.until_closed("ZORDER", *CLAUSES) if cursor.take("WHERE") else None
    zorder = cursor.paths() if _take(cursor, "ZORDER", "BY") else ()
    return Optimize(table=table, where=where, zorder=zorder)


def _take(cursor: Cursor, first: str, *more: str) -> bool:
    """Take these words if the first of them comes next; the others must follow."""
    if not cursor.take(first):
        return False
    cursor.expect(*more)
    return True


def parse_restore(cursor: Cursor) -> Restore:
    """``RESTORE [TABLE] table [TO] {VERSION AS OF number | TIMESTAMP AS OF expression}``

    Any other way to write time travel does too: ``RESTORE table@v3``.
    """
    cursor.expect("RESTORE")
    cursor.take("TABLE")
    table = cursor.table(as_of=True)
    as_of = table.as_of
    if as_of is None:
        cursor.take("TO")
        as_of = cursor.as_of()
    if as_of is None:
        cursor.fail("VERSION AS OF or TIMESTAMP AS OF")
    return Restore(table=table.at(None), as_of=as_of)


def parse_reorg(cursor: Cursor) -> Reorg:
    """``REORG TABLE table [WHERE predicate] APPLY (PURGE)``"""
    cursor.expect("REORG", "TABLE")
    table = cursor.table()
    where = cursor.until_closed("APPLY", *CLAUSES) if cursor.take("WHERE") else None
    cursor.expect("APPLY", "(")
    if cursor.at("UPGRADE"):
        cursor.refuse("REORG TABLE … APPLY (UPGRADE)", hint="use `APPLY (PURGE)`")
    cursor.expect("PURGE", ")")
    return Reorg(table=table, where=where)


def parse_fsck(cursor: Cursor) -> Fsck:
    """``FSCK REPAIR TABLE table [DRY RUN]``"""
    cursor.expect("FSCK", "REPAIR", "TABLE")
    return Fsck(table=cursor.table(), dry_run=_take(cursor, "DRY", "RUN"))


def parse_generate(cursor: Cursor) -> Generate:
    """``GENERATE symlink_format_manifest FOR TABLE table``"""
    cursor.expect("GENERATE")
    span = cursor.here()
    mode = cursor.name("symlink_format_manifest")
    if mode.lower() != "symlink_format_manifest":
        cursor.refuse(f"GENERATE {mode}", hint="use `GENERATE symlink_format_manifest`", span=span)
    cursor.expect("FOR", "TABLE")
    return Generate(table=cursor.table())


def parse_checkpoint(cursor: Cursor) -> Checkpoint:
    """``CHECKPOINT [TABLE] table``"""
    cursor.expect("CHECKPOINT")
    cursor.take("TABLE")
    return Checkpoint(table=cursor.table())


def parse_analyze(cursor: Cursor) -> Analyze:
    """``ANALYZE TABLE table COMPUTE [DELTA] STATISTICS [NOSCAN | FOR ALL COLUMNS | FOR COLUMNS column, …]``"""
    cursor.expect("ANALYZE", "TABLE")
    table = cursor.table()
    if cursor.at("PARTITION"):
        cursor.refuse("ANALYZE TABLE … PARTITION", hint="leave it out")
    cursor.expect("COMPUTE")
    cursor.take("DELTA")
    cursor.expect("STATISTICS")
    if cursor.take("NOSCAN"):
        return Analyze(table=table, noscan=True)
    if not cursor.take("FOR") or cursor.take("ALL", "COLUMNS"):
        return Analyze(table=table)
    cursor.expect("COLUMNS")
    return Analyze(table=table, columns=cursor.paths())
