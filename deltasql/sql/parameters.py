"""Parameters: ``?``, ``$1``, ``:name``, ``$name``. Bound as values, never pasted as text.

A statement's placeholders are brought into one form first (``?`` to ``$n``, ``:name`` to ``$name``), so
that every later step, and every part of the statement taken alone, sees names that mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from deltasql.errors import ParseError, ProgrammingError, Span
from deltasql.names import quote
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.scan import RESERVED
from deltasql.sql.splice import Edit, Spliced, splice

Parameters = Sequence[Any] | Mapping[str, Any] | None


def table_of(parameter: str) -> str:
    """The name of the table that ``$parameter`` stands for."""
    return f"${parameter}"


def normalise(text: str, *, tables: Collection[str] = ()) -> Spliced:
    """``text`` with all its placeholders as ``$1``… or ``$name``; those of ``tables`` are names of tables, quoted.

    Raises `ParseError` where ``?`` and ``$1``, or positions and names, are mixed.
    """
    if not any(sign in text for sign in "?:$"):
        return Spliced(text, (), text)
    tokens = tokenize(text)
    edits: list[Edit] = []
    styles: dict[str, Span] = {}
    count = 0

    def written(name: str) -> str:
        return quote(table_of(name)) if name in tables else f"${name}"

    for index, token in enumerate(tokens):
        if token.text == "?" and token.kind == "parameter":
            count += 1
            edits.append(_apart(text, token.span, written(str(count))))
            styles.setdefault("`?`", token.span)
        elif token.kind == "parameter":
            if token.text[1:] in tables:
                edits.append(Edit(token.span, written(token.text[1:])))
            styles.setdefault("`$1`" if token.text[1:].isdigit() else "names", token.span)
        elif (name := _colon_name(tokens, index)) is not None:
            edits.append(_apart(text, Span(token.span.start, name.span.end), written(name.text)))
            styles.setdefault("names", token.span)
    if len(styles) > 1:
        kinds, span = " and ".join(styles), list(styles.values())[-1]
        raise ParseError(f"a statement can't mix {kinds} as parameters", span=span, statement=text)
    return splice(text, edits)


def _apart(text: str, span: Span, written: str) -> Edit:
    """``written`` in the place of ``span``, which doesn't grow together with what it stands at: ``LIMIT?``."""
    before = " " if _GROWS.fullmatch(text[span.start - 1 : span.start]) else ""
    behind = " " if _GROWS.fullmatch(text[span.end : span.end + 1]) else ""
    return Edit(span, before + written + behind)


_GROWS = re.compile(r"[\w$?]|[^\x00-\x7f]")  # Any other sign too may stand in a name of the tokenizer's.


def _colon_name(tokens: tuple[Token, ...], index: int) -> Token | None:
    """The name of ``:name`` if that starts here: a colon where an operand is due, right before a word."""
    if tokens[index].upper != ":" or index + 1 == len(tokens):
        return None
    name = tokens[index + 1]
    if name.kind != "word" or name.span.start != tokens[index].span.end:
        return None
    before = tokens[index - 1] if index else None
    ends_operand = before is not None and (
        before.kind in ("quoted", "string", "number", "parameter")
        or before.upper in (")", "]", "}")
        or (before.kind == "word" and before.upper not in RESERVED and before.span.end == tokens[index].span.start)
    )
    return None if ends_operand else name


def placeholders(text: str) -> tuple[str, ...]:
    """The distinct placeholders of a normalised text without their ``$``, in order of appearance."""
    if "$" not in text:
        return ()
    return tuple(dict.fromkeys(token.text[1:] for token in tokenize(text) if token.kind == "parameter"))


def shaped(values: Any) -> Parameters:
    """``values`` as a list or a mapping. Raises `ProgrammingError` for what is neither."""
    if values is None or isinstance(values, Mapping):
        return values
    hint = "put it in a list"
    if isinstance(values, str | bytes):
        raise ProgrammingError("parameters are a sequence or a mapping, not one string", hint=hint)
    unordered = isinstance(values, AbstractSet) or hasattr(values, "__arrow_c_stream__")
    if unordered or not isinstance(values, Iterable):
        raise ProgrammingError(f"parameters are a sequence or a mapping, not a `{type(values).__name__}`", hint=hint)
    return list(values)


def bind(text: str, values: Parameters, *, tables: Collection[str] = ()) -> dict[str, Any]:
    """The value of each placeholder of a normalised text, by name (``"1"``, ``"2"``, … for positions).

    ``tables`` are those that stand for tables, which are left out. Raises `ProgrammingError` where the number or the
    names don't match.
    """
    wanted = placeholders(text)
    if tables:
        stand = {token.text for token in tokenize(text) if token.kind == "quoted"}
        wanted += tuple(name for name in tables if table_of(name) in stand)
    bound = _bound(text, wanted, values)
    return {name: value for name, value in bound.items() if name not in tables}


def _bound(text: str, wanted: tuple[str, ...], values: Parameters) -> dict[str, Any]:
    values = shaped(values)
    if isinstance(values, Mapping):
        return _by_name(wanted, {str(name).lstrip(":$"): value for name, value in values.items()}, text)
    given = list(values or ())
    if any(not name.isdigit() for name in wanted):
        names = ", ".join(f"`{name}`" for name in wanted)
        raise ProgrammingError(f"the statement has named parameters {names}", hint="pass a mapping", statement=text)
    count = max((int(name) for name in wanted), default=0)
    if len(given) != count:
        raise ProgrammingError(f"the statement takes {_count(count)}, {len(given)} given", statement=text)
    return {name: given[int(name) - 1] for name in wanted}


def _by_name(wanted: tuple[str, ...], given: dict[str, Any], text: str) -> dict[str, Any]:
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    if missing:
        raise ProgrammingError(f"no value for the parameter `{missing[0]}`", statement=text)
    if extra:
        raise ProgrammingError(f"the statement has no parameter `{extra[0]}`", statement=text)
    return {name: given[name] for name in wanted}


def _count(number: int) -> str:
    return "no parameters" if number == 0 else "1 parameter" if number == 1 else f"{number} parameters"
