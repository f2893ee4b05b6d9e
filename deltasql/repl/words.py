"""Words for people: stderr, in colours where somebody would see them. Used by the prompt and by the command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

_COLOURS = {"error": "1;31", "culprit": "31", "hint": "36", "margin": "2"}


def say(pieces: Iterable[tuple[str, str]]) -> None:
    """Write pieces of styled text (`deltasql.output.failure.Piece`) to stderr."""
    coloured = _is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    words = (
        f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if coloured and style in _COLOURS else text for style, text in pieces
    )
    with suppress(OSError, AttributeError):  # nobody listens
        sys.stderr.write("".join(words))
        sys.stderr.flush()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
