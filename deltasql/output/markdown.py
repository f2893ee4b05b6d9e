"""A table as GitHub's Markdown has it; what would be markup is escaped, a new line is ``<br>``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from deltasql.output.cells import UNSAFE, escaped
from deltasql.output.excerpt import LEFT_OUT, Excerpt
from deltasql.output.lines import chunks, concat, joined, rewritten
from deltasql.output.options import Options
from deltasql.output.text import is_number, texts

if TYPE_CHECKING:
    import pyarrow as pa

_NEEDY = r"[\\`*_\[<&~|]|" + UNSAFE
# An underscore within a word marks nothing up: order_id stays readable.
_MARKUP = re.compile(r"[\\`*\[<&~|]|(?<![^\W_])_|_(?![^\W_])")


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, options: Options) -> None:
    """Write the rows that ``options`` asks for, and a line that counts them where rows were left out."""
    if not schema.names:
        return
    header = _line(map(_cell, schema.names))
    header += _line("---:" if is_number(field.type) else "---" for field in schema)
    excerpt = Excerpt(batches, options)
    last = 0
    for start, rows in excerpt.pieces():
        out.write(header.encode())
        header = ""
        if start > last:
            out.write(_line([LEFT_OUT] * len(schema)).encode())
        last = start + rows.num_rows
        for chunk in chunks([rows]):
            cells = [rewritten(texts(column), _NEEDY, _cell).fill_null(options.null) for column in chunk.columns]
            out.write(joined(concat("| ", concat(*cells, separator=" | "), " |"), "\n"))
            out.write(b"\n")
    out.write(header.encode())
    if excerpt.is_partial():
        out.write(f"\n{excerpt.footer()}\n".encode())


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    return "<br>".join(_MARKUP.sub(r"\\\g<0>", escaped(line)) for line in lines)
