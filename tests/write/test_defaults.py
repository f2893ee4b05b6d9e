"""DEFAULTs that Spark wrote: double quotes are for text, arrays are made by ``array``."""

from __future__ import annotations

import pyarrow as pa
import pytest

from deltasql.errors import Span
from deltasql.sql.statements import Fragment
from deltasql.write.defaults import default_query, default_sql


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("'x'", "'x'"),
        ('"it\'s"', "'it''s'"),
        ("current_timestamp()", "current_timestamp()"),
        ("ARRAY(\"a\", 'array(1)', array())", "make_array('a', 'array(1)', make_array())"),
        ("map()", "map(make_array(), make_array())"),
        ("map('k', map ( ))", "map('k', map(make_array(), make_array()))"),
        ("named_struct('array', 1)", "named_struct('array', 1)"),
        ("CAST(array(1) AS ARRAY<INT>)", "CAST(make_array(1) AS ARRAY<INT>)"),
    ],
)
def test_a_default_of_sparks(kept: str, read: str) -> None:
    assert default_sql(pa.field("a", pa.string(), metadata={"CURRENT_DEFAULT": kept})) == read


def test_none() -> None:
    assert default_sql(pa.field("a", pa.string())) is None


def test_what_a_statement_quotes_is_a_name() -> None:
    assert default_query(Fragment('"x"', Span(3, 6))) == Fragment('"x"', Span(3, 6))
    assert default_query(Fragment("array(1)", Span(3, 11))) == Fragment("make_array(1)", Span(3, 11))
