"""An error in words: its message, the culprit's line underlined, and the hint.

    error: no table `ordrs`
      2 | FROM ordrs
        |      ^^^^^
    hint: did you mean `orders`?

Given as pieces of styled text, so that the command and the prompt each colour them in their own way.
"""

from __future__ import annotations

from deltasql.errors import Error, Span
from deltasql.output.cells import ELLIPSIS, cell_width, cut, escaped

Piece = tuple[str, str]
"""A style (``error``, ``hint``, ``margin``, ``culprit`` or none) and text that may end lines."""

_BEFORE = 60
_CULPRIT = 80
_AFTER = 40


def pieces(error: Error) -> list[Piece]:
    """The lines of ``error``, each ended by a newline, safe for a terminal."""
    words: list[Piece] = [("error", "error: "), ("", _safe(error.message) + "\n")]
    if error.statement is not None and error.span is not None:
        words += _culprit(error.statement, error.span)
    if error.hint is not None:
        words += [("hint", "hint: "), ("", _safe(error.hint) + "\n")]
    return words


def _culprit(statement: str, span: Span) -> list[Piece]:
    number, column = span.position(statement)
    line = statement.split("\n")[number - 1]
    culprit = line[column - 1 : column - 1 + span.end - span.start]
    before, marked, after = _shown(line[: column - 1]), _shown(culprit), _shown(line[column - 1 + len(culprit) :])
    if cell_width(before) > _BEFORE:
        before = ELLIPSIS + before[-_BEFORE:]
    marked = cut(marked, _CULPRIT)
    margin = f"  {number} | "
    carets = "^" * max(1, cell_width(marked))
    return [
        ("margin", margin),
        ("", before),
        ("culprit", marked),
        ("", cut(after, _AFTER).rstrip() + "\n"),
        ("margin", " " * (len(margin) - 2) + "| "),
        ("culprit", " " * cell_width(before) + carets + "\n"),
    ]


def _shown(text: str) -> str:
    return escaped(text.replace("\t", "    ").rstrip("\r"))


def _safe(text: str) -> str:
    return "\n".join(map(escaped, text.splitlines()))
