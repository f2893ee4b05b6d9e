"""The kinds of a query's expressions, as far as they can be told: what ``/`` or ``[1]`` means depends on them.

Columns get theirs from the tables of the catalog, through subqueries and CTEs; what isn't known has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from deltasql.names import fold
from deltasql.sql.foreign.manners import Manner


@dataclass(frozen=True, slots=True)
class Kind:
    """``int`` ``decimal`` ``float`` ``string`` ``date`` ``timestamp`` ``bool`` ``binary`` ``interval`` ``array``
    ``map`` ``struct``; of a decimal also its digits, if they are known.
    """  # noqa: D205

    name: str
    precision: int | None = None
    scale: int | None = None


INT, FLOAT, STRING, DATE = Kind("int"), Kind("float"), Kind("string"), Kind("date")
TIMESTAMP, BOOL, DECIMAL, INTERVAL = Kind("timestamp"), Kind("bool"), Kind("decimal"), Kind("interval")
ARRAY, BINARY = Kind("array"), Kind("binary")
NUMBERS = {"int", "decimal", "float"}

_NAMED = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), INT),
    **dict.fromkeys(("FLOAT", "DOUBLE"), FLOAT),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_NTZ"), TIMESTAMP),
    "STRING": STRING,
    "DATE": DATE,
    "BOOLEAN": BOOL,
    "BINARY": BINARY,
    "ARRAY": ARRAY,
    "MAP": Kind("map"),
    "STRUCT": Kind("struct"),
}


def kind_of_type(name: str) -> Kind | None:
    """The kind of a type by its SQL name (``DECIMAL(10,2)``, ``ARRAY<INT>``)."""
    found = re.match(r"(\w+)(?:\((\d+), *(\d+)\))?", name)
    if found is None:
        return None
    if found[1] == "DECIMAL" and found[2]:
        return Kind("decimal", int(found[2]), int(found[3]))
    return _NAMED.get(found[1])


def kind(node: exp.Expr) -> Kind | None:
    """The kind that `infer` found for ``node``."""
    found = node.meta.get("kind")
    return found if isinstance(found, Kind) else None


Columns = Mapping[str, Kind | None]


@dataclass(slots=True)
class Names:
    """What names mean at a place: relations by folded name (None: their columns aren't known), CTEs likewise."""

    relations: list[tuple[str, Columns | None]] = field(default_factory=list)
    ctes: dict[str, Columns | None] = field(default_factory=dict)
    outer: Names | None = None

    def column(self, node: exp.Column) -> Kind | None:
        """The kind of a column, here or in the query around."""
        table, name = fold(node.table), fold(node.name)
        for known, columns in self.relations:
            if table and known != table:
                continue
            if columns is None:
                return None
            if name in columns:
                return columns[name]
        return self.outer.column(node) if self.outer is not None else None

    def cte(self, name: str) -> tuple[bool, Columns | None]:
        """Whether there is a CTE of that name, and its columns."""
        if name in self.ctes:
            return True, self.ctes[name]
        return self.outer.cte(name) if self.outer is not None else (False, None)


@dataclass(frozen=True, slots=True)
class Inference:
    """``tables`` gives the columns of a table as the statement names it; ``masked`` the kinds of masked names.

    ``calls`` is the kind of what a function of that name gives for these arguments.
    """

    tables: Callable[[exp.Table], Columns | None]
    masked: Mapping[str, Kind | None]
    manner: Manner
    calls: Callable[[str, list[exp.Expr]], Kind | None]

    def query(self, node: exp.Expr, outer: Names | None = None, *, names: Names | None = None) -> Columns | None:
        """Give kinds to all that stands in a query; its columns by folded name, in order. ``names`` is filled."""
        names = Names(outer=outer) if names is None else names
        with_ = node.args.get("with_")
        recursive = with_ is not None and bool(with_.args.get("recursive"))
        for cte in with_.expressions if with_ is not None else ():
            if recursive:
                names.ctes[fold(cte.alias)] = None
            given = self.query(cte.this, names)
            names.ctes[fold(cte.alias)] = None if recursive else _renamed(given, cte.args.get("alias"))
        if isinstance(node, exp.SetOperation):
            left, right = self.query(node.left, names), self.query(node.right, names)
            self._rest(node, names, ("with_", "this", "expression"))
            if left is None or right is None or len(left) != len(right) or node.args.get("by_name"):
                return None
            pairs = zip(left.items(), right.values(), strict=True)
            return {name: united([some, other]) for (name, some), other in pairs}
        if isinstance(node, exp.Subquery):
            given = self.query(node.this, names)
            self._rest(node, names, ("with_", "this"))
            return given
        if not isinstance(node, exp.Select):
            self._rest(node, names, ("with_",))
            return None
        for relation in _relations(node):
            names.relations.append(self._relation(relation, names))
        self._rest(node, names, ("with_",))
        return _output(node, names)

    def expression(self, node: exp.Expr, names: Names) -> None:
        """Give kinds to all that stands in an expression."""
        for child in node.iter_expressions():
            if isinstance(child, exp.Subquery | exp.Query):
                given = self.query(child, names)
                if given and isinstance(child, exp.Subquery) and len(given) == 1:
                    child.meta["kind"] = next(iter(given.values()))
            else:
                self.expression(child, names)
        found = names.column(node) if isinstance(node, exp.Column) else None
        if isinstance(node, exp.Column) and not node.table and node.name in self.masked:
            found = self.masked[node.name]
        if isinstance(node, exp.Anonymous):
            found = self.calls(node.name, node.expressions)
        found = found or _computed(node, self.manner)
        if found is not None:
            node.meta["kind"] = found

    def _rest(self, node: exp.Expr, names: Names, seen: tuple[str, ...]) -> None:
        for key, value in node.args.items():
            for part in value if isinstance(value, list) else [value]:
                if key not in seen and isinstance(part, exp.Expr) and not part.meta.get("inferred"):
                    self.expression(part, names)

    def _relation(self, node: exp.Expr, names: Names) -> tuple[str, Columns | None]:
        alias = node.args.get("alias")
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            is_cte, columns = names.cte(fold(node.name)) if not node.db else (False, None)
            if not is_cte:
                columns = self.tables(node)
            name = node.alias or node.meta.get("name") or node.name
            return fold(name), _renamed(columns, alias)
        if isinstance(node, exp.Subquery):
            columns = self.query(node, names)
            node.meta["inferred"] = True
            return fold(node.alias), _renamed(columns, alias)
        return fold(node.alias), None


def _relations(node: exp.Select) -> Iterator[exp.Expr]:
    from_ = node.args.get("from_")
    if from_ is not None:
        yield from_.this
    for join in [*(node.args.get("joins") or ()), *(from_.this.args.get("joins") or () if from_ else ())]:
        yield join.this
    yield from node.args.get("laterals") or ()


def _renamed(columns: Columns | None, alias: exp.Expr | None) -> Columns | None:
    """``columns`` under the names that an alias lists."""
    listed = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    if columns is None or not listed:
        return columns
    if len(listed) != len(columns):
        return None
    return dict(zip((fold(name.name) for name in listed), columns.values(), strict=True))


def _output(node: exp.Select, names: Names) -> Columns | None:
    found: dict[str, Kind | None] = {}
    for item in node.expressions:
        star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
        if isinstance(star, exp.Star):
            table = fold(item.table) if isinstance(item, exp.Column) else ""
            chosen = [columns for name, columns in names.relations if not table or name == table]
            if any(columns is None for columns in chosen) or star.args.get("replace") or star.args.get("rename"):
                return None
            left_out = {fold(each.name) for each in star.args.get("except_") or ()}
            found |= {
                name: kind for columns in chosen for name, kind in (columns or {}).items() if name not in left_out
            }
        else:
            found[fold(item.alias_or_name) or f"#{len(found)}"] = kind(item)
    return found


# -- what an expression computes


_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like,
    exp.ILike, exp.RegexpLike, exp.Exists, exp.Boolean, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_PASSED_ON = (exp.Paren, exp.Alias, exp.Neg, exp.Distinct, exp.Filter, exp.Window, exp.WithinGroup, exp.Order)


def _computed(node: exp.Expr, manner: Manner) -> Kind | None:  # noqa: C901 (one line for each kind of node)
    if isinstance(node, exp.Literal):
        return _literal(node, manner)
    if isinstance(node, _COMPARISONS):
        return BOOL
    if isinstance(node, exp.Distinct):
        return kind(node.expressions[0]) if len(node.expressions) == 1 else None
    if isinstance(node, _PASSED_ON) and isinstance(node.this, exp.Expr):
        return kind(node.this)
    if isinstance(node, exp.Cast | exp.TryCast):
        return cast_kind(node.to)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Div | exp.IntDiv):
        return _arithmetic(node, manner)
    if isinstance(node, exp.DPipe):
        return ARRAY if kind(node.left) == ARRAY else STRING
    if isinstance(node, exp.Case | exp.If):
        branches = [branch.args["true"] for branch in node.args.get("ifs") or [node]]
        last = node.args.get("default") or node.args.get("false") or exp.null()
        return united([*map(kind, filter(_is_given, branches)), *map(kind, filter(_is_given, [last]))])
    if isinstance(node, exp.RawString | exp.National | exp.Heredoc):
        return STRING
    if isinstance(node, exp.Pow):
        return FLOAT
    if isinstance(node, exp.Interval):
        return INTERVAL
    if isinstance(node, exp.CurrentDate):
        return DATE
    if isinstance(node, exp.CurrentTimestamp | exp.CurrentDatetime):
        return TIMESTAMP
    if isinstance(node, exp.Extract):
        return FLOAT if node.name.lower() == "epoch" else INT
    if isinstance(node, exp.Trim | exp.Substring):
        return STRING
    return INT if isinstance(node, exp.StrPosition) else ARRAY if isinstance(node, exp.Array) else None


