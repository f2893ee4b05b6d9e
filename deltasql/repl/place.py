"""Where the cursor is: what is being typed there, what may come next, and which tables the statement has named.

The tokens before the cursor are walked once through the grammars' automaton, one frame for each bracket (and each
CASE) that is still open. Text that the grammars don't know loses the way only until the next clause.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from deltasql.errors import ParseError
from deltasql.repl.automaton import Automaton, Edge, States, automaton
from deltasql.repl.notation import Group, Slot, Word, read
from deltasql.repl.phrases import ARGUMENTS, ENCLOSED, NAMES, OPERANDS
from deltasql.sql.dialect import Token, tokenize
from deltasql.sql.functions import TABLE_FUNCTIONS
from deltasql.sql.scan import RESERVED

_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
_VALUES = {"END", "NULL", "TRUE", "FALSE"}
_QUOTES = {"'", '"', "`"}
_ANEW = {
    "SELECT": "query",
    "WITH": "query",
    "FROM": "tables",
    "JOIN": "tables",
    **dict.fromkeys(("WHERE", "ON", "HAVING", "AND", "OR", "BY", "QUALIFY", "=", ","), "operand"),
}
"""Where the way is found again that an unknown piece of text lost: what comes behind a word."""


@dataclass(slots=True)
class Target:
    """A table that a statement names outside of its query, or a query in its place (then ``query`` is its place)."""

    parts: list[Token] = field(default_factory=list)
    alias: Token | None = None
    query: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function in whose brackets the cursor is, and how many commas stand before it there."""

    name: str
    argument: int


@dataclass(frozen=True, slots=True)
class Typed:
    """The word at the cursor: ``text`` without its quote, as written ``length`` characters from ``start`` on.

    ``quote`` is the quote that it began with and that isn't closed, ``qualifier`` the names and dots before it.
    """

    start: int
    length: int
    text: str
    quote: str = ""
    qualifier: tuple[Token, ...] = ()


