"""Which statements ask before they run at the prompt, and what they ask. Scripts are never asked.

Those ask that take away what one statement doesn't bring back, or all there is. What takes nothing doesn't ask.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from deltasql.operations import plan
from deltasql.operations.delete import Delete as Deletion
from deltasql.operations.drop import Drop
from deltasql.operations.operation import Operation
from deltasql.operations.restore import Restore as Return
from deltasql.operations.schema import DropSchema as SchemaDrop
from deltasql.operations.vacuum import Vacuum as Cleaning
from deltasql.session import Session, StatementContext
from deltasql.sql.statements import Delete, DropSchema, DropTable, Restore, Statement, Truncate, Vacuum
from deltasql.storage.objects import Location, ObjectPath
from deltasql.write.restoring import restoration


def question(statement: Statement, session: Session) -> str | None:
    """What to ask before ``statement`` runs; None where it just runs.

    Raises as the statement itself would where it can't be told what that takes away.
    """
    match statement:
        case Vacuum(dry_run=False):
            return _asked(plan(replace(statement, dry_run=True), StatementContext(session)))
        case Delete(where=None) | Truncate() | DropTable() | DropSchema() | Restore():
            return _asked(plan(statement, StatementContext(session)))
    return None


def _asked(operation: Operation) -> str | None:
    match operation:
        case Cleaning():
            return _vacuum(operation)
        case Deletion():
            return _delete(operation)
        case Drop():
            return _drop(operation)
        case SchemaDrop():
            return _drop_schema(operation)
        case Return():
            return _restore(operation)
    return None


def _vacuum(dry_run: Cleaning) -> str | None:
    found = dry_run.execute().metrics
    files, size = found["num_removed_files"], found["removed_files_size"]
    taken = f"{_files(files, size)} of `{dry_run.target.entry}`"
    return f"Remove {taken}? Versions that need them can't be read after that." if files else None


def _delete(found: Deletion) -> str | None:
    snapshot = found.target.snapshot
    rows = sum(batch.column(0)[0].as_py() for batch in found.rows.read())
    if not snapshot.files:
        return None
    taken = f"{'the only row' if rows == 1 else f'all {rows:,} rows'} of `{found.target.entry}`"
    return f"Delete {taken}, {_files(len(snapshot.files), snapshot.size)}?"


def _drop(found: Drop) -> str | None:
    if found.entry is None or not found.entry.managed:
        return None
    taken = _files(*_below(found.entry.location))
    return f"Drop `{found.entry}` and remove {found.entry.location} with all versions, {taken}?"


def _drop_schema(found: SchemaDrop) -> str | None:
    tables = sum(entry.managed for entry in found.root.tables(found.name))
    if not tables:
        return None
    folder = found.root.place(found.name)
    what = "its table" if tables == 1 else f"its {tables:,} tables"
    return f"Drop schema `{found.name}` and remove {what} in {folder}, {_files(*_below(folder))}?"


def _restore(found: Return) -> str | None:
    now, then = found.target.snapshot, found.then
    changes = restoration(now, then)
    if not changes.actions():
        return None
    gone, back = (
        _files(len(bodies), sum(int(body.get("size", 0)) for body in bodies))
        for bodies in (changes.removes, changes.adds)
    )
    asked = f"Restore `{found.target.entry}` from version {now.version} to version {then.version}"
    return f"{asked}, taking out {gone} and putting back {back}?"


def _files(count: int, size: int) -> str:
    return f"{'a file' if count == 1 else f'{count:,} files'} ({size:,} bytes)"


def _below(folder: Location) -> tuple[int, int]:
    """How many files there are below ``folder``, and their bytes; links aren't followed, and count for nothing."""
    count = size = 0
    if isinstance(folder, ObjectPath):
        sizes = [state.st_size for _, state in folder.below()]
        return len(sizes), sum(sizes)
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(where) / name).lstat().st_size
            except OSError:  # another removed it
                continue
            count += 1
    return count, size
