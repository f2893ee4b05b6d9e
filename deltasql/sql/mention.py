"""The place in a text of the name that an error's message quotes."""

from __future__ import annotations

import re

from deltasql.errors import Span
from deltasql.names import fold
from deltasql.sql.dialect import tokenize


def mentioned(message: str, text: str) -> Span | None:
    """The first token of ``text`` that is the first name which ``message`` has in backticks."""
    found = re.search(r"`([^`]+)`", message)
    if found is None:
        return None
    wanted = fold(found[1])
    return next((token.span for token in tokenize(text) if token.is_name and fold(token.text) == wanted), None)
