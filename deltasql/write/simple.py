"""Predicates that delta-rs may be given as text: those that it evaluates just as our engine does.

``predicate  := [NOT] term {AND | OR predicate}``, ``term := (predicate) | column operator literal |
literal operator column | column IS [NOT] NULL | column [NOT] IN (literal, …) | column [NOT] BETWEEN literal AND
literal | column [NOT] LIKE 'pattern'`` with integers of the column's range for integer columns, strings for
string columns, true and false for boolean ones. delta-rs takes a literal of another type for the column's type
(``a < 1.5`` becomes ``a < 1``), deletes all where NULL meets a partition column, and takes an empty partition
value for a string: such predicates aren't simple.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from deltasql.catalog.snapshot import Snapshot
from deltasql.names import literal, match, quote
from deltasql.sql.dialect import Token, tokenize

_COMPARES = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})


def simple_predicate(sql: str, qualifier: str, snapshot: Snapshot, parameters: Mapping[str, Any]) -> str | None:
    """``sql`` as delta-rs takes it, names in stored case and parameters as literals; None if it isn't simple."""
    reader = _Reader(sql, qualifier, snapshot, parameters)
    try:
        text = reader.predicate()
    except _NotSimple:
        return None
    return text if reader.done else None


class _NotSimple(Exception):
    """The predicate holds something else."""


class _Reader:
    def __init__(self, sql: str, qualifier: str, snapshot: Snapshot, parameters: Mapping[str, Any]) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0
        self.positive = True
        self.qualifier = qualifier
        self.snapshot = snapshot
        self.parameters = parameters

    @property
    def done(self) -> bool:
        return self.index == len(self.tokens)

    def predicate(self) -> str:
        parts = [self.negated()]
        while (word := self.take("AND", "OR")) is not None:
            parts += [word, self.negated()]
        return " ".join(parts)

    def negated(self) -> str:
        if not self.take("NOT"):
            return self.term()
        positive, self.positive = self.positive, False
        text = f"NOT {self.negated()}"
        self.positive = positive
        return text

    def term(self) -> str:
        if self.take("("):
            inner = self.predicate()
            self.expect(")")
            return f"({inner})"
        if not self.peek().is_name or self.peek().upper in ("TRUE", "FALSE"):
            return self.flipped()
        field = self.column()
        name = quote(field.name)
        if self.has_empties(field):
            return f"{name} {self.equal(field)}"
        if (operator := self.take(*_COMPARES)) is not None:
            return f"{name} {operator} {self.value(field)}"
        if self.take("IS"):
            negation = self.take("NOT")
            self.expect("NULL")
            return f"{name} IS NOT NULL" if negation else f"{name} IS NULL"
        return f"{name}{' NOT' if self.take('NOT') else ''} {self.ranged(field)}"

    def has_empties(self, field: pa.Field) -> bool:
        """True for a partition column that may hold empty strings, which are NULL to us and not to delta-rs."""
        return field.name in self.snapshot.partition_columns and bool(pa.types.is_string(field.type))

    def equal(self, field: pa.Field) -> str:
        """``= value`` or ``IN (value, …)``, for which an empty string and NULL come to the same."""
        if not self.positive or self.peek().upper not in ("=", "IN"):
            raise _NotSimple
        return f"= {self.value(field)}" if self.take("=") else self.ranged(field)

    def ranged(self, field: pa.Field) -> str:
        if self.take("IN"):
            self.expect("(")
            values = [self.value(field)]
            while self.take(","):
                values.append(self.value(field))
            self.expect(")")
            return f"IN ({', '.join(values)})"
        if self.take("BETWEEN"):
            low = self.value(field)
            self.expect("AND")
            return f"BETWEEN {low} AND {self.value(field)}"
        self.expect("LIKE")
        if not pa.types.is_string(field.type):
            raise _NotSimple
        return f"LIKE {self.value(field)}"

    def flipped(self) -> str:
        """``literal operator column``: the literal is read again once the column is known."""
        start = self.index
        while self.peek().upper not in _COMPARES:
            self.index += 1
        operator = self.tokens[self.index].text
        self.index += 1
        field = self.column()
        if self.has_empties(field):
            raise _NotSimple
        end, self.index = self.index, start
        value = self.value(field)
        self.expect(operator)
        self.index = end
        return f"{value} {operator} {quote(field.name)}"

    def column(self) -> pa.Field:
        name = self.name()
        if self.take("."):
            if match(name, [self.qualifier], what="table") is None:
                raise _NotSimple
            name = self.name()
        found = match(name, self.snapshot.schema.names, what="column")
        if found is None:
            raise _NotSimple
        field = self.snapshot.schema.field(found)
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise _NotSimple
        return field

    def value(self, field: pa.Field) -> str:
        """A literal that is of the column's very type."""
        sign = "-" if self.take("-") else ""
        token = self.peek()
        self.index += 1
        if token.kind == "parameter":
            return self.fitting(self.parameters[token.text[1:]], field) if not sign else self.fail()
        if token.kind == "number" and token.text.isdigit():
            return self.fitting(int(sign + token.text), field)
        if sign:
            return self.fail()
        if token.kind == "string" and token.span.of(self.sql).startswith("'"):
            return self.fitting(token.text, field)
        return self.fitting({"TRUE": True, "FALSE": False}.get(token.upper), field)

    def fitting(self, value: object, field: pa.Field) -> str:
        type = field.type
        if isinstance(value, bool):
            fits = pa.types.is_boolean(type)
        elif isinstance(value, int):
            bits = type.bit_width if pa.types.is_integer(type) else 0
            fits = bool(bits) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
        else:
            fits = isinstance(value, str) and pa.types.is_string(type) and not (value == "" and self.has_empties(field))
        return literal(value) if fits else self.fail()

    # -- tokens

    def peek(self) -> Token:
        if self.done:
            raise _NotSimple
        return self.tokens[self.index]

    def take(self, *words: str) -> str | None:
        if not self.done and self.tokens[self.index].upper in words:
            self.index += 1
            return self.tokens[self.index - 1].upper
        return None

    def expect(self, word: str) -> None:
        if self.take(word) is None:
            raise _NotSimple

    def name(self) -> str:
        token = self.peek()
        if not token.is_name:
            raise _NotSimple
        self.index += 1
        return token.text

    def fail(self) -> str:
        raise _NotSimple
