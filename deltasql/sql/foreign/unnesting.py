"""Arrays spread over rows in FROM (UNNEST, LATERAL VIEW), where one table and one array make a subquery of it."""

from __future__ import annotations

from sqlglot import exp

from deltasql.names import fold
from deltasql.sql.foreign.build import Source, call
from deltasql.sql.foreign.kinds import kind


def spread(tree: exp.Expr, source: Source) -> exp.Expr:
    """``tree`` with each ``FROM t, UNNEST(t.a) AS u(x)`` and ``FROM t LATERAL VIEW explode(t.a) u AS x`` as
    ``FROM (SELECT *, unnest(t.a) AS x FROM t) AS t``.

    Raises `NotSupportedError` for other forms.
    """  # noqa: D205
    for select in list(tree.find_all(exp.Select)):
        laterals = [*(select.args.get("laterals") or ())]
        unnests = [join for join in select.args.get("joins") or () if isinstance(join.this, exp.Unnest)]
        if laterals or unnests:
            _spread(select, laterals, unnests, source)
    return tree


def _spread(select: exp.Select, laterals: list[exp.Expr], unnests: list[exp.Join], source: Source) -> None:
    from_, joins = select.args.get("from_"), select.args.get("joins") or []
    table = from_.this if from_ is not None else None
    if (
        len(laterals) + len(unnests) != 1
        or len(joins) != len(unnests)
        or not isinstance(table, exp.Table | exp.Subquery)
    ):
        source.refuse(str((laterals or [u.this for u in unnests])[0].sql()), why=_WHY, hint=_HINT)
    if laterals:
        array, alias, column = _view(laterals[0], source)
    else:
        array, alias, column = _unnest(unnests[0], source)
    name = table.alias or table.meta.get("name") or table.name
    inner_table = table.copy()
    inner_table.meta.update(table.meta)
    item = exp.Alias(this=call("unnest", array.copy()), alias=exp.to_identifier(column, quoted=True))
    # Stars would give the column twice, or under a name that isn't its own.
    for node in select.find_all(exp.Column):
        if (alias and fold(node.table) == fold(alias)) or (not node.table and fold(node.name) == fold(column)):
            node.set("table", exp.to_identifier(name, quoted=True))
    inner = exp.Select(expressions=[exp.Star(), item], from_=exp.From(this=inner_table))
    given = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    select.set("from_", exp.From(this=given))
    select.set("laterals", None)
    select.set("joins", None)


_WHY = "only one array of one table can be spread in FROM"
_HINT = "put it in a subquery: (SELECT *, unnest(array) AS x FROM t)"


def _view(lateral: exp.Expr, source: Source) -> tuple[exp.Expr, str, str]:
    """``LATERAL VIEW explode(array) alias AS column``."""
    function, alias = lateral.this, lateral.args.get("alias")
    exploding = isinstance(function, exp.Explode) or function.name.lower().endswith("f_explode")
    if not exploding or lateral.args.get("outer") or not lateral.args.get("view") or alias is None:
        source.refuse(lateral, why=_WHY, hint=_HINT)
    array = function.this if isinstance(function, exp.Explode) else function.expressions[0]
    _require_array(array, lateral, source)
    columns = alias.args.get("columns") or []
    return array, alias.name, columns[0].name if len(columns) == 1 else "col"


def _unnest(join: exp.Join, source: Source) -> tuple[exp.Expr, str, str]:
    """``, UNNEST(array) AS alias(column)``; bigquery's alias is the column."""
    node = join.this
    alias = node.args.get("alias")
    plain = len(node.expressions) == 1 and not node.args.get("offset") and not join.args.get("on")
    if not plain or alias is None or str(join.args.get("side") or ""):
        source.refuse(node, why=_WHY, hint=_HINT)
    _require_array(node.expressions[0], node, source)
    columns = alias.args.get("columns") or []
    if len(columns) != 1:
        source.refuse(node, why="its column has no name", hint="write UNNEST(…) AS alias(column)")
    return node.expressions[0], alias.name, columns[0].name


def _require_array(array: exp.Expr, node: exp.Expr, source: Source) -> None:
    found = kind(array)
    if found is None or found.name != "array":
        source.refuse(node, why="what it spreads isn't known to be an array")
