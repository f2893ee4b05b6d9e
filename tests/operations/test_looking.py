"""DESCRIBE, SHOW and information_schema: over tables by others, and over many without opening them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import deltasql
from deltasql.catalog.catalog import Catalog, TableEntry
from deltasql.catalog.snapshot import Snapshot
from tests.corpora import Expected, expected


def test_a_function_without_arguments_names_its_column() -> None:
    with deltasql.connect() as con:
        query = "SELECT CURRENT_SCHEMA(), 1 AS x, current_catalog(), upper(current_database()) AS u"
        assert con.sql(query).columns == ["current_schema()", "x", "current_catalog()", "u"]
        assert con.sql(query).fetchall() == [("default", 1, "main", "DEFAULT")]


_CASES = [pytest.param(case, id=str(case)) for case in expected() if case.version is None and case.outcome == "rows"]


@pytest.mark.parametrize("case", _CASES)
def test_tables_by_others(corpora: Path, case: Expected) -> None:
    location = corpora / case.table
    source = f"delta.`{location}`"
    handle = DeltaTable(str(location))
    names = [field.name for field in handle.schema().fields]
    with deltasql.connect() as con:
        detail = con.sql(f"DESCRIBE DETAIL {source}").to_arrow()
        (row,) = detail.to_pylist(maps_as_pydicts="strict")
        assert row["id"] == str(handle.metadata().id)
        assert row["properties"] == handle.metadata().configuration
        assert row["partitionColumns"] == handle.metadata().partition_columns
        assert row["numFiles"] == len(handle.get_add_actions())
        assert (row["minReaderVersion"], row["minWriterVersion"]) == (
            handle.protocol().min_reader_version,
            handle.protocol().min_writer_version,
        )
        assert set(handle.protocol().reader_features or ()) <= set(row["tableFeatures"])
        assert con.sql(f"SELECT * FROM (DESCRIBE DETAIL {source})").to_arrow() == detail
        assert con.sql(f"SHOW COLUMNS IN {source}").to_arrow()["col_name"].to_pylist() == names
        described = con.sql(f"DESCRIBE {source}").fetchall()
        assert [name for name, _, _ in described[: len(names)]] == names
        assert con.sql(f"DESCRIBE EXTENDED {source}").fetchall()[: len(described)] == described
        ((text,),) = con.sql(f"DESCRIBE EXTENDED {source} AS JSON").fetchall()
        assert [column["name"] for column in json.loads(text)["columns"]] == names
        properties: dict[str, str] = dict(con.sql(f"SHOW TBLPROPERTIES {source}").fetchall())
        assert properties.items() >= handle.metadata().configuration.items()
        history = con.sql(f"DESCRIBE HISTORY {source} LIMIT 1").to_arrow()
        assert history["version"].to_pylist() in ([handle.version()], [])
        if row["partitionColumns"]:
            found = con.sql(f"SHOW PARTITIONS {source}").to_arrow()["partition"].to_pylist()
            adds = pa.table(handle.get_add_actions())
            assert len(found) == len({str(values) for values in adds["partition"].to_pylist()})


def test_details_of_an_older_table_are_those_of_the_newest_version(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT)")
        before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
        con.sql("INSERT INTO t VALUES (1)")
        con.sql("INSERT INTO t VALUES (2)")
        (row,) = con.sql("DESCRIBE DETAIL t").to_arrow().to_pylist()
        files = list((tmp_path / "t").glob("*.parquet"))
        assert (row["numFiles"], row["sizeInBytes"]) == (2, sum(file.stat().st_size for file in files))
        assert before < row["createdAt"] <= row["lastModified"] <= dt.datetime.now(dt.UTC)
        assert row["lastModified"] == con.sql("DESCRIBE HISTORY t LIMIT 1").to_arrow()["timestamp"][0].as_py()


def test_facts_of_a_table(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT) COMMENT 'a table' TBLPROPERTIES ('a' = 'b', 'c' = 'd')")
        rows = con.sql("DESCRIBE EXTENDED t").fetchall()
        facts = {name: fact for name, fact, _ in rows[rows.index(("# Detailed Table Information", "", "")) + 1 :]}
        made = dt.datetime.strptime(facts.pop("Created Time"), "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=dt.UTC)
        assert abs(dt.datetime.now(dt.UTC) - made) < dt.timedelta(minutes=1)
        assert facts == {
            "Catalog": "main",
            "Database": "default",
            "Table": "t",
            "Type": "MANAGED",
            "Comment": "a table",
            "Location": str(tmp_path / "t"),
            "Provider": "delta",
            "Table Properties": "[a=b,c=d]",
        }


def test_as_json_in_sparks_words(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(
            "CREATE TABLE t (a TINYINT DEFAULT 1, b VARCHAR(3) COMMENT 'x', c DECIMAL(5,2) NOT NULL, d TIMESTAMP, "
            "e DATE GENERATED ALWAYS AS (CAST(d AS DATE)), f ARRAY<STRUCT<x: BIGINT NOT NULL>>, g MAP<STRING, SMALLINT>)"
            " PARTITIONED BY (a) COMMENT 'y' TBLPROPERTIES ('k' = 'v')"
        )
        ((text,),) = con.sql("DESCRIBE EXTENDED t AS JSON").fetchall()
        found = json.loads(text)
        found.pop("created_time")
        types = {column["name"]: column["type"] for column in found["columns"]}
        rest = [{key: value for key, value in column.items() if key != "type"} for column in found.pop("columns")]
        long = {"name": "x", "type": {"name": "bigint"}, "nullable": False}
        assert types == {
            "a": {"name": "tinyint"},
            "b": {"name": "varchar", "length": 3},
            "c": {"name": "decimal", "precision": 5, "scale": 2},
            "d": {"name": "timestamp_ltz"},
            "e": {"name": "date"},
            "f": {"name": "array", "element_type": {"name": "struct", "fields": [long]}, "element_nullable": True},
            "g": {
                "name": "map",
                "key_type": {"name": "string"},
                "value_type": {"name": "smallint"},
                "value_nullable": True,
            },
        }
        assert rest == [
            {"name": "a", "nullable": True, "default": "1"},
            {"name": "b", "comment": "x", "nullable": True},
            {"name": "c", "nullable": False},
            {"name": "d", "nullable": True},
            {"name": "e", "nullable": True, "generation_expression": "CAST(d AS DATE)"},
            {"name": "f", "nullable": True},
            {"name": "g", "nullable": True},
        ]
        assert found == {
            "table_name": "t",
            "catalog_name": "main",
            "namespace": ["default"],
            "schema_name": "default",
            "type": "MANAGED",
            "provider": "delta",
            "location": str(tmp_path / "t"),
            "comment": "y",
            "table_properties": {"k": "v"},
            "partition_columns": ["a"],
        }


@pytest.mark.parametrize(
    ("query", "opened"),
    [
        ("SELECT table_name FROM information_schema.tables", []),
        ("SELECT * FROM information_schema.tables t JOIN information_schema.views v USING (table_name)", []),
        ("SELECT schema_name FROM information_schema.schemata", []),
        ("SHOW TABLES", []),
        ("SELECT * FROM information_schema.columns WHERE table_name = 't1'", ["t1"]),
        ("SELECT * FROM information_schema.columns WHERE table_name IN ('t1', 't3', 'x')", ["t1", "t3"]),
        ("SELECT * FROM information_schema.columns WHERE 't2' = table_name OR table_name = 't0'", ["t0", "t2"]),
        ("SELECT * FROM information_schema.columns WHERE table_name = 't1' AND table_schema = 'x'", []),
        ("SELECT * FROM information_schema.columns WHERE table_name NOT IN ('t1', 't2')", ["t0", "t1", "t2", "t3"]),
        ("SELECT * FROM information_schema.columns WHERE table_name = 't1' OR ordinal_position = 1", None),
    ],
)
def test_no_more_tables_are_opened_than_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, opened: list[str] | None
) -> None:
    with deltasql.connect(tmp_path) as con:
        for number in range(4):
            con.sql(f"CREATE TABLE t{number} (id INT, n STRING)")
        every = con.sql("SELECT * FROM information_schema.columns").to_arrow()
        assert every.num_rows == 8
        found: list[str] = []
        latest = Catalog.latest

        def noted(self: Catalog, entry: TableEntry) -> Snapshot:
            found.append(entry.name)
            return latest(self, entry)

        monkeypatch.setattr(Catalog, "latest", noted)
        con.sql(query).fetchall()
        assert sorted(found) == (["t0", "t1", "t2", "t3"] if opened is None else opened)


def test_a_table_that_cant_be_opened_hides_no_other(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT)")
        con.sql("CREATE TABLE broken (id INT)")
        (tmp_path / "broken" / "_delta_log" / f"{0:020d}.json").write_text("{")
        names = con.sql("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
        assert names == [("broken",), ("t",)]
        assert con.sql("SELECT table_name FROM information_schema.columns").fetchall() == [("t",)]
        with pytest.raises(deltasql.StorageError):
            con.sql("DESCRIBE DETAIL broken")
        with pytest.raises(deltasql.StorageError):
            con.sql("SHOW CREATE TABLE broken")
