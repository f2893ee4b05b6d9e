"""The table for people: ``│`` between columns (``┆`` where some are left out), numbers to the right, a count below.

It streams: the widths are those of the first rows. A later value that is wider is cut where the terminal's width is
kept, else it pushes the rest of its line to the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from deltasql.output.cells import cell_width, cut, escaped, padded
from deltasql.output.excerpt import LEFT_OUT, Excerpt, Piece
from deltasql.output.layout import Layout, layout
from deltasql.output.options import Options
from deltasql.output.text import is_number, texts
from deltasql.types import spark_name

_GAP = "┆"
_LEAST_WIDTH = 8
_SHORT_WIDTH = 12
_LEAST_WHOLE_WIDTH = 40
_TYPE_WIDTH = 20
_MEASURED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's head (the name and perhaps the type), its cells and their widths."""

    heads: tuple[str, ...]
    cells: Sequence[str]
    widths: Sequence[int]
    to_right: bool
    whole: bool  # cut, its values would mislead: numbers, dates

    def width(self) -> int:
        heads = [cell_width(self.heads[0]), *(min(cell_width(head), _TYPE_WIDTH) for head in self.heads[1:])]
        return max([*heads, *self.widths])

    def least(self) -> int:
        body = max(self.widths, default=0)
        wanted = max(body, min(cell_width(self.heads[0]), _LEAST_WIDTH))
        if self.whole:
            return min(wanted, _LEAST_WHOLE_WIDTH)
        return wanted if wanted <= _SHORT_WIDTH else _LEAST_WIDTH


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write the rows that ``options`` asks for as a table that fits its width, and a line that counts them."""
    if not schema.names:
        return
    excerpt = Excerpt(batches, options)
    pieces = excerpt.pieces()
    measured: list[Piece] = []
    for piece in pieces:
        measured.append(piece)
        if piece[0] + piece[1].num_rows >= _MEASURED_ROWS:
            break
    columns = _columns(schema, measured, options)
    fit = _fit(columns, measured, options)
    _write_lines(out, _head(columns, fit))
    _write_lines(out, _lines(columns, fit, cuts=options.width is not None))
    end = _end(measured)
    for piece in pieces:
        columns = _columns(schema, [piece], options, end=end)
        _write_lines(out, _lines(columns, fit, cuts=options.width is not None))
        end = _end([piece])
    left_out = fit.count - len(fit.columns)
    others = [f"{fit.count} columns", f"{len(fit.columns)} shown"] if left_out else []
    _write_lines(out, [excerpt.footer(*others)])


def _columns(schema: pa.Schema, pieces: Sequence[Piece], options: Options, *, end: int = 0) -> list[_Column]:
    """The columns of ``pieces``, with a mark wherever rows are left out; ``end`` is where the rows before ended."""
    columns = []
    for index, field in enumerate(schema):
        cells: list[str] = []
        last = end
        for start, rows in pieces:
            if start > last:
                cells.append(LEFT_OUT)
            cells += [options.null if text is None else escaped(text) for text in texts(rows.column(index)).to_pylist()]
            last = start + rows.num_rows
        number = is_number(field.type)
        heads = (escaped(field.name), *([escaped(spark_name(field.type))] if options.types else []))
        whole = number or pa.types.is_temporal(field.type)
        columns.append(_Column(heads, cells, [cell_width(cell) for cell in cells], number, whole))
    return columns


def _end(pieces: Sequence[Piece]) -> int:
    return pieces[-1][0] + int(pieces[-1][1].num_rows) if pieces else 0


def _fit(columns: Sequence[_Column], pieces: Sequence[Piece], options: Options) -> Layout:
    empty = [
        index
        for index in range(len(columns))
        if pieces and all(rows.column(index).null_count == rows.num_rows for _, rows in pieces)
    ]
    return layout(
        [column.width() for column in columns], [column.least() for column in columns], options.width, empty=empty
    )


def _head(columns: Sequence[_Column], fit: Layout) -> list[str]:
    """The names, the types where they are shown, and the line below."""
    cells = [
        [padded(cut(head, width), width, to_right=columns[index].to_right) for head in columns[index].heads]
        for index, width in zip(fit.columns, fit.widths, strict=True)
    ]
    return [*_joined(cells, fit), "─┼─".join("─" * width for width in fit.widths)]


def _lines(columns: Sequence[_Column], fit: Layout, *, cuts: bool) -> list[str]:
    shown = []
    for index, width in zip(fit.columns, fit.widths, strict=True):
        column = columns[index]
        cells = []
        for text, measured in zip(column.cells, column.widths, strict=True):
            if measured <= width:
                blank = " " * (width - measured)
                cells.append(blank + text if column.to_right else text + blank)
            else:
                cells.append(padded(cut(text, width), width, to_right=column.to_right) if cuts else text)
        shown.append(cells)
    return _joined(shown, fit)


def _joined(columns: Sequence[Sequence[str]], fit: Layout) -> list[str]:
    """The lines of columns that are all of one height; ``┆`` stands where columns are left out."""
    separators = [f" {_GAP if gap else '│'} " for gap in fit.gaps()]
    separators[-1] = f" {_GAP}" if fit.gaps()[-1] else ""
    parts: list[Sequence[str]] = []
    for cells, separator in zip(columns, separators, strict=True):
        parts += [cells, [separator] * len(cells)]
    return ["".join(line).rstrip(" ") for line in zip(*parts, strict=True)]


def _write_lines(out: BinaryIO, lines: Sequence[str]) -> None:
    out.write("".join(line + "\n" for line in lines).encode())
