"""The table for people: ``│`` between columns (``┆`` where some are left out), numbers to the right, a count below.

It streams: the widths are those of the first rows. A later value that is wider is cut where the terminal's width is
kept, else it pushes the rest of its line to the right. A value of several lines keeps them, with ``↵`` at the end of
each that goes on; a result of one row has no such marks, as nothing can be mistaken there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa

from deltasql.output.cells import cell_width, cut, escaped, padded
from deltasql.output.excerpt import LEFT_OUT, Excerpt, Piece
from deltasql.output.layout import Layout, layout
from deltasql.output.options import Options
from deltasql.output.text import is_number, texts
from deltasql.types import spark_name

_GAP = "┆"
_GOES_ON = "↵"
_LEAST_WIDTH = 8
_SHORT_WIDTH = 12
_LABEL_WIDTH = 24
_LONGEST_LABEL = 36
_LEAST_WHOLE_WIDTH = 40
_TYPE_WIDTH = 20
_MEASURED_ROWS = 10_000
_MOST_LINES = 40  # of a value on a terminal


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's head (the name and perhaps the type), its cells, which may have several lines, and their widths."""

    heads: tuple[str, ...]
    cells: Sequence[str]
    widths: Sequence[int]
    to_right: bool
    whole: bool  # cut, its values would mislead: numbers, dates
    nested: bool  # the beginning of a value says what it is
    tall: Mapping[int, int] = field(default_factory=dict)  # the lines of those cells that have several

    def width(self) -> int:
        heads = [cell_width(self.heads[0]), *(min(cell_width(head), _TYPE_WIDTH) for head in self.heads[1:])]
        return max([*heads, *self.widths])

    def least(self, room: int) -> int:
        body = max(self.widths, default=0)
        wanted = max(body, min(cell_width(self.heads[0]), _LEAST_WIDTH))
        if self.whole:
            return min(wanted, _LEAST_WHOLE_WIDTH)
        if wanted <= _SHORT_WIDTH and not self.nested:
            return wanted
        return min(wanted, _LEAST_WIDTH if self.yields() else max(min(_LABEL_WIDTH, room // 4), _LEAST_WIDTH))

    def yields(self) -> bool:
        """Whether it is cut so that others are whole."""
        return not self.whole and (self.nested or max(self.widths, default=0) > _LONGEST_LABEL)


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
    columns = _columns(schema, measured, options, mark="" if excerpt.count == 1 else _GOES_ON)
    fit = _fit(columns, measured, options)
    _write_lines(out, _head(columns, fit))
    _write_lines(out, _lines(columns, fit, cuts=options.width is not None))
    end = _end(measured)
    for piece in pieces:
        columns = _columns(schema, [piece], options, mark=_GOES_ON, end=end)
        _write_lines(out, _lines(columns, fit, cuts=options.width is not None))
        end = _end([piece])
    left_out = fit.count - len(fit.columns)
    others = [f"{fit.count} columns", f"{len(fit.columns)} shown"] if left_out else []
    _write_lines(out, [excerpt.footer(*others)])


def _columns(schema: pa.Schema, pieces: Sequence[Piece], options: Options, *, mark: str, end: int = 0) -> list[_Column]:
    """The columns of ``pieces``, with `LEFT_OUT` wherever rows are left out; ``end`` is where the rows before ended.

    ``mark`` ends each line of a value that goes on.
    """
    columns = []
    for index, each in enumerate(schema):
        cells: list[str] = []
        tall: dict[int, int] = {}
        last = end
        keeps_lines = pa.types.is_string(each.type) or pa.types.is_large_string(each.type)
        for start, rows in pieces:
            if start > last:
                cells.append(LEFT_OUT)
            for text in texts(rows.column(index)).to_pylist():
                if text is None:
                    cells.append(options.null)
                elif keeps_lines and "\n" in text:
                    lines = _value_lines(text, mark, most=None if options.width is None else _MOST_LINES)
                    tall[len(cells)] = len(lines)
                    cells.append("\n".join(lines))
                else:
                    cells.append(escaped(text))
            last = start + rows.num_rows
        number = is_number(each.type)
        heads = (escaped(each.name), *([escaped(spark_name(each.type))] if options.types else []))
        whole = number or pa.types.is_temporal(each.type)
        widths = [
            max(map(cell_width, cell.split("\n"))) if row in tall else cell_width(cell)
            for row, cell in enumerate(cells)
        ]
        nested = pa.types.is_nested(each.type)
        columns.append(_Column(heads, cells, widths, number, whole, nested, tall))
    return columns


def _value_lines(text: str, mark: str, *, most: int | None) -> list[str]:
    """The lines of a value, at most so many."""
    lines = [escaped(line) for line in text.replace("\r\n", "\n").split("\n")]
    if most is not None and len(lines) > most:
        lines[most - 1 :] = [LEFT_OUT]
    return [*(line + mark for line in lines[:-1]), lines[-1]]


def _end(pieces: Sequence[Piece]) -> int:
    return pieces[-1][0] + int(pieces[-1][1].num_rows) if pieces else 0


def _fit(columns: Sequence[_Column], pieces: Sequence[Piece], options: Options) -> Layout:
    empty = [
        index
        for index in range(len(columns))
        if pieces and all(rows.column(index).null_count == rows.num_rows for _, rows in pieces)
    ]
    return layout(
        [column.width() for column in columns],
        [column.least(options.width or 0) for column in columns],
        options.width,
        empty=empty,
        yielding=[index for index, column in enumerate(columns) if column.yields()],
    )


def _head(columns: Sequence[_Column], fit: Layout) -> list[str]:
    """The names, the types where they are shown, and the line below."""
    cells = [
        [padded(cut(head, width), width, to_right=columns[index].to_right) for head in columns[index].heads]
        for index, width in zip(fit.columns, fit.widths, strict=True)
    ]
    return [*_joined(cells, fit), "─┼─".join("─" * width for width in fit.widths)]


def _lines(columns: Sequence[_Column], fit: Layout, *, cuts: bool) -> list[str]:
    seen = [columns[index] for index in fit.columns]
    heights: dict[int, int] = {}
    for column in seen:
        for row, height in column.tall.items():
            heights[row] = max(heights.get(row, 1), height)
    shown = []
    for column, width in zip(seen, fit.widths, strict=True):
        cells = []
        for text, measured in zip(*_by_line(column, heights), strict=True):
            if measured <= width:
                blank = " " * (width - measured)
                cells.append(blank + text if column.to_right else text + blank)
            else:
                cells.append(padded(cut(text, width), width, to_right=column.to_right) if cuts else text)
        shown.append(cells)
    return _joined(shown, fit)


def _by_line(column: _Column, heights: Mapping[int, int]) -> tuple[Sequence[str], Sequence[int]]:
    """The texts of a column and their widths, with as many lines for each row as ``heights`` says (one if nothing)."""
    if not heights:
        return column.cells, column.widths
    texts: list[str] = []
    for row, cell in enumerate(column.cells):
        lines = cell.split("\n") if row in column.tall else [cell]
        texts += lines + [""] * (heights.get(row, 1) - len(lines))
    return texts, [cell_width(text) for text in texts]


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
