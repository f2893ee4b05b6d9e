"""Formats of dates and times in the words of others, as strftime's: what isn't known to be the same is refused."""

from __future__ import annotations

import re

_STRFTIME = {f"%{sign}": f"%{sign}" for sign in "YmdHMSjyBbAaIp%"}
_MYSQL = {
    "%Y": "%Y", "%y": "%y", "%m": "%m", "%d": "%d", "%H": "%H", "%i": "%M", "%s": "%S", "%S": "%S", "%j": "%j",
    "%M": "%B", "%b": "%b", "%W": "%A", "%a": "%a", "%h": "%I", "%I": "%I", "%p": "%p", "%T": "%H:%M:%S",
    "%e": "%-d", "%c": "%-m", "%k": "%-H", "%%": "%%",
}  # fmt: skip
_POSTGRES = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I", "HH": "%I",
    "MI": "%M", "SS": "%S", "Mon": "%b", "Dy": "%a", "AM": "%p", "PM": "%p",
}  # fmt: skip
_SNOWFLAKE = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "MMMM": "%B", "DD": "%d", "HH24": "%H", "HH12": "%I", "MI": "%M",
    "SS": "%S", "MON": "%b", "DY": "%a", "AM": "%p", "PM": "%p",
}  # fmt: skip
_JAVA = {
    "yyyy": "%Y", "y": "%-Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "a": "%p",
    "E": "%a", "EEE": "%a", "EEEE": "%A", "D": "%-j", "DDD": "%j",
}  # fmt: skip


def strftime(format: str) -> str | None:
    """C's formats, as duckdb and bigquery have them; None where one isn't known to be the same."""
    return _percent(format, _STRFTIME)


def mysql(format: str) -> str | None:
    """Mysql's and trino's formats."""
    return _percent(format, _MYSQL)


def _percent(format: str, known: dict[str, str]) -> str | None:
    made = []
    for part in re.findall(r"%-?.?|[^%]+", format, re.DOTALL):
        if part[0] != "%":
            made.append(part)
        elif part in known:
            made.append(known[part])
        else:
            return None
    return "".join(made)


def postgres(format: str) -> str | None:
    """Postgres's templates."""
    return _lettered(format, _POSTGRES, r'"[^"]*"|([A-Za-z])[A-Za-z0-9]*?(?=[^A-Za-z0-9]|$)', None)


def snowflake(format: str) -> str | None:
    """Snowflake's templates, which don't regard case."""
    return _lettered(format.upper(), _SNOWFLAKE, r'"[^"]*"|[A-Z][A-Z0-9]*', None)


def java(format: str) -> str | None:
    """Java's patterns, as spark has them: letters stand for fields, all else for itself."""
    return _lettered(format, _JAVA, r"'[^']*'|([A-Za-z])\1*", "'")


def _lettered(format: str, known: dict[str, str], pattern: str, quote: str | None) -> str | None:
    made, position = [], 0
    for found in re.finditer(pattern, format):
        between = format[position : found.start()]
        if re.search(r"[A-Za-z0-9]", between):
            return None
        made.append(between.replace("%", "%%"))
        position = found.end()
        word = found.group()
        if word[0] in "'\"":
            made.append((word[1:-1] or str(quote)).replace("%", "%%"))
        elif word in known:
            made.append(known[word])
        else:
            split = _split(word, known) if quote is None else None
            if split is None:
                return None
            made.append(split)
    rest = format[position:]
    return None if re.search(r"[A-Za-z0-9]", rest) else "".join(made) + rest.replace("%", "%%")


def _split(word: str, known: dict[str, str]) -> str | None:
    """Templates written without a sign between them: ``YYYYMMDD``, the longest first."""
    made = ""
    while word:
        found = next((each for each in sorted(known, key=len, reverse=True) if word.startswith(each)), None)
        if found is None:
            return None
        made += known[found]
        word = word[len(found) :]
    return made
