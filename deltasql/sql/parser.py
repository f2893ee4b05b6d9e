"""Text to statements: splitting a script, and one table that says which function parses what.

``PARSERS`` maps leading keywords to the function that reads the whole statement; ``REFUSED`` those of
statements that are known and not executed to what is said of them. The longest match in either wins.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NoReturn

from deltasql.errors import ParseError, Span
from deltasql.names import TableReference
from deltasql.sql.cursor import Cursor
from deltasql.sql.dialect import remembered, tokenize
from deltasql.sql.grammar import (
    alter,
    comment,
    convert,
    copy,
    create,
    dml,
    insert,
    inspect,
    maintenance,
    merge,
    query,
    schema,
    secret,
    session,
    view,
)
from deltasql.sql.grammar.refused import REFUSED
from deltasql.sql.statements import Statement

Parser = Callable[[Cursor], Statement]

PARSERS: dict[tuple[str, ...], Parser] = {
    ("SELECT",): query.parse_query,
    ("VALUES",): query.parse_query,
    ("FROM",): query.parse_query,
    ("TABLE",): query.parse_query,
    ("(",): query.parse_query,
    ("WITH",): query.parse_with,
    ("EXPLAIN",): query.parse_explain,
    ("INSERT",): insert.parse_insert,
    ("UPDATE",): dml.parse_update,
    ("DELETE",): dml.parse_delete,
    ("TRUNCATE",): dml.parse_truncate,
    ("MERGE",): merge.parse_merge,
    ("COPY", "INTO"): copy.parse_copy_into,
    ("COPY",): copy.parse_copy_to,
    ("CREATE", "TABLE"): create.parse_create_table,
    ("CREATE", "EXTERNAL", "TABLE"): create.parse_create_table,
    ("CREATE", "OR", "REPLACE", "TABLE"): create.parse_create_table,
    ("CREATE", "OR", "REPLACE", "EXTERNAL", "TABLE"): create.parse_create_table,
    ("REPLACE", "TABLE"): create.parse_create_table,
    ("CONVERT",): convert.parse_convert,
    ("DROP", "TABLE"): create.parse_drop_table,
    ("ALTER", "TABLE"): alter.parse_alter_table,
    ("COMMENT", "ON"): comment.parse_comment_on,
    ("CREATE", "VIEW"): view.parse_create_view,
    ("CREATE", "TEMPORARY", "VIEW"): view.parse_create_view,
    ("CREATE", "TEMP", "VIEW"): view.parse_create_view,
    ("CREATE", "OR", "REPLACE", "VIEW"): view.parse_create_view,
    ("CREATE", "OR", "REPLACE", "TEMPORARY", "VIEW"): view.parse_create_view,
    ("CREATE", "OR", "REPLACE", "TEMP", "VIEW"): view.parse_create_view,
    ("DROP", "VIEW"): view.parse_drop_view,
    ("CREATE", "SCHEMA"): schema.parse_create_schema,
    ("CREATE", "DATABASE"): schema.parse_create_schema,
    ("DROP", "SCHEMA"): schema.parse_drop_schema,
    ("DROP", "DATABASE"): schema.parse_drop_schema,
    ("USE",): schema.parse_use,
    ("ATTACH",): schema.parse_attach,
    ("DETACH",): schema.parse_detach,
    ("CREATE", "SECRET"): secret.parse_create_secret,
    ("CREATE", "TEMPORARY", "SECRET"): secret.parse_create_secret,
    ("CREATE", "OR", "REPLACE", "SECRET"): secret.parse_create_secret,
    ("CREATE", "OR", "REPLACE", "TEMPORARY", "SECRET"): secret.parse_create_secret,
    ("DROP", "SECRET"): secret.parse_drop_secret,
    ("VACUUM",): maintenance.parse_vacuum,
    ("OPTIMIZE",): maintenance.parse_optimize,
    ("RESTORE",): maintenance.parse_restore,
    ("REORG",): maintenance.parse_reorg,
    ("FSCK",): maintenance.parse_fsck,
    ("GENERATE",): maintenance.parse_generate,
    ("CHECKPOINT",): maintenance.parse_checkpoint,
    ("ANALYZE",): maintenance.parse_analyze,
    ("DESCRIBE", "HISTORY"): inspect.parse_describe_history,
    ("DESC", "HISTORY"): inspect.parse_describe_history,
    ("DESCRIBE", "DETAIL"): inspect.parse_describe_detail,
    ("DESC", "DETAIL"): inspect.parse_describe_detail,
    ("DESCRIBE", "SCHEMA"): inspect.parse_describe_schema,
    ("DESC", "SCHEMA"): inspect.parse_describe_schema,
    ("DESCRIBE", "DATABASE"): inspect.parse_describe_schema,
    ("DESC", "DATABASE"): inspect.parse_describe_schema,
    ("DESCRIBE",): inspect.parse_describe_table,
    ("DESC",): inspect.parse_describe_table,
    ("SHOW", "TABLES"): inspect.parse_show_tables,
    ("SHOW", "VIEWS"): inspect.parse_show_views,
    ("SHOW", "SCHEMAS"): inspect.parse_show_schemas,
    ("SHOW", "DATABASES"): inspect.parse_show_schemas,
    ("SHOW", "CATALOGS"): inspect.parse_show_catalogs,
    ("SHOW", "SECRETS"): secret.parse_show_secrets,
    ("SHOW", "FUNCTIONS"): inspect.parse_show_functions,
    ("SHOW", "COLUMNS"): inspect.parse_show_columns,
    ("SHOW", "PARTITIONS"): inspect.parse_show_partitions,
    ("SHOW", "TBLPROPERTIES"): inspect.parse_show_properties,
    ("SHOW", "CREATE", "TABLE"): inspect.parse_show_create_table,
    ("SHOW",): inspect.parse_show_option,
    ("SET", "TIME", "ZONE"): session.parse_set_time_zone,
    ("SET",): session.parse_set,
    ("RESET",): session.parse_reset,
}
_KEYWORDS = (*PARSERS, *REFUSED)
_NEAR = 0.7
_KEYWORD = re.compile(r"\b[A-Z_]+\b")
_LONGEST = max(map(len, _KEYWORDS))


def split(script: str) -> Iterator[Span]:
    """The spans of the statements of a script, without their semicolons; empty ones are left out.

    A semicolon inside a string, a quoted name, a comment or a dollar-quoted string splits nothing.
    """
    first = last = None
    for token in tokenize(script):
        if token.upper == ";":
            if first is not None and last is not None:
                yield Span(first, last)
            first = last = None
        else:
            first = token.span.start if first is None else first
            last = token.span.end
    if first is not None and last is not None:
        yield Span(first, last)


@remembered
def parse(text: str) -> Statement:
    """The one statement that ``text`` (its parameters normalised) holds.

    Raises `ParseError` where it is none or more than one, `UnsupportedStatement` where it is known and
    not executed.
    """
    spans = list(split(text))
    if not spans:
        raise ParseError("the statement is empty", statement=text)
    # Without the semicolon and what follows it; what comes first stays, so that spans hold in ``text``.
    first = text[: spans[0].end]
    cursor = Cursor(first)
    _require_shallow(cursor)
    statement = parse_statement(cursor)
    if len(spans) > 1:
        line, column = spans[1].position(text)
        message = f"line {line}, column {column}: expected one statement, found another"
        raise ParseError(message, hint="use `script()` for several", span=spans[1], statement=text)
    return replace(statement, text=first)


_DEEPEST = 250


def _require_shallow(cursor: Cursor) -> None:
    """Raise `ParseError` for more brackets in one another than anything below us takes (DataFusion: 50)."""
    depth = 0
    for token in cursor.tokens:
        depth += (token.upper in _OPEN) - (token.upper in _CLOSE)
        if depth > _DEEPEST:
            line, column = token.span.position(cursor.sql)
            message = f"line {line}, column {column}: the statement is nested too deeply"
            raise ParseError(message, span=token.span, statement=cursor.sql)


_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def parse_statement(cursor: Cursor) -> Statement:
    """The statement that ``cursor`` holds from here to its end (a semicolon is left); its ``text`` isn't set."""
    words = _leading(cursor)
    keywords = next((key for n in range(len(words), 0, -1) if (key := words[:n]) in PARSERS or key in REFUSED), None)
    if keywords is None:
        _fail(cursor, words)
    if keywords in REFUSED:
        name, hint = REFUSED[keywords]
        cursor.refuse(name, hint=hint, span=_span(cursor, len(keywords)))
    parser = PARSERS[keywords]
    try:
        statement = parser(cursor)
        cursor.expect_end()
    except ParseError as error:
        error.hint = error.hint or _fitting(grammar(parser), cursor)
        raise
    return statement


