"""Expressions of other dialects give what their engines' pages say, or are refused."""

from __future__ import annotations

import ast
import datetime as dt
import decimal
from collections.abc import Iterator
from typing import Any

import pytest

import deltasql

from .documented import cases


@pytest.fixture(scope="module")
def con() -> Iterator[deltasql.Connection]:
    with deltasql.connect() as connection:
        yield connection


def wanted(expected: str) -> Any:
    kind, _, value = expected.partition(" ")
    if kind == "date":
        return dt.date.fromisoformat(value)
    if kind == "ts":
        return dt.datetime.fromisoformat(value)
    return decimal.Decimal(value) if kind == "dec" else ast.literal_eval(expected)


@pytest.mark.parametrize(("dialect", "expression", "expected"), cases())
def test_an_expression(con: deltasql.Connection, dialect: str, expression: str, expected: str) -> None:
    con.sql(f"SET deltasql.dialect = {dialect}")
    if expected == "!":
        with pytest.raises((deltasql.NotSupportedError, deltasql.ParseError)):
            con.sql(f"SELECT {expression}").fetchall()
        return
    found = con.sql(f"SELECT {expression}").fetchone()[0]
    if isinstance(found, dt.datetime):
        found = found.replace(tzinfo=None)
    assert found == wanted(expected)
    assert isinstance(found, decimal.Decimal) == expected.startswith("dec ")
