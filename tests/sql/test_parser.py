"""What each statement says, as data."""

from __future__ import annotations

from typing import Any

import pytest

from deltasql.names import TableReference
from deltasql.sql.parser import parse
from deltasql.sql.statements import (
    Assignment,
    ColumnDefinition,
    CreateTable,
    Delete,
    DescribeHistory,
    DescribeTable,
    DropTable,
    Explain,
    Fragment,
    Insert,
    Query,
    ResetOption,
    SetOption,
    ShowOption,
    ShowSchemas,
    ShowTables,
    Statement,
    Type,
    Update,
    Vacuum,
)


def plain(value: object) -> Any:
    """``value`` with what a reader checks: SQL for fragments and types, names for tables, no spans."""
    if isinstance(value, Fragment | Type):
        return value.sql
    if isinstance(value, TableReference):
        return str(value)
    if isinstance(value, Assignment):
        return (".".join(value.column), plain(value.value))
    if isinstance(value, ColumnDefinition):
        return (value.name, value.type.sql, value.nullable, value.comment)
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return value


def check(sql: str, kind: type[Statement], fields: dict[str, Any]) -> Any:
    statement = parse(sql)
    assert type(statement) is kind
    assert {name: plain(getattr(statement, name)) for name in fields} == fields
    return statement


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select * from t -- no; more",
        "VALUES (1), (2)",
        "FROM t SELECT a",
        "TABLE t",
        "(SELECT 1) UNION ((SELECT 2))",
        "((VALUES (1)))",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q), r AS NOT MATERIALIZED (SELECT 2) SELECT 1",
        "WITH recursive AS (SELECT 1) SELECT * FROM recursive",
        "WITH q AS (SELECT 1) (SELECT * FROM q)",
        "SELECT DEFAULT, 'INSERT' FROM \"delete\"",
    ],
)
def test_query(sql: str) -> None:
    assert type(parse(sql)) is Query


INSERTS: dict[str, dict[str, Any]] = {
    "INSERT INTO t SELECT 1": {"table": "t", "columns": None, "source": "SELECT 1", "by_name": False, "with_": None},
    "insert into table s.t values (1, 'a;b')": {"table": "s.t", "source": "values (1, 'a;b')"},
    "INSERT INTO 'p/q' (a, \"B c\") SELECT 1, 2": {"table": "delta.`p/q`", "columns": ("a", "B c")},
    "INSERT INTO t (SELECT 1)": {"columns": None, "source": "(SELECT 1)"},
    "INSERT INTO t ((SELECT 1))": {"columns": None, "source": "((SELECT 1))"},
    "INSERT INTO t (a) (SELECT 1)": {"columns": ("a",), "source": "(SELECT 1)"},
    "INSERT INTO t (from, select) SELECT 1, 2": {"columns": ("from", "select"), "source": "SELECT 1, 2"},
    "INSERT INTO t (from) SELECT 1": {"columns": ("from",)},
    "INSERT INTO t BY NAME SELECT 1 AS a": {"by_name": True, "source": "SELECT 1 AS a"},
    "INSERT INTO t TABLE s": {"source": "TABLE s"},
    "INSERT INTO t FROM s SELECT *": {"source": "FROM s SELECT *"},
    "INSERT INTO t WITH q AS (SELECT 1) SELECT * FROM q": {"source": "WITH q AS (SELECT 1) SELECT * FROM q"},
    "WITH q AS (SELECT 1), r AS (SELECT 2) INSERT INTO t SELECT * FROM q": {
        "with_": "WITH q AS (SELECT 1), r AS (SELECT 2)",
        "source": "SELECT * FROM q",
    },
    "INSERT INTO t VALUES (1) ORDER BY 1": {"source": "VALUES (1) ORDER BY 1"},
    "INSERT INTO t VALUES (1), (2) ;": {"source": "VALUES (1), (2)"},
    "INSERT INTO t VALUES 1, 2": {"source": "VALUES 1, 2"},
}


@pytest.mark.parametrize("sql", INSERTS)
def test_insert(sql: str) -> None:
    check(sql, Insert, INSERTS[sql])


@pytest.mark.parametrize("prefix", ["", "WITH q AS (SELECT 1) ", "\n-- first\n  "])
def test_defaults_have_row_column_and_place(prefix: str) -> None:
    sql = prefix + "INSERT INTO t VALUES (DEFAULT, f(DEFAULT, 1)), ('DEFAULT', default), (DEFAULT + 1, \"DEFAULT\")"
    statement = check(sql, Insert, {})
    assert [(row, column) for row, column, _ in statement.defaults] == [(0, 0), (1, 1)]
    assert [span.of(statement.text) for *_, span in statement.defaults] == ["DEFAULT", "default"]


DELETES: dict[str, dict[str, Any]] = {
    "DELETE FROM t": {"table": "t", "alias": None, "where": None},
    "DELETE t": {"table": "t", "alias": None, "where": None},
    "DELETE FROM t WHERE a = 1 AND b": {"where": "a = 1 AND b"},
    "DELETE FROM delta.`/p` AS x WHERE x.a IN (SELECT a FROM s ORDER BY a LIMIT 1)": {
        "table": "delta.`/p`",
        "alias": "x",
        "where": "x.a IN (SELECT a FROM s ORDER BY a LIMIT 1)",
    },
    "DELETE FROM t x WHERE true;": {"alias": "x", "where": "true"},
    "DELETE FROM t `where` WHERE a": {"alias": "where", "where": "a"},
}


