"""deltasql, by its public API: each statement looks for a newer version of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import deltasql

if TYPE_CHECKING:
    import pyarrow as pa


class DeltaSql:
    """See the module."""

    libraries = ("deltasql", "datafusion", "deltalake")
    how = "deltasql.connect(folder); each statement checks the log; its plan is kept while there is no newer version"

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:  # noqa: ARG002 (it finds them itself)
        self._connection = deltasql.connect(root)

    def run(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow()

    def close(self) -> None:
        self._connection.close()
