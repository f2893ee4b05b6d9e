"""The names of a connection, kept up to date behind the prompt: no key stroke waits for a folder or the engine.

A look-around is begun when the prompt comes up and after each statement; until it ends, what was known holds. The
columns and versions of one table are read when a completion asks, which is in a thread of the prompt's own.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from zoneinfo import available_timezones

import pyarrow as pa

from deltasql.catalog.views import View
from deltasql.connection import Connection
from deltasql.errors import Error
from deltasql.names import TableReference, literal
from deltasql.repl.automaton import automaton
from deltasql.repl.known import Column, Commit, Function, Named, Names, Option, named, written_name
from deltasql.session import StatementContext
from deltasql.settings import SETTINGS, zone
from deltasql.sql.functions import TABLE_FUNCTIONS
from deltasql.types import sql_name

_PATIENCE = 2.0  # seconds
_COMMITS = 100
_PATHS = 1000
_FUNCTIONS = (
    "SELECT DISTINCT routine_name, syntax_example, function_type FROM information_schema.routines ORDER BY 1, 2"
)


class Watch:
    """The `Names` of what ``connection`` gives, as far as they are known; `look` begins to bring them up to date."""

    def __init__(self, connection: Callable[[], Connection]) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._looking = self._again = self._ended = False
        self._thread: threading.Thread | None = None
        self.names = Names(columns=self._columns, versions=self._versions, paths=paths)

    def look(self) -> None:
        """Begin to look around, unless that is under way: then it is done once more. Comes back at once."""
        with self._lock:
            self._again = True
            if self._looking or self._ended:
                return
            self._looking = True
        self._thread = threading.Thread(target=self._look, name="deltasql-names")
        self._thread.start()

    def end(self) -> None:
        """Look no more; wait for a look-around that is under way, but not for a folder that doesn't answer."""
        with self._lock:
            self._ended = True
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _look(self) -> None:
        automaton()  # It is built here, so that the first key stroke needn't.
        while True:
            with self._lock:
                if not self._again or self._ended:
                    self._looking = False
                    return
                self._again = False
            # What can't be read can't be offered, whatever is wrong with it; typing goes on.
            with suppress(Exception):
                self._places()
            with suppress(Exception):
                self._engine()

    def _places(self) -> None:
        catalog = self._connection().session.catalog
        home = catalog.home.catalog, catalog.home.schema
        tables: list[Named] = [
            Named(written_name(n), "view", ((n.casefold(), written_name(n)),)) for n in catalog.temporaries
        ]
        schemas = []
        for root in catalog.catalogs():
            for schema in catalog.schemas(root):
                written = written_name(schema)
                schemas.append(written if root == home[0] else f"{written_name(root)}.{written}")
                if self._ended:
                    return
                with suppress(Error):
                    tables += [named((root, schema, entry.name), home) for entry in catalog.tables(schema, root)]
                    tables += [named((root, schema, view.name), home, "view") for view in catalog.views(schema, root)]
        tables.sort(key=lambda one: (one.text.count("."), one.forms[0]))
        catalogs = [written_name(root) for root in catalog.catalogs()]
        self.names = replace(self.names, tables=tables, schemas=schemas, catalogs=catalogs)

    def _engine(self) -> None:
        if not self.names.functions:
            self.names = replace(self.names, functions=list(self._functions()))
        rows = self._connection().sql("SHOW ALL").fetchall()
        self.names = replace(self.names, settings=[_option(str(name), str(value)) for name, value, _ in rows])

    def _functions(self) -> Iterator[Function]:
        found: dict[str, Function] = {}
        for name, example, kind in self._connection().sql(_FUNCTIONS).fetchall():
            shape = str(example or "").partition("(")[2]
            signature = f"{name}({shape}" if shape else f"{name}(…)"
            found.setdefault(str(name), Function(str(name), signature, str(kind).lower()))
        yield from found.values()
        for name, table_function in TABLE_FUNCTIONS.items():
            yield Function(name, f"{name}({table_function.shape})", "table")

    def _columns(self, table: TableReference) -> Sequence[Column]:
        catalog = self._connection().session.catalog
        try:
            entry = catalog.named(catalog.travel(table))
            if isinstance(entry, View):
                return [Column(column.name, column.type) for column in entry.columns]
            schema = StatementContext(self._connection().session).open(table).schema
        except (Error, OSError):
            return ()
        return [_column(field) for field in schema]

    def _versions(self, table: TableReference) -> Sequence[Commit]:
        try:
            rows = (
                self._connection()
                .sql(
                    f"SELECT version, timestamp, operation FROM table_history({literal(str(_quoted(table)))}) "
                    f"ORDER BY version DESC LIMIT {_COMMITS}"
                )
                .fetchall()
            )
        except (Error, OSError):
            return ()
        return [Commit(version, _time(time), str(operation)) for version, time, operation in rows]


def _quoted(table: TableReference) -> str:
    if table.path is not None:
        return "delta.`" + table.path.replace("`", "``") + "`"
    return ".".join(map(written_name, table.parts))


def _time(time: dt.datetime) -> str:
    """A time as it goes into a statement, which reads it in the session's zone, as it is given."""
    twice = time.replace(fold=1 - time.fold).utcoffset() != time.utcoffset()  # when clocks are set back
    unit = "microseconds" if time.microsecond % 1000 else "milliseconds"
    text = (time if twice else time.replace(tzinfo=None)).isoformat(sep=" ", timespec=unit)
    return text.removesuffix(".000")


def _column(field: pa.Field) -> Column:
    inner = field.type.fields if pa.types.is_struct(field.type) else ()
    return Column(field.name, sql_name(field.type), tuple(map(_column, inner)))


def _option(name: str, value: str) -> Option:
    setting = next((setting for setting in SETTINGS if setting.name == name), None)
    if setting is None:
        return Option(name, value, ("true", "false") if value in {"true", "false"} else ())
    if setting.parse is zone:
        return Option(name, value, tuple(sorted(available_timezones())))
    try:
        setting.parse("\0")
    except ValueError as error:  # It says what is right, and where that is a list, it lists it.
        words = str(error)
        if words.startswith("one of "):
            return Option(name, value, tuple(words.removeprefix("one of ").split(", ")))
        if words == "on or off":
            return Option(name, value, ("on", "off"))
    return Option(name, value)


def paths(beginning: str) -> list[str]:
    """The paths that begin so, folders with a slash behind them; hidden ones once their dot is typed."""
    folder, _, start = beginning.rpartition("/")
    found = f"{folder}/" if "/" in beginning else ""
    try:
        place = Path(found or ".").expanduser()
        with os.scandir(place) as entries:
            fitting = [
                (entry.name, entry.is_dir())
                for entry in entries
                if entry.name.startswith(start) and (start or not entry.name.startswith((".", "_")))
            ]
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no home folder
        return []
    return [f"{found}{name}{'/' if is_folder else ''}" for name, is_folder in sorted(fitting)[:_PATHS]]
