"""Calls of another engine's functions: by the tables, and by rules where an expression doesn't tell it all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from sqlglot import exp

from deltasql.sql.foreign import dates, spark
from deltasql.sql.foreign.build import (
    Source,
    call,
    cast,
    filled,
    named_kind,
    number,
    number_of,
    operand,
    string_of,
    text,
)
from deltasql.sql.foreign.division import modulo
from deltasql.sql.foreign.kinds import (
    ARRAY,
    BINARY,
    BOOL,
    DATE,
    FLOAT,
    INT,
    STRING,
    TIMESTAMP,
    Kind,
    kind,
    united,
)
from deltasql.sql.foreign.spark_tables import REGISTERED
from deltasql.sql.foreign.tables import COMMON, TABLES

_KINDS: dict[str, Kind | None] = {
    "int": INT,
    "float": FLOAT,
    "string": STRING,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "bool": BOOL,
    "array": ARRAY,
    "binary": BINARY,
    "-": None,
}
_REGISTERED_KINDS = {
    **dict.fromkeys(("abs", "round", "mod", "pmod", "negative"), "same"),
    **dict.fromkeys(("concat", "concat_ws", "substr", "substring", "hex", "base64", "soundex", "space"), "string"),
    **dict.fromkeys(("ascii", "length", "len", "char_length", "datediff", "date_diff", "size", "ceil"), "int"),
    **dict.fromkeys(("floor", "ceiling", "bit_count", "unix_date", "unix_seconds"), "int"),
    **dict.fromkeys(("date_add", "date_sub", "dateadd", "last_day", "next_day", "add_months"), "date"),
    **dict.fromkeys(("avg", "pow", "power", "hypot", "expm1"), "float"),
    **dict.fromkeys(("array", "collect_list", "collect_set", "slice", "array_repeat"), "array"),
    "date_trunc": "timestamp",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a table: how many arguments, the kind of the result, and an expression or None."""

    name: str
    least: int
    more: bool
    kind: str
    expression: str | None

    def takes(self, count: int) -> bool:
        """True if it is for so many arguments."""
        return count >= self.least if self.more else count == self.least


@cache
def entries(family: str) -> Mapping[str, tuple[Entry, ...]]:
    """The functions of a family by name."""
    found: dict[str, tuple[Entry, ...]] = {}
    for table in (COMMON, TABLES.get(family, "")):
        own: dict[str, tuple[Entry, ...]] = {}
        for line in filter(None, table.splitlines()):
            head, _, expression = line.partition(" = ")
            signature, _, kind = head.strip().partition(" ")
            if kind == "!":
                found.pop(signature, None)
                own.pop(signature, None)
                continue
            name, _, count = signature.partition("/")
            entry = Entry(name, int(count.rstrip("+")), count.endswith("+"), kind, expression.strip() or None)
            own[name] = (*own.get(name, ()), entry)
        for name, lines in own.items():
            known = [e for e in found.get(name, ()) if not any(line.takes(e.least) for line in lines)]
            found[name] = (*lines, *known)
    return found


Rule = Callable[[Source, str, list[exp.Expr]], "exp.Expr | None"]
"""Given the dialect, the name and the arguments: the expression; None leaves it to the table."""


def is_known(source: Source, name: str) -> bool:
    """True if a function of that name can be carried over, at least in one of its forms."""
    name = name.lower()
    registered = source.family == "spark" and name in REGISTERED
    return (
        registered
        or name in source.functions
        or name in entries(source.family)
        or (source.family, name) in RULES
        or name in GENERAL
    )


