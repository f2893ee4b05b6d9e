"""Identity columns: values given out in step, each once, by the commit that moves the table's mark of them on.

Delta protocol, "Identity Columns". The mark is the last value that was generated; it is part of the table's metadata,
so of two writers that gave out the same values one finds a conflict and runs again. Values that users give (where they
may) don't move it, as in Delta Lake. Nothing is given out twice: numbers of a failed write are free again.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.catalog.fields import PHYSICAL_NAME
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.snapshot import Snapshot
from deltasql.errors import DataError, PlanError, Span
from deltasql.sql.statements import Identity
from deltasql.write.source import Source

_START = "delta.identity.start"
_STEP = "delta.identity.step"
_MARK = "delta.identity.highWaterMark"
_EXPLICIT = "delta.identity.allowExplicitInsert"
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


def identity_metadata(field: pa.Field, identity: Identity) -> dict[str, Any]:
    """What the log says of an identity column. Raises `PlanError` for one that isn't BIGINT, or has no such values."""
    if field.type != pa.int64():
        raise PlanError(f"the identity column `{field.name}` has to be BIGINT")
    if not (_LEAST <= identity.start <= _MOST and _LEAST <= identity.step <= _MOST):
        raise PlanError(f"the values of the identity column `{field.name}` are no BIGINTs")
    return {_START: identity.start, _STEP: identity.step, _EXPLICIT: not identity.always}


def is_identity(field: pa.Field) -> bool:
    """True for an identity column."""
    return _START.encode() in (field.metadata or {})


def is_filled(field: pa.Field) -> bool:
    """True for a column whose values come from elsewhere if a write doesn't give them: generated, or identity."""
    return is_identity(field) or b"delta.generationExpression" in (field.metadata or {})


def require_insertable(schema: pa.Schema, given: Collection[str], span: Span | None = None) -> None:
    """Raise `PlanError` if one of the columns ``given`` is an identity column that takes no values but its own."""
    for field in schema:
        explicit = (field.metadata or {}).get(_EXPLICIT.encode(), b"false")
        if field.name in given and is_identity(field) and explicit.lower() != b"true":
            message = f"`{field.name}` is GENERATED ALWAYS AS IDENTITY, so no value can be given for it"
            raise PlanError(message, hint="leave the column out of the column list, or give DEFAULT", span=span)


def require_no_update(schema: pa.Schema, changed: Collection[str], span: Span | None = None) -> None:
    """Raise `PlanError` if one of the columns ``changed`` is an identity column (Delta Lake, "Identity columns")."""
    for field in schema:
        if field.name in changed and is_identity(field):
            raise PlanError(f"`{field.name}` is an identity column, which can't be updated", span=span)


@dataclass(slots=True)
class _Counter:
    """The values of one column: the next one, and whether one was given out."""

    following: int
    step: int
    used: bool = False

    def take(self, count: int, name: str) -> pa.Array:
        last = self.following + self.step * (count - 1)
        if not _LEAST <= last <= _MOST:
            raise DataError(f"the identity column `{name}` has no more values: the next would be past BIGINT's range")
        steps = pc.multiply(pa.arange(0, count), pa.scalar(self.step, pa.int64()))
        made = pc.add(steps, pa.scalar(self.following, pa.int64()))
        self.following, self.used = last + self.step, True
        return made


class Numbering:
    """The identity columns of a table in one write: gives rows their values, then knows what the commit must say."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._counters = dict(_counters(snapshot.schema))

    def filled(self, source: Source, schema: pa.Schema) -> Source:
        """The rows of ``source`` with the identity columns of ``schema`` that it lacks, in the order of ``schema``."""
        held = set(source.schema.names)
        missing = [name for name in self._counters if name not in held and name in schema.names]
        if not missing:
            return source
        names = [name for name in schema.names if name in held or name in missing]
        made = pa.schema([schema.field(n).remove_metadata() if n in missing else source.schema.field(n) for n in names])

        def rows() -> Iterator[pa.RecordBatch]:
            for batch in source.batches():
                if batch.num_rows:
                    new = {name: self._counters[name].take(batch.num_rows, name) for name in missing}
                    columns = [new[name] if name in new else batch.column(name) for name in names]
                    yield pa.RecordBatch.from_arrays(columns, schema=made)

        return Source(made, rows)

    def actions(self, others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """``others``, with the marks moved on in the ``metaData`` action; it is added if there is none."""
        marks = {name: each.following - each.step for name, each in self._counters.items() if each.used}
        if not marks:
            return list(others)
        given = next((action["metaData"] for action in others if "metaData" in action), None)
        body = Metadata.of(self._snapshot).action()["metaData"] if given is None else dict(given)
        schema = json.loads(body["schemaString"])
        for field in schema["fields"]:
            if field["name"] in marks:
                field["metadata"] = {**field["metadata"], _MARK: marks[field["name"]]}
        body["schemaString"] = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        return [{"metaData": body}, *(action for action in others if "metaData" not in action)]


def marks_kept(schema: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The Delta schema that takes the place of ``before``, its identity columns as far as theirs have come.

    So no value is given out twice in one table, whatever it is restored to or replaced by.
    """
    made: dict[str, Any] = copy.deepcopy(dict(schema))
    old = {_name(field): field["metadata"] for field in before["fields"] if _MARK in field["metadata"]}
    for field in made["fields"]:
        own, theirs = field["metadata"], old.get(_name(field), {})
        if _STEP in own and (own[_STEP], own[_START]) == (theirs.get(_STEP), theirs.get(_START)):
            furthest = max if int(own[_STEP]) > 0 else min
            own[_MARK] = furthest(int(theirs[_MARK]), int(own.get(_MARK, theirs[_MARK])))
    return made


def _name(field: Mapping[str, Any]) -> str:
    return str(field["metadata"].get(PHYSICAL_NAME, field["name"]))


def numbering(snapshot: Snapshot) -> Numbering | None:
    """What numbers the rows of the table, or None if it has no identity column."""
    return Numbering(snapshot) if any(map(is_identity, snapshot.schema)) else None


def _counters(schema: pa.Schema) -> Iterator[tuple[str, _Counter]]:
    for field in schema:
        if is_identity(field):
            said = {key.decode(): value.decode() for key, value in field.metadata.items()}
            step = int(said.get(_STEP, "1"))
            yield field.name, _Counter(int(said[_MARK]) + step if _MARK in said else int(said[_START]), step)
