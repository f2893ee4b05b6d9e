"""A query made ready for DataFusion: tables bound, time travel and paths spliced, names in stored case.

The text goes on as the user wrote it but for edits at token spans. Names match without regard to case:
one spelling is chosen for each name, and every token that means it gets it. Columns of a table keep the
spelling they are stored in; an alias keeps the one it was written in, unless a table of the statement has
a column of that name: then all use the column's, and the alias's own spelling is put back on the output.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from deltasql.errors import PlanError, Span
from deltasql.names import TableReference, fold, quote, text
from deltasql.sql.casts import kept_casts
from deltasql.sql.correlation import told
from deltasql.sql.dialect import Token
from deltasql.sql.functions import FunctionCall
from deltasql.sql.in_lists import kept_apart
from deltasql.sql.memberships import three_valued
from deltasql.sql.names_seen import Reference, Seen
from deltasql.sql.operands import operand_end, operand_start
from deltasql.sql.row_lists import computed
from deltasql.sql.scan import RESERVED, Relation, Scan, Scope, scan, seen
from deltasql.sql.select_list import lists, told_apart, twins
from deltasql.sql.splice import Edit, Spliced, splice
from deltasql.sql.times import dates_beside, timed_literals

_NONE: Mapping[str, str] = MappingProxyType({})
Columns: TypeAlias = Mapping[str, "Columns"]
"""The columns of a table by stored name; a struct's fields below it (a list's or map's fields: its element's)."""


@dataclass(frozen=True, slots=True)
class Inlined:
    """What stands in brackets in place of a view: ``text``, in which ``query`` is the view's own."""

    text: str
    query: Rewritten


@dataclass(frozen=True, slots=True)
class Binding:
    """What a table reference means: the name that the engine serves it under, and its columns.

    ``name`` is catalog, schema and table in stored spelling; ``pinned`` the last part's replacement for a
    table at another version, or for the result of a table function. ``schema`` is the engine's schema that it is
    served in, where the name as it is written wouldn't lead the engine there; ``inlined`` is set for a view.
    ``decimals`` is False if no column is a DECIMAL. ``times`` are the columns, in lower case, that are
    TIMESTAMPs, and those that are DATEs, where the session isn't in UTC.
    """

    name: tuple[str, ...]
    columns: Columns
    pinned: str | None = None
    schema: str | None = None
    inlined: Inlined | None = None
    decimals: bool = True
    times: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The text for DataFusion, and what was found on the way.

    ``renames``: the output columns that are to be renamed (name, name as written). ``used``: for each table,
    in order of appearance, the columns of it that the text names. ``stars``: it may read others too. ``views`` are
    the queries of the views in it. ``twins``: the output columns that are to be called like another, by its place.
    """

    spliced: Spliced
    renames: tuple[tuple[str, str], ...] = ()
    used: tuple[frozenset[str], ...] = ()
    stars: bool = True
    views: tuple[Rewritten, ...] = ()
    twins: tuple[tuple[str, int], ...] = ()

    @property
    def text(self) -> str:
        """The text for DataFusion."""
        return self.spliced.text

    def may_read(self, column: str) -> bool:
        """False if the text can't reach a column of that name in any of its tables."""
        own = self.stars or any(column in names for names in self.used)
        return own or any(view.may_read(column) for view in self.views)

    @classmethod
    def untouched(cls, sql: str) -> Rewritten:
        """``sql`` as it is, for text that deltasql built itself."""
        return cls(Spliced(sql, (), sql))


