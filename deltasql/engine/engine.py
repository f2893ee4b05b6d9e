"""Runs a query over snapshots and gives Arrow: the protocol, and DataFusion behind it.

One DataFusion context per connection, so that its caches of file metadata live as long; it is planned on by
one thread at a time and read from by any number. What a query reads is fixed when it is planned.
"""

from __future__ import annotations

import decimal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import datafusion
import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.ask import Ask, asks, projected
from deltasql.engine.dataset import UTC, outline
from deltasql.engine.provider import Lookup, StatementCatalog, TableName
from deltasql.engine.scan import Access, Shown, Tables, floats, needs_ask
from deltasql.engine.translate import translate
from deltasql.errors import NotSupportedError, PlanError, StorageError, VersionNotFound
from deltasql.names import did_you_mean
from deltasql.sql.rewrite import Rewritten

if TYPE_CHECKING:
    from datafusion.catalog import Table

Sources = Mapping[TableName, Snapshot]


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A planned query: its schema, a way to read its rows (again and again), and how its tables are read.

    ``is_empty`` tells that its predicate can hold for no row whatever the data: it folds to false or NULL.
    ``columns_read`` are the names of the columns that its scans read.
    """

    schema: pa.Schema
    read: Callable[[], Iterator[pa.RecordBatch]]
    is_empty: Callable[[], bool]
    columns_read: Callable[[], set[str]]
    tables: Mapping[TableName, tuple[Snapshot, Access]] = field(default_factory=dict)


class Engine(Protocol):
    """What runs queries. ``reader`` and ``time_zone`` are the settings of these names."""

    reader: str
    time_zone: str

    def query(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> BoundQuery:
        """Plan ``query`` over ``sources``. Raises deltasql's errors only, with spans in the original text."""

    def evaluate(self, expression: str, parameters: Mapping[str, Any]) -> Any:
        """The Python value of a constant expression."""

    def set_option(self, name: str, value: str) -> None:
        """Set an option of the engine's own (``datafusion.…``)."""

    def reset_option(self, name: str) -> None:
        """Give an option of the engine's own its default back."""

    def reset_options(self) -> None:
        """Give all options of the engine's own their defaults back."""

    def option(self, name: str) -> tuple[str, str, str]:
        """Name, value and description of one of the engine's own options."""

    def options(self) -> list[tuple[str, str, str]]:
        """Name, value and description of the engine's own options."""


