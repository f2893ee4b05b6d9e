"""Random MERGE, UPDATE, DELETE and INSERT … REPLACE WHERE here and on lists of Python rows.

After every statement the rows, the counts and the change feed are those of the model; a statement that the model
refuses leaves the table at its version. DuckDB's and SQLite's own rules of matching differ from Delta's, so the model
is written out here: it goes by the Delta Lake documentation of MERGE INTO.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import deltasql
from tests.engine.lakes import Lake, metadata, protocol
from tests.engine.test_protocol_features import vector

Row: TypeAlias = tuple[Any, ...]
_COLUMNS = ("k", "p", "v", "s")
_NOTHING: Row = (None,) * len(_COLUMNS)


@dataclass(frozen=True)
class Expression:
    """SQL over columns of the target ``t`` and the source ``s``, and what it gives for a row of each."""

    sql: str
    value: Callable[[Row, Row], Any]
    sides: str = ""

    def __repr__(self) -> str:
        return self.sql


def _column(side: str, name: str) -> Expression:
    at = _COLUMNS.index(name)
    return Expression(f"{side}.{name}", lambda t, s: (t if side == "t" else s)[at], side)


def _constant(value: Any) -> Expression:
    sql = "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
    return Expression(sql, lambda _t, _s: value)


def _strict(template: str, value: Callable[..., Any], *parts: Expression) -> Expression:
    """NULL where a part is."""

    def computed(t: Row, s: Row) -> Any:
        values = [part.value(t, s) for part in parts]
        return None if None in values else value(*values)

    return Expression(template.format(*(part.sql for part in parts)), computed, "".join(part.sides for part in parts))


def _and(left: Expression, right: Expression) -> Expression:
    def computed(t: Row, s: Row) -> bool | None:
        both = left.value(t, s), right.value(t, s)
        return False if False in both else None if None in both else True

    return Expression(f"({left.sql} AND {right.sql})", computed, left.sides + right.sides)


def _or(left: Expression, right: Expression) -> Expression:
    def computed(t: Row, s: Row) -> bool | None:
        both = left.value(t, s), right.value(t, s)
        return True if True in both else None if None in both else False

    return Expression(f"({left.sql} OR {right.sql})", computed, left.sides + right.sides)


def _is_null(of: Expression) -> Expression:
    return Expression(f"{of.sql} IS NULL", lambda t, s: of.value(t, s) is None, of.sides)


def _same(left: Expression, right: Expression) -> Expression:
    sql = f"({left.sql} IS NOT DISTINCT FROM {right.sql})"
    return Expression(sql, lambda t, s: left.value(t, s) == right.value(t, s), left.sides + right.sides)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}


@st.composite
def _number(draw: st.DrawFn, sides: str) -> Expression:
    column = _column(draw(st.sampled_from(sides)), draw(st.sampled_from(["k", "p", "v"])))
    constant = _constant(draw(st.one_of(st.none(), st.integers(-2, 3))))
    sums = [_strict("({} + {})", lambda x, y: x + y, column, constant), _strict("(-{})", lambda x: -x, column)]
    return draw(st.sampled_from([column, constant, *sums]))


@st.composite
def _text(draw: st.DrawFn, sides: str) -> Expression:
    constants = [_constant(text) for text in (None, "x", "it", "ü")]
    return draw(st.sampled_from([_column(draw(st.sampled_from(sides)), "s"), *constants]))


@st.composite
def _condition(draw: st.DrawFn, sides: str) -> Expression:
    def atom() -> Expression:
        word = draw(st.sampled_from([*_COMPARISONS, "IS NULL", "IS NOT DISTINCT FROM", "true", "NULL"]))
        column = _column(draw(st.sampled_from(sides)), draw(st.sampled_from(["k", "p", "v"])))
        if word == "true":
            return Expression("true", lambda _t, _s: True)
        if word == "NULL":
            return Expression("CAST(NULL AS BOOLEAN)", lambda _t, _s: None)
        if word == "IS NULL":
            return _is_null(column)
        if word == "IS NOT DISTINCT FROM":
            return _same(column, draw(_number(sides)))
        return _strict(f"({{}} {word} {{}})", _COMPARISONS[word], column, draw(_number(sides)))

    first = atom()
    join = draw(st.sampled_from([None, _and, _or]))
    return first if join is None else join(first, atom())


_T = {name: _column("t", name) for name in _COLUMNS}
_S = {name: _column("s", name) for name in _COLUMNS}


def _equal(left: Expression, right: Expression) -> Expression:
    return _strict("{} = {}", lambda a, b: a == b, left, right)


def _conjunction(left: Expression, right: Expression) -> Expression:
    both = _and(left, right)
    return Expression(f"{left.sql} AND {right.sql}", both.value, both.sides)


@st.composite
def _on(draw: st.DrawFn) -> Expression:
    condition = draw(_condition("ts"))
    pair = _and(_equal(_T["p"], _S["p"]), _equal(_T["v"], _S["v"]))
    kinds = [
        # Without brackets, as the values of the source prune the target's files by such equations.
        _equal(_T["k"], _S["k"]),
        _equal(_S["s"], _T["s"]),
        _conjunction(_equal(_T["k"], _S["k"]), _equal(_T["p"], _S["p"])),
        _conjunction(_equal(_S["p"], _T["p"]), condition),
        _equal(_T["k"], _strict("({} + 1)", lambda x: x + 1, _S["k"])),
        _same(_T["k"], _S["k"]),
        _or(_equal(_T["k"], _S["k"]), pair),
        condition,
    ]
    return draw(st.sampled_from(kinds))


Values: TypeAlias = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class When:
    """A clause; ``values`` are by column, None for ``*``."""

    kind: str
    action: str
    condition: Expression | None
    values: Values | None

    def __repr__(self) -> str:
        return self.sql

    @property
    def sql(self) -> str:
        """The clause as it is written."""
        condition = f" AND {self.condition.sql}" if self.condition else ""
        values = self.values or ()
        if self.action == "delete":
            what = "DELETE"
        elif self.action == "update":
            what = "UPDATE SET " + (
                "*" if self.values is None else ", ".join(f"{name} = {value.sql}" for name, value in values)
            )
        elif self.values is None:
            what = "INSERT *"
        else:
            names = ", ".join(name for name, _ in values)
            what = f"INSERT ({names}) VALUES ({', '.join(value.sql for _, value in values)})"
        return f"WHEN {self.kind.upper()}{condition} THEN {what}"

    def holds(self, t: Row, s: Row) -> bool:
        """True if the clause is for such rows."""
        return self.condition is None or self.condition.value(t, s) is True

    def made(self, t: Row, s: Row) -> Row:
        """The new row."""
        if self.values is None:
            return s
        given = {name: value.value(t, s) for name, value in self.values}
        return tuple(given.get(name, old) for name, old in zip(_COLUMNS, t, strict=True))


@st.composite
def _set(draw: st.DrawFn, sides: str) -> Values:
    names = draw(st.sampled_from([("v",), ("p",), ("k", "v"), ("s", "p"), ("v", "k", "p", "s")]))
    return tuple((name, draw(_text(sides) if name == "s" else _number(sides))) for name in names)


_SIDES = {"matched": "ts", "not matched": "s", "not matched by source": "t"}


@st.composite
def _whens(draw: st.DrawFn) -> list[When]:
    found: list[When] = []
    for kind in draw(st.lists(st.sampled_from([*_SIDES]), min_size=1, unique=True)):
        for last in draw(st.sampled_from([[True], [False], [False, False], [False, True]])):
            condition = None if last else draw(_condition(_SIDES[kind]))
            action = "insert" if kind == "not matched" else draw(st.sampled_from(["update", "delete"]))
            star = kind != "not matched by source" and draw(st.booleans())
            values = None if star else draw(_set(_SIDES[kind])) if action != "delete" else ()
            found.append(When(kind, action, condition, values))
    return found


_NUMBERS = st.one_of(st.none(), st.integers(-1, 3))
_ROW = st.tuples(_NUMBERS, _NUMBERS, _NUMBERS, st.sampled_from([None, "x", "y", "it"]))
_ROWS = st.lists(_ROW, max_size=6)


class Refused(Exception):
    """The model can't say which of several rows of the source is to change a row."""


