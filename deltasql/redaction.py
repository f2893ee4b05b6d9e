"""What must never be shown: one place that takes keys, tokens and passwords out of text.

Text is kept as long as it was, so that places in a statement stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAFE = frozenset(
    (
        *("type", "scope", "region", "endpoint", "endpoint_url", "base_url", "url_style", "use_ssl", "allow_http"),
        *("key_id", "access_key_id", "account_name", "account", "client_id", "tenant_id", "service_account", "profile"),
        *("use_emulator", "skip_signature", "virtual_hosted_style_request", "read_only"),
        *("timeout", "connect_timeout", "max_retries", "retry_timeout"),
    )
)
"""The options that may be shown; whatever else is given to a secret or to ATTACH is hidden."""

_TELLS_SECRETS = re.compile(
    r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:EXPLAIN\s+)?(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?SECRET|ATTACH)\b",
    re.IGNORECASE | re.DOTALL,
)
_GIVEN = re.compile(
    r"""(?P<before>(?P<quote>[`"]?)(?P<name>\w+)(?P=quote)\s*(?:=>|=|:)?\s*)(?P<value>'(?:[^']|'')*'?|[^\s,()'"`=]+)"""
)
_IN_URLS = re.compile(
    r"(?P<before>(?:[?&;](?:sig|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|X-Goog-Signature)=)"
    r"|(?:[A-Za-z][\w+.-]*://[^\s/:@'\"]+:)(?=[^\s/@'\"]+@[^\s/]))(?P<value>[^\s&'\"@`]+)",
    re.IGNORECASE,
)
_HIDDEN = "*"
_LEAST = 6
"""Shorter secrets would be found everywhere; they are hidden in statements alone."""


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without ``secrets``, what URLs are signed by, and what a statement tells a secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST and secret in text:
            text = text.replace(secret, _HIDDEN * len(secret))
    if "://" in text or "=" in text:
        text = _IN_URLS.sub(_hidden, text)
    return text if _TELLS_SECRETS.match(text) is None else _without_given(text)


def _without_given(text: str) -> str:
    """A statement that makes a secret, or attaches a root, without the values of the options that may be secret."""
    start = text.find("(")
    if start < 0:
        return text
    return text[:start] + _GIVEN.sub(_hidden_option, text[start:])


def _hidden(found: re.Match[str]) -> str:
    return found["before"] + _HIDDEN * len(found["value"])


def _hidden_option(found: re.Match[str]) -> str:
    if found["name"].lower().removeprefix("aws_").removeprefix("azure_").removeprefix("storage_") in _SAFE:
        return found[0]
    value = found["value"]
    if value.startswith("'"):
        closed = value.endswith("'") and len(value) > 1
        inner = _HIDDEN * (len(value) - 1 - closed)
        return found["before"] + "'" + inner + ("'" if closed else "")
    return found["before"] + _HIDDEN * len(value)
