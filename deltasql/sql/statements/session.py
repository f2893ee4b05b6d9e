"""SET, SHOW and RESET: the settings."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.sql.statements.syntax import Fragment, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOption(Statement):
    """``SET name = value``; ``value`` is a constant expression, or a bare word such as ``on``."""

    name: str
    value: Fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOption(Statement):
    """``SHOW name`` or ``SHOW ALL`` (``name`` None)."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOption(Statement):
    """``RESET name`` or ``RESET ALL`` (``name`` None)."""

    name: str | None