@pytest.mark.parametrize("sql", DELETES)
def test_delete(sql: str) -> None:
    check(sql, Delete, DELETES[sql])


UPDATES: dict[str, dict[str, Any]] = {
    "UPDATE t SET a = 1": {"table": "t", "assignments": (("a", "1"),), "alias": None, "where": None},
    "UPDATE t AS x SET x.a = DEFAULT, s.b = f(1, 2), c = [1, 2] WHERE x.k IN (1, 2)": {
        "assignments": (("x.a", None), ("s.b", "f(1, 2)"), ("c", "[1, 2]")),
        "alias": "x",
        "where": "x.k IN (1, 2)",
    },
    "UPDATE t x SET a = (SELECT max(b) FROM s WHERE s.k = x.k), b = CASE WHEN a THEN 1 ELSE 2 END": {
        "assignments": (("a", "(SELECT max(b) FROM s WHERE s.k = x.k)"), ("b", "CASE WHEN a THEN 1 ELSE 2 END")),
        "alias": "x",
    },
    "UPDATE t SET a = b IS DISTINCT FROM c, d = e IS NOT DISTINCT FROM f WHERE g IS DISTINCT FROM h": {
        "assignments": (("a", "b IS DISTINCT FROM c"), ("d", "e IS NOT DISTINCT FROM f")),
        "where": "g IS DISTINCT FROM h",
    },
    "UPDATE t SET `set` = \"DEFAULT\", 表 = 'WHERE, FROM'": {
        "assignments": (("set", '"DEFAULT"'), ("表", "'WHERE, FROM'"))
    },
}


@pytest.mark.parametrize("sql", UPDATES)
def test_update(sql: str) -> None:
    statement = check(sql, Update, UPDATES[sql])
    for assignment in statement.assignments:
        assert assignment.value is None or assignment.value.span.of(sql) == assignment.value.sql
        assert "=" in assignment.span.of(sql)


CREATES: dict[str, dict[str, Any]] = {
    "CREATE TABLE t (a INT)": {
        "table": "t",
        "columns": (("a", "INT", True, None),),
        "if_not_exists": False,
        "partitioned_by": (),
        "location": None,
        "comment": None,
        "properties": (),
        "query": None,
    },
    "CREATE TABLE IF NOT EXISTS c.s.t (a BIGINT NOT NULL COMMENT 'it''s', `b c` DECIMAL(10, 2) NULL) USING delta"
    " PARTITIONED BY (`b c`) COMMENT 'tbl' LOCATION '/p' TBLPROPERTIES ('delta.appendOnly' = 'true', delta.x.y = TRUE,"
    " k 1, 'n' = -2)": {
        "table": "c.s.t",
        "columns": (("a", "BIGINT", False, "it's"), ("b c", "DECIMAL(10, 2)", True, None)),
        "if_not_exists": True,
        "partitioned_by": ("b c",),
        "location": "/p",
        "comment": "tbl",
        "properties": (("delta.appendOnly", "true"), ("delta.x.y", "true"), ("k", "1"), ("n", "-2")),
    },
    "CREATE TABLE t TBLPROPERTIES (a = 'b') COMMENT 'x' PARTITIONED BY (p) AS WITH q AS (SELECT 1 p) SELECT * FROM q": {
        "columns": (),
        "partitioned_by": ("p",),
        "comment": "x",
        "query": "WITH q AS (SELECT 1 p) SELECT * FROM q",
    },
    "CREATE TABLE t SELECT 1 AS a;": {"columns": (), "query": "SELECT 1 AS a"},
    "CREATE TABLE t AS (SELECT 1 AS a)": {"query": "(SELECT 1 AS a)"},
    "CREATE TABLE t AS VALUES (1)": {"query": "VALUES (1)"},
    "CREATE TABLE t LOCATION 's3://b/t'": {"columns": (), "location": "s3://b/t"},
    "CREATE EXTERNAL TABLE t (a INT) LOCATION '/p' USING DELTA": {"location": "/p"},
    "CREATE TABLE delta.`/p` (a INT)": {"table": "delta.`/p`"},
    "CREATE TABLE t (a INT) PARTITIONED BY (p STRING COMMENT 'x', a, q DATE NOT NULL)": {
        "columns": (("a", "INT", True, None), ("p", "STRING", True, "x"), ("q", "DATE", False, None)),
        "partitioned_by": ("p", "a", "q"),
    },
    "CREATE TABLE t (a ARRAY<MAP<STRING, STRUCT<x: INT, y: ARRAY<INT>>>> NOT NULL, b STRUCT<>, c VARCHAR(3))": {
        "columns": (
            ("a", "ARRAY<MAP<STRING, STRUCT<x: INT, y: ARRAY<INT>>>>", False, None),
            ("b", "STRUCT<>", True, None),
            ("c", "VARCHAR(3)", True, None),
        )
    },
    "CREATE TABLE t (i INTERVAL DAY TO SECOND, constraint INT, `check` INT)": {
        "columns": (
            ("i", "INTERVAL DAY TO SECOND", True, None),
            ("constraint", "INT", True, None),
            ("check", "INT", True, None),
        )
    },
}


