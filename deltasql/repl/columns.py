"""Suggestions of columns, fields of structs, and conditions of joins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from deltasql.names import fold
from deltasql.repl.known import Column, written_name
from deltasql.repl.offer import Suggestion, at_word
from deltasql.repl.place import Place
from deltasql.repl.relations import Seen, Visible

_CONDITIONS = 8


def column_suggestions(here: Place, relations: Sequence[Visible]) -> list[Suggestion]:
    """The columns that may stand at a place; one that several relations have comes with the name of each."""
    typed = here.typed
    if typed.qualifier:
        parts = [token.text for token in typed.qualifier if token.upper != "."]
        return _fitting(here, [(written_name(column.name), column) for column in _qualified(relations, parts)])
    often = Counter(name for one in relations for name in {fold(column.name) for column in one.columns})
    offered = []
    for one in relations:
        for column in one.columns:
            written = written_name(column.name)
            doubtful = often[fold(column.name)] > 1 and one.name and not typed.quote
            offered.append((f"{written_name(one.name)}.{written}" if doubtful else written, column))
    found = _fitting(here, offered)
    if not typed.text or typed.quote:
        return found
    aliases = [one.name for one in relations if one.name and fold(one.name).startswith(fold(typed.text))]
    return found + [at_word(typed, f"{written_name(name)}.", "table") for name in dict.fromkeys(aliases)]


def join_suggestions(here: Place, looking: Seen) -> list[Suggestion]:
    """Equalities of the columns that the relation joined last shares with those before it."""
    if len(looking.relations) < 2:
        return []
    *others, last = looking.relations
    found = []
    for one in others:
        there = {fold(column.name): column.name for column in one.columns}
        for column in last.columns:
            if one.name and last.name and (name := there.get(fold(column.name))) is not None:
                left = f"{written_name(one.name)}.{written_name(name)}"
                found.append(f"{left} = {written_name(last.name)}.{written_name(column.name)}")
    return [at_word(here.typed, text, "join") for text in found[:_CONDITIONS]]


def _fitting(here: Place, offered: Sequence[tuple[str, Column]]) -> list[Suggestion]:
    """Those that begin as what is typed; if none does, those that hold it."""
    word = fold(here.typed.text)
    found = [one for one in offered if fold(one[1].name).startswith(word)]
    if not found and len(word) > 1:
        found = [one for one in offered if word in fold(one[1].name)]
    return [at_word(here.typed, text, column.type or "column") for text, column in found]


def _qualified(relations: Sequence[Visible], parts: list[str]) -> Iterator[Column]:
    """The columns behind ``relation.`` (``schema.relation.``), or the fields behind ``[relation.]column.``."""
    for index, part in enumerate(parts):
        for one in relations:
            if one.name and fold(one.name) == fold(part):
                yield from _fields(one.columns, parts[index + 1 :])
                return
    for one in relations:
        yield from _fields(one.columns, parts)


def _fields(columns: Sequence[Column], path: list[str]) -> Sequence[Column]:
    for part in path:
        columns = next((column.fields for column in columns if fold(column.name) == fold(part)), ())
    return columns
