"""Bytes are the contract: each format over the hard rows. UPDATE_GOLDEN=1 writes the files anew, for review."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from deltasql.output import FORMATS

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("batch_rows", [None, 1])
def test_golden(format, batch_rows, hard_rows, written):
    got = written(format, hard_rows, batch_rows=batch_rows).encode()
    golden = GOLDEN / f"hard.{format}"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_bytes(got)
    assert got == golden.read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_a_slice_is_written_as_the_rows_it_shows(format, hard_rows, written):
    """Arrow's slices share buffers: offsets that start beyond zero are easily forgotten."""
    part = hard_rows.slice(2, 2)
    copied = part.take(pa.array([0, 1]))
    assert written(format, part) == written(format, copied)


@pytest.mark.parametrize("format", FORMATS)
def test_no_columns_write_nothing(format, written):
    assert written(format, pa.table({})) == ""


@pytest.mark.parametrize(
    ("format", "wanted"),
    [("table", "n\n─\n(0 rows)\n"), ("csv", "n\n"), ("tsv", "n\n"), ("json", "[]\n"), ("jsonl", "")],
)
def test_no_rows(format, wanted, written):
    assert written(format, pa.table({"n": pa.array([], pa.int64())})) == wanted
