"""How data files are written: the session's settings and the table's properties, as our own files go by them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deltasql.settings import Settings, file_size
from deltasql.write.files import FileSettings

_DEFAULT_SIZE = 128 << 20


def file_settings(settings: Settings, properties: Mapping[str, str]) -> FileSettings:
    """How our own files of a table with ``properties`` are written."""
    chosen = settings["deltasql.write.target_file_size"]
    target = chosen.bytes if chosen is not None else _own_size(properties.get("delta.targetFileSize"))
    return FileSettings(
        compression=settings["deltasql.write.compression"],
        target_file_size=target,
        row_group_rows=settings["deltasql.write.row_group_rows"],
    )


def optimized_size(settings: Settings, properties: Mapping[str, str]) -> int:
    """The bytes that OPTIMIZE and REORG bring files of a table with ``properties`` to."""
    chosen = settings["deltasql.optimize.target_file_size"]
    return chosen.bytes if chosen is not None else file_settings(settings, properties).target_file_size


def _own_size(text: str | None) -> int:
    """The bytes that a table's ``delta.targetFileSize`` says (``104857600``, ``100mb``); the default for none."""
    if text is None:
        return _DEFAULT_SIZE
    plain = re.sub(r"(?i)(\d)\s*b(ytes)?$", r"\1", text.strip())
    try:
        found = file_size(plain)
    except ValueError:
        return _DEFAULT_SIZE
    return found.bytes if found is not None else _DEFAULT_SIZE
