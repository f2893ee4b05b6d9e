"""A DATE beside a TIMESTAMP is midnight where the session is, also as a parameter and in the list of an IN."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pyarrow as pa
import pytest

import deltasql

_DAY = dt.date(2024, 6, 2)


@pytest.fixture(scope="module")
def con() -> Iterator[deltasql.Connection]:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (id INT, u TIMESTAMP, d DATE, n TIMESTAMP_NTZ)")
        con.sql("SET time_zone = 'America/New_York'")
        con.sql(
            "INSERT INTO t VALUES (1, '2024-06-01 23:30:00', '2024-06-01', '2024-06-01 23:30:00'),"
            " (2, '2024-06-02 00:00:00', '2024-06-02', '2024-06-02 00:00:00'),"
            " (3, '2024-06-02 10:00:00', '2024-06-02', '2024-06-02 10:00:00')"
        )
        yield con


@pytest.mark.parametrize(
    ("condition", "values", "ids"),
    [
        ("u < ?", [_DAY], [1]),
        ("u < ?", [pa.scalar(_DAY)], [1]),
        ("? <= u", [_DAY], [2, 3]),
        ("u = ?", [_DAY], [2]),
        ("u BETWEEN ? AND ?", [_DAY, _DAY], [2]),
        ("u IN (?)", [_DAY], [2]),
        ("u IN (DATE '2024-06-02', TIMESTAMP '2024-06-02 10:00:00')", [], [2, 3]),
        ("u NOT IN (DATE '2024-06-02')", [], [1, 3]),
        ("(u) IN (d, NULL)", [], [2]),
        ("d IN (?, DATE '2024-06-01')", [_DAY], [1, 2, 3]),
        ("d = ?", [_DAY], [2, 3]),
        ("n = ?", [_DAY], [2]),
        ("n IN (DATE '2024-06-02')", [], [2]),
    ],
)
def test_days(con: deltasql.Connection, condition: str, values: list[object], ids: list[int]) -> None:
    rows = con.sql(f"SELECT id FROM t WHERE {condition} ORDER BY id", values or None).fetchall()
    assert [id for (id,) in rows] == ids
