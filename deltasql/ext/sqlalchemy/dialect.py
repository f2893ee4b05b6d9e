"""The dialect: connecting, transactions, execution, reflection.

A statement of deltasql's is a transaction, so a connection always is in AUTOCOMMIT: `commit` does nothing, `rollback`
takes nothing back and warns where something was written. An engine with a root has a pool of connections; one without
has a single one, as the tables of its temporary folder are that connection's.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import exc, pool, schema
from sqlalchemy.engine import default, reflection
from sqlalchemy.engine.url import URL

import deltasql
from deltasql.ext.sqlalchemy import reflection as lake
from deltasql.ext.sqlalchemy.compiler import Compiler
from deltasql.ext.sqlalchemy.ddl import NOTHING, DDLCompiler
from deltasql.ext.sqlalchemy.names import Preparer, TypeCompiler
from deltasql.ext.sqlalchemy.travel import asked
from deltasql.ext.sqlalchemy.types import COLSPECS
from deltasql.storage.options import OPTIONS, is_secret, name_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

_OPTIONS = {"cluster_by": None, "location": None, "partition_by": None, "properties": None}
_IN_URL = "_deltasql_url"
_KNOWING: WeakSet[Any] = WeakSet()
"""The connections whose isolation level was asked for."""


class RollbackWarning(exc.SAWarning):
    """A rollback after statements that have committed, which it doesn't take back."""


class Execution(default.DefaultExecutionContext):
    """One execution."""

    def get_lastrowid(self) -> int | None:
        """What an INSERT of one row gave its identity column: the mark of it in the commit that was made."""
        compiled: Any = self.compiled
        result = self.cursor.result
        column = compiled.statement.table._autoincrement_column
        if column is None or result.version is None:
            return None
        schema = compiled.preparer.schema_for_object(column.table)
        schema = (self.execution_options.get("schema_translate_map") or {}).get(column.table.schema, schema)
        return lake.last_number(self.cursor.connection, column.table.name, schema, column.name, result.version)


