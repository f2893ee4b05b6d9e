"""What of a table names one of its columns, so that the column can't be renamed, dropped or made another type.

Expressions are Spark SQL in the log, which nothing rewrites: Delta Lake refuses such a change, and so it is here.
An expression that can't be read is taken to name every column whose name stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import Error, PlanError
from deltasql.names import fold
from deltasql.sql.dialect import tokenize
from deltasql.write.demands import demands_of
from deltasql.write.expression import Untranslatable
from deltasql.write.spark import translated

if TYPE_CHECKING:
    import pyarrow as pa


def require_independent(snapshot: Snapshot, path: Sequence[str], verb: str) -> None:
    """Raise `PlanError` if a CHECK, an invariant or a generated column reads ``path``, or a field above or below.

    ``verb`` says what can't be done: ``dropped``.
    """
    for demand in demands_of(snapshot):
        if any(_same_branch(path, read) for read in _reads(demand.expression, snapshot.schema)):
            what = demand.what if demand.what.startswith("the ") else f"the {demand.what}"
            message = f"`{'.'.join(path)}` can't be {verb}: {what} ({demand.expression}) reads it"
            hint = "drop the constraint first" if demand.what.startswith("CHECK") else None
            raise PlanError(message, hint=hint)
    columns = snapshot.properties.get("delta.dataSkippingStatsColumns", "")
    if any(fold(word) == fold(path[0]) for word in _words(columns)):
        message = f"`{'.'.join(path)}` can't be {verb}: the property `delta.dataSkippingStatsColumns` names it"
        raise PlanError(message, hint="set the property anew first")


def _reads(expression: str, schema: pa.Schema) -> Iterator[tuple[str, ...]]:
    try:
        yield from translated(expression, schema).paths
    except Untranslatable:
        yield from ((word,) for word in _words(expression))


def _words(text: str) -> Iterator[str]:
    try:
        for token in tokenize(text):
            yield token.text
    except Error:
        yield from text.split()


def _same_branch(one: Sequence[str], other: Sequence[str]) -> bool:
    return all(fold(left) == fold(right) for left, right in zip(one, other, strict=False))