def rewrite(
    sql: str,
    bind: Callable[[TableReference | FunctionCall], Binding | None],
    *,
    constants: Mapping[str, str] = _NONE,
    tag: str = "",
    days: frozenset[str] = frozenset(),
) -> Rewritten:
    """``sql`` with its names resolved; ``bind`` says what a table or table function is (None: leave it to the engine).

    ``constants`` are the values of functions without arguments, by name in upper case. ``tag`` is appended to the
    names of CTEs: DataFusion takes no CTE in a subquery that is called like one outside of it. ``days`` are the
    parameters whose values are DATEs.

    Raises `PlanError` for a name that could mean columns differing only by case, and whatever ``bind`` raises.
    """
    bound: dict[tuple[str | None, str], Binding | None] = {}

    def binding(source: TableReference | FunctionCall, text: str) -> Binding | None:
        """What a table is: what is written alike in one statement means the same."""
        # DESCRIBE HISTORY's call is written as the table's name alone.
        key = source.name if isinstance(source, FunctionCall) else None, text
        if key not in bound:
            bound[key] = bind(source)
        return bound[key]

    def rewriter(text: str | Spliced) -> _Rewriter:
        found = scan(text if isinstance(text, str) else text.text)
        tables = {id(r): binding(r.source, r.span.of(found.cursor.sql)) for r in found.tables if r.source}
        return _Rewriter(found, tables, text, constants, tag, days)

    # The columns of a view or a subquery go by name.
    like = tuple((each.alias, each.place) for each in twins(sql) if each.place is not None) if not tag else ()
    first_edits = [*(told_apart(sql) if like else ()), *computed(sql)]
    text: str | Spliced = splice(sql, first_edits) if first_edits else sql
    for _ in range(_MOST_SUBQUERIES):
        first = rewriter(text)
        made = first.run()
        edits = told(first.seen)
        if not edits:
            break
        text = splice(text, edits)
    edits = three_valued(
        first.tokens, first.seen.sql, names=set(first.scan.definitions), is_correlated=first.is_correlated
    )
    made = rewriter(splice(text, edits)).run() if edits else made
    return replace(made, twins=like) if like else made


_MOST_SUBQUERIES = 200
"""How many are told otherwise; DataFusion refuses those that are left."""


