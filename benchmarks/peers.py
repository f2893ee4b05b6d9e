"""deltasql and its peers on the same files: TPC-H, selective queries, metadata, many small files.

Answers are checked before times are believed. Results go to ``results/peers.json``; `compare.py` makes tables and a
plot of them. ``--quick`` is a small run that tells whether everything works.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import signal
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import lakes
import platformdirs
from answers import difference
from compare import report
from engines import ENGINES, OURS, REFERENCE, load
from measuring import RESULTS, in_turn, seconds, setting
from workloads import SUITES, Query, queries

if TYPE_CHECKING:
    import pyarrow as pa
    from engines.engine import Engine

PATIENCE = 20.0  # seconds of one engine on one query, after which it isn't asked again
LEAST = 1.0  # seconds of all engines on one query, before which quick ones are asked again


@dataclass(frozen=True, slots=True)
class Outcome:
    """An engine on a query. ``outcome`` is ok, WRONG or failed, ``note`` why; times are in milliseconds.

    ``cold`` is the first run in this process (files are in the system's cache), ``runs`` are the hot ones.
    """

    suite: str
    query: str
    engine: str
    outcome: str
    note: str = ""
    cold: float | None = None
    best: float | None = None
    median: float | None = None
    runs: tuple[float, ...] = ()


def measured(query: Query, engines: Mapping[str, Engine], rounds: int) -> Iterator[Outcome]:
    """All engines on a query: first the answers, then the times of those that are right."""
    runs = {name: functools.partial(engine.run, query.spelled(name)) for name, engine in engines.items()}
    found = {name: first(query, name, run) for name, run in runs.items()}
    _, right = found[REFERENCE]
    checked = {name: judged(query, outcome, answer, right) for name, (outcome, answer) in found.items()}
    sound = {name: runs[name] for name, outcome in checked.items() if outcome.outcome == "ok"}
    times = in_turn(sound, rounds=rounds, least=LEAST, patience=PATIENCE)
    for name, outcome in checked.items():
        taken = tuple(round(time * 1000, 3) for time in times.get(name, ()))
        yield replace(outcome, best=min(taken), median=statistics.median(taken), runs=taken) if taken else outcome


def first(query: Query, name: str, run: Callable[[], pa.Table]) -> tuple[Outcome, pa.Table | None]:
    """The first run, which gives the answer and tells what is kept for later ones."""
    answers: list[pa.Table] = []
    try:
        cold = seconds(lambda: answers.append(run()))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 (panics of Rust libraries derive from BaseException)
        return Outcome(query.suite, query.name, name, "failed", first_line(error)), None
    return Outcome(query.suite, query.name, name, "ok", cold=round(cold * 1000, 3)), answers[0]


def first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:300]


def judged(query: Query, outcome: Outcome, answer: pa.Table | None, right: pa.Table | None) -> Outcome:
    if answer is None:
        return outcome
    if right is None:
        return replace(outcome, outcome="WRONG", note=f"not checked, as {REFERENCE} gave no answer")
    if query.any_rows:
        wrong = None if answer.shape == right.shape else f"{answer.shape} rows and columns, not {right.shape}"
    else:
        wrong = difference(answer, right, query.order)
    return outcome if wrong is None else replace(outcome, outcome="WRONG", note=wrong)


# -- a run


def suite_outcomes(suite: str, engines: Mapping[str, Engine], arguments: argparse.Namespace) -> Iterator[Outcome]:
    for query in queries(suite, arguments.scale, arguments.files):
        if not any(fnmatch.fnmatch(f"{query.suite}/{query.name}", pattern) for pattern in arguments.queries):
            continue
        outcomes = list(measured(query, engines, arguments.runs))
        show(query, outcomes)
        yield from outcomes


def show(query: Query, outcomes: list[Outcome]) -> None:
    cells = [f"{o.engine} {o.outcome if o.median is None else f'{o.median:.1f}'}" for o in outcomes]
    print(f"{query.suite}/{query.name}: {', '.join(cells)}", flush=True)
    for outcome in outcomes:
        if outcome.note:
            print(f"    {outcome.engine} {outcome.outcome}: {outcome.note}", flush=True)


def opened(names: list[str], lake: lakes.Lake, stack: ExitStack, missing: dict[str, str]) -> dict[str, Engine]:
    """The engines with their tables open, each closed by ``stack``; those that can't be had go to ``missing``."""
    found: dict[str, Engine] = {}
    for name in names:
        try:
            engine = load(name)
            engine.setup(lake.root, lake.tables)
        except Exception as error:
            if name in (OURS, REFERENCE):
                raise
            missing[name] = first_line(error)
            print(f"{name} is left out: {missing[name]}", flush=True)
        else:
            stack.callback(engine.close)
            found[name] = engine
    return found


def run(arguments: argparse.Namespace) -> dict[str, object]:
    outcomes: list[Outcome] = []
    missing: dict[str, str] = {}
    how: dict[str, str] = {}
    libraries: dict[str, None] = {"pyarrow": None}
    data: dict[str, dict[str, dict[str, int]]] = {}
    of_suites: list[tuple[tuple[str, ...], Callable[[], lakes.Lake]]] = [
        (SUITES[:3], lambda: lakes.tpch(arguments.data, arguments.scale)),
        (SUITES[3:], lambda: lakes.many(arguments.data, arguments.files)),
    ]
    for suites, make in of_suites:
        wanted = [suite for suite in suites if any(fnmatch.fnmatch(suite, p.split("/")[0]) for p in arguments.queries)]
        if not wanted:
            continue
        lake = make()
        data[lake.root.name] = lake.described
        with ExitStack() as stack:
            engines = opened([name for name in arguments.engines if name not in missing], lake, stack, missing)
            how |= {name: engine.how for name, engine in engines.items()}
            libraries |= dict.fromkeys(library for engine in engines.values() for library in engine.libraries)
            for suite in wanted:
                outcomes += suite_outcomes(suite, engines, arguments)
    return {
        **setting(libraries),
        "scale": arguments.scale,
        "rounds": arguments.runs,
        "engines": how,
        "left_out": missing,
        "data": data,
        "results": [asdict(outcome) for outcome in outcomes],
    }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(platformdirs.user_cache_dir("deltasql")) / "benchmarks"
    parser.add_argument("--data", type=Path, default=cache, help="where the tables are kept (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="of TPC-H (default: 1)")
    parser.add_argument("--runs", type=int, default=5, help="hot runs of each query, at least (default: 5)")
    parser.add_argument("--large", action="store_true", help="10,000 small files rather than 1,000")
    parser.add_argument("--quick", action="store_true", help="TPC-H at 0.01, 100 small files, one run")
    parser.add_argument(
        "--engines", type=lambda text: text.split(","), default=list(ENGINES), help=f"of {','.join(ENGINES)}"
    )
    parser.add_argument(
        "--queries", type=lambda text: text.split(","), default=["*"], help="patterns of suite/name, as tpch/q0*,many/*"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "peers.json", help="(default: %(default)s)")
    arguments = parser.parse_args()
    if unknown := set(arguments.engines) - set(ENGINES):
        parser.error(f"no such engine: {', '.join(sorted(unknown))}")
    # Ours is what the rest is compared with, and without the reference no answer can be checked.
    arguments.engines = [name for name in ENGINES if name in {*arguments.engines, OURS, REFERENCE}]
    arguments.files = 10_000 if arguments.large else 1_000
    if arguments.quick:
        arguments.scale, arguments.files, arguments.runs = 0.01, 100, 1
    return arguments


def main() -> int:
    arguments = parsed()
    # Ended by a time limit, it still has Sail's server to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = run(arguments)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(report(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
