"""Every table by others gives the rows that independent readers agree on, by every access path that applies."""

from __future__ import annotations

from pathlib import Path

import pytest

import deltasql
from deltasql.names import quote
from tests.corpora import Expected, expected

from . import canonical

READERS = ("auto", "listing", "scan", "dataset")

CASES = [pytest.param(case, reader, id=f"{case}-{reader}") for case in expected() for reader in READERS]
CASES = CASES or [pytest.param(None, None, marks=pytest.mark.skip(reason="shared/corpora isn't there"))]


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
            assert reader != "auto", refused
            assert f"can't be read by `{reader}`" in refused
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
