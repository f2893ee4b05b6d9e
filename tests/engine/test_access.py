"""Which way a table is read, and what isn't opened because the log answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import deltasql

DAYS = 80


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("access")
    rows = pa.table(
        {
            "day": pa.array([n % DAYS for n in range(800)], pa.int32()),
            "region": ["north" if n % 2 else None for n in range(800)],
            "id": range(800),
            "price": [float("nan") if n == 7 else n / 2 for n in range(800)],
            "name": [f"{n:03}" + "x" * 100 for n in range(800)],
        }
    )
    write_deltalake(root / "days", rows, partition_by=["day"])
    write_deltalake(root / "regions", rows, partition_by=["region"])
    write_deltalake(root / "plain", rows.slice(0, 400))
    write_deltalake(root / "plain", rows.slice(400), mode="append")
    return root


@pytest.fixture
def con(lake: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(lake, read_only=True) as connection:
        yield connection


def _how(con: deltasql.Connection, query: str) -> str:
    """EXPLAIN's line on the one table of a query, from the number of files on."""
    lines = [text for kind, text in con.sql(f"EXPLAIN {query}") if kind.startswith("table ")]
    assert len(lines) == 1
    found = re.search(r"version \d+, (.*)", lines[0])
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("query", "how"),
    [
        ("SELECT id FROM plain WHERE id = 5", "2 of 2 files, read by listing (Parquet alone holds it)"),
        ("SELECT * FROM days WHERE day = 3", "1 of 80 files, read by listing (Parquet alone holds it)"),
        ("SELECT * FROM days", "80 of 80 files, read by scan (more than 64 partitions are read)"),
        ("SELECT sum(id) FROM days", "80 of 80 files, read by listing (Parquet alone holds it)"),
        (
            "SELECT * FROM days WHERE day > 1000",
            "0 of 80 files, nothing read (no file can hold a row that is asked for)",
        ),
        (
            "SELECT * FROM days WHERE day IN (1, 2) AND id < 2",
            "1 of 80 files, read by listing (Parquet alone holds it)",
        ),
        (
            "SELECT count(DISTINCT day) FROM days",
            "0 of 80 files, answered by the log (only values of partition columns are asked for, each once)",
        ),
        (
            "SELECT DISTINCT day FROM days WHERE day < 7 AND day IS NOT NULL",
            "0 of 80 files, answered by the log (only values of partition columns are asked for, each once)",
        ),
        ("SELECT count(day) FROM days", "80 of 80 files, read by scan (more than 64 partitions are read)"),
        ("SELECT day, count(*) FROM regions GROUP BY day", "2 of 2 files, read by listing (Parquet alone holds it)"),
    ],
)
def test_how(con: deltasql.Connection, query: str, how: str) -> None:
    assert _how(con, query) == how
    assert con.sql(query).to_arrow().num_rows >= 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT count(DISTINCT day), min(day), max(day) FROM days", [(80, 0, 79)]),
        ("SELECT DISTINCT region FROM regions ORDER BY 1", [("north",), (None,)]),
        ("SELECT region FROM regions GROUP BY region HAVING region IS NULL", [(None,)]),
        ("SELECT count(DISTINCT region), count(*) FROM regions", [(1, 800)]),
        ("SELECT count(DISTINCT region) FROM regions WHERE id = 2", [(0,)]),
        ("SELECT count(DISTINCT day) FROM days WHERE id = 85", [(1,)]),
        ("SELECT max(day) FROM days WHERE day < (SELECT max(day) FROM days)", [(78,)]),
        ("SELECT (SELECT max(id) FROM days), day FROM days WHERE id = 3", [(799, 3)]),
        ("SELECT count(*) FROM days WHERE day = 1 AND id < (SELECT max(id) FROM days WHERE day = 2)", [(10,)]),
        ("SELECT sum(DISTINCT day) FROM days WHERE day < 3", [(3,)]),
        ("SELECT count(DISTINCT upper(region)) FROM regions", [(1,)]),
    ],
)
def test_what_the_log_knows_is_right(con: deltasql.Connection, query: str, expected: list[tuple[object, ...]]) -> None:
    assert con.sql(query).fetchall() == expected


def test_the_log_does_not_answer_for_a_partition_without_rows(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "t", pa.table({"p": [1, 2], "v": [1, 2]}), partition_by=["p"])
    write_deltalake(tmp_path / "u", pa.table({"p": [1, 2], "v": [1, 2]}), partition_by=["p"])
    for entry in (tmp_path / "u" / "_delta_log").glob("*.json"):
        text = entry.read_text().replace('\\"numRecords\\":1', '\\"numRecords\\":0')
        entry.write_text(text)
    for entry in (tmp_path / "t" / "_delta_log").glob("*.json"):
        entry.write_text(re.sub(r'"stats":"(?:[^"\\]|\\.)*",?', "", entry.read_text()))
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT count(DISTINCT p) FROM t").fetchall() == [(2,)]
        assert "read by listing" in _how(con, "SELECT count(DISTINCT p) FROM t")
        assert con.sql("SELECT count(DISTINCT p) FROM u").fetchall() == [(0,)]


