"""Runs every file under ``tests/slt`` (see `slt_runner` for the form of a file)."""

from __future__ import annotations

from pathlib import Path

import pytest

from .slt_runner import Mismatch, Record, Run, records

FOLDER = Path(__file__).parent / "slt"
FILES = sorted(FOLDER.rglob("*.slt"))


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file.relative_to(FOLDER))) for file in FILES])
def test_file(file: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "root")
    try:
        run.file(file)
    except Mismatch as mismatch:
        pytest.fail(str(mismatch), pytrace=False)
    if run.gaps:
        pytest.xfail("; ".join(run.gaps))


def test_there_are_files() -> None:
    assert FILES


# -- the runner itself


def _file(tmp_path: Path, text: str) -> list[Record]:
    file = tmp_path / "a.slt"
    file.write_text(text)
    return list(records(file))


def test_records(tmp_path: Path) -> None:
    text = "# about\nstatement ok\nSELECT\n1\n\n\nparams [1]\nquery I rowsort columns\nSELECT ? AS a\n----\na\n1\n"
    first, second = _file(tmp_path, text)
    assert (first.kind, first.body, first.line) == (("statement", "ok"), "SELECT\n1", 2)
    assert (second.kind, second.argument, second.params) == (("query", "I"), "rowsort columns", [1])
    assert second.expected == ("a", "1")


@pytest.mark.parametrize(
    "text",
    [
        "statement ok\nSELEC 1\n",
        "statement error ParseError\nSELECT 1\n",
        "statement error TableNotFound\nSELEC 1\n",
        "query I\nSELECT 1\n----\n2\n",
        "query T\nSELECT 1\n----\n1\n",
        "query I\nSELECT 1\n----\n1\n1\n",
        "query I columns\nSELECT 1 AS a\n----\nb\n1\n",
        "query II rowsort\nVALUES (1, 2), (3, 4)\n----\n3  4\n1  3\n",
        "xfail it holds\nquery I\nSELECT 1\n----\n1\n",
    ],
)
def test_what_does_not_hold_is_noticed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.slt"
    file.write_text(text)
    with pytest.raises(Mismatch):
        Run(tmp_path / "root").file(file)


def test_a_gap_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.slt"
    file.write_text("xfail not yet\nquery I\nSELECT 1\n----\n2\n")
    run = Run(tmp_path / "root")
    run.file(file)
    assert run.gaps == ["a.slt:2: not yet"]
