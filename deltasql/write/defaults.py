"""DEFAULTs of columns, which the log keeps in Spark's SQL (Delta protocol, "Default Columns"), as DataFusion's.

They are constants, calls of functions of the time among them. What both read alike stays as it is; what is in double
quotes is text to Spark.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from deltasql.errors import Span
from deltasql.names import text
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import Fragment
from deltasql.write.demands import default_of

if TYPE_CHECKING:
    import pyarrow as pa


def default_sql(field: pa.Field) -> str | None:
    """The DEFAULT of a column as a query has it, or None."""
    found = default_of(field)
    return None if found is None else _read(found, texts=True)


def default_query(value: Fragment) -> Fragment:
    """A DEFAULT as a statement writes it, whose double quotes are those of names, for a query that tries it."""
    sql = _read(value.sql, texts=False)
    return value if sql == value.sql else Fragment(sql, value.span)


@functools.lru_cache(maxsize=256)
def _read(sql: str, *, texts: bool) -> str:
    tokens = tokenize(sql)
    edits = [edit for place in range(len(tokens)) if (edit := _called(tokens, place)) is not None]
    if texts:
        edits += [Edit(token.span, text(token.text)) for token in tokens if token.span.of(sql).startswith('"')]
    return splice(sql, edits).text


def _called(tokens: tuple[Token, ...], place: int) -> Edit | None:
    """``array(…)`` and ``map()`` under the names that they have in DataFusion."""
    token, behind = tokens[place], [each.text for each in tokens[place + 1 : place + 3]]
    if token.kind == "word" and token.upper == "ARRAY" and behind[:1] == ["("]:
        return Edit(token.span, "make_array")
    if token.kind == "word" and token.upper == "MAP" and behind == ["(", ")"]:
        return Edit(Span(token.span.start, tokens[place + 2].span.end), "map(make_array(), make_array())")
    return None
