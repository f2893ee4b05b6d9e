"""VACUUM: files that no version inside the retention needs are removed.

Between two commits that say so, as Delta Lake does it: who finds VACUUM START without its END knows what happened.
What others committed since the files were looked for is looked at again before one is removed. Of tables with
features that aren't known here no file is (Delta protocol, "Vacuum Protocol Check").
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.catalog.retention import Unneeded, retention, unneeded
from deltasql.errors import OperationalError, PlanError, Span, StorageError
from deltasql.operations.operation import Plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import Location
from deltasql.write.commit import commit
from deltasql.write.retry import retrying
from deltasql.write.target import Target, target

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Vacuum:
    """A clean-up that is ready to run; ``hours`` None is the table's own retention."""

    target: Target
    lite: bool
    hours: int | None
    dry_run: bool
    check: bool
    place: Span | None = None

    def explain(self) -> Plan:
        """Target and operation."""
        kept = "the table's retention" if self.hours is None else f"{self.hours} hours"
        kind = "the files that the log names" if self.lite else "all files in the table's folder"
        return writing(self.target, f"vacuum {kind}, retain {kept}{', dry run' if self.dry_run else ''}")

    def execute(self) -> Result:
        """Remove the files (or list them) and give their paths, or the table's."""
        own = retention(self.target.snapshot.properties)
        self._check_retention(own)
        cutoff = time.time_ns() // 1_000_000 - (own if self.hours is None else self.hours * _HOUR)
        progress = self.target.context.progress
        progress.begin("looked at", "files")
        found = unneeded(self.target.snapshot, cutoff, lite=self.lite, looked=progress.done)
        version = None
        if self.dry_run:
            listed = [str(each.path) for each in found]
        else:
            listed = [str(self.target.snapshot.location)]
            if found:
                found, version = self._run(found, cutoff, own)
        metrics = {"num_removed_files": len(found), "removed_files_size": _size(found), "dry_run": self.dry_run}
        rows = pa.table({"path": pa.array(listed, pa.string())})
        return Result.of(rows, statement_type="VACUUM", metrics=metrics, version=version)

    def _check_retention(self, own: int) -> None:
        if self.check and self.hours is not None and self.hours * _HOUR < own:
            younger = f"younger than its retention of {_shown(own)}"
            message = f"VACUUM would remove files of `{self.target.entry}` {younger}"
            hint = "readers of older versions would fail; SET deltasql.vacuum.retention_check = off allows it"
            raise OperationalError(message, hint=hint, span=self.place)

    def _run(self, found: list[Unneeded], cutoff: int, own: int) -> tuple[list[Unneeded], int]:
        """Remove the files ``found``; gives those that were, and the version of the last commit."""
        asked = None if self.hours is None else self.hours * _HOUR
        parameters = {"retentionCheckEnabled": self.check, "specifiedRetentionMillis": asked}
        metrics = {"numFilesToDelete": len(found), "sizeOfDataToDelete": _size(found)}
        started = self._commit("START", {**parameters, "defaultRetentionMillis": own}, metrics)
        if started != self.target.snapshot.version + 1:
            latest = self.target.session.catalog.latest(self.target.entry)
            still = {each.path for each in unneeded(latest, cutoff, lite=self.lite)}
            found = [each for each in found if each.path in still]
        removed: list[Unneeded] = []
        progress = self.target.context.progress
        try:
            progress.begin("removed", "files", len(found))
            for each in found:
                _remove(each.path)
                removed.append(each)
                progress.done()
        except BaseException:
            self._ended(removed, "FAILED")
            raise
        return removed, self._ended(removed, "COMPLETED")

    def _ended(self, removed: list[Unneeded], status: str) -> int:
        metrics = {
            "numDeletedFiles": len(removed),
            "numVacuumedDirectories": len({each.path.parent for each in removed}),
        }
        return retrying(
            lambda: self._commit("END", {"status": status}, metrics),
            retries=self.target.session.settings["deltasql.commit.retries"],
        )

    def _commit(self, step: str, parameters: Mapping[str, Any], metrics: Mapping[str, int]) -> int:
        starts = step == "START"
        snapshot = self.target.snapshot if starts else self.target.session.catalog.latest(self.target.entry)
        return commit(
            snapshot,
            [],
            operation=f"VACUUM {step}",
            parameters=parameters,
            metrics=metrics,
            blind=True,
            custom=self.target.recorded(),
        )


def _size(files: list[Unneeded]) -> int:
    return sum(each.size for each in files)


def _remove(path: Location) -> None:
    try:
        with suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        raise StorageError(f"`{path}` can't be removed: {error.strerror}") from error


def _shown(milliseconds: int) -> str:
    hours, rest = divmod(milliseconds, _HOUR)
    return f"{milliseconds / _HOUR:.2f} hours" if rest else f"{hours} hours"


def plan(statement: statements.Vacuum, context: StatementContext) -> Vacuum:
    """Bind the table and the retention."""
    into = target(statement.table, context, removes_data=False, looks=statement.dry_run)
    hours = place = None
    if statement.retain_hours is not None:
        place = statement.retain_hours.span
        hours = context.evaluate(statement.retain_hours.sql)
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
            raise PlanError(f"RETAIN takes a whole number of hours, not `{hours}`", span=place)
    check = bool(context.session.settings["deltasql.vacuum.retention_check"])
    return Vacuum(into, statement.lite, hours, statement.dry_run, check, place)
