"""MERGE as a construct: ``merge(orders).using(new, orders.c.id == new.c.id).when_matched_update().…``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from sqlalchemy import exc
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.base import Executable, Generative
from sqlalchemy.sql.elements import ClauseElement

MATCHED, NOT_MATCHED, BY_SOURCE = "MATCHED", "NOT MATCHED", "NOT MATCHED BY SOURCE"


class Merge(Executable, Generative, ClauseElement):
    """A MERGE; made by `merge`, of which each method gives another with one more clause.

    Clauses are tried in their order. Values are a mapping from columns (or their names) to what they are set to; None
    stands for all columns, by the names that target and source share.
    """

    __visit_name__ = "deltasql_merge"
    stringify_dialect = "deltasql"
    inherit_cache = False
    is_dml = True

    def __init__(self, target: Any) -> None:
        self.target = coercions.expect(roles.FromClauseRole, target)
        self.source: Any = None
        self.condition: Any = None
        self.clauses: tuple[tuple[str, Any, str, Any], ...] = ()

    def using(self, source: Any, condition: Any) -> Self:
        """Merge what ``source``, a table or a subquery, holds; rows match by ``condition``."""
        made = self._generate()
        made.source = coercions.expect(roles.FromClauseRole, source)
        made.condition = coercions.expect(roles.WhereHavingRole, condition)
        return made

    def when_matched_update(self, values: Mapping[Any, Any] | None = None, *, condition: Any = None) -> Self:
        """``WHEN MATCHED [AND condition] THEN UPDATE SET …``"""
        return self._with(MATCHED, condition, "UPDATE", values)

    def when_matched_delete(self, *, condition: Any = None) -> Self:
        """``WHEN MATCHED [AND condition] THEN DELETE``"""
        return self._with(MATCHED, condition, "DELETE", None)

    def when_not_matched_insert(self, values: Mapping[Any, Any] | None = None, *, condition: Any = None) -> Self:
        """``WHEN NOT MATCHED [AND condition] THEN INSERT …``"""
        return self._with(NOT_MATCHED, condition, "INSERT", values)

    def when_not_matched_by_source_update(self, values: Mapping[Any, Any], *, condition: Any = None) -> Self:
        """``WHEN NOT MATCHED BY SOURCE [AND condition] THEN UPDATE SET …``"""
        return self._with(BY_SOURCE, condition, "UPDATE", values)

    def when_not_matched_by_source_delete(self, *, condition: Any = None) -> Self:
        """``WHEN NOT MATCHED BY SOURCE [AND condition] THEN DELETE``"""
        return self._with(BY_SOURCE, condition, "DELETE", None)

    def _with(self, when: str, condition: Any, action: str, values: Mapping[Any, Any] | None) -> Self:
        made = self._generate()
        also = None if condition is None else coercions.expect(roles.WhereHavingRole, condition)
        made.clauses = (*self.clauses, (when, also, action, None if values is None else self._values(values)))
        return made

    def _values(self, values: Any) -> list[tuple[Any, Any]]:
        if not (isinstance(values, Mapping) and values):
            raise exc.ArgumentError(f"a mapping from columns to values, not {values!r}")
        pairs = []
        for key, value in values.items():
            name = key if isinstance(key, str) else key.key
            if name not in self.target.c:
                raise exc.ArgumentError(f"there is no column {name!r} in {self.target.description!r}")
            column = self.target.c[name]
            pairs.append((column, coercions.expect(roles.ExpressionElementRole, value, type_=column.type)))
        return pairs


def merge(target: Any) -> Merge:
    """A MERGE into ``target``, a table or an alias of one."""
    return Merge(target)
