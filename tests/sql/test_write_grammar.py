"""What INSERT, UPDATE, DELETE, TRUNCATE and COPY say, as data, and where each part of them stands."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from deltasql.errors import ParseError, UnsupportedStatement
from deltasql.names import TableReference
from deltasql.sql.parser import parse
from deltasql.sql.statements import (
    Assignment,
    CopyInto,
    CopyTo,
    Delete,
    Explain,
    Fragment,
    Insert,
    Merge,
    PartitionValue,
    Statement,
    Truncate,
    Update,
)


def plain(value: object) -> Any:
    """``value`` with what a reader checks: SQL for fragments, names for tables, no spans."""
    if isinstance(value, Fragment):
        return value.sql
    if isinstance(value, TableReference):
        return str(value)
    if isinstance(value, PartitionValue):
        return (value.column, plain(value.value))
    if isinstance(value, Assignment):
        return (".".join(value.column), plain(value.value))
    return tuple(plain(item) for item in value) if isinstance(value, tuple) else value


def places(value: object, text: str) -> None:
    """Every fragment below ``value`` is what ``text`` has at its place."""
    if isinstance(value, Fragment):
        assert value.span.of(text) == value.sql
    elif isinstance(value, tuple):
        for item in value:
            places(item, text)
    elif is_dataclass(value):
        for field in fields(value):
            places(getattr(value, field.name), text)


def check(sql: str, kind: type[Statement], expected: dict[str, Any]) -> Any:
    statement = parse(sql)
    assert type(statement) is kind
    assert {name: plain(getattr(statement, name)) for name in expected} == expected
    places(statement, statement.text)
    return statement


INSERTS: dict[str, dict[str, Any]] = {
    "INSERT INTO t SELECT 1": {
        "overwrite": False,
        "evolve": False,
        "partition": (),
        "replace_where": None,
        "default_values": False,
    },
    "INSERT OVERWRITE t VALUES (1)": {"table": "t", "overwrite": True, "source": "VALUES (1)"},
    "insert overwrite table s.t (a, b) values (1, 2)": {"overwrite": True, "table": "s.t", "columns": ("a", "b")},
    "INSERT OVERWRITE INTO t BY NAME SELECT 1 AS a": {"overwrite": True, "by_name": True},
    "INSERT OVERWRITE directory SELECT 1": {"overwrite": True, "table": "directory"},
    "INSERT OVERWRITE t PARTITION (p = 'a)', `q r` = 1 + 1, s) SELECT a FROM s": {
        "overwrite": True,
        "partition": (("p", "'a)'"), ("q r", "1 + 1"), ("s", None)),
        "source": "SELECT a FROM s",
    },
    "INSERT INTO t PARTITION (p = DATE '2020-01-01') (a, b) VALUES (1, DEFAULT)": {
        "partition": (("p", "DATE '2020-01-01'"),),
        "columns": ("a", "b"),
        "source": "VALUES (1, DEFAULT)",
    },
    "INSERT INTO t (a, b) PARTITION (p = $1) SELECT 1, 2": {"partition": (("p", "$1"),), "columns": ("a", "b")},
    "INSERT INTO t PARTITION (p) BY NAME SELECT 1 AS a, 2 AS p": {"partition": (("p", None),), "by_name": True},
    "INSERT INTO t PARTITION (p = 1) (SELECT 1)": {"columns": None, "source": "(SELECT 1)"},
    "INSERT WITH SCHEMA EVOLUTION INTO t SELECT 1 AS a": {
        "evolve": True,
        "overwrite": False,
        "source": "SELECT 1 AS a",
    },
    "INSERT WITH SCHEMA EVOLUTION OVERWRITE t BY NAME SELECT 1 AS a": {"evolve": True, "overwrite": True},
    "INSERT INTO t DEFAULT VALUES;": {"default_values": True, "source": "DEFAULT VALUES", "defaults": ()},
    "INSERT OVERWRITE t DEFAULT VALUES": {"default_values": True, "overwrite": True},
    "INSERT INTO t (a) REPLACE WHERE a = 1 SELECT 1": {"columns": ("a",), "replace_where": "a = 1"},
    "INSERT INTO t BY NAME REPLACE WHERE a = 1 SELECT 1 AS a": {"by_name": True, "replace_where": "a = 1"},
    "INSERT WITH SCHEMA EVOLUTION INTO t REPLACE WHERE true TABLE s": {"evolve": True, "replace_where": "true"},
    "WITH q AS (SELECT 1) INSERT OVERWRITE t SELECT * FROM q": {"with_": "WITH q AS (SELECT 1)", "overwrite": True},
}


@pytest.mark.parametrize("sql", INSERTS)
def test_insert(sql: str) -> None:
    check(sql, Insert, INSERTS[sql])


PREDICATES = [
    "p >= '2020-01-01' AND p < '2020-02-01'",
    "a IN (SELECT a FROM s WHERE b)",
    "a = (SELECT max(a) FROM s)",
    "(SELECT max(a) FROM s) = a",
    "NOT EXISTS (SELECT 1 FROM s)",
    "a > ANY (SELECT b FROM s)",
    "a BETWEEN (SELECT 1) AND (SELECT 2)",
    "CASE WHEN a = (SELECT 1) THEN b ELSE (SELECT 2) END",
    "CASE (SELECT 1) WHEN 1 THEN true END = (b)",
    "a IS DISTINCT FROM b OR c IS NOT DISTINCT FROM (SELECT 1)",
    "a::TIMESTAMP WITH TIME ZONE > now() - INTERVAL '1' DAY",
    "values > 3 AND t.select = 1 AND with = table AND offset < x.limit",
    "f((SELECT 1)) AND f (SELECT 1) = 2",
    "a = 'SELECT 1' -- SELECT\n AND /* FROM */ `VALUES` = \"from\"",
    "EXTRACT(YEAR FROM a) = 2020 AND b[1] = $x",
    "a IS NULL",
    "c = d",
]
SOURCES = [
    "SELECT * FROM s",
    "VALUES (1, 'a')",
    "WITH q AS (SELECT 1) SELECT * FROM q",
    "TABLE s",
    "FROM s SELECT *",
    "(SELECT * FROM s)",
    "((SELECT 1) UNION ALL (SELECT 2)) ORDER BY 1",
    "(SELECT 1) UNION (SELECT 2)",
]


@pytest.mark.parametrize("predicate", PREDICATES)
@pytest.mark.parametrize("source", SOURCES)
def test_the_predicate_ends_where_the_source_begins(predicate: str, source: str) -> None:
    check(
        f"INSERT INTO t REPLACE WHERE {predicate}\n{source} ;",
        Insert,
        {"replace_where": predicate, "source": source},
    )


@pytest.mark.parametrize(
    ("values", "expected"), [("(DEFAULT, 1), (2, default)", [(0, 0), (1, 1)]), ("(CASE WHEN a THEN DEFAULT END)", [])]
)
def test_defaults_behind_a_predicate(values: str, expected: list[tuple[int, int]]) -> None:
    statement = check(f"INSERT INTO t REPLACE WHERE a = 1 VALUES {values}", Insert, {})
    assert [(row, column) for row, column, _ in statement.defaults] == expected
    assert all(span.of(statement.text).upper() == "DEFAULT" for *_, span in statement.defaults)


UPDATES: dict[str, dict[str, Any]] = {
    "UPDATE t SET a = 1": {"from_": None, "where": None},
    "UPDATE t AS x SET a = s.a FROM s WHERE s.k = x.k": {"alias": "x", "from_": "s", "where": "s.k = x.k"},
    "UPDATE t SET a = s.a, b = s.from FROM s JOIN r ON s.k IS NOT DISTINCT FROM r.k, (SELECT 1 WHERE true) AS q": {
        "assignments": (("a", "s.a"), ("b", "s.from")),
        "from_": "s JOIN r ON s.k IS NOT DISTINCT FROM r.k, (SELECT 1 WHERE true) AS q",
        "where": None,
    },
    "UPDATE t SET a = b IS DISTINCT FROM c FROM s VERSION AS OF 3 x": {
        "assignments": (("a", "b IS DISTINCT FROM c"),),
        "from_": "s VERSION AS OF 3 x",
    },
    "UPDATE t SET a = offset FROM s WHERE offset > 1 AND x.limit = 2": {
        "assignments": (("a", "offset"),),
        "where": "offset > 1 AND x.limit = 2",
    },
    "UPDATE t SET a = CASE WHEN s.end THEN CASE s.case WHEN 1 THEN 2 END END, b = case FROM s": {
        "assignments": (("a", "CASE WHEN s.end THEN CASE s.case WHEN 1 THEN 2 END END"), ("b", "case")),
        "from_": "s",
    },
    "WITH q AS (SELECT 1 AS k) UPDATE t SET a = q.k FROM q": {"with_": "WITH q AS (SELECT 1 AS k)", "from_": "q"},
}


@pytest.mark.parametrize("sql", UPDATES)
def test_update(sql: str) -> None:
    check(sql, Update, UPDATES[sql])


def test_with_before_a_write() -> None:
    with_ = "WITH RECURSIVE q (n) AS (SELECT 1), r AS MATERIALIZED (SELECT 2)"
    check(f"{with_} DELETE FROM t WHERE a IN (FROM q)", Delete, {"with_": with_, "where": "a IN (FROM q)"})
    check(f"{with_} MERGE INTO t USING q ON a WHEN MATCHED THEN DELETE", Merge, {"with_": with_, "source": "q"})
    explained = parse(f"EXPLAIN {with_} DELETE FROM t")
    assert isinstance(explained, Explain)
    assert isinstance(explained.statement, Delete)
    assert plain(explained.statement.with_) == with_
    places(explained.statement, explained.statement.text)


@pytest.mark.parametrize("sql", ["TRUNCATE TABLE s.t", "truncate s.t;"])
def test_truncate(sql: str) -> None:
    check(sql, Truncate, {"table": "s.t"})


COPIES_INTO: dict[str, dict[str, Any]] = {
    "COPY INTO t FROM '/p' FILEFORMAT = PARQUET": {
        "table": "t",
        "columns": None,
        "path": "/p",
        "select": None,
        "format": "parquet",
        "files": None,
        "pattern": None,
        "format_options": (),
        "copy_options": (),
    },
    "copy into s.t (a, `b c`) from (select a::int, b is distinct from c, s.from FROM 's3://b/p') fileformat = 'csv'": {
        "columns": ("a", "b c"),
        "path": "s3://b/p",
        "select": "a::int, b is distinct from c, s.from",
        "format": "csv",
    },
    "COPY INTO delta.`/t` FROM '/p' PATTERN = '*.csv' COPY_OPTIONS ('mergeSchema' = 'true', force = TRUE)"
    " FORMAT_OPTIONS ('header' = 'true', 'skip' = 2, 'sep' = ';') FILEFORMAT = CSV": {
        "table": "delta.`/t`",
        "pattern": "*.csv",
        "format_options": (("header", "true"), ("skip", "2"), ("sep", ";")),
        "copy_options": (("mergeSchema", "true"), ("force", "true")),
    },
    "COPY INTO t FROM '/p' FILEFORMAT = JSON FILES = ('a.json', 'b''.json')": {"files": ("a.json", "b'.json")},
}


@pytest.mark.parametrize("sql", COPIES_INTO)
def test_copy_into(sql: str) -> None:
    check(sql, CopyInto, COPIES_INTO[sql])


COPIES_TO: dict[str, dict[str, Any]] = {
    "COPY (SELECT * FROM t ORDER BY a) TO 'x'": {
        "source": "(SELECT * FROM t ORDER BY a)",
        "path": "x",
        "format": None,
        "options": (),
    },
    "COPY t TO 'x.csv' (FORMAT CSV, HEADER, DELIMITER ';', row_group_size = 100, 'Null' '')": {
        "source": "t",
        "format": "csv",
        "options": (("header", "true"), ("delimiter", ";"), ("row_group_size", "100"), ("null", "")),
    },
    "COPY s.t VERSION AS OF 3 TO 'x' WITH (HEADER false)": {
        "source": "s.t VERSION AS OF 3",
        "options": (("header", "false"),),
    },
    "COPY t TIMESTAMP AS OF now() - INTERVAL '1' DAY TO 'x'": {"source": "t TIMESTAMP AS OF now() - INTERVAL '1' DAY"},
    "COPY 'p/q' TO 'x' STORED AS PARQUET OPTIONS ('format.compression' 'zstd(3)', a.b 1)": {
        "source": "'p/q'",
        "format": "parquet",
        "options": (("format.compression", "zstd(3)"), ("a.b", "1")),
    },
    "COPY t TO 'x' (HEADER) STORED AS CSV": {"format": "csv"},
    "COPY read_csv('a(b)', header => true) TO 'x'": {"source": "read_csv('a(b)', header => true)"},
    "COPY (WITH q AS (VALUES (1)) TABLE q) TO 'x'": {"source": "(WITH q AS (VALUES (1)) TABLE q)"},
}


@pytest.mark.parametrize("sql", COPIES_TO)
def test_copy_to(sql: str) -> None:
    check(sql, CopyTo, COPIES_TO[sql])


REFUSALS = {
    "COPY INTO t BY POSITION FROM '/p' FILEFORMAT = CSV": "COPY INTO … BY POSITION",
    "COPY INTO t FROM '/p' FILEFORMAT = AVRO": "COPY INTO … FILEFORMAT = AVRO",
    "COPY INTO t FROM '/p' FILEFORMAT = CSV VALIDATE ALL": "COPY INTO … VALIDATE",
    "COPY INTO t FROM '/p' WITH (CREDENTIAL c) FILEFORMAT = CSV": "COPY INTO … WITH (CREDENTIAL)",
    "COPY INTO t FROM (SELECT DISTINCT a FROM '/p') FILEFORMAT = CSV": "COPY INTO … SELECT DISTINCT",
    "COPY t (a, b) TO 'x'": "COPY table (columns)",
    "COPY s.t(a) TO 'x'": "COPY table (columns)",
    "COPY t FROM 'x'": "COPY table FROM",
    "COPY t TO 'x' (FORMAT csv, PARTITION_BY (a))": "COPY … PARTITION_BY",
    "COPY t TO 'x' STORED AS csv PARTITIONED BY (a)": "COPY … PARTITIONED",
    "COPY t TO 'x' STORED AS csv (FORMAT csv)": "COPY … STORED AS … (FORMAT …)",
}


@pytest.mark.parametrize("sql", REFUSALS)
def test_refused(sql: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.message == f"{REFUSALS[sql]} is not supported"


ERRORS = {
    "COPY INTO t FROM p FILEFORMAT = CSV": "line 1, column 18: expected a path in quotes, found `p`",
    "COPY INTO t FROM '/p'": "line 1, column 22: expected FILEFORMAT, found the end of the statement",
    "COPY INTO t FROM '/p' FILEFORMAT CSV": "line 1, column 34: expected =, found `CSV`",
    "COPY INTO t FROM '/p' FILEFORMAT = CSV FILEFORMAT = CSV": (
        "line 1, column 40: expected FILEFORMAT only once, found `FILEFORMAT`"
    ),
    "COPY INTO t FROM '/p' PATTERN = '*' FILES = ('a') FILEFORMAT = CSV": (
        "line 1, column 37: expected FILES or PATTERN, not both, found `FILES`"
    ),
    "COPY INTO t FROM '/p' FILES = (1) FILEFORMAT = CSV": "line 1, column 32: expected a file's name, found `1`",
    "COPY INTO t FROM (SELECT a FROM '/p' WHERE b) FILEFORMAT = CSV": "line 1, column 38: expected ), found `WHERE`",
    "COPY INTO t FROM (SELECT a FROM s) FILEFORMAT = CSV": "line 1, column 33: expected a path in quotes, found `s`",
    "COPY INTO t FROM (VALUES (1)) FILEFORMAT = CSV": "line 1, column 19: expected SELECT, found `VALUES`",
    "COPY INTO t FROM '/p' FILEFORMAT = CSV FORMAT_OPTIONS ('a' = )": "line 1, column 62: expected a value, found `)`",
    "COPY SELECT 1 TO 'x'": "line 1, column 6: expected a table, or a query in brackets, found `SELECT`",
    "COPY () TO 'x'": "line 1, column 6: expected a table, or a query in brackets, found `(`",
    "COPY t TO x": "line 1, column 11: expected a path in quotes, found `x`",
    "COPY t TO 'x' ()": "line 1, column 16: expected a key, found `)`",
    "COPY t TO 'x' (HEADER, header true)": "line 1, column 24: expected HEADER only once, found `header`",
    "COPY t TO 'x' (QUOTE (a))": "line 1, column 22: expected a value, found `(`",
    "COPY t 'x'": "line 1, column 8: expected TO, found `'x'`",
}


@pytest.mark.parametrize("sql", ERRORS)
def test_error(sql: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(sql)
    assert caught.value.message == ERRORS[sql]
