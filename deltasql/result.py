"""What a statement gives back: a schema, an Arrow stream, metrics and the version it committed.

A query's rows are read when they are asked for, from the snapshots that the statement saw when it ran:
reading a result twice gives the same rows. Small results are kept after the first full read; large ones
are read again from those same snapshots.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from deltasql.errors import ClosedError, DataError, Error, InterfaceError, NotSupportedError, brief
from deltasql.output import Options, Writer, html, table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Row = tuple[Any, ...]
_KEPT_BYTES = 64 * 1024 * 1024
_REPR_ROWS = 10


class Result:
    """The outcome of one statement: ``schema`` (a ``pyarrow.Schema``), its rows, ``metrics`` and ``version``.

    Iterating gives all rows as tuples of Python values, each time from the first. ``fetchone``,
    ``fetchmany`` and ``fetchall`` share one position (PEP 249). A statement without rows has no columns.
    """

    def __init__(
        self,
        schema: pa.Schema,
        read: Callable[[], Iterable[pa.RecordBatch]],
        *,
        statement_type: str,
        metrics: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> None:
        self.schema = schema
        self.statement_type = statement_type
        self.metrics: dict[str, Any] = dict(metrics or {})
        self.version = version
        self.place: Callable[[Error], None] = lambda _: None
        self._read: Callable[[], Iterable[pa.RecordBatch]] | None = read
        self._kept: pa.Table | None = None
        self._rows: Iterator[Row] | None = None

    @classmethod
    def of(
        cls,
        rows: pa.Table,
        *,
        statement_type: str,
        metrics: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Result:
        """A result whose rows are already there."""
        return cls(rows.schema, rows.to_batches, statement_type=statement_type, metrics=metrics, version=version)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.schema.names)

    # -- Arrow

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows as ``pyarrow.RecordBatch``es of ``schema``, from the first; a stream."""
        if self._kept is not None:
            yield from self._kept.to_batches()
            return
        if self._read is None:
            raise ClosedError("the result is closed")
        kept: list[pa.RecordBatch] | None = []
        size = 0
        for batch in self._placed(self._read):
            size += batch.nbytes
            if kept is not None:
                kept.append(batch)
            if size > _KEPT_BYTES:
                kept = None
            yield batch
        if kept is not None:
            self._kept = pa.Table.from_batches(kept, self.schema)

    def _placed(self, read: Callable[[], Iterable[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        """The batches; ``place`` gives an error on the way its place in the text that the user wrote."""
        try:
            yield from read()
        except Error as error:
            self.place(error)
            raise

    def to_arrow(self) -> pa.Table:
        """All rows as a ``pyarrow.Table``."""
        if self._kept is None:
            self._kept = pa.Table.from_batches(list(self.batches()), self.schema)
        return self._kept

    def to_reader(self) -> pa.RecordBatchReader:
        """All rows as a ``pyarrow.RecordBatchReader``, which streams: memory doesn't grow with the result."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the Arrow C stream (Arrow PyCapsule interface), so that any Arrow library takes a result."""
        return self.to_reader().__arrow_c_stream__(requested_schema)

    # -- frames

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas DataFrame.

        A column of whole numbers with NULLs has pandas' nullable type (``Int64``, …): as ``float64`` great ones would
        be rounded. Raises `InterfaceError` where pandas isn't installed, `NotSupportedError` for values that it hasn't.
        """
        pandas = _require("pandas")
        rows = self.to_arrow()
        with _taken("pandas"):
            return _pandas(rows, pandas)

    def to_polars(self) -> pl.DataFrame:
        """All rows as a polars DataFrame.

        Raises `InterfaceError` where polars isn't installed, `NotSupportedError` for a type that it hasn't, or a
        column name that stands twice.
        """
        polars = _require("polars")
        rows = self.to_arrow()
        with _taken("polars"):
            frame: pl.DataFrame = polars.from_arrow(rows)
        return frame

    # -- rows

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from _rows(batch)

    def fetchone(self) -> Row | None:
        """The next row as a tuple, or None behind the last."""
        return next(self._position(), None)

    def fetchmany(self, size: int = 1) -> list[Row]:
        """At most ``size`` next rows. Raises `InterfaceError` for a size below 0."""
        if size < 0:
            raise InterfaceError(f"{size} rows can't be fetched")
        return list(itertools.islice(self._position(), size))

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        return list(self._position())

    def _position(self) -> Iterator[Row]:
        if self._rows is None:
            self._rows = iter(self)
        return self._rows

    # -- lifetime and looks

    def close(self) -> None:
        """Let go of the rows; reading afterwards is a `ClosedError`."""
        self._read = self._kept = self._rows = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def show(self, limit: int | None = 100) -> None:
        """Print the first ``limit`` rows as a table (None: all), as wide as the terminal if there is one."""
        import shutil
        import sys

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        sys.stdout.write(self._written(table.write, Options(limit=limit, width=width)))

    def __repr__(self) -> str:
        if not self.schema.names:
            return f"<{self.statement_type}>"
        return self._written(table.write, Options(limit=_REPR_ROWS)).rstrip("\n")

    def _repr_html_(self) -> str | None:
        """A table of the first rows for a notebook; None without columns, where `repr` says enough."""
        if not self.schema.names:
            return None
        return self._written(html.write, Options(limit=_REPR_ROWS))

    def _written(self, write: Writer, options: Options) -> str:
        out = io.BytesIO()
        write(self.schema, self.batches(), out, options)
        return out.getvalue().decode()


def _rows(batch: pa.RecordBatch) -> Iterator[Row]:
    if batch.num_columns == 0:
        return iter(())
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return zip(*(_python(name, column) for name, column in columns), strict=True)


def _python(name: str, column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime holds microseconds; finer digits are cut, as its own arithmetic does.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError) as error:
        if "out of range" not in str(error):
            raise
        message = f"column `{name}` holds a time that Python's datetime has no room for (years 1 to 9999)"
        raise DataError(message, hint="take the rows as Arrow: `to_arrow()`, or cast the column to STRING") from error
    return values


def _pandas(rows: pa.Table, pandas: Any) -> pd.DataFrame:
    """``rows`` as a data frame, whose integers are whole even beside NULLs, in lists and structs too."""
    gaps = [place for place, each in enumerate(rows.columns) if pa.types.is_integer(each.type) and each.null_count]
    if not gaps:
        return rows.to_pandas(integer_object_nulls=True)
    nullable = {
        pa.int8(): pandas.Int8Dtype(),
        pa.int16(): pandas.Int16Dtype(),
        pa.int32(): pandas.Int32Dtype(),
        pa.int64(): pandas.Int64Dtype(),
        pa.uint8(): pandas.UInt8Dtype(),
        pa.uint16(): pandas.UInt16Dtype(),
        pa.uint32(): pandas.UInt32Dtype(),
        pa.uint64(): pandas.UInt64Dtype(),
    }
    whole = rows.select(gaps).to_pandas(types_mapper=nullable.get)
    if len(gaps) == rows.num_columns:
        return whole
    frame = rows.select([place for place in range(rows.num_columns) if place not in gaps])
    made = frame.to_pandas(integer_object_nulls=True)
    for number, place in enumerate(gaps):
        made.insert(place, rows.schema.names[place], whole.iloc[:, number], allow_duplicates=True)
    return made


@contextmanager
def _taken(library: str) -> Iterator[None]:
    """Say which library can't hold a result, and why."""
    try:
        yield
    except Exception as error:
        raise NotSupportedError(f"{library} can't hold the result: {brief(error)}", hint="use `to_arrow()`") from error


def _require(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = f"pip install 'deltasql[{name}]'"
        raise InterfaceError(f"`to_{name}()` needs {name}, which isn't installed", hint=hint) from error
