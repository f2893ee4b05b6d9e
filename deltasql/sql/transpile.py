"""Statements of another dialect: the queries and expressions in them carried over to DataFusion's, all else left.

The statement around them stays Delta's, and so do time travel, paths and parameters inside of them: each is taken out
before sqlglot reads the text, and put back as it was written. This is the one place where a tree is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from deltasql.errors import Error, Span
from deltasql.names import TableReference, fold, quote
from deltasql.sql import parser
from deltasql.sql.dialect import tokenize
from deltasql.sql.foreign.build import MASK, Source
from deltasql.sql.foreign.calls import is_known
from deltasql.sql.foreign.kinds import Columns, Kind, Names, kind_of_type
from deltasql.sql.foreign.lexis import lexed
from deltasql.sql.foreign.nodes import FUNCTION
from deltasql.sql.foreign.tree import carried, inference_of, read
from deltasql.sql.parameters import normalise
from deltasql.sql.scan import scan
from deltasql.sql.select_list import lists
from deltasql.sql.splice import Edit, Spliced, splice
from deltasql.sql.statements import (
    CopyInto,
    CopyTo,
    CreateTable,
    CreateView,
    Delete,
    Explain,
    Fragment,
    Insert,
    Merge,
    Optimize,
    Query,
    Reorg,
    Statement,
    Update,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known outside of the text.

    ``columns``: the SQL types of the columns of what stands behind FROM, by name, or None; ``parameters``: the SQL
    types of parameters by name; ``functions``: the user's own, in lower case.
    """

    columns: Callable[[str], Mapping[str, str] | None] = lambda _: None
    parameters: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text on its way to a statement: ``steps`` each edit the text of the one before, the first ``original``.

    ``transpiled``: the last one carried something over.
    """

    steps: tuple[Spliced, ...]
    transpiled: bool = False

    @property
    def original(self) -> str:
        """The text as given."""
        return self.steps[0].original

    @property
    def text(self) -> str:
        """The text that is run."""
        return self.steps[-1].text

    def original_span(self, span: Span) -> Span:
        """The place in the original text that ``span`` of the last one stands for."""
        last = self.steps[-1]
        span = _sought(last, span) if self.transpiled else last.original_span(span)
        for step in reversed(self.steps[:-1]):
            span = step.original_span(span)
        return span


def _sought(step: Spliced, span: Span) -> Span:
    """The place of a name in what was carried over: where the same name stands once; else that of the whole."""
    whole = step.original_span(span)
    wanted = span.of(step.text).strip('"`')
    if not wanted or whole.of(step.original) == wanted:
        return whole
    found = [token for token in tokenize(whole.of(step.original)) if fold(token.text) == fold(wanted.split(".")[-1])]
    if len(found) != 1:
        return whole
    return Span(whole.start + found[0].span.start, whole.start + found[0].span.end)


def lexical(text: str, dialect: str, *, tables: Collection[str] = ()) -> Reading:
    """``text`` in our spelling, its parameters in one form (see `normalise`); nothing is carried over yet."""
    first = lexed(text, dialect)
    try:
        return Reading((first, normalise(first.text, tables=tables)))
    except Error as error:
        if error.span is not None:
            error.span = first.original_span(error.span)
        error.statement = text
        raise


def transpile(reading: Reading, dialect: str, known: Known) -> Reading:
    """``reading`` with the queries and expressions of its statement carried over from ``dialect``.

    Raises `ParseError` and `NotSupportedError` with their places in the original text.
    """
    text = reading.text
    statement = parser.parse(text)
    work = _Transpiler(reading, dialect, known)
    edits = [work.edit(part) for part in _parts(statement)]
    edits = [edit for edit in edits if edit.text != edit.span.of(text)]
    if not edits:
        return reading
    return Reading((*reading.steps, splice(text, edits)), transpiled=True)


# -- what is carried over


@dataclass(frozen=True, slots=True)
class _Part:
    """A place in a statement: between ``head`` and ``tail`` it is a query. ``near`` are the relations in its sight.

    They are given as they may stand behind FROM, each with its alias.
    """

    span: Span
    head: str = ""
    tail: str = ""
    near: tuple[_Near, ...] = ()
    with_: Span | None = None
    named: bool = False


_Near = tuple["str | Span", "str | None"]
"""A relation in sight and its alias: a table's text, or the place of what stands behind FROM."""

