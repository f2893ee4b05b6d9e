"""A bar chart of two columns, a label and a number.

Bars are drawn to one scale, from zero: those of negative numbers to the left. NULL, NaN and the infinities have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from deltasql.errors import NotSupportedError
from deltasql.output.cells import cell_width, cut, escaped, padded
from deltasql.output.excerpt import LEFT_OUT, Excerpt
from deltasql.output.nested import plain
from deltasql.output.options import Options
from deltasql.output.text import is_number, texts
from deltasql.types import spark_name

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_BARS = 1_000
_WIDTH = 80
_LEAST_ROOM = 8
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_HALF = "▐"


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    number: str
    value: float | None


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write a bar per row, of 1000 rows at most, and a line that counts them.

    Raises `NotSupportedError` for a result that isn't a label and a number.
    """
    if not schema.names:
        return
    if len(schema) != 2 or not is_number(schema.types[1]):
        found = ", ".join(f"`{field.name}` {spark_name(field.type)}" for field in schema)
        hint = "select two columns, the second of them a number"
        raise NotSupportedError(f"bars show a label and a number, not {found}", hint=hint)
    excerpt = Excerpt(batches, replace(options, limit=_MOST_BARS if options.limit is None else options.limit))
    bars: list[_Bar | None] = []
    last = 0
    for start, rows in excerpt.pieces():
        bars += [None, *_bars(rows, options)] if start > last else _bars(rows, options)
        last = start + rows.num_rows
    lines = [*_drawn(escaped(schema.names[0]), escaped(schema.names[1]), bars, options.width or _WIDTH)]
    lines.append(excerpt.footer())
    out.write("".join(f"{line}\n" for line in lines).encode())


def _bars(rows: pa.RecordBatch, options: Options) -> list[_Bar]:
    columns = [
        [options.null if text is None else escaped(text) for text in texts(column).to_pylist()]
        for column in rows.columns
    ]
    values = [_finite(value) for value in plain(rows.column(1)).to_pylist()]
    return [_Bar(*row) for row in zip(*columns, values, strict=True)]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _drawn(label: str, number: str, bars: Sequence[_Bar | None], width: int) -> list[str]:
    shown = [bar for bar in bars if bar is not None]
    numbers = max(map(cell_width, [number, *(bar.number for bar in shown)]))
    wanted = max(map(cell_width, [label, *(bar.label for bar in shown)]))
    labels = min(wanted, max(width // 2 - numbers - len(" │ ") * 2, _LEAST_ROOM))
    room = max(width - labels - numbers - len(" │ ") * 2, _LEAST_ROOM)
    lines = [f"{padded(cut(label, labels), labels)} │ {padded(number, numbers, to_right=True)} │"]
    lines.append(f"{'─' * labels}─┼─{'─' * numbers}─┼─{'─' * room}")
    values = [bar.value for bar in shown if bar.value is not None]
    scale = _Scale.of(values, room)
    for bar in bars:
        texts = (LEFT_OUT, LEFT_OUT) if bar is None else (bar.label, bar.number)
        drawn = "" if bar is None or bar.value is None else scale.draw(bar.value)
        head = f"{padded(cut(texts[0], labels), labels)} │ {padded(texts[1], numbers, to_right=True)} │ "
        lines.append((head + drawn).rstrip(" "))
    return lines


@dataclass(frozen=True, slots=True)
class _Scale:
    """Zero is at the cell ``zero``; the greatest magnitude, ``unit``, is ``cells`` wide: so sums are finite."""

    unit: float
    cells: float
    zero: int

    @classmethod
    def of(cls, values: Sequence[float], room: int) -> _Scale:
        unit = max(map(abs, values), default=0.0) or 1.0
        high, low = max([0.0, *values]) / unit, min([0.0, *values]) / unit
        zero = round(room * -low / (high - low)) if low else 0
        zero = min(max(zero, 1), room - 1) if low and high else zero
        sides = [side / share for side, share in ((zero, -low), (room - zero, high)) if share]
        return cls(unit, min(sides, default=0.0), zero)

    def draw(self, value: float) -> str:
        if not value:
            return ""
        cells = abs(value) / self.unit * self.cells
        if value > 0:
            full, eighths = divmod(max(round(cells * 8), 1), 8)
            return " " * self.zero + "█" * full + _EIGHTHS[eighths]
        full, half = divmod(max(round(cells * 2), 1), 2)
        return " " * (self.zero - full - half) + _HALF * half + "█" * full
