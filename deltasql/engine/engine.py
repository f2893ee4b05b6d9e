"""Runs a query over snapshots and gives Arrow: the protocol, and DataFusion behind it.

One DataFusion context per connection, so that its caches of file metadata live as long; it is planned on by
one thread at a time and read from by any number. What a query reads is fixed when it is planned.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import datafusion
import pyarrow as pa
import pyarrow.compute as pc

from deltasql.catalog.catalog import MAIN
from deltasql.catalog.footers import require_there, unreadable
from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.ask import Ask, Asked, asked, counts_nothing, joins_by_more, meets_constants, projected
from deltasql.engine.context import CONFIG, Context, translated
from deltasql.engine.dataset import UTC, outline
from deltasql.engine.defined import Defined
from deltasql.engine.external import External, external
from deltasql.engine.faults import against_faults
from deltasql.engine.late import decodes_late
from deltasql.engine.leaving import streams
from deltasql.engine.listing import LATE, Listings
from deltasql.engine.measured import Analysis, analysis
from deltasql.engine.provider import StatementCatalog, TableName
from deltasql.engine.scan import Access, Shown, Tables, floats, needs_ask
from deltasql.engine.scanning import Scanning, Told
from deltasql.engine.sharing import MOST_BYTES, is_costly, keeps_its_predicates
from deltasql.engine.sources import Files, Source
from deltasql.engine.stores import Stores
from deltasql.engine.thinning import thinned
from deltasql.errors import ProgrammingError
from deltasql.names import quote
from deltasql.sql.ctes import SharedCte, of_cte, shared_ctes, with_computed
from deltasql.sql.held import held
from deltasql.sql.opaque import opaque
from deltasql.sql.rewrite import Rewritten
from deltasql.sql.walls import walled
from deltasql.storage.objects import Location, ObjectPath
from deltasql.storage.storage import Storage

if TYPE_CHECKING:
    from datafusion.catalog import Table
    from datafusion.plan import LogicalPlan

Sources = Mapping[TableName, Snapshot | Source]
Bound = Mapping[TableName, tuple[Snapshot | Source, Access]]


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A planned query: its schema, a way to read its rows (again and again), and how its tables are read.

    ``read`` may be given a function, which is told of the `Scanning` of a run that has begun, to follow it.
    ``is_empty`` tells that its predicate can hold for no row whatever the data: it folds to false or NULL.
    ``columns_read`` are the names of the columns that its scans read, ``shared`` the CTEs that are computed once.
    ``analyze`` runs it, lets its rows go, and says what that took. ``plan`` is the engine's own plan, as text,
    and ``logical`` what it makes of the query before it knows how tables are read: the same for the same query.
    """

    schema: pa.Schema
    read: Callable[..., Iterator[pa.RecordBatch]]
    is_empty: Callable[[], bool]
    columns_read: Callable[[], set[str]]
    analyze: Callable[[], Analysis]
    plan: Callable[[], str]
    logical: Callable[[], str]
    tables: Bound = field(default_factory=dict)
    shared: tuple[SharedCte, ...] = ()


def _sorts_wrong(frame: datafusion.DataFrame) -> bool:
    return joins_by_more(frame.optimized_logical_plan())


def _is_empty(frame: datafusion.DataFrame, query: Rewritten) -> bool:
    with translated(query):
        return isinstance(frame.optimized_logical_plan().to_variant(), datafusion.expr.EmptyRelation)


def _plan_text(frame: datafusion.DataFrame, query: Rewritten) -> str:
    with translated(query):
        return frame.execution_plan().display_indent()


