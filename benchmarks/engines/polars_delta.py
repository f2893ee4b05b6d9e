"""Polars: `scan_delta` behind its SQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa


class Polars:
    """See the module."""

    libraries = ("polars",)
    how = "SQLContext over scan_delta, collected"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002
        self._context = pl.SQLContext({name: pl.scan_delta(str(path)) for name, path in tables.items()})

    def run(self, sql: str) -> pa.Table:
        return self._context.execute(sql, eager=True).to_arrow()

    def close(self) -> None:
        del self._context
