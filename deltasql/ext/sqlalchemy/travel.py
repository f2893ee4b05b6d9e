"""Time travel: a table as of a version or a time, as a construct of its own and as execution options.

``deltasql_version`` and ``deltasql_timestamp`` hold for all tables that a query reads, through views too; `as_of` for
the one that it is of, and wins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import exc
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.selectable import FromClauseAlias, TableClause
from sqlalchemy.sql.visitors import InternalTraversal

from deltasql import names

VERSION, TIMESTAMP = "deltasql_version", "deltasql_timestamp"


class AsOf(FromClauseAlias):
    """A table as it was, under an alias; made by `as_of`."""

    __visit_name__ = "deltasql_as_of"
    stringify_dialect = "deltasql"
    inherit_cache = True
    _traverse_internals = [*FromClauseAlias._traverse_internals, ("travel", InternalTraversal.dp_string)]  # noqa: RUF012

    def _init(self, selectable: Any, *, name: str | None = None, travel: str = "") -> None:
        super()._init(selectable, name=name)
        self.travel = travel


def as_of(
    table: Any, *, version: int | None = None, timestamp: dt.date | str | None = None, name: str | None = None
) -> AsOf:
    """``table`` as of a version or a time, under an alias (``name``, or one that is made).

    For the ORM: ``aliased(Order, as_of(Order.__table__, version=3))``. Raises ``ArgumentError`` for what is no table,
    no version or no time, and unless there is just one of the two.
    """
    element = coercions.expect(roles.FromClauseRole, table)
    if not isinstance(element, TableClause):
        raise exc.ArgumentError(f"as_of() takes a table, not {table!r}")
    clause = asked({VERSION: version, TIMESTAMP: timestamp})
    if clause is None:
        raise exc.ArgumentError("as_of() takes a version or a timestamp")
    kind = "VERSION" if isinstance(clause, names.Version) else "TIMESTAMP"
    return AsOf._construct(element, name=name, travel=f" {kind} AS OF {clause.expression}")


def asked(options: Mapping[str, Any]) -> names.AsOf | None:
    """What execution options ask for. Raises ``ArgumentError`` for both, and for what is no version or time."""
    version, time = options.get(VERSION), options.get(TIMESTAMP)
    if version is not None and time is not None:
        raise exc.ArgumentError(f"`{VERSION}` and `{TIMESTAMP}` can't both be given")
    if version is not None:
        if isinstance(version, bool) or not isinstance(version, int) or version < 0:
            raise exc.ArgumentError(f"`{VERSION}` is {version!r}, which is no version: that is a number from 0 on")
        return names.Version(str(version))
    if time is None:
        return None
    if not isinstance(time, str | dt.date):
        raise exc.ArgumentError(f"`{TIMESTAMP}` is {time!r}, which is no time: that is a datetime, a date or a string")
    return names.Timestamp(names.text(time if isinstance(time, str) else time.isoformat()))