@pytest.mark.parametrize("sql", CREATES)
def test_create_table(sql: str) -> None:
    check(sql, CreateTable, CREATES[sql])


OTHERS: dict[str, tuple[type[Statement], dict[str, Any]]] = {
    "DROP TABLE t": (DropTable, {"table": "t", "if_exists": False}),
    "DROP TABLE IF EXISTS s.t PURGE": (DropTable, {"table": "s.t", "if_exists": True}),
    "VACUUM t": (Vacuum, {"table": "t", "lite": False, "retain_hours": None, "dry_run": False}),
    "VACUUM '/p' LITE RETAIN 1 + 2 HOURS DRY RUN": (
        Vacuum,
        {"table": "delta.`/p`", "lite": True, "retain_hours": "1 + 2", "dry_run": True},
    ),
    "VACUUM t FULL RETAIN $1 HOURS": (Vacuum, {"lite": False, "retain_hours": "$1"}),
    "VACUUM t DRY RUN RETAIN 0.5 HOURS": (Vacuum, {"retain_hours": "0.5", "dry_run": True}),
    "DESCRIBE HISTORY t": (DescribeHistory, {"table": "t", "limit": None}),
    "DESC HISTORY delta.`/p` LIMIT $n": (DescribeHistory, {"table": "delta.`/p`", "limit": "$n"}),
    "DESCRIBE t": (DescribeTable, {"table": "t"}),
    "DESC TABLE c.s.t": (DescribeTable, {"table": "c.s.t"}),
    "DESCRIBE detail.t": (DescribeTable, {"table": "detail.t"}),
    "DESCRIBE `history`": (DescribeTable, {"table": "history"}),
    "SHOW TABLES": (ShowTables, {"schema": None, "pattern": None}),
    "SHOW TABLES IN c.s LIKE 'a*|b'": (ShowTables, {"schema": ("c", "s"), "pattern": "a*|b"}),
    "SHOW TABLES FROM s 'a'": (ShowTables, {"schema": ("s",), "pattern": "a"}),
    "SHOW SCHEMAS": (ShowSchemas, {"pattern": None}),
    "SHOW DATABASES LIKE 'a'": (ShowSchemas, {"pattern": "a"}),
    "SHOW ALL": (ShowOption, {"name": None}),
    "SHOW deltasql.reader": (ShowOption, {"name": "deltasql.reader"}),
    "SHOW columns.x": (ShowOption, {"name": "columns.x"}),
    "SHOW TIME ZONE": (ShowOption, {"name": "time_zone"}),
    "SET": (ShowOption, {"name": None}),
    "SET;": (ShowOption, {"name": None}),
    "SET a.b": (ShowOption, {"name": "a.b"}),
    "SET deltasql.reader = listing": (SetOption, {"name": "deltasql.reader", "value": "listing"}),
    "SET x TO 'a;b';": (SetOption, {"name": "x", "value": "'a;b'"}),
    "SET x = $1": (SetOption, {"value": "$1"}),
    "SET TIME ZONE 'Europe/Berlin'": (SetOption, {"name": "time_zone", "value": "'Europe/Berlin'"}),
    "SET TIME ZONE LOCAL": (SetOption, {"name": "time_zone", "value": "LOCAL"}),
    "RESET a.b": (ResetOption, {"name": "a.b"}),
    "RESET ALL": (ResetOption, {"name": None}),
}


@pytest.mark.parametrize("sql", OTHERS)
def test_other(sql: str) -> None:
    check(sql, *OTHERS[sql])


@pytest.mark.parametrize(
    ("words", "analyze", "verbose"),
    [
        ("", False, False),
        ("ANALYZE", True, False),
        ("VERBOSE", False, True),
        ("ANALYZE VERBOSE", True, True),
        ("EXTENDED", False, True),
        ("FORMATTED", False, False),
    ],
)
def test_explain(words: str, analyze: bool, verbose: bool) -> None:
    statement = check(
        f"EXPLAIN {words}\n DELETE FROM t WHERE a = 1 ;", Explain, {"analyze": analyze, "verbose": verbose}
    )
    inner = statement.statement
    assert isinstance(inner, Delete)
    assert inner.text == "DELETE FROM t WHERE a = 1"
    assert inner.where is not None
    assert inner.where.span.of(inner.text) == inner.where.sql == "a = 1"
    assert inner.table.span is not None
    assert inner.table.span.of(inner.text) == "t"


def test_text_has_no_semicolon_and_keeps_its_places() -> None:
    statement = parse("\n -- first\n DROP TABLE `t`  ; -- last")
    assert statement.text == "\n -- first\n DROP TABLE `t`"
    assert isinstance(statement, DropTable)
    assert statement.table.span is not None
    assert statement.table.span.of(statement.text) == "`t`"
