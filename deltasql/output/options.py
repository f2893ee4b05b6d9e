"""How results are to be shown."""

from __future__ import annotations

from dataclasses import dataclass

_TERMINAL_ROWS = 100
_TERMINAL_TAIL = 20


@dataclass(frozen=True, slots=True)
class Options:
    """How the formats for people look: table, vertical, markdown, html and bars. The others write all there is.

    ``limit``: the rows shown (None: all). ``tail``: how many of these are the last ones; without, nothing behind the
    limit is read, with it everything is read and counted. ``null``: how NULL looks. ``width``: the terminal's
    columns, or None where lines may be of any length. ``types``: a table's names have their types below.
    ``started``: when the statement began (`time.perf_counter`), for a footer that says how long it took.
    """

    limit: int | None = None
    tail: int = 0
    null: str = "NULL"
    width: int | None = None
    types: bool = False
    started: float | None = None


def on_terminal(columns: int, *, started: float | None = None) -> Options:
    """What suits a terminal of so many columns: the first and the last rows of a large result, and their types."""
    return Options(limit=_TERMINAL_ROWS, tail=_TERMINAL_TAIL, width=columns, types=True, started=started)
