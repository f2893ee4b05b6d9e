"""SQL over Delta Lake tables: text in, DataFusion and delta-rs at work, Arrow out.

    import deltasql

    con = deltasql.connect("lake/")
    con.sql("SELECT * FROM orders VERSION AS OF 3 WHERE id = ?", [7]).to_pandas()

Importing this is cheap: the engine's libraries are loaded by the first `connect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from pathlib import Path

    from deltasql.connection import Connection
    from deltasql.result import Result
    from deltasql.session import Progress

__version__ = "0.1.0"

__all__ = [
    "AlreadyExists",
    "CastError",
    "ClosedError",
    "ColumnNotFound",
    "CommitConflict",
    "ConfigError",
    "Connection",
    "ConstraintViolation",
    "DataError",
    "DatabaseError",
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
    "UnsupportedStatement",
    "UnsupportedTableFeature",
    "VersionNotFound",
    "Warning",
    "__version__",
    "connect",
    "plot",
]


def connect(root: str | Path | None = None, *, read_only: bool = False) -> Connection:
    """Open the Delta tables below ``root``, a local folder, and give a `Connection`.

    A root that doesn't exist is made by the first write. Without a root, tables live in a temporary folder
    that goes at close. A ``read_only`` connection refuses every write.

    Raises `ConfigError` for a root that is no folder, `InterfaceError` where the installed datafusion and
    deltalake aren't the pair that deltasql was tested with.
    """
    from deltasql.connection import Connection
    from deltasql.versions import require_tested

    require_tested()
    return Connection(root, read_only=read_only)


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
        from deltasql.session import Progress

        return Progress
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
