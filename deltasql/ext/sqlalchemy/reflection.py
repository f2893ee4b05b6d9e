"""What a lake holds, in the words of SQLAlchemy's inspector.

Names resolve as they do in a statement. Delta has no keys, no unique constraints and no indexes to tell of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc
from sqlalchemy.sql.elements import quoted_name

from deltasql.catalog.catalog import MAIN, TableEntry
from deltasql.catalog.clustering import clustered_by
from deltasql.catalog.fields import MAX_COLUMN_ID
from deltasql.catalog.metadata import Metadata
from deltasql.catalog.properties import CONSTRAINT
from deltasql.catalog.snapshot import Snapshot
from deltasql.catalog.views import View
from deltasql.errors import NotSupportedError, SchemaNotFound, TableNotFound
from deltasql.ext.sqlalchemy.types import type_of
from deltasql.names import AsOf, TableReference, Version
from deltasql.session import StatementContext
from deltasql.types import parse_type
from deltasql.write.demands import default_of, generation_expression
from deltasql.write.identity import is_identity
from deltasql.write.source import CHAR_TYPE

if TYPE_CHECKING:
    import pyarrow as pa

    from deltasql.connection import Connection


def schema_parts(schema: str | None) -> tuple[str, ...]:
    """``[catalog.]schema`` as names; one that was quoted on purpose is a single one."""
    if schema is None:
        return ()
    if isinstance(schema, quoted_name) and schema.quote:
        return (str(schema),)
    return tuple(schema.split("."))


def schemas(connection: Connection) -> list[str]:
    """All schemas; those of attached roots have their catalog before them."""
    catalog = connection.session.catalog
    found = catalog.schemas()
    for name in catalog.catalogs():
        found += [] if name == MAIN else [f"{name}.{schema}" for schema in catalog.schemas(name)]
    return found


def tables(connection: Connection, schema: str | None) -> list[str]:
    """The tables of a schema; none of one that isn't there."""
    found = _home(connection, schema)
    return [] if found is None else [entry.name for entry in connection.session.catalog.tables(found[1], found[0])]


def views(connection: Connection, schema: str | None) -> list[str]:
    """The views of a schema; none of one that isn't there."""
    found = _home(connection, schema)
    return [] if found is None else [view.name for view in connection.session.catalog.views(found[1], found[0])]


def _home(connection: Connection, schema: str | None) -> tuple[str, str] | None:
    """Catalog and schema; None for one that isn't there."""
    try:
        return connection.session.catalog.schema_of(schema_parts(schema))
    except SchemaNotFound:
        return None


def temporary_views(connection: Connection) -> list[str]:
    """The temporary views."""
    return [view.name for view in connection.session.catalog.temporaries.values()]


def exists(connection: Connection, name: str, schema: str | None) -> bool:
    """True for a table or view."""
    try:
        connection.session.catalog.named(_reference(name, schema))
    except (TableNotFound, SchemaNotFound):
        return False
    return True


class Described:
    """A table, at a version, or a view."""

    def __init__(self, connection: Connection, name: str, schema: str | None, as_of: AsOf | None = None) -> None:
        context, reference = StatementContext(connection.session), _reference(name, schema)
        self.view: View | None = None
        try:
            found = context.named(reference)
            if isinstance(found, View):
                self.view = found
                return
            self.entry, self.snapshot = context.snapshot(reference.at(as_of))
        except (TableNotFound, SchemaNotFound) as error:
            raise exc.NoSuchTableError(f"{schema}.{name}" if schema else name) from error

    def columns(self) -> list[dict[str, Any]]:
        """The columns: name, type, nullability, default, comment, and what computes them."""
        if self.view is None:
            return [_column(field) for field in self.snapshot.schema]
        return [
            {"name": c.name, "type": _viewed(c.type), "nullable": True, "default": None, "comment": c.comment}
            for c in self.view.columns
        ]

    def comment(self) -> str | None:
        """The comment."""
        return self.view.comment if self.view is not None else Metadata.of(self.snapshot).description

    def checks(self) -> list[dict[str, Any]]:
        """The CHECK constraints."""
        found = {} if self.view is not None else Metadata.of(self.snapshot).configuration
        checks = {k[len(CONSTRAINT) :]: v for k, v in sorted(found.items()) if k.lower().startswith(CONSTRAINT)}
        return [{"name": name, "sqltext": expression} for name, expression in checks.items()]

    def options(self) -> dict[str, Any]:
        """Partitioning, clustering, properties and the place of an external table, as `Table` takes them."""
        return {} if self.view is not None else _options(self.entry, self.snapshot)


def last_number(connection: Connection, name: str, schema: str | None, column: str, version: int) -> int | None:
    """The last value that an identity column had given out at a version; None for another column."""
    snapshot = StatementContext(connection.session).open(_reference(name, schema).at(Version(str(version))))
    mark = (snapshot.schema.field(column).metadata or {}).get(b"delta.identity.highWaterMark")
    return None if mark is None else int(mark)


def _reference(name: str, schema: str | None) -> TableReference:
    parts = (*schema_parts(schema), name)
    return TableReference(parts, exact=(True,) * len(parts))


def _column(field: pa.Field) -> dict[str, Any]:
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    found: dict[str, Any] = {
        "name": field.name,
        "type": type_of(field.type, said.get(CHAR_TYPE.decode())),
        "nullable": field.nullable,
        "default": default_of(field),
        "comment": said.get("comment"),
        "autoincrement": is_identity(field),
    }
    expression = generation_expression(field)
    if expression is not None:
        found["computed"] = {"sqltext": expression, "persisted": True}
    if is_identity(field):
        found["identity"] = {
            "always": said.get("delta.identity.allowExplicitInsert", "").lower() != "true",
            "start": int(said["delta.identity.start"]),
            "increment": int(said.get("delta.identity.step", "1")),
        }
    return found


def _viewed(type: str) -> Any:
    from sqlalchemy.types import NullType

    try:
        return type_of(parse_type(type))
    except NotSupportedError:
        return NullType()


def _options(entry: TableEntry, snapshot: Snapshot) -> dict[str, Any]:
    properties: Mapping[str, str] = Metadata.of(snapshot).configuration
    kept = {k: v for k, v in sorted(properties.items()) if not k.lower().startswith(CONSTRAINT) and k != MAX_COLUMN_ID}
    found = {
        "deltasql_partition_by": list(snapshot.partition_columns),
        "deltasql_cluster_by": [".".join(path) for path in clustered_by(snapshot)],
        "deltasql_properties": kept,
        "deltasql_location": None if entry.managed else str(entry.location),
    }
    return {name: value for name, value in found.items() if value}
