"""Markdown, HTML, vertical and bars: what they show of awkward values."""

from __future__ import annotations

import html.parser

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.errors import NotSupportedError


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("order_id", "order_id"),
        ("_x_ __y__", r"\_x\_ \_\_y\_\_"),
        ("*b* `c` [l](u) <i> &amp; ~~s~~", r"\*b\* \`c\` \[l](u) \<i> \&amp; \~\~s\~\~"),
        ("a\nb\r\nc\td\x1b\u202e", r"a<br>b<br>c\\td\\x1b\\u202e"),
        ("日本 👩‍👩‍👧", "日本 👩‍👩‍👧"),
        (None, "NULL"),
    ],
)
def test_markdown_escapes_markup(value, wanted, written):
    rows = pa.table({"a_b|": pa.array([value], pa.string()), "n": [1]})
    assert written("markdown", rows) == f"| a_b\\| | n |\n| --- | ---: |\n| {wanted} | 1 |\n"


class Cells(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        elif tag == "br":
            self.cells[-1] += "\n"

    def handle_data(self, data):
        if self.cells and data != "\n":
            self.cells[-1] += data


@given(
    values=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])), min_size=1, max_size=4)
)
def test_html_is_text_whatever_it_looks_like(values, written):
    values = [f"<b>{value}&lt;</b>" for value in values]
    parser = Cells()
    parser.feed(written("html", pa.table({"<script>": values})))
    assert parser.cells == ["<script>", *values]
    assert parser.tags <= {"meta", "style", "table", "thead", "tbody", "tr", "th", "td"}


def test_html_lines_numbers_and_nulls(written):
    got = written("html", pa.table({"n": [1, None], "s": ["a\r\nb\tc\x1b\u202e", "NULL"]}))
    assert got.startswith('<meta charset="utf-8">\n')
    assert '<tr><td class="n">1</td><td>a<br>b\tc\\x1b\\u202e</td></tr>\n' in got
    assert '<tr><td class="n"><i>NULL</i></td><td>NULL</td></tr>\n' in got


def test_vertical_keeps_lines_and_cuts_nothing(written):
    rows = pa.table({"n": [1], "long name": ["CREATE TABLE t (\n  a INT\x1b\n)"], "s": ["x" * 200]})
    assert written("vertical", rows, width=20) == (
        "─[ 1 ]──────────────\n"
        "n         │ 1\n"
        "long name │ CREATE TABLE t (\n"
        "          │   a INT\\x1b\n"
        "          │ )\n"
        f"s         │ {'x' * 200}\n"
        "(1 row)\n"
    )


def test_vertical_measures_wide_names(written):
    assert written("vertical", pa.table({"日本": [1], "a": [None]}), null="∅").splitlines()[1:3] == [
        "日本 │ 1",
        "a    │ ∅",
    ]


# -- bars


def bars(written, values: list[object], width: int = 40, kind: pa.DataType | None = None) -> list[str]:
    rows = pa.table({"a": [str(index) for index in range(len(values))], "n": pa.array(values, kind)})
    return [line.partition("│")[2].partition("│ ")[2] for line in written("bars", rows, width=width).splitlines()[2:-1]]


def test_bars_are_to_scale(written):
    assert bars(written, [16, 8, 1, 0, None], width=4 + 7 + 16) == ["█" * 16, "█" * 8, "█", "", ""]
    assert bars(written, [16.0, 0.5, 1e-300, float("nan"), float("inf")], width=1 + 6 + 6 + 16)[1:] == [
        "▌",
        "▏",
        "",
        "",
    ]


def test_bars_of_negative_numbers_end_at_zero(written):
    got = bars(written, [-10, 10, -5, -0.1], width=1 + 6 + 5 + 20, kind=pa.float64())
    assert got == ["█" * 10, " " * 10 + "█" * 10, " " * 5 + "█" * 5, " " * 9 + "▐"]
    assert bars(written, [-4, -2], width=1 + 6 + 2 + 16) == ["█" * 16, " " * 8 + "█" * 8]


@given(
    values=st.lists(st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float), max_size=8),
    width=st.integers(20, 120),
)
def test_bars_fit(values, width, written):
    rows = pa.table({"a": ["label " * index for index in range(len(values))], "n": pa.array(values, pa.float64())})
    lines = written("bars", rows, width=width).splitlines()
    widest = max([len(repr(value)) for value in values if value is not None] + [4])
    assert all(len(line) <= max(width, 8 + widest + 6 + 8) for line in lines[1:-1])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ({"a": ["x"]}, "`a` string"),
        ({"a": ["x"], "b": ["y"]}, "`a` string, `b` string"),
        ({"a": ["x"], "b": [1], "c": [2]}, "`a` string, `b` bigint, `c` bigint"),
    ],
)
def test_bars_of_something_else_are_refused(rows, found, written):
    with pytest.raises(NotSupportedError, match=found):
        written("bars", pa.table(rows))


def test_bars_without_a_limit_stop_at_a_thousand(written):
    rows = pa.table({"a": ["x"] * 1001, "n": range(1001)})
    assert written("bars", rows).splitlines()[-1] == "(first 1,000 rows)"
