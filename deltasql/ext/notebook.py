"""``%load_ext deltasql.ext.notebook``: SQL in the cells of a notebook (docs/notebook.md).

A cell sees the notebook: ``$name`` is the value of a variable, a table may be a variable that holds a data frame. Text
is never pasted, so IPython's own ``$name`` and ``{name}`` in lines are off.
"""

from __future__ import annotations

import atexit
import collections
import itertools
import keyword
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import needs_local_scope, no_var_expand

import deltasql
from deltasql.connection import Connection
from deltasql.engine import defined
from deltasql.errors import Error, InterfaceError, ProgrammingError
from deltasql.names import literal
from deltasql.output.failure import pieces
from deltasql.reading import placeholders_of
from deltasql.result import Result

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NAME = "deltasql"
_USAGE = """\
%deltasql [options] [name <<] SQL
%%deltasql [options] [name <<]
SQL

  --root ROOT        open the tables below a folder or a URL, for this cell and those that follow
  --read-only        …and refuse writes there
  --profile NAME     …with a profile of deltasql.toml
  --dialect NAME     whose SQL this cell and those that follow are written in: `databricks`, `duckdb`, …
  --connection NAME  use the connection that a variable holds
  --into NAME        keep the last result in a variable instead of showing it, as `name <<` does
  --as FRAME         …as a frame: `pandas`, `polars` or `arrow`
  --close            close the connection that was opened here
"""
_VALUES = {name: name for name in ("root", "profile", "dialect", "connection", "into")} | {"as": "as_"}
_FLAGS = ("read-only", "close")
_OPTION = re.compile(r"--([a-z][a-z-]*)(?:(?:=|\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"']\S*))?(?:\s+|$)")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:\s+|$)")
_KEPT = re.compile(r"([^\W\d]\w*)\s*<<\s*")
_FRAMES: Mapping[str, Callable[[Result], Any]] = {
    "arrow": Result.to_arrow,
    "pandas": Result.to_pandas,
    "polars": Result.to_polars,
}
_READ_AHEAD = 16 * 1024 * 1024
"""How many bytes of a result are read before it is shown: what goes wrong until then is the cell's error."""


@dataclass(frozen=True, slots=True)
class _Options:
    """What a line says before its SQL; ``into`` is the variable that a result is kept in, as the frame ``as_``."""

    root: str | None = None
    profile: str | None = None
    dialect: str | None = None
    connection: str | None = None
    into: str | None = None
    as_: str | None = None
    read_only: bool = False
    close: bool = False


class Magic:
    """The magic of one shell, and the connection that it opened or was given."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._opened: Connection | None = None
        self._given: Connection | None = None

    @no_var_expand
    @needs_local_scope
    def deltasql(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run SQL; see the usage below."""
        options, text = _read(line)
        if cell is not None:
            if text.strip():
                hint = "the SQL of a cell starts on its second line" if "--" not in text else _USAGE
                raise UsageError(f"%%{NAME}: unexpected `{text.strip()}` ({hint})")
            text = cell
        names = [local_ns or {}, self._shell.user_ns]
        try:
            connection = self._connection(options, names)
            if connection is None:
                return None
            if not text.strip():
                return connection if options.into is None and cell is None else None
            result = _last(connection, text, names)
            if options.into is None or result is None:
                return result
            self._shell.user_ns[options.into] = result if options.as_ is None else _FRAMES[options.as_](result)
        except Error as error:
            _shorten(error)
            raise
        return None

    def _connection(self, options: _Options, names: Sequence[Mapping[str, Any]]) -> Connection | None:
        """The connection that a line asks for, else the one that there is; None after it was closed."""
        if options.close:
            self.close()
            return None
        if options.connection is not None:
            self._given = _named(options.connection, names)
        elif options.root is not None or options.profile is not None:
            opened = deltasql.connect(options.root, read_only=options.read_only, profile=options.profile)
            self.close()
            self._opened = opened
        elif options.read_only:
            raise UsageError(f"%{NAME}: --read-only goes with --root or --profile")
        elif self._given is None and self._opened is None:
            self._opened = deltasql.connect()
        connection = self._given or self._opened
        if connection is not None and options.dialect is not None:
            connection.sql(f"SET deltasql.dialect = {literal(options.dialect)}")
        return connection

    def close(self) -> None:
        """Close the connection that was opened here; let go of one that was given."""
        opened, self._opened, self._given = self._opened, None, None
        if opened is not None:
            opened.close()


Magic.deltasql.__doc__ = f"Run SQL over Delta tables, and show the last result.\n\n{_USAGE}"


def _read(line: str) -> tuple[_Options, str]:
    """The options at the start of a line, and the text behind them. Raises `UsageError`."""
    said: dict[str, Any] = {}
    text = line.strip()
    while text.startswith("--") and not text.startswith("-- "):
        flag = _FLAG.match(text)
        if flag is not None and flag[1] in _FLAGS:
            said[flag[1].replace("-", "_")] = True
            text = text[flag.end() :]
            continue
        option = _OPTION.match(text)
        if option is None or option[1] not in _VALUES:
            name = text.split("=")[0].split()[0]
            raise UsageError(f"%{NAME} has no option `{name}`\n\n{_USAGE}")
        value = option["value"]
        if value is None:
            raise UsageError(f"%{NAME}: --{option[1]} wants a value\n\n{_USAGE}")
        said[_VALUES[option[1]]] = value[1:-1] if value[0] in "\"'" else value
        text = text[option.end() :]
    kept = _KEPT.match(text)
    if kept is not None:
        said["into"] = kept[1]
        text = text[kept.end() :]
    options = _Options(**said)
    if options.into is not None and (not options.into.isidentifier() or keyword.iskeyword(options.into)):
        raise UsageError(f"%{NAME}: `{options.into}` can't be the name of a variable")
    if options.as_ is not None and options.as_ not in _FRAMES:
        raise UsageError(f"%{NAME}: there is no --as `{options.as_}`: there are {', '.join(sorted(_FRAMES))}")
    if options.as_ is not None and options.into is None:
        raise UsageError(f"%{NAME}: --as goes with --into NAME, or with `name <<`")
    return options, text


def _named(name: str, names: Sequence[Mapping[str, Any]]) -> Connection:
    found = next((each[name] for each in names if name in each), None)
    if not isinstance(found, Connection):
        what = "there is no variable" if found is None else "no connection of deltasql's is in"
        raise InterfaceError(f"{what} `{name}`", hint="con = deltasql.connect(…), then --connection con")
    return found


def _last(connection: Connection, text: str, names: Sequence[Mapping[str, Any]]) -> Result | None:
    """Run all statements; the result of the last, of which the first rows are read."""
    results = connection.run_script(text, lambda: names, lambda statement: _values(statement, connection, names))
    result = next(iter(collections.deque(results, 1)), None)
    if result is not None:
        sizes = itertools.accumulate(batch.nbytes for batch in result.batches())
        any(size > _READ_AHEAD for size in sizes)
    return result


def _values(statement: str, connection: Connection, names: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The values of a statement's parameters, which are variables. Raises `ProgrammingError` for what is none."""
    values = {}
    for name in placeholders_of(statement, connection.session):
        if name.isdigit():
            hint = "write `$name`, which is the value of the variable `name`"
            raise ProgrammingError("parameters of a cell have names", hint=hint, statement=statement)
        found = next((each for each in names if name in each), None)
        if found is None:
            raise ProgrammingError(f"there is no variable `{name}` for the parameter `${name}`", statement=statement)
        values[name] = found[name]
    return values or None


# -- errors


def _shorten(error: Error) -> None:
    """Let IPython show the error in words, with the culprit's line, instead of a traceback of deltasql's code."""
    error._render_traceback_ = lambda: _shown(error)  # type: ignore[attr-defined]  # IPython's protocol.


def _shown(error: Error) -> list[str]:
    """The lines of an error; before them, where a function in Python failed, the traceback of that."""
    words = "".join(text for _, text in pieces(error)).rstrip("\n").split("\n")
    cause = error.__cause__
    frames = [] if cause is None else traceback.extract_tb(cause.__traceback__)
    if cause is None or not frames or frames[0].filename != defined.__file__:
        return words
    return [*"".join(traceback.format_exception(cause)).rstrip("\n").split("\n"), "", *words]


# -- what IPython calls


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register ``%deltasql`` and ``%%deltasql``."""
    unload_ipython_extension(ipython)
    magic = Magic(ipython)
    ipython.register_magic_function(magic.deltasql, "line_cell", NAME)  # type: ignore[arg-type]  # Its own is wrong.
    atexit.register(magic.close)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Take the magics away, and close the connection that they opened."""
    magics = ipython.magics_manager.magics
    for kind in ("line", "cell"):
        found = getattr(magics[kind].pop(NAME, None), "__self__", None)
        if isinstance(found, Magic):
            found.close()
            atexit.unregister(found.close)
