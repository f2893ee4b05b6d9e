"""Names of types, to and fro."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltasql.errors import NotSupportedError, PlanError
from deltasql.types import char_length, parse_type, spark_name, sql_name

UTC = pa.timestamp("us", "UTC")

NAMES = [
    (pa.bool_(), "BOOLEAN"),
    (pa.int8(), "TINYINT"),
    (pa.int16(), "SMALLINT"),
    (pa.int32(), "INT"),
    (pa.int64(), "BIGINT"),
    (pa.float32(), "FLOAT"),
    (pa.float64(), "DOUBLE"),
    (pa.decimal128(10, 2), "DECIMAL(10,2)"),
    (pa.string(), "STRING"),
    (pa.binary(), "BINARY"),
    (pa.date32(), "DATE"),
    (UTC, "TIMESTAMP"),
    (pa.timestamp("us"), "TIMESTAMP_NTZ"),
    (pa.list_(pa.int32()), "ARRAY<INT>"),
]


@pytest.mark.parametrize(("type", "name"), NAMES, ids=str)
def test_names(type, name):
    assert sql_name(type) == name
    assert spark_name(type) == name.lower()
    assert parse_type(name) == type
    assert parse_type(f"  {name.lower()}\n") == type


def test_names_of_nested_types():
    fields = [pa.field("a", pa.int32(), nullable=False), pa.field("Odd `name", pa.list_(pa.string()))]
    type = pa.map_(pa.string(), pa.struct(fields))
    assert sql_name(type) == "MAP<STRING, STRUCT<a: INT NOT NULL, `Odd ``name`: ARRAY<STRING>>>"
    assert spark_name(type) == "map<string,struct<a:int,Odd `name:array<string>>>"
    assert parse_type(sql_name(type)) == type


@pytest.mark.parametrize(
    ("type", "name"),
    [
        (pa.string_view(), "STRING"),
        (pa.large_binary(), "BINARY"),
        (pa.binary(3), "BINARY"),
        (pa.dictionary(pa.int8(), pa.string()), "STRING"),
        (pa.run_end_encoded(pa.int32(), pa.string()), "STRING"),
        (pa.large_list(pa.int8()), "ARRAY<TINYINT>"),
        (pa.timestamp("ns", "Europe/Berlin"), "TIMESTAMP"),
        (pa.null(), "VOID"),
        (pa.uint8(), "UINT8"),
        (pa.time64("us"), "TIME64[US]"),
    ],
    ids=str,
)
def test_names_of_types_that_sql_lacks(type, name):
    assert sql_name(type) == name
    assert spark_name(type) == name.lower()


@pytest.mark.parametrize(
    ("sql", "type"),
    [
        ("byte", pa.int8()),
        ("SHORT", pa.int16()),
        ("Integer", pa.int32()),
        ("long", pa.int64()),
        ("real", pa.float32()),
        ("decimal", pa.decimal128(10, 0)),
        ("NUMERIC(5)", pa.decimal128(5, 0)),
        ("dec ( 38 ,\n 38 )", pa.decimal128(38, 38)),
        ("text", pa.string()),
        ("varchar(10)", pa.string()),
        ("CHAR ( 3 )", pa.string()),
        ("timestamp_ltz", UTC),
        ("array < array<\tint>>", pa.list_(pa.list_(pa.int32()))),
        ("MAP<string,decimal(5,2)>", pa.map_(pa.string(), pa.decimal128(5, 2))),
        ("struct<a int>", pa.struct([("a", pa.int32())])),
        ("struct<a:int,B: string>", pa.struct([("a", pa.int32()), ("B", pa.string())])),
        ('struct<"a ""b": int, `c``d` date>', pa.struct([('a "b', pa.int32()), ("c`d", pa.date32())])),
        ("struct<int int, not: date, struct: struct<x: int>>", None),
        ("struct<é: int NOT NULL>", pa.struct([pa.field("é", pa.int32(), nullable=False)])),
    ],
)
def test_parsing(sql, type):
    if type is None:
        inner = pa.struct([("x", pa.int32())])
        type = pa.struct([("int", pa.int32()), ("not", pa.date32()), ("struct", inner)])
    assert parse_type(sql) == type


def test_a_comment_becomes_metadata():
    type = parse_type("STRUCT<a: INT NOT NULL COMMENT 'it''s, a <b>', b STRING comment ''>")
    assert type.field("a").metadata == {b"comment": b"it's, a <b>"}
    assert not type.field("a").nullable
    assert type.field("b").metadata == {b"comment": b""}


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("", "ends too early", "a type"),
        ("   ", "ends too early", "a type"),
        ("INTT", "no type `INTT`", "did you mean `INT`"),
        ("strin", "no type `strin`", "did you mean `STRING`"),
        ("frobnicate", "no type `frobnicate`", None),
        ("ARRAY<INTEGR>", "no type `INTEGR`", "did you mean `INTEGER`"),
        ("INT(11)", r"unexpected `\(`", None),
        ("INT INT", "unexpected `INT`", None),
        ("ARRAY", "ends too early", "`<`"),
        ("ARRAY<>", "unexpected `>`", "a type"),
        ("ARRAY<INT", "ends too early", "`>`"),
        ("MAP<INT>", "unexpected `>`", "`,`"),
        ("STRUCT<>", "unexpected `>`", "field"),
        ("STRUCT<a: INT,>", "unexpected `>`", "field"),
        ("STRUCT<a: INT NOT>", "unexpected `>`", "`NULL`"),
        ("STRUCT<a: INT COMMENT x>", "unexpected `x`", "a string"),
        ("STRUCT<a: INT, A: INT>", "two fields `A`", None),
        ("DECIMAL(0)", r"DECIMAL\(0,0\)", "38"),
        ("DECIMAL(39)", r"DECIMAL\(39,0\)", "38"),
        ("DECIMAL(5,6)", r"DECIMAL\(5,6\)", "38"),
        ("DECIMAL(5,-1)", "unexpected `-`", None),
        ("DECIMAL(a)", "unexpected `a`", "a number"),
        ("VARCHAR(0)", r"VARCHAR\(0\)", "at least 1"),
        ("DECIMAL(" + "9" * 5000 + ")", "unexpected", "`)`"),
        ("ARRAY<" * 5000, "nested too deeply", "32 levels"),
        ("'INT'", "unexpected `INT`", "a type"),
        ("INT; DROP TABLE t", "unexpected `;`", None),
    ],
)
def test_what_is_no_type(sql, message, hint):
    with pytest.raises(PlanError, match=message) as raised:
        parse_type(sql)
    assert (raised.value.hint is None) if hint is None else (hint in str(raised.value.hint))


@pytest.mark.parametrize("sql", ["variant", "INTERVAL", "INTERVAL DAY", "geometry(4326)", "GEOGRAPHY", "array<void>"])
def test_types_that_are_not_supported(sql):
    with pytest.raises(NotSupportedError, match=r"type `(VARIANT|INTERVAL|GEOMETRY|GEOGRAPHY|VOID)`"):
        parse_type(sql)


@pytest.mark.parametrize(
    ("sql", "length"),
    [
        ("VARCHAR(10)", "varchar(10)"),
        (" char\n( 03 ) ", "char(3)"),
        ("VARCHAR", None),
        ("STRING", None),
        ("ARRAY<VARCHAR(3)>", None),
    ],
)
def test_char_length(sql, length):
    assert char_length(sql) == length


def nested(inner: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=5)
    field = st.builds(pa.field, names, inner, st.booleans())
    fields = st.lists(field, min_size=1, max_size=3, unique_by=lambda field: field.name.casefold())
    return inner.map(pa.list_) | st.builds(pa.map_, inner, inner) | fields.map(pa.struct)


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.sampled_from([type for type, _ in NAMES]), nested, max_leaves=8))
def test_a_name_reads_as_its_type(type):
    assert parse_type(sql_name(type)) == type
