"""csv and tsv, as RFC 4180 has them: a header, LF, and quotes only where a value needs them.

NULL is an empty field and an empty string ``""``, so the two stay apart. Blanks at the ends of a value are
part of it and need no quotes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from deltasql.output.lines import chunks, concat, joined, text_array
from deltasql.output.options import Options
from deltasql.output.text import texts


def write_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write the rows with commas between the fields."""
    _write(schema, batches, out, ",")


def write_tsv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, _options: Options) -> None:
    """Write the rows with tabs between the fields."""
    _write(schema, batches, out, "\t")


def _write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], out: BinaryIO, delimiter: str) -> None:
    if not schema.names:
        return
    header = joined(_quoted(text_array(schema.names), delimiter), delimiter).to_pybytes() + b"\n"
    for batch in chunks(batches):
        fields = [_quoted(texts(column), delimiter) for column in batch.columns]
        out.write(header)  # not before there are rows: a query that fails at once writes nothing
        out.write(joined(concat(*fields, separator=delimiter, null=""), "\n"))
        out.write(b"\n")
        header = b""
    out.write(header)


def _quoted(text: pa.Array, delimiter: str) -> pa.Array:
    """``text`` with quotes round the values that would read as something else without."""
    needy = pc.match_substring_regex(text, rf'^$|["\r\n{delimiter}]')
    if not pc.any(needy).as_py():
        return text
    return pc.if_else(needy, concat('"', pc.replace_substring(text, '"', '""'), '"'), text)
