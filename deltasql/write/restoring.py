"""What a commit must say so that a table is again what it was at an older version.

The files that were live then and aren't now come back, the others go, and so it is with the columns, properties and
clustering. What must never go back doesn't: the protocol only grows, an identity column gives out no value twice, no
number of a column is used again, the table stays the one that it is, and in-commit timestamps go on as they do now
(Delta protocol, "Protocol Evolution", "Identity Columns", "Column Mapping", "In-Commit Timestamps").
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deltasql.catalog.clustering import CLUSTERING
from deltasql.catalog.fields import MAX_COLUMN_ID
from deltasql.catalog.footers import require_file
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.recorded import domains, recorded, remove_of
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.vectors import vector_file
from deltasql.errors import VersionNotFound
from deltasql.progress import Telling
from deltasql.storage.objects import Location
from deltasql.write.identity import marks_kept

_Action = Mapping[str, Any]
_ADDED = "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp"
_TIMESTAMPS = ("delta.enableInCommitTimestamps", *_ADDED)


@dataclass(frozen=True, slots=True)
class Restoration:
    """The bodies of ``add`` and ``remove`` actions, and the actions that aren't about files."""

    adds: Sequence[_Action]
    removes: Sequence[_Action]
    others: Sequence[_Action]

    def actions(self) -> list[_Action]:
        """All of them, as the log has them."""
        removes = [{"remove": body} for body in self.removes]
        return [*self.others, *removes, *({"add": body} for body in self.adds)]


def restoration(now: Snapshot, then: Snapshot, progress: Telling | None = None) -> Restoration:
    """What makes the table of ``now``, its latest version, what it was ``then``.

    Raises `VersionNotFound`, which names it, for a file that would have to come back and is gone, and `StorageError`
    for a log that can't be read.
    """
    before, after = (_by_key(snapshot) for snapshot in (now, then))
    adds = [(path, {**body, "dataChange": True}) for (path, _), body in after.items() if (path, _) not in before]
    progress = progress or Telling()
    progress.begin("looked at", "files", len(adds))
    for path, body in adds:
        _require(then, path, body)
        progress.done()
    milliseconds = time.time_ns() // 1_000_000
    removes = [remove_of(body, milliseconds) for key, body in before.items() if key not in after]
    return Restoration([body for _, body in adds], removes, _others(now, then))


def _by_key(snapshot: Snapshot) -> dict[tuple[Location, object], _Action]:
    """The ``add`` actions by file and deletion vector."""
    return {(path, _vector(body)): body for path, body in recorded(snapshot, snapshot.files).items()}


def _vector(body: _Action) -> object:
    found = body.get("deletionVector")
    return None if found is None else (found["storageType"], found["pathOrInlineDv"], found.get("offset"))


def _require(then: Snapshot, path: Location, body: _Action) -> None:
    require_file(then, path)
    vector = body.get("deletionVector")
    file = None if vector is None else vector_file(then, vector)
    if file is not None and not file.is_file():
        message = f"version {then.version} of `{then.name}` can't be restored: its deletion vector `{file}` is missing"
        raise VersionNotFound(message, hint="VACUUM removes the files of old versions")


# -- the table itself


def _others(now: Snapshot, then: Snapshot) -> list[_Action]:
    made: list[_Action] = []
    old = Protocol.of(now)
    new = old.with_features(*Protocol.of(then).features)
    if new != old:
        made.append(new.action())
    current = Metadata.of(now)
    metadata = _metadata(current, Metadata.of(then))
    if metadata != current:
        made.append(metadata.action())
    if "clustering" in new.features:
        held, wanted = domains(now).get(CLUSTERING), domains(then).get(CLUSTERING)
        if held != wanted:
            body = {"domain": CLUSTERING, "configuration": wanted or held, "removed": wanted is None}
            made.append({"domainMetadata": body})
    return made


def _metadata(now: Metadata, then: Metadata) -> Metadata:
    kept = {key: now.configuration[key] for key in _TIMESTAMPS if key in now.configuration}
    configuration = {key: value for key, value in then.configuration.items() if key not in _TIMESTAMPS} | kept
    if MAX_COLUMN_ID in configuration:
        ids = (each.configuration.get(MAX_COLUMN_ID, "0") for each in (now, then))
        configuration[MAX_COLUMN_ID] = max(ids, key=int)
    schema = marks_kept(then.schema, now.schema)
    return dataclasses.replace(
        then, id=now.id, created_time=now.created_time, schema=schema, configuration=configuration
    )
