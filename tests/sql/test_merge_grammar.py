"""What a MERGE says, as data: its source, its clauses, and where each ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltasql.errors import ParseError, UnsupportedStatement
from deltasql.sql.parser import parse
from deltasql.sql.statements import Fragment, Merge, MergeClause, Statement

Clause = tuple[str, str, str | None, tuple[tuple[str, str | None], ...] | None]


def merge(sql: str) -> Merge:
    """The MERGE that ``sql`` is, with every fragment in its place."""
    statement = parse(sql)
    assert isinstance(statement, Merge)
    for fragment in _fragments(statement):
        assert fragment.span.of(statement.text) == fragment.sql
    for clause in statement.clauses:
        assert clause.span.of(statement.text).upper().startswith("WHEN")
    return statement


def _fragments(statement: Merge) -> list[Fragment]:
    assigned = [value for clause in statement.clauses for value in clause.assignments or ()]
    conditions = [clause.condition for clause in statement.clauses]
    found = [statement.source, statement.condition, statement.with_, *conditions, *(item.value for item in assigned)]
    return [fragment for fragment in found if fragment is not None]


def plain(clause: MergeClause) -> Clause:
    assigned = clause.assignments
    pairs = None if assigned is None else tuple((".".join(item.column), _sql(item.value)) for item in assigned)
    return clause.kind, clause.action, _sql(clause.condition), pairs


def _sql(fragment: Fragment | None) -> str | None:
    return fragment.sql if fragment is not None else None


SOURCES: dict[str, tuple[str, str | None, tuple[str, ...] | None]] = {
    "s": ("s", None, None),
    "c.s.t AS x": ("c.s.t", "x", None),
    "'p/q' x": ("'p/q'", "x", None),
    "delta.`/p` VERSION AS OF 1 AS x": ("delta.`/p` VERSION AS OF 1", "x", None),
    "s@v3 x": ("s@v3", "x", None),
    "s TIMESTAMP AS OF now() - INTERVAL '1' DAY x": ("s TIMESTAMP AS OF now() - INTERVAL '1' DAY", "x", None),
    "(SELECT * FROM s JOIN r ON s.k = r.k WHERE a) AS `on`": (
        "(SELECT * FROM s JOIN r ON s.k = r.k WHERE a)",
        "on",
        None,
    ),
    "(VALUES (1, 'a'), (2, 'b')) AS x(k, `a b`)": ("(VALUES (1, 'a'), (2, 'b'))", "x", ("k", "a b")),
    "((SELECT 1)) x (k)": ("((SELECT 1))", "x", ("k",)),
    "table_changes('s', 1) x": ("table_changes('s', 1)", "x", None),
    "read_csv('a.csv', header => true)": ("read_csv('a.csv', header => true)", None, None),
    "source": ("source", None, None),
}


@pytest.mark.parametrize("source", SOURCES)
def test_source(source: str) -> None:
    statement = merge(f"MERGE INTO s.t AS y USING {source} ON y.k = k WHEN MATCHED THEN DELETE")
    assert str(statement.table) == "s.t"
    assert statement.alias == "y"
    assert (statement.source.sql, statement.source_alias, statement.source_columns) == SOURCES[source]
    assert statement.condition.sql == "y.k = k"
    assert not statement.evolve


CLAUSES: dict[str, list[Clause]] = {
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *": [
        ("matched", "update", None, None),
        ("not_matched", "insert", None, None),
    ],
    "when matched and s.d then delete when matched then update set t.a = s.a, b = s.b + 1, addr.city = DEFAULT": [
        ("matched", "delete", "s.d", ()),
        ("matched", "update", None, (("t.a", "s.a"), ("b", "s.b + 1"), ("addr.city", None))),
    ],
    "WHEN MATCHED THEN UPDATE *": [("matched", "update", None, None)],
    "WHEN NOT MATCHED BY TARGET AND s.a > 1 THEN INSERT (k, t.a, `b c`) VALUES (s.k, DEFAULT, f(1, 2))": [
        ("not_matched", "insert", "s.a > 1", (("k", "s.k"), ("t.a", None), ("b c", "f(1, 2)")))
    ],
    "WHEN NOT MATCHED BY SOURCE AND t.a < 5 THEN UPDATE SET t.a = 0 WHEN NOT MATCHED BY SOURCE THEN DELETE": [
        ("not_matched_by_source", "update", "t.a < 5", (("t.a", "0"),)),
        ("not_matched_by_source", "delete", None, ()),
    ],
    "WHEN MATCHED AND CASE WHEN s.a THEN b WHEN CASE a WHEN 1 THEN true END THEN c ELSE false END THEN UPDATE SET"
    " a = CASE WHEN s.a THEN 1 ELSE 2 END, `when` = s.then + t.end WHEN NOT MATCHED THEN INSERT (a) VALUES (CASE WHEN"
    " s.a THEN 1 END)": [
        ("matched", "update", "CASE WHEN s.a THEN b WHEN CASE a WHEN 1 THEN true END THEN c ELSE false END",
         (("a", "CASE WHEN s.a THEN 1 ELSE 2 END"), ("when", "s.then + t.end"))),
        ("not_matched", "insert", None, (("a", "CASE WHEN s.a THEN 1 END"),)),
    ],
    "WHEN MATCHED AND `matched` AND source AND \"then\" THEN UPDATE SET `source` = \"matched\", target = 'THEN'": [
        ("matched", "update", '`matched` AND source AND "then"', (("source", '"matched"'), ("target", "'THEN'")))
    ],
    "WHEN -- THEN\n MATCHED /* AND */ AND s.x = ';' THEN\tDELETE ;": [("matched", "delete", "s.x = ';'", ())],
    "WHEN MATCHED AND EXISTS (SELECT CASE WHEN 1 THEN 2 FROM u) THEN DELETE": [
        ("matched", "delete", "EXISTS (SELECT CASE WHEN 1 THEN 2 FROM u)", ())
    ],
    "WHEN NOT MATCHED AND s.a THEN INSERT * WHEN NOT MATCHED BY TARGET THEN INSERT (a) VALUES (1)": [
        ("not_matched", "insert", "s.a", None),
        ("not_matched", "insert", None, (("a", "1"),)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("clauses", CLAUSES)
def test_clauses(clauses: str) -> None:
    statement = merge(f"MERGE INTO t USING s ON t.k = s.k {clauses}")
    assert statement.condition.sql == "t.k = s.k"
    assert [plain(clause) for clause in statement.clauses] == CLAUSES[clauses]


def test_schema_evolution_and_case_in_the_condition() -> None:
    statement = merge("MERGE WITH SCHEMA EVOLUTION INTO t USING s ON CASE WHEN a THEN b END WHEN MATCHED THEN DELETE")
    assert statement.evolve
    assert statement.condition.sql == "CASE WHEN a THEN b END"


def test_the_place_of_an_assignment() -> None:
    statement = merge(
        "MERGE INTO t USING s ON a WHEN MATCHED THEN UPDATE SET t.a = DEFAULT, b = (1)"
        " WHEN NOT MATCHED THEN INSERT (t.a, b) VALUES (DEFAULT, 2)"
    )
    spans = [item.span.of(statement.text) for clause in statement.clauses for item in clause.assignments or ()]
    assert spans == ["t.a = DEFAULT", "b = (1)", "t.a", "b"]
    assert statement.clauses[0].span.of(statement.text).endswith("b = (1)")


ON = "MERGE INTO t USING s ON a "
ERRORS = {
    "MERGE t USING s ON a WHEN MATCHED THEN DELETE": "column 7: expected INTO, found `t`",
    "MERGE INTO t VERSION AS OF 1 USING s ON a WHEN MATCHED THEN DELETE": (
        "column 12: expected a table without time travel, found `t VERSION AS OF 1`"
    ),
    "MERGE INTO t USING ON a WHEN MATCHED THEN DELETE": "column 25: expected ON, found `WHEN`",
    "MERGE INTO t USING s, r ON a WHEN MATCHED THEN DELETE": "column 21: expected ON, found `,`",
    "MERGE INTO t USING s x JOIN r ON a WHEN MATCHED THEN DELETE": "column 24: expected ON, found `JOIN`",
    "MERGE INTO t USING SELECT 1 ON a WHEN MATCHED THEN DELETE": (
        "column 20: expected a table, or a query in brackets, found `SELECT`"
    ),
    "MERGE INTO t USING VALUES (1) AS s(a) ON a WHEN MATCHED THEN DELETE": (
        "column 20: expected a table, or a query in brackets, found `VALUES`"
    ),
    "MERGE INTO t USING (SELECT 1 ON a WHEN MATCHED THEN DELETE": (
        "column 20: expected a closing bracket for this one, found `(`"
    ),
    "MERGE INTO t USING s ON WHEN MATCHED THEN DELETE": "column 25: expected an expression, found `WHEN`",
    ON: "column 26: expected WHEN, found the end of the statement",
    ON + "WHEN MATCHED DELETE": "column 40: expected THEN, found `DELETE`",
    ON + "WHEN MATCHED AND THEN DELETE": "column 44: expected an expression, found `THEN`",
    ON + "WHEN MATCHED AND CASE WHEN b THEN DELETE": "column 49: expected THEN, found `WHEN`",
    ON + "WHEN MATCHED OR b THEN DELETE": "column 40: expected THEN, found `OR`",
    ON + "WHEN MATCHED THEN": "column 44: expected UPDATE or DELETE, found the end of the statement",
    ON + "WHEN MATCHED THEN INSERT *": "column 45: expected UPDATE or DELETE, found `INSERT`",
    ON + "WHEN MATCHED THEN UPDATE a = 1": "column 52: expected SET, found `a`",
    ON + "WHEN MATCHED THEN UPDATE SET a": "column 57: expected =, found the end of the statement",
    ON + "WHEN MATCHED THEN UPDATE SET *, a = 1": "column 57: expected the end of the statement, found `,`",
    ON + "WHEN MATCHED THEN DELETE WHERE a": "column 52: expected the end of the statement, found `WHERE`",
    ON + "WHEN NOT MATCHED THEN DELETE": "column 49: expected INSERT, found `DELETE`",
    ON + "WHEN NOT MATCHED BY x THEN DELETE": "column 47: expected SOURCE or TARGET, found `x`",
    ON + "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (1)": (
        "column 70: expected as many values as columns (2), found `(1)`"
    ),
    ON + "WHEN NOT MATCHED THEN INSERT () VALUES ()": "column 57: expected a column, found `)`",
    ON + "WHEN NOT MATCHED THEN INSERT (a) SELECT 1": "column 60: expected VALUES, found `SELECT`",
    ON + "WHEN NOT MATCHED BY SOURCE THEN INSERT *": "column 59: expected UPDATE or DELETE, found `INSERT`",
    ON + "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET *": (
        "column 70: expected a column, as there is no row of the source, found `*`"
    ),
    ON + "WHEN MATCHED THEN DELETE WHEN MATCHED AND b THEN DELETE": (
        "column 52: expected the WHEN MATCHED before this one to have a condition, found `WHEN MATCHED`"
    ),
    ON + "WHEN NOT MATCHED BY TARGET THEN INSERT * WHEN NOT MATCHED THEN INSERT *": (
        "column 68: expected the WHEN NOT MATCHED before this one to have a condition, found `WHEN NOT MATCHED`"
    ),
}


@pytest.mark.parametrize("sql", ERRORS)
def test_error(sql: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(sql)
    assert caught.value.message == f"line 1, {ERRORS[sql]}"
    assert caught.value.hint is not None


REFUSALS = {
    "MERGE INTO t USING s USING (k) WHEN MATCHED THEN DELETE": "USING (columns)",
    ON + "WHEN MATCHED THEN DO NOTHING": "DO NOTHING",
    ON + "WHEN NOT MATCHED THEN DO NOTHING": "DO NOTHING",
    ON + "WHEN MATCHED THEN UPDATE SET * EXCEPT (a)": "UPDATE SET * EXCEPT",
    ON + "WHEN MATCHED THEN UPDATE SET (a, b) = (1, 2)": "SET (columns)",
    ON + "WHEN NOT MATCHED THEN INSERT * EXCEPT (a)": "INSERT * EXCEPT",
    ON + "WHEN NOT MATCHED THEN INSERT VALUES (1)": "INSERT VALUES",
    ON + "WHEN NOT MATCHED THEN INSERT BY NAME": "INSERT BY NAME",
    ON + "WHEN NOT MATCHED THEN INSERT DEFAULT VALUES": "INSERT DEFAULT VALUES",
    ON + "WHEN MATCHED THEN UPDATE SET a = 1 RETURNING a": "RETURNING",
    ON + "WHEN MATCHED THEN DELETE OUTPUT a": "OUTPUT",
}


@pytest.mark.parametrize("sql", REFUSALS)
def test_refused(sql: str) -> None:
    with pytest.raises(UnsupportedStatement) as caught:
        parse(sql)
    assert caught.value.message == f"MERGE … {REFUSALS[sql]} is not supported"
    assert caught.value.span is not None


# -- a MERGE put together from parts gives the parts back

EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["a", "s.when", "t.`then`", '"END"', "'WHEN ''MATCHED'' THEN'", "1.5", "$1", "NULL", "now()", "x[1]", "s.case"]
    ),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["+", "=", "AND", "IS DISTINCT FROM", "||"]), inner),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, inner, inner, inner),
        st.builds("case {} when {} then {} end".format, inner, inner, inner),
        st.builds("(SELECT {}, 1 FROM u WHERE {})".format, inner, inner),
        st.builds("f({}, /* WHEN, */ {})".format, inner, inner),
        st.builds("CAST({} AS INT)".format, inner),
    ),
    max_leaves=6,
)
COLUMNS = st.sampled_from(["a", "t.b", "`when`", "addr.city", '"b c"', "matched", "source"])
VALUES = st.one_of(st.just("DEFAULT"), EXPRESSIONS)
ASSIGNED = st.lists(st.tuples(COLUMNS, VALUES), min_size=1, max_size=4)
ACTIONS = {
    "matched": st.one_of(st.just("*"), st.just("DELETE"), ASSIGNED),
    "not_matched": st.one_of(st.just("*"), ASSIGNED),
    "not_matched_by_source": st.one_of(st.just("DELETE"), ASSIGNED),
}
HEADS = {
    "matched": ["MATCHED"],
    "not_matched": ["NOT MATCHED", "NOT MATCHED BY TARGET", "not matched by target"],
    "not_matched_by_source": ["NOT MATCHED BY SOURCE", "Not\n Matched -- THEN\n By Source"],
}


@st.composite
def _clause(draw: st.DrawFn) -> tuple[str, Clause]:
    """A clause's text and what it says."""
    kind = draw(st.sampled_from(sorted(ACTIONS)))
    condition = draw(EXPRESSIONS)
    found: Any = draw(ACTIONS[kind])
    head = f"WHEN {draw(st.sampled_from(HEADS[kind]))} AND {condition} THEN"
    if found == "DELETE":
        return f"{head} DELETE", (kind, "delete", condition, ())
    action = "insert" if kind == "not_matched" else "update"
    if found == "*":
        text = "INSERT *" if action == "insert" else "UPDATE SET *"
        return f"{head} {text}", (kind, action, condition, None)
    columns, values = zip(*found, strict=True)
    if action == "insert":
        text = f"INSERT ({', '.join(columns)}) VALUES ({', '.join(values)})"
    else:
        text = "UPDATE SET " + ", ".join(f"{column} = {value}" for column, value in found)
    said = tuple((column.strip('`"'), None if value == "DEFAULT" else value) for column, value in found)
    return f"{head} {text}", (kind, action, condition, said)


