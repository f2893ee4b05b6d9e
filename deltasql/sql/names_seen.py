"""What the names of a query mean, as far as its text and its tables tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deltasql.sql.places import Tokens
from deltasql.sql.scan import Relation, Scan, Scope


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of a column, by the indexes of its first token and behind its last.

    ``scope`` is the one whose tables have it, ``relation`` which of them, if that is known.
    """

    first: int
    end: int
    scope: Scope
    relation: Relation | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A query's text, its tokens and its scopes, with the references by their first tokens.

    ``called`` gives the parts of the name by which columns of a table may be qualified.
    """

    sql: str
    tokens: Tokens
    scan: Scan
    references: Mapping[int, Reference]
    called: Callable[[Relation], tuple[str, ...]]

    def text(self, first: int, end: int) -> str:
        """The text of the tokens from ``first`` up to ``end``."""
        return self.sql[self.tokens[first].span.start : self.tokens[end - 1].span.end] if first < end else ""

    def outer(self, first: int, end: int) -> list[Reference]:
        """The references among these tokens to columns of tables that aren't among them."""
        own = {id(scope) for scope in self.scan.scopes[first:end]}
        if end < len(self.tokens):
            own -= {id(self.scan.scopes[end])}
        found = (self.references[place] for place in range(first, end) if place in self.references)
        return [each for each in found if id(each.scope) not in own]

    def told(self, first: int, end: int, names: Mapping[int, str]) -> str:
        """The text of these tokens with the references that start at ``names`` called otherwise."""
        parts, place = [], self.tokens[first].span.start if first < end else 0
        for index in sorted(names):
            if first <= index < end:
                parts += [self.sql[place : self.tokens[index].span.start], names[index]]
                place = self.tokens[self.references[index].end - 1].span.end
        return "".join(parts) + (self.sql[place : self.tokens[end - 1].span.end] if first < end else "")

    def extent(self, relation: Relation) -> tuple[int, int]:
        """The tokens of a table in FROM, with its alias and the names of its columns."""
        start = next(place for place, token in enumerate(self.tokens) if token.span.start == relation.span.start)
        end = start + 1
        while end < len(self.tokens) and self.tokens[end].span.end <= relation.span.end:
            end += 1
        if relation.alias is not None:
            end = max(end, 1 + self.tokens.index(relation.alias))
        if relation.names and self.tokens[start].text != "(":
            end = 1 + next(place for place in range(end, len(self.tokens)) if self.tokens[place].text == ")")
        return start, end
