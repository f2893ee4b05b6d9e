"""The tables and queries of TPC-H and TPC-DS, made by DuckDB's generators: Delta tables, and the same rows in DuckDB."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from deltalake import write_deltalake

if TYPE_CHECKING:
    import pytest

SCALE = 0.01
GENERATORS = {"tpch": "dbgen", "tpcds": "dsdgen"}
COUNTS = {"tpch": 22, "tpcds": 99}


@dataclass(frozen=True)
class Layout:
    """How a table lies in files: appended in ``slices`` of rows ordered by ``order_by``, partitioned or not."""

    slices: int = 1
    order_by: str | None = None
    partition_by: str | None = None


LAYOUTS = {
    "tpch.lineitem": Layout(slices=2, partition_by="l_shipmode"),
    "tpch.orders": Layout(slices=12, order_by="o_orderdate"),  # Files that a range of dates skips.
    "tpch.partsupp": Layout(slices=3),
    "tpcds.catalog_sales": Layout(slices=10, order_by="cs_sold_date_sk"),
    "tpcds.item": Layout(partition_by="i_category"),
    "tpcds.store_sales": Layout(slices=2, partition_by="ss_store_sk"),  # Has a partition of NULL.
    "tpcds.web_sales": Layout(slices=3),
}
"""The tables that aren't one file."""


@dataclass(frozen=True)
class Edit:
    """A spelling of DuckDB's that deltasql doesn't take, what it takes, and why."""

    old: str
    new: str
    reason: str


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

EDITS: dict[str, tuple[Edit, ...]] = {
    "tpcds-66": tuple(
        Edit(
            f"sum({month}_sales/w_warehouse_sq_ft)",
            f"sum(cast({month}_sales AS DOUBLE)/w_warehouse_sq_ft)",
            "DataFusion's quotient of a decimal keeps six places, which a sum adds up the errors of; DuckDB's is a double",
        )
        for month in _MONTHS
    ),
}
"""Suite and number of a query to what is spelled otherwise in it, in both engines."""


@dataclass(frozen=True)
class Query:
    """A query: its suite and number."""

    suite: str
    number: int

    def __str__(self) -> str:
        return f"{self.suite}-{self.number:02}"


QUERIES = [Query(suite, number) for suite, count in COUNTS.items() for number in range(1, count + 1)]


class Lake:
    """A folder with the Delta tables of a suite per folder, and a DuckDB database of the same rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.duck = duckdb.connect(folder / "rows.duckdb", read_only=True)
        # As DataFusion and PostgreSQL have it; DuckDB's own default has NULLs last in descending order too.
        self.duck.execute("SET default_null_order = 'postgres'")

    def text(self, query: Query) -> str:
        """The text of ``query``, edited where `EDITS` says so."""
        ((text,),) = self.duck.execute(
            f"SELECT query FROM {query.suite}.queries WHERE query_nr = {query.number}"
        ).fetchall()
        for edit in EDITS.get(str(query), ()):
            assert text.count(edit.old) == 1, f"the edit of {query} doesn't fit: {edit}"
            text = text.replace(edit.old, edit.new)
        return text

    def answer(self, query: Query) -> tuple[duckdb.DuckDBPyRelation, int | None]:
        """DuckDB's answer without the final LIMIT, and that limit."""
        text, limit = without_limit(self.text(query))
        self.duck.execute(f"USE {query.suite}")
        return self.duck.sql(text), limit


def without_limit(text: str) -> tuple[str, int | None]:
    """``text`` without its final LIMIT, and that limit."""
    found = re.search(r"\sLIMIT\s+(\d+)\s*;?\s*$", text, re.IGNORECASE)
    return (text[: found.start()], int(found[1])) if found else (text, None)


def make(factory: pytest.TempPathFactory) -> Path:
    """The folder of a `Lake`, made by the first worker of a run; the others wait for it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "tpc"
    with (shared / "tpc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = shared / "tpc-making"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            _fill(making)
            making.rename(folder)
    return folder


def _fill(folder: Path) -> None:
    from duckdb_extensions import import_extension

    offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    with duckdb.connect(folder / "rows.duckdb", config=offline) as duck:
        for suite, generator in GENERATORS.items():
            import_extension(suite, con=duck)
            duck.execute(f"LOAD {suite}; CREATE SCHEMA {suite}; USE {suite}; CALL {generator}(sf = {SCALE})")
            tables = duck.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [suite]).fetchall()
            for (table,) in tables:
                _write(duck, folder / suite / table, f"{suite}.{table}")
            duck.execute(f"CREATE TABLE queries AS FROM {suite}_queries()")


def _write(duck: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    layout = LAYOUTS.get(name, Layout())
    order = f" ORDER BY {layout.order_by}" if layout.order_by else ""
    rows = duck.sql(f"FROM {name}{order}").to_arrow_table()
    size = -(-rows.num_rows // layout.slices)
    for start in range(0, rows.num_rows, size):
        partition_by = [layout.partition_by] if layout.partition_by else None
        write_deltalake(path, rows.slice(start, size), partition_by=partition_by, mode="append")
