"""Every statement form of the corpus is read, or refused by its name."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from deltasql.errors import NotSupportedError
from deltasql.sql.parser import parse
from deltasql.sql.statements import Query, Statement

CORPUS = Path(__file__).parents[2] / "../shared/corpora/statements.csv"
QUERIES = ("Spark query syntax", "time travel / CDF / paths")
SPELLINGS = {"DESC": "DESCRIBE"}


def _corpus() -> list[object]:
    if not CORPUS.exists():
        reason = f"the corpus is not at {CORPUS}"
        return [pytest.param("", "", marks=pytest.mark.skip(reason=reason))]
    with CORPUS.open(newline="", encoding="utf-8") as file:
        return [(row["family"], row["statement"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("family", "statement"), _corpus())
def test_is_read_or_refused_by_name(family: str, statement: str) -> None:
    parsed = _parse(statement)
    assert isinstance(parsed, Query) == (family in QUERIES)
    if isinstance(parsed, Statement):
        assert parsed.text == statement
    else:
        first = statement.split(maxsplit=1)[0].upper()
        assert parsed.message.startswith(SPELLINGS.get(first, first))
        assert parsed.message.endswith(" is not supported")
        assert parsed.span is not None


def _parse(statement: str) -> Statement | NotSupportedError:
    try:
        return parse(statement)
    except NotSupportedError as error:
        return error
