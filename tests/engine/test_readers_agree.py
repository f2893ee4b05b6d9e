"""Listing and scan give the same rows: filters on every type, with NULLs and with values at the edges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import deltasql

_UTC = dt.UTC
COLUMNS: dict[str, pa.Array] = {
    "i": pa.array([1, None, -5, 2**31 - 1], pa.int32()),
    "l": pa.array([1, None, -(2**63), 2**63 - 1], pa.int64()),
    "ti": pa.array([1, None, -128, 127], pa.int8()),
    "f": pa.array([1.5, None, -0.0, float("inf")], pa.float32()),
    "d": pa.array([1.5, None, -0.0, float("inf")], pa.float64()),
    "nan": pa.array([1.5, None, float("nan"), -2.0], pa.float64()),
    "dec": pa.array([Decimal("1.50"), None, Decimal("-99999999.99"), Decimal("0.00")], pa.decimal128(10, 2)),
    "s": pa.array(["one", None, "", "it's"], pa.string()),
    "b": pa.array([True, None, False, True], pa.bool_()),
    "bin": pa.array([b"one", None, b"", b"\x00\xff"], pa.binary()),
    "day": pa.array([dt.date(2024, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)], pa.date32()),
    "at": pa.array(
        [dt.datetime(2024, 1, 1, 12, tzinfo=_UTC), None, dt.datetime(1700, 1, 1, tzinfo=_UTC),
         dt.datetime(9999, 12, 31, tzinfo=_UTC)],
        pa.timestamp("us", "UTC"),
    ),
    "local": pa.array(
        [dt.datetime(2024, 1, 1, 12), None, dt.datetime(1700, 1, 1), dt.datetime(9999, 12, 31)], pa.timestamp("us")
    ),
    "tags": pa.array([["a"], None, [], [None]], pa.list_(pa.string())),
    "st": pa.array([{"a": 1}, None, {"a": None}, {"a": 2}], pa.struct([("a", pa.int64())])),
}  # fmt: skip
LITERALS = {
    "i": ["1", "-5", "2147483647", "0"],
    "l": ["1", "-9223372036854775808", "9223372036854775807"],
    "ti": ["1", "127", "-128", "300"],
    "f": ["1.5", "0.0", "CAST('inf' AS FLOAT)"],
    "d": ["1.5", "0.0", "-0.0", "CAST('inf' AS DOUBLE)"],
    "dec": ["1.5", "0", "CAST('-99999999.99' AS DECIMAL(10, 2))", "1.501"],
    "s": ["'one'", "''", "'it''s'", "'ONE'"],
    "b": ["true", "false"],
    "bin": ["X'6f6e65'", "X''", "X'00ff'"],
    "day": ["DATE '2024-01-01'", "DATE '9999-12-31'", "'2024-01-01'"],
    "at": ["TIMESTAMP '2024-01-01T12:00:00Z'", "'2024-01-01T12:00:00Z'", "arrow_cast('9999-12-31T00:00:00Z', 'Timestamp(µs, \"UTC\")')"],
    "local": ["TIMESTAMP '2024-01-01 12:00:00'", "'2024-01-01T12:00:00'"],
}  # fmt: skip
PREDICATES = ["{c} = {v}", "{c} <> {v}", "{c} < {v}", "{c} >= {v}", "NOT ({c} = {v})", "{c} IN ({v})", "{c} NOT IN ({v}, NULL)",
              "{c} IS DISTINCT FROM {v}", "{c} IS NULL OR {c} = {v}", "{c} BETWEEN {v} AND {v}", "{v} > {c}", "n > 1 AND {c} <= {v}"]  # fmt: skip
CASES = [
    (column, predicate.format(c=column, v=value))
    for column, values in LITERALS.items()
    for value in values
    for predicate in PREDICATES
]
READERS = ("listing", "scan", "dataset")

CASES += [(column, f"{column} {test}") for column in COLUMNS for test in ("IS NULL", "IS NOT NULL")]
CASES += [("s", "s LIKE '%n%'"), ("s", "NOT (s LIKE 'o%')"), ("s", "upper(s) = 'ONE'"), ("st", "st['a'] = 1"),
          ("st", "st['a'] IS NULL"), ("tags", "array_length(tags) > 0"), ("b", "b"), ("b", "NOT b"), ("b", "b IS NOT TRUE")]  # fmt: skip


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, deltasql.Connection]]:
    """A connection per reader, on a table of two files."""
    root = tmp_path_factory.mktemp("readers")
    data = pa.table({"n": pa.array(range(4), pa.int64()), **COLUMNS})
    write_deltalake(str(root / "t"), data.slice(0, 2))
    write_deltalake(str(root / "t"), data.slice(2), mode="append")
    with ExitStack() as stack:
        connections = {reader: stack.enter_context(deltasql.connect(root)) for reader in READERS}
        for reader, con in connections.items():
            con.sql(f"SET deltasql.reader = '{reader}'")
        yield connections


def _outcome(con: deltasql.Connection, query: str) -> object:
    try:
        return sorted(n for (n,) in con.sql(query))
    except deltasql.Error as error:
        return type(error)


def test_all_rows(readers: dict[str, deltasql.Connection]) -> None:
    tables = [con.sql("SELECT * FROM t ORDER BY n").to_arrow().to_pylist() for con in readers.values()]
    assert {repr(table) for table in tables} == {repr(tables[0])}
    expected = pa.table({"n": pa.array(range(4), pa.int64()), **COLUMNS}).to_pylist()
    assert repr(tables[0]).replace("zoneinfo.ZoneInfo(key='UTC')", "UTC") == repr(expected).replace(
        "zoneinfo.ZoneInfo(key='UTC')", "UTC"
    )


@pytest.mark.parametrize("column", list(COLUMNS))
def test_filters(readers: dict[str, deltasql.Connection], column: str) -> None:
    differ = []
    for name, predicate in CASES:
        if name == column:
            # The wanted rows are those of an expression in the SELECT list, which no reader is asked to filter by.
            plain = f"SELECT n FROM (SELECT n, CASE WHEN {predicate} THEN 1 ELSE 0 END AS holds FROM t OFFSET 0) WHERE holds = 1"
            query = f"SELECT n FROM t WHERE {predicate}"
            got = {reader: _outcome(con, query) for reader, con in readers.items()}
            got["unfiltered"] = _outcome(readers["listing"], plain)
            if len({repr(value) for value in got.values()}) > 1:
                differ.append((predicate, got))
    assert differ == []


@pytest.mark.parametrize("predicate", [
    "nan > 5",
    "nan = CAST('NaN' AS DOUBLE)",
    "nan <> CAST('NaN' AS DOUBLE)",
    "nan >= CAST('NaN' AS DOUBLE)",
    "nan > 1.5",
    "nan < 5",
    "nan IS NULL",
])  # fmt: skip
def test_nan(readers: dict[str, deltasql.Connection], predicate: str) -> None:
    """As in Spark, NaN is equal to itself and greater than any other number."""
    plain = (
        f"SELECT n FROM (SELECT n, CASE WHEN {predicate} THEN 1 ELSE 0 END AS holds FROM t OFFSET 0) WHERE holds = 1"
    )
    expected = _outcome(readers["listing"], plain)
    found = {reader: _outcome(con, f"SELECT n FROM t WHERE {predicate}") for reader, con in readers.items()}
    assert found == dict.fromkeys(READERS, expected)


@pytest.mark.parametrize("query", [
    "SELECT count(*) FROM t", "SELECT count(s), min(i), max(day), sum(dec) FROM t", "SELECT n FROM t ORDER BY n LIMIT 1 OFFSET 2",
    "SELECT b, count(*) FROM t GROUP BY b ORDER BY b", "SELECT a.n FROM t a JOIN t b ON a.i = b.ti ORDER BY 1",
    "SELECT s FROM t WHERE n IN (SELECT max(n) FROM t)", "SELECT st['a'], tags FROM t WHERE i = 1",
    "SELECT 1 FROM t WHERE s = 'one'", "SELECT n FROM t WHERE i = 1 OR s = '' ORDER BY n",
    "SELECT max(nan) FROM t WHERE n < 2", "SELECT n FROM t WHERE i > 100 ORDER BY n", "SELECT n FROM t WHERE i < -5 ORDER BY n LIMIT 1",
    "SELECT count(*), max(i) FROM t WHERE i > 100", "SELECT n FROM t WHERE f NOT IN (1.5, NULL)", "SELECT n FROM t WHERE i = 1 AND i = 2", "SELECT min(at), max(at), min(local) FROM t",
])  # fmt: skip
def test_queries(readers: dict[str, deltasql.Connection], query: str) -> None:
    assert len({repr(con.sql(query).fetchall()) for con in readers.values()}) == 1
