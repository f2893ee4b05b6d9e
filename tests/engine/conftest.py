"""A connection to the tables that a module makes by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import deltasql


@pytest.fixture(scope="module")
def lake_con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path_factory.mktemp("lake")) as connection:
        yield connection
