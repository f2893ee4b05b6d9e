"""Suggestions, and how what was typed picks those that fit: by its beginning, else by any part of a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deltasql.names import fold
from deltasql.repl.known import Named, Names
from deltasql.repl.place import Typed


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``text`` takes the place of the ``length`` characters before the cursor; ``what`` says what it is."""

    text: str
    length: int
    what: str


def at_word(typed: Typed, text: str, what: str) -> Suggestion:
    """``text`` in the place of the typed word, and of the quote that it began with."""
    return Suggestion(text, typed.length, what)


def fitting(
    typed: Typed, candidates: Iterable[tuple[str, str]], *, keyword: bool = False, lower: bool = False
) -> list[Suggestion]:
    """Those of the candidates, each with what it is, that begin as the typed word; keywords in its case."""
    word = fold(typed.text)
    lower = keyword and (lower or typed.text.islower())
    return [
        at_word(typed, text.lower() if lower else text, what)
        for text, what in candidates
        if fold(text).startswith(word)
    ]


def of_table(typed: Typed, candidates: Sequence[Named]) -> list[Suggestion]:
    """Those that begin as the typed name, with what qualifies it, does; if none does, those that hold it.

    In a string, a name stands without quotes of its own.
    """
    start = typed.qualifier[0].span.start if typed.qualifier else typed.start
    length = typed.start + typed.length - start - (typed.quote == "'")
    word = fold("".join(token.text for token in typed.qualifier) + typed.text)
    found = [
        Suggestion(next(text for folded, text in one.forms if folded.startswith(word)), length, one.kind)
        for one in candidates
        if any(folded.startswith(word) for folded, _ in one.forms)
    ]
    if found or len(word) < 2:
        return found
    return [Suggestion(one.text, length, one.kind) for one in candidates if word in one.forms[0][0]]


def paths(typed: Typed, names: Names) -> list[Suggestion]:
    """The paths that begin as the typed string; a folder's stays open, so that one can go on."""
    if not typed.quote and typed.text:
        return []
    return [
        at_word(typed, "'" + path.replace("'", "''") + ("" if path.endswith("/") else "'"), "path")
        for path in names.paths(typed.text)
    ]
