"""Which files of a table a statement is about that keeps them in order: those of some partitions, or all.

Only values of partition columns can decide it, the same for all rows of a file.
"""

from __future__ import annotations

from deltasql.catalog.packing import LiveFile, live_files
from deltasql.engine.numbered import FILE, Partitions
from deltasql.errors import PlanError
from deltasql.names import quote
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import woven
from deltasql.write.target import Target
from deltasql.write.values import require_deterministic


def chosen_files(where: Fragment | None, into: Target, what: str) -> tuple[LiveFile, ...]:
    """The files of the partitions that ``where`` is true for, the oldest first; without it all.

    Raises `PlanError` for a column that the table isn't partitioned by; ``what`` names the statement.
    """
    files = live_files(into.snapshot)
    if where is None:
        return files
    require_deterministic(where, what)
    query = woven(f"SELECT {quote(FILE)} FROM {into.named(None)} WHERE (", where, "\n)")
    given = into.given(Partitions(into.snapshot))
    bound = into.context.query(query, given)
    partitioned = into.snapshot.partition_columns
    read = {name for names in into.context.rewritten(query, given).used for name in names}
    other = next((name for name in into.snapshot.schema.names if name in read and name not in partitioned), None)
    if other is not None:
        message = f"{what} goes by partitions, and `{into.entry}` isn't partitioned by `{other}`"
        by = ", ".join(f"`{name}`" for name in partitioned)
        hint = f"it is partitioned by {by}" if by else "it has no partitions: leave WHERE out"
        raise PlanError(message, hint=hint, span=where.span)
    snapshot = into.snapshot
    kept = {snapshot.files[index] for batch in bound.read() for index in batch.column(0).to_pylist()}
    return tuple(file for file in files if file.path in kept)
