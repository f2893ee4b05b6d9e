"""A record below the other, for wide rows: a line per column, and nothing is cut.

A value of several lines keeps them, each behind the margin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from deltasql.output.cells import cell_width, escaped, padded
from deltasql.output.excerpt import LEFT_OUT, Excerpt
from deltasql.output.lines import chunks
from deltasql.output.options import Options
from deltasql.output.text import texts

if TYPE_CHECKING:
    import pyarrow as pa

_RULE_WIDTH = 40


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write the rows that ``options`` asks for as records, and a line that counts them."""
    if not schema.names:
        return
    names = [escaped(name) for name in schema.names]
    margin = max(map(cell_width, names))
    names = [padded(name, margin) for name in names]
    excerpt = Excerpt(batches, options)
    last = 0
    for start, rows in excerpt.pieces():
        lines = [LEFT_OUT] if start > last else []
        last = start
        for chunk in chunks([rows]):
            columns = [texts(column).to_pylist() for column in chunk.columns]
            for record in zip(*columns, strict=True):
                last += 1
                lines.append(f"─[ {last} ]".ljust(min(options.width or _RULE_WIDTH, _RULE_WIDTH), "─"))
                for name, value in zip(names, record, strict=True):
                    lines += _field(name, options.null if value is None else value)
            out.write("".join(line + "\n" for line in lines).encode())
            lines = []
    out.write(f"{excerpt.footer()}\n".encode())


def _field(name: str, value: str) -> list[str]:
    first, *others = value.replace("\r\n", "\n").split("\n")
    blank = " " * cell_width(name)
    return [f"{name} │ {escaped(first)}".rstrip(" "), *(f"{blank} │ {escaped(line)}".rstrip(" ") for line in others)]
