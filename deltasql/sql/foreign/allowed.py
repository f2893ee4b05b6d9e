"""The nodes of a tree that print as SQL which DataFusion takes for the same, each with the parts that it may have."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

_BINARY = frozenset({"this", "expression"})
_QUERY = frozenset({"with_", "order", "limit", "offset"})

ALLOWED: Mapping[type[exp.Expr], frozenset[str]] = {
    # -- queries
    exp.Select: _QUERY
    | {"expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "windows"},
    exp.Union: _QUERY | _BINARY | {"distinct", "by_name"},
    exp.Intersect: _QUERY | _BINARY | {"distinct"},
    exp.Except: _QUERY | _BINARY | {"distinct"},
    exp.Subquery: _QUERY | {"this", "alias"},
    exp.With: frozenset({"expressions", "recursive"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.From: frozenset({"this"}),
    exp.Join: frozenset({"this", "on", "using", "kind", "side", "method"}),
    exp.Table: frozenset({"this", "db", "catalog", "alias", "joins"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Where: frozenset({"this"}),
    exp.Group: frozenset({"expressions", "all", "grouping_sets", "rollup", "cube"}),
    exp.GroupingSets: frozenset({"expressions"}),
    exp.Rollup: frozenset({"expressions"}),
    exp.Cube: frozenset({"expressions"}),
    exp.Having: frozenset({"this"}),
    exp.Qualify: frozenset({"this"}),
    exp.Order: frozenset({"this", "expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Distinct: frozenset({"expressions", "on"}),
    # -- names
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Star: frozenset({"except_", "replace"}),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Dot: _BINARY,
    # -- values
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Null: frozenset(),
    exp.Boolean: frozenset({"this"}),
    exp.Tuple: frozenset({"expressions"}),
    exp.Array: frozenset({"expressions", "bracket_notation"}),
    exp.Interval: frozenset({"this", "unit"}),
    exp.Var: frozenset({"this"}),
    # -- operators
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.And, exp.Or, exp.EQ, exp.NEQ), _BINARY),
    **dict.fromkeys((exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ), _BINARY),
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr), _BINARY),
    exp.Div: _BINARY | {"typed"},
    exp.DPipe: _BINARY | {"safe"},
    **dict.fromkeys((exp.Is, exp.Like, exp.ILike), _BINARY | {"negate"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Exists: frozenset({"this"}),
    exp.Any: frozenset({"this"}),
    exp.All: frozenset({"this"}),
    exp.Not: frozenset({"this"}),
    exp.Neg: frozenset({"this"}),
    exp.Paren: frozenset({"this"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to"}),
    exp.DataType: frozenset({"this", "expressions", "nested"}),
    exp.DataTypeParam: frozenset({"this"}),
    exp.Bracket: frozenset({"this", "expressions"}),
    # -- aggregates and windows
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.Filter: _BINARY,
    exp.WithinGroup: _BINARY,
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.IgnoreNulls: frozenset({"this"}),
    exp.RespectNulls: frozenset({"this"}),
}

SAID: Mapping[str, str] = {
    "sample": "TABLESAMPLE",
    "pivots": "PIVOT",
    "laterals": "LATERAL",
    "connect": "CONNECT BY",
    "match": "MATCH_RECOGNIZE",
    "cluster": "CLUSTER BY",
    "distribute": "DISTRIBUTE BY",
    "sort": "SORT BY",
    "into": "SELECT INTO",
    "locks": "FOR UPDATE",
    "totals": "WITH TOTALS",
    "with_fill": "WITH FILL",
    "when": "time travel in this form",
    "version": "time travel in this form",
    "system_time": "time travel in this form",
    "changes": "CHANGES",
    "rename": "* RENAME",
    "ilike": "* ILIKE",
    "exclude": "EXCLUDE in a window",
    "symmetric": "BETWEEN SYMMETRIC",
    "unnest": "IN UNNEST",
    "ordinality": "WITH ORDINALITY",
    "match_condition": "ASOF JOIN",
    "nearest": "ASOF JOIN",
    "kind": "AS STRUCT",
    "for_": "FOR",
    "settings": "SETTINGS",
    "prewhere": "PREWHERE",
    "materialized": "MATERIALIZED",
    "key_expressions": "USING KEY",
}
"""What a part is called that has no like, where its own name doesn't say it."""
