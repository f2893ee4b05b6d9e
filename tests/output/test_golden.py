"""Bytes are the contract: each format over the hard rows. UPDATE_GOLDEN=1 writes the files anew, for review.

Arrow and Parquet files name the library that wrote them, so theirs are compared by what is read from them.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltasql.output import FORMATS, Options

GOLDEN = Path(__file__).with_name("golden")
READERS = {"arrow": lambda data: pa.ipc.open_file(data).read_all(), "parquet": lambda data: pq.ParquetFile(data).read()}
HARD = [format for format in FORMATS if format not in ("bars", *READERS)]


def golden(name: str, got: bytes) -> bytes:
    path = GOLDEN / name
    if "UPDATE_GOLDEN" in os.environ:
        path.write_bytes(got)
    return path.read_bytes()


def as_bytes(format: str, rows: pa.Table, batch_rows: int | None = None) -> bytes:
    out = io.BytesIO()
    FORMATS[format](rows.schema, rows.to_batches(max_chunksize=batch_rows), out, Options())
    return out.getvalue()


@pytest.mark.parametrize("format", HARD)
@pytest.mark.parametrize("batch_rows", [None, 1])
def test_golden(format, batch_rows, hard_rows):
    got = as_bytes(format, hard_rows, batch_rows)
    assert got == golden(f"hard.{format}", got)


@pytest.mark.parametrize("batch_rows", [None, 1])
def test_golden_bars(batch_rows):
    labels = ["plain", "日本 👩‍👩‍👧 e\u0301", "a\n\x1b[31m\u202e", "", None, "long " * 30, "nan", "zero"]
    rows = pa.table({"label": labels, "n": [1.0, 2.5e3, -1e3, 1250.0, 0.1, None, float("nan"), -0.0]})
    got = as_bytes("bars", rows, batch_rows)
    assert got == golden("hard.bars", got)


@pytest.mark.parametrize("format", READERS)
@pytest.mark.parametrize("batch_rows", [None, 1])
def test_golden_binary(format, batch_rows, hard_rows):
    rows = hard_rows if format == "arrow" else hard_rows.drop_columns("took")
    got = as_bytes(format, rows, batch_rows)
    wanted = READERS[format](io.BytesIO(golden(f"hard.{format}", got)))
    found = READERS[format](io.BytesIO(got))
    assert found.schema.equals(wanted.schema, check_metadata=True)
    assert as_bytes("csv", found) == as_bytes("csv", wanted) == as_bytes("csv", rows)


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "bars"])
def test_a_slice_is_written_as_the_rows_it_shows(format, hard_rows):
    """Arrow's slices share buffers: offsets that start beyond zero are easily forgotten."""
    rows = hard_rows.drop_columns("took")
    part = rows.slice(2, 2)
    copied = part.take(pa.array([0, 1]))
    if format in READERS:
        assert as_bytes("csv", READERS[format](io.BytesIO(as_bytes(format, part)))) == as_bytes("csv", copied)
    else:
        assert as_bytes(format, part) == as_bytes(format, copied)


@pytest.mark.parametrize("format", FORMATS)
def test_no_columns_write_nothing(format):
    assert as_bytes(format, pa.table({})) == b""


@pytest.mark.parametrize(
    ("format", "wanted"),
    [
        ("table", "n\n─\n(0 rows)\n"),
        ("csv", "n\n"),
        ("tsv", "n\n"),
        ("json", "[]\n"),
        ("jsonl", ""),
        ("markdown", "| n |\n| ---: |\n"),
        ("vertical", "(0 rows)\n"),
    ],
)
def test_no_rows(format, wanted, written):
    assert written(format, pa.table({"n": pa.array([], pa.int64())})) == wanted


def test_no_rows_html(written):
    got = written("html", pa.table({"n": pa.array([], pa.int64())}))
    assert got.endswith('<thead>\n<tr><th class="n">n</th></tr>\n</thead>\n<tbody>\n</tbody>\n</table>\n')


def test_no_rows_bars(written):
    got = written("bars", pa.table({"a": pa.array([], pa.string()), "n": pa.array([], pa.int64())}), width=20)
    assert got == "a │ n │\n──┼───┼─────────────\n(0 rows)\n".replace("──┼───┼─────────────", "──┼───┼─" + "─" * 12)


@pytest.mark.parametrize("format", READERS)
def test_no_rows_binary(format):
    rows = pa.table({"n": pa.array([], pa.int64()), "s": pa.array([], pa.string())})
    found = READERS[format](io.BytesIO(as_bytes(format, rows)))
    assert found.schema == rows.schema
    assert found.num_rows == 0


@pytest.mark.parametrize(
    ("format", "wanted"),
    [
        ("table", "n │ n\n──┼──\n1 │ a\n(1 row)\n"),
        ("csv", "n,n\n1,a\n"),
        ("jsonl", '{"n": 1, "n": "a"}\n'),
        ("markdown", "| n | n |\n| ---: | --- |\n| 1 | a |\n"),
        ("vertical", "─[ 1 ]──────────────────────────────────\nn │ 1\nn │ a\n(1 row)\n"),
    ],
)
def test_two_columns_of_one_name(format, wanted, written):
    assert written(format, pa.table([[1], ["a"]], names=["n", "n"])) == wanted


def test_two_columns_of_one_name_in_arrow():
    rows = pa.table([[1], ["a"]], names=["n", "n"])
    assert READERS["arrow"](io.BytesIO(as_bytes("arrow", rows))).equals(rows)
