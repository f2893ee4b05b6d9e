from __future__ import annotations

import io
import re
import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from deltasql.output import Options, table
from deltasql.output.cells import cut, escaped
from deltasql.output.layout import layout


def test_numbers_to_the_right_and_wide_characters_measured(written):
    rows = pa.table({"n": [1, 23], "text": ["日本", "e\u0301x"], "last": ["a", None]})
    assert written("table", rows) == (
        " n │ text │ last\n───┼──────┼─────\n 1 │ 日本 │ a\n23 │ e\u0301x   │ NULL\n(2 rows)\n"
    )


def test_null_is_as_told(written):
    assert written("table", pa.table({"a": [None, "x"]}), null="∅") == "a\n─\n∅\nx\n(2 rows)\n"


@pytest.mark.parametrize(
    ("limit", "footer"), [(0, "(first 0 rows)"), (1, "(first 1 row)"), (3, "(3 rows)"), (9, "(3 rows)")]
)
def test_limit(limit, footer, written):
    lines = written("table", pa.table({"a": [1, 2, 3]}), limit=limit).splitlines()
    assert lines[-1] == footer
    assert len(lines) == 3 + min(limit, 3)


def test_a_limit_reads_no_further_than_it_must():
    def batches():
        for _ in range(2):
            yield pa.record_batch({"a": [1, 2]})
        raise AssertionError("read too far")

    out = io.BytesIO()
    table.write(pa.schema([("a", pa.int64())]), batches(), out, Options(limit=3))
    assert out.getvalue().decode().endswith("1\n2\n1\n(first 3 rows)\n")


def test_data_cant_drive_the_terminal(written):
    got = written("table", pa.table({"na\tme": ["a\nb\x1b[2J\x07\x9b\u202e\x7f"]}))
    assert got == "na\\tme\n──────────────────────────\na\nb\\x1b[2J\\x07\\x9b\\u202e\\x7f\n(1 row)\n"


def test_lines_of_a_value_are_kept(written):
    rows = pa.table({"id": [1, 2], "text": ["a\r\nlonger\n", "b"], "n": [10, 7]})
    assert written("table", rows) == (
        "id │ text    │  n\n───┼─────────┼───\n 1 │ a↵      │ 10\n   │ longer↵ │\n   │         │\n 2 │ b       │  7\n(2 rows)\n"
    )


def test_lines_of_the_only_row_have_no_marks(written):
    assert written("table", pa.table({"made": ["CREATE TABLE t (\n  a INT)"]})) == (
        "made\n────────────────\nCREATE TABLE t (\n  a INT)\n(1 row)\n"
    )


def test_a_terminal_shows_the_first_lines_of_many(written):
    got = written("table", pa.table({"a": ["\n".join(map(str, range(1000)))], "b": [1]}), width=80).splitlines()
    assert got[2:4] == ["0  │ 1", "1  │"]
    assert got[-3:] == ["38 │", "⋮  │", "(1 row)"]
    assert len(written("table", pa.table({"a": ["\n" * 999]})).splitlines()) == 1003


def test_a_column_that_is_left_out_makes_no_lines(written):
    rows = pa.table({name: ["x" * 30] if name != "c" else ["x\ny" * 10] for name in "abcde"})
    assert len(written("table", rows, width=24).splitlines()) == 4


def test_a_newline_inside_a_list_stays_written_out(written):
    assert "['a\\n']" in written("table", pa.table({"a": [["a\n"]]}))


def test_data_is_no_markup(written):
    assert "[bold]x[/bold]" in written("table", pa.table({"a": ["[bold]x[/bold]"]}))


def test_long_text_is_cut_and_numbers_are_not(written):
    rows = pa.table({"id": [123456789012], "name": ["a long name that goes on"], "at": pa.array([0], pa.date32())})
    assert written("table", rows, width=40) == (
        "          id │ name         │ at\n"
        "─────────────┼──────────────┼───────────\n"
        "123456789012 │ a long name… │ 1970-01-01\n"
        "(1 row)\n"
    )


def test_columns_that_dont_fit_are_left_out_before_the_last_ones(written):
    rows = pa.table({f"column{n}": ["x" * 20] for n in range(40)})
    lines = written("table", rows, width=80).splitlines()
    assert lines[0].split() == ["column0", "│", "column1", "│", "column2", "┆"]
    wide = written("table", rows, width=160).splitlines()
    assert wide[0].split("┆")[1].split() == ["column39"]
    assert wide[2].count("┆") == 1
    assert wide[-1] == "(1 row, 40 columns, 7 shown)"
    assert all(cell_len(line) <= 80 for line in lines)


