"""Files as tables: what is read, against DuckDB, and what is refused."""

from __future__ import annotations

import bz2
import datetime as dt
import decimal
import gzip
import json
import lzma
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import datafusion
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import deltasql
from deltasql.engine.external import OPTIONS, External, external, find, options_of
from deltasql.engine.scan import Shown
from deltasql.engine.stores import Stores
from deltasql.errors import DataError, NotSupportedError, PlanError, StorageError
from deltasql.storage.storage import Storage

_CONFIG = {"datafusion.execution.parquet.coerce_int96": "us"}
Read = Callable[..., External]


@pytest.fixture
def context() -> datafusion.SessionContext:
    return datafusion.SessionContext(datafusion.SessionConfig(_CONFIG).with_target_partitions(4))


@pytest.fixture
def read(context: datafusion.SessionContext) -> Read:
    def read(format: str, /, *paths: object, zone: str = "UTC", **options: Any) -> External:
        shown = Shown(zone, lambda _: True)
        return external(
            context, format, list(map(str, paths)), options, shown=shown, storage=Storage(), stores=Stores()
        )

    return read


@pytest.fixture
def rows(context: datafusion.SessionContext, read: Read) -> Callable[..., list[dict[str, Any]]]:
    def rows(format: str, /, *paths: object, **options: Any) -> list[dict[str, Any]]:
        found = read(format, *paths, **options)
        frame = context.read_table(found.table)
        assert [field.name for field in frame.schema()] == found.schema.names
        assert [field.type for field in frame.schema()] == found.schema.types
        return frame.to_pylist()

    return rows


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _duck(sql: str) -> list[dict[str, Any]]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(sql).to_arrow_table().to_pylist()


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def _parquet(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


# -- options


def test_every_option_is_described() -> None:
    for format, options in OPTIONS.items():
        names = [name for option in options for name in (option.name, *option.aliases)]
        assert len(names) == len(set(names))
        assert all(option.description for option in options)
        assert options_of(format, {}) == {option.name: option.default for option in options}


@pytest.mark.parametrize(
    ("format", "given", "message"),
    [
        ("csv", {"headr": True}, "`read_csv` has no option `headr` .*did you mean `header`"),
        ("csv", {"hedder": True}, "did you mean `header`"),
        ("csv", {"nullstr": "NA"}, "`read_csv` has no option `nullstr`"),
        ("parquet", {"header": True}, "`read_parquet` has no option `header` .*it takes `hive_partitioning`"),
        ("csv", {"header": "maybe"}, "`maybe` is no value of `header`: it takes on or off"),
        ("csv", {"delim": "ab"}, "`ab` is no value of `delim`: it takes one ASCII character"),
        ("csv", {"quote": ""}, "`` is no value of `quote`"),
        ("csv", {"sep": ";", "delim": ","}, "takes either `sep` or `delim`"),
        ("csv", {"compression": "rar"}, "it takes one of auto, gzip, bz2, xz, zstd, none"),
        ("csv", {"sample_size": 0}, "a number of rows, or -1"),
        ("csv", {"sample_size": "x"}, "a whole number"),
        ("csv", {"columns": "a INTT"}, "there is no type `INTT`"),
        ("csv", {"columns": "a INT, A INT"}, "two fields"),
        ("json", {"format": "xml"}, "it takes one of auto, newline_delimited, array, unstructured"),
    ],
)
def test_wrong_options(format: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        options_of(format, given)


def test_options_are_text_or_values() -> None:
    assert options_of("csv", {"HEADER": "FALSE", "sep": "\\t", "schema_infer_max_records": 7}) == options_of(
        "csv", {"header": False, "delimiter": "\t", "sample_size": "7"}
    )


# -- files

_ODD = [
    "a b",
    "a%20b",
    "a#b",
    "a?b",
    "ü",
    "a\\b",
    "a*b",
    "a[b]",
    "{x}",
    "a'b",
    "noending",
    "x=1",
    "a+b",
    "a;b&c",
    "日本",
]


@pytest.mark.parametrize("name", _ODD)
@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_odd_names(tmp_path: Path, rows: Callable[..., Any], format: str, name: str) -> None:
    file = tmp_path / name / name
    _parquet(file, a=[1])
    if format != "parquet":
        _write(file, "a\n1\n" if format == "csv" else '{"a": 1}')
    for path in (file, f"file://{quote(str(file))}", tmp_path / "*" / "*"):
        assert [row["a"] for row in rows(format, path, hive_partitioning=False)] == [1]


def test_folders_and_globs(tmp_path: Path) -> None:
    names = [
        "b.csv",
        "a.csv",
        "s/c.CSV",
        "s/t/d.csv.gz",
        ".h.csv",
        "_h.csv",
        "_h/x.csv",
        "p=1/e.tsv",
        "n.txt",
        "f.csv/g.csv",
    ]
    for name in names:
        _write(tmp_path / name, "")

    def found(*patterns: str) -> list[str]:
        paths = find("csv", [str(tmp_path / pattern) for pattern in patterns], Storage())
        return [str(path.relative_to(tmp_path)) for path in paths]

    assert found("") == ["a.csv", "b.csv", "f.csv/g.csv", "p=1/e.tsv", "s/c.CSV", "s/t/d.csv.gz"]
    assert found("*.csv") == ["_h.csv", "a.csv", "b.csv"]
    assert found("?.csv") == ["a.csv", "b.csv"]
    assert found("[bx].csv") == ["b.csv"]
    assert found("s/**") == ["s/c.CSV", "s/t/d.csv.gz"]
    assert found("**/*.csv") == ["_h/x.csv", "_h.csv", "a.csv", "b.csv", "f.csv/g.csv"]
    assert found("b.csv", "*.csv", "b.csv") == ["b.csv", "_h.csv", "a.csv"]
    assert found("n.txt") == ["n.txt"]


def test_dots(tmp_path: Path, rows: Callable[..., Any]) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "deep")
    for format, content in (("csv", "a\n1\n"), ("json", '{"a": 1}')):
        _write(tmp_path / "elsewhere" / f"f.{format}", content)
        assert rows(format, tmp_path / "link" / ".." / f"f.{format}") == [{"a": 1}]
    _parquet(tmp_path / "elsewhere" / "f.parquet", a=[1])
    assert rows("parquet", tmp_path / "link" / ".." / "*.parquet") == [{"a": 1}]


def test_nothing_there(tmp_path: Path, read: Read) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match=r"no file matches `.*/\*\.csv`"):
        read("csv", tmp_path / "*.csv")
    with pytest.raises(StorageError, match=r"no file matches `.*/gone`"):
        read("csv", tmp_path / "gone")
    with pytest.raises(StorageError, match=r"`.*/empty` holds no \.csv or \.tsv file"):
        read("csv", tmp_path / "empty")
    _write(tmp_path / "a.csv", "a\n1\n")
    with pytest.raises(StorageError, match="gone"):
        read("csv", tmp_path / "a.csv", tmp_path / "gone.csv")


