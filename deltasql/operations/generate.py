"""GENERATE symlink_format_manifest: lists of a table's files, for engines that read plain Parquet by such lists.

One file ``manifest`` a partition, below ``_symlink_format_manifest``, with a file's URI a line (Delta Lake
documentation, "Presto, Trino, and Athena to Delta Lake integration"). Each is replaced whole; those of partitions
that have no file any more go. Who reads by them knows neither deletion vectors nor column mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deltasql.catalog.columns import mapping
from deltasql.catalog.recorded import recorded
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import NotSupportedError, StorageError, UnsupportedTableFeature
from deltasql.operations.operation import Plan, nothing, writing
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import Location, ObjectPath
from deltasql.write.partitions import folder
from deltasql.write.target import Target, target

_FOLDER, _FILE = "_symlink_format_manifest", "manifest"


@dataclass(frozen=True, slots=True)
class Generate:
    """Manifests that are ready to be written."""

    target: Target

    def explain(self) -> Plan:
        """Target and operation."""
        return writing(self.target, f"write manifests below {_FOLDER}")

    def execute(self) -> Result:
        """Write them; the table stays as it is."""
        found = _manifests(self.target.snapshot)
        root = self.target.snapshot.location / _FOLDER
        try:
            stale: set[Location] = set()
            if root.is_dir():
                stale.update(root.rglob(_FILE))
            for below, text in found.items():
                _replace(root / below / _FILE, text)
            for path in stale - {root / below / _FILE for below in found}:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"the manifests of `{self.target.entry}` can't be written: {error.strerror}") from error
        return nothing("GENERATE", metrics={"num_manifests": len(found)})


def _manifests(snapshot: Snapshot) -> Mapping[str, str]:
    """The text of each manifest, by the folder of its partition; one of no lines for an empty table."""
    columns = snapshot.partition_columns
    listed: dict[str, list[str]] = {} if columns else {"": []}
    for path, body in recorded(snapshot, snapshot.files).items():
        if body.get("deletionVector") is not None:
            message = f"`{snapshot.name}` has deletion vectors, which those who read by manifests don't know"
            hint = f"REORG TABLE {snapshot.name} APPLY (PURGE) rewrites the files without them"
            raise UnsupportedTableFeature(message, hint=hint)
        if "\n" in str(path):
            raise NotSupportedError(f"no manifest can list `{path}`: there is a line break in its name")
        values = tuple(body["partitionValues"].get(name) or None for name in columns)
        listed.setdefault(folder(columns, values), []).append(
            f"{path}\n" if isinstance(path, ObjectPath) else f"file://{path}\n"
        )
    return {below: "".join(sorted(lines)) for below, lines in listed.items()}


def _replace(path: Location, text: str) -> None:
    """Put a manifest in the place of the one before; readers find one or the other."""
    if isinstance(path, ObjectPath):
        path.write_text(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{_FILE}.tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def plan(statement: statements.Generate, context: StatementContext) -> Generate:
    """Find the table. Raises `UnsupportedTableFeature` where its files don't hold what it says by name."""
    into = target(statement.table, context)
    if mapping(into.snapshot.properties) != "none":
        message = f"`{into.entry}` maps its columns, which those who read by manifests don't know"
        raise UnsupportedTableFeature(message)
    return Generate(into)
