"""Which statements ask before they run at the prompt, and what they ask. Scripts are never asked."""

from __future__ import annotations

from dataclasses import replace

from deltasql.catalog.catalog import TableEntry
from deltasql.names import TableReference
from deltasql.operations import plan
from deltasql.session import Session, StatementContext
from deltasql.sql.statements import Delete, DropTable, Statement, Vacuum


def target(statement: Statement | None) -> TableReference | None:
    """The table that ``statement`` may take something from for good, or None."""
    return statement.table if isinstance(statement, (Vacuum, DropTable, Delete)) else None


def question(statement: Statement, entry: TableEntry, session: Session) -> str | None:
    """What to ask before ``statement`` runs on ``entry``, its target; None where it just runs.

    Raises as the statement itself would where it can't be told what that takes away.
    """
    match statement:
        case Vacuum(dry_run=False):
            found = plan(replace(statement, dry_run=True), StatementContext(session)).execute().metrics
            files, size = found["num_removed_files"], found["removed_files_size"]
            what = "a file" if files == 1 else f"{files:,} files"
            asked = f"Remove {what} of `{entry}` ({size:,} bytes)? Versions that need them can't be read after that."
            return asked if files else None
        case DropTable() if entry.managed:
            return f"Drop `{entry}` and remove its files in {entry.location}?"
        case Delete(where=None):
            return f"Delete all rows of `{entry}`?"
    return None
