"""The tables that can be meant at a place of a statement, and their columns: aliases, CTEs and subqueries too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deltasql.errors import Error
from deltasql.names import TableReference, fold
from deltasql.repl.known import Column, Names
from deltasql.repl.place import Place, Target
from deltasql.sql.dialect import Token
from deltasql.sql.parser import parse_table
from deltasql.sql.scan import CLAUSES, Relation, Scan, Scope, scan

_MARK = "__deltasql_cursor"
_DEPTH = 8  # queries within queries whose columns are looked for
_ENDS = CLAUSES | {"FROM", "UNION", "INTERSECT", "EXCEPT", "MINUS"}
_OPEN, _CLOSE = {"(", "[", "{"}, {")", "]", "}"}


@dataclass(frozen=True, slots=True)
class Visible:
    """A relation under the name that its columns may be qualified with (empty: none), and what they are."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be named at a place: ``relations`` from the inside out, ``ctes`` by name."""

    relations: tuple[Visible, ...] = ()
    ctes: tuple[str, ...] = ()


def seen(text: str, cursor: int, place: Place, names: Names) -> Seen:
    """What can be named at ``place``, which is that of ``cursor`` in ``text``."""
    start, end = place.statement
    before = text[start : place.typed.start] + _MARK
    found = Seen()
    for whole in (before + text[cursor:end], f"{before} {place.closing}{text[cursor:end]}", before):
        try:
            found = _Reader(scan(whole), names).seen(len(before) - len(_MARK))
        except Error:
            continue
        if found.relations:
            break
    query = {slot.name for slot in place.slots} & {"operand", "readable"}
    if query and not place.frame.target_seen:
        return found
    there = {(fold(one.name), one.columns) for one in found.relations}
    targets = [_of_target(target, text, names) for target in place.targets]
    more = [one for one in targets if (fold(one.name), one.columns) not in there]
    return Seen((*found.relations, *more), found.ctes)


def reference(parts: list[Token] | tuple[Token, ...], text: str) -> TableReference | None:
    """The table that the tokens of a name, which stand in ``text``, mean."""
    try:
        return parse_table(text[parts[0].span.start : parts[-1].span.end])
    except Error:
        return None


def _of_target(target: Target, text: str, names: Names) -> Visible:
    alias = target.alias.text if target.alias is not None else ""
    if target.query is not None:
        query = text[slice(*target.query)]
        try:
            return Visible(alias, _Reader(scan(query), names).output(0, len(query)))
        except Error:
            return Visible(alias, ())
    table = reference(target.parts, text)
    columns = names.columns(table) if table is not None else ()
    return Visible(alias or (table.name if table is not None and table.path is None else ""), tuple(columns))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the columns of a query's relations."""

    scan: Scan
    names: Names

    def seen(self, cursor: int) -> Seen:
        """What can be named at ``cursor``, where a token begins."""
        tokens = self.scan.cursor.tokens
        index = next((i for i, token in enumerate(tokens) if token.span.start == cursor), None)
        if index is None:
            return Seen()
        scopes = list(self.scan.scopes[index].chain())
        relations = [relation for scope in scopes for relation in scope.relations]
        at = [relation for relation in relations if relation.span.start <= cursor < relation.span.end]
        return Seen(
            tuple(self._visible(relation, 0) for relation in relations if relation not in at),
            tuple(token.text for scope in scopes for token in scope.ctes),
        )

    def _visible(self, relation: Relation, depth: int) -> Visible:
        columns = self._columns(relation, depth)
        if relation.names:
            types = [column.type for column in columns] + [""] * len(relation.names)
            columns = tuple(Column(name.text, type) for name, type in zip(relation.names, types, strict=False))
        if relation.alias is not None:
            return Visible(relation.alias.text, columns)
        if relation.cte is not None:
            return Visible(relation.cte.text, columns)
        named = relation.reference is not None and relation.reference.path is None
        return Visible(relation.reference.name if named and relation.reference is not None else "", columns)

    def _columns(self, relation: Relation, depth: int) -> tuple[Column, ...]:
        if depth > _DEPTH:
            return ()
        if relation.reference is not None:
            return tuple(self.names.columns(relation.reference))
        if relation.cte is not None:
            body = self.scan.bodies.get(relation.cte.span.start)
            return () if body is None else self.output(body.query.start, body.query.end, depth + 1)
        if relation.call is not None:
            return _changes(relation, self.names)
        return self.output(relation.span.start, relation.span.end, depth + 1)

    def output(self, start: int, end: int, depth: int = 0) -> tuple[Column, ...]:
        """The columns that the query from ``start`` to ``end`` gives, those without a name left out."""
        tokens = self.scan.cursor.tokens
        inside = [i for i, token in enumerate(tokens) if start <= token.span.start < end]
        first = next((i for i in inside if tokens[i].upper == "SELECT"), None)
        if first is None:
            return ()
        found: list[Column] = []
        for item in _items(tokens, first + 1, inside[-1] + 1):
            found += self._of_item(item, self.scan.scopes[first], depth)
        return tuple(found)

    def _of_item(self, item: list[int], scope: Scope, depth: int) -> Iterator[Column]:
        tokens = self.scan.cursor.tokens
        last = tokens[item[-1]]
        dotted = all((tokens[i].upper == ".") == bool(n % 2) for n, i in enumerate(item))
        if last.upper == "*" and dotted:
            qualifier = tokens[item[-3]].text if len(item) > 2 else ""
            for relation in scope.relations:
                visible = self._visible(relation, depth + 1)
                if not qualifier or fold(visible.name) == fold(qualifier):
                    yield from visible.columns
        elif dotted and last.is_name:
            columns = (c for r in scope.relations for c in self._visible(r, depth + 1).columns)
            same = next((column for column in columns if fold(column.name) == fold(last.text)), Column(last.text))
            yield Column(last.text, same.type, same.fields)
        elif item[-1] in self.scan.definitions:
            yield Column(last.text)


def _items(tokens: tuple[Token, ...], first: int, end: int) -> Iterator[list[int]]:
    """The items of the SELECT list that begins at ``first``, as places in ``tokens``."""
    item: list[int] = []
    depth = 0
    for index in range(first, end):
        word = tokens[index].upper
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth < 0 or (depth == 0 and (word == "," or word in _ENDS)):
            if item:
                yield item
            if word != ",":
                return
            item = []
        elif item or word not in {"DISTINCT", "ALL"}:
            item.append(index)
    if item:
        yield item


def _changes(relation: Relation, names: Names) -> tuple[Column, ...]:
    """The columns of a call of a table function that gives those of a table."""
    call = relation.call
    if call is None or call.name not in {"table_changes", "delta_scan"}:
        return ()
    given = next(iter(call.arguments.values())).sql.strip("'\"")
    try:
        table = TableReference(path=given) if call.name == "delta_scan" else parse_table(given)
    except Error:
        return ()
    columns = tuple(names.columns(table))
    if call.name == "delta_scan":
        return columns
    added = (("_change_type", "STRING"), ("_commit_version", "BIGINT"), ("_commit_timestamp", "TIMESTAMP"))
    return (*columns, *(Column(*one) for one in added))
