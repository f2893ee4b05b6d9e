"""Who writes: deltasql, bare delta-rs as its documentation calls it, and Sail.

`setup` does all that isn't the write (imports, a connection, a server, the text of statements); what it returns is
what is measured, from opening the table to the commit.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dml_cases import COPY, Case
from engines import OURS

if TYPE_CHECKING:
    import pyarrow as pa

BARE = "delta-rs"
ALIKE = "delta-rs-zstd"
SAIL = "sail"

Run = Callable[[], object]


class Writer(Protocol):
    """A side. ``rows`` are those that the case inserts one by one, if it does."""

    libraries: tuple[str, ...]
    how: str

    def setup(self, case: Case, folder: Path, rows: pa.Table | None) -> Run:
        """Make ready to write to the tables below ``folder``."""

    def close(self) -> None:
        """End what `setup` began."""


class Ours:
    """A statement on a connection that has seen no table yet."""

    libraries: tuple[str, ...] = ("deltasql", "datafusion", "deltalake", "pyarrow")
    how = "connect(folder).sql(statement).fetchall(), zstd(1)"

    def setup(self, case: Case, folder: Path, rows: pa.Table | None) -> Run:
        import deltasql

        self._connection = deltasql.connect(folder)
        statements = [case.sql] if rows is None else single_inserts(rows)
        return lambda: [self._connection.sql(statement).fetchall() for statement in statements]

    def close(self) -> None:
        self._connection.close()


class DeltaRs:
    """The call that the statement stands for; rows of another table come by `DeltaTable.scan`, its quickest way."""

    libraries: tuple[str, ...] = ("deltalake",)

    def __init__(self, codec: Literal["ZSTD"] | None, level: int | None) -> None:
        self._codec, self._level = codec, level
        self.how = f"delete, update, merge, write_deltalake; {'its own codecs' if codec is None else 'zstd(1)'}"

    def setup(self, case: Case, folder: Path, rows: pa.Table | None) -> Run:
        from deltalake import DeltaTable, WriterProperties, write_deltalake

        path = folder / case.table
        written: Any = (
            None if self._codec is None else WriterProperties(compression=self._codec, compression_level=self._level)
        )

        def one_by_one() -> None:
            table = DeltaTable(path)
            for row in single:
                write_deltalake(table, row, mode="append", writer_properties=written)

        def merge() -> None:
            source = DeltaTable(folder / case.source).scan()
            merger = DeltaTable(path).merge(
                source,
                case.condition,
                source_alias="s",
                target_alias="t",
                streamed_exec=False,  # Streamed, the source's values don't prune files.
                writer_properties=written,
            )
            if case.updates:
                merger = merger.when_matched_update(dict(case.updates))
            if case.inserts:
                merger = merger.when_not_matched_insert_all()
            merger.execute()

        single = [] if rows is None else [rows.slice(place, 1) for place in range(rows.num_rows)]
        return {
            "rows": one_by_one,
            "merge": merge,
            "insert": lambda: write_deltalake(
                path, DeltaTable(folder / case.source).scan(), mode="append", writer_properties=written
            ),
            "delete": lambda: DeltaTable(path).delete(case.predicate, writer_properties=written),
            "update": lambda: DeltaTable(path).update(
                dict(case.updates), predicate=case.predicate, writer_properties=written
            ),
        }[case.verb]

    def close(self) -> None:
        """Nothing is open."""


class Sail:
    """Its server, to which the tables are told by name before."""

    libraries: tuple[str, ...] = ("pysail", "pyspark-client")
    how = "spark.sql(statement).toArrow(), a server of its own on 127.0.0.1, its own codec"

    def setup(self, case: Case, folder: Path, rows: pa.Table | None) -> Run:
        engine = self._engine = importlib.import_module("engines.sail").Sail()
        engine.setup(folder, {})
        for name in {case.table, *case.reads}:
            engine.run(f"CREATE TABLE {name} USING delta LOCATION '{folder / name}'")
        statements = [case.sql] if rows is None else single_inserts(rows)
        return lambda: [engine.run(statement) for statement in statements]

    def close(self) -> None:
        self._engine.close()


SIDES: dict[str, Callable[[], Writer]] = {
    OURS: Ours,
    BARE: lambda: DeltaRs(None, None),
    ALIKE: lambda: DeltaRs("ZSTD", 1),
    SAIL: Sail,
}
"""By name, in the order in which they are shown."""


def single_inserts(rows: pa.Table) -> list[str]:
    """A statement for each row."""
    return [f"INSERT INTO {COPY} VALUES ({', '.join(map(_literal, row.values()))})" for row in rows.to_pylist()]


def _literal(value: object) -> str:
    if isinstance(value, dt.date):
        return f"DATE '{value}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
