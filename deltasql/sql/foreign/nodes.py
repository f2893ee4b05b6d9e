"""Operators, casts and clauses: what each becomes, node by node, from the leaves up."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from deltasql.sql.foreign import calls, dates
from deltasql.sql.foreign.allowed import ALLOWED, SAID
from deltasql.sql.foreign.build import (
    MASK,
    Source,
    call,
    cast,
    filled,
    named_kind,
    number_of,
    operand,
    string_of,
    text,
)
from deltasql.sql.foreign.division import divided, modulo, whole_division
from deltasql.sql.foreign.kinds import NUMBERS, kind

FUNCTION = f"{MASK}f_"
"""What the names of functions begin with that sqlglot is kept from reading."""


def _anonymous(source: Source, node: exp.Anonymous) -> exp.Expr:
    if node.meta.get("final"):
        return node
    name = str(node.this) if isinstance(node.this, str) else node.name
    if not name.lower().startswith(FUNCTION):
        source.refuse(f"{name.lower()}()")
    return calls.called(source, node, name[len(FUNCTION) :])


def _literal(source: Source, node: exp.Literal) -> exp.Expr:
    """Numbers with a point are decimals in most dialects, and exact."""
    if node.is_string:
        if node.name == "" and source.manner.empty_is_null:
            source.refuse("''", why="it is NULL there", hint="write NULL")
        return node
    found = kind(node)
    if found is not None and found.name == "decimal" and found.precision is not None:
        if found.precision > 38:
            source.refuse(node, why="it has more digits than a DECIMAL")
        return cast(text(node.name), f"DECIMAL({found.precision}, {found.scale})")
    if re.fullmatch(r"\d*\.\d*", node.name) and source.manner.points is None:
        source.refuse(node, why="whether it is a DECIMAL or a float isn't known here", hint="write 1.5e0 or CAST")
    return node


def _string(source: Source, node: exp.Expr) -> exp.Expr:
    return text(node.name)


def _add(source: Source, node: exp.Add | exp.Sub) -> exp.Expr:
    left, right = named_kind(node.this), named_kind(node.expression)
    sign = "+" if isinstance(node, exp.Add) else "-"
    if sign == "+" and source.manner.plus_joins and "string" in (left, right):
        if left == right == "string":
            return exp.DPipe(this=operand(node.this), expression=operand(node.expression))
        source.refuse(node, why="whether `+` joins or adds isn't known", hint="use CONCAT, or CAST both")
    if left == right == "date" and not source.manner.dates_subtract:
        source.refuse(node, why="a difference of dates isn't a number there", hint="use DATEDIFF")
    if {left, right} == {"date", "int"} and source.family in ("spark", "bigquery", "trino", "mysql", "tsql"):
        source.refuse(node, why="a date and a number can't be added there")
    if {left, right} == {"date", "interval"} or (right == "interval" and left is None):
        return _date_and_interval(source, node, sign)
    return node


def _date_and_interval(source: Source, node: exp.Expr, sign: str) -> exp.Expr:
    """A date with an interval: hours would be lost, and in some dialects the sum is a timestamp."""
    value, more = (node.this, node.expression) if named_kind(node.expression) == "interval" else (
        node.expression, node.this,
    )  # fmt: skip
    small = not isinstance(more, exp.Interval) or dates.unit_of(source, more.args.get("unit")) not in _LARGE
    if named_kind(value) is None and (small or source.manner.dated):
        source.refuse(node, why="what is added to isn't known to be a date or a timestamp", hint="CAST it")
    if named_kind(value) == "date" and (small or source.manner.dated):
        value = cast(value, "TIMESTAMP")
    return filled(f"_1 {sign} _2", [value, more])


_LARGE = {"day", "week", "month", "quarter", "year"}


def _modulo(source: Source, node: exp.Mod) -> exp.Expr:
    return modulo(source, node.this, node.expression)


def _like(source: Source, node: exp.Like | exp.ILike) -> exp.Expr:
    """LIKE: in DataFusion a backslash escapes, and nothing else does."""
    pattern, manner = node.expression, source.manner
    made = exp.ILike if isinstance(node, exp.ILike) or manner.ignores_case else exp.Like
    if isinstance(pattern, exp.Any | exp.All | exp.Tuple):
        source.refuse(node, hint="write one LIKE for each pattern")
    written = string_of(pattern)
    if source.family == "tsql" and (written is None or "[" in written):
        source.refuse(node, why="brackets in its pattern are sets of characters")
    if manner.escapes is None and (written is None or "\\" in written):
        source.refuse(node, why="whether a backslash escapes there isn't known")
    if manner.escapes is False:
        doubled = call("replace", pattern, text("\\"), text("\\\\"))
        pattern = doubled if written is None else text(written.replace("\\", "\\\\"))
    return made(this=node.this, expression=pattern, negate=node.args.get("negate"))


def _escape(source: Source, node: exp.Escape) -> exp.Expr:
    """``LIKE pattern ESCAPE sign``, as a pattern with backslashes."""
    like, sign = node.this, string_of(node.expression)
    if not isinstance(like, exp.Like | exp.ILike) or sign is None or len(sign) != 1:
        source.refuse(node)
    # The pattern has been gone through as one without an escape.
    pattern = string_of(like.expression)
    if pattern is None:
        source.refuse(node, why="its pattern has to be a literal")
    if source.manner.escapes is False:
        pattern = pattern.replace("\\\\", "\\")
    made, position = "", 0
    while position < len(pattern):
        here = pattern[position]
        if here == sign and position + 1 < len(pattern):
            position += 1
            behind = pattern[position]
            made += f"\\{behind}" if behind in "%_\\" else behind
        else:
            made += "\\\\" if here == "\\" else here
        position += 1
    return type(like)(this=like.this, expression=text(made), negate=like.args.get("negate"))


def _matches(source: Source, node: exp.RegexpLike | exp.RegexpILike) -> exp.Expr:
    """``~``, RLIKE and the like."""
    if node.args.get("full_match") or source.family == "snowflake":
        pattern = string_of(node.expression)
        if pattern is None:
            source.refuse(node, why="its pattern has to be a literal")
        return call("regexp_like", node.this, text(f"^(?:{pattern})$"))
    if node.args.get("flag") is not None:
        source.refuse(node, why="its flags aren't known")
    if source.family == "mysql":
        source.refuse(node, why="it doesn't regard case there", hint="use REGEXP_LIKE(…, …, 'c')")
    more = [text("i")] if isinstance(node, exp.RegexpILike) else []
    return call("regexp_like", node.this, node.expression, *more)


def _cast(source: Source, node: exp.Cast | exp.TryCast) -> exp.Expr:
    if any(node.args.get(part) for part in ("format", "action", "default")):
        source.refuse(node)
    trying = isinstance(node, exp.TryCast)
    value, to = node.this, node.args["to"]
    if not isinstance(to, exp.DataType):
        return node
    name, length = _type(source, node, to)
    wraps = exp.TryCast if trying else exp.Cast
    found = named_kind(value)
    if name in _WHOLE and found not in ("int", "string", "bool"):
        if source.manner.rounds is None or (found not in NUMBERS and source.manner.rounds != "cuts"):
            why = "its value's type isn't known, and fractions may be rounded or cut"
            source.refuse(node, why=why, hint="round it, or CAST it to DECIMAL or DOUBLE first")
        if source.manner.rounds != "cuts":
            even = source.manner.rounds == "even" and found == "float"
            value = calls.half_even(value) if even else call("round", value)
    if name in _WHOLE and found == "timestamp":
        source.refuse(node)
    made = wraps(this=value, to=exp.Var(this=name))
    return call("left", made, exp.Literal.number(length)) if length is not None else made


_WHOLE = {"TINYINT", "SMALLINT", "INT", "BIGINT"}
_T = exp.DataType.Type
_TYPES = {
    _T.TINYINT: "TINYINT", _T.SMALLINT: "SMALLINT", _T.INT: "INT", _T.BIGINT: "BIGINT", _T.DOUBLE: "DOUBLE",
    _T.BOOLEAN: "BOOLEAN", _T.DATE: "DATE", _T.TEXT: "VARCHAR", _T.TIMESTAMPNTZ: "TIMESTAMP",
    _T.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE", _T.TIMESTAMPLTZ: "TIMESTAMP WITH TIME ZONE",
    _T.DATETIME: "TIMESTAMP", _T.DATETIME2: "TIMESTAMP", _T.TIMESTAMP: "TIMESTAMP",
}  # fmt: skip


def _type(source: Source, node: exp.Expr, to: exp.DataType) -> tuple[str, int | None]:
    """A type in DataFusion's words, and the length that a text is cut to."""
    sizes = [number_of(each.this if isinstance(each, exp.DataTypeParam) else each) for each in to.expressions]
    if to.this == _T.DECIMAL:
        if not sizes and source.manner.decimal is None:
            source.refuse(node, why="it has no digits", hint="write DECIMAL(p, s)")
        digits = [size for size in sizes if size is not None] or list(source.manner.decimal or ())
        if digits[0] > 38:
            source.refuse(node, why="a DECIMAL has at most 38 digits")
        return f"DECIMAL({digits[0]}, {digits[1] if len(digits) > 1 else 0})", None
    if to.this == _T.FLOAT:
        if source.manner.float_bits is None and source.family != "bigquery":
            source.refuse(node, hint="write DOUBLE")
        small = source.manner.float_bits == 32 and not sizes
        return ("REAL" if small else "DOUBLE"), None
    if to.this in (_T.VARCHAR, _T.NVARCHAR) and source.manner.lengths is not None:
        length = sizes[0] if sizes else None
        if source.family == "tsql" and not to.expressions:
            source.refuse(node, why="without a length it cuts to 30 there", hint="write VARCHAR(n)")
        return "VARCHAR", length if source.manner.lengths == "cuts" else None
    if to.this in (_T.VARCHAR, _T.NVARCHAR) and not sizes:
        return "VARCHAR", None
    name = _TYPES.get(to.this)
    if to.this == _T.TIMESTAMP and source.dialect == "tsql":
        name = None
    if name is None or (to.expressions and name not in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INT", "BIGINT")):
        source.refuse(node, why=f"the type `{source.written(to)}` has no like")
    return name, None


def _case(source: Source, node: exp.If) -> exp.Expr:
    """``IF(condition, a, b)`` as CASE; a branch of CASE stays one."""
    if isinstance(node.parent, exp.Case) and node.arg_key == "ifs":
        return node
    return exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])], default=node.args.get("false"))


