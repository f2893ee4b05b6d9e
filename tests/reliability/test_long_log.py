"""A log of ten thousand commits, with a checkpoint and without: all goes on in it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

import deltasql

from .amounts import only_in_soak, times


def _lengthened(table: Path, commits: int) -> None:
    """Add so many commits, each of which sets a property, by writing the log's entries."""
    log = table / "_delta_log"
    metadata = next(
        json.loads(line)["metaData"] for line in (log / f"{0:020d}.json").read_text().splitlines() if "metaData" in line
    )
    for version in range(1, commits):
        info = {"timestamp": 1_700_000_000_000 + version, "operation": "SET TBLPROPERTIES", "txnId": str(uuid.uuid4())}
        configuration = {**metadata.get("configuration", {}), "n": str(version)}
        lines = ({"commitInfo": info}, {"metaData": {**metadata, "configuration": configuration}})
        (log / f"{version:020d}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_long_log(tmp_path: Path, checkpoint: bool) -> None:
    commits = times(600, 10_000)
    inserts = times(5, 50) if checkpoint else 5
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t TBLPROPERTIES ('delta.checkpointInterval' = '1000000') AS SELECT 1 AS a")
        _lengthened(tmp_path / "t", commits)
        if checkpoint:
            con.sql("CHECKPOINT t")
    with deltasql.connect(tmp_path) as con:
        assert con.sql("SELECT a FROM t").fetchall() == [(1,)]
        assert con.sql("SELECT a FROM t VERSION AS OF 7").fetchall() == [(1,)]
        for number in range(inserts):
            assert con.sql(f"INSERT INTO t VALUES ({number + 2})").version == commits + number
        assert con.sql("UPDATE t SET a = 0 WHERE a = 1").version is not None
        assert len(con.sql("DESCRIBE HISTORY t").fetchall()) == commits + inserts + 1
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(inserts + 1,)]
        con.sql("VACUUM t")
        con.sql("OPTIMIZE t")
        con.sql("RESTORE TABLE t TO VERSION AS OF 3")
        assert con.sql("SELECT a FROM t").fetchall() == [(1,)]


@only_in_soak
def test_thousands_of_statements(tmp_path: Path) -> None:
    """Two thousand commits by statements, with the checkpoints that they make, each seen by another connection."""
    with deltasql.connect(tmp_path) as con, deltasql.connect(tmp_path) as other:
        con.sql("CREATE TABLE t (a BIGINT) TBLPROPERTIES ('delta.checkpointInterval' = '50')")
        for number in range(2000):
            con.sql(f"INSERT INTO t VALUES ({number})")
            if number % 20 == 0:
                assert other.sql("SELECT count(*), sum(a) FROM t").fetchall() == [
                    (number + 1, number * (number + 1) // 2)
                ]
            if number % 200 == 199:
                con.sql("OPTIMIZE t")
        assert con.sql("SELECT count(DISTINCT a) FROM t").fetchall() == [(2000,)]
