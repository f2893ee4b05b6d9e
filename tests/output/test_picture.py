"""The picture of a table in text."""

from __future__ import annotations

import pytest

from deltasql.catalog.picture import Bar, Clustering, Picture
from deltasql.output.cells import cell_width
from deltasql.output.picture import lines, shown_size

EMPTY = Picture("t", 0, 0, 0, 0, 0, 0, (), (), 128 << 20, 0, 0, 0)
FULL = Picture(
    name="sales.t\x1b[1m",
    version=7,
    files=5,
    size=3 << 20,
    rows=1234567,
    deleted=1,
    partitions=2,
    histogram=(Bar(0, 4096, 3, 3000), Bar(4096, 16384, 0, 0), Bar(16384, 65536, 2, 40000)),
    clustering=(
        Clustering("id", 5, 0, 1.0, 1, ()),
        Clustering("großer Name", 5, 2, 4.5, 5, ()),
    ),
    target=128 << 20,
    optimized=3,
    optimized_size=3000,
    after=1,
)


def test_all_of_it() -> None:
    assert list(lines(FULL)) == [
        "sales.t\\x1b[1m version 7: 1,234,567 rows, 3.0 MB in 5 files, 2 partitions, 1 deleted row in the files still",
        "",
        "files by size",
        " under 4.0 KB " + "█" * 40 + " 3 (2.9 KB)",
        "under 16.0 KB 0",
        "under 64.0 KB " + "█" * 26 + "▌ 2 (39.1 KB)",
        "",
        "files that a query for one value reads, by the log",
        "         id ████ 1.0 of 5 on average, 1 at most",
        "großer Name " + "█" * 17 + " 4.5 of 5 on average, 5 at most, 2 without bounds",
        "",
        "OPTIMIZE would make 1 file of 3 files (2.9 KB), up to 128.0 MB each",
    ]


def test_an_empty_table() -> None:
    assert list(lines(EMPTY)) == [
        "t version 0: 0 rows, 0 B in 0 files",
        "",
        "OPTIMIZE would do nothing: nothing under 128.0 MB goes together",
    ]


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_it_fits(width: int) -> None:
    assert max(map(cell_width, lines(FULL, width))) <= width


@pytest.mark.parametrize(
    ("bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (3 << 20, "3.0 MB"), (5 << 30, "5.0 GB"), (3 << 50, "3072.0 TB")],
)
def test_sizes(bytes: int, text: str) -> None:
    assert shown_size(bytes) == text