_EXPRESSION = "SELECT "
_RELATIONS = "SELECT * FROM "


def _parts(statement: Statement, offset: int = 0) -> Iterator[_Part]:
    """The queries and expressions of a statement; constraints, defaults, generated columns are Spark's in the log."""
    text = statement.text
    with_ = getattr(statement, "with_", None)
    if with_ is not None:
        yield _part(with_, offset, tail=" SELECT 1")
    if isinstance(statement, Explain):
        inner = statement.statement
        yield from _parts(inner, offset + len(text) - len(inner.text))
    elif isinstance(statement, Query):
        start = tokenize(text)[0].span.start
        yield _Part(Span(offset + start, offset + len(text)), named=True)
    elif isinstance(statement, Insert):
        yield from _inserted(statement, offset)
    elif isinstance(statement, Delete):
        yield from _seeing(statement, offset, ((_written(statement.table, text), statement.alias),), statement.where)
    elif isinstance(statement, Update):
        near: tuple[_Near, ...] = ((_written(statement.table, text), statement.alias),)
        if statement.from_ is not None:
            near += ((_moved(statement.from_.span, offset), None),)
            yield _part(statement.from_, offset, head=_RELATIONS)
        values = [assignment.value for assignment in statement.assignments]
        yield from _seeing(statement, offset, near, statement.where, *values)
    elif isinstance(statement, Merge):
        yield from _merged(statement, offset)
    elif isinstance(statement, CreateTable | CreateView) and statement.query is not None:
        yield _part(statement.query, offset, named=True)
    elif isinstance(statement, CopyTo):
        queries = statement.source.sql.lstrip().startswith("(")
        yield _part(statement.source, offset, head="" if queries else _RELATIONS, named=queries)
    elif isinstance(statement, CopyInto) and statement.select is not None:
        yield _part(statement.select, offset, head=_EXPRESSION)
    elif isinstance(statement, Optimize | Reorg) and statement.where is not None:
        yield from _seeing(statement, offset, ((_written(statement.table, text), None),), statement.where)


def _part(
    fragment: Fragment,
    offset: int,
    *,
    head: str = "",
    tail: str = "",
    near: tuple[_Near, ...] = (),
    with_: Fragment | None = None,
    named: bool = False,
) -> _Part:
    span = Span(fragment.span.start + offset, fragment.span.end + offset)
    before = None if with_ is None else Span(with_.span.start + offset, with_.span.end + offset)
    return _Part(span, head, tail, near, before, named)


def _seeing(
    statement: Delete | Update | Merge | Insert | Optimize | Reorg,
    offset: int,
    near: tuple[_Near, ...],
    *found: Fragment | None,
) -> Iterator[_Part]:
    """Expressions that see ``near``."""
    for fragment in found:
        if fragment is not None:
            yield _part(fragment, offset, head=_EXPRESSION, near=near, with_=getattr(statement, "with_", None))


def _inserted(statement: Insert, offset: int) -> Iterator[_Part]:
    near = ((_written(statement.table, statement.text), None),)
    yield from _seeing(statement, offset, near, statement.replace_where)
    query = tokenize(statement.source.sql)
    is_table = not query or query[0].upper not in ("SELECT", "VALUES", "WITH", "FROM", "(", "TABLE")
    head = _RELATIONS if is_table else ""
    yield _part(statement.source, offset, head=head, with_=statement.with_)


def _merged(statement: Merge, offset: int) -> Iterator[_Part]:
    near = (
        (_written(statement.table, statement.text), statement.alias),
        (_moved(statement.source.span, offset), statement.source_alias),
    )
    yield _part(statement.source, offset, head=_RELATIONS, with_=statement.with_)
    yield from _seeing(statement, offset, near, statement.condition)
    for clause in statement.clauses:
        values = [assignment.value for assignment in clause.assignments or ()]
        yield from _seeing(statement, offset, near, clause.condition, *values)


def _moved(span: Span, offset: int) -> Span:
    return Span(span.start + offset, span.end + offset)


