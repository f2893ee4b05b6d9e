from __future__ import annotations

import io
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deltasql.output import FORMATS, Options

if TYPE_CHECKING:
    import pyarrow as pa


@pytest.fixture(scope="session")
def hard_rows() -> pa.Table:
    rows: pa.Table = runpy.run_path(str(Path(__file__).with_name("rows.py")))["hard_rows"]()
    return rows


@pytest.fixture(scope="session")
def written() -> Callable[..., str]:
    """The rows in a format, as text."""

    def write(format: str, rows: pa.Table, *, batch_rows: int | None = None, **options: object) -> str:
        out = io.BytesIO()
        batches = rows.to_batches(max_chunksize=batch_rows)
        FORMATS[format](rows.schema, batches, out, Options(**options))  # type: ignore[arg-type]
        return out.getvalue().decode()

    return write
