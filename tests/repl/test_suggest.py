"""What completion offers; ``|`` is the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.repl.automaton import automaton
from deltasql.repl.known import Column, Commit, Function, Named, Names, Option, named
from deltasql.repl.notation import Slot, read
from deltasql.repl.phrases import NAMES as NAME_SLOTS
from deltasql.repl.phrases import OPERANDS, TYPES
from deltasql.repl.suggest import suggest
from deltasql.types import parse_type

HOME = ("main", "default")
COLUMNS = {
    "orders": (
        Column("id", "BIGINT"),
        Column("customer_id", "BIGINT"),
        Column("Total", "DECIMAL(10,2)"),
        Column("ship to", "STRING"),
        Column("address", "STRUCT<city: STRING, geo: STRUCT<lat: DOUBLE>>", (Column("city", "STRING"), Column("geo", "STRUCT<lat: DOUBLE>", (Column("lat", "DOUBLE"),)))),
    ),
    "customers": (Column("customer_id", "BIGINT"), Column("name", "STRING")),
    "items": (Column("sku", "STRING"), Column("price", "DOUBLE")),
}  # fmt: skip
COMMITS = (
    Commit(2, "2026-01-03 00:00:00", "MERGE"),
    Commit(1, "2026-01-02 00:00:00", "WRITE"),
    Commit(0, "2026-01-01 00:00:00", "CREATE TABLE"),
)
FILES = ("lake/", "lake/orders/", "load.csv", "it's.csv")
NAMES = Names(
    tables=[
        named(("main", "default", "orders"), HOME),
        named(("main", "default", "customers"), HOME),
        named(("main", "default", "Odd name"), HOME),
        named(("main", "sales", "items"), HOME),
        named(("other", "default", "far"), HOME),
        named(("main", "default", "recent"), HOME, "view"),
    ],
    schemas=["default", "sales", "other.default"],
    catalogs=["main", "other"],
    functions=[
        Function("substr", "substr(str, start [, length])"),
        Function("sum", "sum(expression)", "aggregate"),
        Function("now", "now()"),
    ],
    settings=[
        Option("deltasql.reader", "auto", ("auto", "listing", "scan", "dataset")),
        Option("deltasql.commit.retries", "10"),
        Option("time_zone", "UTC", ("UTC", "Europe/Berlin")),
    ],
    columns=lambda table: COLUMNS.get(table.name, ()),
    versions=lambda table: COMMITS if table.name == "orders" else (),
    paths=lambda start: [path for path in FILES if path.startswith(start)],
)


def offers(marked: str):
    cursor = marked.index("|")
    return suggest(marked.replace("|", "", 1), cursor, NAMES)


def offered(marked: str) -> list[str]:
    return [suggestion.text for suggestion in offers(marked)]


def applied(marked: str) -> list[str]:
    """The text before the cursor with each suggestion taken."""
    before = marked[: marked.index("|")]
    return [before[: len(before) - suggestion.length] + suggestion.text for suggestion in offers(marked)]


ALL = ["orders", "customers", '"Odd name"', "sales.items", "other.default.far", "recent"]
BY_O = ["orders", '"Odd name"', "other.default.far"]
ORDERS = ["id", "customer_id", "Total", '"ship to"', "address"]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        # statements
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("SELECT 1; vac|", ["vacuum"]),
        ("SELECT 1; -- done\nVAC|", ["VACUUM"]),
        ("frobn|", []),
        # tables
        ("SELECT * FROM or|", ["orders"]),
        ("SELECT * FROM OR|", ["orders"]),
        ("SELECT * FROM or| WHERE x", ["orders"]),
        ("SELECT * FROM sales.|", ["sales.items"]),
        ("SELECT * FROM sales.it|", ["sales.items"]),
        ("SELECT * FROM main.sales.|", ["main.sales.items"]),
        ("SELECT * FROM other.|", ["other.default.far"]),
        ("SELECT * FROM item|", ["sales.items"]),
        ("SELECT * FROM orders JOIN cus|", ["customers"]),
        ("SELECT * FROM orders, cus|", ["customers"]),
        ("SELECT (SELECT max(id) FROM ord|", ["orders"]),
        ('SELECT * FROM "Od|', ['"Odd name"']),
        ("SELECT * FROM `Od|", ['"Odd name"']),
        ("INSERT INTO |", [*ALL, "TABLE"]),
        ("INSERT OVERWRITE cu|", ["customers"]),
        ("UPDATE |", ALL),
        ("DELETE FROM cu|", ["customers"]),
        ("VACUUM s|", ["sales.items"]),
        ("OPTIMIZE |", ALL),
        ("RESTORE TABLE o|", BY_O),
        ("MERGE INTO orders USING cu|", ["customers"]),
        ("DESCRIBE HISTORY o|", BY_O),
        ("CREATE TABLE x SHALLOW CLONE o|", BY_O),
        ("EXPLAIN VACUUM o|", BY_O),
        ("DROP VIEW |", ["recent", "IF EXISTS"]),
        ("SHOW COLUMNS IN o|", BY_O),
        ("COPY INTO o|", BY_O),
        ("SELECT * FROM read_c|", ["read_csv("]),
        ("SELECT * FROM table_history(|", ALL),
        ("SELECT * FROM table_history('o|", BY_O),
        # CTEs
        ("WITH recently AS (SELECT 1 AS one) SELECT * FROM rece|", ["recently", "recent"]),
        ("WITH a AS (SELECT 1 AS one) SELECT o| FROM a", ["one"]),
        ("WITH a AS (SELECT id, Total AS t FROM orders), b AS (SELECT * FROM a) SELECT b.| FROM b", ["id", "t"]),
        ("WITH a (x, y) AS (SELECT 1, 2) SELECT 1 FROM a AS q (p, r) WHERE q.|", ["p", "r"]),
        # columns
        ("SELECT | FROM items", ["sku", "price", "DISTINCT", "ALL"]),
        ("SELECT o.| FROM orders o", ORDERS),
        ("SELECT o.cu| FROM orders AS o", ["customer_id"]),
        ("SELECT orders.tot| FROM orders", ["Total"]),
        ("SELECT id FROM orders WHERE ship|", ['"ship to"']),
        ('SELECT id FROM orders WHERE "sh|', ['"ship to"']),
        ("SELECT id FROM orders ORDER BY to|", ["Total"]),
        ("SELECT id FROM orders GROUP BY cust|", ["customer_id"]),
        ("SELECT to| FROM orders; SELECT 1", ["Total"]),
        ("SELECT sku FROM items; SELECT to| FROM orders", ["Total"]),
        ("SELECT id AS x, to|\nFROM orders", ["Total"]),
        ("SELECT sum(tot| FROM orders", ["Total"]),
        ("SELECT CASE WHEN tot| FROM orders", ["Total"]),
        ("SELECT sku FROM items UNION SELECT id| FROM orders", ["id"]),
        ("SELECT sku FROM items UNION SELECT pri| FROM orders", []),
        ("SELECT o.customer_id FROM orders o JOIN customers c ON cust|", ["o.customer_id", "c.customer_id"]),
        ("SELECT * FROM orders o JOIN customers c USING (cust|", ["o.customer_id", "c.customer_id"]),
        ("SELECT q.| FROM (SELECT id, Total + 1 AS more, o.* FROM orders o) q", ["id", "more", *ORDERS[1:]]),
        (
            "SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = o.cus|",
            ["customer_id"],
        ),
        ("SELECT o.address.| FROM orders o", ["city", "geo"]),
        ("SELECT address.geo.| FROM orders", ["lat"]),
        (
            "SELECT c.| FROM table_changes('items', 0) c",
            ["sku", "price", "_change_type", "_commit_version", "_commit_timestamp"],
        ),
        ("SELECT * FROM nowhere WHERE x|", []),
        # columns of a write's target
        ("INSERT INTO orders (id, cu|", ["customer_id"]),
        ("INSERT INTO orders SELECT | FROM items", ["sku", "price", "DISTINCT", "ALL"]),
        ("UPDATE orders SET |", ORDERS),
        ("UPDATE orders o SET Total = o.tot|", ["Total"]),
        ("DELETE FROM orders WHERE cust|", ["customer_id"]),
        ("DELETE FROM orders o WHERE id IN (SELECT customer_id FROM customers WHERE o.tot|", ["Total"]),
        ("MERGE INTO orders t USING customers s ON t.|", ORDERS),
        ("MERGE INTO orders t USING customers s ON s.na|", ["name"]),
        ("MERGE INTO orders t USING (SELECT sku FROM items) s ON s.|", ["sku"]),
        ("MERGE INTO orders t USING customers s ON t.id = s.id WHEN MATCHED THEN UPDATE SET tot|", ["Total"]),
        ("OPTIMIZE orders ZORDER BY (cu|", ["customer_id"]),
        ("ALTER TABLE orders DROP COLUMN to|", ["Total"]),
        ("ALTER TABLE orders ALTER COLUMN address.|", ["city", "geo"]),
        # conditions of joins
        ("SELECT * FROM orders o JOIN customers c ON |", ["o.customer_id = c.customer_id", "id", "o.customer_id"]),
        ("MERGE INTO orders t USING customers s ON |", ["t.customer_id = s.customer_id", "id", "t.customer_id"]),
        # keywords in the order of the grammars
        ("VACUUM orders |", ["LITE", "FULL", "RETAIN", "DRY RUN"]),
        ("VACUUM orders RET|", ["RETAIN"]),
        ("VACUUM orders RETAIN 1 |", ["HOURS"]),
        ("vacuum orders retain 1 hours |", ["dry run"]),
        ("MERGE INTO t USING s ON t.x = s.x |", None),
        ("MERGE INTO t USING s ON t.x = s.x WHEN |", ["MATCHED", "NOT MATCHED"]),
        ("MERGE INTO t USING s ON x WHEN NOT M|", ["MATCHED"]),
        ("MERGE INTO t USING s ON x WHEN NOT MATCHED BY |", ["TARGET", "SOURCE"]),
        ("MERGE INTO t USING s ON x WHEN MATCHED THEN |", ["UPDATE SET", "DELETE"]),
        ("SELECT * FROM t wher|", ["where"]),
        ("SELECT * FROM t gr|", ["group by"]),
        ("SELECT * FROM t WHERE a = 1 OR|", ["OR", "ORDER BY"]),
        ("SELECT * FROM t WHERE a IS |", ["NULL", "NOT NULL", "TRUE", "FALSE", "DISTINCT FROM", "NOT DISTINCT FROM"]),
        ("SELECT * FROM t LEFT |", ["OUTER JOIN", "SEMI JOIN", "ANTI JOIN", "JOIN"]),
        ("SELECT * FROM orders VER|", ["VERSION AS OF"]),
        ("SELECT CASE WHEN a THEN 1 EL|", ["ELSE"]),
        ("SELECT sum(x) OVER (PART|", ["PARTITION BY"]),
        ("FSCK |", ["REPAIR TABLE"]),
        ("CREATE TABLE t (a INT NOT |", ["NULL"]),
        ("CREATE TABLE t (a IN|", ["INT"]),
        ("CREATE TABLE t (a INT) PART|", ["PARTITIONED BY"]),
        ("ALTER TABLE orders ADD |", ["COLUMN", "COLUMNS", "CONSTRAINT"]),
        ("GENERATE sym|", ["symlink_format_manifest"]),
        ("SHOW T|", ["time_zone", "TABLES", "TBLPROPERTIES"]),
        ("SELECT CAST(a AS BIG|", ["BIGINT"]),
        # functions
        ("SELECT su|", ["substr(", "sum("]),
        ("SELECT no|", ["not", "now()"]),
        ("SELECT a su|", []),
        # settings
        ("SET |", ["deltasql.reader", "deltasql.commit.retries", "time_zone", "TIME ZONE"]),
        ("SET deltasql.|", ["deltasql.reader", "deltasql.commit.retries"]),
        ("SET read|", ["deltasql.reader"]),
        ("SET deltasql.reader = |", ["auto", "listing", "scan", "dataset"]),
        ("SET deltasql.reader TO l|", ["listing"]),
        ("SET deltasql.commit.retries = |", ["10"]),
        ("SET time_zone = 'Eu|", ["'Europe/Berlin'"]),
        ("RESET deltasql.co|", ["deltasql.commit.retries"]),
        # versions and times
        ("SELECT * FROM orders VERSION AS OF |", ["2", "1", "0"]),
        ("SELECT * FROM orders VERSION AS OF 1|", ["1"]),
        ("SELECT * FROM orders TIMESTAMP AS OF '2026-01-02|", ["'2026-01-02 00:00:00'"]),
        ("RESTORE orders TO VERSION AS OF |", ["2", "1", "0"]),
        ("SELECT * FROM table_changes('orders', |", ["2", "1", "0"]),
        ("SELECT * FROM customers VERSION AS OF |", []),
        # paths
        ("CREATE TABLE t (a INT) LOCATION 'la|", ["'lake/", "'lake/orders/"]),
        ("COPY INTO orders FROM 'lo|", ["'load.csv'"]),
        ("COPY INTO orders FROM 'it|", ["'it''s.csv'"]),
        ("COPY orders TO 'lo|", ["'load.csv'"]),
        ("ATTACH 'la|", ["'lake/", "'lake/orders/"]),
        ("SELECT * FROM read_csv('lo|", ["'load.csv'"]),
        ("SELECT * FROM read_csv(|", None),
        # schemas and catalogs
        ("USE |", ["SCHEMA", "DATABASE", "CATALOG", *NAMES.catalogs, *NAMES.schemas]),
        ("USE sa|", ["sales"]),
        ("USE CATALOG o|", ["other"]),
        ("SHOW TABLES IN sa|", ["sales"]),
        ("DROP SCHEMA sa|", ["sales"]),
        ("DETACH oth|", ["other"]),
        # commands
        (".ta|", [".tables"]),
        (r"\t|", [r"\timing"]),
        (".describe o|", BY_O),
        (r"\d sales.|", ["sales.items"]),
        (".mode js|", ["json", "jsonl"]),
        (".timing |", ["on", "off"]),
        (".settings read|", []),
        (".settings time|", ["time_zone"]),
        (".tables sa|", ["sales"]),
        (".read lo|", ["load.csv"]),
        (".help vac|", ["vacuum"]),
        (".quit |", []),
        (".nosuch x|", []),
        # nothing
        ("SELECT 'or|", []),
        ("SELECT 1 -- or|", []),
        ("SELECT 1 /* or|", []),
        ("SELECT $$or|", []),
        ("SELECT o.id, nothing.| FROM orders o", []),
        (")))|", []),
        ("SELECT \x00\udcff|", None),
    ],
)
def test_offers(marked, expected):
    found = offered(marked)
    if marked.endswith("ON |"):
        assert found[: len(expected)] == expected
    elif expected is not None:
        if marked.startswith("USE |"):
            assert sorted(found) == sorted(expected)
        else:
            assert found == expected


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("SELECT * FROM sales.it|", ["SELECT * FROM sales.items"]),
        ('SELECT * FROM sales."it|', ["SELECT * FROM sales.items"]),
        ("SELECT o.cu| FROM orders o", ["SELECT o.customer_id"]),
        ("COPY INTO orders FROM 'it''|", ["COPY INTO orders FROM 'it''s.csv'"]),
        ("SELECT * FROM table_history('sales.i|", ["SELECT * FROM table_history('sales.items"]),
        ("SET deltasql.rea|", ["SET deltasql.reader"]),
        (".describe  sales.i|", [".describe  sales.items"]),
    ],
)
def test_what_is_replaced(marked, expected):
    assert applied(marked) == expected


@pytest.mark.parametrize(
    ("marked", "what"),
    [
        ("SELECT o.id| FROM orders o", "BIGINT"),
        ("SELECT * FROM rec|", "view"),
        ("SELECT sub|", "substr(str, start [, length])"),
        ("SELECT * FROM table_ch|", "table_changes(table, start [, end])"),
        ("SELECT * FROM orders VERSION AS OF 2|", "2026-01-03 00:00:00  MERGE"),
        ("SELECT * FROM orders TIMESTAMP AS OF '2026-01-02|", "version 1  WRITE"),
        ("SET deltasql.reader = au|", "now"),
    ],
)
def test_what_is_said_of_it(marked, what):
    assert [suggestion.what for suggestion in offers(marked)] == [what]


def test_an_empty_prompt_offers_every_statement():
    assert {"SELECT", "WITH", "INSERT", "MERGE", "VACUUM", "CREATE", "SHOW", "SET", "FSCK REPAIR TABLE"} <= set(
        offered("|")
    )


# -- whatever is typed


@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT",
                "FROM",
                "orders",
                "o",
                ".",
                ",",
                "(",
                ")",
                "[",
                "]",
                "CASE",
                "WHEN",
                "END",
                "WITH",
                "AS",
                "ON",
                "JOIN",
                "MERGE",
                "INTO",
                "USING",
                "UPDATE",
                "SET",
                "INSERT",
                ";",
                "'x'",
                "'x",
                '"q"',
                '"q',
                "`",
                "--",
                "/*",
                "*/",
                "*",
                "=",
                "1",
                "::",
                "AND",
                "NOT",
                "UNION",
                "VERSION",
                "AS",
                "OF",
                "t@v1",
                "@",
                "$1",
                "?",
                "=>",
                "INTERVAL",
                "<",
                ">",
                ".",
            ]
        ),
        max_size=14,
    ),
    st.integers(0, 80),
    st.sampled_from(["", " "]),
)
def test_no_text_is_too_odd(words, cursor, between):
    text = between.join(words)
    cursor = min(cursor, len(text))
    for suggestion in suggest(text, cursor, NAMES):
        assert 0 <= suggestion.length <= cursor


@given(st.text(max_size=20), st.integers(0, 20))
def test_no_character_is_too_odd(text, cursor):
    suggest(text, min(cursor, len(text)), NAMES)


MANY = Names(
    tables=[named(("main", f"schema_{n % 7}" if n % 3 else "default", f"table_{n}"), HOME) for n in range(5000)],
    functions=[Function(f"function_{n}", "") for n in range(400)],
    columns=lambda table: [Column(f"column_{n}", "INT") for n in range(200)],
)
STATEMENT = """WITH recent AS (SELECT * FROM table_3 WHERE column_1 > 5)
SELECT a.column_1, sum(b.column_2) FROM table_9 a JOIN recent b ON a.column_1 = b.column_1
WHERE a.column_3 IN (SELECT column_4 FROM schema_2.table_5) AND b.column_7 IS NOT NULL GROUP BY a.column_1"""


class Looked(list[Named]):
    """Tables that count how often one is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Named]:
        for each in super().__iter__():
            self.looks += 1
            yield each