def _interval(source: Source, node: exp.Interval) -> exp.Expr:
    value, unit = node.this, node.args.get("unit")
    written = string_of(value) or (value.name if isinstance(value, exp.Literal) else None)
    if written is None:
        count = value.this if isinstance(value, exp.Paren) else value
        if unit is None or named_kind(count) != "int" or dates.unit_of(source, unit) is None:
            source.refuse(node, why="its length isn't known to be a whole number", hint="CAST it to INT")
        return filled(f"CAST(concat(_1, ' {unit.name.lower()}') AS INTERVAL)", [count])
    if unit is None:
        whole = re.fullmatch(r"\s*(\d+ [a-z]+)( \d+ [a-z]+)*\s*", written.lower())
        if whole is None:
            source.refuse(node, hint="write it as '1 day 2 hours'")
        return exp.Cast(this=text(written), to=exp.Var(this="INTERVAL"))
    name = dates.unit_of(source, unit)
    if name is None or not isinstance(unit, exp.Var) or re.fullmatch(r"-?\d+", written.strip()) is None:
        source.refuse(node)
    factor, name = {"quarter": (3, "month")}.get(name, (1, name))
    return exp.Interval(this=text(str(int(written) * factor)), unit=exp.Var(this=name.upper()))


def _extract(source: Source, node: exp.Extract) -> exp.Expr:
    return dates.part(source, node.name, node.expression)


