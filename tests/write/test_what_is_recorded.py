"""What the log says of each statement that writes, in Delta Lake's and delta-rs's own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.catalog.snapshot import Snapshot

_ON = "MERGE INTO t USING s ON t.id = s.id"


@pytest.mark.parametrize(
    ("statement", "operation", "parameters", "metrics"),
    [
        (
            "INSERT INTO t VALUES (9, 'n', 9)",
            "WRITE",
            {"mode": "Append", "predicate": None},
            {"num_added_files": 1, "num_added_rows": 1, "num_removed_files": 0},
        ),
        (
            "INSERT OVERWRITE t SELECT * FROM s",
            "WRITE",
            {"mode": "Overwrite"},
            {"num_added_files": 2, "num_added_rows": 3, "num_removed_files": 2},
        ),
        (
            "INSERT OVERWRITE t PARTITION (p = 'a') SELECT 5, 5",
            "WRITE",
            {"mode": "Overwrite", "predicate": "p = 'a'"},
            {"num_added_files": 1, "num_added_rows": 1, "num_removed_files": 1},
        ),
        (
            "INSERT INTO t REPLACE WHERE id = 1 SELECT 1, 'a', 5",
            "WRITE",
            {"mode": "Overwrite", "predicate": "id = 1"},
            {"num_added_rows": 1, "num_deleted_rows": 1, "num_copied_rows": 1, "num_removed_files": 1},
        ),
        (
            "UPDATE t SET v = 0 WHERE id = 1",
            "UPDATE",
            {"predicate": ["id = 1"]},
            {"num_added_files": 1, "num_removed_files": 1, "num_updated_rows": 1, "num_copied_rows": 1},
        ),
        ("UPDATE t SET v = 0", "UPDATE", {"predicate": None}, {"num_updated_rows": 4, "num_copied_rows": 0}),
        (
            "DELETE FROM t WHERE id = 1",
            "DELETE",
            {"predicate": ["id = 1"]},
            {"num_added_files": 1, "num_removed_files": 1, "num_deleted_rows": 1, "num_copied_rows": 1},
        ),
        (
            "DELETE FROM t WHERE p = 'a'",
            "DELETE",
            {"predicate": ["p = 'a'"]},
            {"num_added_files": 0, "num_removed_files": 1, "num_deleted_rows": 2, "num_copied_rows": 0},
        ),
        (
            "TRUNCATE TABLE t",
            "DELETE",
            {"predicate": None},
            {"num_added_files": 0, "num_removed_files": 2, "num_deleted_rows": 4},
        ),
        (
            f"{_ON} WHEN MATCHED AND s.v > 20 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v "
            "WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.id = 4 THEN DELETE",
            "MERGE",
            {
                "predicate": "t.id = s.id",
                "matchedPredicates": [{"actionType": "delete", "predicate": "s.v > 20"}, {"actionType": "update"}],
                "notMatchedPredicates": [{"actionType": "insert"}],
                "notMatchedBySourcePredicates": [{"actionType": "delete", "predicate": "t.id = 4"}],
            },
            {
                "num_source_rows": 3,
                "num_target_rows_updated": 1,
                "num_target_rows_deleted": 2,
                "num_target_rows_inserted": 1,
                "num_copied_rows": 1,
            },
        ),
        (
            f"{_ON} WHEN NOT MATCHED THEN INSERT *",
            "MERGE",
            {"notMatchedPredicates": [{"actionType": "insert"}], "matchedPredicates": []},
            {"num_target_rows_inserted": 1, "num_removed_files": 0, "num_copied_rows": 0, "num_source_rows": 3},
        ),
    ],
)
def test_the_log(
    tmp_path: Path, statement: str, operation: str, parameters: dict[str, Any], metrics: dict[str, int]
) -> None:
    with deltasql.connect(tmp_path, settings={"deltasql.commit.user_metadata": "why"}) as con:
        con.sql("CREATE TABLE t (id INT, p STRING, v INT) PARTITIONED BY (p)")
        con.sql("INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (4, 'b', 4)")
        con.sql("CREATE TABLE s AS SELECT * FROM (VALUES (1, 'a', 10), (2, 'a', 30), (7, 'c', 70)) AS s (id, p, v)")
        result = con.sql(statement)
    entry = tmp_path / "t" / "_delta_log" / f"{2:020d}.json"
    said = json.loads(entry.read_text(encoding="utf-8").splitlines()[0])["commitInfo"]
    assert said["operation"] == operation
    assert said["userMetadata"] == "why"
    assert said["deltasql.text"] == statement
    assert said["readVersion"] == 1
    assert result.version == 2
    assert result.metrics == said["operationMetrics"]
    assert metrics.items() <= said["operationMetrics"].items()
    told = {
        name: json.loads(value) if value.startswith("[") else value
        for name, value in said["operationParameters"].items()
    }
    assert {name: told.get(name) for name in parameters} == parameters


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (2)",
        "COPY INTO t FROM '{files}' FILEFORMAT = CSV",
        "INSERT INTO t SELECT 5 UNION ALL SELECT 6",
    ],
)
def test_a_blind_append_looks_at_no_file_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.csv").write_text("7\n", encoding="utf-8")
    with deltasql.connect(tmp_path / "root") as con:
        con.sql("CREATE TABLE t (id INT)")
        con.sql("INSERT INTO t VALUES (1)")
        monkeypatch.setattr(Snapshot, "files", property(lambda _: pytest.fail("the files were looked at")))
        con.sql(statement.format(files=tmp_path / "files"))
