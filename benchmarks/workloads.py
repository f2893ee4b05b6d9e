"""The queries that engines are compared on, and where an engine needs another spelling of one.

*tpch*: the 22 queries as DuckDB has them. *selective*: few rows out of many. *metadata*: what the log or the files'
footers know. *many*: tables of a thousand files and of a thousand partitions.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lakes import DAYS, FIRST_DAY, duckdb_with

SUITES = ("tpch", "selective", "metadata", "many")


@dataclass(frozen=True, slots=True)
class Query:
    """A query. ``order`` are the columns of its answer that ORDER BY puts in a sequence.

    Where ``any_rows`` is set, any rows of the table are a right answer, and only their number is checked.
    """

    suite: str
    name: str
    sql: str
    order: tuple[str, ...] = ()
    any_rows: bool = False

    def spelled(self, engine: str) -> str:
        """The query as ``engine`` takes it."""
        sql = self.sql
        for old, new in EDITS.get((engine, self.suite, self.name), ()):
            if old not in sql:
                raise ValueError(f"an edit for {engine} doesn't apply to {self.name}: {old!r}")
            sql = sql.replace(old, new)
        return sql


EDITS: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {}
"""Engine, suite and query: texts replaced by others that mean the same. All engines take all queries as they are."""


def queries(suite: str, scale: float, files: int) -> list[Query]:
    """The queries of ``suite``, over TPC-H at ``scale`` or about ``files`` small files."""
    if suite == "tpch":
        return tpch()
    rows = {"selective": selective(scale), "metadata": METADATA, "many": many(files)}[suite]
    return [Query(suite, *row) for row in rows]


# -- TPC-H

_ORDERS = {
    1: "l_returnflag l_linestatus",
    2: "s_acctbal n_name s_name p_partkey",
    3: "revenue o_orderdate",
    4: "o_orderpriority",
    5: "revenue",
    7: "supp_nation cust_nation l_year",
    8: "o_year",
    9: "nation o_year",
    10: "revenue",
    11: "value",
    12: "l_shipmode",
    13: "custdist c_count",
    15: "s_suppkey",
    16: "supplier_cnt p_brand p_type p_size",
    18: "o_totalprice o_orderdate",
    20: "s_name",
    21: "numwait s_name",
    22: "cntrycode",
}


def tpch() -> list[Query]:
    with duckdb_with("tpch") as connection:
        found = connection.execute("FROM tpch_queries() ORDER BY query_nr").fetchall()
    return [Query("tpch", f"q{number:02}", sql, tuple(_ORDERS.get(number, "").split())) for number, sql in found]


# -- few rows out of many

_Row = tuple[str, str] | tuple[str, str, tuple[str, ...]] | tuple[str, str, tuple[str, ...], bool]


def order_key(scale: float, part: float) -> int:
    """An order key that exists: the first 8 of each 32 numbers do."""
    return 1 + 32 * int(scale * 1_500_000 / 8 * part)


def selective(scale: float) -> list[_Row]:
    key = order_key(scale, 0.5)
    some = ", ".join(str(order_key(scale, part)) for part in (0.1, 0.3, 0.5, 0.7, 0.9))
    customer = f"Customer#{int(scale * 75_000):09}"
    parts = int(scale * 500) + 5
    ordered = ("l_extendedprice", "l_orderkey", "l_linenumber")
    dearest = "ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 10"
    return [
        ("point", f"SELECT * FROM lineitem WHERE l_orderkey = {key}"),
        ("point 2 columns", f"SELECT l_linenumber, l_quantity FROM lineitem WHERE l_orderkey = {key}"),
        ("point on a string", f"SELECT * FROM customer WHERE c_name = '{customer}'"),
        ("point on an unclustered key", f"SELECT * FROM orders WHERE o_custkey = {int(scale * 75_000) + 1}"),
        ("IN list", f"SELECT * FROM lineitem WHERE l_orderkey IN ({some})"),
        ("range", f"SELECT * FROM lineitem WHERE l_orderkey BETWEEN {key} AND {key + 1000}"),
        (
            "range aggregated",
            (
                "SELECT count(*) AS n, sum(l_extendedprice) AS total FROM lineitem"
                " WHERE l_shipdate >= CAST('1995-06-01' AS date) AND l_shipdate < CAST('1995-06-08' AS date)"
            ),
        ),
        ("partition", "SELECT * FROM lineitem_by_month WHERE l_year = 1992 AND l_month = 1"),
        (
            "partition aggregated",
            "SELECT count(*) AS n, sum(l_quantity) AS total FROM lineitem_by_month WHERE l_year = 1995",
        ),
        (
            "partition and key",
            f"SELECT * FROM lineitem_by_month WHERE l_year = 1995 AND l_month = 6 AND l_partkey < {parts}",
        ),
        (
            "top 10",
            f"SELECT {', '.join(ordered)} FROM lineitem {dearest}",
            ordered,
        ),
        (
            "top 10 all columns",
            f"SELECT * FROM lineitem {dearest}",
            ordered,
        ),
        (
            "latest 10",
            "SELECT * FROM orders ORDER BY o_orderdate DESC, o_orderkey DESC LIMIT 10",
            ("o_orderdate", "o_orderkey"),
        ),
        ("any 10", "SELECT * FROM lineitem LIMIT 10", (), True),
        (
            "point joined",
            (
                "SELECT o_orderdate, o_totalprice, l_linenumber, l_quantity FROM orders "
                f"JOIN lineitem ON l_orderkey = o_orderkey WHERE o_orderkey = {key}"
            ),
        ),
    ]


# -- what the log or the footers know

METADATA: list[_Row] = [
    ("count", "SELECT count(*) AS n FROM lineitem"),
    ("min and max of dates", "SELECT min(l_shipdate) AS low, max(l_shipdate) AS high FROM lineitem"),
    ("min and max of keys", "SELECT min(l_orderkey) AS low, max(l_orderkey) AS high FROM lineitem"),
    ("count partitioned", "SELECT count(*) AS n FROM lineitem_by_month"),
    ("count of a partition", "SELECT count(*) AS n FROM lineitem_by_month WHERE l_year = 1995 AND l_month = 6"),
    ("distinct partitions", "SELECT count(DISTINCT l_year) AS n FROM lineitem_by_month"),
]


# -- many files


def many(files: int) -> list[_Row]:
    middle = files * 500 + 77
    day, until = (FIRST_DAY + dt.timedelta(days=number) for number in (DAYS // 2, DAYS // 2 + 30))
    return [
        ("point", f"SELECT * FROM small_files WHERE id = {middle}"),
        ("point on a string", f"SELECT * FROM small_files WHERE name = 'user {middle:09}'"),
        ("count", "SELECT count(*) AS n FROM small_files"),
        ("aggregate", "SELECT kind, count(*) AS n, sum(amount) AS total FROM small_files GROUP BY kind"),
        ("latest 10", "SELECT * FROM small_files ORDER BY id DESC LIMIT 10", ("id",)),
        ("partition", f"SELECT * FROM by_day WHERE day = CAST('{day}' AS date)"),
        (
            "partitions of a month",
            (
                "SELECT kind, sum(amount) AS total FROM by_day "
                f"WHERE day >= CAST('{day}' AS date) AND day < CAST('{until}' AS date) GROUP BY kind"
            ),
        ),
        ("count partitioned", "SELECT count(*) AS n FROM by_day"),
        ("aggregate partitioned", "SELECT kind, count(*) AS n, sum(amount) AS total FROM by_day GROUP BY kind"),
    ]
