"""Every table by others gives the rows that independent readers agree on, by every access path that applies.

What fails today stands in ``GAPS`` with its reason; each gap is strict, so that one that closes is noticed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import deltasql
from deltasql.names import quote

from . import canonical
from .corpora import Expected, expected

READERS = ("auto", "listing", "scan")

_INT96 = "delta-rs's scan wraps INT96 instants outside 1677-2262 (facts.md, 38)"

GAPS: dict[tuple[str, str], tuple[type[Exception], str]] = {
    ("delta_rs/table_with_edge_timestamps", "scan"): (AssertionError, _INT96),
}
"""Table and reader to the error that comes today, and why."""


def _cases() -> list[object]:
    cases = []
    for case in expected():
        for reader in READERS:
            gap = GAPS.get((case.table, reader))
            marks = [pytest.mark.xfail(strict=True, raises=gap[0], reason=gap[1])] if gap else []
            cases.append(pytest.param(case, reader, id=f"{case}-{reader}", marks=marks))
    return cases


CASES = _cases() or [pytest.param(None, None, marks=pytest.mark.skip(reason="shared/corpora isn't there"))]


@pytest.mark.parametrize(("case", "reader"), CASES)
def test_rows(corpora: Path, tmp_path: Path, case: Expected, reader: str) -> None:
    with deltasql.connect(tmp_path) as con:
        con.sql(f"SET deltasql.reader = '{reader}'")
        version = "" if case.version is None else f" VERSION AS OF {case.version}"
        query = f"SELECT * FROM delta.{quote(str(corpora / case.table))}{version}"
        if case.outcome == "error":
            _reads_or_refuses(con, query)
            return
        try:
            table = con.sql(query).to_arrow()
        except deltasql.NotSupportedError as error:
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert reader == "listing", refused
            assert "can't be read by `listing`" in refused
            return
        assert table.column_names == case.line["columns"]
        rows = canonical.rows(table)
        if "rows" in case.line:
            assert rows == case.line["rows"]
        assert (len(rows), canonical.digest(rows)) == (case.line["count"], case.line["digest"])
        assert con.sql(query.replace("*", "count(*)", 1)).fetchone() == (case.line["count"],)


def _reads_or_refuses(con: deltasql.Connection, query: str) -> None:
    """What today's libraries can't read is a typed error that isn't a fault of ours."""
    try:
        con.sql(query).to_arrow()
    except deltasql.Error as error:
        refused = error
    else:
        return
    assert not isinstance(refused, deltasql.InternalError)
    assert refused.message
    assert "\n" not in refused.message


def test_gaps_are_of_tables_there_are() -> None:
    tables = {case.table for case in expected()}
    if not tables:
        pytest.skip("shared/corpora isn't there")
    assert {table for table, _ in GAPS} <= tables