@pytest.mark.parametrize("url", ["hdfs://b/k.csv", "https://x/y.csv"])
def test_other_machines(read: Read, url: str) -> None:
    with pytest.raises(NotSupportedError, match=url.split(":", maxsplit=1)[0]):
        read("csv", url)


def test_a_delta_table_is_none(tmp_path: Path, read: Read) -> None:
    write_deltalake(str(tmp_path / "t"), pa.table({"a": [1]}))
    with pytest.raises(PlanError, match=r"is a Delta table .*delta\.`"):
        read("parquet", tmp_path / "t")


def test_a_file_that_goes(tmp_path: Path, read: Read, context: datafusion.SessionContext) -> None:
    files = [_parquet(tmp_path / f"{n}.parquet", a=[n]) for n in range(3)]
    found = read("parquet", tmp_path)
    assert found.files == tuple(files)
    found.require_files()
    files[1].unlink()
    assert len(context.read_table(found.table).to_pylist()) < 3
    with pytest.raises(StorageError, match=r"1\.parquet` is missing"):
        found.require_files()


# -- CSV


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        'a,b\n1,"x, ""y"""\n2,"p\nq"\n',
        "a,b\r\n1,x\r\n,\r\n",
        "a,b\n1.5,true\n-2,false\n",
        "a,b\n2024-01-31,x\n,y\n",
        "a,b\n1e3,.5\nnan,-inf\n",
        "\ufeffa,b\n1,2\n",
        "a,Ünï\n1,日本\n",
        "a,b\n",
        "a,b\n1,2",
    ],
)
def test_csv_as_duckdb(tmp_path: Path, rows: Callable[..., Any], text: str) -> None:
    file = _write(tmp_path / "a.csv", text)
    expected = _duck(f"SELECT * FROM read_csv('{file}', header=true, delim=',', quote='\"', escape='\"')")
    assert str(rows("csv", file)) == str(expected)


