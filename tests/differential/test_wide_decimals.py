"""Decimals of more digits than a double holds: delta-rs rounds their bounds in the log, where files are pruned by them."""

from __future__ import annotations

from pathlib import Path

import pytest

import deltasql

_VALUES = [
    ("DECIMAL(38, 0)", "536800683775342889772391692764276558"),
    ("DECIMAL(19, 0)", "7126684924532449005"),
    ("DECIMAL(20, 0)", "-41694423621858983313"),
    ("DECIMAL(18, 2)", "8743553039476079.24"),
    ("DECIMAL(18, 17)", "0.60780790391959201"),
    ("DECIMAL(38, 10)", "7596663835767535.6833069047"),
]


@pytest.mark.parametrize(("type", "value"), _VALUES)
def test_a_row_is_found_by_its_value(tmp_path: Path, type: str, value: str) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (k {type}, v INT)")
        con.sql(f"INSERT INTO t VALUES ('{value}', 0)")
        con.sql("INSERT INTO t VALUES (0, 0)")
        wanted = f"CAST('{value}' AS {type})"
        assert con.sql(f"SELECT v FROM t WHERE k = {wanted}").fetchall() == [(0,)]
        merge = f"MERGE INTO t USING (SELECT {wanted} AS k) AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = 1"
        assert con.sql(merge).fetchall() == [(1, 1, 0, 0)]
        assert con.sql(f"UPDATE t SET v = 2 WHERE k = {wanted}").fetchall() == [(1,)]
        assert con.sql(f"DELETE FROM t WHERE k = {wanted} AND v = 2").fetchall() == [(1,)]
