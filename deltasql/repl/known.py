"""What suggestions are made from: the names that there are, as data. Columns and versions are asked for by table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deltasql.names import TableReference, fold, is_plain, quote


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a field of a struct, with its type as SQL names it."""

    name: str
    type: str = ""
    fields: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """A version of a table."""

    version: int
    time: str
    operation: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function with how it is called; ``kind`` is ``function``, ``aggregate``, ``window`` or ``table``."""

    name: str
    signature: str
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class Option:
    """A setting, its value and those that it takes, as far as they can be listed."""

    name: str
    value: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A table or view: how it is written in a statement, and by folded text each way of writing it."""

    text: str
    kind: str
    forms: tuple[tuple[str, str], ...]


def named(parts: tuple[str, str, str], home: tuple[str, str], kind: str = "table") -> Named:
    """The table of catalog, schema and name, where ``home`` is current: as short as it can be written, and longer."""
    catalog, schema, _ = parts
    shortest = 2 if (catalog, schema) == home else 1 if catalog == home[0] else 0
    written = [".".join(map(written_name, parts[first:])) for first in range(shortest, -1, -1)]
    folded = [fold(".".join(parts[first:])) for first in range(shortest, -1, -1)]
    return Named(written[0], kind, tuple(zip(folded, written, strict=True)))


def written_name(name: str) -> str:
    """``name`` as it is written in a statement: quoted where it must be."""
    return name if is_plain(fold(name)) else quote(name)


def _none(_: TableReference) -> Sequence[Column]:
    return ()


def _no_commits(_: TableReference) -> Sequence[Commit]:
    return ()


def _no_paths(_: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Names:
    """All that can be named. ``schemas`` are written as ``[catalog.]schema``.

    ``columns`` and ``versions`` (newest first) give those of a table, none where it can't be opened; ``paths`` the
    paths that begin so, folders with a slash behind them.
    """

    tables: Sequence[Named] = ()
    schemas: Sequence[str] = ()
    catalogs: Sequence[str] = ()
    functions: Sequence[Function] = ()
    settings: Sequence[Option] = ()
    columns: Callable[[TableReference], Sequence[Column]] = _none
    versions: Callable[[TableReference], Sequence[Commit]] = _no_commits
    paths: Callable[[str], Sequence[str]] = _no_paths