class Engine(Protocol):
    """What runs queries. ``reader`` and ``time_zone`` are the settings of these names."""

    reader: str
    time_zone: str

    def query(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> BoundQuery:
        """Plan ``query`` over ``sources``. Raises deltasql's errors only, with spans in the original text."""

    def schema(self, query: Rewritten, sources: Sources) -> pa.Schema:
        """The columns that ``query`` gives, in the engine's own names; how it is read isn't looked at."""

    def evaluate(self, expression: str, parameters: Mapping[str, Any]) -> Any:
        """The Python value of a constant expression."""

    def external(self, format: str, paths: Sequence[str | Location], options: Mapping[str, Any]) -> External:
        """The files ``paths``, which are no Delta table, as a table."""

    def limit(self, *, memory: int | None, threads: int) -> None:
        """Let queries use ``memory`` bytes (None: all), past which they spill to disk, and ``threads`` (0: all)."""

    def use_spark_functions(self, *, use: bool) -> None:
        """Have Spark's functions, in place of those that go by the same names."""

    def user_functions(self) -> list[str]:
        """The names of the functions that the user has made."""

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

    def functions(self) -> list[str]:
        """The names of the engine's functions."""

    def define(self, defined: Defined) -> None:
        """Let queries call a function of a user's, in place of one defined before.

        Raises `AlreadyExists` for the name of one of the engine's own.
        """

    def forget(self, name: str) -> bool:
        """Let queries know a user's function no more; False where there is none."""


class DataFusionEngine(Context):
    """`Engine` on DataFusion, which knows of no tables but those that a statement brings."""

    def __init__(self, *, catalog: str, schema: str, storage: Storage) -> None:
        self._storage = storage
        self._stores = Stores()
        self._provider = StatementCatalog()
        self._planned_before: dict[Hashable, BoundQuery] = {}
        self.reader = "auto"
        self.time_zone = UTC
        super().__init__(self._provider, catalog=catalog, schema=schema)

    def _open(self) -> None:
        super()._open()
        self._tables = Tables(self._context, Listings(self._context, CONFIG, self._stores))

    def query(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> BoundQuery:
        """Plan ``query``, unless it was planned before just so; see `Engine.query`."""
        key = self._key(query, sources, parameters)
        if key is None:
            return self._bind(query, sources, parameters)
        with self._planning:
            bound = self._planned_before.pop(key, None) or self._bind(query, sources, parameters)
            self._planned_before[key] = bound
            while len(self._planned_before) > _REMEMBERED:
                del self._planned_before[next(iter(self._planned_before))]
        return bound

    def _key(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> Hashable | None:
        """What a plan depends on; None for one that is never the same (of functions of time and chance, say).

        A bound query keeps its snapshots, so that none takes the identity of another.
        """
        if _FLEETING.search(query.text) or not all(isinstance(source, Snapshot) for source in sources.values()):
            return None
        read = tuple((name, id(source)) for name, source in sources.items())
        values = tuple((name, type(value), repr(value)) for name, value in parameters.items())
        functions = tuple(self._defined.values())
        settings = self.reader, self.time_zone, self._limits, self._spark, tuple(self._set.items()), functions
        return query.spliced.original, query.text, read, values, settings

    def _bind(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> BoundQuery:
        with self._planning, translated(query):
            self._register(sources.values())
            query = self._walled(query, sources, parameters)
            found, late, shared = self._asked(query, sources, parameters)
            asks = found.tables
            shown = Shown(self.time_zone, query.may_read, found.orders or found.adds_nulls)
            bound = {name: (source, self._access(source, asks.get(name))) for name, source in sources.items()}
            tables = self._laid_out(bound, found, late, shown)
            how, limited = self._how(query, bound, found), self._limits[0] is not None
            text, names = self._opaque(query, found, sources, tables, parameters)
            with self._options(how):
                frame = self._planned(text, tables, parameters)
                if _streams_meet_constants(frame, text, bound):
                    tables |= self._laid_out(bound, found, late, replace(shown, fenced=True))
                    frame = self._planned(text, tables, parameters)
            schema = _named(plain_schema(self._schema(frame, text)), query, names)
        later = {**how, _TIME_ZONE: self.time_zone}

        def streamed(options: Mapping[str, str], told: Told) -> Iterator[pa.RecordBatch]:
            chosen = frame
            if shared or options:
                chosen = self._with_computed(text, shared, tables, parameters, {**later, **options})
            return running(chosen, told)

        def running(chosen: datafusion.DataFrame, told: Told = None) -> Iterator[pa.RecordBatch]:
            # Before a scan, as delta-rs brings the process down over a torn file; after a listing was laid out, as
            # what it can't find it passes over (facts.md, 49).
            self._require_files(bound, listed=False)
            self._register(sources.values())
            stream = chosen.execute_stream()
            if told is not None and bound:
                told(Scanning(chosen, bound))
            self._require_files(bound, listed=True)
            return _batches(stream, schema)

        def read(told: Told) -> Generator[pa.RecordBatch, None, None]:
            with translated(query), _blamed(bound):
                begun = False
                try:
                    for batch in streamed({}, told):
                        begun = True
                        yield batch
                except Exception as error:
                    if begun or not limited or _EXHAUSTED not in str(error) or _sorts_wrong(frame):
                        raise
                else:
                    return
                # A hash join can't spill; one that sorts does, and gets conditions wrong (DataFusion 55).
                # What the first stream held is free by now, as its error is forgotten.
                yield from streamed(self._sort_merge(), told)

        def analyze() -> Analysis:
            with translated(query), _blamed(bound):
                # Planned anew: what a plan measures adds up over its runs.
                return analysis(
                    lambda: self._with_computed(text, shared, tables, parameters, later),
                    running,
                    computes=bool(shared),
                )

        def columns_read() -> set[str]:
            with translated(query):
                return projected(frame.optimized_logical_plan())

        is_empty, plan = partial(_is_empty, frame, query), partial(_plan_text, frame, query)
        logical = partial(self._logical, query, sources, parameters)

        def rows(told: Told = None) -> Iterator[pa.RecordBatch]:
            return streams().opened(read(told))

        return BoundQuery(schema, rows, is_empty, columns_read, analyze, plan, logical, bound, shared)

    def _logical(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> str:
        with self._planning, translated(query):
            frame = self._planned(query.text, self._outlines(sources), parameters)
            return frame.optimized_logical_plan().display_indent()

    def _asked(
        self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]
    ) -> tuple[Asked, frozenset[TableName], tuple[SharedCte, ...]]:
        """By a first plan: what the query asks of each table, which to decode late, which CTEs are worth sharing.

        Without a first plan, nothing.
        """
        ctes = shared_ctes(query.text)
        asking = any(needs_ask(source) if isinstance(source, Snapshot) else True for source in sources.values())
        if not ctes and not asking and not _SUSPECT.search(query.text):
            return Asked(), frozenset(), ()
        tables = self._outlines(sources)

        def plan(sql: str) -> tuple[LogicalPlan, Asked]:
            plan = self._planned(sql, tables, parameters).optimized_logical_plan()
            return plan, asked(plan, sources)

        first, whole = plan(query.text)
        shared = []
        for cte in ctes:
            body, alone = plan(of_cte(query.text, cte.name))
            if is_costly(body) and keeps_its_predicates(whole, alone, cte.references):
                shared.append(cte)
        late = frozenset[TableName]() if whole.joins_right else self._late(first, whole, sources)
        return whole, late, tuple(shared)

    def _walled(self, query: Rewritten, sources: Sources, parameters: Mapping[str, Any]) -> Rewritten:
        """``query``, with walls where DataFusion moves a condition below an aggregate that it doesn't hold for."""
        text = walled(query.text, self.aggregates)
        if text == query.text:
            return query
        outlines = self._outlines(sources)
        if not counts_nothing(self._planned(query.text, outlines, parameters).optimized_logical_plan()):
            return query
        try:
            self._planned(text, outlines, parameters).optimized_logical_plan()
        except Exception:  # noqa: BLE001  # A subquery that looks at columns outside of it may have no LIMIT.
            return query
        return replace(query, spliced=replace(query.spliced, text=text))

    def _opaque(
        self,
        query: Rewritten,
        found: Asked,
        sources: Sources,
        tables: dict[TableName, Table],
        parameters: Mapping[str, Any],
    ) -> tuple[str, list[str] | None]:
        """The text of ``query`` with constants that DataFusion can't see, where it would make too much of them.

        And with conditions that it can't push to the wrong side of a join. With the names of its columns, where they
        are others than those of the query.
        """
        written = held(query.text) if found.filters_joins else query.text
        if written != query.text and not self._can_be_planned(written, tables, parameters):
            written = query.text
        if not found.to_constants:
            return written, None
        tables[_ALWAYS] = self._tables.rows(_TRUE, None)
        yes = f"(SELECT {quote(_YES)} FROM {quote(_ALWAYS[1])}.{quote(_ALWAYS[2])})"
        text, fewer = (opaque(written, yes, everywhere=everywhere) for everywhere in (True, False))
        # A condition of which only `yes` is left has no columns, either (see `sql.walls`).
        tried = (walled(text, self.aggregates), text, walled(fewer, self.aggregates), fewer)
        text = next((text for text in dict.fromkeys(tried) if self._can_be_planned(text, tables, parameters)), written)
        return text, self._planned(query.text, self._outlines(sources), parameters).schema().names

    def _can_be_planned(self, sql: str, tables: Mapping[TableName, Table], parameters: Mapping[str, Any]) -> bool:
        """Not every subquery may hold one, or a LIMIT."""
        try:
            self._planned(sql, tables, parameters).execution_plan()
        except Exception:  # noqa: BLE001
            return False
        return True

    def _outlines(self, sources: Sources) -> dict[TableName, Table]:
        """``sources`` without their rows."""
        return {
            name: self._tables.outline(source, self.time_zone)
            if isinstance(source, Snapshot)
            else outline(source.schema, self.time_zone)
            for name, source in sources.items()
        }

    def schema(self, query: Rewritten, sources: Sources) -> pa.Schema:
        """The columns that ``query`` gives; see `Engine.schema`."""
        with self._planning, translated(query):
            frame = self._planned(query.text, self._outlines(sources), {})
            return plain_schema(self._schema(frame, query.text))

    def _late(self, plan: LogicalPlan, found: Asked, sources: Sources) -> frozenset[TableName]:
        """The tables whose rows are filtered while they are decoded, unless the option says which are."""
        if LATE in self._set:
            return frozenset()
        tables = {name: source for name, source in sources.items() if isinstance(source, Snapshot)}
        rows = {name: pc.sum(snapshot.adds["num_records"]).as_py() or 0 for name, snapshot in tables.items()}
        late = (name for name in tables if name in found.tables and decodes_late(tables[name], found.tables[name]))
        return thinned(plan, lambda name: rows.get(name, 0)).union(late)

    def _with_computed(
        self,
        sql: str,
        shared: Iterable[SharedCte],
        tables: Mapping[TableName, Table],
        parameters: Mapping[str, Any],
        options: Mapping[str, str],
    ) -> datafusion.DataFrame:
        """The query planned with those of the CTEs ``shared`` computed that are small enough to be kept."""

        def planned(sql: str) -> datafusion.DataFrame:
            with self._planning, self._options(options):
                return self._planned(sql, served, parameters)

        served = dict(tables)
        for cte in shared:
            frame = planned(of_cte(sql, cte.name))
            rows = _collected(frame, MOST_BYTES)
            if rows is not None:
                served[MAIN, _CTES, cte.name] = self._tables.rows(rows, None)
                sql = with_computed(sql, {cte.name: f"{quote(_CTES)}.{quote(cte.name)}"})
        return planned(sql)

    def _access(self, source: Snapshot | Source, ask: Ask | None) -> Access:
        return self._tables.access(source, ask, self.reader) if isinstance(source, Snapshot) else source.access(ask)

    def _laid_out(
        self, bound: Bound, found: Asked, late: Collection[TableName], shown: Shown
    ) -> dict[TableName, Table]:
        """The tables of ``bound``; those ``late`` are filtered while they are decoded."""
        tables = {
            name: self._table(source, found.tables.get(name), access, replace(shown, late=name in late))
            for name, (source, access) in bound.items()
        }
        if found.joins_right:
            # A condition on a column of the left side is taken for one on the right side's of that name.
            hidden = (name for name, (_, access) in bound.items() if access.prunes)
            tables |= {name: self._tables.hidden(tables[name]) for name in hidden}
        return tables

    def _table(self, source: Snapshot | Source, ask: Ask | None, access: Access, shown: Shown) -> Table:
        if isinstance(source, Snapshot):
            return self._tables.table(source, ask, access, shown)
        return source.table(self._tables, ask, shown)

    def _lies(self, source: Snapshot | Source, access: Access, query: Rewritten) -> bool:
        """True if DataFusion would take the statistics of the source's files for more than they are."""
        if isinstance(source, Files):
            return source.found.statistics_lie
        if not isinstance(source, Snapshot) or access.path != "listing":
            return False
        return any(map(query.may_read, floats(source.schema))) and self._tables.statistics_lie(source)

    def _register(self, sources: Iterable[Snapshot | Source]) -> None:
        """Let DataFusion read what lies in stores, with keys that are good by now."""
        for source in sources:
            if isinstance(source, Files):
                self._stores.register(self._context, source.found.files)
            elif isinstance(source, Snapshot) and isinstance(source.location, ObjectPath):
                self._stores.register(self._context, (source.location, *source.files))

    def _require_files(self, bound: Bound, *, listed: bool) -> None:
        """Raise `StorageError` or `VersionNotFound` for a file that is gone or torn since the query was planned."""
        for source, access in bound.values():
            if isinstance(source, Files):
                source.found.require_files()
            elif isinstance(source, Snapshot) and access.path != "footers" and (access.path == "listing") == listed:
                self._tables.footers.require(source, access.files)
                if listed:
                    require_there(source, access.files)

    def _schema(self, frame: datafusion.DataFrame, sql: str) -> pa.Schema:
        """The columns of ``frame``, which doesn't know yet to what type the sides of UNION and CASE are brought."""
        if _SIDES.search(sql):
            frame = self._context.create_dataframe_from_logical_plan(frame.optimized_logical_plan())
        return frame.schema()

    def _how(self, query: Rewritten, bound: Bound, found: Asked) -> dict[str, str]:
        """DataFusion's options for a query, some of them against what it gets wrong (tests/engine/test_facts.py)."""
        # By the statistics of its files a column may be found constant, too.
        known = found.to_constants or any(self._lies(*one, query) for one in bound.values())
        return against_faults(query.text, found, known=known)

    def external(self, format: str, paths: Sequence[str | Location], options: Mapping[str, Any]) -> External:
        """Files that are no Delta table; see `Engine.external`."""
        with self._planning:
            shown = Shown(self.time_zone, lambda _: True)
            return external(
                self._context, format, paths, options, shown=shown, storage=self._storage, stores=self._stores
            )

    def _planned(
        self, sql: str, tables: Mapping[TableName, Table], parameters: Mapping[str, Any]
    ) -> datafusion.DataFrame:
        values = {name: _value(name, value) for name, value in parameters.items()} or None
        with self._provider.serving(tables):
            return self._context.sql_with_options(sql, _READ_ONLY, param_values=values)

    def evaluate(self, expression: str, parameters: Mapping[str, Any]) -> Any:
        """The Python value of a constant expression; see `Engine.evaluate`."""
        query = Rewritten.untouched(f"SELECT ({expression}) AS value")
        column = pa.Table.from_batches(list(self.query(query, {}, parameters).read())).column(0)
        if pa.types.is_timestamp(column.type):
            # Python's datetime holds microseconds; the instant before is the one that has been reached.
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        return column[0].as_py()


def _streams_meet_constants(frame: datafusion.DataFrame, text: str, bound: Bound) -> bool:
    """True if `meets_constants` holds and may matter; what is constant comes from an inner query."""
    nested = len(_QUERIES.findall(text)) > 1 and any(access.streams for _, access in bound.values())
    return nested and meets_constants(frame.optimized_logical_plan())


_CTES = "/ctes"  # No folder is called so, and no schema of a user's.
_YES = "yes"
_ALWAYS = MAIN, "/always", "true"
_TRUE = pa.table({_YES: [True]})
_TIME_ZONE = "datafusion.execution.time_zone"
_REMEMBERED = 32
_FLEETING = re.compile(
    r"\b(now|today|random|uuid|explain|information_schema|(current|local)_?(time|date)\w*)\b", re.IGNORECASE
)
_QUERIES = re.compile(r"\b(select|values)\b", re.IGNORECASE)
_SUSPECT = re.compile(r"\b(left|right|full|union|rollup|cube|sets)\b", re.IGNORECASE)
_SIDES = re.compile(r"\b(union|intersect|except|minus|case)\b", re.IGNORECASE)
_EXHAUSTED = "Resources exhausted"
_READ_ONLY = (
    datafusion.SQLOptions().with_allow_ddl(allow=False).with_allow_dml(allow=False).with_allow_statements(allow=False)
)


@contextmanager
def _blamed(bound: Bound) -> Iterator[None]:
    """Name the file that is to blame where DataFusion or delta-rs says that one can't be read, but not which."""
    try:
        yield
    except Exception as error:
        if re.search(
            r"Parquet error|Arrow error: (?!External)|External error: Arrow|panicked|deflate|corrupt", str(error)
        ):
            for source, access in bound.values():
                if isinstance(source, Files):
                    source.found.require_whole_files()
                elif isinstance(source, Snapshot) and (found := unreadable(access.files)) is not None:
                    raise found from error
        raise


def _collected(frame: datafusion.DataFrame, most: int) -> pa.Table | None:
    """The rows of ``frame``, or None if they are more than ``most`` bytes, or have a column name twice."""
    if len(set(frame.schema().names)) < len(frame.schema().names):
        return None
    batches, size = [], 0
    for item in frame.execute_stream():
        batch = item.to_pyarrow()
        batches.append(batch)
        size += batch.nbytes
        if size > most:
            return None
    return pa.Table.from_batches(batches, None if batches else frame.schema())


def _value(name: str, value: Any) -> Any:
    """A parameter as DataFusion takes it: whole numbers past 64 bits go as decimals, pandas' missing values as NULL.

    Raises `ProgrammingError` for what is no value.
    """
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return decimal.Decimal(value)
    if value is None or isinstance(value, _VALUES):
        return None if type(value).__name__ == "NaTType" else value
    if type(value).__name__ == "NAType":
        return None
    try:
        pa.scalar(value)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        kind = type(value).__name__
        raise ProgrammingError(f"the parameter `{name}` of type `{kind}` can't be a value") from error
    return value


_VALUES = (bool, int, float, str, bytes, decimal.Decimal, dt.date, dt.time, pa.Scalar)


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


def _named(schema: pa.Schema, query: Rewritten, names: Sequence[str] | None) -> pa.Schema:
    """``schema`` (or its columns called ``names``) with aliases as written, each where just one has its name."""
    names = list(schema.names if names is None else names)
    for name, written in query.renames:
        if names.count(name) == 1:
            names[names.index(name)] = written
    for name, place in query.twins:
        if name in names:
            names[names.index(name)] = names[place]
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
