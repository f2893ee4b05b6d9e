"""CONVERT TO DELTA: a folder of Parquet files becomes a table where it is."""

from __future__ import annotations

from typing import NoReturn

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.cursor import Cursor
from deltasql.sql.grammar.create import partitioned_by
from deltasql.sql.statements import ColumnDefinition, ConvertToDelta

_CONVERT = "CONVERT TO DELTA"


def parse_convert(cursor: Cursor) -> ConvertToDelta:
    """``CONVERT TO DELTA parquet."path" [NO STATISTICS] [PARTITIONED BY (column type, …)]``

    The path is quoted as a name is. The clauses may come in any order.
    """
    cursor.expect("CONVERT", "TO", "DELTA")
    source = cursor.table()
    span = source.span or cursor.here()
    if len(source.parts) != 2 or source.parts[0].lower() != "parquet" or not source.exact[1]:
        _refuse_source(cursor, source, span)
    statistics, columns = True, None
    while cursor.at_any(("NO", "PARTITIONED")):
        if cursor.at("NO") and statistics:
            cursor.expect("NO", "STATISTICS")
            statistics = False
        elif cursor.at("PARTITIONED") and columns is None:
            columns = _partitions(cursor)
        else:
            cursor.fail(f"{cursor.here().of(cursor.sql).upper()} only once")
    return ConvertToDelta(path=source.parts[1], span=span, statistics=statistics, partitioned_by=columns)


def _refuse_source(cursor: Cursor, source: TableReference, span: Span) -> NoReturn:
    hint = 'name the folder: `CONVERT TO DELTA parquet."path"`'
    if source.path is not None or len(source.parts) != 2 or not source.exact[1]:
        cursor.refuse(f"{_CONVERT} of anything but a folder of Parquet files", hint=hint, span=span)
    cursor.refuse(f"{_CONVERT} of {source.parts[0]}", hint=hint, span=span)


def _partitions(cursor: Cursor) -> tuple[ColumnDefinition, ...]:
    """``PARTITIONED BY (column type, …)``: a folder's name doesn't tell the type."""
    cursor.expect("PARTITIONED")
    start = cursor.here().start
    names, columns = partitioned_by(cursor, _CONVERT)
    if len(columns) < len(names):
        cursor.fail("a type behind each column", span=cursor.since(start).span)
    return columns