def test_csv_types(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    text = "i,big,d,day,t,b,s,n\n1,99999999999999999999,1,2024-01-01,2024-07-01,true,1,\n"
    text += (
        "-2,1,2.5,2024-01-02,2024-07-01T10:00:00+02:00,FALSE,x,\n3,2,3,2024-01-03,2024-07-01 10:00:00.123456,true,,\n"
    )
    file = _write(tmp_path / "a.csv", text)
    berlin = pa.timestamp("us", "Europe/Berlin")
    types = [pa.int64(), pa.decimal128(38, 0), pa.float64(), pa.date32(), berlin, pa.bool_(), pa.string(), pa.string()]
    assert read("csv", file, zone="Europe/Berlin").schema.types == types
    found = rows("csv", file, zone="Europe/Berlin")
    assert [row["t"].astimezone(dt.UTC).isoformat()[:26] for row in found] == [
        "2024-06-30T22:00:00+00:00",
        "2024-07-01T08:00:00+00:00",
        "2024-07-01T08:00:00.123456",
    ]
    assert found[0]["big"] == decimal.Decimal(99999999999999999999)


def test_csv_options(tmp_path: Path, rows: Callable[..., Any]) -> None:
    file = _write(tmp_path / "a.txt", "#no\n'a;b';1\n'it\\'s';2\n#no\n")
    options = {"header": False, "sep": ";", "quote": "'", "escape": "\\", "comment": "#"}
    assert rows("csv", file, **options) == [{"column_1": "a;b", "column_2": 1}, {"column_1": "it's", "column_2": 2}]
    short = _write(tmp_path / "short.csv", "a,b\n1\n2,3\n")
    assert rows("csv", short, null_padding=True) == [{"a": 1, "b": None}, {"a": 2, "b": 3}]
    with pytest.raises(Exception, match="incorrect number of fields"):
        rows("csv", short)


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_compressed(tmp_path: Path, rows: Callable[..., Any], ending: str) -> None:
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    }
    names = {"gz": "gzip", "bz2": "bz2", "xz": "xz", "zst": "zstd"}
    packed = _write(tmp_path / f"a.csv.{ending}", packers[ending](b"a,b\n1,x\n"))
    _write(tmp_path / "b.csv", "a,b\n2,y\n")
    assert _sorted(rows("csv", tmp_path)) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert rows("csv", packed.rename(tmp_path / "x"), compression=names[ending]) == [{"a": 1, "b": "x"}]
    for text in (b'{"a": 1}\n{"a": 2}', b'[{"a": 1}, {"a": 2}]'):
        file = _write(tmp_path / f"j.json.{ending}", packers[ending](text))
        assert _sorted(rows("json", file)) == [{"a": 1}, {"a": 2}]


