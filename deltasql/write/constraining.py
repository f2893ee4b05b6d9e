"""ADD and DROP CONSTRAINT, SET NOT NULL, SET DEFAULT: promises that a table makes from a commit on.

Delta protocol, "CHECK Constraints", "Default Columns". The rows that are there are looked at first, as of the very
snapshot that is committed upon: whoever adds rows meanwhile makes the commit conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pyarrow as pa

from deltasql.catalog.metadata import Metadata, Protocol
from deltasql.catalog.properties import CONSTRAINT
from deltasql.errors import (
    AlreadyExists,
    ConstraintViolation,
    NotSupportedError,
    ParseError,
    PlanError,
    UnsupportedTableFeature,
)
from deltasql.names import did_you_mean, fold, quote
from deltasql.sql.dialect import tokenize
from deltasql.sql.parameters import placeholders
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import AddConstraint, DropConstraint, Fragment
from deltasql.sql.woven import woven
from deltasql.write.altering import Change
from deltasql.write.defaults import default_query
from deltasql.write.demands import Demand, held, require_computable
from deltasql.write.source import Source, stored_rows
from deltasql.write.spark import translated
from deltasql.write.target import Target

# -- CHECK


def constraint_added(action: AddConstraint, into: Target) -> tuple[Change, Demand]:
    """The table with a CHECK, and what its rows are to be held to.

    Raises `AlreadyExists`, `ColumnNotFound`, and `UnsupportedTableFeature` for a condition that we couldn't hold
    writes to.
    """
    old = Metadata.of(into.snapshot)
    key = CONSTRAINT + action.name.lower()
    if any(fold(each) == fold(key) for each in old.configuration):
        raise AlreadyExists(f"`{into.entry}` has a constraint `{action.name}` already", span=action.span)
    check = spark_text(action.check, into.snapshot.schema)
    demand = Demand(f"CHECK constraint `{action.name.lower()}`", check)
    try:
        require_computable(demand, into.snapshot.schema, zone=into.time_zone)
    except UnsupportedTableFeature as error:
        whole = into.given(into.snapshot)
        with suppress(UnsupportedTableFeature, NotSupportedError, PlanError, ParseError):
            into.context.query(woven(f"SELECT 1 FROM {into.named(None)} WHERE (", action.check, "\n)"), whole)
        error.span = error.span or action.check.span
        raise
    metadata = old.with_configuration(old.configuration | {key: check})
    protocol = Protocol.of(into.snapshot).with_features("checkConstraints")
    return Change("ADD CONSTRAINT", {"name": action.name, "expr": check}, metadata, protocol), demand


def constraint_dropped(action: DropConstraint, into: Target) -> Change | None:
    """The table without a CHECK; None where IF EXISTS finds none."""
    old = Metadata.of(into.snapshot)
    names = {fold(key[len(CONSTRAINT) :]): key for key in old.configuration if key.lower().startswith(CONSTRAINT)}
    key = names.get(fold(action.name))
    if key is None:
        if action.if_exists:
            return None
        hint = did_you_mean(action.name, names)
        raise PlanError(f"`{into.entry}` has no constraint `{action.name}`", hint=hint, span=action.span)
    rest = {name: value for name, value in old.configuration.items() if name != key}
    parameters = {"name": action.name, "expr": old.configuration[key]}
    return Change("DROP CONSTRAINT", parameters, old.with_configuration(rest), Protocol.of(into.snapshot))


def require_held(demand: Demand, into: Target) -> None:
    """Raise `ConstraintViolation`, showing it, for a row of the table that ``demand`` isn't true for."""
    schema = into.snapshot.schema
    paths = translated(demand.expression, schema).paths
    columns = list(dict.fromkeys(path[0] for path in paths)) or schema.names[:1]
    listed = ", ".join(map(quote, columns))
    found = into.context.query(f"SELECT {listed} FROM {into.named(None)}", into.given())
    for _ in held(Source(found.schema, found.read), demand, schema, zone=into.time_zone).batches():
        pass


def spark_text(expression: Fragment, schema: pa.Schema) -> str:
    """The text of an expression as the log has it, in Spark's SQL: a name in double quotes is a string to it."""
    require_constant_text(expression)
    names = {fold(name) for name in _names(schema)}
    edits = [
        Edit(token.span, "`" + token.text.replace("`", "``") + "`")
        for token in tokenize(expression.sql)
        if token.kind == "quoted" and token.span.of(expression.sql)[:1] == '"' and fold(token.text) in names
    ]
    return splice(expression.sql, edits).text


def _names(fields: pa.Schema | pa.StructType) -> list[str]:
    found = []
    for field in fields:
        found.append(str(field.name))
        if pa.types.is_struct(field.type):
            found += _names(field.type)
    return found


def require_constant_text(expression: Fragment) -> None:
    """Raise `NotSupportedError` for a parameter: the text stays, its value wouldn't."""
    for name in placeholders(expression.sql):
        message = f"the parameter `{name}` can't stand in an expression that the table keeps"
        raise NotSupportedError(message, hint="write the value", span=expression.span)


# -- NOT NULL, DEFAULT


def require_no_null(into: Target, path: Sequence[str]) -> None:
    """Raise `ConstraintViolation` if a row has NULL in the column, or in the field of a struct, at ``path``."""
    type: pa.DataType | pa.Schema = into.snapshot.schema
    for depth, name in enumerate(path):
        if depth and not pa.types.is_struct(type):
            message = f"`{'.'.join(path)}` can't be NOT NULL: it is inside an array or a map"
            raise NotSupportedError(message)
        type = type.field(name).type
    values = [_value(path[: depth + 1]) for depth in range(len(path))]
    condition = " AND ".join([*(f"{value} IS NOT NULL" for value in values[:-1]), f"{values[-1]} IS NULL"])
    query = f"SELECT count(*) FROM {into.named(None)} WHERE {condition}"
    (count,) = [batch.column(0)[0].as_py() for batch in into.context.query(query, into.given()).read()]
    if count:
        rows = "a row has" if count == 1 else f"{count} rows have"
        raise ConstraintViolation(f"`{'.'.join(path)}` can't be NOT NULL: {rows} NULL there")


def _value(path: Sequence[str]) -> str:
    return quote(path[0]) + "".join(f"['{name.replace(chr(39), chr(39) * 2)}']" for name in path[1:])


def require_default(value: Fragment, name: str, into: Target) -> None:
    """Raise `PlanError` unless ``value`` is one that a row can have without being looked at; `CastError` for a misfit.

    It may call a function of the time, but reads no column and no table.
    """
    require_constant_text(value)
    if any(token.upper == "SELECT" for token in tokenize(value.sql)):
        raise PlanError("a DEFAULT can't hold a query", span=value.span)
    found = into.context.query(woven("SELECT (", default_query(value), "\n)"))
    schema = pa.schema([into.snapshot.schema.field(name).with_nullable(nullable=True)])
    for batch in found.read():
        stored_rows(batch.columns, schema, time_zone=into.time_zone, partitions=into.snapshot.partition_columns)
