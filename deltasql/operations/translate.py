"""delta-rs's errors as ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError, SchemaMismatchError, TableNotFoundError

from deltasql.errors import (
    CommitConflict,
    ConstraintViolation,
    DatabaseError,
    Error,
    NotSupportedError,
    OperationalError,
    SchemaMismatch,
    StorageError,
    TableNotFound,
    UnsupportedTableFeature,
    brief,
)
from deltasql.write.source import Source


@contextmanager
def translated(table: object, source: Source | None = None) -> Iterator[None]:
    """Raise what delta-rs raises as an error of ours about ``table``; a failure of ``source`` is the one to show."""
    try:
        yield
    except (Error, KeyboardInterrupt, GeneratorExit, SystemExit):
        raise
    except BaseException as error:  # delta-rs raises DeltaError, OSError, ValueError; panics are BaseExceptions.
        if source is not None and source.failure is not None:
            raise source.failure from None
        raise _ours(error, table) from error


def _ours(error: BaseException, table: object) -> Error:
    message = brief(error)
    if isinstance(error, CommitFailedError) and "nsupported table features" not in message:
        return CommitConflict(f"another writer's commit to `{table}` conflicts: {message}")
    if isinstance(error, TableNotFoundError):
        return TableNotFound(f"`{table}` is no Delta table")
    if isinstance(error, SchemaMismatchError):
        return SchemaMismatch(f"the columns don't fit `{table}`: {message}")
    for pattern, kind in _PATTERNS:
        if re.search(pattern, message):
            return kind(f"`{table}`: {message}")
    if isinstance(error, OSError):
        return StorageError(f"`{table}` can't be written: {message}")
    return (OperationalError if isinstance(error, DeltaError) else DatabaseError)(f"`{table}`: {message}")


_PATTERNS: tuple[tuple[str, type[Error]], ...] = (
    (r"nsupported (?:table features|writer|reader)|eader feature|riter feature", UnsupportedTableFeature),
    (r"failed validation|Invalid data|[Ii]nvariant|[Cc]onstraint|non-nullable", ConstraintViolation),
    (r"append.?only|AppendOnly", ConstraintViolation),
    (r"matched a single row|multiple source rows|ambiguous", DatabaseError),
    (r"Permission denied|No space left|Read-only file system|LocalFileSystem", StorageError),
    (r"not implemented|nsupported|Unable to convert expression", NotSupportedError),
)
