"""PEP 249: the cursor, the type objects and the constructors.

Each statement is a transaction of its own and has committed when ``execute`` returns. Statements that return rows
stream them; a write returns none here but its ``rowcount``. Nothing heavy is imported, as the names stand at the
package's root.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from deltasql import errors
from deltasql.errors import ClosedError, InterfaceError, ProgrammingError
from deltasql.scope import Scope, variables

if TYPE_CHECKING:
    from deltasql.names import AsOf
    from deltasql.result import Result, Row

Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]

apilevel = "2.0"
threadsafety = 2
"""Threads may share the module and connections, but not cursors."""
paramstyle = "qmark"
"""``?``; the others but ``format`` and ``pyformat`` work too: ``$1``, ``:name``, ``$name``."""


# -- types


class TypeObject:
    """Equals the type codes of a kind, which are SQL's names of types: ``NUMBER == "DECIMAL(10,2)"``."""

    __slots__ = ("_names", "name")

    def __init__(self, name: str, *names: str) -> None:
        self.name = name
        self._names = frozenset(names)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self is other
        return isinstance(other, str) and other.partition("(")[0].partition("[")[0].upper() in self._names

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"deltasql.{self.name}"


STRING = TypeObject("STRING", "STRING")
BINARY = TypeObject("BINARY", "BINARY")
NUMBER = TypeObject(
    "NUMBER",
    *("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "UINT8", "UINT16", "UINT32", "UINT64"),
    *("HALFFLOAT", "FLOAT", "DOUBLE", "DECIMAL"),
)
DATETIME = TypeObject("DATETIME", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIME32", "TIME64")
ROWID = TypeObject("ROWID")

Date = dt.date
Time = dt.time
Timestamp = dt.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> dt.date:  # noqa: N802 (PEP 249's name)
    """The day of a time in seconds since the epoch, where this machine is."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> dt.time:  # noqa: N802
    """The time of day of a time in seconds since the epoch, where this machine is."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> dt.datetime:  # noqa: N802
    """A time in seconds since the epoch as it is where this machine is, without a zone."""
    return Timestamp(*time.localtime(ticks)[:6])


class ErrorAttributes:
    """PEP 249's errors as attributes of a connection, for code that knows no more than the connection."""

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError


# -- the cursor

Description: TypeAlias = list[tuple[str, str, None, None, int | None, int | None, bool]]


class Connected(Protocol):
    """What a cursor needs of its connection."""

    def run(self, text: str, params: Parameters | None, scope: Scope, *, as_of: AsOf | None = None) -> Result:
        """Run one statement, for which ``scope`` gives the caller's variables; a query with ``as_of`` is of then."""

    def run_many(self, text: str, sets: Sequence[Parameters]) -> Result | None:
        """Run a statement for all sets of parameters as one, or give None where that isn't the same."""

    def require_open(self) -> None:
        """Raise `ClosedError` after it was closed."""


class Cursor:
    """Executes statements and holds the rows of the last one; made by `Connection.cursor`, for one thread at a time.

    ``description`` has name, type code (SQL's name of the type), None, None, precision, scale and nullability of
    each column; None for a statement that returns no rows, which includes writes. ``rowcount`` is the number of rows
    that a write changed, else -1. ``result`` is the last statement's `Result`: Arrow, metrics, the version.
    ``as_of``, if set, is the version or time that ``execute`` reads tables as of, and then it runs queries alone.
    """

    def __init__(self, connection: Connected) -> None:
        self.connection = connection
        self.arraysize = 1
        self.rowcount = -1
        self.description: Description | None = None
        self.lastrowid: None = None
        self.as_of: AsOf | None = None
        self._result: Result | None = None
        self._closed = False

    @property
    def result(self) -> Result:
        """What the last statement gave. Raises `InterfaceError` where there was none."""
        self._require_open()
        if self._result is None:
            raise InterfaceError("no statement was executed", hint="call `execute` first")
        return self._result

    def execute(self, operation: str, parameters: Parameters | None = None) -> Self:
        """Run one statement and give this cursor. Raises as `Connection.sql` does."""
        self._forget()
        scope = variables(sys._getframe(1))  # noqa: SLF001  # There is no other way.
        self._take(self.connection.run(operation, parameters, scope, as_of=self.as_of))
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters]) -> Self:
        """Run a statement for each set of parameters; ``rowcount`` is the sum.

        An INSERT of one row of VALUES is one write with all the rows, as long as the values of each column are of
        one Python type. All else runs, and commits, set by set. A statement that returns rows is a
        `ProgrammingError`.
        """
        self._forget()
        if not isinstance(seq_of_parameters, Iterable):
            raise ProgrammingError(
                f"`executemany` takes sets of parameters, not a `{type(seq_of_parameters).__name__}`"
            )
        sets = list(seq_of_parameters)
        scope = variables(sys._getframe(1))  # noqa: SLF001
        result = self.connection.run_many(operation, sets) if len(sets) > 1 and self.as_of is None else None
        if result is not None:
            self._take(result)
            return self
        total = 0
        for parameters in sets:
            self._take(self.connection.run(operation, parameters, scope, as_of=self.as_of))
            if self.description is not None:
                self._forget()
                raise ProgrammingError("`executemany` takes no statement that returns rows", hint="use `execute`")
            total = -1 if total < 0 or self.rowcount < 0 else total + self.rowcount
        self.rowcount = total
        return self

    def fetchone(self) -> Row | None:
        """The next row as a tuple, or None behind the last."""
        return self._rows().fetchone()

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """At most ``size`` (None: ``arraysize``) next rows."""
        return self._rows().fetchmany(self.arraysize if size is None else size)

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return self._rows().fetchall()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Nothing: values bring their types."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Nothing: values are given whole."""

    def close(self) -> None:
        """Let go of the rows; whatever is done with the cursor afterwards is a `ClosedError`."""
        self._result = self.description = None
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<deltasql.Cursor of {self.connection!r}{' (closed)' if self._closed else ''}>"

    def _require_open(self) -> None:
        self.connection.require_open()
        if self._closed:
            raise ClosedError("the cursor is closed")

    def _forget(self) -> None:
        self._require_open()
        self._result = self.description = None
        self.rowcount = -1

    def _take(self, result: Result) -> None:
        self._result = result
        writes = result.statement_type != "SELECT" and result.columns[:1] == ["num_affected_rows"]
        self.description = _description(result) if result.columns and not writes else None
        if writes:
            self.rowcount = result.to_arrow().column(0)[0].as_py()

    def _rows(self) -> Result:
        result = self.result
        if self.description is None:
            raise ProgrammingError(f"{result.statement_type} returns no rows", hint="`rowcount` says how many changed")
        return result


def _description(result: Result) -> Description:
    from deltasql.types import sql_name

    found: Description = []
    for field in result.schema:
        exact = sql_name(field.type).startswith("DECIMAL(")
        digits = (field.type.precision, field.type.scale) if exact else (None, None)
        found.append((field.name, sql_name(field.type), None, None, *digits, field.nullable))
    return found
