"""What engines mean by the same signs: division, literals, rounding casts, indexes, LIKE.

A manner that isn't known is None: what depends on it is refused. The sources are the engines' own pages; duckdb's
were tried on DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Division = Literal["double", "typed", "spark", "snowflake", "bigquery", "mysql", "numeric"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How an engine reads what others write alike.

    ``division``: ``double`` always, ``typed`` as the operands are (whole numbers are cut), else by the named engine's
    rules for decimals. ``by_zero``: what dividing by zero gives; ``modulo_zero`` the same of ``%``. ``points``: a
    literal with a point is a ``decimal`` or a ``float``. ``rounds``: a cast to a whole number takes the nearest, which
    for halves of floats is the ``even`` one or that ``away`` from zero, or it cuts (``cuts``). ``base``: the index of
    an array's first element. ``escapes``: a backslash escapes in LIKE. ``instants``: TIMESTAMP has a zone.
    ``dated``: a date plus an interval is a timestamp. ``plus_joins``: ``+`` joins texts. ``lengths``: a cast to
    VARCHAR(n) cuts, or keeps all.
    """

    division: Division | None = None
    by_zero: Literal["null", "error", "infinite"] = "error"
    modulo_zero: Literal["null", "error"] = "error"
    points: Literal["decimal", "float"] | None = None
    rounds: Literal["even", "away", "cuts"] | None = None
    base: int | None = None
    escapes: bool | None = None
    ignores_case: bool = False
    instants: bool = False
    dated: bool = False
    plus_joins: bool = False
    lengths: Literal["cuts", "keeps"] | None = None
    decimal: tuple[int, int] | None = None
    float_bits: int | None = None
    dates_subtract: bool = True
    empty_is_null: bool = False


_POSTGRES = Manner(
    division="typed",
    points="decimal",
    rounds="even",
    base=1,
    escapes=True,
    dated=True,
    lengths="cuts",
    float_bits=64,
)
_SPARK = Manner(
    division="spark",
    points="decimal",
    rounds="cuts",
    base=0,
    escapes=True,
    instants=True,
    decimal=(10, 0),
    float_bits=32,
    dates_subtract=False,
)
_TRINO = Manner(
    division="typed", points="decimal", rounds="away", base=1, escapes=False, decimal=(38, 0), dates_subtract=False
)
_TSQL = Manner(
    division="typed",
    points="decimal",
    rounds="cuts",
    escapes=False,
    plus_joins=True,
    lengths="cuts",
    decimal=(18, 0),
    float_bits=64,
    dates_subtract=False,
)
_UNKNOWN = Manner()

MANNERS: dict[str, Manner] = {
    "athena": _TRINO,
    "bigquery": Manner(
        division="bigquery", points="float", rounds="away", escapes=True, decimal=(38, 9), dates_subtract=False
    ),
    "clickhouse": Manner(division="double", by_zero="infinite", points="float", rounds="cuts", base=1, escapes=True),
    "databricks": _SPARK,
    "doris": _UNKNOWN,
    "dremio": _UNKNOWN,
    "drill": _UNKNOWN,
    "druid": _UNKNOWN,
    "duckdb": Manner(
        division="double",
        by_zero="infinite",
        modulo_zero="null",
        points="decimal",
        rounds="even",
        base=1,
        escapes=False,
        dated=True,
        lengths="keeps",
        decimal=(18, 3),
        float_bits=32,
    ),
    "dune": _TRINO,
    "exasol": _UNKNOWN,
    "fabric": _TSQL,
    "hive": replace(_SPARK, by_zero="null", modulo_zero="null"),
    "materialize": _POSTGRES,
    "mysql": Manner(
        division="mysql",
        by_zero="null",
        modulo_zero="null",
        points="decimal",
        rounds="away",
        escapes=True,
        lengths="cuts",
        decimal=(10, 0),
        float_bits=32,
        dates_subtract=False,
    ),
    "oracle": Manner(division="numeric", points="decimal", rounds="away", escapes=False, empty_is_null=True),
    "postgres": _POSTGRES,
    "presto": _TRINO,
    "redshift": replace(_POSTGRES, base=None, decimal=(18, 0)),
    "risingwave": _POSTGRES,
    "snowflake": Manner(
        division="snowflake", points="decimal", rounds="away", base=0, escapes=False, decimal=(38, 0), float_bits=64
    ),
    "spark": _SPARK,
    "spark2": replace(_SPARK, by_zero="null", modulo_zero="null"),
    "sqlite": Manner(
        division="typed",
        by_zero="null",
        modulo_zero="null",
        points="float",
        rounds="cuts",
        escapes=False,
        ignores_case=True,
        lengths="keeps",
        dates_subtract=False,
    ),
    "starrocks": _UNKNOWN,
    "teradata": _UNKNOWN,
    "trino": _TRINO,
    "tsql": _TSQL,
}
"""By the name that ``SET deltasql.dialect`` takes."""

FAMILIES: dict[str, str] = {
    **dict.fromkeys(("postgres", "materialize", "risingwave"), "postgres"),
    **dict.fromkeys(("databricks", "spark", "spark2", "hive"), "spark"),
    **dict.fromkeys(("trino", "presto", "athena", "dune"), "trino"),
    **dict.fromkeys(("tsql", "fabric"), "tsql"),
    **{
        name: name
        for name in ("redshift", "duckdb", "snowflake", "bigquery", "mysql", "clickhouse", "sqlite", "oracle")
    },
}
"""The dialects that share a table of functions."""
