"""The CTEs of a query that are used more than once, and the query with some of them computed beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from deltasql.names import quote
from deltasql.sql.scan import scan, seen
from deltasql.sql.splice import Edit, splice


@dataclass(frozen=True, slots=True)
class SharedCte:
    """A CTE of the outermost query; ``references`` is how often it is named, more than once."""

    name: str
    references: int


def shared_ctes(sql: str) -> tuple[SharedCte, ...]:
    """The CTEs that ``sql`` names more than once, in order; recursive ones and EXPLAIN's left out."""
    if not sql.lstrip()[:4].upper().startswith("WITH"):
        return ()
    found = scan(sql)
    named = Counter(relation.cte.span.start for relation in found.relations if relation.cte is not None)
    return tuple(
        SharedCte(seen(body.name), named[start])
        for start, body in found.bodies.items()
        if body.top and named[start] > 1 and not body.recursive
    )


def with_computed(sql: str, tables: Mapping[str, str]) -> str:
    """``sql`` with the CTEs of ``tables`` read from there: SQL names of tables, by the names of the CTEs."""
    bodies = [body for body in scan(sql).bodies.values() if body.top and seen(body.name) in tables]
    edits = [Edit(body.query, f"SELECT * FROM {tables[seen(body.name)]}") for body in bodies]
    return splice(sql, edits).text


def of_cte(sql: str, name: str) -> str:
    """The rows of the CTE ``name`` of ``sql``, as a query."""
    bodies = [body for body in scan(sql).bodies.values() if body.top]
    last = next(body for body in bodies if seen(body.name) == name)
    return f"{sql[: last.span.end]} SELECT * FROM {quote(name)}"