def _written(table: TableReference, text: str) -> str:
    return table.span.of(text) if table.span is not None else str(table)


# -- carrying over


class _Transpiler:
    def __init__(self, reading: Reading, dialect: str, known: Known) -> None:
        self.reading = reading
        self.text = reading.text
        self.tokens = tokenize(reading.text)
        self.dialect = dialect
        self.known = known

    def edit(self, part: _Part) -> Edit:
        """What stands in the place of ``part``."""
        outer = Names()
        if part.with_ is not None:
            outer.ctes.update(self._names(_Part(part.with_, tail=" SELECT 1"), Names()).ctes)
        for near, alias in part.near:
            outer.relations += self._near(near, alias, outer)
        masked = self._masked(part)
        try:
            printed = self._carried(masked, outer, self._titles(part) if part.named else [])
        except Error as error:
            error.span = self._place(error.span, masked, part)
            error.statement = self.reading.original
            raise
        inner = masked.restored(printed.removesuffix(part.tail))
        return Edit(part.span, inner[len(part.head) :])

    def _carried(self, masked: _Masked, outer: Names, titles: list[str]) -> str:
        tree = read(masked.sql, self.dialect)
        source = Source(self.dialect, self.known.functions, masked.names)
        self._call(tree, masked)
        return carried(
            tree, source, tables=lambda t: self._columns(t, masked), masked=masked.kinds, titles=titles, outer=outer
        )

    def _titles(self, part: _Part) -> list[str]:
        """The columns of the outermost SELECT, as they were written."""
        tokens = tuple(t for t in self.tokens if part.span.start <= t.span.start and t.span.end <= part.span.end)
        items = next(lists(tokens), [])
        places = [Span(item[0].span.start, item[-1].span.end) for item in items if item]
        return [self.reading.original_span(place).of(self.reading.original) for place in places]

    def _names(self, part: _Part, outer: Names) -> Names:
        """What names mean in a part."""
        masked = self._masked(part)
        source = Source(self.dialect, self.known.functions)
        names = Names(outer=outer)
        tree = read(masked.sql, self.dialect)
        self._call(tree, masked)
        inference_of(source, lambda table: self._columns(table, masked), masked.kinds).query(tree, names=names)
        return names

    def _near(self, near: str | Span, alias: str | None, outer: Names) -> list[tuple[str, Columns | None]]:
        """The relations that an expression sees: a table by its text, or those at a place behind FROM or USING."""
        if isinstance(near, Span):
            names = self._names(_Part(near, head=_RELATIONS), outer)
            if alias is not None and len(names.relations) == 1:
                return [(fold(alias), names.relations[0][1])]
            return names.relations
        last = [token for token in tokenize(near) if token.is_name][-1:]
        return [(fold(alias or (last[0].text if last else "")), self._looked_up(near))]

    @staticmethod
    def _call(tree: exp.Expr, masked: _Masked) -> None:
        """Tell the tables that are masked what they are called."""
        for table in tree.find_all(exp.Table):
            if table.name.lower() in masked.called:
                table.meta["name"] = masked.called[table.name.lower()]

    def _columns(self, table: exp.Table, masked: _Masked) -> Columns | None:
        parts = [table.catalog, table.db, table.name]
        written = masked.names.get(table.name.lower()) or ".".join(quote(part) for part in parts if part)
        return self._looked_up(written)

    def _looked_up(self, written: str) -> Columns | None:
        found = self.known.columns(written)
        return None if found is None else {fold(name): kind_of_type(type) for name, type in found.items()}

    def _place(self, span: Span | None, masked: _Masked, part: _Part) -> Span:
        """The place in the original text."""
        whole = self.reading.original_span(part.span)
        if span is None:
            return whole
        found = masked.spliced.original_span(span)
        start = min(max(found.start - len(part.head), 0) + whole.start, whole.end)
        return Span(start, min(max(found.end - len(part.head) + whole.start, start), whole.end))

    # -- masks

    def _masked(self, part: _Part) -> _Masked:
        """The original text of a part, with masks for all that sqlglot isn't to read."""
        whole = self.reading.original_span(part.span)
        source = whole.of(self.reading.original)
        shift = part.span.start - len(part.head)
        edits: list[Edit] = []
        names: dict[str, str] = {}
        called: dict[str, str] = {}
        kinds: dict[str, Kind | None] = {}

        def mask(span: Span, name: str) -> None:
            place = self.reading.original_span(span)
            edits.append(Edit(Span(place.start - whole.start, place.end - whole.start), name))

        covered: list[Span] = []
        for relation in scan(part.head + part.span.of(self.text) + part.tail).tables:
            reference = relation.reference
            span = Span(relation.span.start + shift, relation.span.end + shift)
            same = self.reading.original_span(span).of(self.reading.original) == span.of(self.text)
            if reference is not None and reference.as_of is None and reference.path is None and same:
                continue
            name = f"{MASK}t{len(names)}"
            names[name] = span.of(self.text)
            called[name] = reference.name if reference is not None else ""
            covered.append(span)
            mask(span, name)
        for index, token in enumerate(self.tokens):
            inside = part.span.start <= token.span.start and token.span.end <= part.span.end
            if not inside or any(span.start <= token.span.start < span.end for span in covered):
                continue
            if token.kind == "parameter":
                name = f"{MASK}p{len(names)}"
                names[name] = token.text
                kinds[name] = kind_of_type(self.known.parameters.get(token.text[1:], ""))
                mask(token.span, name)
            elif self._is_call(index):
                mask(token.span, FUNCTION + token.text)
        spliced = splice(source, edits)
        return _Masked(part.head + spliced.text + part.tail, _shifted(spliced, part.head), names, called, kinds)

    def _is_call(self, index: int) -> bool:
        """True if a function's name stands here that we know; sqlglot reads all others, and what has words inside."""
        token, tokens = self.tokens[index], self.tokens
        behind = tokens[index + 1].upper if index + 1 < len(tokens) else ""
        before = tokens[index - 1].upper if index else ""
        if token.kind != "word" or behind != "(" or before in _NO_CALL_BEHIND or token.upper in _SYNTAX:
            return False
        if before == "*" and token.upper in ("REPLACE", "EXCEPT", "EXCLUDE"):
            return False
        return is_known(Source(self.dialect, self.known.functions), token.text) and not self._has_words(index + 1)

    def _has_words(self, index: int) -> bool:
        """True if what stands in the brackets is a query, or a form with words of its own (``FROM``, ``IN``)."""
        depth, name = 0, self.tokens[index - 1].upper
        for place, token in enumerate(self.tokens[index:]):
            depth += (token.upper in _OPEN) - (token.upper in _CLOSE)
            if depth == 0:
                return False
            if depth == 1 and place == 1 and token.upper in ("SELECT", "WITH"):
                return True
            before = self.tokens[index + place - 1].upper
            if depth == 1 and token.upper in ("FROM", "PLACING", "SEPARATOR") and before != "DISTINCT":
                return True
            if depth == 1 and name == "POSITION" and token.upper == "IN":
                return True
        return True


