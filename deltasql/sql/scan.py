"""Where the tables, aliases and scopes of a query are, read off its tokens.

A query is never parsed into a tree and printed again: this reads just as much of it as name resolution
needs. One pass with an explicit stack (no recursion, however deep the brackets), one frame per bracket.
What a frame can't make sense of it steps over; DataFusion has the last word on syntax.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from deltasql.errors import Span
from deltasql.names import TableReference, fold, text
from deltasql.sql.cursor import Cursor
from deltasql.sql.dialect import Token, remembered
from deltasql.sql.functions import FunctionCall, at_table_function, function_call
from deltasql.sql.splice import Edit
from deltasql.sql.statements import Fragment

_NOWHERE = Span(0, 0)


def seen(token: Token) -> str:
    """The name that DataFusion sees: unquoted ones are folded to lower case (ASCII only)."""
    if token.kind == "quoted":
        return token.text
    return "".join(c.lower() if c.isascii() else c for c in token.text)


@dataclass(eq=False, slots=True)
class Relation:
    """A table, CTE, subquery or table function in a FROM clause; ``reference`` is set for a table.

    ``call`` is set for a table function of ours. ``names`` are the new names of its columns, where the alias has a
    list of them.
    """

    reference: TableReference | None
    alias: Token | None = None
    cte: Token | None = None
    span: Span = _NOWHERE
    names: tuple[Token, ...] = ()
    call: FunctionCall | None = None

    @property
    def source(self) -> TableReference | FunctionCall | None:
        """What is to be bound: a table or a table function of ours; None for CTEs, subqueries and DataFusion's own."""
        return self.reference or self.call


@dataclass(eq=False, slots=True)
class Scope:
    """What one SELECT can see: its relations, then its parent's."""

    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    ctes: list[Token] = field(default_factory=list)

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def cte(self, name: Token) -> Token | None:
        """The CTE that an unqualified name means here."""
        for scope in self.chain():
            for token in reversed(scope.ctes):
                if fold(token.text) == fold(name.text):
                    return token
        return None


@dataclass(frozen=True, slots=True)
class Body:
    """A CTE's definition: ``span`` from its name to its closing bracket, ``query`` what is inside of the brackets.

    ``top`` tells that it belongs to the outermost query.
    """

    name: Token
    span: Span
    query: Span
    top: bool
    recursive: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """A query's tokens, each with its scope; ``roles`` says of a token that it is no column reference.

    ``definitions`` are the tokens that name a column (aliases), ``output`` those of the outermost SELECT,
    ``edits`` make a SELECT of ``TABLE name`` and ``DESCRIBE HISTORY name`` where these stand for a query, ``bodies``
    are the CTEs by the start of their names, in order, ``hints`` the words ``[NOT] MATERIALIZED``, which DataFusion
    doesn't know.
    """

    cursor: Cursor
    scopes: tuple[Scope, ...]
    roles: dict[int, str]
    relations: tuple[Relation, ...]
    definitions: tuple[int, ...]
    output: tuple[int, ...]
    edits: tuple[Edit, ...]
    bodies: dict[int, Body]
    hints: tuple[Token, ...]

    @property
    def tables(self) -> list[Relation]:
        """The relations that are tables of a catalog, paths or table functions of ours, not CTEs or subqueries."""
        return [relation for relation in self.relations if relation.source is not None]


@dataclass(slots=True)
class _Frame:
    """A bracket (or the whole text). ``query`` tells that clauses, not an expression, stand in it."""

    scope: Scope
    query: bool
    opener: str = ""
    clause: str = ""
    expects_table: bool = False
    joins: bool = False
    cte: Token | None = None
    recursive: bool = False
    relation: Relation | None = None
    start: int = 0


_OPEN, _CLOSE = {"(", "[", "{"}, {")", "]", "}"}
_STARTS = {"SELECT", "WITH", "VALUES", "FROM", "TABLE"}
_SET_OPERATORS = {"UNION", "INTERSECT", "EXCEPT", "MINUS"}
CLAUSES = {
    "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "QUALIFY", "WINDOW", "SORT", "CLUSTER",
    "DISTRIBUTE", "|>",
}  # fmt: skip
_NOT_AN_ALIAS = (
    CLAUSES
    | _SET_OPERATORS
    | _STARTS
    | {
        "ON", "USING", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER", "SEMI", "ANTI", "ASOF",
        "LATERAL", "TABLESAMPLE", "PIVOT", "UNPIVOT", "FOR", "AND", "OR", "AS", "SET", "WHEN", "THEN", "ELSE", "END",
        "INTO", "RETURNING", "MATCH_RECOGNIZE", "UNNEST",
    }
)  # fmt: skip
_CASTS = {"CAST", "TRY_CAST", "SAFE_CAST"}
_ENDS_OPERAND = {")", "]", "END", "NULL", "TRUE", "FALSE", "*"}
_ENDS_ITEM = {",", "FROM", ")", "INTO", "WHERE"} | _SET_OPERATORS | CLAUSES


