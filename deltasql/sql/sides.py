"""Names in an expression that can only be of one of two tables, qualified by that one.

A clause of MERGE for rows that nothing matches sees one table (Delta Lake documentation, "MERGE INTO"), but stands in a
query over both, to which a column of both is ambiguous.
"""

from __future__ import annotations

from collections.abc import Collection

from deltasql.errors import Span
from deltasql.names import fold, quote
from deltasql.sql.dialect import Token
from deltasql.sql.scan import RESERVED, scan
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import Fragment

_BEFORE, _BEHIND = "SELECT (", "\n)"


def qualified(expression: Fragment, names: Collection[str], qualifier: str) -> Fragment:
    """``expression`` with ``qualifier`` before each column of ``names`` (folded) that has none.

    Names in subqueries stay: they may be columns of their own tables. So do those with something behind a dot.
    """
    found = scan(_BEFORE + expression.sql + _BEHIND)
    tokens = found.cursor.tokens
    edits = []
    for index in range(2, len(tokens) - 1):
        token = tokens[index]
        if fold(token.text) not in names or index in found.roles or found.scopes[index] is not found.scopes[0]:
            continue
        if token.is_name and token.upper not in RESERVED and _is_column(tokens[index - 1], tokens[index + 1]):
            start = token.span.start - len(_BEFORE)
            edits.append(Edit(Span(start, start), f"{quote(qualifier)}."))
    return Fragment(splice(expression.sql, edits).text, expression.span) if edits else expression


def _is_column(before: Token, behind: Token) -> bool:
    """False for a function, a part of a dotted name, a type, a unit of time, the name of an argument."""
    if before.upper in (".", "::", "AS", "INTERVAL") or before.kind in ("string", "number"):
        return False
    return behind.upper not in (".", "(", "FROM", "=>", ":=") and behind.kind != "string"
