"""The grammars as one automaton, which is stepped over tokens and knows what may come next.

It is not deterministic and never backs out: a set of states is all that a text so far may mean. A group in brackets
is one step from outside; inside, its own states are walked. Where a keyword and a name both fit, it is the keyword.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from deltasql.repl.notation import Choice, Group, Repeat, Rest, Sequence, Slot, Tree, Word, read
from deltasql.repl.phrases import ENCLOSED, NAMES, OPERANDS, PHRASES, RENAMED, TRAVELLERS
from deltasql.sql.parser import PARSERS, grammar

States: TypeAlias = frozenset[int]
Label: TypeAlias = Word | Slot | Group

_POINTS = {"number": Slot("version"), "expression": Slot("timestamp")}
"""What stands behind ``AS OF``."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A step to ``target`` over what ``label`` says; None: over nothing.

    ``behind_operand`` tells that it is open only where an operand has just ended.
    """

    label: Label | None
    target: int
    behind_operand: bool = False


@dataclass(slots=True)
class Automaton:
    """Edges by state. Grammars are added as they are asked for."""

    edges: list[list[Edge]] = field(default_factory=list)
    _starts: dict[Tree, int] = field(default_factory=dict)
    _statements: dict[str, Tree] = field(default_factory=dict)

    # -- walking

    def start(self, tree: Tree) -> int:
        """The state from which ``tree`` is walked by itself."""
        if tree not in self._starts:
            first = self._starts[tree] = self._state()  # Before what follows: a query may hold a query.
            self._add(tree, first)
        return self._starts[tree]

    def statement(self) -> int:
        """The state from which any statement is walked."""
        return self.start(Slot("statement"))

    def closure(self, states: Iterable[int], *, operand: bool) -> States:
        """``states`` and what they lead to over nothing; ``operand`` tells that one has just ended."""
        found = set(states)
        waiting = list(found)
        while waiting:
            for edge in self.edges[waiting.pop()]:
                if edge.label is None and (operand or not edge.behind_operand) and edge.target not in found:
                    found.add(edge.target)
                    waiting.append(edge.target)
        return frozenset(found)

    def leaving(self, states: States) -> list[Edge]:
        """The edges with a label that leave ``states``, in the order of the grammars."""
        return [edge for state in sorted(states) for edge in self.edges[state] if edge.label is not None]

    # -- building

    def _state(self) -> int:
        self.edges.append([])
        return len(self.edges) - 1

    def _edge(self, source: int, label: Label | None, target: int, *, behind_operand: bool = False) -> None:
        self.edges[source].append(Edge(label, target, behind_operand))

    def _add(self, tree: Tree, source: int) -> int:
        """Add ``tree`` behind ``source``, and give the state behind it."""
        match tree:
            case Word() | Group():
                target = self._state()
                self._edge(source, tree, target)
                if isinstance(tree, Group) and _first(tree.inside) == Slot("path"):
                    return self._join([target, self._add(tree.inside, source)])
                return target
            case Slot():
                return self._slot(tree, source)
            case Sequence(parts):
                return self._sequence(parts, source)
            case Choice(options, optional):
                ends = [self._add(option, self._after(source)) for option in options]
                return self._join([*ends, source] if optional else ends)
            case Repeat(part, commas):
                first = self._after(source)
                end = self._add(part, first)
                self._edge(end, Word(",") if commas else None, first)
                return self._after(end)
            case Rest(word):
                if word in {"SELECT", "VALUES", "FROM"}:
                    return self._add(Slot("query"), source)
                return self._elsewhere(self._beginning(word), source)

    def _elsewhere(self, trees: list[Tree], source: int) -> int:
        """Go on with one of these, each of which ends the statement: nothing comes behind it here."""
        for tree in trees:
            self._edge(source, None, self.start(tree))
        return self._state()

    def _after(self, state: int) -> int:
        target = self._state()
        self._edge(state, None, target)
        return target

    def _join(self, ends: list[int]) -> int:
        target = self._state()
        for end in ends:
            self._edge(end, None, target)
        return target

    def _sequence(self, parts: tuple[Tree, ...], source: int) -> int:
        before: Tree | None = None
        for part in parts:
            travels = before is not None and isinstance(before, Word) and before.text in TRAVELLERS
            options = part.options if isinstance(part, Choice) else (part,)
            point = _POINTS.get(part.name) if before == Word("OF") and isinstance(part, Slot) else None
            source = self._add(part if point is None else point, source)
            if travels and Slot("table") in options:
                source = self._join([self._add(Slot("travel"), source), source])
            before = part
        return source

    def _slot(self, slot: Slot, source: int) -> int:
        if slot.name == "statement":
            return self._elsewhere(self._all(), source)
        if not slot.quoted and slot.name in PHRASES:
            return self._add(read(PHRASES[slot.name]), source)
        if not slot.quoted and slot.name in OPERANDS:
            inside, target = self._state(), self._state()
            self._edge(source, slot, inside)
            self._edge(inside, slot, inside)
            self._edge(inside, None, target, behind_operand=True)
            return target
        target = self._state()
        self._edge(source, slot, target)
        if not slot.quoted and slot.name in NAMES:
            dot = self._state()
            self._edge(target, Word("."), dot)
            self._edge(dot, slot, target)
        if slot.name in {"table", "readable"} and not slot.quoted:
            self._edge(source, Slot("table_path", quoted=True), target)
        return target

    # -- statements

    def _all(self) -> list[Tree]:
        if not self._statements:
            for keywords, parser in PARSERS.items():
                text = grammar(parser)
                if text not in self._statements:
                    self._statements[text] = _renamed(read(text), RENAMED.get(keywords, {}))
        return list(self._statements.values())

    def _beginning(self, word: str) -> list[Tree]:
        self._all()
        return [tree for text, tree in self._statements.items() if text.startswith(word)]


def _first(tree: Tree) -> Tree:
    """What ``tree`` begins with; paths may stand without the brackets that a grammar shows round them."""
    while isinstance(tree, Repeat | Sequence):
        tree = tree.part if isinstance(tree, Repeat) else tree.parts[0]
    return tree


def _renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    match tree:
        case Slot(name, quoted=False):
            return Slot(names.get(name, name))
        case Group(inside):
            return Group(_renamed(inside, names))
        case Sequence(parts):
            return Sequence(tuple(_renamed(part, names) for part in parts))
        case Choice(options, optional):
            return Choice(tuple(_renamed(option, names) for option in options), optional)
        case Repeat(part, commas):
            return Repeat(_renamed(part, names), commas)
    return tree


@cache
def automaton() -> Automaton:
    """That of all statements."""
    built = Automaton()
    built.statement()
    for phrase in ENCLOSED.values():
        built.start(read(phrase))
    return built
