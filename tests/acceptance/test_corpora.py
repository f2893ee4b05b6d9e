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

_VARIANT = "a VARIANT inside a map comes from delta-rs with NULLs that its own type forbids"
_NULLABLE = "DataFusion's listing doesn't read NOT NULL fields of structs that Spark wrote as nullable"
_INT96 = "delta-rs's scan wraps INT96 instants outside 1677-2262 (facts.md, 38)"

GAPS: dict[tuple[str, str], tuple[type[Exception], str]] = {
    **{
        (f"{table}", reader): (deltasql.Error, _VARIANT)
        for reader in ("auto", "scan")
        for table in (
            "delta_kernel_java/spark-variant-checkpoint",
            "delta_rs/spark-variant-checkpoint",
            "duckdb_delta/inlined/unshredded-variant",
            "kernel_rs/unshredded-variant",
        )
    },
    **{
        (f"{table}", reader): (deltasql.Error, _NULLABLE)
        for reader in ("auto", "listing")
        for table in (
            "delta_rs/table_with_null_stats_in_notnull_struct",
            "duckdb_delta/inlined/null_constraints_lists/delta_lake",
            "duckdb_delta/inlined/null_constraints_structs/delta_lake",
        )
    },
    **{
        ("dat/out/reader_tests/generated/iceberg_compat_v1/delta", reader): (
            AssertionError,
            "column mapping that only the property names (no reader feature) is read by listing: all values are NULL",
        )
        for reader in ("auto", "listing")
    },
    ("delta_rs/table_with_edge_timestamps", "scan"): (AssertionError, _INT96),
}


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
            assert reader == "listing", error
            assert "can't be read by `listing`" in str(error)
            return
        assert table.column_names == case.line["columns"]
        rows = canonical.rows(table)
        if "rows" in case.line:
            assert rows == case.line["rows"]
        assert (len(rows), canonical.digest(rows)) == (case.line["count"], case.line["digest"])


def _reads_or_refuses(con: deltasql.Connection, query: str) -> None:
    """What today's libraries can't read is a typed error that isn't a fault of ours."""
    try:
        con.sql(query).to_arrow()
    except deltasql.Error as error:
        assert not isinstance(error, deltasql.InternalError)
        assert error.message
        assert "\n" not in error.message


def test_gaps_are_of_tables_there_are() -> None:
    tables = {case.table for case in expected()}
    if not tables:
        pytest.skip("shared/corpora isn't there")
    assert {table for table, _ in GAPS} <= tables
