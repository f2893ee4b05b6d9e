"""The text of a constraint or a generation expression: Spark SQL in the log, read here, computed by DataFusion.

The Delta protocol leaves the language to the writers, and theirs is Spark's. Read are: columns and fields of structs
(any case, backticks), literals, ``AND OR NOT``, comparisons (``<=>`` too), ``IS [NOT] NULL|TRUE|FALSE|DISTINCT FROM``,
``[NOT] IN|BETWEEN|LIKE|RLIKE``, ``+ - * / % DIV ||``, CASE, CAST, EXTRACT, and the functions in
`deltasql.write.functions`. A text in double quotes is a column if there is one of that name (delta-rs and we write
these), else a string (Spark). Whatever else stands there makes the text unreadable, never another meaning.
"""

from __future__ import annotations

import decimal
import re
from dataclasses import dataclass
from typing import NoReturn

import pyarrow as pa

from deltasql.errors import Error
from deltasql.names import match, quote, text
from deltasql.sql.dialect import Token, tokenize
from deltasql.types import parse_type
from deltasql.write.expression import (
    INSTANT,
    WALL,
    Expression,
    Untranslatable,
    added,
    alike,
    among,
    cast,
    compared,
    divided,
    joined,
    require,
)
from deltasql.write.functions import call, concatenated
from deltasql.write.pattern import rust_pattern

Path = tuple[str, ...]
"""A column, or a field of a struct, by stored names."""


@dataclass(frozen=True, slots=True)
class Translated:
    """``sql`` is DataFusion's, ``type`` the one it has in Spark; ``paths`` what it reads, in order."""

    sql: str
    type: pa.DataType
    paths: tuple[Path, ...]


def translated(expression: str, schema: pa.Schema) -> Translated:
    """``expression`` over the columns of ``schema`` for DataFusion. Raises `Untranslatable` saying why not."""
    try:
        reader = _Reader(expression, schema)
        made = reader.disjunction()
    except Error as error:
        raise Untranslatable(error.message) from error
    except RecursionError:
        raise Untranslatable("it is nested too deeply") from None
    if reader.index < len(reader.tokens):
        raise Untranslatable(f"`{reader.tokens[reader.index].text}` isn't understood there")
    return Translated(made.sql, made.type, tuple(dict.fromkeys(reader.paths)))