class DataFusionEngine:
    """`Engine` on DataFusion. ``lookup`` finds tables that no statement names (for ``information_schema``)."""

    def __init__(self, lookup: Lookup, *, catalog: str, schema: str) -> None:
        config = datafusion.SessionConfig(_CONFIG)
        config = config.with_information_schema(enabled=True)
        config = config.with_create_default_catalog_and_schema(enabled=False)
        config = config.with_default_catalog_and_schema(catalog, schema)
        self._context = datafusion.SessionContext(config)
        self._planning = threading.Lock()
        self._tables = Tables(self._context, _CONFIG)
        self._provider = StatementCatalog(lookup)
        self._context.register_catalog_provider(catalog, self._provider)
        self._defaults: dict[str, str] = {}
        self.reader = "auto"
        self.time_zone = UTC

    def query(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> BoundQuery:
        """Plan ``query``; see `Engine.query`."""
        with self._planning, _translated(query):
            found = self._asks(query, sources, parameters)
            bound = {
                name: (snapshot, self._tables.access(snapshot, found.get(name), self.reader))
                for name, snapshot in sources.items()
            }
            tables = {
                name: self._tables.table(snapshot, found.get(name), access, Shown(self.time_zone, query.may_read))
                for name, (snapshot, access) in bound.items()
            }
            listed = [
                snapshot
                for snapshot, access in bound.values()
                if access.path == "listing" and any(map(query.may_read, floats(snapshot)))
            ]
            with self._statistics(trusted=not any(map(self._tables.statistics_lie, listed))):
                frame = self._planned(query, tables, parameters)
        schema = _named(plain_schema(frame.schema()), query.renames)

        def read() -> Iterator[pa.RecordBatch]:
            with _translated(query):
                stream = frame.execute_stream()
                # What a listing can't find it passes over (facts.md, 49), so the files are looked for after
                # the scan was laid out, each time it is.
                for snapshot, access in bound.values():
                    _require_files(snapshot, access.files)
                yield from _batches(stream, schema)

        def is_empty() -> bool:
            with _translated(query):
                return isinstance(frame.optimized_logical_plan().to_variant(), datafusion.expr.EmptyRelation)

        def columns_read() -> set[str]:
            with _translated(query):
                return projected(frame.optimized_logical_plan())

        return BoundQuery(schema, read, is_empty, columns_read, bound)

    def _asks(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> dict[TableName, Ask]:
        """What the query asks of each table, from a first plan, where a table is laid out by it."""
        if not any(map(needs_ask, sources.values())):
            return {}
        tables = {name: outline(snapshot, self.time_zone) for name, snapshot in sources.items()}
        return asks(self._planned(query, tables, parameters).optimized_logical_plan())

    @contextmanager
    def _statistics(self, *, trusted: bool) -> Iterator[None]:
        """Plan without the files' statistics where these aren't ``trusted``."""
        before = None if trusted else self._setting(_COLLECT)[1]
        if before == "true":
            self._context.sql(f"SET {_COLLECT} = 'false'")
        try:
            yield
        finally:
            if before == "true":
                self._context.sql(f"SET {_COLLECT} = 'true'")

    def _planned(
        self, query: Rewritten, tables: Mapping[TableName, Table], parameters: Mapping[str, Any]
    ) -> datafusion.DataFrame:
        with self._provider.serving(tables):
            return self._frame(query.text, parameters)

    def _frame(self, sql: str, parameters: Mapping[str, Any]) -> datafusion.DataFrame:
        values = {name: _value(value) for name, value in parameters.items()} or None
        return self._context.sql_with_options(sql, _READ_ONLY, param_values=values)

    def evaluate(self, expression: str, parameters: Mapping[str, Any]) -> Any:
        """The Python value of a constant expression; see `Engine.evaluate`."""
        query = Rewritten.untouched(f"SELECT ({expression}) AS value")
        column = pa.Table.from_batches(list(self.query(query, {}, parameters).read())).column(0)
        if pa.types.is_timestamp(column.type):
            # Python's datetime holds microseconds; the instant before is the one that has been reached.
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        return column[0].as_py()

    # -- options

    def set_option(self, name: str, value: str) -> None:
        """Set one of DataFusion's options; see `Engine.set_option`."""
        name = name.lower()
        for prefix, why in _FIXED.items():
            if name.startswith(prefix):
                raise NotSupportedError(f"`{name}` can't be changed: {why}")
        with self._planning:
            before = self._setting(name)[1]
            quoted = value.replace("'", "''")
            with _translated(None):
                self._context.sql(f"SET {name} = '{quoted}'")
            self._defaults.setdefault(name, before)

    def option(self, name: str) -> tuple[str, str, str]:
        """One of DataFusion's options; see `Engine.option`."""
        with self._planning:
            return self._setting(name.lower())

    def _setting(self, name: str) -> tuple[str, str, str]:
        found = [row for row in self._settings() if row[0] == name]
        if not found:
            raise PlanError(f"there is no setting `{name}`", hint=did_you_mean(name, [r[0] for r in self._settings()]))
        return found[0]

    def reset_option(self, name: str) -> None:
        """Give one of DataFusion's options its default back; see `Engine.reset_option`."""
        name = name.lower()
        if name in self._defaults:
            self.set_option(name, self._defaults[name])
        else:
            self.option(name)

    def reset_options(self) -> None:
        """Give all of DataFusion's options their defaults back."""
        for name in list(self._defaults):
            self.reset_option(name)

    def options(self) -> list[tuple[str, str, str]]:
        """DataFusion's options; see `Engine.options`."""
        with self._planning:
            return self._settings()

    def _settings(self) -> list[tuple[str, str, str]]:
        rows = self._context.sql("SELECT name, value, description FROM information_schema.df_settings").to_pylist()
        return [(row["name"], row["value"] or "", row["description"] or "") for row in rows]


_COLLECT = "datafusion.execution.collect_statistics"
_CONFIG = {
    # Instants in INT96 are right over the whole range of TIMESTAMP only in microseconds (facts.md, 56).
    "datafusion.execution.parquet.coerce_int96": "us",
}
_READ_ONLY = (
    datafusion.SQLOptions().with_allow_ddl(allow=False).with_allow_dml(allow=False).with_allow_statements(allow=False)
)
_FIXED = {
    "datafusion.sql_parser.": "deltasql reads SQL in DataFusion's own dialect",
    "datafusion.catalog.": "deltasql keeps the catalog",
    "datafusion.execution.parquet.coerce_int96": "instants would be read wrong",
}


@contextmanager
def _translated(query: Rewritten | None) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, SystemExit):
        raise
    except BaseException as error:  # DataFusion raises bare Exception, its panics derive from BaseException.
        raise translate(error, query) from error


def _require_files(snapshot: Snapshot, files: Iterable[Path]) -> None:
    missing = next((file for file in files if not file.exists()), None)
    if missing is not None:
        message = f"version {snapshot.version} of `{snapshot.name}` can't be read: its file `{missing.name}` is missing"
        if snapshot.is_latest:
            raise StorageError(message, hint="something other than Delta removed it")
        raise VersionNotFound(message, hint="VACUUM removes the files of old versions")


def _value(value: Any) -> Any:
    """A parameter as DataFusion takes it: whole numbers past 64 bits go as decimals."""
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return decimal.Decimal(value)
    return value


# -- Arrow as it is shown: no view types


def plain_type(type: pa.DataType) -> pa.DataType:
    """``type`` with string and binary in place of their view types, at every depth."""
    if pa.types.is_string_view(type):
        return pa.string()
    if pa.types.is_binary_view(type):
        return pa.binary()
    if pa.types.is_struct(type):
        return pa.struct([field.with_type(plain_type(field.type)) for field in type])
    if pa.types.is_map(type):
        key, item = type.key_field, type.item_field
        return pa.map_(key.with_type(plain_type(key.type)), item.with_type(plain_type(item.type)))
    if pa.types.is_list(type):
        return pa.list_(type.value_field.with_type(plain_type(type.value_type)))
    return type


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """``schema`` without view types, and without the metadata that files carry."""
    return pa.schema([pa.field(f.name, plain_type(f.type), f.nullable) for f in schema])


def _named(schema: pa.Schema, renames: Iterable[tuple[str, str]]) -> pa.Schema:
    """``schema`` with aliases as they were written, each where just one column has its name."""
    names = list(schema.names)
    for name, written in renames:
        if names.count(name) == 1:
            names[names.index(name)] = written
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def _batches(stream: Iterable[datafusion.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for item in stream:
        batch = item.to_pyarrow()
        columns = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(batch.columns, schema, strict=True)
        ]
        if not columns:
            continue
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