def _is_given(node: exp.Expr | None) -> bool:
    return node is not None and not isinstance(node, exp.Null)


def _literal(node: exp.Literal, manner: Manner) -> Kind | None:
    if node.is_string:
        return STRING
    if re.fullmatch(r"\d+", node.name):
        return INT
    if re.fullmatch(r"\d*\.\d*", node.name) and manner.points != "float":
        whole, _, part = node.name.partition(".")
        return Kind("decimal", max(len(whole.lstrip("0")) + len(part), 1), len(part)) if manner.points else None
    return FLOAT


def united(kinds: list[Kind | None]) -> Kind | None:
    """The kind that holds all of ``kinds``; None where that can't be told."""
    if not kinds or any(each is None for each in kinds):
        return None
    names = {each.name for each in kinds if each is not None}
    if len(names) == 1:
        return kinds[0] if len(set(kinds)) == 1 else Kind(names.pop())
    if names <= NUMBERS:
        return FLOAT if "float" in names else DECIMAL
    return TIMESTAMP if names == {"date", "timestamp"} else None


def _arithmetic(node: exp.Expr, manner: Manner) -> Kind | None:
    left, right = kind(node.this), kind(node.expression)
    names = {each.name if each is not None else "" for each in (left, right)}
    if isinstance(node, exp.IntDiv):
        return INT
    if isinstance(node, exp.Div):
        if manner.division == "double":
            return FLOAT
        if "float" in names and names <= NUMBERS:
            return FLOAT
        if names == {"int"}:
            whole = {"typed": INT, "spark": FLOAT, "bigquery": FLOAT}
            return whole.get(manner.division or "", DECIMAL)
        return DECIMAL if names <= NUMBERS else None
    if "" in names:
        return None
    if "interval" in names:
        other = left if right == INTERVAL else right
        return TIMESTAMP if other == DATE and manner.dated else other
    if names == {"date"} and isinstance(node, exp.Sub):
        return INT
    if names == {"date", "int"}:
        return DATE
    return STRING if names == {"string"} else united([left, right]) if names <= NUMBERS else None


def cast_kind(to: exp.DataType) -> Kind | None:
    """The kind of a cast's result."""
    T = exp.DataType.Type  # noqa: N806
    if to.this in exp.DataType.INTEGER_TYPES:
        return INT
    if to.this in (T.FLOAT, T.DOUBLE):
        return FLOAT
    if to.this == T.DECIMAL:
        digits = [int(each.name) for each in to.expressions if each.name.isdigit()]
        return Kind("decimal", digits[0], digits[1] if len(digits) > 1 else 0) if digits else DECIMAL
    if to.this in exp.DataType.TEXT_TYPES:
        return STRING
    if to.this == T.DATE:
        return DATE
    if to.this in (T.TIMESTAMP, T.TIMESTAMPTZ, T.TIMESTAMPLTZ, T.TIMESTAMPNTZ, T.DATETIME, T.DATETIME2):
        return TIMESTAMP
    return {T.BOOLEAN: BOOL, T.ARRAY: ARRAY, T.LIST: ARRAY, T.MAP: Kind("map"), T.STRUCT: Kind("struct")}.get(to.this)
