"""Colours as one types, from the tokens that the statements are read by. Unfinished text has colours too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from prompt_toolkit.lexers import Lexer

from deltasql.errors import ParseError, Span
from deltasql.repl.reading import is_command
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.parser import PARSERS, grammar

if TYPE_CHECKING:
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

_LONG = 50_000  # characters from which on a paste stays plain: each key stroke reads the whole text
_GRAMMAR_WORD = re.compile(r"\b[A-Z]{2,}\b")

_QUERY_WORDS = """
ALL AND ANTI ANY AS ASC BETWEEN BY CASE CAST CROSS CURRENT DESC DISTINCT ELSE END ESCAPE EXCEPT EXCLUDE EXISTS
FALSE FETCH FILTER FIRST FOLLOWING FOR FROM FULL GROUP GROUPS HAVING ILIKE IN INNER INTERSECT INTERVAL INTO IS
JOIN LAST LATERAL LEFT LIKE LIMIT NATURAL NOT NULL NULLS OF OFFSET ON OR ORDER OUTER OVER PARTITION PRECEDING
QUALIFY RANGE RECURSIVE RIGHT ROW ROWS SEMI SIMILAR THEN TIMESTAMP TO TRUE UNBOUNDED UNION UNNEST USING VERSION
WHEN WINDOW WITHIN TRY_CAST COMMENT LOCATION PARTITIONED TBLPROPERTIES OPTIONS DEFAULT
"""

KEYWORDS = (
    frozenset(word for keywords in PARSERS for word in keywords if word.isalpha())
    | frozenset(word for parser in PARSERS.values() for word in _GRAMMAR_WORD.findall(grammar(parser)))
    | frozenset(_QUERY_WORDS.split())
) - {"NAME"}  # of BY NAME: too common a name of a column
"""The words shown as keywords: those of queries, and those of the grammars of our statements."""

_UNCLOSED = {"'": "string", '"': "quoted", "`": "quoted", "/": "comment", "$": "string", "e": "string", "E": "string"}


class SqlLexer(Lexer):
    """prompt_toolkit's view of `styled`."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styled text of each line."""
        lines = _lines(document.text)
        return lambda number: list(lines[number]) if number < len(lines) else []


@lru_cache(maxsize=8)
def _lines(text: str) -> list[StyleAndTextTuples]:
    lines: list[StyleAndTextTuples] = [[]]
    for style, part in styled(text):
        first, *rest = part.split("\n")
        lines[-1].append((f"class:{style}" if style else "", first))
        lines += [[(f"class:{style}" if style else "", line)] for line in rest]
    return lines


def styled(text: str) -> list[tuple[str, str]]:
    """``text`` in pieces, each with its style or none; together they are the whole text.

    The styles: ``keyword`` ``string`` ``number`` ``quoted`` ``parameter`` ``comment`` ``command``.
    """
    if len(text) > _LONG:
        return [("", text)]
    if is_command(text):
        command = re.match(r"\s*\S+", text)
        end = command.end() if command is not None else 0
        return [("command", text[:end]), ("", text[end:])]
    return list(_filled(text, _spans(text)))


def _spans(text: str) -> Iterator[tuple[str, Span]]:
    """The styled places of ``text``; behind something that isn't closed comes nothing else."""
    try:
        tokens, rest = tokenize(text), len(text)
    except ParseError as error:
        rest = error.span.start if error.span is not None else 0
        try:
            tokens = tokenize(text[:rest])
        except ParseError:
            tokens, rest = (), 0
    previous = ""
    for token in tokens:
        yield _style(token, previous), token.span
        previous = token.upper
    if rest < len(text):
        yield _UNCLOSED.get(text[rest], "string"), Span(rest, len(text))


def _style(token: Token, previous: str) -> str:
    if token.kind == "word":
        return "keyword" if token.upper in KEYWORDS and previous != "." else ""
    return "" if token.kind == "symbol" else token.kind


def _filled(text: str, spans: Iterator[tuple[str, Span]]) -> Iterator[tuple[str, str]]:
    """The pieces with what lies between them: white space and comments."""
    end = 0
    for style, span in spans:
        yield from _gap(text[end : span.start])
        yield style, span.of(text)
        end = span.end
    yield from _gap(text[end:])


def _gap(text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield ("comment" if text.strip() else ""), text
