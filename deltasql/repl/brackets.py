"""The bracket at the cursor and the one that belongs to it, by the tokens: those in strings and comments are none."""

from __future__ import annotations

from prompt_toolkit.application.current import get_app
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from deltasql.errors import ParseError
from deltasql.repl.reading import is_command
from deltasql.sql.dialect import Token, tokenize

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSE = frozenset(_PAIRS.values())
_LONG = 50_000  # characters; each key stroke reads the whole text


def brackets(text: str, cursor: int) -> tuple[int, int] | None:
    """The places of the bracket at ``cursor``, or else just before it, and of its partner; None if there isn't one."""
    near = text[max(cursor - 1, 0) : cursor + 1]
    if len(text) > _LONG or is_command(text) or not any(mark in near for mark in (*_PAIRS, *_CLOSE)):
        return None
    tokens = _tokens(text)
    partner: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    for token in tokens:
        place = token.span.start
        if token.upper in _PAIRS:
            opened.append((_PAIRS[token.upper], place))
        elif token.upper in _CLOSE and opened and opened[-1][0] == token.upper:
            _, other = opened.pop()
            partner |= {place: other, other: place}
    return next(((place, partner[place]) for place in (cursor, cursor - 1) if place in partner), None)


def _tokens(text: str) -> tuple[Token, ...]:
    """The tokens of ``text``, up to what is not closed."""
    try:
        return tokenize(text)
    except ParseError as error:
        return _tokens(text[: error.span.start]) if error.span is not None and error.span.start else ()


class BracketProcessor(Processor):
    """prompt_toolkit's view of `brackets`."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """The line with its part of the pair marked; no longer once the text is sent."""
        document = transformation_input.document
        pair = None if get_app().is_done else brackets(document.text, document.cursor_position)
        if pair is None:
            return Transformation(transformation_input.fragments)
        fragments = explode_text_fragments(transformation_input.fragments)
        for place, which in zip(pair, ("cursor", "other"), strict=True):
            line, column = document.translate_index_to_position(place)
            column = transformation_input.source_to_display(column)
            if line == transformation_input.lineno and column < len(fragments):
                style, text, *_ = fragments[column]
                fragments[column] = (f"{style} class:matching-bracket.{which}", text)
        return Transformation(fragments)
