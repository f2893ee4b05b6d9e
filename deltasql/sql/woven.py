"""Queries that we make for a statement, of its own fragments and of text of ours."""

from __future__ import annotations

from dataclasses import dataclass

from deltasql.errors import Span
from deltasql.sql.statements import Fragment


@dataclass(frozen=True, slots=True)
class Woven:
    """A query in ``parts``: what stands in a fragment keeps its place in the statement."""

    parts: tuple[Fragment | str, ...]

    @property
    def sql(self) -> str:
        """The whole text."""
        return "".join(part if isinstance(part, str) else part.sql for part in self.parts)

    def place(self, span: Span) -> Span | None:
        """Where in the statement ``span`` of the text is; None where it lies in text of ours."""
        start = 0
        for part in self.parts:
            length = len(part) if isinstance(part, str) else len(part.sql)
            if start <= span.start < start + length or (span.start == span.end == start + length):
                if isinstance(part, str):
                    return None
                shift = part.span.start - start
                return Span(span.start + shift, min(span.end, start + length) + shift)
            start += length
        return None


def woven(*parts: Fragment | str | Woven | None) -> Woven:
    """``parts`` one after another; None is nothing."""
    flat: list[Fragment | str] = []
    for part in parts:
        if isinstance(part, Woven):
            flat += part.parts
        elif part is not None:
            flat.append(part)
    return Woven(tuple(flat))


def listed(parts: list[Woven], separator: str = ", ") -> Woven:
    """``parts`` with ``separator`` between them."""
    flat: list[Fragment | str | Woven] = []
    for part in parts:
        flat += [separator, part] if flat else [part]
    return woven(*flat)