def test_counts_come_from_footers(lake: Path, con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page of data is read for counts and for least and greatest values: the bytes scanned are none."""
    assert (
        _how(con, "SELECT count(*) FROM regions")
        == "2 of 2 files, read by footers (only the number of rows is asked for)"
    )
    for query in (
        "SELECT count(*) FROM plain",
        "SELECT min(id), max(id) FROM plain",
        "SELECT min(id), max(id) FROM regions",
    ):
        plan = "\n".join(text for kind, text in con.sql(f"EXPLAIN {query}") if kind == "physical_plan")
        assert "PlaceholderRowExec" in plan, plan
        assert "DataSourceExec" not in plan


@pytest.mark.parametrize("writer", ["delta-rs", "pyarrow"])
def test_cut_statistics_are_no_answer(tmp_path: Path, writer: str) -> None:
    """Footers and logs keep the front of long strings only."""
    low, high = "a" * 200 + "1", "z" * 200 + "9"
    rows = pa.table({"s": [low, high, "m"], "b": [low.encode(), high.encode(), b"m"]})
    write_deltalake(tmp_path / "t", rows)
    if writer == "pyarrow":
        (file,) = (tmp_path / "t").glob("*.parquet")
        before = file.stat().st_size
        pq.write_table(rows, file)
        (entry,) = (tmp_path / "t" / "_delta_log").glob("*.json")
        entry.write_text(entry.read_text().replace(f'"size":{before}', f'"size":{file.stat().st_size}'))
    with deltasql.connect(tmp_path) as con:
        for reader in ("listing", "scan", "dataset"):
            con.sql(f"SET deltasql.reader = '{reader}'")
            assert con.sql("SELECT min(s), max(s), min(b), max(b) FROM t").fetchall() == [
                (low, high, low.encode(), high.encode())
            ]


def test_joins_see_row_counts_and_dynamic_filters_reach_the_scan(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "big", pa.table({"id": range(10_000), "f": [n / 2 for n in range(10_000)]}))
    write_deltalake(tmp_path / "small", pa.table({"id": [5, 6]}))
    with deltasql.connect(tmp_path) as con:
        for order in ("big JOIN small USING (id)", "small JOIN big USING (id)"):
            query = f"SELECT count(f) FROM {order}"
            lines = [text for kind, text in con.sql(f"EXPLAIN {query}") if kind == "physical_plan"]
            join = next(index for index, line in enumerate(lines) if "HashJoinExec" in line)
            below = [line for line in lines[join:] if "DataSourceExec" in line]
            assert ["small" in line for line in below] == [True, False], "the smaller side is the build side"
            assert "DynamicFilter" in below[1]
            assert con.sql(query).fetchall() == [(2,)]


def test_a_partition_filter_opens_only_its_files(tmp_path: Path) -> None:
    rows = pa.table({"p": range(300), "v": range(300)})
    write_deltalake(tmp_path / "t", rows, partition_by=["p"])
    for folder in (tmp_path / "t").glob("p=*"):
        if folder.name != "p=7":
            for file in folder.iterdir():
                file.write_bytes(b"not to be opened")
    with deltasql.connect(tmp_path) as con:
        for reader in ("auto", "scan", "dataset"):
            con.sql(f"SET deltasql.reader = '{reader}'")
            assert con.sql("SELECT v FROM t WHERE p = 7").fetchall() == [(7,)]
            assert _how(con, "SELECT v FROM t WHERE p = 7").startswith("1 of 300 files")


def test_a_listing_that_does_not_work_is_not_used(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DataFusion's plan message may change with its version: that is noticed, and told."""
    monkeypatch.setattr("deltasql.engine.listing.with_paths", lambda plan, paths: plan)
    with deltasql.connect(lake) as con:
        how = _how(con, "SELECT id FROM plain")
        assert how == "2 of 2 files, read by scan (DataFusion's plan message isn't the one that deltasql knows)"
        assert con.sql("SELECT count(*) FROM plain").fetchall() == [(800,)]


@pytest.mark.parametrize("reader", ["listing", "dataset"])
def test_a_forced_path_that_cannot_read_says_so(tmp_path: Path, reader: str) -> None:
    table = pa.table({"p": pa.array([b"a"]), "v": [1]})
    write_deltalake(tmp_path / "t", table, partition_by=["p"])
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        message = f"`t` can't be read by `{reader}`: the table is partitioned by a BINARY"
        with pytest.raises(deltasql.NotSupportedError, match=re.escape(message)):
            con.sql("SELECT * FROM t")
