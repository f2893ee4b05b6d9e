"""What became of a statement that was stopped: it is looked up, as a commit may have been on its way already."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.catalog import TableEntry
from deltasql.errors import Error
from deltasql.names import TableReference
from deltasql.session import Session
from deltasql.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Before:
    """The table that a statement writes to, and its version, None where there was no table."""

    table: TableReference
    version: int | None


def before(statement: Statement | None, session: Session) -> Before | None:
    """What to compare with once ``statement`` was stopped; None where it changes no one table."""
    table = getattr(statement, "table", None)
    return Before(table, _version(table, session)) if isinstance(table, TableReference) else None


def stopped(then: Before | None, session: Session) -> str:
    """What to say of a statement that was stopped."""
    if then is None:
        return "interrupted; what it had done by then stays done"
    now = _version(then.table, session)
    if now == then.version:
        return f"interrupted; `{then.table}` is as it was" if now is not None else "interrupted; nothing was done"
    if now is None:
        return f"interrupted, but `{then.table}` is gone"
    return f"interrupted, but version {now} of `{then.table}` was committed"


def _version(table: TableReference, session: Session) -> int | None:
    try:
        entry = session.catalog.named(table)
        return session.catalog.latest(entry).version if isinstance(entry, TableEntry) else None
    except Error:
        return None
