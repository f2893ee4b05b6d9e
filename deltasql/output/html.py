"""A table for a browser and a notebook; everything in it is text, whatever it looks like.

It begins with its character set and its style, so that it can stand alone as a file as well as within a page.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, BinaryIO

from deltasql.output.cells import UNSAFE, escaped
from deltasql.output.excerpt import LEFT_OUT, Excerpt
from deltasql.output.lines import chunks, concat, joined, rewritten
from deltasql.output.options import Options
from deltasql.output.text import is_number, texts

if TYPE_CHECKING:
    import pyarrow as pa

_OPENING = """\
<meta charset="utf-8">
<style>
.deltasql{border-collapse:collapse}
.deltasql :is(th,td){border:1px solid #8884;padding:.2em .6em;text-align:left;vertical-align:top;white-space:pre-wrap}
.deltasql .n{text-align:right}
</style>
<table class="deltasql">
"""
_CLOSING = "</tbody>\n</table>\n"


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write the rows that ``options`` asks for, and a line that counts them where rows were left out."""
    if not schema.names:
        return
    classes = [' class="n"' if is_number(field.type) else "" for field in schema]
    names = "".join(f"<th{of}>{_cell(name)}</th>" for of, name in zip(classes, schema.names, strict=True))
    opening = f"{_OPENING}<thead>\n<tr>{names}</tr>\n</thead>\n<tbody>\n"
    null = f"<i>{_cell(options.null)}</i>"
    excerpt = Excerpt(batches, options)
    last = 0
    for start, rows in excerpt.pieces():
        out.write(opening.encode())
        opening = ""
        if start > last:
            out.write(f"<tr>{f'<td>{LEFT_OUT}</td>' * len(schema)}</tr>\n".encode())
        last = start + rows.num_rows
        for chunk in chunks([rows]):
            parts: list[pa.Array | str] = ["<tr>"]
            for of, column in zip(classes, chunk.columns, strict=True):
                cells = rewritten(texts(column), r"[&<>]|" + UNSAFE, _cell).fill_null(null)
                parts += [f"<td{of}>", cells, "</td>"]
            out.write(joined(concat(*parts, "</tr>"), "\n"))
            out.write(b"\n")
    out.write((opening + _CLOSING).encode())
    if excerpt.is_partial():
        out.write(f"<p>{excerpt.footer()}</p>\n".encode())


def _cell(text: str) -> str:
    lines = escape(text, quote=False).replace("\r\n", "\n").split("\n")
    return "<br>".join("\t".join(map(escaped, line.split("\t"))) for line in lines)
