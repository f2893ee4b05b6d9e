"""What is said of a text that is no statement, and of a statement that isn't executed."""

from __future__ import annotations

import pytest

from deltasql.errors import ParseError, Span, UnsupportedStatement
from deltasql.sql.grammar.refused import REFUSED, TRANSACTION
from deltasql.sql.parser import PARSERS, grammar, parse

ERRORS = {
    "SELCT 1": ("line 1, column 1: expected a statement, found `SELCT`", "did you mean `SELECT`?"),
    "VACUM t": ("line 1, column 1: expected a statement, found `VACUM`", "did you mean `VACUUM`?"),
    "OPTIMISE t": ("line 1, column 1: expected a statement, found `OPTIMISE`", "did you mean `OPTIMIZE`?"),
    "CREATE TABEL t (a INT)": (
        "line 1, column 1: expected a statement, found `CREATE TABEL`",
        "did you mean `CREATE TABLE`?",
    ),
    "CREATE": (
        "line 1, column 1: expected a statement, found `CREATE`",
        "did you mean `CREATE TABLE`?",
    ),
    "DROP orders": ("line 1, column 1: expected a statement, found `DROP orders`", "did you mean `DROP TABLE`?"),
    "exit": ("line 1, column 1: expected a statement, found `exit`", None),
    "EXPORT DATABASE 'x'": ("line 1, column 1: expected a statement, found `EXPORT`", None),
    "ALTER TABLE t ADD CONSTRAINT c CHECK a": (
        "line 1, column 38: expected (, found `a`",
        "ALTER TABLE table ADD CONSTRAINT name CHECK (expression)",
    ),
    "ALTER TABLE t RENAME u": (
        "line 1, column 22: expected COLUMN or TO, found `u`",
        "ALTER TABLE table {RENAME COLUMN path TO name | RENAME TO table}",
    ),
    "SHOW": (
        "line 1, column 5: expected TABLES, SCHEMAS, ALL or the name of a setting, found the end of the statement",
        "SHOW {name | ALL}",
    ),
    "COMMENT TABLE t IS 'x'": (
        "line 1, column 1: expected a statement, found `COMMENT TABLE`",
        "did you mean `COMMENT ON`?",
    ),
    "DROP": ("line 1, column 1: expected a statement, found `DROP`", "did you mean `DROP TABLE`?"),
    "qqqqqq": ("line 1, column 1: expected a statement, found `qqqqqq`", None),
    '"select" 1': ('line 1, column 1: expected a statement, found `"select"`', None),
    "VACUUM": ("line 1, column 7: expected a table, found the end of the statement", "VACUUM table [LITE"),
    "VACUUM t\nRETAIN 5 DAYS": ("line 2, column 10: expected HOURS, found `DAYS`", "VACUUM table [LITE"),
    "VACUUM t x": ("line 1, column 10: expected the end of the statement, found `x`", "VACUUM table [LITE"),
    "VACUUM t LITE FULL": ("line 1, column 15: expected LITE or FULL only once, found `FULL`", "VACUUM table"),
    "VACUUM t VERSION AS OF 1": (
        "line 1, column 8: expected a table without time travel, found `t VERSION AS OF 1`",
        "VACUUM table",
    ),
    "EXPLAIN\nUPDATE t SET": ("line 2, column 13: expected a column, found the end of the statement", "UPDATE table"),
    "EXPLAIN": ("line 1, column 8: expected a statement, found the end of the statement", "EXPLAIN [ANALYZE]"),
    "INSERT t VALUES (1)": ("line 1, column 8: expected INTO, found `t`", "INSERT [WITH"),
    "INSERT INTO t": ("line 1, column 14: expected a query or VALUES, found the end of the statement", "INSERT [WITH"),
    "INSERT INTO t VALUES (1,)": ("line 1, column 25: expected an expression, found `)`", "INSERT [WITH"),
    "INSERT INTO t (a b) SELECT 1": ("line 1, column 18: expected ), found `b`", "INSERT [WITH"),
    "INSERT INTO t DEFAULT VALUES WHERE a": (
        "line 1, column 30: expected the end of the statement, found `WHERE`",
        "INSERT",
    ),
    "INSERT INTO t (a) DEFAULT VALUES": ("line 1, column 19: expected a query or VALUES, found `DEFAULT`", "INSERT"),
    "INSERT INTO t REPLACE WHERE a IN (SELECT 1)": (
        "line 1, column 44: expected a predicate and a query behind it, found the end of the statement",
        "INSERT",
    ),
    "INSERT INTO t REPLACE WHERE SELECT 1": (
        "line 1, column 37: expected a predicate and a query behind it, found the end of the statement",
        "INSERT",
    ),
    "INSERT INTO t REPLACE WHERE a = 1) OR (true) SELECT 1": (
        "line 1, column 34: expected a query, found `)`",
        "INSERT",
    ),
    "INSERT INTO t REPLACE WHERE a = 1 LIMIT 1 SELECT 1": (
        "line 1, column 35: expected a query, found `LIMIT`",
        "INSERT",
    ),
    "INSERT OVERWRITE t PARTITION () SELECT 1": ("line 1, column 31: expected a column, found `)`", "INSERT"),
    "INSERT OVERWRITE t PARTITION (a =) SELECT 1": ("line 1, column 34: expected an expression, found `)`", "INSERT"),
    "DELETE FROM t WHERE a UNION SELECT 1": (
        "line 1, column 23: expected the end of the statement, found `UNION`",
        "DELETE",
    ),
    "UPDATE t SET a = 1 FROM WHERE b": ("line 1, column 25: expected a table, found `WHERE`", "UPDATE"),
    "UPDATE t SET a = 1 FROM s GROUP BY b": (
        "line 1, column 27: expected the end of the statement, found `GROUP`",
        "UPDATE",
    ),
    "TRUNCATE TABLE": ("line 1, column 15: expected a table, found the end of the statement", "TRUNCATE [TABLE]"),
    "TRUNCATE t WHERE a": ("line 1, column 12: expected the end of the statement, found `WHERE`", "TRUNCATE"),
    "DELETE FROM t WHERE": ("line 1, column 20: expected an expression, found the end of the statement", "DELETE"),
    "DELETE FROM t WHERE a LIMIT 1": ("line 1, column 23: expected the end of the statement, found `LIMIT`", "DELETE"),
    "UPDATE t SET a 1": ("line 1, column 16: expected =, found `1`", "UPDATE"),
    "UPDATE t SET a = f(1": ("line 1, column 19: expected a closing bracket for this one, found `(`", "UPDATE"),
    "CREATE TABLE t (a)": ("line 1, column 18: expected a type, found `)`", "{CREATE [OR REPLACE]"),
    "CREATE TABLE t (a NOT NULL)": ("line 1, column 19: expected a type, found `NOT`", "{CREATE"),
    "CREATE TABLE t (a INT b)": ("line 1, column 23: expected `,` or `)`, found `b`", "{CREATE"),
    "CREATE TABLE t (a ARRAY<INT)": ("line 1, column 24: expected a closing `>` for this one, found `<`", "{CREATE"),
    "CREATE TABLE t LOCATION '/p' LOCATION '/q'": (
        "line 1, column 30: expected LOCATION only once, found `LOCATION`",
        "{CREATE",
    ),
    "CREATE EXTERNAL TABLE t (a INT)": (
        "line 1, column 32: expected LOCATION, which an EXTERNAL table needs, found the end of the statement",
        "{CREATE",
    ),
    "CREATE TABLE a.b.c.d (a INT)": (
        "line 1, column 14: expected a name of at most three parts, found `a.b.c.d`",
        "{CREATE",
    ),
    "(DELETE FROM t)": ("line 1, column 1: expected a query, found `(`", "{SELECT"),
    "WITH q AS (SELECT 1) FOO": ("line 1, column 22: expected a query, found `FOO`", "WITH [RECURSIVE]"),
    "WITH q AS SELECT 1": ("line 1, column 11: expected a query in brackets, found `SELECT`", "WITH"),
    "SET a b": ("line 1, column 7: expected `=` and a value, found `b`", "SET [name"),
    "SET a = 1, b = 2": ("line 1, column 10: expected the end of the statement, found `,`", "SET [name"),
    "SHOW TABLES LIKE a": ("line 1, column 18: expected a pattern, found `a`", "SHOW TABLES"),
    "RESET": (
        "line 1, column 6: expected ALL or the name of a setting, found the end of the statement",
        "RESET {name | ALL}",
    ),
    "SELECT 1; SELECT 2": ("line 1, column 11: expected one statement, found another", "use `script()`"),
    " ; ": ("the statement is empty", None),
}


