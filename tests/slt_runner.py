"""Runs sqllogictest files: what SQL can show, written as SQL.

A file is a list of records with blank lines between them; ``#`` starts a comment line. Each file runs on a fresh
root of its own, in one connection.

    statement ok                        the statement succeeds
    <SQL, on as many lines as it takes>

    statement error <regex>             it raises a deltasql.Error; the regex is searched for in
    <SQL>                               "ErrorClass: message (hint)"; no file below the root came, went or changed

    statement count <n>                 it succeeds and its num_affected_rows is n
    <SQL>

    query [<types>] [rowsort] [columns] its rows, one per line, values apart by two spaces or more, or by tabs
    <SQL>
    ----
    <rows>

    log <table> [<version>]             the commit (default: the last) in the table's _delta_log, read as JSON:
    ----                                operation and the number of each kind of action
    DELETE remove=1 add=1

    committed <table> <version> <time>  gives a commit the time at which it is to have been made

    file <path>                         writes a file; the path is relative to the root
    <text>

    reconnect [read_only]               closes the connection and opens the same root again: tomorrow

A query's types are a letter per column: ``I`` integer, ``R`` float or decimal, ``T`` string, ``B`` boolean, ``D`` date,
``S`` timestamp (an instant ends in Z), ``N`` anything else (nested, binary, VOID; lists and structs as JSON, binary as X'00').
With ``columns`` the first expected line is the names of the columns. With ``rowsort`` both sides are sorted as text.
NULL is ``NULL``, an empty string ``(empty)``; a line break or tab in a value is ``\\n`` or ``\\t``. A query of one column
takes each line as it stands. A query's text must not hold the line ``----``.

Lines that may stand right before a record:

    params <JSON>                       binds a list or an object to the statement's placeholders
    xfail <reason>                      the record doesn't hold yet: it fails on the day it does
    local <reason>                      it is left out where the root is in an object store (tests/storage)

``${root}`` stands for the root's path, in SQL and in what is expected.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import deltasql

_ACTIONS = ("protocol", "metaData", "domainMetadata", "txn", "remove", "add", "cdc")
_LETTERS: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("I", pa.types.is_integer),
    ("R", pa.types.is_floating),
    ("R", pa.types.is_decimal),
    ("T", pa.types.is_string),
    ("B", pa.types.is_boolean),
    ("D", pa.types.is_date),
    ("S", pa.types.is_timestamp),
)


class Mismatch(AssertionError):
    """A record that doesn't hold: the place, the SQL, what was expected and what came."""


@dataclass(frozen=True)
class Record:
    """A record of a file; ``kind`` is its first line's words, ``body`` the SQL, ``expected`` what stands below ``----``."""

    file: Path
    line: int
    kind: tuple[str, ...]
    argument: str
    body: str = ""
    expected: tuple[str, ...] = ()
    params: Any = None
    xfail: str | None = None
    local: bool = False

    def fail(self, expected: str, got: str) -> Mismatch:
        """The error that shows this record."""
        lines = [f"{self.file.name}:{self.line}: {' '.join(self.kind)} {self.argument}".rstrip(), self.body, ""]
        lines += ["expected:", expected, "", "got:", got]
        return Mismatch("\n".join(lines))


