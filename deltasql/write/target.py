"""The table that a statement writes to: as it was when the statement began, and the one commit that changes it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from deltasql.catalog.catalog import TableEntry
from deltasql.catalog.recorded import recorded, remove_of
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.numbered import FILE, ROW, Numbered
from deltasql.engine.sources import Source as Table
from deltasql.errors import CommitConflict, Error, StorageError
from deltasql.names import quote
from deltasql.redaction import redacted
from deltasql.session import Given, Session, StatementContext
from deltasql.write.commit import commit, committed, marked
from deltasql.write.features import require_writable
from deltasql.write.files import DataFile
from deltasql.write.identity import Numbering, numbering
from deltasql.write.rewrite import Counts, Edits, Rewrite
from deltasql.write.settings import file_settings
from deltasql.write.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

TARGET = "__deltasql_target"
"""The name by which a statement's own queries read the table with its tags."""

SOURCE = "__deltasql_source"
"""The name by which MERGE reads its source."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of ours as the log has it, and what was counted on the way to it."""

    version: int
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a table before the commit: new files, their changes, the old files that go."""

    files: Sequence[DataFile]
    changes: Sequence[DataFile]
    removed: Collection[int]
    counts: Counts
    milliseconds: int

    def metrics(self) -> dict[str, int]:
        """The numbers of files and the time, in delta-rs's words."""
        return {
            "num_added_files": len(self.files),
            "num_removed_files": len(self.removed),
            "num_copied_rows": self.counts.copied,
            "execution_time_ms": self.milliseconds,
        }


@dataclass(slots=True)
class Target:
    """A table as a statement sees it; see the module."""

    context: StatementContext
    entry: TableEntry
    snapshot: Snapshot
    numbering: Numbering | None = field(init=False)
    _mark: Mapping[str, str] = field(default_factory=marked)

    def __post_init__(self) -> None:
        self.numbering = numbering(self.snapshot)

    @property
    def session(self) -> Session:
        """The connection's session."""
        return self.context.session

    # -- what the statement's own queries say

    def named(self, alias: str | None) -> str:
        """The table with its tags as it stands behind FROM."""
        name = ".".join(map(quote, (*self.entry.parts[:-1], TARGET)))
        return name if alias is None else f"{name} AS {quote(alias)}"

    def qualifier(self, alias: str | None) -> str:
        """What its columns are qualified by, quoted."""
        return quote(alias if alias is not None else self.entry.name)

    def tags(self, alias: str | None) -> str:
        """The two tags of a row, for a SELECT list."""
        return ", ".join(f"{self.qualifier(alias)}.{quote(tag)}" for tag in (FILE, ROW))

    def given(self, table: Snapshot | Table | None = None) -> dict[str, Given]:
        """The table by that name: with tags, or ``table`` in its place."""
        return {TARGET: Given(self.entry.parts, table or Numbered(self.snapshot))}

    @property
    def time_zone(self) -> str:
        """The zone in which times without one are read."""
        zone: str = self.session.settings["time_zone"]
        return zone

    # -- the commit

    def recorded(self) -> dict[str, str]:
        """What the commit says beside what it is, with a mark by which it is found again."""
        return commit_metadata(self.context) | dict(self._mark)

    def _committed(self) -> int | None:
        """The version that this statement made, if it did."""
        return committed(self.snapshot.location, self._mark, after=self.snapshot.version)

    def require_writable(self, *, removes_data: bool = True) -> None:
        """Raise `UnsupportedTableFeature` or `ConstraintViolation` where our commits wouldn't be right."""
        require_writable(self.snapshot, removes_data=removes_data)

    def write(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        name: Mapping[str, str],
        *,
        edits: Edits | None = None,
        gone: Collection[int] = (),
        gone_rows: int = 0,
        rows: Source | None = None,
        others: Sequence[Mapping[str, Any]] = (),
        schema: pa.Schema | None = None,
        blind: bool = False,
        measured: Mapping[str, int] = _NOTHING,
    ) -> tuple[Commit | None, Counts]:
        """Change rows by ``edits``, drop the files ``gone``, add ``rows``, in one commit; None if nothing is to do.

        ``gone_rows`` are the rows in these files, ``others`` further actions, ``schema`` the table's after them;
        ``name`` says under which metric each count goes, ``measured`` are metrics of the statement's own. Of a table
        with a change data feed, rows that change within files are fed; the rest is inferred from whole files (Delta
        protocol, "Add CDC File").
        """
        begun = time.monotonic()
        new = Rewrite(
            self.snapshot,
            file_settings(self.session.settings, self.snapshot.properties),
            schema=schema,
            threads=self.session.settings["deltasql.threads"],
            feed=edits is not None and _has_feed(self.snapshot),
            progress=self.context.progress,
        )
        try:
            if edits is not None:
                new.run(edits)
            if rows is not None:
                new.append(rows.batches())
            files, changes = new.finish()
            elapsed = round((time.monotonic() - begun) * 1000)
            new.counts.deleted += gone_rows
            written = Written(files, changes, new.removed | set(gone), new.counts, elapsed)
            marked_on = list(others) if self.numbering is None else self.numbering.actions(others)
            actions = [*marked_on, *self._actions(written)]
            if not actions:
                return None, new.counts
            metrics = written.metrics() | {name[kind]: getattr(new.counts, kind) for kind in name} | dict(measured)
            version = commit(
                self.snapshot,
                actions,
                operation=operation,
                parameters=parameters,
                metrics=metrics,
                blind=blind,
                custom=self.recorded(),
            )
        except BaseException as error:
            if self._committed() is None:
                new.abort()
                if isinstance(error, StorageError) and self.snapshot.is_gone:
                    raise CommitConflict(f"`{self.entry}` was dropped while it was written") from error
            raise
        return Commit(version, metrics), new.counts

    def _actions(self, written: Written) -> list[dict[str, Any]]:
        paths = [self.snapshot.files[index] for index in sorted(written.removed)]
        old = recorded(self.snapshot, paths) if paths else {}
        now = time.time_ns() // 1_000_000
        actions = [{"remove": remove_of(old[path], now)} for path in paths]
        return actions + [file.add() for file in written.files] + [file.cdc() for file in written.changes]


def commit_metadata(context: StatementContext) -> dict[str, str]:
    """What every commit of ours records, beside what it is."""
    settings = context.session.settings
    found = {}
    if text := settings["deltasql.commit.user_metadata"]:
        found["userMetadata"] = text
    if settings["deltasql.commit.statement"] and context.text:
        found["deltasql.text"] = redacted(context.text, context.session.catalog.storage.hidden())
    return found


def _has_feed(snapshot: Snapshot) -> bool:
    return snapshot.properties.get("delta.enableChangeDataFeed", "").lower() == "true"


def target(table: Any, context: StatementContext, *, removes_data: bool | None = None, looks: bool = False) -> Target:
    """The table ``table`` (a reference) as ``context`` sees it. Raises `OperationalError` on a read-only connection.

    ``removes_data`` set: our own commits must be right for it, and rows may go from it or not. ``looks``: nothing will
    be written, so that it may be read-only.
    """
    catalog = context.session.catalog
    try:
        entry = context.entry(table)
        if not looks:
            catalog.require_writable(entry)
        found = Target(context, entry, context.latest(entry))
        if removes_data is not None:
            found.require_writable(removes_data=removes_data)
    except Error as error:
        error.span = error.span or getattr(table, "span", None)
        raise
    return found
