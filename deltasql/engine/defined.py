"""Functions that a user defines in Python, as DataFusion calls them: by columns, in its own threads.

What goes wrong in one comes back with its traceback: DataFusion keeps only a text, so the error waits (see `failures`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import datafusion
import pyarrow as pa
from datafusion.user_defined import Accumulator

from deltasql.engine.failures import carried
from deltasql.errors import DataError, Error, OperationalError, brief
from deltasql.types import sql_name

_Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Defined:
    """A function: what it is called, takes and returns.

    ``vectorized`` is one of Arrow arrays, else it is one of Python values. An aggregate takes the values of a group.
    """

    name: str
    function: _Function
    arguments: tuple[pa.DataType, ...]
    returns: pa.DataType
    vectorized: bool
    aggregates: bool = False

    def made(self) -> datafusion.ScalarUDF | datafusion.AggregateUDF:
        """As DataFusion has it. It is taken to give the same for the same values."""
        types = [_taken(type) for type in self.arguments]
        if self.aggregates:
            state = [pa.list_(type) for type in types]
            return datafusion.udaf(lambda: _Group(self), types, self.returns, state, "immutable", self.name)
        return datafusion.udf(self._called, types, self.returns, "immutable", self.name)

    def _called(self, *columns: pa.Array) -> pa.Array:
        try:
            columns = self.given(columns)
            if self.vectorized:
                return self._checked(self._call(*columns), len(columns[0]))
            rows = zip(*(values(column) for column in columns), strict=True)
            return self.column([self._call(*row) for row in rows])
        except Error as error:
            raise carried(error) from error

    def given(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, ...]:
        """The arguments in the types that the function takes. Raises `DataError` for a number that is too great."""
        found = []
        for column, type in zip(columns, self.arguments, strict=True):
            try:
                found.append(column if column.type == type else column.cast(type))
            except pa.ArrowInvalid as error:
                message = f"function `{self.name}` takes {sql_name(type)}: {brief(error)}"
                raise DataError(message) from error
        return tuple(found)

    def _call(self, *values: Any) -> Any:
        """What the function gives. Raises `OperationalError`, of which what it raised is the cause."""
        try:
            return self.function(*values)
        except BaseException as error:
            raise self._failed(error) from error

    def _failed(self, error: BaseException) -> Error:
        if "runtime from within a runtime" in str(error):
            return OperationalError(f"function `{self.name}` runs a statement, which a function in one can't")
        said = f"{type(error).__name__}: {brief(error)}" if str(error) else type(error).__name__
        return OperationalError(f"function `{self.name}` failed: {said}")

    def _checked(self, found: Any, rows: int) -> pa.Array:
        """What a function of arrays gave, if it is an array of the right type and length; else `DataError`."""
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        if not isinstance(found, pa.Array):
            raise DataError(f"function `{self.name}` gave a `{type(found).__name__}`, not an Arrow array")
        if len(found) != rows:
            raise DataError(f"function `{self.name}` gave {len(found)} values for {rows} rows")
        if found.type == self.returns:
            return found
        if pa.types.is_null(found.type) or sql_name(found.type) == sql_name(self.returns):
            return found.cast(self.returns)
        raise DataError(f"function `{self.name}` gave {sql_name(found.type)}, not {sql_name(self.returns)}")

    def column(self, found: Sequence[Any]) -> pa.Array:
        """Python values as a column of the type that is returned. Raises `DataError` naming the first odd one."""
        try:
            if all(map(self._is_of_type, found)):
                return pa.array(found, self.returns)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise self._odd(found) from error
        raise self._odd(found)

    def _is_of_type(self, value: Any) -> bool:
        """False for what Arrow would take and change: a fraction for a whole number, a time for a day."""
        if value is None:
            return True
        type = self.returns
        if pa.types.is_integer(type):
            return hasattr(value, "__index__")
        if pa.types.is_boolean(type):
            return value.__class__.__name__ in ("bool", "bool_")
        if pa.types.is_date(type):
            return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        if pa.types.is_timestamp(type):
            return isinstance(value, dt.date) or hasattr(value, "astype")
        return isinstance(value, str) if pa.types.is_string(type) else True

    def _odd(self, found: Sequence[Any]) -> DataError:
        odd = next((value for value in found if not self._fits(value)), None)
        return DataError(f"function `{self.name}` gave `{odd!r:.60}`, which is no {sql_name(self.returns)}")

    def _fits(self, value: Any) -> bool:
        try:
            pa.scalar(value, self.returns)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            return False
        return self._is_of_type(value)

    def of_group(self, columns: Sequence[pa.Array]) -> pa.Scalar:
        """What an aggregate gives for the values of a group; NULL for a group without rows."""
        if not len(columns[0]):
            return pa.scalar(None, self.returns)
        if not self.vectorized:
            return self.column([self._call(*(values(column) for column in columns))])[0]
        found = self._call(*columns)
        if isinstance(found, pa.Scalar):
            return self._checked(pa.array([found.as_py()], found.type), 1)[0]
        return self.column([found])[0]


def _taken(type: pa.DataType) -> pa.DataType:
    """The type that DataFusion hands over: numbers in SQL text have 64 bits, which it never narrows."""
    if type in (pa.int8(), pa.int16(), pa.int32()):
        return pa.int64()
    return pa.float64() if type == pa.float32() else type


def values(column: pa.Array) -> list[Any]:
    """The Python values of a column; finer digits of times than Python has are cut."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    found: list[Any] = column.to_pylist()
    return found


class _Group(Accumulator):
    """Collects the values of a group, whose function is called once for all of them."""

    def __init__(self, defined: Defined) -> None:
        self._defined = defined
        self._parts: list[list[pa.Array]] = [[] for _ in defined.arguments]

    def update(self, *columns: pa.Array) -> None:
        """Take rows."""
        for parts, column in zip(self._parts, columns, strict=True):
            parts.append(column)

    def merge(self, states: list[pa.Array]) -> None:
        """Take what others have collected."""
        for parts, lists in zip(self._parts, states, strict=True):
            parts.append(lists.flatten())

    def state(self) -> list[pa.Scalar]:
        """What was collected, a list for each argument."""
        return [
            pa.ListArray.from_arrays([0, len(column)], column, type=pa.list_(column.type))[0]
            for column in self._columns()
        ]

    def evaluate(self) -> pa.Scalar:
        """What the function gives."""
        try:
            return self._defined.of_group(self._defined.given(self._columns()))
        except Error as error:
            raise carried(error) from error

    def _columns(self) -> list[pa.Array]:
        return [
            pa.concat_arrays([part.cast(_taken(type)) for part in parts]) if parts else pa.array([], _taken(type))
            for parts, type in zip(self._parts, self._defined.arguments, strict=True)
        ]