_COMPARISONS = {
    **{sign: sign for sign in ("=", "<>", "!=", "<", "<=", ">", ">=")},
    "==": "=",
    "<=>": "IS NOT DISTINCT FROM",
}
_EXTRACTED = {"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}
_SUFFIXES = {"L": pa.int64(), "S": pa.int16(), "Y": pa.int8(), "D": pa.float64(), "F": pa.float32()}


class _Reader:
    def __init__(self, sql: str, schema: pa.Schema) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0
        self.schema = schema
        self.paths: list[Path] = []

    # -- truth

    def disjunction(self) -> Expression:
        found = [self.conjunction()]
        while self.take("OR"):
            found.append(self.conjunction())
        return joined("OR", found)

    def conjunction(self) -> Expression:
        found = [self.negation()]
        while self.take("AND"):
            found.append(self.negation())
        return joined("AND", found)

    def negation(self) -> Expression:
        if self.take("NOT", "!"):
            return self._negated(self.negation())
        return self.comparison()

    def _negated(self, value: Expression) -> Expression:
        require(value, "boolean", what="NOT")
        return Expression(f"(NOT {value.sql})", pa.bool_())

    def comparison(self) -> Expression:
        left = self.sum()
        while True:
            if (operator := self.take(*_COMPARISONS)) is not None:
                left = compared(left, _COMPARISONS[operator], self.sum())
            elif self.take("IS"):
                left = self._is(left)
            elif self.peek() == "NOT" or self.peek() in _TESTS:
                negated = self.take("NOT")
                test = self._test(left)
                left = self._negated(test) if negated else test
            else:
                return left

    def _is(self, left: Expression) -> Expression:
        word = "IS NOT" if self.take("NOT") else "IS"
        if self.take("DISTINCT"):
            self.expect("FROM")
            return compared(left, f"{word} DISTINCT FROM", self.sum())
        what = self.take("NULL", "TRUE", "FALSE") or self.fail()
        if what != "NULL":
            require(left, "boolean", what=f"IS {what}")
        return Expression(f"({left.sql} {word} {what})", pa.bool_())

    def _test(self, left: Expression) -> Expression:
        word = self.take(*_TESTS) or self.fail()
        if word == "IN":
            self.expect("(")
            return among(left, self._listed())
        if word == "BETWEEN":
            low = self.sum()
            self.expect("AND")
            at_least = compared(left, ">=", low)
            return joined("AND", [at_least, compared(left, "<=", self.sum())])
        pattern = self.sum()
        require(left, "string", what=word)
        if not isinstance(pattern.constant, str):
            raise Untranslatable(f"the pattern of {word} is no literal")
        if word == "LIKE":
            return Expression(f"({left.sql} LIKE {text(pattern.constant)})", pa.bool_())
        return Expression(f"regexp_like({left.sql}, {text(rust_pattern(pattern.constant))})", pa.bool_())

    # -- values

    def sum(self) -> Expression:
        found = self.product()
        while (operator := self.take("+", "-", "||")) is not None:
            right = self.product()
            found = concatenated([found, right]) if operator == "||" else added(found, operator, right)
        return found

    def product(self) -> Expression:
        found = self.signed()
        while (operator := self.take("*", "/", "%", "DIV")) is not None:
            right = self.signed()
            made = added if operator == "*" else divided
            found = made(found, operator, right)
        return found

    def signed(self) -> Expression:
        if self.take("+"):
            return self.signed()
        if not self.take("-"):
            return self.operand()
        following = self.tokens[self.index] if self.index < len(self.tokens) else None
        if following is not None and following.kind == "number":
            return self._number("-")
        value = self.signed()
        if value.kind == "float":
            return Expression(f"(- {value.sql})", value.type)
        return added(Expression("CAST(0 AS TINYINT)", pa.int8(), 0), "-", value)

    def operand(self) -> Expression:
        found = self._operand()
        while self.take("::"):
            found = cast(found, self._type({")", ",", "::"}))
        return found

    def _operand(self) -> Expression:
        if self.index >= len(self.tokens):
            self.fail()
        token = self.tokens[self.index]
        if token.upper == "(":
            self.index += 1
            inner = self.disjunction()
            self.expect(")")
            return inner
        if token.kind == "string":
            return self._string(token)
        if token.kind == "number" or token.upper == ".":
            return self._number("")
        if token.kind == "quoted" and self._is_double_quoted(token):
            if match(token.text, self.schema.names, what="column") is None:
                return self._string(token)
        elif token.kind == "word":
            behind = self.tokens[self.index + 1] if self.index + 1 < len(self.tokens) else None
            if token.upper in _WORDS:
                self.index += 1
                return self._word(token.upper)
            if behind is not None and behind.upper == "(":
                self.index += 2
                return self._call(token)
            if behind is not None and behind.kind == "string" and token.upper in _TYPED:
                self.index += 1
                return cast(self._string(behind), _TYPED[token.upper])
        elif token.kind != "quoted":
            self.fail()
        return self._column()

    def _is_double_quoted(self, token: Token) -> bool:
        return token.span.of(self.sql).startswith('"')

    def _string(self, token: Token) -> Expression:
        written = token.span.of(self.sql)
        if "\\" in written or written[0] not in "'\"":
            raise Untranslatable(f"the string {written}, which engines read differently")
        self.index += 1
        return Expression(text(token.text), pa.string(), token.text)

    def _number(self, sign: str) -> Expression:
        start = self.tokens[self.index].span.start
        found = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?(\w*)").match(self.sql, start)
        if found is None:
            self.fail()
        while self.index < len(self.tokens) and self.tokens[self.index].span.start < found.end():
            self.index += 1
        digits, exponent, suffix = sign + found[1], found[2], found[3].upper()
        if suffix and (suffix not in _SUFFIXES or (suffix in "LSY" and (exponent or "." in digits))):
            raise Untranslatable(f"the number {found[0]}")
        if exponent or suffix in ("D", "F"):
            type = _SUFFIXES.get(suffix, pa.float64())
            return cast(Expression(text(digits + (exponent or "")), pa.string()), type)
        value = decimal.Decimal(digits)
        if "." not in digits:
            whole = int(digits)
            for type in (_SUFFIXES.get(suffix, pa.int32()), pa.int64()):
                if -(2 ** (type.bit_width - 1)) <= whole < 2 ** (type.bit_width - 1):
                    name = {8: "TINYINT", 16: "SMALLINT", 32: "INT", 64: "BIGINT"}[type.bit_width]
                    return Expression(f"CAST({whole} AS {name})", type, whole)
        scale = -int(value.as_tuple().exponent)
        precision = max(len(value.as_tuple().digits), scale)
        if precision > 38:
            raise Untranslatable(f"the number {found[0]}")
        return Expression(f"CAST('{value:f}' AS DECIMAL({precision}, {scale}))", pa.decimal128(precision, scale), value)

    def _word(self, word: str) -> Expression:
        if word == "CASE":
            return self._case()
        return Expression(word, pa.null() if word == "NULL" else pa.bool_())

    def _case(self) -> Expression:
        subject = None if self.peek() == "WHEN" else self.disjunction()
        conditions, values = [], []
        while self.take("WHEN"):
            condition = self.disjunction()
            if subject is not None:
                condition = compared(subject, "=", condition)
            require(condition, "boolean", what="WHEN")
            self.expect("THEN")
            conditions.append(condition)
            values.append(self.disjunction())
        values.append(self.disjunction() if self.take("ELSE") else Expression("NULL", pa.null()))
        self.expect("END")
        if not conditions:
            self.fail()
        *chosen, otherwise = alike(values)
        branches = " ".join(f"WHEN {c.sql} THEN {v.sql}" for c, v in zip(conditions, chosen, strict=True))
        return Expression(f"CASE {branches} ELSE {otherwise.sql} END", otherwise.type)

    def _call(self, name: Token) -> Expression:
        if name.upper == "CAST":
            value = self.disjunction()
            self.expect("AS")
            found = cast(value, self._type({")"}))
            self.expect(")")
            return found
        if name.upper == "EXTRACT":
            unit = self.take(*_EXTRACTED) or self.fail()
            self.expect("FROM")
            return call(unit, self._listed())
        return call(name.text, self._listed())

    def _listed(self) -> list[Expression]:
        """The expressions up to the closing bracket."""
        if self.take(")"):
            return []
        found = [self.disjunction()]
        while self.take(","):
            found.append(self.disjunction())
        self.expect(")")
        return found

    def _type(self, ends: set[str]) -> pa.DataType:
        start = self.index
        depth = 0
        while self.index < len(self.tokens) and (depth or self.tokens[self.index].upper not in ends):
            depth += {"(": 1, ")": -1}.get(self.tokens[self.index].upper, 0)
            self.index += 1
            if not depth and ends != {")"} and self.peek() != "(":
                break
        if start == self.index:
            self.fail()
        written = self.sql[self.tokens[start].span.start : self.tokens[self.index - 1].span.end]
        if "CHAR" in written.upper():
            raise Untranslatable(f"CAST to {written}")
        return parse_type(written)

    def _column(self) -> Expression:
        token = self.tokens[self.index]
        name = match(token.text, self.schema.names, what="column")
        if name is None and token.upper in ("SELECT", "WITH", "VALUES") and self.tokens[self.index - 1].text == "(":
            raise Untranslatable("a query can't stand in it")
        if name is None:
            raise Untranslatable(f"there is no column `{token.text}`")
        self.index += 1
        path, type, sql = [name], self.schema.field(name).type, quote(name)
        while self.take("."):
            if not pa.types.is_struct(type) or self.index >= len(self.tokens):
                self.fail()
            wanted = self.tokens[self.index].text
            found = match(wanted, [field.name for field in type], what="field")
            if found is None:
                raise Untranslatable(f"there is no field `{'.'.join(path)}.{wanted}`")
            self.index += 1
            path.append(found)
            type, sql = type.field(found).type, f"{sql}[{text(found)}]"
        self.paths.append(tuple(path))
        return Expression(sql, INSTANT if pa.types.is_timestamp(type) and type.tz else type)

    # -- tokens

    def peek(self) -> str:
        return self.tokens[self.index].upper if self.index < len(self.tokens) else ""

    def take(self, *words: str) -> str | None:
        if self.peek() and self.peek() in words:
            self.index += 1
            return self.tokens[self.index - 1].upper
        return None

    def expect(self, word: str) -> None:
        if self.take(word) is None:
            raise Untranslatable(f"{word} is missing")

    def fail(self) -> NoReturn:
        found = self.tokens[self.index].text if self.index < len(self.tokens) else None
        raise Untranslatable("it ends too early" if found is None else f"`{found}` isn't understood there")


_TESTS = ("IN", "BETWEEN", "LIKE", "RLIKE", "REGEXP")
_WORDS = frozenset({"TRUE", "FALSE", "NULL", "CASE"})
_TYPED = {"DATE": pa.date32(), "TIMESTAMP": INSTANT, "TIMESTAMP_NTZ": WALL}
