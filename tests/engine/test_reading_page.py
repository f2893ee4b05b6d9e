"""docs/reading.md says what is raised: each row of its table of refusals is a table that is damaged so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import deltasql

from .lakes import Lake, pair, removed
from .test_damage import FILES, LOG, adds, lay

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"


def _logged(name: str) -> Callable[[Path], object]:
    return lambda root: LOG[name][0](lay(root))


def _damaged(name: str) -> Callable[[Path], object]:
    return lambda root: FILES[name](lay(root).path / "f1.parquet")


def _old_version(root: Path) -> None:
    lake = lay(root)
    lake.commit(removed(adds(lake)[1]))
    (lake.path / "f1.parquet").unlink()


def _another_type(root: Path) -> None:
    lake = Lake(root / "t")
    file = lake.file("f1.parquet", pair(0), stats=None)
    lake.create(pa.schema([("id", pa.int64()), ("s", pa.date32())]), file)


def _pointed(root: Path) -> None:
    lake = lay(root)
    (lake.log / "_last_checkpoint").write_text(json.dumps({"version": 2, "size": 6}))


DAMAGED: dict[str, Callable[[Path], object]] = {
    "a reader feature that isn't known": _logged("unknown_reader_feature"),
    "a reader version that isn't known": _logged("unknown_reader_version"),
    "a writer version that isn't known, with features": _logged("unknown_writer_version"),
    "a type that isn't known": _logged("unknown_type"),
    "a column twice": _logged("column_twice"),
    "a table without columns": _logged("no_columns"),
    "a partition column that isn't one": _logged("partition_column_that_is_not"),
    "column mapping without stored names": _logged("mapping_without_names"),
    "a file in another store": _logged("add_of_another_store"),
    "a data file that is missing": _damaged("missing"),
    "a data file that is missing, of an old version": _old_version,
    "a data file that is torn": _damaged("torn"),
    "a data file without a byte": _damaged("empty"),
    "a column of another type in a file": _another_type,
    "a deletion vector that is missing": _logged("vector_that_is_missing"),
    "a deletion vector that is torn": _logged("vector_that_is_torn"),
    "a log entry that is torn": _logged("torn_last_entry"),
    "a log entry that is empty": _logged("emptied_middle_entry"),
    "a gap in the log": _logged("gap"),
    "a log without its first entries": _logged("first_entry_missing"),
    "a log without a protocol": _logged("no_protocol"),
    "a log without metadata": _logged("no_metadata"),
    "a torn schema": _logged("torn_schema"),
    "a checkpoint that is torn": _logged("checkpoint_torn_cleaned"),
    "a checkpoint of which a part is missing": _logged("checkpoint_part_missing_cleaned"),
    "a `_last_checkpoint` that points to none": _pointed,
}
AS_OF = {
    "a data file that is missing, of an old version": "VERSION AS OF 3",
    "a `_last_checkpoint` that points to none": "VERSION AS OF 3",
}


def _refusals() -> dict[str, tuple[str, str]]:
    """What the page's last table says is refused: the error's class and text."""
    section = PAGE.read_text(encoding="utf-8").split("## What is refused")[1]
    rows = re.findall(r"^\| (.*?) \| `(\w+)` \| `` (.*?) `` \|", section, re.MULTILINE)
    return {what: (kind, text) for what, kind, text in rows}


def test_the_page_has_them_all() -> None:
    assert _refusals().keys() == DAMAGED.keys()


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_raised(tmp_path: Path, what: str) -> None:
    DAMAGED[what](tmp_path)
    with deltasql.connect(tmp_path) as con, pytest.raises(deltasql.DatabaseError) as refused:
        con.sql(f"SELECT * FROM t {AS_OF.get(what, '')}").to_arrow()
    text = str(refused.value).replace(f"{tmp_path}/t/", "…/")
    assert (type(refused.value).__name__, text) == _refusals()[what]
