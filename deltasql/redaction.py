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
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+|PERSISTENT\s+)?SECRET\b[^('\";]*(?P<secret>\()"
    r"|\bATTACH\s+(?:\w+\s+)?'(?:[^']|'')*'\s+AS\s+[^\s('\"]+\s*(?P<attach>\()",
    re.IGNORECASE,
)
_LIST = re.compile(r"(?:'(?:[^']|'')*'?|[^')])*")
_GIVEN = re.compile(
    r"""(?P<before>(?P<quote>[`"]?)(?P<name>\w+)(?P=quote)(?:\s*(?:=>|=|:)\s*|\s+|(?=')))(?P<value>'(?:[^']|'')*'?|[^\s,()'"`=]+)"""
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
    """``text`` without ``secrets``, what URLs are signed by, and what statements tell a secret or a root's options."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST and secret in text:
            text = text.replace(secret, _HIDDEN * len(secret))
    if "://" in text:
        text = _IN_URLS.sub(_hidden, text)
    for found in list(_TELLS_SECRETS.finditer(text)):
        start = found.end()
        end = _LIST.match(text, start).end()  # type: ignore[union-attr]  # It matches anything.
        text = text[:start] + _GIVEN.sub(_hidden_option, text[start:end]) + text[end:]
    return text


def _hidden(found: re.Match[str]) -> str:
    return str(found["before"]) + _HIDDEN * len(found["value"])


def _hidden_option(found: re.Match[str]) -> str:
    name = found["name"].lower()
    for prefix in ("aws_", "azure_storage_", "azure_", "google_"):
        name = name.removeprefix(prefix)
    if name in _SAFE:
        return found[0]
    value = found["value"]
    if not value.startswith("'"):
        return str(found["before"]) + _HIDDEN * len(value)
    closed = value.endswith("'") and len(value) > 1
    return f"{found['before']}'{_HIDDEN * (len(value) - 1 - closed)}{chr(39) if closed else ''}"