@pytest.mark.parametrize("cursor", range(len(STATEMENT) - 60, len(STATEMENT), 4))
def test_five_thousand_tables_are_little_work(cursor):
    """Each table is looked at a few times at most. Calls aren't counted: a profiler may hang beside other threads."""
    tables = Looked(MANY.tables)
    names = replace(MANY, tables=tables)
    suggest(STATEMENT, cursor, names)  # what is built once is there
    for text in (STATEMENT[:cursor], STATEMENT):
        tables.looks = 0
        suggest(text, cursor, names)
        assert tables.looks <= 4 * len(tables)
    assert suggest("SELECT * FROM table_4", 21, names)
    assert 0 < tables.looks <= 4 * len(tables)


# -- the notation


@pytest.mark.parametrize("grammar", ["[a", "a]", "{a | b", "(a", "a)"])
def test_a_grammar_with_a_bracket_too_many_or_too_few(grammar):
    with pytest.raises(ValueError, match=r"is missing|closes nothing"):
        read(grammar)


def test_every_word_of_the_grammars_is_known():
    """A new word of a grammar is to be named in `phrases`, or it would be taken for one to be typed."""
    labels = {edge.label for edges in automaton().edges for edge in edges}
    words = {label.name for label in labels if isinstance(label, Slot) and not label.quoted}
    assert words - NAME_SLOTS - OPERANDS == {"parquet", "symlink_format_manifest"}


@pytest.mark.parametrize("type", TYPES)
def test_types_are_types(type):
    written = {"ARRAY": "ARRAY<INT>", "MAP": "MAP<INT, INT>", "STRUCT": "STRUCT<a: INT>"}.get(type, type)
    parse_type(f"{written}(5)" if type.endswith("CHAR") else written)
