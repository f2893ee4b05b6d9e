"""MERGE opens only those files of its target that can hold a row which the source's values match."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import deltasql
from deltasql.errors import StorageError

_UPDATES = "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)"
_INSERTS = "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)"


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    """A table of four files, of which all but that with the rows 200 to 299 can't be read any more."""
    with deltasql.connect(tmp_path) as connection:
        connection.sql("CREATE TABLE t (id INT, v INT, small TINYINT, p STRING) PARTITIONED BY (p)")
        for number in range(4):
            rows = f"SELECT {number * 100} + value, 0, {number}, 'p{number % 2}' FROM range(0, 100)"
            connection.sql(f"INSERT INTO t {rows}")
        for file in (tmp_path / "t").rglob("*.parquet"):
            if 250 not in pq.read_table(file)["id"].to_pylist():
                file.write_bytes(b"x" * file.stat().st_size)
        yield connection


@pytest.mark.parametrize(
    ("source", "condition", "clauses", "counts"),
    [
        ("SELECT CAST(250 AS INT) AS id, 7 AS v", "t.id = s.id", _UPDATES, (1, 1, 0, 0)),
        # Integers of another width, as literals and frames have them
        ("SELECT 250 AS id, 7 AS v", "t.id = s.id", _UPDATES, (1, 1, 0, 0)),
        ("SELECT 250 AS id, 7 AS v", "s.id = t.id AND t.p = 'p0'", _UPDATES, (1, 1, 0, 0)),
        ("SELECT 2 AS small, 250 AS id, 7 AS v", "t.small = s.small", "WHEN MATCHED THEN DELETE", (100, 0, 100, 0)),
        # Values that the column can't have, and none
        ("SELECT unnest([250, 5000000000, NULL, -9223372036854775808]) AS id, 7 AS v", "t.id = s.id",
         "WHEN MATCHED THEN UPDATE SET v = s.v", (1, 1, 0, 0)),
        ("SELECT unnest([2, 2000, NULL, -129]) AS small, 7 AS v", "t.small = s.small",
         "WHEN MATCHED THEN UPDATE SET v = s.v", (100, 100, 0, 0)),
        # Many values: their bounds
        ("SELECT value AS id, 7 AS v FROM range(210, 290)", "t.id = s.id", _UPDATES, (80, 80, 0, 0)),
        # An anti-join
        ("SELECT 250 AS id, 7 AS v", "t.id = s.id", _INSERTS, (0, 0, 0, 0)),
        ("SELECT unnest([250, 999]) AS id, 7 AS v", "t.id = s.id", _INSERTS, (1, 0, 0, 1)),
    ],
)  # fmt: skip
def test_other_files_arent_opened(
    con: deltasql.Connection, source: str, condition: str, clauses: str, counts: tuple[int, ...]
) -> None:
    merged = con.sql(f"MERGE INTO t USING ({source}) AS s ON {condition} {clauses}")
    assert merged.fetchall() == [counts]


@pytest.mark.parametrize(
    ("source", "condition", "clauses"),
    [
        ("SELECT 250 AS id, 7 AS v", "t.id = s.id OR t.v = s.v", _UPDATES),
        ("SELECT 250 AS id, 7 AS v", "t.id = s.id", "WHEN NOT MATCHED BY SOURCE THEN DELETE"),
        ("SELECT 150 AS id, 7 AS v", "t.id = s.id", _UPDATES),
    ],
)
def test_all_that_can_hold_a_row_are(con: deltasql.Connection, source: str, condition: str, clauses: str) -> None:
    with pytest.raises(StorageError, match="is no whole Parquet file"):
        con.sql(f"MERGE INTO t USING ({source}) AS s ON {condition} {clauses}")
    assert con.sql("SELECT max(version) FROM table_history('t')").fetchall() == [(4,)]
