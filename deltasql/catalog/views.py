"""Views as they are kept: the text of a query, where its names resolve, and the columns that it gave when it was made.

A view's names mean what they meant when it was made, whoever reads it: ``Home`` is the schema that was current then,
and the name that the view's own root had (roots are attached under other names elsewhere).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from deltasql.catalog.places import shown
from deltasql.errors import ColumnNotFound
from deltasql.names import did_you_mean, match

TEMPORARY = "/temporary"
"""The schema of temporary views; no user's is called so, as no folder is."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where names resolve: the current schema, whether temporary views are seen, what the own root was called."""

    catalog: str
    schema: str
    temporaries: bool = True
    own: tuple[str, str] | None = None
    """A catalog's name as the text has it, and as it is now."""


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column: its name, which of the query's it is, and the type that it had (`types.sql_name`)."""

    name: str
    source: str
    type: str
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A view, its names in stored spelling; a temporary one is in no schema."""

    catalog: str
    schema: str
    name: str
    query: str
    home: Home
    columns: tuple[ViewColumn, ...]
    comment: str | None = None

    @property
    def parts(self) -> tuple[str, str, str]:
        """Catalog, schema and view."""
        return self.catalog, self.schema, self.name

    @property
    def temporary(self) -> bool:
        """True if it goes with its connection."""
        return self.schema == TEMPORARY

    def __str__(self) -> str:
        return self.name if self.temporary else shown(self.parts)


def with_comment(view: View, column: str | None, comment: str | None) -> View:
    """``view`` with ``comment`` (None: without one), or with one on ``column``. Raises `ColumnNotFound`."""
    if column is None:
        return replace(view, comment=comment)
    names = [each.name for each in view.columns]
    found = match(column, names, what="column")
    if found is None:
        raise ColumnNotFound(f"there is no column `{column}`", hint=did_you_mean(column, names))
    columns = (replace(each, comment=comment) if each.name == found else each for each in view.columns)
    return replace(view, columns=tuple(columns))


def kept(view: View) -> dict[str, Any]:
    """``view`` as the registrations keep it."""
    columns = [
        {"name": c.name, "source": c.source, "type": c.type} | ({"comment": c.comment} if c.comment else {})
        for c in view.columns
    ]
    found = {
        "query": view.query,
        "catalog": view.home.catalog,
        "schema": view.home.schema,
        "root": view.catalog,
        "columns": columns,
    }
    return found | ({"comment": view.comment} if view.comment else {})


def is_kept(value: Any) -> bool:
    """True for what `kept` gives."""
    if not isinstance(value, dict) or not isinstance(value.get("columns"), list):
        return False
    if not all(isinstance(value.get(key), str) for key in ("query", "catalog", "schema", "root")):
        return False
    return all(
        isinstance(column, dict) and all(isinstance(column.get(key), str) for key in ("name", "source", "type"))
        for column in value["columns"]
    )


def view_of(value: dict[str, Any], catalog: str, schema: str, name: str) -> View:
    """The view that `kept` gave, in the root that is now called ``catalog``."""
    own: str = value["root"]
    home = Home(
        catalog if value["catalog"] == own else value["catalog"],
        value["schema"],
        temporaries=False,
        own=(own, catalog),
    )
    columns = tuple(ViewColumn(c["name"], c["source"], c["type"], c.get("comment")) for c in value["columns"])
    return View(catalog, schema, name, value["query"], home, columns, value.get("comment"))
