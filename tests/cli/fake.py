"""The command over a connection that runs nothing, so that what is tested is the command.

`ROWS n` gives n rows, `NOTHING` no columns, `ENDLESS` rows without end, `FAIL` an error with a span and a hint,
`LATE` an error after the first rows, `CTRL-C` and `INTERRUPTED` what they say. Run as a script it is the command.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Self

import pyarrow as pa

from deltasql.errors import ConfigError, Error, Interrupted, Span
from deltasql.result import Result

SCHEMA = pa.schema([("n", pa.int64()), ("s", pa.string())])
ran: list[str] = []


def batch(start: int, count: int) -> pa.RecordBatch:
    numbers = range(start, start + count)
    return pa.record_batch([pa.array(numbers, pa.int64()), pa.array([f"row {n}" for n in numbers])], schema=SCHEMA)


def failure(statement: str) -> Error:
    start = statement.index("FAIL")
    return Error("no table `ordrs`", hint="did you mean `orders`?", span=Span(start, start + 4), statement=statement)


def result(statement: str) -> Result:
    ran.append(statement)
    word, *rest = statement.split()
    match word:
        case "ROWS":
            return Result.of(pa.Table.from_batches([batch(1, int(rest[0]))], SCHEMA), statement_type="Query")
        case "NOTHING":
            return Result.of(pa.table({}), statement_type="Insert")
        case "ENDLESS":
            return Result(SCHEMA, lambda: (batch(n, 1000) for n in itertools.count(1, 1000)), statement_type="Query")
        case "LATE":
            return Result(SCHEMA, late, statement_type="Query")
        case "CTRL-C":
            raise KeyboardInterrupt
        case "INTERRUPTED":
            raise Interrupted("the statement was stopped")
    raise failure(statement)


def late() -> Iterator[pa.RecordBatch]:
    yield batch(1, 1)
    raise Error("the file is gone")


class FakeConnection:
    progress = scanning = None

    def interrupt(self) -> None: ...

    def script(self, text: str) -> Iterator[Result]:
        return (result(statement.strip()) for statement in text.split(";") if statement.strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        pass


def connect(root: str | None = None, *, storage_options: object = None, read_only: bool = False) -> FakeConnection:
    if root == "bad-root":
        raise ConfigError("`bad-root` is no root")
    return FakeConnection()


if __name__ == "__main__":
    import deltasql
    from deltasql.cli import main

    deltasql.connect = connect
    sys.exit(main())
