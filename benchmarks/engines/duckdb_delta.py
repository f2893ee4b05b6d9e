"""DuckDB's delta extension, tables attached and pinned: the quickest way it has, as metadata are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakes import duckdb_with

if TYPE_CHECKING:
    import pyarrow as pa


class DuckDb:
    """See the module."""

    libraries = ("duckdb", "duckdb_extension_delta")
    how = "ATTACH … (TYPE delta, PIN_SNAPSHOT)"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002
        self._connection = duckdb_with("delta")
        for name, path in tables.items():
            self._connection.execute(f"ATTACH '{path}' AS {name} (TYPE delta, PIN_SNAPSHOT)")

    def run(self, sql: str) -> pa.Table:
        return self._connection.execute(sql).to_arrow_table()

    def close(self) -> None:
        self._connection.close()
