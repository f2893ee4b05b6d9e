"""The picture of a table as SVG: its numbers are those of the table."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

import deltasql
from deltasql.errors import ColumnNotFound, InterfaceError, PlanError, StorageError, TableNotFound

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def con(tmp_path: Path) -> Iterator[deltasql.Connection]:
    with deltasql.connect(tmp_path / "lake") as con:
        con.sql("CREATE TABLE t (id INT, s STRING, m MAP<INT, INT>)")
        for number in range(4):
            con.sql(f"INSERT INTO t VALUES ({number}, 'a$b_{{', NULL), ({number + 2}, 'z', NULL)")
        con.sql("CREATE TABLE `none` (id INT)")
        yield con


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()).strip() for each in ET.fromstring(svg).iter(f"{SVG}text")]


def heights(svg: str, kind: str) -> list[float]:
    """The extent of each bar, downwards or to the right, by its path."""
    found = []
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        if group.get("id", "").startswith(kind):
            (path,) = group.iter(f"{SVG}path")
            words = (path.get("d") or "").split()
            points = [(float(x), float(y)) for x, y in zip(words[1::3], words[2::3], strict=False) if x != "z"]
            place = 1 if kind == "size" else 0
            found.append(max(point[place] for point in points) - min(point[place] for point in points))
    return found


def test_all_columns(con: deltasql.Connection) -> None:
    svg = deltasql.plot(con, "t")
    shown = texts(svg)
    size = sum(file.stat().st_size for file in (con.root / "t").glob("*.parquet"))
    assert f"t version 4: 8 rows, 4 files, {size / 1024:.1f} KB" in shown
    assert {"id", "s", "under 4.0 KB", "files that a query for one value reads, on average"} <= set(shown)
    assert "m" not in shown
    # Ranges 0-2, 1-3, 2-4, 3-5: depths 1, 2, 2, 2, 1 between 0 and 5.
    mean_of_id = (1.5 + 2 + 2 + 1.5) / 4
    assert {"1.8", "4.0"} <= set(shown)
    of_id, of_s = heights(svg, "column")
    assert of_id / of_s == pytest.approx(mean_of_id / 4, rel=1e-3)
    assert len(heights(svg, "size")) == 1


def test_one_column(con: deltasql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "t.svg"
    svg = deltasql.plot(con, "t VERSION AS OF 3", "ID", path=path)
    assert path.read_text(encoding="utf-8") == svg
    shown = texts(svg)
    assert "id, at the ends of the files' ranges" in shown
    assert "files that can hold it, of 3" in shown
    (line,) = (each for each in ET.fromstring(svg).iter(f"{SVG}g") if each.get("id") == "depth")
    assert list(line.iter(f"{SVG}path"))


def test_the_same_table_is_the_same_picture(con: deltasql.Connection) -> None:
    assert deltasql.plot(con, "t") == deltasql.plot(con, "t")


def test_an_empty_table(con: deltasql.Connection) -> None:
    assert "none version 0: 0 rows, 0 files, 0 B" in texts(deltasql.plot(con, "`none`"))


def test_what_cannot_be_drawn(con: deltasql.Connection, tmp_path: Path) -> None:
    with pytest.raises(TableNotFound):
        deltasql.plot(con, "nope")
    with pytest.raises(ColumnNotFound):
        deltasql.plot(con, "t", "nope")
    with pytest.raises(PlanError, match="no bounds of column `m`"):
        deltasql.plot(con, "t", "m")
    with pytest.raises(StorageError, match="can't be written"):
        deltasql.plot(con, "t", path=tmp_path / "no" / "t.svg")


def test_without_matplotlib(con: deltasql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InterfaceError, match="needs matplotlib") as raised:
        deltasql.plot(con, "t")
    assert raised.value.hint == "pip install 'deltasql[plot]'"
