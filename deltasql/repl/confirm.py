"""Which statements ask before they run at the prompt, and what they ask. Scripts are never asked."""

from __future__ import annotations

from deltasql.catalog.catalog import TableEntry
from deltasql.names import TableReference
from deltasql.sql.statements import Delete, DropTable, Statement, Vacuum


def target(statement: Statement | None) -> TableReference | None:
    """The table that ``statement`` may take something from for good, or None."""
    return statement.table if isinstance(statement, (Vacuum, DropTable, Delete)) else None


def question(statement: Statement, entry: TableEntry) -> str | None:
    """What to ask before ``statement`` runs on ``entry``, its target; None where it just runs."""
    match statement:
        case Vacuum(dry_run=False):
            return (
                f"Remove the files of `{entry}` that only old versions need? Those versions can't be read after that."
            )
        case DropTable() if entry.managed:
            return f"Drop `{entry}` and remove its files in {entry.location}?"
        case Delete(where=None):
            return f"Delete all rows of `{entry}`?"
    return None
