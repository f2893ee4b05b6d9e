"""Every access path gives the rows that DataFusion finds in memory, whatever is pruned on the way."""

import datetime as dt
import decimal
import functools
import tempfile
from pathlib import Path

import datafusion
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

import deltasql

_UTC = dt.UTC
_POOL = {
    "i": [None, 0, 1, 2, 5, -7, 2**31 - 1],
    "f": [None, 0.0, -0.0, 1.5, -2.5, float("nan"), float("inf"), float("-inf")],
    "s": [None, "", "a", "A", "ab", "b", "ü/%", "x" * 40 + "y", "x" * 40 + "z"],
    "b": [None, True, False],
    "d": [None, dt.date(1900, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)],
    "t": [None, dt.datetime(2024, 1, 1, 0, 0, 0, 1500, _UTC), dt.datetime(2024, 1, 1, 0, 0, 0, 1999, _UTC)],
    "c": [None, decimal.Decimal("1.50"), decimal.Decimal("-0.01"), decimal.Decimal("99.99")],
}
_TYPES = {
    "i": pa.int32(),
    "f": pa.float64(),
    "s": pa.string(),
    "b": pa.bool_(),
    "d": pa.date32(),
    "t": pa.timestamp("us", "UTC"),
    "c": pa.decimal128(10, 2),
}
_LITERALS = {
    "i": ["0", "1", "3", "5"],
    "f": ["0", "1.5", "-3", "CAST('nan' AS DOUBLE)", "CAST('inf' AS DOUBLE)"],
    "s": ["''", "'a'", "'ab'", f"'{'x' * 40}z'"],
    "d": ["DATE '2024-02-29'", "DATE '2000-01-01'"],
    "t": ["TIMESTAMP '2024-01-01 00:00:00.001600'", "TIMESTAMP '2024-01-01 00:00:00.002'"],
    "c": ["1.5", "0", "99.99"],
}
_COMPARISON = st.sampled_from(sorted(_LITERALS)).flatmap(
    lambda name: st.builds(
        "{} {} {}".format,
        st.just(name),
        st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
        st.sampled_from(_LITERALS[name]),
    )
)
_ATOM = st.one_of(
    _COMPARISON,
    st.builds("{} IS {}NULL".format, st.sampled_from(sorted(_TYPES)), st.sampled_from(["", "NOT "])),
    st.sampled_from(
        ["b", "NOT b", "i IN (1, 5)", "s IN ('a', 'b')", "i NOT IN (0, 1)", "i BETWEEN 1 AND 4", "upper(s) = 'A'"]
    ),
    st.sampled_from(["s LIKE 'a%'", "i NOT BETWEEN 1 AND 4", "i + 1 = 2", "CASE WHEN b THEN i > 1 ELSE s = 'a' END"]),
)
_PREDICATE = st.recursive(
    _ATOM,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=5,
)


