r"""Text in the cells of a terminal.

Data is shown, never obeyed: a character that could move the cursor, start an escape sequence or turn the direction
of the text is written as ``\n``, ``\x1b``, ``\u202e``.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"
UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
"""What a terminal would act on, as a pattern for `re` and for RE2."""

_UNSAFE = re.compile(UNSAFE)
_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def escaped(text: str) -> str:
    """``text`` with every character that a terminal would act on written out."""
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def cell_width(text: str) -> int:
    """The cells that ``text`` takes: two for a wide character, none for a combining one."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with ``…`` where it was longer."""
    return text if cell_width(text) <= width else set_cell_size(text, width - 1) + ELLIPSIS


def padded(text: str, width: int, *, to_right: bool = False) -> str:
    """``text`` with blanks up to ``width`` cells, behind it or, ``to_right``, before it."""
    blank = " " * (width - cell_width(text))
    return blank + text if to_right else text + blank


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