@dataclass(slots=True)
class Frame:
    """The states that the text inside of one bracket may be in, and what stood last.

    ``target_seen`` tells that the columns of a write's target can be meant by the operands of a query here.
    """

    states: States
    close: str = ""
    previous: Token | None = None
    operand: bool = False
    target_seen: bool = False
    call: str = ""
    commas: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the cursor's place; ``edges`` are what may come next, ``tokens`` the statement before it.

    ``targets`` are the tables that a statement names outside of its query, ``table`` the name of the last one of all;
    ``statement`` is the place of the whole statement, ``closing`` what would close the brackets that are open.
    """

    typed: Typed
    frame: Frame
    edges: tuple[Edge, ...]
    tokens: tuple[Token, ...]
    targets: tuple[Target, ...]
    table: tuple[Token, ...]
    statement: tuple[int, int]
    closing: str

    @property
    def slots(self) -> list[Slot]:
        """What is expected, keywords and groups aside."""
        return list(dict.fromkeys(edge.label for edge in self.edges if isinstance(edge.label, Slot)))

    @property
    def call(self) -> Call | None:
        """The call in whose brackets the cursor is."""
        return Call(self.frame.call, self.frame.commas) if self.frame.call else None

    @property
    def previous(self) -> str:
        """The word or symbol before what is typed, upper case; empty for anything else."""
        return self.frame.previous.upper if self.frame.previous is not None else ""


def place(text: str, cursor: int) -> Place | None:
    """The place of ``cursor`` in ``text``; None in a comment, and where nothing can be made of what is before."""
    found = _typed(text[:cursor])
    if found is None:
        return None
    tokens, typed = found
    start = next((token.span.end for token in reversed(tokens) if token.upper == ";"), 0)
    own = tuple(token for token in tokens if token.span.start >= start)
    walk = _Walk(automaton())
    walk.over(own)
    frame = walk.stack[-1]
    edges = tuple(walk.leaving(frame))
    end = _end(text, cursor)
    closing = " ".join(frame.close for frame in walk.stack[::-1])
    return Place(typed, frame, edges, own, tuple(walk.targets), tuple(walk.table), (start, end), closing)


def following(edges: Iterable[Edge], word: str) -> str:
    """``word``, a keyword that ``edges`` offer, with the keywords that must come behind it: ``ORDER BY``."""
    known = automaton()
    while True:
        ends = [edge.target for edge in edges if edge.label == Word(word.rpartition(" ")[2])]
        states = known.closure(ends, operand=True)
        edges = known.leaving(states)
        labels = {edge.label for edge in edges}
        final = any(not known.edges[state] for state in states)
        only = next(iter(labels), None)
        if final or len(labels) != 1 or not isinstance(only, Word) or not only.text.isalpha():
            return word
        word = f"{word} {only.text}"


def _typed(before: str) -> tuple[tuple[Token, ...], Typed] | None:
    """The tokens before the word at the end of ``before``, and the word."""
    quote = ""
    try:
        tokens = tokenize(before)
    except ParseError as error:
        start = error.span.start if error.span is not None else 0
        quote = before[start : start + 1]
        if quote not in _QUOTES:
            return None
        tokens = tokenize(before[:start])
        inside = before[start + 1 :].replace(quote * 2, quote)
        word = Typed(start, len(before) - start, inside, quote)
    else:
        last = tokens[-1] if tokens else None
        behind = last.span.end if last is not None else 0
        if before[behind:].strip():
            return None
        if last is not None and behind == len(before) and last.kind in {"word", "quoted", "number"}:
            tokens, word = tokens[:-1], Typed(last.span.start, behind - last.span.start, last.text)
        else:
            word = Typed(len(before), 0, "")
    return tokens, replace(word, qualifier=_qualifier(tokens, word.start))


def _qualifier(tokens: tuple[Token, ...], end: int) -> tuple[Token, ...]:
    """The names, each with its dot, that stand before ``end`` without a gap."""
    first = len(tokens)
    while first >= 2 and tokens[first - 1].upper == "." and tokens[first - 1].span.end == end:
        if not tokens[first - 2].is_name:
            break
        first -= 2
        end = tokens[first].span.start
    return tokens[first:]


def _end(text: str, cursor: int) -> int:
    """Where the statement ends that ``cursor`` is in: before its semicolon, if one can be seen."""
    try:
        return next((t.span.start for t in tokenize(text) if t.upper == ";" and t.span.start >= cursor), len(text))
    except ParseError:
        return cursor


@lru_cache(maxsize=64)
def _start(phrase: str) -> int:
    return automaton().start(read(phrase))


class _Walk:
    """The walk over the tokens of a statement."""

    def __init__(self, known: Automaton) -> None:
        self.known = known
        self.stack = [Frame(frozenset({known.statement()}))]
        self.targets: list[Target] = []
        self.table: list[Token] = []
        self._query: Target | None = None
        self._opened: list[int] = []

    def over(self, tokens: tuple[Token, ...]) -> None:
        for token in tokens:
            frame = self.stack[-1]
            behind_dot = frame.previous is not None and frame.previous.upper == "."
            if token.upper in _OPEN or (token.upper == "CASE" and not behind_dot):
                self._open(frame, token)
            elif len(self.stack) > 1 and (
                token.upper in _CLOSE or (token.upper == frame.close == "END" and not behind_dot)
            ):
                self._close(token)
            else:
                self._step(frame, token)

    def leaving(self, frame: Frame) -> list[Edge]:
        """The edges that leave where ``frame`` is now."""
        frame.states = self.known.closure(frame.states, operand=frame.operand)
        return self.known.leaving(frame.states)

    # -- brackets

    def _open(self, frame: Frame, token: Token) -> None:
        edges = self.leaving(frame)
        operands = [edge.label for edge in edges if isinstance(edge.label, Slot) and edge.label.name in OPERANDS]
        groups = [edge.label for edge in edges if isinstance(edge.label, Group) and token.upper == "("]
        starts = [self.known.start(group.inside) for group in groups]
        call = self._called(frame) if token.upper == "(" else ""
        if groups and not operands and call not in TABLE_FUNCTIONS:
            call = ""
        if operands or not groups:
            starts.append(_start(_inside(frame, token, call)))
        nested = len(self.stack) > 1 and frame.target_seen
        seen = nested or any(slot.name != "operand" for slot in operands)
        if not operands and any(group.inside == Slot("query") for group in groups):
            seen = False
        close = _OPEN.get(token.upper, "END")
        self._opened.append(token.span.end)
        self.stack.append(Frame(frozenset(starts), close, target_seen=seen, call=call))

    def _called(self, frame: Frame) -> str:
        token = frame.previous
        named = token is not None and token.is_name and (token.kind == "quoted" or token.upper not in RESERVED)
        return token.text.lower() if named and token is not None else ""

    def _close(self, token: Token) -> None:
        inner = self.stack.pop()
        frame = self.stack[-1]
        round_, start = inner.close == ")", self._opened.pop()
        edges = [
            edge
            for edge in self.leaving(frame)
            if (isinstance(edge.label, Group) and round_)
            or (isinstance(edge.label, Slot) and edge.label.name in OPERANDS)
        ]
        if any(edge.label == Group(Slot("query")) for edge in edges):
            self._query = Target(query=(start, token.span.start))  # A target, if an alias makes it one.
        self._arrive(frame, edges, token, operand=True)

    # -- tokens

    def _step(self, frame: Frame, token: Token) -> None:
        edges = [edge for edge in self.leaving(frame) if self._fits(edge, frame, token)]
        keyword = token.kind == "word" and any(isinstance(edge.label, Word) for edge in edges)
        if keyword:
            edges = [edge for edge in edges if isinstance(edge.label, Word)]
        if not edges and (phrase := _ANEW.get(token.upper)) is not None:
            start = frozenset({_start(phrase)})
            again = self.known.leaving(self.known.closure(start, operand=False))
            edges = [edge for edge in again if edge.label == Word(token.upper)] or [Edge(None, _start(phrase))]
        frame.commas += token.upper == ","
        self._note(frame, edges, token)
        self._arrive(frame, edges, token, operand=not keyword and _ends_operand(frame, token))

    def _fits(self, edge: Edge, frame: Frame, token: Token) -> bool:
        label = edge.label
        if isinstance(label, Word):
            return label.text == token.upper
        if not isinstance(label, Slot):
            return False
        if label.quoted:
            return token.kind in {"string", "quoted"}
        if label.name in OPERANDS:
            return token.upper != ","
        if label.name not in NAMES:
            return token.text.lower() == label.name
        behind_dot = frame.previous is not None and frame.previous.upper == "."
        return token.is_name and (token.kind == "quoted" or behind_dot or token.upper not in RESERVED)

    def _note(self, frame: Frame, edges: list[Edge], token: Token) -> None:
        """Keep the tables that are named."""
        slots = {edge.label.name for edge in edges if isinstance(edge.label, Slot)}
        behind_dot = frame.previous is not None and frame.previous.upper == "."
        if slots & {"table", "readable", "table_path"}:
            goes_on = behind_dot and bool(self.table)
            self.table = [*self.table, token] if goes_on else [token]
            if "table" in slots or (token.kind == "string" and "table_path" in slots):
                if goes_on and self.targets:
                    self.targets[-1].parts.append(token)
                else:
                    self.targets.append(Target([token]))
            self._query = None
        elif "alias" in slots:
            if self._query is not None:
                self.targets.append(self._query)
            if self.targets:
                self.targets[-1].alias = token
            self._query = None

    def _arrive(self, frame: Frame, edges: list[Edge], token: Token, *, operand: bool) -> None:
        frame.states = frozenset(edge.target for edge in edges)
        frame.previous, frame.operand = token, operand


def _inside(frame: Frame, token: Token, call: str) -> str:
    """The phrase that stands in a bracket of an expression."""
    if token.upper in {"[", "{"}:
        return "operand, …"
    word = token.upper if token.upper == "CASE" else frame.previous.upper if frame.previous is not None else ""
    if word in ENCLOSED:
        return ENCLOSED[word]
    return ARGUMENTS if call else ENCLOSED[""]


def _ends_operand(frame: Frame, token: Token) -> bool:
    """Tell whether an operand ends with ``token``, so that an operator or another clause may come."""
    if token.kind == "symbol":
        return token.upper == "*" and not frame.operand
    if token.kind == "word" and not (frame.previous is not None and frame.previous.upper == "."):
        return token.upper in _VALUES or token.upper not in RESERVED
    return True
