"""Any text whatever is taken apart, read, coloured and completed without an error that isn't ours."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltasql
from deltasql.errors import Error, Span

from . import texts
from .amounts import SEED, only_in_soak, times

_HERE = Path(__file__).parent


@pytest.mark.parametrize("part", range(4))
def test_what_is_nearly_a_statement(part: int) -> None:
    count = times(250, 15_000)
    for number in range(part * count, (part + 1) * count):
        r = random.Random(f"{SEED}:{number}")
        text = texts.mangled(r)
        try:
            texts.check(text, r)
        except Exception as error:
            raise AssertionError(f"DELTASQL_SEED={SEED}, number {number}: {text!r}") from error


@settings(max_examples=times(150, 5_000), deadline=None)
@given(st.text(max_size=60), st.randoms(use_true_random=False))
def test_what_is_no_statement(text: str, r: random.Random) -> None:
    texts.check(text, r)


_FOUND = [
    "SELECT X'GG'BETWEENX'GG'BETWEEN",
    "SELECT * FROM t LIMIT?",
    "SELECT ?1, ??, ?a",
    "''㍹:x:x5)",
    "SELECT 1 AND:x",
    "EXPLAIN DELETE FROM t WHERE id IN (SELECT id FROM t)",
    "VALUES ((SELECT 1), 2)(3, (SELECT 2))",
]


@pytest.mark.parametrize("text", _FOUND)
def test_what_was_found(text: str) -> None:
    for seed in range(10):
        texts.check(text, random.Random(seed))


def _outcome(con: deltasql.Connection, text: str) -> str:
    """``done``, or the name of the error."""
    try:
        con.sql(text).to_arrow()
    except Error as error:
        found = error
    except Exception as error:
        raise AssertionError(f"DELTASQL_SEED={SEED}: {text!r}") from error
    else:
        return "done"
    assert not isinstance(found, deltasql.InternalError), (text, found)
    assert found.span is None or 0 <= found.span.start <= found.span.end <= len(text), (text, found)
    return type(found).__name__


@pytest.mark.parametrize("number", range(times(1, 10)))
def test_a_mangled_statement_is_run(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection: an error is ours, its place is in the text, and it is no InternalError."""
    monkeypatch.chdir(tmp_path)  # A path may come out of it.
    found: Counter[str] = Counter()
    r = random.Random(f"{SEED}:run:{number}")
    with deltasql.connect(tmp_path / "lake") as con:
        for _ in con.script(
            "CREATE TABLE t (a INT, b STRING, id INT); INSERT INTO t VALUES (1, 'x', 2); SET deltasql.threads = 1"
        ):
            pass
        for _ in range(times(250, 2_000)):
            text = texts.mangled(r)
            if texts.is_far_reaching(text):
                continue
            found[_outcome(con, text)] += 1
    assert found["done"]
    assert found["ParseError"]


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("EXPLAIN SELECT nope FROM t", "nope"),
        ("EXPLAIN  DELETE FROM t WHERE nope = 1", "nope"),
        ("/* x */ EXPLAIN VERBOSE INSERT INTO t SELECT a + nope FROM t", "nope"),
        ("EXPLAIN UPDATE t SET a = 1 + nope", "nope"),
        ("EXPLAIN DELETE FROM nope", "nope"),
        ("SELECT 1, x'zz'", "x'zz'"),
    ],
)
def test_the_culprit_is_found(text: str, culprit: str) -> None:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (a INT)")
        with pytest.raises(Error) as caught:
            con.sql(text)
    start = text.index(culprit)
    assert caught.value.span == Span(start, start + len(culprit))
    assert "__deltasql" not in str(caught.value)


_TOO_DEEP = {
    "brackets": "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "calls": "SELECT " + "abs(" * 3000 + "1" + ")" * 3000,
    "subqueries": "SELECT * FROM (" * 3000 + "SELECT 1" + ")" * 3000,
    "lists": "SELECT " + "[" * 3000 + "]" * 3000,
    "signs": "SELECT " + "- " * 3000 + "1",
    "negations": "SELECT " + "NOT " * 3000 + "true",
    "cases": "SELECT " + "CASE WHEN true THEN " * 600 + "1" + " END" * 600,
    "in": "SELECT 1 WHERE " + "1 IN (SELECT 1 WHERE " * 3000 + "true" + ")" * 3000,
    "a predicate": "DELETE FROM t WHERE " + "(" * 3000 + "a = 1" + ")" * 3000,
    "a type": "CREATE TABLE u (a " + "ARRAY<" * 200 + "INT" + ">" * 200 + ")",
    "a struct": "CREATE TABLE u (a " + "STRUCT<a: " * 40 + "INT" + ">" * 40 + ")",
    "a check": "ALTER TABLE t ADD CONSTRAINT c CHECK (" + "(" * 3000 + "a > 0" + ")" * 3000 + ")",
    "a setting": "SET time_zone = " + "(" * 3000 + "'UTC'" + ")" * 3000,
    "not closed": "SELECT " + "(" * 100_000,
    "CTEs": "WITH c0 AS (SELECT 1 AS x), "
    + ", ".join(f"c{n + 1} AS (SELECT x FROM c{n})" for n in range(1500))
    + " SELECT * FROM c1500",
}


@pytest.mark.parametrize("kind", _TOO_DEEP)
def test_what_is_nested_too_deeply_is_an_error(kind: str) -> None:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (a INT)")
        with pytest.raises(deltasql.ProgrammingError) as caught:
            con.sql(_TOO_DEEP[kind])
        assert len(str(caught.value)) < 3000
        assert con.sql("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_what_is_long_and_not_deep_is_run() -> None:
    with deltasql.connect() as con:
        con.sql("CREATE TABLE t (a INT)")
        con.sql("INSERT INTO t VALUES " + ", ".join(f"({n})" for n in range(2000)))
        assert con.sql("SELECT 1" + "::INT" * 1500).fetchall() == [(1,)]
        assert con.sql("SELECT " + "+".join(["1"] * 300)).fetchall() == [(300,)]
        assert con.sql(f"SELECT count(*) FROM t WHERE a IN ({', '.join(map(str, range(3000)))})").fetchall() == [
            (2000,)
        ]
        assert con.sql(f"SELECT length('{'x' * 2_000_000}') AS n").fetchall() == [(2_000_000,)]
        con.sql(
            "CREATE TABLE u (a "
            + "ARRAY<" * 32
            + "INT"
            + ">" * 32
            + ", b "
            + "STRUCT<a: " * 32
            + "INT"
            + ">" * 32
            + ")"
        )
        assert con.sql("SELECT * FROM u").fetchall() == []


@pytest.mark.parametrize("text", ["a " * 5_000_000, "INSERT INTO t VALUES " + "(1)," * 2_000_000])
def test_what_has_too_many_tokens_is_refused(text: str) -> None:
    with deltasql.connect() as con, pytest.raises(deltasql.ParseError, match="more than 4,000,000 tokens"):
        con.sql(text)


@only_in_soak
@pytest.mark.parametrize("target", ["text", "tokens"])
def test_by_coverage(target: str, tmp_path: Path) -> None:
    """With atheris, where it can be installed: `pip install atheris`."""
    pytest.importorskip("atheris")
    command = [sys.executable, str(_HERE / "coverage_guided.py"), target, str(tmp_path), f"-seed={SEED % 2**31}"]
    done = subprocess.run(
        [*command, "-max_total_time=300", "-timeout=20", "-max_len=400"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
