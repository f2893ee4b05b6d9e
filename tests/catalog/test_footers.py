"""What is known of data files by their footers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from deltasql.catalog.footers import Footers
from deltasql.catalog.snapshot import open_snapshot


def test_files_that_differ_by_the_ids_of_their_columns_are_told_apart(tmp_path: Path) -> None:
    """Arrow takes their schemas for equal, and a table mapped by ids reads them differently."""
    write_deltalake(tmp_path / "t", pa.table({"a": [1]}))
    snapshot = open_snapshot("t", tmp_path / "t")
    footers, schemas = Footers(), []
    for number in (b"1", b"2"):
        schema = pa.schema([pa.field("a", pa.int64(), metadata={b"PARQUET:field_id": number})])
        pq.write_table(pa.table({"a": [1]}).cast(schema), tmp_path / f"{number.decode()}.parquet")
        footers.look(snapshot, [tmp_path / f"{number.decode()}.parquet"])
        schemas.append(footers._footer(snapshot, tmp_path / f"{number.decode()}.parquet").schema)
    assert [schema.field("a").metadata[b"PARQUET:field_id"] for schema in schemas] == [b"1", b"2"]
