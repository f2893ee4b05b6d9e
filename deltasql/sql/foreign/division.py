"""``/`` and ``%``: engines differ in what whole numbers and decimals give, and in what dividing by zero does."""

from __future__ import annotations

from sqlglot import exp

from deltasql.sql.foreign.build import Source, call, cast, filled, named_kind, number_of, operand
from deltasql.sql.foreign.kinds import NUMBERS, Kind, kind

_DIGITS = 38
_HINT = "CAST it, so that its type is seen"


def divided(source: Source, node: exp.Div) -> exp.Expr:
    """``a / b``. Raises `NotSupportedError` where what it means depends on types that aren't known."""
    manner, left, right = source.manner, node.this, node.expression
    if manner.division is None:
        source.refuse(node, why=f"what `/` means in {source.dialect} isn't known here")
    if manner.by_zero == "null" and not number_of(right):
        right = _kept_kind(call("nullif", right, exp.Literal.number(0)), right)
    if manner.division == "double":
        return filled("CAST(_1 AS DOUBLE) / _2", [left, right])
    kinds = {named_kind(left), named_kind(right)}
    if not kinds <= NUMBERS:
        unknown = left if named_kind(left) not in NUMBERS else right
        why = f"the type of `{source.written(unknown)}` isn't known, and `/` depends on it"
        source.refuse(node, why=why, hint=_HINT)
    if "float" in kinds or (kinds == {"int"} and manner.division in ("spark", "bigquery")):
        return _by_no_zero(source, left, right)
    if kinds == {"int"} and manner.division == "typed":
        return exp.Div(this=operand(left), expression=operand(right), typed=True)
    return _decimal(source, node, left, right)


def _by_no_zero(source: Source, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Floats divided; where dividing by zero is an error, it stays one."""
    raises = source.manner.by_zero == "error" and source.family != "trino" and not number_of(right)
    if not raises:
        return filled("CAST(_1 AS DOUBLE) / _2", [left, right])
    return filled("CAST(_1 AS DOUBLE) / _2 * (1 / CAST(_2 <> 0 AS BIGINT))", [left, right])


def _decimal(source: Source, node: exp.Div, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """A division of decimals, with as many digits behind the point as the engine gives it."""
    some, other = _digits(left), _digits(right)
    if source.manner.division in ("typed", "numeric") and source.family in ("postgres", "redshift", "oracle"):
        scale: int | None = 20
    elif source.manner.division == "bigquery":
        scale = 9
    elif some is None or other is None:
        scale = None
    else:
        scale = _scale(source, some, other)
    if scale is None:
        why = f"how many digits `{source.written(left if some is None else right)}` has isn't known"
        source.refuse(node, why=why, hint="CAST it to DECIMAL(p, s)")
    whole = some[0] - some[1] if some is not None else 0
    inner = min(max(scale - 3, some[1] if some is not None else 0), _DIGITS - whole)
    if inner + 4 <= scale:
        source.refuse(node, why="its digits are too many for a DECIMAL of 38", hint="CAST to fewer digits")
    wide = exp.Div(
        this=cast(left, f"DECIMAL({_DIGITS}, {inner})"), expression=operand(_narrow(right, other)), typed=True
    )
    return cast(wide, f"DECIMAL({_DIGITS}, {scale})")


def _narrow(node: exp.Expr, digits: tuple[int, int] | None) -> exp.Expr:
    """A whole number as a decimal; a decimal as it is."""
    return node if digits is None or named_kind(node) != "int" else cast(node, f"DECIMAL({digits[0]}, 0)")


def _digits(node: exp.Expr) -> tuple[int, int] | None:
    """Precision and scale of a decimal or a whole number."""
    found = kind(node)
    if found is not None and found.name == "int":
        value = number_of(node)
        return (len(str(abs(value))), 0) if value is not None else (19, 0)
    if found is None or found.precision is None or found.scale is None:
        return None
    return found.precision, found.scale


def _scale(source: Source, left: tuple[int, int], right: tuple[int, int]) -> int | None:
    """The digits behind the point of ``left / right``, as the engines' pages say."""
    (p1, s1), (p2, s2) = left, right
    if source.family == "trino":
        return max(s1, s2)
    if source.family == "mysql":
        return s1 + 4
    if source.family == "snowflake":
        return max(s1, min(s1 + 6, 12))
    if source.family in ("spark", "tsql"):
        scale = max(6, s1 + p2 + 1)
        precision = p1 - s1 + s2 + scale
        if precision > _DIGITS:
            scale = max(_DIGITS - (precision - scale), min(scale, 6))
        return scale
    return None


def whole_division(source: Source, node: exp.IntDiv) -> exp.Expr:
    """``a DIV b`` (``//``): of whole numbers, cut."""
    if {named_kind(node.this), named_kind(node.expression)} != {"int"}:
        source.refuse(node, why="its operands aren't known to be whole numbers", hint="CAST them to BIGINT")
    right = node.expression
    if source.manner.modulo_zero == "null" and not number_of(right):
        right = call("nullif", right, exp.Literal.number(0))
    return exp.Div(this=operand(node.this), expression=operand(right), typed=True)


def modulo(source: Source, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """``a % b``."""
    if source.manner.modulo_zero == "null" and not number_of(right):
        right = call("nullif", right, exp.Literal.number(0))
    return exp.Mod(this=operand(left), expression=operand(right))


def _kept_kind(node: exp.Expr, of: exp.Expr) -> exp.Expr:
    found: Kind | None = kind(of)
    if found is not None:
        node.meta["kind"] = found
    return node
