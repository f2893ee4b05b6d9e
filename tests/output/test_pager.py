from __future__ import annotations

import io

import pyarrow as pa
import pytest

from deltasql.output import FORMATS, Options
from deltasql.output.pager import Paged, lines_on_screen, pager_command


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, ("less", "-RSX")),
        ({"PAGER": "more"}, ("more",)),
        ({"PAGER": "more", "DELTASQL_PAGER": "less -S '-P a b'"}, ("less", "-S", "-P a b")),
        ({"PAGER": "more", "DELTASQL_PAGER": ""}, None),
        ({"PAGER": "cat"}, None),
        ({"PAGER": "less 'half"}, ("less", "-RSX")),
    ],
)
def test_the_pager_that_is_wanted(environment, wanted):
    assert pager_command(environment) == wanted


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", 1), ("a\n", 1), ("a\nb\n", 2), ("\n\n", 2), ("x" * 11 + "\n", 2), ("日" * 6, 2), ("日" * 5, 1)],
)
def test_lines_wrap(text, lines):
    assert lines_on_screen(text.encode(), 10) == lines


def paged(pieces: list[bytes], rows: int) -> tuple[bytes, bytes | None]:
    screen, pager = io.BytesIO(), io.BytesIO()
    opened = []
    out = Paged(screen, rows, 20, lambda: opened.append(1) or pager)
    for piece in pieces:
        out.write(piece)
    out.close()
    assert len(opened) <= 1
    return screen.getvalue(), pager.getvalue() if opened else None


def test_what_fits_stays_on_the_screen():
    assert paged([b"a\n", b"b\n"], 2) == (b"a\nb\n", None)


def test_what_doesnt_goes_to_the_pager_whole():
    assert paged([b"a\n", b"b\n", b"c\n", b"d\n"], 2) == (b"", b"a\nb\nc\nd\n")


@pytest.mark.parametrize("format", [format for format in FORMATS if format not in ("bars", "arrow", "parquet")])
def test_every_format_can_be_paged(format, hard_rows):
    plain = io.BytesIO()
    FORMATS[format](hard_rows.schema, hard_rows.to_batches(), plain, Options())
    for rows in (1, 10_000):
        screen, pager = io.BytesIO(), io.BytesIO()
        out = Paged(screen, rows, 80, lambda pager=pager: pager)
        FORMATS[format](hard_rows.schema, hard_rows.to_batches(), out, Options())
        out.close()
        assert (screen.getvalue(), pager.getvalue()) == (
            (b"", plain.getvalue()) if rows == 1 else (plain.getvalue(), b"")
        )


def test_a_pager_streams():
    """Rows reach the pager while others are still to come."""
    pager = io.BytesIO()
    seen = []

    def batches():
        for _ in range(3):
            yield pa.record_batch({"n": [1, 2, 3]})
            seen.append(pager.getvalue().count(b"\n"))

    out = Paged(io.BytesIO(), 2, 80, lambda: pager)
    FORMATS["csv"](pa.schema([("n", pa.int64())]), batches(), out, Options())
    assert seen == [4, 7, 10]
