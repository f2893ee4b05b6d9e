"""Results to Arrow, pandas, polars and rows, and frames into queries: deltasql and DuckDB in turn, in one process.

Both read the same Parquet files (a Delta table's, which DuckDB reads as plain Parquet), or rows in memory (an Arrow
table for deltasql, a table of its own for DuckDB). The answers are compared before times are taken. Information, no
gate. Decimals and dates are left out: DuckDB makes floats and times of them for pandas, where ours stay exact.
Results go to ``results/conversion.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from measuring import RESULTS, in_turn, setting

import deltasql

LIBRARIES = ("deltasql", "duckdb", "datafusion", "deltalake", "pandas", "polars", "pyarrow")
COLUMNS = """
    value AS id, value % 1000 AS small, CASE WHEN value % 10 = 0 THEN NULL ELSE value * 7 END AS gaps,
    value * 0.25 AS number, 'name ' || (value % 5000) AS name,
    value % 2 = 0 AS flag,
    arrow_cast(value * 1000, 'Timestamp(Microsecond, Some("UTC"))') AS instant
"""
SUM = "SELECT name, count(*) AS n, sum(id) AS ids, max(number) AS most FROM {} GROUP BY name ORDER BY name"
Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """The same done by both; ``check`` turns what a run gives into what is compared."""

    name: str
    ours: Run
    duckdb: Run
    check: Callable[[object], object]


def cases(folder: Path, rows: int) -> list[Case]:
    """All, over tables that are made here."""
    con = deltasql.connect(folder)
    con.sql(f"CREATE TABLE t AS SELECT {COLUMNS} FROM range(0, {rows})")
    files = sorted(str(path) for path in (folder / "t").glob("*.parquet"))
    peer = duckdb.connect()
    peer.execute("SET TimeZone = 'UTC'")
    table = con.sql("SELECT * FROM t").to_arrow()
    con.register("memory", table)
    peer.register("given", table)
    peer.execute("CREATE TABLE memory AS SELECT * FROM given")
    few = f"SELECT id, name, number, flag FROM {{}} WHERE id < {rows // 10}"
    found = []
    for where, source, peers in (("files", "t", f"read_parquet({files!r})"), ("memory", "memory", "memory")):
        text, other = f"SELECT * FROM {source}", f"SELECT * FROM {peers}"
        out = {
            "Arrow": (lambda text=text: con.sql(text).to_arrow(), lambda other=other: arrow(peer, other)),
            "pandas": (lambda text=text: con.sql(text).to_pandas(), lambda other=other: peer.sql(other).df()),
            "polars": (lambda text=text: con.sql(text).to_polars(), lambda other=other: peer.sql(other).pl()),
        }
        found += [Case(f"{where} to {kind}", *runs, by_id) for kind, runs in out.items()]
        found += [
            Case(
                f"{where} to rows (a tenth, 4 columns)",
                lambda source=source: con.sql(few.format(source)).fetchall(),
                lambda peers=peers: peer.execute(few.format(peers)).fetchall(),
                lambda rows: sorted(rows)[:: len(rows) // 100],  # type: ignore[arg-type, call-overload]
            ),
        ]
    frames = {"Arrow": table, "pandas": table.to_pandas(), "polars": pl.from_arrow(table)}
    for name, frame in frames.items():
        con.register(f"frame_{name}", frame)
        peer.register(f"frame_{name}", frame)
        text = SUM.format(f"frame_{name}")
        found.append(
            Case(
                f"{name} in, grouped",
                lambda text=text: con.sql(text).to_arrow(),
                lambda text=text: arrow(peer, text),
                lambda found: [list(map(plain, row.values())) for row in found.to_pylist()],  # type: ignore[attr-defined]
            )
        )
    return found


def arrow(peer: duckdb.DuckDBPyConnection, text: str) -> pa.Table:
    return peer.execute(text).to_arrow_table()


def plain(value: object) -> object:
    return float(value) if isinstance(value, int) or hasattr(value, "as_tuple") else value


def by_id(frame: object) -> object:
    """Some rows in order, and the sums of all."""
    if isinstance(frame, pa.Table):
        frame = frame.to_pandas()
    elif isinstance(frame, pl.DataFrame):
        frame = frame.to_arrow().to_pandas()
    assert isinstance(frame, pd.DataFrame)
    some = frame[frame["id"] % 9973 == 0].sort_values("id")
    values = [[None if pd.isna(value) else comparable(value) for value in some[name]] for name in some.columns]
    return len(frame), int(frame["id"].sum()), math.fsum(frame["number"]), int(frame["gaps"].count()), values


def comparable(value: object) -> object:
    if getattr(value, "tzinfo", None) is not None:
        return pd.Timestamp(value).tz_convert("UTC")  # type: ignore[arg-type]
    if isinstance(value, str | bool):
        return value
    if hasattr(value, "isoformat"):
        return str(value)[:10]
    return float(value)  # type: ignore[arg-type]


def counted(run: Run, spent: list[float]) -> Run:
    """``run``, whose processor time is taken down: it tells more than the clock where others are at work."""

    def counting() -> None:
        begun = time.process_time()
        run()
        spent.append(time.process_time() - begun)

    return counting


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # DuckDB's own use of pandas
    measured = []
    print(f"{'':36} {'wall: deltasql, duckdb, ratio':>24}  {'processor: the same':>24}")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder), arguments.rows):
            same = case.check(case.ours()) == case.check(case.duckdb())
            spent: dict[str, list[float]] = {"deltasql": [], "duckdb": []}
            runs = {"deltasql": case.ours, "duckdb": case.duckdb}
            times = in_turn({side: counted(run, spent[side]) for side, run in runs.items()}, rounds=arguments.rounds)
            wall, cpu = ([statistics.median(taken[side]) for side in runs] for taken in (times, spent))
            answers = "" if same else "  WRONG: the answers differ"
            shown = "  ".join(f"{ours:7.2f} {peers:7.2f} s {ours / peers:5.2f}" for ours, peers in (wall, cpu))
            print(f"{case.name:36} {shown}{answers}", flush=True)
            measured.append({"name": case.name, "same": same, "wall": times, "cpu": spent})
    RESULTS.mkdir(exist_ok=True)
    head = setting(LIBRARIES) | {"rows": arguments.rows}
    (RESULTS / "conversion.json").write_text(json.dumps(head | {"measured": measured}, indent=1))
    return 0 if all(one["same"] for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
