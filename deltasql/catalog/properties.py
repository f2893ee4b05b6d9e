"""Delta's own table properties: which there are, what each may be, and the table feature that it turns on.

Delta Lake documentation, "Delta table properties reference". A property of a table that isn't Delta's may have any
key; one that starts with ``delta.`` and isn't known is refused, as Delta Lake does: nobody would heed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deltasql.catalog.fields import MAX_COLUMN_ID
from deltasql.catalog.metadata import FEATURES
from deltasql.errors import NotSupportedError, PlanError, UnsupportedTableFeature
from deltasql.names import did_you_mean

CONSTRAINT = "delta.constraints."
"""What the key of a CHECK constraint starts with; its name follows."""

READER_VERSION, WRITER_VERSION = "delta.minReaderVersion", "delta.minWriterVersion"
_FEATURE = "delta.feature."
_NOT_KEPT = frozenset([READER_VERSION, WRITER_VERSION])

_Check = Callable[[str], str | None]
"""The canonical spelling of a value, or None for one that isn't right."""


@dataclass(frozen=True, slots=True)
class _Property:
    """A property of Delta's: ``right`` says in words what ``check`` accepts, ``feature`` is on with ``enabling``."""

    check: _Check
    right: str
    feature: str | None = None
    enabling: tuple[str, ...] = ("true",)


def checked(properties: Mapping[str, str]) -> dict[str, str]:
    """``properties`` with keys and values of Delta's own in their canonical spelling.

    Raises `PlanError`, naming what is right, for a wrong value, an unknown ``delta.`` key and one given twice;
    `UnsupportedTableFeature` and `NotSupportedError` for what would ask of writers what ours don't do.
    """
    found: dict[str, str] = {}
    for key, value in properties.items():
        name = spelled(key)
        if name in found:
            raise PlanError(f"the property `{name}` is given twice")
        found[name] = _value(name, value)
    return found


def spelled(key: str) -> str:
    """``key`` as Delta spells it if it is Delta's, else as it is. Raises `PlanError` for an unknown ``delta.`` key."""
    lower = key.lower()
    if not lower.startswith("delta."):
        return key
    if lower.startswith(_FEATURE):
        return _FEATURE + _feature(key[len(_FEATURE) :])
    if lower.startswith(CONSTRAINT):
        message = f"`{key}` is a constraint, which is no property to set"
        raise PlanError(message, hint="use ALTER TABLE … ADD CONSTRAINT or DROP CONSTRAINT")
    if lower in _INTERNAL:
        raise PlanError(f"the property `{key}` is Delta's own to set")
    if lower not in _SPELLING:
        message = f"there is no table property `{key}`"
        raise PlanError(message, hint=did_you_mean(key, _KNOWN) or "keys that don't start with `delta.` are free")
    return _SPELLING[lower]


def is_known(key: str) -> bool:
    """True for a key that `spelled` takes or refuses as Delta's own, False for one that is anybody's."""
    lower = key.lower()
    return lower.startswith((_FEATURE, CONSTRAINT)) or lower in _INTERNAL or lower in _SPELLING


def _value(name: str, value: str) -> str:
    if name.startswith(_FEATURE):
        if value.strip().lower() not in ("supported", "enabled"):
            raise PlanError(f"the property `{name}` can't be `{value}`", hint="a feature is `supported`")
        return "supported"
    if name not in _KNOWN:
        return value
    known = _KNOWN[name]
    canonical = known.check(value.strip())
    if canonical is None:
        raise PlanError(f"the property `{name}` can't be `{value}`", hint=f"it is {known.right}")
    if canonical == "true" and name in _REFUSED:
        raise UnsupportedTableFeature(f"the property `{name}` can't be turned on: {_REFUSED[name]}")
    if name in _EMPTY_ONLY and canonical:
        raise NotSupportedError(f"the property `{name}` can't be set: {_EMPTY_ONLY[name]}")
    return canonical


def _feature(name: str) -> str:
    by_lower = {feature.lower(): feature for feature in FEATURES}
    if name.lower() not in by_lower:
        message = f"a table can't be given the feature `{name}`: it isn't known here"
        raise UnsupportedTableFeature(message, hint=did_you_mean(name, FEATURES))
    return by_lower[name.lower()]


def features_of(properties: Mapping[str, str]) -> set[str]:
    """The table features that ``properties`` (as `checked` gives them, or as a log has them) need."""
    found = {key[len(_FEATURE) :] for key in properties if key.startswith(_FEATURE)}
    if any(key.lower().startswith(CONSTRAINT) for key in properties):
        found.add("checkConstraints")
    for key, value in properties.items():
        known = _KNOWN.get(key)
        if known is not None and known.feature is not None and value.lower() in known.enabling:
            found.add(known.feature)
    return found


def stored(properties: Mapping[str, str]) -> dict[str, str]:
    """Those of ``properties`` that the metadata keeps: what names versions or features goes to the protocol."""
    return {key: value for key, value in properties.items() if key not in _NOT_KEPT and not key.startswith(_FEATURE)}


def versions_of(properties: Mapping[str, str]) -> tuple[int, int]:
    """The reader and writer versions that ``properties`` (as `checked` gives them) ask for; 1 where they don't."""
    return int(properties.get(READER_VERSION, "1")), int(properties.get(WRITER_VERSION, "1"))


# -- values


def _boolean(text: str) -> str | None:
    return text.lower() if text.lower() in ("true", "false") else None


def _number(least: int, most: int = 2**63 - 1) -> _Check:
    def check(text: str) -> str | None:
        found = re.fullmatch(r"[+-]?\d{1,19}", text)
        return str(int(text)) if found and least <= int(text) <= most else None

    return check