def records(file: Path) -> Iterator[Record]:
    """The records of a file."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*file.read_text(encoding="utf-8").splitlines(), ""], 1):
        if line.strip():
            if not (line.startswith("#") and not any(text == "----" for _, text in block)):
                block.append((number, line))
        elif block:
            yield _record(file, block)
            block = []


def _record(file: Path, block: list[tuple[int, str]]) -> Record:
    marks: dict[str, str] = {}
    while (word := block[0][1].split()[0]) in ("params", "xfail", "local"):
        marks[word] = block.pop(0)[1][len(word) :].strip()
    line, head = block[0]
    words = head.split()
    body = [text for _, text in block[1:]]
    expected: list[str] = []
    if "----" in body:
        at = body.index("----")
        body, expected = body[:at], body[at + 1 :]
    size = 2 if words[0] in ("statement", "query") else 1
    argument = head.split(None, size)[size] if len(words) > size else ""
    if words[0] not in _RUN:
        raise ValueError(f"{file.name}:{line}: no such record: {head}")
    kind = (*words[:size], "")[:size]
    params = json.loads(marks["params"]) if "params" in marks else None
    sql = "\n".join(body)
    return Record(file, line, kind, argument, sql, tuple(expected), params, marks.get("xfail"), "local" in marks)


@dataclass
class Run:
    """A file on its root; ``gaps`` are the reasons of records that don't hold yet."""

    root: Path
    gaps: list[str] = field(default_factory=list)
    con: deltasql.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.con = deltasql.connect(self.root)

    def file(self, file: Path) -> None:
        """Run all records; raises `Mismatch` at the first that doesn't hold."""
        try:
            for record in records(file):
                self.record(record)
        finally:
            self.con.close()

    def record(self, record: Record) -> None:
        """Run one record."""
        try:
            getattr(self, _RUN[record.kind[0]])(record)
        except Mismatch:
            if record.xfail is None:
                raise
            self.gaps.append(f"{record.file.name}:{record.line}: {record.xfail}")
        else:
            if record.xfail is not None:
                raise record.fail(f"a failure ({record.xfail})", "it holds now: take the xfail away")

    # -- records

    def statement(self, record: Record) -> None:
        """``statement ok | error <regex> | count <n>``"""
        wanted = record.kind[1]
        before = self.files() if wanted == "error" else None
        result = self._result(record)
        if wanted == "error":
            got = f"{type(result).__name__}: {result}"
            if not isinstance(result, deltasql.Error):
                raise record.fail(f"an error: {record.argument}", "no error")
            if isinstance(result, deltasql.InternalError) or not re.search(self._text(record.argument), got):
                raise record.fail(record.argument, got)
            if before is not None and (after := self.files()) != before:
                odd = sorted(str(each[0]) for each in after ^ before)
                raise record.fail("no file that came, went or changed", "\n".join(odd))
            return
        table = self._table(result, record)
        if wanted == "count":
            got = str(table["num_affected_rows"].to_pylist()[0])
            if got != record.argument:
                raise record.fail(f"num_affected_rows = {record.argument}", got)

    def query(self, record: Record) -> None:
        """``query [<types>] [rowsort] [columns]``"""
        table = self._table(self._result(record), record)
        flags = record.argument.split()
        expected = [self._text(line).rstrip() for line in record.expected]
        names = [expected.pop(0)] if "columns" in flags and expected else []
        got = rows(table)
        shown = [["  ".join(values)] if table.num_columns == 1 else values for values in got]
        wanted = [[line] if table.num_columns == 1 else values(line) for line in expected]
        if "rowsort" in flags:
            shown, wanted = sorted(shown), sorted(wanted)
        letters = "".join(letter(type) for type in table.schema.types)
        header = ["  ".join(table.column_names)] if "columns" in flags else []
        same_names = not names or values(names[0]) == table.column_names
        if wanted != shown or letters != record.kind[1] or not same_names:
            lines = ["  ".join(values) for values in shown]
            raise record.fail(
                "\n".join([record.kind[1], *names, *("  ".join(values) for values in wanted)]),
                "\n".join([letters, *header, *lines]),
            )

    def log(self, record: Record) -> None:
        """``log <table> [<version>]``"""
        words = record.argument.split() or [""]
        folder = self.root / Path(*words[0].split("."))
        got = log(folder, int(words[1]) if len(words) > 1 else None)
        if [got] != list(record.expected):
            raise record.fail("\n".join(record.expected), got)

    def committed(self, record: Record) -> None:
        """``committed <table> <version> <time>``"""
        table, version, time = record.argument.split()
        path = self.root / table / "_delta_log" / f"{int(version):020d}.json"
        stamp = dt.datetime.fromisoformat(time).timestamp()
        os.utime(path, (stamp, stamp))

    def file_(self, record: Record) -> None:
        """``file <path>``"""
        path = self.root / record.argument
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record.body + "\n", encoding="utf-8")

    def reconnect(self, record: Record) -> None:
        """``reconnect [read_only]``"""
        self.con.close()
        self.con = deltasql.connect(self.root, read_only=record.argument == "read_only")

    # -- running

    def files(self) -> set[tuple[object, ...]]:
        """All files below the root, with size and time: where they are the same, so are all versions and rows."""
        found = ((path, path.stat()) for path in self.root.rglob("*") if path.is_file())
        return {(path, stat.st_size, stat.st_mtime_ns) for path, stat in found}

    def _text(self, text: str) -> str:
        return text.replace("${root}", str(self.root))

    def _result(self, record: Record) -> deltasql.Result | pa.Table | deltasql.Error:
        try:
            return self.con.sql(self._text(record.body), record.params).to_arrow()
        except deltasql.Error as error:
            return error
        except Exception as error:
            raise record.fail("at worst a deltasql.Error", f"{type(error).__name__}: {error}") from error

    @staticmethod
    def _table(result: object, record: Record) -> pa.Table:
        if isinstance(result, deltasql.Error):
            raise record.fail("\n".join(record.expected) or "success", f"{type(result).__name__}: {result}")
        assert isinstance(result, pa.Table)
        return result


_RUN = {kind: kind for kind in ("statement", "query", "log", "committed", "reconnect")} | {"file": "file_"}


# -- what is seen


def log(table: Path, version: int | None = None) -> str:
    """The operation of a commit and how many actions of each kind it has, as the log's JSON says."""
    commits = sorted((table / "_delta_log").glob("*.json"))
    path = commits[-1] if version is None else table / "_delta_log" / f"{version:020d}.json"
    return summary(path.read_text(encoding="utf-8"))


def summary(commit: str) -> str:
    """The operation of a commit, and how many actions of each kind its JSON has."""
    actions = [json.loads(line) for line in commit.splitlines()]
    kinds = Counter(kind for action in actions for kind in action)
    operation = next((a["commitInfo"]["operation"] for a in actions if "commitInfo" in a), "(none)")
    return " ".join([operation, *(f"{kind}={kinds[kind]}" for kind in _ACTIONS if kinds[kind])])


def letter(type: pa.DataType) -> str:
    """A type's letter in the record ``query``."""
    return next((letter for letter, holds in _LETTERS if holds(type)), "N")


def rows(table: pa.Table) -> list[list[str]]:
    """The rows as text."""
    columns = [[text(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def values(line: str) -> list[str]:
    """The values of an expected row."""
    return line.split("\t") if "\t" in line else re.split(r" {2,}", line.strip())


def text(value: Any) -> str:
    """A value as a query's expected rows write it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.replace("\n", "\\n").replace("\t", "\\t") or "(empty)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=text, ensure_ascii=False)
    return str(value)
