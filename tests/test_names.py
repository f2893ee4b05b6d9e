"""Names, literals and the errors that carry them."""

import datetime as dt
import decimal
import pickle

import datafusion
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltasql
from deltasql.errors import ParseError, PlanError, Span
from deltasql.names import TableReference, Timestamp, Version, did_you_mean, literal, match, quote, suffix_as_of

_ZONE = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -7,
        2**62,
        1.5,
        -0.1,
        1e300,
        float("inf"),
        "",
        'it\'s -- ; $1 \\ "x"',
        b"\x00\xff",
        dt.date(1, 1, 1),
        dt.date(9999, 12, 31),
        dt.datetime(2024, 1, 31, 9, 30, 0, 123456),
        dt.datetime(2024, 1, 31, 9, 30, tzinfo=dt.UTC),
        decimal.Decimal("1.50"),
        decimal.Decimal("-0.001"),
        decimal.Decimal("1E+3"),
    ],
)
def test_a_literal_is_read_as_its_value(value):
    (row,) = datafusion.SessionContext().sql(f"SELECT {literal(value)} AS v").to_pylist()
    assert row["v"] == value


def test_an_aware_time_is_the_same_instant():
    value = dt.datetime(2024, 1, 31, 9, 30, tzinfo=_ZONE)
    (row,) = datafusion.SessionContext().sql(f"SELECT {literal(value)} AS v").to_pylist()
    assert row["v"] == value


@pytest.mark.parametrize("value", [object(), [1], {"a": 1}, decimal.Decimal("NaN"), decimal.Decimal("1E+40")])
def test_what_has_no_literal(value):
    with pytest.raises(PlanError):
        literal(value)


@given(st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_a_quoted_name_is_that_name(name):
    assert datafusion.SessionContext().sql(f"SELECT 1 AS {quote(name)}").schema().names == [name]


@pytest.mark.parametrize(
    ("name", "candidates", "found"),
    [
        ("a", ["a", "b"], "a"),
        ("A", ["a", "b"], "a"),
        ("straße", ["STRASSE"], "STRASSE"),
        ("a", ["a", "A"], "a"),
        ("c", ["a", "b"], None),
    ],
)
def test_match(name, candidates, found):
    assert match(name, candidates, what="column") == found


def test_a_name_that_could_be_two():
    with pytest.raises(PlanError, match="column `aB` is ambiguous: `AB`, `ab` differ only by case"):
        match("aB", ["ab", "AB"], what="column")


def test_did_you_mean():
    assert did_you_mean("custmers", ["customers", "orders"]) == "did you mean `customers`?"
    assert did_you_mean("CUSTMERS", ["customers"]) == "did you mean `customers`?"
    assert did_you_mean("xyz", ["customers"]) is None


@pytest.mark.parametrize(
    ("name", "as_of"),
    [
        ("t@v3", Version("3")),
        ("t@V03", Version("3")),
        ("a@b@v0", Version("0")),
        ("t@20240131093000123", Timestamp("'2024-01-31 09:30:00.123+00:00'")),
        ("t@20249931093000123", None),
        ("t@v", None),
        ("t@3", None),
        ("t", None),
    ],
)
def test_time_travel_at_the_end_of_a_name(name, as_of):
    assert suffix_as_of(name) == as_of


def test_a_reference_says_its_name():
    assert str(TableReference(("a", "b"))) == "a.b"
    assert str(TableReference(path="/x y")) == "delta.`/x y`"
    assert TableReference(("a",)).at(Version("1")).as_of == Version("1")


def test_errors_travel_between_processes():
    error = ParseError("expected", hint="try", span=Span(1, 2), statement="SELECT")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.hint, again.span, again.statement) == (
        ParseError,
        "expected",
        "try",
        Span(1, 2),
        "SELECT",
    )
    assert str(again) == "expected (try)"


def test_the_errors_are_pep_249s():
    for name in ("InterfaceError", "DatabaseError"):
        assert issubclass(getattr(deltasql, name), deltasql.Error)
    for name in (
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
    ):
        assert issubclass(getattr(deltasql, name), deltasql.DatabaseError)


def test_a_place_in_a_text():
    text = "SELECT 1,\n  two"
    assert Span(12, 15).of(text) == "two"
    assert Span(12, 15).position(text) == (2, 3)
