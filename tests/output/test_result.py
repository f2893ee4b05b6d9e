"""How a result shows itself."""

from __future__ import annotations

import pyarrow as pa
import pytest

from deltasql.result import Result


@pytest.fixture
def twelve() -> Result:
    return Result.of(pa.table({"n": range(12), "s": ["x" * 50] * 12}), statement_type="SELECT")


def test_a_notebook_shows_the_first_rows(twelve):
    html = twelve._repr_html_()
    assert html is not None
    assert html.count("<tr>") == 11
    assert html.endswith("<p>(first 10 rows)</p>\n")


def test_a_notebook_shows_the_words_of_what_has_no_rows():
    result = Result.of(pa.table({}), statement_type="CREATE TABLE")
    assert result._repr_html_() is None
    assert repr(result) == "<CREATE TABLE>"


def test_show_fits_the_terminal(twelve, monkeypatch, capsys):
    twelve.show()
    assert max(map(len, capsys.readouterr().out.splitlines())) == 55
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    twelve.show(3)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == 30
    assert lines[-1] == "(first 3 rows)"
