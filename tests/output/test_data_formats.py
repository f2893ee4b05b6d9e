"""csv, tsv and json give back what went in."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.output import FORMATS, Options

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
@given(rows=st.lists(st.tuples(texts, texts)))
def test_any_text_reads_back(format, delimiter, rows, written):
    columns = {
        "a": pa.array([row[0] for row in rows], pa.string()),
        "b": pa.array([row[1] for row in rows], pa.string()),
    }
    got = written(format, pa.table(columns))
    assert list(csv.reader(io.StringIO(got, newline=""), delimiter=delimiter, strict=True))[1:] == [
        list(row) for row in rows
    ]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", "a"),
        ("", '""'),
        (None, ""),
        (" a ", " a "),
        ("a,b", '"a,b"'),
        ("a\tb", "a\tb"),
        ('"', '""""'),
        ("\r", '"\r"'),
        ("é", "é"),
    ],
)
def test_quotes_only_where_needed(value, wanted, written):
    assert written("csv", pa.table({"x": [value], "y": [1]})) == f"x,y\n{wanted},1\n"


def test_names_are_quoted_as_values_are(written):
    assert written("csv", pa.table([[1], [2], [3]], names=["a,b", "", "a,b"])) == '"a,b","","a,b"\n1,2,3\n'
    assert written("jsonl", pa.table([[1], [2]], names=['a"', 'a"'])) == '{"a\\"": 1, "a\\"": 2}\n'


@pytest.mark.parametrize("format", ["json", "jsonl"])
@given(rows=st.lists(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1), st.lists(st.none() | st.text()))))
def test_json_reads_back(format, rows, written):
    kinds = [pa.string(), pa.int64(), pa.list_(pa.string())]
    columns = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(kinds)]
    got = written(format, pa.table(columns, names=["t", "n", "l"]), batch_rows=2)
    values = json.loads(got) if format == "json" else [json.loads(line) for line in got.split("\n")[:-1]]
    assert [(value["t"], value["n"], value["l"]) for value in values] == rows


def test_json_numbers_are_exact(hard_rows, written):
    rows = json.loads(written("json", hard_rows), parse_float=Decimal)
    assert [row["digits"] for row in rows] == hard_rows["digits"].to_pylist()
    assert [row["unsigned"] for row in rows] == hard_rows["unsigned"].to_pylist()
    assert [row["float"] for row in rows][2:] == ["NaN", None]


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_data_streams(format):
    """A writer holds a batch, not the result."""

    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return 0

    batch = pa.record_batch({"n": range(10_000), "s": ["x" * 100] * 10_000})
    allocated = pa.total_allocated_bytes()
    peaks = []

    def batches():
        for _ in range(50):
            peaks.append(pa.total_allocated_bytes() - allocated)
            yield batch

    tracemalloc.start()
    FORMATS[format](batch.schema, batches(), Nowhere(), Options())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(peaks) < 20_000_000
    assert peak < 20_000_000


@pytest.mark.parametrize("format", FORMATS)
def test_rows_that_fail_at_once_write_nothing(format):
    def batches():
        raise ValueError("gone")
        yield

    out = io.BytesIO()
    with pytest.raises(ValueError, match="gone"):
        FORMATS[format](pa.schema([("s", pa.string()), ("n", pa.int64())]), batches(), out, Options())
    assert out.getvalue() == b""
