"""COPY INTO and COPY … TO as Python sees them: what is recorded, by whom, and the bytes that are written."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

import deltasql
from deltasql.catalog.log import actions, entry, version_range
from deltasql.output import FORMATS, Options
from tests.write import handmade

UTC = pa.timestamp("us", "UTC")


class Place:
    """A lake, and a folder of files beside it."""

    def __init__(self, path: Path) -> None:
        self.land = path / "land"
        self.land.mkdir()
        self.table = path / "lake" / "t"
        self.con = deltasql.connect(path / "lake")

    def file(self, name: str, *lines: str) -> Path:
        path = self.land / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def copy(self, *, path: Path | None = None, more: str = "", copying: str = "") -> int:
        options = f"FORMAT_OPTIONS ('header' = 'true'{more})"
        copying = f"COPY_OPTIONS ({copying})" if copying else ""
        sql = f"COPY INTO t FROM '{path or self.land}' FILEFORMAT = CSV {options} {copying}"
        return self.con.sql(sql).fetchall()[0][0]

    def ids(self) -> list[int]:
        return sorted(row[0] for row in self.con.sql("SELECT id FROM t"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    with found.con:
        yield found


@pytest.fixture
def loaded(place: Place) -> Place:
    """A table into which one file was loaded."""
    place.con.sql("CREATE TABLE t (id BIGINT, name STRING)")
    place.file("a.csv", "id,name", "1,a", "2,b")
    assert place.copy() == 2
    return place


# -- once


_LOADER = """
import sys, deltasql
con = deltasql.connect(sys.argv[1])
con.sql("SET deltasql.commit.retries = 100")
sys.stdin.readline()
n = 0
for k in range(int(sys.argv[3])):
    row = con.sql(f"COPY INTO t FROM '{sys.argv[2]}' FILEFORMAT = CSV PATTERN = '{k}-*.csv'").fetchall()[0]
    n += row[0]
