"""The footers of data files: whether a file is whole, its rows, and whether it holds what its table says.

DataFusion passes over files that are missing or empty, delta-rs brings the process down over a footer of garbage,
and both cast what is of another type, with loss. So each file is looked at once before it is read.
"""

from __future__ import annotations

import stat
import threading
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from deltasql.catalog.columns import mapping, opened, places, stored_name, widens
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import StorageError, VersionNotFound, brief
from deltasql.storage.files import for_arrow, missing, state_of
from deltasql.storage.objects import Location, ObjectPath

_LEAST = 12
_MOST = 200_000
_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Footer:
    stamp: _Stamp
    rows: int
    schema: pa.Schema


class Footers:
    """What is known of the files that were looked at, which Delta never changes; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Location, _Footer] = {}
        self._schemas: dict[bytes, pa.Schema] = {}
        self._odd: weakref.WeakKeyDictionary[Snapshot, dict[int, str | None]] = weakref.WeakKeyDictionary()

    def look(self, snapshot: Snapshot, files: Iterable[Location]) -> str | None:
        """Why only a reader that goes by the files' own columns reads ``files`` right, or None.

        Raises `StorageError`, which names the file, for one that is torn or holds something else than its table
        says; `VersionNotFound` for a missing one of an old version.
        """
        odd = None
        verdicts = self._odd.setdefault(snapshot, {})
        for path in files:
            schema = self._footer(snapshot, path).schema
            known = id(schema)  # There is one of each, which is kept; to compare them takes its time.
            if known not in verdicts:
                verdicts[known] = _odd(snapshot, schema, path)
            odd = odd or verdicts[known]
        return odd

    def require(self, snapshot: Snapshot, files: Iterable[Location]) -> None:
        """Raise as `look` for a file that is gone or torn by now."""
        for path in files:
            found = self._known.get(path)
            if found is None or found.stamp != require_file(snapshot, path):
                self._known.pop(path, None)
                self._footer(snapshot, path)

    def rows(self, snapshot: Snapshot, path: Location) -> int:
        """The number of live rows of a file. Raises as `look`."""
        rows = self._footer(snapshot, path).rows
        kept = snapshot.live_rows.get(path) if "deletionVectors" in snapshot.features_in_use else None
        return rows if kept is None else rows - len(kept) + kept.true_count

    def _footer(self, snapshot: Snapshot, path: Location) -> _Footer:
        found = self._known.get(path)
        if found is None:
            found = self._read(snapshot, path, require_file(snapshot, path))
            with self._lock:
                if len(self._known) > _MOST:
                    self._known.clear()  # The schemas stay, as verdicts go by their identity.
                self._known[path] = found
        return found

    def _read(self, snapshot: Snapshot, path: Location, stamp: _Stamp) -> _Footer:
        try:
            metadata = pq.read_metadata(for_arrow(path))
            schema = metadata.schema.to_arrow_schema()
        except FileNotFoundError:
            raise _missing(snapshot, path) from None
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            raise StorageError(f"`{path}` is no whole Parquet file: {brief(error)}") from error
        # Schemas that differ by the ids of their columns alone are equal, so they go by their bytes.
        return _Footer(stamp, metadata.num_rows, self._schemas.setdefault(schema.serialize().to_pybytes(), schema))


def require_file(snapshot: Snapshot, path: Location) -> _Stamp:
    """Size and time of a file. Raises as `Footers.look` for one that is missing, no file, or too short."""
    try:
        found = state_of(path)
    except OSError:
        raise _missing(snapshot, path) from None
    if not stat.S_ISREG(found.st_mode) or found.st_size < _LEAST:
        raise StorageError(f"`{path}` is no whole Parquet file: it has {found.st_size} bytes")
    return found.st_size, found.st_mtime_ns


def require_there(snapshot: Snapshot, files: Sequence[Location]) -> None:
    """Raise as `Footers.look` for an object that is gone by now."""
    objects = [path for path in files if isinstance(path, ObjectPath)]
    if objects and (gone := missing(objects)) is not None:
        raise _missing(snapshot, gone)


def _missing(snapshot: Snapshot, path: Location) -> StorageError | VersionNotFound:
    message = f"version {snapshot.version} of `{snapshot.name}` can't be read: its file `{path.name}` is missing"
    if snapshot.is_latest:
        return StorageError(message, hint="something other than Delta removed it")
    return VersionNotFound(message, hint="VACUUM removes the files of old versions")


def unreadable(files: Iterable[Location]) -> StorageError | None:
    """The error of the first of ``files`` that can't be read to its end: a search for what has failed already."""
    for path in files:
        try:
            with opened(path) as parquet:
                for _ in parquet.iter_batches():
                    pass
        except StorageError as error:
            return error
    return None


