"""VACUUM."""

from __future__ import annotations

from deltasql.sql.cursor import Cursor
from deltasql.sql.statements import Fragment, Vacuum


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
