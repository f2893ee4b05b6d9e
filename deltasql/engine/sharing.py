"""Which CTEs are computed once instead of at each reference, as DataFusion would (facts.md, 16 and 63).

One that is named more than once, that joins, aggregates or sorts out, and into which no predicate of the query
around it is pushed: that would be lost, and the whole of the CTE computed for a part of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from datafusion.expr import Aggregate, Distinct, Join, Window

from deltasql.engine.ask import Asked, TableName

if TYPE_CHECKING:
    from datafusion.plan import LogicalPlan

MOST_BYTES = 128 << 20
"""A CTE whose rows are larger than this is computed at each reference after all."""


def is_costly(plan: LogicalPlan) -> bool:
    """True if ``plan`` does more than pick rows and columns."""
    if isinstance(plan.to_variant(), Aggregate | Distinct | Join | Window):
        return True
    return any(map(is_costly, plan.inputs()))


def keeps_its_predicates(whole: Asked, alone: Asked, references: int) -> bool:
    """True if the ``whole`` query asks of the tables of a CTE just what it asks ``alone``, at each reference."""
    there, own = _counted(whole), _counted(alone)
    return all(there[ask] >= count * references for ask, count in own.items())


def _counted(asked: Asked) -> Counter[tuple[TableName, frozenset[str]]]:
    """The scans by table and predicates."""
    return Counter(
        (name, frozenset(str(expr) for expr in scan.conjuncts))
        for name, ask in asked.tables.items()
        for scan in ask.scans
    )