def grammar(parser: Parser) -> str:
    """The grammar that ``parser`` reads: the first paragraph of its docstring."""
    paragraph = (parser.__doc__ or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).strip("`")


def _fitting(grammar: str, cursor: Cursor) -> str:
    """``grammar`` without those of the alternatives in its last braces whose keywords the statement hasn't."""
    parts = _alternatives(grammar)
    head = len(_KEYWORD.findall(parts[0]))
    said = " ".join(token.upper or "?" for token in cursor.tokens[head:])
    begun = [_KEYWORD.findall(part.partition("[")[0].partition("(")[0]) for part in parts[1:]]
    length = max((n for words in begun for n in range(1, len(words) + 1) if " ".join(words[:n]) in said), default=0)
    kept = [part for part, words in zip(parts[1:], begun, strict=True) if " ".join(words[:length] or "?") in said]
    if not head or not 0 < len(kept) < len(begun):
        return grammar
    return parts[0] + (kept[0] if len(kept) == 1 else f"{{{' | '.join(kept)}}}")


def _alternatives(grammar: str) -> list[str]:
    """What stands before the last braces of ``grammar``, which end it, and the alternatives in them."""
    depth, parts, start = 0, [grammar], 0
    for index, sign in enumerate(grammar):
        if depth == 0 and sign == "{":
            parts, start = [grammar[:index]], index + 1
        depth += (sign in "{[(") - (sign in "}])")
        if (depth == 1 and sign == "|") or (depth == 0 and sign == "}"):
            parts.append(grammar[start:index].strip())
            start = index + 1
    return parts if grammar.endswith("}") else [grammar]


