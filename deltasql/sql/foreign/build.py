"""Pieces of a tree as DataFusion takes them, and what is said where there are none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

import sqlglot
from sqlglot import exp

from deltasql.errors import NotSupportedError, Span
from deltasql.sql.foreign.kinds import Kind, kind
from deltasql.sql.foreign.lexis import Printed, foreign
from deltasql.sql.foreign.manners import FAMILIES, MANNERS, Manner

MASK = "deltasql__"
"""What names begin with that stand for something else while sqlglot reads and prints."""


@dataclass(frozen=True, slots=True)
class Source:
    """The dialect that is read, ``functions`` those of the user; ``spark``: Spark's own are at hand."""

    dialect: str
    functions: frozenset[str] = frozenset()
    masked: Mapping[str, str] = field(default_factory=dict)

    @property
    def manner(self) -> Manner:
        """What the dialect means by what others write alike."""
        return MANNERS[self.dialect]

    @property
    def family(self) -> str:
        """The dialects that it shares its functions with."""
        return FAMILIES.get(self.dialect, self.dialect)

    def written(self, node: exp.Expr) -> str:
        """``node`` as its dialect writes it, in short."""
        try:
            text = node.sql(dialect=foreign(self.dialect), comments=False)
        except Exception:  # noqa: BLE001  # Any printing can fail; this one only serves a message.
            text = type(node).__name__
        text = re.sub(MASK + r"f_(\w+)", lambda found: found[1], text, flags=re.IGNORECASE)
        text = re.sub(MASK + r"[pt]\d+", lambda found: self.masked.get(found[0].lower(), "…"), text)
        return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"

    def refuse(self, node: exp.Expr | str, *, why: str = "", hint: str | None = None) -> NoReturn:
        """Raise `NotSupportedError`: ``node`` can't be carried over."""
        what = node if isinstance(node, str) else self.written(node)
        message = f"`{what}` of {self.dialect} can't be carried over to DataFusion" + (f": {why}" if why else "")
        raise NotSupportedError(message, hint=hint, span=None if isinstance(node, str) else _span(node))


_WIDTH = 60


def _span(node: exp.Expr) -> Span | None:
    """The place of ``node``, from its names."""
    found = [each.meta for each in node.walk() if "start" in each.meta and "end" in each.meta]
    if not found:
        return None
    return Span(min(meta["start"] for meta in found), max(meta["end"] for meta in found) + 1)


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of a function of DataFusion's."""
    made = exp.Anonymous(this=name, expressions=list(arguments))
    made.meta["final"] = True
    return made


def cast(node: exp.Expr, type: str) -> exp.Cast:
    """``CAST(node AS type)``, the type in DataFusion's words."""
    return exp.Cast(this=node, to=exp.Var(this=type))


def operand(node: exp.Expr) -> exp.Expr:
    """``node`` in brackets, if it needs them to be an operand."""
    bare = (exp.Column, exp.Literal, exp.Paren, exp.Func, exp.Cast, exp.Subquery, exp.Null, exp.Boolean, exp.Bracket)
    whole = isinstance(node, bare) and not isinstance(node, exp.And | exp.Or | exp.Case | exp.Xor)
    return node if whole else exp.Paren(this=node)


def text(value: str) -> exp.Literal:
    """A string."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expr:
    """A whole number."""
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def string_of(node: exp.Expr | None) -> str | None:
    """The text of a string literal; None for anything else."""
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def number_of(node: exp.Expr | None) -> int | None:
    """The value of a literal whole number, with or without a sign; None for anything else."""
    if isinstance(node, exp.Neg):
        found = number_of(node.this)
        return None if found is None else -found
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return int(node.name)
    return None


_CALL = re.compile(r"\b([a-z_0-9]+)\(")


@lru_cache(maxsize=512)
def _template(expression: str) -> exp.Expr:
    return sqlglot.parse_one(_CALL.sub(r"f__\1(", expression), dialect=Printed)


def filled(expression: str, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """``expression`` (DataFusion's SQL) with ``_1``, ``_2``, … and ``_*`` replaced by ``arguments``."""
    made = _template(expression.replace("_*", "_0")).copy()
    for node in list(made.find_all(exp.Anonymous)):
        if node.name.startswith("f__"):
            node.set("this", node.name[3:])
            node.meta["final"] = True
    for column in list(made.find_all(exp.Column)):
        if re.fullmatch(r"_\d", column.name):
            place = int(column.name[1:])
            if place == 0:
                if column.parent is not None:
                    column.parent.set("expressions", [argument.copy() for argument in arguments])
                continue
            given = arguments[place - 1].copy()
            within = isinstance(column.parent, exp.Anonymous | exp.Cast) or column.parent is None
            if column is made:
                return given
            column.replace(given if within else operand(given))
    return made


def of_kind(node: exp.Expr, found: Kind | None) -> exp.Expr:
    """``node``, known to be of a kind."""
    if found is not None:
        node.meta["kind"] = found
    return node


def named_kind(node: exp.Expr) -> str | None:
    """The name of the kind of ``node``, if it is known."""
    found = kind(node)
    return found.name if found is not None else None