def _trim(source: Source, node: exp.Trim) -> exp.Expr:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "btrim")
    more = [node.expression] if node.args.get("expression") is not None else []
    if node.args.get("collation") is not None or (not more and source.family in ("bigquery", "trino")):
        source.refuse(node, hint="say what is to be taken off")
    return call(name, node.this, *more)


def _substring(source: Source, node: exp.Substring) -> exp.Expr:
    arguments = [node.this, node.args.get("start"), node.args.get("length")]
    given = [argument for argument in arguments if argument is not None]
    rule = calls.RULES.get((source.family, "substring"))
    made = rule(source, "substring", given) if rule is not None and len(given) > 1 else None
    return made or call("substr", *given)


def _position(source: Source, node: exp.StrPosition) -> exp.Expr:
    if node.args.get("position") is not None or node.args.get("occurrence") is not None:
        source.refuse(node)
    return call("strpos", node.this, node.args["substr"])


def _bracket(source: Source, node: exp.Bracket) -> exp.Expr:
    """``x[i]``: of an array by its place, of a map or struct by its key."""
    if len(node.expressions) != 1 or node.args.get("safe") or node.args.get("offset") is not None:
        source.refuse(node)
    index, found = node.expressions[0], named_kind(node.this)
    if string_of(index) is not None or found in ("map", "struct"):
        return node
    if isinstance(index, exp.Slice) or source.manner.base is None or found != "array":
        source.refuse(node, why="what it is taken from isn't known to be an array", hint="CAST it, or name its key")
    place = number_of(index)
    if source.manner.base == 0:
        made: exp.Expr = exp.Literal.number(place + 1) if place is not None and place >= 0 else index
        if place is None or place < 0:
            made = filled("CASE WHEN _1 >= 0 THEN _1 + 1 END", [index])
        return call("array_element", node.this, made)
    if source.family != "duckdb" and (place is None or place < 1):
        made = filled("CASE WHEN _1 >= 1 THEN _1 END", [index])
        return call("array_element", node.this, made)
    return call("array_element", node.this, index)