class Dialect(default.DefaultDialect):
    """What ``deltasql:///root`` leads to."""

    name = "deltasql"
    driver = "deltasql"
    default_paramstyle = "qmark"
    supports_statement_cache = True

    statement_compiler = Compiler
    ddl_compiler = DDLCompiler
    type_compiler_cls = TypeCompiler
    preparer = Preparer  # type: ignore[assignment]  # It isn't said to be what may be extended.
    execution_ctx_cls = Execution
    colspecs = COLSPECS
    construct_arguments = [  # noqa: RUF012  # SQLAlchemy's type for it.
        (schema.Table, _OPTIONS),
        *((kind, _OPTIONS) for kind in [getattr(schema, "CreateTableAs", None)] if kind is not None),
    ]

    max_identifier_length = 255
    supports_alter = False
    supports_comments = True
    inline_comments = True
    supports_identity_columns = True
    supports_native_boolean = True
    supports_native_decimal = True
    returns_native_bytes = True
    supports_default_values = True
    supports_default_metavalue = True
    supports_multivalues_insert = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = True
    postfetch_lastrowid = True
    tuple_in_values = False
    default_isolation_level = "AUTOCOMMIT"

    def __init__(self, json_serializer: Any = None, json_deserializer: Any = None, **kw: Any) -> None:
        super().__init__(**kw)
        self._json_serializer, self._json_deserializer = json_serializer, json_deserializer

    # -- connecting

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The driver."""
        return deltasql

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """A pool of connections to a root; one connection for all where there is none."""
        return pool.QueuePool if url.database else pool.StaticPool

    def create_connect_args(self, url: URL) -> Any:
        """The root, and by the query what `deltasql.connect` takes. Raises `ArgumentError` for what it doesn't."""
        if url.host or url.port or url.username or url.password:
            raise exc.ArgumentError("a URL of deltasql has a root and no host: deltasql:///folder, deltasql:////folder")
        return [], {_IN_URL: _arguments(url.query), **({"root": url.database} if url.database else {})}

    def connect(self, *args: Any, **arguments: Any) -> DBAPIConnection:
        """A connection of deltasql's; what `connect_args` say goes before the URL's."""
        given = dict(arguments.pop(_IN_URL, {}))
        for name in ("settings", "storage_options"):
            if given.get(name) and arguments.get(name):
                arguments[name] = {**given[name], **arguments[name]}
        return deltasql.connect(*args, **{**given, **arguments})  # type: ignore[return-value]

    def do_ping(self, dbapi_connection: Any) -> bool:
        """True for an open connection."""
        dbapi_connection.require_open()
        return True

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """True where the connection was closed by somebody."""
        return isinstance(e, deltasql.ClosedError)

    # -- transactions

    def get_isolation_level_values(self, dbapi_conn: Any) -> Sequence[Any]:
        return ["AUTOCOMMIT"]

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return "AUTOCOMMIT"

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:
        return "AUTOCOMMIT"

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Keep in mind that who asks for it knows of it: a rollback won't warn."""
        _KNOWING.add(dbapi_connection)

    def reset_isolation_level(self, dbapi_conn: Any) -> None:
        """Forget that it was asked for, unless it was for the engine."""
        if self._on_connect_isolation_level is None:
            _KNOWING.discard(dbapi_conn)

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        return True

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing; with a `RollbackWarning` where statements have committed since the last commit."""
        try:
            dbapi_connection.rollback()
        except deltasql.NotSupportedError:
            if (
                getattr(dbapi_connection, "driver_connection", dbapi_connection) not in _KNOWING
            ):  # It may be the pool's.
                message = "a rollback took nothing back: each statement of deltasql commits by itself"
                advice = "commit() before a connection closes, or ask for isolation_level='AUTOCOMMIT'"
                warnings.warn(f"{message} ({advice})", RollbackWarning, stacklevel=2)

    def do_savepoint(self, connection: Any, name: str) -> None:
        """Raise: there are no transactions of several statements."""
        error = deltasql.NotSupportedError("there are no savepoints: each statement commits by itself")
        raise exc.NotSupportedError(f"SAVEPOINT {name}", None, error)

    # -- execution

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run a statement, as of the time that the execution options say."""
        if not statement.startswith(NOTHING):
            cursor.as_of = None if context is None else asked(context.execution_options)
            cursor.execute(statement, parameters)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        """Run a statement without parameters."""
        self.do_execute(cursor, statement, None, context)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run a statement for many sets of parameters, an INSERT as one write."""
        cursor.as_of = None if context is None else asked(context.execution_options)
        cursor.executemany(statement, parameters)

    # -- reflection

    def _get_default_schema_name(self, connection: Connection) -> str:
        return _of(connection).session.catalog.home.schema

    @reflection.cache
    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        """True for a table or view."""
        self._ensure_has_table_connection(connection)
        return lake.exists(_of(connection), table_name, schema)

    @reflection.cache
    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        return lake.schemas(_of(connection))

    @reflection.cache
    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return lake.tables(_of(connection), schema)

    @reflection.cache
    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return lake.views(_of(connection), schema)

    @reflection.cache
    def get_temp_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    @reflection.cache
    def get_temp_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return lake.temporary_views(_of(connection))

    @reflection.cache
    def get_view_definition(
        self,
        connection: Connection,
        view_name: str,
        schema: str | None = None,
        **kw: Any,
    ) -> str:
        view = _described(connection, view_name, schema).view
        if view is None:
            raise exc.NoSuchTableError(f"{schema}.{view_name}" if schema else view_name)
        return view.query

    @reflection.cache
    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return _described(connection, table_name, schema).columns()

    @reflection.cache
    def get_table_comment(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return {"text": _described(connection, table_name, schema).comment()}

    @reflection.cache
    def get_table_options(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return _described(connection, table_name, schema).options()

    @reflection.cache
    def get_check_constraints(
        self,
        connection: Connection,
        table_name: str,
        schema: str | None = None,
        **kw: Any,
    ) -> Any:
        return _described(connection, table_name, schema).checks()

    @reflection.cache
    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """None: Delta has no keys."""
        _described(connection, table_name, schema)
        return {"constrained_columns": [], "name": None}

    @reflection.cache
    def _get_none(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        _described(connection, table_name, schema)
        return []

    get_foreign_keys = get_indexes = get_unique_constraints = _get_none


def _of(connection: Connection) -> deltasql.Connection:
    found: deltasql.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return found


def _described(connection: Connection, name: str, schema: str | None) -> lake.Described:
    """The table or view, as of what the connection's execution options say."""
    return lake.Described(_of(connection), name, schema, asked(connection.get_execution_options()))


def _arguments(query: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `deltasql.connect` that a URL's query gives: those with a dot are settings, others of stores."""
    found: dict[str, Any] = {}
    for name, value in query.items():
        if not isinstance(value, str):
            raise exc.ArgumentError(f"`{name}` is given twice in the URL")
        if name == "read_only":
            if value.lower() not in _BOOLEANS:
                raise exc.ArgumentError(f"`read_only` is {value!r} in the URL: it is `true` or `false`")
            found[name] = _BOOLEANS[value.lower()]
        elif name in ("dialect", "profile"):
            found[name] = value
        elif "." in name:
            found.setdefault("settings", {})[name] = value
        else:
            found.setdefault("storage_options", {})[_shown(name)] = value
    return found


def _shown(name: str) -> str:
    """``name`` if it is an option of a store's that may be shown. Raises `ArgumentError`."""
    kinds = [kind for kind in OPTIONS if name_of(name, kind) is not None]
    if not kinds:
        known = "`read_only`, `dialect`, `profile`, settings (`deltasql.…`) and options of object stores"
        raise exc.ArgumentError(f"a URL of deltasql has no `{name}`: it takes {known}")
    if any(is_secret(str(name_of(name, kind)), kind) for kind in kinds):
        where = 'connect_args={"storage_options": …}'
        raise exc.ArgumentError(f"`{name}` is a secret, and URLs are shown: give it by {where}")
    return name


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
