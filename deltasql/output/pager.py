"""What is longer than the screen goes to a pager; what isn't, stays on the screen.

Nothing is held beyond a screenful: from there on the rows stream into the pager.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from deltasql.output.cells import cell_width

_DEFAULT = ("less", "-RSX")


def pager_command(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """The pager that the person wants: DELTASQL_PAGER, else PAGER, else ``less``; None where it is empty or ``cat``."""
    wanted = environment.get("DELTASQL_PAGER", environment.get("PAGER"))
    if wanted is None:
        return _DEFAULT
    try:
        words = tuple(shlex.split(wanted))
    except ValueError:  # an unclosed quote
        return _DEFAULT
    return None if words in ((), ("cat",)) else words


def lines_on_screen(text: bytes, columns: int) -> int:
    """The lines of a terminal ``columns`` wide that ``text`` takes; longer lines wrap."""
    lines = text.decode(errors="replace").removesuffix("\n").split("\n")
    return sum(max(-(-cell_width(line) // max(columns, 1)), 1) for line in lines)


@dataclass(slots=True)
class Paged:
    """A place for a writer to write to. ``screen`` gets what fits ``rows`` lines; from more on, what ``page`` opens.

    `close` ends it and gives out what is held; what ``page`` opened stays open for its owner.
    """

    screen: BinaryIO
    rows: int
    columns: int
    page: Callable[[], BinaryIO]
    _held: list[bytes] = field(default_factory=list, init=False)
    _lines: int = field(default=0, init=False)
    _through: BinaryIO | None = field(default=None, init=False)

    def write(self, data: bytes) -> int:
        """Write ``data``, which begins a line of its own."""
        if self._through is not None:
            return self._through.write(data)
        held = bytes(data)  # it may be a buffer of Arrow's
        self._held.append(held)
        self._lines += lines_on_screen(held, self.columns)
        if self._lines > self.rows:
            self._through = self.page()
            self._release(self._through)
        return len(held)

    def close(self) -> None:
        """Give out what is held."""
        self._release(self.screen if self._through is None else self._through)

    def _release(self, to: BinaryIO) -> None:
        to.writelines(self._held)
        self._held = []
