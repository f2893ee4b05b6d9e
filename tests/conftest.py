"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from .corpora import FOLDER, unpack


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which the tables of ``shared/corpora`` lie; skips where they aren't there."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} isn't there")
    return unpack(tmp_path_factory)
