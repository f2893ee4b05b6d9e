"""delta-rs's own SQL: DataFusion inside the deltalake package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder


class DeltaRs:
    """See the module."""

    libraries = ("deltalake",)
    how = "QueryBuilder().register(name, DeltaTable)"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002
        self._builder = QueryBuilder()
        for name, path in tables.items():
            self._builder.register(name, DeltaTable(path))

    def run(self, sql: str) -> pa.Table:
        return pa.table(self._builder.execute(sql).read_all())

    def close(self) -> None:
        del self._builder
