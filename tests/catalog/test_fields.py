"""Edits of a Delta schema's JSON."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from deltasql.catalog import fields
from deltasql.catalog.fields import field, struct
from deltasql.errors import AlreadyExists, ColumnNotFound, Error, PlanError

_POINT = struct([field("x", "long"), field("Y", "string")])
SCHEMA = struct(
    [
        field("id", "long", nullable=False),
        field("st", _POINT),
        field("arr", {"type": "array", "elementType": struct([field("e", "long")]), "containsNull": True}),
        field("m", {"type": "map", "keyType": "string", "valueType": _POINT, "valueContainsNull": True}),
        field("element", struct([field("key", "long")])),
    ]
)


@pytest.fixture(autouse=True)
def _left_alone() -> Iterator[None]:
    before = copy.deepcopy(SCHEMA)
    yield
    assert before == SCHEMA


def _names(type: Any) -> Any:
    """The names of fields, each with those below it."""
    if isinstance(type, str):
        return []
    if "fields" in type:
        return [(each["name"], *_names(each["type"])) for each in type["fields"]]
    return _names(type.get("elementType", type.get("valueType")))


@pytest.mark.parametrize(
    ("path", "stored"),
    [
        ("ID", ("id",)),
        ("ST.y", ("st", "Y")),
        ("arr.ELEMENT.E", ("arr", "element", "e")),
        ("m.value.y", ("m", "value", "Y")),
        ("m.key", ("m", "key")),
        ("element.key", ("element", "key")),
    ],
)
def test_paths_are_found_whatever_their_case(path: str, stored: tuple[str, ...]) -> None:
    assert fields.stored_path(SCHEMA, path.split(".")) == stored


def test_a_field_is_found_with_what_it_is() -> None:
    assert fields.find(SCHEMA, ("id",)) == {"name": "id", "type": "long", "nullable": False, "metadata": {}}
    assert fields.find(SCHEMA, ("m", "value", "X"))["type"] == "long"
    assert fields.type_at(SCHEMA, ("m", "key")) == "string"


def test_added_at_the_end_first_and_behind_another() -> None:
    new = field("n", "date")
    assert [each[0] for each in _names(fields.added(SCHEMA, (), new))][-1] == "n"
    assert _names(fields.added(SCHEMA, (), new, first=True))[0] == ("n",)
    assert [each[0] for each in _names(fields.added(SCHEMA, (), new, after="ST"))][:3] == ["id", "st", "n"]
    assert _names(fields.added(SCHEMA, ("st",), new, after="x"))[1] == ("st", ("x",), ("n",), ("Y",))
    assert _names(fields.added(SCHEMA, ("arr", "element"), new))[2] == ("arr", ("e",), ("n",))
    assert _names(fields.added(SCHEMA, ("m", "value"), new, first=True))[3] == ("m", ("n",), ("x",), ("Y",))


def test_dropped_renamed_moved_changed() -> None:
    assert _names(fields.dropped(SCHEMA, ("ST", "X")))[1] == ("st", ("Y",))
    assert _names(fields.renamed(SCHEMA, ("arr", "element", "e"), "f"))[2] == ("arr", ("f",))
    assert _names(fields.renamed(SCHEMA, ("id",), "ID"))[0] == ("ID",)
    assert _names(fields.moved(SCHEMA, ("m", "value", "Y"), first=True))[3] == ("m", ("Y",), ("x",))
    assert [each[0] for each in _names(fields.moved(SCHEMA, ("id",), after="arr"))][:3] == ["st", "arr", "id"]
    changed = fields.changed(SCHEMA, ("element", "key"), nullable=False, metadata={"comment": "c"})
    assert fields.find(changed, ("element", "key")) == field("key", "long", nullable=False, metadata={"comment": "c"})


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (lambda: fields.find(SCHEMA, ("idd",)), ColumnNotFound, "there is no column `idd`"),
        (lambda: fields.find(SCHEMA, ("id", "x")), ColumnNotFound, "`id` is no struct"),
        (lambda: fields.find(SCHEMA, ("arr", "e")), ColumnNotFound, "there is no column `arr.e`"),
        (lambda: fields.find(SCHEMA, ("arr", "element")), PlanError, "`arr.element` is no column"),
        (lambda: fields.added(SCHEMA, (), field("ID", "long")), AlreadyExists, "a column `id` already"),
        (lambda: fields.added(SCHEMA, ("st",), field("y", "long")), AlreadyExists, "a column `st.Y` already"),
        (lambda: fields.added(SCHEMA, ("id",), field("y", "long")), PlanError, "`id` is no struct"),
        (lambda: fields.added(SCHEMA, ("arr",), field("y", "long")), PlanError, "`arr` is no struct"),
        (lambda: fields.added(SCHEMA, (), field("y", "long"), after="z"), ColumnNotFound, "no column `z`"),
        (lambda: fields.dropped(SCHEMA, ("arr", "element", "e")), PlanError, "the only column of the struct"),
        (lambda: fields.dropped(struct([field("a", "long")]), ("a",)), PlanError, "the only column of the table"),
        (lambda: fields.renamed(SCHEMA, ("st",), "ID"), AlreadyExists, "a column `id` already"),
        (lambda: fields.moved(SCHEMA, ("st",), after="ST"), PlanError, "can't stand behind itself"),
        (
            lambda: fields.find(struct([field("aB", "long"), field("Ab", "long")]), ("ab",)),
            PlanError,
            "differ only by case",
        ),
    ],
)
def test_what_can_not_be(edit: Callable[[], object], error: type[Error], message: str) -> None:
    with pytest.raises(error) as raised:
        edit()
    assert message in str(raised.value)


def test_an_exact_name_is_meant_where_two_differ_by_case() -> None:
    both = struct([field("a", "long"), field("A", "date")])
    assert fields.find(both, ("A",))["type"] == "date"


def test_the_features_that_a_schema_needs() -> None:
    assert fields.features_of(SCHEMA) == set()
    deep = {"type": "array", "elementType": struct([field("t", "timestamp_ntz")]), "containsNull": True}
    assert fields.features_of(fields.added(SCHEMA, (), field("d", deep))) == {"timestampNtz"}
    keyed = {"type": "map", "keyType": "variant", "valueType": "long", "valueContainsNull": True}
    assert fields.features_of(struct([field("m", keyed)])) == {"variantType"}
    metadata = {
        "CURRENT_DEFAULT": "1",
        "delta.generationExpression": "a",
        "delta.identity.start": 1,
        "delta.invariants": "{}",
        "delta.typeChanges": [],
    }
    found = fields.features_of(struct([field("s", struct([field("a", "long", metadata=metadata)]))]))
    assert found == {"allowColumnDefaults", "generatedColumns", "identityColumns", "invariants", "typeWidening"}


@pytest.mark.parametrize(
    ("type", "delta"),
    [
        (pa.int32(), "integer"),
        (pa.decimal128(7, 3), "decimal(7,3)"),
        (pa.timestamp("us", "UTC"), "timestamp"),
        (pa.timestamp("us"), "timestamp_ntz"),
        (
            pa.struct([pa.field("a", pa.int8(), nullable=False, metadata={"comment": "c"})]),
            struct([field("a", "byte", nullable=False, metadata={"comment": "c"})]),
        ),
        (pa.list_(pa.string()), {"type": "array", "elementType": "string", "containsNull": True}),
    ],
)
def test_types(type: pa.DataType, delta: Any) -> None:
    assert fields.type_json(type) == delta
