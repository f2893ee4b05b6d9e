"""The table for people: columns between ``│``, numbers to the right, and a count of the rows below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from deltasql.output.cells import ELLIPSIS, cell_width, cut, escaped
from deltasql.output.layout import Layout, layout
from deltasql.output.options import Options
from deltasql.output.text import texts

_LEAST_WIDTH = 8
_LEAST_WHOLE_WIDTH = 40


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    cells: list[str]
    widths: list[int]
    to_right: bool
    whole: bool  # cut, its values would mislead: numbers, dates

    def width(self) -> int:
        return max([cell_width(self.name), *self.widths])

    def least(self) -> int:
        body = max(self.widths, default=0)
        wanted = max(body, min(cell_width(self.name), _LEAST_WIDTH))
        return min(wanted, _LEAST_WHOLE_WIDTH if self.whole else _LEAST_WIDTH)


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write at most ``options.limit`` rows as a table that fits ``options.width``, and a line that counts them."""
    if not schema.names:
        return
    rows, more = _first(schema, batches, options.limit)
    columns = [_column(name, rows.column(index), options.null) for index, name in enumerate(schema.names)]
    fit = layout([column.width() for column in columns], [column.least() for column in columns], options.width)
    shown = [
        [ELLIPSIS] * (rows.num_rows + 1) if index is None else _padded(columns[index], width)
        for index, width in zip(fit.columns, fit.widths, strict=True)
    ]
    lines = [" │ ".join(cells).rstrip(" ") for cells in zip(*shown, strict=True)]
    lines.insert(1, "─┼─".join("─" * width for width in fit.widths))
    counted = f"{'first ' if more else ''}{rows.num_rows} row{'' if rows.num_rows == 1 else 's'}"
    lines += [_footer(counted, len(columns), fit), ""]
    out.write("\n".join(lines).encode())


def _first(schema: pa.Schema, batches: Iterable[pa.RecordBatch], limit: int | None) -> tuple[pa.Table, bool]:
    """The first ``limit`` rows and whether there are more; no batch behind the one that tells is read."""
    taken: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        taken.append(batch)
        count += batch.num_rows
        if limit is not None and count > limit:
            break
    rows = pa.Table.from_batches(taken, schema)
    return (rows, False) if limit is None else (rows.slice(0, limit), count > limit)


def _column(name: str, values: pa.ChunkedArray, null: str) -> _Column:
    cells = [null if text is None else escaped(text) for chunk in values.chunks for text in texts(chunk).to_pylist()]
    kind = values.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return _Column(
        escaped(name), cells, [cell_width(cell) for cell in cells], number, number or pa.types.is_temporal(kind)
    )


def _padded(column: _Column, width: int) -> list[str]:
    """The header and the cells of one column, each ``width`` cells wide."""
    cells = []
    for text, measured in zip([column.name, *column.cells], [cell_width(column.name), *column.widths], strict=True):
        shown = text if measured <= width else cut(text, width)
        blank = " " * (width - min(measured, width))
        cells.append(blank + shown if column.to_right else shown + blank)
    return cells


def _footer(counted: str, columns: int, fit: Layout) -> str:
    parts = [counted]
    if None in fit.columns:
        parts += [f"{columns} columns", f"{len(fit.columns) - 1} shown"]
    return f"({', '.join(parts)})"
