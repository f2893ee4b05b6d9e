"""What a table demands of the rows that are written: CHECKs, invariants, generated columns; and column defaults.

Delta protocol, "CHECK Constraints", "Column Invariants", "Generated Columns", "Default Columns". They are held here
by our own engine, whoever writes the files. A demand that can't be computed with its very meaning in Spark
(`deltasql.write.spark`) refuses the write by its name: a wrong generated value is never noticed again. NOT NULL is
seen to by store assignment, appendOnly by the operations.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.computing import Computed, computed
from deltasql.errors import ConstraintViolation, Error, UnsupportedTableFeature
from deltasql.names import text
from deltasql.session import StatementContext
from deltasql.write.expression import Untranslatable, kind
from deltasql.write.source import Source, is_generated, stored_rows
from deltasql.write.spark import Path, Translated, translated

_CONSTRAINT = "delta.constraints."
_GENERATION = b"delta.generationExpression"
_INVARIANT = b"delta.invariants"
_DEFAULT = b"CURRENT_DEFAULT"
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Demand:
    """An expression that a table has in its log; ``column`` is the generated column that it is of, if it is."""

    what: str
    expression: str
    column: str | None = None


def default_of(field: pa.Field) -> str | None:
    """The SQL text of a column's DEFAULT (Delta protocol, "Default Columns")."""
    return _metadata(field, _DEFAULT)


def generation_expression(field: pa.Field) -> str | None:
    """The SQL text that a generated column is computed by (Delta protocol, "Generated Columns")."""
    return _metadata(field, _GENERATION)


def _metadata(field: pa.Field, key: bytes) -> str | None:
    found = (field.metadata or {}).get(key)
    return None if found is None else found.decode()


def demands_of(snapshot: Snapshot, schema: pa.Schema | None = None) -> tuple[Demand, ...]:
    """All that the table demands; ``schema`` is its schema from this commit on, if it differs.

    Raises `UnsupportedTableFeature` for an invariant that can't be read.
    """
    columns = snapshot.schema if schema is None else schema
    generated = [
        Demand(f"generated column `{field.name}`", str(generation_expression(field)), field.name)
        for field in columns
        if is_generated(field)
    ]
    checks = [
        Demand(f"CHECK constraint `{key[len(_CONSTRAINT) :]}`", value)
        for key, value in sorted(snapshot.properties.items())
        if key.lower().startswith(_CONSTRAINT)
    ]
    return (*generated, *_invariants(columns, ()), *checks)


def _invariants(fields: pa.Schema | pa.StructType, above: Path) -> Iterator[Demand]:
    for field in fields:
        path = (*above, field.name)
        written = _metadata(field, _INVARIANT)
        if written is not None:
            what = f"the invariant of column `{'.'.join(path)}`"
            try:
                expression = json.loads(written)["expression"]["expression"]
            except (ValueError, TypeError, KeyError):
                raise UnsupportedTableFeature(f"{what} can't be read: {written}") from None
            yield Demand(what, str(expression))
        if pa.types.is_struct(field.type):
            yield from _invariants(field.type, path)


def demanded(
    source: Source,
    snapshot: Snapshot,
    context: StatementContext,
    *,
    given: Collection[str],
    schema: pa.Schema | None = None,
) -> Source:
    """The rows of ``source`` with their generated columns, held to what the table demands while they are read.

    ``source`` has the columns of the table in their order, cast by store assignment; generated columns that aren't
    among ``given`` may be missing, and are computed whatever they hold. ``schema`` is the table's schema from this
    commit on, if it differs. Without a demand it is ``source`` itself. Raises `UnsupportedTableFeature` for a demand
    that can't be computed; reading raises `ConstraintViolation` naming the demand and a row, or `CastError`.
    """
    demands = demands_of(snapshot, schema)
    if not demands:
        return source
    columns = snapshot.schema if schema is None else schema
    zone: str = context.session.settings["time_zone"]
    generated = [demand for demand in demands if demand.column is not None]
    checks = [demand for demand in demands if demand.column is None]
    if generated:
        source = _generated(source, generated, columns, given, snapshot.partition_columns, zone)
    return _checked(source, checks, columns, zone) if checks else source


@dataclass(frozen=True, slots=True)
class _Planned:
    """Demands ready to be computed, one after another."""

    demands: tuple[Demand, ...]
    translated: tuple[Translated, ...]
    computed: Computed

    def values(self, source: Source) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """The rows of ``source``, each batch with what it gives for the demands."""
        try:
            yield from self.computed.run(source.batches)
        except Error as error:
            if source.failure is None:
                which = " or ".join(f"{demand.what} ({demand.expression})" for demand in self.demands)
                error.message = f"{which} can't be evaluated for a row: {error.message}"
            raise


def held(source: Source, demand: Demand, schema: pa.Schema, *, zone: str) -> Source:
    """The rows of ``source``, some columns of ``schema``, for each of which the condition ``demand`` is true.

    Raises as `demanded`.
    """
    return _checked(source, [demand], schema, zone)


def require_computable(demand: Demand, schema: pa.Schema, *, zone: str) -> None:
    """Raise `UnsupportedTableFeature` unless ``demand`` can be computed over the columns of ``schema``."""
    _planned([demand], schema, schema, zone)


