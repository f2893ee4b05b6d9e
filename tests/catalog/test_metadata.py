"""What a table's log says of the table itself, and the least protocol that says it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from deltasql.catalog import fields
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.snapshot import open_snapshot

NEW = Protocol(1, 2)
BASE = frozenset(["appendOnly", "invariants"])


@pytest.mark.parametrize(
    ("before", "features", "after"),
    [
        (NEW, [], NEW),
        (NEW, ["appendOnly"], NEW),
        (NEW, ["checkConstraints"], Protocol(1, 3)),
        (NEW, ["changeDataFeed"], Protocol(1, 4)),
        (NEW, ["columnMapping"], Protocol(2, 5)),
        (NEW, ["columnMapping", "checkConstraints"], Protocol(2, 5)),
        (Protocol(2, 5), ["checkConstraints", "changeDataFeed"], Protocol(2, 5)),
        (NEW, ["domainMetadata"], Protocol(1, 7, None, BASE | {"domainMetadata"})),
        (NEW, ["clustering"], Protocol(1, 7, None, BASE | {"clustering", "domainMetadata"})),
        (
            NEW,
            ["deletionVectors"],
            Protocol(3, 7, frozenset(["deletionVectors"]), BASE | {"deletionVectors"}),
        ),
        (
            Protocol(2, 5),
            ["allowColumnDefaults"],
            Protocol(
                3,
                7,
                frozenset(["columnMapping"]),
                BASE
                | {"checkConstraints", "changeDataFeed", "generatedColumns", "columnMapping", "allowColumnDefaults"},
            ),
        ),
        (Protocol(1, 5), ["columnMapping"], Protocol(2, 5)),
        (
            Protocol(2, 7, None, frozenset(["columnMapping"])),
            ["columnMapping"],
            Protocol(2, 7, None, frozenset(["columnMapping"])),
        ),
        (
            Protocol(1, 7, None, frozenset(["columnMapping"])),
            ["columnMapping"],
            Protocol(3, 7, frozenset(["columnMapping"]), frozenset(["columnMapping"])),
        ),
        (
            Protocol(1, 7, None, frozenset(["rowTracking", "domainMetadata"])),
            ["columnMapping"],
            Protocol(3, 7, frozenset(["columnMapping"]), frozenset(["rowTracking", "domainMetadata", "columnMapping"])),
        ),
        (
            Protocol(3, 7, frozenset(["v2Checkpoint"]), frozenset(["v2Checkpoint"])),
            ["changeDataFeed"],
            Protocol(3, 7, frozenset(["v2Checkpoint"]), frozenset(["v2Checkpoint", "changeDataFeed"])),
        ),
    ],
)
def test_the_least_protocol(before: Protocol, features: list[str], after: Protocol) -> None:
    assert before.with_features(*features) == after
    assert after.with_features(*features) == after


@pytest.mark.parametrize(
    ("before", "versions", "after"),
    [
        (NEW, (1, 1), NEW),
        (NEW, (2, 5), Protocol(2, 5)),
        (Protocol(2, 5), (1, 2), Protocol(2, 5)),
        (NEW, (1, 7), Protocol(1, 7, None, BASE)),
        (NEW, (3, 7), Protocol(3, 7, frozenset(), BASE)),
        (
            Protocol(1, 7, None, BASE),
            (1, 4),
            Protocol(1, 7, None, BASE | {"checkConstraints", "changeDataFeed", "generatedColumns"}),
        ),
    ],
)
def test_versions_that_are_asked_for(before: Protocol, versions: tuple[int, int], after: Protocol) -> None:
    assert before.at_least(*versions) == after


def test_a_new_table_has_no_less_than_the_usual_protocol() -> None:
    assert Protocol.least([]) == NEW
    assert Protocol.least(["timestampNtz"]).action() == {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": ["timestampNtz"],
            "writerFeatures": ["appendOnly", "invariants", "timestampNtz"],
        }
    }
    assert NEW.action() == {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}


def test_read_and_written_again_it_is_the_same(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False, metadata={"comment": "ключ"}),
            pa.field("st", pa.struct([pa.field("a", pa.list_(pa.decimal128(5, 2)))])),
            pa.field("m", pa.map_(pa.string(), pa.int8())),
            pa.field("p", pa.string()),
        ]
    )
    DeltaTable.create(
        str(tmp_path), schema, partition_by=["p"], name="n", description="d", configuration={"delta.appendOnly": "true"}
    )
    snapshot = open_snapshot("t", tmp_path)
    found = Metadata.of(snapshot)
    assert found.arrow().equals(snapshot.schema, check_metadata=True)
    actions = [json.loads(line) for line in (tmp_path / "_delta_log" / f"{0:020}.json").read_text().splitlines()]
    (theirs,) = [action["metaData"] for action in actions if "metaData" in action]
    ours = found.action()["metaData"]
    assert json.loads(ours.pop("schemaString")) == json.loads(theirs.pop("schemaString"))
    assert ours == theirs
    assert Protocol.of(snapshot) == NEW


def test_what_is_not_said_is_left_out() -> None:
    new = Metadata.fresh(None, None, fields.struct([fields.field("a", "long")]))
    assert "name" not in new.action()["metaData"]
    assert "description" not in new.action()["metaData"]
    assert new.id != Metadata.fresh(None, None, new.schema).id


def test_new_columns_of_a_mapped_table_get_ids_and_names_of_their_own() -> None:
    old, last = fields.mapped(fields.struct([fields.field("a", "long")]), 0, fresh=False)
    configuration = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "7"}
    assert last == 1
    table = Metadata.fresh("t", None, old, (), configuration)
    inner = fields.struct([fields.field("x", "long")])
    array = {"type": "array", "elementType": inner, "containsNull": True}
    made = table.with_schema(fields.added(old, (), fields.field("b", array)))
    found = {each["name"]: each["metadata"] for each in fields.walk(made.schema)}
    assert found["a"] == {fields.MAPPING_ID: 1, fields.PHYSICAL_NAME: "a"}
    assert [found["b"][fields.MAPPING_ID], found["x"][fields.MAPPING_ID]] == [8, 9]
    assert found["b"][fields.PHYSICAL_NAME].startswith("col-")
    assert made.configuration["delta.columnMapping.maxColumnId"] == "9"
    again = made.with_schema(fields.added(fields.dropped(made.schema, ("b",)), (), fields.field("b", "long")))
    assert fields.find(again.schema, ("b",))["metadata"][fields.MAPPING_ID] == 10