HISTORY = pa.table(
    {
        "version": [3],
        "timestamp": pa.array([0], pa.timestamp("us", "UTC")),
        "userId": pa.nulls(1, pa.string()),
        "operation": ["CREATE TABLE AS SELECT"],
        "operationParameters": pa.array([[("isManaged", "true")]], pa.map_(pa.string(), pa.string())),
        "readVersion": [2],
        "isBlindAppend": [False],
        "operationMetrics": pa.array([[("numFiles", "1")] * 9], pa.map_(pa.string(), pa.string())),
        "engineInfo": ["deltasql/0.1.0 delta-rs/1.6.6"],
    }
)


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (80, ["version", "timestamp", "operation", "operationParam…"]),
        (110, ["version", "timestamp", "operation", "operati…", "readVers…", "engineInfo"]),
    ],
)
def test_nested_values_give_way_to_words(written, width, names):
    lines = written("table", HISTORY, width=width).splitlines()
    assert re.findall(r"[\w…]+", lines[0]) == names
    assert "CREATE TABLE AS SELECT" in lines[2]
    assert all(cell_len(line) <= width for line in lines)


def test_columns_of_nulls_are_left_out_first(written):
    rows = pa.table({"id": [None, None], "no": pa.nulls(2), "text": ["a" * 20, None], "nil": pa.nulls(2)})
    assert written("table", rows, width=20) == (
        "id   ┆ text        ┆\n─────┼────────────\nNULL ┆ aaaaaaaaaa… ┆\nNULL ┆ NULL        ┆\n(2 rows, 4 columns, 2 shown)\n"
    )


def test_short_values_are_whole_where_long_ones_are_cut(written):
    """As in DESCRIBE HISTORY: the operation says more than the beginning of its metrics."""
    rows = pa.table({"operation": ["CREATE TABLE"], "metrics": ["m" * 200], "engine": ["e" * 200]})
    lines = written("table", rows, width=40).splitlines()
    assert lines[2] == "CREATE TABLE │ mmmmmmmmmm… │ eeeeeeeeee…"


def test_types_stand_under_the_names(written):
    rows = pa.table({"n": [1], "m": pa.array([[]], pa.map_(pa.string(), pa.struct([("a\x1b", pa.int64())])))})
    assert written("table", rows, types=True) == (
        "     n │ m\nbigint │ map<string,struct<a…\n───────┼─────────────────────\n     1 │ {}\n(1 row)\n"
    )


widths = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.booleans(), st.booleans()), min_size=1, max_size=12
)


@given(widths, st.integers(1, 200))
def test_a_layout_fits_its_room(columns, room):
    natural = [max(column[:2]) for column in columns]
    least = [min(column[:2]) for column in columns]
    empty = {index for index, column in enumerate(columns) if column[2]}
    yielding = {index for index, column in enumerate(columns) if column[3]}
    got = layout(natural, least, room, empty=empty, yielding=yielding)
    firm = {index for index in got.columns if index not in yielding}
    shown = dict(zip(got.columns, got.widths, strict=True))
    if any(shown[index] > least[index] for index in yielding & shown.keys()):
        assert all(shown[index] == natural[index] for index in firm)
    assert list(got.columns) == sorted(set(got.columns))
    assert got.columns[0] == 0
    assert len(got.columns) == len(got.widths)
    left_out = set(range(len(columns))) - set(got.columns)
    assert left_out <= empty or not empty & set(got.columns[1:])
    if room > 4:
        assert sum(got.widths) + 3 * (len(got.widths) - 1) + 2 * got.gaps()[-1] <= room
    if sum(natural) + 3 * (len(natural) - 1) <= room:
        assert list(got.widths) == natural


@given(st.text(), st.integers(1, 30))
def test_a_cut_text_fits(text, width):
    assert cell_len(cut(escaped(text), width)) <= width


def test_ten_thousand_rows_are_quick():
    rows = pa.table({f"c{column}": [f"value {row}" for row in range(10_000)] for column in range(10)})
    started = time.perf_counter()
    table.write(rows.schema, rows.to_batches(), io.BytesIO(), Options(width=100))
    assert time.perf_counter() - started < 2