def call_kind(source: Source, name: str, arguments: list[exp.Expr]) -> Kind | None:
    """The kind of a call's result."""
    given = [kind(argument) for argument in arguments]
    word = _REGISTERED_KINDS.get(name, "-") if source.family == "spark" and name in REGISTERED else None
    if word is None:
        entry = next((e for e in entries(source.family).get(name, ()) if e.takes(len(arguments))), None)
        rule = dates.KINDS.get(name)
        word = entry.kind if entry is not None else rule or "-"
    first = given[0] if given else None
    if name in ("avg", "mean") and first is not None and first.name == "decimal":
        return Kind("decimal")
    if name == "sum" and first is not None:
        wide = first.name == "int" and source.family in ("postgres", "redshift")
        return None if wide else Kind(first.name)
    if word == "united":
        return united([k for a, k in zip(arguments, given, strict=True) if not isinstance(a, exp.Null)])
    return first if word == "same" else _KINDS.get(word)


def called(source: Source, node: exp.Anonymous, name: str) -> exp.Expr:
    """A call in DataFusion's words. Raises `NotSupportedError` for one that isn't known to have its like."""
    arguments = node.expressions
    key = name.lower()
    if key in source.functions:
        return call(key, *arguments)
    for rule in (RULES.get((source.family, key)), GENERAL.get(key)):
        made = rule(source, key, arguments) if rule is not None else None
        if made is not None:
            return made
    if source.family == "spark" and key in REGISTERED:
        _require_plain(source, node, key, arguments)
        return spark.registered(source, key, arguments)
    entry = next((e for e in entries(source.family).get(key, ()) if e.takes(len(arguments))), None)
    if entry is None:
        forms = entries(source.family).get(key)
        why = f"it takes {_counts(forms)} here, {len(arguments)} given" if forms else ""
        source.refuse(f"{key}()", why=why)
    if entry.expression is None:
        return call(key, *arguments)
    if "date_part(" in entry.expression and named_kind(arguments[0]) == "string":
        arguments = [cast(arguments[0], "TIMESTAMP")]
    return filled(entry.expression, arguments)


def _counts(forms: tuple[Entry, ...]) -> str:
    counts = " or ".join(f"{form.least}{'+' if form.more else ''}" for form in forms)
    return f"{counts} argument{'' if counts == '1' else 's'}"


def _require_plain(source: Source, node: exp.Anonymous, name: str, arguments: list[exp.Expr]) -> None:
    if name in ("date_add", "date_sub", "dateadd", "datediff", "date_diff") and len(arguments) != 2:
        source.refuse(node, hint="write it as an addition of an INTERVAL")


# -- rules


def _joined(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Texts one after another; NULL where one is."""
    made = operand(arguments[0])
    if len(arguments) == 1:
        return cast(made, "VARCHAR")
    for argument in arguments[1:]:
        made = exp.DPipe(this=made, expression=operand(argument))
    return exp.Paren(this=made)


def _extreme(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Greatest and least where a NULL makes the whole NULL."""
    nulls: exp.Expr = exp.Is(this=operand(arguments[0].copy()), expression=exp.Null())
    for argument in arguments[1:]:
        nulls = exp.Or(this=nulls, expression=exp.Is(this=operand(argument.copy()), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=nulls, true=exp.Null())], default=call(name, *arguments))


