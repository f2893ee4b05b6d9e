"""COPY INTO: files into a table, each once. COPY … TO: a query's rows into a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deltasql.engine.engine import BoundQuery
from deltasql.operations.operation import Plan, counts, source_plan, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import Woven, woven
from deltasql.storage.objects import Location
from deltasql.write.exporting import Export, export, exporting
from deltasql.write.landing import landed, load_actions, loaded
from deltasql.write.loading import Load, damaged, load, require_loadable
from deltasql.write.reading import reading
from deltasql.write.target import Target, target

_METRICS = {"inserted": "num_added_rows"}


# -- COPY INTO


@dataclass(frozen=True, slots=True)
class CopyInto:
    """Files that are ready to be loaded; ``load`` is None where there are none."""

    target: Target
    files: Sequence[Location]
    skipped: int
    load: Load | None

    def explain(self) -> Plan:
        """Target, operation, and how the files are read."""
        how = f"copy into: {len(self.files)} files to load, {self.skipped} corrupt"
        return [*writing(self.target, how), *(source_plan(self.load.bound) if self.load is not None else [])]

    def execute(self) -> Result:
        """Load the files; without any there is no commit."""
        commit, inserted = None, 0
        if self.load is not None:
            added = self.load.evolved
            commit, counted = self.target.write(
                "COPY INTO",
                {"mode": "Append", "numSourceFiles": len(self.files)},
                _METRICS,
                rows=self.load.source,
                others=[*load_actions(self.files), *(added.actions if added is not None else ())],
                schema=added.schema if added is not None else None,
                blind=True,
            )
            inserted = counted.inserted
        numbers = {
            "num_affected_rows": inserted,
            "num_inserted_rows": inserted,
            "num_skipped_corrupt_files": self.skipped,
        }
        return counts("COPY INTO", numbers, commit)


def plan_into(statement: statements.CopyInto, context: StatementContext) -> CopyInto:
    """Find the files that are to be loaded, and match their columns with the table's."""
    into = target(statement.table, context, removes_data=False)
    options = reading(statement)
    require_loadable(statement, into, options)
    files = landed(statement, context.session.catalog.storage)
    if not options.forces:
        before = loaded(into.snapshot, files)
        files = [file for file in files if file not in before]
    corrupt = damaged(statement, into, options, files) if options.skips else []
    files = [file for file in files if file not in corrupt]
    return CopyInto(into, files, len(corrupt), load(statement, into, options, files) if files else None)


# -- COPY TO


@dataclass(frozen=True, slots=True)
class CopyTo:
    """Rows that are ready to be written to a file."""

    bound: BoundQuery
    export: Export
    context: StatementContext

    def explain(self) -> Plan:
        """File, format, and how tables are read."""
        what = [("target", str(self.export.path)), ("operation", f"write {self.export.format}")]
        return [*what, *source_plan(self.bound)]

    def execute(self) -> Result:
        """Write the file, which appears (or is replaced) when all rows are in it."""
        rows = export(self.bound.schema, self.bound.read(), self.export, progress=self.context.progress)
        return counts("COPY", {"num_affected_rows": rows}, None)


def plan_to(statement: statements.CopyTo, context: StatementContext) -> CopyTo:
    """Plan the query, and see that its columns fit the format."""
    bound = context.query(_query(statement.source))
    return CopyTo(
        bound, exporting(statement, bound.schema, context.session.settings, context.session.catalog.storage), context
    )


def _query(source: Fragment) -> Fragment | Woven:
    """The query of ``source``. One in brackets goes without them: the order of a subquery's rows means nothing."""
    if not source.sql.startswith("("):
        return woven("SELECT * FROM ", source)
    span = source.span
    return Fragment(source.sql[1:-1], type(span)(span.start + 1, span.end - 1))