print(n)
"""


def test_processes_that_load_the_same_files_load_each_once(place: Place) -> None:
    place.con.sql("CREATE TABLE t (id BIGINT)")
    rounds, each = 6, 4
    for number in range(rounds * each):
        place.file(f"{number // each}-{number}.csv", str(number))
    arguments = [sys.executable, "-c", _LOADER, str(place.table.parent), str(place.land), str(rounds)]
    loaders = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for loader in loaders:
        assert loader.stdin is not None
        loader.stdin.write("go\n")
        loader.stdin.flush()
    counts = [int(loader.communicate(timeout=60)[0]) for loader in loaders]
    assert sum(counts) == rounds * each
    assert place.ids() == list(range(rounds * each))
    assert version_range(place.table)[1] == rounds


def test_the_loser_of_a_race_finds_nothing_to_load(loaded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltasql.operations import copy

    loaded.file("b.csv", "id", "3")
    find, races = copy.loaded, []

    def raced(*arguments: object) -> object:
        found = find(*arguments)
        if not races:
            races.append(True)
            with deltasql.connect(loaded.table.parent) as other:
                sql = f"COPY INTO t FROM '{loaded.land}' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')"
                assert other.sql(sql).fetchall()[0][0] == 1
        return found

    monkeypatch.setattr(copy, "loaded", raced)
    assert loaded.copy() == 0
    assert loaded.ids() == [1, 2, 3]
    assert len(list(loaded.table.glob("*.parquet"))) == 2


def test_the_record_outlives_checkpoints_and_clean_up(loaded: Place) -> None:
    DeltaTable(str(loaded.table)).create_checkpoint()
    for version in range(2):
        (loaded.table / "_delta_log" / f"{version:020d}.json").unlink()
    assert version_range(loaded.table) == (1, 1)
    assert loaded.copy() == 0
    loaded.file("b.csv", "id", "3")
    assert loaded.copy() == 1
    DeltaTable(str(loaded.table)).create_checkpoint()
    assert loaded.copy() == 0


def test_the_record_outlives_maintenance_and_restore(loaded: Place) -> None:
    loaded.file("b.csv", "id", "3")
    assert loaded.copy() == 1
    DeltaTable(str(loaded.table)).optimize.compact()
    DeltaTable(str(loaded.table)).vacuum(0, enforce_retention_duration=False, dry_run=False, full=True)
    assert loaded.copy() == 0
    DeltaTable(str(loaded.table)).restore(0, ignore_missing_files=True)
    assert loaded.ids() == []
    assert loaded.copy() == 0
    assert loaded.copy(copying="'force' = 'true'") == 3


def test_what_the_commit_records(loaded: Place) -> None:
    first, *rest = actions(entry(loaded.table, 1))
    info = first["commitInfo"]
    assert info["operation"] == "COPY INTO"
    assert info["isBlindAppend"]
    assert int(info["operationMetrics"]["num_added_rows"]) == 2
    app = f"deltasql.copy:{(loaded.land / 'a.csv').as_uri()}"
    assert [action["txn"] for action in rest if "txn" in action] == [{"appId": app, "version": 1}]
    assert DeltaTable(str(loaded.table)).transaction_version(app) == 1


def test_a_file_is_the_same_by_whatever_way(loaded: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    other = loaded.land.parent / "link"
    other.symlink_to(loaded.land)
    assert loaded.copy(path=other) == 0
    (loaded.land / "again.csv").symlink_to(loaded.land / "a.csv")
    assert loaded.copy() == 0
    monkeypatch.chdir(loaded.land)
    assert loaded.copy(path=Path("../land/a.csv")) == 0
    assert loaded.copy(copying="'force' = 'true'") == 2


@pytest.mark.parametrize("name", ["ä ö.csv", "50%.csv", "a#b?.csv", "[x].csv", "it's.csv", "k=v.csv", "a,b{c}.csv"])
def test_odd_names(place: Place, name: str) -> None:
    place.con.sql("CREATE TABLE t (id BIGINT)")
    place.file(name, "id", "1")
    place.file("x.csv", "id", "2")
    literal = name.replace("'", "''")
    sql = f"COPY INTO t FROM '{place.land}' FILEFORMAT = CSV FILES = ('{literal}') FORMAT_OPTIONS (header = true)"
    assert place.con.sql(sql).fetchall() == [(1, 1, 0)]
    assert place.con.sql(sql).fetchall() == [(0, 0, 0)]
    assert place.copy() == 1
    assert place.ids() == [1, 2]


def test_an_empty_file_is_yet_to_come(loaded: Place) -> None:
    later = loaded.file("later.csv")
    assert loaded.copy() == 0
    later.write_text("id\n5\n")
    assert loaded.copy() == 1


def test_a_file_without_rows_is_loaded(loaded: Place) -> None:
    file = loaded.file("later.csv", "id")
    assert loaded.copy() == 0
    assert version_range(loaded.table)[1] == 2
    file.write_text("id\n5\n")
    assert loaded.copy() == 0


def test_at_most_a_thousand_names(loaded: Place) -> None:
    names = ", ".join(["'a.csv'"] * 1001)
    with pytest.raises(deltasql.PlanError, match="FILES takes at most 1000 names, not 1001"):
        loaded.con.sql(f"COPY INTO t FROM '{loaded.land}' FILEFORMAT = CSV FILES = ({names})")


def test_a_failure_leaves_nothing(loaded: Place) -> None:
    loaded.file("b.csv", "id", *map(str, range(3, 20_000)), "x")
    before = sorted(loaded.table.rglob("*"))
    with pytest.raises(deltasql.CastError, match="`'x'` doesn't fit column `id` of type BIGINT"):
        loaded.copy()
    assert sorted(loaded.table.rglob("*")) == before
    loaded.file("b.csv", "id", "3")
    assert loaded.copy() == 1


def test_a_secret_is_nowhere(loaded: Place) -> None:
    with pytest.raises(deltasql.PlanError) as caught:
        loaded.copy(more=", 'fs.azure.account.key' = 'hunter2'", copying="'force' = 'true'")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert not any("hunter2" in path.read_text() for path in (loaded.table / "_delta_log").glob("*.json"))


# -- columns


def test_what_the_table_demands(place: Place) -> None:
    fields = [
        pa.field("id", pa.int64()),
        pa.field("status", pa.string(), metadata={"CURRENT_DEFAULT": "'new'"}),
        pa.field("twice", pa.int64(), metadata={"delta.generationExpression": "id * 2"}),
    ]
    rows = pa.table([[], [], []], schema=pa.schema(fields))
    handmade.commit(place.table, rows.schema, [], properties={"delta.constraints.small": "id < 100"})
    place.file("a.csv", "id", "1")
    assert place.copy() == 1
    assert place.con.sql("SELECT * FROM t").fetchall() == [(1, "new", 2)]
    place.file("b.csv", "id,status", "2,")
    assert place.copy() == 1
    assert place.con.sql("SELECT * FROM t WHERE id = 2").fetchall() == [(2, None, 4)]
    place.file("c.csv", "id", "100")
    with pytest.raises(deltasql.ConstraintViolation, match="small"):
        place.copy()
    place.file("c.csv", "id,twice", "3,7")
    with pytest.raises(deltasql.ConstraintViolation, match="twice"):
        place.copy()
    place.file("c.csv", "3,x")
    sql = f"COPY INTO t FROM '{place.land}' FILEFORMAT = CSV"
    assert place.con.sql(sql).fetchall()[0][0] == 1
    assert place.con.sql("SELECT * FROM t WHERE id = 3").fetchall() == [(3, "x", 6)]


def test_columns_that_differ_by_case_are_one_across_files(loaded: Place) -> None:
    loaded.file("b.csv", "ID,Name", "3,c")
    loaded.file("c.csv", "id,NAME", "4,d")
    assert loaded.copy() == 2
    assert loaded.con.sql("SELECT * FROM t WHERE id > 2 ORDER BY id").fetchall() == [(3, "c"), (4, "d")]


def test_columns_that_differ_by_case_in_a_file_are_refused(loaded: Place) -> None:
    loaded.file("b.csv", "id,name,NAME", "3,c,d")
    with pytest.raises(deltasql.PlanError, match=r"`.*/b\.csv` names column `NAME` twice"):
        loaded.copy()


@pytest.mark.parametrize(
    ("folder", "ids"), [("run=9/land", [(1, "a")]), ("land", [(1, "a")]), ("k=1/land", [(1, "a")])]
)
def test_folders_above_the_path_give_no_column(place: Place, folder: str, ids: list[object]) -> None:
    place.con.sql("CREATE TABLE t (id BIGINT, k STRING)")
    place.file(f"{folder}/k=a/x.csv", "id", "1")
    if folder.startswith("k="):
        with pytest.raises(deltasql.PlanError, match="folders of different columns"):
            place.copy(path=place.land / folder)
        return
    assert place.copy(path=place.land / folder) == 1
    assert place.con.sql("SELECT * FROM t").fetchall() == ids


def test_a_folder_above_the_path_hides_no_column(place: Place) -> None:
    place.con.sql("CREATE TABLE t (id BIGINT, k STRING, day STRING)")
    place.file("day=x/land/k=a/x.csv", "id,day", "1,monday")
    with pytest.raises(deltasql.PlanError, match=r"`day` is a column of the files, and a folder above `.*` names it"):
        place.copy(path=place.land / "day=x" / "land")
    assert place.copy(path=place.land / "day=x" / "land", more=", 'recursiveFileLookup' = 'true'") == 1
    assert place.con.sql("SELECT * FROM t").fetchall() == [(1, None, "monday")]


def test_files_in_and_out_of_folders_that_give_columns(place: Place) -> None:
    place.con.sql("CREATE TABLE t (id BIGINT, k STRING)")
    place.file("k=a/x.csv", "id", "1")
    place.file("y.csv", "id", "2")
    with pytest.raises(deltasql.PlanError, match="the files are in folders of different columns"):
        place.copy()
    assert place.copy(more=", 'recursiveFileLookup' = 'true'") == 2
    assert place.con.sql("SELECT k FROM t").fetchall() == [(None,), (None,)]


def test_parquet_by_name_and_value(place: Place) -> None:
    place.con.sql("CREATE TABLE t (id INT, name STRING, at TIMESTAMP)")
    pq.write_table(pa.table({"NAME": ["a"], "id": pa.array([7], pa.uint64())}), place.land / "a.parquet")
    sql = f"COPY INTO t FROM '{place.land}' FILEFORMAT = PARQUET"
    assert place.con.sql(sql).fetchall() == [(1, 1, 0)]
    pq.write_table(pa.table({"id": pa.array([2**40], pa.int64())}), place.land / "b.parquet")
    with pytest.raises(deltasql.CastError, match="`1099511627776` doesn't fit column `id` of type INT"):
        place.con.sql(sql)
    torn = (place.land / "a.parquet").read_bytes()[:-9]
    (place.land / "b.parquet").write_bytes(torn)
    with pytest.raises(deltasql.StorageError, match=r"`.*/b\.parquet` can't be read as Parquet"):
        place.con.sql(sql)
    skipping = sql + " FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true')"
    assert place.con.sql(skipping).fetchall() == [(0, 0, 1)]
    assert place.con.sql("SELECT * FROM t").fetchall() == [(7, "a", None)]


# -- COPY … TO


def _everything(con: deltasql.Connection) -> str:
    con.sql(
        "CREATE TABLE e (i INT, l BIGINT, d DOUBLE, n DECIMAL(20, 4), s STRING, b BOOLEAN, x BINARY, day DATE,"
        " at TIMESTAMP, a ARRAY<INT>, m MAP<STRING, INT>, st STRUCT<p: INT, q: STRING>)"
    )
    con.sql(
        "INSERT INTO e SELECT 1, 9007199254740993, 0.1, 12345.6789, 'ä, \"b\"\n', true, X'00ff', '2024-02-29',"
        " '2024-02-29 23:59:59.123456', [1, NULL], MAP(['k'], [1]), named_struct('p', 1, 'q', 'z')"
    )
    con.sql("INSERT INTO e (i, s) VALUES (2, '')")
    return "SELECT * FROM e ORDER BY i"


@pytest.mark.parametrize(("ending", "format"), [("csv", "csv"), ("tsv", "tsv"), ("jsonl", "jsonl")])
def test_text_is_that_of_the_command(tmp_path: Path, ending: str, format: str) -> None:
    with deltasql.connect(tmp_path / "lake") as con:
        query = _everything(con)
        con.sql(f"COPY ({query}) TO '{tmp_path}/out.{ending}'")
        result = con.sql(query)
        wanted = io.BytesIO()
        FORMATS[format](result.schema, result.batches(), wanted, Options())
    assert (tmp_path / f"out.{ending}").read_bytes() == wanted.getvalue()


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_columns_keep_their_types(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    with deltasql.connect(tmp_path / "lake") as con:
        query = _everything(con)
        con.sql(f"COPY ({query}) TO '{path}'")
        wanted = con.sql(query).to_arrow()
    if ending == "parquet":
        assert pq.read_metadata(path).metadata is None
        found = pq.read_table(path)
    else:
        with pa.ipc.open_file(path) as file:
            found = file.read_all()
    assert not any("view" in str(type) for type in found.schema.types)
    assert found.to_pylist() == wanted.to_pylist()


def test_row_groups_have_the_size_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    with deltasql.connect(tmp_path / "lake") as con:
        rows = con.sql(f"COPY (SELECT * FROM generate_series(1, 25000)) TO '{path}' (ROW_GROUP_SIZE 10000)").fetchall()
    assert rows == [(25_000,)]
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(index).num_rows for index in range(3)] == [10_000, 10_000, 5_000]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    path.chmod(0o640)
    with deltasql.connect(tmp_path / "lake") as con:
        query = "SELECT 1 / (20000 - value) AS x FROM generate_series(1, 30000)"
        with pytest.raises(deltasql.DataError):
            con.sql(f"COPY ({query}) TO '{path}'")
        assert path.read_text() == "before"
        assert sorted(each.name for each in tmp_path.iterdir() if each.name != "lake") == ["out.csv"]
        con.sql(f"COPY (SELECT 1 AS x) TO '{path}'")
    assert path.read_text() == "x\n1\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        with deltasql.connect(tmp_path / "lake") as con:
            con.sql(f"COPY (SELECT 1 AS x) TO '{pipe}' (FORMAT csv)")
        assert reader.communicate(timeout=20)[0] == b"x\n1\n"


# -- there and back

_VALUES = {
    "i": st.none() | st.integers(-(2**63), 2**63 - 1),
    "d": st.none() | st.floats(),
    "n": st.none() | st.decimals(-(10**15), 10**15, places=4),
    "s": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    "b": st.none() | st.booleans(),
    "day": st.none() | st.dates(dt.date(1, 1, 1)),
    "at": st.none() | st.datetimes(timezones=st.just(dt.UTC)),
}
_FINITE = {"d": st.none() | st.floats(allow_nan=False, allow_infinity=False)}
_TYPES = pa.schema([
    ("i", pa.int64()), ("d", pa.float64()), ("n", pa.decimal128(20, 4)), ("s", pa.string()), ("b", pa.bool_()),
    ("day", pa.date32()), ("at", UTC),
])  # fmt: skip


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_rows_come_back(tmp_path_factory: pytest.TempPathFactory, format: str) -> None:
    # JSON has no NaN: such values are strings there, and a column of both is refused (the next test).
    values = st.fixed_dictionaries(_VALUES | (_FINITE if format == "json" else {}))

    @settings(max_examples=15, deadline=None, derandomize=True, database=None)
    @given(st.lists(values, min_size=1, max_size=5))
    def check(rows: list[dict[str, object]]) -> None:
        root = tmp_path_factory.mktemp("back")
        columns = "i BIGINT, d DOUBLE, n DECIMAL(20, 4), s STRING, b BOOLEAN, day DATE, at TIMESTAMP"
        handmade.table(root / "source", pa.Table.from_pylist(rows, _TYPES))
        with deltasql.connect(root) as con:
            con.sql(f"CREATE TABLE t ({columns})")
            con.sql(f"COPY source TO '{root}/out.{format}'")
            header = "FORMAT_OPTIONS (header = true)" if format == "csv" else ""
            con.sql(f"COPY INTO t FROM '{root}/out.{format}' FILEFORMAT = {format} {header}")
            assert _sorted(con.sql("SELECT * FROM t")) == _sorted(con.sql("SELECT * FROM source"))

    check()


def _sorted(result: deltasql.Result) -> list[str]:
    return sorted(json.dumps(row, default=_plain) for row in (list(map(_nan, row)) for row in result))


def _nan(value: object) -> object:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _plain(value: object) -> str:
    assert isinstance(value, Decimal | dt.date)
    return str(value)


def test_json_that_is_text_and_number_is_refused(place: Place) -> None:
    place.con.sql("CREATE TABLE t (id DOUBLE)")
    place.file("b.json", '{"id": 1.5}', '{"id": "NaN"}')
    with pytest.raises(deltasql.DataError, match=r"`.*/b\.json` can't be read: .*'id': expected string"):
        place.con.sql(f"COPY INTO t FROM '{place.land}' FILEFORMAT = JSON")
    place.file("a.json", '{"id": 1.5}')
    with pytest.raises(deltasql.PlanError, match=r"the columns of `.*/b\.json` don't fit those of the files before it"):
        place.con.sql(f"COPY INTO t FROM '{place.land}' FILEFORMAT = JSON")
    assert place.ids() == []
