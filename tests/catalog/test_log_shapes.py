"""An entry whose actions hold other types than the protocol says is named, whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import deltasql
from deltasql.catalog import log

_WRONG: list[dict[str, Any]] = [
    {"add": []},
    {"add": {"size": 1}},
    {"add": {"path": True}},
    {"remove": {"path": 1}},
    {"cdc": {"path": ["x"]}},
    {"add": {"path": "x", "size": "1"}},
    {"add": {"path": "x", "size": True}},
    {"add": {"path": "x", "stats": {}}},
    {"add": {"path": "x", "partitionValues": []}},
    {"add": {"path": "x", "partitionValues": {"a": 1}}},
    {"add": {"path": "x", "deletionVector": "x"}},
    {"metaData": {"configuration": {"a": None, "b": 1}}},
    {"metaData": {"schemaString": {}}},
    {"protocol": {"readerFeatures": "x"}},
]


@pytest.mark.parametrize("action", _WRONG, ids=json.dumps)
def test_what_is_of_another_type_is_an_error(tmp_path: Path, action: dict[str, Any]) -> None:
    entry = tmp_path / "00000000000000000001.json"
    entry.write_text(json.dumps(action))
    with pytest.raises(deltasql.StorageError, match=r"00000000000000000001\.json` can't be read: "):
        list(log.actions(entry))


def test_what_is_null_is_not_there(tmp_path: Path) -> None:
    entry = tmp_path / "00000000000000000001.json"
    entry.write_text('{"add": null, "remove": {"path": "x", "partitionValues": null, "size": null}, "other": 1}')
    assert list(log.actions(entry)) == [{"remove": {"path": "x", "partitionValues": None, "size": None}, "other": 1}]


def test_a_change_feed_over_such_an_entry(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t AS SELECT 1 AS a")
        con.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
        con.sql("INSERT INTO t VALUES (2)")
        entry = tmp_path / "t" / "_delta_log" / f"{2:020d}.json"
        lines = [json.loads(line) for line in entry.read_text().splitlines()]
        for line in lines:
            if "add" in line:
                line["add"]["path"] = True
        con.sql("INSERT INTO t VALUES (3)")
        entry.write_text("\n".join(map(json.dumps, lines)))
        with pytest.raises(deltasql.StorageError, match=f"{entry.name}"):
            con.sql("SELECT * FROM table_changes('t', 1)").to_arrow()
