"""A connection over an empty lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import deltasql


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path / "lake") as made:
        yield made
