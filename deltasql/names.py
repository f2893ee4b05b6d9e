"""Names of tables and columns: references, time travel, quoting, case, literals.

All SQL that deltasql builds takes its names from ``quote`` and its values from ``literal``.
"""

from __future__ import annotations

import datetime as dt
import decimal
import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from deltasql.errors import PlanError, Span


@dataclass(frozen=True, slots=True)
class Version:
    """``VERSION AS OF``: a constant expression that yields a version number, as SQL text."""

    expression: str


@dataclass(frozen=True, slots=True)
class Timestamp:
    """``TIMESTAMP AS OF``: a constant expression that yields an instant, as SQL text."""

    expression: str


AsOf = Version | Timestamp


@dataclass(frozen=True, slots=True)
class TableReference:
    """A table as a statement names it: one to three parts, or a path (``path`` is set, ``parts`` is empty).

    ``exact`` tells, per part, that it was quoted. ``span`` covers the name (and its time travel) in the
    statement's text.
    """

    parts: tuple[str, ...] = ()
    path: str | None = None
    as_of: AsOf | None = None
    exact: tuple[bool, ...] = ()
    span: Span | None = None

    @property
    def name(self) -> str:
        """The last part, or the path."""
        return self.parts[-1] if self.parts else str(self.path)

    def at(self, as_of: AsOf | None) -> TableReference:
        """The same table at another version."""
        return replace(self, as_of=as_of)

    def __str__(self) -> str:
        return ".".join(self.parts) if self.parts else f"delta.`{self.path}`"


def quote(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def is_plain(name: str) -> bool:
    """True if ``name`` means itself without quotes (DataFusion folds unquoted names to lower case)."""
    return _PLAIN.fullmatch(name) is not None


def fold(name: str) -> str:
    """The form in which two names are compared without regard to case."""
    return name.casefold()


def match(name: str, candidates: Iterable[str], *, what: str, span: Span | None = None) -> str | None:
    """The candidate that ``name`` means: an exact match, else the only one that differs by case alone.

    None if there is none; `PlanError` naming them if several differ only by case.
    """
    found = []
    for candidate in candidates:
        if candidate == name:
            return candidate
        if fold(candidate) == fold(name):
            found.append(candidate)
    if len(found) > 1:
        names = ", ".join(f"`{candidate}`" for candidate in sorted(found))
        message = f"{what} `{name}` is ambiguous: {names} differ only by case"
        raise PlanError(message, hint="quote the exact name", span=span)
    return found[0] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A hint that names the nearest candidate, or None if none is near."""
    by_fold = {fold(candidate): candidate for candidate in candidates}
    near = difflib.get_close_matches(fold(name), list(by_fold), n=1, cutoff=0.6)
    return f"did you mean `{by_fold[near[0]]}`?" if near else None


def literal(value: object) -> str:
    """``value`` as SQL text that DataFusion and delta-rs read as that very value.

    Takes None, bool, int, float, Decimal, str, bytes, date and datetime (a naive one is a
    TIMESTAMP_NTZ, an aware one an instant); raises `PlanError` for anything else.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return f"CAST('{value}' AS DOUBLE)"
        return f"CAST({value!r} AS DOUBLE)"
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return f"arrow_cast('{value.isoformat()}', 'Timestamp(Microsecond, None)')"
        utc = value.astimezone(dt.UTC).replace(tzinfo=None)
        return f"arrow_cast('{utc.isoformat()}Z', 'Timestamp(Microsecond, Some(\"UTC\"))')"
    if isinstance(value, dt.date):
        return f"CAST('{value.isoformat()}' AS DATE)"
    raise PlanError(f"a value of type `{type(value).__name__}` can't stand in this statement")


def text(value: str) -> str:
    """``value`` as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _decimal(value: decimal.Decimal) -> str:
    if not value.is_finite():
        raise PlanError(f"a DECIMAL can't be `{value}`")
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    precision = max(len(digits) + max(0, int(exponent)), scale, 1)
    if precision > 38:
        raise PlanError(f"`{value}` has more than the 38 digits of a DECIMAL")
    return f"CAST('{value:f}' AS DECIMAL({precision}, {scale}))"


_SUFFIX = re.compile(r"@(?:v(\d+)|(\d{17}))$", re.IGNORECASE)


def suffix_as_of(name: str) -> AsOf | None:
    """The time travel that ends ``name``: ``…@v3`` or ``…@20240131093000000`` (UTC, Delta's path syntax)."""
    found = _SUFFIX.search(name)
    if found is None:
        return None
    if found[1]:
        return Version(str(int(found[1])))
    try:
        instant = dt.datetime.strptime(found[2] + "000+0000", "%Y%m%d%H%M%S%f%z")
    except ValueError:
        return None
    return Timestamp(text(instant.isoformat(sep=" ", timespec="milliseconds")))