@remembered
def scan(sql: str) -> Scan:
    """Read the tables, CTEs, aliases and scopes of a query. Raises `ParseError` for a wrong time travel."""
    return _Scanner(sql).run()


class _Scanner:
    def __init__(self, sql: str) -> None:
        self.cursor = Cursor(sql)
        self.tokens = self.cursor.tokens
        self.scopes: list[Scope] = []
        self.roles: dict[int, str] = {}
        self.relations: list[Relation] = []
        self.definitions: list[int] = []
        self.output: list[int] = []
        self.edits: list[Edit] = []
        self.bodies: dict[int, Body] = {}
        self.hints: list[Token] = []
        self.stack = [_Frame(Scope(), query=True)]
        self.stack[0].scope = Scope(self.stack[0].scope)

    def run(self) -> Scan:
        while not self.cursor.done:
            self._step(self.stack[-1])
            # Every token stepped over belongs to the scope that is open now; names of tables and aliases
            # are resolved by their roles, so theirs doesn't matter.
            self.scopes += [self.stack[-1].scope] * (self.cursor.index - len(self.scopes))
        return Scan(
            self.cursor,
            tuple(self.scopes),
            self.roles,
            tuple(self.relations),
            tuple(self.definitions),
            tuple(self.output),
            tuple(self.edits),
            self.bodies,
            tuple(self.hints),
        )

    # -- one step

    def _step(self, frame: _Frame) -> None:
        token = self.tokens[self.cursor.index]
        if frame.clause == "WITH" and self._cte(frame, token):
            return
        if frame.expects_table and self._factor(frame, token):
            return
        if token.upper in _OPEN:
            self._open(frame)
        elif token.upper in _CLOSE:
            self._close(token)
        elif frame.query:
            self._clause(frame, token)
        else:
            self._expression(frame, token)

    def _open(self, frame: _Frame, relation: Relation | None = None) -> None:
        index = self.cursor.index
        opener = self.tokens[index - 1].upper if index else ""
        behind = self.cursor.peek(1)
        starts_query = self.tokens[index].upper == "(" and (
            (behind is not None and behind.upper in _STARTS) or self._at_described(1)
        )
        if starts_query:
            inner = _Frame(Scope(Scope(frame.scope)), query=True, opener=opener, relation=relation)
        elif relation is not None:
            # A bracketed join tree: its tables belong to the SELECT around it.
            inner = _Frame(frame.scope, query=True, clause="FROM", expects_table=True, joins=True, relation=relation)
        elif self.tokens[index].upper == "(" and behind is not None and behind.upper == "(" and frame.query:
            inner = _Frame(frame.scope, query=frame.clause == "", opener=opener)
        else:
            inner = _Frame(frame.scope, query=False, opener=opener)
        self.cursor.index += 1
        self.stack.append(inner)

    def _close(self, token: Token) -> None:
        self.cursor.index += 1
        if len(self.stack) == 1:
            return
        inner = self.stack.pop()
        frame = self.stack[-1]
        if inner.cte is not None:
            start = inner.cte.span.start
            query = Span(inner.start, token.span.start)
            self.bodies[start] = Body(
                inner.cte, Span(start, token.span.end), query, len(self.stack) == 1, inner.recursive
            )
            self._define_cte(frame, inner.cte, recursive=inner.recursive)
        if inner.relation is not None:
            self._alias(inner.relation)
            inner.relation.span = Span(inner.relation.span.start, self.tokens[self.cursor.index - 1].span.end)

    def _clause(self, frame: _Frame, token: Token) -> None:
        word = token.upper
        previous = self.tokens[self.cursor.index - 1].upper if self.cursor.index else ""
        if word == "SELECT":
            frame.clause, frame.joins = "SELECT", False
        elif word == "WITH" and frame.clause == "":
            frame.clause = "WITH"
        elif word == "TABLE" and frame.clause == "":
            self.edits.append(Edit(token.span, "SELECT * FROM"))
            frame.clause, frame.expects_table = "FROM", True
        elif frame.clause == "" and self._at_described():
            self._described(frame)
            return
        elif word == "FROM" and previous != "DISTINCT":
            frame.clause, frame.expects_table, frame.joins = "FROM", True, True
        elif word in _SET_OPERATORS and not self._excludes(word):
            self._refuse_all(word)
            frame.clause, frame.joins = "", False
            base = frame.scope.parent
            frame.scope = Scope(base)
        elif word in CLAUSES:
            frame.clause, frame.joins = word, False
        elif frame.joins and word in ("JOIN", ","):
            frame.expects_table = True
        elif frame.joins and word == "TABLESAMPLE":
            self.cursor.refuse("TABLESAMPLE", hint="ORDER BY random() LIMIT n gives n rows")
        elif frame.clause == "SELECT":
            self._select_item(frame, token)
            return
        else:
            self._expression(frame, token)
            return
        self.cursor.index += 1

    def _refuse_all(self, word: str) -> None:
        """DataFusion takes EXCEPT ALL and INTERSECT ALL for joins, which don't count how often a row comes."""
        behind = self.cursor.peek(1)
        if word != "UNION" and behind is not None and behind.upper == "ALL":
            hint = "number equal rows, row_number() OVER (PARTITION BY …), and leave ALL out"
            self.cursor.refuse(f"{word} ALL", hint=hint)

    def _excludes(self, word: str) -> bool:
        """True for ``* EXCEPT (a, b)``, which is no set operation."""
        previous = self.tokens[self.cursor.index - 1].upper if self.cursor.index else ""
        behind, after = self.cursor.peek(1), self.cursor.peek(2)
        opens = behind is not None and behind.upper == "("
        return word == "EXCEPT" and previous == "*" and opens and after is not None and after.upper not in _STARTS

    def _select_item(self, frame: _Frame, token: Token) -> None:
        """An item of the select list: looks out for its alias, with or without AS."""
        index = self.cursor.index
        behind = self.cursor.peek(1)
        if token.upper == "AS" and behind is not None and behind.is_name:
            self._define(index + 1, output=len(self.stack) == 1)
            self.cursor.index += 2
            return
        ends = behind is None or behind.upper in _ENDS_ITEM
        previous = self.tokens[index - 1] if index else None
        if (
            ends
            and token.is_name
            and previous is not None
            and (previous.kind in ("quoted", "string", "number", "parameter") or self._is_operand(previous))
            and token.upper not in _ENDS_OPERAND
        ):
            self._define(index, output=len(self.stack) == 1)
            self.cursor.index += 1
            return
        self._expression(frame, token)

    def _is_operand(self, token: Token) -> bool:
        return token.upper in _ENDS_OPERAND or (token.kind == "word" and token.upper not in RESERVED)

    def _define(self, index: int, *, output: bool = False) -> None:
        self.roles[index] = "alias"
        self.definitions.append(index)
        if output:
            self.output.append(index)

    # -- expressions

    def _expression(self, frame: _Frame, token: Token) -> None:
        index = self.cursor.index
        self.cursor.index += 1
        behind = self.cursor.peek()
        if token.upper == "::":
            self._skip_type()
        elif token.upper == "AS" and not frame.query:
            if frame.opener in _CASTS:
                while self.cursor.peek() is not None and not self.cursor.at(")") and not self.cursor.at("("):
                    self._skip()
            elif behind is not None and behind.is_name and frame.opener != "REPLACE":
                self._skip()
        elif token.upper == "INTERVAL" and behind is not None and behind.kind in ("string", "number", "parameter"):
            self._skip()
            while (unit := self.cursor.peek()) is not None and unit.upper.rstrip("S") in _UNITS:
                self._skip()
        elif self._is_pair(token, behind):
            self.roles[index] = "word"
            self._skip()
        elif self._is_typed(token, behind) or (frame.opener == "EXTRACT" and self.tokens[index - 1].upper == "("):
            self.roles[index] = "word"

    def _is_pair(self, token: Token, behind: Token | None) -> bool:
        """True for two words of which neither is a column: ``NULLS FIRST``, ``ROWS BETWEEN``, ``OVER window``."""
        if behind is None or (behind.kind != "word" and token.upper not in _FRAMES):
            return False
        if token.upper in _FRAMES:
            return behind.upper in _BOUNDS or behind.kind == "number"
        return token.upper in ("OVER", "WINDOW") or behind.upper in _PAIRS.get(token.upper, ())

    def _is_typed(self, token: Token, behind: Token | None) -> bool:
        """True for the first word of ``DATE '…'`` and of ``name => value``."""
        return token.kind == "word" and behind is not None and (behind.kind == "string" or behind.upper == "=>")

    def _skip(self) -> None:
        self.roles[self.cursor.index] = "word"
        self.cursor.index += 1

    def _skip_type(self) -> None:
        if (token := self.cursor.peek()) is not None and token.is_name:
            self._skip()

    # -- WITH

    def _cte(self, frame: _Frame, token: Token) -> bool:
        """``[RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (``; False where no further CTE comes."""
        index = self.cursor.index
        if token.upper == "RECURSIVE":
            frame.recursive = True
            self.cursor.index += 1
            return True
        if token.upper == ",":
            self.cursor.index += 1
            return True
        previous = self.tokens[index - 1].upper
        if not token.is_name or previous not in ("WITH", "RECURSIVE", ",") or token.upper in _STARTS:
            frame.clause = ""
            return False
        self.roles[index] = "cte"
        self.cursor.index += 1
        self._column_list()
        self.cursor.take("AS")
        for hint in ("NOT", "MATERIALIZED"):
            if self.cursor.take(hint):
                self.hints.append(self.tokens[self.cursor.index - 1])
        if not self.cursor.at("("):
            frame.clause = ""
            return True
        if frame.recursive:
            self._define_cte(frame, token, recursive=False)
        self._open(frame)
        inner = self.stack[-1]
        inner.query, inner.cte, inner.recursive = True, token, frame.recursive
        inner.start = self.tokens[self.cursor.index - 1].span.end
        return True

    def _define_cte(self, frame: _Frame, name: Token, *, recursive: bool) -> None:
        if not recursive:
            base = frame.scope.parent or frame.scope
            base.ctes.append(name)

    def _column_list(self) -> tuple[Token, ...]:
        """``(a, b)`` behind an alias or the name of a CTE: each defines a column's name."""
        names: list[Token] = []
        if not self.cursor.take("("):
            return ()
        while not self.cursor.done and not self.cursor.take(")"):
            token = self.cursor.peek()
            previous = self.tokens[self.cursor.index - 1].upper
            if token is not None and token.is_name and previous in ("(", ","):
                self._define(self.cursor.index)
                names.append(token)
            self.cursor.index += 1
        return tuple(names)

    # -- FROM

    def _factor(self, frame: _Frame, token: Token) -> bool:
        """A table, a path, a subquery, a function or a bracketed join; False where none of these comes."""
        if token.upper in ("LATERAL", "ONLY"):
            self.cursor.index += 1
            return True
        frame.expects_table = False
        relation = Relation(None, span=token.span)
        if token.upper == "(":
            self._refuse_statement()
            self._relate(frame, relation)
            self._open(frame, relation)
            return True
        if token.kind != "string" and (not token.is_name or token.upper in _NOT_AN_ALIAS - {"UNNEST"}):
            return False
        if at_table_function(self.cursor):
            self._relate(frame, relation)
            self._call(relation)
            return True
        if self._is_function():
            self._relate(frame, relation)
            self._open(frame)
            self.stack[-1].relation = relation
            return True
        self._relate(frame, relation)
        self._table(frame, relation, token)
        return True

    def _refuse_statement(self) -> None:
        first = self.cursor.peek(1)
        if first is not None and first.upper in ("DESCRIBE", "DESC", "SHOW") and not self._at_described(1):
            self.cursor.refuse(f"{first.upper} as a subquery", hint="run it as a statement of its own", span=first.span)

    def _relate(self, frame: _Frame, relation: Relation) -> None:
        frame.scope.relations.append(relation)
        self.relations.append(relation)

    def _is_function(self) -> bool:
        """Step to the bracket if a dotted name and ``(`` come next."""
        ahead = 1
        while (dot := self.cursor.peek(ahead)) is not None and dot.upper == ".":
            ahead += 2
        bracket = self.cursor.peek(ahead)
        if bracket is None or bracket.upper != "(" or self.tokens[self.cursor.index].kind == "string":
            return False
        for _ in range(ahead):
            self._skip()
        return True

    def _call(self, relation: Relation) -> None:
        first = self.cursor.index
        relation.call = function_call(self.cursor)
        relation.span = relation.call.span
        self.roles.update(dict.fromkeys(range(first, self.cursor.index), "table"))
        self._alias(relation)

    def _at_described(self, ahead: int = 0) -> bool:
        """True if ``{DESCRIBE | DESC} {DETAIL | HISTORY}`` comes, where a query may stand."""
        words = [token.upper if (token := self.cursor.peek(ahead + i)) is not None else "" for i in (0, 1)]
        return words[0] in ("DESCRIBE", "DESC") and words[1] in _DESCRIBED

    def _described(self, frame: _Frame) -> None:
        """``DESCRIBE HISTORY table [LIMIT number]`` is ``SELECT * FROM table_history('table') [LIMIT number]``.

        ``DESCRIBE DETAIL table`` is ``SELECT * FROM table_detail('table')``. A LIMIT gets an order, or DataFusion takes
        any rows for it; they are to be the newest.
        """
        first, start = self.cursor.index, self.cursor.here().start
        self.cursor.advance()
        function = _DESCRIBED[self.cursor.advance().upper]
        self.edits.append(Edit(self.cursor.since(start).span, "SELECT * FROM"))
        place = self.cursor.here().start
        self.cursor.table()
        table = self.cursor.since(place)
        self.roles.update(dict.fromkeys(range(first, self.cursor.index), "table"))
        call = FunctionCall(function, {"table": Fragment(text(table.sql), table.span)}, table.span)
        self._relate(frame, Relation(None, span=table.span, call=call))
        if not self.cursor.at(")"):
            if function != "table_history":
                self.cursor.fail("`)`")
            if not self.cursor.at("LIMIT"):
                self.cursor.fail("`)` or LIMIT")
        if self.cursor.at("LIMIT"):
            limit = self.cursor.here().start
            self.edits.append(Edit(Span(limit, limit), "ORDER BY version DESC "))
        frame.clause = "FROM"

    def _table(self, frame: _Frame, relation: Relation, token: Token) -> None:
        first = self.cursor.index
        reference = self.cursor.table(as_of=True)
        for index in range(first, self.cursor.index):
            self.roles[index] = "table"
        cte = frame.scope.cte(token) if len(reference.parts) == 1 and reference.as_of is None else None
        if cte is not None:
            relation.cte = cte
        else:
            relation.reference = reference
        relation.span = reference.span or token.span
        self._alias(relation)

    def _alias(self, relation: Relation) -> None:
        index = self.cursor.index
        if self.cursor.at("AS"):
            index += 1
        token = self.tokens[index] if index < len(self.tokens) else None
        if token is None or not token.is_name or token.upper in _NOT_AN_ALIAS:
            return
        if relation.reference is not None and relation.reference.as_of is None and index > self.cursor.index:
            after = self.tokens[index + 1].upper if index + 1 < len(self.tokens) else ""
            if after in ("VERSION", "TIMESTAMP") and self.tokens[index + 2 : index + 3]:
                self.cursor.index = index + 1
                self.cursor.fail("the alias behind the time travel", hint="write `t VERSION AS OF n AS alias`")
        relation.alias = token
        self.roles[index] = "relation"
        self.cursor.index = index + 1
        relation.names = self._column_list()


