"""DataFusion's options for a query, against what it gets wrong with others (tests/engine/test_facts.py)."""

from __future__ import annotations

import re

from deltasql.engine.ask import Asked
from deltasql.engine.listing import LATE

_COLLECT = "datafusion.execution.collect_statistics"
_REPARTITION_SORTS = "datafusion.optimizer.repartition_sorts"
_BY_VALUES = "__deltasql_d"  # How the tables of `sql.domains` begin.
_JOINS_TELL = "datafusion.optimizer.enable_join_dynamic_filter_pushdown"  # Two joins may wait for one another for ever.
# Where rows come in an order, a limit is set to parts of groups (apache/datafusion#24927), and one without an order
# fails (#25350), also where it only says how many rows of a CTE are kept.
_SOME_GROUPS = "datafusion.optimizer.enable_distinct_aggregation_soft_limit"
_GROUPS_IN_PARTS = "datafusion.optimizer.repartition_aggregations"
_WORDS = re.compile(r"\b(distinct|group|union|intersect|except|limit|over|order)\b", re.IGNORECASE)
_GROUPING = frozenset({"distinct", "group", "union", "intersect", "except"})


def against_faults(text: str, found: Asked, *, known: bool) -> dict[str, str]:
    """The options for the query ``text``; ``known`` tells that statistics would be taken for more than they are."""
    options = {_COLLECT: "false"} if known else {}
    if found.joins_right:
        options[LATE] = "false"
    if _BY_VALUES in text:
        options[_JOINS_TELL] = "false"
    if found.orders and found.unites:
        options[_REPARTITION_SORTS] = "false"
    words = [word.lower() for word in _WORDS.findall(text)]
    if not _GROUPING.isdisjoint(words) and ("over" in words or words.count("order") > 1):
        options[_SOME_GROUPS] = "false"
        if "limit" in words:
            options[_GROUPS_IN_PARTS] = "false"
    return options
