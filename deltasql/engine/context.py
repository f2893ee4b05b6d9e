"""DataFusion's session context: its options, its memory and threads, and planning by one thread at a time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import datafusion

from deltasql.engine.defined import Defined
from deltasql.engine.stopping import Stop
from deltasql.engine.translate import translate
from deltasql.errors import AlreadyExists, NotSupportedError, PlanError
from deltasql.names import did_you_mean
from deltasql.sql.rewrite import Rewritten

if TYPE_CHECKING:
    from datafusion.catalog import CatalogProvider

CONFIG = {
    # Instants in INT96 are right over the whole range of TIMESTAMP only in microseconds (facts.md, 56).
    "datafusion.execution.parquet.coerce_int96": "us",
    # `time_zone` is UTC until it is set.
    "datafusion.execution.time_zone": "UTC",
    # min(a) beside max(a) loses rows with it (DataFusion 55, tests/engine/test_facts.py).
    "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown": "false",
    # It fails where the optimiser found out that a value is never NULL (DataFusion 55): of CASE over such a condition.
    "datafusion.execution.skip_physical_aggregate_schema_check": "true",
}
# Where memory is limited: what makes sorts spill, which fail with DataFusion's own values (facts.md, 57), and plans
# without the exchange between partitions that waits for ever once two of its sources spill (apache/datafusion#24883).
_FRUGAL = {
    "datafusion.execution.batch_size": "2048",
    "datafusion.execution.sort_spill_reservation_bytes": "2097152",
    "datafusion.optimizer.repartition_aggregations": "false",
    "datafusion.optimizer.repartition_joins": "false",
    "datafusion.optimizer.repartition_windows": "false",
}
_PARTITIONS = "datafusion.execution.target_partitions"
_SORT_MERGE = {
    "datafusion.optimizer.prefer_hash_join": "false",
    "datafusion.optimizer.repartition_joins": "true",
}
_FIXED = {
    "datafusion.sql_parser.": "deltasql reads SQL in DataFusion's own dialect",
    "datafusion.catalog.": "deltasql keeps the catalog",
    "datafusion.execution.parquet.coerce_int96": "instants would be read wrong",
    "datafusion.runtime.memory_limit": "it is `deltasql.memory_limit`",
}


class Context:
    """A context with the catalog of ``provider``; it is begun anew, with the same options, for other limits."""

    def __init__(self, provider: CatalogProvider, *, catalog: str, schema: str) -> None:
        self._home = provider, catalog, schema
        self._planning = threading.RLock()
        self._set: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._limits: tuple[int | None, int] = (None, 0)
        self._defined: dict[str, Defined] = {}
        self._spark = False
        self._open()

    def _open(self) -> None:
        provider, catalog, schema = self._home
        self._aggregates: frozenset[str] | None = None
        memory, threads = self._limits
        config = datafusion.SessionConfig(CONFIG).with_information_schema(enabled=True)
        config = config.with_create_default_catalog_and_schema(enabled=False)
        config = config.with_default_catalog_and_schema(catalog, schema)
        runtime = datafusion.RuntimeEnvBuilder().with_disk_manager_os()
        if threads:
            config = config.with_target_partitions(threads)
        if memory is not None:
            runtime = runtime.with_fair_spill_pool(memory)
            config = functools.reduce(lambda made, option: made.set(*option), _FRUGAL.items(), config)
        self._context = datafusion.SessionContext(config, runtime)
        self._context.register_catalog_provider(catalog, provider)
        if self._spark:
            self._context.enable_spark_functions()
        for defined in self._defined.values():
            self._admit(defined)
        self._before = {}
        for name, value in self._set.items():
            self._default(name)
            self._change(name, value)

    def limit(self, *, memory: int | None, threads: int) -> None:
        """Set what queries may use; see `Engine.limit`."""
        with self._planning:
            if (memory, threads) != self._limits:
                self._limits = memory, threads
                self._open()

    def use_spark_functions(self, *, use: bool) -> None:
        """Have Spark's functions or DataFusion's alone; see `Engine.use_spark_functions`."""
        with self._planning:
            if use != self._spark:
                self._spark = use
                self._open()

    def user_functions(self) -> list[str]:
        """The names of the user's functions; see `Engine.user_functions`."""
        return list(self._defined)

    def set_option(self, name: str, value: str) -> None:
        """Set one of DataFusion's options; see `Engine.set_option`."""
        name = name.lower()
        for prefix, why in _FIXED.items():
            if name.startswith(prefix):
                raise NotSupportedError(f"`{name}` can't be changed: {why}")
        with self._planning:
            self._default(name)
            try:
                self._change(name, value)
            except Exception as error:
                raise PlanError(f"`{value}` is no value of `{name}`: {translate(error, None).message}") from error
            self._set[name] = value

    def reset_option(self, name: str) -> None:
        """Give one of DataFusion's options its default back; see `Engine.reset_option`."""
        name = name.lower()
        with self._planning:
            default = self._default(name)
            if self._set.pop(name, None) is not None:
                self._change(name, default)

    def reset_options(self) -> None:
        """Give all of DataFusion's options their defaults back."""
        for name in list(self._set):
            self.reset_option(name)

    def option(self, name: str) -> tuple[str, str, str]:
        """One of DataFusion's options; see `Engine.option`."""
        with self._planning:
            return self._setting(name.lower())

    def options(self) -> list[tuple[str, str, str]]:
        """DataFusion's options; see `Engine.options`."""
        with self._planning:
            return self._settings()

    def functions(self) -> list[str]:
        """The names of DataFusion's functions; see `Engine.functions`."""
        with self._planning:
            rows = self._context.sql(
                "SELECT DISTINCT routine_name AS name FROM information_schema.routines"
            ).to_pylist()
            return [row["name"] for row in rows]

    def define(self, defined: Defined) -> None:
        """Let queries call a function; see `Engine.define`."""
        with self._planning:
            if defined.name not in self._defined and defined.name in self.functions():
                hint = "give it another name"
                raise AlreadyExists(f"`{defined.name}` is a function of the engine's own", hint=hint)
            old = self._defined.get(defined.name)
            if old is not None:
                self._forget(old)
            self._defined[defined.name] = defined
            self._admit(defined)

    def forget(self, name: str) -> bool:
        """Let queries know a function no more; see `Engine.forget`."""
        with self._planning:
            old = self._defined.pop(name, None)
            if old is not None:
                self._forget(old)
            return old is not None

    def _admit(self, defined: Defined) -> None:
        self._aggregates = None
        with translated(None):
            made = defined.made()
            if isinstance(made, datafusion.AggregateUDF):
                self._context.register_udaf(made)
            else:
                self._context.register_udf(made)

    def _forget(self, defined: Defined) -> None:
        if defined.aggregates:
            self._context.deregister_udaf(defined.name)
        else:
            self._context.deregister_udf(defined.name)

    def aggregates(self) -> frozenset[str]:
        """The names of the functions that make one value of many."""
        if self._aggregates is None:
            query = "SELECT routine_name AS name FROM information_schema.routines WHERE function_type = 'AGGREGATE'"
            self._aggregates = frozenset(row["name"].lower() for row in self._context.sql(query).to_pylist())
        return self._aggregates

    @contextmanager
    def _options(self, options: Mapping[str, str]) -> Iterator[None]:
        """Plan under ``options``, which a frame keeps from then on."""
        before = {name: self._set.get(name, self._default(name)) for name in options}
        try:
            for name, value in options.items():
                self._change(name, value)
            yield
        finally:
            for name, value in before.items():
                self._change(name, value)

    def _sort_merge(self) -> dict[str, str]:
        """The options under which joins sort and merge, which DataFusion does only between partitions."""
        most = max(2, int(self._set.get(_PARTITIONS, self._default(_PARTITIONS))))
        return {_PARTITIONS: str(most), **_SORT_MERGE}

    def _default(self, name: str) -> str:
        """The value that an option has as long as nobody sets it."""
        if name not in self._before:
            self._before[name] = self._setting(name)[1]
        return self._before[name]

    def _change(self, name: str, value: str) -> None:
        quoted = value.replace("'", "''")
        self._context.sql(f"SET {name} = '{quoted}'")

    def _setting(self, name: str) -> tuple[str, str, str]:
        found = [row for row in self._settings() if row[0] == name]
        if not found:
            raise PlanError(f"there is no setting `{name}`", hint=did_you_mean(name, [r[0] for r in self._settings()]))
        return found[0]

    def _settings(self) -> list[tuple[str, str, str]]:
        rows = self._context.sql("SELECT name, value, description FROM information_schema.df_settings").to_pylist()
        return [(row["name"], row["value"] or "", row["description"] or "") for row in rows]


@contextmanager
def translated(query: Rewritten | None) -> Iterator[None]:
    """Raise DataFusion's errors as ours, with their places in ``query``."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, SystemExit, Stop):
        raise
    except BaseException as error:  # DataFusion raises bare Exception, its panics derive from BaseException.
        made = translate(error, query)
        if made.__cause__ is not None:
            raise made from made.__cause__
        raise made from error
