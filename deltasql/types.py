"""Names of types: SQL's, Spark's, and the Arrow types that they mean.

``parse_type(sql_name(type))`` is ``type`` for every type that SQL can name (elements of arrays and
values of maps being nullable).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from deltasql.errors import NotSupportedError, PlanError
from deltasql.names import did_you_mean, fold

_NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.large_string(): "STRING",
    pa.string_view(): "STRING",
    pa.binary(): "BINARY",
    pa.large_binary(): "BINARY",
    pa.binary_view(): "BINARY",
    pa.date32(): "DATE",
    pa.date64(): "DATE",
    pa.null(): "VOID",
}
_SIMPLE: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "BYTE": pa.int8(),
    "SMALLINT": pa.int16(),
    "SHORT": pa.int16(),
    "INT": pa.int32(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "LONG": pa.int64(),
    "FLOAT": pa.float32(),
    "REAL": pa.float32(),
    "DOUBLE": pa.float64(),
    "STRING": pa.string(),
    "TEXT": pa.string(),
    "BINARY": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "TIMESTAMP_LTZ": pa.timestamp("us", "UTC"),
    "TIMESTAMP_NTZ": pa.timestamp("us"),
}
_DECIMALS = ("DECIMAL", "NUMERIC", "DEC")
_LENGTHS = ("VARCHAR", "CHAR")
_NESTED = ("ARRAY", "MAP", "STRUCT")
_UNSUPPORTED = ("VARIANT", "INTERVAL", "GEOMETRY", "GEOGRAPHY", "VOID")
_ALL = (*_SIMPLE, *_DECIMALS, *_LENGTHS, *_NESTED)
_MOST_DIGITS = 38
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def sql_name(type: pa.DataType) -> str:
    """The type as SQL writes it: ``DECIMAL(10,2)``, ``STRUCT<a: INT NOT NULL>``; Arrow's name for what SQL lacks."""

    def field(field: pa.Field) -> str:
        name = field.name if _IDENTIFIER.fullmatch(field.name) else "`" + field.name.replace("`", "``") + "`"
        return f"{name}: {sql_name(field.type)}" + ("" if field.nullable else " NOT NULL")

    return _name(type, sql_name, field, ", ")


def spark_name(type: pa.DataType) -> str:
    """The type as Spark's ``simpleString`` and DESCRIBE write it: ``bigint``, ``struct<a:int,b:string>``."""

    def field(field: pa.Field) -> str:
        return f"{field.name}:{spark_name(field.type)}"

    return _name(type, spark_name, field, ",", case=str.lower)


def _name(
    type: pa.DataType,
    name: Callable[[pa.DataType], str],
    field: Callable[[pa.Field], str],
    comma: str,
    *,
    case: Callable[[str], str] = str.upper,
) -> str:
    if type in _NAMES:
        return case(_NAMES[type])
    if pa.types.is_decimal(type):
        return case(f"DECIMAL({type.precision},{type.scale})")
    if pa.types.is_timestamp(type):
        return case("TIMESTAMP_NTZ" if type.tz is None else "TIMESTAMP")
    if pa.types.is_dictionary(type) or pa.types.is_run_end_encoded(type):
        return name(type.value_type)
    if pa.types.is_map(type):
        return f"{case('MAP')}<{name(type.key_type)}{comma}{name(type.item_type)}>"
    if pa.types.is_struct(type):
        return f"{case('STRUCT')}<{comma.join(field(child) for child in type)}>"
    if isinstance(type, pa.ListType | pa.LargeListType | pa.ListViewType | pa.LargeListViewType | pa.FixedSizeListType):
        return f"{case('ARRAY')}<{name(type.value_type)}>"
    if pa.types.is_fixed_size_binary(type):
        return case("BINARY")
    return case(str(type))


def parse_type(sql: str) -> pa.DataType:
    """The Arrow type that a SQL type means; VARCHAR(n) and CHAR(n) are plain strings (see `char_length`).

    A struct field's COMMENT becomes its metadata ``comment``. Raises `PlanError` for a type there is
    none of, `NotSupportedError` for one that deltasql lacks.
    """
    reader = _Reader(sql, _tokens(sql))
    type = reader.type()
    if reader.peek() is not None:
        raise reader.unexpected()
    return type


