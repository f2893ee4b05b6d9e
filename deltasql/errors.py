"""The one exception tree, and where in the text an error lies.

PEP 249's names stand on top, specific ones below them::

    Error
      InterfaceError      ConfigError, ClosedError
      DatabaseError
        ProgrammingError  ParseError, PlanError, TableNotFound, ColumnNotFound, SchemaNotFound, AlreadyExists
        NotSupportedError UnsupportedStatement, UnsupportedTableFeature
        DataError         CastError
        IntegrityError    ConstraintViolation, SchemaMismatch
        OperationalError  StorageError, CommitConflict, VersionNotFound, Interrupted
        InternalError

A message is one sentence with its names quoted; the advice is in ``hint``. No message, hint or
statement may hold a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters, ``text[start:end]``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The part of ``text`` that this span covers."""
        return text[self.start : self.end]

    def position(self, text: str) -> tuple[int, int]:
        """Line and column of the start, both counted from 1."""
        before = text[: self.start]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


_LONGEST = 2000


class Error(Exception):
    """The root of all errors that deltasql raises (PEP 249 ``Error``).

    ``message`` is one sentence, without its middle where it is very long, ``hint`` the way round it or None,
    ``statement`` the text of the statement that failed and ``span`` the culprit in that text.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        statement: str | None = None,
    ) -> None:
        if len(message) > _LONGEST:  # It quotes a value or an expression that nobody would read to its end.
            message = f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.span = span
        self.statement = statement

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"hint": self.hint, "span": self.span, "statement": self.statement}
        return _rebuild, (type(self), self.message, state)


def _rebuild(kind: type[Error], message: str, state: dict[str, Any]) -> Error:
    return kind(message, **state)


class Warning(Exception):
    """An important warning (PEP 249 ``Warning``)."""


class InterfaceError(Error):
    """The interface was used wrongly, rather than the database."""


class ConfigError(InterfaceError):
    """A configuration file, an environment variable or an argument of ``connect`` is wrong."""


class ClosedError(InterfaceError):
    """The connection, cursor or result is closed."""


class DatabaseError(Error):
    """An error of the database."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: its syntax, its names or its parameters."""


class ParseError(ProgrammingError):
    """The text is no statement; the message names line, column and what was expected."""


class PlanError(ProgrammingError):
    """The statement parses, but means nothing: types, counts, an ambiguous name."""


class TableNotFound(ProgrammingError):
    """No table of that name or at that path."""


class ColumnNotFound(ProgrammingError):
    """No column of that name in the tables of the statement."""


class SchemaNotFound(ProgrammingError):
    """No schema (or catalog) of that name."""


class AlreadyExists(ProgrammingError):
    """The table, schema or view is there already."""


class NotSupportedError(DatabaseError):
    """Something that deltasql, or a library below it, can't do."""


class UnsupportedStatement(NotSupportedError):
    """A statement, or a clause of one, that deltasql doesn't execute."""


class UnsupportedTableFeature(NotSupportedError):
    """A feature of the Delta protocol that can't be read or written."""


class DataError(DatabaseError):
    """A value is wrong: a division by zero, an overflow."""


class CastError(DataError):
    """A value doesn't fit the type it must take."""


class IntegrityError(DatabaseError):
    """A write would break what the table promises."""


class ConstraintViolation(IntegrityError):
    """A row violates a NOT NULL, a CHECK or another constraint of the table."""


class SchemaMismatch(IntegrityError):
    """The columns of a write don't match the table's."""


class OperationalError(DatabaseError):
    """Something outside the statement failed: storage, another writer, the user's Ctrl-C."""


class StorageError(OperationalError):
    """A file or a bucket can't be read or written."""


class CommitConflict(OperationalError):
    """Another writer's commit conflicts with this one."""


class VersionNotFound(OperationalError):
    """The version or time asked for isn't (or is no longer) in the table's history."""


class Interrupted(OperationalError):
    """The statement was stopped."""


class InternalError(DatabaseError):
    """A fault of deltasql or a library below it."""


def brief(error: BaseException) -> str:
    """The first line of a library's message, without the backtrace that may follow it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__
