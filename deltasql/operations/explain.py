"""``EXPLAIN [ANALYZE] [VERBOSE] statement``: what a statement would do, without doing it; of a query, what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.engine.engine import BoundQuery
from deltasql.engine.measured import Operator
from deltasql.errors import Error, NotSupportedError, Span
from deltasql.operations.operation import PHYSICAL, Operation, Plan
from deltasql.operations.query import Query
from deltasql.result import Result
from deltasql.session import StatementContext
from deltasql.sql import statements
from deltasql.storage.objects import Location, ObjectPath

_SCHEMA = pa.schema([("plan_type", pa.string()), ("plan", pa.string())])
_SLOWEST = 10
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Explain:
    """The plan of another operation."""

    statement: statements.Explain
    inner: Operation
    context: StatementContext

    def explain(self) -> Plan:
        """DataFusion's plan of a query and how its tables are read; target, operation and source of a write."""
        return [*self._transpiled(), *self._explained()]

    def _transpiled(self) -> Plan:
        """The statement in DataFusion's words, where it was written in another dialect."""
        return [("transpiled", self.statement.statement.text)] if self.context.transpiled else []

    def _explained(self) -> Plan:
        if isinstance(self.inner, Query):
            plan = self._analyzed(self.inner) if self.statement.analyze else self._engine_plan()
            return [*plan, *self.inner.explain()]
        if self.statement.analyze:
            message = "EXPLAIN ANALYZE runs the statement, so it takes queries only"
            raise NotSupportedError(message, hint="EXPLAIN without ANALYZE does nothing")
        plan = self.inner.explain()
        return plan if self.statement.verbose else [row for row in plan if row[0] != PHYSICAL]

    def _engine_plan(self) -> Plan:
        words = "EXPLAIN VERBOSE" if self.statement.verbose else "EXPLAIN"
        bound = self.context.query(f"{words} {self.statement.statement.text}")
        table = pa.Table.from_batches(list(bound.read()), bound.schema)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def _analyzed(self, query: Query) -> Plan:
        """Rows and time of the whole, the slowest operators, and with VERBOSE all of them as they stand in the plan."""
        found = query.bound.analyze()
        total = f"{found.rows} row{'' if found.rows == 1 else 's'} in {_time(found.seconds)}"
        operators = [(each, _text(each, query.bound)) for each in found.operators]
        rows = [("total", total), ("slowest", _slowest(operators))]
        if self.statement.verbose:
            rows.append(("plan", "\n".join(_line(*each) for each in operators)))
        return rows

    def execute(self) -> Result:
        """Give the plan, a row per line."""
        rows = [(kind, line) for kind, text in self.explain() for line in text.splitlines()]
        columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
        return Result.of(pa.Table.from_arrays(columns, schema=_SCHEMA), statement_type="EXPLAIN")


def planner(
    plan_inner: Callable[[statements.Statement, StatementContext], Operation],
) -> Callable[[statements.Explain, StatementContext], Explain]:
    """The planner of EXPLAIN, given the one of all statements."""

    def plan(statement: statements.Explain, context: StatementContext) -> Explain:
        try:
            return Explain(statement, plan_inner(statement.statement, context), context)
        except Error as error:
            if error.span is not None:  # It is in the inner statement's own text, which ends the whole.
                start = len(statement.text) - len(statement.statement.text)
                error.span = Span(error.span.start + start, error.span.end + start)
            raise

    return plan


# -- what a run took


def _text(found: Operator, bound: BoundQuery) -> str:
    """An operator as it is shown; a scan of files says of which table."""
    tables = (source for source, _ in bound.tables.values() if isinstance(source, Snapshot))
    of = [source.name for source in tables if found.file is not None and _is_of(found.file, source.location)]
    return ": ".join(filter(None, [found.name, *of[:1], found.detail]))


def _is_of(file: Path, location: Location) -> bool:
    """True for a file below ``location``; DataFusion shows of objects their keys alone."""
    return file.is_relative_to(f"/{location.key}" if isinstance(location, ObjectPath) else location)


def _slowest(operators: Sequence[tuple[Operator, str]]) -> str:
    """The operators that took longest, the slowest first, as a table."""
    measured = [each for each in operators if each[0].seconds]
    measured.sort(key=lambda each: each[0].seconds or 0.0, reverse=True)
    rows = [("time", "rows", "read", "files", "operator")]
    rows += [(*_measures(found), _cut(text)) for found, text in measured[:_SLOWEST]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (text.rjust(width) for text, width in zip(row[:-1], widths[:-1], strict=True))
    return "  ".join([*numbers, row[-1]])


def _measures(found: Operator) -> tuple[str, str, str, str]:
    return (
        "" if found.seconds is None else _time(found.seconds),
        "" if found.rows is None else str(found.rows),
        "" if found.read is None else _size(found.read),
        "" if found.files is None else str(found.files),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _line(found: Operator, text: str) -> str:
    """An operator where it stands in the plan, with all that it measured."""
    time, rows, read, files = _measures(found)
    said: Iterable[tuple[str, str]] = (
        ("rows", rows),
        ("time", time),
        ("read", read),
        ("files", files),
        ("spilled", _size(found.spilled) if found.spilled else ""),
    )
    measures = ", ".join(f"{name}={text}" for name, text in said if text)
    return "  " * found.depth + text + (f" [{measures}]" if measures else "")


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds < 1 else f"{seconds:.3f} s"


def _size(number: int) -> str:
    """Bytes in the unit that leaves up to four digits before the point."""
    size, unit = float(number), 0
    while size >= 10_000 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{number} B"


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
