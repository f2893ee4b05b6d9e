"""What deltasql's table functions give, by the values of their arguments.

``table_changes('t', start [, end])``, ``table_history('t')``, ``table_detail('t')``, ``table_files('t')``,
``delta_scan('path' [, version => n | timestamp => t])``, ``read_parquet|read_csv|read_json(paths [, option => v])``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from deltasql.catalog import inspection
from deltasql.catalog.changes import changes
from deltasql.catalog.detail import detail
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.external import External
from deltasql.engine.sources import Feed, Files, Rows, Source
from deltasql.errors import PlanError
from deltasql.names import TableReference, literal
from deltasql.sql.parser import parse_table

SCHEMA = "/functions"
"""The schema in which the engine finds what they give; no user's is called so, as no folder is."""

Values = Mapping[str, Any]


class Context(Protocol):
    """What a function may ask of the statement that it stands in."""

    def open(self, reference: TableReference) -> Snapshot:
        """The table that the statement sees under a name or path."""

    def at(self, reference: TableReference, version: int | None, time: dt.datetime | None) -> Snapshot:
        """The table at a version or time."""

    def instant(self, value: Any) -> dt.datetime:
        """A time, which is in the session's zone if it says none."""

    def external(self, format: str, paths: Sequence[str], options: Values) -> External:
        """Files that are no Delta table."""


def source(name: str, context: Context, values: Values) -> Snapshot | Source:
    """What the function ``name`` gives. Raises `PlanError` for values that it doesn't take, and what reading raises."""
    return _FUNCTIONS[name](name, context, values)


def _table(name: str, context: Context, values: Values) -> Snapshot:
    return context.open(parse_table(_text(name, "table", values["table"])))


def _changes(name: str, context: Context, values: Values) -> Feed:
    start, end = (
        None if values.get(place) is None else _version_or_time(context, values[place]) for place in ("start", "end")
    )
    if start is None:
        raise PlanError(f"`{name}` takes a version or a time to start with, not NULL")
    return Feed(_shown(name, values), changes(_table(name, context, values), start, end))


def _version_or_time(context: Context, value: Any) -> int | dt.datetime:
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str | dt.date):
        raise PlanError(f"`{value}` is neither a version nor a time")
    return value if isinstance(value, int) else context.instant(value)


def _history(name: str, context: Context, values: Values) -> Rows:
    return Rows(_shown(name, values), inspection.history(_table(name, context, values)), of_log=True)


def _detail(name: str, context: Context, values: Values) -> Rows:
    return Rows(_shown(name, values), detail(_table(name, context, values)), of_log=True)


def _files(name: str, context: Context, values: Values) -> Rows:
    return Rows(_shown(name, values), inspection.files(_table(name, context, values)), of_log=True)


def _scan(name: str, context: Context, values: Values) -> Snapshot:
    version, time = values.get("version"), values.get("timestamp")
    if version is not None and time is not None:
        raise PlanError(f"`{name}` takes a version or a timestamp, not both")
    if isinstance(version, str) and version.strip().isdigit():
        version = int(version)
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or version < 0):
        raise PlanError(f"`{version}` is no version number")
    reference = TableReference(path=_text(name, "path", values["path"]))
    return context.at(reference, version, None if time is None else context.instant(time))


def _external(name: str, context: Context, values: Values) -> Files:
    given = values["paths"]
    paths = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not paths or not all(isinstance(path, str) and path for path in paths):
        raise PlanError(f"`{name}` takes a path, or a list of paths")
    options = {option: value for option, value in values.items() if option != "paths"}
    return Files(_shown(name, values), context.external(name.removeprefix("read_"), paths, options))


def _text(name: str, place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise PlanError(f"`{name}` takes its {place} as a string, not `{value}`")
    return value


def _shown(name: str, values: Values) -> str:
    first = next(iter(values.values()))
    texts = [literal(value) for value in (first if isinstance(first, list | tuple) else [first])]
    return f"{name}([{', '.join(texts)}])" if len(texts) > 1 else f"{name}({texts[0]})"


_FUNCTIONS: Mapping[str, Callable[[str, Context, Values], Snapshot | Source]] = {
    "delta_scan": _scan,
    "read_csv": _external,
    "read_json": _external,
    "read_parquet": _external,
    "table_changes": _changes,
    "table_detail": _detail,
    "table_files": _files,
    "table_history": _history,
}
