"""Results that go to files: one that all go to from now on, and one that is saved after it was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from deltasql.errors import NotSupportedError
from deltasql.output import FORMATS, Options
from deltasql.repl.files import UnusableError, replacing
from deltasql.repl.formats import APART, BINARY, of_file, other

if TYPE_CHECKING:
    import pyarrow as pa

    from deltasql.result import Result


@dataclass(slots=True)
class Output:
    """The file that results go to, open, and their format in it."""

    path: str
    format: str
    file: BinaryIO
    _count: int = field(default=0, init=False)

    def write(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], options: Options) -> None:
        """Write a result. Raises `NotSupportedError` for a second one in a format that holds one, `UnusableError`."""
        if self._count and self.format in BINARY:
            hint = "`.output` with another file, or without one, closes it"
            raise NotSupportedError(f"`{self.path}` has its result: {self.format} holds one", hint=hint)
        if self._count and self.format in APART:
            self.file.write(b"\n")
        self._count += 1
        with _writing(self.path):
            try:
                FORMATS[self.format](schema, batches, self.file, options)
            finally:
                self.file.flush()

    def close(self) -> None:
        """Close the file. Raises `UnusableError`."""
        with _writing(self.path):
            self.file.close()


@contextmanager
def _writing(path: str) -> Iterator[None]:
    """Name the file in what goes wrong: its disk is full, or nobody reads it, which is not the end of stdout."""
    try:
        yield
    except OSError as error:
        raise UnusableError(f"can't write `{path}`: {error.strerror or error}") from error


def opened(path: str, otherwise: str) -> Output:
    """The file at ``path``, emptied; ``otherwise`` is the format where its extension says none.

    Raises `UnusableError`.
    """
    _require_known(path)
    try:
        file = Path(path).expanduser().open("wb")
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnusableError(f"can't write `{path}`: {reason}") from error
    return Output(path, of_file(path) or otherwise, file)


def save(result: Result, path: str, options: Options) -> str:
    """Write all rows of ``result`` to ``path``, whole or not at all, and give the format.

    It is csv where the extension says none. Raises `UnusableError`, and what reading the rows raises.
    """
    _require_known(path)
    format = of_file(path) or "csv"
    with _writing(path), replacing(path) as file:
        FORMATS[format](result.schema, result.batches(), file, options)
    return format


def _require_known(path: str) -> None:
    if (extension := other(path)) is not None:
        message = f"can't write `{path}`: no format writes {extension} files"
        raise UnusableError(message, hint="csv, tsv, json, jsonl, md, html, arrow and parquet are the extensions")
