"""Delta's own table properties: what is right, and what each turns on."""

from __future__ import annotations

import pytest

from deltasql.catalog import properties
from deltasql.errors import Error, NotSupportedError, PlanError, UnsupportedTableFeature


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"any key": " Any Value "}, {"any key": " Any Value "}),
        ({"Delta.AppendOnly": "TRUE"}, {"delta.appendOnly": "true"}),
        ({"delta.checkpointInterval": "+07"}, {"delta.checkpointInterval": "7"}),
        ({"delta.dataSkippingNumIndexedCols": "-1"}, {"delta.dataSkippingNumIndexedCols": "-1"}),
        ({"delta.logRetentionDuration": "30 days"}, {"delta.logRetentionDuration": "interval 30 days"}),
        ({"delta.logRetentionDuration": "INTERVAL 1 Week 2 days"}, {"delta.logRetentionDuration": "interval 9 days"}),
        (
            {"delta.deletedFileRetentionDuration": "interval 90 minutes"},
            {"delta.deletedFileRetentionDuration": "interval 90 minutes"},
        ),
        ({"delta.isolationLevel": "serializable"}, {"delta.isolationLevel": "Serializable"}),
        ({"delta.columnMapping.mode": "NAME"}, {"delta.columnMapping.mode": "name"}),
        ({"delta.checkpointPolicy": "V2"}, {"delta.checkpointPolicy": "v2"}),
        ({"delta.feature.TIMESTAMPNTZ": "enabled"}, {"delta.feature.timestampNtz": "supported"}),
        ({"delta.targetFileSize": "128mb"}, {"delta.targetFileSize": "128mb"}),
    ],
)
def test_canonical_spelling(given: dict[str, str], kept: dict[str, str]) -> None:
    assert properties.checked(given) == kept
    assert properties.checked(kept) == kept


@pytest.mark.parametrize(
    ("key", "value", "error", "hint"),
    [
        ("delta.appendOnly", "1", PlanError, "`true` or `false`"),
        ("delta.appendOnly", "", PlanError, "`true` or `false`"),
        ("delta.checkpointInterval", "0", PlanError, "a whole number from 1"),
        ("delta.checkpointInterval", "1.5", PlanError, "a whole number from 1"),
        ("delta.checkpointInterval", "9" * 30, PlanError, "a whole number from 1"),
        ("delta.dataSkippingNumIndexedCols", "-2", PlanError, "a whole number from -1"),
        ("delta.logRetentionDuration", "interval", PlanError, "an interval such as"),
        ("delta.logRetentionDuration", "interval 1 month", PlanError, "an interval such as"),
        ("delta.logRetentionDuration", "30", PlanError, "an interval such as"),
        ("delta.logRetentionDuration", "interval -1 days", PlanError, "an interval such as"),
        ("delta.columnMapping.mode", "names", PlanError, "`none` or `name` or `id`"),
        ("delta.minWriterVersion", "8", PlanError, "from 1 to 7"),
        ("delta.appendOnli", "true", PlanError, "did you mean `delta.appendOnly`?"),
        ("delta.zzz", "true", PlanError, "keys that don't start with `delta.` are free"),
        ("delta.constraints.c", "a > 1", PlanError, "ADD CONSTRAINT"),
        ("delta.columnMapping.maxColumnId", "1", PlanError, None),
        ("delta.inCommitTimestampEnablementVersion", "1", PlanError, None),
        ("delta.feature.timestampNtz", "on", PlanError, "a feature is `supported`"),
        ("delta.feature.timestampNts", "supported", UnsupportedTableFeature, "did you mean `timestampNtz`?"),
        ("delta.enableIcebergCompatV2", "true", UnsupportedTableFeature, None),
        ("delta.compatibility.symlinkFormatManifest.enabled", "true", UnsupportedTableFeature, None),
        ("delta.universalFormat.enabledFormats", "iceberg", NotSupportedError, None),
    ],
)
def test_what_is_not_right(key: str, value: str, error: type[Error], hint: str | None) -> None:
    with pytest.raises(error) as raised:
        properties.checked({key: value})
    assert type(raised.value) is error
    assert key in raised.value.message or key.removeprefix("delta.feature.") in raised.value.message
    assert hint is None or hint in (raised.value.hint or "")


def test_a_property_under_two_spellings() -> None:
    with pytest.raises(PlanError, match=r"`delta\.appendOnly` is given twice"):
        properties.checked({"delta.appendOnly": "true", "delta.appendonly": "false"})


@pytest.mark.parametrize(
    ("given", "features"),
    [
        ({"x": "true", "delta.appendOnly": "false"}, set()),
        ({"delta.appendOnly": "true"}, {"appendOnly"}),
        ({"delta.enableChangeDataFeed": "true"}, {"changeDataFeed"}),
        ({"delta.columnMapping.mode": "id"}, {"columnMapping"}),
        ({"delta.columnMapping.mode": "none"}, set()),
        ({"delta.checkpointPolicy": "v2"}, {"v2Checkpoint"}),
        ({"delta.checkpointPolicy": "classic"}, set()),
        ({"delta.enableInCommitTimestamps": "true"}, {"inCommitTimestamp"}),
        ({"delta.enableTypeWidening": "true"}, {"typeWidening"}),
        ({"delta.feature.variantType": "supported"}, {"variantType"}),
        ({"delta.constraints.c": "a > 1"}, {"checkConstraints"}),
        (
            {"delta.enableRowTracking": "true", "delta.enableDeletionVectors": "true"},
            {"rowTracking", "deletionVectors"},
        ),
    ],
)
def test_what_a_property_turns_on(given: dict[str, str], features: set[str]) -> None:
    assert properties.features_of(given) == features


def test_what_is_of_the_protocol_is_not_kept() -> None:
    given = {"delta.minReaderVersion": "2", "delta.minWriterVersion": "5", "delta.feature.clustering": "supported"}
    checked = properties.checked(given | {"a": "b"})
    assert properties.stored(checked) == {"a": "b"}
    assert properties.versions_of(checked) == (2, 5)
    assert properties.versions_of({}) == (1, 1)