@dataclass
class Outcome:
    """What a statement does: the rows after it, and its changes as the feed has them."""

    rows: list[Row]
    changes: list[tuple[str, Row]]

    def count(self, change: str) -> int:
        """How many rows there are of a kind of change."""
        return sum(kind == change for kind, _ in self.changes)


def merged(rows: Sequence[Row], source: Sequence[Row], on: Expression, whens: Sequence[When]) -> Outcome:
    """What MERGE does (Delta Lake documentation, "MERGE INTO"). Raises `Refused`."""
    of_kind = {kind: [when for when in whens if when.kind == kind] for kind in {when.kind for when in whens}}
    matched = of_kind.get("matched", [])
    repeats = len(matched) == 1 and matched[0].action == "delete" and matched[0].condition is None
    made = Outcome([], [])
    taken = set()
    for row in rows:
        pairs = [at for at, other in enumerate(source) if on.value(row, other) is True]
        taken |= set(pairs)
        asked = [(when, source[at]) for at in pairs if (when := _first(matched, row, source[at])) is not None]
        if len(asked) > 1 and not repeats:
            raise Refused
        if not pairs and (when := _first(of_kind.get("not matched by source", []), row, _NOTHING)) is not None:
            asked = [(when, _NOTHING)]
        if not asked:
            made.rows.append(row)
        elif asked[0][0].action == "delete":
            made.changes.append(("delete", row))
        else:
            new = asked[0][0].made(row, asked[0][1])
            made.rows.append(new)
            made.changes += [("update_preimage", row), ("update_postimage", new)]
    for at, other in enumerate(source):
        if at not in taken and (when := _first(of_kind.get("not matched", []), _NOTHING, other)) is not None:
            new = when.made(_NOTHING, other)
            made.rows.append(new)
            made.changes.append(("insert", new))
    return made


