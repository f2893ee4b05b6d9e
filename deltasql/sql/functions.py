"""The table functions of a FROM clause, as written: name and arguments, which are constant expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.cursor import Cursor
from deltasql.sql.dialect import Token
from deltasql.sql.statements import Fragment


@dataclass(frozen=True, slots=True)
class Signature:
    """What a table function takes: ``required`` and ``optional`` arguments in order.

    Those that are ``named`` are given as ``name => value`` alone; None: any name, which the function looks at.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    named: tuple[str, ...] | None = ()

    @property
    def shape(self) -> str:
        """The arguments as one would write them: ``table, start [, end]``."""
        text = ", ".join(self.required)
        text += "".join(f" [, {name}]" for name in self.optional)
        more = ("option",) if self.named is None else self.named
        return text + "".join(f" [, {name} => …]" for name in more)


TABLE_FUNCTIONS: Mapping[str, Signature] = {
    "delta_scan": Signature(("path",), (), ("version", "timestamp")),
    "read_csv": Signature(("paths",), (), None),
    "read_json": Signature(("paths",), (), None),
    "read_parquet": Signature(("paths",), (), None),
    "table_changes": Signature(("table", "start"), ("end",)),
    "table_detail": Signature(("table",)),
    "table_files": Signature(("table",)),
    "table_history": Signature(("table",)),
}


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call: ``name`` in lower case, the arguments by their names, the place of the whole."""

    name: str
    arguments: Mapping[str, Fragment]
    span: Span


def at_table_function(cursor: Cursor) -> bool:
    """True if a call of one of deltasql's table functions comes next."""
    token, bracket = cursor.peek(), cursor.peek(1)
    named = token is not None and token.kind == "word" and token.text.lower() in TABLE_FUNCTIONS
    return named and bracket is not None and bracket.upper == "("


def function_call(cursor: Cursor) -> FunctionCall:
    """``name(argument, …, name => argument, …)``. Raises `ParseError` where the arguments don't fit."""
    first = cursor.advance()
    name = first.text.lower()
    signature = TABLE_FUNCTIONS[name]
    places = [*signature.required, *signature.optional]
    found: dict[str, Fragment] = {}
    cursor.expect("(")
    while not cursor.at(")"):
        token = cursor.peek()
        if _is_named(cursor) and token is not None:
            key = _argument(cursor, signature, token)
            cursor.index += 2
        elif len(found) < len(places):
            key = places[len(found)]
        else:
            cursor.fail(f"no more arguments: {name}({signature.shape})")
        if key in found and token is not None:
            cursor.fail(f"`{key}` once", span=token.span)
        found[key] = cursor.until_closed(",")
        if not cursor.take(","):
            break
    missing = [place for place in signature.required if place not in found]
    if missing:
        cursor.fail(f"`{missing[0]}`: {name}({signature.shape})")
    cursor.expect(")")
    return FunctionCall(name, found, Span(first.span.start, cursor.tokens[cursor.index - 1].span.end))


def _is_named(cursor: Cursor) -> bool:
    token, arrow = cursor.peek(), cursor.peek(1)
    return token is not None and token.is_name and arrow is not None and arrow.upper in ("=>", ":=")


def _argument(cursor: Cursor, signature: Signature, token: Token) -> str:
    """The argument that ``name =>`` means, in the signature's spelling."""
    known = (*signature.required, *signature.optional, *(signature.named or ()))
    same = [name for name in known if fold(name) == fold(token.text)]
    if not same and signature.named is not None:
        cursor.fail("one of " + ", ".join(f"`{name}`" for name in known), span=token.span)
    return same[0] if same else token.text
