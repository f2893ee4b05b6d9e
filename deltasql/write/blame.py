"""Where that is written which a table refuses: a value, the column that it is for, or the table itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from deltasql.errors import CastError, ConstraintViolation, Error, Span
from deltasql.names import TableReference, fold
from deltasql.sql.dialect import tokenize
from deltasql.sql.mention import culprit, refused
from deltasql.sql.select_list import cells, rows_of_values
from deltasql.sql.statements import Assignment, Fragment

_LONG = 100_000
Given = list[tuple[str, Span]]
"""Columns with the places of what is given for them."""


@contextmanager
def blamed(text: str, table: TableReference, given: Callable[[], Given]) -> Iterator[None]:
    """Give errors about rows that the table refuses a place in ``text``.

    ``given`` gives columns with what the statement ``text`` writes for them, once for each row of VALUES and for each
    clause. The place is one of these if it can only be that one; else it is the column that is written to; else the
    name of the table.
    """
    try:
        yield
    except (CastError, ConstraintViolation) as error:
        if error.span is None and refused(error):
            places = given() if len(text) <= _LONG else []
            error.span = _value(error, text, places) or culprit(error, text) or table.span
            error.statement = text
        raise


def _value(error: Error, text: str, given: Given) -> Span | None:
    for column, value in refused(error):
        name = fold(column.split(".")[0])
        places = [span for each, span in given if fold(each) == name]
        if len(places) > 1:
            places = [span for span in places if span.of(text) == value]
        if len(places) == 1:
            inner = culprit(error, text)
            within = inner is not None and places[0].start <= inner.start and inner.end <= places[0].end
            return inner if within else places[0]
    return None


def values_of(source: Fragment, names: Sequence[str]) -> Given:
    """What the rows of ``source`` give the columns ``names``."""
    start = source.span.start
    return [
        (name, Span(start + cell.start, start + cell.end))
        for row in cells(source.sql)
        for name, cell in zip(names, row, strict=False)
    ]


def inserted(assignments: Sequence[Assignment]) -> Given:
    """What MERGE's ``INSERT (column, …) VALUES (value, …)`` gives its columns."""
    return [(each.column[-1], each.value.span) for each in assignments if each.value is not None]


def uneven_row(source: Fragment) -> Span | None:
    """The first row of VALUES that has not as many values as the first."""
    rows = [] if len(source.sql) > _LONG else list(rows_of_values(tokenize(source.sql)))
    odd = next((row for row in rows if len(row) != len(rows[0])), None)
    if odd is None:
        return None
    start = source.span.start
    return Span(start + odd[0][0].span.start, start + odd[-1][-1].span.end)
