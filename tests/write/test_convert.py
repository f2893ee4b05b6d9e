"""CONVERT TO DELTA: files of any writer become a table, or are refused with the column's name."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import deltasql
from tests.write.making import actions, refused

AT = dt.datetime(2024, 1, 1, 1, 2, 3, 456789)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    (tmp_path / "root").mkdir()
    with deltasql.connect(tmp_path / "root") as con:
        yield con


def table(n: int) -> pa.Table:
    """Two rows of every type, the second NULL or the like."""
    return pa.table(
        {
            "id": pa.array([n, n + 1], pa.int64()),
            "s": ["a" * 40, None],
            "f": [1.5, float("nan")],
            "d": pa.array([dt.date(2024, 1, n), None]),
            "ts": pa.array([AT, None], pa.timestamp("us", "UTC")),
            "ms": pa.array([AT.replace(microsecond=0), None], pa.timestamp("ms")),
            "dec": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(10, 2)),
            "b": [True, None],
            "l": [[1, 2], None],
            "st": [{"x": 1}, None],
            "bin": [b"a", None],
            "i8": pa.array([1, 2], pa.int8()),
            "large": pa.array(["x", "y"], pa.large_string()),
            "cat": pa.array(["u", "v"]).dictionary_encode(),
        }
    )


def write(path: Path, rows: pa.Table, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, **options)
    return path


def convert(con: deltasql.Connection, name: str, rest: str = "") -> deltasql.Result:
    return con.sql(f"CONVERT TO DELTA parquet.`{con.root}/{name}` {rest}")


def test_all_types_and_what_the_log_says_of_them(con: deltasql.Connection) -> None:
    root = Path(con.root)
    write(root / "t" / "a.parquet", table(1))
    write(root / "t" / "sub dir" / "b ü%.parquet", table(3), store_decimal_as_integer=True)
    (root / "t" / "_SUCCESS").touch()
    before = {path: path.read_bytes() for path in root.rglob("*.parquet")}
    assert convert(con, "t").version == 0
    assert {path: path.read_bytes() for path in root.rglob("*.parquet")} == before
    assert con.sql("SELECT id, s, d, ms, dec, l, st, large, cat FROM t WHERE id IN (1, 4) ORDER BY id").fetchall() == [
        (
            1,
            "a" * 40,
            dt.date(2024, 1, 1),
            AT.replace(microsecond=0),
            decimal.Decimal("1.50"),
            [1, 2],
            {"x": 1},
            "x",
            "u",
        ),
        (4, None, None, None, None, None, None, "y", "v"),
    ]
    stats = json.loads(actions(root / "t", "add")[0]["stats"])
    assert stats["numRecords"] == 2
    # NaN isn't in the footer's bounds, lists have no count of NULLs there, and milliseconds aren't microseconds.
    assert not {"f", "l", "ms", "bin"} & set(stats["minValues"])
    assert not {"l", "ms"} & set(stats["nullCount"])
    assert stats["minValues"]["ts"] == "2024-01-01T01:02:03.456Z"
    assert stats["maxValues"]["ts"] == "2024-01-01T01:02:03.457Z"
    for predicate, count in {
        "id = 4": 1, "d = DATE '2024-01-03'": 1, "dec > 1": 2, "f > 0": 4, "s IS NULL": 2, "l IS NULL": 2,
        "large = 'x'": 2, "cat = 'v'": 2, "ms >= TIMESTAMP '2024-01-01 00:00:00'": 2, "st['x'] = 1": 2, "b": 2,
    }.items():  # fmt: skip
        assert con.sql(f"SELECT count(*) FROM t WHERE {predicate}").fetchall() == [(count,)], predicate
    assert pa.table(DeltaTable(str(root / "t")).scan()).num_rows == 4
    assert pl.scan_delta(str(root / "t")).filter(pl.col("id") > 2).collect().height == 2
    con.sql("UPDATE t SET s = 'z' WHERE id = 1")
    con.sql("INSERT INTO t (id) VALUES (9)")
    assert con.sql("SELECT count(*), count(s) FROM t").fetchall() == [(5, 2)]


def test_partitions_come_from_the_folders(con: deltasql.Connection) -> None:
    root = Path(con.root)
    rows = pa.table({"id": [1]})
    write(root / "t" / "day=2024-01-01" / "K=a%20b" / "x.parquet", rows)
    write(root / "t" / "day=2024-01-02" / "K=__HIVE_DEFAULT_PARTITION__" / "x.parquet", rows)
    convert(con, "t", "PARTITIONED BY (day DATE, k STRING)")
    found = con.sql('SELECT id, day, "K" FROM t ORDER BY day').fetchall()
    assert found == [(1, dt.date(2024, 1, 1), "a b"), (1, dt.date(2024, 1, 2), None)]
    polars = pl.scan_delta(str(root / "t")).select("id", "day", "K").sort("day").collect().rows()
    assert polars == found
    con.sql("INSERT INTO t VALUES (2, '2024-01-03', 'c')")
    assert con.sql("SELECT count(*) FROM t WHERE day > DATE '2024-01-01'").fetchall() == [(2,)]


def test_columns_of_all_files(con: deltasql.Connection) -> None:
    root = Path(con.root)
    write(root / "t" / "a.parquet", pa.table({"a": [1], "st": [{"x": 1}]}))
    write(root / "t" / "b.parquet", pa.table({"b": ["x"], "a": [2], "st": [{"y": "z", "x": 2}]}))
    convert(con, "t")
    assert con.sql("SELECT a, b, st FROM t ORDER BY a").fetchall() == [
        (1, None, {"x": 1, "y": None}),
        (2, "x", {"x": 2, "y": "z"}),
    ]


def test_instants_in_int96_are_instants(con: deltasql.Connection) -> None:
    rows = pa.table({"ts": pa.array([AT, dt.datetime(9999, 12, 31)], pa.timestamp("us"))})
    write(Path(con.root) / "t" / "a.parquet", rows, use_deprecated_int96_timestamps=True)
    convert(con, "t")
    found = [row[0].replace(tzinfo=None) for row in con.sql("SELECT ts FROM t ORDER BY ts")]
    assert found == rows["ts"].to_pylist()


def test_no_statistics_leaves_the_count_of_rows(con: deltasql.Connection) -> None:
    write(Path(con.root) / "t" / "a.parquet", table(1))
    convert(con, "t", "NO STATISTICS")
    (add,) = actions(Path(con.root) / "t", "add")
    assert json.loads(add["stats"])["minValues"] == {}
    assert con.sql("SELECT count(*) FROM t WHERE id = 2").fetchall() == [(1,)]


def test_a_folder_outside_of_the_root_gets_its_name(con: deltasql.Connection, tmp_path: Path) -> None:
    write(tmp_path / "Outside" / "a.parquet", table(1))
    sql = f"CONVERT TO DELTA parquet.`{tmp_path}/Outside`"
    con.sql(sql)
    assert con.sql("SELECT count(*) FROM outside").fetchall() == [(2,)]
    assert con.sql(sql).version is None
    write(tmp_path / "other" / "outside" / "a.parquet", table(1))
    other = f"CONVERT TO DELTA parquet.`{tmp_path}/other/outside`"
    refused(con, other, deltasql.AlreadyExists, "`Outside` exists already")


@pytest.mark.parametrize(
    ("column", "match"),
    [
        (pa.array(["a"], pa.string_view()), "string_view"),
        (pa.array([b"a"], pa.binary_view()), "binary_view"),
        (pa.array([1], pa.uint32()), "uint32"),
        (pa.array([1], pa.time64("us")), "time64"),
        (pa.array([AT], pa.timestamp("ns")), "timestamp\\[ns\\]"),
        (pa.nulls(1), "null"),
        (pa.array([b"ab"], pa.binary(2)), "fixed_size_binary"),
        (pa.array([{"x": 1}], pa.struct([("x", pa.uint8())])), "uint8"),
        (pa.array([1], pa.duration("us")), "duration"),
    ],
)
def test_types_that_a_table_hasnt(con: deltasql.Connection, column: pa.Array, match: str) -> None:
    write(Path(con.root) / "t" / "a.parquet", pa.table({"odd": column}))
    sql = f"CONVERT TO DELTA parquet.`{con.root}/t`"
    refused(con, sql, deltasql.NotSupportedError, f"column `odd` of `.*` is of type `{match}")


@pytest.mark.parametrize(
    ("files", "rest", "kind", "match"),
    [
        ({"a": {"a": [1]}, "b": {"a": ["x"]}}, "", deltasql.SchemaMismatch, "as string, another file as int64"),
        ({"a": {"a": [1]}, "b": {"A": [1]}}, "", deltasql.SchemaMismatch, "calls `A`"),
        ({"k=1/a": {"a": [1]}}, "", deltasql.PlanError, "in folders of \\['k'\\]"),
        ({"k=1/a": {"a": [1]}}, "PARTITIONED BY (j INT)", deltasql.PlanError, "in folders of \\['k'\\]"),
        ({"k=1/a": {"a": [1]}, "b": {"a": [1]}}, "PARTITIONED BY (k INT)", deltasql.PlanError, "no folder"),
        ({"k=1/a": {"a": [1]}}, "PARTITIONED BY (k DATE)", deltasql.DataError, "doesn't fit column `k`"),
        ({"k=1/a": {"k": [1]}}, "PARTITIONED BY (k INT)", deltasql.SchemaMismatch, "the files hold the column `k`"),
        ({"a": {"a": [1]}}, "PARTITIONED BY (k INT)", deltasql.PlanError, "no folder of a partition"),
    ],
)
def test_files_that_are_no_table(
    con: deltasql.Connection, files: dict[str, dict[str, list[object]]], rest: str, kind: type[Exception], match: str
) -> None:
    for name, columns in files.items():
        write(Path(con.root) / "t" / f"{name}.parquet", pa.table(columns))
    refused(con, f"CONVERT TO DELTA parquet.`{con.root}/t` {rest}", kind, match)


def test_a_commit_that_fails_leaves_the_folder(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise deltasql.StorageError("the disk is full")

    write(Path(con.root) / "t" / "a.parquet", table(1))
    (Path(con.root) / "t" / "empty").mkdir()
    monkeypatch.setattr("deltasql.write.commit._put_first", broken)
    refused(con, f"CONVERT TO DELTA parquet.`{con.root}/t`", deltasql.StorageError, "the disk is full")
