"""Data frames and other Arrow that a caller has at hand, as tables of a statement.

What is in memory is read where it lies. A stream can be read once: its first rows are kept, and if that is all of it,
it is as good as a table; of a longer one a second look is an error, never fewer rows.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as pads
from deltalake import DeltaTable

from deltasql.engine.ask import Ask
from deltasql.engine.failures import carried
from deltasql.engine.scan import Access, Shown, Tables
from deltasql.engine.sources import Rows, Source
from deltasql.errors import Error, InterfaceError, NotSupportedError, OperationalError, brief
from deltasql.result import Result

if TYPE_CHECKING:
    from datafusion.catalog import Table

_BATCH_ROWS = 1 << 16
_KEPT_BYTES = 64 << 20
_FRAMES = "pandas, polars, Arrow tables, readers, datasets, DeltaTables and all with `__arrow_c_stream__`"
_VALUES = {int, str, float, bool, bytes, type(None)}
_STORED_AS_IS = {"arrow.uuid", "arrow.json", "arrow.bool8", "arrow.opaque", "arrow.fixed_shape_tensor"}


def is_frame(value: object) -> bool:
    """True for what a statement can read as a table."""
    if isinstance(value, type) or _is(value, "pandas", "Series") or _is(value, "polars", "Series"):
        return False
    if isinstance(value, DeltaTable | Result | pa.RecordBatch | pads.Dataset):
        return True
    return (
        _is(value, "pandas", "DataFrame") or _is(value, "polars", "LazyFrame") or hasattr(value, "__arrow_c_stream__")
    )


def frames_among(params: Sequence[Any] | Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters that are frames, by name, or by position from ``"1"``."""
    if not params:
        return {}
    if isinstance(params, Mapping):
        named = ((str(name).lstrip(":$"), value) for name, value in params.items())
    else:
        named = ((str(place), value) for place, value in enumerate(params, 1))
    return {name: value for name, value in named if type(value) not in _VALUES and is_frame(value)}


def place_of(value: object) -> tuple[str, int] | None:
    """Location and version of a DeltaTable; None for anything else."""
    return (value.table_uri, value.version()) if isinstance(value, DeltaTable) else None


def require_frame(name: str, value: object) -> None:
    """Raise `InterfaceError` for what is no frame, or one whose columns have no names that a statement can use."""
    if not is_frame(value):
        what = f"of type `{type(value).__name__}`" if not isinstance(value, type) else "a class"
        raise InterfaceError(f"`{name}` is {what}, which is no frame", hint=f"frames are {_FRAMES}")
    if _is(value, "pandas", "DataFrame"):
        _require_names(name, list(value.columns))  # type: ignore[attr-defined]


def frame(name: str, value: Any) -> Source:
    """``value``, which `is_frame` and no DeltaTable, as a table called ``name``.

    Raises `InterfaceError` for columns without a name of their own, `NotSupportedError` for types that can't be read.
    """
    require_frame(name, value)
    try:
        found = _source(name, value)
    except Error:
        raise
    except Exception as error:
        raise _broken(name, error) from error
    _require_names(name, found.schema.names)
    for field in found.schema:
        _require_type(name, field)
    return found


def _source(name: str, value: Any) -> Source:
    if _is(value, "pandas", "DataFrame"):
        return Memory(name, pa.Table.from_pandas(value, preserve_index=False))
    if isinstance(value, Result):
        # Its rows may come from DataFusion, which can't be waited for in a stream that DataFusion reads.
        return Memory(name, value.to_arrow())
    if _is(value, "polars", "LazyFrame"):
        return _source(name, value.collect())
    if isinstance(value, pa.Table):
        return Memory(name, value)
    if isinstance(value, pa.RecordBatch):
        return Memory(name, pa.Table.from_batches([value]))
    if isinstance(value, pads.Dataset):
        return Scanned(name, value.schema, value)
    if _is(value, "datafusion", "DataFrame"):
        return Memory(name, value.to_arrow_table())
    if _is(value, "polars", "DataFrame"):
        for column, type in value.schema.items():
            if str(type) == "Object":  # Arrow is given where in memory they lie.
                message = f"column `{column}` of the frame `{name}` holds Python's objects, which can't be read"
                raise NotSupportedError(message, hint="convert the column first")
        return Memory(name, pa.table(value))
    if isinstance(value, pa.RecordBatchReader):
        once = _readers.get(value)
        if once is None:
            once = _readers.setdefault(value, Once(value))
    else:
        once = Once(pa.RecordBatchReader.from_stream(value))
    rows = once.all(name)
    return Memory(name, rows) if rows is not None else Streamed(name, once.schema, once)


def _is(value: object, module: str, kind: str) -> bool:
    """True for an instance of a class of a library, which isn't imported for that."""
    found = getattr(sys.modules.get(module), kind, None)
    return isinstance(found, type) and isinstance(value, found)


