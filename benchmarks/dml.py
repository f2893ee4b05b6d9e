"""What writes cost: deltasql against bare delta-rs calls and Sail, on hard-linked copies of the same table files.

Each run is a process of its own on a fresh copy, and its rows are checked by DuckDB before its times are believed.
Results go to ``results/dml.json``; `dml_report.py` makes tables and a plot of them. Run with ``--check`` it exits with
1 where a gate is missed. ``--quick`` is a small run that tells whether everything works.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import lakes
import platformdirs
import pyarrow.parquet as pq
from deltalake import DeltaTable
from dml_cases import COPY, Case, cases, sources
from dml_report import missed, report
from dml_sides import SIDES
from engines import OURS
from measuring import RESULTS, setting, without_collection

if TYPE_CHECKING:
    import duckdb

PATIENCE = 300  # seconds of one run, after which it is ended
_ROWS = "rows.arrow"

Digest = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """One run. ``outcome`` is ok, WRONG or failed, ``note`` why; ``load`` is the machine's before it.

    Seconds of wall and processor, the peak of memory and the new data files in MiB, and their codec.
    """

    case: str
    side: str
    outcome: str
    note: str = ""
    wall: float | None = None
    cpu: float | None = None
    peak: float | None = None
    written: float | None = None
    files: int | None = None
    codec: str | None = None
    load: float | None = None


# -- one run, in a process of its own


def child(case: Case, side: str, folder: Path) -> dict[str, float]:
    """What the write costs in this process and in those that it started."""
    rows = pq.read_table(folder / _ROWS) if case.verb == "rows" else None
    writer = SIDES[side]()
    run = writer.setup(case, folder, rows)
    try:
        with without_collection():
            for process in processes():
                (process / "clear_refs").write_text("5")  # Peaks from here on (proc(5)).
            before, begun = processor_seconds(), time.perf_counter()
            run()
            wall, cpu = time.perf_counter() - begun, processor_seconds() - before
        return {"wall": round(wall, 4), "cpu": round(cpu, 4), "peak": round(peak_mib(), 1)}
    finally:
        writer.close()


def processes() -> list[Path]:
    """This process and the ones that it started, in /proc."""
    numbers: list[str] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # A thread that has ended meanwhile.
            numbers += path.read_text().split()
    return [Path("/proc/self"), *(Path("/proc") / number for number in numbers)]


def processor_seconds() -> float:
    ticks = 0
    for process in processes():
        after_name = (process / "stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mib() -> float:
    """Not getrusage's, which starts with what the parent process held."""
    lines = (line for process in processes() for line in (process / "status").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


# -- all runs


@dataclass(frozen=True, slots=True)
class Ground:
    """Where runs take place: the tables to copy, and a folder on the same disk."""

    tables: Mapping[str, Path]
    folder: Path
    scale: float

    def laid(self, case: Case) -> Path:
        """A folder with a copy of what ``case`` needs: its own log, the same data files."""
        root = Path(tempfile.mkdtemp(dir=self.folder))
        for name in case.reads:
            shutil.copytree(self.tables[name], root / name, copy_function=_copied)
        if case.table == COPY:
            DeltaTable.create(root / COPY, DeltaTable(self.tables[case.source]).schema())
        if case.verb == "rows":
            with connected(self.tables) as connection:
                pq.write_table(connection.execute(case.right).to_arrow_table(), root / _ROWS)
        return root


def _copied(source: str, target: str) -> None:
    """A data file is never changed, so it is linked."""
    if source.endswith(".parquet") and "_delta_log" not in source:
        os.link(source, target)
    else:
        shutil.copyfile(source, target)


def connected(tables: Mapping[str, Path]) -> duckdb.DuckDBPyConnection:
    connection = lakes.duckdb_with("delta")
    connection.execute("SET enable_progress_bar = false")
    for name, path in tables.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM delta_scan('{path}')")
    return connection


def digest(tables: Mapping[str, Path], sql: str) -> Digest:
    """Number and hash of the rows, in whatever order."""
    with connected(tables) as connection:
        names = [column[0] for column in connection.execute(f"DESCRIBE {sql}").fetchall()]
        found = connection.execute(f"SELECT count(*), sum(hash({', '.join(names)})) FROM ({sql})").fetchone()
    count, hashed = found or (0, None)
    return int(count), int(hashed or 0)


def measured(case: Case, side: str, right: Digest, ground: Ground) -> Written:
    folder = ground.laid(case)
    table = folder / case.table
    try:
        before = set(table.rglob("*.parquet"))
        os.sync()  # Else it would pay for what the run before it left to be written.
        load = round(os.getloadavg()[0], 2)
        arguments = ["--child", side, "--cases", case.name, "--at", str(folder), "--scale", str(ground.scale)]
        taken = ended([sys.executable, __file__, *arguments])
        if isinstance(taken, str):
            return Written(case.name, side, "failed", taken, load=load)
        new = [path for path in table.rglob("*.parquet") if path not in before and "_delta_log" not in path.parts]
        size = round(sum(path.stat().st_size for path in new) / 2**20, 2)
        found = digest({case.table: table}, f"SELECT * FROM {case.table}")
        wrong = "" if found == right else f"rows and hash are {found}, not {right}"
        outcome = "WRONG" if wrong else "ok"
        return Written(
            case.name, side, outcome, wrong, **taken, written=size, files=len(new), codec=codec(new), load=load
        )
    finally:
        shutil.rmtree(folder)


def codec(files: Sequence[Path]) -> str | None:
    """How the first of ``files`` is compressed."""
    return pq.read_metadata(files[0]).row_group(0).column(0).compression if files else None


def ended(command: Sequence[str]) -> dict[str, float] | str:
    """What a child prints at its end, or why it failed; what it started ends with it."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except BaseException as error:
            if isinstance(error, subprocess.TimeoutExpired):
                return f"ended after {PATIENCE} s"
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        lines = [line for line in err.splitlines() if line and not line.startswith(" ")]
        return f"exit code {process.returncode}: {lines[-1] if lines else ''}"[:300]
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


# -- a run of all


def runs(chosen: Sequence[Case], ground: Ground, arguments: argparse.Namespace) -> Iterator[Written]:
    """Every side in each round, each round begun by another; one that failed isn't asked again."""
    out: set[tuple[str, str]] = set()
    right = {case.name: digest(ground.tables, case.right) for case in chosen}
    for number in range(arguments.rounds):
        shift = number % len(arguments.sides)
        for case in chosen:
            for side in arguments.sides[shift:] + arguments.sides[:shift]:
                if (case.name, side) in out:
                    continue
                written = measured(case, side, right[case.name], ground)
                show(number, written)
                if written.outcome != "ok":
                    out.add((case.name, side))
                yield written


def show(number: int, run: Written) -> None:
    text = f"{run.outcome}: {run.note}"
    if run.outcome == "ok":
        text = (
            f"{run.wall:.2f} s, {run.cpu:.2f} s of processor, {run.peak:.0f} MiB, {run.written:.1f} MiB in {run.files}"
        )
    print(f"round {number}, {run.case}, {run.side}: {text} ({run.codec}, load {run.load})", flush=True)


def run(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """What was found so far, after each run: one that is ended early isn't lost."""
    lake = lakes.tpch(arguments.data, arguments.scale)
    made = sources(lake, arguments.data / f"dml-{arguments.scale:g}", arguments.scale)
    writers = {name: SIDES[name]() for name in arguments.sides}
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        ground = Ground(lake.tables | made, Path(folder), arguments.scale)
        found: dict[str, object] = {
            **setting(dict.fromkeys(library for writer in writers.values() for library in writer.libraries)),
            "scale": arguments.scale,
            "rounds": arguments.rounds,
            "sides": {name: writer.how for name, writer in writers.items()},
        }
        results = []
        for written in runs(selected(arguments), ground, arguments):
            results.append(asdict(written))
            yield {**found, "runs": results}


def selected(arguments: argparse.Namespace) -> list[Case]:
    return [
        case
        for case in cases(arguments.scale)
        if any(fnmatch.fnmatch(case.name, pattern) for pattern in arguments.cases)
    ]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(platformdirs.user_cache_dir("deltasql")) / "benchmarks"
    parser.add_argument("--data", type=Path, default=cache, help="where the tables are kept (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="of TPC-H (default: 1)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each case by each side (default: 3)")
    parser.add_argument("--quick", action="store_true", help="TPC-H at 0.01, one round")
    parser.add_argument("--sides", type=lambda text: text.split(","), default=list(SIDES), help=f"of {','.join(SIDES)}")
    parser.add_argument(
        "--cases", type=lambda text: text.split(","), default=["*"], help="patterns of names, as delete_*,insert_all"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where a gate is missed")
    parser.add_argument("--out", type=Path, default=RESULTS / "dml.json", help="(default: %(default)s)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.sides) - set(SIDES):
        parser.error(f"no such side: {', '.join(sorted(unknown))}")
    arguments.sides = [name for name in SIDES if name in {*arguments.sides, OURS}]
    if arguments.quick:
        arguments.scale, arguments.rounds = 0.01, 1
    if not selected(arguments):
        parser.error(f"no such case: {', '.join(arguments.cases)}")
    return arguments


def leave(arguments: argparse.Namespace) -> NoReturn:
    """Be the child, and end at once: Spark's client would try for minutes to reach a server that is gone."""
    (case,) = selected(arguments)
    try:
        print(json.dumps(child(case, arguments.child, arguments.at)), flush=True)
    except BaseException:  # noqa: BLE001 (panics of Rust libraries derive from it; the parent shows the last line)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def main() -> int:
    arguments = parsed()
    if arguments.child:
        leave(arguments)
    # Ended by a time limit, it still has a child to end and copies to remove.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for found in run(arguments):
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(report(arguments.out))
    return int(arguments.check and missed(found))


if __name__ == "__main__":
    sys.exit(main())