@pytest.mark.parametrize("sql", ERRORS)
def test_parse_error(sql: str) -> None:
    message, hint = ERRORS[sql]
    with pytest.raises(ParseError) as caught:
        parse(sql)
    error = caught.value
    assert error.message == message
    assert (error.hint or "").startswith(hint or "")
    assert (error.hint is None) == (hint is None)
    assert error.statement is not None
    assert sql.startswith(error.statement)


REFUSALS = {
    "INSERT OVERWRITE LOCAL DIRECTORY '/p' SELECT 1": "INSERT OVERWRITE DIRECTORY",
    "INSERT OVERWRITE DIRECTORY USING parquet OPTIONS (path '/p') SELECT 1": "INSERT OVERWRITE DIRECTORY",
    "INSERT OR IGNORE INTO t SELECT 1": "INSERT OR IGNORE",
    "INSERT INTO t PARTITION (p = DEFAULT) SELECT 1": "INSERT … PARTITION (column = DEFAULT)",
    "INSERT OVERWRITE t PARTITION (p = 1) IF NOT EXISTS SELECT 1": "INSERT … PARTITION (…) IF NOT EXISTS",
    "INSERT OVERWRITE t REPLACE WHERE a = 1 SELECT 1": "INSERT OVERWRITE … REPLACE WHERE",
    "INSERT INTO t PARTITION (p) REPLACE WHERE a = 1 SELECT 1": "INSERT … PARTITION … REPLACE WHERE",
    "INSERT INTO t REPLACE USING (a) SELECT 1": "INSERT … REPLACE USING",
    "INSERT INTO t REPLACE ON (t.a = s.a) SELECT 1": "INSERT … REPLACE ON",
    "INSERT INTO t BY NAME REPLACE WHERE a = 1 VALUES (1)": "INSERT … BY NAME VALUES",
    "FROM s INSERT INTO t SELECT a": "FROM … INSERT",
    "WITH q AS (SELECT 1) FROM q INSERT OVERWRITE t SELECT a": "FROM … INSERT",
    "INSERT INTO t (a) BY NAME SELECT 1 AS a": "INSERT … (columns) BY NAME",
    "INSERT INTO t BY NAME VALUES (1)": "INSERT … BY NAME VALUES",
    "INSERT INTO t BY POSITION SELECT 1": "INSERT … BY POSITION",
    "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING": "INSERT … ON CONFLICT",
    "INSERT INTO t VALUES (1) RETURNING a": "INSERT … RETURNING",
    "INSERT INTO t DEFAULT VALUES RETURNING a": "INSERT … RETURNING",
    "UPDATE t SET (a, b) = (1, 2)": "UPDATE … SET (columns)",
    "UPDATE t SET a = 1 RETURNING a": "UPDATE … RETURNING",
    "UPDATE t SET a = 1 WHERE b RETURNING a": "UPDATE … RETURNING",
    "UPDATE t SET a = 1 FROM s RETURNING a": "UPDATE … RETURNING",
    "TRUNCATE TABLE t PARTITION (p = 1)": "TRUNCATE … PARTITION",
    "DELETE FROM t USING s WHERE t.a = s.a": "DELETE … USING",
    "WITH q AS (SELECT 1) DELETE FROM t RETURNING a": "DELETE … RETURNING",
    "CREATE TABLE t (a INT) AS SELECT 1": "CREATE TABLE … (columns) … AS query",
    "CREATE TABLE t USING parquet AS SELECT 1": "CREATE TABLE … USING parquet",
    "CREATE TABLE t (a INT REFERENCES s)": "CREATE TABLE … REFERENCES",
    "CREATE TABLE t (a INT, UNIQUE (a))": "CREATE TABLE … UNIQUE",
    "CREATE TABLE t (a INT) STORED AS parquet": "CREATE TABLE … STORED AS",
    "CREATE TEMP TABLE t (a INT)": "CREATE TEMP TABLE",
    "EXPLAIN MSCK REPAIR TABLE t": "MSCK",
    "EXPLAIN EXPLAIN SELECT 1": "EXPLAIN EXPLAIN",
    "EXPLAIN FORMAT TREE SELECT 1": "EXPLAIN FORMAT",
    "DESCRIBE SELECT 1": "DESCRIBE QUERY",
    "SET TIME ZONE INTERVAL '2' HOURS": "SET TIME ZONE INTERVAL",
    "ALTER SYSTEM x": "ALTER",
}


