"""CHECKPOINT: the state of a table in one file of its log, so that opening it reads no entry before."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import StorageError, brief
from deltasql.operations.operation import Plan, nothing, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.target import Target, target


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that is ready to be written."""

    target: Target

    def explain(self) -> Plan:
        """Target and operation."""
        return writing(self.target, "write a checkpoint")

    def execute(self) -> Result:
        """Write it; the table stays as it is."""
        try:
            self.target.snapshot.table.create_checkpoint()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # Panics of delta-rs are BaseExceptions.
            message = f"a checkpoint of `{self.target.entry}` can't be written: {brief(error)}"
            raise StorageError(message) from error
        return nothing("CHECKPOINT")


def plan(statement: statements.Checkpoint, context: StatementContext) -> Checkpoint:
    """Find the table; of one with features that aren't known here a checkpoint could forget what they need."""
    return Checkpoint(target(statement.table, context, removes_data=False))