def _struct(source: Source, node: exp.Struct) -> exp.Expr:
    if source.family == "snowflake":
        source.refuse(node)
    arguments: list[exp.Expr] = []
    for field in node.expressions:
        name = field.this if isinstance(field, exp.PropertyEQ) else field.args.get("alias")
        if not isinstance(field, exp.PropertyEQ | exp.Alias) or name is None:
            source.refuse(node, hint="name its fields")
        arguments += [text(name.name), field.expression if isinstance(field, exp.PropertyEQ) else field.this]
    return call("named_struct", *arguments)


def _array(source: Source, node: exp.Array) -> exp.Expr:
    if node.expressions and isinstance(node.expressions[0], exp.Query):
        source.refuse(node, hint="use array_agg")
    return call("make_array", *node.expressions)


def _fetch(source: Source, node: exp.Fetch) -> exp.Expr:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        source.refuse("FETCH … WITH TIES or PERCENT")
    return exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))


def _limit(source: Source, node: exp.Limit) -> exp.Expr:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        source.refuse("TOP … WITH TIES or PERCENT")
    return node


def _within(source: Source, node: exp.WithinGroup) -> exp.Expr:
    """``f(x, …) WITHIN GROUP (ORDER BY y)``: of texts and arrays the order stands in the brackets."""
    inner, order = node.this, node.expression
    kept = inner.this if isinstance(inner, exp.Filter) else inner
    if not isinstance(kept, exp.Anonymous):
        source.refuse(node)
    if kept.name in ("string_agg", "array_agg"):
        last = kept.expressions[-1]
        kept.set("expressions", [*kept.expressions[:-1], exp.Order(this=last, expressions=order.expressions)])
        found: exp.Expr = inner
        return found
    if kept.name != "percentile_cont" or len(order.expressions) != 1 or order.expressions[0].args.get("desc"):
        source.refuse(node)
    order.expressions[0].set("nulls_first", None)
    return node


def _concatenated(source: Source, node: exp.GroupConcat) -> exp.Expr:
    """Mysql's ``GROUP_CONCAT(x ORDER BY y SEPARATOR ',')``."""
    separator, value = node.args.get("separator") or text(","), node.this
    if isinstance(value, exp.Order):
        return call("string_agg", value.this, exp.Order(this=separator, expressions=value.expressions))
    return call("string_agg", value, separator)


def _over(source: Source, node: exp.Window | exp.Filter) -> exp.Expr:
    inner = node.this
    if node.arg_key == "windows":
        return node
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.Filter | exp.WithinGroup):
        inner = inner.this
    if not isinstance(inner, exp.Anonymous):
        source.refuse(node, why="what stands before it is no single function in DataFusion")
    return node


def _current_date(source: Source, node: exp.CurrentDate) -> exp.Expr:
    if node.args.get("this") is not None:
        source.refuse(node)
    return call("current_date")


def _now(source: Source, node: exp.Expr) -> exp.Expr:
    return call("now")


def _field(source: Source, node: exp.Dot) -> exp.Expr:
    """``expression.field``, where the expression is no name."""
    if isinstance(node.this, exp.Column | exp.Identifier | exp.Dot) or not isinstance(node.expression, exp.Identifier):
        return node
    return call("get_field", node.this, text(node.expression.name))


def _exploded(source: Source, node: exp.Explode) -> exp.Expr:
    """``unnest(array)`` in a SELECT list."""
    if type(node) is not exp.Explode or named_kind(node.this) != "array" or source.family not in ("duckdb", "postgres"):
        source.refuse(node, why="what it spreads isn't known to be an array")
    return call("unnest", node.this)


def _power(source: Source, node: exp.Pow) -> exp.Expr:
    if source.family == "tsql":
        source.refuse(node)
    return call("power", node.this, node.expression)


