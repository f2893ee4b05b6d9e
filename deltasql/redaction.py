"""What must never be shown: one place that takes keys, tokens and passwords out of text.

Text is kept as long as it was, so that places in a statement stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_SAFE = frozenset(
    (
        *("type", "scope", "region", "endpoint", "endpoint_url", "base_url", "url_style", "use_ssl", "allow_http"),
        *("key_id", "access_key_id", "account_name", "account", "client_id", "tenant_id", "service_account", "profile"),
        *("use_emulator", "skip_signature", "virtual_hosted_style_request", "read_only"),
        *("timeout", "connect_timeout", "max_retries", "retry_timeout"),
    )
)
"""The options that may be shown; whatever else is given to a secret or to ATTACH is hidden."""

_BLANK = r"\s+|--[^\n]*|/\*.*?(?:\*/|\Z)"
# Text to tokens, more leniently than the parser's: what is broken must be hidden, too.
_TOKEN = re.compile(
    rf"""
    (?P<blank>{_BLANK})
  | (?P<value>'(?:[^']|'')*(?:'|\Z)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z))
  | (?P<word>\w+)
  | (?P<mark>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_KEY = r"(?:SECRET|TOKEN|PASSWORD|(?:ACCOUNT|ACCESS)_KEY|CONNECTION_STRING)\w*"
_KEYS = re.compile(rf"\w*{_KEY}", re.IGNORECASE)
# Data may hold such words, too: a text is made into tokens only where one stands as it does in these statements.
_MAY_TELL = re.compile(rf"\b(?:SECRET|ATTACH)\b|{_KEY}(?:{_BLANK})*+['$]", re.IGNORECASE | re.DOTALL)
_IN_URLS = re.compile(
    r"(?P<before>(?:[?&;](?:sig|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|X-Goog-Signature)=)"
    r"|(?:[A-Za-z][\w+.-]*://[^\s/:@'\"]+:)(?=[^\s/@'\"]+@[^\s/]))(?P<value>[^\s&'\"@`]+)",
    re.IGNORECASE,
)
_HIDDEN = "*"
_LEAST = 6
"""Shorter secrets would be found everywhere; they are hidden in statements alone."""


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Statements without ``secrets``, what URLs are signed by, and what they tell a secret or a root's options."""
    for token in _told(text):
        text = text[: token.start()] + _masked(token[0]) + text[token.end() :]
    return without(text, secrets)


def without(text: str, secrets: Iterable[str]) -> str:
    """A message without ``secrets`` and what URLs are signed by."""
    if "://" in text:
        text = _IN_URLS.sub(_hidden, text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST and secret in text:
            text = text.replace(secret, _HIDDEN * len(secret))
    return text


def told(text: str) -> set[str]:
    """The secrets that statements in ``text`` tell, as far as they could be known from other words."""
    tokens = (token for token in _told(text) if token["blank"] is None)
    values = (token[0] for token in tokens if token["word"] is None or not token[0].isalpha())
    bare = {value.strip("'\"`$") for value in values}
    return bare | {value.replace("''", "'") for value in bare}


def _hidden(found: re.Match[str]) -> str:
    return str(found["before"]) + _HIDDEN * len(found["value"])


def _masked(token: str) -> str:
    """``token`` without what it says: quotes, the signs of comments, and lines stay where they are."""
    before, inside, after = _ENCLOSED.fullmatch(token).groups()  # type: ignore[union-attr]  # It matches anything.
    return str(before) + re.sub(r"[^\n]", _HIDDEN, inside) + str(after)


_ENCLOSED = re.compile(r"(--|/\*|['\"`]?)(.*?)(\*/|['\"`]?)", re.DOTALL)


# -- what statements tell

_Token = re.Match[str]


def _told(text: str) -> Iterator[_Token]:
    """The tokens that must not be shown."""
    if not _MAY_TELL.search(text):
        return
    tokens = list(_TOKEN.finditer(text))
    said = [token for token in tokens if token["blank"] is None]
    at = 0
    while at < len(said):
        begin = _options(said, at)
        if begin is None:
            # No expression has a text behind a name: it is of such a statement, which is misspelt.
            if _KEYS.fullmatch(said[at][0]) and at + 1 < len(said) and said[at + 1]["value"] is not None:
                yield said[at + 1]
            at += 1
            continue
        end = len(said) if _is_open(said[-1]) else _end(said, begin, plain=said[at][0].upper() == "ATTACH")
        yield from _of_options(said[begin:end])
        last = said[end].start() if end < len(said) else len(text)
        between = (each for each in tokens if said[at].start() < each.start() < last)
        yield from (each for each in between if each["blank"] is not None and not each[0].isspace())
        at = end


def _options(said: Sequence[_Token], at: int) -> int | None:
    """Where the options begin of a CREATE SECRET or ATTACH that stands at ``at``; None for anything else."""

    def skipped(at: int, *words: str) -> int:
        found = tuple(token[0].upper() for token in said[at : at + len(words)])
        return at + len(words) if found == words else at

    if said[at][0].upper() == "CREATE":
        at = skipped(at + 1, "OR", "REPLACE")
        for life in ("TEMP", "TEMPORARY", "PERSISTENT"):
            at = skipped(at, life)
        begin = skipped(skipped(at, "SECRET"), "IF", "NOT", "EXISTS")
        if begin == at:
            return None
        return begin + 1 if begin < len(said) and said[begin]["mark"] is None else begin
    if said[at][0].upper() == "ATTACH" and (at == 0 or said[at - 1][0].upper() in _BEFORE):
        begin = skipped(skipped(at + 1, "DATABASE"), "IF", "NOT", "EXISTS")
        begin += begin < len(said) and said[begin]["mark"] is None
        named = skipped(begin, "AS")
        return named + 1 if named > begin else begin
    return None


_BEFORE = frozenset((";", "EXPLAIN", "ANALYZE", "VERBOSE"))


def _is_open(last: _Token) -> bool:
    """True if a quote is left open, so that nobody knows what stands between quotes and what beside them."""
    text = last[0]
    return text[0] in "'\"`$" and (len(text) == 1 or text[-1] != text[0])


def _end(said: Sequence[_Token], begin: int, *, plain: bool) -> int:
    """Where the statement ends whose options begin at ``begin``, if there are any, as in a ``plain`` one needn't be.

    That is at the semicolon behind its brackets. If it is spelt in another way, semicolons and quotes may stand for
    something else: then it ends with the text.
    """
    if plain and said[begin : begin + 1] and said[begin][0] == ";":
        return begin
    depth = 0
    for at in range(begin, len(said)):
        mark = said[at]["mark"]
        depth += (mark == "(") - (mark == ")")
        if depth == 0:
            ends = mark == ")" and said[at + 1 : at + 2] and said[at + 1][0] == ";"
            return at + 1 if ends else len(said)
    return len(said)


def _of_options(said: Iterable[_Token]) -> Iterator[_Token]:
    """Of options, all but their names and what is known to be harmless."""
    option: list[_Token] = []
    for token in said:
        if token[0] in ",;":
            yield from _of_option(option)
            option = []
        elif token[0] not in "()":
            option.append(token)
    yield from _of_option(option)


def _of_option(option: Sequence[_Token]) -> Sequence[_Token]:
    values = [token for token in option[1:] if token["mark"] is None]
    if not option or option[0]["value"] is not None:
        return [*option[:1], *values]
    name = option[0][0].strip('"`').lower()
    for prefix in ("aws_", "azure_storage_", "azure_", "google_"):
        name = name.removeprefix(prefix)
    if name in _SAFE:
        return values[1:]
    return values if len(option) > 1 else option
