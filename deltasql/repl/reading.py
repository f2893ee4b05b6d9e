"""When what was typed is ready to be sent: a pure question about text."""

from __future__ import annotations

from deltasql.errors import ParseError
from deltasql.sql.dialect import tokenize

_BARE = frozenset({"exit", "quit", "help"})


def needs_more(text: str) -> bool:
    """Whether Enter opens another line: ``text`` is a statement that no ``;`` has closed.

    A semicolon inside a string, a quoted name or a comment closes nothing. Empty text, comments alone and a
    command of the prompt are ready as they are.
    """
    if is_command(text):
        return False
    try:
        tokens = tokenize(text)
    except ParseError:
        return True
    return bool(tokens) and tokens[-1].upper != ";"


def is_command(text: str) -> bool:
    r"""Whether ``text`` is a command of the prompt: ``.name``, ``\name``, or a bare ``exit``, ``quit``, ``help``."""
    return text.lstrip()[:1] in {".", "\\"} or text.strip().rstrip(";").lower() in _BARE