def _join(source: Source, node: exp.Join) -> exp.Expr:
    """``SEMI JOIN`` is LEFT SEMI JOIN."""
    if str(node.args.get("kind") or "").upper() in ("SEMI", "ANTI") and not node.args.get("side"):
        node.set("side", "LEFT")
    return node


def _order(source: Source, node: exp.Order) -> exp.Expr:
    """``ORDER BY ALL``: by the columns in their order."""
    only, select = node.expressions[0] if len(node.expressions) == 1 else None, node.parent
    named = only.this if isinstance(only, exp.Ordered) else None
    if (
        not isinstance(named, exp.Column | exp.Var)
        or named.sql().upper() != "ALL"
        or not isinstance(select, exp.Select)
    ):
        return node
    if select.is_star or not isinstance(only, exp.Ordered):
        source.refuse("ORDER BY ALL", hint="name the columns")
    places = range(1, len(select.expressions) + 1)
    copies = [only.copy() for _ in places]
    for place, each in zip(places, copies, strict=True):
        each.set("this", exp.Literal.number(place))
    return exp.Order(expressions=copies)


def _unpaired(source: Source, node: exp.Coalesce) -> exp.Expr:
    return call("coalesce", node.this, *node.expressions)


RULES: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.Anonymous: _anonymous,
    exp.Literal: _literal,
    exp.RawString: _string,
    exp.National: _string,
    exp.Heredoc: _string,
    exp.Add: _add,
    exp.Sub: _add,
    exp.Div: divided,
    exp.IntDiv: whole_division,
    exp.Mod: _modulo,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _escape,
    exp.RegexpLike: _matches,
    exp.RegexpILike: _matches,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.If: _case,
    exp.Interval: _interval,
    exp.Extract: _extract,
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.StrPosition: _position,
    exp.Bracket: _bracket,
    exp.Struct: _struct,
    exp.Array: _array,
    exp.Fetch: _fetch,
    exp.Limit: _limit,
    exp.WithinGroup: _within,
    exp.GroupConcat: _concatenated,
    exp.Window: _over,
    exp.Filter: _over,
    exp.CurrentDate: _current_date,
    exp.CurrentTimestamp: _now,
    exp.Coalesce: _unpaired,
    exp.Pow: _power,
    exp.Join: _join,
    exp.Order: _order,
    exp.Dot: _field,
    exp.Explode: _exploded,
}

_BINARY = frozenset({"this", "expression"})
_CAST = frozenset({"this", "to", "format", "safe", "action", "default"})
HANDLED: dict[type[exp.Expr], frozenset[str]] = {
    **dict.fromkeys((exp.Div, exp.DPipe), _BINARY | {"typed", "safe"}),
    **dict.fromkeys((exp.Like, exp.ILike), _BINARY | {"negate"}),
    **dict.fromkeys((exp.RegexpLike, exp.RegexpILike), _BINARY | {"flag", "full_match"}),
    **dict.fromkeys((exp.Cast, exp.TryCast), _CAST | {"requires_string", "null_on_text_overflow"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Interval: frozenset({"this", "unit", "fraction_in_string"}),
    exp.Trim: _BINARY | {"position", "collation"},
    exp.Substring: frozenset({"this", "start", "length", "zero_start"}),
    exp.StrPosition: frozenset({"this", "substr", "position", "occurrence", "clamp_position"}),
    exp.Bracket: frozenset({"this", "expressions", "offset", "safe"}),
    exp.Fetch: frozenset({"direction", "count", "limit_options"}),
    exp.Limit: _BINARY | {"limit_options"},
    exp.GroupConcat: frozenset({"this", "separator"}),
    exp.Array: frozenset({"expressions", "bracket_notation", "struct_name_inheritance"}),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.CurrentTimestamp: frozenset({"sysdate"}),
    exp.Coalesce: frozenset({"this", "expressions"}),
}
"""The parts of a node that its rule looks at, where they are more than its operands: any other is refused."""


def require_handled(source: Source, node: exp.Expr) -> None:
    """Raise `NotSupportedError` for a part of ``node`` that its rule would drop."""
    parts = HANDLED.get(type(node))
    if parts is None:
        parts = ALLOWED.get(type(node), _OPERANDS)
    for name, value in node.args.items():
        if value is not None and value is not False and value != [] and name not in parts:
            source.refuse(SAID.get(name) or node)


_OPERANDS = frozenset({"this", "expression", "expressions"})
