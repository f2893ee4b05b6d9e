"""What OPTIMIZE, RESTORE, REORG, FSCK, GENERATE, CHECKPOINT, ANALYZE, DESCRIBE and SHOW say, as data."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from deltasql.errors import ParseError, UnsupportedStatement
from deltasql.names import AsOf, TableReference, Timestamp, Version
from deltasql.sql.functions import FunctionCall
from deltasql.sql.parser import parse
from deltasql.sql.rewrite import Binding, rewrite
from deltasql.sql.statements import (
    Analyze,
    Checkpoint,
    DescribeDetail,
    DescribeHistory,
    DescribeSchema,
    DescribeTable,
    Explain,
    Fragment,
    Fsck,
    Generate,
    Optimize,
    PartitionValue,
    Query,
    Reorg,
    Restore,
    ShowCatalogs,
    ShowColumns,
    ShowCreateTable,
    ShowFunctions,
    ShowOption,
    ShowPartitions,
    ShowProperties,
    ShowSchemas,
    ShowTables,
    ShowViews,
    Statement,
)


def plain(value: object) -> Any:
    """``value`` with what a reader checks: SQL for fragments, names for tables, no spans."""
    if isinstance(value, Fragment):
        return value.sql
    if isinstance(value, TableReference):
        return str(value)
    if isinstance(value, PartitionValue):
        return (value.column, plain(value.value))
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


ACCEPTED: dict[str, tuple[type[Statement], dict[str, Any]]] = {
    "OPTIMIZE t": (Optimize, {"table": "t", "where": None, "zorder": (), "full": False}),
    "OPTIMIZE delta.`/p`": (Optimize, {"table": "delta.`/p`"}),
    "OPTIMIZE '/p' FULL": (Optimize, {"table": "delta.`/p`", "full": True}),
    "OPTIMIZE t WHERE p = 1 AND q >= '2020-01-01' ZORDER BY (a, b.c);": (
        Optimize,
        {"where": "p = 1 AND q >= '2020-01-01'", "zorder": (("a",), ("b", "c"))},
    ),
    "optimize t zorder by a, `b c`": (Optimize, {"where": None, "zorder": (("a",), ("b c",))}),
    "OPTIMIZE t WHERE p IN ('a', 'zorder by') AND f(x, (1))": (
        Optimize,
        {"where": "p IN ('a', 'zorder by') AND f(x, (1))", "zorder": ()},
    ),
    "REORG TABLE t APPLY (PURGE)": (Reorg, {"table": "t", "where": None}),
    "REORG TABLE s.t WHERE p = 1 APPLY (purge);": (Reorg, {"table": "s.t", "where": "p = 1"}),
    "FSCK REPAIR TABLE t": (Fsck, {"table": "t", "dry_run": False}),
    "FSCK REPAIR TABLE delta.`/p` DRY RUN": (Fsck, {"table": "delta.`/p`", "dry_run": True}),
    "GENERATE symlink_format_manifest FOR TABLE t": (Generate, {"table": "t"}),
    "generate SYMLINK_FORMAT_MANIFEST for table delta.`/p`": (Generate, {"table": "delta.`/p`"}),
    "CHECKPOINT t": (Checkpoint, {"table": "t"}),
    "CHECKPOINT TABLE s.t": (Checkpoint, {"table": "s.t"}),
    "ANALYZE TABLE t COMPUTE STATISTICS": (Analyze, {"table": "t", "columns": None, "noscan": False}),
    "ANALYZE TABLE t COMPUTE DELTA STATISTICS": (Analyze, {"columns": None}),
    "ANALYZE TABLE t COMPUTE STATISTICS NOSCAN": (Analyze, {"columns": None, "noscan": True}),
    "ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS": (Analyze, {"columns": None, "noscan": False}),
    "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS a, b.c": (Analyze, {"columns": (("a",), ("b", "c"))}),
    "DESCRIBE HISTORY '/p' LIMIT 1 + 1": (DescribeHistory, {"table": "delta.`/p`", "limit": "1 + 1"}),
    "DESCRIBE DETAIL t": (DescribeDetail, {"table": "t"}),
    "desc detail '/p'": (DescribeDetail, {"table": "delta.`/p`"}),
    "DESCRIBE detail.t": (DescribeTable, {"table": "detail.t"}),
    "DESCRIBE t": (DescribeTable, {"table": "t", "extended": False, "json": False}),
    "DESCRIBE EXTENDED t": (DescribeTable, {"table": "t", "extended": True, "json": False}),
    "DESC TABLE FORMATTED s.t": (DescribeTable, {"table": "s.t", "extended": True}),
    "DESCRIBE t AS JSON": (DescribeTable, {"table": "t", "extended": False, "json": True}),
    "DESCRIBE EXTENDED '/p' AS JSON": (DescribeTable, {"table": "delta.`/p`", "extended": True, "json": True}),
    "DESCRIBE extended": (DescribeTable, {"table": "extended", "extended": False}),
    "DESCRIBE TABLE extended.t": (DescribeTable, {"table": "extended.t", "extended": False}),
    "DESCRIBE SCHEMA c.s": (DescribeSchema, {"name": ("c", "s"), "extended": False}),
    "DESC DATABASE EXTENDED s": (DescribeSchema, {"name": ("s",), "extended": True}),
    "DESCRIBE schema.t": (DescribeTable, {"table": "schema.t"}),
    "SHOW TABLES FROM c.s LIKE 'a*|b'": (ShowTables, {"schema": ("c", "s"), "pattern": "a*|b"}),
    "SHOW VIEWS": (ShowViews, {"schema": None, "pattern": None}),
    "SHOW VIEWS IN s 'a*'": (ShowViews, {"schema": ("s",), "pattern": "a*"}),
    "SHOW SCHEMAS": (ShowSchemas, {"catalog": None, "pattern": None}),
    "SHOW DATABASES IN c LIKE 'a'": (ShowSchemas, {"catalog": "c", "pattern": "a"}),
    "SHOW CATALOGS LIKE 'm*'": (ShowCatalogs, {"pattern": "m*"}),
    "SHOW FUNCTIONS": (ShowFunctions, {"pattern": None}),
    "SHOW FUNCTIONS LIKE 'a*'": (ShowFunctions, {"pattern": "a*"}),
    "SHOW FUNCTIONS abs": (ShowFunctions, {"pattern": "abs"}),
    "SHOW COLUMNS IN s.t": (ShowColumns, {"table": "s.t"}),
    "SHOW COLUMNS FROM t IN c.s": (ShowColumns, {"table": "c.s.t"}),
    "SHOW PARTITIONS t": (ShowPartitions, {"table": "t", "partition": ()}),
    "SHOW PARTITIONS t PARTITION (p = 1, `q r` = DATE '2020-01-01')": (
        ShowPartitions,
        {"partition": (("p", "1"), ("q r", "DATE '2020-01-01'"))},
    ),
    "SHOW TBLPROPERTIES t": (ShowProperties, {"table": "t", "key": None}),
    "SHOW TBLPROPERTIES t ('a.b')": (ShowProperties, {"key": "a.b"}),
    "SHOW TBLPROPERTIES t (delta.appendOnly)": (ShowProperties, {"key": "delta.appendOnly"}),
    "SHOW CREATE TABLE s.t": (ShowCreateTable, {"table": "s.t"}),
    "SHOW deltasql.reader": (ShowOption, {"name": "deltasql.reader"}),
}


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepted(sql: str) -> None:
    kind, expected = ACCEPTED[sql]
    statement = parse(sql)
    assert type(statement) is kind
    assert {name: plain(getattr(statement, name)) for name in expected} == expected
    places(statement, statement.text)


RESTORES: dict[str, tuple[str, AsOf]] = {
    "RESTORE t TO VERSION AS OF 3": ("t", Version("3")),
    "RESTORE TABLE t VERSION AS OF $1;": ("t", Version("$1")),
    "RESTORE TABLE t TO SYSTEM_VERSION AS OF 3": ("t", Version("3")),
    "restore table delta.`/p` to timestamp as of '2020-01-01 00:00:00'": (
        "delta.`/p`",
        Timestamp("'2020-01-01 00:00:00'"),
    ),
    "RESTORE t FOR SYSTEM_TIME AS OF now() - INTERVAL '1' DAY": ("t", Timestamp("now() - INTERVAL '1' DAY")),
    "RESTORE s.t@v12": ("s.t", Version("12")),
    "RESTORE 's3://b/t' AT (VERSION => 1 + 1)": ("delta.`s3://b/t`", Version("1 + 1")),
}


@pytest.mark.parametrize("sql", RESTORES)
def test_restore(sql: str) -> None:
    statement = parse(sql)
    assert isinstance(statement, Restore)
    assert (str(statement.table), statement.as_of) == RESTORES[sql]
    assert statement.table.as_of is None


def test_the_schema_behind_a_table_is_as_exact_as_it_was_quoted() -> None:
    sql = 'SHOW COLUMNS FROM "T" FROM c.`S`'
    statement = parse(sql)
    assert isinstance(statement, ShowColumns)
    assert (statement.table.parts, statement.table.exact) == (("c", "S", "T"), (False, True, True))
    assert statement.table.span is not None
    assert statement.table.span.of(sql) == '"T" FROM c.`S`'


def test_a_schema_knows_its_place() -> None:
    sql = "DESCRIBE SCHEMA EXTENDED c.s;"
    statement = parse(sql)
    assert isinstance(statement, DescribeSchema)
    assert statement.span.of(sql) == "c.s"


def test_explained() -> None:
    statement = parse("EXPLAIN OPTIMIZE t WHERE p = 1")
    assert isinstance(statement, Explain)
    assert isinstance(statement.statement, Optimize)
    places(statement.statement, statement.statement.text)


REFUSALS = {
    "REORG TABLE t APPLY (UPGRADE UNIFORM (ICEBERG_COMPAT_VERSION = 2))": "REORG TABLE … APPLY (UPGRADE)",
    "GENERATE something FOR TABLE t": "GENERATE something",
    "ANALYZE TABLE t PARTITION (p = 1) COMPUTE STATISTICS": "ANALYZE TABLE … PARTITION",
    "ANALYZE TABLES IN s COMPUTE STATISTICS": "ANALYZE TABLES",
    "DESCRIBE TABLE t PARTITION (p = 1)": "DESCRIBE … PARTITION",
    "DESCRIBE TABLE t col": "DESCRIBE of one column",
    "DESCRIBE EXTENDED t a": "DESCRIBE of one column",
    "SHOW CREATE TABLE t AS SERDE": "SHOW CREATE TABLE … AS SERDE",
    "SHOW FUNCTIONS IN s": "SHOW FUNCTIONS IN",
    "SHOW TABLE EXTENDED LIKE 'a'": "SHOW TABLE EXTENDED",
}


@pytest.mark.parametrize("sql", REFUSALS)
def test_refused(sql: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.message == f"{REFUSALS[sql]} is not supported"


ERRORS = {
    "OPTIMIZE": "column 9: expected a table, found the end of the statement",
    "OPTIMIZE t FULL WHERE p = 1": "column 17: expected the end of the statement, found `WHERE`",
    "OPTIMIZE t WHERE ZORDER BY a": "column 18: expected an expression, found `ZORDER`",
    "OPTIMIZE t WHERE p = 1 LIMIT 1": "column 24: expected the end of the statement, found `LIMIT`",
    "OPTIMIZE t ZORDER a": "column 19: expected BY, found `a`",
    "OPTIMIZE t ZORDER BY ()": "column 23: expected a column, found `)`",
    "OPTIMIZE t@v1": "column 10: expected a table without time travel, found `t@v1`",
    "RESTORE t": "column 10: expected VERSION AS OF or TIMESTAMP AS OF, found the end of the statement",
    "RESTORE t TO 3": "column 14: expected VERSION AS OF or TIMESTAMP AS OF, found `3`",
    "RESTORE t TO VERSION AS OF": "column 27: expected a constant expression, found the end of the statement",
    "RESTORE t VERSION AS OF 1 TO VERSION AS OF 2": "column 27: expected the end of the statement, found `TO`",
    "REORG t APPLY (PURGE)": "column 7: expected TABLE, found `t`",
    "REORG TABLE t": "column 14: expected APPLY, found the end of the statement",
    "REORG TABLE t APPLY (x)": "column 22: expected PURGE, found `x`",
    "FSCK TABLE t": "column 6: expected REPAIR, found `TABLE`",
    "FSCK REPAIR TABLE t DRY": "column 24: expected RUN, found the end of the statement",
    "GENERATE symlink_format_manifest TABLE t": "column 34: expected FOR, found `TABLE`",
    "CHECKPOINT": "column 11: expected a table, found the end of the statement",
    "ANALYZE t": "column 9: expected TABLE, found `t`",
    "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS": "column 47: expected a column, found the end of the statement",
    "ANALYZE TABLE t COMPUTE STATISTICS FOR a": "column 40: expected COLUMNS, found `a`",
    "DESCRIBE": "column 9: expected a table, found the end of the statement",
    "DESCRIBE SCHEMA": "column 16: expected a schema, found the end of the statement",
    "DESCRIBE DETAIL t LIMIT 1": "column 19: expected the end of the statement, found `LIMIT`",
    "SHOW TABLES IN a.b.c": "column 16: expected a name of at most two parts, found `a.b.c`",
    "SHOW COLUMNS t": "column 14: expected IN or FROM, found `t`",
    "SHOW COLUMNS IN s.t IN s": "column 24: expected the schema only once, found `s`",
    "SHOW PARTITIONS t PARTITION (p)": "column 31: expected =, found `)`",
    "SHOW PARTITIONS t PARTITION (p =)": "column 33: expected an expression, found `)`",
    "SHOW TBLPROPERTIES t ()": "column 23: expected a key, found `)`",
    "SHOW VIEWS LIKE a": "column 17: expected a pattern, found `a`",
}


@pytest.mark.parametrize("sql", ERRORS)
def test_error(sql: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(sql)
    assert caught.value.message == f"line 1, {ERRORS[sql]}"
    assert caught.value.hint is not None


# -- as a subquery


def _history(sql: str) -> tuple[str, FunctionCall]:
    """``sql`` as DataFusion gets it, and the table function that its one table has become."""
    calls: list[FunctionCall] = []

    def bind(wanted: TableReference | FunctionCall) -> Binding:
        assert isinstance(wanted, FunctionCall)
        calls.append(wanted)
        return Binding(("main", "/functions", wanted.name), {"version": {}, "userName": {}}, "h#0")

    text = rewrite(sql, bind).text
    assert len(calls) == 1
    return text, calls[0]


HISTORY = 'SELECT * FROM "/functions"."h#0" AS "table_history"'
SUBQUERIES = {
    "select USERNAME from (DESCRIBE HISTORY t)": f'select "userName" from ({HISTORY})',
    "select h.username from (desc history t limit 1 + 1) h": f'select h."userName" from ({HISTORY} ORDER BY version DESC limit 1 + 1) h',
    "with h as (DESCRIBE HISTORY t) select VERSION from h": f"with h as ({HISTORY}) select VERSION from h",
    "select 1 where 1 in (select version from ( DESCRIBE HISTORY t ) order by version desc)": (
        f"select 1 where 1 in (select version from ( {HISTORY} ) order by version desc)"
    ),
}


@pytest.mark.parametrize("sql", SUBQUERIES)
def test_history_as_a_subquery(sql: str) -> None:
    text, call = _history(sql)
    assert text == SUBQUERIES[sql]
    assert (call.name, {name: value.sql for name, value in call.arguments.items()}) == (
        "table_history",
        {"table": "'t'"},
    )
    assert call.span.of(sql) == "t"


@pytest.mark.parametrize("table", ["c.s.`T x`", "delta.`/p`", "'it''s'"])
def test_the_table_of_a_history_is_as_written(table: str) -> None:
    _, call = _history(f"SELECT * FROM (DESCRIBE HISTORY {table})")
    assert call.arguments["table"].sql == "'" + table.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM (DESCRIBE HISTORY)", "expected a table, found `)`"),
        ("SELECT * FROM (DESCRIBE HISTORY t@v1)", "expected a table without time travel, found `t@v1`"),
        ("SELECT * FROM (DESCRIBE HISTORY t WHERE version = 1)", "expected `)` or LIMIT, found `WHERE`"),
        ("SELECT * FROM (DESCRIBE HISTORY t, s)", "expected `)` or LIMIT, found `,`"),
        ("SELECT * FROM (DESCRIBE DETAIL t LIMIT 1)", "expected `)`, found `LIMIT`"),
    ],
)
def test_no_history_as_a_subquery(sql: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        rewrite(sql, lambda _: None)
    assert caught.value.message.endswith(message)


@pytest.mark.parametrize("statement", ["DESCRIBE EXTENDED t", "DESCRIBE t", "SHOW TABLES"])
def test_other_statements_are_no_subqueries(statement: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        rewrite(f"SELECT * FROM ({statement})", lambda _: None)
    assert caught.value.message == f"{statement.split(maxsplit=1)[0]} as a subquery is not supported"


@pytest.mark.parametrize(
    ("sql", "explained", "analyze"),
    [
        ("EXPLAIN ANALYZE TABLE t", Query, True),
        ("EXPLAIN ANALYZE TABLE t COMPUTE STATISTICS", Analyze, False),
        ("EXPLAIN ANALYZE VERBOSE ANALYZE TABLE compute COMPUTE STATISTICS", Analyze, True),
        ("EXPLAIN ANALYZE TABLE compute", Query, True),
    ],
)
def test_analyze_table_is_explained_as_what_it_is(sql: str, explained: type, analyze: bool) -> None:
    found = parse(sql)
    assert isinstance(found, Explain)
    assert (type(found.statement), found.analyze) == (explained, analyze)
