"""What the harness asks of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Engine(Protocol):
    """An engine over a lake of Delta tables.

    ``libraries`` are the distributions whose versions make its own; ``how`` says in a line how it reads the tables.
    Tables are opened by `setup`, so that `run` measures queries alone; each peer may keep the version it saw then.
    """

    libraries: tuple[str, ...]
    how: str

    def setup(self, root: Path, tables: Mapping[str, Path]) -> None:
        """Open the tables below ``root``."""

    def run(self, sql: str) -> pa.Table:
        """The whole answer, in memory as Arrow."""

    def close(self) -> None:
        """End what `setup` began."""