def _require_names(name: str, columns: Sequence[Any]) -> None:
    if not columns:
        raise InterfaceError(f"the frame `{name}` has no columns")
    for column in columns:
        if not isinstance(column, str):
            hint = "a column is named by a string: `df.columns = df.columns.map(str)`"
            what = type(column).__name__
            raise InterfaceError(f"the frame `{name}` has a column whose name is of type `{what}`", hint=hint)
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise InterfaceError(f"the frame `{name}` has the column `{twice}` twice")


def _require_type(name: str, field: pa.Field) -> None:
    """Raise `NotSupportedError` for a type whose values would be shown as what they are stored as."""

    def unreadable(type: pa.DataType) -> str | None:
        if isinstance(type, pa.BaseExtensionType):
            known = type.extension_name in _STORED_AS_IS
            return None if known else str(type.extension_name)
        if pa.types.is_union(type):
            return "a union"
        parts = [type.field(index).type for index in range(type.num_fields)] if pa.types.is_nested(type) else []
        return next((found for part in parts if (found := unreadable(part)) is not None), None)

    found = unreadable(field.type)
    if found is not None:
        message = f"column `{field.name}` of the frame `{name}` has a type that can't be read, {found}"
        raise NotSupportedError(message, hint="convert the column first")


def _broken(name: str, error: BaseException) -> Error:
    if "runtime from within a runtime" in str(error):
        hint = "make a table of it first: `reader.read_all()`"
        return NotSupportedError(f"`{name}` is a stream that DataFusion makes, which it can't read itself", hint=hint)
    said = [text for text in getattr(error, "args", ()) if isinstance(text, str)]
    return OperationalError(f"the frame `{name}` can't be read: {': '.join(said) or brief(error)}")


# -- tables


@dataclass(frozen=True, eq=False)
class Memory(Rows):
    """Rows in the caller's memory."""

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """Where they lie."""
        return Access("memory", "it is a frame", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """The rows, uncopied."""
        return tables.batches(self.rows.schema, self.rows.to_batches(max_chunksize=_BATCH_ROWS), shown.zone)


@dataclass(frozen=True, eq=False)
class Scanned:
    """A dataset of Arrow's, of which the columns that are asked for are read; DataFusion filters its rows."""

    name: str
    schema: pa.Schema
    dataset: pads.Dataset

    @property
    def extent(self) -> str:
        """What it is."""
        return "a dataset"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """By Arrow."""
        return Access("dataset", "it is a dataset of Arrow's", tuple(getattr(self.dataset, "files", ())))

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """A stream of the columns that are asked for."""

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            return _told(self.name, lambda: self.dataset.scanner(columns=list(columns)).to_batches())

        return tables.streams(self.schema, [read], shown)


@dataclass(frozen=True, eq=False)
class Streamed:
    """The rows of a stream, too many to be kept."""

    name: str
    schema: pa.Schema
    once: Once

    @property
    def extent(self) -> str:
        """Nobody has counted."""
        return "a stream"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """All of it."""
        return Access("stream", "it is a frame", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """The stream, of which the columns that are asked for go on."""

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            chosen = list(columns)
            return _told(self.name, lambda: (batch.select(chosen) for batch in self.once.read(self.name)))

        return tables.streams(self.schema, [read], shown)


def _told(name: str, make: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    """The batches; what goes wrong on the way is told as an error of ours, with its cause."""
    try:
        yield from make()
    except GeneratorExit:
        raise
    except Error as error:
        raise carried(error) from error
    except BaseException as error:  # A panic derives from it.
        made = _broken(name, error)
        made.__cause__ = error
        raise carried(made) from error


class Once:
    """A stream that can be read once, and again as far as all of it is kept."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.schema = reader.schema
        self._reader = reader
        self._lock = threading.Lock()
        self._head: list[pa.RecordBatch] | None = None
        self._ended = self._begun = False

    def all(self, name: str) -> pa.Table | None:
        """All rows, if they are few enough to be kept; the first ones are read for that, in the caller's thread."""
        with self._lock:
            if self._head is None and not self._begun:
                self._head, size = [], 0
                while size < _KEPT_BYTES and not self._ended:
                    size += self._next(self._head)
            if self._ended and self._head is not None:
                return pa.Table.from_batches(self._head, self.schema)
            if self._begun:
                raise _read_before(name)
            return None

    def _next(self, into: list[pa.RecordBatch]) -> int:
        try:
            batch = self._reader.read_next_batch()
        except StopIteration:
            self._ended = True
            return 0
        into.append(batch)
        return int(batch.nbytes)

    def read(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows. Raises `InterfaceError` for a second time."""
        with self._lock:
            if self._begun or self._head is None:
                raise _read_before(name)
            self._begun = True
            head, self._head = self._head, None
        yield from head
        del head
        yield from self._reader


def _read_before(name: str) -> InterfaceError:
    hint = "make a table of it, which can be read again: `reader.read_all()`"
    return InterfaceError(f"`{name}` is a stream that has been read already", hint=hint)


_readers: weakref.WeakKeyDictionary[pa.RecordBatchReader, Once] = weakref.WeakKeyDictionary()
"""The readers that were seen, as one that has been read looks like an empty one."""
