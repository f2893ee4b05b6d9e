"""Texts that are nearly SQL, and what must hold of any text whatever: for hypothesis, for long runs and for atheris.

`mangled` makes a text from true statements (those of the .slt files) and chance; `check` raises AssertionError, or
lets through what isn't one of our errors, where a property is broken.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from deltasql.errors import Error, Span
from deltasql.names import TableReference
from deltasql.repl.brackets import brackets
from deltasql.repl.highlight import styled
from deltasql.repl.known import Column, Names, named
from deltasql.repl.reading import is_command, needs_more
from deltasql.repl.suggest import suggest
from deltasql.sql.functions import FunctionCall
from deltasql.sql.parameters import normalise, placeholders
from deltasql.sql.parser import PARSERS, parse, split
from deltasql.sql.rewrite import Binding, rewrite
from deltasql.sql.splice import Spliced
from deltasql.sql.statements import Explain, Fragment, Query, Statement

_SLT = Path(__file__).parents[1] / "slt"
_ODD = (
    "'", '"', "`", "''", '""', "$", "$$", "$a$", "--", "/*", "*/", ";", "(", ")", "[", "]", "{", "}", "<", ">", ",", ".", "..", "::",
    ":", "?", "$1", ":x", "=>", "->", "@v1", "\\", "\x00", "\n", "\r", "\t", "\u2028", "\u00a0", "é", "ß", "İ", "😀", "\ud7ff", "-1", "1e",
    "0x", "x'0'", "X'GG'", "e'\\'", "1.2.3", "9" * 40, "NULL", "AS", "FROM", "SELECT", "WITH", "t", "a", "IN", "BETWEEN", "VERSION AS OF",
    "TIMESTAMP AS OF", "main.default.t", "delta.`/x`", "'/x'", "|>", "~", "#", "%", "^", "&", "|", "!", "!=", "<=>", "*",
)  # fmt: skip


@cache
def statements() -> tuple[str, ...]:
    """The statements of the .slt files, those that fail too; none is long."""
    found = []
    for path in sorted(_SLT.rglob("*.slt")):
        for record in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            head, _, body = record.partition("\n")
            if head.startswith(("statement", "query")):
                text = body.partition("\n----")[0]
                if text and len(text) < 600:
                    found.append(text)
    return tuple(dict.fromkeys(found))


_PIECE = re.compile(r"\w+|\s+|'(?:[^']|'')*'|.", re.DOTALL)


def mangled(r: random.Random) -> str:
    """A true statement with some of its pieces gone, doubled, swapped or replaced; or pieces of several, or of none."""
    seeds = statements()
    pieces = _PIECE.findall(r.choice(seeds))
    if r.random() < 0.15:
        pieces = [r.choice((r.choice(_ODD), " ", r.choice(r.choice(tuple(PARSERS))))) for _ in range(r.randrange(20))]
    for _ in range(r.choice((0, 1, 1, 2, 3, 8))):
        at = r.randrange(len(pieces) + 1)
        end = min(len(pieces), at + r.choice((1, 1, 2, 5)))
        match r.randrange(8):
            case 0:
                del pieces[at:end]
            case 1:
                pieces[at:at] = pieces[at:end]
            case 2:
                pieces.insert(at, r.choice(_ODD))
            case 3:
                pieces[at:end] = [r.choice(_ODD)]
            case 4:
                other = _PIECE.findall(r.choice(seeds))
                start = r.randrange(len(other) + 1)
                pieces[at:end] = other[start : start + r.choice((1, 3, 10))]
            case 5:
                del pieces[at:]
            case 6:
                pieces[at:end] = reversed(pieces[at:end])
            case _:
                pieces[at:at] = [chr(r.choice((r.randrange(128), r.randrange(0xD7FF))))]
    return "".join(pieces)


def check(text: str, r: random.Random) -> None:
    """What must hold of every text."""
    _check_split(text)
    normalised = _check_parameters(text)
    if normalised is not None:
        statement = _check_parse(normalised)
        if isinstance(statement, Query):
            _check_rewrite(statement.text)
    _check_prompt(text, r)


def _within(span: Span, text: str) -> bool:
    return 0 <= span.start <= span.end <= len(text)


def _check_error(error: Error, text: str) -> None:
    assert error.message
    assert "\n" not in error.message or "\n" in text, error.message
    assert error.span is None or _within(error.span, text), error.span
    str(error)


def _check_split(text: str) -> None:
    try:
        spans = list(split(text))
    except Error as error:
        _check_error(error, text)
        return
    end = 0
    for span in spans:
        assert end <= span.start < span.end <= len(text)

        end = span.end
        alone = span.of(text)
        assert list(split(alone)) == [Span(0, len(alone))], alone
    joined = "\n;\n".join(span.of(text) for span in spans)
    assert [span.of(joined) for span in split(joined)] == [span.of(text) for span in spans]


def _check_splice(spliced: Spliced, original: str) -> None:
    """All that no edit covers is there as it was, in order; each place is found again."""
    assert spliced.original == original
    whole = original
    if spliced.before is not None:  # The edits were made to a text that was edited before.
        _check_splice(spliced.before, original)
        original = spliced.before.text
    position, parts = 0, []
    for edit in spliced.edits:
        assert position <= edit.span.start <= edit.span.end <= len(original)
        parts += [original[position : edit.span.start], edit.text]
        position = edit.span.end
    assert "".join([*parts, original[position:]]) == spliced.text
    for place in {0, len(spliced.text) // 2, len(spliced.text)}:
        assert _within(spliced.original_span(Span(place, place)), whole)


def _check_parameters(text: str) -> str | None:
    try:
        spliced = normalise(text)
        placeholders(spliced.text)
    except Error as error:
        _check_error(error, text)
        return None
    _check_splice(spliced, text)
    again = normalise(spliced.text)
    assert again.text == spliced.text
    return spliced.text


def _check_parse(text: str) -> Statement | None:
    try:
        statement = parse(text)
    except Error as error:
        _check_error(error, text)
        return None
    for part, whole in _parts(statement, text):
        if isinstance(part, Fragment):
            assert _within(part.span, whole)
            assert part.span.of(whole) == part.sql, part
        span = getattr(part, "span", None)
        assert span is None or _within(span, whole), part
    hash(statement)
    return statement


def _parts(value: Any, text: str) -> Iterator[tuple[Any, str]]:
    """The dataclasses in ``value``, each with the text that its span is in."""
    if dataclasses.is_dataclass(value):
        yield value, text
        if isinstance(value, Explain):
            text = value.statement.text
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name), text)
    elif isinstance(value, tuple):
        for each in value:
            yield from _parts(each, text)


_COLUMNS = {"a": {}, "B": {}, "id": {}, "st": {"X": {}, "y": {}}, "Total Sum": {}}


def _bind(wanted: TableReference | FunctionCall) -> Binding | None:
    if isinstance(wanted, FunctionCall):
        return Binding(("main", "/functions", wanted.name), _COLUMNS, wanted.name, "/functions")
    pinned = None if wanted.as_of is None else f"{wanted.name}@v1"
    return Binding(("main", "default", wanted.name), _COLUMNS, pinned)


def _check_rewrite(text: str) -> None:
    try:
        rewritten = rewrite(text, _bind)
    except Error as error:
        _check_error(error, text)
        return
    _check_splice(rewritten.spliced, text)
    # It is still one statement, with the same parameters.
    assert len(list(split(rewritten.text))) == 1, rewritten.text
    assert set(placeholders(rewritten.text)) <= set(placeholders(text))


_HOME = ("main", "default")
_NAMES = Names(
    tables=[named(("main", "default", "t"), _HOME), named(("main", "s", "Odd name"), _HOME), named(("o", "s", "v"), _HOME, "view")],
    schemas=["default", "s", "o.s"],
    catalogs=["main", "o"],
    functions=[],
    settings=[],
    columns=lambda table: (Column("a", "INT"), Column("st", "STRUCT<x: INT>", (Column("x", "INT"),))),
    versions=lambda table: (),
    paths=lambda start: [start + "x/"],
)  # fmt: skip


def _check_prompt(text: str, r: random.Random) -> None:
    assert "".join(part for _, part in styled(text)) == text
    needs_more(text)
    is_command(text)
    cursor = r.randrange(len(text) + 1)
    pair = brackets(text, cursor)
    assert pair is None or all(text[place] in "()[]{}" for place in pair)
    for one in suggest(text, cursor, _NAMES):
        assert 0 <= one.length <= cursor


_FAR = re.compile(
    r"COPY|LOCATION|ATTACH|CONVERT|read_|/|RESET|memory_limit|threads|range|generate_series|repeat|VACUUM|pad\(",
    re.IGNORECASE,
)


def is_far_reaching(text: str) -> bool:
    """True for what could write outside the root, or compute for hours."""
    return _FAR.search(text) is not None
