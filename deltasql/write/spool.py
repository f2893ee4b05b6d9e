"""Rows kept aside to be read more than once: in memory, or past a size on disk."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from deltasql.errors import StorageError

_MOST_BYTES = 64 << 20


@contextlib.contextmanager
def spooled(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[tuple[pa.Table, bool]]:
    """The rows, which are there as long as the context is, and whether they are in memory.

    On disk they are mapped: looking at them takes memory that the system can have back. Raises `StorageError` where
    the disk is full.
    """
    found: list[pa.RecordBatch] = []
    coming = iter(batches)
    size = 0
    for batch in coming:
        found.append(batch)
        size += batch.nbytes
        if size > _MOST_BYTES:
            break
    else:
        yield pa.Table.from_batches(found, schema), True
        return
    with tempfile.TemporaryDirectory(prefix="deltasql-") as folder:
        path = Path(folder) / "rows.arrow"
        try:
            with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, schema) as writer:
                for batch in found:
                    writer.write_batch(batch)
                found.clear()
                for batch in coming:
                    writer.write_batch(batch)
        except OSError as error:
            raise StorageError(f"`{path}` can't be written: {error.strerror or error}") from error
        with pa.memory_map(str(path)) as mapped:
            yield pa.ipc.open_file(mapped).read_all(), False