@pytest.mark.parametrize("sql", REFUSALS)
def test_refused(sql: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.message == f"{REFUSALS[sql]} is not supported"


@pytest.mark.parametrize(
    "sql", ["BEGIN", "start transaction", "COMMIT", "ROLLBACK", "SAVEPOINT x", "BEGIN SELECT 1; END"]
)
def test_transactions_are_explained(sql: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.hint == TRANSACTION


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_every_refusal_is_reached(words: tuple[str, ...]) -> None:
    name, hint = REFUSED[words]
    with pytest.raises(UnsupportedStatement) as caught:
        parse(" ".join(words).lower() + " x")
    assert (caught.value.message, caught.value.hint) == (f"{name} is not supported", hint)
    assert caught.value.span == Span(0, len(" ".join(words)))


@pytest.mark.parametrize("words", PARSERS, ids=" ".join)
def test_a_grammar_starts_with_the_statement(words: tuple[str, ...]) -> None:
    described = grammar(PARSERS[words])
    assert all(word in described for word in words)
    assert "`" not in described


def test_the_tables_do_not_overlap() -> None:
    assert not PARSERS.keys() & REFUSED.keys()


def test_the_refused_word_is_marked() -> None:
    sql = "WITH q AS (SELECT 1)\nDELETE FROM t USING s"
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.span is not None
    assert caught.value.span.of(sql) == "USING"
