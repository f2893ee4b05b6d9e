"""What deltasql costs on top of what it stands on: the same statements through a bare DataFusion, in one process.

The traps that this avoids are listed in README.md beside it. Run with ``--check`` it exits with 1 where a gate is
missed. Results go to ``results/overhead.json``.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import datafusion
from measuring import RESULTS, in_turn, median_ms, seconds, setting

import deltasql

Rows = list[tuple[object, ...]]
Run = Callable[[], Rows]

WARM_UP = 50
ROUNDS = 500
PROCESSES = 10
LIBRARIES = ("deltasql", "datafusion", "deltalake", "pyarrow", "sqlglot")
_QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians in milliseconds; ``limit`` is the most that ``ours - bare`` may be (None: information only)."""

    name: str
    ours: float
    bare: float
    limit: float | None

    @property
    def over(self) -> float:
        return self.ours - self.bare

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return f"{'met' if self.over < self.limit else 'MISSED'} (under {self.limit:g})"


# -- in one process: statements


def statements(folder: Path) -> list[Measured]:
    connection = deltasql.connect(folder)
    connection.sql("CREATE TABLE t (id BIGINT, name STRING, amount DOUBLE)")
    for part in range(4):
        rows = f"SELECT value, concat('name ', value), value * 0.5 FROM range({part * 2500}, {part * 2500 + 2500})"
        connection.sql(f"INSERT INTO t {rows}")
    files = [Path(uri).name for uri in connection.table("t").file_uris()]
    assert {path.name for path in (folder / "t").glob("*.parquet")} == set(files), "both sides must read the same files"
    context = datafusion.SessionContext()
    context.register_parquet("t", str(folder / "t"))
    return [
        compared("SELECT 1", connection, context),
        compared("SELECT id, name FROM t WHERE id = 7", connection, context),
    ]


def compared(sql: str, connection: deltasql.Connection, context: datafusion.SessionContext) -> Measured:
    """Both sides in turn, so that what slows the machine down for a while slows both."""
    ours: Run = lambda: list(connection.sql(sql))  # noqa: E731
    bare: Run = lambda: read(context.sql(sql))  # noqa: E731
    assert ours() == bare(), f"different answers to {sql}"
    for _ in range(WARM_UP):
        ours()
        bare()
    times = in_turn({"ours": ours, "bare": bare}, rounds=ROUNDS)
    return Measured(sql, median_ms(times["ours"]), median_ms(times["bare"]), limit=1.0)


def read(frame: datafusion.DataFrame) -> Rows:
    """All rows as tuples, on the way that `deltasql.Result` takes."""
    batches = [batch.to_pyarrow() for batch in frame.execute_stream()]
    return [row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]


# -- in fresh processes: import and the command


def processes(folder: Path) -> list[Measured]:
    python = [sys.executable, "-I", "-c"]
    command = [str(Path(sys.executable).with_name("deltasql")), str(folder), "-c", "SELECT 1"]
    engine = "import datafusion; print(datafusion.SessionContext().sql('SELECT 1').collect())"
    runs = {
        "python": [*python, "pass"],
        "import": [*python, "import deltasql"],
        "engine": [*python, engine],
        "libraries": [*python, "import datafusion, deltalake, pyarrow, sqlglot"],
        "command": command,
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(PROCESSES + 1):
        for name, arguments in runs.items():
            taken = seconds(functools.partial(subprocess.run, arguments, check=True, **_QUIET))
            if number:  # the first one reads the files from the disk and writes bytecode
                times[name].append(taken)
    medians = {name: median_ms(found) for name, found in times.items()}
    return [
        Measured("import deltasql (bare: python)", medians["import"], medians["python"], limit=50.0),
        Measured(
            "deltasql -c 'SELECT 1' (bare: the libraries' imports)", medians["command"], medians["libraries"], None
        ),
        Measured("deltasql -c 'SELECT 1' (bare: DataFusion alone)", medians["command"], medians["engine"], None),
    ]


# -- the report


def show(found: list[Measured]) -> None:
    width = max(len(row.name) for row in found)
    print(f"{'median, ms':{width}}   {'ours':>8} {'bare':>8} {'over':>8} {'ratio':>6}  gate")
    for row in found:
        numbers = f"{row.ours:8.2f} {row.bare:8.2f} {row.over:8.2f} {row.ours / row.bare:6.2f}"
        print(f"{row.name:{width}}   {numbers}  {row.verdict}".rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 where a gate is missed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [*statements(Path(folder)), *processes(Path(folder))]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "overhead.json").write_text(
        json.dumps({**setting(LIBRARIES), "results": [asdict(row) for row in found]}, indent=2) + "\n"
    )
    show(found)
    return int(arguments.check and any("MISSED" in row.verdict for row in found))


if __name__ == "__main__":
    sys.exit(main())