class _Rewriter:
    def __init__(
        self,
        found: Scan,
        bindings: dict[int, Binding | None],
        before: str | Spliced,
        constants: Mapping[str, str],
        tag: str,
        days: frozenset[str],
    ) -> None:
        self.scan = found
        self.tokens = found.cursor.tokens
        self._sql = found.cursor.sql
        self._before = before
        self.bindings = bindings
        self.constants = constants
        self.tag = tag
        self.days = days
        self.edits: list[Edit] = []
        self.known: dict[int, Columns | None] = {}
        self.used: dict[int, set[str]] = {id(relation): set() for relation in found.relations}
        self.reached: dict[int, Scope | None] = {}
        self.references: dict[int, Reference] = {}
        self.aliases = self._canonical_aliases()

    def run(self) -> Rewritten:
        for relation in self.scan.relations:
            self._relation(relation)
        for index in self.scan.definitions:
            token = self.tokens[index]
            self._put(token, self.aliases[fold(token.text)])
        self.edits += self.scan.edits
        brackets = list(_bracketed_comparisons(self.tokens))
        self.edits += brackets[::2]
        self.edits += timed_literals(self.tokens)
        times = [binding.times for binding in self.bindings.values() if binding is not None]
        instants, dates = (frozenset().union(*(each[place] for each in times)) for place in range(2))
        self.edits += dates_beside(self.tokens, instants, dates - instants, self.days)
        self.edits += kept_apart(self.tokens)
        decimals = any(binding is None or binding.decimals for binding in self.bindings.values())
        self.edits += kept_casts(self.tokens, decimals=decimals)
        self.edits += brackets[1::2]  # At one place, what is within closes first.
        self.edits += self._leading_from()
        self.edits += [Edit(token.span, "") for token in self.scan.hints]
        self.edits += self._constants()
        if self.tag:
            ctes = [body.name for body in self.scan.bodies.values()]
            self.edits += [Edit(token.span, quote(seen(token) + self.tag)) for token in ctes]
        self._check_ctes()
        self._check_natural_joins()
        index = 0
        while index < len(self.tokens):
            index = self._chain(index)
        used = tuple(frozenset(self.used[id(relation)]) for relation in self.scan.tables)
        views = tuple(found.inlined.query for found in self.bindings.values() if found and found.inlined)
        return Rewritten(splice(self._before, self.edits), tuple(self._renames()), used, self._has_stars(), views)

    def _has_stars(self) -> bool:
        """True if columns may be read that the text doesn't name; ``count(*)`` reads none."""
        renamed = any(relation.names for relation in self.scan.tables)
        words = [token.upper for token in self.tokens]
        stars = sum(word == "*" for word in words)
        counted = sum(words[index : index + 3] == ["(", "*", ")"] for index in range(len(words)))
        leading = words[:1] == ["FROM"] or ("(", "FROM") in itertools.pairwise(words)
        return stars > counted or leading or renamed or bool(self.scan.edits or {"TABLE", "NATURAL"} & set(words))

    def _constants(self) -> Iterator[Edit]:
        """The values of the functions without arguments that are known here; a column of its own keeps its name."""
        columns = {item[0].span for items in lists(self.tokens) for item in items if len(item) == 3}
        for index, token in enumerate(self.tokens[:-2]):
            call = token.upper in self.constants and [t.text for t in self.tokens[index + 1 : index + 3]] == ["(", ")"]
            if call and not (index and self.tokens[index - 1].text == "."):
                name = f" AS {quote(f'{token.text.lower()}()')}" if token.span in columns else ""
                span = Span(token.span.start, self.tokens[index + 2].span.end)
                yield Edit(span, text(self.constants[token.upper]) + name)

    def _leading_from(self) -> list[Edit]:
        """``SELECT *`` before a query that has FROM alone, which DataFusion gives no columns."""
        if not self.tokens or self.tokens[0].upper != "FROM" or any(token.upper == "SELECT" for token in self.tokens):
            return []
        start = self.tokens[0].span.start
        return [Edit(Span(start, start), "SELECT * ")]

    def _check_ctes(self) -> None:
        """CTEs of one WITH that differ by case alone: a name without that case couldn't tell them apart."""
        for scope in self.scan.scopes:
            spelled: dict[str, Token] = {}
            for token in scope.ctes:
                other = spelled.setdefault(fold(token.text), token)
                if seen(other) != seen(token):
                    message = f"the CTEs `{other.text}` and `{token.text}` differ only by case"
                    raise PlanError(message, hint="call one of them otherwise", span=token.span, statement=self._sql)

    def _check_natural_joins(self) -> None:
        """DataFusion joins on what is spelled alike; what differs by case alone would silently not be joined on."""
        for index, token in enumerate(self.tokens):
            if token.upper != "NATURAL" or index in self.scan.roles:
                continue
            spelled: dict[str, str] = {}
            for name in sorted(
                n for relation in self.scan.scopes[index].relations for n in self._columns(relation) or ()
            ):
                other = spelled.setdefault(fold(name), name)
                if other != name:
                    message = f"NATURAL JOIN can't tell whether `{other}` and `{name}` are one column"
                    raise PlanError(message, hint="write the condition with ON", span=token.span, statement=self._sql)

    def _put(self, token: Token, name: str) -> None:
        """Make ``token`` mean ``name``."""
        if seen(token) != name:
            self.edits.append(Edit(token.span, quote(name)))

    # -- aliases

    def _canonical_aliases(self) -> dict[str, str]:
        """The one spelling of each alias, by its folded form."""
        stored: dict[str, list[str]] = {}
        for binding in self.bindings.values():
            for name in binding.columns if binding else ():
                stored.setdefault(fold(name), []).append(name)
        chosen: dict[str, str] = {}
        for index in self.scan.definitions:
            written = self.tokens[index].text
            key = fold(written)
            if key not in chosen:
                columns = stored.get(key, [])
                chosen[key] = written if written in columns or not columns else columns[0]
        return chosen

    def _renames(self) -> list[tuple[str, str]]:
        found: dict[str, set[str]] = {}
        for index in self.scan.output:
            written = self.tokens[index].text
            found.setdefault(self.aliases[fold(written)], set()).add(written)
        return [
            (name, next(iter(written))) for name, written in found.items() if len(written) == 1 and name not in written
        ]

    # -- relations

    def _relation(self, relation: Relation) -> None:
        if relation.source is not None:
            self._table(relation, self.bindings[id(relation)])
        elif relation.cte is not None:
            first = next(token for token in self.tokens if token.span.start == relation.span.start)
            name = seen(relation.cte)
            if self.tag:
                alias = "" if relation.alias is not None else f" AS {quote(name)}"
                self.edits.append(Edit(first.span, quote(name + self.tag) + alias))
            else:
                self._put(first, name)

    def _table(self, relation: Relation, binding: Binding | None) -> None:
        if binding is None:
            return
        name = (*_as_written(relation, binding)[:-1], binding.pinned or binding.name[-1])
        replacement = ".".join(quote(part) for part in name) if binding.inlined is None else f"({binding.inlined.text})"
        if relation.alias is None and (alias := self._alias(relation, binding)) is not None:
            replacement += f" AS {quote(alias)}"
        self.edits.append(Edit(relation.span, replacement))

    def _alias(self, relation: Relation, binding: Binding) -> str | None:
        """The alias of a table that the engine has under another name than the statement, which gives it none."""
        if not self._has_namesake(relation, binding):
            return binding.name[-1] if binding.pinned or binding.schema or binding.inlined else None
        return ".".join(binding.name) if binding.inlined else None

    def _has_namesake(self, relation: Relation, binding: Binding) -> bool:
        """True if another table without an alias has the name too: both then go without."""
        scope = next(scope for scope in self.scan.scopes if relation in scope.relations)
        others = (other for other in scope.relations if other is not relation and other.alias is None)
        return any(fold(part) == fold(binding.name[-1]) for other in others for part in self._visible(other)[-1:])

    def _visible(self, relation: Relation) -> tuple[str, ...]:
        """The parts by which columns of ``relation`` may be qualified."""
        if relation.alias is not None:
            return (relation.alias.text,)
        if relation.cte is not None:
            return (relation.cte.text,)
        binding = self.bindings.get(id(relation))
        if binding is None:
            return relation.reference.parts if relation.reference is not None else ()
        return binding.name

    def _qualifier(self, relation: Relation) -> tuple[str, ...]:
        """What is to stand where columns of ``relation`` are qualified."""
        if relation.alias is not None:
            return (seen(relation.alias),)
        if relation.cte is not None:
            return (seen(relation.cte),)
        binding = self.bindings.get(id(relation))
        if binding is None:
            return ()
        if (alias := self._alias(relation, binding)) is not None:
            return (alias,)
        return (binding.name[-1],) if binding.pinned else _as_written(relation, binding)

    def _columns(self, relation: Relation) -> Columns | None:
        """The columns of a relation; of a subquery or CTE, the names that its own tables and aliases have.

        None where nothing is known of it.
        """
        if id(relation) not in self.known:
            self.known[id(relation)] = None  # A recursive CTE adds nothing to itself.
            binding = self.bindings.get(id(relation))
            if relation.names:
                self.known[id(relation)] = {self.aliases[fold(token.text)]: {} for token in relation.names}
            else:
                self.known[id(relation)] = binding.columns if binding is not None else self._inside(relation)
        return self.known[id(relation)]

    def _inside(self, relation: Relation) -> Columns | None:
        if relation.reference is not None:
            return None
        body = self.scan.bodies.get(relation.cte.span.start) if relation.cte is not None else None
        place = relation.span if body is None else body.span
        defined = (self.tokens[index] for index in self.scan.definitions)
        names: dict[str, Columns] = {
            self.aliases[fold(token.text)]: {} for token in defined if _within(token.span, place)
        }
        for other in self.scan.relations:
            if other is not relation and _within(other.span, place):
                names |= self._columns(other) or {}
        return names or None

    # -- column references

    def _chain(self, index: int) -> int:
        """Resolve the dotted name that starts at ``index``; gives the index behind it."""
        token = self.tokens[index]
        if not token.is_name or index in self.scan.roles or token.upper in RESERVED:
            return index + 1
        parts = [token]
        end = index + 1
        while end + 1 < len(self.tokens) and self.tokens[end].upper == "." and self.tokens[end + 1].is_name:
            parts.append(self.tokens[end + 1])
            end += 2
        star = end + 1 < len(self.tokens) and self.tokens[end].upper == "." and self.tokens[end + 1].upper == "*"
        calls = end < len(self.tokens) and self.tokens[end].upper == "("
        if not calls:
            scope, relation = self._resolve(parts, self.scan.scopes[index], star=star)
            self.reached[index] = scope
            if scope is not None:
                self.references[index] = Reference(index, end, scope, relation)
        return end

    @property
    def seen(self) -> Seen:
        """What the names mean, once they were looked at."""
        return Seen(self._sql, self.tokens, self.scan, self.references, self._visible)

    def is_correlated(self, first: int, end: int) -> bool:
        """True if these tokens may name a column of a table that isn't among them."""
        own = {id(scope) for scope in self.scan.scopes[first:end]} - {id(self.scan.scopes[end])}
        return any(id(self.reached[index]) not in own for index in range(first, end) if index in self.reached)

    def _resolve(self, parts: list[Token], scope: Scope, *, star: bool) -> tuple[Scope | None, Relation | None]:
        """Splice a name; gives the scope and the relation that have it, None where they aren't known."""
        qualified = self._qualified(parts, scope, star=star)
        if qualified is not None:
            relation, parts = qualified
            columns = self._columns(relation)
            if parts and columns is not None:
                self._field(parts, columns, [relation])
            return next(level for level in scope.chain() if relation in level.relations), relation
        levels = scope.chain()
        for level in levels:
            # What stands in a table doesn't see it.
            relations = [each for each in level.relations if not _within(parts[0].span, each.span)]
            known = [columns for relation in relations if (columns := self._columns(relation)) is not None]
            merged = {name: fields for columns in known for name, fields in columns.items()}
            if any(fold(name) == fold(parts[0].text) for name in merged):
                self._field(parts, merged, relations)
                if any(self.bindings.get(id(relation)) is None for relation in relations):
                    self._maybe_use(parts[0], levels)  # What a subquery or CTE has is known roughly.
                having = [each for each in relations if self._has(each, parts[0])]
                return level, having[0] if len(having) == 1 else None
            if len(known) < len(relations):
                # It may be a column of what isn't known, or one of the outer ones after all.
                self._maybe_use(parts[0], levels)
                break
        if (name := self.aliases.get(fold(parts[0].text))) is not None:
            self._put(parts[0], name)
        return None, None

    def _has(self, relation: Relation, token: Token) -> bool:
        """True if ``relation`` may have a column of that name."""
        return any(fold(name) == fold(token.text) for name in self._columns(relation) or ())

    def _maybe_use(self, token: Token, levels: Iterator[Scope]) -> None:
        for level in levels:
            for relation in level.relations:
                same = {name for name in self._columns(relation) or () if fold(name) == fold(token.text)}
                self.used[id(relation)] |= same

    def _qualified(self, parts: list[Token], scope: Scope, *, star: bool) -> tuple[Relation, list[Token]] | None:
        """The relation that the front of ``parts`` names, which is spliced, and the parts behind it."""
        longest = len(parts) if star else len(parts) - 1
        for length in range(min(longest, 3), 0, -1):
            for level in scope.chain():
                found = [relation for relation in level.relations if self._is_named(relation, parts[:length])]
                if len(found) > 1:
                    name = ".".join(part.text for part in parts[:length])
                    message = f"the table `{name}` stands there more than once"
                    raise PlanError(message, hint="give each an alias", span=parts[0].span, statement=self._sql)
                if found:
                    self._qualify(parts[:length], self._qualifier(found[0]))
                    return found[0], parts[length:]
        return None

    def _is_named(self, relation: Relation, parts: list[Token]) -> bool:
        visible = self._visible(relation)
        front = [fold(part.text) for part in parts]
        return len(visible) >= len(front) and [fold(part) for part in visible[-len(front) :]] == front

    def _qualify(self, parts: list[Token], written: tuple[str, ...]) -> None:
        """Splice a qualifier."""
        if len(written) >= len(parts):
            for token, name in zip(parts, written[-len(parts) :], strict=True):
                self._put(token, name)
        elif written:
            span = Span(parts[0].span.start, parts[-1].span.end)
            self.edits.append(Edit(span, ".".join(quote(name) for name in written)))

    def _field(self, parts: list[Token], columns: Columns, relations: list[Relation]) -> None:
        """Splice a column's stored spelling, and those of the struct fields behind it."""
        for token in parts:
            name = self._spelling(token, columns)
            if name is None:
                return
            if token is parts[0]:
                for relation in relations:
                    self.used[id(relation)].add(name)
            self._put(token, name)
            columns = columns[name]

    def _spelling(self, token: Token, columns: Columns) -> str | None:
        if token.text in columns:
            return token.text
        found = sorted(name for name in columns if fold(name) == fold(token.text))
        if len(found) > 1:
            names = " and ".join(f"`{name}`" for name in found)
            message = f"column `{token.text}` is ambiguous: {names} differ only by case"
            raise PlanError(message, hint="write the exact name", span=token.span, statement=self._sql)
        return found[0] if found else None


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _as_written(relation: Relation, binding: Binding) -> tuple[str, ...]:
    """The bound name with as many parts as the statement gave it: DataFusion shows it in columns' names."""
    if binding.schema is not None:
        return binding.schema, binding.name[-1]
    parts = relation.reference.parts if relation.reference is not None else ()
    return binding.name[-len(parts) :] if parts else binding.name[-2:]


def _bracketed_comparisons(tokens: tuple[Token, ...]) -> Iterator[Edit]:
    """Brackets round ``a IS [NOT] DISTINCT FROM b`` where AND or OR follows.

    DataFusion reads ``a IS DISTINCT FROM b AND c`` as ``a IS DISTINCT FROM (b AND c)``.
    """
    for index in range(3, len(tokens) - 1):
        words = [token.upper for token in tokens[index - 3 : index + 1]]
        if words[2:] != ["DISTINCT", "FROM"] or "IS" not in (words[1], *(words[:1] if words[1] == "NOT" else ())):
            continue
        first = operand_start(tokens, index - (3 if words[1] == "NOT" else 2))
        end = operand_end(tokens, index + 1)
        if end < len(tokens) and tokens[end].upper in ("AND", "OR"):
            start, stop = tokens[first].span.start, tokens[end - 1].span.end
            yield Edit(Span(start, start), "(")
            yield Edit(Span(stop, stop), ")")
