"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from .corpora import FOLDER, unpack

# The same examples in each run, so that a run tells of the change that it tests; `make search` looks for new ones.
settings.register_profile("steady", derandomize=True, database=None, deadline=None)
settings.register_profile("search", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("DELTASQL_EXAMPLES", "steady"))


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which the tables of ``shared/corpora`` lie; skips where they aren't there."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} isn't there")
    return unpack(tmp_path_factory)
