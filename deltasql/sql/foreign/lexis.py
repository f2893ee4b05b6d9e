"""The lexical rules of another engine: its text brought into ours token by token, all else left where it is.

Statements are then read by the one parser; the queries and expressions in them are read again, by sqlglot, from the
text as it was. Only subclasses of ``Dialect`` and ``Tokenizer`` work in both builds of sqlglot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from deltasql.errors import ParseError, Span
from deltasql.names import quote
from deltasql.names import text as quoted
from deltasql.sql.splice import Edit, Spliced, splice


class Printed(Dialect):
    """DataFusion's dialect, as far as a tree's printing depends on it: where NULLs are sorted by default."""

    NULL_ORDERING = "nulls_are_large"
    INDEX_OFFSET = 0


@cache
def foreign(name: str) -> Dialect:
    """Sqlglot's dialect ``name``, with real tokens for all statements and with indexes as they were written."""
    base = type(Dialect.get_or_raise(name))
    tokenizer = type("Tokenizer", (base.tokenizer_class,), {"COMMANDS": set()})
    made = type(f"Foreign{name}", (base,), {"Tokenizer": tokenizer, "INDEX_OFFSET": 0})
    return made()  # type: ignore[no-any-return]


_STRINGS = {
    TokenType.STRING,
    TokenType.NATIONAL_STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.UNICODE_STRING,
}
_COMMENT = re.compile(r"\S")


def lexed(text: str, dialect: str) -> Spliced:
    """``text`` with its strings, quoted names and comments in our spelling (comments as blanks).

    Raises `ParseError` where a string, a name or a comment isn't closed.
    """
    return splice(text, _edits(text, dialect))


def tokens(text: str, dialect: str) -> list[Token]:
    """The tokens of ``text``. Raises `ParseError` as `lexed` does."""
    try:
        return foreign(dialect).tokenize(text)
    except TokenError as error:
        span = Span(0, len(text))
        message = f"a string, a quoted name or a comment of {dialect}'s SQL is not closed"
        raise ParseError(message, span=span, statement=text) from error


def _edits(text: str, dialect: str) -> Iterator[Edit]:
    position = 0
    for token in tokens(text, dialect):
        start, end = token.start, token.end + 1
        if start < position:  # A part of the token before: the suffix of a number.
            continue
        yield from _blanked(text, position, start)
        position = end
        written = text[start:end]
        if token.token_type in _STRINGS:
            ours = quoted(token.text)
        elif token.token_type == TokenType.IDENTIFIER:
            ours = written if written[0] in '"`' and not _is_escaped(written) else quote(token.text)
        else:
            continue
        if ours != written:
            yield Edit(Span(start, end), ours)
    yield from _blanked(text, position, len(text))


def _is_escaped(written: str) -> bool:
    """True if a quoted name may hold an escape that isn't a doubled quote."""
    return "\\" in written


def _blanked(text: str, start: int, end: int) -> Iterator[Edit]:
    """Blanks for what stands between two tokens: comments, and semicolons' kin that give no token."""
    between = text[start:end]
    if _COMMENT.search(between):
        yield Edit(Span(start, end), re.sub(r"\S", " ", between))
