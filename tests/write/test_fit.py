"""Arrow schemas made fit for Delta."""

from __future__ import annotations

import pyarrow as pa
import pytest

from deltasql.errors import NotSupportedError, SchemaMismatch
from deltasql.write.fit import delta_schema

UTC = pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *[
            (type, type)
            for type in (
                *(pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()),
                *(pa.string(), pa.binary(), pa.date32(), pa.decimal128(10, 2), UTC, pa.timestamp("us")),
            )
        ],
        (pa.string_view(), pa.string()),
        (pa.large_string(), pa.string()),
        (pa.binary_view(), pa.binary()),
        (pa.large_binary(), pa.binary()),
        (pa.binary(16), pa.binary()),
        (pa.uint8(), pa.int16()),
        (pa.uint16(), pa.int32()),
        (pa.uint32(), pa.int64()),
        (pa.uint64(), pa.decimal128(20, 0)),
        (pa.float16(), pa.float32()),
        (pa.date64(), pa.date32()),
        (pa.timestamp("ns", "Europe/Berlin"), UTC),
        (pa.timestamp("s", "+02:00"), UTC),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.decimal256(38, 10), pa.decimal128(38, 10)),
        (pa.decimal32(5, 2), pa.decimal128(5, 2)),
        (pa.decimal64(5, 2), pa.decimal128(5, 2)),
        (pa.dictionary(pa.int8(), pa.string_view()), pa.string()),
        (pa.run_end_encoded(pa.int32(), pa.uint8()), pa.int16()),
        (pa.uuid(), pa.binary()),
        (pa.large_list(pa.uint8()), pa.list_(pa.int16())),
        (pa.list_view(pa.uint8()), pa.list_(pa.int16())),
        (pa.large_list_view(pa.uint8()), pa.list_(pa.int16())),
        (pa.list_(pa.uint8(), 3), pa.list_(pa.int16())),
        (pa.map_(pa.string_view(), pa.uint8()), pa.map_(pa.string(), pa.int16())),
        (pa.struct([("a", pa.list_(pa.string_view()))]), pa.struct([("a", pa.list_(pa.string()))])),
    ],
    ids=str,
)
def test_types(given, expected):
    schema = delta_schema(pa.schema([pa.field("c", given, nullable=False)]))
    assert schema.field("c").type == expected
    assert not schema.field("c").nullable
    assert delta_schema(schema).equals(schema, check_metadata=True)


def test_nullability_is_kept_at_all_levels():
    strict = pa.list_(pa.field("element", pa.struct([pa.field("a", pa.string_view(), nullable=False)]), nullable=False))
    values = pa.map_(pa.string(), pa.field("value", pa.uint8(), nullable=False))
    schema = delta_schema(pa.schema([pa.field("l", strict, nullable=False), pa.field("m", values)]))
    assert not schema.field("l").nullable
    assert schema.field("m").nullable
    assert not schema.field("l").type.value_field.nullable
    assert not schema.field("l").type.value_type.field("a").nullable
    assert not schema.field("m").type.item_field.nullable


def test_only_deltas_metadata_is_kept():
    metadata = {"PARQUET:field_id": "1", "comment": "hello", "delta.generationExpression": "a + 1", "deltaish": "x"}
    inner = pa.field("a", pa.int32(), metadata=metadata)
    outer = pa.field("s", pa.struct([inner]), metadata={"PARQUET:field_id": "2"})
    schema = delta_schema(pa.schema([inner, outer, pa.field("l", pa.list_(inner))], {"pandas": "{}"}))
    kept = {b"comment": b"hello", b"delta.generationExpression": b"a + 1"}
    assert schema.metadata is None
    assert schema.field("a").metadata == kept
    assert schema.field("s").metadata is None
    assert schema.field("s").type.field("a").metadata == kept
    assert schema.field("l").type.value_field.metadata == kept


@pytest.mark.parametrize(
    "type",
    [
        *(pa.time32("s"), pa.time64("us"), pa.duration("us"), pa.month_day_nano_interval()),
        *(pa.decimal256(39, 0), pa.decimal128(5, -2), pa.sparse_union([pa.field("a", pa.int8())])),
    ],
    ids=str,
)
def test_types_that_delta_lacks(type):
    with pytest.raises(NotSupportedError) as raised:
        delta_schema(pa.schema([("c", type)]))
    assert "`c`" in str(raised.value)
    assert f"`{type}`" in str(raised.value)
    with pytest.raises(NotSupportedError, match=r"`c\.element\.a`"):
        delta_schema(pa.schema([("c", pa.list_(pa.struct([("a", type)])))]))


def test_a_column_without_a_type():
    with pytest.raises(SchemaMismatch, match="`c`") as raised:
        delta_schema(pa.schema([("c", pa.null())]))
    assert "CAST" in str(raised.value.hint)
    with pytest.raises(SchemaMismatch, match=r"`c\.value`"):
        delta_schema(pa.schema([("c", pa.map_(pa.string(), pa.null()))]))
