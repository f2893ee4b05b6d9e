"""Rows in the place of others: INSERT OVERWRITE and INSERT … REPLACE WHERE."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from deltasql.engine.sources import Rows
from deltasql.errors import ConstraintViolation
from deltasql.sql.statements import Fragment
from deltasql.sql.woven import woven
from deltasql.write.demands import shown
from deltasql.write.rewrite import Clause, Edits
from deltasql.write.source import Source, stored_rows
from deltasql.write.target import TARGET, Target

_HINT = "the query must give rows that the predicate is true for"


@dataclass(frozen=True, slots=True)
class Replaced:
    """What goes: whole files, or the rows of ``edits``. ``held`` sees that new rows belong in their place."""

    shown: str
    text: str | None
    held: Callable[[Source], Source]
    gone: Collection[int] = ()
    edits: Edits | None = None

    def parts(self) -> dict[str, Any]:
        """What `Target.write` is told."""
        return {"gone": self.gone, "edits": self.edits}


def in_partition(values: Mapping[str, Fragment], into: Target) -> Replaced:
    """All rows of the partitions that have ``values`` (of partition columns); of the table if there are none."""
    snapshot = into.snapshot
    wanted = {name: _stored(name, value, into) for name, value in values.items()}
    places = {name: snapshot.partition_columns.index(name) for name in wanted}
    gone = [
        index
        for index, path in enumerate(snapshot.files)
        if all(_same(snapshot.partition_values[path][places[name]], value) for name, value in wanted.items())
    ]
    text = " AND ".join(f"{name} = {value.sql}" for name, value in values.items()) or None
    return Replaced(f"overwrite{f' where {text}' if text else ''}", text, lambda source: source, gone)


def _stored(name: str, value: Fragment, into: Target) -> pa.Scalar:
    """The value of a constant expression as the table would store it in the partition column ``name``."""
    (batch,) = into.context.query(woven("SELECT ", value)).read()
    schema = pa.schema([into.snapshot.schema.field(name)])
    return stored_rows(batch.columns, schema, time_zone=into.time_zone, partitions=(name,)).column(0)[0]


def _same(held: pa.Scalar, wanted: pa.Scalar) -> bool:
    held = held.cast(wanted.type)
    if pa.types.is_string(wanted.type) and held.as_py() == "":
        return not wanted.is_valid
    return held.is_valid == wanted.is_valid and (not held.is_valid or held.equals(wanted))


def rows_where(predicate: Fragment, into: Target) -> Replaced:
    """The rows that ``predicate`` is true for; so it must be for the new ones (Delta Lake, "Selective overwrite")."""
    query = woven(f"SELECT {into.tags(None)}, 0 FROM {into.named(None)} WHERE (", predicate, "\n) ORDER BY 1, 2")
    found = into.context.query(query, into.given())
    edits = Edits((Clause("delete"),), found.read, into.time_zone)

    def held(source: Source) -> Source:
        def rows() -> Iterator[pa.RecordBatch]:
            for batch in source.batches():
                _require(predicate, batch, into)
                yield batch

        return Source(source.schema, rows)

    return Replaced(f"replace where {predicate.sql}", predicate.sql, held, edits=edits)


def _require(predicate: Fragment, batch: pa.RecordBatch, into: Target) -> None:
    """Raise `ConstraintViolation` for a row that ``predicate`` isn't true for."""
    query = woven(f"SELECT * FROM {into.named(None)} WHERE (", predicate, "\n) IS NOT TRUE LIMIT 1")
    rows = Rows(TARGET, pa.Table.from_batches([batch]))
    for odd in into.context.query(query, into.given(rows)).read():
        if odd.num_rows:
            row = ", ".join(f"{name} = {shown(odd, (name,), into.time_zone)}" for name in odd.schema.names)
            message = f"a new row isn't in the place of those that are replaced: `{predicate.sql}` isn't true for {row}"
            raise ConstraintViolation(message, hint=_HINT, span=predicate.span)
