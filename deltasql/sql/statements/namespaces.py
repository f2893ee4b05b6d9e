"""Schemas, views and roots: what stands in a catalog beside its tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from deltasql.errors import Span
from deltasql.names import TableReference
from deltasql.sql.statements.syntax import Fragment, Options, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSchema(Statement):
    """``CREATE SCHEMA [IF NOT EXISTS] [catalog.]schema [COMMENT 'text']``; ``span`` is the name's."""

    name: tuple[str, ...]
    span: Span
    if_not_exists: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSchema(Statement):
    """``DROP SCHEMA [IF EXISTS] [catalog.]schema [RESTRICT | CASCADE]``; ``span`` is the name's."""

    name: tuple[str, ...]
    span: Span
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UseSchema(Statement):
    """``USE [SCHEMA] [catalog.]schema`` or ``USE CATALOG catalog`` (``catalog`` set); ``span`` is the name's."""

    name: tuple[str, ...]
    span: Span
    catalog: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateView(Statement):
    """``CREATE [OR REPLACE] [TEMPORARY] VIEW [IF NOT EXISTS] view [(columns)] [COMMENT 'text'] AS query``.

    ``columns`` are names, each with its comment; empty leaves the query's names.
    """

    view: TableReference
    query: Fragment
    columns: tuple[tuple[str, str | None], ...] = ()
    replace: bool = False
    temporary: bool = False
    if_not_exists: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropView(Statement):
    """``DROP VIEW [IF EXISTS] view``."""

    view: TableReference
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(Statement):
    """``ATTACH 'root' AS name [(READ_ONLY, option = value, …)]``; the options' names are as written."""

    root: str
    name: str
    span: Span
    read_only: bool = False
    options: Options = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach(Statement):
    """``DETACH [IF EXISTS] name``; ``span`` is the name's."""

    name: str
    span: Span
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecret(Statement):
    """``CREATE [OR REPLACE] SECRET [IF NOT EXISTS] name (TYPE type, [SCOPE 'url',] option value, …)``."""

    name: str
    span: Span
    type: str
    scope: str = ""
    replace: bool = False
    if_not_exists: bool = False
    options: Options = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSecret(Statement):
    """``DROP SECRET [IF EXISTS] name``; ``span`` is the name's."""

    name: str
    span: Span
    if_exists: bool = False
