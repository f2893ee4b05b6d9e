"""TPC-H and TPC-DS: every query, by every access path, gives DuckDB's answer on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from deltalake import DeltaTable

import deltasql

from . import tpc
from .tpc import Lake, Query
from .tpc_rows import differences, sort_keys

pytest.importorskip("duckdb_extension_tpch")
pytest.importorskip("duckdb_extension_tpcds")

READERS = ("auto", "scan", "dataset")


Connect = Callable[[str, str], deltasql.Connection]


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    made = Lake(tpc.make(tmp_path_factory))
    with made.duck:
        yield made


@pytest.fixture(scope="session")
def connect(lake: Lake) -> Iterator[Connect]:
    """Gives the connection to a suite's tables by a reader."""
    with ExitStack() as stack:
        made: dict[tuple[str, str], deltasql.Connection] = {}

        def connected(suite: str, reader: str) -> deltasql.Connection:
            if (suite, reader) not in made:
                con = made[suite, reader] = stack.enter_context(deltasql.connect(lake.folder / suite, read_only=True))
                con.sql(f"SET deltasql.reader = '{reader}'")
            return made[suite, reader]

        yield connected


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("query", tpc.QUERIES, ids=str)
def test_answers(lake: Lake, connect: Connect, query: Query, reader: str) -> None:
    found = connect(query.suite, reader).sql(lake.text(query)).to_arrow()
    relation, limit = lake.answer(query)
    answer = relation.to_arrow_table()
    keys = sort_keys(lake.text(query), [name.lower() for name in answer.column_names])
    assert differences(found, answer, limit, keys) == []


@pytest.mark.parametrize("table", tpc.LAYOUTS)
def test_layouts_are_of_several_files(lake: Lake, table: str) -> None:
    layout = tpc.LAYOUTS[table]
    delta = DeltaTable(lake.folder.joinpath(*table.split(".")))
    assert len(delta.file_uris()) > 1
    assert delta.metadata().partition_columns == ([layout.partition_by] if layout.partition_by else [])


def test_edits_are_of_queries_there_are() -> None:
    assert set(tpc.EDITS) <= {str(query) for query in tpc.QUERIES}
