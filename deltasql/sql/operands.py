"""Where an operand starts and ends, read off the tokens: up to AND, OR, a bracket or a word that none goes over.

CASE and END are brackets. An AND that belongs to BETWEEN and a NOT that belongs to the operator behind it
(``a NOT LIKE b``) don't part operands.
"""

from __future__ import annotations

from deltasql.sql.dialect import Token
from deltasql.sql.scan import CLAUSES

OPENS, CLOSES = {"(", "[", "{", "CASE"}, {")", "]", "}", "END"}
_ENDS = {"THEN", "ELSE", "END", "WHEN", "AS", "ASC", "DESC", "NULLS", ",", ";"} | CLAUSES
_JOINS = {"JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "UNION", "INTERSECT", "EXCEPT", "MINUS"}
_STARTS = {"NOT", "ON", "WHEN", "THEN", "ELSE", "CASE", "SELECT", "DISTINCT", "ALL", "BY", ",", ";"} | CLAUSES
_NEGATED = {"BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE", "SIMILAR"}


def operand_end(tokens: tuple[Token, ...], index: int) -> int:
    """The index behind the operand that starts at ``index``."""
    depth = 0
    while index < len(tokens):
        word = tokens[index].upper
        if depth == 0 and (word in ("AND", "OR") or word in CLOSES or word in _ENDS):
            break
        calls = index + 1 < len(tokens) and tokens[index + 1].text == "("
        if depth == 0 and word in _JOINS and not (calls and word in ("LEFT", "RIGHT")):
            break
        depth += (word in OPENS) - (word in CLOSES)
        index += 1
    return index


def operand_start(tokens: tuple[Token, ...], index: int) -> int:
    """The index of the first token of the operand that ends before ``index``."""
    depth = 0
    while index > 0:
        word = tokens[index - 1].upper
        if depth == 0 and _parts(tokens, index - 1):
            break
        depth += (word in CLOSES) - (word in OPENS)
        index -= 1
    return index


def _parts(tokens: tuple[Token, ...], index: int) -> bool:
    """True if no operand goes over the token at ``index`` from the right."""
    word = tokens[index].upper
    if word == "AND":
        return not _is_of_between(tokens, index)
    if word == "NOT":
        behind = tokens[index + 1].upper if index + 1 < len(tokens) else ""
        return behind not in _NEGATED and not (index and tokens[index - 1].upper == "IS")
    if word == "DISTINCT":
        return not index or tokens[index - 1].upper not in ("IS", "NOT")
    return word == "OR" or word in OPENS or word in _STARTS


def _is_of_between(tokens: tuple[Token, ...], index: int) -> bool:
    """True if the AND at ``index`` is that of ``a BETWEEN b AND c``."""
    depth = 0
    while index > 0:
        index -= 1
        word = tokens[index].upper
        if depth == 0 and (word in ("AND", "OR", "BETWEEN") or word in OPENS or word in _STARTS - {"NOT"}):
            return word == "BETWEEN"
        depth += (word in CLOSES) - (word in OPENS)
    return False