_OPEN, _CLOSE = {"(", "[", "{"}, {")", "]", "}"}
_NO_CALL_BEHIND = {".", "AS", "::", "WITH", "RECURSIVE", "INTO", "TABLE", "FROM", "JOIN", "LATERAL", "USING"}
_SYNTAX = {"CAST", "TRY_CAST", "SAFE_CAST", "EXTRACT", "OVERLAY", "CONVERT", "UNNEST", "GROUP_CONCAT"}


@dataclass(frozen=True, slots=True)
class _Masked:
    """A text for sqlglot: ``names`` is what masks stand for, ``called`` the names of tables, ``kinds`` of parameters.

    ``spliced`` leads from it to the original text of the part.
    """

    sql: str
    spliced: Spliced
    names: Mapping[str, str]
    called: Mapping[str, str]
    kinds: Mapping[str, Kind | None]

    def restored(self, printed: str) -> str:
        """A printed text with what the masks stand for."""
        return re.sub(MASK + r"[pt]\d+", lambda found: self.names[found[0]], printed)


def _shifted(spliced: Spliced, head: str) -> Spliced:
    """``spliced`` behind ``head``."""
    size = len(head)
    edits = [Edit(Span(edit.span.start + size, edit.span.end + size), edit.text) for edit in spliced.edits]
    return splice(head + spliced.original, edits)
