"""How results are to be shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How a table looks.

    ``limit``: the rows shown (None: all). ``null``: how NULL looks. ``width``: the terminal's columns, or None
    where lines may be of any length.
    """

    limit: int | None = None
    null: str = "NULL"
    width: int | None = None
