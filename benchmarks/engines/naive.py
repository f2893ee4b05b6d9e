"""DataFusion with delta-rs's table provider: what one writes at first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import datafusion
from deltalake import DeltaTable

if TYPE_CHECKING:
    import pyarrow as pa


class Naive:
    """See the module."""

    libraries = ("datafusion", "deltalake")
    how = "SessionContext().register_table(name, DeltaTable)"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002
        self._context = datafusion.SessionContext()
        for name, path in tables.items():
            self._context.register_table(name, DeltaTable(path))

    def run(self, sql: str) -> pa.Table:
        return self._context.sql(sql).to_arrow_table()

    def close(self) -> None:
        del self._context
