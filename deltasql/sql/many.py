"""One INSERT of one row for many sets of parameters as one INSERT of a query over them."""

from __future__ import annotations

from dataclasses import replace

from deltasql.names import fold
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.statements import Fragment, Insert, Statement

PARAMETERS = "__deltasql_parameters"
"""The table that has a row for each set of parameters, and a column for each of `column_of` its names."""


def column_of(parameter: str) -> str:
    """The column that has the values of ``$parameter``."""
    return f"_{parameter}"


def as_one(statement: Statement) -> Insert | None:
    """``INSERT … VALUES (…)`` as ``INSERT … SELECT … FROM`` `PARAMETERS`; None for what isn't the same that way.

    All stays in its place, so that errors find theirs in the text as it was written.
    """
    if not isinstance(statement, Insert) or statement.overwrite or statement.evolve or statement.replace_where:
        return None
    if statement.defaults or statement.default_values or statement.partition or statement.with_:
        return None
    source = statement.source
    tokens = tokenize(source.sql)
    if tokens[0].upper != "VALUES" or not _is_one_row(tokens[1:]):
        return None
    names = {token.text[1:] for token in tokens if token.kind == "parameter"}
    if not names or len({fold(name) for name in names}) < len(names):
        return None
    text = list(source.sql)
    text[tokens[0].span.start : tokens[0].span.end] = "SELECT"
    for token in tokens:
        if token.kind == "parameter":
            text[token.span.start : token.span.end] = column_of(token.text[1:])
    text[tokens[1].span.start] = " "
    text[tokens[-1].span.start :] = f" FROM {PARAMETERS}"
    return replace(statement, source=Fragment("".join(text), source.span))


def _is_one_row(tokens: tuple[Token, ...]) -> bool:
    """True for one pair of brackets around values without a query, which could read what a row before it wrote."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.upper in ("SELECT", "VALUES", "TABLE", "WITH"):
            return False
        depth += (token.upper == "(") - (token.upper == ")")
        if depth == 0 and index < len(tokens) - 1:
            return False
    return depth == 0