@given(
    source=st.sampled_from(sorted(SOURCES)),
    condition=EXPRESSIONS,
    clauses=st.lists(_clause(), min_size=1, max_size=5),
    gap=st.sampled_from([" ", "\n", " /* WHEN */ ", " -- THEN\n"]),
)
def test_the_parts_come_back(source: str, condition: str, clauses: list[tuple[str, Clause]], gap: str) -> None:
    sql = gap.join(["MERGE INTO t", f"USING {source}", f"ON {condition}", *(text for text, _ in clauses)])
    statement = merge(sql)
    assert (statement.source.sql, statement.source_alias, statement.source_columns) == SOURCES[source]
    assert statement.condition.sql == condition
    assert [plain(clause) for clause in statement.clauses] == [said for _, said in clauses]


@given(cut=st.integers(0, 40), sql=st.sampled_from(sorted(CLAUSES)))
def test_a_part_of_a_merge_is_read_or_a_parse_error(cut: int, sql: str) -> None:
    text = f"MERGE INTO t USING s ON t.k = s.k {sql}"
    words = text.split(" ")
    try:
        parsed: Statement | None = parse(" ".join(words[: max(1, len(words) - cut)]))
    except ParseError:
        parsed = None
    assert parsed is None or isinstance(parsed, Merge)
