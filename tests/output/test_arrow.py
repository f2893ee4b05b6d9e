"""Arrow and Parquet: plain types, row groups, and no file that looks whole when the rows ended in an error."""

from __future__ import annotations

import gc
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltasql.errors import NotSupportedError, PlanError
from deltasql.output import FORMATS, Options, arrow

BINARY = ["arrow", "parquet"]


def written(format: str, rows: pa.Table, out: io.BytesIO | None = None) -> bytes:
    out = io.BytesIO() if out is None else out
    FORMATS[format](rows.schema, rows.to_batches(), out, Options())
    return out.getvalue()


def read(format: str, data: bytes) -> pa.Table:
    return pa.ipc.open_file(data).read_all() if format == "arrow" else pq.ParquetFile(io.BytesIO(data)).read()


NESTED = pa.list_(
    pa.field("it", pa.struct([pa.field("v", pa.string_view(), metadata={"PARQUET:field_id": "7"})]), nullable=True)
)


@pytest.mark.parametrize("format", BINARY)
@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize(
    ("values", "kind", "plain"),
    [
        (["a", None, "", "b"], pa.string_view(), pa.string()),
        ([b"a", None, b"", b"b"], pa.binary_view(), pa.binary()),
        (["a", None, "a", "b"], pa.dictionary(pa.int8(), pa.string()), pa.string()),
        ([["a"], None, [], [None, "c"]], pa.list_(pa.string_view()), pa.list_(pa.string())),
        ([["a"], None, [], [None, "c"]], pa.large_list(pa.string_view()), pa.large_list(pa.string())),
        ([["a"], None, [], [None, "c"]], pa.list_view(pa.string_view()), pa.large_list(pa.string())),
        ([["a"], None, ["b"], [None]], pa.list_(pa.string_view(), 1), pa.large_list(pa.string())),
        ([[{"v": "a"}], None, [None], [{"v": None}]], NESTED, pa.list_(pa.struct([("v", pa.string())]))),
        (
            [[("k", b"a")], None, [], [("l", None)]],
            pa.map_(pa.string_view(), pa.binary_view()),
            pa.map_(pa.string(), pa.binary()),
        ),
        ([{"a": {"b": "c"}}, None, {"a": None}, {"a": {"b": None}}], pa.struct([("a", pa.struct([("b", pa.string_view())]))]), pa.struct([("a", pa.struct([("b", pa.string())]))])),
    ],
    ids=str,
)  # fmt: skip
def test_types_are_plain(format, start, values, kind, plain):
    rows = pa.table({"x": pa.array(values, kind)}).slice(start).replace_schema_metadata({"ARROW:foreign": "1"})
    got = read(format, written(format, rows))
    assert got["x"].to_pylist() == values[start:]
    assert got.schema.metadata is None
    if format == "arrow":
        assert got.schema.equals(pa.schema([("x", plain)]))
    assert b"PARQUET" not in written("arrow", rows)
    assert "view" not in str(got.schema)


def test_encodings_of_encodings_are_plain():
    words = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), pa.array(["a", "b"], pa.string_view()))
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None]))
    got = read("arrow", written("arrow", pa.table({"x": words, "y": runs})))
    assert got.equals(pa.table({"x": ["a", None, "b"], "y": ["a", "a", None]}))


def test_a_list_of_one_size_stays_one():
    rows = pa.table({"x": pa.array([[1, 2], None], pa.list_(pa.int8(), 2))})
    assert read("arrow", written("arrow", rows)).equals(rows)


def test_extensions_are_what_they_hold():
    rows = pa.table({"x": pa.array([b"0123456789abcdef", None], pa.uuid())})
    assert read("arrow", written("arrow", rows)).schema.types == [pa.binary(16)]


@pytest.mark.parametrize("format", BINARY)
def test_rows_that_end_in_an_error_look_it(format):
    """A library's writer finishes its file when it goes, which would make a part look like the whole."""

    def batches():
        yield from pa.table({"n": [1, 2]}).to_batches()
        yield from pa.table({"n": list(range(2_000_000))}).to_batches()
        raise ValueError("gone")

    out = io.BytesIO()
    with pytest.raises(ValueError, match="gone"):
        FORMATS[format](pa.schema([("n", pa.int64())]), batches(), out, Options())
    gc.collect()
    assert out.getvalue()
    with pytest.raises(pa.ArrowInvalid):
        read(format, out.getvalue())
    assert not out.closed


def test_a_pipe_gets_a_stream():
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    rows = pa.table({"n": [1, 2]})
    assert pa.ipc.open_stream(written("arrow", rows, Pipe())).read_all().equals(rows)


@pytest.mark.parametrize("format", BINARY)
def test_a_terminal_gets_none(format):
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with pytest.raises(NotSupportedError, match=f"`{format}` is no text"):
        written(format, pa.table({"n": [1]}), out)
    assert out.getvalue() == b""


def test_small_batches_share_a_row_group():
    batches = pa.table({"n": range(20_000)}).to_batches(max_chunksize=100)
    out = io.BytesIO()
    FORMATS["parquet"](batches[0].schema, batches, out, Options())
    assert pq.ParquetFile(io.BytesIO(out.getvalue())).num_row_groups == 1


@pytest.mark.parametrize("bound", ["_GROUP_ROWS", "_GROUP_BYTES"])
def test_a_row_group_has_an_end(bound, monkeypatch):
    monkeypatch.setattr(arrow, bound, 1000)
    batches = pa.table({"n": range(2_000)}).to_batches(max_chunksize=100)
    out = io.BytesIO()
    FORMATS["parquet"](batches[0].schema, batches, out, Options())
    file = pq.ParquetFile(io.BytesIO(out.getvalue()))
    assert file.num_row_groups == (2 if bound == "_GROUP_ROWS" else 10)
    assert file.read()["n"].to_pylist() == list(range(2_000))


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (pa.duration("us"), "DURATION"),
        (pa.month_day_nano_interval(), "MONTH_DAY_NANO_INTERVAL"),
        (pa.struct([]), "STRUCT<>"),
        (pa.list_(pa.struct([("a", pa.map_(pa.string(), pa.duration("s")))])), "DURATION"),
        (pa.dictionary(pa.int8(), pa.duration("us")), "DURATION"),
    ],
    ids=str,
)
def test_what_parquet_cant_hold_is_refused_by_name(kind, named):
    rows = pa.schema([("x", kind)]).empty_table()
    with pytest.raises(NotSupportedError, match=rf"column `x` of type {named}.* can't be written as Parquet"):
        written("parquet", rows)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(PlanError, match="two columns `N`"):
        written("parquet", pa.table([[1], [2]], names=["n", "N"]))
