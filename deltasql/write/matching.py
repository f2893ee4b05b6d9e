"""What the rows of a source say of the rows of a table that they can match: values that prune the table's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.errors import PlanError
from deltasql.names import fold, literal, match
from deltasql.sql.dialect import Token, tokenize

_MOST_VALUES = 64


def required(
    condition: str, source: tuple[Sequence[str], pa.Table], target: tuple[Sequence[str], pa.Schema]
) -> Iterator[tuple[str, str]]:
    """Columns of the target and what must hold of them (``IN (…)``, ``BETWEEN … AND …``) in a row that matches.

    They follow from equations of columns that ``condition`` is a conjunction of. A side is what its columns may be
    qualified by, and its rows or columns. Only types that compare alike on both sides say something, and no floats,
    as of NaN and -0.0 bounds say nothing.
    """
    for one, other in _equations(tokenize(condition)):
        for here, there in ((one, other), (other, one)):
            found = _column(here, source[0], source[1].schema), _column(there, target[0], target[1])
            if found[0] is None or found[1] is None:
                continue
            if _is_ambiguous(here, there, source[1].schema, target[1]):
                continue
            values = source[1].column(found[0])
            reachable = _reachable(values, target[1].field(found[1]).type)
            if reachable is not None and (text := _said(reachable)) is not None:
                yield found[1], text
            break


def _reachable(values: pa.ChunkedArray, type: pa.DataType) -> pa.ChunkedArray | None:
    """Those of ``values`` that a column of ``type`` can have; None if the two aren't compared as they are."""
    if values.type == type:
        return values
    if not (pa.types.is_signed_integer(values.type) and pa.types.is_signed_integer(type)):
        return None
    half = 1 << (type.bit_width - 1)
    return values.filter(pc.and_(pc.greater_equal(values, -half), pc.less_equal(values, half - 1)))


def _is_ambiguous(here: Sequence[str], there: Sequence[str], source: pa.Schema, target: pa.Schema) -> bool:
    """True if an unqualified name could be the other side's."""
    return (len(here) == 1 and match(here[0], target.names, what="column") is not None) or (
        len(there) == 1 and match(there[0], source.names, what="column") is not None
    )


def _equations(tokens: Sequence[Token]) -> Iterator[tuple[list[str], list[str]]]:
    """The conjuncts of the form ``a.b = c.d``."""
    depth = 0
    parts: list[list[Token]] = [[]]
    for token in tokens:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0 and token.upper in ("OR", "NOT", "CASE", "BETWEEN", "END"):
            return
        if depth == 0 and token.upper == "AND":
            parts.append([])
        else:
            parts[-1].append(token)
    for part in parts:
        signs = [place for place, token in enumerate(part) if token.text in ("=", "==")]
        if len(signs) == 1:
            sides = _name(part[: signs[0]]), _name(part[signs[0] + 1 :])
            if sides[0] and sides[1]:
                yield sides[0], sides[1]


def _name(tokens: Sequence[Token]) -> list[str]:
    """The parts of a dotted name; empty if it is something else."""
    names, dots = tokens[::2], tokens[1::2]
    plain = len(names) == len(dots) + 1 and all(dot.text == "." for dot in dots)
    return [name.text for name in names] if plain and all(name.is_name for name in names) else []


def _column(name: Sequence[str], qualifiers: Sequence[str], schema: pa.Schema) -> str | None:
    """The column that ``name`` means on this side, or None."""
    if len(name) > 1 and [fold(part) for part in name[:-1]] != [fold(q) for q in qualifiers[-len(name) + 1 :]]:
        return None
    try:
        return match(name[-1], schema.names, what="column")
    except PlanError:
        return None


def _said(values: pa.ChunkedArray) -> str | None:
    """What holds of every value that equals one of ``values``."""
    type = values.type
    kinds = (pa.types.is_integer, pa.types.is_string, pa.types.is_date, pa.types.is_decimal, pa.types.is_timestamp)
    if not any(holds(type) for holds in kinds) or (pa.types.is_timestamp(type) and type.unit == "ns"):
        return None
    values = values.drop_null()
    if not len(values):
        return "IN (NULL)"
    different = pc.unique(values) if len(values) <= 1 << 20 else None
    try:
        if different is not None and len(different) <= _MOST_VALUES:
            return f"IN ({', '.join(literal(value) for value in different.to_pylist())})"
        least, most = (_bound(values, order) for order in ("ascending", "descending"))
        return f"BETWEEN {literal(least)} AND {literal(most)}"
    except (PlanError, OverflowError, ValueError, pa.ArrowException):
        return None  # A value that has no literal, such as a date past Python's calendar.


def _bound(values: pa.ChunkedArray, order: str) -> object:
    if not pa.types.is_string(values.type):
        found = pc.min_max(values)
        return found["min" if order == "ascending" else "max"].as_py()
    return values.take(pc.select_k_unstable(values, 1, [("", order)]))[0].as_py()
