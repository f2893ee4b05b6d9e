"""The columns and constraints of a CREATE TABLE, as the log will have them; what could never be written is refused.

Delta protocol, "Default Columns", "Generated Columns", "Identity Columns", "CHECK Constraints". Their texts are Spark's
SQL to every reader of the log, so a name in double quotes, which Spark takes for a string, goes there in backticks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa

from deltasql.catalog import fields
from deltasql.catalog.fields import Struct
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.properties import CONSTRAINT
from deltasql.errors import AlreadyExists, ColumnNotFound, Error, NotSupportedError, PlanError, Span
from deltasql.names import did_you_mean, fold, match
from deltasql.session import StatementContext
from deltasql.sql.dialect import tokenize
from deltasql.sql.parameters import placeholders
from deltasql.sql.splice import Edit, splice
from deltasql.sql.statements import ColumnDefinition, Constraint, Fragment
from deltasql.sql.woven import woven
from deltasql.types import char_length, parse_type
from deltasql.write.defaults import default_query
from deltasql.write.demands import Demand, require_computable
from deltasql.write.identity import identity_metadata
from deltasql.write.source import CHAR_TYPE, require_distinct, stored_rows
from deltasql.write.spark import translated
from deltasql.write.values import require_deterministic

# -- columns


def defined(columns: Sequence[ColumnDefinition], context: StatementContext) -> Struct:
    """The schema of a table with ``columns``.

    Raises `PlanError` for two of one name, for a type that there isn't, and for a default, generated or identity column
    that can't be one; `NotSupportedError`, `UnsupportedTableFeature` for what we can't compute.
    """
    require_distinct([column.name for column in columns], "CREATE TABLE")
    plain = pa.schema([_arrow(column) for column in columns])
    made = [_field(column, plain, context) for column in columns]
    schema = fields.struct(made)
    zone: str = context.session.settings["time_zone"]
    known = Metadata.fresh(None, None, schema).arrow()
    for column in columns:
        if column.generated is not None:
            text = expression_text(column.generated, plain)
            demand = Demand(f"generated column `{column.name}`", text, column.name)
            with _at(column.generated.span):
                require_computable(demand, known, zone=zone)
                values = pa.array([], translated(text, known).type)
                stored_rows([values], pa.schema([plain.field(column.name)]), time_zone=zone, partitions=())
    return schema


def _arrow(column: ColumnDefinition) -> pa.Field:
    with _at(column.type.span):
        return pa.field(column.name, parse_type(column.type.sql), nullable=column.nullable)


def _field(column: ColumnDefinition, schema: pa.Schema, context: StatementContext) -> fields.Field:
    metadata: dict[str, Any] = {} if column.comment is None else {"comment": column.comment}
    if (length := char_length(column.type.sql)) is not None:
        metadata[CHAR_TYPE.decode()] = length
    if column.default is not None:
        metadata["CURRENT_DEFAULT"] = default_text(column.default, schema.field(column.name), context)
    if column.generated is not None:
        metadata["delta.generationExpression"] = expression_text(column.generated, schema)
    if column.identity is not None:
        with _at(column.span):
            metadata |= identity_metadata(schema.field(column.name), column.identity)
    type = fields.type_json(schema.field(column.name).type)
    return fields.field(column.name, type, nullable=column.nullable, metadata=metadata)


def default_text(value: Fragment, field: pa.Field, context: StatementContext) -> str:
    """A DEFAULT as the log keeps it. Raises `PlanError` for one that is no constant, or doesn't fit ``field``."""
    what = f"the DEFAULT of column `{field.name}`"
    _require_no_parameter(value, what)
    require_deterministic(value, "DEFAULT")
    query = next((token for token in tokenize(value.sql) if token.upper == "SELECT"), None)
    if query is not None:
        raise PlanError(f"{what} can't hold a query", span=value.span)
    zone: str = context.session.settings["time_zone"]
    schema = pa.schema([field.with_nullable(nullable=True)])
    tried = default_query(value)
    with _at(value.span):
        try:
            # Behind WHERE neither aggregates nor window functions can stand.
            context.query(woven("SELECT 1 WHERE (", tried, "\n) IS NULL"))
            for batch in context.query(woven("SELECT ", tried)).read():
                stored_rows(batch.columns, schema, time_zone=zone, partitions=())
        except ColumnNotFound as error:
            raise PlanError(f"{what} is no constant: {error.message}") from error
    return value.sql


def expression_text(value: Fragment, schema: pa.Schema) -> str:
    """A condition or generation expression as the log keeps it: names of columns in backticks, as Spark quotes them.

    Raises `PlanError` for a parameter, which the log has no value of.
    """
    _require_no_parameter(value, "the expression")
    names = {fold(name) for name in _names(schema)}
    edits = []
    for token in tokenize(value.sql):
        written = token.span.of(value.sql)
        if written.startswith('"') and fold(token.text) in names:
            edits.append(Edit(token.span, "`" + token.text.replace("`", "``") + "`"))
    return splice(value.sql, edits).text


def _names(type: pa.Schema | pa.DataType) -> Iterator[str]:
    for field in type:
        yield field.name
        if pa.types.is_struct(field.type):
            yield from _names(field.type)


def _require_no_parameter(value: Fragment, what: str) -> None:
    if placeholders(value.sql):
        raise PlanError(f"{what} can't hold a parameter, as it is kept as text", span=value.span)


class _at:  # noqa: N801 (it is read as a preposition)
    """Give errors that have no place this one."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Give the place."""
        if isinstance(error, Error) and error.span is None:
            error.span = self._span


# -- constraints and partitioning


def constraint_properties(constraints: Sequence[Constraint], schema: pa.Schema, zone: str) -> dict[str, str]:
    """The properties that keep ``constraints`` of a table with the columns ``schema``.

    Raises `AlreadyExists` for two of one name, `UnsupportedTableFeature` for one that we can't compute.
    """
    found: dict[str, str] = {}
    for each in constraints:
        key = CONSTRAINT + each.name.lower()
        if key in found:
            raise AlreadyExists(f"there are two constraints `{each.name}`", span=each.span)
        text = expression_text(each.check, schema)
        with _at(each.check.span):
            require_computable(Demand(f"CHECK constraint `{each.name}`", text), schema, zone=zone)
        found[key] = text
    return found


def partitions(names: Collection[str], schema: pa.Schema) -> tuple[str, ...]:
    """The columns ``names`` in their stored spelling. Raises where a table can't be partitioned by them."""
    require_distinct(names, "PARTITIONED BY")
    found = []
    for name in names:
        column = match(name, schema.names, what="column")
        if column is None:
            hint = did_you_mean(name, schema.names)
            raise ColumnNotFound(f"there is no column `{name}` to partition by", hint=hint)
        field = schema.field(column)
        if pa.types.is_nested(field.type):
            raise PlanError(f"a table can't be partitioned by `{column}`, which is nested")
        if pa.types.is_binary(field.type):
            raise NotSupportedError(f"a table can't be partitioned by `{column}`: delta-rs mangles BINARY values")
        if b"delta.identity.start" in (field.metadata or {}):
            raise PlanError(f"a table can't be partitioned by `{column}`, which is an identity column")
        found.append(column)
    if found and len(found) == len(schema):
        raise PlanError("a table can't be partitioned by all of its columns")
    return tuple(found)