def _one_of(*words: str) -> _Check:
    return lambda text: next((word for word in words if word.lower() == text.lower()), None)


def _any(text: str) -> str | None:
    return text


def _bytes(text: str) -> str | None:
    return text if re.fullmatch(r"[1-9]\d{0,14}\s*([kmgt]?b?)", text, re.IGNORECASE) else None


_UNITS = {"week": 604_800_000, "day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
_PART = re.compile(r"\s*(\d{1,12})\s+(weeks?|days?|hours?|minutes?|seconds?|milliseconds?)(?=\s|$)")


def _interval(text: str) -> str | None:
    """An interval in the one unit that it is whole in: delta-rs reads no other ones."""
    rest = re.sub(r"^interval\b", "", text.lower()).strip()
    total, at = 0, 0
    while at < len(rest):
        found = _PART.match(rest, at)
        if found is None:
            return None
        total += int(found[1]) * _UNITS[found[2].rstrip("s")]
        at = found.end()
    if not rest:
        return None
    unit = next(unit for unit in ("day", "hour", "minute", "second", "millisecond") if total % _UNITS[unit] == 0)
    return f"interval {total // _UNITS[unit]} {unit}s"


def _bool(feature: str | None = None) -> _Property:
    return _Property(_boolean, "`true` or `false`", feature)


def _whole(least: int, most: int | None = None) -> _Property:
    words = f"a whole number from {least}" + ("" if most is None else f" to {most}")
    return _Property(_number(least) if most is None else _number(least, most), words)


def _words(*words: str, feature: str | None = None, enabling: tuple[str, ...] = ()) -> _Property:
    return _Property(_one_of(*words), " or ".join(f"`{word}`" for word in words), feature, enabling)


_TIME = _Property(_interval, "an interval such as `interval 30 days`, of weeks to milliseconds")

_KNOWN: Mapping[str, _Property] = {
    "delta.appendOnly": _bool("appendOnly"),
    "delta.autoOptimize": _bool(),
    "delta.autoOptimize.autoCompact": _words("true", "false", "auto"),
    "delta.autoOptimize.optimizeWrite": _bool(),
    "delta.checkpoint.writeStatsAsJson": _bool(),
    "delta.checkpoint.writeStatsAsStruct": _bool(),
    "delta.checkpointInterval": _whole(1, 2**31 - 1),
    "delta.checkpointPolicy": _words("classic", "v2", feature="v2Checkpoint", enabling=("v2",)),
    "delta.checkpointRetentionDuration": _TIME,
    "delta.columnMapping.mode": _words("none", "name", "id", feature="columnMapping", enabling=("name", "id")),
    "delta.compatibility.symlinkFormatManifest.enabled": _bool(),
    "delta.dataSkippingNumIndexedCols": _whole(-1, 2**31 - 1),
    "delta.dataSkippingStatsColumns": _Property(_any, "a list of columns"),
    "delta.deletedFileRetentionDuration": _TIME,
    "delta.dropFeatureTruncateHistory.retentionDuration": _TIME,
    "delta.enableChangeDataFeed": _bool("changeDataFeed"),
    "delta.enableDeletionVectors": _bool("deletionVectors"),
    "delta.enableExpiredLogCleanup": _bool(),
    "delta.enableFullRetentionRollback": _bool(),
    "delta.enableIcebergCompatV1": _bool(),
    "delta.enableIcebergCompatV2": _bool(),
    "delta.enableIcebergCompatV3": _bool(),
    "delta.enableInCommitTimestamps": _bool("inCommitTimestamp"),
    "delta.enableRowTracking": _bool("rowTracking"),
    "delta.enableTypeWidening": _bool("typeWidening"),
    "delta.isolationLevel": _words("Serializable", "WriteSerializable"),
    "delta.logRetentionDuration": _TIME,
    "delta.minReaderVersion": _whole(1, 3),
    "delta.minWriterVersion": _whole(1, 7),
    "delta.parquet.compression.codec": _words("zstd", "snappy", "gzip", "lz4", "lz4_raw", "none", "uncompressed"),
    "delta.randomPrefixLength": _whole(1, 2**31 - 1),
    "delta.randomizeFilePrefixes": _bool(),
    "delta.sampleRetentionDuration": _TIME,
    "delta.setTransactionRetentionDuration": _TIME,
    "delta.targetFileSize": _Property(_bytes, "a number of bytes, with or without a unit (`128mb`)"),
    "delta.tuneFileSizesForRewrites": _bool(),
    "delta.universalFormat.enabledFormats": _Property(_any, "a list of formats"),
}
_SPELLING = {name.lower(): name for name in _KNOWN}

_REFUSED = {
    "delta.compatibility.symlinkFormatManifest.enabled": "our commits make no manifests",
    "delta.enableIcebergCompatV1": "our writers don't do `icebergCompatV1`",
    "delta.enableIcebergCompatV2": "our writers don't do `icebergCompatV2`",
    "delta.enableIcebergCompatV3": "our writers don't do `icebergCompatV3`",
    "delta.randomizeFilePrefixes": "our writers name files otherwise",
}
_EMPTY_ONLY = {"delta.universalFormat.enabledFormats": "our commits make no metadata of other formats"}

_INTERNAL = frozenset(
    name.lower()
    for name in (
        MAX_COLUMN_ID,
        "delta.inCommitTimestampEnablementTimestamp",
        "delta.inCommitTimestampEnablementVersion",
        "delta.rowTracking.materializedRowCommitVersionColumnName",
        "delta.rowTracking.materializedRowIdColumnName",
    )
)
"""What writers keep in the properties, and no user sets (Delta protocol, "Column Mapping", "Row Tracking", …)."""
