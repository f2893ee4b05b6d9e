"""A statement's text read in the session's dialect: what the tables and parameters are, its expressions depend on."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from deltasql.errors import Error, Span
from deltasql.session import Session, StatementContext
from deltasql.settings import OWN_DIALECT
from deltasql.sql import parser
from deltasql.sql.foreign.spark import spelled
from deltasql.sql.parameters import Parameters, bind, normalise, placeholders
from deltasql.sql.statements import Fragment
from deltasql.sql.transpile import Known, Reading, lexical, transpile
from deltasql.types import sql_name

_SHOWN = 2_000
_TYPES: dict[type[Any], str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "STRING",
    bytes: "BINARY",
    dt.date: "DATE",
    dt.datetime: "TIMESTAMP",
    list: "ARRAY",
    tuple: "ARRAY",
    dict: "STRUCT",
}


def read(text: str, context: StatementContext, params: Parameters, *, tables: Mapping[str, Any]) -> Reading:
    """``text``, one statement, as it is run; one of another dialect is carried over.

    ``context`` says what its names mean, ``tables`` are the frames among ``params``. Raises `ParseError` and
    `NotSupportedError`, with their places in ``text``.
    """
    session = context.session
    dialect = session.settings["deltasql.dialect"]
    if dialect == OWN_DIALECT:
        return _own(text, tables, spark=session.settings["deltasql.spark_functions"])
    reading = lexical(text, dialect, tables=tables)
    try:
        values = bind(reading.text, params, tables=tables)
        seen = replace(context, parameters=values)
        known = Known(
            lambda written: _columns(written, seen),
            {name: _type(value) for name, value in values.items()},
            frozenset(session.engine.user_functions()),
        )
        return transpile(reading, dialect, known)
    except Error as error:
        if error.statement != text:
            error.span = None if error.span is None else reading.original_span(error.span)
            error.statement = text
        raise


def _own(text: str, tables: Mapping[str, Any], *, spark: bool) -> Reading:
    first = normalise(text, tables=tables)
    if not spark:
        return Reading((first,))
    return Reading((first, spelled(first.text)))


def explained(error: Error, reading: Reading) -> None:
    """Let an error about what was carried over show what that is."""
    if reading.transpiled and error.statement != reading.original and len(reading.text) <= _SHOWN:
        ran = f"it was run as: {reading.text}"
        error.hint = ran if error.hint is None else f"{error.hint}; {ran}"


def split(text: str, session: Session) -> Iterator[Span]:
    """The spans of a script's statements, in the dialect that the session has when each is asked for."""
    start = 0
    while True:
        dialect = session.settings["deltasql.dialect"]
        for span in _split(text[start:], dialect):
            found = Span(span.start + start, span.end + start)
            yield found
            if session.settings["deltasql.dialect"] != dialect:
                start = found.end
                break
        else:
            return


def placeholders_of(text: str, session: Session) -> tuple[str, ...]:
    """The parameters of one statement in the session's dialect, without their signs. Raises `ParseError`."""
    dialect = session.settings["deltasql.dialect"]
    return placeholders((normalise(text) if dialect == OWN_DIALECT else lexical(text, dialect)).text)


def _split(text: str, dialect: str) -> Iterator[Span]:
    if dialect == OWN_DIALECT:
        yield from parser.split(text)
        return
    reading = Reading(lexical(text, dialect).steps[:1])
    for span in parser.split(reading.text):
        yield reading.original_span(span)


def _columns(written: str, context: StatementContext) -> Mapping[str, str] | None:
    """The columns of what stands behind FROM, by their SQL types; None where there is none, or it isn't ours."""
    sql = f"SELECT * FROM {written}"
    try:
        schema = context.columns(Fragment(sql, Span(0, len(sql))))
    except Error:
        return None
    return {field.name: _named(field.type) for field in schema}


def _named(type: Any) -> str:
    try:
        return sql_name(type)
    except Error:
        return ""


def _type(value: Any) -> str:
    if isinstance(value, decimal.Decimal):
        _, digits, exponent = value.as_tuple()
        scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        return f"DECIMAL({max(len(digits), scale + 1)}, {scale})"
    return _TYPES.get(type(value), "")
