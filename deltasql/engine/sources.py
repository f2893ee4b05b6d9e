"""What a query can read beside tables: change feeds, what the log says of a table, files that are no table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deltasql.catalog.changes import COMMIT_VERSION, Changes
from deltasql.engine.ask import Ask
from deltasql.engine.external import External
from deltasql.engine.pruning import Comparison, comparison
from deltasql.engine.scan import Access, Shown, Tables

if TYPE_CHECKING:
    import pyarrow as pa
    from datafusion.catalog import Table


class Source(Protocol):
    """What a table function gives."""

    @property
    def name(self) -> str:
        """The call as it was written."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""

    @property
    def extent(self) -> str:
        """What is read, for EXPLAIN."""

    def access(self, ask: Ask | None) -> Access:
        """How it is read, and the files that are."""

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:
        """The table that DataFusion reads."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that are there already; ``of_log`` says that they tell of a table."""

    name: str
    rows: pa.Table
    of_log: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.rows.schema

    @property
    def extent(self) -> str:
        """The number of rows."""
        return f"{self.rows.num_rows} rows"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """The log has told."""
        return Access("log", "what the log says", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """The rows in memory."""
        return tables.rows(self.rows, shown.zone)


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows that ``read`` gives, however often; it must not read from DataFusion itself."""

    name: str
    schema: pa.Schema
    read: Callable[[], Iterator[pa.RecordBatch]]

    @property
    def extent(self) -> str:
        """Nobody has counted."""
        return "a stream"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """All of it."""
        return Access("stream", "it comes from elsewhere", ())

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """The stream, of which the columns that are asked for go on."""

        def chosen(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            return (batch.select(list(columns)) for batch in self.read())

        return tables.streams(self.schema, [chosen], shown)


@dataclass(frozen=True, eq=False)
class Feed:
    """A change feed, of which the commits that are asked for are read."""

    name: str
    changes: Changes

    @property
    def schema(self) -> pa.Schema:
        """The table's columns and those of the feed."""
        return self.changes.schema

    @property
    def extent(self) -> str:
        """The versions."""
        return f"versions {self.changes.first} to {self.changes.last}"

    def access(self, ask: Ask | None) -> Access:
        """The files of the commits that are asked for."""
        first, last = self._range(ask)
        return Access("feed", f"commits {first} to {last}", self.changes.files_of(first, last))

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:
        """A stream of the commits that are asked for."""
        first, last = self._range(ask)

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            return self.changes.read(list(columns), first, last)

        return tables.streams(self.schema, [read], shown)

    def _range(self, ask: Ask | None) -> tuple[int, int]:
        """The versions that can hold a row that is asked for, by comparisons of the version with numbers."""
        if ask is None or not ask.scans:
            return self.changes.first, self.changes.last
        ranges = [self._within([found for expr in scan.conjuncts if (found := comparison(expr))]) for scan in ask.scans]
        return min(first for first, _ in ranges), max(last for _, last in ranges)

    def _within(self, comparisons: Sequence[Comparison]) -> tuple[int, int]:
        first, last = self.changes.first, self.changes.last
        for found in comparisons:
            version = found.value.as_py()
            if found.column != COMMIT_VERSION or not isinstance(version, int):
                continue
            if found.operator in ("=", ">", ">="):
                first = max(first, version + (found.operator == ">"))
            if found.operator in ("=", "<", "<="):
                last = min(last, version - (found.operator == "<"))
        return first, last


@dataclass(frozen=True, eq=False)
class Files:
    """Files that are no Delta table."""

    name: str
    found: External

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.found.schema

    @property
    def extent(self) -> str:
        """The number of files."""
        return f"{len(self.found.files)} files"

    def access(self, ask: Ask | None) -> Access:  # noqa: ARG002
        """All files, by DataFusion."""
        return Access("DataFusion", "they are no Delta table", self.found.files)

    def table(self, tables: Tables, ask: Ask | None, shown: Shown) -> Table:  # noqa: ARG002
        """DataFusion's scan."""
        return self.found.table
