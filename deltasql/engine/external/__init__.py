"""Files that are no Delta table, as tables: what stands behind `read_parquet`, `read_csv` and `read_json`.

The files, their columns and types are found out here, at planning; DataFusion reads exactly those files. Files
whose columns differ are put together by name, a column that one lacks being NULL there.
"""

from __future__ import annotations

from deltasql.engine.external.files import find, is_hidden
from deltasql.engine.external.options import OPTIONS, Option, character, options_of
from deltasql.engine.external.table import External, external

__all__ = ["OPTIONS", "External", "Option", "character", "external", "find", "is_hidden", "options_of"]
