"""Tables by others and the rows they hold (``shared/corpora``, next to the repository): unpacked once per test run."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "corpora"


@dataclass(frozen=True)
class Expected:
    """A line of ``expected.jsonl``: a table at a version, and what reading it gives."""

    table: str
    version: int | None
    outcome: str
    line: dict[str, Any]

    def __str__(self) -> str:
        return self.table if self.version is None else f"{self.table}@v{self.version}"


def expected() -> list[Expected]:
    """All lines; none where the folder isn't there."""
    if not FOLDER.is_dir():
        return []
    lines = (FOLDER / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    found = map(json.loads, lines)
    return [Expected(line["table"], line["version"], line["outcome"], line) for line in found]


def unpack(factory: pytest.TempPathFactory) -> Path:
    """The folder of the tables, shared by the workers of a run: whoever is first to rename its copy there wins."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    tables = shared / "corpora"
    if not tables.exists():
        own = shared / f"corpora-{uuid.uuid4().hex}"
        with tarfile.open(FOLDER / "tables.tar.xz") as archive:
            archive.extractall(own, filter="data")
        try:
            own.rename(tables)
        except OSError:  # Another worker's copy is there by now.
            shutil.rmtree(own)
    return tables
