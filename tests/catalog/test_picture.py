"""The numbers of a table's picture, against a count by hand and against a slow one over random ranges."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltasql
from deltasql.catalog.picture import Bar, Point, picture
from deltasql.catalog.snapshot import Snapshot, open_snapshot
from deltasql.errors import ColumnNotFound, PlanError
from tests.corpora import expected
from tests.engine.lakes import PAIR, Json, Lake, pair

TARGET = 1 << 20


def ranges(path: Path, *ends: tuple[int, int] | None) -> Snapshot:
    """A table whose files have these ranges of `id`; None: no statistics."""
    lake = Lake(path)
    stats: list[Json | None] = [
        None if each is None else {"numRecords": 2, "minValues": {"id": each[0]}, "maxValues": {"id": each[1]}}
        for each in ends
    ]
    files = [lake.file(f"{number}.parquet", pair(0), stats=each) for number, each in enumerate(stats)]
    lake.create(PAIR, *files)
    return open_snapshot("t", path)


def test_depth(tmp_path: Path) -> None:
    (found,) = picture(ranges(tmp_path / "t", (0, 10), (10, 20), (5, 6), None), TARGET).clustering
    assert (found.column, found.files, found.unknown, found.deepest) == ("id", 4, 1, 3)
    assert found.points == (Point(0, 2, 2), Point(5, 3, 3), Point(6, 3, 2), Point(10, 3, 2), Point(20, 2, 1))
    # 0 to 10: nine units of 2 and one of 3; 10 to 20: of 2; 5 to 6: of 3.
    assert found.mean == pytest.approx((2.1 + 2 + 3) / 3)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12))
def test_depth_against_a_count(tmp_path_factory: pytest.TempPathFactory, starts: list[tuple[int, int]]) -> None:
    ends = [(start, start + length) for start, length in starts]
    (found,) = picture(ranges(tmp_path_factory.mktemp("lake") / "t", *ends), TARGET, "ID").clustering
    slow = {value: sum(low <= value <= high for low, high in ends) for pair in ends for value in pair}
    assert {point.value: point.depth for point in found.points} == slow
    assert [point.value for point in found.points] == sorted(slow)
    assert found.deepest == max(slow.values())
    for point, after in itertools.pairwise(found.points):
        assert point.behind == sum(low <= point.value and high >= after.value for low, high in ends)
    means = [
        sum(sum(low <= at and at + 1 <= high for low, high in ends) for at in range(start, end)) / (end - start)
        if end > start
        else slow[start]
        for start, end in ends
    ]
    assert found.mean == pytest.approx(sum(means) / len(means))


@pytest.mark.parametrize(
    ("type", "wide", "narrow"),
    [
        ("STRING", ("'https://a/00'", "'https://a/ff'"), ("'https://a/01'", "'https://a/fe'")),
        ("DATE", ("'2000-01-01'", "'2020-01-01'"), ("'2000-01-02'", "'2019-12-31'")),
        (
            "TIMESTAMP",
            ("'2000-01-01 00:00:00'", "'2020-01-01 00:00:00'"),
            ("'2000-01-02 00:00:00'", "'2019-12-31 00:00:00'"),
        ),
        ("DECIMAL(9, 2)", ("0", "100"), ("0.5", "99.5")),
    ],
)
def test_ranges_that_overlap_nearly_everywhere(
    tmp_path: Path, type: str, wide: tuple[str, str], narrow: tuple[str, str]
) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (c {type})")
        for low, high in (wide, narrow):
            con.sql(f"INSERT INTO t VALUES ({low}), ({high})")
        (found,) = picture(open_snapshot("t", tmp_path / "t"), TARGET).clustering
        assert 1.9 < found.mean <= 2


def test_sizes_and_what_optimize_would_do(tmp_path: Path) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql("CREATE TABLE t (id INT, s STRING, p STRING, m MAP<INT, INT>) PARTITIONED BY (p)")
        for number in range(3):
            con.sql(f"INSERT INTO t VALUES ({number}, 'a', 'x', NULL), ({number}, 'a', NULL, NULL)")
        con.sql("INSERT INTO t SELECT value, random(), 'z', NULL FROM generate_series(1, 2000)")
        found = picture(open_snapshot("t", tmp_path / "t"), TARGET)
        sizes = [file.stat().st_size for file in (tmp_path / "t").rglob("*.parquet")]
        assert (found.files, found.size, found.rows, found.partitions, found.deleted) == (7, sum(sizes), 2006, 3, 0)
        assert (found.optimized, found.after) == (6, 2)
        assert found.histogram[0] == Bar(0, 4096, 6, sum(size for size in sizes if size < 4096))
        assert sum(bar.files for bar in found.histogram) == 7
        assert [each.column for each in found.clustering] == ["id", "s", "p"]
        # A partition that is NULL holds no value.
        assert (found.clustering[2].unknown, found.clustering[2].deepest) == (0, 3)
        con.sql("OPTIMIZE t")
        after = picture(open_snapshot("t", tmp_path / "t"), TARGET)
        assert (after.files, after.optimized, after.after) == (3, 0, 0)


def test_deleted_rows(corpora: Path) -> None:
    folder = corpora / "dat/out/reader_tests/generated/deletion_vectors/delta"
    found = picture(open_snapshot("t", folder), TARGET)
    live = deltasql.connect(folder.parent).sql("SELECT count(*) FROM delta").fetchone()
    assert (found.rows,) == live
    assert found.deleted > 0
    assert found.optimized > 0


@pytest.mark.parametrize(
    ("type", "value"),
    [("DECIMAL(10, 2)", "1.5"), ("DATE", "'2024-01-01'"), ("TIMESTAMP", "'2024-01-01 00:00:00'"), ("BOOLEAN", "true"),
     ("DOUBLE", "0.5"), ("STRING", "'é'"), ("TIMESTAMP_NTZ", "'2024-01-01 00:00:00'")],
)  # fmt: skip
def test_every_type_that_has_bounds(tmp_path: Path, type: str, value: str) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(f"CREATE TABLE t (c {type})")
        for _ in range(2):
            con.sql(f"INSERT INTO t VALUES ({value})")
        (found,) = picture(open_snapshot("t", tmp_path / "t"), TARGET).clustering
        assert (found.column, found.mean, len(found.points)) == ("c", 2.0, 1)


def test_an_empty_table(tmp_path: Path) -> None:
    found = picture(ranges(tmp_path / "t"), TARGET)
    assert (found.files, found.rows, found.histogram, found.clustering, found.after) == (0, 0, (), (), 0)


def test_columns_that_cannot_be_told(tmp_path: Path) -> None:
    snapshot = ranges(tmp_path / "t", (0, 1))
    with pytest.raises(ColumnNotFound, match="no column `idd`") as raised:
        picture(snapshot, TARGET, "idd")
    assert raised.value.hint == "did you mean `id`?"
    with pytest.raises(PlanError, match="has no bounds of column `s`, a STRING"):
        picture(snapshot, TARGET, "s")


def test_rows_that_the_log_does_not_tell(tmp_path: Path) -> None:
    assert picture(ranges(tmp_path / "t", (0, 1), None), TARGET).rows is None


def test_tables_by_others(corpora: Path) -> None:
    """None of what their logs say goes wrong here: the files of the picture are those of the table."""
    for case in expected():
        if case.version is None and case.outcome != "error":
            snapshot = open_snapshot("t", corpora / case.table)
            found = picture(snapshot, TARGET)
            assert sum(bar.files for bar in found.histogram) == found.files == len(snapshot.files)
            assert found.rows in (case.line["count"], None), str(case)
            for each in found.clustering:
                assert 0 <= each.mean <= each.deepest <= each.files, str(case)