_DESCRIBED = {"DETAIL": "table_detail", "HISTORY": "table_history"}
_PAIRS = {"NULLS": ("FIRST", "LAST"), "CURRENT": ("ROW",)}
_FRAMES = {"ROWS", "RANGE", "GROUPS"}
_BOUNDS = {"BETWEEN", "UNBOUNDED", "CURRENT"}
_UNITS = {
    "MICROSECOND", "MILLISECOND", "NANOSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
    "TO",
}  # fmt: skip

RESERVED = frozenset({
    "ALL", "AND", "ANTI", "ANY", "ARRAY", "AS", "ASC", "ASOF", "BETWEEN", "BOTH", "BY", "CASE", "CAST", "COLLATE",
    "CROSS", "CUBE", "DESC", "DISTINCT", "ELSE", "END", "ESCAPE", "EXCEPT", "EXCLUDE", "EXISTS", "FALSE", "FETCH",
    "FOR", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "ILIKE", "IN", "INNER", "INTERSECT", "INTERVAL", "INTO",
    "IS", "JOIN", "LATERAL", "LEADING", "LEFT", "LIKE", "LIMIT", "MINUS", "NATURAL", "NOT", "NULL", "OFFSET", "ON",
    "OR", "ORDER", "OUTER", "OVER", "PARTITION", "PIVOT", "QUALIFY", "RECURSIVE", "RIGHT", "RLIKE", "ROLLUP",
    "SELECT", "SEMI", "SOME", "SORT", "STRUCT", "TABLE", "TABLESAMPLE", "THEN", "TRAILING", "TRUE", "TRY_CAST",
    "UNBOUNDED", "UNION", "UNNEST", "UNPIVOT", "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN",
})  # fmt: skip
"""Unquoted words that are never a column."""
