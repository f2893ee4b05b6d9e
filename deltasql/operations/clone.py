"""CREATE TABLE … CLONE: a table that has what another has at a version; its files are shared (SHALLOW) or copied."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import AlreadyExists, PlanError
from deltasql.operations.operation import Nothing, Plan, nothing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.write.cloning import adds
from deltasql.write.creating import Place, making, placed, require_empty
from deltasql.write.designing import Design, cloned
from deltasql.write.features import require_writable


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone that is ready to be made."""

    statement: statements.CloneTable
    context: StatementContext
    place: Place
    source: Snapshot
    design: Design

    def explain(self) -> Plan:
        """Source, place, and what becomes of the files."""
        how = "shallow clone: name" if self.statement.shallow else "deep clone: copy"
        return [
            ("target", f"{self.place.entry} at {self.place.entry.location}"),
            ("source", f"{self.source.name} version {self.source.version} at {self.source.location}"),
            ("operation", f"{how} {len(self.source.files)} files"),
        ]

    def execute(self) -> Result:
        """Make the clone in one commit; where that fails, nothing of it stays."""
        source, shallow = self.source, self.statement.shallow
        with making(self.place.entry.location, self.design, self.context) as made:
            files = adds(source, made, shallow=shallow)
            metrics = {
                "source_table_size": source.size,
                "source_num_of_files": len(source.files),
                "num_copied_files": 0 if shallow else len(files),
                "copied_files_size": 0 if shallow else sum(each["add"]["size"] for each in files),
            }
            parameters = {
                "source": str(source.location),
                "sourceVersion": source.version,
                "isShallow": shallow,
                "properties": dict(self.statement.properties),
            }
            commit = made.commit("CLONE", parameters, metrics, adds=files)
        self.place.keep(self.context)
        self.context.session.catalog.forget(self.place.entry)
        return nothing("CREATE TABLE", version=commit.version, metrics=commit.metrics)


def plan(statement: statements.CloneTable, context: StatementContext) -> Clone | Nothing:
    """Find the source at its version, and the place of the clone."""
    table = statement.table
    source = context.open(statement.source)
    try:
        place = placed(
            table,
            context,
            location=statement.location,
            replace=statement.replace,
            must_exist=statement.must_exist,
        )
        if place.old is None:
            require_empty(place.entry.location)
    except AlreadyExists:
        if statement.if_not_exists:
            return Nothing("CREATE TABLE", f"`{table.name}` exists already")
        raise
    require_writable(source, removes_data=False)
    if place.entry.location.resolve() == source.location.resolve():
        hint = "use RESTORE TABLE … TO VERSION AS OF"
        raise PlanError("a table can't be replaced by a clone of itself", hint=hint, span=statement.source.span)
    name = None if table.path is not None else place.entry.name
    design = cloned(source, name, dict(statement.properties), old=place.old)
    return Clone(statement, context, place, source, design)
