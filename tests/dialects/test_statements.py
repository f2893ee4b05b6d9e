"""Statements of another dialect on tables with a history: old rows, writes, names, the places of errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import deltasql
from deltasql.settings import DIALECTS, OWN_DIALECT

CARRIED = [dialect for dialect in DIALECTS if dialect != OWN_DIALECT]


def fill(connection: deltasql.Connection) -> None:
    connection.sql("CREATE TABLE t (id INT, n INT, userName STRING)")
    connection.sql("INSERT INTO t VALUES (1, 7, 'a'), (2, 3, 'b')")
    connection.sql("UPDATE t SET n = n + 100")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path / "lake") as connection:
        fill(connection)
        yield connection


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[deltasql.Connection]:
    """For tests that only read."""
    with deltasql.connect(tmp_path_factory.mktemp("lake")) as connection:
        fill(connection)
        yield connection


@pytest.fixture
def reading(past: deltasql.Connection) -> Iterator[deltasql.Connection]:
    yield past
    past.sql("RESET ALL")


@pytest.mark.parametrize("dialect", CARRIED)
@pytest.mark.parametrize(
    "old",
    [
        "VERSION AS OF 1",
        "FOR VERSION AS OF 1",
        "FOR SYSTEM_VERSION AS OF 1",
        "@v1",
        "AT (VERSION => 1)",
        "VERSION AS OF ?",
    ],
)
def test_old_rows_are_read_in_every_dialect(reading: deltasql.Connection, dialect: str, old: str) -> None:
    con = reading
    con.sql(f"SET deltasql.dialect = {dialect}")
    name = f"t{old}" if old.startswith("@") else f"t {old}"
    params = [1] if "?" in old else None
    assert con.sql(f"SELECT sum(n) AS s FROM {name}", params).fetchall() == [(10,)]
    if dialect in ("databricks", "duckdb", "bigquery"):
        joined = f"SELECT x.n FROM {name} AS x JOIN t ON x.id = t.id WHERE t.n = 107"
        assert con.sql(joined, params).fetchall() == [(7,)]


@pytest.mark.parametrize("clause", ["TIMESTAMP AS OF", "FOR TIMESTAMP AS OF", "FOR SYSTEM_TIME AS OF"])
@pytest.mark.parametrize("dialect", ["databricks", "duckdb", "bigquery", "tsql", "postgres", "snowflake"])
def test_old_rows_by_time(reading: deltasql.Connection, dialect: str, clause: str) -> None:
    con = reading
    times = con.sql("SELECT timestamp FROM table_history(t) WHERE version = 1").fetchone()
    con.sql(f"SET deltasql.dialect = {dialect}")
    rows = con.sql(f"SELECT n FROM t {clause} '{times[0].isoformat()}' ORDER BY n").fetchall()
    assert rows == [(3,), (7,)]


@pytest.mark.parametrize("query", ["SELECT n FROM t BEFORE (STATEMENT => 'x')", "SELECT n FROM t AT (OFFSET => -60)"])
def test_time_travel_of_another_kind_is_never_ignored(reading: deltasql.Connection, query: str) -> None:
    con = reading
    con.sql("SET deltasql.dialect = snowflake")
    with pytest.raises(deltasql.Error):
        con.sql(query).fetchall()


def test_paths_and_table_functions(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = databricks")
    path = con.root / "t"
    assert con.sql(f"SELECT n / 2 FROM delta.`{path}` VERSION AS OF 1 WHERE id = 1").fetchall() == [(3.5,)]
    assert con.sql("SELECT count(*) AS c FROM table_history('t')").fetchall() == [(3,)]


def test_writes(con: deltasql.Connection) -> None:
    con.sql("CREATE TABLE w (id INT, h DOUBLE, s STRING)")
    con.sql("SET deltasql.dialect = databricks")
    con.sql('INSERT INTO w SELECT id, n / 2, "it\'s" FROM t VERSION AS OF 1')
    assert con.sql("SELECT id, h, s FROM w ORDER BY id").fetchall() == [(1, 3.5, "it's"), (2, 1.5, "it's")]
    con.sql("UPDATE w SET h = id / 2, s = concat(s, '!') WHERE id / 2 < 1")
    assert con.sql("SELECT h, s FROM w WHERE id = 1").fetchall() == [(0.5, "it's!")]
    con.sql(
        "MERGE INTO w USING (SELECT id, n FROM t) AS x ON w.id = x.id AND x.n / 2 > 52 "
        "WHEN MATCHED THEN UPDATE SET h = x.n / 4 WHEN NOT MATCHED THEN INSERT (id, h) VALUES (x.id, x.n / 8)"
    )
    assert con.sql("SELECT h FROM w ORDER BY h").fetchall() == [(1.5,), (12.875,), (26.75,)]
    con.sql("DELETE FROM w WHERE id / 4 = 0.25 OR h IN (SELECT n / 8 FROM t)")
    assert con.sql("SELECT h FROM w").fetchall() == [(1.5,)]
    con.sql("CREATE TABLE c AS SELECT id / 2 AS h FROM t")
    con.sql("CREATE VIEW v AS SELECT id / 2 AS h FROM t")
    con.sql("SET deltasql.dialect = datafusion")
    assert con.sql("SELECT h FROM c INTERSECT SELECT h FROM v ORDER BY h").fetchall() == [(0.5,), (1.0,)]


def test_the_commit_holds_the_statement_as_it_was_written(con: deltasql.Connection) -> None:
    con.sql("SET deltasql.dialect = bigquery")
    con.sql('UPDATE t SET userName = "x" WHERE id = 1')
    log = con.root / "t" / "_delta_log" / f"{3:020d}.json"
    assert 'UPDATE t SET userName = \\"x\\"' in log.read_text()


def test_explain_shows_what_is_run(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = duckdb")
    found = con.sql("EXPLAIN SELECT n / 2 FROM t").fetchall()
    assert found[0] == ("transpiled", 'SELECT CAST(n AS DOUBLE) / 2 AS "n / 2" FROM t')


def test_names(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = snowflake")
    result = con.sql("SELECT USERNAME, n + 1, n / 2 AS Half FROM T ORDER BY ID")
    assert result.columns[0] in ("USERNAME", "userName")
    assert result.columns[2] == "Half"
    assert [row[0] for row in result.fetchall()] == ["a", "b"]
    con.sql("SET deltasql.dialect = tsql")
    assert con.sql("SELECT [userName] AS [the name] FROM [t] WHERE [id] = 1").columns == ["the name"]


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ("SELECT nn / 2 FROM t", "nn"),
        ("SELECT n FROM missing WHERE n / 2 > 1", "missing"),
        ("SELECT n / 2,\n  json_extract(userName, '$.a') FROM t", "json_extract(userName"),
        ("SELECT n FROM t WHERE WHERE", "WHERE"),
        ("DELETE FROM t WHERE strftime(userName, '%Y') = '1'", "strftime(userName"),
        ("UPDATE t SET n = nn / 2", "nn"),
    ],
)
def test_the_place_of_an_error(reading: deltasql.Connection, query: str, culprit: str) -> None:
    con = reading
    con.sql("SET deltasql.dialect = duckdb")
    with pytest.raises(deltasql.Error) as caught:
        con.sql(query).fetchall()
    error = caught.value
    assert error.statement == query
    assert error.span is not None
    assert error.span.of(query).startswith(culprit)


def test_an_error_shows_what_was_run(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = duckdb")
    with pytest.raises(deltasql.ColumnNotFound) as caught:
        con.sql("SELECT nn / 2 FROM t")
    assert "it was run as: SELECT CAST(nn AS DOUBLE) / 2" in (caught.value.hint or "")


def test_types_that_are_not_known_are_not_guessed(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = snowflake")
    with pytest.raises(deltasql.NotSupportedError, match=r"the type of `x` isn't known"):
        con.sql("SELECT x / 2 FROM (SELECT any_value(y) AS x FROM (VALUES (1)) AS v(y)) AS w")
    assert con.sql("SELECT $1 / 2 AS h", [7]).fetchone()[0] == 3.5


def test_both_sides_of_a_union_say_what_a_column_is(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = duckdb")
    query = "SELECT CAST(x AS INT) AS n FROM (SELECT 3 AS x UNION ALL SELECT 2.75 AS x) AS u ORDER BY n"
    assert con.sql(query).fetchall() == [(3,), (3,)]


def test_functions_of_a_script_in_two_dialects(reading: deltasql.Connection) -> None:
    con = reading
    script = "SET deltasql.dialect = bigquery; SELECT \"a; b\" AS x # ; c\n; SET deltasql.dialect = tsql; SELECT len('a  ') AS x"
    found = [result.fetchall() for result in con.script(script) if result.statement_type == "SELECT"]
    assert found == [[("a; b",)], [(1,)]]


def test_spark_functions_without_the_dialect(reading: deltasql.Connection) -> None:
    con = reading
    assert con.sql("SELECT concat('a', NULL) AS x").fetchone() == ("a",)
    con.sql("SET deltasql.spark_functions = on")
    query = (
        "SELECT concat('a', NULL), concat('a', concat('b', 'c')), concat(make_array(1), make_array(2)), "
        "substr('Spark SQL', -3), CAST(date_add('2024-01-31', 1) AS VARCHAR), size(make_array(1, 2)), 7 / 2"
    )
    assert con.sql(query).fetchone() == (None, "abc", [1, 2], "SQL", "2024-02-01", 2, 3)
    with pytest.raises(deltasql.Error, match="there is no function `sentences`"):
        con.sql("SELECT sentences('a')")
    con.sql("RESET deltasql.spark_functions")
    assert con.sql("SELECT concat('a', NULL) AS x").fetchone() == ("a",)


def test_frames_and_functions_of_the_user(reading: deltasql.Connection) -> None:
    con = reading
    con.sql("SET deltasql.dialect = databricks")
    con.create_function("twice", lambda x: None if x is None else 2 * x, ["BIGINT"], "BIGINT")
    frame = pa.table({"n": [7]})
    assert con.sql("SELECT n / 2 AS h, twice(n) AS w FROM frame").fetchall() == [(3.5, 14)]
    assert con.sql("SELECT n / 2 AS h FROM ? AS f WHERE n > ?", [frame, 1]).fetchall() == [(3.5,)]


def test_a_dialect_that_there_is_not() -> None:
    with pytest.raises(deltasql.ConfigError, match=r"`oracle9` is no value of `deltasql\.dialect`"):
        deltasql.connect(dialect="oracle9")
