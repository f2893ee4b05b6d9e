"""Arrow to bytes: one module per format, and the table of them.

A writer streams: it holds one batch at a time, except for the table, whose layout needs the widths of
all the rows that it shows. A result without columns writes nothing, in any format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

import pyarrow as pa

from deltasql.output import delimited, json, table
from deltasql.output.options import Options

Writer = Callable[[pa.Schema, Iterable[pa.RecordBatch], BinaryIO, Options], None]

FORMATS: dict[str, Writer] = {
    "table": table.write,
    "csv": delimited.write_csv,
    "tsv": delimited.write_tsv,
    "json": json.write,
    "jsonl": json.write_lines,
}

__all__ = ["FORMATS", "Options", "Writer"]
