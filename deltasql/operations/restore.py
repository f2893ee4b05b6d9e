"""RESTORE: the table becomes again what it was at an older version, by one commit on top of all others."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.snapshot import Snapshot
from deltasql.names import Version
from deltasql.operations.operation import Plan, counts, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.commit import commit
from deltasql.write.features import require_writable
from deltasql.write.restoring import restoration
from deltasql.write.target import Commit, Target, target


@dataclass(frozen=True, slots=True)
class Restore:
    """A return to ``then`` that is ready to run; ``asked`` is how the statement names that version."""

    target: Target
    then: Snapshot
    asked: dict[str, str]

    def explain(self) -> Plan:
        """Target, and the version that it goes back to."""
        return writing(self.target, f"restore version {self.then.version}: {len(self.then.files)} files")

    def execute(self) -> Result:
        """Restore, and tell of the files; where nothing differs there is no commit."""
        now = self.target.snapshot
        found = restoration(now, self.then, self.target.context.progress)
        numbers = {
            "table_size_after_restore": self.then.size,
            "num_of_files_after_restore": len(self.then.files),
            "num_removed_files": len(found.removes),
            "num_restored_files": len(found.adds),
            "removed_files_size": sum(body.get("size", 0) for body in found.removes),
            "restored_files_size": sum(body.get("size", 0) for body in found.adds),
        }
        made = None
        if actions := found.actions():
            version = commit(
                now,
                actions,
                operation="RESTORE",
                parameters=self.asked,
                metrics=numbers,
                custom=self.target.recorded(),
            )
            made = Commit(version, dict(numbers))
        return counts("RESTORE", numbers, made)


def plan(statement: statements.Restore, context: StatementContext) -> Restore:
    """Find the table, and the version to go back to."""
    into = target(statement.table, context, removes_data=False)
    then = context.open(statement.table.at(statement.as_of))
    require_writable(then, removes_data=False)
    kind = "version" if isinstance(statement.as_of, Version) else "timestamp"
    return Restore(into, then, {kind: str(then.version) if kind == "version" else statement.as_of.expression})
