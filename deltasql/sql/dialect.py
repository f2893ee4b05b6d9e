"""Text to tokens: sqlglot's tokenizer, set to the lexical rules of DataFusion's SQL.

A subclass of ``Tokenizer`` is the only one that works in both builds of sqlglot, the pure and the
compiled one. Nothing is a ``COMMAND``: VACUUM, SHOW and the like must come apart into tokens.
Dollar-quoted strings are cut out beforehand: sqlglot takes ``$a,$b`` for the start of one.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, wraps
from itertools import islice
from typing import Any, ClassVar, TypeVar

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType
from sqlglot.tokens import Tokenizer as BaseTokenizer

from deltasql.errors import ParseError, Span


class DeltaDialect(Dialect):
    """Only a home for the tokenizer; nothing is parsed or printed in it."""

    class Tokenizer(BaseTokenizer):
        """The lexical rules of DataFusion's generic dialect."""

        IDENTIFIERS: ClassVar = ['"', "`"]
        IDENTIFIER_ESCAPES: ClassVar[list[str]] = []  # a doubled quote is the only escape
        STRING_ESCAPES: ClassVar = ["'"]
        BYTE_STRINGS: ClassVar = [("e'", "'"), ("E'", "'")]
        BYTE_STRING_ESCAPES: ClassVar = ["'", "\\"]
        HEX_STRINGS: ClassVar = [("x'", "'"), ("X'", "'")]
        VAR_SINGLE_TOKENS: ClassVar = {"$"}
        COMMANDS: ClassVar[set[TokenType]] = set()
        KEYWORDS: ClassVar = {
            word: kind for word, kind in BaseTokenizer.KEYWORDS.items() if not set(word) & set(" {*?")
        }


@dataclass(frozen=True, slots=True)
class Token:
    """A token: ``kind`` is ``word`` ``quoted`` ``string`` ``number`` ``parameter`` or ``symbol``.

    ``text`` is what it means (quotes and escapes taken off), ``upper`` its upper-case form if it is an
    unquoted word or a symbol (else empty), ``span`` its place in the text.
    """

    kind: str
    text: str
    upper: str
    span: Span

    @property
    def is_name(self) -> bool:
        """True for what can be an identifier: a word or a quoted name."""
        return self.kind in ("word", "quoted")


_KINDS = {
    TokenType.IDENTIFIER: "quoted",
    TokenType.STRING: "string",
    TokenType.BYTE_STRING: "string",
    TokenType.HEX_STRING: "string",
    TokenType.NUMBER: "number",
    TokenType.PLACEHOLDER: "parameter",
}


T = TypeVar("T")
_LONG = 20_000
_LONGEST = 20_000_000


class _Kept(threading.local):
    """What a thread finds of long texts while it runs a statement, by the function's name."""

    found: dict[tuple[str, str], Any] | None = None


_kept = _Kept()


@contextmanager
def keeping() -> Iterator[None]:
    """Keep what is found of long texts, too, for as long as the context lasts: not longer, as it takes room."""
    around, _kept.found = _kept.found, {}
    try:
        yield
    finally:
        _kept.found = around


def remembered(function: Callable[[str], T]) -> Callable[[str], T]:
    """``function``, a pure one of a statement's text, with its latest results kept; of long texts: see `keeping`."""
    latest = lru_cache(maxsize=256)(function)
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembering(text: str) -> T:
        if len(text) <= _LONG:
            return latest(text)
        if _kept.found is None or len(text) > _LONGEST:
            return function(text)
        if (name, text) not in _kept.found:
            _kept.found[name, text] = function(text)
        found: T = _kept.found[name, text]
        return found

    return remembering


@remembered
def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of ``text``, comments and white space left out.

    Raises `ParseError` where a string, a quoted name or a comment isn't closed, and for more tokens than memory is
    meant for.
    """
    if len(text) > _LONG and (part := _part(text)) is not None:
        return part
    if len(text) > _MOST:
        _require_few(text)
    tokens: list[Token] = []
    start = 0
    for string in _dollar_quoted(text):
        tokens += _plain_tokens(text, start, string.start)
        body = string.of(text)
        tag = body.index("$", 1) + 1
        tokens.append(Token("string", body[tag:-tag], "", string))
        start = string.end
    tokens += _plain_tokens(text, start, len(text))
    return tuple(tokens)


def _part(text: str) -> tuple[Token, ...] | None:
    """The tokens of ``text`` where it is some whole tokens of a text that is kept, as VALUES are of an INSERT."""
    for (name, whole), tokens in (_kept.found or {}).items():
        if name != f"{__name__}.tokenize" or (at := whole.find(text)) < 0:
            continue
        first = bisect_left(tokens, at, key=lambda token: token.span.start)
        last = bisect_left(tokens, at + len(text), key=lambda token: token.span.start)
        if first < last and tokens[first].span.start == at and tokens[last - 1].span.end == at + len(text):
            return tuple(
                Token(each.kind, each.text, each.upper, Span(each.span.start - at, each.span.end - at))
                for each in tokens[first:last]
            )
    return None


_MOST = 4_000_000  # tokens; these take 2 GB
_ROUGHLY = re.compile(
    r"""'(?:[^']|'')*+'? | "[^"]*+"? | `[^`]*+`? | --[^\n]*+ | /\*.*?\*/ | \w+ | [^\w\s]""", re.VERBOSE | re.DOTALL
)


