"""SQL over Delta Lake tables: text in, DataFusion and delta-rs at work, Arrow out.

    import deltasql

    con = deltasql.connect("lake/")
    con.sql("SELECT * FROM orders VERSION AS OF 3 WHERE id = ?", [7]).to_pandas()

Importing this is cheap: the engine's libraries are loaded by the first `connect`.
"""

from __future__ import annotations

import collections.abc
import os
from typing import TYPE_CHECKING, Any

from deltasql.dbapi import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Cursor,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
    apilevel,
    paramstyle,
    threadsafety,
)
from deltasql.errors import (
    AlreadyExists,
    CastError,
    ClosedError,
    ColumnNotFound,
    CommitConflict,
    ConfigError,
    ConstraintViolation,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    Interrupted,
    NotSupportedError,
    OperationalError,
    ParseError,
    PlanError,
    ProgrammingError,
    SchemaMismatch,
    SchemaNotFound,
    Span,
    StorageError,
    TableNotFound,
    UnsupportedStatement,
    UnsupportedTableFeature,
    VersionNotFound,
    Warning,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deltasql.connection import Connection
    from deltasql.progress import Progress
    from deltasql.result import Result

__version__ = "0.1.0"

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "AlreadyExists",
    "Binary",
    "CastError",
    "ClosedError",
    "ColumnNotFound",
    "CommitConflict",
    "ConfigError",
    "Connection",
    "ConstraintViolation",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interrupted",
    "NotSupportedError",
    "OperationalError",
    "ParseError",
    "PlanError",
    "ProgrammingError",
    "Progress",
    "Result",
    "SchemaMismatch",
    "SchemaNotFound",
    "Span",
    "StorageError",
    "TableNotFound",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "UnsupportedStatement",
    "UnsupportedTableFeature",
    "VersionNotFound",
    "Warning",
    "__version__",
    "apilevel",
    "connect",
    "paramstyle",
    "plot",
    "threadsafety",
]


def connect(
    root: str | Path | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
    read_only: bool = False,
    profile: str | None = None,
    dialect: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Connection:
    """Open the Delta tables below ``root``, a folder or a URL of an object store, and give a `Connection`.

    A root that doesn't exist is made by the first write. Without a root, tables live in a temporary folder
    that goes at close. A ``read_only`` connection refuses every write. ``profile`` is one of `deltasql.toml`, whose
    root, ``read_only``, settings and storage options hold where the arguments say nothing; without one no file is read.
    ``dialect`` is whose SQL queries are written in: DataFusion's own, or one that is carried over (docs/dialects.md).
    ``settings`` are values by name, as SET takes them. ``storage_options`` are keys and other options of object stores
    (``{"AWS_REGION": …}``), and by URL those of single places (``{"s3://bucket": {…}}``).

    Raises `ConfigError` for a root that is no folder, a profile, setting or option that there isn't, a wrong value;
    `InterfaceError` where the installed datafusion and deltalake aren't the pair that deltasql was tested with.
    """
    from deltasql.connection import Connection, configure
    from deltasql.versions import require_tested

    require_tested()
    _require(root, (str, os.PathLike), "`root` is a path or a URL")
    _require(storage_options, collections.abc.Mapping, "`storage_options` are a mapping")
    _require(settings, collections.abc.Mapping, "`settings` are a mapping")
    config = None
    if profile is not None:
        from deltasql.config import read_config

        config = read_config(os.environ, profile=profile)
        root = config.root if root is None else root
        read_only = read_only or bool(config.read_only)
    connection = Connection(
        root,
        storage_options=storage_options,
        configured=None if config is None else config.storage_options,
        read_only=read_only,
    )
    try:
        if config is not None:
            configure(connection, config.settings, where=f" in {config.where('settings')}")
        configure(connection, settings or {})
        if dialect is not None:
            configure(connection, {"deltasql.dialect": dialect})
    except BaseException:
        connection.close()
        raise
    return connection


def _require(value: object, kind: type | tuple[type, ...], rule: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigError(f"{rule}, not a `{type(value).__name__}`")


def plot(connection: Connection, table: str, column: str | None = None, *, path: str | Path | None = None) -> str:
    """A picture of ``table`` as the text of an SVG, which is also written to ``path``.

    It shows how big the files are, and how many of them a query for one value of each column (or of ``column``) reads.
    Raises `InterfaceError` where matplotlib (``pip install 'deltasql[plot]'``) isn't there, `TableNotFound`,
    `ColumnNotFound`, and `PlanError` for a column that the log has no bounds of.
    """
    from deltasql import plotting

    return plotting.plot(connection, table, column, path=path)


def __getattr__(name: str) -> Any:
    if name == "Connection":
        from deltasql.connection import Connection

        return Connection
    if name == "Result":
        from deltasql.result import Result

        return Result
    if name == "Progress":
        from deltasql.progress import Progress

        return Progress
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
