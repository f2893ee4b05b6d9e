"""Spark's functions by Spark's names: what of the registered ones has to be called otherwise than it is written.

DataFusion's parser takes ``substr(…)`` for a form of its own, so that its name is quoted; some take only INT or DATE,
which Spark's literals are or become; ``concat`` of Spark's library makes a text of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from deltasql.errors import Span
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.foreign.build import Source, call, cast, filled, named_kind, number_of, operand
from deltasql.sql.splice import Edit, Spliced, splice

QUOTED = frozenset({"substr", "substring", "ceil", "floor", "if"})
"""Those that DataFusion's parser takes for forms of its own."""
DATES = {
    **dict.fromkeys(("add_months", "date_add", "date_sub", "last_day", "next_day", "weekday", "unix_date"), (0,)),
    **dict.fromkeys(("datediff", "date_diff"), (0, 1)),
}
"""The arguments that are dates, which Spark makes of texts and timestamps."""
INTS = {
    **dict.fromkeys(("add_months", "date_add", "date_sub"), (1,)),
    **dict.fromkeys(("factorial", "space", "char"), (0,)),
    **dict.fromkeys(("shiftleft", "shiftright", "shiftrightunsigned"), (0, 1)),
    **dict.fromkeys(("bit_count", "bitwise_not", "crc32"), (0,)),
}
_DOUBLES = frozenset({"rint", "expm1", "hypot", "sec", "csc"})


def registered(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr:
    """A call of a registered function, with arguments of the types that Spark would make of them."""
    given: list[exp.Expr] = []
    for place, argument in enumerate(arguments):
        value = number_of(argument)
        if place in DATES.get(name, ()):
            given.append(cast(argument, "DATE"))
        elif (value is not None and -(2**31) <= value < 2**31) or (
            place in INTS.get(name, ()) and named_kind(argument) == "int"
        ):
            given.append(cast(argument, "INT"))
        elif name in _DOUBLES:
            given.append(cast(argument, "DOUBLE"))
        elif name == "date_trunc" and place == 1 and named_kind(argument) == "date":
            given.append(cast(argument, "TIMESTAMP"))
        else:
            given.append(argument)
    made = call(name, *given)
    if name in QUOTED:
        made.set("this", exp.to_identifier(name, quoted=True))
    return made


def joined(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr:
    """``concat``: of texts or of arrays, and NULL where one is."""
    if len(arguments) == 1:
        return arguments[0] if named_kind(arguments[0]) == "array" else cast(arguments[0], "VARCHAR")
    made = operand(arguments[0])
    for argument in arguments[1:]:
        made = exp.DPipe(this=made, expression=operand(argument))
    scalars = {"string", "int", "decimal", "float", "date", "timestamp", "bool"}
    if all(named_kind(argument) in scalars for argument in arguments):
        return exp.Paren(this=made)
    nulls: exp.Expr = exp.Is(this=operand(arguments[0].copy()), expression=exp.Null())
    for argument in arguments[1:]:
        nulls = exp.Or(this=nulls, expression=exp.Is(this=operand(argument.copy()), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=nulls, true=exp.Null())], default=made.copy())


def element_count(source: Source, name: str, arguments: list[exp.Expr]) -> exp.Expr | None:
    """``size``: -1 of NULL, but in Spark 4 NULL."""
    return filled("CAST(cardinality(_1) AS BIGINT)", arguments) if source.dialect == "spark" else None


# -- in DataFusion's own dialect


def spelled(text: str) -> Spliced:
    """``text``, of DataFusion's dialect, with its calls of Spark's functions as these have to be called."""
    tokens = tokenize(text)
    return splice(text, _edits(tokens, text, 0, len(tokens)))


def _edits(tokens: tuple[Token, ...], text: str, start: int, end: int) -> Iterator[Edit]:
    index = start
    while index < end:
        token = tokens[index]
        name = token.text.lower() if token.kind == "word" else ""
        is_call = index + 1 < end and tokens[index + 1].upper == "(" and not (index and tokens[index - 1].upper == ".")
        if not is_call or name not in _SPELLED:
            index += 1
            continue
        groups = _arguments(tokens, index + 1, end)
        if groups is None:
            index += 1
            continue
        close = groups[-1][1] if groups else index + 2
        if name == "concat" and len(groups) > 1:
            yield Edit(Span(token.span.start, tokens[close].span.end), _concatenation(tokens, text, groups))
            index = close + 1
            continue
        has_words = any(t.upper == "FROM" for t in tokens[index + 2 : close])
        if name in QUOTED and not has_words:
            yield Edit(token.span, f'"{name}"')
        for place in INTS.get(name, ()):
            if place < len(groups) and groups[place][1] - groups[place][0] == 1:
                only = tokens[groups[place][0]]
                if only.kind == "number" and only.text.isdigit():
                    yield Edit(only.span, f"CAST({only.text} AS INT)")
        for place in DATES.get(name, ()):
            if place < len(groups) and groups[place][1] - groups[place][0] == 1:
                only = tokens[groups[place][0]]
                if only.kind == "string":
                    yield Edit(only.span, f"DATE {only.span.of(text)}")
        index += 1


_SPELLED = ({"concat"} | QUOTED | INTS.keys() | DATES.keys()) - {"char"}  # CHAR(5) is a type, too.


def _arguments(tokens: tuple[Token, ...], opening: int, end: int) -> list[tuple[int, int]] | None:
    """Where the arguments of a call begin and end; None without a closing bracket."""
    depth, found, start = 0, [], opening + 1
    for index in range(opening, end):
        word = tokens[index].upper
        depth += (word in {"(", "[", "{"}) - (word in {")", "]", "}"})
        if (depth == 1 and word == ",") or depth == 0:
            if index > start:
                found.append((start, index))
            start = index + 1
        if depth == 0:
            return found
    return None


def _concatenation(tokens: tuple[Token, ...], text: str, groups: list[tuple[int, int]]) -> str:
    parts = []
    for first, last in groups:
        place = Span(tokens[first].span.start, tokens[last - 1].span.end)
        inner = [
            Edit(Span(edit.span.start - place.start, edit.span.end - place.start), edit.text)
            for edit in _edits(tokens, text, first, last)
        ]
        parts.append(f"({splice(place.of(text), inner).text})")
    nulls = " OR ".join(f"{part} IS NULL" for part in parts)
    return f"CASE WHEN {nulls} THEN NULL ELSE {' || '.join(parts)} END"