def _leading(cursor: Cursor) -> tuple[str, ...]:
    """The next words, upper case, as far as they may be keywords: ``schema.t`` doesn't start with one."""
    words: list[str] = []
    while len(words) < _LONGEST and (token := cursor.peek(len(words))) is not None and token.upper:
        behind = cursor.peek(len(words) + 1)
        if words and behind is not None and behind.upper == ".":
            break
        words.append(token.upper)
    return tuple(words)


def _fail(cursor: Cursor, words: tuple[str, ...]) -> NoReturn:
    """Raise a `ParseError` that shows the words up to the first that is wrong, and names the nearest statement."""
    right = 0
    while right < len(words) and any(key[: right + 1] == words[: right + 1] for key in _KEYWORDS):
        right += 1
    wrong = min(right + 1, len(words))
    span = _span(cursor, wrong) if words else None
    cursor.fail("a statement", span=span, hint=_nearest(words, right) if words else None)


def _nearest(words: tuple[str, ...], right: int) -> str | None:
    """A hint that names the statement most like ``words``, of which the first ``right`` are right."""

    def likeness(key: tuple[str, ...]) -> float:
        if _ratio(words[right : right + 1], key[right : right + 1]) < _NEAR:
            return 0.0
        return _ratio(words[: len(key)], key[: len(words)]) + (0.1 if key in PARSERS else 0.0)

    nearest = max((key for key in _KEYWORDS if key[:right] == words[:right]), key=likeness)
    return f"did you mean `{' '.join(nearest)}`?" if right or likeness(nearest) else None


def _ratio(some: tuple[str, ...], others: tuple[str, ...]) -> float:
    return difflib.SequenceMatcher(None, " ".join(some), " ".join(others)).ratio()


def _span(cursor: Cursor, count: int) -> Span:
    """The span of the next ``count`` tokens."""
    last = cursor.peek(count - 1)
    return Span(cursor.here().start, last.span.end if last is not None else cursor.here().end)


def parse_table(text: str) -> TableReference:
    """The table that ``text`` names: a name, a path, with or without time travel. Raises `ParseError`."""
    cursor = Cursor(text)
    reference = cursor.table(as_of=True)
    cursor.expect_end()
    return reference