def _first(whens: Sequence[When], t: Row, s: Row) -> When | None:
    return next((when for when in whens if when.holds(t, s)), None)


def _written(rows: Sequence[Row]) -> str:
    shown = (", ".join(_constant(value).sql for value in row) for row in rows)
    return "VALUES " + ", ".join(f"({row})" for row in shown)


def _typed(rows: Sequence[Row]) -> str:
    """A query that gives ``rows``, of the table's types."""
    if not rows:
        return "SELECT * FROM t WHERE false"
    types = zip(_COLUMNS, ("INT", "INT", "INT", "STRING"), strict=True)
    casts = ", ".join(f"CAST({name} AS {type}) AS {name}" for name, type in types)
    return f"SELECT {casts} FROM ({_written(rows)}) AS g(k, p, v, s)"


_SCHEMA = pa.schema([("k", pa.int32()), ("p", pa.int32()), ("v", pa.int32()), ("s", pa.string())])


def with_vectors(path: Path, files: Sequence[Sequence[Row]], properties: Mapping[str, str]) -> None:
    """A table whose deletion vectors leave the rows of ``files``."""
    lake, adds = Lake(path), []
    for number, rows in enumerate(files):
        held = [row for each in rows for row in ((9, 9, 9, "gone"), each)]
        table = pa.Table.from_pylist([dict(zip(_COLUMNS, row, strict=True)) for row in held], _SCHEMA)
        add = lake.file(f"{number}.parquet", table)
        if held:
            add["add"]["deletionVector"] = vector(lake, "i", range(0, len(held), 2))
        adds.append(add)
    configuration = {"delta.enableDeletionVectors": "true", **properties}
    lake.commit(protocol(3, 7, ["deletionVectors"]), metadata(_SCHEMA, (), configuration), *adds)


