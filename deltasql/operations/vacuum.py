"""VACUUM: data files that no version inside the retention needs are removed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.errors import OperationalError, PlanError
from deltasql.operations.operation import Plan, commit_properties, handle, writing
from deltasql.operations.translate import translated
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.target import Target, target

_DEFAULT_HOURS = 168
_HOURS = {"hour": 1, "day": 24, "week": 168}


@dataclass(frozen=True, slots=True)
class Vacuum:
    """A clean-up that is ready to run; ``hours`` None is the table's own retention."""

    target: Target
    lite: bool
    hours: int | None
    dry_run: bool
    check: bool

    def explain(self) -> Plan:
        """Target and operation."""
        retention = "the table's retention" if self.hours is None else f"{self.hours} hours"
        kind = "lite" if self.lite else "full"
        return writing(self.target, f"delta-rs vacuum: {kind}, {retention}{', dry run' if self.dry_run else ''}")

    def execute(self) -> Result:
        """Remove the files (or list them) and give their paths, or the table's."""
        self._check_retention()
        table = handle(self.target)
        with translated(self.target.entry):
            removed = table.vacuum(
                retention_hours=self.hours,
                dry_run=self.dry_run,
                enforce_retention_duration=False,
                full=not self.lite,
                commit_properties=commit_properties(self.target.recorded()),
            )
        location = self.target.snapshot.location
        listed = sorted({str(location / path) for path in removed}) if self.dry_run else [str(location)]
        metrics: dict[str, Any] = {"num_removed_files": len(set(removed)), "dry_run": self.dry_run}
        rows = pa.table({"path": pa.array(listed, pa.string())})
        version = None if self.dry_run else table.version()
        version = version if version != self.target.snapshot.version else None
        return Result.of(rows, statement_type="VACUUM", metrics=metrics, version=version)

    def _check_retention(self) -> None:
        retention = retention_hours(self.target.snapshot.properties)
        if self.check and self.hours is not None and self.hours < retention:
            younger = f"younger than its retention of {retention} hours"
            message = f"VACUUM would remove files of `{self.target.entry}` {younger}"
            hint = "readers of older versions would fail; SET deltasql.vacuum.retention_check = off allows it"
            raise OperationalError(message, hint=hint)


def retention_hours(properties: dict[str, str]) -> int:
    """The table's ``delta.deletedFileRetentionDuration`` in hours; 7 days where it isn't set."""
    text = properties.get("delta.deletedFileRetentionDuration", "")
    found = re.fullmatch(r"(?:interval\s+)?(\d+)\s+(hour|day|week)s?", text.strip().lower())
    return _DEFAULT_HOURS if found is None else int(found[1]) * _HOURS[found[2]]


def plan(statement: statements.Vacuum, context: StatementContext) -> Vacuum:
    """Bind the table and the retention."""
    into = target(statement.table, context)
    hours = None
    if statement.retain_hours is not None:
        hours = context.evaluate(statement.retain_hours.sql)
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
            raise PlanError(f"RETAIN takes a whole number of hours, not `{hours}`", span=statement.retain_hours.span)
    check = bool(context.session.settings["deltasql.vacuum.retention_check"])
    return Vacuum(into, statement.lite, hours, statement.dry_run, check)
