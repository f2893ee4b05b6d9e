"""csv and tsv, as RFC 4180 has them: a header, LF, and quotes only where a value needs them.

NULL is an empty field and an empty string ``""``, so the two stay apart. Blanks at the ends of a value are
part of it and need no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.output.lines import chunks, concat, joined, text_array
from deltasql.output.options import Options
from deltasql.output.text import texts


@dataclass(frozen=True, slots=True)
class Style:
    """How values stand in lines: what separates and encloses them (a character each), how NULL reads."""

    delimiter: str = ","
    quote: str = '"'
    null: str = ""
    header: bool = True


def write_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write the rows with commas between the fields."""
    write_delimited(schema, batches, out, Style())


def write_tsv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write the rows with tabs between the fields."""
    write_delimited(schema, batches, out, Style("\t"))


def write_delimited(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, style: Style) -> None:
    """Write the rows in a style of one's own."""
    if not schema.names:
        return
    header = b""
    if style.header:
        header = joined(_quoted(text_array(schema.names), style), style.delimiter).to_pybytes() + b"\n"
    for batch in chunks(batches):
        fields = [_quoted(texts(column), style) for column in batch.columns]
        out.write(header)  # not before there are rows: a query that fails at once writes nothing
        out.write(joined(concat(*fields, separator=style.delimiter, null=style.null), "\n"))
        out.write(b"\n")
        header = b""
    out.write(header)


def _quoted(text: pa.Array, style: Style) -> pa.Array:
    """``text`` with quotes round the values that would read as something else without."""
    quote, signs = style.quote, re.escape(style.quote + style.delimiter)
    needy = pc.match_substring_regex(text, rf"^$|[\r\n{signs}]")
    if style.null:
        needy = pc.or_(needy, pc.equal(text, pa.scalar(style.null, text.type)))
    if not pc.any(needy).as_py():
        return text
    return pc.if_else(needy, concat(quote, pc.replace_substring(text, quote, quote * 2), quote), text)
