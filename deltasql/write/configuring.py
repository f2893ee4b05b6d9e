"""SET and UNSET TBLPROPERTIES: what a property brings with it, and which can't be turned on or off later.

Delta protocol, "Column Mapping", "In-Commit Timestamps", "Row Tracking"; Delta Lake's rules where it is silent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from deltasql.catalog import properties
from deltasql.catalog.columns import mapping
from deltasql.catalog.evolution import require_feedable
from deltasql.catalog.fields import MAX_COLUMN_ID, find, mapped, unmapped
from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.errors import NotSupportedError, PlanError, UnsupportedTableFeature
from deltasql.names import did_you_mean
from deltasql.write.altering import Change
from deltasql.write.statistics import column_names
from deltasql.write.target import Target

_COMMENT = "comment"
"""The property that is the table's description (Spark's ``PROP_COMMENT``)."""

_ENABLED_FROM = ("delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp")
_INDEXED = "delta.dataSkippingStatsColumns"
_TIMESTAMPS = "delta.enableInCommitTimestamps"


def properties_set(given: Sequence[tuple[str, str]], into: Target) -> Change:
    """``SET TBLPROPERTIES``: the protocol grows by what they need; others stay as they are."""
    twice = next((key for place, (key, _) in enumerate(given) if key in dict(given[:place])), None)
    if twice is not None:
        raise PlanError(f"the property `{twice}` is given twice")
    old = Metadata.of(into.snapshot)
    new = properties.checked(dict(given))
    description = new.pop(_COMMENT, old.description)
    configuration = old.configuration | properties.stored(new)
    _require_possible(old, configuration, into)
    metadata = dataclasses.replace(old, description=description, configuration=_settled(configuration))
    protocol = Protocol.of(into.snapshot).at_least(*properties.versions_of(new))
    protocol = protocol.with_features(*properties.features_of(new))
    return Change("SET TBLPROPERTIES", {"properties": dict(given)}, _mapped(old, metadata), protocol)


def properties_unset(keys: Sequence[str], into: Target, *, if_exists: bool) -> Change:
    """``UNSET TBLPROPERTIES``: they are as if they had never been set; what the protocol has stays."""
    old = Metadata.of(into.snapshot)
    held = dict(old.configuration) | ({} if old.description is None else {_COMMENT: old.description})
    names = [_held(key, held) for key in keys]
    missing = next((name for name in names if name not in held), None)
    if missing is not None and not if_exists:
        hint = did_you_mean(missing, held) or "UNSET TBLPROPERTIES IF EXISTS passes over it"
        raise PlanError(f"`{into.entry}` has no property `{missing}`", hint=hint)
    configuration = {key: value for key, value in old.configuration.items() if key not in names}
    _require_possible(old, configuration, into)
    description = None if _COMMENT in names else old.description
    metadata = dataclasses.replace(old, description=description, configuration=_settled(configuration))
    parameters = {"properties": list(keys), "ifExists": if_exists}
    return Change("UNSET TBLPROPERTIES", parameters, metadata, Protocol.of(into.snapshot))


def described(into: Target, comment: str | None) -> Change:
    """The table with ``comment``, or without one."""
    metadata = dataclasses.replace(Metadata.of(into.snapshot), description=comment)
    return Change("SET TBLPROPERTIES", {"properties": {_COMMENT: comment}}, metadata, Protocol.of(into.snapshot))


def _held(key: str, held: Mapping[str, str]) -> str:
    """The stored spelling of a property that is to go. Raises `PlanError` for one that isn't the user's to unset."""
    unknown = key in held and not properties.is_known(key)
    name = key if unknown else properties.spelled(key)
    if name not in properties.stored({name: ""}):
        raise NotSupportedError(f"`{name}` can't be unset: what a protocol has can't be taken away")
    return name


def _require_possible(old: Metadata, configuration: Mapping[str, str], into: Target) -> None:
    """Raise for a property that a table which is there can't take, or can't lose."""
    before, after = mapping(old.configuration), mapping(configuration)
    if before != after and (before, after) != ("none", "name"):
        message = f"the column mapping of `{into.entry}` can't go from `{before}` to `{after}`"
        raise UnsupportedTableFeature(message, hint="a table that is there can only go from `none` to `name`")
    if _turned_on("delta.enableRowTracking", old.configuration, configuration):
        message = f"row tracking can't be turned on for `{into.entry}`: the rows that it has would need ids"
        raise UnsupportedTableFeature(message, hint="CREATE TABLE … TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    if _turned_on("delta.enableChangeDataFeed", old.configuration, configuration):
        require_feedable(configuration, into.snapshot.schema.names)
    if (listed := configuration.get(_INDEXED)) is not None and listed != old.configuration.get(_INDEXED):
        _require_columns(listed, old)


def _require_columns(listed: str, old: Metadata) -> None:
    """Raise `ColumnNotFound` for a name in a list of columns that isn't one of the table's."""
    for path in sorted(column_names(listed)):
        find(old.schema, path)


def _turned_on(key: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    return after.get(key, "").lower() == "true" and before.get(key, "").lower() != "true"


def _settled(configuration: dict[str, str]) -> dict[str, str]:
    """Without what only says since when a property holds that doesn't any more; `commit` says it anew."""
    if configuration.get(_TIMESTAMPS, "").lower() == "true":
        return configuration
    return {key: value for key, value in configuration.items() if key not in _ENABLED_FROM}


def _mapped(old: Metadata, new: Metadata) -> Metadata:
    """With ids and stored names for all fields if the table maps its columns from now on: files keep their names."""
    if mapping(new.configuration) == "none" or mapping(old.configuration) != "none":
        return new
    schema, highest = mapped(unmapped(new.schema), 0, fresh=False)
    configuration = new.configuration | {MAX_COLUMN_ID: str(highest)}
    return dataclasses.replace(new, schema=schema, configuration=configuration)