def _planned(demands: Sequence[Demand], schema: pa.Schema, held: pa.Schema, zone: str) -> _Planned:
    """The demands over the columns of ``schema``, of which those of ``held`` are there."""
    made = [_translated(demand, schema) for demand in demands]
    columns = {path[0] for each in made for path in each.paths}
    try:
        computing = computed(held, [each.sql for each in made], columns=columns, time_zone=zone)
    except Error as error:
        if len(demands) == 1:
            raise _refused(demands[0], error.message) from error
        for demand in demands:
            _planned([demand], schema, held, zone)
        raise
    return _Planned(tuple(demands), tuple(made), computing)


def _translated(demand: Demand, schema: pa.Schema) -> Translated:
    try:
        made = translated(demand.expression, schema)
    except Untranslatable as error:
        raise _refused(demand, str(error)) from error
    if demand.column is None and kind(made.type) not in ("boolean", "null"):
        raise _refused(demand, "it is no condition")
    if demand.column is not None and kind(made.type) == "nested":
        raise _refused(demand, "it gives a nested value")
    generated = {field.name for field in schema if is_generated(field)}
    if demand.column is not None and (others := [path[0] for path in made.paths if path[0] in generated]):
        raise _refused(demand, f"`{others[0]}` is generated itself")
    return made


def _refused(demand: Demand, why: str) -> UnsupportedTableFeature:
    return UnsupportedTableFeature(f"{demand.what} ({demand.expression}) can't be evaluated: {why}")


# -- generated columns


def _generated(
    source: Source,
    demands: Sequence[Demand],
    schema: pa.Schema,
    given: Collection[str],
    partitions: Collection[str],
    zone: str,
) -> Source:
    """The rows with generated columns computed, or compared where they were given."""
    planned = _planned(demands, schema, source.schema, zone)
    places = {str(demand.column): place for place, demand in enumerate(demands)}
    compared = [name for name in places if name in given]
    target = pa.schema([*schema, *(schema.field(name).with_nullable(nullable=True) for name in compared)])
    partitioned = set(partitions)
    made = pa.schema([field.remove_metadata() for field in schema])

    def column(name: str, rows: pa.RecordBatch, values: pa.RecordBatch) -> pa.Array:
        if name in places and name not in given:
            return values.column(places[name])
        return rows.column(source.schema.get_field_index(name))

    def read() -> Iterator[pa.RecordBatch]:
        for rows, values in planned.values(source):
            columns = [column(name, rows, values) for name in schema.names]
            columns += [values.column(places[name]) for name in compared]
            stored = stored_rows(columns, target, time_zone=zone, partitions=partitioned)
            whole = pa.RecordBatch.from_arrays(stored.columns[: len(schema)], schema=made)
            for name, wanted in zip(compared, stored.columns[len(schema) :], strict=True):
                place = places[name]
                same = _same(whole.column(name), wanted)
                _hold(demands[place], same, whole, ((name,), *planned.translated[place].paths), zone)
            yield whole

    return Source(made, read)


def _same(left: pa.Array, right: pa.Array) -> pa.Array:
    """``left IS NOT DISTINCT FROM right``; NaN is NaN."""
    equal = pc.fill_null(pc.equal(left, right), fill_value=False)
    if pa.types.is_floating(left.type):
        equal = pc.or_(equal, pc.fill_null(pc.and_(pc.is_nan(left), pc.is_nan(right)), fill_value=False))
    return pc.or_(equal, pc.and_(left.is_null(), right.is_null()))


# -- conditions


def _checked(source: Source, demands: Sequence[Demand], schema: pa.Schema, zone: str) -> Source:
    """The rows, for each of which every demand is true."""
    planned = _planned(demands, schema, source.schema, zone)

    def read() -> Iterator[pa.RecordBatch]:
        for rows, values in planned.values(source):
            for demand, made, kept in zip(demands, planned.translated, values.columns, strict=True):
                _hold(demand, kept, rows, made.paths, zone)
            yield rows

    return Source(source.schema, read)


def _hold(demand: Demand, kept: pa.Array, rows: pa.RecordBatch, paths: Sequence[Path], zone: str) -> None:
    """Raise `ConstraintViolation` unless ``kept`` is true for every row; ``paths`` of one that isn't are shown."""
    kept = pc.fill_null(kept.cast(pa.bool_()), fill_value=False)
    if kept.true_count == len(kept):
        return
    place = pc.index(kept, value=False).as_py()
    row = rows.slice(place, 1)
    values = ", ".join(f"{'.'.join(path)} = {shown(row, path, zone)}" for path in paths)
    with_values = f" with {values}" if values else ""
    raise ConstraintViolation(f"{demand.what} ({demand.expression}) is violated by a row{with_values}")


def shown(row: pa.RecordBatch, path: Path, zone: str) -> str:
    """The value at ``path`` of the first row as SQL would write it, for a sentence."""
    values = row.column(path[0])
    for name in path[1:]:
        values = pc.struct_field(values, name)
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = pc.local_timestamp(values.cast(pa.timestamp("us", zone)))
    if not values[0].is_valid:
        return "NULL"
    if pa.types.is_string(values.type):
        written = text(values[0].as_py())
    elif pa.types.is_binary(values.type):
        written = f"X'{values[0].as_py().hex()}'"
    elif pa.types.is_nested(values.type):
        written = str(values[0])
    else:
        # Python's own datetimes and dates end at the year 9999.
        written = values.cast(pa.string())[0].as_py()
        written = written.removesuffix(".000000") if pa.types.is_timestamp(values.type) else written
    return written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"
