"""Arrow to bytes: one module per format, and the table of them.

A writer streams: it holds no more than a batch, the rows that a table is measured by, or a row group. A result without
columns writes nothing, in any format. Text is UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

import pyarrow as pa

from deltasql.output import arrow, bars, delimited, html, json, markdown, table, vertical
from deltasql.output.options import Options, on_terminal

Writer = Callable[[pa.Schema, Iterable[pa.RecordBatch], BinaryIO, Options], None]

FORMATS: dict[str, Writer] = {
    "table": table.write,
    "csv": delimited.write_csv,
    "tsv": delimited.write_tsv,
    "json": json.write,
    "jsonl": json.write_lines,
    "markdown": markdown.write,
    "vertical": vertical.write,
    "html": html.write,
    "bars": bars.write,
    "arrow": arrow.write,
    "parquet": arrow.write_parquet,
}

__all__ = ["FORMATS", "Options", "Writer", "on_terminal"]