def _substring(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """A part of a text from its 1st sign on; where negative places count from the end, only duckdb's are known."""
    value, start, *length = arguments
    place = number_of(start)
    if place is not None and place >= 1:
        return call("substr", value, start, *length)
    if source.family != "duckdb":
        hint = "write the place as a number of at least 1"
        source.refuse(f"{name}()", why="its start may be 0 or less, and engines differ in what that means", hint=hint)
    from_end = filled("char_length(_1) + _2 + 1", [value, start])
    if place is not None:
        return call("substr", value, from_end if place < 0 else start, *length)
    return filled("CASE WHEN _2 < 0 THEN _3 ELSE _4 END", [
        value, start, call("substr", value.copy(), from_end, *[each.copy() for each in length]),
        call("substr", value.copy(), start.copy(), *length),
    ])  # fmt: skip


def _side(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Left and right, of a length that can't be negative."""
    length = number_of(arguments[1]) if len(arguments) == 2 else None
    if length is None or length < 0:
        source.refuse(f"{name}()", why="its length may be negative", hint="write the length as a number")
    return call(name, *arguments)


def _rounded(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Round where halves of floats go to the even number."""
    found = named_kind(arguments[0])
    if len(arguments) == 1 and found == "float":
        return half_even(arguments[0])
    if found not in ("int", "decimal"):
        source.refuse("round()", why="what it rounds isn't known to be a DECIMAL", hint="CAST it to DECIMAL")
    return None


def half_even(node: exp.Expr) -> exp.Expr:
    """A float rounded to the nearest whole number, the even one of two."""
    return filled("CASE WHEN abs(_1 - trunc(_1)) = 0.5 THEN 2 * round(_1 / 2) ELSE round(_1) END", [node])


_COUNT = "CAST(cardinality(_1) AS BIGINT)"


def _length(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """A text's length or an array's."""
    found = named_kind(arguments[0]) if len(arguments) == 1 else None
    if found in ("string", "array"):
        return call("char_length", *arguments) if found == "string" else filled(_COUNT, arguments)
    return source.refuse(f"{name}()", why="its argument isn't known to be a text or an array", hint="CAST it")


def _average(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """tsql's, which cuts that of whole numbers."""
    found = named_kind(arguments[0])
    if found in ("float", "decimal"):
        return None
    return source.refuse("avg()", why="that of whole numbers is a whole number there", hint="CAST to DECIMAL or FLOAT")


def _not_nulls(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """array_agg where NULLs are left out."""
    first = arguments[0].this if isinstance(arguments[0], exp.Order | exp.Distinct) else arguments[0]
    if isinstance(arguments[0], exp.Distinct):
        first = arguments[0].expressions[0]
    given = exp.Not(this=exp.Is(this=operand(first.copy()), expression=exp.Null()))
    return exp.Filter(this=call("array_agg", *arguments), expression=exp.Where(this=given))


def _replaced(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """regexp_replace: all that match or the first, and the sign for a group in the replacement."""
    first_only = source.family in ("duckdb", "postgres", "redshift")
    if len(arguments) == 2 and not first_only:
        arguments = [*arguments, text("")]
    if not 3 <= len(arguments) <= (4 if first_only else 3):
        source.refuse(f"{name}()", why="its further arguments have no like")
    replacement, flags = string_of(arguments[2]), string_of(arguments[3]) if len(arguments) == 4 else ""
    wrong = "\\" if source.family in ("spark", "trino") else "$"
    if replacement is None or wrong in replacement:
        hint = "write the replacement as a literal" if replacement is None else f"do without `{wrong}`"
        source.refuse(f"{name}()", why="what its replacement means isn't the same", hint=hint)
    if flags is None or set(flags) - set("gi"):
        source.refuse(f"{name}()", why="its flags aren't known", hint="use 'g', 'i' or both")
    return call("regexp_replace", *arguments[:3], *([text(flags)] if flags else [] if first_only else [text("g")]))


def _extracted(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """regexp_extract: a group of the first match; NULL or an empty text where there is none."""
    pattern = string_of(arguments[1]) if len(arguments) in (2, 3) else None
    group = number_of(arguments[2]) if len(arguments) == 3 else 1 if source.family == "spark" else 0
    if pattern is None or group is None:
        source.refuse(f"{name}()", why="its pattern and group have to be literals")
    if source.family == "bigquery":
        if len(arguments) == 3:
            source.refuse(f"{name}()", why="its further arguments have no like")
        group = 1 if re.search(r"(?<!\\)\((?!\?)", pattern) else 0
    matched = call("regexp_match", arguments[0], text(f"({pattern})"))
    found = call("array_element", matched, number(group + 1))
    if source.family in ("spark", "duckdb"):
        return filled("CASE WHEN _1 IS NOT NULL THEN coalesce(_2, '') END", [arguments[0], found])
    return found


def _whole_match(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """A match of the whole text."""
    pattern = string_of(arguments[1]) if len(arguments) == 2 else None
    if pattern is None:
        source.refuse(f"{name}()", why="its pattern has to be a literal")
    return call("regexp_like", arguments[0], text(f"^(?:{pattern})$"))


def _modulo(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    if len(arguments) != 2:
        return None
    return exp.Paren(this=modulo(source, arguments[0], arguments[1]))


def _truncated(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Trunc of numbers; some have one of dates too."""
    if named_kind(arguments[0]) not in ("int", "decimal", "float"):
        source.refuse(f"{name}()", why="its argument isn't known to be a number", hint="CAST it")
    return call("trunc", *arguments)


def _element(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    if len(arguments) == 2 and named_kind(arguments[0]) == "array":
        return call("array_element", *arguments)
    return source.refuse(f"{name}()", why="its argument isn't known to be an array")


def _array_length(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """postgres's, of the first dimension: NULL of an empty array."""
    if len(arguments) != 2 or number_of(arguments[1]) != 1:
        source.refuse(f"{name}()", why="only the first dimension's length is known")
    return filled(f"nullif({_COUNT}, 0)", arguments)


def _listed(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """Listagg without a separator."""
    return call("string_agg", *arguments, *([text("")] if len(arguments) == 1 else []))


def _replace(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """An empty text is nowhere to be replaced."""
    if len(arguments) != 3 or string_of(arguments[1]):
        return None
    return filled("CASE WHEN _2 = '' THEN _1 ELSE replace(_1, _2, _3) END", arguments)


def _distinct_of_several(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """``count(DISTINCT a, b)`` and ``count(a, b)``."""
    several = len(arguments) > 1 or (isinstance(arguments[0], exp.Distinct) and len(arguments[0].expressions) > 1)
    if several:
        source.refuse("count()", why="DataFusion counts one column", hint="count the rows of a subquery")
    return None


GENERAL: dict[str, Rule] = {
    "count": lambda source, name, arguments: _distinct_of_several(source, name, arguments) if arguments else None,
    "replace": _replace,
    "mod": _modulo,
}
"""Rules for all families, behind those of one."""

RULES: dict[tuple[str, str], Rule] = {
    **{(family, "concat"): _joined for family in ("bigquery", "snowflake", "mysql", "trino")},
    **{
        (family, name): _extreme
        for family in ("bigquery", "snowflake", "mysql", "trino", "oracle")
        for name in ("greatest", "least")
    },
    **{
        (family, name): _substring
        for family in ("duckdb", "snowflake", "bigquery", "mysql", "trino", "sqlite", "oracle")
        for name in ("substr", "substring")
    },
    ("mysql", "mid"): _substring,
    ("spark", "concat"): spark.joined,
    ("spark", "size"): spark.element_count,
    **{(family, name): _side for family in ("snowflake", "bigquery", "mysql", "tsql") for name in ("left", "right")},
    **{("redshift", name): _side for name in ("left", "right")},
    **{(family, "round"): _rounded for family in ("postgres", "redshift", "mysql")},
    **{("duckdb", name): _length for name in ("len", "length")},
    ("tsql", "avg"): _average,
    ("snowflake", "array_agg"): _not_nulls,
    **{
        (family, "regexp_replace"): _replaced
        for family in ("postgres", "redshift", "duckdb", "snowflake", "bigquery", "trino", "spark")
    },
    **{(family, "regexp_extract"): _extracted for family in ("duckdb", "bigquery", "trino", "spark")},
    ("snowflake", "regexp_substr"): _extracted,
    ("duckdb", "regexp_full_match"): _whole_match,
    **{("snowflake", name): _whole_match for name in ("regexp_like", "rlike")},
    **{(family, "trunc"): _truncated for family in ("postgres", "duckdb", "snowflake", "bigquery", "oracle")},
    **{(family, "truncate"): _truncated for family in ("mysql", "trino", "snowflake")},
    ("trino", "element_at"): _element,
    ("spark", "element_at"): _element,
    ("postgres", "array_length"): _array_length,
    ("redshift", "array_length"): _array_length,
    **{("snowflake", name): _listed for name in ("listagg", "string_agg")},
    **dates.rules(),
}
