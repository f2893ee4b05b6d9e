"""Random INSERT, UPDATE and DELETE here and on SQLite: the same rows and the same counts after every step."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import deltasql

_COLUMNS = {"a": "INTEGER", "b": "INTEGER", "s": "TEXT"}
_NUMBERS = st.one_of(st.none(), st.integers(-3, 3))
_TEXTS = st.one_of(st.none(), st.sampled_from(["", "x", "y", "it's", "NULL", '"q"', "ü", "-- ;"]))


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


_NUMBER = st.one_of(
    st.sampled_from(["a", "b", "a + b", "a - 1", "b * 2", "coalesce(a, 0)", "-a", "abs(b)", "length(s)"]),
    _NUMBERS.map(_literal),
)
_TEXT = st.one_of(st.sampled_from(["s", "s || 'x'", "coalesce(s, '')", "nullif(s, 'x')"]), _TEXTS.map(_literal))


_COMPARE = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_ATOM = st.one_of(
    st.builds(lambda x, op, y: f"{x} {op} {y}", _NUMBER, _COMPARE, _NUMBER),
    st.builds(lambda x, op, y: f"{x} {op} {y}", _TEXT, _COMPARE, _TEXT),
    st.builds(lambda column, word: f"{column} {word}", st.sampled_from([*_COLUMNS]), st.sampled_from(["IS NULL", "IS NOT NULL"])),
    st.builds(lambda x, word, ys: f"{x} {word} ({', '.join(ys)})", st.sampled_from(["a", "b"]),
              st.sampled_from(["IN", "NOT IN"]), st.lists(_NUMBERS.map(_literal), min_size=1, max_size=3)),
    st.builds(lambda x, low, high: f"{x} BETWEEN {low} AND {high}", st.sampled_from(["a", "b"]), _NUMBER, _NUMBER),
    st.sampled_from(["1 = 1", "1 = 0", "NULL", "(a IS NOT DISTINCT FROM b)"]),
)  # fmt: skip
_PREDICATE = st.recursive(
    _ATOM,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=4,
)
_WHERE = st.one_of(st.just(""), _PREDICATE.map(" WHERE {}".format))
_ROWS = st.lists(st.tuples(_NUMBERS, _NUMBERS, _TEXTS), min_size=1, max_size=4)


class Agreement(RuleBasedStateMachine):
    """A table here and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="deltasql-test-")
        self.here = deltasql.connect(self.folder.name)
        self.model = sqlite3.connect(":memory:")

    @initialize(partitioned=st.booleans(), first=_ROWS)
    def create(self, partitioned: bool, first: list[tuple[object, ...]]) -> None:
        clause = " PARTITIONED BY (b)" if partitioned else ""
        self.here.sql(f"CREATE TABLE t (a INT, b INT, s STRING){clause}")
        self.model.execute("CREATE TABLE t (a INTEGER, b INTEGER, s TEXT)")
        self.insert(first)

    @rule(rows=_ROWS)
    def insert(self, rows: list[tuple[object, ...]]) -> None:
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        assert self.here.sql(f"INSERT INTO t VALUES {values}").fetchall() == [(len(rows), len(rows))]
        self.model.execute(f"INSERT INTO t VALUES {values}")

    @rule(where=_WHERE)
    def insert_from_itself(self, where: str) -> None:
        self.both(f"INSERT INTO t SELECT DISTINCT a, b, s FROM t{where}", counts=2)

    @rule(where=_WHERE)
    def delete(self, where: str) -> None:
        self.both(f"DELETE FROM t{where}")

    @rule(where=_WHERE, number=_NUMBER, text=_TEXT, columns=st.sampled_from(["a", "b", "s", "ab", "as", "abs"]))
    def update(self, where: str, number: str, text: str, columns: str) -> None:
        changes = ", ".join(f"{column} = {text if column == 's' else number}" for column in columns)
        self.both(f"UPDATE t SET {changes}{where}")

    def both(self, statement: str, counts: int = 1) -> None:
        expected = self.model.execute(statement).rowcount
        assert self.here.sql(statement).fetchall() == [(expected,) * counts], statement

    @invariant()
    def same_rows(self) -> None:
        if self.model.execute("SELECT name FROM sqlite_master").fetchone() is not None:
            query = "SELECT a, b, s FROM t"
            assert Counter(self.here.sql(query)) == Counter(self.model.execute(query))

    def teardown(self) -> None:
        self.here.close()
        self.model.close()
        self.folder.cleanup()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # Shrinking takes minutes; the failing steps are printed.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("partitioned", [False, True])
@pytest.mark.parametrize(
    ("predicate", "params"),
    [
        ("b = NULL OR b = 1", None),
        ("b = NULL OR b IS NULL", None),
        ("NULL = NULL OR b IS NULL", None),
        ("NOT (NULL AND b = 1)", None),
        ("b <> 1 OR b = NULL", None),
        ("b = ? OR b = 1", [None]),
        ("NULL OR b IS NULL", None),
        ("b IN (1, NULL) OR NULL", None),
        ("b NOT IN (1, NULL)", None),
        ("NOT (b = 1) AND NULL", None),
        ("a = NULL OR a = 1", None),
        ("b = 1 OR NULL = 1", None),
    ],
)
def test_null_in_a_predicate(
    partitioned: bool,
    predicate: str,
    params: list[object] | None,
) -> None:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (a INT, b INT)" + (" PARTITIONED BY (b)" if partitioned else ""))
        con.sql("INSERT INTO t VALUES (1, 1), (2, 2), (3, NULL), (NULL, 4)")
        (expected,) = con.sql(f"SELECT count(*) FROM t WHERE {predicate}", params).fetchone() or (None,)
        (deleted,) = con.sql(f"DELETE FROM t WHERE {predicate}", params).fetchone() or (None,)
        (left,) = con.sql("SELECT count(*) FROM t").fetchone() or (None,)
        assert (deleted, left) == (expected, 4 - expected)
