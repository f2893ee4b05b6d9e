"""The notation that grammars are written in, read into a tree.

A grammar is the docstring of a parser (`deltasql.sql.parser.grammar`) or one of our `phrases`. ``WORD`` stands for
itself, ``word`` for what it names, ``'text'`` for a string, ``[a]`` for a or nothing, ``{a | b}`` for one of the
two, ``a …`` for one or more of it, ``a, …`` for some with commas between, ``WORD …`` for the statement that begins
so. Brackets that are part of the text stand for a group, whose inside is read by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword, or a symbol."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What a lower-case word names; of a string, the word in its quotes and ``quoted``."""

    name: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """``( … )``."""

    inside: Tree


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these; ``optional``: or none."""

    options: tuple[Tree, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """One or more, with commas between or nothing."""

    part: Tree
    commas: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """The statement that begins with a word, which is part of it."""

    word: str


Tree: TypeAlias = Word | Slot | Group | Sequence | Choice | Repeat | Rest

_PIECE = re.compile(r"""\w+\[S\]|\w+|'[^']*'|"[^"]*"|=>|\S""")
_CLOSE = {"[": "]", "{": "}", "(": ")"}


@cache
def read(grammar: str) -> Tree:
    """The tree of a grammar. Raises ValueError for one with a bracket too many or too few."""
    reader = _Reader(_PIECE.findall(grammar))
    tree = reader.choice("")
    if reader.pieces:
        raise ValueError(f"`{reader.pieces[-1]}` closes nothing in {grammar}")
    return tree


class _Reader:
    """The pieces of a grammar that are left, the next one last."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces[::-1]

    def choice(self, close: str) -> Tree:
        """What stands up to ``close``, which is taken too."""
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        if close and not self._take(close):
            raise ValueError(f"`{close}` is missing")
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _take(self, piece: str) -> bool:
        if self.pieces[-1:] == [piece]:
            self.pieces.pop()
            return True
        return False

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self.pieces and self.pieces[-1] not in {"|", "]", "}", ")"}:
            if self._take("…"):
                _repeat(parts)
            else:
                parts.append(self._part(self.pieces.pop()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _part(self, piece: str) -> Tree:
        if piece == "(":
            return Group(_spread(self.choice(")")))
        if piece == "{":
            return self.choice("}")
        if piece == "[":
            inside = self.choice("]")
            return Choice(inside.options if isinstance(inside, Choice) else (inside,), optional=True)
        if piece[0] in "'\"":
            return Slot(piece[1:-1], quoted=True)
        if piece.endswith("[S]"):
            return Choice((Word(piece[:-3]), Word(f"{piece[:-3]}S")))
        return Slot(piece) if piece.islower() else Word(piece)


def _repeat(parts: list[Tree]) -> None:
    """Let what stands before ``…`` be repeated: with a comma, all from where the item begins."""
    if parts[-1] != Word(","):
        last = parts.pop()
        parts.append(Rest(last.text) if isinstance(last, Word) else Repeat(last, commas=False))
        return
    parts.pop()
    first = len(parts) - 1
    for index, part in reversed(list(enumerate(parts))):
        if isinstance(part, Slot) and (index == 0 or isinstance(parts[index - 1], Word | Choice)):
            first = index
            break
        if part == Word(","):
            break
    item = Sequence(tuple(parts[first:])) if first < len(parts) - 1 else parts[first]
    parts[first:] = [Repeat(item, commas=True)]


def _spread(inside: Tree) -> Tree:
    """``(a | B, …)`` is some of either."""
    if isinstance(inside, Choice) and isinstance(last := inside.options[-1], Repeat) and last.commas:
        return Repeat(Choice((*inside.options[:-1], last.part), inside.optional), commas=True)
    return inside