def char_length(sql: str) -> str | None:
    """``varchar(n)`` or ``char(n)`` if that is what the type is at its top (as Spark keeps it), else None."""
    found = re.fullmatch(r"\s*(VARCHAR|CHAR)\s*\(\s*0*([1-9][0-9]*)\s*\)\s*", sql, re.IGNORECASE)
    return f"{found[1].lower()}({found[2]})" if found else None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<word>[^\W\d]\w*)
    | (?P<number>[0-9]{1,9})
    | (?P<mark>[<>(),:])
    | (?P<name>`(?:[^`]|``)+`|"(?:[^"]|"")+")
    | (?P<string>'(?:[^']|'')*')
    )""",
    re.VERBOSE,
)


def _tokens(sql: str) -> list[_Token]:
    tokens, position, end = [], 0, len(sql.rstrip())
    while position < end:
        found = _TOKEN.match(sql, position)
        if found is None or found.lastgroup is None:
            raise PlanError(f"`{sql.strip()}` is no type: unexpected `{sql[position:].strip()[:1]}`")
        token = found[found.lastgroup]
        if found.lastgroup in ("name", "string"):
            token = token[1:-1].replace(token[0] * 2, token[0])
        tokens.append(_Token(found.lastgroup, token))
        position = found.end()
    return tokens


_DEEPEST = 32
"""How deep a type is nested at most: a log is JSON, whose readers stop at 128, and a STRUCT is three levels there."""


class _Reader:
    """A recursive descent over the tokens of one type; lives for one ``parse_type``."""

    def __init__(self, sql: str, tokens: list[_Token]) -> None:
        self._sql = sql.strip()
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def unexpected(self, expected: str | None = None) -> PlanError:
        token = self.peek()
        problem = "it ends too early" if token is None else f"unexpected `{token.text}`"
        hint = None if expected is None else f"expected {expected}"
        return PlanError(f"`{self._sql}` is no type: {problem}", hint=hint)

    def type(self) -> pa.DataType:
        """``name [(n [, n])] | ARRAY<type> | MAP<type, type> | STRUCT<field, …>``"""
        token = self.peek()
        if token is None or token.kind != "word":
            raise self.unexpected("a type")
        self._next += 1
        name = token.text.upper()
        if name in _SIMPLE:
            return _SIMPLE[name]
        if name in _DECIMALS:
            return self._decimal()
        if name in _LENGTHS:
            self._length(name)
            return pa.string()
        if name in _NESTED:
            return self._nested(name)
        if name in _UNSUPPORTED:
            raise NotSupportedError(f"type `{name}` isn't supported")
        raise PlanError(f"there is no type `{token.text}`", hint=did_you_mean(token.text, _ALL))

    def _nested(self, name: str) -> pa.DataType:
        self._expect("<")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PlanError("the type is nested too deeply", hint=f"{_DEEPEST} levels are the most")
        type: pa.DataType
        if name == "ARRAY":
            type = pa.list_(self.type())
        elif name == "MAP":
            key = self.type()
            self._expect(",")
            type = pa.map_(key, self.type())
        else:
            type = pa.struct(self._fields())
        self._expect(">")
        self._depth -= 1
        return type

    def _fields(self) -> list[pa.Field]:
        fields = [self._field()]
        while self._take(","):
            fields.append(self._field())
        seen: set[str] = set()
        for field in fields:
            if fold(field.name) in seen:
                raise PlanError(f"`{self._sql}` has two fields `{field.name}`")
            seen.add(fold(field.name))
        return fields

    def _field(self) -> pa.Field:
        """``name[:] type [NOT NULL] [COMMENT 'text']``"""
        token = self.peek()
        if token is None or token.kind not in ("word", "name"):
            raise self.unexpected("the name of a field")
        self._next += 1
        self._take(":")
        type = self.type()
        nullable = True
        if self._take("NOT"):
            self._expect("NULL")
            nullable = False
        metadata = {"comment": self._comment()} if self._take("COMMENT") else None
        return pa.field(token.text, type, nullable, metadata)

    def _comment(self) -> str:
        token = self.peek()
        if token is None or token.kind != "string":
            raise self.unexpected("a string")
        self._next += 1
        return token.text

    def _decimal(self) -> pa.DataType:
        precision, scale = 10, 0
        if self._take("("):
            precision = self._number()
            scale = self._number() if self._take(",") else 0
            self._expect(")")
        if not 1 <= precision <= _MOST_DIGITS or scale > precision:
            raise PlanError(
                f"there is no DECIMAL({precision},{scale})",
                hint=f"1 to {_MOST_DIGITS} digits, of which any number after the point",
            )
        return pa.decimal128(precision, scale)

    def _length(self, name: str) -> None:
        if self._take("("):
            length = self._number()
            self._expect(")")
            if length == 0:
                raise PlanError(f"there is no {name}(0)", hint="the length is at least 1")

    def _number(self) -> int:
        token = self.peek()
        if token is None or token.kind != "number":
            raise self.unexpected("a number")
        self._next += 1
        return int(token.text)

    def _take(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.kind not in ("word", "mark") or token.text.upper() != text:
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self.unexpected(f"`{text}`")