def test_csv_columns(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    file = _write(tmp_path / "a.csv", "a,b\n1,2024-01-01\n")
    assert rows("csv", file, columns="B STRING, A DOUBLE") == [{"B": "2024-01-01", "A": 1.0}]
    assert rows("csv", file, columns="x TINYINT, y DATE NOT NULL") == [{"x": 1, "y": dt.date(2024, 1, 1)}]
    assert rows("csv", file, columns={"x": "STRING", "y": "TIMESTAMP_NTZ"}) == [
        {"x": "1", "y": dt.datetime(2024, 1, 1)}
    ]
    (row,) = rows("csv", file, columns="a INT, b TIMESTAMP", zone="Asia/Tokyo")
    assert row["b"] == dt.datetime(2023, 12, 31, 15, tzinfo=dt.UTC)
    assert rows("csv", _write(tmp_path / "empty.csv", ""), columns="a INT") == []
    with pytest.raises(PlanError, match=r"`columns` doesn't fit .*its columns are `a`, `b`"):
        read("csv", file, columns="a INT, z INT")
    with pytest.raises(PlanError, match="`columns` doesn't fit"):
        read("csv", file, columns="x INT")
    with pytest.raises(NotSupportedError, match=r"`x` as ARRAY<INT>"):
        read("csv", file, columns="x ARRAY<INT>, y INT")


def test_decimals_are_rounded(tmp_path: Path, rows: Callable[..., Any]) -> None:
    values = ["1.235", "1.2349", "-1.235", "99999999.99", ""]
    expected = [decimal.Decimal(text) for text in ("1.24", "1.23", "-1.24", "99999999.99")]
    file = _write(tmp_path / "a.csv", "a,b\n" + "".join(f"{value},x\n" for value in values))
    assert [row["a"] for row in rows("csv", file, columns="a DECIMAL(10,2), b STRING")] == [*expected, None]
    file = _write(tmp_path / "a.json", "".join(f'{{"a": {value}, "l": [{value}]}}\n' for value in values[:4]))
    found = rows("json", file, columns="a DECIMAL(10,2), l ARRAY<DECIMAL(10,2)>")
    assert found == [{"a": value, "l": [value]} for value in expected]
    with pytest.raises(Exception, match=r"1\.5e9|too large|overflow|1500000000"):
        rows("json", _write(tmp_path / "b.json", '{"a": 1500000000}'), columns="a DECIMAL(10,2)")


def test_csv_files_by_name(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    _write(tmp_path / "a.csv", "a,b\n1,x\n")
    _write(tmp_path / "b.csv", "b,a,c\ny,2.5,true\n")
    _write(tmp_path / "c.csv", "")
    expected = _duck(f"SELECT * FROM read_csv('{tmp_path}/[ab].csv', union_by_name=true, header=true)")
    assert _sorted(rows("csv", tmp_path)) == _sorted(expected)
    with pytest.raises(PlanError, match="differ in `c`"):
        read("csv", tmp_path, union_by_name=False)


def test_csv_that_is_none(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    with pytest.raises(PlanError, match="has two columns `a`"):
        read("csv", _write(tmp_path / "a.csv", "a,a\n1,2\n"))
    with pytest.raises(PlanError, match="holds no columns"):
        read("csv", _write(tmp_path / "b.csv", ""))
    with pytest.raises(DataError, match=r"latin\.csv"):
        read("csv", _write(tmp_path / "latin.csv", "a\né\n".encode("latin-1")))
    with pytest.raises(DataError, match=r"torn\.csv\.gz"):
        read("csv", _write(tmp_path / "torn.csv.gz", gzip.compress(b"a\n" + os.urandom(500).hex().encode())[:-40]))
    late = _write(tmp_path / "late.csv", "a\n" + "1\n" * 500 + "x\n")
    with pytest.raises(Exception, match="Error while parsing value 'x'"):
        rows("csv", late, sample_size=100)
    assert rows("csv", late)[-1] == {"a": "x"}


def test_csv_with_newlines_in_a_large_file(tmp_path: Path, context: datafusion.SessionContext, read: Read) -> None:
    """DataFusion reads a file of over 10 MB in parts, which start wherever a line does."""
    lines = (f'{n},"p,\n{n},7\n"\n' for n in range(600_000))
    file = _write(tmp_path / "a.csv", "a,b\n" + "".join(lines))
    assert file.stat().st_size > 10_000_000
    context.register_table("t", read("csv", file).table)
    assert context.sql("SELECT count(*) AS n, sum(a) AS s FROM t").to_pylist() == _duck(
        f"SELECT count(*) AS n, sum(a)::BIGINT AS s FROM read_csv('{file}', header=true)"
    )


# -- JSON


def test_json_as_duckdb(tmp_path: Path, rows: Callable[..., Any]) -> None:
    records = [{"a": 1, "b": "x", "c": {"d": [1, 2]}}, {"a": 2.5, "b": None, "e": True}, {"a": -3, "c": {"d": []}}]
    lines = _write(tmp_path / "a.json", "\n".join(map(json.dumps, records)))
    array = _write(tmp_path / "b.json", json.dumps(records, indent=2))
    spread = _write(tmp_path / "c.json", "\ufeff" + "\n".join(json.dumps(record, indent=2) for record in records))
    expected = _duck(f"SELECT * FROM read_json('{lines}')")
    for file in (lines, array, spread):
        assert rows("json", file) == expected
    assert _sorted(rows("json", lines, array, spread)) == _sorted(expected * 3)
    assert rows("json", array, format="array") == expected


def test_json_columns(tmp_path: Path, rows: Callable[..., Any]) -> None:
    lines = _write(tmp_path / "a.json", '{"a": 1.5, "t": "2024-07-01 10:00:00", "z": 1}')
    array = _write(tmp_path / "b.json", '[{"t": "2024-07-01T10:00:00Z"}]')
    found = rows("json", lines, array, columns="t TIMESTAMP, a DECIMAL(5,2), q ARRAY<INT>", zone="Europe/Berlin")
    assert sorted((row["t"].astimezone(dt.UTC).hour, row["a"], row["q"]) for row in found) == [
        (8, decimal.Decimal("1.50"), None),
        (10, None, None),
    ]


@pytest.mark.parametrize("text", ["[1, 2]", '{"a":', '[{"a": 1}, {"a": "x"}]', "1\n2\n", "[}", '{"a": 1}\nx'])
def test_json_that_is_none(tmp_path: Path, read: Read, text: str) -> None:
    with pytest.raises(DataError, match=r"bad\.json"):
        read("json", _write(tmp_path / "bad.json", text))


def test_json_of_structs_that_are_compared(tmp_path: Path, context: datafusion.SessionContext, read: Read) -> None:
    """DataFusion stumbled over plain columns under aliases ("schema contains qualified field name")."""
    file = _write(tmp_path / "a.json", '{"a": {"x": 1}, "b": 1}\n{"b": 2}')
    context.register_table("t", read("json", file).table)
    assert context.sql("SELECT t.a['x'] AS x FROM t WHERE a IS NOT NULL").to_pylist() == [{"x": 1}]


def test_json_of_nothing(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    with pytest.raises(PlanError, match="holds no columns"):
        read("json", _write(tmp_path / "a.json", "[]"))
    assert rows("json", tmp_path / "a.json", columns="a INT") == []
    with pytest.raises(PlanError, match=r"c\.json` don't fit those of the files before it"):
        read("json", _write(tmp_path / "b.json", '{"a": 1}'), _write(tmp_path / "c.json", '{"a": "x"}'))


# -- Parquet


def test_parquet_as_duckdb(tmp_path: Path, rows: Callable[..., Any]) -> None:
    one = _parquet(tmp_path / "a.parquet", a=pa.array([1], pa.int32()), d=pa.array(["x"]).dictionary_encode())
    _parquet(tmp_path / "b.parquet", b=[2.5], a=[2**40], s=[{"p": [1, None]}], d=pa.array(["y"], pa.large_string()))
    _parquet(tmp_path / "c.parquet", a=[None], n=pa.nulls(1))
    expected = _duck(
        f"SELECT * REPLACE (n::VARCHAR AS n) FROM read_parquet('{tmp_path}/*.parquet', union_by_name=true)"
    )
    assert _sorted(rows("parquet", tmp_path)) == _sorted(expected)
    assert rows("parquet", one) == [{"a": 1, "d": "x"}]


def test_parquet_that_does_not_fit(tmp_path: Path, read: Read) -> None:
    _parquet(tmp_path / "a.parquet", a=[1])
    _parquet(tmp_path / "b.parquet", a=["x"])
    with pytest.raises(PlanError, match=r"b\.parquet` don't fit .*int64 vs string"):
        read("parquet", tmp_path)


@pytest.mark.parametrize("keep", [0, 3, -9])
def test_a_torn_parquet_file(tmp_path: Path, read: Read, keep: int) -> None:
    _parquet(tmp_path / "a.parquet", a=[1])
    torn = _parquet(tmp_path / "b.parquet", a=[1])
    torn.write_bytes(torn.read_bytes()[:keep])
    with pytest.raises(StorageError, match=r"b\.parquet"):
        read("parquet", tmp_path)


def test_a_file_that_is_damaged_further_on(tmp_path: Path, context: datafusion.SessionContext, read: Read) -> None:
    text = "a\n" + "".join(f"{n * 7919 % 10007}\n" for n in range(50_000))
    packed = _write(tmp_path / "x.csv.gz", gzip.compress(text.encode())[:-1000])
    stored = _parquet(tmp_path / "x.parquet", a=[str(n) for n in range(50_000)])
    content = stored.read_bytes()
    stored.write_bytes(content[:5000] + bytes(4000) + content[9000:])
    for format, file in (("csv", packed), ("parquet", stored)):
        found = read(format, file, **({"sample_size": 100} if format == "csv" else {}))
        with pytest.raises(Exception, match=r"deflate|corrupt"):
            context.read_table(found.table).collect()
        with pytest.raises(StorageError, match=file.name):
            found.require_whole_files()
        option = ", sample_size => 100" if format == "csv" else ""
        with deltasql.connect() as con, pytest.raises(deltasql.Error, match=file.name):
            con.sql(f"SELECT count(DISTINCT a) FROM read_{format}('{file}'{option})").to_arrow()
    read("csv", _write(tmp_path / "good.csv", "a\n1\n")).require_whole_files()


def test_instants(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    times = [dt.datetime(9999, 12, 31, 1, 2, 3, 4), dt.datetime(1, 1, 1), None]
    table = pa.table({"t": pa.array(times, pa.timestamp("us")), "l": [[time] for time in times]})
    file = tmp_path / "int96.parquet"
    pq.write_table(table, file, use_deprecated_int96_timestamps=True, store_schema=False)
    expected = [None if time is None else time.replace(tzinfo=dt.UTC) for time in times]
    found = rows("parquet", file)
    assert [row["t"] for row in found] == expected
    assert [row["l"] for row in found] == [[time] for time in expected]
    assert read("parquet", file, zone="Asia/Tokyo").schema.field("t").type == pa.timestamp("us", "Asia/Tokyo")
    other = tmp_path / "other.parquet"
    pq.write_table(
        pa.table({"n": pa.array([1], pa.timestamp("ns")), "z": pa.array([1], pa.timestamp("ms", "Asia/Tokyo"))}), other
    )
    assert read("parquet", other).schema.types == [pa.timestamp("us"), pa.timestamp("us", "UTC")]
    assert rows("parquet", other)[0]["z"] == dt.datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=dt.UTC)


_NAN_QUERIES = [
    "SELECT i FROM t WHERE x > 5 ORDER BY i",
    "SELECT i FROM t WHERE x <> 1 ORDER BY i",
    "SELECT i FROM t WHERE NOT (x <= 2) ORDER BY i",
    "SELECT max(x) AS m, min(x) AS n FROM t",
    "SELECT i FROM t WHERE s['f'] > 5 ORDER BY i",
    "SELECT i FROM t ORDER BY x DESC, i LIMIT 2",
    "SELECT count(*) AS n FROM t WHERE x = x",
]


@pytest.mark.parametrize("others", [[1.0, 2.0], [1.0, 1.0]], ids=["varied", "constant"])
@pytest.mark.parametrize("query", _NAN_QUERIES)
def test_nan(tmp_path: Path, context: datafusion.SessionContext, read: Read, others: list[float], query: str) -> None:
    values = [*others, math.nan]
    file = _parquet(tmp_path / "a.parquet", i=[1, 2, 3], x=values, s=[{"f": value} for value in values])
    found = read("parquet", file)
    assert found.statistics_lie == (others[0] == others[1])
    if found.statistics_lie:
        context.sql("SET datafusion.execution.collect_statistics = 'false'")
    context.register_table("t", found.table)
    # DuckDB trusts the statistics too, so it is asked without them.
    expected = _duck(
        query.replace("FROM t", f"FROM (SELECT i, x + 0 AS x, {{'f': x + 0}} AS s FROM read_parquet('{file}'))")
    )
    assert str(context.sql(query).to_pylist()) == str(expected)


def test_a_column_that_is_not_read_hides_nothing(tmp_path: Path, context: datafusion.SessionContext) -> None:
    file = _parquet(tmp_path / "a.parquet", i=[1], x=[1.0])
    shown = Shown("UTC", lambda name: name == "i")
    found = external(context, "parquet", [str(file)], {}, shown=shown, storage=Storage(), stores=Stores())
    assert not found.statistics_lie
    assert "deltasql_opaque" not in str(context.read_table(found.table).logical_plan())


# -- folders that give columns


def test_hive_partitioning(tmp_path: Path, read: Read, rows: Callable[..., Any]) -> None:
    for year, name in ((2023, "a b"), (2024, "__HIVE_DEFAULT_PARTITION__"), (2024, "x%2Fy")):
        _parquet(tmp_path / f"year={year}" / f"k={name}" / "f.parquet", a=[year], k=["file's own"])
    expected = [
        {"a": 2023, "year": 2023, "k": "a b"},
        {"a": 2024, "year": 2024, "k": None},
        {"a": 2024, "year": 2024, "k": "x/y"},
    ]
    assert _sorted(rows("parquet", tmp_path)) == _sorted(expected)
    assert read("parquet", tmp_path).schema.types == [pa.int64(), pa.int64(), pa.string()]
    assert read("parquet", tmp_path, hive_types_autocast=False).schema.field("year").type == pa.string()
    assert rows("parquet", tmp_path / "year=2023", hive_partitioning=False) == [{"a": 2023, "k": "file's own"}]
    _parquet(tmp_path / "g.parquet", a=[0], k=["z"])
    assert len(rows("parquet", tmp_path)) == 4
    assert read("parquet", tmp_path).schema.names == ["a", "k"]
    with pytest.raises(PlanError, match="folders of different columns"):
        read("parquet", tmp_path, hive_partitioning=True)


def test_hive_partitioning_of_text(tmp_path: Path, rows: Callable[..., Any]) -> None:
    _write(tmp_path / "d=2024-01-01" / "a.csv", "b,a\nx,1\n")
    _write(tmp_path / "d=2024-01-02" / "a.csv", "a,b\n2,y\n")
    expected = _duck(f"SELECT * FROM read_csv('{tmp_path}/*/*.csv', union_by_name=true, header=true)")
    assert _sorted(rows("csv", tmp_path)) == _sorted(expected)
    _write(tmp_path / "j" / "d=1" / "a.json", '{"a": 1}')
    _write(tmp_path / "j" / "d=2" / "a.json", '[{"a": 2}]')
    assert _sorted(rows("json", tmp_path / "j")) == [{"a": 1, "d": 1}, {"a": 2, "d": 2}]