def _row(index: int) -> dict[str, object]:
    """A row that is another mix of the pools for each index, the same in every run."""
    return {
        "id": index,
        **{name: pool[(index * step + index // 7) % len(pool)] for step, (name, pool) in enumerate(_POOL.items(), 1)},
    }


@functools.cache
def _rows() -> pa.Table:
    schema = pa.schema([("id", pa.int64()), *_TYPES.items()])
    return pa.Table.from_pylist([_row(index) for index in range(60)], schema=schema)


@functools.cache
def _lake() -> deltasql.Connection:
    root = Path(tempfile.mkdtemp(prefix="deltasql-test-"))
    for name, partitions in {"plain": None, "by_s": ["s"], "by_i_d": ["i", "d"], "by_f": ["f"]}.items():
        for start in range(0, 60, 6):
            part = _rows().slice(start, 6)
            write_deltalake(root / name, part, mode="append", partition_by=partitions)
    return deltasql.connect(root)


@functools.cache
def _memory() -> datafusion.SessionContext:
    context = datafusion.SessionContext()
    context.register_record_batches("t", [_rows().to_batches()])
    return context


def _expected(table: str, predicate: str) -> list[int]:
    source = "t"
    if table == "by_s":
        # Delta protocol, "Partition Value Serialization": an empty string is a null partition value.
        source = "(SELECT id, i, f, nullif(s, '') AS s, b, d, t, c FROM t)"
    rows = _memory().sql(f"SELECT id FROM {source} WHERE {predicate}").to_pylist()
    return sorted(row["id"] for row in rows)


@pytest.mark.parametrize("table", ["plain", "by_s", "by_i_d", "by_f"])
@settings(max_examples=40, deadline=None)
@given(predicate=_PREDICATE)
def test_predicates(table, predicate):
    expected = _expected(table, predicate)
    for reader in ("listing", "scan", "dataset", "auto"):
        _lake().sql(f"SET deltasql.reader = '{reader}'")
        found = _lake().sql(f"SELECT id FROM {table} WHERE {predicate}").fetchall()
        assert sorted(row[0] for row in found) == expected, reader


@pytest.mark.parametrize("table", ["plain", "by_s", "by_i_d", "by_f"])
@pytest.mark.parametrize("name", sorted(_TYPES))
def test_aggregates(table, name):
    if table == f"by_{name}":
        pytest.skip("a partition value has no empty string, and one zero")
    query = f"SELECT count(*), count({name}), min({name}), max({name}), count(DISTINCT {name}) FROM "
    expected = [tuple(map(str, row.values())) for row in _memory().sql(query + "t").to_pylist()]
    for reader in ("listing", "scan", "dataset", "auto"):
        _lake().sql(f"SET deltasql.reader = '{reader}'")
        assert [tuple(map(str, row)) for row in _lake().sql(query + table).fetchall()] == expected, reader


@pytest.mark.parametrize(
    ("table", "predicate", "files"),
    [
        ("plain", "id = 7", 1),
        ("plain", "id BETWEEN 6 AND 17", 2),
        ("plain", "id IN (0, 59)", 2),
        ("plain", "id > 1000", 0),
        ("plain", "id >= 30 OR id < 6", 6),
        ("by_s", "s = 'ab'", None),
        ("by_s", "s = 'no such'", 0),
        ("plain", "upper(s) = 'A'", 10),
    ],
)
def test_files_kept(table, predicate, files):
    con = _lake()
    con.sql("SET deltasql.reader = 'auto'")
    plan = con.sql(f"EXPLAIN SELECT * FROM {table} WHERE {predicate}").fetchall()[-1][1]
    snapshot = con.session.catalog.find("default", table)
    total = len(snapshot.files)
    if files is None:
        column = snapshot.adds["partition.s"].to_pylist()
        files = column.count("ab")
        assert 0 < files < total
    assert f"{files} of {total} files" in plan


@pytest.mark.parametrize("reader", ["listing", "scan", "dataset", "auto"])
def test_a_column_is_not_constant_because_its_statistics_are(reader, tmp_path):
    # DataFusion reads a column as its least value where that is the greatest too, though no statistics have NaN.
    write_deltalake(tmp_path / "t", pa.table({"id": [1, 2, 3], "f": [1.5, float("nan"), 1.5]}))
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        assert [str(row[0]) for row in con.sql("SELECT f FROM t ORDER BY id")] == ["1.5", "nan", "1.5"]
        assert con.sql("SELECT count(*) FROM t WHERE f = 1.5").fetchall() == [(2,)]


def test_datafusion_still_reads_such_a_column_as_constant(tmp_path):
    # The day this fails, `may_look_constant` can go.
    write_deltalake(tmp_path / "t", pa.table({"f": [1.5, float("nan")]}))
    context = datafusion.SessionContext()
    context.register_parquet("t", str(tmp_path / "t"))
    assert [row["f"] for row in context.sql("SELECT f FROM t").to_pylist()] == [1.5, 1.5]
