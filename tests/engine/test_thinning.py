"""Which scans look at each row for what a join further up has found (engine/thinning.py), and that the rows are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import datafusion
import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.catalog.catalog import DEFAULT, MAIN
from deltasql.engine.thinning import thinned

ROWS = {"sales": 6_000, "orders": 1_500, "customers": 150, "items": 200, "nations": 25}
COLUMNS = {
    "sales": ("s_order", "s_item", "quantity", "price", "tax", "discount"),
    "orders": ("o_order", "o_customer", "day"),
    "customers": ("c_customer", "c_nation", "c_name"),
    "items": ("i_item", "brand"),
    "nations": ("n_nation", "n_name"),
}
SALES = "customers JOIN orders ON c_customer = o_customer JOIN sales ON o_order = s_order"
LARGE = "(SELECT s_order FROM sales GROUP BY s_order HAVING sum(quantity) > 30)"
MEAN = "(SELECT s_item AS item, avg(quantity) AS mean FROM sales GROUP BY s_item)"


@pytest.fixture(scope="module")
def context() -> datafusion.SessionContext:
    made = datafusion.SessionContext()
    for name, columns in COLUMNS.items():
        made.from_pydict({column: [1] for column in columns}, name=name)
    return made


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        # A semi-join over other joins: the orders go on to the larger sales.
        (f"SELECT * FROM {SALES} WHERE o_order IN {LARGE}", {"orders"}),
        # The same by an inner join with the groups.
        (f"SELECT * FROM {SALES} JOIN {LARGE} AS l ON o_order = l.s_order", {"orders"}),
        # Nothing picks the orders that are asked for.
        (f"SELECT * FROM {SALES} WHERE o_order IN (SELECT s_order FROM sales GROUP BY s_order)", set()),
        # The join is the next thing that the rows meet.
        ("SELECT * FROM sales JOIN items ON s_item = i_item WHERE brand = 1", set()),
        # They are grouped before it.
        (f"SELECT * FROM items JOIN {MEAN} AS m ON i_item = item WHERE brand = 1", {"sales"}),
        (f"SELECT * FROM items JOIN {MEAN} AS m ON i_item = item WHERE brand <> 1", set()),
        (f"SELECT * FROM items JOIN {MEAN} AS m ON i_item = item WHERE i_item IS NOT NULL", set()),
        # What is joined is no column by which they are grouped.
        (f"SELECT * FROM items JOIN {MEAN} AS m ON i_item = mean WHERE brand = 1", set()),
        # A chain of dimensions; the scan with the key must go on to more rows than its own.
        (f"SELECT * FROM {SALES} JOIN nations ON c_nation = n_nation WHERE n_name = 1", {"customers"}),
        (f"SELECT * FROM {SALES} JOIN items ON s_item = i_item WHERE brand = 1", set()),
        ("SELECT * FROM customers AS c JOIN orders ON c.c_customer = o_customer JOIN nations ON c.c_nation = n_nation WHERE n_name IN (1, 2, 3, 4)", {"customers"}),
        # An anti-join thins nothing out, and an outer join leaves all of its left side.
        (f"SELECT * FROM {SALES} WHERE o_order NOT IN {LARGE}", set()),
        (f"SELECT * FROM items LEFT JOIN {MEAN} AS m ON i_item = item AND brand = 1", set()),
        # The scan's own predicate may leave most rows: then to look at each twice doesn't pay.
        (f"SELECT * FROM {SALES} WHERE o_order IN {LARGE} AND day <> o_customer", set()),
        (f"SELECT * FROM {SALES} WHERE o_order IN {LARGE} AND day = 3", {"orders", "sales"}),
    ],
)  # fmt: skip
def test_what_is_thinned(context: datafusion.SessionContext, query: str, tables: set[str]) -> None:
    plan = context.sql(query).optimized_logical_plan()
    names = {(MAIN, DEFAULT, name): count for name, count in ROWS.items()}
    assert thinned(plan, lambda name: names[name]) == {(MAIN, DEFAULT, name) for name in tables}


def test_without_numbers_of_rows(context: datafusion.SessionContext) -> None:
    """Only what is grouped is known to be dear."""
    found = [
        thinned(context.sql(query).optimized_logical_plan(), lambda _: 0)
        for query in (
            f"SELECT * FROM {SALES} WHERE o_order IN {LARGE}",
            f"SELECT * FROM items JOIN {MEAN} AS m ON i_item = item WHERE brand = 1",
        )
    ]
    assert found == [frozenset(), {(MAIN, DEFAULT, "sales")}]


# -- the same through deltasql


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of ten files, so that what is asked of them is looked at."""
    root = tmp_path_factory.mktemp("thinning")
    for name, count in ROWS.items():
        columns = COLUMNS[name]
        for part in range(10):
            numbers = range(part, count, 10)
            rows = {
                column: [(number * (place * 7 + 1)) % (97 if place else count) for number in numbers]
                for place, column in enumerate(columns)
            }
            write_deltalake(root / name, pa.table(rows), mode="append")
    return root


@pytest.fixture
def connection(lake: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(lake) as made:
        yield made


QUERIES = (
    f"SELECT c_name, sum(quantity) AS n FROM {SALES} WHERE o_order IN {LARGE} AND day < 50 GROUP BY c_name",
    f"SELECT i_item, mean FROM items JOIN {MEAN.replace('GROUP', 'WHERE price < 60 GROUP')} AS m ON i_item = item WHERE brand = 14",
    f"SELECT n_name, count(*) AS n FROM {SALES} JOIN nations ON c_nation = n_nation WHERE n_name < 30 GROUP BY n_name",
)


@pytest.mark.parametrize("query", QUERIES)
def test_rows_are_the_same(connection: deltasql.Connection, query: str) -> None:
    ours = sorted(connection.sql(query).fetchall())
    connection.sql("SET datafusion.execution.parquet.pushdown_filters = false")
    without = sorted(connection.sql(query).fetchall())
    connection.sql("SET datafusion.execution.parquet.pushdown_filters = true")
    assert ours == without == sorted(connection.sql(query).fetchall())
    assert ours


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sales JOIN items ON s_item = i_item WHERE s_order = 3 AND brand < 50",
        QUERIES[1],
    ],
)
def test_tables_are_decoded_late_one_by_one(connection: deltasql.Connection, query: str) -> None:
    """A scan that decodes late needs no filter above it. The option says so for all tables, or for none."""
    filters = []
    for option in (None, "false", "true"):
        if option is not None:
            connection.sql(f"SET datafusion.execution.parquet.pushdown_filters = {option}")
        lines = [text for kind, text in connection.sql(f"EXPLAIN {query}") if kind == "physical_plan"]
        filters.append(sum("FilterExec" in line for line in lines))
    assert [filters[1] - count for count in filters] == [1, 0, 2]