def _require_few(text: str) -> None:
    if next(islice(_ROUGHLY.finditer(text), _MOST, None), None) is not None:
        hint = "load rows by COPY INTO, bind long lists as parameters, run a long script in parts"
        raise ParseError(f"the text has more than {_MOST:,} tokens", hint=hint)


def _plain_tokens(text: str, start: int, end: int) -> Iterator[Token]:
    try:
        raw = DeltaDialect().tokenize(text[start:end])
    except TokenError as error:
        raise _broken(text, start) from error
    for token in raw:
        span = Span(start + token.start, start + token.end + 1)
        written = span.of(text)
        kind = _KINDS.get(token.token_type)
        if kind is None:
            if written[0].isalpha() or written[0] == "_":
                kind = "word"
            else:
                kind = "parameter" if written[0] == "$" and len(written) > 1 else "symbol"
        upper = written.upper() if kind in ("word", "symbol") else ""
        yield Token(kind, token.text if kind in ("quoted", "string") else written, upper, span)


def _not_closed(text: str, span: Span) -> ParseError:
    line, column = span.position(text)
    what = _NAMES.get(text[span.end - 1 : span.end], "token")
    return ParseError(f"line {line}, column {column}: {what} is not closed", span=span, statement=text)


_NAMES = {"'": "string", '"': "quoted name", "`": "quoted name", "*": "comment", "$": "dollar-quoted string"}
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_LEXEME = re.compile(
    r"""--[^\n]*+
      | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*+(?:'|(?P<open>\Z))
      | (?<!\w)(?P<bytes>[xX]'[^']*[^'0-9a-fA-F][^']*')
      | '(?:[^']|'')*+' | "(?:[^"]|"")*+" | `(?:[^`]|``)*+`
      | /\*
      | (?<![\w$])\$(?:[^\W\d]\w*)?\$
      | ['"`]""",
    re.VERBOSE | re.DOTALL,
)


def _dollar_quoted(text: str) -> Iterator[Span]:
    """The dollar-quoted strings (``$$…$$``, ``$tag$…$tag$``) in ``text``, outside of comments and quotes."""
    if _DOLLAR.search(text) is None:
        return
    for kind, span in _lexemes(text, 0):
        if kind == "$":
            yield span
        elif kind == "unclosed" and text[span.start] == "$":
            raise _not_closed(text, span)


def _broken(text: str, start: int) -> ParseError:
    """Why ``text`` from ``start`` is no tokens: a string, name or comment isn't closed, or bytes aren't hexadecimal."""
    for kind, span in _lexemes(text, start):
        if kind == "unclosed":
            return _not_closed(text, span)
        if kind == "bytes":
            line, column = span.position(text)
            message = f"line {line}, column {column}: `{span.of(text)}` is not hexadecimal"
            return ParseError(message, span=span, statement=text)
    return _not_closed(text, Span(start, len(text)))


def _lexemes(text: str, position: int) -> Iterator[tuple[str, Span]]:
    """What isn't plain in ``text`` from ``position``: ``$`` strings, wrong ``bytes``; the last may be ``unclosed``."""
    while (found := _LEXEME.search(text, position)) is not None:
        lexeme = found.group()
        position = found.end()
        if lexeme == "/*":
            position = _comment_end(text, found.start())
        elif lexeme[0] == "$":
            close = text.find(lexeme, position)
            position = -1 if close < 0 else close + len(lexeme)
            if position > 0:
                yield "$", Span(found.start(), position)
        elif found["bytes"] is not None:
            yield "bytes", _span(found)
        elif len(lexeme) == 1 or found["open"] is not None:
            position = -1
        if position < 0:
            yield "unclosed", _span(found)
            return


def _span(found: re.Match[str]) -> Span:
    """The span of a match."""
    return Span(found.start(), found.end())


def _comment_end(text: str, start: int) -> int:
    """Where the (nested) comment at ``start`` ends, or -1."""
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return -1
