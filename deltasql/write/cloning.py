"""The files of a clone, as its log names them: where they lie (SHALLOW), or copied to the clone's own folder (DEEP).

Delta protocol, "Add File and Remove File", "Deletion Vector Format": what isn't in the table's own folder is named by
an absolute URI. Copies get names of their own, so that they never take the place of a file that older versions need.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from deltasql.catalog.columns import opened
from deltasql.catalog.footers import require_file
from deltasql.catalog.recorded import recorded
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.vectors import encoded, vector_file, vector_name
from deltasql.errors import NotSupportedError, StorageError, brief
from deltasql.storage.files import copy
from deltasql.storage.objects import Location, ObjectPath, ObjectStat
from deltasql.write.creating import Making

_OF_ROWS = ("baseRowId", "defaultRowCommitVersion")


def adds(source: Snapshot, made: Making, *, shallow: bool) -> list[dict[str, Any]]:
    """The ``add`` actions of a clone of ``source``; DEEP copies the files, which ``made`` then answers for.

    Rows get ids of their own where they have some. Raises `StorageError`, `VersionNotFound` for a file that is gone.
    """
    held = recorded(source, source.files)
    vectors = _Vectors(source, made)
    actions = []
    progress = made.context.progress
    if shallow:
        _require_near(source, made)
        progress.begin("looked at", "files", len(source.files))
    else:
        progress.begin("copied", "bytes", source.size)
    for path in source.files:
        require_file(source, path)
        body: dict[str, Any] = {key: value for key, value in held[path].items() if key not in _OF_ROWS}
        if "rowTracking" in made.design.protocol.features:
            body["stats"] = _counted(path, body.get("stats"))
        place: dict[str, Any] = {"path": path.as_uri()} if shallow else _copied(path, body["path"], made)
        if (vector := body.get("deletionVector")) is not None:
            place["deletionVector"] = vectors.absolute(vector) if shallow else vectors.copied(vector)
        actions.append({"add": {**body, **place, "dataChange": True}})
        progress.done(1 if shallow else int(body["size"]))
    return actions


def _require_near(source: Snapshot, made: Making) -> None:
    """Raise `NotSupportedError` for a clone from or to a store, of files that its readers couldn't look up there."""
    near = isinstance(source.location, ObjectPath), isinstance(made.location, ObjectPath)
    if near[0] != near[1]:
        message = "a SHALLOW CLONE can't share the files of a table on another kind of storage"
        raise NotSupportedError(message, hint="use DEEP CLONE, which copies them")


def _counted(path: Location, stats: str | None) -> str:
    """The statistics of a file with the number of its rows, by which these get ids."""
    if stats is not None and "numRecords" in json.loads(stats):
        return stats
    with opened(path) as parquet:
        return json.dumps({"numRecords": parquet.metadata.num_rows})


def _copied(path: Location, written: str, made: Making) -> dict[str, Any]:
    """Copy a data file to a folder of the same name; what is new of its ``add``."""
    folder = PurePosixPath() if ":" in written.partition("/")[0] or written.startswith("/") else _parent(written)
    suffix = "".join(path.suffixes[-2:]) if len(path.suffixes) > 1 else ".parquet"
    below = folder / f"part-00000-{uuid.uuid4()}-c000{suffix}"
    target = made.location / below
    state = _copy(path, target, made)
    name = quote(below.as_posix(), safe="/=")
    return {"path": name, "size": state.st_size, "modificationTime": state.st_mtime_ns // 1_000_000}


def _parent(written: str) -> PurePosixPath:
    return PurePosixPath(unquote(written)).parent


def _copy(path: Location, target: Location, made: Making) -> os.stat_result | ObjectStat:
    """Copy a file, so that it is on disk. Raises `StorageError`."""
    try:
        made.copied.append(target)
        return copy(path, target)
    except OSError as error:
        raise StorageError(f"`{path}` can't be copied to `{target}`: {brief(error)}") from error


# -- deletion vectors


@dataclass(slots=True)
class _Vectors:
    """The files of deletion vectors, each of which may hold those of many data files."""

    source: Snapshot
    made: Making
    names: dict[Location, uuid.UUID] = field(default_factory=dict)

    def absolute(self, vector: Mapping[str, Any]) -> dict[str, Any]:
        """A deletion vector that is named by where it lies."""
        if (path := self._file(vector)) is None:
            return dict(vector)
        return {**vector, "storageType": "p", "pathOrInlineDv": path.as_uri()}

    def copied(self, vector: Mapping[str, Any]) -> dict[str, Any]:
        """A deletion vector in the clone's own folder."""
        if (path := self._file(vector)) is None:
            return dict(vector)
        if path not in self.names:
            self.names[path] = uuid.uuid4()
            _copy(path, self.made.location / vector_name(self.names[path]), self.made)
        return {**vector, "storageType": "u", "pathOrInlineDv": encoded(self.names[path])}

    def _file(self, vector: Mapping[str, Any]) -> Location | None:
        """Where a deletion vector lies; None for one that is in the log itself."""
        path = vector_file(self.source, vector)
        if path is None:
            return None
        if not path.is_file():
            raise StorageError(f"the deletion vectors of `{self.source.name}` in `{path}` are missing")
        return path
