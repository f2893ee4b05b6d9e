"""An INSERT is blind, and passes what others commit, only if its rows don't depend on the table that it writes to.

Otherwise two of them could each count what is there without the other's row: no order of the two gives that.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import deltasql

_SEEING = [
    "SELECT count(*) FROM t",
    "SELECT count(*) FROM t VERSION AS OF 0",
    "SELECT count(*) FROM delta.`{root}/./t`",
    "SELECT count(*) FROM delta.`{root}/../link/t`",
    "SELECT count(*) FROM ext",
    "SELECT c FROM v",
    "WITH x AS (SELECT count(*) AS c FROM ext) SELECT c FROM x",
    "SELECT 1 WHERE EXISTS (SELECT * FROM other WHERE id <= (SELECT count(*) FROM v))",
    "SELECT count(*) FROM table_changes('t', 0)",
    "SELECT count(*) FROM table_history('t')",
    "SELECT count(*) FROM table_files('ext')",
    "SELECT count(*) FROM delta_scan('{root}/../link/t')",
    "SELECT count(*) FROM read_parquet('{root}/../link/t/*.parquet')",
]
_BLIND = ["VALUES (1)", "SELECT id FROM other", "SELECT count(*) FROM read_csv('{root}/../a.csv')"]


@pytest.mark.parametrize("query", [*_SEEING, *_BLIND])
def test_what_is_blind(tmp_path: Path, query: str) -> None:
    root = tmp_path / "root"
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "link").symlink_to(root)
    query = query.replace("{root}/..", str(tmp_path)).format(root=root)
    with deltasql.connect(root) as con:
        con.sql("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
        con.sql("INSERT INTO t VALUES (1)")
        con.sql("CREATE TABLE other AS SELECT 1 AS id")
        con.sql(f"CREATE TABLE ext LOCATION '{tmp_path}/link/t'")
        con.sql("CREATE VIEW v AS SELECT count(*) AS c FROM t")
        for into in ("t", "ext"):
            version = con.sql(f"INSERT INTO {into} {query}").version
            entry = root / "t" / "_delta_log" / f"{version:020d}.json"
            blind = json.loads(entry.read_text().splitlines()[0])["commitInfo"]["isBlindAppend"]
            assert blind == (query.replace(str(tmp_path), "{root}/..") in _BLIND)
