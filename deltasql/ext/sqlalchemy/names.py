"""Names of tables and of types, as deltasql's SQL has them."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import exc
from sqlalchemy.sql import compiler
from sqlalchemy.sql.elements import quoted_name

from deltasql.ext.sqlalchemy.types import MAP, STRUCT
from deltasql.names import quote
from deltasql.sql.scan import RESERVED

_MOST_DIGITS = 38

_WORDS = (
    "analyze cluster current_catalog current_date current_time current_timestamp current_user explain localtime"
    " localtimestamp only returning session_user set top trim user view"
)
"""Words beside `RESERVED` that mean something else where a name could stand."""


class Preparer(compiler.IdentifierPreparer):
    """Quotes what isn't plain, lower-case and unreserved; a schema's name may have its catalog before it."""

    reserved_words = compiler.RESERVED_WORDS | {word.lower() for word in RESERVED} | set(_WORDS.split())

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect)
        self.legal_characters = _LEGAL

    def quote_schema(self, schema: str) -> str:
        """``catalog.schema`` as two names, unless it was quoted on purpose."""
        if isinstance(schema, quoted_name) and schema.quote is not None:
            return self.quote(schema) if schema.quote else str(schema)
        return ".".join(map(self.quote, schema.split(".")))


_LEGAL = re.compile(r"^[a-z_][a-z0-9_]*$", re.IGNORECASE | re.ASCII)


class TypeCompiler(compiler.GenericTypeCompiler):
    """Names of Delta's types."""

    def _no(self, name: str, hint: str) -> str:
        raise exc.CompileError(f"Delta has no type {name}: {hint}")

    def visit_TINYINT(self, type_: Any, **kw: Any) -> str:
        return "TINYINT"

    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:
        return "INT"

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE" if (type_.precision or 0) > 24 else "FLOAT"

    def visit_float(self, type_: Any, **kw: Any) -> str:
        return "FLOAT" if 0 < (type_.precision or 53) <= 24 else "DOUBLE"

    def visit_REAL(self, type_: Any, **kw: Any) -> str:
        return "FLOAT"

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    def visit_DOUBLE_PRECISION(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    def visit_DECIMAL(self, type_: Any, **kw: Any) -> str:
        """Without a precision as many digits as there are, 10 of them behind the point: (10, 0) would round."""
        if type_.precision is None:
            return f"DECIMAL({_MOST_DIGITS}, {10 if type_.scale is None else type_.scale})"
        return f"DECIMAL({type_.precision}, {type_.scale or 0})"

    visit_NUMERIC = visit_DECIMAL

    def _string(self, name: str, type_: Any) -> str:
        if type_.collation:
            raise exc.CompileError(f"Delta has no collations: {type_.collation!r}")
        return f"{name}({type_.length})" if type_.length else "STRING"

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        return self._string("VARCHAR", type_)

    def visit_CHAR(self, type_: Any, **kw: Any) -> str:
        return self._string("CHAR", type_)

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:
        self._string("VARCHAR", type_)
        return "STRING"

    visit_NVARCHAR, visit_NCHAR, visit_CLOB, visit_NCLOB = visit_VARCHAR, visit_CHAR, visit_TEXT, visit_TEXT

    def visit_uuid(self, type_: Any, **kw: Any) -> str:
        return "CHAR(32)"

    def visit_UUID(self, type_: Any, **kw: Any) -> str:
        return self._no("UUID", "sqlalchemy.Uuid is kept as a string")

    def visit_JSON(self, type_: Any, **kw: Any) -> str:
        """Its text."""
        return "STRING"

    def visit_BINARY(self, type_: Any, **kw: Any) -> str:
        return "BINARY"

    visit_BLOB = visit_VARBINARY = visit_BINARY

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMP" if type_.timezone else "TIMESTAMP_NTZ"

    visit_DATETIME = visit_TIMESTAMP

    def visit_TIME(self, type_: Any, **kw: Any) -> str:
        return self._no("TIME", "keep it as a string, or as a number of seconds")

    def visit_ARRAY(self, type_: Any, **kw: Any) -> str:
        dimensions = type_.dimensions or 1
        return "ARRAY<" * dimensions + self.process(type_.item_type, **kw) + ">" * dimensions

    def visit_MAP(self, type_: MAP, **kw: Any) -> str:
        return f"MAP<{self.process(type_.key, **kw)}, {self.process(type_.value, **kw)}>"

    def visit_STRUCT(self, type_: STRUCT, **kw: Any) -> str:
        return "STRUCT<" + ", ".join(f"{quote(name)}: {self.process(t, **kw)}" for name, t in type_.fields) + ">"
