"""Tables that our own commits are right for, and those that they refuse by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltasql.catalog.log import version_range
from deltasql.errors import ConstraintViolation, UnsupportedTableFeature
from deltasql.write.features import WRITER_FEATURES, require_writable
from tests.engine.lakes import Json, Lake, field, metadata, pair, protocol
from tests.write.committing import committed, opened, removal, two_files


@pytest.mark.parametrize(
    "feature",
    sorted(
        WRITER_FEATURES
        - {
            "deletionVectors",
            "v2Checkpoint",
            "timestampNtz",
            "columnMapping",
            "vacuumProtocolCheck",
            "typeWidening",
            "typeWidening-preview",
        }
    ),
)
def test_features_of_writers(tmp_path: Path, feature: str) -> None:
    require_writable(opened(two_files(tmp_path, writer_features=[feature])), removes_data=True)


@pytest.mark.parametrize(
    "feature",
    ["deletionVectors", "v2Checkpoint", "timestampNtz", "columnMapping", "vacuumProtocolCheck", "typeWidening"],
)
def test_features_of_readers_and_writers(tmp_path: Path, feature: str) -> None:
    require_writable(opened(two_files(tmp_path, features=[feature])), removes_data=True)


@pytest.mark.parametrize(
    "feature",
    ["checkpointProtection", "collations-preview", "icebergCompatV3", "materializePartitionColumns", "somethingNew"],
)
def test_features_that_are_refused_by_name(tmp_path: Path, feature: str) -> None:
    lake = two_files(tmp_path, writer_features=["appendOnly", feature])
    with pytest.raises(UnsupportedTableFeature, match=f"`{feature}`"):
        committed(opened(lake), lake.file("c.parquet", pair(4)), blind=True)
    assert version_range(lake.path) == (0, 0)


_IDENTITY = [field("id", "long", **{"delta.identity.start": 1, "delta.identity.step": 1}), field("s", "string")]


@pytest.mark.parametrize("schema", [_IDENTITY])
@pytest.mark.parametrize("version", [6, 7])
def test_identity_columns(tmp_path: Path, schema: list[Json], version: int) -> None:
    lake = Lake(tmp_path / "t")
    made = protocol(1, version, (), ["identityColumns"])
    lake.commit(made, metadata(schema))
    require_writable(opened(lake), removes_data=True)


@pytest.mark.parametrize("version", range(1, 7))
def test_legacy_writer_versions_without_identity_columns(tmp_path: Path, version: int) -> None:
    require_writable(opened(two_files(tmp_path, writer=version)), removes_data=True)


@pytest.mark.parametrize(
    ("feature", "property"),
    [("icebergCompatV1", "delta.enableIcebergCompatV1"), ("icebergCompatV2", "delta.enableIcebergCompatV2")],
)
def test_iceberg_is_refused_where_it_is_on(tmp_path: Path, feature: str, property: str) -> None:
    off = two_files(tmp_path / "off", writer_features=[feature])
    require_writable(opened(off), removes_data=False)
    on = two_files(tmp_path / "on", writer_features=[feature], **{property.replace(".", "__"): "true"})
    with pytest.raises(UnsupportedTableFeature, match=f"`{feature}`"):
        require_writable(opened(on), removes_data=False)


def test_variants_are_refused_only_where_there_are_columns(tmp_path: Path) -> None:
    plain = [field("variant", "string")]
    inner = [field("x", {"type": "array", "elementType": "variant", "containsNull": True})]
    for name, schema, refused in (("plain", plain, False), ("inner", inner, True)):
        lake = Lake(tmp_path / name)
        lake.commit(protocol(3, 7, ["variantType"]), metadata(schema))
        if refused:
            with pytest.raises(UnsupportedTableFeature, match="`variantType`"):
                require_writable(opened(lake), removes_data=False)
        else:
            require_writable(opened(lake), removes_data=False)


def test_append_only(tmp_path: Path) -> None:
    lake = two_files(tmp_path, delta__appendOnly="true")
    snapshot = opened(lake)
    with pytest.raises(ConstraintViolation, match="append-only"):
        committed(snapshot, removal(snapshot, "a.parquet"))
    assert version_range(lake.path) == (0, 0)
    compacted = removal(snapshot, "a.parquet")
    compacted["remove"]["dataChange"] = False
    assert committed(snapshot, compacted, lake.file("c.parquet", pair(0))) == 1
    assert committed(opened(lake), lake.file("d.parquet", pair(4))) == 2