class Agreement(RuleBasedStateMachine):
    """A table and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="deltasql-test-")
        self.con = deltasql.connect(self.folder.name)
        self.rows: list[Row] = []
        self.feed = False

    @initialize(kind=st.sampled_from(["plain", "partitioned", "mapped", "vectors"]), feed=st.booleans(),
                files=st.lists(_ROWS, max_size=3))  # fmt: skip
    def create(self, kind: str, feed: bool, files: list[list[Row]]) -> None:
        self.feed = feed
        self.rows = [row for rows in files for row in rows]
        properties = {"delta.enableChangeDataFeed": "true"} if feed else {}
        if kind == "vectors":
            with_vectors(Path(self.folder.name, "t"), files, properties)
            return
        properties |= {"delta.columnMapping.mode": "name"} if kind == "mapped" else {}
        clause = "" if kind == "plain" else " PARTITIONED BY (p)"
        listed = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
        clause += f" TBLPROPERTIES ({listed})" if properties else ""
        self.con.sql(f"CREATE TABLE t (k INT, p INT, v INT, s STRING){clause}")
        for rows in files:
            self.con.sql(f"INSERT INTO t {_typed(rows)}")

    @rule(rows=_ROWS)
    def insert(self, rows: list[Row]) -> None:
        self.run(f"INSERT INTO t {_typed(rows)}", Outcome([*self.rows, *rows], [("insert", row) for row in rows]))

    @rule(on=_on(), whens=_whens(), source=_ROWS)
    def merge(self, on: Expression, whens: list[When], source: list[Row]) -> None:
        clauses = " ".join(when.sql for when in whens)
        statement = f"MERGE INTO t USING ({_typed(source)}) AS s ON {on.sql} {clauses}"
        try:
            outcome = merged(self.rows, source, on, whens)
        except Refused:
            self.refused(statement)
        else:
            self.run(statement, outcome)

    @rule(whens=_whens(), on=_on())
    def merge_with_itself(self, whens: list[When], on: Expression) -> None:
        clauses = " ".join(when.sql for when in whens)
        try:
            outcome = merged(self.rows, self.rows, on, whens)
        except Refused:
            self.refused(f"MERGE INTO t USING t AS s ON {on.sql} {clauses}")
        else:
            if len(outcome.rows) < 60:
                self.run(f"MERGE INTO t USING t AS s ON {on.sql} {clauses}", outcome)

    @rule(where=_condition("t"), values=_set("t"))
    def update(self, where: Expression, values: Values) -> None:
        when = When("matched", "update", where, values)
        changes = ", ".join(f"{name} = {value.sql}" for name, value in values)
        outcome = merged(self.rows, [_NOTHING], Expression("true", lambda _t, _s: True), [when])
        self.run(f"UPDATE t SET {changes} WHERE {where.sql}", outcome)

    @rule(on=_on(), values=_set("ts"), source=_ROWS)
    def update_from(self, on: Expression, values: Values, source: list[Row]) -> None:
        changes = ", ".join(f"{name} = {value.sql}" for name, value in values)
        statement = f"UPDATE t SET {changes} FROM ({_typed(source)}) AS s WHERE {on.sql}"
        try:
            outcome = merged(self.rows, source, on, [When("matched", "update", None, values)])
        except Refused:
            self.refused(statement)
        else:
            self.run(statement, outcome)

    @rule(source=_ROWS, name=st.sampled_from(["k", "p", "v"]))
    def update_by_subqueries(self, source: list[Row], name: str) -> None:
        at, query = _COLUMNS.index(name), f"({_typed(source)}) AS s"
        within = f"t.v IN (SELECT s.v FROM {query})"
        statement = (
            f"UPDATE t SET v = (SELECT s.v FROM {query} WHERE s.k = t.{name}),"
            f" p = CASE WHEN EXISTS (SELECT s.k FROM {query} WHERE s.p = t.{name}) THEN 1 ELSE 2 END,"
            f" k = CASE WHEN {within} THEN 1 WHEN NOT {within} THEN 0 END"
        )
        values = {row[2] for row in source}
        made = Outcome([], [])
        for row in self.rows:
            found = [other[2] for other in source if row[at] is not None and other[0] == row[at]]
            if len(found) > 1:
                self.refused(statement)
                return
            exists = any(row[at] is not None and other[1] == row[at] for other in source)
            is_in = False if not source else None if row[2] is None else True if row[2] in values else None
            is_in = False if is_in is None and row[2] is not None and None not in values else is_in
            key = None if is_in is None else int(is_in)
            new = (key, 1 if exists else 2, found[0] if found else None, row[3])
            made.rows.append(new)
            made.changes += [("update_preimage", row), ("update_postimage", new)]
        self.run(statement, made)

    @rule(where=_condition("t"))
    def delete(self, where: Expression) -> None:
        every = Expression("true", lambda _t, _s: True)
        outcome = merged(self.rows, [_NOTHING], every, [When("matched", "delete", where, ())])
        self.run(f"DELETE FROM t WHERE {where.sql}", outcome)

    @rule(on=_condition("ts"), source=_ROWS)
    def delete_where_exists(self, on: Expression, source: list[Row]) -> None:
        if not on.sides.count("s"):
            return
        outcome = merged(self.rows, source, on, [When("matched", "delete", None, ())])
        self.run(f"DELETE FROM t WHERE EXISTS (SELECT 1 FROM ({_typed(source)}) AS s WHERE {on.sql})", outcome)

    @rule(where=_condition("t"), source=_ROWS)
    def replace_where(self, where: Expression, source: list[Row]) -> None:
        statement = f"INSERT INTO t REPLACE WHERE {where.sql.replace('t.', '')} {_typed(source)}"
        if any(where.value(row, _NOTHING) is not True for row in source):
            self.refused(statement)
            return
        gone = [row for row in self.rows if where.value(row, _NOTHING) is True]
        kept = [row for row in self.rows if where.value(row, _NOTHING) is not True]
        changes = [("delete", row) for row in gone] + [("insert", row) for row in source]
        self.run(statement, Outcome([*kept, *source], changes))

    @rule(source=_ROWS)
    def overwrite(self, source: list[Row]) -> None:
        changes = [("delete", row) for row in self.rows] + [("insert", row) for row in source]
        self.run(f"INSERT OVERWRITE t {_typed(source)}", Outcome(source, changes))

    def run(self, statement: str, outcome: Outcome) -> None:
        before = self.version()
        (counts,) = self.con.sql(statement).fetchall()
        updated, deleted = outcome.count("update_postimage"), outcome.count("delete")
        inserted = outcome.count("insert")
        expected = {
            "MERGE": (updated + deleted + inserted, updated, deleted, inserted),
            "INSERT": (inserted, inserted),
            "UPDATE": (updated,),
            "DELETE": (deleted,),
        }[statement.split(maxsplit=1)[0]]
        assert counts == expected, statement
        assert Counter(self.con.sql("SELECT k, p, v, s FROM t")) == Counter(outcome.rows), statement
        if self.feed and self.version() > before:
            query = "SELECT _change_type, k, p, v, s FROM table_changes('t', $1, $1)"
            found = self.con.sql(query, {"1": self.version()})
            assert Counter((row[0], row[1:]) for row in found) == Counter(outcome.changes), statement
        elif outcome.changes:
            assert self.version() == before + 1, statement
        self.rows = outcome.rows
        self.whole()

    def refused(self, statement: str) -> None:
        before = self.version()
        with pytest.raises(deltasql.Error) as caught:
            self.con.sql(statement)
        assert not isinstance(caught.value, deltasql.InternalError), statement
        assert self.version() == before, statement
        assert Counter(self.con.sql("SELECT k, p, v, s FROM t")) == Counter(self.rows), statement
        self.whole()

    def version(self) -> int:
        return len([*Path(self.folder.name, "t", "_delta_log").glob("*.json")]) - 1

    def whole(self) -> None:
        """There is no file that no commit has named."""
        root = Path(self.folder.name, "t")
        log = "".join(entry.read_text() for entry in (root / "_delta_log").glob("*.json"))
        for file in root.rglob("*.parquet"):
            assert file.name in log or "_delta_log" in file.parts, file

    def teardown(self) -> None:
        self.con.close()
        self.folder.cleanup()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=10,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # Shrinking takes minutes; the failing steps are printed.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