# -- what a file holds, and what its table says


def _odd(snapshot: Snapshot, layout: pa.Schema, path: Location) -> str | None:
    mode = mapping(snapshot.properties)
    outside = frozenset(snapshot.partition_columns)
    for field, at in zip(snapshot.schema, places(layout, snapshot.schema, mode), strict=True):
        if at is None or field.name in outside:
            continue
        if mode == "id" and layout.field(at).name != stored_name(field, "name"):
            return f"`{path.name}` has its columns by their ids alone"
        verdict = _fits(layout.field(at).type, field.type, mode)
        if verdict is None:
            message = f"`{path}` holds column `{field.name}` as {layout.field(at).type}, which isn't {field.type}"
            raise StorageError(message)
        if not verdict:
            return f"`{path.name}` holds column `{field.name}` as {layout.field(at).type}"
    return None


def _fits(held: pa.DataType, wanted: pa.DataType, mode: str) -> bool | None:
    """True where any reader shows ``held`` as ``wanted``, False where only Arrow does, None where it isn't that."""
    if pa.types.is_dictionary(held):
        held = held.value_type
    if pa.types.is_struct(wanted):
        if not pa.types.is_struct(held):
            return None
        children = zip(places(held, wanted, mode), wanted, strict=True)
        return _all([_fits(held.field(at).type, child.type, mode) for at, child in children if at is not None])
    if pa.types.is_map(wanted):
        if not pa.types.is_map(held):
            return None
        pairs = ((held.key_type, wanted.key_type), (held.item_type, wanted.item_type))
        return _all([*(_fits(*pair, mode) for pair in pairs), not _lacks(*pairs[1], mode)])
    if pa.types.is_list(wanted):
        lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_fixed_size_list)
        return _fits(held.value_type, wanted.value_type, mode) if any(of(held) for of in lists) else None
    return _fits_leaf(held, wanted)


def _lacks(held: pa.DataType, wanted: pa.DataType, mode: str) -> bool:
    """True if ``wanted`` is a struct of which ``held`` lacks a field, which in a map's values DataFusion can't cast."""
    if not (pa.types.is_struct(wanted) and pa.types.is_struct(held)):
        return False
    return held.num_fields != wanted.num_fields or None in places(held, wanted, mode)


_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def _fits_leaf(held: pa.DataType, wanted: pa.DataType) -> bool | None:
    is_text, is_bytes = any(of(held) for of in _TEXT), any(of(held) for of in _BYTES)
    if pa.types.is_string(wanted):
        # Bytes that nobody said are text: Arrow alone looks whether they are.
        return True if is_text else False if is_bytes else None
    if pa.types.is_binary(wanted):
        return True if is_text or is_bytes else None
    if pa.types.is_null(held) or (pa.types.is_timestamp(held) and pa.types.is_timestamp(wanted)):
        return True
    if pa.types.is_unsigned_integer(held) and held.bit_width == getattr(wanted, "bit_width", 0):
        return False
    return True if widens(held, wanted, "none", "none") else None


def _all(verdicts: Sequence[bool | None]) -> bool | None:
    return None if None in verdicts else all(verdicts)
