"""Which rows are shown: head and tail, counted, and never all held."""

from __future__ import annotations

import io
import re
import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.output import FORMATS, Options, on_terminal
from deltasql.output.excerpt import Excerpt

SCHEMA = pa.schema([("n", pa.int64())])


def batches(sizes: list[int]) -> list[pa.RecordBatch]:
    made, start = [], 0
    for size in sizes:
        made.append(pa.record_batch([pa.array(range(start, start + size), pa.int64())], schema=SCHEMA))
        start += size
    return made


@given(st.lists(st.integers(0, 7), max_size=8), st.none() | st.integers(0, 12), st.integers(0, 12))
def test_the_first_and_the_last(sizes, limit, tail):
    total = sum(sizes)
    excerpt = Excerpt(batches(sizes), Options(limit=limit, tail=tail))
    pieces = list(excerpt.pieces())
    got = [value for _, rows in pieces for value in rows.column(0).to_pylist()]
    limit = total if limit is None else limit
    last = min(tail, limit)
    everything = list(range(total))
    assert got == (everything if total <= limit else everything[: limit - last] + everything[total - last :])
    assert [start for start, _ in pieces] == [rows.column(0)[0].as_py() for _, rows in pieces]
    assert excerpt.is_partial() == (total > limit)
    assert excerpt.shown == len(got)
    assert excerpt.more == (total > limit and not last)
    if not excerpt.more:
        assert excerpt.count == total


@pytest.mark.parametrize("format", ["table", "vertical", "markdown", "html", "csv", "jsonl"])
def test_a_million_rows_are_never_held(format):
    batch = pa.record_batch({"n": range(10_000), "s": ["x" * 100] * 10_000})
    before = pa.total_allocated_bytes()
    peak = 0

    def stream():
        nonlocal peak
        for _ in range(60):
            yield pa.record_batch(batch.to_pydict(), schema=batch.schema)
            peak = max(peak, pa.total_allocated_bytes() - before)

    options = on_terminal(100) if format in ("vertical", "markdown", "html") else Options()
    if format == "table":
        options = Options(limit=100, tail=20)
    FORMATS[format](batch.schema, stream(), io.BytesIO() if format == "table" else _Nowhere(), options)
    assert peak < 20_000_000


class _Nowhere(io.RawIOBase):
    def write(self, data: object) -> int:
        return 0


def test_head_and_tail_of_a_table(written):
    rows = pa.table({"n": range(1_234_567), "s": ["x"] * 1_234_567})
    assert written("table", rows, limit=4, tail=1) == (
        "      n │ s\n────────┼──\n      0 │ x\n      1 │ x\n      2 │ x\n      ⋮ │ ⋮\n1234566 │ x\n(1,234,567 rows, 4 shown)\n"
    )


def test_head_and_tail_of_the_others(written):
    rows = pa.table({"a": ["x", "y", "z", "w"], "n": [1, 2, 3, 4]})
    assert written("markdown", rows, limit=2, tail=1).splitlines()[2:] == [
        "| x | 1 |", "| ⋮ | ⋮ |", "| w | 4 |", "", "(4 rows, 2 shown)"
    ]  # fmt: skip
    assert [line for line in written("vertical", rows, limit=2, tail=1).splitlines() if line[0] in "─⋮("] == [
        "─[ 1 ]" + "─" * 34, "⋮", "─[ 4 ]" + "─" * 34, "(4 rows, 2 shown)"
    ]  # fmt: skip
    assert "<tr><td>⋮</td><td>⋮</td></tr>" in written("html", rows, limit=2, tail=1)
    assert written("html", rows, limit=1).endswith("<p>(first 1 row)</p>\n")
    assert [line.split(" ")[0] for line in written("bars", rows, limit=2, tail=1, width=30).splitlines()[2:]] == [
        "x", "⋮", "w", "(4"
    ]  # fmt: skip


def test_the_time_it_took(written):
    got = written("table", pa.table({"n": [1]}), started=time.perf_counter() - 2)
    assert re.search(r"^\(1 row, 2\.\d{3} s\)$", got, re.MULTILINE)


def test_a_table_streams_beyond_what_it_is_measured_by(written):
    """Nothing is cut without a terminal; with one, the width holds."""
    rows = pa.table({"a": ["x"] * 10_001 + ["long " * 10], "b": ["y"] * 10_002})
    lines = written("table", rows, batch_rows=100).splitlines()
    assert lines[-2] == "long " * 10 + " │ y"
    assert lines[-1] == "(10,002 rows)"
    assert len(lines) == 10_005
    assert written("table", rows, batch_rows=100, width=20).splitlines()[-2] == "… │ y"
